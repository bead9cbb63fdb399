package meter

import (
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// together is how far apart what arrives may be and still have come in one
// piece.
const together = 50 * time.Millisecond

// conn is a connection whose traffic counts.
type conn struct {
	world.Conn
	m      *Meter
	record *Connection
	udp    bool
	tls    bool
	closed bool

	arrived     uint64 // bytes that came together, not yet counted as segments
	lastArrival time.Duration
	up, down    pings
	// Records of TLS as estimated so far, to be set right by what the wire says.
	estimated Bytes
	known     Bytes // payload
}

// opened counts what connecting took.
func (k *conn) opened() {
	if k.udp {
		return
	}
	t := world.Traffic{}
	if k.tls {
		var ok bool
		if t, ok = world.TrafficOf(k.Conn); !ok {
			t = world.Traffic{HandshakeSent: handshakeUp, HandshakeReceived: handshakeDown}
		}
	}
	k.m.count(k.record, shaken(t))
}

// records is what TLS adds to n bytes sent in one go.
func (k *conn) records(n uint64) uint64 {
	if !k.tls {
		return 0
	}
	return (n + recordPayload - 1) / recordPayload * recordExtra
}

// Send implements world.Stream.
func (k *conn) Send(p []byte) (int, error) {
	n, err := k.Conn.Send(p)
	if n > 0 || k.udp && err == nil && len(p) == 0 {
		k.flush()
		k.sent(p[:n])
	}
	return n, err
}

func (k *conn) sent(p []byte) {
	n := uint64(len(p))
	if k.udp {
		k.m.count(k.record, Counts{Payload: Bytes{Up: n}, Headers: Bytes{Up: datagramHeader}})
		return
	}
	extra := k.records(n)
	own, back := carrying(n + extra)
	c := Counts{Payload: Bytes{Up: n}, Records: Bytes{Up: extra}, Headers: Bytes{Up: own, Down: back}}
	k.known.Up += n
	k.estimated.Up += extra
	if kept := k.up.feed(p, true); kept.messages > 0 {
		if kept.bytes == n { // nothing else was in it
			c = Counts{KeepAlive: Bytes{Up: n + extra + own, Down: back}}
		} else { // a part of it may have been counted as payload before; the sums come out right
			c.Payload.Up -= kept.bytes
			c.KeepAlive.Up += kept.bytes
		}
	}
	k.m.count(k.record, c)
}

// Recv implements world.Stream.
func (k *conn) Recv(p []byte) (int, error) {
	n, err := k.Conn.Recv(p)
	if n <= 0 {
		return n, err
	}
	if k.udp {
		k.m.count(k.record, Counts{Payload: Bytes{Down: uint64(n)}, Headers: Bytes{Down: datagramHeader}})
		return n, err
	}
	now := world.Uptime(k.m.clock)
	if now-k.lastArrival > together {
		k.flush()
	}
	k.lastArrival = now
	k.arrived += uint64(n)
	k.known.Down += uint64(n)
	k.down.feed(p[:n], false)
	return n, err
}

// flush counts what has come together.
func (k *conn) flush() {
	n := k.arrived
	if n == 0 {
		return
	}
	k.arrived = 0
	extra := k.records(n)
	own, back := carrying(n + extra)
	k.estimated.Down += extra
	c := Counts{Payload: Bytes{Down: n}, Records: Bytes{Down: extra}, Headers: Bytes{Up: back, Down: own}}
	switch kept := k.down.take(); {
	case kept.bytes == n:
		c = Counts{KeepAlive: Bytes{Up: back, Down: n + extra + own}}
	case kept.bytes > 0:
		c.Payload.Down -= kept.bytes
		c.KeepAlive.Down += kept.bytes
	}
	k.m.count(k.record, c)
}

// Close implements world.Stream.
func (k *conn) Close() error {
	if k.closed {
		return nil
	}
	k.closed = true
	k.flush()
	err := k.Conn.Close()
	k.record.Closed = k.m.clock.Now()
	if !k.udp {
		c := Counts{Headers: Bytes{closeEach, closeEach}}
		if t, ok := world.TrafficOf(k.Conn); ok && k.tls {
			c.Records = k.correction(t)
		}
		k.m.count(k.record, c)
	}
	for i, o := range k.m.open {
		if o == k {
			k.m.open = append(k.m.open[:i:i], k.m.open[i+1:]...)
			break
		}
	}
	return err
}

// correction is what the wire carried beyond what was estimated: cipher suites
// differ, and TLS says goodbye.
func (k *conn) correction(t world.Traffic) Bytes {
	beyond := func(carried, handshake, known, estimated uint64) uint64 {
		if now := known + estimated; carried > handshake+now {
			return carried - handshake - now
		}
		return 0
	}
	return Bytes{
		Up:   beyond(t.Sent, t.HandshakeSent, k.known.Up, k.estimated.Up),
		Down: beyond(t.Received, t.HandshakeReceived, k.known.Down, k.estimated.Down),
	}
}
