package vm

// This file is the iterators over built-in containers. All but those over
// ranges and dicts share one type, as on the device: [type, kind, object,
// position], where C has the address of a function for the kind.

// The kinds of iterator, tagged so that the collector takes them for no
// address.
const (
	polyList Value = iota<<1 | 1
	polyTuple
	polySet
	polyStr
	polyBytes
	polyArray
	numPoly = iota
)

// polyNext gives the next item of an iterator of one kind; i is its word index.
type polyNext func(vm *VM, i uint32) Value

// newPolyIter makes an iterator in the 4 words at buf.
func (vm *VM) newPolyIter(kind, o Value, buf uint32) Value {
	i := buf / 4
	vm.Mem[i], vm.Mem[i+1], vm.Mem[i+2], vm.Mem[i+3] = TypePolyIter, kind, o, 0
	return Value(buf)
}

func polyIterNext(vm *VM, self Value) Value {
	i := uint32(self) / 4
	return vm.fw.poly[vm.Mem[i+1]>>1](vm, i)
}

func listIterNext(vm *VM, i uint32) Value {
	items, at := vm.ListItems(vm.Mem[i+2]), int(vm.Mem[i+3])
	if at >= len(items) {
		return Null
	}
	vm.Mem[i+3]++
	return items[at]
}

func tupleIterNext(vm *VM, i uint32) Value {
	items, at := vm.TupleItems(vm.Mem[i+2]), int(vm.Mem[i+3])
	if at >= len(items) {
		return Null
	}
	vm.Mem[i+3]++
	return items[at]
}

func setIterNext(vm *VM, i uint32) Value {
	pos := uint32(vm.Mem[i+3])
	v := vm.setItem(vm.Mem[i+2], &pos)
	vm.Mem[i+3] = Value(pos)
	return v
}

// newGetItemIter makes an iterator that calls __getitem__ with 0, 1, 2 ...: [type,
// function, self, index].
func (vm *VM) newGetItemIter(m [2]Value, buf uint32) Value {
	i := buf / 4
	vm.Mem[i], vm.Mem[i+1], vm.Mem[i+2], vm.Mem[i+3] = TypeGetItemIter, m[0], m[1], SmallInt(0)
	return Value(buf)
}

func getItemIterNext(vm *VM, self Value) (v Value) {
	i := uint32(self) / 4
	exc := vm.Try(func() {
		if vm.Mem[i+2] == Null {
			v = vm.Call1(vm.Mem[i+1], vm.Mem[i+3])
		} else {
			v = vm.Call2(vm.Mem[i+1], vm.Mem[i+2], vm.Mem[i+3])
		}
		vm.Mem[i+3] = SmallInt(vm.Mem[i+3].SmallInt() + 1)
	})
	if exc != Null {
		if t := vm.TypeOf(exc); t != TypeStopIteration && t != TypeIndexError {
			vm.Raise(exc)
		}
		return Null
	}
	return v
}

// iterBuf takes 4 words of the stack for an iterator that lives no longer than
// the calling Go function; the caller sets vm.stack back to what is returned.
func (vm *VM) iterBuf() uint32 {
	b := vm.stack
	if b+4*iterSlots > vm.stackHi {
		vm.raiseRecursion()
	}
	clear(vm.Mem[b/4 : b/4+iterSlots])
	vm.stack = b + 4*iterSlots
	return b
}

func (fw *Firmware) initIterators() {
	fw.poly[polyList>>1] = listIterNext
	fw.poly[polyTuple>>1] = tupleIterNext
	fw.poly[polySet>>1] = setIterNext
	fw.define(TypePolyIter, &Type{Name: fw.Q("iterator"), Flags: FlagOwnIter, Iter: identityIter, Next: polyIterNext})
	fw.define(TypeGetItemIter, &Type{Name: fw.Q("iterator"), Flags: FlagOwnIter, Iter: identityIter, Next: getItemIterNext})
}
