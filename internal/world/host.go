package world

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
)

// maxDatagram is the longest UDP payload an IPv4 packet can carry.
const maxDatagram = 65507

// HostNetwork is the network of the machine this runs on. Limits are measured
// on c.
func HostNetwork(c Clock) Network { return hostNetwork{c} }

type hostNetwork struct{ clock Clock }

// within runs f in the background and waits for it on the device's clock. A
// result that comes too late is handed to discard.
func within[T any](c Clock, l Limit, f func(context.Context) (T, error), discard func(T)) (T, error) {
	ctx, cancel := context.WithCancel(context.Background())
	if l.Clock != nil {
		c = l.Clock
	}
	done := make(chan struct{})
	var result T
	var err error
	go func() {
		defer close(done)
		result, err = f(ctx)
	}()
	d := l.Timeout
	if d == 0 {
		d = Forever
	}
	which := c.Wait(d, done, l.Interrupt)
	cancel()
	if which == 0 {
		return result, classify(err)
	}
	go func() {
		if <-done; err == nil {
			discard(result)
		}
	}()
	var zero T
	if which == 1 {
		return zero, &Failure{Kind: FailInterrupted}
	}
	return zero, &Failure{Kind: FailTimeout}
}

func (n hostNetwork) Resolve(host string, l Limit) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	return within(n.clock, l, func(ctx context.Context) ([]netip.Addr, error) {
		addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		for i := range addrs {
			addrs[i] = addrs[i].Unmap()
		}
		return addrs, err
	}, func([]netip.Addr) {})
}

func (n hostNetwork) Dial(t Target, l Limit) (Conn, error) {
	var w *wire
	c, err := within(n.clock, l, func(ctx context.Context) (net.Conn, error) {
		network := "tcp"
		if t.Proto == UDP {
			network = "udp"
		}
		var d net.Dialer
		c, err := d.DialContext(ctx, network, net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port))))
		if err != nil {
			return nil, err
		}
		counted := &wire{Conn: c}
		w = counted // read only once this function has ended
		if t.TLS == nil {
			return counted, nil
		}
		s, err := t.TLS.handshake(ctx, counted, n.clock)
		counted.agreed()
		var f *Failure
		if errors.As(err, &f) {
			f.Traffic = counted.Traffic()
		}
		return s, err
	}, func(c net.Conn) { c.Close() })
	if err != nil {
		return nil, err
	}
	message := 0
	if t.Proto == UDP {
		message = maxDatagram
	}
	h := &hostConn{pump: newPump(c, c, c, message), wire: w, local: addrPort(c.LocalAddr()), remote: addrPort(c.RemoteAddr())}
	if o, ok := n.clock.(interface{ online(int) }); ok {
		o.online(1)
		h.offline = func() { o.online(-1) }
	}
	return h, nil
}

type hostConn struct {
	*pump
	wire          *wire
	local, remote netip.AddrPort
	offline       func()
}

func (c *hostConn) Local() netip.AddrPort  { return c.local }
func (c *hostConn) Remote() netip.AddrPort { return c.remote }

// Traffic implements [Carrier].
func (c *hostConn) Traffic() Traffic { return c.wire.Traffic() }

func (c *hostConn) Close() error {
	if c.offline != nil {
		c.offline()
		c.offline = nil
	}
	return c.pump.Close()
}

func addrPort(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.TCPAddr:
		p := a.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	case *net.UDPAddr:
		p := a.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	return netip.AddrPort{}
}
