package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
)

// credentials are certificates and keys for tests.
type credentials struct {
	t          *testing.T
	root       *x509.Certificate
	rootKey    *rsa.PrivateKey
	key, other *rsa.PrivateKey
}

func newCredentials(t *testing.T) credentials {
	t.Helper()
	c := credentials{t: t}
	for _, k := range []**rsa.PrivateKey{&c.rootKey, &c.key, &c.other} {
		var err error
		if *k, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			t.Fatal(err)
		}
	}
	c.root = parse(t, c.make("Test Root", "Test Root", -1000, 1000, true, &c.rootKey.PublicKey))
	return c
}

func parse(t *testing.T, pemText string) *x509.Certificate {
	t.Helper()
	b, _ := pem.Decode([]byte(pemText))
	c, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// make makes a certificate that is valid from and to some days from the checks' day.
func (c credentials) make(name, issuer string, from, to int, ca bool, pub *rsa.PublicKey) string {
	c.t.Helper()
	x := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true, IsCA: ca,
		NotBefore: checkNow().Add(time.Duration(from) * 24 * time.Hour), NotAfter: checkNow().Add(time.Duration(to) * 24 * time.Hour),
	}
	parent := &x509.Certificate{Subject: pkix.Name{CommonName: issuer}}
	if name == issuer {
		parent = x
	}
	der, err := x509.CreateCertificate(rand.Reader, x, parent, pub, c.rootKey)
	if err != nil {
		c.t.Fatal(err)
	}
	return pemBlock("CERTIFICATE", der)
}

func pemBlock(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func keyText(k *rsa.PrivateKey) string {
	return pemBlock("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k))
}

func (c credentials) crt(from, to int) string {
	return c.make("device", "Test Root", from, to, false, &c.key.PublicKey)
}

func (c credentials) ca(name string) string {
	return c.make(name, name, -1000, 1000, true, &c.rootKey.PublicKey)
}

// good are files for TLS with which nothing is wrong.
func (c credentials) good() map[string]string {
	return map[string]string{"cert/aws.ca": c.ca("Test Root"), "cert/aws.crt": c.crt(-10, 1000), "cert/aws.key": keyText(c.key)}
}

const tlsProgram = `
import usocket
import ussl

HOST = "a1b2c3d4e5f6g7-ats.iot.us-east-2.amazonaws.com"
s = usocket.socket(usocket.AF_INET, usocket.SOCK_STREAM, usocket.IPPROTO_SEC)
w = ussl.wrap_socket(s, keyfile="cert/aws.key", certfile="/flash/cert/aws.crt", ca_certs="cert/AWS.ca")
w.connect((HOST, 8443))
w.close()
`

// TestCertificateRules: each of them, found and not found.
func TestCertificateRules(t *testing.T) {
	c := newChecker(t, "ltem-11413")
	k := c.cert
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k.key)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecDER, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	leaf := k.crt(-10, 1000)
	b, _ := pem.Decode([]byte(leaf))
	for _, tc := range []struct {
		name, file, text, rule, severity string
	}{
		{"good", "", "", "", ""},
		{"expired", "cert/aws.crt", k.crt(-20, -1), "cert-expired", "error"},
		{"not yet", "cert/aws.crt", k.crt(1, 20), "cert-expired", "error"},
		{"soon", "cert/aws.crt", k.crt(-20, 20), "cert-expired", "warning"},
		{"expired root", "cert/aws.ca", k.make("Old", "Old", -20, -1, true, &k.rootKey.PublicKey), "cert-expired", "error"},
		{"mismatch", "cert/aws.key", keyText(k.other), "cert-mismatch", "error"},
		{"DER", "cert/aws.crt", string(b.Bytes), "cert-format", "error"},
		{"empty", "cert/aws.ca", "", "cert-format", "error"},
		{"two roots", "cert/aws.ca", k.ca("One") + k.ca("Two"), "cert-format", "error"},
		{"damaged", "cert/aws.crt", pemBlock("CERTIFICATE", []byte("no")), "cert-format", "error"},
		{"no key", "cert/aws.key", "key\n", "cert-format", "error"},
		{"certificate as key", "cert/aws.key", leaf, "cert-format", "error"},
		{"PKCS#8", "cert/aws.key", pemBlock("PRIVATE KEY", pkcs8), "cert-format", "error"},
		{"EC", "cert/aws.key", pemBlock("EC PRIVATE KEY", ecDER), "cert-format", "error"},
		{"password", "cert/aws.key", pemBlock("ENCRYPTED PRIVATE KEY", pkcs8), "cert-format", "error"},
		{"damaged key", "cert/aws.key", pemBlock("RSA PRIVATE KEY", []byte("no")), "cert-format", "error"},
		{"intermediate", "cert/aws.ca", k.make("Between", "Test Root", -10, 1000, true, &k.key.PublicKey), "ca-not-root", "error"},
		{"leaf", "cert/aws.ca", leaf, "ca-not-root", "error"},
		{"Amazon", "cert/aws.ca", k.ca("Amazon Root CA 1"), "ca-not-used", "warning"},
		{"Starfield", "cert/aws.ca", k.ca("Starfield Services Root Certificate Authority - G2"), "", ""},
	} {
		files := k.good()
		files["main.py"] = tlsProgram
		if tc.file != "" {
			files[tc.file] = tc.text
		}
		got := c.run(files)
		switch {
		case tc.rule == "" && len(got) > 0:
			t.Errorf("%s: %+v", tc.name, got)
		case tc.rule != "" && (len(got) != 1 || got[0].Rule != tc.rule || string(got[0].Severity) != tc.severity || got[0].Instead == ""):
			t.Errorf("%s: %+v, want one finding of %s, %s", tc.name, got, tc.rule, tc.severity)
		}
	}
	files := k.good()
	files["main.py"], files["cert/aws.crt"] = tlsProgram, keyText(k.key)
	if got := c.run(files); len(got) != 2 || got[0].Rule != "cert-format" || got[1].Rule != "key-not-secure" {
		t.Errorf("a key as certificate: %+v", got)
	}
	// A Cat 1 modem can do with an intermediate certificate.
	cat1 := newChecker(t, "cat1-31011")
	files = k.good()
	files["main.py"] = "import ussl\nTLS = {\"ca_certs\": \"cert/aws.ca\"}\n"
	files["cert/aws.ca"] = k.make("Between", "Test Root", -10, 1000, true, &k.key.PublicKey)
	if got := cat1.run(files); len(got) > 0 {
		t.Errorf("an intermediate certificate on a Cat 1: %+v", got)
	}
	delete(files, "cert/aws.ca")
	if got := cat1.run(files); len(got) != 1 || got[0].Rule != "cert-missing" || got[0].Line != 2 || got[0].Column != 20 {
		t.Errorf("no root: %+v", got)
	}
}
