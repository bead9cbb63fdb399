package vm

// This file is subscripts of bytearray, array and memoryview.

func arraySubscr(vm *VM, self, index, value Value) Value {
	if value == Null {
		return Null
	}
	if vm.TypeOf(index) == TypeSlice {
		return vm.arraySlice(self, index, value)
	}
	i := vm.Index(vm.Mem[self/4], vm.arrayLen(self), index, false)
	if value == Sentinel {
		code, _ := vm.arrayHead(self)
		return vm.loadItem(code, vm.arrayData(self), i)
	}
	if !vm.arrayWritable(self) {
		return Null
	}
	vm.storeItem(self, i, value)
	return None
}

func (vm *VM) arrayWritable(a Value) bool {
	return vm.Mem[a/4] != TypeMemoryView || vm.Mem[a/4+arrayCode]&arrayRW != 0
}

func (vm *VM) arraySlice(self, index, value Value) Value {
	b, simple := vm.SliceBounds(vm.arrayLen(self), index)
	if !simple {
		vm.stepSliceError()
	}
	if value != Sentinel {
		if !vm.opt.SliceAssignArray {
			return Null
		}
		return vm.arrayAssign(self, b, value)
	}
	n := b.Stop - b.Start
	code, off := vm.arrayHead(self)
	if vm.Mem[self/4] == TypeMemoryView {
		o := vm.Alloc(16)
		copy(vm.Mem[o/4:o/4+4], vm.Mem[self/4:self/4+4])
		vm.setArrayFree(Value(o), off+uint32(b.Start))
		vm.Mem[o/4+arrayLen] = Value(n)
		return Value(o)
	}
	o := vm.newArray(code, n)
	size := vm.itemSize(code)
	copy(vm.arrayData(o), vm.arrayData(self)[b.Start*size:])
	return o
}

func (vm *VM) incompatible() { vm.RaiseMsg(TypeValueError, "lhs and rhs should be compatible") }

// arrayAssign replaces the items within bounds.
func (vm *VM) arrayAssign(self Value, at Bounds, value Value) Value {
	code, free := vm.arrayHead(self)
	size := vm.itemSize(code)
	switch vm.TypeOf(value) {
	case TypeByteArray, TypeArray, TypeMemoryView:
		if c, _ := vm.arrayHead(value); vm.itemSize(c) != size {
			vm.incompatible()
		}
	case TypeBytes:
		if size != 1 {
			vm.incompatible()
		}
	default:
		vm.RaiseMsg(TypeNotImplementedError, "array/bytes required on right side")
	}
	src := vm.Buffer(value, false)
	grow := len(src)/size - (at.Stop - at.Start)
	if vm.Mem[self/4] == TypeMemoryView {
		if !vm.arrayWritable(self) {
			return Null
		}
		if grow != 0 {
			vm.incompatible()
		}
		copy(vm.arrayData(self)[at.Start*size:at.Stop*size], src)
		return None
	}
	n := vm.arrayLen(self)
	switch {
	case grow > int(free):
		p := vm.Realloc(uint32(vm.Mem[self/4+arrayItems]), uint32((n+grow)*size))
		vm.Mem[self/4+arrayItems] = Value(p)
		vm.setArrayFree(self, 0)
		if value == self {
			src = vm.arrayData(self)[:n*size]
		}
	case grow > 0:
		// the device forgets this and would let later appends run into other memory
		vm.setArrayFree(self, free-uint32(grow))
	}
	vm.Mem[self/4+arrayLen] = Value(max(n, n+grow))
	data := vm.arrayData(self)
	if vm.overlaps(value, self) {
		src = append([]byte(nil), src...)
	}
	copy(data[(at.Stop+grow)*size:], data[at.Stop*size:n*size])
	copy(data[at.Start*size:], src)
	if grow < 0 {
		clear(data[(n+grow)*size:])
	}
	vm.Mem[self/4+arrayLen] = Value(n + grow)
	if grow < 0 && vm.opt.V12 {
		vm.setArrayFree(self, free+uint32(-grow)) // v1.11 forgets what it gained
	}
	return None
}

// overlaps reports whether two arrays may share their items.
func (vm *VM) overlaps(value, self Value) bool {
	return value == self || vm.TypeOf(value) == TypeMemoryView
}
