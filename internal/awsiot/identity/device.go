package identity

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
)

// Device is a device's certificate with its key.
type Device struct {
	// ID is the certificate id: SHA-256 of the DER, hexadecimal.
	ID string
	// CertPEM and KeyPEM are the files the XBee wants: certificate and RSA-2048 key, the key
	// as PKCS#1 ("RSA PRIVATE KEY"), not encrypted.
	CertPEM, KeyPEM []byte
}

// IssueDevice makes a device certificate as AWS IoT's one-click creation does: RSA-2048,
// common name "AWS IoT Certificate", valid to the end of 2049.
func (a *Authority) IssueDevice() (*Device, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("making a device key: %w", err)
	}
	t := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "AWS IoT Certificate"},
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
	}
	der, err := a.sign(t, a.certs[device], key.Public(), device)
	if err != nil {
		return nil, fmt.Errorf("making a device certificate: %w", err)
	}
	return &Device{
		ID:      Fingerprint(der),
		CertPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		KeyPEM:  pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
	}, nil
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
