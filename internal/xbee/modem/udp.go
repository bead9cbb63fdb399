package modem

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/skep-sim/skep/internal/world"
)

// This file is UDP. The world only knows conversations with one peer, so a
// socket keeps one for each peer it has sent to, up to maxFlows; what others
// send does not arrive.

// maxDatagram is the longest payload of a datagram (device-facts.md 4.4).
const maxDatagram = 512

const maxFlows = 4

type flow struct {
	host string // as the program named it
	port uint16
	peer netip.AddrPort
	conn world.Conn
	// broken: nothing gets through any more; the next datagram opens another
	broken bool
}

// flowTo finds or opens the conversation with a peer.
func (s *Socket) flowTo(host string, port uint16, d Deadline) (*flow, Errno) {
	for i, f := range s.flows {
		if f.host != host || f.port != port {
			continue
		}
		if !f.broken || i == 0 && s.state == connected {
			return f, 0
		}
		f.conn.Close()
		s.flows = slices.Delete(s.flows, i, i+1)
		break
	}
	if d.ticks == dontWait { // looking up a name cannot be done without
		d = s.m.Deadline(s.m.DialLimit())
	}
	conn, e := s.dial(world.Target{Proto: world.UDP, Host: host, Port: port}, d)
	if e != 0 {
		return nil, e
	}
	f := &flow{host: host, port: port, peer: seenAs(host, port, conn), conn: conn}
	if len(s.flows) == maxFlows {
		oldest := 0
		if s.state == connected {
			oldest = 1 // the first is what the socket is connected to
		}
		s.flows[oldest].conn.Close()
		s.flows = slices.Delete(s.flows, oldest, oldest+1)
	}
	s.flows = append(s.flows, f)
	if s.local == 0 {
		s.local = s.m.ephemeralPort()
	}
	return f, 0
}

func (s *Socket) connectUDP(host string, port uint16, d Deadline) Errno {
	f, e := s.flowTo(host, port, d)
	if e != 0 {
		return e
	}
	i := slices.Index(s.flows, f)
	if i < 0 { // it has gone meanwhile
		return ETIMEDOUT
	}
	s.host = host
	s.flows[0], s.flows[i] = s.flows[i], s.flows[0]
	s.state, s.peer = connected, f.peer
	return 0
}

// SendTo sends one datagram to a peer; on a connected TCP or TLS socket it is
// Send.
func (s *Socket) SendTo(p []byte, host string, port int, d Deadline) (int, Errno) {
	if s.proto != UDP {
		return s.Send(p, d)
	}
	switch {
	case s.state == closed:
		return 0, EBADF
	case s.state == lost:
		return 0, ENOTCONN
	case port < 1 || port > 0xFFFF || host == "":
		return 0, EINVAL
	}
	s.why = NoReason
	if e := s.m.needNetwork(d); e != 0 {
		s.why = NotRegistered
		return 0, e
	}
	f, e := s.flowTo(host, uint16(port), d)
	if e != 0 {
		return 0, e
	}
	return s.sendTo(f, p, d)
}

func (s *Socket) sendTo(f *flow, p []byte, d Deadline) (int, Errno) {
	if len(p) > maxDatagram {
		s.m.note(fmt.Sprintf("a datagram of %d bytes is too long for the modem, which takes %d: split it, or use TCP", len(p), maxDatagram))
		return 0, EMSGSIZE
	}
	for {
		s.touch()
		if s.stands() || !slices.Contains(s.flows, f) { // it is lost on the way
			return len(p), 0
		}
		n, err := f.conn.Send(p)
		if err != nil { // an earlier one was refused; UDP promises nothing
			f.broken = true
			return len(p), 0
		}
		if n > 0 || len(p) == 0 {
			return len(p), 0
		}
		if e := s.wait(d); e != 0 {
			return 0, e
		}
	}
}

// RecvFrom takes one datagram and says who sent it; on a TCP or TLS socket it
// is Recv. See [Socket.Recv].
func (s *Socket) RecvFrom(p []byte, d Deadline) (int, netip.AddrPort, Errno) {
	if s.proto != UDP {
		n, e := s.Recv(p, d)
		return n, s.peer, e
	}
	return s.recvFrom(p, d)
}

func (s *Socket) recvFrom(p []byte, d Deadline) (int, netip.AddrPort, Errno) {
	for {
		s.m.advance()
		switch s.state {
		case closed:
			return 0, s.peer, EBADF
		case lost:
			return 0, s.peer, 0
		}
		if d := s.first; d != nil {
			s.first = nil
			return copy(p, d.data), d.from, 0
		}
		for _, f := range s.flows {
			n, err := f.conn.Recv(p)
			if n > 0 {
				if s.stands() { // nobody could have sent it
					continue
				}
				s.touch()
				if s.m.comesBackEmpty() { // and is lost: nobody repeats a datagram
					n = 0
				}
				return n, f.peer, 0
			}
			if err != nil {
				f.broken = true
			}
		}
		if e := s.wait(d); e != 0 {
			return 0, s.peer, e
		}
	}
}
