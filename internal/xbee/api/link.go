package api

import (
	"net/netip"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/modem"
)

// maxPayload is the longest payload of a frame to or from the network, and
// maxDatagram that of a datagram (device-facts.md 4.4).
const (
	maxPayload  = 1500
	maxDatagram = 512
)

// link moves data between frames and a socket of the modem, in one job that
// owns the socket from connecting until it is closed.
type link struct {
	a      *API
	socket *modem.Socket
	queue  []outgoing
	kicked chan struct{}
	used   time.Duration // when something was last sent or received
	ended  bool

	// connect connects the socket; nil: it needs none.
	connect func() modem.Errno
	// connected is called when it is connected (may be nil).
	connected func()
	// idle is how long nothing may be sent or received; 0 is for ever.
	idle func() time.Duration
	// arrived takes what was received, which is only lent.
	arrived func(p []byte, from netip.AddrPort)
	// gone is called when there is no connection, or none any more; the socket
	// is closed after it.
	gone func(why modem.Reason)
}

// outgoing are data to be sent.
type outgoing struct {
	id    byte // of frame 89
	data  []byte
	to    netip.AddrPort // of a datagram; not valid: whom the socket is connected to
	close bool           // end the connection when they are sent
}

func (a *API) newLink(s *modem.Socket) *link {
	return &link{a: a, socket: s, kicked: make(chan struct{}, 1), used: world.Uptime(a.conf.Clock)}
}

// send has data sent; they belong to the link from now on.
func (l *link) send(o outgoing) {
	l.queue = append(l.queue, o)
	l.a.queued += len(o.data)
	l.kick()
}

// kick makes the job look what there is to do.
func (l *link) kick() {
	select {
	case l.kicked <- struct{}{}:
	default:
	}
}

// close ends the link without gone being called. Data that wait are answered as
// unsent.
func (l *link) close() {
	if l.ended {
		return
	}
	l.ended = true
	l.refuse(modem.Interrupted)
	l.socket.Close()
	l.kick()
}

// end ends the link because there is no connection.
func (l *link) end(why modem.Reason) {
	if l.ended {
		return
	}
	l.ended = true
	l.refuse(why)
	l.gone(why)
	l.socket.Close()
}

// refuse answers what waits as unsent.
func (l *link) refuse(why modem.Reason) {
	for len(l.queue) > 0 {
		l.done(txStatus(why))
	}
}

// done answers the first of what waits.
func (l *link) done(status byte) {
	o := l.queue[0]
	l.queue = l.queue[1:]
	full := l.a.Full()
	l.a.queued -= len(o.data)
	if full && !l.a.Full() && l.a.conf.Ready != nil {
		l.a.conf.Ready()
	}
	l.a.txReply(o.id, status)
}

// run is the job.
func (l *link) run() {
	if l.connect != nil {
		if e := l.connect(); e != 0 {
			why := l.socket.Why()
			if why == modem.NoReason {
				why = modem.OtherReason
			}
			l.end(why)
			return
		}
		if l.ended {
			return
		}
		l.used = world.Uptime(l.a.conf.Clock)
		if l.connected != nil {
			l.connected()
		}
	}
	buf := make([]byte, maxPayload)
	for !l.ended {
		sent, received := l.push(), l.pull(buf)
		switch {
		case l.ended:
		case sent || received:
			l.used = world.Uptime(l.a.conf.Clock)
			l.a.conf.Clock.Sleep(0) // the others have their turn
		default:
			l.wait()
		}
	}
}

// wait waits until there may be something to do, or ends the connection that
// has been idle for too long.
func (l *link) wait() {
	left := world.Forever
	if limit := l.idle(); limit > 0 {
		if left = limit - (world.Uptime(l.a.conf.Clock) - l.used); left <= 0 {
			l.end(modem.NoReason)
			return
		}
	}
	events := []<-chan struct{}{l.kicked}
	if l.a.open || len(l.queue) > 0 { // else what arrives has to wait
		events = append(events, l.socket.Changed()...)
	}
	l.a.conf.Clock.Wait(left, events...)
}

// push sends the first of what waits, as much as there is room for.
func (l *link) push() bool {
	if len(l.queue) == 0 {
		return false
	}
	o := l.queue[0]
	n, e := l.transfer(o)
	switch {
	case l.ended: // meanwhile
		return false
	case e == modem.EAGAIN, e == modem.EINTR:
		return false
	case e != 0 && l.socket.Proto() == modem.UDP:
		l.done(txStatus(l.whyNot(e))) // the next may be for somebody else
		return true
	case e != 0:
		l.end(l.whyNot(e))
		return false
	}
	l.queue[0].data = o.data[n:]
	l.a.queued -= n
	if n < len(o.data) && l.socket.Proto() != modem.UDP {
		return true
	}
	l.done(txOK)
	if o.close {
		l.end(modem.NoReason)
	}
	return true
}

func (l *link) transfer(o outgoing) (int, modem.Errno) {
	if o.to.IsValid() {
		return l.socket.SendTo(o.data, o.to.Addr().String(), int(o.to.Port()), modem.DontWait())
	}
	return l.socket.Send(o.data, modem.DontWait())
}

// whyNot is why an operation of the socket failed.
func (l *link) whyNot(e modem.Errno) modem.Reason {
	if why := l.socket.Why(); why != modem.NoReason {
		return why
	}
	switch e {
	case modem.ECONNRESET:
		return modem.ResetByPeer
	case modem.ETIMEDOUT:
		return modem.TimedOut
	case modem.ENOTCONN:
		return modem.Dropped
	}
	return modem.OtherReason
}

// pull receives what has arrived and hands it to arrived. Nothing is received
// while the port is not that of API mode.
func (l *link) pull(buf []byte) bool {
	if !l.a.open || l.ended {
		return false
	}
	n, from, e := l.socket.RecvFrom(buf, modem.DontWait())
	switch {
	case n > 0:
		l.arrived(buf[:n], from)
		return true
	case e == modem.EAGAIN, e == modem.EINTR:
		return false
	case e != 0:
		l.end(l.whyNot(e))
	case l.socket.IsLost(), l.socket.Why() == modem.PeerClosed:
		l.end(l.socket.Why())
	default:
		return true // a read that came back empty, for want of power
	}
	return false
}

// kickAll makes all links look what has arrived.
func (a *API) kickAll() {
	for _, c := range a.ips {
		c.link.kick()
	}
	for _, s := range a.sockets {
		if s.link != nil {
			s.link.kick()
		}
	}
}
