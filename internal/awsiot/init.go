package awsiot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/control"
	"github.com/skep-sim/skep/internal/awsiot/identity"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// The three files an XBee holds in /flash/cert.
const (
	FileCA   = "aws.ca"  // one certificate: the root both kinds of endpoint verify against
	FileCert = "aws.crt" // the thing's certificate
	FileKey  = "aws.key" // its RSA key, PKCS#1
)

// OpenPolicy is the name of the policy that allows everything.
const OpenPolicy = "skep-open"

const openPolicy = `{
  "Version": "2012-10-17",
  "Statement": [{"Effect": "Allow", "Action": ["iot:*", "iotjobsdata:*"], "Resource": "*"}]
}`

// InitOptions say what InitDir makes.
type InitOptions struct {
	// Thing is the thing's name; empty makes one from the certificate. A thing of that name
	// that is there already gets a further certificate.
	Thing string
	// ThingType and Attributes are given to a new thing, ThingType if not empty to one that is
	// there, too.
	ThingType  string
	Attributes map[string]string
	// Policy is the name of a policy to attach instead of the open one. PolicyText, if not
	// nil, is its text, which replaces that of a stored policy of this name; otherwise it
	// must be stored.
	Policy     string
	PolicyText []byte
}

// Init is what InitDir made or Ensure found.
type Init struct {
	Thing  string
	CertID string
	// CA, Cert and Key are the paths of the three files.
	CA, Cert, Key string
}

// InitDir makes a thing with a certificate and a policy in the state s, and writes aws.ca,
// aws.crt and aws.key to dir, which is made if need be. A file that is there already is never
// overwritten: the error names it, and nothing has been written or registered.
func InitDir(s *store.Store, c clock.Clock, dir string, o InitOptions) (*Init, error) {
	out := paths(dir)
	if err := control.CheckNew(out.CA, out.Cert, out.Key); err != nil {
		return nil, err
	}
	authority, err := s.Authority()
	if err != nil {
		return nil, err
	}
	dev, err := authority.IssueDevice()
	if err != nil {
		return nil, err
	}
	if out.Thing = o.Thing; out.Thing == "" {
		out.Thing = "xbee-" + dev.ID[:8]
	}
	out.CertID = dev.ID
	cert := store.Certificate{ID: dev.ID, PEM: string(dev.CertPEM), Active: true, Things: []string{out.Thing}, Created: c.Now().Unix()}
	err = s.Exclusive(func() error {
		if err := register(s, cert, o); err != nil {
			return err
		}
		err := control.WriteFiles([]control.File{
			{Path: out.CA, Text: authority.AWSCA(), Mode: 0o644},
			{Path: out.Cert, Text: dev.CertPEM, Mode: 0o644},
			{Path: out.Key, Text: dev.KeyPEM, Mode: 0o600},
		})
		if err != nil {
			// The certificate is of no use without its key.
			cert = *s.Certificate(dev.ID)
			cert.Active = false
			err = errors.Join(err, s.PutCertificate(cert))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func paths(dir string) *Init {
	return &Init{CA: filepath.Join(dir, FileCA), Cert: filepath.Join(dir, FileCert), Key: filepath.Join(dir, FileKey)}
}

// register puts policy, the certificate's thing and the certificate into the registry. What is
// there as it should be is not written again.
func register(s *store.Store, cert store.Certificate, o InitOptions) error {
	policy, err := registerPolicy(s, o)
	if err != nil {
		return err
	}
	if err := registerThing(s, cert.Things[0], cert.Created, o); err != nil {
		return err
	}
	cert.Policies = []string{policy}
	if old := s.Certificate(cert.ID); old != nil && slices.Equal(old.Policies, cert.Policies) {
		return nil
	}
	return s.PutCertificate(cert)
}

// registerPolicy returns the name of the policy that o says.
func registerPolicy(s *store.Store, o InitOptions) (string, error) {
	name, text := o.Policy, o.PolicyText
	switch {
	case name == "":
		name, text = OpenPolicy, []byte(openPolicy)
	case name == OpenPolicy && text != nil:
		return "", fmt.Errorf("the policy that allows everything is called %s: choose another name", OpenPolicy)
	}
	switch p := s.Policy(name); {
	case p == nil && text == nil:
		return "", fmt.Errorf("there is no policy %q", name)
	case p == nil || text != nil && !sameJSON(p.Text, text):
		if err := s.PutPolicy(name, text); err != nil {
			return "", err
		}
	}
	return name, nil
}

func registerThing(s *store.Store, name string, created int64, o InitOptions) error {
	t := store.Thing{Name: name, Type: o.ThingType, Attributes: o.Attributes, Created: created}
	if old := s.Thing(t.Name); old != nil {
		if t = *old; o.ThingType != "" {
			t.Type = o.ThingType
		}
	}
	if t.Type != "" && s.ThingType(t.Type) == nil {
		if err := s.PutThingType(store.ThingType{Name: t.Type, Created: created}); err != nil {
			return err
		}
	}
	if old := s.Thing(t.Name); old == nil || old.Type != t.Type {
		return s.PutThing(t)
	}
	return nil
}

// sameJSON compares without white space, which the state does not keep.
func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

// Own takes a certificate that somebody already has, as PEM, for that of the thing o.Thing. ok:
// it is one of this state and of this thing. The thing then has the type that o says, and the
// certificate its policy; if o names none, it keeps those that it has.
func Own(s *store.Store, text []byte, o InitOptions) (ok bool, err error) {
	parsed, err := identity.ParseCertificate(text)
	if err != nil {
		return false, nil // of another kind: not of this state
	}
	id := identity.Fingerprint(parsed.Raw)
	err = s.Exclusive(func() error {
		cert := s.Certificate(id)
		if cert == nil || !slices.Contains(cert.Things, o.Thing) {
			return nil
		}
		ok = true
		if err := registerThing(s, o.Thing, cert.Created, o); err != nil || o.Policy == "" {
			return err
		}
		policy, err := registerPolicy(s, o)
		if err != nil || slices.Equal(cert.Policies, []string{policy}) {
			return err
		}
		changed := *cert
		changed.Policies = []string{policy}
		return s.PutCertificate(changed)
	})
	return ok, err
}

// Ensure finds the three files in dir and checks that they are of this state, or makes them
// with InitDir when none of them is there. made says which. Their certificate then has the
// policy, and its thing the type, that o says.
func Ensure(s *store.Store, c clock.Clock, dir string, o InitOptions) (in *Init, made bool, err error) {
	in = paths(dir)
	var there, missing []string
	for _, p := range []string{in.CA, in.Cert, in.Key} {
		if _, err := os.Stat(p); err == nil {
			there = append(there, p)
		} else {
			missing = append(missing, p)
		}
	}
	switch {
	case len(there) == 0:
		in, err = InitDir(s, c, dir, o)
		return in, true, err
	case len(missing) > 0:
		return nil, false, fmt.Errorf("%s is missing while %s is there: put it back, or move the rest away to get new ones", missing[0], there[0])
	}
	authority, err := s.Authority()
	if err != nil {
		return nil, false, err
	}
	ca, err := os.ReadFile(in.CA)
	if err != nil {
		return nil, false, err
	}
	if parsed, err := identity.ParseCertificate(ca); err != nil || !authority.IsRoot(parsed) {
		return nil, false, fmt.Errorf("%s is not the root of the local AWS IoT in %s: move %s, %s and %s away to get new ones, or use the state they were made with",
			in.CA, where(s), FileCA, FileCert, FileKey)
	}
	text, err := os.ReadFile(in.Cert)
	if err != nil {
		return nil, false, err
	}
	parsed, err := identity.ParseCertificate(text)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", in.Cert, err)
	}
	in.CertID = identity.Fingerprint(parsed.Raw)
	cert := s.Certificate(in.CertID)
	if cert == nil {
		return nil, false, fmt.Errorf("%s is not registered with the local AWS IoT in %s: move %s, %s and %s away to get new ones",
			in.Cert, where(s), FileCA, FileCert, FileKey)
	}
	if len(cert.Things) > 0 {
		in.Thing = cert.Things[0]
		err = s.Exclusive(func() error { return register(s, *s.Certificate(in.CertID), o) })
	}
	return in, false, err
}

func where(s *store.Store) string {
	if s.Dir() == "" {
		return "memory"
	}
	return s.Dir()
}
