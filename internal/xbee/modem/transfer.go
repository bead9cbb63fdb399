package modem

import (
	"io"

	"github.com/skep-sim/skep/internal/world"
)

// Send hands over as much of p as there is room for, waiting until d for room
// for any. It returns how much that was, at least one byte if p has any.
func (s *Socket) Send(p []byte, d Deadline) (int, Errno) {
	switch s.state {
	case closed:
		return 0, EBADF
	case fresh, listening, lost:
		return 0, ENOTCONN
	}
	if s.proto == UDP {
		return s.sendTo(s.flows[0], p, d)
	}
	if len(p) == 0 {
		return 0, 0
	}
	for {
		if s.conn == nil { // another task has closed the socket meanwhile
			return 0, ENOTCONN
		}
		n, err := s.conn.Send(p)
		if n > 0 {
			return n, 0
		}
		if err != nil {
			return 0, ofStream(err)
		}
		if e := s.m.wait(d, s.conn.Changed()); e != 0 {
			return 0, e
		}
	}
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
	switch s.state {
	case closed:
		return 0, EBADF
	case lost:
		return 0, 0
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
	for {
		if s.conn == nil { // another task has closed the socket meanwhile
			return 0, 0
		}
		n, err := s.conn.Recv(p)
		if n > 0 {
			if s.m.comesBackEmpty() {
				s.held = append([]byte(nil), p[:n]...)
				clear(p[:n])
				return 0, 0
			}
			return n, 0
		}
		if err == io.EOF {
			return 0, 0
		}
		if err != nil {
			if world.KindOf(err) == world.FailTLS {
				s.m.note("the TLS connection was broken off: " + s.m.explainTLS(err))
			}
			return 0, ofStream(err)
		}
		if e := s.m.wait(d, s.conn.Changed()); e != 0 {
			return 0, e
		}
	}
}
