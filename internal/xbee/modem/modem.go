package modem

import (
	"encoding/binary"
	"io"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/meter"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// Config is what a modem is made of.
type Config struct {
	Profile *profile.Profile
	World   world.World
	// Serial is the module's 64-bit serial number, from which the numbers of
	// the modem and of its SIM derive.
	Serial uint64
	// Timing is how long registration takes; nil is [DefaultTiming].
	Timing *Timing
	// Meter counts what goes over the air, and for how long the radio is in
	// which state (nil: nobody does).
	Meter *meter.Meter
	// Interrupt receives when a wait should end with [EINTR] (nil: never).
	Interrupt <-chan struct{}
	// Note takes a line for the person at the host: why something failed, and
	// what to do. It may be called often with the same text (nil: nobody).
	Note func(text string)
}

// Modem is one modem with its SIM. It serves the one goroutine that runs the
// device.
type Modem struct {
	identity  Identity
	profile   *profile.Profile
	clock     world.Clock
	network   world.Network
	power     world.Power
	gate      world.Gate // nil: the run is neither recorded nor replayed
	entropy   io.Reader
	interrupt <-chan struct{}
	noteFunc  func(text string)

	serial       uint64
	registration registration
	psm          PSM
	dormant      bool
	asleep       bool
	cells        []Cell
	meter        *meter.Meter

	// What time brings: seen is the moment up to which it has been brought, and
	// state what the modem was in then.
	seen          int64
	state         State
	advancing     bool
	subscriptions []*Subscription
	kicked        chan struct{} // what is due next has changed
	moved         chan struct{} // closed, and replaced, when the state changes

	natTimeout  time.Duration
	shutDownAt  int64 // when the modem will have shut down; 0: it is not about to
	outageEnd   int64 // when the network forgets the connections; 0: it does not
	lastTraffic int64
	forgotten   []world.Conn // of which only the other side still knows

	sockets  []*Socket // in the order they were made
	lastID   uint32
	lastPort uint16

	inbox, outbox []SMS
	heldSMS       []SMS // that the network keeps until the modem is registered
}

// New is a modem that has just been given power.
func New(c Config) *Modem {
	m := &Modem{
		identity: NewIdentity(c.Serial, *c.Profile), profile: c.Profile,
		clock: c.World.Clock(), network: c.World.Network(), power: c.World.Power(), gate: c.World.Gate(), entropy: c.World.Entropy(),
		interrupt: c.Interrupt, noteFunc: c.Note,
		registration: registration{timing: DefaultTiming()}, serial: c.Serial, meter: c.Meter,
		state: Initialising, kicked: make(chan struct{}, 1), moved: make(chan struct{}),
	}
	if c.Meter != nil {
		m.network = c.Meter.Network(m.network)
	}
	if c.Timing != nil {
		m.registration.timing = *c.Timing
	}
	m.PowerOn()
	return m
}

// PowerOn is what a reset of the whole module does: connections and messages
// are gone, and registration begins anew.
func (m *Modem) PowerOn() {
	m.CloseAll()
	m.closeForgotten()
	m.inbox, m.outbox = nil, nil
	m.registration.off, m.asleep, m.dormant = false, false, false
	m.outageEnd, m.shutDownAt = 0, 0
	m.seen = m.now()
	m.registration.start(m.seen, false)
	if m.meter != nil { // the radio has a state from now on
		m.meter.Radio(radioIn(Initialising, false), time.Duration(m.seen)*time.Microsecond)
	}
	m.changed()
}

// PowerOff is the end of the module's power: whatever is open is closed, and
// the meter's radio is off.
func (m *Modem) PowerOff() {
	m.advance()
	m.CloseAll()
	m.closeForgotten()
	if m.meter != nil {
		m.meter.Radio(meter.NoPower, time.Duration(m.now())*time.Microsecond)
	}
}

func (m *Modem) note(text string) {
	if m.noteFunc != nil {
		m.noteFunc(text)
	}
}

// emptyReads is how many of 65536 reads deliver nothing on USB power: 5 %. The
// rate is a choice; that it happens was observed (seed).
const emptyReads = 3277

// comesBackEmpty decides whether the board's supply is too weak for this read.
func (m *Modem) comesBackEmpty() bool {
	if m.power.Supply() != world.USB {
		return false
	}
	var b [2]byte
	if _, err := io.ReadFull(m.entropy, b[:]); err != nil || binary.LittleEndian.Uint16(b[:]) >= emptyReads {
		return false
	}
	m.note("a read came back empty although data had arrived, as on a board that is fed by USB alone: it browns out; use the wall supply (--power wall)")
	return true
}

// Deadline is when a wait is over.
type Deadline struct{ ticks int64 }

// The two deadlines that are not a time.
const (
	dontWait    = 0
	waitForever = -1
)

// Deadline is the end of a wait of d from now; [world.Forever] never ends and
// 0 does not wait at all.
func (m *Modem) Deadline(d time.Duration) Deadline {
	switch {
	case d < 0:
		return Deadline{waitForever}
	case d == 0:
		return Deadline{dontWait}
	}
	return Deadline{max(1, m.clock.Ticks()+d.Microseconds())}
}

// left is how much of the wait remains.
func (m *Modem) left(d Deadline) time.Duration {
	switch d.ticks {
	case waitForever:
		return world.Forever
	case dontWait:
		return 0
	}
	return max(0, time.Duration(d.ticks-m.clock.Ticks())*time.Microsecond)
}

// wait returns 0 when one of events has come or something may have happened by
// itself, EINTR, or what the end of the wait is: EAGAIN for one that was not to
// wait, else ETIMEDOUT. quiet: the outside cannot do anything about it, so a
// virtual clock need not give it time.
func (m *Modem) wait(d Deadline, quiet bool, events ...<-chan struct{}) Errno {
	if d.ticks == dontWait {
		return EAGAIN
	}
	m.advance()
	left, next := m.left(d), m.untilNext()
	early := next >= 0 && (left < 0 || next < left)
	if early {
		left = next
	}
	pass := m.clock.Wait
	if left > 0 && quiet {
		pass = m.clock.Sleep
	}
	switch pass(left, append([]<-chan struct{}{m.interrupt}, events...)...) {
	case -1:
		if early {
			m.advance()
			return 0
		}
		return ETIMEDOUT
	case 0:
		return EINTR
	}
	return 0
}
