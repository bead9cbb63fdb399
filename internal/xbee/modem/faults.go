package modem

import (
	"strings"
	"time"
)

// This file is what a scripted world does to the modem.

// SetCoverage takes the network away, or brings it back. Without it the
// connections stand still; when it is back within Timing.Outage they go on,
// otherwise the network has forgotten them.
func (m *Modem) SetCoverage(on bool) {
	if on != m.registration.uncovered {
		return
	}
	m.advance()
	r := &m.registration
	if r.uncovered = !on; on {
		m.outageEnd = 0
		if initialised, _, _ := r.steps(); m.now() >= initialised {
			r.start(m.now(), true)
		}
	} else if m.state.online() {
		m.outageEnd = m.now() + r.timing.Outage.Microseconds()
	}
	m.changed()
}

// SetDenied makes the network refuse the SIM, which ends every connection, or
// take it again.
func (m *Modem) SetDenied(on bool) {
	if on == m.registration.denied {
		return
	}
	m.advance()
	if m.registration.denied = on; on {
		m.abandonConnections(ContextLost)
	} else {
		m.registration.start(m.now(), true)
	}
	m.changed()
}

// SetSignal sets how well the network is received.
func (m *Modem) SetSignal(s Signal) { m.identity.Signal = s }

// SetNATTimeout sets how long the carrier's address translation remembers a
// connection on which nothing is sent or received; 0 is for ever. What comes
// later gets lost on the way without anybody being told: the module's TCP gives
// up after Timing.GiveUp, the other side has to find out for itself.
func (m *Modem) SetNATTimeout(d time.Duration) {
	m.advance()
	m.natTimeout = d
	for _, s := range m.sockets {
		s.lastTraffic = m.now()
	}
	m.changed()
}

// ResetConnections breaks the connections to a host off as its server would,
// with a reset; "" is every host. It returns how many there were.
func (m *Modem) ResetConnections(host string) int {
	m.advance()
	n := 0
	for _, s := range m.sockets {
		if s.state != connected || s.proto == UDP || host != "" && !strings.EqualFold(s.host, host) {
			continue
		}
		s.lose(ResetByPeer, ECONNRESET)
		n++
	}
	m.changed()
	return n
}

// abandonConnections ends every connection without the other side being told.
func (m *Modem) abandonConnections(why Reason) {
	for _, s := range m.sockets {
		if s.state == connected || len(s.flows) > 0 {
			s.abandon()
			s.lose(why, 0)
		}
	}
}

// maxForgotten is how many connections a modem keeps open of which only the
// other side still knows; beyond, the oldest is closed.
const maxForgotten = 16

// abandon takes the socket's connections away without closing them.
func (s *Socket) abandon() {
	m := s.m
	if s.conn != nil {
		m.forgotten = append(m.forgotten, s.conn)
		s.conn = nil
	}
	for _, f := range s.flows { // whoever sends datagrams expects no answer
		f.conn.Close()
	}
	s.flows = nil
	if len(m.forgotten) > maxForgotten {
		m.forgotten[0].Close()
		m.forgotten = append(m.forgotten[:0:0], m.forgotten[1:]...)
	}
}

func (m *Modem) closeForgotten() {
	for _, c := range m.forgotten {
		c.Close()
	}
	m.forgotten = nil
}

// stands reports whether nothing gets through on the socket now: there is no
// coverage, or the carrier has forgotten it.
func (s *Socket) stands() bool { return s.dropped || !s.m.state.online() }

// touch notes that something was sent or received.
func (s *Socket) touch() {
	s.lastTraffic = s.m.now()
	s.m.lastTraffic = s.lastTraffic
}

// nextAfter is when the next thing happens to the socket by itself.
func (s *Socket) nextAfter(t int64) int64 {
	at := never
	if s.state != connected || s.proto == UDP {
		return at
	}
	if limit := s.m.natTimeout.Microseconds(); limit > 0 && !s.dropped && s.lastTraffic+limit > t {
		at = s.lastTraffic + limit
	}
	if s.giveUp > t {
		at = min(at, s.giveUp)
	}
	return at
}

// happen does what is due.
func (s *Socket) happen(t int64) {
	if s.state != connected || s.proto == UDP {
		return
	}
	if limit := s.m.natTimeout.Microseconds(); limit > 0 && !s.dropped && t >= s.lastTraffic+limit {
		s.drop(t)
	}
	if s.giveUp != 0 && t >= s.giveUp {
		s.abandon()
		s.lose(TimedOut, ETIMEDOUT)
	}
}

// drop is the carrier forgetting the connection. What has arrived by then was
// let through, and counts as traffic of this moment: when it came is not known.
func (s *Socket) drop(t int64) {
	if len(s.held) == 0 {
		buf := make([]byte, 4096)
		if n, _ := s.conn.Recv(buf); n > 0 {
			s.held = buf[:n]
			s.lastTraffic = t
			s.wake()
			return
		}
	}
	s.dropped = true
	s.m.note("the carrier has forgotten a connection to " + s.host + " that was idle for " + s.m.natTimeout.String() + ": send something more often, as MQTT's keep-alive does")
}

// swallow takes what nobody will ever acknowledge.
func (s *Socket) swallow(p []byte) int {
	if s.giveUp == 0 {
		s.giveUp = s.m.now() + s.m.registration.timing.GiveUp.Microseconds()
		nudge(s.m.kicked)
	}
	return len(p)
}
