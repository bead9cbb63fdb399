package awsiot

import (
	"encoding/json"
	"fmt"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/shadow"
	"github.com/skep-sim/skep/internal/awsiot/shadows"
)

// Message is a message as the cloud side sees it.
type Message = broker.Message

// Watcher is a subscription of the cloud side.
type Watcher = broker.Watcher

// The calls below are the cloud's own side of things, inside the program: what a back end or
// the AWS console would do. No certificate and no policy stands before them.

// Publish sends a message to the clients that subscribed to its topic.
func (s *Server) Publish(m Message) error {
	if broken := s.broker.PublishRule(m.Topic, m.Retain); broken != "" {
		return fmt.Errorf("awsiot: %s", broken)
	}
	return s.broker.PublishFor(m)
}

// Watch subscribes to a topic filter. The rules of filters hold: "#" does not show $ topics,
// "$aws/#" does.
func (s *Server) Watch(filter string) (*Watcher, error) { return s.broker.Watch(filter) }

// Connections are all MQTT clients, connected or away with a persistent session.
func (s *Server) Connections() []broker.Connection { return s.broker.Connections() }

// Shadow gives a thing's classic shadow document, as a device gets it on get/accepted. A
// *shadow.Error with code 404 says that there is none.
func (s *Server) Shadow(thing string) ([]byte, error) {
	return s.ask(thing, nil, s.shadows.Get)
}

// Shadows are all shadows of a thing by name, "" for the classic one, each as a device gets it on
// get/accepted.
func (s *Server) Shadows(thing string) (map[string]json.RawMessage, error) {
	if !shadow.ValidThing(thing) {
		return nil, fmt.Errorf("awsiot: %q is not the name of a thing", thing)
	}
	docs, err := s.shadows.Documents(thing)
	if err != nil {
		return nil, err
	}
	out := map[string]json.RawMessage{}
	for name, text := range docs {
		out[name] = text
	}
	return out, nil
}

// UpdateShadow applies an update request, such as {"state":{"desired":{"led":1}}}, to a thing's
// classic shadow and gives the accepted document. When it returns, delta and documents are
// published.
func (s *Server) UpdateShadow(thing string, request []byte) ([]byte, error) {
	return s.ask(thing, request, s.shadows.Update)
}

// UpdateDesired sets fields of a thing's desired state: UpdateDesired("t", `{"led":1}`).
func (s *Server) UpdateDesired(thing string, desired []byte) ([]byte, error) {
	if !json.Valid(desired) {
		return nil, fmt.Errorf("awsiot: the desired state of %s is not JSON: %.60s", thing, desired)
	}
	return s.UpdateShadow(thing, fmt.Appendf(nil, `{"state":{"desired":%s}}`, desired))
}

// DeleteShadow deletes a thing's classic shadow.
func (s *Server) DeleteShadow(thing string) error {
	_, err := s.ask(thing, nil, s.shadows.Delete)
	return err
}

func (s *Server) ask(thing string, payload []byte, do func(shadow.Key, []byte, func(shadows.Answer))) ([]byte, error) {
	key := shadow.Key{Thing: thing}
	if !key.Valid() {
		return nil, fmt.Errorf("awsiot: thing name %q: use 1 to 128 characters of A-Z a-z 0-9 : _ -", thing)
	}
	return s.askKey(key, payload, do)
}

func (s *Server) askKey(key shadow.Key, payload []byte, do func(shadow.Key, []byte, func(shadows.Answer))) ([]byte, error) {
	result := make(chan shadows.Answer, 1)
	do(key, payload, func(a shadows.Answer) { result <- a })
	a := <-result
	if a.Refused != nil {
		return nil, a.Refused
	}
	return a.Payload, nil
}
