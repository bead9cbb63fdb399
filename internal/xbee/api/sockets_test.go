package api

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/world/worldtest"
)

func routes(to netip.AddrPort) []worldtest.Route { return []worldtest.Route{route(to)} }

func TestSocketTCP(t *testing.T) {
	server := serve(t, echo)
	r := newRig(t, options{routes: routes(server)})
	r.expect("create", "40 01 01", "C0 01 00 00")
	r.expect("and another", "40 02 00", "C0 02 01 00")
	r.tell("42 03 00 %s 01 %s", port(server), text("server.test"))
	r.then("connect", "C2 03 00 00", "CF 00 00")
	r.tell("%s", "44 04 00 00"+text("hello"))
	r.then("send", "89 04 00")
	r.then("receive", "CD 00 00 00"+text("hello"))
	r.tell("%s", "44 00 00 00"+text("quiet")) // no answer wanted
	r.then("receive", "CD 00 00 00"+text("quiet"))
	r.expect("connected already", "42 05 00 0050 00 C0000201", "C2 05 00 04")
	r.expect("bind it now", "46 05 00 0050", "C6 05 00 04")
	r.expect("too long", "44 05 00 00"+strings.Repeat("00", 1501), "89 05 74")
	r.expect("close", "43 06 00", "C3 06 00 00")
	r.expect("it is gone", "44 07 00 00 41", "89 07 20")
	r.expect("close again", "43 08 00", "C3 08 00 20")
	r.expect("the number is free", "40 09 01", "C0 09 00 00")
	r.expect("close all", "43 0A FF", "C3 0A FF 00")
	if n := len(r.modem.Sockets()); n != 0 {
		t.Errorf("%d sockets", n)
	}
}

func TestSocketRefuses(t *testing.T) {
	r := newRig(t, options{})
	r.expect("protocol", "40 01 02", "C0 01 FF 7B")
	r.expect("create", "40 01 01", "C0 01 00 00")
	r.expect("send first", "44 01 00 00 41", "89 01 87")
	r.expect("sendto on TCP", "45 01 00 C0000201 0050 00 41", "89 01 7B")
	r.expect("no such socket", "42 01 05 0050 00 C0000201", "C2 01 05 20")
	r.expect("no such socket", "44 01 05 00 41", "89 01 20")
	r.expect("no such socket", "45 01 05 C0000201 0050 00 41", "89 01 20")
	r.expect("no such socket", "46 01 05 0050", "C6 01 05 20")
	r.expect("port 0", "42 01 00 0000 00 C0000201", "C2 01 00 01")
	r.expect("kind of address", "42 01 00 0050 02 C0000201", "C2 01 00 01")
	r.expect("short address", "42 01 00 0050 00 C000", "C2 01 00 01")
	r.expect("no name", "42 01 00 0050 01", "C2 01 00 01")
	r.expect("bad name", "42 01 00 0050 01"+text("a b"), "C2 01 00 01")
	r.expect("bind to port 0", "46 01 00 0000", "C6 01 00 01")
	r.tell("42 01 00 0050 01 %s", text("nowhere.test"))
	r.then("no such host", "C2 01 00 00", "CF 00 01")
	r.expect("the socket is gone", "43 01 00", "C3 01 00 20")
	off := newRig(t, options{off: true})
	off.expect("create", "40 01 01", "C0 01 00 00")
	off.expect("not registered", "42 01 00 0050 00 C0000201", "C2 01 00 22")
}

func TestSocketsThatListen(t *testing.T) {
	r := newRig(t, options{})
	r.expect("create", "40 01 01", "C0 01 00 00")
	r.expect("listen", "46 02 00 0050", "C6 02 00 00")
	r.expect("twice", "46 03 00 0050", "C6 03 00 04")
	r.expect("send", "44 04 00 00 41", "89 04 87")
	r.expect("connect", "42 05 00 0050 00 C0000201", "C2 05 00 04")
	r.expect("another", "40 01 01", "C0 01 01 00")
	r.expect("on the same port", "46 02 01 0050", "C6 02 01 04")
	r.pass(time.Hour)
	r.answers("nobody comes", r.take())
	r.expect("close", "43 06 00", "C3 06 00 00")
	r.expect("TLS", "40 01 04", "C0 01 00 00")
	r.expect("does not listen", "46 02 00 01BB", "C6 02 00 7B")
}

func TestSocketUDP(t *testing.T) {
	server := echoUDP(t)
	r := newRig(t, options{routes: routes(server)})
	r.expect("create", "40 01 00", "C0 01 00 00")
	r.tell("45 02 00 %s %s 00 %s", serverHex, port(server), text("hello"))
	r.then("sendto", "89 02 00", "CE 00 00"+serverHex+port(server)+"00"+text("hello"))
	r.expect("connect a bound one", "42 05 00 0050 00 C0000201", "C2 05 00 04")
	r.expect("no destination", "45 02 00 00000000 0050 00 41", "89 02 7A")
	r.expect("too long", "45 02 00 C0000201 0050 00"+strings.Repeat("00", 513), "89 02 74")
	r.expect("bind", "40 01 00", "C0 01 01 00")
	r.expect("bind", "46 02 01 1234", "C6 02 01 00")
	r.tell("45 03 01 %s %s 00 %s", serverHex, port(server), text("bound"))
	r.then("sendto", "89 03 00", "CE 00 01"+serverHex+port(server)+"00"+text("bound"))
	r.expect("connect", "40 01 00", "C0 01 02 00")
	r.tell("42 02 02 %s 00 %s", port(server), serverHex)
	r.then("connect", "C2 02 02 00", "CF 02 00")
	r.tell("%s", "44 03 02 00"+text("conn"))
	r.then("send", "89 03 00")
	r.then("receive", "CD 00 02 00"+text("conn"))
	r.expect("sendto when connected", "45 03 02 C0000201 0050 00 41", "89 03 2C")
}

func TestSocketOptions(t *testing.T) {
	r := newRig(t, options{})
	r.expect("create TLS", "40 01 04", "C0 01 00 00")
	r.expect("create TCP", "40 01 01", "C0 01 01 00")
	r.expect("read", "41 02 00 00", "C1 02 00 00 00 00")
	r.expect("set", "41 02 00 00 02", "C1 02 00 00 00")
	r.expect("read", "41 02 00 00", "C1 02 00 00 00 02")
	r.expect("no such profile", "41 02 00 00 03", "C1 02 00 00 01")
	r.expect("too long", "41 02 00 00 0000", "C1 02 00 00 01")
	r.expect("no such option", "41 02 00 01", "C1 02 00 01 02")
	r.expect("no such option", "41 02 00 01 00", "C1 02 00 01 01")
	r.expect("not TLS", "41 02 01 00", "C1 02 01 00 02")
	r.expect("no such socket", "41 02 07 00", "C1 02 07 00 20")
	r.tell("08 00 2432 %s", text("missing.pem;;"))
	r.expect("its file is missing", "42 01 00 01BB 00 C0000201", "C2 01 00 86")
	r.tell("08 00 2432 %s", text(";;"))
	r.tell("42 01 00 01BB 00 C0000201")
	r.then("nobody is there", "C2 01 00 00", "CF 00 01")
	r.expect("so it is gone", "41 02 00 00 01", "C1 02 00 00 20")
}

// selfSigned makes a certificate that is its own root, and its PEM form.
func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "server.test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: world.VirtualStart.AddDate(-1, 0, 0), NotAfter: world.VirtualStart.AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestSocketTLS(t *testing.T) {
	pair, root := selfSigned(t)
	config := &tls.Config{Certificates: []tls.Certificate{pair}, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}, MaxVersion: tls.VersionTLS12}
	server := serve(t, func(c net.Conn) { echo(tls.Server(c, config)) })
	r := newRig(t, options{routes: routes(server), files: map[string]string{"ca.pem": root, "bad.pem": "no certificate"}})
	r.tell("08 00 2430 %s", text("ca.pem;;"))
	r.expect("create", "40 01 04", "C0 01 00 00")
	r.tell("42 02 00 %s 01 %s", port(server), text("server.test"))
	r.then("connect", "C2 02 00 00", "CF 00 00")
	r.tell("%s", "44 03 00 00"+text("secret"))
	r.then("send", "89 03 00")
	r.then("receive", "CD 00 00 00"+text("secret"))
	// By frame 23, the profile in place of the protocol.
	r.tell("23 04 %s %s 0000 00 00 %s", serverHex, port(server), text("more"))
	r.then("frame 23", "89 04 00")
	r.b0("received", r.next(), server, 4, "more")
	r.tell("08 00 2431 %s", text("bad.pem;;"))
	r.tell("23 05 %s %s 0000 01 00 %s", serverHex, port(server), text("more"))
	r.then("a file that is no certificate", "89 05 86")
	r.tell("08 00 544C 01") // TLS 1.0, which the server may not take
	plain := serve(t, echo)
	other := newRig(t, options{routes: routes(plain)})
	other.tell("23 05 %s %s 0000 00 00 %s", serverHex, port(plain), text("more"))
	other.then("the server does not speak TLS", "89 05 8B")
}

func TestSocketStates(t *testing.T) {
	for what, tt := range map[string]struct {
		do   func(r *rig)
		want []string
	}{
		"the peer closes":      {func(r *rig) { r.tell("44 00 00 00 %s", text("bye")) }, []string{"CF 00 07"}},
		"reset by the server":  {func(r *rig) { r.modem.ResetConnections("") }, []string{"CF 00 0C"}},
		"airplane mode":        {func(r *rig) { r.modem.SetAirplane(true) }, []string{"CF 00 03", "8A 03"}},
		"the network is gone":  {func(r *rig) { r.modem.SetCoverage(false); r.pass(time.Minute) }, []string{"8A 03", "CF 00 0E"}},
		"denied":               {func(r *rig) { r.modem.SetDenied(true) }, []string{"CF 00 0E", "8A 03"}},
		"the carrier forgets":  {func(r *rig) { forget(r) }, []string{"89 09 00", "CF 00 04"}},
		"closed while it does": {func(r *rig) { r.host("43 00 00") }, nil},
	} {
		server := serve(t, func(c net.Conn) {
			c.Read(make([]byte, 3)) // and close
		})
		r := newRig(t, options{routes: routes(server)})
		r.expect(what+": create", "40 01 01", "C0 01 00 00")
		r.tell("42 02 00 %s 01 %s", port(server), text("server.test"))
		r.then(what, "C2 02 00 00", "CF 00 00")
		tt.do(r)
		var after []string
		for range tt.want {
			after = append(after, r.next())
		}
		if strings.Join(after, " ") != strings.ReplaceAll(strings.Join(tt.want, "|"), " ", "") {
			if a, b := strings.Join(sorted(after), " "), strings.Join(sorted(tt.want), " "); a != b {
				t.Errorf("%s: %q, want %q", what, after, tt.want)
			}
		}
		if len(r.sockets) != 0 || len(r.modem.Sockets()) != 0 {
			t.Errorf("%s: the socket is still there", what)
		}
	}
}

// sorted puts frames, whose order between jobs does not matter, in order.
func sorted(frames []string) []string {
	var all []string
	for _, f := range frames {
		all = append(all, strings.ReplaceAll(f, " ", ""))
	}
	if len(all) == 2 && all[0] > all[1] {
		all[0], all[1] = all[1], all[0]
	}
	return all
}

func forget(r *rig) {
	r.modem.SetNATTimeout(time.Minute)
	r.pass(2 * time.Minute)
	r.Receive([]byte{0x7E, 0, 5, 0x44, 9, 0, 0, 0x41, 0x71})
	r.pass(2 * time.Minute)
}

func TestClosingWhileConnecting(t *testing.T) {
	server := serve(t, echo)
	r := newRig(t, options{routes: routes(server)})
	r.tell("40 01 01")
	r.tell("42 02 00 %s 01 %s", port(server), text("server.test"))
	r.tell("43 03 00")
	if !r.until(func() bool { return slices.Contains(r.out, "C3030000") && len(r.modem.Sockets()) == 0 }) {
		t.Errorf("%d sockets; the module answers %q", len(r.modem.Sockets()), r.out)
	}
	r.pass(time.Minute)
	// It may have been connected before, if the host is slow, but not afterwards.
	if slices.Index(r.out, "CF0000") > slices.Index(r.out, "C3030000") {
		t.Errorf("a socket that is closed is connected: %q", r.out)
	}
}
