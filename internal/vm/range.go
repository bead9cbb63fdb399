package vm

// This file is the type range, [type, start, stop, step], and its iterator, [type,
// current, stop, step]. The numbers are plain 32-bit words and wrap as they do
// on the device.

// rangeObj reads the numbers of a range.
func (vm *VM) rangeObj(r Value) (start, stop, step int32) {
	i := r / 4
	return int32(vm.Mem[i+1]), int32(vm.Mem[i+2]), int32(vm.Mem[i+3])
}

func (vm *VM) newRange(start, stop, step int32) Value {
	o := vm.Alloc(16)
	i := o / 4
	vm.Mem[i], vm.Mem[i+1], vm.Mem[i+2], vm.Mem[i+3] = TypeRange, Value(start), Value(stop), Value(step)
	return Value(o)
}

func rangeNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 1, 3, false)
	r := vm.newRange(0, 0, 1)
	i := r / 4
	if len(args) == 1 {
		vm.Mem[i+2] = Value(vm.Int(args[0]))
		return r
	}
	vm.Mem[i+1] = Value(vm.Int(args[0]))
	vm.Mem[i+2] = Value(vm.Int(args[1]))
	if len(args) == 3 {
		step := vm.Int(args[2])
		if step == 0 {
			vm.RaiseMsg(TypeValueError, "zero step")
		}
		vm.Mem[i+3] = Value(step)
	}
	return r
}

func (vm *VM) rangeLen(r Value) int {
	start, stop, step := vm.rangeObj(r)
	if step == 0 { // a slice's step that wrapped around
		return 0
	}
	n := stop - start + step
	if step > 0 {
		n--
	} else {
		n++
	}
	return int(max(n/step, 0))
}

func rangePrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	start, stop, step := vm.rangeObj(self)
	p.Printf("range(%d, %d", int(start), int(stop))
	if step == 1 {
		p.String(")")
	} else {
		p.Printf(", %d)", int(step))
	}
}

func rangeUnary(vm *VM, op UnaryOp, self Value) Value {
	switch op {
	case UnaryBool:
		return Bool(vm.rangeLen(self) > 0)
	case UnaryLen:
		return SmallInt(vm.rangeLen(self))
	}
	return Null
}

func rangeBinary(vm *VM, op BinaryOp, lhs, rhs Value) Value {
	if op != BinEqual || vm.TypeOf(rhs) != TypeRange {
		return Null
	}
	n := vm.rangeLen(lhs)
	a, _, stepA := vm.rangeObj(lhs)
	b, _, stepB := vm.rangeObj(rhs)
	return Bool(n == vm.rangeLen(rhs) && (n == 0 || a == b && (n == 1 || stepA == stepB)))
}

func rangeSubscr(vm *VM, self, index, value Value) Value {
	if value != Sentinel {
		return Null
	}
	n := vm.rangeLen(self)
	start, _, step := vm.rangeObj(self)
	if vm.TypeOf(index) == TypeSlice {
		b, _ := vm.SliceBounds(n, index)
		stop := start + int32(b.Stop)*step
		if b.Step < 0 { // Bounds include the stop then
			stop -= step
		}
		return vm.newRange(start+int32(b.Start)*step, stop, int32(b.Step)*step)
	}
	return SmallInt(int(start + int32(vm.Index(TypeRange, n, index, false))*step))
}

func rangeAttr(vm *VM, self Value, attr Qstr, dst *[2]Value) {
	if dst[0] != Null {
		return
	}
	start, stop, step := vm.rangeObj(self)
	switch attr {
	case QStart:
		dst[0] = vm.NewInt(int64(start))
	case QStop:
		dst[0] = vm.NewInt(int64(stop))
	case QStep:
		dst[0] = vm.NewInt(int64(step))
	}
}

func rangeIter(vm *VM, self Value, buf uint32) Value {
	i, r := buf/4, self/4
	vm.Mem[i], vm.Mem[i+1], vm.Mem[i+2], vm.Mem[i+3] = TypeRangeIter, vm.Mem[r+1], vm.Mem[r+2], vm.Mem[r+3]
	return Value(buf)
}

func rangeIterNext(vm *VM, self Value) Value {
	cur, stop, step := vm.rangeObj(self)
	if step > 0 && cur < stop || step < 0 && cur > stop {
		vm.Mem[self/4+1] = Value(cur + step)
		return SmallInt(int(cur))
	}
	return Null
}

func (fw *Firmware) initRange() {
	t := &Type{
		Name: fw.Q("range"), Print: rangePrint, New: rangeNew, Unary: rangeUnary, Subscr: rangeSubscr, Iter: rangeIter,
	}
	if fw.Options.RangeBinaryOp {
		t.Binary = rangeBinary
	}
	if fw.Options.RangeAttrs {
		t.Attr = rangeAttr
	}
	fw.define(TypeRange, t)
	fw.define(TypeRangeIter, &Type{Name: fw.Q("iterator"), Flags: FlagOwnIter, Iter: identityIter, Next: rangeIterNext})
	fw.Builtin("range", TypeRange)
}
