package shadows

import (
	"fmt"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/shadow"
)

// Accepts says which rule forbids clients to publish to a topic below $aws/things/, "" for
// none. Only the three requests are for clients; the answers are AWS IoT's own (AWS: "Reserved
// topics").
func (s *Service) Accepts(topic string) string {
	if _, end, ok := shadow.ParseTopic(topic); ok {
		switch end {
		case "get", "update", "delete":
			return ""
		}
		return fmt.Sprintf("topic %q: only AWS IoT itself publishes it; clients publish to .../shadow/get, update and delete", topic)
	}
	return fmt.Sprintf("topic %q: it is reserved and neither one of the shadow topics $aws/things/THING/shadow/[name/SHADOW/]{get,update,delete} nor one of jobs", topic)
}

// Handle answers a request published on one of the topics Accepts allows.
func (s *Service) Handle(r *broker.Request) {
	key, op, ok := shadow.ParseTopic(r.Topic)
	if !ok {
		r.Done()
		return
	}
	answered := func(a Answer) {
		switch {
		case a.Refused != nil:
			s.publish(key.Topic(op+"/rejected"), a.Refused.Rejected(s.clock.Now().Unix()))
		case op == "get":
			s.publish(key.Topic("get/accepted"), a.Payload)
		}
		r.Done()
	}
	switch op {
	case "update":
		s.Update(key, r.Payload, answered)
	case "delete":
		s.Delete(key, r.Payload, answered)
	default:
		s.Get(key, r.Payload, answered)
	}
}

// Overload rejects a request of a client that has too many under way.
func (s *Service) Overload(r *broker.Request) {
	key, op, ok := shadow.ParseTopic(r.Topic)
	if !ok {
		return
	}
	refusal := shadow.TooMany()
	refusal.ClientToken = s.limits.Token(r.Payload)
	s.log(event.Event{Time: s.clock.Now(), Kind: event.Refused, Text: fmt.Sprintf("shadow %s of %s: %v", op, key, refusal)})
	s.publish(key.Topic(op+"/rejected"), refusal.Rejected(s.clock.Now().Unix()))
}
