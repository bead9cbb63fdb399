package modem

import (
	"fmt"
	"time"
)

// State is what ATAI reports (device-facts.md 10.3).
type State uint8

// The states a modem of this package can be in.
const (
	Connected    State = 0x00 // to the Internet
	Registering  State = 0x22
	Connecting   State = 0x23 // registered, no address yet
	AirplaneMode State = 0x2A
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
	case AirplaneMode:
		return "airplane mode"
	case ModemOff:
		return "modem shut down"
	case Bypassed:
		return "bypass mode active"
	case Initialising:
		return "initialising"
	}
	return fmt.Sprintf("state 0x%02X", uint8(s))
}

// Timing is how long the steps from power-on to the Internet take.
type Timing struct{ Initialise, Register, Connect time.Duration }

// DefaultTiming takes four seconds in all. The real modem takes tens of
// seconds; a choice that does not try anybody's patience.
func DefaultTiming() Timing {
	return Timing{Initialise: time.Second, Register: 2 * time.Second, Connect: time.Second}
}

// registration is how far the modem has come, as a function of the time since
// it began.
type registration struct {
	timing   Timing
	begun    int64 // ticks
	running  bool  // the modem itself had been started before
	airplane bool
	off      bool // shut down, until the module is reset
	bypassed bool // the module's own firmware has let go of the modem
}

func (r *registration) start(now int64, running bool) { r.begun, r.running = now, running }

func (r *registration) state(now int64) State {
	switch {
	case r.off:
		return ModemOff
	case r.airplane:
		return AirplaneMode
	}
	since := time.Duration(now-r.begun) * time.Microsecond
	if !r.running {
		if since < r.timing.Initialise {
			return Initialising
		}
		since -= r.timing.Initialise
	}
	switch {
	case since < r.timing.Register:
		return Registering
	case since < r.timing.Register+r.timing.Connect:
		return Connecting
	}
	return Connected
}

// Association is the state that ATAI reports.
func (m *Modem) Association() State {
	if m.registration.bypassed && !m.registration.off {
		return Bypassed
	}
	return m.Registration()
}

// Registration is the modem's own state, bypassed or not.
func (m *Modem) Registration() State { return m.registration.state(m.clock.Ticks()) }

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
func (m *Modem) IsConnected() bool { return m.Association() == Connected }

// Airplane reports whether the radio is off.
func (m *Modem) Airplane() bool { return m.registration.airplane || m.registration.off }

// ShutDown ends the modem's work, so that power may be taken away (ATSD):
// connections end, and only PowerOn makes it work again.
func (m *Modem) ShutDown() {
	m.registration.off = true
	m.LoseConnections()
}

// SetAirplane switches the radio off, which ends every connection, or on, which
// begins registration. To set what is set already changes nothing.
func (m *Modem) SetAirplane(on bool) {
	if on == m.registration.airplane {
		return
	}
	m.registration.airplane = on
	m.LoseConnections()
	m.registration.start(m.clock.Ticks(), true)
}

// Rejoin leaves the network and joins it again (ATNR): connections end.
func (m *Modem) Rejoin() {
	m.LoseConnections()
	m.registration.start(m.clock.Ticks(), true)
}

// needNetwork is the number that an operation fails with before the modem is
// connected; 0 once it is.
func (m *Modem) needNetwork() Errno {
	s := m.Association()
	if s == Connected {
		return 0
	}
	what := fmt.Sprintf("the modem is not connected yet (AI=%X, %s): wait until network.Cellular().isconnected()", uint8(s), s)
	switch s {
	case ModemOff:
		what = "the modem is shut down (ATSD): reset the module, with machine.reset() or ATFR"
	case Bypassed:
		what = "the serial port has the modem for itself (ATAP5, bypass mode): select another mode"
	case AirplaneMode:
		what = "the modem is in airplane mode: network.Cellular().active(True), or ATAM0, switches it on"
	}
	m.note(what)
	return fromProfile(m.profile.NoHostErrno.Value)
}
