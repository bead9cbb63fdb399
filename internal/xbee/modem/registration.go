package modem

import (
	"fmt"
	"time"

	"github.com/skep-sim/skep/internal/xbee/meter"
)

// State is what ATAI reports (device-facts.md 10.3).
type State uint8

// The states a modem of this package can be in.
const (
	Connected    State = 0x00 // to the Internet
	Registering  State = 0x22
	Connecting   State = 0x23 // registered, no address yet
	Denied       State = 0x25 // the network does not want this SIM
	AirplaneMode State = 0x2A
	Dormant      State = 0x2C // in the low power state of PSM
	ModemOff     State = 0x2D // by ATSD
	Bypassed     State = 0x2F // the serial port leads to the modem itself
	Initialising State = 0xFF
)

// String describes the state.
func (s State) String() string {
	switch s {
	case Connected:
		return "connected to the Internet"
	case Registering:
		return "registering to the network"
	case Connecting:
		return "connecting to the Internet"
	case Denied:
		return "registration denied"
	case AirplaneMode:
		return "airplane mode"
	case Dormant:
		return "dormant in power saving mode"
	case ModemOff:
		return "modem shut down"
	case Bypassed:
		return "bypass mode active"
	case Initialising:
		return "initialising"
	}
	return fmt.Sprintf("state 0x%02X", uint8(s))
}

func (s State) registered() bool { return s == Connected || s == Connecting || s == Dormant }

// online reports whether there is an IP address, which a dormant modem keeps.
func (s State) online() bool { return s == Connected || s == Dormant }

func radioIn(s State, asleep bool) meter.Radio {
	switch {
	case asleep:
		return meter.Asleep
	case s == ModemOff:
		return meter.Off
	case s == AirplaneMode:
		return meter.Airplane
	case s == Dormant:
		return meter.Dormant
	case s == Connected:
		return meter.Idle
	}
	return meter.Searching
}

// Timing is how long the steps from power-on to the Internet take, and other
// things whose time the facts leave open.
type Timing struct {
	Initialise, Register time.Duration
	// Connect is also how long a dormant modem takes to come back.
	Connect time.Duration
	// Outage is how long the network keeps the module's connections alive
	// while there is no coverage.
	Outage time.Duration
	// GiveUp is how long TCP repeats what nobody acknowledges.
	GiveUp time.Duration
	// ShutDown is how long ATSD takes (6 to 12 s were observed, xbf).
	ShutDown time.Duration
}

// DefaultTiming takes four seconds in all to connect. The real modem takes tens
// of seconds; a choice that does not try anybody's patience. The others are
// choices, too.
func DefaultTiming() Timing {
	return Timing{
		Initialise: time.Second, Register: 2 * time.Second, Connect: time.Second,
		Outage: 30 * time.Second, GiveUp: 60 * time.Second, ShutDown: 8 * time.Second,
	}
}

// registration is how far the modem has come, as a function of the time since
// it began, which a scan puts off.
type registration struct {
	timing            Timing
	begun             int64 // ticks
	running           bool  // the modem itself had been started before
	airplane          bool
	off               bool // shut down, until the module is reset
	bypassed          bool // the module's own firmware has let go of the modem
	uncovered, denied bool
}

func (r *registration) start(now int64, running bool) { r.begun, r.running = now, running }

// steps are the moments at which the state changes by itself.
func (r *registration) steps() (initialised, registered, connected int64) {
	initialised = r.begun
	if !r.running {
		initialised += r.timing.Initialise.Microseconds()
	}
	registered = initialised + r.timing.Register.Microseconds()
	return initialised, registered, registered + r.timing.Connect.Microseconds()
}

func (r *registration) state(now int64) State {
	switch {
	case r.off:
		return ModemOff
	case r.airplane:
		return AirplaneMode
	}
	initialised, registered, connected := r.steps()
	switch {
	case now < initialised && !r.running:
		return Initialising
	case r.uncovered, now < registered:
		return Registering
	case r.denied:
		return Denied
	case now < connected:
		return Connecting
	}
	return Connected
}

// next is when the state next changes by itself, after a moment.
func (r *registration) next(t int64) int64 {
	if r.off || r.airplane {
		return never
	}
	initialised, registered, connected := r.steps()
	for _, at := range [...]int64{initialised, registered, connected} {
		if at > t {
			return at
		}
	}
	return never
}

// Association is the state that ATAI reports.
func (m *Modem) Association() State {
	if m.registration.bypassed && !m.registration.off {
		return Bypassed
	}
	return m.Registration()
}

// Registration is the modem's own state, bypassed or not.
func (m *Modem) Registration() State {
	m.clock.Ticks() // asking takes time, so that a program that asks until it is connected comes to an end
	m.advance()
	return m.state
}

// SetBypass lets go of the modem, so that whoever is at the serial port has it
// for himself, or takes it back: connections end either way.
func (m *Modem) SetBypass(on bool) {
	if on == m.registration.bypassed {
		return
	}
	m.registration.bypassed = on
	m.LoseConnections()
}

// IsConnected reports whether the modem is registered and has an address.
func (m *Modem) IsConnected() bool { return m.Association().online() }

// Airplane reports whether the radio is off.
func (m *Modem) Airplane() bool { return m.registration.airplane || m.registration.off }

// ShutDown ends the modem's work at once, so that power may be taken away:
// connections end, and only PowerOn makes it work again.
func (m *Modem) ShutDown() {
	m.registration.off, m.shutDownAt = true, 0
	m.LoseConnections()
	m.changed()
}

// ShutDownWait is ATSD: the modem shuts down, which takes its time, and then is
// as after ShutDown. It waits for that. EINTR and ETIMEDOUT, for a d that comes
// before, end the wait alone: called again it goes on waiting.
func (m *Modem) ShutDownWait(d Deadline) Errno {
	m.advance()
	if !m.registration.off && m.shutDownAt == 0 {
		m.shutDownAt = m.now() + m.registration.timing.ShutDown.Microseconds()
		nudge(m.kicked)
	}
	for {
		if m.advance(); m.registration.off {
			return 0
		}
		if e := m.wait(d, true, m.moved); e != 0 {
			return e
		}
	}
}

// SetAirplane switches the radio off, which ends every connection, or on, which
// begins registration. To set what is set already changes nothing.
func (m *Modem) SetAirplane(on bool) {
	if on == m.registration.airplane {
		return
	}
	m.advance()
	m.registration.airplane = on
	m.LoseConnections()
	m.registration.start(m.now(), true)
	m.changed()
}

// Rejoin leaves the network and joins it again (ATNR): connections end.
func (m *Modem) Rejoin() {
	m.advance()
	m.LoseConnections()
	m.registration.start(m.now(), true)
	m.changed()
}

// Sleep is the module's deep sleep: the modem goes off, and with it its
// connections, until Wake.
func (m *Modem) Sleep() {
	m.advance()
	m.LoseConnections()
	if !m.asleep {
		m.asleep = true
		m.sleepRadio()
	}
}

// Wake ends deep sleep: the modem registers again.
func (m *Modem) Wake() {
	if !m.asleep {
		return
	}
	m.advance()
	m.asleep = false
	m.registration.start(m.now(), false)
	m.sleepRadio()
	m.changed()
}

// sleepRadio tells the meter that sleep began or ended.
func (m *Modem) sleepRadio() {
	if m.meter != nil {
		m.meter.Radio(radioIn(m.state, m.asleep), time.Duration(m.seen)*time.Microsecond)
	}
}

// needNetwork is the number that an operation fails with before the modem is
// connected; 0 once it is. A dormant modem wakes up, for which the caller waits
// until d at most.
func (m *Modem) needNetwork(d Deadline) Errno {
	s := m.Association()
	if s == Dormant {
		if d.ticks == dontWait { // waking up cannot be done without
			d = m.Deadline(m.DialLimit())
		}
		m.wakeUp()
		for m.Association() == Connecting {
			if e := m.wait(d, true, m.moved); e != 0 {
				return e
			}
		}
		s = m.Association()
	}
	if s == Connected {
		return 0
	}
	what := fmt.Sprintf("the modem is not connected yet (AI=%X, %s): wait until network.Cellular().isconnected()", uint8(s), s)
	switch {
	case s == ModemOff:
		what = "the modem is shut down (ATSD): reset the module, with machine.reset() or ATFR"
	case s == Bypassed:
		what = "the serial port has the modem for itself (ATAP5, bypass mode): select another mode"
	case s == AirplaneMode:
		what = "the modem is in airplane mode: network.Cellular().active(True), or ATAM0, switches it on"
	case s == Denied:
		what = "the network has denied registration (AI=25): the world says so"
	case m.registration.uncovered:
		what = "there is no network where the module is (AI=22): the world says so"
	}
	m.note(what)
	return fromProfile(m.profile.NoHostErrno.Value)
}

// PSM is the power saving mode (device option bit 3): the modem goes dormant
// when nothing was sent or received for a time.
type PSM struct {
	On bool
	// Active is the time without traffic after which the modem goes dormant;
	// 0 is DefaultActive.
	Active time.Duration
}

// DefaultActive is a choice: networks assign the timer, seconds as a rule.
const DefaultActive = 20 * time.Second

// SetPSM switches power saving on or off.
func (m *Modem) SetPSM(p PSM) {
	m.advance()
	m.psm = p
	if !p.On && m.dormant {
		m.wakeUp()
	}
	m.lastTraffic = m.now()
	m.changed()
}

// dormantAt is when the modem goes dormant by itself; 0 is never.
func (m *Modem) dormantAt() int64 {
	if !m.psm.On || m.dormant || m.state != Connected {
		return 0
	}
	active := m.psm.Active
	if active == 0 {
		active = DefaultActive
	}
	return m.lastTraffic + active.Microseconds()
}

// wakeUp makes a dormant modem come back.
func (m *Modem) wakeUp() {
	m.dormant = false
	m.registration.start(m.now()-m.registration.timing.Register.Microseconds(), true)
	m.lastTraffic = m.now()
	m.changed()
}
