package broker

import (
	"fmt"

	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/policy"
)

// dueWill is a will whose time has come. One with a delay is the session's from the moment its connection is
// detached: a client that comes back in time prevents it, and a session that ends sends it then.
type dueWill struct {
	m *Message
	s *session
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
