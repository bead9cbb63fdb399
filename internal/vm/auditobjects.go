package vm

// This file is what Audit knows of the layouts of objects.

// object follows what an object points to.
func (a *auditor) object(v Value) {
	vm := a.vm
	i := uint32(v) / 4
	t := vm.Mem[i]
	switch {
	case t >= romBase && t&3 == 0 && int((t-romBase)/4) < len(vm.fw.rom) && vm.fw.rom[(t-romBase)/4].t != nil:
		a.builtin(v, t)
	case t.inRAM() && t != Null && vm.heap.Live(uint32(t)) && vm.Mem[t/4] == TypeType:
		a.value(v, t)
		if vm.isNative(t) {
			a.tuple(v)
		} else {
			a.mapTable(v, i+1)
			a.rest(v, 4)
		}
	default:
		a.fail(v, "has no type: its first word is %#x", uint32(t))
	}
}

// rest follows the words of an allocation from the n-th on as values.
func (a *auditor) rest(v Value, n uint32) {
	if !a.inPool(uint32(v)) {
		return
	}
	for at := n; at < a.vm.heap.Size(uint32(v))/4; at++ {
		a.value(v, a.vm.Mem[uint32(v)/4+at])
	}
}

// anything follows all words behind the type as what may be a pointer.
func (a *auditor) anything(v Value) {
	if !a.inPool(uint32(v)) {
		return
	}
	for at := uint32(1); at < a.vm.heap.Size(uint32(v))/4; at++ {
		a.maybe(v, a.vm.Mem[uint32(v)/4+at])
	}
}

// values follows some words as values.
func (a *auditor) values(v Value, words ...uint32) {
	for _, w := range words {
		a.value(v, a.vm.Mem[uint32(v)/4+w])
	}
}

// builtin follows an object of a built-in type.
func (a *auditor) builtin(v, t Value) {
	vm := a.vm
	i := uint32(v) / 4
	switch t {
	case TypeInt:
		if head := vm.Mem[i+1]; head&bigFixed == 0 {
			a.own(v, uint32(vm.Mem[i+3]), 2*uint32(head>>bigRoom), "digits")
		}
	case TypeFloat, TypeComplex, TypeRange, TypeRangeIter, TypeObject:
	case TypeStr, TypeBytes:
		a.data(v, uint32(vm.Mem[i+3]), uint32(vm.Mem[i+2]))
	case TypeByteArray, TypeArray:
		code, free := vm.arrayHead(v)
		size := uint32(vm.itemSize(code))
		a.own(v, uint32(vm.Mem[i+arrayItems]), (uint32(vm.Mem[i+arrayLen])+free)*size, "items")
	case TypeMemoryView:
		a.maybe(v, vm.Mem[i+arrayItems]) // of a bytearray that may have grown since
	case TypeTuple:
		a.tuple(v)
	case TypeAttrTuple:
		a.tuple(v)
		a.anything(v)
	case TypeList:
		n, room := uint32(vm.Mem[i+2]), uint32(vm.Mem[i+1])
		a.own(v, uint32(vm.Mem[i+3]), 4*room, "items")
		if n > room {
			a.fail(v, "has %d items in room for %d", n, room)
			return
		}
		a.items(v, uint32(vm.Mem[i+3]), n)
		a.spare(v, uint32(vm.Mem[i+3])+4*n, room-n)
	case TypeDict, TypeOrderedDict:
		a.mapTable(v, i+1)
	case TypeSet, TypeFrozenSet:
		a.set(v)
	case TypeSlice, TypeProperty, TypeBoundMeth, TypeSuper, TypeStaticMethod, TypeClassMethod, TypeCell, TypeModule, TypeCheckedFun, TypeRawCode, TypeFilter:
		a.rest(v, 1)
	case TypeMap, TypeClosure, TypeGetItemIter:
		a.anything(v) // counts and values
	case TypeEnumerate:
		a.values(v, 1)
	case TypeReversed:
		a.values(v, 1)
	case TypePolyIter:
		a.values(v, 2)
	case TypeDictView, TypeDictViewIter:
		a.values(v, 1)
	case TypeFunBC, TypeGenWrap:
		a.values(v, funGlobals)
		a.share(v, uint32(vm.Mem[i+funBytecode]), "bytecode")
		a.constTable(v, uint32(vm.Mem[i+funTable]))
		a.rest(v, funDefaults)
	case TypeDeque:
		a.own(v, uint32(vm.Mem[i+dequeItems]), 4*uint32(vm.Mem[i+dequeAlloc]), "slots")
		a.items(v, uint32(vm.Mem[i+dequeItems]), uint32(vm.Mem[i+dequeAlloc]))
	case TypeStringIO, TypeBytesIO:
		a.stream(v)
	case TypeType:
		a.class(v)
	default:
		if vm.TypeInfo(t).Flags&FlagException != 0 {
			a.exception(v)
			return
		}
		a.anything(v)
	}
}

// items follows n values at an address.
func (a *auditor) items(v Value, addr, n uint32) {
	if a.err != nil || addr == 0 {
		return
	}
	for _, item := range a.vm.Mem[addr/4 : addr/4+n] {
		a.value(v, item)
	}
}

// spare follows n words of room, in which there may be what was there before.
func (a *auditor) spare(v Value, addr, n uint32) {
	if a.err != nil || n == 0 {
		return
	}
	for _, w := range a.vm.Mem[addr/4 : addr/4+n] {
		a.maybe(v, w)
	}
}

func (a *auditor) tuple(v Value) {
	n := uint32(a.vm.Mem[uint32(v)/4+1])
	if a.inPool(uint32(v)) && a.vm.heap.Size(uint32(v)) < 8+4*n {
		a.fail(v, "has %d items in %d bytes", n, a.vm.heap.Size(uint32(v)))
		return
	}
	a.items(v, uint32(v)+8, n)
}

// mapTable follows the map at word index m of an object.
func (a *auditor) mapTable(v Value, m uint32) {
	vm := a.vm
	alloc, table := uint32(vm.Mem[m+1]), uint32(vm.Mem[m+2])
	a.own(v, table, 8*alloc, "a table")
	if a.err != nil || alloc == 0 {
		return
	}
	used := 0
	for k := range alloc {
		key, value := vm.Mem[table/4+2*k], vm.Mem[table/4+2*k+1]
		if key == Null || key == Sentinel {
			a.maybe(v, value) // what was removed is still there
			continue
		}
		used++
		a.value(v, key)
		a.value(v, value)
	}
	// taking the first item of an ordered dict leaves a hole and hides the last, as in C
	if want := vm.mapUsed(m); used != want && vm.Mem[m]&mapOrdered == 0 {
		a.fail(v, "has %d entries but says %d", used, want)
	}
}

func (a *auditor) set(v Value) {
	vm := a.vm
	i := uint32(v) / 4
	alloc, table := uint32(vm.Mem[i+setAlloc]), uint32(vm.Mem[i+setTable])
	a.own(v, table, 4*alloc, "a table")
	if a.err != nil || alloc == 0 {
		return
	}
	used := uint32(0)
	for _, item := range vm.Mem[table/4 : table/4+alloc] {
		if item != Null && item != Sentinel {
			used++
			a.value(v, item)
		}
	}
	if want := uint32(vm.Mem[i+setUsed]); used != want {
		a.fail(v, "has %d items but says %d", used, want)
	}
}

// constTable follows a const table: names, objects, and raw codes, whose first word
// is tagged.
func (a *auditor) constTable(v Value, table uint32) {
	if a.err != nil || !a.inPool(table) || a.shared[table] {
		return
	}
	a.share(v, table, "a const table")
	if a.err != nil {
		return
	}
	for _, w := range a.vm.Mem[table/4 : (table+a.vm.heap.Size(table))/4] {
		if !w.inRAM() || w == Null || !a.inPool(uint32(w)) || !a.vm.heap.Live(uint32(w)) {
			continue
		}
		if a.vm.Mem[w/4]&rawTag == 0 {
			a.maybe(v, w)
			continue
		}
		a.share(v, uint32(w), "raw code")
		a.share(w, uint32(a.vm.Mem[w/4+1]), "bytecode")
		a.constTable(w, uint32(a.vm.Mem[w/4+2]))
	}
}

func (a *auditor) stream(v Value) {
	vm := a.vm
	i := uint32(v) / 4
	h := uint32(vm.Mem[i+ioHead])
	if h == 0 {
		return // closed
	}
	a.own(v, h, 16, "the head of a buffer")
	if a.err != nil {
		return
	}
	buf, room, n := uint32(vm.Mem[h/4+headBuf]), uint32(vm.Mem[h/4+headRoom]), uint32(vm.Mem[h/4+headLen])
	if vm.Mem[h/4+headFixed] != 0 {
		a.data(v, buf, n)
		a.values(v, ioRef)
		return
	}
	a.own(v, buf, room, "a buffer")
	if n > room {
		a.fail(v, "has %d bytes in room for %d", n, room)
	}
}

func (a *auditor) class(v Value) {
	i := uint32(v) / 4
	if a.vm.Mem[i+classFlags]&classNative != 0 {
		return // of named tuples: names
	}
	a.values(v, classParent, classLocals)
}

func (a *auditor) exception(v Value) {
	vm := a.vm
	i := uint32(v) / 4
	data, alloc, n := uint32(vm.Mem[i+2]), uint32(vm.Mem[i+1])&0xffff, uint32(vm.Mem[i+1])>>16
	if vm.emergencyBuf == 0 || data != vm.emergencyBuf {
		if data != 0 {
			a.own(v, data, 4*alloc, "a traceback")
		}
		if data != 0 && n > alloc {
			a.fail(v, "has a traceback of %d words in room for %d", n, alloc)
		}
	}
	a.values(v, 3)
}
