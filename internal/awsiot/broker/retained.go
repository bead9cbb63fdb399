package broker

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// retainedSet is the last retained message of each topic.
type retainedSet struct {
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
}

func (r *retainedSet) load(stored map[string][]byte) error {
	r.topics = map[string]kept{}
	for topic, text := range stored {
		var v storedRetained
		if err := json.Unmarshal(text, &v); err != nil {
			return fmt.Errorf("the stored retained message on %q is damaged: %w", topic, err)
		}
		r.topics[topic] = kept{&Message{Topic: topic, Payload: v.Payload, QoS: v.QoS, Retain: true}, time.UnixMilli(v.Time)}
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
	r.mu.Lock()
	defer r.mu.Unlock()
	now := b.cfg.Clock.Now()
	var value []byte
	if len(m.Payload) > 0 {
		var err error
		value, err = json.Marshal(storedRetained{m.Payload, m.QoS, now.UnixMilli()})
		if err != nil {
			return err
		}
	}
	if b.cfg.SaveRetained != nil {
		if err := b.cfg.SaveRetained(m.Topic, value); err != nil {
			return err
		}
	}
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
