// Package worldtest gives tests a network in which names lead to servers of
// their own.
//
// It is for tests only, as net/http/httptest is; a device outside a test is
// connected by package world and the command.
package worldtest

import (
	"net/netip"
	"path"
	"strings"

	"github.com/skep-sim/skep/internal/world"
)

// Route sends what is meant for some hosts somewhere else.
type Route struct {
	// Hosts is a pattern for host names, in lower case, in which * stands for
	// any characters but a dot: "*.iot.*.amazonaws.com".
	Hosts string
	// To is where the connection goes; with port 0 the port stays as it is.
	To netip.AddrPort
	// Addr is the address the device is told the name has, and at which it
	// reaches the route as well as by name. If it is not valid, To's own
	// address is told, and connections to that are blocked.
	Addr netip.Addr
}

// Network is a network where nothing but the routes is to be reached, through
// via. The first route that fits wins.
func Network(via world.Network, routes ...Route) world.Network {
	return network{world.NoNetwork(), via, append([]Route(nil), routes...)}
}

type network struct {
	world.Network
	via    world.Network
	routes []Route
}

// Resolve implements world.Network.
func (n network) Resolve(host string, l world.Limit) ([]netip.Addr, error) {
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

// Dial implements world.Network.
func (n network) Dial(t world.Target, l world.Limit) (world.Conn, error) {
	for _, r := range n.routes {
		if r.names(t.Host) || r.isAddr(t.Host) {
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
