package awsiot

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/identity"
	"github.com/skep-sim/skep/internal/awsiot/policy"
	"github.com/skep-sim/skep/internal/awsiot/rest"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// tlsConfig builds a listener's TLS configuration. Without protocols, clients must have a
// certificate.
func (s *Server) tlsConfig(opts []ListenOption, protocols ...string) *tls.Config {
	choice := identity.Choice{
		Region:    s.cfg.Region,
		LegacyOff: s.cfg.LegacyOff,
		ByAddress: s.cfg.ByAddress,
		NoSNI:     s.cfg.NoSNI,
		Now:       s.cfg.Clock.Now,
		Verify:    s.verify,
		Hello: func(remote, asked, decided string) {
			what := "a TLS hello without an endpoint name (SNI) "
			if asked != "" {
				what = fmt.Sprintf("a TLS hello for %q ", asked)
			}
			kind := event.Note
			if strings.HasPrefix(decided, "refused") {
				kind = event.Refused
			}
			s.log(event.Event{Time: s.cfg.Clock.Now(), Kind: kind, Remote: remote, Text: what + decided})
		},
	}
	if len(protocols) > 0 {
		choice.NextProtos = protocols
		choice.Anonymous = func(offered []string) bool {
			return !slices.Contains(offered, alpnMQTT) && !slices.Contains(offered, alpnHTTP)
		}
	}
	for _, o := range opts {
		o(&choice)
	}
	return s.authority.ServerConfig(choice)
}

// verify accepts a client certificate that is registered, active and in its time. It looks the
// fingerprint up and follows no chain: AWS takes certificates registered without a CA too.
func (s *Server) verify(cs tls.ConnectionState) error {
	if len(cs.PeerCertificates) == 0 {
		return errors.New("the client sent no certificate")
	}
	id := identity.Fingerprint(cs.PeerCertificates[0].Raw)
	_, err := s.certificate(id, cs.PeerCertificates[0])
	if err != nil && s.cfg.State.Certificate(id) == nil {
		return s.register(cs, err)
	}
	return err
}

// certificate finds a certificate that may be used now. parsed may be nil.
func (s *Server) certificate(id string, parsed *x509.Certificate) (*store.Certificate, error) {
	c := s.cfg.State.Certificate(id)
	switch {
	case c == nil:
		return nil, fmt.Errorf("certificate %.10s… is not registered here: make one with `skep cloud init DIR`, or register this one with `skep cloud cert register FILE`", id)
	case c.Status() == store.StatusRevoked:
		return nil, fmt.Errorf("certificate %.10s… is revoked", id)
	case !c.Active:
		return nil, fmt.Errorf("certificate %.10s… is not active (%s): `skep cloud cert activate %.10s` makes it active", id, c.Status(), id)
	}
	if parsed != nil {
		now := s.cfg.Clock.Now()
		if now.Before(parsed.NotBefore) || now.After(parsed.NotAfter) {
			return nil, fmt.Errorf("certificate %.10s… is valid from %s to %s, and now it is %s",
				id, parsed.NotBefore.Format("2006-01-02"), parsed.NotAfter.Format("2006-01-02"), now.UTC().Format("2006-01-02"))
		}
	}
	return c, nil
}

// shake finishes the TLS handshake.
func (s *Server) shake(tc *tls.Conn) (broker.Peer, error) {
	// The broker closes the connection when its deadline passes.
	if err := tc.HandshakeContext(context.Background()); err != nil {
		return broker.Peer{}, explainTLS(err)
	}
	cs := tc.ConnectionState()
	p := broker.Peer{Remote: tc.RemoteAddr().String(), Local: tc.LocalAddr().String(), IP: addrOf(tc.RemoteAddr()), DomainName: cs.ServerName}
	if len(cs.PeerCertificates) > 0 {
		p.CertID = identity.Fingerprint(cs.PeerCertificates[0].Raw)
	}
	return p, nil
}

func (s *Server) restPeer(tc *tls.Conn) (rest.Peer, error) {
	p, err := s.shake(tc)
	if err != nil {
		return rest.Peer{}, err
	}
	return rest.Peer{CertID: p.CertID, Remote: p.Remote, Authorize: func(*http.Request, []byte) (string, *policy.Compiled, error) {
		allowed, err := s.compile(p, "", false, nil)
		return p.CertID, allowed, err
	}}, nil
}

// authorize is what the broker asks for at CONNECT.
func (s *Server) authorize(p broker.Peer, clientID string, attributes []string) (*policy.Compiled, error) {
	return s.compile(p, clientID, true, attributes)
}

// compile gives what a certificate or key may do, with the variables of one connection.
func (s *Server) compile(p broker.Peer, clientID string, hasClientID bool, attributes []string) (*policy.Compiled, error) {
	docs, cert, err := s.principal(p.CertID)
	if err != nil {
		return nil, err
	}
	return policy.Compile(docs, s.variables(p, cert, clientID, hasClientID, attributes)), nil
}

// principal finds the policies of a certificate or key that may be used now. cert is nil for a
// key.
func (s *Server) principal(id string) (docs []*policy.Document, cert *store.Certificate, err error) {
	if store.IsKeyID(id) {
		k, err := s.key(id)
		if err != nil {
			return nil, nil, err
		}
		return s.cfg.State.CredentialDocuments(k), nil, nil
	}
	if cert, err = s.certificate(id, nil); err != nil {
		return nil, nil, err
	}
	return s.cfg.State.Documents(cert), cert, nil
}

// variables are what policies can ask of a connection. cert may be nil.
func (s *Server) variables(p broker.Peer, cert *store.Certificate, clientID string, hasClientID bool, attributes []string) *policy.Vars {
	vars := &policy.Vars{
		ClientID: clientID, HasClientID: hasClientID,
		SourceIP: p.IP, DomainName: p.DomainName, ConnectAttributes: attributes,
		Region: s.cfg.PolicyRegion, Account: s.cfg.Account, Now: s.cfg.Clock.Now,
	}
	if cert == nil {
		return vars
	}
	vars.CertificateID = cert.ID
	if hasClientID && slices.Contains(cert.Things, clientID) {
		if t := s.cfg.State.Thing(clientID); t != nil {
			vars.Attached, vars.ThingType, vars.Attributes = true, t.Type, t.Attributes
		}
	}
	if parsed, err := identity.ParseCertificate([]byte(cert.PEM)); err == nil {
		vars.Certificate = identity.PolicyValues(parsed)
	}
	return vars
}

// thingOf says which thing a client is: the one attached to its certificate that is called as
// the client, or else the only one; "" for none.
func (s *Server) thingOf(certID, clientID string) string {
	c := s.cfg.State.Certificate(certID)
	switch {
	case c == nil:
	case slices.Contains(c.Things, clientID):
		return clientID
	case len(c.Things) == 1:
		return c.Things[0]
	}
	return ""
}

// explainTLS adds what usually is behind an error of the handshake.
func explainTLS(err error) error {
	text := err.Error()
	hint := ""
	switch {
	case strings.Contains(text, "didn't provide a certificate"):
		hint = "the client has no certificate and key configured (aws.crt, aws.key)"
	case strings.Contains(text, "unknown certificate authority"), strings.Contains(text, "bad certificate"), strings.Contains(text, "certificate unknown"):
		hint = "the client does not trust this server: its aws.ca is not the one of this state directory"
	case strings.Contains(text, "unsupported versions"), strings.Contains(text, "protocol version"):
		hint = "TLS 1.2 is the least that is served"
	case strings.Contains(text, "unsupported application protocols"):
		hint = "ALPN on this port is x-amzn-mqtt-ca for MQTT and x-amzn-http-ca or http/1.1 for HTTPS; mqtt, for custom authorisers, is not served"
	case strings.Contains(text, "first record does not look like a TLS handshake"):
		hint = "the client speaks without TLS"
	default:
		return err
	}
	return fmt.Errorf("%w (%s)", err, hint)
}

func addrOf(a net.Addr) netip.Addr {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}
