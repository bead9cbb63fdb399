package xbee

import (
	"errors"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/pymod"
)

// The ways in which code ends a [Device.Trial] before its time.
var (
	ErrReset = errors.New("it restarts the module")
	ErrInput = errors.New("it waits for input")
	ErrSteps = errors.New("it does not come to an end")
)

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
	default:
		if r == any(vm.ErrSteps) {
			return ErrSteps
		}
	}
	return nil
}

// Python is the interpreter's part of the firmware.
func (f *Firmware) Python() *vm.Firmware { return f.python }
