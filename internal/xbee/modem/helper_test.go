package modem

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/world/worldtest"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// board is a modem in a world of its own.
type board struct {
	*Modem
	clock *world.VirtualClock
	power world.Supply
	notes []string
	stop  chan struct{}
}

// Supply implements world.Power.
func (b *board) Supply() world.Supply { return b.power }

func newBoard(t *testing.T, model profile.Model, routes ...worldtest.Route) *board {
	t.Helper()
	p, err := profile.Find(string(model), "")
	if err != nil {
		t.Fatal(err)
	}
	b := &board{clock: world.NewVirtualClock(world.VirtualStart), stop: make(chan struct{}, 1)}
	host := world.HostNetwork(b.clock)
	w := world.Virtual(1).WithClock(b.clock).WithPower(b).
		WithNetwork(worldtest.Network(host, routes...))
	b.Modem = New(Config{
		Profile: &p, World: w, Serial: 0x0013A20041A7B5C3, Interrupt: b.stop,
		Note: func(s string) { b.notes = append(b.notes, s) },
	})
	t.Cleanup(b.PowerOff)
	return b
}

// online passes the time that registration takes.
func (b *board) online() *board {
	b.clock.Advance(time.Minute)
	return b
}

func (b *board) noted(text string) bool {
	return strings.Contains(strings.Join(b.notes, "\n"), text)
}

// socket makes a socket or fails the test.
func (b *board) socket(t *testing.T, p Proto) *Socket {
	t.Helper()
	s, e := b.Socket(p)
	if e != 0 {
		t.Fatalf("Socket(%s): %v", p, e)
	}
	return s
}

func connect(s *Socket, host string, port int) Errno {
	return s.Connect(host, port, s.ConnectDeadline())
}

// serve answers connections on an address of its own with f, until the test ends.
func serve(t *testing.T, config *tls.Config, f func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				if config != nil {
					c = tls.Server(c, config)
				}
				f(c)
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func echo(c net.Conn) { io.Copy(c, c) }

// keys are two RSA keys for all tests: making one takes a while.
var keys = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var k [2]*rsa.PrivateKey
	for i := range k {
		k[i], _ = rsa.GenerateKey(rand.Reader, 2048)
	}
	return k
})

// chain is a root and a certificate it has signed.
type chain struct {
	rootPEM, leafPEM, keyPEM []byte
	root, leaf               *x509.Certificate
	pair                     tls.Certificate
}

func newChain(t *testing.T, commonName string, notAfter time.Time) chain {
	t.Helper()
	return newChainWith(t, keys(), commonName, notAfter)
}

func newChainWith(t *testing.T, k [2]*rsa.PrivateKey, commonName string, notAfter time.Time) chain {
	t.Helper()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test Root"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: world.VirtualStart.AddDate(-1, 0, 0), NotAfter: world.VirtualStart.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: commonName},
		NotBefore: ca.NotBefore, NotAfter: notAfter,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	var c chain
	make := func(tmpl, parent *x509.Certificate, pub *rsa.PublicKey) (*x509.Certificate, []byte) {
		der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, pub, k[0])
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	c.root, c.rootPEM = make(ca, ca, &k[0].PublicKey)
	c.leaf, c.leafPEM = make(leaf, c.root, &k[1].PublicKey)
	c.keyPEM = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k[1])})
	c.pair = tls.Certificate{Certificate: [][]byte{c.leaf.Raw}, PrivateKey: k[1]}
	return c
}

func longAfter() time.Time { return world.VirtualStart.AddDate(5, 0, 0) }

// credentials are those of a device that trusts c and is known by it.
func (c chain) credentials() Credentials {
	return Credentials{
		CA: File{"cert/aws.ca", c.rootPEM}, Certificate: File{"cert/aws.crt", c.leafPEM}, Key: File{"cert/aws.key", c.keyPEM},
	}
}

// mutual is the configuration of a server that wants to know its clients.
func (c chain) mutual() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(c.root)
	return &tls.Config{
		Certificates: []tls.Certificate{c.pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
		Time: func() time.Time { return world.VirtualStart }, CipherSuites: append(rsaSuites[:], ecdheSuites[:]...),
	}
}
