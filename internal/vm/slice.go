package vm

// This file is the type slice: [type, start, stop, step].

// NewSlice makes a slice object.
func (vm *VM) NewSlice(start, stop, step Value) Value {
	o := vm.Alloc(16)
	vm.Mem[o/4], vm.Mem[o/4+1], vm.Mem[o/4+2], vm.Mem[o/4+3] = TypeSlice, start, stop, step
	return Value(o)
}

func slicePrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	for i, before := range [...]string{"slice(", ", ", ", "} {
		p.String(before)
		p.Value(vm.Mem[uint32(self)/4+1+uint32(i)], PrintRepr)
	}
	p.String(")")
}

func sliceAttr(vm *VM, self Value, attr Qstr, dst *[2]Value) {
	if dst[0] != Null {
		return
	}
	switch attr {
	case QStart:
		dst[0] = vm.Mem[self/4+1]
	case QStop:
		dst[0] = vm.Mem[self/4+2]
	case QStep:
		dst[0] = vm.Mem[self/4+3]
	}
}

func (fw *Firmware) initSlice() {
	t := &Type{Name: fw.Q("slice"), Print: slicePrint}
	if fw.Options.SliceAttrs {
		t.Attr = sliceAttr
	}
	fw.define(TypeSlice, t)
	fw.Builtin("slice", TypeSlice)
}
