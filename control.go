package skep

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/skep-sim/skep/internal/xbee/board"
	"github.com/skep-sim/skep/internal/xbee/script"
)

// This file is what can be done to a module, running or not. What needs power is
// without effect while there is none. On a virtual clock, which does not wait for
// anybody, a Script is the way to have something happen at a certain time.

// do has something done soon, in the order of the calls.
func (m *Module) do(f func(c script.Control)) { m.device.Do(f) }

// ask waits until it is done.
func (m *Module) ask(f func(c script.Control) error) (err error) {
	m.device.Ask(func(c script.Control) { err = f(c) })
	if err != nil {
		err = fmt.Errorf("skep: %w", err)
	}
	return err
}

func pinOf(name string) (board.Pin, error) {
	p, ok := board.Find(name)
	if !ok || p >= board.P3 {
		return 0, fmt.Errorf("skep: there is no pin %q: use D0 to D12 or P0 to P2", name)
	}
	return p, nil
}

// SetPin connects a pin ("D0" to "D12", "P0" to "P2") to the supply or to ground.
// What the module drives itself wins.
func (m *Module) SetPin(name string, high bool) error {
	p, err := pinOf(name)
	if err != nil {
		return err
	}
	mv := 0
	if high {
		mv = board.SupplyMillivolts
	}
	m.do(func(c script.Control) { c.SetPin(p, mv) })
	return nil
}

// SetTrack has the satellite receiver of a model that has one (digi.gnss) play a
// track from now, again and again: lines of NMEA sentences, of which those from
// one of the first line's type to the next are played in one second. "" is no
// track: the receiver hears no satellite.
func (m *Module) SetTrack(nmea string) error {
	return m.ask(func(c script.Control) error { return c.SetTrack(nmea) })
}

// SetAnalog puts a voltage on an analog input ("D0" to "D3"); 2.5 V is full scale.
func (m *Module) SetAnalog(name string, volts float64) error {
	p, err := pinOf(name)
	if err != nil {
		return err
	}
	if !p.HasAnalog() {
		return fmt.Errorf("skep: pin %s has no analog input: use D0 to D3", p)
	}
	if !(math.Abs(volts) <= 5) {
		return fmt.Errorf("skep: %g V on pin %s: give -5 to 5", volts, p)
	}
	m.do(func(c script.Control) { c.SetPin(p, int(math.Round(1000*volts))) })
	return nil
}

// PressPin pulls a pin to ground for a time of the module's, as a button does; 0
// is until ReleasePin.
func (m *Module) PressPin(name string, d time.Duration) error {
	p, err := pinOf(name)
	if err != nil {
		return err
	}
	m.do(func(c script.Control) { c.PressPin(p, max(d, 0)) })
	return nil
}

// ReleasePin disconnects what SetPin, SetAnalog or PressPin connected.
func (m *Module) ReleasePin(name string) error {
	p, err := pinOf(name)
	if err != nil {
		return err
	}
	m.do(func(c script.Control) { c.ReleasePin(p) })
	return nil
}

// PinState is what a pin does.
type PinState struct {
	Output bool    // the module drives it
	High   bool    // the level of its wire, whoever drives it
	Volts  float64 // on it
	Duty   int     // of its pulses, 0 to 1023
}

// Pin tells what a pin does now.
func (m *Module) Pin(name string) (PinState, error) {
	p, err := pinOf(name)
	if err != nil {
		return PinState{}, err
	}
	s := m.device.Pin(p)
	return PinState{s.Output, s.High, float64(s.Millivolts) / 1000, s.Duty}, nil
}

// AttachI2C connects a device to the module's I2C bus by its kind: "hdc1080",
// "ds1621", "shtc3", or a memory, "24c02" to "24c512". "" disconnects what is at
// the address.
func (m *Module) AttachI2C(address byte, kind string) error {
	return m.ask(func(c script.Control) error { return c.AttachI2C(address, kind) })
}

// SetSensor sets what an attached sensor finds: "temperature" in degrees Celsius,
// "humidity" in percent.
func (m *Module) SetSensor(address byte, quantity string, value float64) error {
	return m.ask(func(c script.Control) error { return c.SetI2C(address, quantity, value) })
}

// I2CDevice is a device of your own on the I2C bus. Its methods are called by the
// module's goroutine.
type I2CDevice interface {
	// Begin is a start with the device's address; false does not acknowledge it.
	Begin(read bool) bool
	// Put takes a byte; false does not acknowledge it.
	Put(b byte) bool
	// Get gives the next byte.
	Get() byte
	// End is a stop, or a repeated start.
	End()
}

// AttachI2CDevice connects a device of your own to the bus, at an address of 7
// bits.
func (m *Module) AttachI2CDevice(address byte, d I2CDevice) error {
	if address > 0x7F {
		return fmt.Errorf("skep: 0x%X is no I2C address: give one of 7 bits", address)
	}
	m.device.AttachI2C(address, i2cDevice{d})
	return nil
}

// i2cDevice is an I2CDevice as the board takes it.
type i2cDevice struct{ I2CDevice }

func (d i2cDevice) Begin(read bool, now int64) bool { return d.I2CDevice.Begin(read) }
func (d i2cDevice) Put(b byte, now int64) bool      { return d.I2CDevice.Put(b) }
func (d i2cDevice) Get(now int64) byte              { return d.I2CDevice.Get() }
func (d i2cDevice) End(now int64)                   { d.I2CDevice.End() }

// SendUART delivers bytes to the secondary serial port.
func (m *Module) SendUART(b []byte) {
	b = append([]byte(nil), b...)
	m.do(func(c script.Control) { c.SendUART(b) })
}

// Wake pulls the module's wake pin (D8) low for a moment.
func (m *Module) Wake() { m.do(script.Control.Wake) }

// DeliverSMS puts a text message into the module's inbox.
func (m *Module) DeliverSMS(sender, text string) {
	m.do(func(c script.Control) { c.DeliverSMS(sender, text) })
}

// SMS is a text message.
type SMS struct {
	Phone string // of the other side
	Text  string
	Time  time.Time
}

// SentSMS returns the last 100 messages that the module has sent, the oldest
// first.
func (m *Module) SentSMS() []SMS {
	var all []SMS
	for _, s := range m.device.SentSMS() {
		all = append(all, SMS(s))
	}
	return all
}

// SetSignal sets how well the module hears the network: RSSI and RSRP in dBm, RSRQ
// in dB.
func (m *Module) SetSignal(rssi, rsrp, rsrq float32) {
	m.do(func(c script.Control) { c.SetSignal(rssi, rsrp, rsrq) })
}

// LoseNetwork takes the network away.
func (m *Module) LoseNetwork() { m.do(func(c script.Control) { c.SetNetwork(false) }) }

// ReturnNetwork brings it back.
func (m *Module) ReturnNetwork() { m.do(func(c script.Control) { c.SetNetwork(true) }) }

// SetNATTimeout makes the carrier forget connections that were idle for a time; 0
// is never.
func (m *Module) SetNATTimeout(idle time.Duration) {
	m.do(func(c script.Control) { c.SetNAT(max(idle, 0)) })
}

// ResetConnections has every server reset its connection.
func (m *Module) ResetConnections() { m.do(script.Control.ResetConnections) }

// SetUSBPower feeds the board from USB alone, or again from the wall.
func (m *Module) SetUSBPower(usb bool) { m.do(func(c script.Control) { c.SetPower(usb) }) }

// CutPower takes the power away in the middle of whatever goes on; what was not
// flushed to the flash is lost. The run goes on with RestorePower, or ends with
// Stop.
func (m *Module) CutPower() { m.do(script.Control.CutPower) }

// RestorePower gives the power back.
func (m *Module) RestorePower() { m.do(script.Control.RestorePower) }

// BrownOut resets the module by a dip of its supply.
func (m *Module) BrownOut() { m.do(script.Control.BrownOut) }

// PressReset resets the module by its reset pin.
func (m *Module) PressReset() { m.do(script.Control.PressReset) }

// JumpClock moves the network's time, which the module shows once it has it.
func (m *Module) JumpClock(d time.Duration) {
	m.do(func(c script.Control) { c.JumpClock(d) })
}

// Script plays a script of the world around the module from now on, in place of
// the one that plays: see docs/world-script.md. The error names every wrong line.
func (m *Module) Script(text string) error {
	s, err := script.Parse("script", text)
	if err != nil {
		return errors.Join(errors.New("skep: the script is wrong"), err)
	}
	m.device.Play(s)
	return nil
}
