package identity

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"
)

// cipherSuites are named one by one because Go no longer offers RSA key exchange by itself,
// and the LTE-M modem has nothing else. The order is Go's, not ours.
var cipherSuites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
	tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	tls.TLS_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_RSA_WITH_AES_128_CBC_SHA256,
	tls.TLS_RSA_WITH_AES_128_CBC_SHA,
	tls.TLS_RSA_WITH_AES_256_CBC_SHA,
}

// NoSNI says which endpoint a client reaches that names none in its TLS hello (the XBee's
// modems of 2019 do not).
type NoSNI int

// The choices.
const (
	NoSNIDefault NoSNI = iota // what the era did: legacy while there were legacy endpoints, refusal since
	NoSNIATS
	NoSNILegacy
	NoSNIRefuse
)

// Choice says how a server chooses the identity it presents.
type Choice struct {
	// Region is used where a client names no endpoint.
	Region string
	// LegacyOff makes the legacy endpoint names unreachable, as they are at AWS today.
	LegacyOff bool
	// ByAddress decides for hellos without an endpoint name, by the local address that was
	// connected to; NoSNI decides for the rest.
	ByAddress map[netip.Addr]Kind
	NoSNI     NoSNI
	// Now is the time certificates are judged at.
	Now func() time.Time
	// Verify accepts or refuses the client's certificate; it also sees resumed sessions.
	Verify func(tls.ConnectionState) error
	// NextProtos are offered in ALPN.
	NextProtos []string
	// Anonymous says, by the protocols that a hello offers in ALPN, that its client is not asked
	// for a certificate: it will sign its requests instead. nil means never.
	Anonymous func(protos []string) bool
	// Rand is the handshake's entropy; nil means the system's.
	Rand io.Reader
	// Hello, when not nil, is told of every hello without an endpoint name and of every
	// refused one: what was asked for, and what was decided.
	Hello func(remote, asked, decided string)
}

// ErrRefused is the reason a hello got no identity.
var ErrRefused = errors.New("no endpoint for this TLS hello")

// ServerConfig builds the TLS configuration of a listener. One configuration for each kind of
// endpoint is made here, once: they keep session tickets and so must not be made per hello.
func (a *Authority) ServerConfig(c Choice) *tls.Config {
	base := &tls.Config{
		Time:                   c.Now,
		Rand:                   c.Rand,
		MinVersion:             tls.VersionTLS12,
		CipherSuites:           cipherSuites,
		ClientAuth:             tls.RequireAnyClientCert,
		VerifyConnection:       c.Verify,
		NextProtos:             c.NextProtos,
		SessionTicketsDisabled: false,
	}
	identities, anonymous := map[Kind]*tls.Config{}, map[Kind]*tls.Config{}
	for _, kind := range []Kind{ATS, Legacy} {
		cfg := base.Clone()
		cfg.GetCertificate = func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return a.present(h, kind, c.Region)
		}
		if kind == Legacy {
			cfg.MaxVersion = tls.VersionTLS12
		}
		identities[kind] = cfg
		cfg = cfg.Clone()
		cfg.ClientAuth, cfg.VerifyConnection = tls.NoClientCert, nil
		anonymous[kind] = cfg
	}
	root := base.Clone()
	root.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		kind, err := c.choose(h)
		if err != nil {
			return nil, err
		}
		if c.Anonymous != nil && c.Anonymous(h.SupportedProtos) {
			return anonymous[kind], nil
		}
		return identities[kind], nil
	}
	return root
}

// present picks the chain: RSA whenever the client can take it. Offering EC first would break
// every client that trusts Amazon Root CA 1 alone.
func (a *Authority) present(h *tls.ClientHelloInfo, kind Kind, region string) (*tls.Certificate, error) {
	chains, err := a.chainsFor(certificateName(h.ServerName, region), kind == Legacy)
	if err != nil {
		return nil, err
	}
	if chains.ec != nil && h.SupportsCertificate(chains.rsa) != nil && h.SupportsCertificate(chains.ec) == nil {
		return chains.ec, nil
	}
	return chains.rsa, nil
}

// choose decides which kind of endpoint a hello is for.
func (c *Choice) choose(h *tls.ClientHelloInfo) (Kind, error) {
	remote := ""
	if h.Conn != nil {
		remote = h.Conn.RemoteAddr().String()
	}
	asked := h.ServerName
	if kind, _, ok := ParseEndpoint(asked); ok {
		if kind == Legacy && c.LegacyOff {
			c.tell(remote, asked, "refused: the legacy endpoint names are switched off, as at AWS today; add -ats to the first label")
			return 0, fmt.Errorf("%w: %s is a legacy endpoint name", ErrRefused, asked)
		}
		return kind, nil
	}
	if h.Conn != nil {
		if kind, ok := c.ByAddress[localAddr(h)]; ok {
			c.tell(remote, asked, fmt.Sprintf("took the %s identity, by the local address %s", kind, localAddr(h)))
			return kind, nil
		}
	}
	rule := c.NoSNI
	if rule == NoSNIDefault {
		switch {
		case asked != "":
			rule = NoSNIATS // a name such as localhost: the client sends SNI, so it is not one of the old ones
		case c.LegacyOff:
			rule = NoSNIRefuse
		default:
			rule = NoSNILegacy
		}
	}
	switch rule {
	case NoSNIATS:
		c.tell(remote, asked, "took the ats identity")
		return ATS, nil
	case NoSNILegacy:
		c.tell(remote, asked, "took the legacy identity")
		return Legacy, nil
	default:
		c.tell(remote, asked, "refused: the hello names no endpoint (SNI)")
		return 0, fmt.Errorf("%w: it names none (no SNI)", ErrRefused)
	}
}

func (c *Choice) tell(remote, asked, decided string) {
	if c.Hello != nil {
		c.Hello(remote, asked, decided)
	}
}

func localAddr(h *tls.ClientHelloInfo) netip.Addr {
	ap, err := netip.ParseAddrPort(h.Conn.LocalAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}
