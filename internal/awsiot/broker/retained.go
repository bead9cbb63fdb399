package broker

import (
	"encoding/json"
	"fmt"
	"sync"
)

// retainedSet is the last retained message of each topic.
type retainedSet struct {
	mu     sync.RWMutex
	topics map[string]*Message
}

// storedRetained is how a retained message is kept.
type storedRetained struct {
	Payload []byte `json:"payload"`
	QoS     byte   `json:"qos"`
	Time    int64  `json:"time"` // milliseconds since 1970
}

func (r *retainedSet) load(stored map[string][]byte) error {
	r.topics = map[string]*Message{}
	for topic, text := range stored {
		var v storedRetained
		if err := json.Unmarshal(text, &v); err != nil {
			return fmt.Errorf("the stored retained message on %q is damaged: %w", topic, err)
		}
		r.topics[topic] = &Message{Topic: topic, Payload: v.Payload, QoS: v.QoS, Retain: true}
	}
	return nil
}

func (r *retainedSet) get(topic string) *Message {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.topics[topic]
}

// retain keeps m, or with an empty payload drops what was kept. It returns once that is safe.
func (b *Broker) retain(m *Message) error {
	r := &b.retained
	r.mu.Lock()
	defer r.mu.Unlock()
	var value []byte
	if len(m.Payload) > 0 {
		var err error
		value, err = json.Marshal(storedRetained{m.Payload, m.QoS, b.cfg.Clock.Now().UnixMilli()})
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
		r.topics[m.Topic] = m
	}
	return nil
}

// Retained gives the message kept for a topic, false if there is none.
func (b *Broker) Retained(topic string) (Message, bool) {
	if m := b.retained.get(topic); m != nil {
		return *m, true
	}
	return Message{}, false
}
