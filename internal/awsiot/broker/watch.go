package broker

import (
	"errors"
	"sync"
)

// Watcher is a subscription of the program itself. It takes messages as fast as they come and
// keeps a bounded number for its reader.
type Watcher struct {
	b      *Broker
	filter string
	c      chan Message

	mu     sync.Mutex
	lost   int
	closed bool
}

// watchRoom is how many messages wait for a Watcher's reader before further ones are lost.
const watchRoom = 1024

// Watch subscribes the program to a filter, under the rules of filters but no policy.
func (b *Broker) Watch(filter string) (*Watcher, error) {
	if broken := b.cfg.Limits.checkFilter(filter); broken != "" {
		return nil, errors.New(broken)
	}
	w := &Watcher{b: b, filter: filter, c: make(chan Message, watchRoom)}
	b.subscribe(filter, w, 1)
	return w, nil
}

// C gives the messages in order. It is closed by Close.
func (w *Watcher) C() <-chan Message { return w.c }

// Lost is how many messages the reader was too slow for.
func (w *Watcher) Lost() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

// Close ends the subscription.
func (w *Watcher) Close() {
	w.b.unsubscribe(w.filter, w)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.closed = true
		close(w.c)
	}
}

func (w *Watcher) deliver(m *Message, o subOptions) (storing bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	shown := *m
	shown.QoS = min(o.qos(), m.QoS)
	select {
	case w.c <- shown:
	default:
		w.lost++
	}
	return false
}

func (w *Watcher) online() bool { return true }
