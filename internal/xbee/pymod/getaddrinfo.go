package pymod

import (
	"net/netip"
	"time"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/modem"
)

// getaddrinfo is getaddrinfo(host, port): a list with one 5-tuple, for the first
// IPv4 address of the host (device-facts.md 7.4). With None it is 0.0.0.0.
func getaddrinfo(v *vm.VM, host, port vm.Value) vm.Value {
	n := v.Int(port)
	addr := netip.IPv4Unspecified()
	if host != vm.None {
		name := string(v.StrArg(host))
		m := board(v).Modem
		until := m.Deadline(m.DialLimit())
		var addrs []netip.Addr
		raiseModem(v, await(v, func() (e modem.Errno) {
			addrs, e = m.Resolve(name, until)
			return e
		}))
		addr = addrs[0]
		for _, a := range addrs {
			if a.Is4() {
				addr = a
				break
			}
		}
	}
	family := afInet
	if addr.Is6() {
		family = afInet6
	}
	at := v.NewTuple(v.NewString(addr.String()), v.NewInt(int64(n)))
	return v.NewList(v.NewTuple(vm.SmallInt(family), vm.SmallInt(sockStream), vm.SmallInt(protoIP), vm.EmptyStr, at))
}

// milliseconds is a time in seconds cut to whole milliseconds as the device's
// CPU does it when it makes an unsigned number of a float: what is negative, or
// no number, is 0, and what is too long is for ever.
func milliseconds(seconds float32) time.Duration {
	ms := float64(1000 * seconds)
	switch {
	case !(ms >= 1):
		return 0
	case ms >= 1<<32-1:
		return world.Forever
	}
	return time.Duration(ms) * time.Millisecond
}
