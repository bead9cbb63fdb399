// Package serial is what the module makes of the bytes at its serial port: it
// hands them to the mode that ATAP selects, and it is command mode.
//
// One job reads the port. It watches for the escape sequence (silence, +++,
// silence) in every mode, for a long break, and, in command mode, reads and
// carries out AT commands. What the modes do with their bytes is theirs: the
// prompt, the transparent connection, the decoder of API frames, the modem.
//
// The commands themselves are package at's.
package serial

import (
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/at"
	"github.com/skep-sim/skep/internal/xbee/task"
	"github.com/skep-sim/skep/internal/xbee/uart"
)

// Mode takes the bytes that arrive while its mode is selected. It must not wait
// for long: who has to starts a job.
type Mode interface {
	// Receive takes bytes, which are only lent.
	Receive(b []byte)
	// Open tells whether the port is the mode's: not while another mode is
	// selected, nor in command mode. Meanwhile nothing may be sent to it.
	Open(open bool)
	// Full reports whether the mode wants no more bytes for now, so that the
	// host has to wait, as CTS makes it. [uart.UART.Wake] says that it may have
	// changed.
	Full() bool
}

// Modes are what takes the bytes, by the value of ATAP; nil is nobody.
type Modes [6]Mode

// The values of ATAP.
const (
	Transparent = 0
	API         = 1
	APIEscaped  = 2
	REPL        = 4
	Bypass      = 5
)

// Config is what a port is made of.
type Config struct {
	UART      *uart.UART
	Tasks     *task.Scheduler
	Registers *at.Registers
	Modes     Modes
	// Switched is called when another mode has been selected, between the old
	// mode's end and the new one's beginning (may be nil).
	Switched func(mode uint64)
	// Files carries out ATFS, the rest of whose line it is given, and returns its
	// answer; it may use the port in between.
	Files func(line string, p *Port) string
	// Ended is called when nothing will arrive any more.
	Ended func()
	// PowerOff is called when Off receives: of all jobs, this one is always
	// there.
	Off      <-chan struct{}
	PowerOff func()
	// Note takes a remark for the person at the host: why a command failed.
	Note func(text string)
}

// Port is the serial port of one device. Its methods are for the device's tasks.
type Port struct {
	conf Config
	mode uint64

	escape escape
	// command mode: whether it is on, whether a break brought it about, the
	// line so far, and when the last byte came
	command bool
	forced  bool
	line    []byte
	heard   time.Duration
	input   []byte // arrived, and not looked at yet; part of buf

	held     bool
	inside   bool // a mode has been handed bytes, and is at it
	stale    bool // settings have begun to count that were not looked at yet
	breaking bool
	spent    bool          // the break has led to command mode already
	broke    time.Duration // since when the break lasts
	buf      [256]byte
}

// breakTime is how long a break leads to command mode (device-facts.md 10.1).
const breakTime = 6 * time.Second

// New is the port of a module that has just been powered on or reset.
func New(c Config) *Port {
	p := &Port{conf: c}
	p.mode = c.Registers.Active("AP").Int()
	p.escape.last = world.Uptime(c.Tasks.Clock())
	p.apply()
	p.tell(true)
	return p
}

// Apply makes the settings of the line and of the mode count that the registers
// have now: at once for a program and for command mode, but when a mode itself
// has set them, or a job on its behalf, not before it had time to answer.
func (p *Port) Apply() {
	if p.inside || p.conf.Tasks.InJob() && !p.command {
		p.stale = true
		p.conf.UART.Wake()
		return
	}
	p.apply()
}

func (p *Port) apply() {
	p.stale = false
	if mode := p.conf.Registers.Active("AP").Int(); mode != p.mode {
		p.tell(false)
		p.mode = mode
		if p.conf.Switched != nil {
			p.conf.Switched(mode)
		}
		p.tell(!p.command)
	}
	if !p.forced {
		p.conf.UART.Configure(lineSettings(p.conf.Registers))
	}
}

// lineSettings are those that the registers ask for.
func lineSettings(r *at.Registers) uart.Settings {
	s := uart.Factory()
	s.Baud = uart.Rate(r.Active("BD").Int())
	if n := r.Active("NB").Int(); n < 3 {
		s.Parity = "NEO"[n]
	}
	s.StopBits = 1 + int(r.Active("SB").Int())
	s.RTS, s.CTS = r.Active("D6").Int() == 1, r.Active("D7").Int() == 1
	return s
}

// Selected is the mode that the port is in, a value of ATAP; false while it is
// in command mode, when the mode may send nothing.
func (p *Port) Selected() (mode uint64, open bool) { return p.mode, !p.command }

// Run reads the port. It is a job of its own and never returns.
func (p *Port) Run() {
	if p.conf.UART.Break() { // held since before the reset
		p.breaking, p.spent = true, true
		p.enterCommand(true)
	}
	ended := false
	for {
		if p.stale {
			p.apply()
		}
		p.receive()
		p.watch()
		if p.conf.UART.Ended() && !ended && len(p.input) == 0 {
			ended = true
			p.release(p.escape.reset())
			if p.conf.Ended != nil {
				p.conf.Ended()
			}
		}
		wait := p.conf.UART.Listen
		due := p.due()
		if p.command || p.escape.holds() { // the host is about to say something
			wait = p.conf.UART.Wait
		} else if due < 0 && !ended { // or a virtual clock would never see the silence
			due = p.left(p.escape.last + p.guard())
		}
		if wait(due, p.conf.Off) == 0 {
			p.conf.PowerOff()
		}
	}
}

// Hold makes the port leave what arrives with the host, as CTS does, or take it
// again.
func (p *Port) Hold(hold bool) {
	p.held = hold
	if !hold {
		p.conf.UART.Wake()
	}
}

// fill takes what has arrived off the line, and reports whether there is
// anything to look at.
func (p *Port) fill() bool {
	if p.held {
		return false
	}
	if len(p.input) > 0 {
		return true
	}
	n := p.conf.UART.Receive(p.buf[:])
	p.input = p.buf[:n]
	if n > 0 {
		p.heard = p.now()
		if text := p.conf.UART.Mismatch(); text != "" {
			p.note(text)
		}
	}
	return n > 0
}

// receive hands what has arrived to whom it belongs.
func (p *Port) receive() {
	for {
		if m := p.conf.Modes[p.mode]; !p.command && m != nil && m.Full() || !p.fill() {
			return
		}
		if p.command {
			p.edit()
			continue
		}
		held, pass, rest := p.escape.feed(p.input, p.heard, p.guard(), p.cc())
		p.input = rest
		p.release(held)
		p.release(pass)
	}
}

func (p *Port) now() time.Duration { return world.Uptime(p.conf.Tasks.Clock()) }

func (p *Port) guard() time.Duration {
	return time.Duration(p.conf.Registers.Active("GT").Int()) * time.Millisecond
}

func (p *Port) cc() byte { return byte(p.conf.Registers.Active("CC").Int()) }

// release hands bytes to the mode.
func (p *Port) release(b []byte) {
	if m := p.conf.Modes[p.mode]; m != nil && len(b) > 0 {
		p.inside = true
		m.Receive(b)
		p.inside = false
	}
	if p.stale {
		p.apply()
	}
}

// tell tells the mode whether the port is its own.
func (p *Port) tell(open bool) {
	if m := p.conf.Modes[p.mode]; m != nil {
		m.Open(open)
	}
}

// due is how long nothing needs to be done unless something arrives.
func (p *Port) due() time.Duration {
	next := time.Duration(world.Forever)
	until := func(t time.Duration) {
		if left := max(0, t-p.now()); next < 0 || left < next {
			next = left
		}
	}
	if p.command {
		until(p.heard + p.timeout())
	} else if p.escape.holds() {
		until(p.escape.last + p.guard())
	}
	if p.breaking && !p.spent && !p.command {
		until(p.broke + breakTime)
	}
	return next
}

// left is how long it is until t; Forever when that has passed.
func (p *Port) left(t time.Duration) time.Duration {
	if d := t - p.now(); d > 0 {
		return d
	}
	return world.Forever
}

// watch does what is due, and looks whether the line is in the break condition.
func (p *Port) watch() {
	now := p.now()
	if held := p.conf.UART.Break(); held != p.breaking {
		p.breaking, p.broke, p.spent = held, now, false
	}
	switch {
	case p.command:
		if now >= p.heard+p.timeout() {
			p.leaveCommand()
		}
	case p.breaking && !p.spent && now >= p.broke+breakTime:
		p.spent = true
		p.enterCommand(true)
	case p.escape.holds() && now >= p.escape.last+p.guard():
		if held := p.escape.reset(); len(held) == len(escape{}.held) {
			p.enterCommand(false)
		} else {
			p.release(held)
		}
	}
}
