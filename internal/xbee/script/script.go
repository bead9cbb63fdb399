// Package script reads what happens to a module while it runs: a text with a line
// for each event in the world around it ("at 5s pin D0 low", "when connected
// network lost"), and plays it.
//
// It is the list and the order of events. What an event does to the module is the
// [Control]'s matter, and so is the time: a [Player] is told what time it is and
// tells when it wants to be called next. docs/world-script.md is its reference.
package script

import (
	"time"

	"github.com/skep-sim/skep/internal/xbee/board"
)

// Control is what can be done to a module from outside. Its methods are called
// one at a time. An error says what is wrong with the request.
type Control interface {
	// SetPin puts a voltage on a pin's wire.
	SetPin(p board.Pin, millivolts int)
	// RampPin moves the voltage of a pin's wire evenly.
	RampPin(p board.Pin, from, to int, over time.Duration)
	// PressPin pulls a pin to ground, as a button does; 0 is until it is released.
	PressPin(p board.Pin, d time.Duration)
	// ReleasePin disconnects what drives a pin from outside.
	ReleasePin(p board.Pin)
	// Wake pulls the module's wake pin (D8, DTR) low for a moment.
	Wake()
	// AttachI2C connects a device of a kind in [board.DeviceNames], or with kind ""
	// disconnects what is there.
	AttachI2C(address byte, kind string) error
	// SetI2C sets what the sensor at an address measures.
	SetI2C(address byte, quantity string, value float64) error
	// WriteI2C puts bytes into the memory at an address.
	WriteI2C(address byte, offset int, data []byte) error
	// SendUART delivers bytes to the secondary serial port.
	SendUART(b []byte)
	// SetTrack has the satellite receiver play a track of NMEA sentences from now.
	SetTrack(nmea string) error
	// TypeSerial delivers bytes to the module's serial port.
	TypeSerial(b []byte)
	// BreakSerial holds a break condition on the module's serial port.
	BreakSerial(d time.Duration)

	// DeliverSMS puts a text message into the module's inbox.
	DeliverSMS(sender, text string)
	// SetSignal sets how well the network is heard, in dBm, dBm and dB.
	SetSignal(rssi, rsrp, rsrq float32)
	// SetNetwork takes the network away, or brings it back.
	SetNetwork(up bool)
	// SetNAT makes the carrier forget a connection that was idle for a time; 0:
	// never.
	SetNAT(idle time.Duration)
	// ResetConnections has every server reset its connection.
	ResetConnections()

	// SetPower feeds the board from the wall or from USB alone.
	SetPower(usb bool)
	// CutPower takes the power away, in the middle of whatever goes on.
	CutPower()
	// RestorePower gives the power back.
	RestorePower()
	// BrownOut resets the module by a dip of its supply.
	BrownOut()
	// PressReset resets the module by its reset pin.
	PressReset()
	// JumpClock moves the network's time, which the module shows once it has it.
	JumpClock(d time.Duration)

	// Say tells the person at the host something.
	Say(text string)
	// End switches the module off for good.
	End()
}

// Step is one line of a script.
type Step struct {
	Line int    // in the text, from 1
	Text string // without its comment

	trigger trigger
	do      func(c Control) error
	types   bool // into the serial port
}

// Script is a text that was read. It never changes.
type Script struct {
	Name   string // of the file, for errors
	Source string // as it was read
	Steps  []Step
}

// triggerKind is what makes a step happen.
type triggerKind uint8

const (
	atTime  triggerKind = iota
	every               // again and again
	once                // the first time that an event happens
	eachOne             // every time
)

type trigger struct {
	kind   triggerKind
	delay  time.Duration // since power-on, or since the event
	period time.Duration
	until  time.Duration // of every; 0: for ever
	event  Event
}
