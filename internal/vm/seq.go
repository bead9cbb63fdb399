package vm

// This file makes and reads tuples ([type, n, items ...]) and lists ([type,
// room, n, address of the items]).

// NewTuple makes a tuple of copies of items.
func (vm *VM) NewTuple(items ...Value) Value {
	n := uint32(len(items))
	if n == 0 {
		return EmptyTuple
	}
	o := vm.Alloc(8 + 4*n)
	vm.Mem[o/4], vm.Mem[o/4+1] = TypeTuple, Value(n)
	copy(vm.Mem[o/4+2:], items)
	return Value(o)
}

// NewTupleLen makes a tuple of n Nulls, to be filled in through TupleItems.
func (vm *VM) NewTupleLen(n int) Value {
	if n == 0 {
		return EmptyTuple
	}
	o := vm.Alloc(8 + 4*uint32(n))
	vm.Mem[o/4], vm.Mem[o/4+1] = TypeTuple, Value(n)
	return Value(o)
}

// TupleItems returns the items of a tuple (or of an object laid out as one).
// They alias the object.
func (vm *VM) TupleItems(t Value) []Value {
	if t == EmptyTuple {
		return nil
	}
	i, n := uint32(t)/4+2, uint32(vm.Mem[t/4+1])
	return vm.Mem[i : i+n : i+n]
}

// NewList makes a list of copies of items, with room for at least 4.
func (vm *VM) NewList(items ...Value) Value {
	o := vm.newListLen(uint32(len(items)))
	copy(vm.ListItems(o), items)
	return o
}

// newListLen makes a list of n Nulls.
func (vm *VM) newListLen(n uint32) Value {
	room := max(n, 4)
	o := vm.Alloc(16)
	vm.Mem[o/4], vm.Mem[o/4+1], vm.Mem[o/4+2] = TypeList, Value(room), Value(n)
	p := vm.Alloc(4 * room)
	vm.Mem[o/4+3] = Value(p)
	return Value(o)
}

// ListItems returns the items of a list. They alias its memory until it is
// changed.
func (vm *VM) ListItems(l Value) []Value {
	i, n := uint32(vm.Mem[l/4+3])/4, uint32(vm.Mem[l/4+2])
	return vm.Mem[i : i+n : i+n]
}

// ListAppend appends v, doubling the room when it is used up.
func (vm *VM) ListAppend(l, v Value) {
	i := l / 4
	n, room := uint32(vm.Mem[i+2]), uint32(vm.Mem[i+1])
	if n >= room {
		p := vm.Realloc(uint32(vm.Mem[i+3]), 8*room)
		vm.Mem[i+3] = Value(p)
		vm.Mem[i+1] = Value(2 * room)
		clear(vm.Mem[p/4+n+1 : p/4+2*room])
	}
	vm.Mem[uint32(vm.Mem[i+3])/4+n] = v
	vm.Mem[i+2] = Value(n + 1)
}

// ListSetLen cuts a list to n items; its room stays.
func (vm *VM) ListSetLen(l Value, n int) { vm.Mem[l/4+2] = Value(n) }
