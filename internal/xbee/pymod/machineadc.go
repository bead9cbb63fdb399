package pymod

import (
	"github.com/skep-sim/skep/internal/vm"
	hw "github.com/skep-sim/skep/internal/xbee/board"
)

// This file is machine.ADC and machine.PWM. Their objects are of the least size
// that holds what they must know, the type and the pin (a choice): one block.

const (
	onPinBytes = 16
	onPinPin   = 1
)

// newOnPin makes an object that belongs to a pin.
func newOnPin(v *vm.VM, typ vm.Value, p hw.Pin) vm.Value {
	o := v.Alloc(onPinBytes)
	v.Mem[o/4], v.Mem[o/4+onPinPin] = typ, vm.SmallInt(int(p))
	return vm.Value(o)
}

// onPin returns the pin of such an object.
func onPin(v *vm.VM, self vm.Value, t *vm.Type) hw.Pin {
	if !self.IsObj() || v.TypeOf(self) != t.Value() {
		wrongType(v)
	}
	return hw.Pin(v.Mem[self/4+onPinPin].SmallInt())
}

func (t *machineTypes) declareADC(fw *vm.Firmware, level int) {
	t.adc = fw.NewType("ADC", &vm.Type{
		New: func(v *vm.VM, typ vm.Value, args, kw []vm.Value) vm.Value {
			v.CheckArgs(args, kw, 1, 1)
			p := t.find(v, args[0])
			if !p.HasAnalog() {
				v.Raisef(vm.TypeValueError, "pin %s does not have ADC capabilities", p.String())
			}
			raiseValue(v, board(v).Hardware.Configure(p, hw.Setup{Mode: hw.Analog}))
			return newOnPin(v, typ, p)
		},
		Print: func(v *vm.VM, p *vm.Printer, self vm.Value, kind vm.PrintKind) {
			p.Printf("ADC(%s)", onPin(v, self, t.adc).String())
		},
	})
	fw.Method(t.adc, "read", fw.Func1("read", func(v *vm.VM, self vm.Value) vm.Value {
		return vm.SmallInt(board(v).Hardware.Sample(onPin(v, self, t.adc)))
	}))
	if level >= levelReadU16 {
		fw.Method(t.adc, "read_u16", fw.Func1("read_u16", func(v *vm.VM, self vm.Value) vm.Value {
			n := board(v).Hardware.Sample(onPin(v, self, t.adc))
			return vm.SmallInt(n<<4 | n>>8) // 12 bits spread over 16, as upstream's ports do
		}))
	}
}

func (t *machineTypes) declarePWM(fw *vm.Firmware) {
	spec := []vm.Arg{
		{Name: fw.Q("freq"), Kind: vm.ArgInt, Int: -1},
		{Name: fw.Q("duty"), Kind: vm.ArgInt, Int: -1},
	}
	start := func(v *vm.VM, p hw.Pin, args, kw []vm.Value) {
		var a [2]vm.ArgVal
		v.ParseArgs(args, kw, spec, a[:])
		if a[0].Int != -1 {
			checkFrequency(v, p, a[0].Int)
		}
		b := board(v).Hardware
		if a[1].Int != -1 {
			setDuty(v, p, a[1].Int)
		}
		raiseValue(v, b.Configure(p, hw.Setup{Mode: hw.PulseOut}))
	}
	t.pwm = fw.NewType("PWM", &vm.Type{
		New: func(v *vm.VM, typ vm.Value, args, kw []vm.Value) vm.Value {
			if len(args) == 0 {
				v.CheckArgs(args, kw, 1, 3)
			}
			p := t.find(v, args[0])
			if !p.HasPWM() {
				v.Raisef(vm.TypeValueError, "PWM not supported on pin %s", p.String())
			}
			o := newOnPin(v, typ, p)
			start(v, p, args[1:], kw)
			return o
		},
		Print: func(v *vm.VM, out *vm.Printer, self vm.Value, kind vm.PrintKind) {
			p := onPin(v, self, t.pwm)
			out.Printf("PWM(%s", p.String())
			if s := board(v).Hardware.State(p); s.Mode == hw.PulseOut {
				out.Printf(", freq=%d, duty=%d", hw.PWMFrequency, s.Duty)
			}
			out.String(")")
		},
	})
	fw.Method(t.pwm, "init", fw.FuncKw("init", 1, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		start(v, onPin(v, args[0], t.pwm), args[1:], kw)
		return vm.None
	}))
	fw.Method(t.pwm, "deinit", fw.Func1("deinit", func(v *vm.VM, self vm.Value) vm.Value {
		raiseValue(v, board(v).Hardware.Configure(onPin(v, self, t.pwm), hw.Setup{Mode: hw.Disabled}))
		return vm.None
	}))
	fw.Method(t.pwm, "freq", fw.FuncV("freq", 1, 2, func(v *vm.VM, args []vm.Value) vm.Value {
		p := onPin(v, args[0], t.pwm)
		if len(args) == 1 {
			return vm.SmallInt(hw.PWMFrequency)
		}
		checkFrequency(v, p, v.Int(args[1]))
		return vm.None
	}))
	fw.Method(t.pwm, "duty", fw.FuncV("duty", 1, 2, func(v *vm.VM, args []vm.Value) vm.Value {
		p := onPin(v, args[0], t.pwm)
		if len(args) == 1 {
			return vm.SmallInt(board(v).Hardware.State(p).Duty)
		}
		setDuty(v, p, v.Int(args[1]))
		return vm.None
	}))
}

// checkFrequency refuses any frequency but the one there is: P0 and P1 have a
// fixed one (xmp umachine.pyi).
func checkFrequency(v *vm.VM, p hw.Pin, f int) {
	if f != hw.PWMFrequency {
		v.Raisef(vm.TypeValueError, "frequency of pin %s is fixed", p.String())
	}
}

func setDuty(v *vm.VM, p hw.Pin, duty int) {
	if duty < 0 || duty > hw.MaxDuty {
		v.RaiseMsg(vm.TypeValueError, "duty must be between 0 and 1023")
	}
	board(v).Hardware.SetDuty(p, duty)
}
