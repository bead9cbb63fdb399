package transparent

import (
	"fmt"
	"net/netip"

	"github.com/skep-sim/skep/internal/xbee/modem"
)

// This file opens the connection and says how it went.

// Status is a value of ATCI. The numbers and their meanings are the guide's (CI
// in 90002258); which of two that fit is shown, where there are two, is a choice.
type Status uint8

// The values that are the same for all protocols. Those from 0x20 up differ: see
// statusOf.
const (
	Sent          Status = 0x00 // the socket is open, or the message was sent
	NotSent       Status = 0x01
	BadParameters Status = 0x02
	NotRegistered Status = 0x10
	NoSuchHost    Status = 0x12
	SocketLeak    Status = 0x13
	UserClosed    Status = 0x21
	TLSFailed     Status = 0x2F
	NoStatus      Status = 0xFF
)

// statusOf is why there is no connection.
func statusOf(p modem.Proto, why modem.Reason) Status {
	udp := p == modem.UDP
	either := func(ifUDP, ifTCP Status) Status {
		if udp {
			return ifUDP
		}
		return ifTCP
	}
	switch why {
	case modem.NoReason:
		return Sent
	case modem.NotRegistered:
		return NotRegistered
	case modem.NoHost:
		return NoSuchHost
	case modem.NoResources:
		return SocketLeak
	case modem.Interrupted, modem.Dropped:
		return UserClosed
	case modem.TLSFailed, modem.TLSUnusable:
		return TLSFailed
	case modem.Unreachable:
		return either(NotSent, 0x23) // no internet connection
	case modem.TimedOut:
		return either(NotSent, 0x24) // no server
	case modem.Refused:
		return either(NotSent, 0x26)
	case modem.ResetByPeer, modem.PeerClosed, modem.ContextLost:
		return either(0x23, 0x27) // connection lost
	}
	return either(0x24, 0x28) // unknown
}

// Indicate sets the status, for a connection that a frame of API mode wanted.
func (l *Link) Indicate(p modem.Proto, why modem.Reason) { l.status = statusOf(p, why) }

// lost is why a connection has ended that once was.
func lost(s *modem.Socket) Status {
	why := s.Why()
	if why == modem.NoReason {
		why = modem.PeerClosed
	}
	return statusOf(s.Proto(), why)
}

// deliver sends a packet, over the connection or over a new one. What cannot be
// sent is lost, and ATCI says why.
func (l *Link) deliver(p []byte) {
	if l.setting("IP").Int() == protoSMS {
		l.status = l.text(p)
		return
	}
	if l.socket == nil {
		if l.status = l.connect(); l.status != Sent {
			return
		}
	}
	s := l.socket
	l.used = l.now()
	for len(p) > 0 {
		n, e := s.Send(p, l.conf.Modem.Deadline(l.conf.Modem.DialLimit()))
		if l.socket != s { // closed meanwhile
			return
		}
		if e == modem.EINTR {
			continue
		}
		if e != 0 {
			l.hangUp(lost(s))
			return
		}
		p = p[n:]
		l.used = l.now()
	}
}

// text sends a packet as a text message.
func (l *Link) text(p []byte) Status {
	phone := l.setting("P#").Text()
	switch e := l.conf.Modem.SendSMS(phone, string(p)); e {
	case 0:
		return Sent
	case modem.EINVAL:
		l.conf.Note(fmt.Sprintf("transparent mode: no text message can be sent to %q: set ATP# to a phone number, and send 7-bit ASCII", phone))
		return BadParameters
	case modem.ENOTCONN:
		return NotRegistered
	}
	return NotSent
}

// connect opens the connection that the registers describe.
func (l *Link) connect() Status {
	var proto modem.Proto
	switch l.setting("IP").Int() {
	case protoUDP:
		proto = modem.UDP
	case protoTCP:
		proto = modem.TCP
	default:
		proto = modem.SEC
	}
	host, port := l.setting("DL").Text(), int(l.setting("DE").Int())
	if a, err := netip.ParseAddr(host); host == "" || port == 0 || err == nil && a.IsUnspecified() {
		l.conf.Note(fmt.Sprintf("transparent mode: there is no destination (ATDL %q, ATDE %X): what is sent to the serial port is lost; set both, or select another mode with ATAP", host, port))
		return BadParameters
	}
	s, e := l.conf.Modem.Socket(proto)
	if e != 0 {
		return SocketLeak
	}
	keep := false
	defer func() {
		if !keep {
			s.Close()
		}
	}()
	if local := int(l.setting("C0").Int()); proto == modem.UDP && local != 0 {
		if e := s.Bind(local); e != 0 {
			return NotSent
		}
	}
	if proto == modem.SEC {
		c, err := l.conf.Credentials(l.setting("$0").Text())
		if err != nil {
			l.conf.Note("transparent mode: AT$0: " + err.Error())
			return TLSFailed
		}
		s.Wrap(c)
	}
	if e := s.Connect(host, port, s.ConnectDeadline()); e != 0 {
		return statusOf(proto, s.Why())
	}
	keep = true
	l.socket = s
	for _, i := range l.conf.Modem.Sockets() {
		if i.ID == s.ID() {
			l.remote = i.Remote.Addr()
		}
	}
	l.used = l.now()
	l.receiver = l.conf.Tasks.Go("transparent receive", l.receive)
	return Sent
}
