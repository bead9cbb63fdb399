package identity

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"strings"
)

// maxLeaves bounds the cache of server certificates: names come from clients' hellos.
const maxLeaves = 256

// leafName is what a server certificate is made for.
type leafName struct {
	name   string
	legacy bool
}

// leafChains are the certificates presented for one name.
type leafChains struct {
	rsa, ec *tls.Certificate // ec is nil for the legacy endpoint
}

// certificateFor gives the chains for a name, making them at its first use.
func (a *Authority) chainsFor(name string, isLegacy bool) (*leafChains, error) {
	key := leafName{name, isLegacy}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.leaves[key]; c != nil {
		return c, nil
	}
	c := &leafChains{}
	var err error
	if isLegacy {
		c.rsa, err = a.leaf(name, leafRSA, legacy)
	} else if c.rsa, err = a.leaf(name, leafRSA, serverRSA, amazon1, starfield2); err == nil {
		c.ec, err = a.leaf(name, leafEC, serverEC, amazon3, starfield2)
	}
	if err != nil {
		return nil, fmt.Errorf("making the server certificate for %q: %w", name, err)
	}
	if len(a.order) == maxLeaves {
		delete(a.leaves, a.order[0])
		a.order = a.order[1:]
	}
	a.leaves[key] = c
	a.order = append(a.order, key)
	return c, nil
}

// leaf makes a server certificate and the chain sent with it, issuers in order.
func (a *Authority) leaf(name string, key role, issuers ...role) (*tls.Certificate, error) {
	t := &x509.Certificate{
		Subject:     pkix.Name{CommonName: name, Organization: []string{"Skep (local, not Amazon)"}},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		// Clients on the same machine reach the server by these names too.
		DNSNames:       []string{name, "localhost"},
		IPAddresses:    []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(127, 0, 0, 2), net.IPv4(127, 0, 0, 3), net.IPv6loopback},
		SubjectKeyId:   keyID(a.keys[key]),
		AuthorityKeyId: keyID(a.keys[issuers[0]]),
	}
	der, err := a.sign(t, a.certs[issuers[0]], a.keys[key].Public(), issuers[0])
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	c := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.keys[key], Leaf: parsed}
	for _, r := range issuers {
		c.Certificate = append(c.Certificate, a.certs[r].Raw)
	}
	if _, ok := a.keys[key].(crypto.Decrypter); !ok && key == leafRSA {
		return nil, fmt.Errorf("the server key cannot decrypt, which RSA key exchange needs")
	}
	return c, nil
}

// Kind is a kind of data endpoint.
type Kind int

// The kinds.
const (
	ATS    Kind = iota // names whose first label ends in -ats
	Legacy             // the other *.iot.REGION.amazonaws.com
)

func (k Kind) String() string {
	if k == Legacy {
		return "legacy"
	}
	return "ats"
}

// ParseEndpoint takes an endpoint name apart. ok is false for a name that is not of the form
// PREFIX[-ats].iot.REGION.amazonaws.com (or amazonaws.com.cn).
func ParseEndpoint(name string) (kind Kind, region string, ok bool) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	rest, found := strings.CutSuffix(name, ".amazonaws.com")
	if !found {
		if rest, found = strings.CutSuffix(name, ".amazonaws.com.cn"); !found {
			return ATS, "", false
		}
	}
	labels := strings.Split(rest, ".")
	if len(labels) != 3 || labels[1] != "iot" || labels[0] == "" || labels[2] == "" {
		return ATS, "", false
	}
	if strings.HasSuffix(labels[0], "-ats") {
		return ATS, labels[2], true
	}
	return Legacy, labels[2], true
}

// certificateName is the name on the certificate presented for an endpoint name: the wildcard
// of its region, as the real service has it. Any other name is used as it is.
func certificateName(name, defaultRegion string) string {
	if name == "" {
		return "*.iot." + defaultRegion + ".amazonaws.com"
	}
	if _, _, ok := ParseEndpoint(name); ok {
		_, domain, _ := strings.Cut(strings.ToLower(strings.TrimSuffix(name, ".")), ".")
		return "*." + domain
	}
	return strings.ToLower(name)
}
