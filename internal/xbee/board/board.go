// Package board is what a module's processor has around it: its pins with the
// carrier board's buttons and lights on them, the analog inputs, the pulse-width
// outputs, the I2C bus and what is attached to it, the secondary UART, and the
// watchdog.
//
// Who programs the pins is package pymod's business (module machine) and that of
// the AT commands; who moves the world at the other end is the device's. It has
// no clock of its own: the time is handed in. It serves one goroutine.
package board

// Board is one module's surroundings. They outlive resets: what is attached
// stays attached, and what is pressed stays pressed.
type Board struct {
	// I2C is the bus on D1 (clock) and P1 (data).
	I2C Bus
	// UART is the secondary serial port, on D4 and P2.
	UART UART
	// Watchdog is the one of machine.WDT.
	Watchdog Watchdog

	now     func() int64
	pins    [NumPins]pin
	asleep  bool
	joined  func() bool
	signal  func() (dBm int, heard bool)
	changed func(Pin, bool)
	woken   chan struct{}
	moved   chan struct{}
}

// New is a board that has just been given power. now is the time in
// microseconds; it never goes back.
func New(now func() int64) *Board {
	b := &Board{now: now}
	b.I2C.now = now
	b.Watchdog.now, b.Watchdog.changed = now, make(chan struct{}, 1)
	b.woken, b.moved = make(chan struct{}, 1), make(chan struct{}, 1)
	b.UART.init()
	for p := range b.pins {
		b.pins[p].duty = -1
	}
	return b
}

// SetNetwork tells the association light and the signal-strength output where
// to look: whether the module is on the network, and how well it hears it.
func (b *Board) SetNetwork(joined func() bool, signal func() (dBm int, heard bool)) {
	b.joined, b.signal = joined, signal
}

// OnOutput has f called when the level that the module itself gives a pin
// changes; blinking and pulses are no change.
func (b *Board) OnOutput(f func(p Pin, high bool)) { b.changed = f }

// Reset is a reset of the whole module: its pins are inputs without a function
// again, until the AT settings are applied, and its peripherals are off.
func (b *Board) Reset() {
	for p := range b.pins {
		s := &b.pins[p]
		b.change(Pin(p), func() {
			s.mode, s.pull, s.latch, s.function, s.duty, s.own = Disabled, PullNone, false, 0, -1, false
		})
	}
	b.SoftReset()
	b.asleep = false
}

// SoftReset is a restart of the interpreter: the bus is free, the secondary
// UART closed and the watchdog off. The pins stay as they are.
func (b *Board) SoftReset() {
	b.I2C.release()
	b.UART.Close()
	b.Watchdog.stop()
}

// I2CReady reports whether the bus has its pins: a program that took D1 or P1
// for something else finds nobody on the bus.
func (b *Board) I2CReady() bool {
	for _, f := range [...]Function{I2CClock, I2CData} {
		if s := &b.pins[f.Pin()]; s.function != f || s.mode != Alt && s.mode != AltOpenDrain {
			return false
		}
	}
	return true
}

// SetAsleep tells the ON/SLEEP pin and the radio's indicator that the module
// sleeps.
func (b *Board) SetAsleep(on bool) {
	if on != b.asleep {
		b.change(D9, func() { b.asleep = on })
	}
}
