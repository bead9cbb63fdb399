package vm

// This file is the hash table behind sets, with the probing, growth and order of
// MicroPython's map.c. A set is [type, slots, used, address of the table].

const (
	setAlloc = 1
	setUsed  = 2
	setTable = 3
)

// setLookup says what setFind does beyond looking; both together toggle.
type setLookup uint8

const (
	setAdd    setLookup = 1 << iota // add what is not there
	setRemove                       // remove what is there
)

// NewSet makes a set with room for exactly the items.
func (vm *VM) NewSet(items ...Value) Value {
	s := vm.newSet(TypeSet, uint32(len(items)))
	for _, v := range items {
		vm.SetAdd(s, v)
	}
	return s
}

func (vm *VM) newSet(typ Value, room uint32) Value {
	o := vm.Alloc(16)
	vm.Mem[o/4] = typ
	vm.Mem[o/4+setAlloc] = 0
	vm.Mem[o/4+setTable] = Value(vm.Alloc(4 * room))
	vm.Mem[o/4+setAlloc], vm.Mem[o/4+setUsed] = Value(room), 0
	return Value(o)
}

// SetAdd adds an item to a set.
func (vm *VM) SetAdd(s, v Value) { vm.setFind(s, v, setAdd) }

// setFind looks for an item: it returns the one in the set, the item itself if it
// was added, or Null.
func (vm *VM) setFind(set, item Value, do setLookup) Value {
	s := uint32(set) / 4
	if vm.Mem[s+setAlloc] == 0 {
		if do&setAdd == 0 {
			return Null
		}
		vm.setRehash(set)
	}
	hash := vm.hashKey(item)
again:
	n, t := uint32(vm.Mem[s+setAlloc]), uint32(vm.Mem[s+setTable])/4
	if n == 0 { // cleared by a __hash__ of the program
		return vm.setFind(set, item, do)
	}
	start := hash % n
	free := uint32(0)
	for pos := start; ; {
		v := vm.Mem[t+pos]
		switch {
		case v == Null:
			if do&setAdd == 0 {
				return Null
			}
			if free == 0 {
				free = t + pos
			}
			return vm.setFill(s, free, item)
		case v == Sentinel:
			if free == 0 {
				free = t + pos
			}
		case vm.Equal(v, item):
			if uint32(vm.Mem[s+setTable])/4 != t { // rebuilt by an __eq__ of the program
				goto again
			}
			if do&setRemove != 0 {
				vm.setDrop(s, pos)
			}
			return v
		case uint32(vm.Mem[s+setTable])/4 != t:
			goto again
		}
		if pos++; pos == n {
			pos = 0
		}
		if pos == start {
			break
		}
	}
	switch {
	case do&setAdd == 0:
		return Null
	case free != 0:
		return vm.setFill(s, free, item)
	}
	vm.setRehash(set)
	goto again
}

func (vm *VM) setFill(s, slot uint32, item Value) Value {
	vm.Mem[s+setUsed]++
	vm.Mem[slot] = item
	return item
}

// setDrop empties a slot.
func (vm *VM) setDrop(s, pos uint32) {
	t, n := uint32(vm.Mem[s+setTable])/4, uint32(vm.Mem[s+setAlloc])
	vm.Mem[s+setUsed]--
	if vm.Mem[t+(pos+1)%n] == Null {
		vm.Mem[t+pos] = Null
	} else {
		vm.Mem[t+pos] = Sentinel
	}
}

// setRehash grows the table by one step and inserts everything again.
func (vm *VM) setRehash(set Value) {
	s := uint32(set) / 4
	old, table := uint32(vm.Mem[s+setAlloc]), uint32(vm.Mem[s+setTable])
	n := tableSizeFor(old + 1)
	vm.Keep(Value(table)) // a __hash__ of the program may run the collector
	vm.Mem[s+setTable] = Value(vm.Alloc(4 * n))
	vm.Mem[s+setAlloc], vm.Mem[s+setUsed] = Value(n), 0
	for i := range old {
		if v := vm.Mem[table/4+i]; v != Null && v != Sentinel {
			vm.setFind(set, v, setAdd)
		}
	}
	vm.Free(table)
}

// setClear empties a set and gives its table back.
func (vm *VM) setClear(set Value) {
	s := uint32(set) / 4
	vm.Free(uint32(vm.Mem[s+setTable]))
	vm.Mem[s+setAlloc], vm.Mem[s+setUsed], vm.Mem[s+setTable] = 0, 0, 0
}

// setPopFirst removes and returns the first item in table order, or Null.
func (vm *VM) setPopFirst(set Value) Value {
	s := uint32(set) / 4
	t := uint32(vm.Mem[s+setTable]) / 4
	for pos := range uint32(vm.Mem[s+setAlloc]) {
		if v := vm.Mem[t+pos]; v != Null && v != Sentinel {
			vm.setDrop(s, pos)
			return v
		}
	}
	return Null
}
