package skep

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/skep-sim/skep/internal/world"
)

// network leads some names elsewhere.
type network struct {
	world.Network               // for everything else
	host          world.Network // the host's
	routes        map[string]route
	addrs         map[string]netip.Addr // of the names that lead somewhere
	byAddr        map[netip.Addr]string
}

// route is where a connection goes.
type route struct {
	host string
	port uint16
}

// testNetwork is where the names that lead elsewhere have their addresses, as the
// module sees them: a range for tests (RFC 2544).
var testNetwork = netip.AddrFrom4([4]byte{198, 18, 0, 0})

func newNetwork(host world.Network, open bool, hosts map[string]string) (world.Network, error) {
	n := &network{
		Network: world.NoNetwork(), host: host,
		routes: map[string]route{}, addrs: map[string]netip.Addr{}, byAddr: map[netip.Addr]string{},
	}
	if open {
		n.Network = host
	}
	next := testNetwork
	for _, from := range slices.Sorted(maps.Keys(hosts)) {
		to := hosts[from]
		h, p, err := net.SplitHostPort(to)
		if err != nil {
			return nil, fmt.Errorf("in Options.Hosts %s leads to %q: write an address and a port, as in 127.0.0.1:8883", from, to)
		}
		port, err := strconv.ParseUint(p, 10, 16)
		if err != nil || port == 0 {
			return nil, fmt.Errorf("in Options.Hosts %s leads to %q, whose port is none", from, to)
		}
		from = strings.ToLower(from)
		n.routes[from] = route{h, uint16(port)}
		if name, _, err := net.SplitHostPort(from); err == nil {
			from = name
		}
		if _, known := n.addrs[from]; !known {
			next = next.Next()
			n.addrs[from], n.byAddr[next] = next, from
		}
	}
	return n, nil
}

// find returns where a host and port lead.
func (n *network) find(host string, port uint16) (route, bool) {
	host = plain(host)
	if a, err := netip.ParseAddr(host); err == nil && n.byAddr[a] != "" {
		host = n.byAddr[a]
	}
	if r, ok := n.routes[net.JoinHostPort(host, strconv.Itoa(int(port)))]; ok {
		return r, true
	}
	r, ok := n.routes[host]
	return r, ok
}

func plain(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// Resolve implements world.Network.
func (n *network) Resolve(host string, l world.Limit) ([]netip.Addr, error) {
	if a, ok := n.addrs[plain(host)]; ok {
		return []netip.Addr{a}, nil
	}
	return n.Network.Resolve(host, l)
}

// Dial implements world.Network.
func (n *network) Dial(t world.Target, l world.Limit) (world.Conn, error) {
	if r, ok := n.find(t.Host, t.Port); ok {
		t.Host, t.Port = r.host, r.port
		return n.host.Dial(t, l)
	}
	return n.Network.Dial(t, l)
}
