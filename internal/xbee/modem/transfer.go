package modem

import (
	"io"

	"github.com/skep-sim/skep/internal/world"
)

// Send hands over as much of p as there is room for, waiting until d for room
// for any. It returns how much that was, at least one byte if p has any.
func (s *Socket) Send(p []byte, d Deadline) (int, Errno) {
	for {
		s.m.advance()
		switch s.state {
		case closed:
			return 0, EBADF
		case lost:
			if s.fault != 0 {
				return 0, s.fault
			}
			return 0, ENOTCONN
		case fresh, listening:
			return 0, ENOTCONN
		}
		if s.proto == UDP {
			return s.sendTo(s.flows[0], p, d)
		}
		switch {
		case len(p) == 0:
			return 0, 0
		case s.dropped:
			return s.swallow(p), 0
		case !s.stands():
			n, err := s.conn.Send(p)
			if n > 0 {
				s.touch()
				return n, 0
			}
			if err != nil {
				return 0, s.broke(err)
			}
		}
		if e := s.wait(d); e != 0 {
			return 0, e
		}
	}
}

// broke notes why an open connection failed, and gives the number for it.
func (s *Socket) broke(err error) Errno {
	e := ofStream(err)
	switch e {
	case ECONNRESET:
		s.why = ResetByPeer
	case ETIMEDOUT:
		s.why = TimedOut
	case EHOSTUNREACH:
		s.why = Unreachable
	default:
		s.why = PeerClosed
	}
	return e
}

// Recv takes what has arrived, up to len(p) bytes, waiting until d for
// anything. It returns 0 and no error when the peer has finished sending, when
// the modem dropped the connection, and, on USB power, now and then when there
// is data.
func (s *Socket) Recv(p []byte, d Deadline) (int, Errno) {
	if s.proto == UDP {
		n, _, e := s.recvFrom(p, d)
		return n, e
	}
	for {
		s.m.advance()
		switch s.state {
		case closed:
			return 0, EBADF
		case lost:
			return 0, s.fault
		case fresh, listening:
			return 0, ENOTCONN
		}
		if len(p) == 0 {
			return 0, 0
		}
		if len(s.held) > 0 {
			n := copy(p, s.held)
			s.held = s.held[n:]
			return n, 0
		}
		if !s.stands() {
			if n, e, done := s.take(p); done {
				return n, e
			}
		}
		if e := s.wait(d); e != 0 {
			return 0, e
		}
	}
}

// take moves what has arrived into p; done is false when that is nothing.
func (s *Socket) take(p []byte) (n int, e Errno, done bool) {
	n, err := s.conn.Recv(p)
	switch {
	case n > 0:
		s.touch()
		if s.m.comesBackEmpty() {
			s.held = append([]byte(nil), p[:n]...)
			clear(p[:n])
			n = 0
		}
		return n, 0, true
	case err == io.EOF:
		s.why = PeerClosed
		return 0, 0, true
	case err != nil:
		if world.KindOf(err) == world.FailTLS {
			s.m.note("the TLS connection was broken off: " + s.m.explainTLS(err))
		}
		return 0, s.broke(err), true
	}
	return 0, 0, false
}
