package xbee

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/board"
	"github.com/skep-sim/skep/internal/xbee/script"
)

// This file is how the world outside reaches a running device: requests of other
// goroutines wait in a queue until the device's own goroutine sees to them, in a
// job; the same job plays the script.

// outside is what a device has of it.
type outside struct {
	mu       sync.Mutex
	running  bool // the device's goroutine sees to requests
	requests []func()
	news     chan struct{}   // a request has come, or a step of the script is due
	heard    <-chan struct{} // news as the device sees it

	player *script.Player // nil: there is no script
	begun  time.Duration  // Uptime at which the script began
}

// Do has f done to the device, which may be running: then its own goroutine does
// it soon, else the caller's does it now. f must not wait, nor call Do.
// Any goroutine may call Do.
func (d *Device) Do(f func(c script.Control)) { d.do(func() { f(d.handed()) }) }

func (d *Device) do(f func()) {
	o := &d.outside
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.running {
		d.atOnce(f)
		return
	}
	o.requests = append(o.requests, f)
	notify(o.news)
}

// ask is do that waits until it is done. A device that is inside a built-in
// function which takes long answers after it.
func (d *Device) ask(f func()) {
	done := make(chan struct{})
	d.do(func() {
		defer close(done)
		f()
	})
	<-done
}

// Ask is Do that waits until it is done.
func (d *Device) Ask(f func(c script.Control)) { d.ask(func() { f(d.handed()) }) }

// errNoPower is what asking a module without power comes to.
var errNoPower = errors.New("the module has no power")

// AT carries out an AT command, without its AT, as command mode does.
func (d *Device) AT(command string) (answer string, err error) {
	d.ask(d.ordered(newOrder(orderAT, command), func() { answer, err = d.command(command) }))
	return answer, err
}

func (d *Device) command(text string) (answer string, err error) {
	if d.dark {
		return "", errNoPower
	}
	return d.regs.Command(text)
}

// PinState is what a pin of the module does.
type PinState struct {
	Output     bool // the module drives it
	High       bool // the level of its wire, whoever drives it
	Millivolts int
	Duty       int // of its pulses, 0 to 1023
}

// Pin tells what a pin does.
func (d *Device) Pin(p board.Pin) (s PinState) {
	d.ask(d.ordered(newOrder(orderPin, p), func() { s = d.pinState(p) }))
	return s
}

func (d *Device) pinState(p board.Pin) (s PinState) {
	_, s.Output = d.hardware.Output(p)
	s.High, s.Millivolts, s.Duty = d.hardware.High(p), d.hardware.Millivolts(p), d.hardware.Duty(p)
	return s
}

// AttachI2C connects a device of the caller's own to the I2C bus; nil disconnects
// what is there.
func (d *Device) AttachI2C(address byte, t board.Target) {
	d.ask(d.ordered(newOrder(orderI2C, address, t != nil), func() { d.attach(address, t, t != nil) }))
}

func (d *Device) attach(address byte, t board.Target, there bool) {
	switch {
	case !there:
		t = nil
	case d.gate != nil:
		t = recordedTarget{d.gate, t}
	}
	d.hardware.I2C.Attach(address, t)
}

// Play adds a script to a device, in place of the one that plays; its time begins
// now, or at power-on. Any goroutine may call it.
func (d *Device) Play(s *script.Script) {
	d.do(d.ordered(newOrder(orderScript, s.Name, s.Source), func() { d.play(s) }))
}

func (d *Device) play(s *script.Script) {
	o := &d.outside
	o.player = s.Play()
	if d.tasks != nil {
		o.begun = world.Uptime(d.world.Clock())
		d.runScript()
		notify(o.news)
	}
}

// open begins to see to requests, once begin has made what they need; close does
// those that are left.
func (o *outside) open(begin func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	begin()
	o.running = true
}

func (o *outside) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.running = false
	for _, f := range o.requests {
		f()
	}
	o.requests = nil
}

// next takes the oldest request, or nil.
func (o *outside) next() func() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.requests) == 0 {
		return nil
	}
	f := o.requests[0]
	o.requests = o.requests[1:]
	return f
}

// attend is the job that sees to requests and plays the script.
func (d *Device) attend() {
	clock := d.tasks.Background()
	var changed <-chan struct{}
	if d.modemEvents != nil {
		changed = d.modemEvents.Changed()
	}
	for {
		d.serve()
		clock.Wait(d.untilStep(), d.outside.heard, changed)
	}
}

// serve sees to what has come from outside.
func (d *Device) serve() {
	d.modemHappened()
	for f := d.request(); f != nil; f = d.request() {
		d.guarded(f)
	}
	d.runScript()
}

// guarded does what may reset the module, as ATFR does.
func (d *Device) guarded(f func()) {
	defer func() {
		if r := recover(); r != nil {
			d.tasks.Raise(r)
		}
	}()
	f()
}

// scriptTime is the time since the script began.
func (d *Device) scriptTime() time.Duration {
	return world.Uptime(d.world.Clock()) - d.outside.begun
}

// untilStep is how long it is until the next step of the script.
func (d *Device) untilStep() time.Duration {
	if d.outside.player == nil {
		return world.Forever
	}
	at, ok := d.outside.player.Next()
	if !ok {
		return world.Forever
	}
	return max(0, at-d.scriptTime())
}

// runScript does what is due.
func (d *Device) runScript() {
	if d.outside.player == nil {
		return
	}
	typed := d.outside.player.WillType()
	for _, err := range d.outside.player.Run(d.scriptTime(), (*hand)(d)) {
		d.tell(fmt.Sprintf("the script: %v", err))
	}
	if typed && !d.outside.player.WillType() {
		d.wakeSerial() // to find the end of the line
	}
}

// happened tells the script what happened in the module.
func (d *Device) happened(e script.Event) {
	if p := d.outside.player; p != nil && p.Wants(e.Kind) && p.Event(d.scriptTime(), e) {
		notify(d.outside.news)
	}
}

// tell hands a remark to the host, each time.
func (d *Device) tell(text string) {
	if d.conf.Note != nil {
		d.conf.Note(text)
	}
}
