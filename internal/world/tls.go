package world

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"
)

// TLS is what the modem's TLS client is told. The bytes are PEM files.
type TLS struct {
	// Roots are the certificates the server's chain must end in; without any
	// the server is not authenticated. Its name is never checked.
	Roots []byte
	// Certificate and Key identify this side; both or neither.
	Certificate, Key []byte
	// SNI is the server name sent in the handshake; empty sends none, as the
	// modems of 2019 do.
	SNI string
	// MaxCommonName is the longest common name that the server's certificate
	// may have; 0 is any.
	MaxCommonName int
	// MinVersion, MaxVersion and CipherSuites are crypto/tls numbers; zero and
	// nil leave the choice to crypto/tls.
	MinVersion, MaxVersion uint16
	CipherSuites           []uint16
}

// Check says what is wrong with the files, without connecting; nil means that
// they can be used.
func (t *TLS) Check() error {
	_, err := t.config(time.Now)
	return err
}

func (t *TLS) config(now func() time.Time) (*tls.Config, error) {
	// The default check wants a name, which the modem may not have: the
	// chain is verified below instead.
	c := &tls.Config{
		InsecureSkipVerify: true, ServerName: t.SNI, Time: now,
		MinVersion: t.MinVersion, MaxVersion: t.MaxVersion, CipherSuites: t.CipherSuites,
	}
	if len(t.Certificate) > 0 || len(t.Key) > 0 {
		pair, err := tls.X509KeyPair(t.Certificate, t.Key)
		if err != nil {
			return nil, &Failure{Kind: FailTLS, Err: fmt.Errorf("own certificate and key: %w", err)}
		}
		c.Certificates = []tls.Certificate{pair}
	}
	var roots *x509.CertPool
	if len(t.Roots) > 0 {
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(t.Roots) {
			return nil, &Failure{Kind: FailTLS, Err: errors.New("the CA file holds no certificate in PEM form")}
		}
	}
	c.VerifyConnection = func(s tls.ConnectionState) error {
		leaf := s.PeerCertificates[0]
		if name := leaf.Subject.CommonName; t.MaxCommonName > 0 && len(name) > t.MaxCommonName {
			return fmt.Errorf("the server's common name %q has %d characters, and the modem takes %d at most", name, len(name), t.MaxCommonName)
		}
		if roots == nil {
			return nil
		}
		rest := x509.NewCertPool()
		for _, cert := range s.PeerCertificates[1:] {
			rest.AddCert(cert)
		}
		_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: rest, CurrentTime: now()})
		return err
	}
	return c, nil
}

// handshake makes c a TLS session; on failure it closes c.
func (t *TLS) handshake(ctx context.Context, c net.Conn, clock Clock) (net.Conn, error) {
	config, err := t.config(clock.Now)
	if err == nil {
		s := tls.Client(c, config)
		if err = s.HandshakeContext(ctx); err == nil {
			return s, nil
		}
		if ctx.Err() == nil {
			err = &Failure{Kind: FailTLS, Err: err}
		}
	}
	c.Close()
	return nil, err
}
