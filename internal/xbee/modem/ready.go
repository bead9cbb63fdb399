package modem

import (
	"io"
	"net/netip"
)

// Readiness is what could be done with a socket now without waiting.
type Readiness struct {
	Read  bool // there is something to take, or the end of it
	Write bool
	Gone  bool // the connection is no more: the modem dropped it, or the peer broke it off
}

// peekSize is how much is taken off a connection to see whether there is
// anything; it waits in the socket until it is received.
const peekSize = 512

// datagram is one that was taken off a flow to see whether there is any.
type datagram struct {
	data []byte
	from netip.AddrPort
}

// Ready tells what could be done now. A socket that was never connected has
// nothing to read and cannot be written to.
func (s *Socket) Ready() Readiness {
	s.m.advance()
	switch s.state {
	case lost, closed:
		return Readiness{Gone: true}
	case fresh, listening:
		return Readiness{Read: s.proto == UDP && s.peekDatagram(), Write: s.proto == UDP}
	}
	if s.proto == UDP {
		return Readiness{Read: s.peekDatagram(), Write: true}
	}
	if len(s.held) > 0 {
		return Readiness{Read: true, Write: true}
	}
	if s.stands() { // what is sent now is swallowed, or waits for coverage
		return Readiness{Write: s.dropped}
	}
	buf := make([]byte, peekSize)
	n, err := s.conn.Recv(buf)
	if n > 0 {
		s.touch()
		s.held = buf[:n]
	}
	return Readiness{Read: n > 0 || err == io.EOF, Write: err == nil, Gone: err != nil && err != io.EOF}
}

// peekDatagram reports whether a datagram has arrived.
func (s *Socket) peekDatagram() bool {
	if s.first != nil {
		return true
	}
	buf := make([]byte, maxDatagram)
	for _, f := range s.flows {
		if n, err := f.conn.Recv(buf); n > 0 && err == nil && !s.stands() {
			s.touch()
			s.first = &datagram{buf[:n], f.peer}
			return true
		}
	}
	return false
}
