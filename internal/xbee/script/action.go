package script

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/xbee/board"
)

// actions lists what a step can do: the first word, an example for errors and for
// the reference, and what reads the rest of the line.
type action struct {
	name    string
	example string
	read    func(p *parser) (func(Control) error, error)
}

func actions() []action {
	return []action{
		{"pin", "pin D0 low", readPin},
		{"press", "press D0 for 200ms", readPress},
		{"release", "release D0", readRelease},
		{"analog", "analog D1 0.5V to 2.5V over 1m", readAnalog},
		{"i2c", "i2c 0x40 hdc1080 temperature 21.5 humidity 40", readI2C},
		{"uart", `uart "$GPGGA,...\r\n"`, readUART},
		{"gnss", `gnss "$GPGGA,...\n$GPRMC,..."`, readTrack},
		{"serial", `serial "\x03"`, readSerial},
		{"wake", "wake", simple(Control.Wake)},
		{"sms", `sms +15551234567 "text"`, readSMS},
		{"signal", "signal -95 rsrp -110 rsrq -12", readSignal},
		{"network", "network lost", readNetwork},
		{"nat-timeout", "nat-timeout 120s", readNAT},
		{"server", "server reset", readServer},
		{"power", "power usb", readPower},
		{"brownout", "brownout", simple(Control.BrownOut)},
		{"reset", "reset", simple(Control.PressReset)},
		{"clock", "clock jump +3s", readClock},
		{"say", `say "it begins"`, readSay},
		{"end", "end", simple(Control.End)},
	}
}

func simple(f func(Control)) func(*parser) (func(Control) error, error) {
	return func(*parser) (func(Control) error, error) { return always(f), nil }
}

// always is an action that cannot fail.
func always(f func(Control)) func(Control) error {
	return func(c Control) error { f(c); return nil }
}

// action reads what a step does.
func (p *parser) action() (func(Control) error, error) {
	var names []string
	for _, a := range actions() {
		if _, ok := p.keyword(a.name); ok {
			do, err := a.read(p)
			if err != nil {
				err = fmt.Errorf("%w (for example: %s)", err, a.example)
			}
			return do, err
		}
		names = append(names, a.name)
	}
	if p.end() {
		return nil, fmt.Errorf("the line says when, but not what: %s", strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("unknown action %s: use %s", p.words[p.at].raw, strings.Join(names, ", "))
}

func readPin(p *parser) (func(Control) error, error) {
	pin, err := p.pin()
	if err != nil {
		return nil, err
	}
	level, err := p.oneOf("a level", "low", "high", "open")
	return always(func(c Control) {
		switch level {
		case "low":
			c.SetPin(pin, 0)
		case "high":
			c.SetPin(pin, board.SupplyMillivolts)
		default:
			c.ReleasePin(pin)
		}
	}), err
}

func readPress(p *parser) (func(Control) error, error) {
	pin, err := p.pin()
	if err != nil {
		return nil, err
	}
	var d time.Duration // until it is released
	if _, ok := p.keyword("for"); ok {
		if d, err = p.duration("how long the button is pressed"); err == nil && d == 0 {
			err = errors.New("how long the button is pressed must not be 0")
		}
	}
	return always(func(c Control) { c.PressPin(pin, d) }), err
}

func readRelease(p *parser) (func(Control) error, error) {
	pin, err := p.pin()
	return always(func(c Control) { c.ReleasePin(pin) }), err
}

func readAnalog(p *parser) (func(Control) error, error) {
	pin, err := p.pin()
	if err == nil && !pin.HasAnalog() {
		err = fmt.Errorf("pin %s has no analog input: use D0 to D3", pin)
	}
	if err != nil {
		return nil, err
	}
	from, err := p.volts()
	if err != nil {
		return nil, err
	}
	if _, ok := p.keyword("to"); !ok {
		return always(func(c Control) { c.SetPin(pin, from) }), nil
	}
	to, err := p.volts()
	if err != nil {
		return nil, err
	}
	if _, err = p.oneOf("how long that takes", "over"); err != nil {
		return nil, err
	}
	over, err := p.duration("how long that takes")
	return always(func(c Control) { c.RampPin(pin, from, to, over) }), err
}

func readI2C(p *parser) (func(Control) error, error) {
	w, err := p.need("an address, such as 0x40,")
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(w, 0, 8)
	if err != nil || n < 0x08 || n > 0x77 {
		return nil, fmt.Errorf("%q is no I2C address: use 0x08 to 0x77", w)
	}
	address := byte(n)
	if p.end() {
		return nil, errors.New("say what is there, or what it measures")
	}
	if _, ok := p.keyword("remove"); ok {
		return func(c Control) error { return c.AttachI2C(address, "") }, nil
	}
	var all []func(c Control) error
	if kind, ok := p.keyword(board.DeviceNames()...); ok {
		if _, err := board.NewDevice(kind, address); err != nil {
			return nil, err
		}
		all = append(all, func(c Control) error { return c.AttachI2C(address, kind) })
	}
	for !p.end() {
		do, err := readI2CSetting(p, address)
		if err != nil {
			return nil, err
		}
		all = append(all, do)
	}
	return func(c Control) error {
		for _, do := range all {
			if err := do(c); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func readI2CSetting(p *parser, address byte) (func(Control) error, error) {
	what, err := p.oneOf("a kind of device ("+strings.Join(board.DeviceNames(), ", ")+") or what it measures", "temperature", "humidity", "bytes")
	if err != nil {
		return nil, err
	}
	if what != "bytes" {
		v, err := p.number(what, -273, 1000)
		return func(c Control) error { return c.SetI2C(address, what, v) }, err
	}
	offset, err := p.need("the place of the bytes, such as 0x10,")
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(offset, 0, 16)
	if err != nil {
		return nil, fmt.Errorf("%q is no place in a memory: use 0 to 0xFFFF", offset)
	}
	text, err := p.quoted("what to put there")
	return func(c Control) error { return c.WriteI2C(address, int(n), []byte(text)) }, err
}

func readTrack(p *parser) (func(Control) error, error) {
	text, err := p.quoted("the sentences that the satellite receiver plays")
	return func(c Control) error { return c.SetTrack(text) }, err
}

func readUART(p *parser) (func(Control) error, error) {
	text, err := p.quoted("what arrives at the secondary UART")
	return always(func(c Control) { c.SendUART([]byte(text)) }), err
}

func readSerial(p *parser) (func(Control) error, error) {
	if _, ok := p.keyword("break"); ok {
		d := 250 * time.Millisecond
		var err error
		if !p.end() {
			d, err = p.duration("how long the break lasts")
		}
		return always(func(c Control) { c.BreakSerial(d) }), err
	}
	text, err := p.quoted("what is typed into the serial port")
	return always(func(c Control) { c.TypeSerial([]byte(text)) }), err
}

func readSMS(p *parser) (func(Control) error, error) {
	sender, err := p.need("the sender's number")
	if err != nil {
		return nil, err
	}
	if d := strings.TrimPrefix(sender, "+"); d == "" || len(d) > 20 || strings.Trim(d, "0123456789") != "" {
		return nil, fmt.Errorf("%q is no phone number: use up to 20 digits, with or without +", sender)
	}
	text, err := p.quoted("the message")
	return always(func(c Control) { c.DeliverSMS(sender, text) }), err
}

func readSignal(p *parser) (func(Control) error, error) {
	rssi, err := p.number("a signal strength in dBm", -140, -20)
	if err != nil {
		return nil, err
	}
	rsrp, rsrq := rssi-27, -10.0 // as far apart as 12 carriers of 50 resource blocks put them
	for err == nil && !p.end() {
		var which string
		if which, err = p.oneOf("a further value", "rsrp", "rsrq"); err != nil {
			break
		}
		if which == "rsrp" {
			rsrp, err = p.number("rsrp in dBm", -160, -20)
		} else {
			rsrq, err = p.number("rsrq in dB", -40, 0)
		}
	}
	return always(func(c Control) { c.SetSignal(float32(rssi), float32(rsrp), float32(rsrq)) }), err
}

func readNetwork(p *parser) (func(Control) error, error) {
	w, err := p.oneOf("what happens to the network", "lost", "back")
	return always(func(c Control) { c.SetNetwork(w == "back") }), err
}

func readNAT(p *parser) (func(Control) error, error) {
	if _, ok := p.keyword("off"); ok {
		return always(func(c Control) { c.SetNAT(0) }), nil
	}
	d, err := p.duration("the time after which the carrier forgets")
	if err == nil && d == 0 {
		err = errors.New("the time must not be 0: nat-timeout off ends it")
	}
	return always(func(c Control) { c.SetNAT(d) }), err
}

func readServer(p *parser) (func(Control) error, error) {
	_, err := p.oneOf("what the server does", "reset")
	return always(Control.ResetConnections), err
}

func readPower(p *parser) (func(Control) error, error) {
	w, err := p.oneOf("what happens to the power", "usb", "wall", "cut", "on")
	return always(func(c Control) {
		switch w {
		case "cut":
			c.CutPower()
		case "on":
			c.RestorePower()
		default:
			c.SetPower(w == "usb")
		}
	}), err
}

func readClock(p *parser) (func(Control) error, error) {
	if _, err := p.oneOf("what the clock does", "jump"); err != nil {
		return nil, err
	}
	w, err := p.need("by how much, such as +3s or -1h,")
	if err != nil {
		return nil, err
	}
	d, err := time.ParseDuration(strings.ToLower(w))
	if err != nil || math.Abs(d.Hours()) > 24*366*20 {
		return nil, fmt.Errorf("%q: write by how much the clock jumps as +3s or -1h, up to 20 years", w)
	}
	return always(func(c Control) { c.JumpClock(d) }), nil
}

func readSay(p *parser) (func(Control) error, error) {
	text, err := p.quoted("what to say")
	return always(func(c Control) { c.Say(text) }), err
}
