package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/skep-sim/skep/internal/awsiot/identity"
	"github.com/skep-sim/skep/internal/awsiot/policy"
	"github.com/skep-sim/skep/internal/awsiot/shadow"
)

// Certificate is a registered device certificate.
type Certificate struct {
	ID     string `json:"id"`  // SHA-256 of the DER, hexadecimal
	PEM    string `json:"pem"` // without the key: that is only ever given away
	Active bool   `json:"active"`
	// Why says why a certificate is not active: StatusRevoked, StatusPending, or "" for
	// StatusInactive.
	Why      string   `json:"why,omitempty"`
	CA       string   `json:"ca,omitempty"`     // id of the registered CA that issued it
	Origin   string   `json:"origin,omitempty"` // how it came here, for a person; "" is by skep cloud init
	Replaces string   `json:"replaces,omitempty"`
	Things   []string `json:"things,omitempty"`   // attached things
	Policies []string `json:"policies,omitempty"` // attached policies
	Created  int64    `json:"created"`            // seconds since 1970
}

// The states of a certificate, as AWS names them.
const (
	StatusActive   = "ACTIVE"
	StatusInactive = "INACTIVE"
	StatusRevoked  = "REVOKED"
	StatusPending  = "PENDING_ACTIVATION" // registered by itself, at a connection
)

// Status is the certificate's state.
func (c *Certificate) Status() string {
	switch {
	case c.Active:
		return StatusActive
	case c.Why != "":
		return c.Why
	default:
		return StatusInactive
	}
}

// Thing is a registered thing.
type Thing struct {
	Name       string            `json:"name"`
	Type       string            `json:"type,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Created    int64             `json:"created"`
	Version    int               `json:"version,omitempty"` // of the record; 0 is 1
}

// Policy is a stored policy with its text.
type Policy struct {
	Name     string          `json:"name"`
	Text     json.RawMessage `json:"text"`
	document *policy.Document
}

// registry is certificates, keys, things and policies in memory. Values in the maps are replaced,
// never changed.
type registry struct {
	mu          sync.RWMutex
	certs       map[string]*Certificate
	things      map[string]*Thing
	policies    map[string]*Policy
	credentials map[string]*Credential
	types       map[string]*ThingType
	authorities map[string]*CA
	watchers    []func(certID string)
}

func (r *registry) load(s *Store) error {
	r.certs, r.things, r.policies = map[string]*Certificate{}, map[string]*Thing{}, map[string]*Policy{}
	r.credentials, r.types, r.authorities = map[string]*Credential{}, map[string]*ThingType{}, map[string]*CA{}
	if err := loadAll(s, bucketTypes, r.types); err != nil {
		return err
	}
	if err := loadAll(s, bucketCAs, r.authorities); err != nil {
		return err
	}
	if err := loadAll(s, bucketCredentials, r.credentials); err != nil {
		return err
	}
	if err := loadAll(s, bucketCerts, r.certs); err != nil {
		return err
	}
	if err := loadAll(s, bucketThings, r.things); err != nil {
		return err
	}
	if err := loadAll(s, bucketPolicies, r.policies); err != nil {
		return err
	}
	for _, p := range r.policies {
		var err error
		if p.document, err = policy.Parse(p.Name, p.Text); err != nil {
			return err
		}
	}
	return nil
}

func loadAll[T any](s *Store, b bucket, into map[string]*T) error {
	return s.Each(b, "", func(key string, value []byte) error {
		v := new(T)
		if err := json.Unmarshal(value, v); err != nil {
			return fmt.Errorf("%s %q is damaged: %w", b, key, err)
		}
		into[key] = v
		return nil
	})
}

// put stores v and, once it is safe, shows it.
func put[T any](s *Store, b bucket, key string, v *T, show map[string]*T) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := s.putWait(b, key, text); err != nil {
		return err
	}
	if s.replica.Load() != nil {
		return nil // Apply has shown it, and maybe what came after it
	}
	s.registry.mu.Lock()
	show[key] = v
	s.registry.mu.Unlock()
	return nil
}

// Certificate finds a registered certificate by its id; nil when there is none. It must not be
// changed.
func (s *Store) Certificate(id string) *Certificate {
	s.registry.mu.RLock()
	defer s.registry.mu.RUnlock()
	return s.registry.certs[id]
}

// Certificates are all registered certificates in order of their ids.
func (s *Store) Certificates() []*Certificate { return sorted(s, s.registry.certs) }

// Thing finds a thing by name; nil when there is none. It must not be changed.
func (s *Store) Thing(name string) *Thing {
	s.registry.mu.RLock()
	defer s.registry.mu.RUnlock()
	return s.registry.things[name]
}

// Things are all things in order of their names.
func (s *Store) Things() []*Thing { return sorted(s, s.registry.things) }

// Policy finds a policy by name; nil when there is none.
func (s *Store) Policy(name string) *Policy {
	s.registry.mu.RLock()
	defer s.registry.mu.RUnlock()
	return s.registry.policies[name]
}

// Policies are all policies in order of their names.
func (s *Store) Policies() []*Policy { return sorted(s, s.registry.policies) }

func sorted[T any](s *Store, m map[string]*T) []*T {
	s.registry.mu.RLock()
	defer s.registry.mu.RUnlock()
	var out []*T
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}

// Documents are the parsed policies attached to a certificate. A name without a policy is
// passed over: it allows nothing.
func (s *Store) Documents(c *Certificate) []*policy.Document {
	s.registry.mu.RLock()
	defer s.registry.mu.RUnlock()
	var docs []*policy.Document
	for _, name := range c.Policies {
		if p := s.registry.policies[name]; p != nil {
			docs = append(docs, p.document)
		}
	}
	return docs
}

// PutThing adds or replaces a thing.
func (s *Store) PutThing(t Thing) error {
	if !shadow.ValidThing(t.Name) {
		return fmt.Errorf("thing name %q: use 1 to 128 characters of A-Z a-z 0-9 : _ -", t.Name)
	}
	if err := put(s, bucketThings, t.Name, &t, s.registry.things); err != nil {
		return fmt.Errorf("storing thing %q: %w", t.Name, err)
	}
	s.changed("")
	return nil
}

// PutPolicy adds or replaces a policy.
func (s *Store) PutPolicy(name string, text []byte) error {
	doc, err := policy.Parse(name, text)
	if err != nil {
		return err
	}
	p := &Policy{Name: name, Text: append(json.RawMessage{}, text...), document: doc}
	if err := put(s, bucketPolicies, name, p, s.registry.policies); err != nil {
		return fmt.Errorf("storing policy %q: %w", name, err)
	}
	s.changed("")
	return nil
}

// PutCertificate adds or replaces a certificate. Its id must be its fingerprint.
func (s *Store) PutCertificate(c Certificate) error {
	parsed, err := identity.ParseCertificate([]byte(c.PEM))
	if err != nil {
		return fmt.Errorf("the certificate cannot be read: %w", err)
	}
	if id := identity.Fingerprint(parsed.Raw); id != c.ID {
		return fmt.Errorf("the certificate's id is %s, not %s", id, c.ID)
	}
	for _, name := range c.Policies {
		if s.Policy(name) == nil {
			return fmt.Errorf("there is no policy %q to attach", name)
		}
	}
	for _, name := range c.Things {
		if s.Thing(name) == nil {
			return fmt.Errorf("there is no thing %q to attach", name)
		}
	}
	c.Things, c.Policies = slices.Clone(c.Things), slices.Clone(c.Policies)
	if err := put(s, bucketCerts, c.ID, &c, s.registry.certs); err != nil {
		return fmt.Errorf("storing certificate %s: %w", c.ID, err)
	}
	s.changed(c.ID)
	return nil
}

// OnChange asks to be called after a change of the registry: with a certificate's or key's id, or
// with "" when any certificate may be affected.
func (s *Store) OnChange(f func(certID string)) {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	s.registry.watchers = append(s.registry.watchers, f)
}

func (s *Store) changed(certID string) {
	s.registry.mu.RLock()
	watchers := slices.Clone(s.registry.watchers)
	s.registry.mu.RUnlock()
	for _, f := range watchers {
		f(certID)
	}
}
