package record

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/skep-sim/skep/internal/world"
)

// network is the network of a world that is recorded. raw is nil when replaying.
type network struct {
	*seam
	raw   world.Network
	clock world.Clock
}

// called is what a goroutine of its own asks of the host.
type called[T any] struct {
	result T
	err    error
}

// call has ask done in the background and waits for it on the device's clock: what
// ends the wait crosses the seam as any other event does. ended is false when it
// was given up, for which err is the reason.
func call[T any](n *network, l world.Limit, ask func(l world.Limit) (T, error), discard func(T)) (r called[T], ended bool) {
	g := n.newGate()
	defer n.drop(g)
	cancel, done := make(chan struct{}), make(chan struct{})
	back := &called[T]{}
	if n.raw != nil {
		g.raw = done
		go func() {
			defer close(done)
			back.result, back.err = ask(world.Limit{Interrupt: cancel})
		}()
	}
	clock := l.Clock
	if clock == nil {
		clock = n.clock
	}
	d := l.Timeout
	if d == 0 {
		d = world.Forever
	}
	given := false
	defer func() { // also when the device's goroutine is unwound
		close(cancel)
		if n.raw != nil && !given {
			go func() {
				if <-done; back.err == nil {
					discard(back.result)
				}
			}()
		}
	}()
	switch clock.Wait(d, g.seen, l.Interrupt) {
	case 0:
		given = true
		if n.raw != nil {
			r = *back
		}
		return r, true
	case 1:
		r.err = &world.Failure{Kind: world.FailInterrupted}
	default:
		r.err = &world.Failure{Kind: world.FailTimeout}
	}
	return r, false
}

// Resolve implements world.Network.
func (n *network) Resolve(host string, l world.Limit) ([]netip.Addr, error) {
	if !n.begin(KindLookup, appendText(nil, host), "looking up "+host) {
		return n.raw.Resolve(host, l)
	}
	r, ended := call(n, l, func(l world.Limit) ([]netip.Addr, error) { return n.raw.Resolve(host, l) }, func([]netip.Addr) {})
	if !ended {
		return nil, r.err
	}
	n.step()
	if n.play == nil {
		b := appendError(nil, r.err)
		for _, a := range r.result {
			b = appendText(b, a.String())
		}
		n.put(KindFound, b)
		return r.result, r.err
	}
	d := n.must(KindFound)
	err := d.error()
	var found []netip.Addr
	for len(d.b) > 0 {
		a, wrong := netip.ParseAddr(d.text())
		if wrong != nil {
			d.err = errEntry
		}
		found = append(found, a)
	}
	n.done(&d)
	return found, err
}

// begin records, or compares, what the host is asked for. It is false after the
// end of the run, when nothing is recorded any more.
func (n *network) begin(k Kind, what []byte, text string) bool {
	if n.over && n.raw != nil {
		return false
	}
	n.step()
	if n.play == nil {
		n.put(k, what)
		return true
	}
	d := n.must(k)
	if !n.over && string(d.rest()) != string(what) {
		n.diverge("the recording asks the network for something else here than " + text)
	}
	n.onTime()
	return true
}

// Flags of a target, and of a connection.
const (
	targetUDP = 1 << iota
	targetTLS
)

// Dial implements world.Network.
func (n *network) Dial(t world.Target, l world.Limit) (world.Conn, error) {
	name := net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port)))
	flags, sni := byte(0), ""
	if t.Proto == world.UDP {
		flags |= targetUDP
	}
	if t.TLS != nil {
		flags |= targetTLS
		sni = t.TLS.SNI
	}
	what := appendText([]byte{flags}, t.Host)
	what = appendText(binary.AppendUvarint(what, uint64(t.Port)), sni)
	if !n.begin(KindDial, what, fmt.Sprintf("a connection to %s", name)) {
		return n.raw.Dial(t, l)
	}
	r, ended := call(n, l, func(l world.Limit) (world.Conn, error) { return n.raw.Dial(t, l) }, func(c world.Conn) { c.Close() })
	if !ended {
		return nil, r.err
	}
	n.step()
	if n.play == nil {
		return n.dialled(r.result, r.err, name)
	}
	d := n.must(KindDialled)
	if err := d.error(); err != nil || n.over {
		n.done(&d)
		if err == nil {
			err = &world.Failure{Kind: world.FailClosed}
		}
		return nil, err
	}
	c := conn{stream: n.newStream(nil, name)}
	number, counts := d.uint(), d.byte() == 1
	c.local, c.remote = d.addr(), d.addr()
	n.done(&d)
	if number != c.number {
		n.diverge("the recording numbers this connection differently")
	}
	if counts {
		return &carrier{conn: c}, nil
	}
	return &c, nil
}

func (n *network) dialled(raw world.Conn, err error, name string) (world.Conn, error) {
	b := appendError(nil, err)
	if err != nil {
		n.put(KindDialled, b)
		return nil, err
	}
	c := conn{stream: n.newStream(raw, name), local: raw.Local(), remote: raw.Remote()}
	_, counts := raw.(world.Carrier)
	b = append(binary.AppendUvarint(b, c.number), flag(counts))
	n.put(KindDialled, appendAddr(appendAddr(b, c.local), c.remote))
	if counts {
		return &carrier{conn: c}, nil
	}
	return &c, nil
}

// power is the supply of the board.
type power struct {
	*seam
	raw  world.Power
	last world.Supply
}

// Supply implements world.Power.
func (p *power) Supply() world.Supply {
	p.step()
	if p.play != nil {
		if d, ok := p.take(KindSupply); ok {
			p.last = world.Supply(d.byte())
			p.done(&d)
		}
		return p.last
	}
	if now := p.raw.Supply(); now != p.last {
		p.last = now
		p.put(KindSupply, []byte{byte(now)})
	}
	return p.last
}
