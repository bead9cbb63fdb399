package broker

import (
	"fmt"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/policy"
)

// dueWill is a will whose time has come.
type dueWill struct {
	m *Message
	s *session
}

// leaveWill sends the will of a client that is gone, at once or after the delay it asked for.
// A session that ends takes the delay with it.
func (b *Broker) leaveWill(c *conn) {
	s := c.sess
	if delay := time.Duration(c.hello.willDelay) * time.Second; delay > 0 {
		s.mu.Lock()
		if s.conn == nil && !s.clean {
			s.will, s.willAt = c.will, b.cfg.Clock.Now().Add(delay)
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
	}
	b.publishWill(c.will, s)
}

// publishWill sends a will, if its client may publish it.
func (b *Broker) publishWill(m *Message, s *session) {
	s.mu.Lock()
	peer := s.peer
	s.mu.Unlock()
	if refused := s.mayPublish(m.Topic, m.Retain); refused != "" {
		b.log(event.Refused, peer, s.id, refused+"; the will is not sent")
		return
	}
	m.received(b.cfg.Clock.Now())
	if m.Retain {
		if err := b.retain(m); err != nil {
			b.log(event.Trouble, peer, s.id, "the retained will could not be stored: "+err.Error())
		}
	}
	if b.ingest(m) {
		return
	}
	// The services do not see it: AWS says so of the shadow service ("Using shadows in apps
	// and services"); a rule may republish it.
	b.route(m, nil)
}

// mayPublish asks the policy; "" means yes.
func (s *session) mayPublish(topic string, retain bool) string {
	s.mu.Lock()
	p := s.policy
	s.mu.Unlock()
	if d := p.Check(policy.Publish, topic); !d.Allowed {
		return fmt.Sprintf("iot:Publish on topic/%s: %s", topic, d)
	}
	if retain {
		if d := p.Check(policy.RetainPublish, topic); !d.Allowed {
			return fmt.Sprintf("iot:RetainPublish on topic/%s: %s", topic, d)
		}
	}
	return ""
}
