package world

import (
	"errors"
	"net/netip"
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
