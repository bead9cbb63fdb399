package control

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/identity"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// Certificate is a device certificate as it is shown.
type Certificate struct {
	ID        string   `json:"certificateId"`
	Status    string   `json:"status"`
	Subject   string   `json:"subject"`
	Issuer    string   `json:"issuer"`
	Key       string   `json:"key"` // such as "RSA 2048"
	NotBefore string   `json:"notBefore"`
	NotAfter  string   `json:"notAfter"`
	Validity  string   `json:"validity"`                  // "valid", "expired" or "not yet valid"
	CA        string   `json:"caCertificateId,omitempty"` // registered CA that issued it
	Origin    string   `json:"origin"`
	Replaces  string   `json:"replaces,omitempty"` // certificate it was made for by rotation
	Things    []string `json:"things"`
	Policies  []string `json:"policies"`
	Created   string   `json:"creationDate,omitempty"`
	PEM       string   `json:"certificatePem,omitempty"` // not in lists
}

// Certificates shows all certificates, without their PEM texts.
func (c *Control) Certificates() []Certificate {
	out := []Certificate{}
	for _, cert := range c.State.Certificates() {
		shown := c.certificate(cert)
		shown.PEM = ""
		out = append(out, shown)
	}
	return out
}

// Certificate shows the certificate with an id, or the beginning of one.
func (c *Control) Certificate(id string) (Certificate, error) {
	cert, err := c.findCert(id)
	if err != nil {
		return Certificate{}, err
	}
	return c.certificate(cert), nil
}

func (c *Control) findCert(prefix string) (*store.Certificate, error) {
	var ids []string
	for _, cert := range c.State.Certificates() {
		ids = append(ids, cert.ID)
	}
	id, err := find("certificate", prefix, ids)
	if err != nil {
		return nil, err
	}
	return c.State.Certificate(id), nil
}

func (c *Control) certificate(cert *store.Certificate) Certificate {
	out := Certificate{
		ID: cert.ID, Status: cert.Status(), CA: cert.CA, Origin: cert.Origin, Replaces: cert.Replaces, PEM: cert.PEM,
		Things: append([]string{}, cert.Things...), Policies: append([]string{}, cert.Policies...), Created: stamp(cert.Created),
	}
	if out.Origin == "" {
		out.Origin = "issued here"
	}
	if parsed, err := identity.ParseCertificate([]byte(cert.PEM)); err == nil {
		out.Subject, out.Issuer, out.Key = parsed.Subject.String(), parsed.Issuer.String(), identity.KeyName(parsed.PublicKey)
		out.NotBefore, out.NotAfter = parsed.NotBefore.UTC().Format(time.RFC3339), parsed.NotAfter.UTC().Format(time.RFC3339)
		out.Validity = validity(parsed, c.Clock.Now())
	}
	return out
}

func validity(c *x509.Certificate, now time.Time) string {
	switch {
	case now.Before(c.NotBefore):
		return "not yet valid"
	case now.After(c.NotAfter):
		return "expired"
	default:
		return "valid"
	}
}

// NewCertificate says what certificate to make.
type NewCertificate struct {
	// Dir is where the files go, absolute; Stem is what .crt and .key are called, "aws" if
	// empty, and aws.ca is written only for "aws".
	Dir, Stem string
	// Thing is attached, and made if need be; Policies must be there.
	Thing    string
	Policies []string
	Inactive bool
	EC       bool
	// CommonName, NotBefore, NotAfter and CSR are as in identity.DeviceOptions.
	CommonName          string
	NotBefore, NotAfter time.Time
	CSR                 []byte
	// CACert and CAKey, PEM, are a CA of one's own that issues it; it must be registered, unless
	// Unregistered, which writes the files only.
	CACert, CAKey []byte
	Unregistered  bool
}

// MadeCertificate is a certificate with the files that were written.
type MadeCertificate struct {
	Certificate
	Files []string `json:"files"`
}

// CreateCertificate makes a certificate, registers it and writes its files.
func (c *Control) CreateCertificate(q NewCertificate) (out MadeCertificate, err error) {
	err = c.State.Exclusive(func() error {
		out, err = c.create(q, store.Certificate{Origin: "issued here"})
		return err
	})
	return out, err
}

func (c *Control) create(q NewCertificate, cert store.Certificate) (out MadeCertificate, err error) {
	for _, p := range q.Policies {
		if c.State.Policy(p) == nil {
			return out, noPolicy(p)
		}
	}
	authority, err := c.State.Authority()
	if err != nil {
		return out, err
	}
	o := identity.DeviceOptions{EC: q.EC, CommonName: q.CommonName, NotBefore: q.NotBefore, NotAfter: q.NotAfter, CSR: q.CSR}
	if !q.NotBefore.IsZero() && !q.NotAfter.IsZero() && !q.NotBefore.Before(q.NotAfter) {
		return out, errors.New("the certificate would end before it begins")
	}
	if q.CACert != nil {
		if o.Issuer, err = c.issuer(q, &cert); err != nil {
			return out, err
		}
	} else if q.Unregistered {
		return out, errors.New("a certificate that is not registered must come from a CA of your own: give its certificate and key")
	}
	dev, err := authority.Issue(o)
	if err != nil {
		return out, err
	}
	text := dev.CertPEM
	if q.CACert != nil {
		// Just-in-time registration takes the CA's certificate from the handshake.
		text = append(slices.Clip(text), identity.EncodeCertificate(o.Issuer.Cert)...)
	}
	files := deviceFiles(q, authority.AWSCA(), text, dev.KeyPEM)
	if err := CheckNew(pathsOf(files)...); err != nil {
		return out, err
	}
	cert.ID, cert.PEM, cert.Created, cert.Policies = dev.ID, string(dev.CertPEM), c.now(), q.Policies
	if !q.Unregistered {
		if err := c.prepare(q, &cert); err != nil {
			return out, err
		}
	}
	if err := WriteFiles(files); err != nil {
		return out, err
	}
	// Only now can anybody use it: a death before this leaves an inactive certificate.
	if cert.Active = !q.Inactive; cert.Active && !q.Unregistered {
		if err := c.State.PutCertificate(cert); err != nil {
			return out, err
		}
	}
	out.Certificate = c.certificate(&cert)
	if q.Unregistered {
		out.Status = "not registered"
	}
	out.Files = pathsOf(files)
	return out, nil
}

// issuer reads the CA of one's own, and notes in cert that it is registered.
func (c *Control) issuer(q NewCertificate, cert *store.Certificate) (*identity.Issuer, error) {
	issuer, err := identity.ParseIssuer(q.CACert, q.CAKey)
	if err != nil {
		return nil, err
	}
	if q.Unregistered {
		cert.Origin = "issued by a CA of your own"
		return issuer, nil
	}
	ca, err := c.activeCA(identity.Fingerprint(issuer.Cert.Raw))
	if err != nil {
		return nil, err
	}
	cert.CA, cert.Origin = ca.ID, "issued by CA "+short(ca.ID)
	return issuer, nil
}

// prepare registers a new certificate that cannot be used yet, with its thing.
func (c *Control) prepare(q NewCertificate, cert *store.Certificate) error {
	if q.Thing != "" {
		if !thingName.MatchString(q.Thing) {
			return fmt.Errorf("thing name %q: use 1 to 128 characters of A-Z a-z 0-9 : _ -", q.Thing)
		}
		if c.State.Thing(q.Thing) == nil {
			if err := c.State.PutThing(store.Thing{Name: q.Thing, Created: c.now(), Version: 1}); err != nil {
				return err
			}
		}
		cert.Things = with(cert.Things, q.Thing)
	}
	return c.State.PutCertificate(*cert)
}

// RotateCertificate makes a certificate that has what the one with this id has, and writes its
// files into dir (absolute) under a name of their own. Both work until the old one is
// deactivated.
func (c *Control) RotateCertificate(id, dir string) (out MadeCertificate, err error) {
	err = c.State.Exclusive(func() error {
		old, err := c.findCert(id)
		if err != nil {
			return err
		}
		if !old.Active {
			return fmt.Errorf("certificate %s is %s: only an active one is rotated; make another with skep cloud cert create", short(old.ID), old.Status())
		}
		if old.CA != "" {
			return fmt.Errorf("certificate %s was issued by CA %s, whose key is not kept here: issue another with skep cloud cert create --ca-cert and --ca-key", short(old.ID), short(old.CA))
		}
		parsed, err := identity.ParseCertificate([]byte(old.PEM))
		if err != nil {
			return err
		}
		q := NewCertificate{
			Dir: dir, CommonName: parsed.Subject.CommonName, Policies: old.Policies,
			EC: parsed.PublicKeyAlgorithm == x509.ECDSA,
			// The name says which generation it is, without a look into the file.
			Stem: "aws-" + c.Clock.Now().UTC().Format("20060102-150405"),
		}
		out, err = c.create(q, store.Certificate{Origin: "issued here", Replaces: old.ID, Things: old.Things})
		return err
	})
	return out, err
}

// RegisterCertificate takes a certificate that was issued elsewhere, PEM: by the registered CA
// with the id ca, or with none, which AWS calls registration without a CA.
func (c *Control) RegisterCertificate(text []byte, ca string, inactive bool) (out Certificate, err error) {
	err = c.State.Exclusive(func() error {
		parsed, err := identity.ParseCertificate(text)
		if err != nil {
			return fmt.Errorf("the certificate: %w", err)
		}
		id := identity.Fingerprint(parsed.Raw)
		if old := c.State.Certificate(id); old != nil {
			return fmt.Errorf("certificate %s is registered already, and %s", short(id), old.Status())
		}
		if err := identity.CheckKey(parsed.PublicKey); err != nil {
			return fmt.Errorf("certificate %s cannot be registered: %w", short(id), err)
		}
		cert := store.Certificate{ID: id, PEM: string(identity.EncodeCertificate(parsed)), Active: !inactive, Created: c.now(), Origin: "registered without a CA"}
		if ca != "" {
			signer, err := c.activeCA(ca)
			if err != nil {
				return err
			}
			if err := signedBy(parsed, signer); err != nil {
				return err
			}
			cert.CA, cert.Origin = signer.ID, "registered, of CA "+short(signer.ID)
		}
		if err := c.State.PutCertificate(cert); err != nil {
			return err
		}
		out = c.certificate(&cert)
		return nil
	})
	return out, err
}

// SetStatus gives a certificate one of the states that can be set: ACTIVE, INACTIVE, REVOKED.
// Taking ACTIVE away closes its connections. was is the state before.
func (c *Control) SetStatus(id, status string) (cert Certificate, was string, err error) {
	err = c.State.Exclusive(func() error {
		old, err := c.findCert(id)
		if err != nil {
			return err
		}
		was = old.Status()
		changed := *old
		changed.Active, changed.Why = false, ""
		switch status {
		case store.StatusActive:
			changed.Active = true
		case store.StatusInactive:
		case store.StatusRevoked:
			changed.Why = status
		default:
			return fmt.Errorf("status %q cannot be set: use ACTIVE, INACTIVE or REVOKED", status)
		}
		if was == store.StatusRevoked && status != was {
			return fmt.Errorf("certificate %s is revoked, for good: make another with skep cloud cert create", short(old.ID))
		}
		if was != status {
			if err := c.State.PutCertificate(changed); err != nil {
				return err
			}
		}
		cert = c.certificate(&changed)
		return nil
	})
	return cert, was, err
}

// AttachThing attaches a thing to a certificate, or with detach takes it away.
func (c *Control) AttachThing(id, thing string, detach bool) error {
	return c.State.Exclusive(func() error {
		cert, err := c.findCert(id)
		if err != nil {
			return err
		}
		changed := *cert
		if detach {
			if !slices.Contains(cert.Things, thing) {
				return fmt.Errorf("thing %q is not attached to certificate %s", thing, short(cert.ID))
			}
			changed.Things = without(cert.Things, thing)
		} else {
			if _, err := c.findThing(thing); err != nil {
				return err
			}
			changed.Things = with(cert.Things, thing)
		}
		return c.State.PutCertificate(changed)
	})
}

// DeleteCertificate removes a certificate that is not active and has no things and, unless
// force, no policies.
func (c *Control) DeleteCertificate(id string, force bool) error {
	return c.State.Exclusive(func() error {
		cert, err := c.findCert(id)
		switch {
		case err != nil:
			return err
		case cert.Active:
			return fmt.Errorf("certificate %s is active: deactivate it first, with skep cloud cert deactivate %.10s", short(cert.ID), cert.ID)
		case len(cert.Things) > 0:
			return fmt.Errorf("thing %s is attached to certificate %s: detach it first, with skep cloud cert detach %.10s --thing %s", quoted(cert.Things), short(cert.ID), cert.ID, cert.Things[0])
		case len(cert.Policies) > 0 && !force:
			return fmt.Errorf("policy %s is attached to certificate %s: detach it first, with skep cloud policy detach %s %.10s, or delete with --force", quoted(cert.Policies), short(cert.ID), cert.Policies[0], cert.ID)
		}
		return c.State.DeleteCertificate(cert.ID)
	})
}
