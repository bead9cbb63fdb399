package control

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/skep-sim/skep/internal/awsiot/policy"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// Policy is a policy as it is shown.
type Policy struct {
	Name         string          `json:"policyName"`
	Statements   int             `json:"statements"`
	Text         json.RawMessage `json:"policyDocument,omitempty"` // not in lists
	Certificates []string        `json:"certificates"`             // ids of those it is attached to
	Keys         []string        `json:"accessKeys"`               // ids of those it is attached to
}

// PutPolicy stores a policy; one of that name is replaced, and counts at once wherever it is
// attached. replaced says that there was one that differed.
func (c *Control) PutPolicy(name string, text []byte) (replaced bool, err error) {
	err = c.State.Exclusive(func() error {
		if !policyName.MatchString(name) {
			return fmt.Errorf("policy name %q: use 1 to 128 characters of A-Z a-z 0-9 _ + = , . @ -", name)
		}
		old := c.State.Policy(name)
		if old != nil && sameJSON(old.Text, text) {
			return nil
		}
		replaced = old != nil
		return c.State.PutPolicy(name, text)
	})
	return replaced && err == nil, err
}

// sameJSON compares without white space, which the state does not keep.
func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

// Policies shows all policies, without their texts.
func (c *Control) Policies() []Policy {
	out := []Policy{}
	for _, p := range c.State.Policies() {
		shown := c.policy(p)
		shown.Text = nil
		out = append(out, shown)
	}
	return out
}

// Policy shows a policy.
func (c *Control) Policy(name string) (Policy, error) {
	p := c.State.Policy(name)
	if p == nil {
		return Policy{}, noPolicy(name)
	}
	return c.policy(p), nil
}

func noPolicy(name string) error {
	return fmt.Errorf("there is no policy %q; skep cloud policy list shows all, skep cloud policy put makes one", name)
}

func (c *Control) policy(p *store.Policy) Policy {
	out := Policy{Name: p.Name, Text: p.Text, Certificates: []string{}, Keys: []string{}}
	if doc, err := policy.Parse(p.Name, p.Text); err == nil {
		out.Statements = len(doc.Statements)
	}
	for _, cert := range c.State.Certificates() {
		if slices.Contains(cert.Policies, p.Name) {
			out.Certificates = append(out.Certificates, cert.ID)
		}
	}
	for _, key := range c.State.Credentials() {
		if slices.Contains(key.Policies, p.Name) {
			out.Keys = append(out.Keys, key.KeyID)
		}
	}
	return out
}

// DeletePolicy removes a policy that is attached to nothing.
func (c *Control) DeletePolicy(name string) error {
	return c.State.Exclusive(func() error {
		p, err := c.Policy(name)
		switch {
		case err != nil:
			return err
		case len(p.Certificates) > 0:
			return fmt.Errorf("policy %q is attached to certificate %s: detach it first, with skep cloud policy detach %s %.10s", name, short(p.Certificates[0]), name, p.Certificates[0])
		case len(p.Keys) > 0:
			return fmt.Errorf("policy %q is attached to access key %s: detach it first, with skep cloud policy detach %s %s", name, p.Keys[0], name, p.Keys[0])
		}
		return c.State.DeletePolicy(name)
	})
}

// AttachPolicy attaches a policy to a certificate or access key (an id), or with detach takes
// it away.
func (c *Control) AttachPolicy(name, target string, detach bool) error {
	return c.State.Exclusive(func() error {
		if !detach && c.State.Policy(name) == nil {
			return noPolicy(name)
		}
		if store.IsKeyID(target) {
			key, err := c.findKey(target)
			if err != nil {
				return err
			}
			changed := *key
			if changed.Policies, err = attached(key.Policies, name, detach); err != nil {
				return fmt.Errorf("access key %s: %w", target, err)
			}
			return c.State.PutCredential(changed)
		}
		cert, err := c.findCert(target)
		if err != nil {
			return err
		}
		changed := *cert
		if changed.Policies, err = attached(cert.Policies, name, detach); err != nil {
			return fmt.Errorf("certificate %s: %w", short(cert.ID), err)
		}
		return c.State.PutCertificate(changed)
	})
}

func attached(list []string, name string, detach bool) ([]string, error) {
	switch {
	case detach && !slices.Contains(list, name):
		return nil, fmt.Errorf("policy %q is not attached to it", name)
	case detach:
		return without(list, name), nil
	case len(with(list, name)) > maxPolicies:
		return nil, fmt.Errorf("it has %d policies, which is AWS IoT's limit", maxPolicies)
	}
	return with(list, name), nil
}

// Key is an access key as it is shown. Its secret is shown only when it is made.
type Key struct {
	ID       string   `json:"accessKeyId"`
	Secret   string   `json:"secretAccessKey,omitempty"`
	Name     string   `json:"name,omitempty"`
	Active   bool     `json:"active"`
	Policies []string `json:"policies"`
	Created  string   `json:"creationDate,omitempty"`
}

// CreateKey makes an access key for signed requests, with policies attached.
func (c *Control) CreateKey(name string, policies []string) (Key, error) {
	var out Key
	err := c.State.Exclusive(func() error {
		for _, p := range policies {
			if c.State.Policy(p) == nil {
				return noPolicy(p)
			}
		}
		made, err := store.NewCredential(nil)
		if err != nil {
			return err
		}
		made.Name, made.Policies, made.Created = name, policies, c.now()
		if err := c.State.PutCredential(made); err != nil {
			return err
		}
		out = showKey(&made)
		out.Secret = made.Secret
		return nil
	})
	return out, err
}

// Keys shows all access keys, without their secrets.
func (c *Control) Keys() []Key {
	out := []Key{}
	for _, k := range c.State.Credentials() {
		out = append(out, showKey(k))
	}
	return out
}

func showKey(k *store.Credential) Key {
	return Key{ID: k.KeyID, Name: k.Name, Active: k.Active, Policies: append([]string{}, k.Policies...), Created: stamp(k.Created)}
}

func (c *Control) findKey(id string) (*store.Credential, error) {
	if k := c.State.Credential(id); k != nil {
		return k, nil
	}
	return nil, fmt.Errorf("there is no access key %q; skep cloud credentials list shows all", id)
}

// SetKeyActive switches an access key on or off.
func (c *Control) SetKeyActive(id string, active bool) error {
	return c.State.Exclusive(func() error {
		k, err := c.findKey(id)
		if err != nil {
			return err
		}
		changed := *k
		changed.Active = active
		return c.State.PutCredential(changed)
	})
}

// DeleteKey removes an access key.
func (c *Control) DeleteKey(id string) error {
	return c.State.Exclusive(func() error {
		if _, err := c.findKey(id); err != nil {
			return err
		}
		return c.State.DeleteCredential(id)
	})
}
