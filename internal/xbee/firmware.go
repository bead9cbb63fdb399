package xbee

import (
	"github.com/skep-sim/skep/internal/pylib"
	"github.com/skep-sim/skep/internal/repl"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/at"
	"github.com/skep-sim/skep/internal/xbee/profile"
	"github.com/skep-sim/skep/internal/xbee/pymod"
)

// Firmware is what never changes while a module runs, the same in all modules
// with one profile.
type Firmware struct {
	python    *vm.Firmware
	registers []at.Register
}

// NewFirmware makes the firmware of a profile, to be shared between devices.
// features, if not nil, is as in [Config].
func NewFirmware(p profile.Profile, features *vm.Options) *Firmware {
	o := Options(p)
	if features != nil {
		o = WithFeatures(p, *features)
	}
	fw := vm.NewFirmware(o)
	pymod.Errnos(fw)
	pylib.Standard(fw, pylib.SysConfig{Platform: p.Platform.Value, Version: p.MicroPython.Value, Language: p.SysVersion.Value})
	pylib.Help(fw, helpText)
	pymod.Declare(fw, p)
	if o.Input {
		repl.DeclareInput(fw, func(v *vm.VM) repl.Terminal { return programTerminal{v} })
	}
	return &Firmware{fw.Seal(), at.Table(p)}
}

// programTerminal is the console as the function input reads it.
type programTerminal struct{ vm *vm.VM }

// Key implements repl.Terminal. A key that interrupts raises KeyboardInterrupt.
func (t programTerminal) Key() (byte, bool) {
	var b [1]byte
	n := t.vm.ReadConsole(b[:], true)
	return b[0], n > 0
}

// Write implements repl.Terminal.
func (t programTerminal) Write(b []byte) { t.vm.WriteConsoleRaw(b) }

// SetInterrupt implements repl.Terminal: the program's stays.
func (programTerminal) SetInterrupt(int) {}

// Options are the interpreter's build options in a profile.
func Options(p profile.Profile) vm.Options {
	o := vm.XBee().WithRelease(p.MicroPython.Value[1])
	o.SaveCode = p.PersistentCodeSave.Value
	o.NoAlloca = p.NoAlloca.Value
	o.EventREPL = p.REPLEventDriven.Value
	o.OverrideBuiltins = p.CanOverrideBuiltins.Value
	o.ImportBlocks = p.ImportBlocks.Value
	o.HashBytes = p.QstrHashBytes.Value
	o.StackLimit = p.StackLimit.Value
	o.Errors = map[profile.Wording]vm.ErrorLevel{
		profile.Terse: vm.ErrorsTerse, profile.Normal: vm.ErrorsNormal, profile.Detailed: vm.ErrorsDetailed,
	}[p.ErrorMessages.Value]
	o.Complex = p.BuiltinComplex.Value
	o.Compile = p.BuiltinCompile.Value
	o.Input = p.BuiltinInput.Value
	o.Pow3 = p.BuiltinPow3.Value
	o.ReverseSpecialMethods = p.ReverseMethods.Value
	o.Descriptors = p.Descriptors.Value
	o.MathSpecial = p.MathSpecial.Value
	o.Deque = p.CollectionDeque.Value
	o.SysExcInfo = p.SysExcInfo.Value
	o.IOBase = p.IOBase.Value
	o.EmacsKeys = p.EmacsKeys.Value
	return o
}

// WithFeatures gives the interpreter of a profile the optional features and the
// error wording of another build, such as one of upstream's. What the module
// around it needs stays the profile's: errno numbers, .mpy version, stack limit,
// sizes in memory, standard files, names of modules, prompt.
func WithFeatures(p profile.Profile, o vm.Options) vm.Options {
	x := Options(p)
	o.V12 = x.V12
	o.NoAlloca, o.SaveCode, o.EventREPL, o.HashBytes = x.NoAlloca, x.SaveCode, x.EventREPL, x.HashBytes
	o.QstrChunk, o.FirstPool, o.MpyVersion, o.ImportBlocks = x.QstrChunk, x.FirstPool, x.MpyVersion, x.ImportBlocks
	o.ReaderBytes = x.ReaderBytes
	o.StackLimit, o.FrameCost, o.NativeCost = x.StackLimit, x.FrameCost, x.NativeCost
	o.ErrnoOffset, o.StdFiles, o.KbdIntr, o.ARM = x.ErrnoOffset, x.StdFiles, x.KbdIntr, x.ARM
	o.WeakLinks, o.Help, o.Finalisers, o.FileAttr = x.WeakLinks, x.Help, x.Finalisers, x.FileAttr
	o.Scheduler, o.StaticEmergency, o.EmergencyBuf = x.Scheduler, x.StaticEmergency, x.EmergencyBuf
	o.MemStats = x.MemStats
	o.ROMNames, o.RAMNames = x.ROMNames, x.RAMNames
	return o
}
