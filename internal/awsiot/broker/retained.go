package broker

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"sync"
	"time"
)

// retainedSet is the last retained message of each topic.
type retainedSet struct {
	// saving keeps the order of the messages of one topic, while they are stored and told to
	// other nodes: a lock for a part of all topics each. It is taken before mu.
	saving [64]sync.Mutex
	seed   maphash.Seed

	mu     sync.RWMutex
	topics map[string]kept
}

// kept is a retained message and when it was published.
type kept struct {
	m  *Message
	at time.Time
}

// storedRetained is how a retained message is kept.
type storedRetained struct {
	Payload []byte `json:"payload"`
	QoS     byte   `json:"qos"`
	Time    int64  `json:"time"` // milliseconds since 1970
	// Full is AppendMessage's, for a message that has more to it: MQTT 5 properties.
	Full []byte `json:"full,omitempty"`
}

func (v *storedRetained) message(topic string) (*Message, error) {
	if v.Full != nil {
		return ParseMessage(v.Full)
	}
	return &Message{Topic: topic, Payload: v.Payload, QoS: v.QoS, Retain: true}, nil
}

func (r *retainedSet) load(stored map[string][]byte) error {
	r.topics, r.seed = map[string]kept{}, maphash.MakeSeed()
	for topic, text := range stored {
		if err := r.put(topic, text); err != nil {
			return err
		}
	}
	return nil
}

// put takes a retained message as it is stored; nil removes it.
func (r *retainedSet) put(topic string, text []byte) error {
	var v storedRetained
	var m *Message
	if text != nil {
		err := json.Unmarshal(text, &v)
		if err == nil {
			m, err = v.message(topic)
		}
		if err != nil {
			return fmt.Errorf("the stored retained message on %q is damaged: %w", topic, err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if m == nil {
		delete(r.topics, topic)
	} else {
		r.topics[topic] = kept{m, time.UnixMilli(v.Time)}
	}
	return nil
}

func (r *retainedSet) get(topic string) *Message {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.topics[topic].m
}

// retain keeps m, or with an empty payload drops what was kept. It returns once that is safe.
func (b *Broker) retain(m *Message) error {
	r := &b.retained
	order := &r.saving[maphash.String(r.seed, m.Topic)%uint64(len(r.saving))]
	order.Lock()
	defer order.Unlock()
	now := b.cfg.Clock.Now()
	var value []byte
	if len(m.Payload) > 0 {
		var err error
		v := storedRetained{Payload: m.Payload, QoS: m.QoS, Time: now.UnixMilli()}
		if m.Properties != nil {
			v.Full, v.Payload = AppendMessage(nil, m), nil
		}
		value, err = json.Marshal(v)
		if err != nil {
			return err
		}
	}
	if b.cfg.SaveRetained != nil {
		if err := b.cfg.SaveRetained(m.Topic, value); err != nil {
			return err
		}
	}
	if b.cfg.Backbone != nil {
		if err := b.cfg.Backbone.Retain(m.Topic, value); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if value == nil {
		delete(r.topics, m.Topic)
	} else {
		r.topics[m.Topic] = kept{m, now}
	}
	return nil
}

// Retained gives the message kept for a topic, false if there is none.
func (b *Broker) Retained(topic string) (Message, bool) {
	m, _, ok := b.RetainedAt(topic)
	return m, ok
}

// RetainedAt gives the message kept for a topic and when it was published, false if there is
// none.
func (b *Broker) RetainedAt(topic string) (m Message, at time.Time, ok bool) {
	b.retained.mu.RLock()
	defer b.retained.mu.RUnlock()
	k, ok := b.retained.topics[topic]
	if !ok {
		return Message{}, time.Time{}, false
	}
	return *k.m, k.at, true
}

// RetainedTopics are the topics that have a retained message, in order.
func (b *Broker) RetainedTopics() []string {
	b.retained.mu.RLock()
	defer b.retained.mu.RUnlock()
	return slices.Sorted(maps.Keys(b.retained.topics))
}
