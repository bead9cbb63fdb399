package board

import "fmt"

// Mode is what a pin is set to do.
type Mode uint8

// The modes.
const (
	Disabled     Mode = iota // input buffer off
	In                       // digital input
	Out                      // drives high or low
	OpenDrain                // drives low, or lets go
	Alt                      // has a special function
	AltOpenDrain             // the same, never driving high
	Analog                   // analog input
	PulseOut                 // pulse-width output
)

// Pull is a pin's internal resistor.
type Pull uint8

// The pulls.
const (
	PullNone Pull = iota
	PullUp
	PullDown
)

// Electrical figures of the module: the logic supply, the highest voltage that
// counts as low (half the supply, a choice), and the reference of the analog
// inputs, which is fixed (device-facts.md 8.4).
const (
	SupplyMillivolts    = 3300
	thresholdMillivolts = SupplyMillivolts / 2
	ReferenceMillivolts = 2500
	analogMax           = 4095
)

// Pulse-width outputs: the greatest duty, and the frequency, which is fixed: the
// 64 µs period of other XBee modules, a choice.
const (
	MaxDuty      = 1023
	PWMFrequency = 15625
)

// pin is the state of a pin and of what is connected to it.
type pin struct {
	mode     Mode
	pull     Pull
	latch    bool // what it drives, or would drive as an output
	function Function
	duty     int  // of PulseOut; -1: never set
	own      bool // set by a program: the AT settings of PR and PD do not count

	outside drive
}

// drive is what is connected to a pin's wire from outside.
type drive struct {
	on       bool
	from, to int   // millivolts, at start and over µs later
	start    int64 // µs
	over     int64
	until    int64 // when it is disconnected again; 0: never
}

// level is the voltage it puts on the wire, if any.
func (d *drive) level(now func() int64) (millivolts int, ok bool) {
	if !d.on || d.over == 0 && d.until == 0 {
		return d.to, d.on
	}
	t := now()
	if d.until != 0 && t >= d.until {
		return 0, false
	}
	if since := t - d.start; since < d.over {
		return d.from + int(int64(d.to-d.from)*since/d.over), true
	}
	return d.to, true
}

// Setup is a change of a pin's configuration.
type Setup struct {
	Mode     Mode
	Pull     *Pull // nil: as it is
	Value    *bool // what it drives; nil: as it was
	Function Function
}

// Configure sets a pin up, as a program does. It fails for what the pin cannot
// do.
func (b *Board) Configure(p Pin, s Setup) error {
	switch {
	case s.Mode == Analog && !p.HasAnalog():
		return fmt.Errorf("pin %s has no analog input: use D0 to D3", p)
	case s.Mode == PulseOut && !p.HasPWM():
		return fmt.Errorf("pin %s has no pulse-width output: use P0 or P1", p)
	case (s.Mode == Alt || s.Mode == AltOpenDrain) && !p.HasFunction(s.Function):
		return fmt.Errorf("pin %s has no function 0x%02X", p, int(s.Function))
	}
	t := &b.pins[p]
	b.change(p, func() {
		t.mode, t.function, t.own = s.Mode, s.Function, true
		if s.Pull != nil {
			t.pull = *s.Pull
		}
		if s.Value != nil {
			t.latch = *s.Value
		}
	})
	return nil
}

// SetPull sets a pin's resistor and nothing else.
func (b *Board) SetPull(p Pin, pull Pull) {
	b.pins[p].pull, b.pins[p].own = pull, true
}

// ConfigureAT sets a pin up by the value of its AT command (device-facts.md
// 10.2, as on other XBee 3 modules): 0 disabled, 2 analog input or pulse-width
// output, 3 input, 4 low, 5 high, and 1, 6 and 7 special functions. pulls and up
// are ATPR and ATPD.
// It reports false for a value that the pin does not have.
func (b *Board) ConfigureAT(p Pin, value int, pulls, up uint64) bool {
	if !p.ValidAT(value) {
		return false
	}
	t := &b.pins[p]
	b.change(p, func() {
		t.own, t.function = false, 0
		switch value {
		case 0:
			t.mode = Disabled
		case 2:
			t.mode = Analog
			if p.HasPWM() {
				t.mode, t.duty = PulseOut, max(t.duty, 0)
			}
		case 3:
			t.mode = In
		case 4, 5:
			t.mode, t.latch = Out, value == 5
		default:
			t.mode, t.function = Alt, Function(int(p)<<4|value)
		}
	})
	b.applyPull(p, pulls, up)
	return true
}

// ValidAT reports whether a pin's AT command takes a value.
func (p Pin) ValidAT(value int) bool {
	switch value {
	case 0, 3, 4, 5:
		return p < P3 || value == 0
	case 1:
		return p >= P3 || p.HasFunction(Function(int(p)<<4|value))
	case 2:
		return p.HasAnalog() || p.HasPWM()
	}
	return value > 0 && value < 8 && p.HasFunction(Function(int(p)<<4|value))
}

// ApplyPulls sets the resistors of the pins that no program has taken: a set bit
// of ATPR enables a pin's resistor, which the same bit of ATPD makes one to the
// supply.
func (b *Board) ApplyPulls(pulls, up uint64) {
	for p := Pin(0); p < NumPins; p++ {
		b.applyPull(p, pulls, up)
	}
}

func (b *Board) applyPull(p Pin, pulls, up uint64) {
	t := &b.pins[p]
	if t.own {
		return
	}
	bit := uint64(1) << pinTable[p].pullBit
	switch {
	case pulls&bit == 0 || t.mode == Analog:
		t.pull = PullNone
	case up&bit != 0:
		t.pull = PullUp
	default:
		t.pull = PullDown
	}
}

// State is a pin as it is set up.
type State struct {
	Mode     Mode
	Pull     Pull
	Function Function
	Duty     int // of PulseOut
}

// State returns how a pin is set up.
func (b *Board) State(p Pin) State {
	t := &b.pins[p]
	return State{t.mode, t.pull, t.function, max(t.duty, 0)}
}

// Write sets what a pin drives as an output.
func (b *Board) Write(p Pin, high bool) {
	b.change(p, func() { b.pins[p].latch = high })
}

// High is the level of a pin's wire, whatever the pin is set to do.
func (b *Board) High(p Pin) bool { return b.Millivolts(p) > thresholdMillivolts }

// Latch is what a pin drives, or would drive as an output.
func (b *Board) Latch(p Pin) bool { return b.pins[p].latch }

// Read is the level that a program reads: of the wire, but low while the pin is
// disabled or analog, whose input buffers are off.
func (b *Board) Read(p Pin) bool {
	switch b.pins[p].mode {
	case Disabled, Analog:
		return false
	}
	return b.Millivolts(p) > thresholdMillivolts
}

// Millivolts is the voltage on a pin's wire.
func (b *Board) Millivolts(p Pin) int {
	t := &b.pins[p]
	if high, drives := b.drives(p); drives {
		if high {
			return SupplyMillivolts
		}
		return 0
	}
	if mv, ok := t.outside.level(b.now); ok {
		return mv
	}
	switch {
	case pinTable[p].button && t.pull != PullDown:
		return SupplyMillivolts
	case b.I2C.pulledUp() && (t.function == I2CClock || t.function == I2CData):
		return SupplyMillivolts
	case t.pull == PullUp:
		return SupplyMillivolts
	}
	return 0 // a wire that floats is taken to be low, a choice
}

// drives tells whether the module itself determines a wire's level, and which.
func (b *Board) drives(p Pin) (high, drives bool) {
	t := &b.pins[p]
	switch t.mode {
	case Out:
		return t.latch, true
	case OpenDrain:
		return false, !t.latch
	case PulseOut:
		return t.duty > MaxDuty/2, true // on average, below or above the threshold
	case Alt, AltOpenDrain:
		return b.functionLevel(t.function)
	}
	return false, false
}

// Times of the association light: one blink a second while the module is on the
// network (a choice), lit while it is not.
const (
	blinkPeriod = 1_000_000
	blinkOn     = 500_000
)

// functionLevel is what a special function drives.
func (b *Board) functionLevel(f Function) (high, drives bool) {
	switch f {
	case OnSleep:
		return !b.asleep, true
	case Associated:
		switch {
		case b.asleep:
			return false, true
		case b.joined == nil || !b.joined():
			return true, true
		}
		return b.now()%blinkPeriod < blinkOn, true
	case UARTTX:
		return true, true // an idle line
	case RSSI:
		return b.rssiDuty() > MaxDuty/2, true
	}
	return false, false
}

// rssiDuty is the width of the signal-strength output's pulses: none below -110
// dBm, full from -70 dBm up, and straight between (a choice).
func (b *Board) rssiDuty() int {
	if b.signal == nil || b.asleep {
		return 0
	}
	dBm, heard := b.signal()
	if !heard {
		return 0
	}
	return min(max((dBm+110)*MaxDuty/40, 0), MaxDuty)
}

// Sample is what an analog input measures: 0 to 4095 for 0 to 2.5 V.
func (b *Board) Sample(p Pin) int {
	mv := min(max(b.Millivolts(p), 0), ReferenceMillivolts)
	return (mv*analogMax + ReferenceMillivolts/2) / ReferenceMillivolts
}

// Duty is the width of the pulses on a pin, 0 to 1023; of a pin that gives no
// pulses, 0 or 1023 by its level.
func (b *Board) Duty(p Pin) int {
	t := &b.pins[p]
	switch {
	case t.mode == PulseOut:
		return max(t.duty, 0)
	case t.mode == Alt && t.function == RSSI:
		return b.rssiDuty()
	case b.Millivolts(p) > thresholdMillivolts:
		return MaxDuty
	}
	return 0
}

// SetDuty sets the width of a pulse-width output.
func (b *Board) SetDuty(p Pin, duty int) {
	b.change(p, func() { b.pins[p].duty = min(max(duty, 0), MaxDuty) })
}

// Drive puts a voltage on a pin's wire from outside. What the module drives wins
// over it, as a series resistor on a bench would have it.
func (b *Board) Drive(p Pin, millivolts int) {
	b.connect(p, drive{on: true, to: millivolts})
}

// connect changes what drives a pin from outside. The wake pin is heard when it
// goes low.
func (b *Board) connect(p Pin, d drive) {
	was := b.High(p)
	b.pins[p].outside = d
	if p != D8 {
		return
	}
	nudge(b.moved)
	if was && !b.High(p) {
		nudge(b.woken)
	}
}

// Woken receives when the wake pin (D8) goes low.
func (b *Board) Woken() <-chan struct{} { return b.woken }

// WakeMoved receives when the wake pin may have moved at all. It is for one
// listener, and Woken for another.
func (b *Board) WakeMoved() <-chan struct{} { return b.moved }

// WakeHigh reports whether the wake pin is high now, without which the module does
// not fall asleep.
func (b *Board) WakeHigh() bool { return b.High(D8) }

// Ramp moves the voltage on a pin's wire evenly, from now on.
func (b *Board) Ramp(p Pin, from, to int, microseconds int64) {
	b.connect(p, drive{on: true, from: from, to: to, start: b.now(), over: microseconds})
}

// Press pulls a pin to ground for a time, as a button does; 0 is until LetGo.
func (b *Board) Press(p Pin, microseconds int64) {
	d := drive{on: true}
	if microseconds > 0 {
		d.until = b.now() + microseconds
	}
	b.connect(p, d)
}

// DriveLevel puts a high or a low level on a pin's wire from outside.
func (b *Board) DriveLevel(p Pin, high bool) {
	if high {
		b.Drive(p, SupplyMillivolts)
	} else {
		b.Drive(p, 0)
	}
}

// LetGo disconnects what Drive had connected.
func (b *Board) LetGo(p Pin) { b.connect(p, drive{}) }

// Output is the level that the module itself gives a pin, and whether it gives
// any.
func (b *Board) Output(p Pin) (high, driven bool) { return b.drives(p) }

// change does what may change a pin's output, and tells whoever wants to know.
func (b *Board) change(p Pin, f func()) {
	if b.changed == nil || b.pins[p].function == Associated {
		f()
		return
	}
	was, wasDriven := b.drives(p)
	f()
	if is, driven := b.drives(p); driven && (is != was || !wasDriven) {
		b.changed(p, is)
	}
}
