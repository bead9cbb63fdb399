package pymod

import (
	"fmt"

	"github.com/skep-sim/skep/internal/vm"
	hw "github.com/skep-sim/skep/internal/xbee/board"
)

// This file is machine.Pin. A pin is an object in ROM, as in upstream's stm32
// port, whose methods (names, af_list, af) Digi's class has: to make one costs
// no memory. The texts of its errors are that port's.

// pinModes are the constants of the class; a constant's value is its place here
// (a choice).
var pinModes = [...]struct {
	name string
	mode hw.Mode
}{
	{"IN", hw.In}, {"OUT", hw.Out}, {"OPEN_DRAIN", hw.OpenDrain}, {"ALT", hw.Alt},
	{"ALT_OPEN_DRAIN", hw.AltOpenDrain}, {"ANALOG", hw.Analog}, {"DISABLED", hw.Disabled},
}

// The constants of the pulls (a choice, upstream's of the stm32 port); -1 in a
// call leaves the resistor as it is.
const (
	pullUp   = 1
	pullDown = 2
	pullKeep = -1
)

func modeName(m hw.Mode) (string, int) {
	if m == hw.PulseOut { // a special function to module machine
		m = hw.Alt
	}
	for i, c := range pinModes {
		if c.mode == m {
			return c.name, i
		}
	}
	return "", -1
}

func (t *machineTypes) declarePin(fw *vm.Firmware) {
	spec := []vm.Arg{
		{Name: fw.Q("mode"), Kind: vm.ArgInt, Int: -1, Required: true},
		{Name: fw.Q("pull"), Obj: vm.SmallInt(pullKeep)},
		{Name: fw.Q("value"), KwOnly: true, Obj: vm.None},
		{Name: fw.Q("alt"), KwOnly: true, Obj: vm.None},
	}
	constructor := append([]vm.Arg(nil), spec...)
	constructor[0].Required = false
	setUp := func(v *vm.VM, p hw.Pin, args, kw []vm.Value, spec []vm.Arg) {
		var a [4]vm.ArgVal
		v.ParseArgs(args, kw, spec, a[:])
		initPin(v, p, a[:])
	}
	t.pin = fw.NewType("Pin", &vm.Type{
		New: func(v *vm.VM, typ vm.Value, args, kw []vm.Value) vm.Value {
			if len(args) == 0 {
				v.CheckArgs(args, kw, 1, 5)
			}
			p := t.find(v, args[0])
			if len(args) > 1 || len(kw) > 0 {
				setUp(v, p, args[1:], kw, constructor)
			}
			return t.board[p]
		},
		Call: func(v *vm.VM, self vm.Value, args, kw []vm.Value) vm.Value {
			v.CheckArgs(args, kw, 0, 1)
			return t.value(v, self, args)
		},
		Print: func(v *vm.VM, p *vm.Printer, self vm.Value, kind vm.PrintKind) {
			printPin(v, p, v.ROMRef(self).(hw.Pin))
		},
	})
	fw.Method(t.pin, "init", fw.FuncKw("init", 1, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		setUp(v, t.pinOf(v, args[0]), args[1:], kw, spec)
		return vm.None
	}))
	fw.Method(t.pin, "value", fw.FuncV("value", 1, 2, func(v *vm.VM, args []vm.Value) vm.Value {
		return t.value(v, args[0], args[1:])
	}))
	for _, w := range []struct {
		name string
		next func(was bool) bool
	}{
		{"off", func(bool) bool { return false }},
		{"on", func(bool) bool { return true }},
		{"toggle", func(was bool) bool { return !was }},
	} {
		fw.Method(t.pin, w.name, fw.Func1(w.name, func(v *vm.VM, self vm.Value) vm.Value {
			p, b := t.pinOf(v, self), board(v).Hardware
			b.Write(p, w.next(b.Latch(p)))
			return vm.None
		}))
	}
	fw.Method(t.pin, "name", fw.Func1("name", func(v *vm.VM, self vm.Value) vm.Value {
		return v.NewString(t.pinOf(v, self).String())
	}))
	fw.Method(t.pin, "names", fw.Func1("names", func(v *vm.VM, self vm.Value) vm.Value { return pinNames(v, t.pinOf(v, self)) }))
	fw.Method(t.pin, "af_list", fw.Func1("af_list", func(v *vm.VM, self vm.Value) vm.Value { return alternates(v, t.pinOf(v, self)) }))
	fw.Method(t.pin, "af", fw.Func1("af", func(v *vm.VM, self vm.Value) vm.Value {
		s := board(v).Hardware.State(t.pinOf(v, self))
		if s.Function == 0 {
			return vm.SmallInt(-1)
		}
		return vm.SmallInt(int(s.Function))
	}))
	fw.Method(t.pin, "mode", fw.FuncV("mode", 1, 2, t.mode))
	fw.Method(t.pin, "pull", fw.FuncV("pull", 1, 2, t.pull))
	t.pinConstants(fw)
}

func (t *machineTypes) pinConstants(fw *vm.Firmware) {
	for i, c := range pinModes {
		fw.Method(t.pin, c.name, vm.SmallInt(i))
	}
	fw.Method(t.pin, "PULL_UP", vm.SmallInt(pullUp))
	fw.Method(t.pin, "PULL_DOWN", vm.SmallInt(pullDown))
	for _, f := range hw.Functions() {
		fw.Method(t.pin, f.Name, vm.SmallInt(int(f.Function)))
	}
	names := fw.NewType("board", &vm.Type{})
	for p := hw.D0; p < hw.P3; p++ {
		t.board[p] = fw.Object(t.pin, p)
	}
	for p := hw.D0; p < hw.P3; p++ {
		fw.Method(names, fmt.Sprintf("D%d", p), t.board[p])
	}
	for p := hw.P0; p < hw.P3; p++ {
		fw.Method(names, p.String(), t.board[p])
	}
	fw.Method(t.pin, "board", names.Value())
}

// pinOf returns the pin of a Pin object.
func (t *machineTypes) pinOf(v *vm.VM, self vm.Value) hw.Pin {
	p, ok := v.ROMRef(self).(hw.Pin)
	if !ok {
		wrongType(v)
	}
	return p
}

// find returns the pin that a program names: by a Pin object or its name.
func (t *machineTypes) find(v *vm.VM, id vm.Value) hw.Pin {
	if p, ok := v.ROMRef(id).(hw.Pin); ok {
		return p
	}
	name := string(v.StrArg(id))
	p, ok := hw.Find(name)
	if !ok || p >= hw.P3 || p.String() != name && fmt.Sprintf("D%d", p) != name {
		v.Raisef(vm.TypeValueError, "Pin(%s) doesn't exist", name)
	}
	return p
}

// initPin does what init(mode, pull, *, value, alt) and the constructor ask for:
// what is not given stays as it is.
func initPin(v *vm.VM, p hw.Pin, a []vm.ArgVal) {
	mode, pull, value, alt := a[0].Int, a[1].Obj, a[2].Obj, a[3].Obj
	b := board(v).Hardware
	s := b.State(p)
	setup := hw.Setup{Mode: s.Mode, Function: s.Function}
	if mode != -1 {
		setup.Mode, setup.Function = pinMode(v, mode), 0
	}
	if setup.Mode == hw.Alt || setup.Mode == hw.AltOpenDrain {
		setup.Function = chooseFunction(v, p, s.Function, alt)
	}
	setup.Pull = pinPull(v, pull)
	if value != vm.None {
		high := v.IsTrue(value)
		setup.Value = &high
	}
	raiseValue(v, b.Configure(p, setup))
}

func pinMode(v *vm.VM, n int) hw.Mode {
	if n < 0 || n >= len(pinModes) {
		v.Raisef(vm.TypeValueError, "invalid pin mode: %d", n)
	}
	return pinModes[n].mode
}

// pinPull is a pull as a program names it; nil leaves the resistor as it is.
func pinPull(v *vm.VM, o vm.Value) *hw.Pull {
	pull := hw.PullNone
	if o != vm.None {
		switch n := v.Int(o); n {
		case pullUp:
			pull = hw.PullUp
		case pullDown:
			pull = hw.PullDown
		case pullKeep:
			return nil
		default:
			v.Raisef(vm.TypeValueError, "invalid pin pull: %d", n)
		}
	}
	return &pull
}

// chooseFunction is the special function that alt names; without alt it is the
// one that the pin has already, or the only one that it can have.
func chooseFunction(v *vm.VM, p hw.Pin, has hw.Function, alt vm.Value) hw.Function {
	if alt != vm.None {
		f := hw.Function(v.Int(alt))
		if !p.HasFunction(f) {
			v.Raisef(vm.TypeValueError, "invalid pin af: %d", int(f))
		}
		return f
	}
	if p.HasFunction(has) {
		return has
	}
	var only hw.Function
	n := 0
	for _, f := range hw.Functions() {
		if f.Pin() == p {
			only = f.Function
			n++
		}
	}
	if n != 1 {
		v.Raisef(vm.TypeValueError, "invalid pin af: %d", -1)
	}
	return only
}

// value reads the pin's level, or sets what it drives.
func (t *machineTypes) value(v *vm.VM, self vm.Value, args []vm.Value) vm.Value {
	p, b := t.pinOf(v, self), board(v).Hardware
	if len(args) > 0 {
		b.Write(p, v.IsTrue(args[0]))
		return vm.None
	}
	if b.Read(p) {
		return vm.SmallInt(1)
	}
	return vm.SmallInt(0)
}

func (t *machineTypes) mode(v *vm.VM, args []vm.Value) vm.Value {
	p, b := t.pinOf(v, args[0]), board(v).Hardware
	if len(args) == 1 {
		_, n := modeName(b.State(p).Mode)
		return vm.SmallInt(n)
	}
	initPin(v, p, []vm.ArgVal{{Int: v.Int(args[1])}, {Obj: vm.SmallInt(pullKeep)}, {Obj: vm.None}, {Obj: vm.None}})
	return vm.None
}

func (t *machineTypes) pull(v *vm.VM, args []vm.Value) vm.Value {
	p, b := t.pinOf(v, args[0]), board(v).Hardware
	if len(args) > 1 {
		if pull := pinPull(v, args[1]); pull != nil {
			b.SetPull(p, *pull)
		}
		return vm.None
	}
	switch b.State(p).Pull {
	case hw.PullUp:
		return vm.SmallInt(pullUp)
	case hw.PullDown:
		return vm.SmallInt(pullDown)
	}
	return vm.None
}

// pinNames is the list of a pin's names: the processor's name is not known, so
// these are the board's.
func pinNames(v *vm.VM, p hw.Pin) vm.Value {
	list := v.NewList(v.NewString(p.String()))
	if p >= hw.P0 {
		v.ListAppend(list, v.NewString(fmt.Sprintf("D%d", p)))
	}
	return list
}

// alternates is the list of a pin's special functions, as the class's constants
// number them.
func alternates(v *vm.VM, p hw.Pin) vm.Value {
	list := v.NewList()
	for _, f := range hw.Functions() {
		if f.Pin() == p {
			v.ListAppend(list, vm.SmallInt(int(f.Function)))
		}
	}
	return list
}

// printPin writes a pin in the form of upstream's stm32 port.
func printPin(v *vm.VM, out *vm.Printer, p hw.Pin) {
	s := board(v).Hardware.State(p)
	name, _ := modeName(s.Mode)
	out.Printf("Pin(Pin.board.%s, mode=Pin.%s", p.String(), name)
	switch s.Pull {
	case hw.PullUp:
		out.String(", pull=Pin.PULL_UP")
	case hw.PullDown:
		out.String(", pull=Pin.PULL_DOWN")
	}
	for _, f := range hw.Functions() {
		if f.Function == s.Function {
			out.Printf(", af=Pin.%s", f.Name)
		}
	}
	out.String(")")
}
