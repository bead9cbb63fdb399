package meter

import (
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// Radio is what the radio is doing.
type Radio uint8

// The states of the radio. Sending is a part of the time when it is idle.
const (
	NoPower Radio = iota // of the whole module
	Off                  // the modem is shut down (ATSD)
	Airplane
	Searching // for a network, or registering with it
	Idle      // registered, listening
	Sending   // or receiving
	Dormant   // power saving mode
	Asleep    // the whole module sleeps
	radios    // how many there are
)

// String is what a report calls the state.
func (r Radio) String() string {
	return [...]string{"no power", "shut down", "airplane mode", "searching", "idle", "sending", "dormant (PSM)", "deep sleep"}[r]
}

// Draw is what the module draws from its supply in each state, mA, and how fast
// it sends and receives.
type Draw struct {
	Current [radios]float64
	Source  [radios]string
	// UpRate and DownRate are bits a second; SetUp is how long the radio needs
	// from idle until it can send, and Linger how long it stays ready after.
	UpRate, DownRate float64
	SetUp, Linger    time.Duration
}

const (
	product = "Digi's product page, as quoted in xbf docs/CSXB-wiki/XBee.md"
	guide   = "guide 90002258, power consumption, as quoted in xbf docs/CSXB-wiki/XBee.md"
	choice  = "choice; not found"
)

// DrawOf is the draw of a model at 3.3 V. The technology is ATN#'s 2 for NB-IoT,
// which LTE-M modules have besides LTE-M.
func DrawOf(m profile.Model, technology uint64) Draw {
	d := Draw{SetUp: 500 * time.Millisecond, Linger: 10 * time.Second}
	set := func(r Radio, mA float64, source string) { d.Current[r], d.Source[r] = mA, source }
	set(NoPower, 0, "no power")
	set(Off, 8, choice+": the processor alone")
	set(Airplane, 8, choice+": the processor alone")
	set(Searching, 100, choice)
	set(Idle, 20, guide+": connected, listening")
	set(Dormant, 0.020, product+": power save mode")
	set(Asleep, 0.010, product+": deep sleep")
	switch {
	case m != profile.LTEM:
		set(Idle, 20, choice+": as the LTE-M module")
		set(Dormant, 0.020, choice+": as the LTE-M module")
		set(Asleep, 0.010, choice+": as the LTE-M module")
		set(Sending, 500, choice)
		d.UpRate, d.DownRate = 5e6, 10e6 // of the LTE category
	case technology == nbIoT:
		set(Sending, 190, product+": average transmit current, NB-IoT")
		d.UpRate, d.DownRate = 62.5e3, 27.2e3 // recalled, u-blox's data sheet
	default:
		set(Sending, 235, product+": average transmit current, LTE-M")
		d.UpRate, d.DownRate = 375e3, 300e3 // recalled, u-blox's data sheet
	}
	return d
}

const nbIoT = 2

// Radio notes that the radio got into a state at a moment of the device's clock
// (world.Uptime).
func (m *Meter) Radio(r Radio, at time.Duration) {
	at = max(at, m.since)
	m.in[m.radio] += at - m.since
	m.radio, m.since = r, at
	if r != Idle {
		m.lastBurst = -1 // the link has to be set up again
	}
}

// burst counts the time that sending and receiving takes.
func (m *Meter) burst(b Bytes) {
	if b.Total() == 0 {
		return
	}
	now := world.Uptime(m.clock)
	t := time.Duration(float64(b.Up)*8/m.draw.UpRate*float64(time.Second) + float64(b.Down)*8/m.draw.DownRate*float64(time.Second))
	if m.lastBurst < 0 || now-m.lastBurst > m.draw.Linger {
		t += m.draw.SetUp
		m.bursts++
	}
	m.lastBurst = now
	m.sending += t
}

// RadioTime is how long the radio was in a state, and what that took.
type RadioTime struct {
	Radio   Radio
	Time    time.Duration
	Current float64 // mA
	Charge  float64 // mAh
	Source  string  // of the current
}

// radioTimes lists the states the radio has been in, up to now.
func (m *Meter) radioTimes(now time.Duration) []RadioTime {
	in := m.in
	in[m.radio] += now - m.since
	// Sending is modelled, so on a virtual clock it may take longer than the
	// time that has passed.
	in[Sending] = m.sending
	in[Idle] = max(0, in[Idle]-m.sending)
	var all []RadioTime
	for r := range radios {
		if in[r] > 0 {
			mA := m.draw.Current[r]
			all = append(all, RadioTime{r, in[r], mA, mA * in[r].Hours(), m.draw.Source[r]})
		}
	}
	return all
}
