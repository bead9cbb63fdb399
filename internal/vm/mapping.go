package vm

// This file is the hash table behind dicts, instances and modules, with the
// probing, growth and order of MicroPython's map.c.
//
// A map is three words: flags and number of used slots, number of slots,
// address of the table. A table entry is a key and a value.

const (
	mapAllQstrs = 1 << 0
	mapFixed    = 1 << 1
	mapOrdered  = 1 << 2
	mapUsedOne  = 1 << 3
	mapUsedMask = 1<<30 - mapUsedOne
	// Ours, C has no such bits: an inline cache relies on the set of keys, or, in
	// the dict of a class, on keys and values.
	mapWatched      = 1 << 31
	mapWatchedClass = 1 << 30
)

// tableSizes are the sizes a table grows through.
var tableSizes = [...]uint32{
	0, 2, 4, 6, 8, 10, 12, 17, 23, 29, 37, 47, 59, 73, 97, 127, 167, 223, 293, 389, 521, 691, 919, 1223, 1627, 2161,
	3229, 4831, 7243, 10861, 16273, 24407, 36607, 54907,
}

func tableSizeFor(n uint32) uint32 {
	for _, s := range tableSizes {
		if s >= n {
			return s
		}
	}
	return (n + n/2) | 1
}

// mapInit sets up the map at word index m with room for exactly n entries.
func (vm *VM) mapInit(m, n uint32) {
	vm.Mem[m], vm.Mem[m+1], vm.Mem[m+2] = mapAllQstrs, 0, 0
	if n != 0 {
		t := vm.Alloc(8 * n)
		vm.Mem[m+1], vm.Mem[m+2] = Value(n), Value(t)
	}
}

func (vm *VM) mapUsed(m uint32) int { return int(vm.Mem[m]&mapUsedMask) / mapUsedOne }

func (vm *VM) mapAddUsed(m uint32, d int) {
	vm.Mem[m] = Value(uint32(vm.Mem[m]) + uint32(d*mapUsedOne))
}

// mapTouched must be called when the set of keys changes.
func (vm *VM) mapTouched(m uint32) {
	if vm.Mem[m]&(mapWatched|mapWatchedClass) != 0 {
		vm.dictGen++
		vm.typeGen++
	}
}

// mapGet returns the word index of the entry with the key, or 0.
func (vm *VM) mapGet(m uint32, key Value) uint32 {
	head := vm.Mem[m]
	if key.IsQstr() && head&(mapAllQstrs|mapOrdered) == mapAllQstrs {
		alloc := uint32(vm.Mem[m+1])
		if alloc == 0 {
			return 0
		}
		t := uint32(vm.Mem[m+2]) / 4
		pos := vm.qstrHash(key.Qstr()) % alloc
		for i := alloc; i != 0; i-- {
			k := vm.Mem[t+2*pos]
			if k == key {
				return t + 2*pos
			}
			if k == Null {
				return 0
			}
			if pos++; pos == alloc {
				pos = 0
			}
		}
		return 0
	}
	if key.IsSmallInt() && head&(mapAllQstrs|mapOrdered) == 0 && vm.Mem[m+1] != 0 {
		if slot, plain := vm.mapGetSmall(m, key); plain {
			return slot
		}
	}
	return vm.mapFind(m, key, mapLookup)
}

// mapGetSmall is mapGet for a small int as long as no key met could equal it in
// another way than by being it, which plain tells.
func (vm *VM) mapGetSmall(m uint32, key Value) (slot uint32, plain bool) {
	alloc, t := uint32(vm.Mem[m+1]), uint32(vm.Mem[m+2])/4
	pos := uint32(key.SmallInt()) % alloc
	for i := alloc; i != 0; i-- {
		k := vm.Mem[t+2*pos]
		switch {
		case k == key:
			return t + 2*pos, true
		case k == Null:
			return 0, true
		case !k.IsSmallInt() && !k.IsQstr() && k != Sentinel:
			return 0, false
		}
		if pos++; pos == alloc {
			pos = 0
		}
	}
	return 0, true
}

type lookupKind uint8

const (
	mapLookup lookupKind = iota
	mapAdd
	mapRemove
)

// mapFind is mp_map_lookup: it returns the word index of the entry with the
// key; with mapAdd it makes the entry (value Null) if there is none; with
// mapRemove it removes it, and the value of the entry returned is still there.
// 0 means not found.
func (vm *VM) mapFind(m uint32, key Value, kind lookupKind) uint32 {
	head := vm.Mem[m]
	samePtr := head&mapAllQstrs != 0
	if samePtr && !key.IsQstr() {
		if vm.TypeOf(key) == TypeStr {
			samePtr = false
		} else if kind != mapAdd {
			return 0
		}
	}
	if head&mapOrdered != 0 {
		return vm.mapFindOrdered(m, key, kind, samePtr)
	}
	if vm.Mem[m+1] == 0 {
		if kind != mapAdd {
			return 0
		}
		vm.mapRehash(m)
	}
	hash := vm.hashKey(key)
	str := !samePtr && vm.TypeOf(key) == TypeStr
	alloc := uint32(vm.Mem[m+1])
	t := uint32(vm.Mem[m+2]) / 4
	pos := hash % alloc
	start := pos
	avail := uint32(0)
	for {
		slot := t + 2*pos
		k := vm.Mem[slot]
		switch {
		case k == Null:
			if kind != mapAdd {
				return 0
			}
			if avail == 0 {
				avail = slot
			}
			return vm.mapFill(m, avail, key)
		case k == Sentinel:
			if avail == 0 {
				avail = slot
			}
		case k == key:
			return vm.mapFound(m, pos, kind)
		case str:
			if vm.sameStrKey(k, key, hash) {
				return vm.mapFound(m, pos, kind)
			}
		case !samePtr && k&key&1 == 0: // two small ints differ if they are not the same
			equal := vm.Equal(k, key)
			if uint32(vm.Mem[m+2])/4 != t { // rebuilt by an __eq__ of the program
				return vm.mapFind(m, key, kind)
			}
			if equal {
				return vm.mapFound(m, pos, kind)
			}
		}
		if pos++; pos == alloc {
			pos = 0
		}
		if pos == start {
			if kind != mapAdd {
				return 0
			}
			if avail != 0 {
				return vm.mapFill(m, avail, key)
			}
			vm.mapRehash(m)
			alloc = uint32(vm.Mem[m+1])
			t = uint32(vm.Mem[m+2]) / 4
			pos = hash % alloc
			start = pos
		}
	}
}

// sameStrKey reports whether a key of a table is the same string as another key, which
// is not the same object and has a hash. What has no hash yet is compared.
func (vm *VM) sameStrKey(k, key Value, hash uint32) bool {
	var h uint32
	switch {
	case k.IsQstr():
		h = vm.qstrHash(k.Qstr())
	case k.inRAM() && vm.Mem[k/4] == TypeStr:
		h = uint32(vm.Mem[k/4+1]) >> 1
	default:
		return vm.TypeOf(k) == TypeStr && vm.Equal(k, key)
	}
	return (h == hash || h == 0) && string(vm.StrBytes(k)) == string(vm.StrBytes(key))
}

// mapFound returns the entry at pos, having removed it if kind says so.
func (vm *VM) mapFound(m, pos uint32, kind lookupKind) uint32 {
	t, alloc := uint32(vm.Mem[m+2])/4, uint32(vm.Mem[m+1])
	slot := t + 2*pos
	if kind == mapRemove {
		vm.mapTouched(m)
		vm.mapAddUsed(m, -1)
		if vm.Mem[t+2*((pos+1)%alloc)] == Null {
			vm.Mem[slot] = Null
		} else {
			vm.Mem[slot] = Sentinel
		}
	}
	return slot
}

func (vm *VM) mapFill(m, slot uint32, key Value) uint32 {
	vm.mapTouched(m)
	vm.mapAddUsed(m, 1)
	vm.Mem[slot], vm.Mem[slot+1] = key, Null
	if !key.IsQstr() {
		vm.Mem[m] &^= mapAllQstrs
	}
	return slot
}

func (vm *VM) mapFindOrdered(m uint32, key Value, kind lookupKind, samePtr bool) uint32 {
	t := uint32(vm.Mem[m+2]) / 4
	used := uint32(vm.mapUsed(m))
	for i := uint32(0); i < used; i++ {
		slot := t + 2*i
		k := vm.Mem[slot]
		equal := k == key
		if !equal && !samePtr && k != Sentinel {
			equal = vm.Equal(k, key)
			if uint32(vm.Mem[m+2])/4 != t || uint32(vm.mapUsed(m)) != used { // changed by an __eq__ of the program
				return vm.mapFindOrdered(m, key, kind, samePtr)
			}
		}
		if equal {
			if kind == mapRemove {
				vm.mapTouched(m)
				vm.mapAddUsed(m, -1)
				value := vm.Mem[slot+1]
				copy(vm.Mem[slot:], vm.Mem[slot+2:t+2*used])
				slot = t + 2*(used-1)
				vm.Mem[slot], vm.Mem[slot+1] = Null, value
			}
			return slot
		}
	}
	if kind != mapAdd {
		return 0
	}
	if used == uint32(vm.Mem[m+1]) {
		table := vm.Realloc(uint32(vm.Mem[m+2]), 8*(used+4))
		t = table / 4
		clear(vm.Mem[t+2*used : t+2*(used+4)])
		vm.Mem[m+1], vm.Mem[m+2] = Value(used+4), Value(table)
	}
	vm.mapTouched(m)
	vm.mapAddUsed(m, 1)
	slot := t + 2*used
	vm.Mem[slot] = key
	if !key.IsQstr() {
		vm.Mem[m] &^= mapAllQstrs
	}
	return slot
}

// mapRehash grows the table by one step and inserts everything again.
func (vm *VM) mapRehash(m uint32) {
	oldAlloc, oldTable := uint32(vm.Mem[m+1]), uint32(vm.Mem[m+2])
	n := tableSizeFor(oldAlloc + 1)
	table := vm.Alloc(8 * n)
	vm.Keep(Value(oldTable)) // a __hash__ of the program may run the collector
	watched := vm.Mem[m] & (mapWatched | mapWatchedClass)
	vm.mapTouched(m)
	vm.Mem[m], vm.Mem[m+1], vm.Mem[m+2] = mapAllQstrs|watched, Value(n), Value(table)
	for i := uint32(0); i < oldAlloc; i++ {
		k := vm.Mem[oldTable/4+2*i]
		if k != Null && k != Sentinel {
			slot := vm.mapFind(m, k, mapAdd)
			vm.Mem[slot+1] = vm.Mem[oldTable/4+2*i+1]
		}
	}
	vm.Free(oldTable)
}

func (vm *VM) mapClear(m uint32) {
	vm.mapTouched(m)
	vm.Free(uint32(vm.Mem[m+2]))
	vm.Mem[m] = mapAllQstrs | vm.Mem[m]&(mapOrdered|mapWatched|mapWatchedClass)
	vm.Mem[m+1], vm.Mem[m+2] = 0, 0
}

// hashKey is the hash of a key; it raises TypeError for what has none.
func (vm *VM) hashKey(key Value) uint32 {
	if key.IsQstr() {
		return vm.qstrHash(key.Qstr())
	}
	if key.IsSmallInt() {
		return uint32(int32(key) >> 1)
	}
	return uint32(vm.UnaryOp(UnaryHash, key).SmallInt())
}

// DictMap returns the word index of a dict's map.
func DictMap(d Value) uint32 { return uint32(d)/4 + 1 }

func (vm *VM) initDictAt(addr, n uint32) {
	vm.Mem[addr/4] = TypeDict
	vm.mapInit(addr/4+1, n)
}

// NewDict makes a dict with room for exactly n entries.
func (vm *VM) NewDict(n int) Value {
	d := vm.Alloc(16)
	vm.Mem[d/4], vm.Mem[d/4+1], vm.Mem[d/4+2], vm.Mem[d/4+3] = TypeDict, mapAllQstrs, 0, 0
	vm.mapInit(d/4+1, uint32(n))
	return Value(d)
}

// DictStore sets d[key] = v.
func (vm *VM) DictStore(d, key, v Value) {
	m := DictMap(d)
	slot, kinds := uint32(0), vm.Mem[m]&(mapAllQstrs|mapOrdered)
	switch { // where nothing but words is compared; an __eq__ must not be called twice
	case key.IsQstr() && kinds == mapAllQstrs:
		slot = vm.mapGet(m, key)
	case key.IsSmallInt() && kinds == 0 && vm.Mem[m+1] != 0:
		slot, _ = vm.mapGetSmall(m, key)
	}
	if slot == 0 {
		slot = vm.mapFind(m, key, mapAdd)
	}
	if vm.Mem[m]&mapWatchedClass != 0 {
		vm.typeGen++
	}
	vm.Mem[slot+1] = v
}

// DictGet returns d[key], or Null.
func (vm *VM) DictGet(d, key Value) Value {
	if slot := vm.mapGet(DictMap(d), key); slot != 0 {
		return vm.Mem[slot+1]
	}
	return Null
}

// DictRemove removes a key, if it is there.
func (vm *VM) DictRemove(d, key Value) { vm.mapFind(DictMap(d), key, mapRemove) }

// DictLen returns the number of entries of a dict.
func (vm *VM) DictLen(d Value) int { return vm.mapUsed(DictMap(d)) }

// DictNext walks the entries of a dict in table order: start with *pos 0; it
// returns false at the end.
func (vm *VM) DictNext(d Value, pos *int) (key, v Value, ok bool) {
	m := DictMap(d)
	n := int(vm.Mem[m+1])
	t := int(vm.Mem[m+2]) / 4
	for *pos < n {
		k, v := vm.Mem[t+2**pos], vm.Mem[t+2**pos+1]
		*pos++
		if k != Null && k != Sentinel {
			return k, v, true
		}
	}
	return Null, Null, false
}
