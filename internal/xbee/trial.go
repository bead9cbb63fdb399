package xbee

import (
	"errors"
	"time"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/pymod"
	"github.com/skep-sim/skep/internal/xbee/script"
	"github.com/skep-sim/skep/internal/xbee/task"
)

// The ways in which code ends a [Device.Trial] before its time.
var (
	ErrReset = errors.New("it restarts the module")
	ErrInput = errors.New("it waits for input")
	ErrSteps = errors.New("it does not come to an end")
	ErrTime  = errors.New("it takes longer than it may")
	ErrOff   = errors.New("it switches the module off")
	ErrPower = errors.New("the module loses its power")
)

// timeLimit is the Go panic by which Limit ends code.
type timeLimit struct{}

// Session powers the device on, plays its script, starts its interpreter as for its
// first prompt and hands it to f; then the device loses power. Unlike a [Device.Trial]
// the device lives meanwhile: time passes, the script plays, and others may reach it.
// The error says why f did not return: one of those above, a *vm.Fault, or a
// *task.Crash.
func (d *Device) Session(f func(v *vm.VM)) (err error) {
	var disconnect func()
	d.outside.open(func() {
		disconnect = d.connect()
		d.outside.begun = world.Uptime(d.world.Clock())
	})
	defer disconnect()
	defer func() {
		d.dark = true
		d.outside.close()
	}()
	d.runScript()
	d.powered, d.dark = true, false
	d.powerOn(pymod.PowerOnReset)
	defer func() {
		if r := recover(); r != nil {
			if err = endOf(r); err == nil {
				panic(r)
			}
		}
		d.modem.CloseAll()
		if e := d.conf.Flash.FS().CloseAll(); e != nil && err == nil {
			err = e
		}
	}()
	d.startInterpreter()
	d.repl.Start()
	f(d.vm)
	return nil
}

// stubborn is how long a program may go on that was interrupted by a limit.
const stubborn = time.Second

// Limit interrupts what f of a Session does when t has passed on the device's clock,
// as Ctrl-C does, and a second later ends the session with ErrTime if that has not
// helped. lift lifts the limit again, and reports whether it was reached.
func (d *Device) Limit(t time.Duration) (lift func() (reached bool)) {
	reached := false
	j := d.tasks.Go("limit", func() {
		d.tasks.Background().Sleep(t)
		reached = true
		d.console.press()
		d.tasks.Background().Sleep(stubborn)
		d.tasks.Raise(timeLimit{})
	})
	return func() bool {
		j.Stop()
		if reached {
			d.console.SetInterrupt(d.console.interrupt) // takes back a press that nobody has felt
			d.vm.CancelInterrupt()
		}
		return reached
	}
}

// PlayNow has a script played from now on. It is for f of a Session.
func (d *Device) PlayNow(s *script.Script) { d.play(s) }

// Trial powers the device on, starts its interpreter as for its first prompt and
// hands it to f, which runs code on it and looks at its memory; then the device
// loses power. It is for tools that measure: nothing is typed and no main.py runs.
// The error says that the code did not return to f, and why: one of those above,
// or a *vm.Fault.
func (d *Device) Trial(f func(v *vm.VM)) (err error) {
	defer d.connect()()
	d.powerOn(pymod.PowerOnReset)
	defer func() {
		r := recover()
		if r != nil {
			if err = endOf(r); err == nil {
				panic(r)
			}
		}
		d.modem.CloseAll()
		if e := d.conf.Flash.FS().CloseAll(); e != nil && err == nil {
			err = e
		}
	}()
	d.startInterpreter()
	d.repl.Start()
	f(d.vm)
	return nil
}

// endOf is the error for a Go panic by which code ends its interpreter, nil for
// one that is no such thing.
func endOf(recovered any) error {
	if f := vm.FaultOf(recovered); f != nil {
		return f
	}
	switch r := recovered.(type) {
	case pymod.Reset:
		return ErrReset
	case nobodyTypes:
		return ErrInput
	case timeLimit:
		return ErrTime
	case powerOff:
		return ErrOff
	case sudden:
		if r.cause == pymod.PowerOnReset {
			return ErrPower
		}
		return ErrReset
	case *task.Crash:
		return r
	default:
		if r == any(vm.ErrSteps) {
			return ErrSteps
		}
	}
	return nil
}

// Python is the interpreter's part of the firmware.
func (f *Firmware) Python() *vm.Firmware { return f.python }
