package identity

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// Device is a device's certificate with its key.
type Device struct {
	// ID is the certificate id: SHA-256 of the DER, hexadecimal.
	ID string
	// CertPEM and KeyPEM are the files the XBee wants: certificate and RSA-2048 key, the key
	// as PKCS#1 ("RSA PRIVATE KEY"), not encrypted. A P-256 key is SEC 1 ("EC PRIVATE KEY").
	CertPEM, KeyPEM []byte
}

// DeviceOptions say what a device's certificate is like. Zero values are as AWS IoT's one-click
// creation has it: RSA-2048, common name "AWS IoT Certificate", valid to the end of 2049.
type DeviceOptions struct {
	EC         bool // a P-256 key instead
	CommonName string
	// NotBefore and NotAfter bound its validity.
	NotBefore, NotAfter time.Time
	// CSR, if not nil, is a PKCS#10 request, PEM: its key and subject are used, and there is no
	// KeyPEM.
	CSR []byte
	// Issuer, if not nil, issues it instead of this authority.
	Issuer *Issuer
}

// Issuer is a certificate authority of one's own.
type Issuer struct {
	Cert *x509.Certificate
	Key  crypto.Signer
}

// IssueDevice makes a device's key and certificate with the default options.
func (a *Authority) IssueDevice() (*Device, error) { return a.Issue(DeviceOptions{}) }

// Issue makes a device's key and certificate.
func (a *Authority) Issue(o DeviceOptions) (*Device, error) {
	subject := pkix.Name{CommonName: cmp.Or(o.CommonName, "AWS IoT Certificate")}
	var pub crypto.PublicKey
	var keyPEM []byte
	if o.CSR != nil {
		request, err := parseRequest(o.CSR)
		if err != nil {
			return nil, err
		}
		subject, pub = request.Subject, request.PublicKey
	} else {
		key, text, err := newKey(o.EC)
		if err != nil {
			return nil, fmt.Errorf("making a device key: %w", err)
		}
		pub, keyPEM = key.Public(), text
	}
	if err := CheckKey(pub); err != nil {
		return nil, err
	}
	issuer := o.Issuer
	if issuer == nil {
		issuer = &Issuer{a.certs[device], a.keys[device]}
	}
	t := &x509.Certificate{
		Subject: subject, KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
		NotBefore: o.NotBefore, NotAfter: o.NotAfter,
	}
	der, err := issuer.sign(t, pub)
	if err != nil {
		return nil, fmt.Errorf("making a device certificate: %w", err)
	}
	return &Device{ID: Fingerprint(der), CertPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), KeyPEM: keyPEM}, nil
}

// sign makes a certificate under the issuer.
func (i *Issuer) sign(t *x509.Certificate, pub crypto.PublicKey) ([]byte, error) {
	var err error
	if t.SerialNumber, err = newSerial(); err != nil {
		return nil, err
	}
	if t.NotBefore.IsZero() {
		t.NotBefore = notBefore
	}
	if t.NotAfter.IsZero() {
		t.NotAfter = notAfter
	}
	return x509.CreateCertificate(rand.Reader, t, i.Cert, pub, i.Key)
}

// newKey makes a key and its file: RSA-2048 as PKCS#1, which is the form the XBee reads, or
// P-256 as SEC 1.
func newKey(ec bool) (crypto.Signer, []byte, error) {
	if ec {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		der, err := x509.MarshalECPrivateKey(key)
		return key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, nil, err
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), nil
}

func parseRequest(text []byte) (*x509.CertificateRequest, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE REQUEST" && block.Type != "NEW CERTIFICATE REQUEST" {
		return nil, errors.New("there is no PEM certificate request in it")
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err == nil {
		err = request.CheckSignature()
	}
	if err != nil {
		return nil, fmt.Errorf("the certificate request: %w", err)
	}
	return request, nil
}

// CheckKey refuses keys that AWS IoT refuses: it takes RSA of 2048 bits and more, and EC on
// P-256, P-384 and P-521.
func CheckKey(pub crypto.PublicKey) error {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n < 2048 {
			return fmt.Errorf("its RSA key has %d bits; AWS IoT takes 2048 and more", n)
		}
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P224() {
			return errors.New("its EC key is on P-224; AWS IoT takes P-256, P-384 and P-521")
		}
	default:
		return fmt.Errorf("its key is neither RSA nor EC (%T)", pub)
	}
	return nil
}

// KeyName names a public key for a person: "RSA 2048", "EC P-256".
func KeyName(pub crypto.PublicKey) string {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "EC " + k.Curve.Params().Name
	}
	return fmt.Sprintf("%T", pub)
}

// ParseIssuer reads a CA's certificate and private key, PEM (PKCS#1, SEC 1 or PKCS#8).
func ParseIssuer(cert, key []byte) (*Issuer, error) {
	c, err := ParseCertificate(cert)
	if err != nil {
		return nil, fmt.Errorf("the CA's certificate: %w", err)
	}
	if !c.IsCA {
		return nil, errors.New("the CA's certificate is not one of a CA: it needs basicConstraints CA:TRUE")
	}
	signer, err := parseKey(key)
	if err != nil {
		return nil, fmt.Errorf("the CA's key: %w", err)
	}
	if pub, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !pub.Equal(c.PublicKey) {
		return nil, errors.New("the CA's key is not the one of its certificate")
	}
	return &Issuer{c, signer}, nil
}

func parseKey(text []byte) (crypto.Signer, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		var key any
		var err error
		switch block.Type {
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		default: // such as EC PARAMETERS before it
			continue
		}
		if err != nil {
			return nil, err
		}
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
	}
	return nil, errors.New("there is no PEM private key in it, or it is encrypted")
}

// NewIssuer makes a CA of one's own: its certificate and key, PEM.
func NewIssuer(commonName string, ec bool) (certPEM, keyPEM []byte, err error) {
	key, keyPEM, err := newKey(ec)
	if err != nil {
		return nil, nil, fmt.Errorf("making a CA's key: %w", err)
	}
	t := &x509.Certificate{
		Subject: pkix.Name{CommonName: commonName}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: keyID(key),
	}
	der, err := (&Issuer{t, key}).sign(t, key.Public())
	if err != nil {
		return nil, nil, fmt.Errorf("making a CA's certificate: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), keyPEM, nil
}

// Fingerprint is the certificate id AWS IoT uses: SHA-256 of the DER, hexadecimal.
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// ParseCertificate reads the first certificate of a PEM file.
func ParseCertificate(text []byte) (*x509.Certificate, error) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return nil, errors.New("there is no PEM certificate in it")
		}
		if block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
		text = rest
	}
}

// PolicyValues are a certificate's fields as policy variables name them, without the
// "iot:Certificate." in front.
func PolicyValues(c *x509.Certificate) map[string][]string {
	m := map[string][]string{"SerialNumber": {c.SerialNumber.Text(16)}}
	for who, name := range map[string]pkix.Name{"Subject.": c.Subject, "Issuer.": c.Issuer} {
		fields := map[string][]string{
			"Country": name.Country, "Organization": name.Organization, "OrganizationalUnit": name.OrganizationalUnit,
			"State": name.Province,
		}
		if name.CommonName != "" {
			fields["CommonName"] = []string{name.CommonName}
		}
		if name.SerialNumber != "" {
			fields["SerialNumber"] = []string{name.SerialNumber}
		}
		for field, values := range fields {
			if len(values) > 0 {
				m[who+field] = values
			}
		}
	}
	for field, values := range map[string][]string{"DNSName": c.DNSNames, "RFC822Name": c.EmailAddresses} {
		if len(values) > 0 {
			m["SubjectAlternativeName."+field] = values
		}
	}
	return m
}
