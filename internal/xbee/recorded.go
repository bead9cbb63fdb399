package xbee

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/board"
	"github.com/skep-sim/skep/internal/xbee/script"
)

// This file is what a device that is recorded, or that replays a recording, does
// besides: what other goroutines want of it crosses the seam as data. See
// world.Gate.

// order is one thing that is done to a device from outside, as a recording keeps
// it: a method of script.Control, or one of those below, with its arguments.
type order struct {
	Do   string            `json:"do"`
	With []json.RawMessage `json:"with,omitempty"`
}

// The orders that are no method of script.Control.
const (
	orderAT     = "AT"
	orderPin    = "look at pin"
	orderBill   = "bill"
	orderSMS    = "list sent SMS"
	orderScript = "play"
	orderI2C    = "own I2C device"
	orderLook   = "look up"
)

// newOrder is the order to do something with some values.
func newOrder(do string, with ...any) order {
	o := order{Do: do}
	for _, v := range with {
		b, err := json.Marshal(v)
		if err != nil { // a number that is none
			b = []byte("0")
		}
		o.With = append(o.With, b)
	}
	return o
}

// errOrder is what is wrong with the order of a recording of another version.
var errOrder = errors.New("the recording holds an order that this version of the module does not know")

// arguments decodes what an order is given with.
func (o order) arguments(to ...any) error {
	if len(to) != len(o.With) {
		return errOrder
	}
	for i, p := range to {
		if err := json.Unmarshal(o.With[i], p); err != nil {
			return fmt.Errorf("%w: %w", errOrder, err)
		}
	}
	return nil
}

// obey carries out an order again.
func (d *Device) obey(o order) error {
	var text, more string
	var pin board.Pin
	var address byte
	var there bool
	switch o.Do {
	case orderAT:
		if err := o.arguments(&text); err != nil {
			return err
		}
		_, err := d.command(text)
		return err
	case orderPin:
		if err := o.arguments(&pin); err != nil || pin >= board.P3 {
			return errOrder
		}
		d.pinState(pin)
	case orderBill:
		d.report()
	case orderLook:
		notify(d.console.pressed)
	case orderSMS:
		d.modemHappened()
	case orderScript:
		if err := o.arguments(&text, &more); err != nil {
			return err
		}
		s, err := script.Parse(text, more)
		if err != nil {
			return err
		}
		d.play(s)
	case orderI2C:
		if err := o.arguments(&address, &there); err != nil {
			return err
		}
		d.attach(address, nil, there)
	default:
		return d.control(o)
	}
	return nil
}

// control calls a method of script.Control.
func (d *Device) control(o order) error {
	c := reflect.TypeFor[script.Control]()
	if _, ok := c.MethodByName(o.Do); !ok {
		return errOrder
	}
	f := reflect.ValueOf((*hand)(d)).MethodByName(o.Do)
	if f.Type().NumIn() != len(o.With) {
		return errOrder
	}
	var with []reflect.Value
	for i, b := range o.With {
		v := reflect.New(f.Type().In(i))
		if err := json.Unmarshal(b, v.Interface()); err != nil {
			return fmt.Errorf("%w: %w", errOrder, err)
		}
		with = append(with, v.Elem())
	}
	for _, r := range f.Call(with) {
		if err, ok := r.Interface().(error); ok {
			return err
		}
	}
	return nil
}

// What is asked of the gate.
const (
	askRequest = "request" // is there a request?
	askOrder   = "order"   // what is to be done next for it?
	askFlash   = "flash"   // why can the host not store a change?
	askI2C     = "i2c"     // what does a device of the caller's own say?
)

// ordered carries out a request whose order is known beforehand.
func (d *Device) ordered(o order, f func()) func() {
	if d.gate == nil {
		return f
	}
	return func() {
		d.writeDown(o)
		f()
	}
}

// writeDown has an order recorded.
func (d *Device) writeDown(o order) {
	d.gate.Ask(askOrder, func() []byte {
		b, err := json.Marshal(o)
		if err != nil {
			return nil
		}
		return b
	})
}

// handed is the hand that requests are given.
func (d *Device) handed() script.Control {
	if d.gate == nil {
		return (*hand)(d)
	}
	return recordedHand{d}
}

// request takes the oldest request, or nil.
func (d *Device) request() func() {
	if d.gate == nil {
		return d.outside.next()
	}
	if d.gate.Replays() {
		if d.gate.Ask(askRequest, nil) == nil {
			return nil
		}
		return d.again
	}
	f := d.outside.next()
	d.gate.Ask(askRequest, func() []byte {
		if f == nil {
			return nil
		}
		return []byte{}
	})
	if f == nil {
		return nil
	}
	return func() {
		f()
		d.gate.Ask(askOrder, func() []byte { return nil })
	}
}

// atOnce carries out a request of a device that does not run.
func (d *Device) atOnce(f func()) {
	if d.gate == nil || d.gate.Replays() {
		f()
		return
	}
	d.gate.Ask(askRequest, func() []byte { return []byte{} })
	f()
	d.gate.Ask(askOrder, func() []byte { return nil })
}

// before replays what was done to the device before it ran.
func (d *Device) before() {
	if d.gate == nil {
		return
	}
	for d.gate.Ask(askRequest, func() []byte { return nil }) != nil {
		d.again()
	}
}

// again does what a recorded request did.
func (d *Device) again() {
	for {
		b := d.gate.Ask(askOrder, nil)
		if b == nil {
			return
		}
		var o order
		err := json.Unmarshal(b, &o)
		if err == nil {
			err = d.obey(o)
		}
		if errors.Is(err, errOrder) {
			d.tell(err.Error())
		}
	}
}

// event is what the device waits for in the place of raw.
func (d *Device) event(raw <-chan struct{}) <-chan struct{} {
	if d.gate == nil {
		return raw
	}
	return d.gate.Event(raw)
}

// mark tells the recording what the device does.
func (d *Device) mark(what, format string, args ...any) {
	if d.gate != nil {
		d.gate.Mark(what, fmt.Sprintf(format, args...))
	}
}

// excepted is told of the exceptions that the program gets to see, or the prompt.
func (d *Device) excepted() func(exc vm.Value) {
	if d.gate == nil {
		return nil
	}
	return func(exc vm.Value) {
		v := d.vm
		if !v.IsExceptionInstance(exc) {
			return
		}
		text := v.QstrString(v.TypeNameOf(exc))
		if tb := v.Traceback(exc); len(tb) > 0 {
			text += fmt.Sprintf(" in %s, line %d", v.QstrString(tb[0].File), tb[0].Line)
		}
		d.gate.Mark("exception", text)
	}
}

// recorded prepares a device for its gate.
func (d *Device) recorded() {
	if d.gate == nil {
		return
	}
	d.conf.Flash.Guard(func(size int, write func() error) error {
		d.gate.Mark("flash", fmt.Sprintf("%d bytes", size))
		if d.gate.Replays() {
			if text := d.gate.Ask(askFlash, nil); text != nil {
				return errors.New(string(text))
			}
			return write()
		}
		var err error
		d.gate.Ask(askFlash, func() []byte {
			if err = write(); err != nil {
				return []byte(err.Error())
			}
			return nil
		})
		return err
	})
}

// checked compares the memory of the device with that of the recorded one, now and
// then.
func (d *Device) checked() {
	if d.gate != nil {
		d.gate.Check("the memory's checksum", false, d.memorySum)
	}
}

// memorySum is a checksum of the whole of the device's RAM.
func (d *Device) memorySum() uint64 {
	sum := uint64(14695981039346656037)
	for _, w := range d.vm.Mem {
		sum = (sum ^ uint64(w)) * 1099511628211
	}
	return sum
}

// finish is the end of the run, where all that is left of it is compared.
func (d *Device) finish() {
	if d.gate == nil {
		return
	}
	if d.vm != nil {
		d.gate.Check("the memory's checksum", true, d.memorySum)
	}
	d.gate.Check("the flash's checksum", true, d.conf.Flash.Sum)
	d.mark("off", "%s", d.result)
	d.gate.End()
	d.conf.Flash.Guard(nil)
}

// String says how a run ended.
func (r Result) String() string {
	switch {
	case r.Failed:
		return "the program has failed"
	case r.Off:
		return "switched off"
	case r.Ran:
		return "the program has ended"
	}
	return "there was no program"
}

// recordedTarget is a device of the caller's own on the I2C bus; it is nil in a
// replay.
type recordedTarget struct {
	gate   world.Gate
	target board.Target
}

func (t recordedTarget) yes(f func() bool) bool {
	return t.gate.Ask(askI2C, func() []byte {
		if f() {
			return nil
		}
		return []byte{0}
	}) == nil
}

// Begin implements board.Target.
func (t recordedTarget) Begin(read bool, now int64) bool {
	return t.yes(func() bool { return t.target.Begin(read, now) })
}

// Put implements board.Target.
func (t recordedTarget) Put(b byte, now int64) bool {
	return t.yes(func() bool { return t.target.Put(b, now) })
}

// Get implements board.Target.
func (t recordedTarget) Get(now int64) byte {
	b := t.gate.Ask(askI2C, func() []byte { return []byte{t.target.Get(now)} })
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

// End implements board.Target.
func (t recordedTarget) End(now int64) {
	t.gate.Ask(askI2C, func() []byte {
		t.target.End(now)
		return nil
	})
}

// recordedHand is a hand whose doings are recorded.
type recordedHand struct{ d *Device }

func (r recordedHand) do(what string, with ...any) *hand {
	r.d.writeDown(newOrder(what, with...))
	return (*hand)(r.d)
}

func (r recordedHand) SetPin(p board.Pin, mv int) { r.do("SetPin", p, mv).SetPin(p, mv) }
func (r recordedHand) RampPin(p board.Pin, from, to int, over time.Duration) {
	r.do("RampPin", p, from, to, over).RampPin(p, from, to, over)
}
func (r recordedHand) PressPin(p board.Pin, d time.Duration) { r.do("PressPin", p, d).PressPin(p, d) }
func (r recordedHand) ReleasePin(p board.Pin)                { r.do("ReleasePin", p).ReleasePin(p) }
func (r recordedHand) Wake()                                 { r.do("Wake").Wake() }
func (r recordedHand) AttachI2C(address byte, kind string) error {
	return r.do("AttachI2C", address, kind).AttachI2C(address, kind)
}
func (r recordedHand) SetI2C(address byte, quantity string, value float64) error {
	return r.do("SetI2C", address, quantity, value).SetI2C(address, quantity, value)
}
func (r recordedHand) WriteI2C(address byte, offset int, data []byte) error {
	return r.do("WriteI2C", address, offset, data).WriteI2C(address, offset, data)
}
func (r recordedHand) SendUART(b []byte)          { r.do("SendUART", b).SendUART(b) }
func (r recordedHand) SetTrack(nmea string) error { return r.do("SetTrack", nmea).SetTrack(nmea) }
func (r recordedHand) TypeSerial(b []byte)        { r.do("TypeSerial", b).TypeSerial(b) }
func (r recordedHand) BreakSerial(d time.Duration) {
	r.do("BreakSerial", d).BreakSerial(d)
}
func (r recordedHand) DeliverSMS(sender, text string) {
	r.do("DeliverSMS", sender, text).DeliverSMS(sender, text)
}
func (r recordedHand) SetSignal(rssi, rsrp, rsrq float32) {
	r.do("SetSignal", rssi, rsrp, rsrq).SetSignal(rssi, rsrp, rsrq)
}
func (r recordedHand) SetNetwork(up bool)        { r.do("SetNetwork", up).SetNetwork(up) }
func (r recordedHand) SetNAT(idle time.Duration) { r.do("SetNAT", idle).SetNAT(idle) }
func (r recordedHand) ResetConnections()         { r.do("ResetConnections").ResetConnections() }
func (r recordedHand) SetPower(usb bool)         { r.do("SetPower", usb).SetPower(usb) }
func (r recordedHand) CutPower()                 { r.do("CutPower").CutPower() }
func (r recordedHand) RestorePower()             { r.do("RestorePower").RestorePower() }
func (r recordedHand) BrownOut()                 { r.do("BrownOut").BrownOut() }
func (r recordedHand) PressReset()               { r.do("PressReset").PressReset() }
func (r recordedHand) JumpClock(d time.Duration) { r.do("JumpClock", d).JumpClock(d) }
func (r recordedHand) Say(text string)           { r.do("Say", text).Say(text) }
func (r recordedHand) End()                      { r.do("End").End() }
