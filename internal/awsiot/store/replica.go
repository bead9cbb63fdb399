package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/skep-sim/skep/internal/awsiot/policy"
)

// Replica carries the writes of a Store that is one of several with the same state. What it
// is given comes back by [Store.Apply], in an order that is the same for all stores; only then
// a write counts here, and is done.
type Replica interface {
	// Put sends a write (nil deletes) and calls done when it has been applied here, or has
	// failed; the calls of done come in the order of the calls. It must not block.
	Put(bucket, key string, value []byte, done func(error))
	// Barrier calls done after all writes before it are done.
	Barrier(done func(error))
}

// Replicate has all writes from now on go through r, which is the store's for good. It goes
// before anything else uses the store.
func (s *Store) Replicate(r Replica) { s.replica.Store(&r) }

// authorityKey is the key of the authority, the one thing in the meta bucket that all stores
// share.
const authorityKey = "authority"

// shared says whether stores that replicate each other share a key.
func shared(b bucket, key string) bool { return b != bucketMeta || key == authorityKey }

// through gives the replica a write is for; nil for none.
func (s *Store) through(b bucket, key string) Replica {
	r := s.replica.Load()
	if r == nil || !shared(b, key) {
		return nil
	}
	return *r
}

// Apply writes what the replica has brought, shows it, and calls done when it is safe on disk.
func (s *Store) Apply(bucketName, key string, value []byte, done func(error)) {
	b := bucket(bucketName)
	if !known(b) {
		done(fmt.Errorf("another node has written %q, which this version of skep does not know: run the same version on all nodes", bucketName))
		return
	}
	if err := s.show(b, key, value); err != nil {
		done(fmt.Errorf("another node has written %s %q: %w", bucketName, key, err))
		return
	}
	s.enqueue(op{b, key, value, done})
}

// Applied calls done when everything that was applied before it is safe.
func (s *Store) Applied(done func(error)) { s.enqueue(op{done: done}) }

func known(b bucket) bool {
	for _, x := range buckets {
		if x == b {
			return true
		}
	}
	return false
}

// show makes a write count in the registry's memory.
func (s *Store) show(b bucket, key string, value []byte) (err error) {
	r := &s.registry
	id := "" // whom it may concern
	r.mu.Lock()
	switch b {
	case bucketCerts:
		id, err = key, learn(r.certs, key, value)
	case bucketThings:
		err = learn(r.things, key, value)
	case bucketCredentials:
		id, err = key, learn(r.credentials, key, value)
	case bucketTypes:
		err = learn(r.types, key, value)
	case bucketCAs:
		err = learn(r.authorities, key, value)
	case bucketPolicies:
		if err = learn(r.policies, key, value); err == nil && value != nil {
			r.policies[key].document, err = policy.Parse(key, r.policies[key].Text)
		}
	default:
		r.mu.Unlock()
		return nil
	}
	r.mu.Unlock()
	if err == nil {
		go s.changed(id) // whoever watches may take locks that the writer of this holds
	}
	return err
}

func learn[T any](into map[string]*T, key string, value []byte) error {
	if value == nil {
		delete(into, key)
		return nil
	}
	v := new(T)
	if err := json.Unmarshal(value, v); err != nil {
		return err
	}
	into[key] = v
	return nil
}

// EachShared calls f for all that stores which replicate each other share.
func (s *Store) EachShared(f func(bucket, key string, value []byte) error) error {
	for _, b := range buckets {
		err := s.Each(b, "", func(key string, value []byte) error {
			if !shared(b, key) {
				return nil
			}
			return f(string(b), key, value)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Note and Noted keep a word of this store's own, such as the name of its node, under a key.
func (s *Store) Note(key, value string) error {
	if shared(bucketMeta, key) {
		return fmt.Errorf("%q is not a key for a note", key)
	}
	return s.putWait(bucketMeta, "note "+key, []byte(value))
}

// Noted gives what Note was given, "" for nothing.
func (s *Store) Noted(key string) (string, error) {
	v, err := s.Get(bucketMeta, "note "+key)
	return string(v), err
}

// SessionPart is a part of the sessions of stores that replicate each other: those of one node.
type SessionPart struct {
	s    *Store
	node string
}

// SessionsOf gives the sessions of a node; it is a broker.SessionStore.
func (s *Store) SessionsOf(node string) SessionPart { return SessionPart{s, node + "\x00"} }

// Put writes a key, or with a nil value deletes it.
func (p SessionPart) Put(key string, value []byte, done func(error)) {
	p.s.Put(bucketSessions, p.node+key, value, done)
}

// Barrier calls done after all writes before it are done.
func (p SessionPart) Barrier(done func(error)) { p.s.Barrier(done) }

// Each gives every key with its value, in order of keys.
func (p SessionPart) Each(f func(key string, value []byte) error) error {
	return p.s.Each(bucketSessions, p.node, func(key string, value []byte) error {
		return f(key[len(p.node):], value)
	})
}

// HasAuthority tells whether the state has an authority, and whether it is this one as stored.
func (s *Store) HasAuthority(stored []byte) (same, any bool, err error) {
	text, err := s.Get(bucketMeta, authorityKey)
	return bytes.Equal(text, stored), text != nil, err
}

// SessionNodes are the nodes that sessions are kept of, in order.
func (s *Store) SessionNodes() []string {
	var nodes []string
	err := s.Each(bucketSessions, "", func(key string, _ []byte) error {
		if node, _, ok := strings.Cut(key, "\x00"); ok && (len(nodes) == 0 || nodes[len(nodes)-1] != node) {
			nodes = append(nodes, node)
		}
		return nil
	})
	if err != nil {
		return nil // the store has been read whole when it was opened
	}
	return nodes
}
