package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// Every certificate is valid for the whole span a device may believe to live in, also one
// whose clock is that of a recording. Real AWS-issued device certificates end the same day.
var (
	notBefore = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
	notAfter  = time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC)
)

// role is a key and certificate of the authority.
type role int

const (
	class2     role = iota // stand-in of Starfield Class 2, self-signed: the root in aws.ca
	starfield2             // Starfield Services Root G2
	amazon1                // Amazon Root CA 1 (RSA)
	amazon3                // Amazon Root CA 3 (EC)
	serverRSA              // the -ats endpoints' RSA server CA
	serverEC               // the -ats endpoints' EC server CA
	legacy                 // the legacy endpoints' intermediate
	device                 // issues device certificates
	leafRSA                // the servers' RSA key; its certificates are made per name
	leafEC                 // the servers' EC key
	numRoles
)

// plan says how each role is named and who issues its certificate. Self-signed copies of the
// cross-signed roots are made as well, for clients that hold those as their root.
var plan = [numRoles]struct {
	name   string
	issuer role
	ec     bool
	selfie bool // also has a self-signed certificate
}{
	class2:     {name: "Skep Local Root (in place of Starfield Class 2)", issuer: class2},
	starfield2: {name: "Skep Local Root G2 (in place of Starfield Services G2)", issuer: class2, selfie: true},
	amazon1:    {name: "Skep Local Root CA 1 (in place of Amazon Root CA 1)", issuer: starfield2, selfie: true},
	amazon3:    {name: "Skep Local Root CA 3 (in place of Amazon Root CA 3)", issuer: starfield2, ec: true, selfie: true},
	serverRSA:  {name: "Skep Local Server CA RSA", issuer: amazon1},
	serverEC:   {name: "Skep Local Server CA EC", issuer: amazon3, ec: true},
	legacy:     {name: "Skep Local Legacy CA (in place of VeriSign)", issuer: class2},
	device:     {name: "Skep Local Device CA", issuer: device},
	leafRSA:    {issuer: numRoles},
	leafEC:     {issuer: numRoles, ec: true},
}

// Authority is the local stand-in for the certificate authorities AWS IoT uses. It does not
// change once made, but for the cache of server certificates, and may be shared.
type Authority struct {
	keys  [numRoles]crypto.Signer
	certs [numRoles]*x509.Certificate // as issued by plan's issuer; nil for leaf keys
	selfs [numRoles]*x509.Certificate // self-signed copies

	mu     sync.Mutex
	leaves map[leafName]*leafChains
	order  []leafName
}

// NewAuthority makes all keys and certificates anew. It takes about a second.
func NewAuthority() (*Authority, error) {
	a := &Authority{leaves: map[leafName]*leafChains{}}
	var wg sync.WaitGroup
	errs := make([]error, numRoles)
	for r := range numRoles {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if plan[r].ec {
				a.keys[r], errs[r] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			} else {
				a.keys[r], errs[r] = rsa.GenerateKey(rand.Reader, 2048)
			}
		}()
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("making the local CA's keys: %w", err)
	}
	for r := range numRoles {
		if plan[r].issuer == numRoles {
			continue
		}
		var err error
		if a.certs[r], err = a.issueCA(r, plan[r].issuer); err != nil {
			return nil, err
		}
		if plan[r].selfie {
			if a.selfs[r], err = a.issueCA(r, r); err != nil {
				return nil, err
			}
		}
	}
	return a, nil
}

func (a *Authority) issueCA(subject, issuer role) (*x509.Certificate, error) {
	t := &x509.Certificate{
		Subject:               caSubject(subject),
		BasicConstraintsValid: true,
		IsCA:                  true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		SubjectKeyId:          keyID(a.keys[subject]),
		AuthorityKeyId:        keyID(a.keys[issuer]),
	}
	parent := &x509.Certificate{Subject: caSubject(issuer), SubjectKeyId: keyID(a.keys[issuer])}
	if subject == issuer {
		parent = t
	}
	der, err := a.sign(t, parent, a.keys[subject].Public(), issuer)
	if err != nil {
		return nil, fmt.Errorf("making the certificate of %q: %w", plan[subject].name, err)
	}
	return x509.ParseCertificate(der)
}

func caSubject(r role) pkix.Name {
	return pkix.Name{Organization: []string{"Skep (local, not Amazon)"}, CommonName: plan[r].name}
}

// sign fills in what all certificates share.
func (a *Authority) sign(t, parent *x509.Certificate, pub crypto.PublicKey, issuer role) ([]byte, error) {
	var err error
	if t.SerialNumber, err = newSerial(); err != nil {
		return nil, err
	}
	t.NotBefore, t.NotAfter = notBefore, notAfter
	return x509.CreateCertificate(rand.Reader, t, parent, pub, a.keys[issuer])
}

func newSerial() (*big.Int, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	return serial.Add(serial, big.NewInt(1)), nil
}

// keyID is the subject key identifier: the first 20 bytes of the public key's SHA-256 (RFC
// 7093, method 1).
func keyID(k crypto.Signer) []byte {
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		return nil // cannot happen for the two kinds of key made here
	}
	sum := sha256.Sum256(der)
	return sum[:20]
}

// AWSCA is the one certificate for aws.ca, PEM: both kinds of endpoint verify against it.
func (a *Authority) AWSCA() []byte { return EncodeCertificate(a.certs[class2]) }

// IsRoot says whether c is the root of aws.ca.
func (a *Authority) IsRoot(c *x509.Certificate) bool { return a.certs[class2].Equal(c) }

// Pool is the root of aws.ca as a client of ours in Go wants it.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.certs[class2])
	return p
}

// EncodeCertificate is a certificate as PEM.
func EncodeCertificate(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// Marshal gives the authority as PEM blocks: private keys, so the bytes are secret.
func (a *Authority) Marshal() ([]byte, error) {
	var out []byte
	for r := range numRoles {
		der, err := x509.MarshalPKCS8PrivateKey(a.keys[r])
		if err != nil {
			return nil, err
		}
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
	}
	for _, list := range [][numRoles]*x509.Certificate{a.certs, a.selfs} {
		for _, c := range list {
			if c != nil {
				out = append(out, EncodeCertificate(c)...)
			}
		}
	}
	return out, nil
}

// Unmarshal reads what Marshal wrote.
func Unmarshal(text []byte) (*Authority, error) {
	a := &Authority{leaves: map[leafName]*leafChains{}}
	damaged := func(what string) (*Authority, error) {
		return nil, fmt.Errorf("the stored local CA is damaged: %s", what)
	}
	next := func(kind string) []byte {
		block, rest := pem.Decode(text)
		if block == nil || block.Type != kind {
			return nil
		}
		text = rest
		return block.Bytes
	}
	for r := range numRoles {
		key, err := x509.ParsePKCS8PrivateKey(next("PRIVATE KEY"))
		if err != nil {
			return damaged("a private key is missing or not readable")
		}
		signer, ok := key.(crypto.Signer)
		if !ok {
			return damaged("a private key cannot sign")
		}
		a.keys[r] = signer
	}
	for _, list := range []*[numRoles]*x509.Certificate{&a.certs, &a.selfs} {
		for r := range numRoles {
			if plan[r].issuer == numRoles || list == &a.selfs && !plan[r].selfie {
				continue
			}
			c, err := x509.ParseCertificate(next("CERTIFICATE"))
			if err != nil {
				return damaged("a certificate is missing or not readable")
			}
			list[r] = c
		}
	}
	return a, nil
}
