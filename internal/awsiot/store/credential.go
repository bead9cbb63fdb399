package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"github.com/skep-sim/skep/internal/awsiot/policy"
)

// Credential is a key for signed requests (SigV4): what at AWS belongs to an IAM user or role.
// HTTPS and MQTT over WebSocket on port 443 take it in place of a certificate.
type Credential struct {
	KeyID    string   `json:"keyId"`  // access key id, AKIA and 16 characters
	Secret   string   `json:"secret"` // it must be kept, since it verifies signatures
	Name     string   `json:"name,omitempty"`
	Active   bool     `json:"active"`
	Policies []string `json:"policies,omitempty"` // attached policies
	Created  int64    `json:"created"`            // seconds since 1970
}

var keyID = regexp.MustCompile(`^AKIA[A-Z0-9]{16}$`)

// IsKeyID tells an access key id from a certificate id.
func IsKeyID(id string) bool { return keyID.MatchString(id) }

// NewCredential makes a key of random bytes, active, with no policy yet.
func NewCredential(random io.Reader) (Credential, error) {
	const (
		idLetters     = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"                                 // 32
		secretLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" // 64
	)
	if random == nil {
		random = rand.Reader
	}
	var b [16 + 40]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return Credential{}, fmt.Errorf("making a key: %w", err)
	}
	for i := range b {
		if i < 16 {
			b[i] = idLetters[b[i]%32]
		} else {
			b[i] = secretLetters[b[i]%64]
		}
	}
	return Credential{KeyID: "AKIA" + string(b[:16]), Secret: string(b[16:]), Active: true}, nil
}

// Credential finds a key by its access key id; nil when there is none. It must not be changed.
func (s *Store) Credential(id string) *Credential {
	s.registry.mu.RLock()
	defer s.registry.mu.RUnlock()
	return s.registry.credentials[id]
}

// Credentials are all keys in order of their ids.
func (s *Store) Credentials() []*Credential { return sorted(s, s.registry.credentials) }

// CredentialDocuments are the parsed policies attached to a key.
func (s *Store) CredentialDocuments(c *Credential) []*policy.Document {
	return s.Documents(&Certificate{Policies: c.Policies})
}

// PutCredential adds or replaces a key.
func (s *Store) PutCredential(c Credential) error {
	if !IsKeyID(c.KeyID) {
		return fmt.Errorf("access key id %q: it is AKIA and 16 characters of A-Z 0-9", c.KeyID)
	}
	if c.Secret == "" {
		return errors.New("the key has no secret")
	}
	for _, name := range c.Policies {
		if s.Policy(name) == nil {
			return fmt.Errorf("there is no policy %q to attach", name)
		}
	}
	c.Policies = slices.Clone(c.Policies)
	if err := put(s, bucketCredentials, c.KeyID, &c, s.registry.credentials); err != nil {
		return fmt.Errorf("storing key %s: %w", c.KeyID, err)
	}
	s.changed(c.KeyID)
	return nil
}

// DeleteCredential removes a key.
func (s *Store) DeleteCredential(id string) error {
	if s.Credential(id) == nil {
		return fmt.Errorf("there is no key %q", id)
	}
	return remove(s, bucketCredentials, id, s.registry.credentials, id)
}
