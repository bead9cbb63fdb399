// Package transparent is transparent mode: what arrives at the serial port goes
// to the destination that the registers name, and what comes back goes out of
// the port (device-facts.md 11.1; the guide's "Socket behavior").
//
// The first bytes open the connection. They are sent in packets: when the line
// has been silent for ATRO characters, at the character of ATTD, when a packet is
// full, and before command mode. The connection ends when the other side ends
// it, after ATTM without traffic, and when one of its settings is applied.
//
// It is neither the serial port nor the modem; it asks the one for silence and
// the other for sockets.
package transparent

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/at"
	"github.com/skep-sim/skep/internal/xbee/modem"
	"github.com/skep-sim/skep/internal/xbee/task"
	"github.com/skep-sim/skep/internal/xbee/uart"
)

// Config is what a link works with.
type Config struct {
	UART      *uart.UART
	Tasks     *task.Scheduler
	Registers *at.Registers
	Modem     *modem.Modem
	// Credentials reads the files of a TLS profile ("ca;cert;key").
	Credentials func(profile string) (modem.Credentials, error)
	// Note takes a remark for the person at the host.
	Note func(text string)
}

// The values of ATIP.
const (
	protoUDP = 0
	protoTCP = 1
	protoSMS = 2
	protoTLS = 4
)

// Limits in bytes. A packet of a stream is a choice; those of a datagram and of
// a text message are the modem's. queueLimit is how much waits for a connection
// before the module asks the host to wait (CTS), of the order of ATFT's default.
const (
	streamPacket   = 1500
	datagramPacket = 512
	queueLimit     = 2048
)

// Link is the transparent connection of one module. Its methods are for the
// tasks of the device.
type Link struct {
	conf  Config
	clock world.Clock

	out   []byte        // what waits to be sent
	heard time.Duration // when its last byte arrived
	flush bool          // it is to be sent whatever else
	open  bool          // the port is in transparent mode, and not in command mode

	wake     chan struct{}
	opened   chan struct{} // closed when open becomes true
	sender   *task.Job
	receiver *task.Job
	socket   *modem.Socket
	used     time.Duration // when there was traffic last
	status   Status
	remote   netip.Addr
}

// New is the link of a module that has just been powered on.
func New(c Config) *Link {
	return &Link{conf: c, clock: c.Tasks.Clock(), wake: make(chan struct{}, 1), opened: make(chan struct{}), status: NoStatus}
}

// Status is how the last connection went, which ATCI shows.
func (l *Link) Status() Status { return l.status }

// Remote is the address of the other side, which ATOD shows; 0.0.0.0 while there
// is no connection.
func (l *Link) Remote() netip.Addr {
	if l.socket == nil || !l.remote.IsValid() {
		return netip.IPv4Unspecified()
	}
	return l.remote
}

// Receive implements serial.Mode.
func (l *Link) Receive(b []byte) {
	l.out = append(l.out, b...)
	l.heard = l.now()
	l.nudge()
}

// Full implements serial.Mode.
func (l *Link) Full() bool { return len(l.out) >= queueLimit }

// Open implements serial.Mode.
func (l *Link) Open(open bool) {
	if open == l.open {
		return
	}
	l.open = open
	if open {
		close(l.opened)
		return
	}
	l.opened = make(chan struct{})
	if len(l.out) > 0 {
		l.flush = true
		l.nudge()
	}
}

// nudge lets the sender look for something to do, and starts it if need be.
func (l *Link) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
	if l.sender == nil || l.sender.Ended() {
		l.sender = l.conf.Tasks.Go("transparent", l.send)
	}
}

// connection are the settings whose applying, even to what they were, ends a
// connection (TinyGSM quotes the manual so for TM).
var connection = [...]string{"IP", "DL", "DE", "C0", "TM", "TL", "$0", "P#"}

// Applied is told which settings have begun to count.
func (l *Link) Applied(names []string) {
	for _, n := range names {
		for _, c := range connection {
			if n == c && l.socket != nil {
				l.hangUp(UserClosed)
				return
			}
		}
	}
}

// Close ends the connection, as another mode does, and forgets what was to be
// sent.
func (l *Link) Close() {
	l.out = nil
	if l.socket != nil {
		l.hangUp(UserClosed)
	}
}

// hangUp ends the connection. The receiving job may be who calls.
func (l *Link) hangUp(s Status) {
	l.socket.Close()
	l.socket, l.status = nil, s
	if r := l.receiver; r != nil {
		l.receiver = nil
		r.Stop()
	}
}

func (l *Link) now() time.Duration { return world.Uptime(l.clock) }

func (l *Link) setting(name string) at.Value { return l.conf.Registers.Active(name) }

// send is the job that sends packets, and ends a connection nobody uses. It ends
// when there is neither anything to send nor a connection.
func (l *Link) send() {
	for {
		if p := l.packet(); p != nil {
			l.deliver(p)
			l.conf.UART.Wake() // there is room again
			continue
		}
		if l.idle() == 0 {
			l.hangUp(UserClosed)
		}
		if l.socket == nil && len(l.out) == 0 {
			return
		}
		l.clock.Wait(l.due(), l.wake)
	}
}

// packet takes what is to be sent now off the queue; nil is nothing yet.
func (l *Link) packet() []byte {
	n, limit := len(l.out), streamPacket
	switch l.setting("IP").Int() {
	case protoUDP:
		limit = datagramPacket
	case protoSMS:
		limit = modem.MaxSMS
	}
	n = min(n, limit)
	whole := n == limit
	if td := l.setting("TD").Int(); td != 0 {
		if i := bytes.IndexByte(l.out[:n], byte(td)); i >= 0 {
			n, whole = i+1, true
		}
	}
	if n == 0 || !whole && !l.flush && l.silence() > 0 {
		return nil
	}
	p := l.out[:n]
	if l.out = l.out[n:]; len(l.out) == 0 {
		l.out, l.flush = nil, false
	}
	return p
}

// silence is how long the line must still be silent before a packet is sent.
func (l *Link) silence() time.Duration {
	gap := time.Duration(l.setting("RO").Int()) * l.conf.UART.Settings().CharTime()
	return max(0, l.heard+gap-l.now())
}

// idle is how long a connection stays without traffic; Forever without one.
func (l *Link) idle() time.Duration {
	tm := time.Duration(l.setting("TM").Int()) * 100 * time.Millisecond
	if l.socket == nil || tm == 0 {
		return world.Forever
	}
	return max(0, l.used+tm-l.now())
}

// due is how long there is nothing to do unless something arrives.
func (l *Link) due() time.Duration {
	d := l.idle()
	if len(l.out) > 0 {
		if s := l.silence(); d < 0 || s < d {
			d = s
		}
	}
	return d
}

// Text is told of a text message that has arrived, which goes to the port where
// the link carries text messages. Whom it is from does not matter, a choice.
func (l *Link) Text(text string) {
	if l.setting("AP").Int() != 0 || l.setting("IP").Int() != protoSMS {
		return
	}
	l.conf.Tasks.Go("transparent text", func() {
		l.awaitOpen()
		l.conf.UART.Send([]byte(text))
	})
}

// awaitOpen waits while command mode has the port.
func (l *Link) awaitOpen() {
	for !l.open {
		l.clock.Wait(world.Forever, l.opened)
	}
}

// receive is the job that takes what the other side sends to the port.
func (l *Link) receive() {
	s := l.socket
	buf := make([]byte, 1024)
	for {
		n, e := s.Recv(buf, l.conf.Modem.Deadline(world.Forever))
		if l.socket != s {
			return
		}
		switch {
		case e == modem.EINTR:
			continue
		case e != 0, n == 0 && s.Why() == modem.PeerClosed: // a read may also come back empty for want of power
			l.receiver = nil // it must not stop itself
			l.hangUp(lost(s))
			l.nudge()
			return
		}
		l.used = l.now()
		l.awaitOpen()
		l.conf.UART.Send(buf[:n])
	}
}
