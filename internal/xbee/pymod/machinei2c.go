package pymod

import (
	"fmt"

	"github.com/skep-sim/skep/internal/vm"
	hw "github.com/skep-sim/skep/internal/xbee/board"
)

// This file is machine.I2C. Digi's class has the bus's primitives (start, stop,
// readinto, write), which upstream's ports have for the bus that they make with
// two pins in software; so the object is the size of that one (five words of
// extmod/machine_i2c.c), and the rules are that file's.

const (
	i2cBytes = 20
	i2cFreq  = 2
	i2cID    = 1 // the only bus
)

const errNoDevice vm.Errno = 19

func (t *machineTypes) declareI2C(fw *vm.Firmware) {
	freq := vm.Arg{Name: fw.Q("freq"), KwOnly: true, Kind: vm.ArgInt, Int: 400000}
	spec := []vm.Arg{{Name: fw.Q("id"), Obj: vm.SmallInt(i2cID)}, freq}
	initSpec := []vm.Arg{{Name: fw.Q("scl"), Required: true}, {Name: fw.Q("sda"), Required: true}, freq}
	t.i2c = fw.NewType("I2C", &vm.Type{
		New: func(v *vm.VM, typ vm.Value, args, kw []vm.Value) vm.Value {
			var a [2]vm.ArgVal
			v.ParseArgs(args, kw, spec, a[:])
			if a[0].Obj != vm.SmallInt(i2cID) {
				v.RaiseMsg(vm.TypeValueError, "invalid I2C peripheral")
			}
			o := v.Alloc(i2cBytes)
			v.Mem[o/4] = typ
			startI2C(v, vm.Value(o), a[1].Int)
			return vm.Value(o)
		},
		Print: func(v *vm.VM, p *vm.Printer, self vm.Value, kind vm.PrintKind) {
			p.Printf("I2C(%d, scl=%s, sda=%s, freq=%d)", i2cID, hw.D1.String(), hw.P1.String(), v.Mem[self/4+i2cFreq].SmallInt())
		},
	})
	fw.Method(t.i2c, "init", fw.FuncKw("init", 1, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		t.bus(v, args[0])
		var a [3]vm.ArgVal
		v.ParseArgs(args[1:], kw, initSpec, a[:])
		if t.find(v, a[0].Obj) != hw.D1 || t.find(v, a[1].Obj) != hw.P1 {
			v.RaiseMsg(vm.TypeValueError, "invalid I2C pins")
		}
		startI2C(v, args[0], a[2].Int)
		return vm.None
	}))
	fw.Method(t.i2c, "scan", fw.Func1("scan", t.scanI2C))
	t.primitivesI2C(fw)
	t.transfersI2C(fw)
	t.memoryI2C(fw)
}

// startI2C gives the bus its pins.
func startI2C(v *vm.VM, self vm.Value, freq int) {
	if freq <= 0 {
		v.RaiseMsg(vm.TypeValueError, "invalid frequency")
	}
	v.Mem[self/4+i2cFreq] = vm.SmallInt(freq)
	b := board(v).Hardware
	b.I2C.Stop()
	for _, f := range [...]hw.Function{hw.I2CClock, hw.I2CData} {
		raiseValue(v, b.Configure(f.Pin(), hw.Setup{Mode: hw.AltOpenDrain, Function: f}))
	}
}

// bus returns the bus of an I2C object.
func (t *machineTypes) bus(v *vm.VM, self vm.Value) *hw.Bus {
	if !self.IsObj() || v.TypeOf(self) != t.i2c.Value() {
		wrongType(v)
	}
	return &board(v).Hardware.I2C
}

// wired reports whether the bus reaches anybody; if not it says why.
func wired(v *vm.VM) bool {
	b := board(v)
	if !b.Hardware.I2CReady() {
		b.note("nobody answers on the I2C bus: pin D1 or P1 was set up for something else after I2C(1) was made")
		return false
	}
	return true
}

func (t *machineTypes) scanI2C(v *vm.VM, self vm.Value) vm.Value {
	bus := t.bus(v, self)
	list := v.NewList()
	if !wired(v) {
		return list
	}
	for a := byte(0x08); a < 0x78; a++ {
		if _, ok := bus.Transfer(a, false, nil, true); ok {
			v.ListAppend(list, vm.SmallInt(int(a)))
		}
	}
	return list
}

// primitivesI2C are the conditions and bytes on the wire.
func (t *machineTypes) primitivesI2C(fw *vm.Firmware) {
	fw.Method(t.i2c, "start", fw.Func1("start", func(v *vm.VM, self vm.Value) vm.Value {
		t.bus(v, self).Start()
		return vm.None
	}))
	fw.Method(t.i2c, "stop", fw.Func1("stop", func(v *vm.VM, self vm.Value) vm.Value {
		t.bus(v, self).Stop()
		return vm.None
	}))
	fw.Method(t.i2c, "readinto", fw.FuncV("readinto", 2, 3, func(v *vm.VM, args []vm.Value) vm.Value {
		bus := t.bus(v, args[0])
		for b, i := v.Buffer(args[1], true), 0; i < len(b); i++ {
			b[i] = bus.Get()
		}
		return vm.None
	}))
	fw.Method(t.i2c, "write", fw.Func2("write", func(v *vm.VM, self, data vm.Value) vm.Value {
		bus, n := t.bus(v, self), 0
		for _, c := range v.Buffer(data, false) {
			if !wired(v) || !bus.Put(c) {
				break
			}
			n++
		}
		return vm.SmallInt(n)
	}))
}

// transfer is a whole transfer, or OSError when nobody answers.
func (t *machineTypes) transfer(v *vm.VM, self vm.Value, address int, read bool, data []byte, stop bool) int {
	bus := t.bus(v, self)
	if wired(v) {
		if n, ok := bus.Transfer(byte(address), read, data, stop); ok {
			return n
		}
		b := board(v)
		if bus.At(byte(address)&0x7F) == nil {
			b.note(fmt.Sprintf("nothing is attached to the I2C bus at address 0x%02X: attach something, for example with --script and a line like: i2c 0x%02X hdc1080", address, address))
		} else {
			b.note(fmt.Sprintf("the I2C device at 0x%02X does not answer now: it is asleep, still measuring or writing, or was not asked to measure", address))
		}
	}
	v.RaiseOS(errNoDevice)
	return 0
}

func (t *machineTypes) transfersI2C(fw *vm.Firmware) {
	stop := func(v *vm.VM, args []vm.Value) bool { return len(args) == 3 || v.IsTrue(args[3]) }
	fw.Method(t.i2c, "readfrom", fw.FuncV("readfrom", 3, 4, func(v *vm.VM, args []vm.Value) vm.Value {
		address := v.Int(args[1])
		buf := recvBuffer(v, args[2])
		t.transfer(v, args[0], address, true, buf.Bytes(), stop(v, args))
		return buf.Object(vm.TypeBytes)
	}))
	fw.Method(t.i2c, "readfrom_into", fw.FuncV("readfrom_into", 3, 4, func(v *vm.VM, args []vm.Value) vm.Value {
		t.transfer(v, args[0], v.Int(args[1]), true, v.Buffer(args[2], true), stop(v, args))
		return vm.None
	}))
	fw.Method(t.i2c, "writeto", fw.FuncV("writeto", 3, 4, func(v *vm.VM, args []vm.Value) vm.Value {
		return vm.SmallInt(t.transfer(v, args[0], v.Int(args[1]), false, v.Buffer(args[2], false), stop(v, args)))
	}))
}

// memoryI2C are the transfers that begin with an address inside the device.
func (t *machineTypes) memoryI2C(fw *vm.Firmware) {
	spec := []vm.Arg{
		{Name: fw.Q("addr"), Kind: vm.ArgInt, Required: true},
		{Name: fw.Q("memaddr"), Kind: vm.ArgInt, Required: true},
		{Name: fw.Q("arg"), Required: true},
		{Name: fw.Q("addrsize"), KwOnly: true, Kind: vm.ArgInt, Int: 8},
	}
	type request struct {
		self    vm.Value
		address int
		inner   []byte
		arg     vm.Value
	}
	method := func(name string, f func(v *vm.VM, r request) vm.Value) {
		fw.Method(t.i2c, name, fw.FuncKw(name, 1, func(v *vm.VM, args, kw []vm.Value) vm.Value {
			var a [4]vm.ArgVal
			v.ParseArgs(args[1:], kw, spec, a[:])
			t.bus(v, args[0])
			if a[3].Int > 32 {
				v.RaiseMsg(vm.TypeValueError, "invalid addrsize")
			}
			r := request{self: args[0], address: a[0].Int, arg: a[2].Obj}
			for shift := a[3].Int - 8; shift >= 0; shift -= 8 {
				r.inner = append(r.inner, byte(a[1].Int>>shift))
			}
			return f(v, r)
		}))
	}
	read := func(v *vm.VM, r request, b []byte) {
		t.transfer(v, r.self, r.address, false, r.inner, false)
		t.transfer(v, r.self, r.address, true, b, true)
	}
	method("readfrom_mem", func(v *vm.VM, r request) vm.Value {
		buf := recvBuffer(v, r.arg)
		read(v, r, buf.Bytes())
		return buf.Object(vm.TypeBytes)
	})
	method("readfrom_mem_into", func(v *vm.VM, r request) vm.Value {
		read(v, r, v.Buffer(r.arg, true))
		return vm.None
	})
	method("writeto_mem", func(v *vm.VM, r request) vm.Value {
		data := v.Buffer(r.arg, false)
		t.transfer(v, r.self, r.address, false, append(r.inner, data...), true)
		return vm.None
	})
}
