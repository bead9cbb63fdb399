// Package ymodemtest is a serial line in memory for tests of transfers, whose
// time passes only while both ends wait: what takes minutes in the field takes
// none. It is no model of a UART; it has no speed and loses nothing unless told.
package ymodemtest

import (
	"bytes"
	"sync"
	"time"
)

// line is what both ends share.
type line struct {
	mu    sync.Mutex
	moved *sync.Cond
	now   time.Duration
	ends  [2]End
}

// End is one end of a line. It implements ymodem.Port; the two ends belong to
// two goroutines.
type End struct {
	// Noise, if not nil, is what happens to bytes on their way to this end.
	Noise func([]byte) []byte

	l        *line
	n        int
	queue    []byte
	waiting  bool
	until    time.Duration
	finished bool
}

// New is a line with its two ends.
func New() (a, b *End) {
	l := &line{}
	l.moved = sync.NewCond(&l.mu)
	for i := range l.ends {
		l.ends[i] = End{l: l, n: i}
	}
	return &l.ends[0], &l.ends[1]
}

func (e *End) other() *End { return &e.l.ends[1-e.n] }

// Write implements ymodem.Port.
func (e *End) Write(p []byte) {
	e.l.mu.Lock()
	defer e.l.mu.Unlock()
	o := e.other()
	if p = bytes.Clone(p); o.Noise != nil {
		p = o.Noise(p)
	}
	o.queue = append(o.queue, p...)
	e.l.moved.Broadcast()
}

// Byte implements ymodem.Port.
func (e *End) Byte(d time.Duration) (byte, bool) {
	e.l.mu.Lock()
	defer e.l.mu.Unlock()
	o := e.other()
	e.until, e.waiting = e.l.now+d, true
	defer func() { e.waiting = false }()
	for len(e.queue) == 0 {
		switch {
		case e.l.now >= e.until:
			return 0, false
		case o.finished:
			e.l.now = e.until
		case o.waiting && len(o.queue) == 0 && e.l.now < o.until:
			e.l.now = min(e.until, o.until)
			e.l.moved.Broadcast()
		default: // the other end has something to do, its time being up among it
			e.l.moved.Wait()
		}
	}
	b := e.queue[0]
	e.queue = e.queue[1:]
	return b, true
}

// Finish says that nobody will read or write at this end any more, so that the
// other one's time can pass.
func (e *End) Finish() {
	e.l.mu.Lock()
	e.finished = true
	e.l.moved.Broadcast()
	e.l.mu.Unlock()
}
