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

// The values that can come about here. Those from 0x20 up differ between
// protocols, so they are given by what they mean.
const (
	Sent          Status = 0x00 // the socket is open, or the message was sent
	NotSent       Status = 0x01
	BadParameters Status = 0x02
	NotRegistered Status = 0x10
	NoSuchHost    Status = 0x12
	UserClosed    Status = 0x21
	NoInternet    Status = 0x23 // TCP, TLS
	TimedOut      Status = 0x24 // TCP, TLS; UDP's "unknown"
	Refused       Status = 0x26
	Lost          Status = 0x27
	LostUDP       Status = 0x23
	Unknown       Status = 0x28
	TLSFailed     Status = 0x2F
	NoStatus      Status = 0xFF
)

func lost(p modem.Proto) Status {
	if p == modem.UDP {
		return LostUDP
	}
	return Lost
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
			l.hangUp(lost(s.Proto()))
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
		return NotSent
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
		return l.failed(proto, e)
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

// failed is what ATCI shows of a connection that could not be made.
func (l *Link) failed(p modem.Proto, e modem.Errno) Status {
	switch {
	case l.conf.Modem.Association() != modem.Connected:
		return NotRegistered
	case e == l.conf.NoHost:
		return NoSuchHost
	case p == modem.UDP:
		return NotSent
	case e == modem.ETIMEDOUT:
		return TimedOut
	case e == modem.EHOSTUNREACH:
		return NoInternet
	case p == modem.TCP && e == l.conf.Refused:
		return Refused
	case p == modem.SEC:
		return TLSFailed
	}
	return Unknown
}
