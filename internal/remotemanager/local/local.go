// Package local starts a Digi Remote Manager on this machine and makes a network
// in which Digi's names lead to it.
//
// What it does is package remotemanager's; this is the part that opens ports.
package local

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/remotemanager"
	"github.com/skep-sim/skep/internal/rmlink"
	"github.com/skep-sim/skep/internal/world"
)

// Manager is a running Remote Manager.
type Manager struct {
	// Addr is where it listens, for everything.
	Addr   netip.AddrPort
	Server *remotemanager.Server
}

// Start starts one at an address; port 0 is any that is free. log takes what a
// person may want to see (may be nil).
func Start(addr string, log func(refused bool, text string)) (*Manager, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	m := &Manager{Addr: listener.Addr().(*net.TCPAddr).AddrPort()}
	packets, err := net.ListenPacket("udp", m.Addr.String())
	if err != nil {
		listener.Close()
		return nil, err
	}
	clock := world.RealClock()
	cert, err := certificate(clock.Now())
	if err != nil {
		listener.Close()
		packets.Close()
		return nil, err
	}
	m.Server = remotemanager.New(remotemanager.Config{
		Now: clock.Now, Certificate: cert, Log: log,
		After: func(d time.Duration, f func()) (stop func() bool) { return after(clock, d, f) },
	})
	m.Server.Listen(listener)
	m.Server.ServePacket(packets)
	return m, nil
}

// Close ends it.
func (m *Manager) Close() { m.Server.Close() }

// after is time.AfterFunc on a clock.
func after(c world.Clock, d time.Duration, f func()) (stop func() bool) {
	stopped := make(chan struct{}, 1)
	go func() {
		if c.Wait(d, stopped) < 0 {
			f()
		}
	}()
	return func() bool {
		select {
		case stopped <- struct{}{}:
			return true
		default:
			return false
		}
	}
}

// certificate makes a certificate. Nobody checks it: a program that gives
// ca_certs for Digi's own servers has to do without them here.
func certificate(now time.Time) (tls.Certificate, error) {
	entropy := world.HostEntropy()
	key, err := rsa.GenerateKey(entropy, 2048)
	if err != nil {
		return tls.Certificate{}, err
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "local Remote Manager"},
		NotBefore: time.Unix(0, 0), NotAfter: now.AddDate(50, 0, 0), DNSNames: names(),
	}
	der, err := x509.CreateCertificate(entropy, c, c, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// names are those of Digi's Remote Manager, and ports those at which the local
// one answers for it.
func names() []string {
	return []string{"remotemanager.digi.com", "my.devicecloud.com", "devicecloud.com"}
}

func ports() []uint16 {
	return []uint16{80, 443, rmlink.Port, rmlink.TLSPort, rmlink.DatagramPort}
}

// Named reports whether a host name is one of Digi's Remote Manager.
func Named(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return slices.Contains(names(), host) || strings.HasSuffix(host, ".devicecloud.com")
}

// Network is n, in which Digi's names lead to what where returns, by way of host.
func Network(n, host world.Network, where func() (netip.AddrPort, error)) world.Network {
	return network{Network: n, host: host, where: where}
}

type network struct {
	world.Network
	host  world.Network
	where func() (netip.AddrPort, error)
}

// Resolve implements world.Network.
func (n network) Resolve(host string, l world.Limit) ([]netip.Addr, error) {
	if Named(host) {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, nil
	}
	return n.Network.Resolve(host, l)
}

// Dial implements world.Network.
func (n network) Dial(t world.Target, l world.Limit) (world.Conn, error) {
	if !Named(t.Host) {
		return n.Network.Dial(t, l)
	}
	if !slices.Contains(ports(), t.Port) {
		return nil, &world.Failure{Kind: world.FailRefused, Err: fmt.Errorf("the local Digi Remote Manager answers at the ports %v", ports())}
	}
	addr, err := n.where()
	if err != nil {
		return nil, &world.Failure{Kind: world.FailUnreachable, Err: err}
	}
	t.Host, t.Port = addr.Addr().String(), addr.Port()
	return n.host.Dial(t, l)
}
