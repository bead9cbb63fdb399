package modem

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/world/worldtest"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

const (
	atsHost    = "a1b2c3d4e5f6g7-ats.iot.us-east-2.amazonaws.com"
	legacyHost = "a1b2c3d4e5f6g7.iot.us-east-2.amazonaws.com"
)

func awsRoute(to netip.AddrPort) worldtest.Route {
	return worldtest.Route{Hosts: "*.iot.*.amazonaws.com", To: to}
}

func exchange(s *Socket, text string) (string, Errno) {
	if _, e := s.Send([]byte(text), s.Deadline()); e != 0 {
		return "", e
	}
	buf := make([]byte, 100)
	n, e := s.Recv(buf, s.Deadline())
	return string(buf[:n]), e
}

// The heart of the seed: which endpoint each model can use, on which supply.
func TestModelEndpointAndPower(t *testing.T) {
	c := newChain(t, "*.iot.us-east-2.amazonaws.com", longAfter())
	server := serve(t, c.mutual(), echo)
	tests := []struct {
		model profile.Model
		host  string
		power world.Supply
		want  Errno
		note  string
	}{
		{profile.LTEM, atsHost, world.Wall, 0, ""},
		{profile.LTEM, legacyHost, world.Wall, EIO, "use a1b2c3d4e5f6g7-ats.iot.us-east-2.amazonaws.com"},
		{profile.LTEM, atsHost, world.USB, EIO, "wall supply"},
		{profile.LTEM, legacyHost, world.USB, EIO, "wall supply"},
		{profile.Cat1, atsHost, world.Wall, ECONNREFUSED, "use a1b2c3d4e5f6g7.iot.us-east-2.amazonaws.com"},
		{profile.Cat1, legacyHost, world.Wall, 0, ""},
		{profile.Cat1, atsHost, world.USB, ECONNREFUSED, "-ats"},
		{profile.Cat1, legacyHost, world.USB, 0, ""}, // it is the serial port that fails
	}
	for _, tt := range tests {
		for _, port := range []int{8443, 8883} {
			b := newBoard(t, tt.model, awsRoute(server)).online()
			b.power = tt.power
			s := b.socket(t, SEC)
			if !s.Wrap(c.credentials()) {
				t.Fatal("Wrap refused")
			}
			name := string(tt.model) + " " + tt.host + " " + tt.power.String()
			if e := connect(s, tt.host, port); e != tt.want {
				t.Errorf("%s: %v, want %v; %q", name, e, tt.want, b.notes)
				continue
			}
			if tt.want != 0 {
				if !b.noted(tt.note) {
					t.Errorf("%s: notes %q", name, b.notes)
				}
				continue
			}
			b.power = world.Wall
			if got, e := exchange(s, "over TLS"); got != "over TLS" || e != 0 {
				t.Errorf("%s: %q, %v", name, got, e)
			}
			b.CloseAll()
		}
	}
}

// The numbers are crypto/tls's own.
func TestSuitesAreKnown(t *testing.T) {
	for _, id := range append(rsaSuites[:], ecdheSuites[:]...) {
		name := tls.CipherSuiteName(id)
		if strings.HasPrefix(name, "0x") || strings.HasPrefix(name, "TLS_RSA") != slices.Contains(rsaSuites[:], id) {
			t.Errorf("%#x is %s", id, name)
		}
	}
	if tls10 != tls.VersionTLS10 || tls12 != tls.VersionTLS12 {
		t.Error("a version has another number")
	}
}

func TestEndpointRuleWantsAWS(t *testing.T) {
	p, _ := profile.Find("cat1", "")
	for _, host := range []string{"x-ats.example.com", "x-ats.iot.us-east-2.amazonaws.org", "iot.us-east-2.amazonaws.com", "amazonaws.com", ""} {
		if text := refusedEndpoint(p, host); text != "" {
			t.Errorf("%s: %s", host, text)
		}
	}
	if refusedEndpoint(p, "x-ats.IOT.us-east-2.amazonaws.com.") == "" {
		t.Error("the rule depends on letter case or the last dot")
	}
}

func TestTLSFailuresAreExplained(t *testing.T) {
	good := newChain(t, "server", longAfter())
	expired := newChain(t, "server", world.VirtualStart.AddDate(0, 0, -1))
	long := newChain(t, "a-server-with-a-name-of-32-chars", longAfter())
	noClients := &tls.Config{Certificates: []tls.Certificate{good.pair}, CipherSuites: rsaSuites[:]}
	onlyECDHE := &tls.Config{Certificates: []tls.Certificate{good.pair}, CipherSuites: ecdheSuites[:]}
	only13 := &tls.Config{Certificates: []tls.Certificate{good.pair}, MinVersion: tls.VersionTLS13}
	with := func(c chain) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{c.pair}, CipherSuites: rsaSuites[:]}
	}
	trust := func(c chain) Credentials { return Credentials{CA: File{"ca.pem", c.rootPEM}} }
	edit := func(f func(*Credentials)) Credentials {
		c := good.credentials()
		f(&c)
		return c
	}
	pkcs8 := func(kind string) []byte {
		b, _ := pem.Decode(good.keyPEM)
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b.Bytes})
	}
	tests := []struct {
		name   string
		server *tls.Config
		creds  Credentials
		note   string
		cat1   bool // works on Cat 1
	}{
		{"expired", with(expired), trust(expired), "not valid at the device's time, 2019-10-24", false},
		{"another root", with(good), Credentials{CA: File{"ca.pem", otherRoot(t)}}, "not signed by the one given as ca_certs", false},
		{"long name", with(long), trust(long), "has 32 characters", true},
		{"no client certificate", good.mutual(), trust(good), "client certificate", false},
		{"no key exchange", onlyECDHE, trust(good), "key exchange other than RSA", true},
		{"TLS 1.3", only13, trust(good), "TLS up to version 1.2", false},
		{"chain as ca", noClients, edit(func(c *Credentials) { c.CA.Data = append(bytes.Clone(good.leafPEM), good.rootPEM...) }), "holds 2 certificates", false},
		{"leaf as ca", noClients, edit(func(c *Credentials) { c.CA.Data = good.leafPEM }), "no root certificate", true},
		{"DER ca", noClients, edit(func(c *Credentials) { c.CA.Data = good.root.Raw }), "no certificate in PEM form", false},
		{"empty ca", noClients, edit(func(c *Credentials) { c.CA.Data = []byte{} }), "no certificate in PEM form", false},
		{"PKCS#8", noClients, edit(func(c *Credentials) { c.Key.Data = pkcs8("PRIVATE KEY") }), "PKCS#8", false},
		{"EC key", noClients, edit(func(c *Credentials) { c.Key.Data = pkcs8("EC PRIVATE KEY") }), "RSA keys in PKCS#1", false},
		{"password", noClients, edit(func(c *Credentials) { c.Key.Data = pkcs8("ENCRYPTED PRIVATE KEY") }), "password", false},
		{"no key", noClients, edit(func(c *Credentials) { c.Key.Data = []byte("x") }), "no key in PEM form", false},
		{"another's key", noClients, edit(func(c *Credentials) { c.Certificate.Data = good.rootPEM }), "do not belong together", false},
	}
	for _, tt := range tests {
		server := serve(t, tt.server, func(c net.Conn) { io.Copy(io.Discard, c) })
		for _, model := range []profile.Model{profile.LTEM, profile.Cat1} {
			want := Errno(EIO)
			if model == profile.Cat1 {
				want = ECONNREFUSED
				if tt.cat1 {
					want = 0
				}
			}
			b := newBoard(t, model, worldtest.Route{Hosts: "server.test", To: server}).online()
			s := b.socket(t, SEC)
			s.Wrap(tt.creds)
			if e := connect(s, "server.test", 443); e != want {
				t.Errorf("%s, %s: %v, want %v; %q", tt.name, model, e, want, b.notes)
			}
			if want != 0 && model == profile.LTEM && !b.noted(tt.note) {
				t.Errorf("%s: notes %q, want %q", tt.name, b.notes, tt.note)
			}
			b.CloseAll()
		}
	}
}

func otherRoot(t *testing.T) []byte {
	k := keys()
	k[0], k[1] = k[1], k[0]
	return newChainWith(t, k, "other", longAfter()).rootPEM
}

func TestTLSWithoutCertificatesIsNotAuthenticated(t *testing.T) {
	c := newChain(t, "server", world.VirtualStart.AddDate(0, 0, -1)) // even expired
	hellos := make(chan string, 2)
	config := &tls.Config{Certificates: []tls.Certificate{c.pair}, CipherSuites: rsaSuites[:]}
	config.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		hellos <- h.ServerName
		return nil, nil
	}
	server := serve(t, config, echo)
	b := newBoard(t, profile.LTEM, worldtest.Route{Hosts: "server.test", To: server}).online()
	s := b.socket(t, SEC)
	if e := connect(s, "server.test", 443); e != 0 {
		t.Fatalf("Connect: %v; %q", e, b.notes)
	}
	if name := <-hellos; name != "" {
		t.Errorf("the modem sent the server's name %q (SNI)", name)
	}
	if got, e := exchange(s, "hi"); got != "hi" || e != 0 {
		t.Errorf("%q, %v", got, e)
	}
}

func TestTLSToAServerWithoutTLS(t *testing.T) {
	server := serve(t, nil, func(c net.Conn) { io.WriteString(c, "220 hello\r\n"); io.Copy(io.Discard, c) })
	b := newBoard(t, profile.Cat1, worldtest.Route{Hosts: "server.test", To: server}).online()
	s := b.socket(t, SEC)
	if e := connect(s, "server.test", 443); e != ECONNREFUSED || !b.noted("does not speak TLS") {
		t.Errorf("%v; %q", e, b.notes)
	}
}

func TestWrap(t *testing.T) {
	b := newBoard(t, profile.LTEM)
	if b.socket(t, TCP).Wrap(Credentials{}) {
		t.Error("a TCP socket was wrapped")
	}
	s := b.socket(t, SEC)
	if !s.Wrap(Credentials{}) || s.Wrap(Credentials{}) {
		t.Error("a TLS socket can be wrapped once")
	}
}

// On USB the bytes of an empty read come with the next one.
func TestUSBReadsComeBackEmpty(t *testing.T) {
	server := serve(t, nil, func(c net.Conn) {
		for range 200 {
			c.Write([]byte("0123456789"))
		}
		io.Copy(io.Discard, c)
	})
	b := newBoard(t, profile.LTEM, worldtest.Route{Hosts: "server.test", To: server}).online()
	b.power = world.USB
	s := b.socket(t, TCP)
	if e := connect(s, "server.test", 80); e != 0 {
		t.Fatal(e)
	}
	s.SetTimeout(10 * time.Second)
	var got []byte
	empty := 0
	for len(got) < 2000 {
		p := make([]byte, 5)
		n, e := s.Recv(p, s.Deadline())
		if e != 0 {
			t.Fatalf("after %d bytes: %v", len(got), e)
		}
		if n == 0 {
			empty++
		}
		got = append(got, p[:n]...)
	}
	if !bytes.Equal(got, bytes.Repeat([]byte("0123456789"), 200)) {
		t.Error("bytes were lost")
	}
	if empty < 5 || empty > 60 {
		t.Errorf("%d of 400 reads were empty, want about 20", empty)
	}
	if !b.noted("wall supply") {
		t.Errorf("notes: %q", b.notes)
	}
}

// Whatever a program gives as files, the modem says what is wrong or tries.
func FuzzCredentials(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), []byte("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"))
	f.Add([]byte(nil), []byte("-----BEGIN PRIVATE KEY-----\n"))
	profiles := profile.All()
	f.Fuzz(func(t *testing.T, cert, key []byte) {
		c := Credentials{CA: File{"ca", cert}, Certificate: File{"cert", cert}, Key: File{"key", key}}
		for _, p := range profiles {
			c.unusable(p)
		}
	})
}
