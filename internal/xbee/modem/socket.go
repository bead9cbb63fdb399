package modem

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// Proto is what a socket speaks.
type Proto uint8

// The protocols. SEC is TLS over TCP, done by the modem.
const (
	TCP Proto = iota
	UDP
	SEC
)

// String is the name of the protocol.
func (p Proto) String() string { return [...]string{"TCP", "UDP", "TLS"}[p] }

type socketState uint8

const (
	fresh     socketState = iota
	listening             // where nothing ever arrives
	connected             // or, for UDP, has a default destination
	lost                  // the modem dropped the connection
	closed
)

// Socket is one entry of the modem's table. It is taken when the socket is made
// and held until it is closed.
type Socket struct {
	m       *Modem
	id      uint32
	proto   Proto
	state   socketState
	timeout time.Duration // of every operation: world.Forever, or 0 for not waiting
	local   uint16
	peer    netip.AddrPort

	host  string // as the program named it
	conn  world.Conn
	held  []byte // what a failed read has left for the next
	creds *Credentials
	max   uint16 // highest version of TLS; 0 is the modem's

	why    Reason        // why there is no connection, or the last attempt failed
	fault  Errno         // what reading and writing a lost connection fail with; 0: as after sleep
	broken chan struct{} // closed, and replaced, when the connection goes, or who waits is to look again
	// waiters is how many tasks wait for the socket: one that sends and one that
	// receives, say.
	waiters int

	lastTraffic int64
	dropped     bool  // the carrier has forgotten the connection
	giveUp      int64 // when TCP ends it for want of an answer; 0: it has no reason to

	flows []*flow   // of UDP
	first *datagram // of UDP: taken off its flow already
}

// Socket takes a socket of the table. ENFILE is for a full table.
func (m *Modem) Socket(p Proto) (*Socket, Errno) {
	total, of := len(m.sockets), 0
	for _, s := range m.sockets {
		if s.proto == p {
			of++
		}
	}
	if limit := m.profile.Sockets.Value; total >= limit {
		m.note(fmt.Sprintf("all %d sockets of the modem are taken (ENFILE): close() those that are done with", limit))
		return nil, ENFILE
	}
	limit := [...]int{TCP: m.profile.TCPSockets.Value, UDP: m.profile.UDPSockets.Value, SEC: m.profile.TLSSockets.Value}[p]
	if of >= limit {
		m.note(fmt.Sprintf("all %d %s sockets of the modem are taken (ENFILE): close() those that are done with", limit, p))
		return nil, ENFILE
	}
	m.lastID++
	s := &Socket{m: m, id: m.lastID, proto: p, timeout: world.Forever, broken: make(chan struct{})}
	m.sockets = append(m.sockets, s)
	return s, 0
}

// Find returns the open socket with an id, or nil.
func (m *Modem) Find(id uint32) *Socket {
	for _, s := range m.sockets {
		if s.id == id {
			return s
		}
	}
	return nil
}

// CloseAll closes every socket, as a soft reset of the interpreter does.
func (m *Modem) CloseAll() {
	for len(m.sockets) > 0 {
		m.sockets[0].Close()
	}
}

// LoseConnections breaks every connection, as deep sleep and airplane mode do.
// The sockets stay in the table until they are closed; reading them gives no
// bytes, writing ENOTCONN.
func (m *Modem) LoseConnections() {
	m.outageEnd = 0
	for _, s := range m.sockets {
		if s.state == connected || len(s.flows) > 0 {
			s.release()
			s.lose(Dropped, 0)
		}
	}
}

// lose ends the socket's connection.
func (s *Socket) lose(why Reason, fault Errno) {
	s.release()
	s.state, s.why, s.fault = lost, why, fault
	s.wake()
}

// wake makes everybody who waits for the socket look again.
func (s *Socket) wake() {
	close(s.broken)
	s.broken = make(chan struct{})
}

// SocketInfo describes a socket of the table, for ATSI.
type SocketInfo struct {
	ID        uint32
	Proto     Proto
	Connected bool
	LocalPort uint16
	Remote    netip.AddrPort // zero if there is none
}

// Sockets lists the table, the oldest socket first.
func (m *Modem) Sockets() []SocketInfo {
	var all []SocketInfo
	for _, s := range m.sockets {
		all = append(all, SocketInfo{s.id, s.proto, s.state == connected, s.local, s.peer})
	}
	return all
}

// ID is a number that no other socket of this modem ever had.
func (s *Socket) ID() uint32 { return s.id }

// Why is why the socket has no connection any more, or why the last attempt to
// make one failed.
func (s *Socket) Why() Reason { return s.why }

// IsConnected reports whether the socket has a connection or, for UDP, a default
// destination.
func (s *Socket) IsConnected() bool {
	s.m.advance()
	return s.state == connected
}

// IsLost reports whether the socket had a connection and it has gone.
func (s *Socket) IsLost() bool {
	s.m.advance()
	return s.state == lost
}

// LocalPort is the socket's own port; 0 if it has none yet.
func (s *Socket) LocalPort() uint16 { return s.local }

// Peer is whom the socket is connected to.
func (s *Socket) Peer() netip.AddrPort { return s.peer }

// Changed lists what to wait for when an operation that was not to wait failed
// with EAGAIN: one of the channels receives, or is closed, when it, or Ready,
// may do better. The list is for one wait.
func (s *Socket) Changed() []<-chan struct{} {
	events := []<-chan struct{}{s.broken}
	if s.conn != nil && !s.dropped {
		events = append(events, s.conn.Changed())
	}
	for _, f := range s.flows {
		if !f.broken {
			events = append(events, f.conn.Changed())
		}
	}
	return events
}

// wait waits until an operation may do better.
func (s *Socket) wait(d Deadline) Errno {
	s.waiters++
	defer func() { s.waiters-- }()
	broken := s.broken
	e := s.m.wait(d, s.stands(), s.Changed()...)
	// One value of a connection's channel stands for news in both directions, and
	// only one task has it: the others may wait for something else.
	if e == 0 && s.waiters > 1 && broken == s.broken {
		s.wake()
	}
	return e
}

// DontWait is the deadline of an operation that is not to wait.
func DontWait() Deadline { return Deadline{dontWait} }

// SetTLSVersion sets the highest version of TLS to offer, as the numbers of the
// protocol have it (0x0303 is 1.2); 0 is the modem's own.
func (s *Socket) SetTLSVersion(v uint16) { s.max = v }

// Proto is what the socket speaks.
func (s *Socket) Proto() Proto { return s.proto }

// SetTimeout sets how long operations wait: [world.Forever], or 0 for not at
// all. Connecting never takes 0 for an answer.
func (s *Socket) SetTimeout(d time.Duration) { s.timeout = d }

// Deadline is when an operation that begins now gives up.
func (s *Socket) Deadline() Deadline { return s.m.Deadline(s.timeout) }

// ConnectDeadline is when connecting gives up: a socket that does not wait, or
// waits for ever, has the profile's limit (device-facts.md 6.2: connecting a
// non-blocking socket completes all the same).
func (s *Socket) ConnectDeadline() Deadline {
	limit := s.m.DialLimit()
	if s.timeout > 0 {
		limit = s.timeout
	}
	return s.m.Deadline(limit)
}

// DialLimit is how long the modem tries to reach a host.
func (m *Modem) DialLimit() time.Duration {
	return time.Duration(m.profile.DialSeconds.Value) * time.Second
}

// Connect connects the socket. The modem finds the address of a name itself.
func (s *Socket) Connect(host string, port int, d Deadline) Errno {
	switch {
	case s.state == closed:
		return EBADF
	case s.state == connected && s.proto != UDP:
		return EISCONN
	case s.state == listening, port < 1 || port > 0xFFFF, host == "":
		return EINVAL
	}
	s.why = NoReason
	if e := s.m.needNetwork(d); e != 0 {
		s.why = NotRegistered
		return e
	}
	if s.proto == UDP {
		return s.connectUDP(host, uint16(port), d)
	}
	t := world.Target{Proto: world.TCP, Host: host, Port: uint16(port)}
	if s.proto == SEC {
		if e := s.refuseTLS(host); e != 0 {
			return e
		}
		t.TLS = s.tlsConfig(host)
	}
	conn, e := s.dial(t, d)
	if e != 0 {
		return e
	}
	s.conn, s.state, s.fault, s.host = conn, connected, 0, host
	s.dropped, s.giveUp = false, 0
	s.touch()
	nudge(s.m.kicked)
	s.peer = seenAs(host, uint16(port), conn)
	if s.local == 0 {
		s.local = s.m.ephemeralPort()
	}
	return 0
}

// dial opens a connection for the socket or says, in the modem's way, why it
// could not.
func (s *Socket) dial(t world.Target, d Deadline) (world.Conn, Errno) {
	m := s.m
	left := m.left(d)
	if left == 0 {
		s.why = TimedOut
		return nil, ETIMEDOUT
	}
	conn, err := m.network.Dial(t, m.limit(left))
	if err != nil {
		var e Errno
		e, s.why = m.dialErrno(t, err)
		return nil, e
	}
	// Much may have happened meanwhile.
	m.advance()
	switch {
	case s.state == closed:
		conn.Close()
		s.why = Interrupted
		return nil, EBADF
	case !m.state.online():
		conn.Close()
		s.why = ContextLost
		return nil, ETIMEDOUT
	}
	return conn, 0
}

func (m *Modem) limit(left time.Duration) world.Limit {
	return world.Limit{Timeout: max(left, 0), Interrupt: m.interrupt, Clock: m.clock}
}

func (m *Modem) dialErrno(t world.Target, err error) (Errno, Reason) {
	switch kind := world.KindOf(err); kind {
	case world.FailInterrupted:
		return EINTR, Interrupted
	case world.FailTimeout:
		return ETIMEDOUT, TimedOut
	case world.FailBlocked, world.FailNoHost:
		m.note(fmt.Sprintf("%s cannot be found: %v", t.Host, reason(err)))
		return fromProfile(m.profile.NoHostErrno.Value), NoHost
	default:
		why := map[world.FailKind]Reason{
			world.FailRefused: Refused, world.FailReset: ResetByPeer, world.FailClosed: ResetByPeer,
			world.FailUnreachable: Unreachable, world.FailTLS: TLSFailed,
		}[kind]
		if why == NoReason {
			why = OtherReason
		}
		if t.TLS != nil {
			m.note(fmt.Sprintf("no TLS connection to %s:%d: %s", t.Host, t.Port, m.explainTLS(err)))
			return fromProfile(m.profile.TLSErrno.Value), why
		}
		switch kind {
		case world.FailRefused:
			return fromProfile(m.profile.RefusedErrno.Value), why
		case world.FailReset, world.FailClosed:
			return ECONNRESET, why
		case world.FailUnreachable:
			return EHOSTUNREACH, why
		}
		return EIO, why
	}
}

// Resolve returns the addresses of a name, at least one. An address in text
// form needs no network.
func (m *Modem) Resolve(host string, d Deadline) ([]netip.Addr, Errno) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, 0
	}
	if host == "" {
		return nil, EINVAL
	}
	if e := m.needNetwork(d); e != 0 {
		return nil, e
	}
	left := m.left(d)
	if left == 0 {
		return nil, ETIMEDOUT
	}
	addrs, err := m.network.Resolve(host, m.limit(left))
	if err == nil && len(addrs) > 0 {
		return addrs, 0
	}
	if err == nil {
		err = &world.Failure{Kind: world.FailNoHost}
	}
	switch e, _ := m.dialErrno(world.Target{Host: host}, err); e {
	case EINTR, ETIMEDOUT:
		return nil, e
	default:
		return nil, fromProfile(m.profile.NoHostErrno.Value)
	}
}

// seenAs is the address of the other end as the device knows it, which a route
// of the world may have changed.
func seenAs(host string, port uint16, c world.Conn) netip.AddrPort {
	if a, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(a, port)
	}
	return netip.AddrPortFrom(c.Remote().Addr(), port)
}

// ephemeralPort is the next local port, as IANA's range has them.
func (m *Modem) ephemeralPort() uint16 {
	if m.lastPort++; m.lastPort < 49152 {
		m.lastPort = 49152
	}
	return m.lastPort
}

// Bind gives the socket a local port; 0 is any.
func (s *Socket) Bind(port int) Errno {
	switch {
	case s.state == closed:
		return EBADF
	case s.state != fresh || s.local != 0 || port < 0 || port > 0xFFFF:
		return EINVAL
	case port == 0:
		s.local = s.m.ephemeralPort()
	default:
		s.local = uint16(port)
	}
	return 0
}

// Listen lets others connect, which nobody will.
func (s *Socket) Listen() Errno {
	switch {
	case s.state == closed:
		return EBADF
	case s.proto != TCP || s.local == 0 || s.state != fresh && s.state != listening:
		return EINVAL
	}
	s.state = listening
	s.m.note("a socket listens, but nobody can connect to the module: carriers do not let them, and Skep has no network that does; accept() waits in vain")
	return 0
}

// Accept waits for somebody to connect: until d.
func (s *Socket) Accept(d Deadline) Errno {
	switch s.state {
	case closed:
		return EBADF
	case listening:
		for {
			if e := s.wait(d); e != 0 {
				return e
			}
			if s.state == closed {
				return EBADF
			}
		}
	}
	return EINVAL
}

// Close gives the socket back. To close it again does nothing.
func (s *Socket) Close() {
	if s.state == closed {
		return
	}
	s.m.advance()
	if s.dropped { // the other side does not hear of it
		s.abandon()
	}
	s.release()
	s.state, s.why = closed, Interrupted
	s.wake()
	s.m.sockets = slices.DeleteFunc(s.m.sockets, func(o *Socket) bool { return o == s })
}

// release ends the connections of the socket.
func (s *Socket) release() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
	for _, f := range s.flows {
		f.conn.Close()
	}
	s.flows, s.held, s.first = nil, nil, nil
	s.dropped, s.giveUp = false, 0
}
