// Package shadows is the Device Shadow service around the pure engine in package shadow: it
// keeps the documents, applies requests one after another for each shadow, answers on the MQTT
// topics, and gives HTTPS the same answers.
//
// A request is answered when its outcome is safe on disk. It knows no policies: whether a
// client may publish a request, or make it over HTTPS, is decided before it comes here.
package shadows

import (
	"fmt"
	"strings"
	"sync"

	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/shadow"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// Service keeps shadows. Make one with New.
type Service struct {
	store   *store.Store
	clock   clock.Clock
	limits  shadow.Limits
	log     func(event.Event)
	publish func(topic string, payload []byte)

	// Route, if there is one, has a request carried out elsewhere, where the thing is served; false
	// says that it is here. It is set before the first request.
	Route func(op string, k shadow.Key, payload []byte, answered func(Answer)) bool

	mu   sync.Mutex
	docs map[shadow.Key]*shadow.Document // what has been read or decided, stored or about to be
}

// New makes a Service. publish sends a message as AWS IoT itself; it must not block. log may be
// called from any goroutine.
func New(s *store.Store, c clock.Clock, l shadow.Limits, log func(event.Event), publish func(topic string, payload []byte)) *Service {
	return &Service{store: s, clock: c, limits: l, log: log, publish: publish, docs: map[shadow.Key]*shadow.Document{}}
}

// Answer is the outcome of a request: a document, or a refusal.
type Answer struct {
	Payload []byte
	Refused *shadow.Error
}

// storeKey orders a thing's shadows together, the classic one first.
func storeKey(k shadow.Key) string { return k.Thing + "\x00" + k.Name }

// load gives the shadow's document; nil when there has never been one. s.mu is held.
func (s *Service) load(k shadow.Key) (*shadow.Document, error) {
	if doc, ok := s.docs[k]; ok {
		return doc, nil
	}
	text, err := s.store.Get(store.Shadows, storeKey(k))
	if err != nil || text == nil {
		return nil, err
	}
	doc, err := shadow.Decode(text)
	if err != nil {
		return nil, err
	}
	s.docs[k] = doc
	return doc, nil
}

// trouble logs a failure of ours and gives the refusal for it.
func (s *Service) trouble(k shadow.Key, err error) *shadow.Error {
	s.log(event.Event{Time: s.clock.Now(), Kind: event.Trouble, Text: fmt.Sprintf("shadow %s: %v", k, err)})
	return shadow.Internal()
}

// refused logs a refusal, which a device's program often does not.
func (s *Service) refused(op string, k shadow.Key, e *shadow.Error) {
	s.log(event.Event{Time: s.clock.Now(), Kind: event.Refused, Text: fmt.Sprintf("shadow %s of %s: %v", op, k, e)})
}

// Update applies an update request and publishes accepted, delta and documents. answered is
// called once, from another goroutine, when the update is safe; it must not block.
func (s *Service) Update(k shadow.Key, payload []byte, answered func(Answer)) {
	if s.Route == nil || !s.Route("update", k, payload, answered) {
		s.updateHere(k, payload, answered)
	}
}

func (s *Service) updateHere(k shadow.Key, payload []byte, answered func(Answer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, err := s.load(k)
	if err != nil {
		s.later(Answer{Refused: s.trouble(k, err)}, answered)
		return
	}
	next, out, refusal := s.limits.Update(before, payload, s.clock.Now())
	if refusal != nil {
		s.refused("update", k, refusal)
		s.later(Answer{Refused: refusal}, answered)
		return
	}
	s.docs[k] = next
	s.store.Put(store.Shadows, storeKey(k), next.Encode(), func(err error) {
		if err != nil {
			answered(Answer{Refused: s.failed(k, err)})
			return
		}
		s.publish(k.Topic("update/accepted"), out.Accepted)
		if out.Delta != nil {
			s.publish(k.Topic("update/delta"), out.Delta)
		}
		s.publish(k.Topic("update/documents"), out.Documents)
		answered(Answer{Payload: out.Accepted})
	})
}

// Get answers a get request after all updates before it.
func (s *Service) Get(k shadow.Key, payload []byte, answered func(Answer)) {
	if s.Route == nil || !s.Route("get", k, payload, answered) {
		s.getHere(k, payload, answered)
	}
}

func (s *Service) getHere(k shadow.Key, payload []byte, answered func(Answer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	doc, err := s.load(k)
	if err != nil {
		s.later(Answer{Refused: s.trouble(k, err)}, answered)
		return
	}
	out, refusal := s.limits.Get(doc, k.String(), payload, s.clock.Now())
	if refusal != nil {
		s.refused("get", k, refusal)
	}
	s.later(Answer{Payload: out, Refused: refusal}, answered)
}

// Delete deletes a shadow and publishes accepted; its version is remembered.
func (s *Service) Delete(k shadow.Key, payload []byte, answered func(Answer)) {
	if s.Route == nil || !s.Route("delete", k, payload, answered) {
		s.deleteHere(k, payload, answered)
	}
}

func (s *Service) deleteHere(k shadow.Key, payload []byte, answered func(Answer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	doc, err := s.load(k)
	if err != nil {
		s.later(Answer{Refused: s.trouble(k, err)}, answered)
		return
	}
	memory, out, refusal := s.limits.Delete(doc, k.String(), payload, s.clock.Now())
	if refusal != nil {
		s.refused("delete", k, refusal)
		s.later(Answer{Refused: refusal}, answered)
		return
	}
	s.docs[k] = memory
	s.store.Put(store.Shadows, storeKey(k), memory.Encode(), func(err error) {
		if err != nil {
			answered(Answer{Refused: s.failed(k, err)})
			return
		}
		s.publish(k.Topic("delete/accepted"), out)
		answered(Answer{Payload: out})
	})
}

// Do carries out a request, "get", "update" or "delete", here.
func (s *Service) Do(op string, k shadow.Key, payload []byte, answered func(Answer)) {
	switch op {
	case "update":
		s.updateHere(k, payload, answered)
	case "delete":
		s.deleteHere(k, payload, answered)
	default:
		s.getHere(k, payload, answered)
	}
}

// Forget has the next request read a shadow anew, by its key in the store: another process has
// changed it.
func (s *Service) Forget(key string) {
	thing, name, _ := strings.Cut(key, "\x00")
	s.mu.Lock()
	delete(s.docs, shadow.Key{Thing: thing, Name: name})
	s.mu.Unlock()
}

// later answers in the order of the store's writes, so that nobody overtakes an update.
func (s *Service) later(a Answer, answered func(Answer)) {
	s.store.Barrier(func(error) { answered(a) })
}

// failed forgets what could not be stored, so that the next request sees what is on disk.
func (s *Service) failed(k shadow.Key, err error) *shadow.Error {
	s.mu.Lock()
	delete(s.docs, k)
	s.mu.Unlock()
	return s.trouble(k, err)
}

// Names are the names of a thing's named shadows that exist, in order. The classic one has no
// name and is not among them.
func (s *Service) Names(thing string) ([]string, error) {
	// Every shadow that exists is stored or about to be: wait for the latter.
	done := make(chan struct{})
	s.store.Barrier(func(error) { close(done) })
	<-done
	var names []string
	err := s.store.Each(store.Shadows, thing+"\x00", func(key string, text []byte) error {
		name := strings.TrimPrefix(key, thing+"\x00")
		if name == "" {
			return nil
		}
		doc, err := shadow.Decode(text)
		if err != nil {
			return err
		}
		if doc.Exists() {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// Documents are all shadows of a thing by name, "" for the classic one, each as a get request
// would be answered. Unlike requests it leaves no line in the log.
func (s *Service) Documents(thing string) (map[string][]byte, error) {
	names, err := s.Names(thing)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range append(names, "") {
		k := shadow.Key{Thing: thing, Name: name}
		doc, err := s.load(k)
		if err != nil {
			return nil, err
		}
		if doc == nil || !doc.Exists() {
			continue
		}
		text, refusal := s.limits.Get(doc, k.String(), nil, s.clock.Now())
		if refusal != nil {
			return nil, refusal
		}
		out[name] = text
	}
	return out, nil
}
