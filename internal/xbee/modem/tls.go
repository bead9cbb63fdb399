package modem

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// File is a file that a program names for TLS.
type File struct {
	Name string
	Data []byte
}

// Credentials are what a program gives to secure a socket; a nil Data is a file
// not given.
type Credentials struct{ CA, Certificate, Key File }

// Wrap gives a TLS socket what it is to be secured with. It reports false for a
// socket that is none or has been wrapped already.
func (s *Socket) Wrap(c Credentials) bool {
	if s.proto != SEC || s.Wrapped() {
		return false
	}
	s.creds = &c
	return true
}

// Wrapped reports whether Wrap has been called.
func (s *Socket) Wrapped() bool { return s.creds != nil }

// refuseTLS applies what the modem cannot do before it tries.
func (s *Socket) refuseTLS(host string) Errno {
	m := s.m
	var why []string
	cause := TLSFailed
	if m.profile.USBPowerFails.Value == profile.USBBreaksTLS && m.power.Supply() == world.USB {
		why = append(why, "TLS fails while the board is fed by USB alone: the module browns out; use the wall supply (--power wall)")
	}
	if text := refusedEndpoint(*m.profile, host); text != "" {
		why = append(why, text)
	}
	if s.creds != nil {
		if text := m.unusable(s.creds); text != "" {
			why = append(why, text)
			cause = TLSUnusable
		}
	}
	if why == nil {
		return 0
	}
	for _, text := range why {
		m.note(text)
	}
	s.why = cause
	return fromProfile(m.profile.TLSErrno.Value)
}

// refusedEndpoint applies the rule on the two forms of an AWS IoT endpoint
// (device-facts.md 12.2; the seed says what to do).
func refusedEndpoint(p profile.Profile, host string) string {
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(labels) != 5 || !strings.EqualFold(labels[1], "iot") || !strings.EqualFold(strings.Join(labels[3:], "."), "amazonaws.com") {
		return ""
	}
	id, ats := strings.CutSuffix(labels[0], "-ats")
	rest := strings.Join(labels[1:], ".")
	switch rule := p.ATS.Value; {
	case ats && rule == profile.ATSRefused:
		return fmt.Sprintf("the LTE Cat 1 module cannot do TLS with AWS endpoints that end in -ats: use %s.%s", id, rest)
	case !ats && rule == profile.ATSRequired:
		return fmt.Sprintf("the LTE-M/NB-IoT module can only do TLS with AWS endpoints that end in -ats: use %s-ats.%s", id, rest)
	}
	return ""
}

// unusable is that of the credentials. It crosses the seam, for in a recording the
// key may have been taken out.
func (m *Modem) unusable(c *Credentials) string {
	if m.gate == nil {
		return c.unusable(*m.profile)
	}
	return string(m.gate.Ask("tls files", func() []byte {
		if text := c.unusable(*m.profile); text != "" {
			return []byte(text)
		}
		return nil
	}))
}

// unusable says what is wrong with the files, as far as the modem can tell
// without connecting; "" is nothing.
func (c *Credentials) unusable(p profile.Profile) string {
	if c.CA.Data != nil {
		roots, err := certificates(c.CA)
		if err != nil {
			return err.Error()
		}
		if len(roots) > 1 {
			return fmt.Sprintf("%s holds %d certificates, and the modem takes exactly one for ca_certs: keep the root only", c.CA.Name, len(roots))
		}
		if r := roots[0]; p.Model == profile.LTEM && !bytes.Equal(r.RawIssuer, r.RawSubject) {
			return fmt.Sprintf("%s is no root certificate (it is signed by %q), and the LTE-M/NB-IoT modem cannot do with less: use the self-signed root of the server's chain", c.CA.Name, r.Issuer.CommonName)
		}
	}
	if c.Certificate.Data == nil {
		return ""
	}
	if _, err := certificates(c.Certificate); err != nil {
		return err.Error()
	}
	if text := unusableKey(c.Key); text != "" {
		return text
	}
	if err := (&world.TLS{Certificate: c.Certificate.Data, Key: c.Key.Data}).Check(); err != nil {
		return fmt.Sprintf("%s and %s do not belong together: %v", c.Certificate.Name, c.Key.Name, reason(err))
	}
	return ""
}

func unusableKey(f File) string {
	b, _ := pem.Decode(f.Data)
	switch {
	case b == nil:
		return fmt.Sprintf("%s holds no key in PEM form, the only one the modem takes", f.Name)
	case b.Headers["DEK-Info"] != "" || b.Type == "ENCRYPTED PRIVATE KEY":
		return fmt.Sprintf("%s is protected by a password, which the modem cannot be told: store the key without", f.Name)
	case b.Type == "PRIVATE KEY":
		return fmt.Sprintf("%s is a PKCS#8 key, and the modem takes RSA keys in PKCS#1 form only: convert it with openssl rsa -traditional -in %s -out new.key", f.Name, f.Name)
	case b.Type != "RSA PRIVATE KEY":
		return fmt.Sprintf("%s holds %q, and the modem takes RSA keys in PKCS#1 form only (RSA PRIVATE KEY)", f.Name, b.Type)
	}
	return ""
}

// certificates reads the certificates of a file, at least one.
func certificates(f File) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for rest := f.Data; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		if b.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s holds a certificate that cannot be read: %v", f.Name, err)
		}
		all = append(all, c)
	}
	if all == nil {
		return nil, fmt.Errorf("%s holds no certificate in PEM form, the only one the modem takes", f.Name)
	}
	return all, nil
}

// Numbers of the TLS protocol (RFC 5246 and the registry of cipher suites).
const (
	tls10 = 0x0301
	tls12 = 0x0303

	rsaAES128SHA        = 0x002F
	rsaAES256SHA        = 0x0035
	rsaAES128SHA256     = 0x003C
	rsaAES128GCM        = 0x009C
	rsaAES256GCM        = 0x009D
	ecdheRSAAES128SHA   = 0xC013
	ecdheRSAAES256SHA   = 0xC014
	ecdheECDSAAES128GCM = 0xC02B
	ecdheECDSAAES256GCM = 0xC02C
	ecdheRSAAES128GCM   = 0xC02F
	ecdheRSAAES256GCM   = 0xC030
)

// rsaSuites are those with RSA key exchange, all that the SARA-R410M offers
// (device-facts.md 6.3).
var rsaSuites = [...]uint16{rsaAES256GCM, rsaAES128GCM, rsaAES128SHA256, rsaAES256SHA, rsaAES128SHA}

// ecdheSuites are what the Cat 1 modem offers besides. Which firmware began to
// is not known.
var ecdheSuites = [...]uint16{
	ecdheRSAAES256GCM, ecdheRSAAES128GCM, ecdheECDSAAES256GCM, ecdheECDSAAES128GCM, ecdheRSAAES256SHA, ecdheRSAAES128SHA,
}

// tlsConfig is what the modem's TLS does for this socket on its way to host. It never checks the
// server's name: nothing says that it does, and the program cannot tell it one.
func (s *Socket) tlsConfig(host string) *world.TLS {
	p := s.m.profile
	t := &world.TLS{MinVersion: tls10, MaxVersion: tls12, MaxCommonName: p.ServerNameMax.Value}
	if s.max != 0 {
		t.MinVersion, t.MaxVersion = min(tls10, s.max), s.max
	}
	if p.SNI.Value {
		t.SNI = host
	}
	if p.Model != profile.LTEM {
		t.CipherSuites = append(t.CipherSuites, ecdheSuites[:]...)
	}
	t.CipherSuites = append(t.CipherSuites, rsaSuites[:]...)
	if c := s.creds; c != nil {
		t.Roots = c.CA.Data
		if c.Certificate.Data != nil {
			t.Certificate, t.Key = c.Certificate.Data, c.Key.Data
		}
	}
	return t
}
