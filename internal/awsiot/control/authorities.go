package control

import (
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/identity"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// CA is a registered certificate authority as it is shown.
type CA struct {
	ID           string `json:"certificateId"`
	Status       string `json:"status"`
	AutoRegister bool   `json:"autoRegistration"`
	Mode         string `json:"certificateMode"` // DEFAULT or SNI_ONLY
	Subject      string `json:"subject"`
	Key          string `json:"key"`
	NotAfter     string `json:"notAfter"`
	Certificates int    `json:"certificates"` // registered ones of it
	Created      string `json:"creationDate,omitempty"`
}

// NewCA says which CA to register.
type NewCA struct {
	Cert []byte // PEM
	// Verification is a certificate signed by it whose common name is the registration code,
	// PEM: it proves that one has the key. SNIOnly needs none.
	Verification []byte
	SNIOnly      bool
	AutoRegister bool
	Inactive     bool
}

// RegisterCA registers a CA of one's own.
func (c *Control) RegisterCA(q NewCA) (out CA, err error) {
	err = c.State.Exclusive(func() error {
		parsed, err := identity.ParseCertificate(q.Cert)
		if err != nil {
			return fmt.Errorf("the CA's certificate: %w", err)
		}
		id := identity.Fingerprint(parsed.Raw)
		switch now := c.Clock.Now(); {
		case c.State.CA(id) != nil:
			return fmt.Errorf("CA %s is registered already", short(id))
		case !parsed.IsCA:
			return errors.New("it is not the certificate of a CA: it needs basicConstraints CA:TRUE")
		case validity(parsed, now) != "valid":
			return fmt.Errorf("the CA's certificate is %s: %s to %s", validity(parsed, now), parsed.NotBefore.Format(time.DateOnly), parsed.NotAfter.Format(time.DateOnly))
		}
		if err := identity.CheckKey(parsed.PublicKey); err != nil {
			return fmt.Errorf("the CA cannot be registered: %w", err)
		}
		ca := store.CA{
			ID: id, PEM: string(identity.EncodeCertificate(parsed)), Active: !q.Inactive,
			AutoRegister: q.AutoRegister, SNIOnly: q.SNIOnly, Created: c.now(),
		}
		if !q.SNIOnly {
			if err := c.verifyCA(&ca, q.Verification); err != nil {
				return err
			}
		}
		if err := c.State.PutCA(ca); err != nil {
			return err
		}
		out = c.ca(&ca)
		return nil
	})
	return out, err
}

// verifyCA checks the proof that one has a CA's key.
func (c *Control) verifyCA(ca *store.CA, proof []byte) error {
	code, err := c.State.RegistrationCode()
	if err != nil {
		return err
	}
	if proof == nil {
		return fmt.Errorf("a verification certificate is needed: one signed by the CA with the common name %s (skep cloud ca code); or register with --sni-only, which needs none", code)
	}
	parsed, err := identity.ParseCertificate(proof)
	if err != nil {
		return fmt.Errorf("the verification certificate: %w", err)
	}
	if parsed.Subject.CommonName != code {
		return fmt.Errorf("the verification certificate has the common name %q; it must be the registration code %s", parsed.Subject.CommonName, code)
	}
	if err := signedBy(parsed, ca); err != nil {
		return fmt.Errorf("the verification certificate: %w", err)
	}
	return nil
}

// signedBy checks who signed a certificate.
func signedBy(cert *x509.Certificate, ca *store.CA) error {
	parsed, err := identity.ParseCertificate([]byte(ca.PEM))
	if err != nil {
		return err
	}
	if err := cert.CheckSignatureFrom(parsed); err != nil {
		return fmt.Errorf("certificate %s is not signed by CA %s: %w", short(identity.Fingerprint(cert.Raw)), short(ca.ID), err)
	}
	return nil
}

// CreateCA makes a CA of one's own for trials, writes ca.crt and ca.key into dir (absolute) and
// registers it.
func (c *Control) CreateCA(dir, commonName string, ec, autoRegister bool) (out CA, files []string, err error) {
	certPEM, keyPEM, err := identity.NewIssuer(commonName, ec)
	if err != nil {
		return out, nil, err
	}
	issuer, err := identity.ParseIssuer(certPEM, keyPEM)
	if err != nil {
		return out, nil, err
	}
	code, err := c.State.RegistrationCode()
	if err != nil {
		return out, nil, err
	}
	authority, err := c.State.Authority()
	if err != nil {
		return out, nil, err
	}
	proof, err := authority.Issue(identity.DeviceOptions{EC: true, CommonName: code, Issuer: issuer})
	if err != nil {
		return out, nil, err
	}
	list := []File{{filepath.Join(dir, "ca.crt"), certPEM, 0o644}, {filepath.Join(dir, "ca.key"), keyPEM, 0o600}}
	if err := WriteFiles(list); err != nil {
		return out, nil, err
	}
	out, err = c.RegisterCA(NewCA{Cert: certPEM, Verification: proof.CertPEM, AutoRegister: autoRegister})
	return out, []string{list[0].Path, list[1].Path}, err
}

// CAs shows all registered CAs.
func (c *Control) CAs() []CA {
	out := []CA{}
	for _, ca := range c.State.CAs() {
		out = append(out, c.ca(ca))
	}
	return out
}

func (c *Control) ca(ca *store.CA) CA {
	out := CA{ID: ca.ID, Status: store.StatusInactive, AutoRegister: ca.AutoRegister, Mode: "DEFAULT", Created: stamp(ca.Created)}
	if ca.Active {
		out.Status = store.StatusActive
	}
	if ca.SNIOnly {
		out.Mode = "SNI_ONLY"
	}
	if parsed, err := identity.ParseCertificate([]byte(ca.PEM)); err == nil {
		out.Subject, out.Key, out.NotAfter = parsed.Subject.String(), identity.KeyName(parsed.PublicKey), parsed.NotAfter.UTC().Format(time.RFC3339)
	}
	for _, cert := range c.State.Certificates() {
		if cert.CA == ca.ID {
			out.Certificates++
		}
	}
	return out
}

func (c *Control) findCA(prefix string) (*store.CA, error) {
	var ids []string
	for _, ca := range c.State.CAs() {
		ids = append(ids, ca.ID)
	}
	id, err := find("CA", prefix, ids)
	if err != nil {
		return nil, err
	}
	return c.State.CA(id), nil
}

// activeCA finds a CA whose certificates can be registered.
func (c *Control) activeCA(id string) (*store.CA, error) {
	ca, err := c.findCA(id)
	if err != nil {
		return nil, fmt.Errorf("%w; skep cloud ca register makes it known", err)
	}
	if !ca.Active {
		return nil, fmt.Errorf("CA %s is inactive: no certificate of it can be registered; skep cloud ca update %.10s --active", short(ca.ID), ca.ID)
	}
	return ca, nil
}

// UpdateCA switches a CA, or its automatic registration, on or off; nil leaves it.
func (c *Control) UpdateCA(id string, active, autoRegister *bool) (out CA, err error) {
	err = c.State.Exclusive(func() error {
		ca, err := c.findCA(id)
		if err != nil {
			return err
		}
		changed := *ca
		if active != nil {
			changed.Active = *active
		}
		if autoRegister != nil {
			changed.AutoRegister = *autoRegister
		}
		out = c.ca(&changed)
		return c.State.PutCA(changed)
	})
	return out, err
}

// DeleteCA removes an inactive CA; certificates of it stay registered.
func (c *Control) DeleteCA(id string) error {
	return c.State.Exclusive(func() error {
		ca, err := c.findCA(id)
		if err != nil {
			return err
		}
		if ca.Active {
			return fmt.Errorf("CA %s is active: switch it off first, with skep cloud ca update %.10s --inactive", short(ca.ID), ca.ID)
		}
		return c.State.DeleteCA(ca.ID)
	})
}

// Registration is a certificate that registered itself by connecting.
type Registration struct {
	CertID, CAID string
	Time         time.Time
}

// ErrNoRegistration says that a chain has nothing to do with a registered CA.
var ErrNoRegistration = errors.New("not a certificate of a registered CA")

// Register is just-in-time registration: chain is what a client without a registered certificate
// sent, its own first. The certificate is registered as PENDING_ACTIVATION if a registered,
// active CA with automatic registration signed it. The error says why not; ErrNoRegistration
// means that no CA is concerned.
func (c *Control) Register(chain []*x509.Certificate, sni bool) (r Registration, err error) {
	err = c.State.Exclusive(func() error {
		leaf := chain[0]
		id := identity.Fingerprint(leaf.Raw)
		if c.State.Certificate(id) != nil {
			return ErrNoRegistration // another connection was quicker; the next one is told
		}
		ca := c.signer(leaf)
		switch {
		case ca == nil:
			return ErrNoRegistration
		case !ca.Active:
			return fmt.Errorf("CA %s, which signed it, is inactive", short(ca.ID))
		case !ca.AutoRegister:
			return fmt.Errorf("CA %s, which signed it, has no automatic registration: skep cloud cert register --ca %.10s FILE, or skep cloud ca update %.10s --auto-register", short(ca.ID), ca.ID, ca.ID)
		case !sent(chain, ca.ID):
			return fmt.Errorf("CA %s signed it, but the client did not send that CA's certificate: put it behind the device's in the certificate file", short(ca.ID))
		case ca.SNIOnly && !sni:
			return fmt.Errorf("CA %s has the mode SNI_ONLY, and the client sent no server name (SNI)", short(ca.ID))
		}
		if err := identity.CheckKey(leaf.PublicKey); err != nil {
			return err
		}
		now := c.Clock.Now()
		if v := validity(leaf, now); v != "valid" {
			return fmt.Errorf("it is %s: %s to %s", v, leaf.NotBefore.Format(time.DateOnly), leaf.NotAfter.Format(time.DateOnly))
		}
		r = Registration{CertID: id, CAID: ca.ID, Time: now}
		return c.State.PutCertificate(store.Certificate{
			ID: id, PEM: string(identity.EncodeCertificate(leaf)), Why: store.StatusPending, CA: ca.ID, Created: now.Unix(),
			Origin: "registered itself, of CA " + short(ca.ID),
		})
	})
	return r, err
}

// signer finds the registered CA that signed a certificate, nil for none.
func (c *Control) signer(leaf *x509.Certificate) *store.CA {
	for _, ca := range c.State.CAs() {
		if signedBy(leaf, ca) == nil {
			return ca
		}
	}
	return nil
}

func sent(chain []*x509.Certificate, id string) bool {
	for _, c := range chain[1:] {
		if identity.Fingerprint(c.Raw) == id {
			return true
		}
	}
	return false
}
