// Package uart is the module's primary serial port as hardware: bytes in with
// the moment they arrived, bytes out in order whoever sends them, the break
// condition, and the line's settings.
//
// Bytes take no time here and are never garbled: the settings are kept and
// reported, and only the time of a character depends on them. What the bytes
// mean is the matter of package serial.
package uart

import (
	"fmt"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/task"
)

// Settings are those of a serial line.
type Settings struct {
	world.LineSettings
	RTS, CTS bool // flow control: the module obeys RTS; it drives CTS
}

// Factory is what a module comes with, and what a break brings back: 9600 8N1.
func Factory() Settings {
	return Settings{LineSettings: world.LineSettings{Baud: 9600, Parity: 'N', StopBits: 1}, CTS: true}
}

// rates are the baud rates that ATBD has numbers for, from 1 up
// (device-facts.md 10.2).
var rates = [...]int{2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}

// Rate is the baud rate that a value of ATBD stands for: a number from 1 to A,
// or the rate itself.
func Rate(bd uint64) int {
	if n := int(bd); n >= 1 && n <= len(rates) {
		return rates[n-1]
	}
	return int(bd)
}

// CharTime is how long one character takes on the line.
func (s Settings) CharTime() time.Duration {
	bits := 9 + s.StopBits
	if s.Parity != 'N' {
		bits++
	}
	return time.Duration(bits) * time.Second / time.Duration(max(s.Baud, 1))
}

// UART is the port of one device. The tasks of the device share it.
type UART struct {
	stream   world.Stream
	tasks    *task.Scheduler
	settings Settings
	lossy    func() bool

	waiters int
	woken   chan struct{} // closed, and replaced, to wake the other waiters
	sending bool
	ended   bool
	// overrun: the other end takes nothing and has not for a while
	overrun bool
}

// patience is how long the module waits for an other end that takes nothing,
// unless flow control by RTS tells it to wait: then what it sends is lost, as a
// module's bytes are that no host reads. A choice, long enough for any host that
// is only slow.
const patience = 2 * time.Second

// New is the port at the end of a stream, used by the tasks of a device.
func New(s world.Stream, t *task.Scheduler) *UART {
	return &UART{stream: s, tasks: t, settings: Factory(), woken: make(chan struct{})}
}

// Settings are those that count now.
func (u *UART) Settings() Settings { return u.settings }

// Configure changes the settings, which the other end of the line has to
// follow by itself.
func (u *UART) Configure(s Settings) { u.settings = s }

// SetLossy sets what decides for each byte whether it is lost, where the supply
// of the board is too weak (nil: none is).
func (u *UART) SetLossy(lost func() bool) { u.lossy = lost }

// keep takes lost bytes out of b, in place.
func (u *UART) keep(b []byte) []byte {
	if u.lossy == nil {
		return b
	}
	kept := b[:0]
	for _, c := range b {
		if !u.lossy() {
			kept = append(kept, c)
		}
	}
	return kept
}

// Receive takes bytes that have arrived, at most len(b). It returns 0 when there
// are none.
func (u *UART) Receive(b []byte) int {
	for !u.ended {
		n, err := u.stream.Recv(b)
		if n == 0 {
			u.ended = err != nil
			return 0
		}
		if n = len(u.keep(b[:n])); n > 0 {
			return n
		}
	}
	return 0
}

// Ended reports whether nothing will arrive any more.
func (u *UART) Ended() bool { return u.ended }

// Break reports whether the other end holds the line in the break condition,
// which only some streams can tell.
func (u *UART) Break() bool {
	l, ok := u.stream.(world.Line)
	return ok && l.Break()
}

// Mismatch says in what the other end differs from this one, so that a module
// would only hear garbage; "" if in nothing, or if nothing is known of it.
func (u *UART) Mismatch() string {
	h, ok := u.Host()
	if !ok || h == u.settings.LineSettings {
		return ""
	}
	form := func(s world.LineSettings) string { return fmt.Sprintf("%d 8%c%d", s.Baud, s.Parity, s.StopBits) }
	return fmt.Sprintf("the host has the serial port open with %s while the module has %s: a module would only hear garbage (ATBD, ATNB, ATSB)",
		form(h), form(u.settings.LineSettings))
}

// Host are the settings of the line's other end; false if they are not known.
func (u *UART) Host() (world.LineSettings, bool) {
	l, ok := u.stream.(world.Line)
	if !ok {
		return world.LineSettings{}, false
	}
	return l.Settings()
}

// Wait waits until something may have happened on the line, d has passed, or one
// of events comes. It returns the index of the event, -1 for anything else.
func (u *UART) Wait(d time.Duration, events ...<-chan struct{}) int {
	return u.wait(u.tasks.Clock(), d, events)
}

// Listen is Wait for who only listens: a virtual clock does not wait for the
// host on its account (see task.Scheduler.Background).
func (u *UART) Listen(d time.Duration, events ...<-chan struct{}) int {
	return u.wait(u.tasks.Background(), d, events)
}

func (u *UART) wait(c world.Clock, d time.Duration, events []<-chan struct{}) int {
	changed := u.stream.Changed()
	if u.ended {
		changed = nil
	}
	u.waiters++
	defer func() { u.waiters-- }()
	all := append([]<-chan struct{}{changed, u.woken}, events...)
	i := c.Wait(d, all...)
	if i == 0 && u.waiters > 1 {
		u.Wake()
	}
	return max(i-2, -1)
}

// Wake makes every wait come back: one value of the stream's channel stands for
// news in both directions, and who waits may wait for something else besides.
func (u *UART) Wake() {
	if u.waiters > 0 {
		close(u.woken)
		u.woken = make(chan struct{})
	}
}

// Send sends all of b, waiting while the line takes no more. What one task sends
// is not mixed with what others send.
func (u *UART) Send(b []byte) {
	for u.sending {
		u.Wait(world.Forever)
	}
	u.sending = true
	defer func() {
		u.sending = false
		u.Wake()
	}()
	if u.lossy != nil {
		b = u.keep(append([]byte(nil), b...))
	}
	stuck := time.Duration(-1) // since when nothing is taken
	for len(b) > 0 {
		n, err := u.stream.Send(b)
		if err != nil {
			return // nobody is there any more
		}
		if b = b[n:]; n > 0 {
			stuck, u.overrun = -1, false
			continue
		}
		now := world.Uptime(u.tasks.Clock())
		if stuck < 0 {
			stuck = now
		}
		switch {
		case u.settings.RTS:
			u.Wait(world.Forever)
		case u.overrun || now >= stuck+patience:
			u.overrun = true
			return
		default:
			u.Wait(stuck + patience - now)
		}
	}
}

// Close lets go of the line.
func (u *UART) Close() { u.stream.Close() }
