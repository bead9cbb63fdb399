package identity

import (
	"bytes"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// authority is made once: its ten keys take a second.
var authority = sync.OnceValues(NewAuthority)

func made(t testing.TB) *Authority {
	t.Helper()
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func pool(t *testing.T, text []byte) *x509.CertPool {
	t.Helper()
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(text) {
		t.Fatal("no certificate in the PEM")
	}
	return p
}

// handshake runs one over an in-memory connection and gives both ends' view.
func handshake(t *testing.T, server, client *tls.Config) (cs tls.ConnectionState, clientErr, serverErr error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		nc, err := l.Accept()
		if err != nil {
			done <- err
			return
		}
		s := tls.Server(nc, server)
		err = s.Handshake()
		if err == nil {
			_, err = s.Write([]byte("x")) // so that a TLS 1.3 client learns how it went
		}
		s.Close()
		done <- err
	}()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(nc, client)
	defer c.Close()
	if clientErr = c.Handshake(); clientErr == nil {
		cs = c.ConnectionState()
		_, clientErr = io.ReadFull(c, make([]byte, 1))
	} else {
		nc.Close()
	}
	return cs, clientErr, <-done
}

const ats, old = "p-ats.iot.eu-west-1.amazonaws.com", "p.iot.eu-west-1.amazonaws.com"

func (a *Authority) clientFor(t *testing.T, name string) *tls.Config {
	t.Helper()
	d, err := a.IssueDevice()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tls.X509KeyPair(d.CertPEM, d.KeyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{RootCAs: a.Pool(), ServerName: name, Certificates: []tls.Certificate{cert}}
}

// TestChains: which chain is presented for which name, version and cipher suite, and which
// roots it verifies against.
func TestChains(t *testing.T) {
	a := made(t)
	server := a.ServerConfig(Choice{Region: "us-east-1"})
	base := a.clientFor(t, ats)
	// All the roots that a client of the real service might hold.
	roots := map[string][]byte{
		"aws.ca":            a.AWSCA(),
		"SFSRootCAG2.pem":   EncodeCertificate(a.selfs[starfield2]),
		"AmazonRootCA1.pem": EncodeCertificate(a.selfs[amazon1]),
		"AmazonRootCA3.pem": EncodeCertificate(a.selfs[amazon3]),
	}
	for _, tt := range []struct {
		name    string
		server  string
		root    string
		version uint16
		suite   uint16
		chain   int
		issuer  string // of the last certificate sent
		ec      bool
		fails   bool
	}{
		{"ats RSA", ats, "aws.ca", tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, 4, "Class 2", false, false},
		{"ats RSA key exchange", ats, "aws.ca", tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_CBC_SHA, 4, "Class 2", false, false},
		{"ats RSA key exchange, SHA-256", ats, "aws.ca", tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_CBC_SHA256, 4, "Class 2", false, false},
		{"ats EC", ats, "aws.ca", tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 4, "Class 2", true, false},
		{"ats 1.3", ats, "aws.ca", tls.VersionTLS13, 0, 4, "Class 2", false, false},
		{"ats with Starfield G2", ats, "SFSRootCAG2.pem", tls.VersionTLS12, 0, 4, "Class 2", false, false},
		{"ats with Amazon 1", ats, "AmazonRootCA1.pem", tls.VersionTLS13, 0, 4, "Class 2", false, false},
		{"ats with Amazon 3 alone gets RSA", ats, "AmazonRootCA3.pem", tls.VersionTLS12, 0, 4, "", false, true},
		{"ats EC with Amazon 3", ats, "AmazonRootCA3.pem", tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 4, "Class 2", true, false},
		{"legacy", old, "aws.ca", tls.VersionTLS12, 0, 2, "Class 2", false, false},
		{"legacy RSA key exchange", old, "aws.ca", tls.VersionTLS12, tls.TLS_RSA_WITH_AES_256_CBC_SHA, 2, "Class 2", false, false},
		{"legacy offered 1.3", old, "aws.ca", tls.VersionTLS13, 0, 2, "Class 2", false, false},
		{"legacy with Amazon 1", old, "AmazonRootCA1.pem", tls.VersionTLS12, 0, 2, "", false, true},
		{"localhost", "localhost", "aws.ca", tls.VersionTLS12, 0, 4, "Class 2", false, false},
		{"another name", "broker.example", "aws.ca", tls.VersionTLS12, 0, 4, "Class 2", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := base.Clone()
			c.ServerName, c.RootCAs, c.MaxVersion = tt.server, pool(t, roots[tt.root]), tt.version
			if tt.suite != 0 {
				c.CipherSuites = []uint16{tt.suite}
			}
			cs, err, _ := handshake(t, server, c)
			if tt.fails {
				if err == nil {
					t.Fatal("it verified")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			sent := cs.PeerCertificates
			if len(sent) != tt.chain || !strings.Contains(sent[len(sent)-1].Issuer.CommonName, tt.issuer) {
				t.Fatalf("chain of %d ends at %q", len(sent), sent[len(sent)-1].Issuer)
			}
			for _, cert := range sent {
				if !strings.Contains(cert.Subject.String(), "Skep") || !strings.Contains(cert.Issuer.String(), "Skep") {
					t.Errorf("%q issued by %q does not say that it is local", cert.Subject, cert.Issuer)
				}
			}
			if _, rsaKey := sent[0].PublicKey.(*rsa.PublicKey); rsaKey == tt.ec {
				t.Errorf("the server's key is %T", sent[0].PublicKey)
			}
			if tt.suite != 0 && cs.CipherSuite != tt.suite {
				t.Errorf("suite is %x", cs.CipherSuite)
			}
			if strings.Contains(tt.name, "legacy") && cs.Version != tls.VersionTLS12 {
				t.Errorf("version is %x", cs.Version)
			}
			// SARA-R4 modems fail on names longer than 31 characters.
			if cn := sent[0].Subject.CommonName; strings.HasPrefix(tt.server, "p") && cn != "*.iot.eu-west-1.amazonaws.com" {
				t.Errorf("common name is %q", cn)
			}
		})
	}
}

// TestChoice: which endpoint a hello without a usable name reaches.
func TestChoice(t *testing.T) {
	a := made(t)
	base := a.clientFor(t, "")
	loopback := netip.MustParseAddr("127.0.0.1")
	for _, tt := range []struct {
		name   string
		sni    string
		choice Choice
		chain  int // 0: refused
		says   string
	}{
		{"no name, 2019", "", Choice{}, 2, "took the legacy identity"},
		{"no name, today", "", Choice{LegacyOff: true}, 0, "refused"},
		{"no name, ats", "", Choice{LegacyOff: true, NoSNI: NoSNIATS}, 4, "took the ats identity"},
		{"no name, legacy", "", Choice{NoSNI: NoSNILegacy}, 2, "took the legacy identity"},
		{"no name, refuse", "", Choice{NoSNI: NoSNIRefuse}, 0, "refused"},
		{"by address ats", "", Choice{NoSNI: NoSNIRefuse, ByAddress: map[netip.Addr]Kind{loopback: ATS}}, 4, "local address 127.0.0.1"},
		{"by address legacy", "", Choice{NoSNI: NoSNIATS, ByAddress: map[netip.Addr]Kind{loopback: Legacy}}, 2, "local address 127.0.0.1"},
		{"a name goes before the address", ats, Choice{ByAddress: map[netip.Addr]Kind{loopback: Legacy}}, 4, ""},
		{"legacy name today", old, Choice{LegacyOff: true}, 0, "switched off"},
		{"other name", "localhost", Choice{}, 4, "took the ats identity"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var told []string
			tt.choice.Region = "us-east-1"
			tt.choice.Hello = func(_, asked, decided string) { told = append(told, asked+" "+decided) }
			c := base.Clone()
			c.ServerName, c.InsecureSkipVerify = tt.sni, true // without SNI there is no name to verify
			cs, err, serverErr := handshake(t, a.ServerConfig(tt.choice), c)
			if tt.chain == 0 {
				if err == nil || !errors.Is(serverErr, ErrRefused) {
					t.Fatalf("client: %v, server: %v", err, serverErr)
				}
			} else if err != nil || len(cs.PeerCertificates) != tt.chain {
				t.Fatalf("chain of %d, %v", len(cs.PeerCertificates), err)
			}
			if got := strings.Join(told, "\n"); !strings.Contains(got, tt.says) || (tt.says == "") != (got == "") {
				t.Fatalf("told %q", got)
			}
		})
	}
}

func TestParseEndpoint(t *testing.T) {
	for _, tt := range []struct {
		name   string
		kind   Kind
		region string
		ok     bool
	}{
		{ats, ATS, "eu-west-1", true},
		{old, Legacy, "eu-west-1", true},
		{"P-ATS.IOT.us-east-1.AmazonAWS.com.", ATS, "us-east-1", true},
		{"x-ats.iot.cn-north-1.amazonaws.com.cn", ATS, "cn-north-1", true},
		{"x-ats-y.iot.us-east-1.amazonaws.com", Legacy, "us-east-1", true},
		{"iot.us-east-1.amazonaws.com", 0, "", false},
		{"x.s3.us-east-1.amazonaws.com", 0, "", false},
		{"x.iot.us-east-1.example.com", 0, "", false},
		{"a.b.iot.us-east-1.amazonaws.com", 0, "", false},
		{"", 0, "", false},
	} {
		kind, region, ok := ParseEndpoint(tt.name)
		if ok != tt.ok || ok && (kind != tt.kind || region != tt.region) {
			t.Errorf("%q: %v %q %v", tt.name, kind, region, ok)
		}
	}
}

func TestMarshal(t *testing.T) {
	a := made(t)
	text, err := a.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	b, err := Unmarshal(text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.Marshal()
	if err != nil || !bytes.Equal(text, again) {
		t.Fatalf("it comes back different, %v", err)
	}
	for _, cut := range []int{0, 10, len(text) / 2, len(text) - 5} {
		if _, err := Unmarshal(text[:cut]); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
}

// TestDevice: the files have the form the XBee wants.
func TestDevice(t *testing.T) {
	a := made(t)
	d, err := a.IssueDevice()
	if err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode(d.KeyPEM)
	if block == nil || block.Type != "RSA PRIVATE KEY" || len(rest) != 0 {
		t.Fatal("the key is not one PKCS#1 PEM block")
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil || key.N.BitLen() != 2048 {
		t.Fatalf("key: %v", err)
	}
	c, err := ParseCertificate(d.CertPEM)
	if err != nil || Fingerprint(c.Raw) != d.ID || len(d.ID) != 64 {
		t.Fatalf("certificate: %v", err)
	}
	if c.NotAfter.Year() != 2049 || c.NotBefore.After(time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("valid %v to %v", c.NotBefore, c.NotAfter)
	}
	if v := PolicyValues(c); v["Subject.CommonName"][0] != "AWS IoT Certificate" || len(v["SerialNumber"]) != 1 {
		t.Errorf("policy values %v", v)
	}
	if n := bytes.Count(a.AWSCA(), []byte("BEGIN CERTIFICATE")); n != 1 {
		t.Errorf("aws.ca has %d certificates", n)
	}
	root, err := ParseCertificate(a.AWSCA())
	if err != nil || root.CheckSignatureFrom(root) != nil || !a.IsRoot(root) || a.IsRoot(c) {
		t.Errorf("aws.ca is not the self-signed root: %v", err)
	}
}

// TestLeafCache: names come from strangers, so they must not pile up.
func TestLeafCache(t *testing.T) {
	text, err := made(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	a, err := Unmarshal(text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxLeaves + 20 {
		if _, err := a.chainsFor(strings.Repeat("n", i+1), true); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.leaves) != maxLeaves || len(a.order) != maxLeaves {
		t.Fatalf("%d and %d names are kept", len(a.leaves), len(a.order))
	}
	one, _ := a.chainsFor("x", true)
	two, _ := a.chainsFor("x", true)
	if one != two {
		t.Fatal("the same name is made twice")
	}
}
