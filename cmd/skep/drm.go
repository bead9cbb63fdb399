package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/skep-sim/skep/internal/remotemanager"
	"github.com/skep-sim/skep/internal/rmlink"
	"github.com/skep-sim/skep/internal/world"
)

// drmLink is a command's way to the local Digi Remote Manager: one of its own,
// started when first needed, or at an address from the start.
type drmLink struct {
	log io.Writer

	mu     sync.Mutex
	addr   netip.AddrPort
	server *remotemanager.Server
}

// openDRM makes the link that --drm asks for; nil is none.
func openDRM(flag string, log io.Writer) (*drmLink, error) {
	l := &drmLink{log: log}
	switch flag {
	case "off":
		return nil, nil
	case "local":
		return l, nil
	}
	err := l.start(flag, true)
	if errors.Is(err, syscall.EADDRINUSE) { // that of another process
		conn, dialErr := net.DialTimeout("tcp", flag, time.Second)
		if dialErr == nil {
			l.addr = conn.RemoteAddr().(*net.TCPAddr).AddrPort()
			conn.Close()
			return l, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("--drm %s: %w; give local, off, or an address such as 127.0.0.1:8010", flag, err)
	}
	return l, nil
}

// start starts a Remote Manager. With verbose, it tells all that happens.
func (l *drmLink) start(addr string, verbose bool) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	l.addr = listener.Addr().(*net.TCPAddr).AddrPort()
	packets, err := net.ListenPacket("udp", l.addr.String())
	if err != nil {
		listener.Close()
		return err
	}
	cert, err := drmCertificate()
	if err != nil {
		listener.Close()
		packets.Close()
		return err
	}
	l.server = remotemanager.New(remotemanager.Config{
		Now: time.Now, Certificate: cert,
		After: func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop },
		Log: func(refused bool, text string) {
			if refused || verbose {
				fmt.Fprintln(l.log, "remote manager:", text)
			}
		},
	})
	l.server.Listen(listener)
	l.server.ServePacket(packets)
	fmt.Fprintf(l.log, "skep: the local Digi Remote Manager is at http://%s (any user and password)\n", l.addr)
	return nil
}

// drmCertificate makes a certificate. Nobody checks it: a program that gives
// ca_certs for Digi's own servers has to do without them here.
func drmCertificate() (tls.Certificate, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return tls.Certificate{}, err
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "local Remote Manager"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(50, 0, 0), DNSNames: drmNames,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// where is the address of the Remote Manager, which is started if need be.
func (l *drmLink) where() (netip.AddrPort, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.addr.IsValid() {
		if err := l.start("127.0.0.1:0", false); err != nil {
			return l.addr, fmt.Errorf("the local Digi Remote Manager: %w", err)
		}
	}
	return l.addr, nil
}

func (l *drmLink) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server != nil {
		l.server.Close()
		l.server = nil
	}
}

// drmNames are the names of Digi's Remote Manager, and drmPorts the ports at
// which the local one answers for it.
var (
	drmNames = []string{"remotemanager.digi.com", "my.devicecloud.com", "devicecloud.com"}
	drmPorts = []uint16{80, 443, rmlink.Port, rmlink.TLSPort, rmlink.DatagramPort}
)

func isDRM(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return slices.Contains(drmNames, host) || strings.HasSuffix(host, ".devicecloud.com")
}

// network is n, in which the names of Digi's Remote Manager lead to the local
// one, by way of host.
func (l *drmLink) network(n, host world.Network) world.Network {
	return drmNetwork{Network: n, host: host, link: l}
}

type drmNetwork struct {
	world.Network
	host world.Network
	link *drmLink
}

func (n drmNetwork) Resolve(host string, l world.Limit) ([]netip.Addr, error) {
	if isDRM(host) {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, nil
	}
	return n.Network.Resolve(host, l)
}

func (n drmNetwork) Dial(t world.Target, l world.Limit) (world.Conn, error) {
	if !isDRM(t.Host) {
		return n.Network.Dial(t, l)
	}
	if !slices.Contains(drmPorts, t.Port) {
		return nil, &world.Failure{Kind: world.FailRefused, Err: fmt.Errorf("the local Digi Remote Manager answers at the ports %v", drmPorts)}
	}
	addr, err := n.link.where()
	if err != nil {
		fmt.Fprintln(n.link.log, "skep:", err)
		return nil, &world.Failure{Kind: world.FailUnreachable, Err: err}
	}
	t.Host, t.Port = addr.Addr().String(), addr.Port()
	return n.host.Dial(t, l)
}
