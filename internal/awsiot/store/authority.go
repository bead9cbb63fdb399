package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/skep-sim/skep/internal/awsiot/identity"
)

// CA is a registered certificate authority of a customer's own.
type CA struct {
	ID     string `json:"id"` // SHA-256 of the DER, hexadecimal
	PEM    string `json:"pem"`
	Active bool   `json:"active"` // device certificates of it can be registered
	// AutoRegister registers a device certificate of it at its first connection.
	AutoRegister bool `json:"autoRegister"`
	// SNIOnly is AWS's mode SNI_ONLY: no proof of the key was asked for, and devices must
	// send SNI.
	SNIOnly bool  `json:"sniOnly"`
	Created int64 `json:"created"` // seconds since 1970
}

// ThingType is a type that things may have.
type ThingType struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Searchable  []string `json:"searchable,omitempty"` // attribute names, at most 3
	Created     int64    `json:"created"`              // seconds since 1970
	Deprecated  int64    `json:"deprecated,omitempty"` // seconds since 1970; 0: it is not
}

// Exclusive runs f while no other f runs: for changes that depend on what is there.
func (s *Store) Exclusive(f func() error) error {
	s.changes.Lock()
	defer s.changes.Unlock()
	return f()
}

// CA finds a registered CA by its id; nil when there is none. It must not be changed.
func (s *Store) CA(id string) *CA {
	s.registry.mu.RLock()
	defer s.registry.mu.RUnlock()
	return s.registry.authorities[id]
}

// CAs are all registered CAs in order of their ids.
func (s *Store) CAs() []*CA { return sorted(s, s.registry.authorities) }

// PutCA adds or replaces a CA. Its id must be its fingerprint.
func (s *Store) PutCA(c CA) error {
	parsed, err := identity.ParseCertificate([]byte(c.PEM))
	if err != nil {
		return fmt.Errorf("the CA's certificate cannot be read: %w", err)
	}
	if id := identity.Fingerprint(parsed.Raw); id != c.ID {
		return fmt.Errorf("the CA's id is %s, not %s", id, c.ID)
	}
	if err := put(s, bucketCAs, c.ID, &c, s.registry.authorities); err != nil {
		return fmt.Errorf("storing CA %s: %w", c.ID, err)
	}
	return nil
}

// DeleteCA removes a CA; certificates of it stay.
func (s *Store) DeleteCA(id string) error {
	return remove(s, bucketCAs, id, s.registry.authorities, id)
}

// ThingType finds a type by name; nil when there is none. It must not be changed.
func (s *Store) ThingType(name string) *ThingType {
	s.registry.mu.RLock()
	defer s.registry.mu.RUnlock()
	return s.registry.types[name]
}

// ThingTypes are all types in order of their names.
func (s *Store) ThingTypes() []*ThingType { return sorted(s, s.registry.types) }

// PutThingType adds or replaces a type.
func (s *Store) PutThingType(t ThingType) error {
	if err := put(s, bucketTypes, t.Name, &t, s.registry.types); err != nil {
		return fmt.Errorf("storing thing type %q: %w", t.Name, err)
	}
	return nil
}

// DeleteThingType removes a type.
func (s *Store) DeleteThingType(name string) error {
	return remove(s, bucketTypes, name, s.registry.types, "")
}

// DeleteThing removes a thing. Its shadow stays, as at AWS.
func (s *Store) DeleteThing(name string) error {
	return remove(s, bucketThings, name, s.registry.things, "")
}

// DeletePolicy removes a policy.
func (s *Store) DeletePolicy(name string) error {
	return remove(s, bucketPolicies, name, s.registry.policies, "")
}

// DeleteCertificate removes a certificate.
func (s *Store) DeleteCertificate(id string) error {
	return remove(s, bucketCerts, id, s.registry.certs, id)
}

// remove takes a record away and, once that is safe, shows it. affected is what
// OnChange is told.
func remove[T any](s *Store, b bucket, key string, show map[string]*T, affected string) error {
	if err := s.putWait(b, key, nil); err != nil {
		return fmt.Errorf("deleting %q from %s: %w", key, b, err)
	}
	if s.replica.Load() == nil { // else Apply has shown it
		s.registry.mu.Lock()
		delete(show, key)
		s.registry.mu.Unlock()
	}
	s.changed(affected)
	return nil
}

// RegistrationCode is what the verification certificate of a CA must have as its common name:
// 64 hexadecimal digits, made at the first call ever.
func (s *Store) RegistrationCode() (string, error) {
	s.authMu.Lock()
	defer s.authMu.Unlock()
	text, err := s.Get(bucketMeta, "registration code")
	if err != nil || text != nil {
		return string(text), err
	}
	sum := sha256.Sum256([]byte(rand.Text()))
	code := hex.EncodeToString(sum[:])
	if err := s.putWait(bucketMeta, "registration code", []byte(code)); err != nil {
		return "", fmt.Errorf("storing the registration code: %w", err)
	}
	return code, nil
}
