package world

import (
	"errors"
	"net/netip"
	"path"
	"strings"
)

// Network is what lies behind the modem. Both methods are called by the
// device's goroutine and return to it when they succeed, fail, or reach their
// limit; every error is a *Failure.
type Network interface {
	// Resolve returns the addresses of a host name. An address in text form is
	// returned as it is, without asking anybody.
	Resolve(host string, l Limit) ([]netip.Addr, error)
	// Dial opens a connection.
	Dial(t Target, l Limit) (Conn, error)
}

// Conn is an open connection.
type Conn interface {
	Stream
	// Local and Remote are the addresses of the two ends.
	Local() netip.AddrPort
	Remote() netip.AddrPort
}

// Target says what to connect to.
type Target struct {
	Proto Proto
	Host  string // a name, or an address in text form
	Port  uint16
	// TLS, if not nil, makes the connection a TLS session whose bytes are seen
	// in the clear on this side: the modem terminates TLS, and a recording of
	// the clear bytes can be replayed without keys.
	TLS *TLS
}

// Proto is the transport of a connection.
type Proto uint8

// The transports.
const (
	TCP Proto = iota
	UDP
)

// NoNetwork is the network of a module without an antenna: every call fails
// with FailBlocked, except that Resolve still reads addresses in text form.
func NoNetwork() Network { return noNetwork{} }

type noNetwork struct{}

var errNoNetwork = errors.New("the device has no network; give it one with --net host")

func (noNetwork) Resolve(host string, _ Limit) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	return nil, &Failure{Kind: FailBlocked, Err: errNoNetwork}
}

func (noNetwork) Dial(Target, Limit) (Conn, error) {
	return nil, &Failure{Kind: FailBlocked, Err: errNoNetwork}
}

// Route sends what is meant for some hosts somewhere else.
type Route struct {
	// Hosts is a pattern for host names, in lower case, in which * stands for
	// any characters but a dot: "*.iot.*.amazonaws.com".
	Hosts string
	// Port is the port as the device sees it; 0 is every port.
	Port uint16
	// To is where the connection goes; with port 0 the port stays as it is.
	To netip.AddrPort
	// Addr is the address the device is told the name has, and at which it
	// reaches the route as well as by name. If it is not valid, To's own
	// address is told, and connections to that go where they say.
	Addr netip.Addr
}

// WithRoutes is n, except that the first route that fits wins over it. Routes
// reach their target through via, which lets a device whose n is [NoNetwork]
// still reach the local cloud.
func WithRoutes(n, via Network, routes ...Route) Network {
	return routed{n, via, append([]Route(nil), routes...)}
}

type routed struct {
	Network
	via    Network
	routes []Route
}

func (n routed) Resolve(host string, l Limit) ([]netip.Addr, error) {
	for _, r := range n.routes {
		if !r.names(host) {
			continue
		}
		if r.Addr.IsValid() {
			return []netip.Addr{r.Addr}, nil
		}
		return []netip.Addr{r.To.Addr()}, nil
	}
	return n.Network.Resolve(host, l)
}

func (n routed) Dial(t Target, l Limit) (Conn, error) {
	for _, r := range n.routes {
		if (r.Port == 0 || r.Port == t.Port) && (r.names(t.Host) || r.isAddr(t.Host)) {
			t.Host = r.To.Addr().String()
			if r.To.Port() != 0 {
				t.Port = r.To.Port()
			}
			return n.via.Dial(t, l)
		}
	}
	return n.Network.Dial(t, l)
}

func (r Route) names(host string) bool {
	// path.Match keeps * within one element, as a certificate's * does.
	slashed := func(s string) string { return strings.ReplaceAll(s, ".", "/") }
	ok, err := path.Match(slashed(r.Hosts), slashed(strings.ToLower(strings.TrimSuffix(host, "."))))
	return ok && err == nil
}

func (r Route) isAddr(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && r.Addr.IsValid() && a == r.Addr
}
