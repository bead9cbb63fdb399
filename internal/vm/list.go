package vm

// This file is the type list. A list is [type, room, n, address of the items].

const listMinRoom = 4

func listPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	if kind != PrintJSON {
		kind = PrintRepr
	}
	p.String("[")
	vm.printItems(p, self, kind)
	p.String("]")
}

func listNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 0, 1, false)
	l := vm.NewList()
	if len(args) == 1 {
		vm.extendIter(l, args[0])
	}
	return l
}

// extendIter appends the items of an iterable to a list.
func (vm *VM) extendIter(l, iterable Value) {
	it := vm.Iter(iterable, 0)
	mark := vm.Mark()
	for v := vm.Next(it); v != Null; v = vm.Next(it) {
		vm.ListAppend(l, v)
		vm.Release(mark)
	}
}

func listUnary(vm *VM, op UnaryOp, self Value) Value {
	switch op {
	case UnaryBool:
		return Bool(vm.Mem[self/4+2] != 0)
	case UnaryLen:
		return SmallInt(int(vm.Mem[self/4+2]))
	case UnarySizeof:
		if vm.opt.SysGetsizeof {
			return SmallInt(16 + 4*int(vm.Mem[self/4+1]))
		}
	}
	return Null
}

func listBinary(vm *VM, op BinaryOp, lhs, rhs Value) Value {
	switch op {
	case BinAdd:
		if vm.TypeOf(rhs) != TypeList {
			return Null
		}
		a, b := vm.ListItems(lhs), vm.ListItems(rhs)
		l := vm.newListLen(uint32(len(a) + len(b)))
		items := vm.ListItems(l)
		copy(items[copy(items, a):], b)
		return l
	case BinInplaceAdd:
		vm.listExtend(lhs, rhs)
		return lhs
	case BinMultiply:
		n, ok := vm.IntMaybe(rhs)
		if !ok {
			return Null
		}
		a := vm.ListItems(lhs)
		l := vm.newListLen(uint32(vm.repeated(len(a), n, 4)))
		repeat(vm.ListItems(l), a)
		return l
	case BinEqual, BinLess, BinLessEqual, BinMore, BinMoreEqual:
		if vm.TypeOf(rhs) != TypeList {
			if op == BinEqual {
				return False
			}
			return Null
		}
		return Bool(vm.seqCompare(op, lhs, rhs))
	}
	return Null
}

func listSubscr(vm *VM, self, index, value Value) Value {
	if vm.TypeOf(index) == TypeSlice {
		return vm.listSlice(self, index, value)
	}
	switch value {
	case Null:
		vm.listPop(self, index)
		return None
	case Sentinel:
		items := vm.ListItems(self)
		return items[vm.Index(TypeList, len(items), index, false)]
	}
	items := vm.ListItems(self)
	items[vm.Index(TypeList, len(items), index, false)] = value
	return None
}

// listSlice loads, deletes or stores a slice of a list.
func (vm *VM) listSlice(self, index, value Value) Value {
	var with []Value
	if value != Null && value != Sentinel {
		with = vm.Array(value)
	}
	n := len(vm.ListItems(self))
	b, simple := vm.SliceBounds(n, index)
	if value == Sentinel {
		if !simple {
			return vm.stepSlice(self, b)
		}
		return vm.NewList(vm.ListItems(self)[b.Start:b.Stop]...)
	}
	if !simple {
		vm.Raise(vm.NewException(TypeNotImplementedError))
	}
	if grown := n + len(with) - (b.Stop - b.Start); grown > n {
		vm.listGrowSlice(self, b, with, n, grown)
	} else {
		items := vm.ListItems(self)
		copy(items[b.Start:], with)
		copy(items[b.Start+len(with):], items[b.Stop:])
		clear(items[grown:])
		vm.Mem[self/4+2] = Value(grown)
	}
	return None
}

// listGrowSlice replaces a slice by more items than it has; the room becomes
// exactly what is needed.
func (vm *VM) listGrowSlice(self Value, b Bounds, with []Value, n, grown int) {
	i := self / 4
	if uint32(grown) > uint32(vm.Mem[i+1]) {
		vm.Mem[i+3] = Value(vm.Realloc(uint32(vm.Mem[i+3]), uint32(4*grown)))
		vm.Mem[i+1] = Value(grown)
	}
	vm.Mem[i+2] = Value(grown)
	items := vm.ListItems(self)
	copy(items[b.Start+len(with):], items[b.Stop:n])
	copy(items[b.Start:], with)
}

func (vm *VM) wantList(self Value) {
	if vm.TypeOf(self) != TypeList {
		vm.checkSelf()
	}
}

// listExtend is the method extend: another list is copied behind, with room for 4
// more; anything else is appended item by item.
func (vm *VM) listExtend(self, arg Value) {
	vm.wantList(self)
	if vm.TypeOf(arg) != TypeList {
		vm.extendIter(self, arg)
		return
	}
	i := self / 4
	n, m := uint32(vm.Mem[i+2]), uint32(vm.Mem[arg/4+2])
	if n+m > uint32(vm.Mem[i+1]) {
		room := n + m + 4
		p := vm.Realloc(uint32(vm.Mem[i+3]), 4*room)
		vm.Mem[i+3], vm.Mem[i+1] = Value(p), Value(room)
		clear(vm.Mem[p/4+n+m : p/4+room])
	}
	from := vm.ListItems(arg)
	vm.Mem[i+2] = Value(n + m)
	copy(vm.ListItems(self)[n:], from)
}

// listPop removes an item and halves the room if less than half is in use.
func (vm *VM) listPop(self, index Value) Value {
	vm.wantList(self)
	items := vm.ListItems(self)
	if len(items) == 0 {
		vm.RaiseMsg(TypeIndexError, "pop from empty list")
	}
	at := vm.Index(TypeList, len(items), index, false)
	v := items[at]
	n := len(items) - 1
	copy(items[at:], items[at+1:])
	items[n] = Null
	i := self / 4
	vm.Mem[i+2] = Value(n)
	if room := uint32(vm.Mem[i+1]); room > listMinRoom && room > uint32(2*n) {
		vm.Mem[i+3] = Value(vm.Realloc(uint32(vm.Mem[i+3]), 4*(room/2)))
		vm.Mem[i+1] = Value(room / 2)
	}
	return v
}

func listAppend(vm *VM, self, v Value) Value {
	vm.wantList(self)
	vm.ListAppend(self, v)
	return None
}

func listClear(vm *VM, self Value) Value {
	vm.wantList(self)
	i := self / 4
	vm.Mem[i+2] = 0
	p := vm.Realloc(uint32(vm.Mem[i+3]), 4*listMinRoom)
	vm.Mem[i+3], vm.Mem[i+1] = Value(p), listMinRoom
	clear(vm.Mem[p/4 : p/4+listMinRoom])
	return None
}

func listCopy(vm *VM, self Value) Value {
	vm.wantList(self)
	return vm.NewList(vm.ListItems(self)...)
}

func listCount(vm *VM, self, value Value) Value {
	vm.wantList(self)
	return vm.seqCount(self, value)
}

func listExtendFn(vm *VM, self, arg Value) Value {
	vm.listExtend(self, arg)
	return None
}

func listIndex(vm *VM, args []Value) Value {
	vm.wantList(args[0])
	return vm.seqIndex(args)
}

func listInsert(vm *VM, self, index, v Value) Value {
	vm.wantList(self)
	n := len(vm.ListItems(self))
	at := index.SmallInt() // C does not check it either
	if at < 0 {
		at = max(at+n, 0)
	}
	at = min(at, n)
	vm.ListAppend(self, None)
	items := vm.ListItems(self)
	copy(items[at+1:], items[at:n])
	items[at] = v
	return None
}

func listPopFn(vm *VM, args []Value) Value {
	index := SmallInt(-1)
	if len(args) > 1 {
		index = args[1]
	}
	return vm.listPop(args[0], index)
}

func listRemove(vm *VM, self, v Value) Value {
	vm.wantList(self)
	args := [2]Value{self, v}
	vm.listPop(self, vm.seqIndex(args[:]))
	return None
}

func listReverse(vm *VM, self Value) Value {
	vm.wantList(self)
	items := vm.ListItems(self)
	for i, j := 0, len(items)-1; i < j; i, j = i+1, j-1 {
		items[i], items[j] = items[j], items[i]
	}
	return None
}

func listIter(vm *VM, self Value, buf uint32) Value { return vm.newPolyIter(polyList, self, buf) }

func (fw *Firmware) initList() {
	t := fw.define(TypeList, &Type{
		Name: fw.Q("list"), Print: listPrint, New: listNew, Unary: listUnary, Binary: listBinary,
		Subscr: listSubscr, Iter: listIter,
	})
	fw.Method(t, "append", fw.Func2("append", listAppend))
	fw.Method(t, "clear", fw.Func1("clear", listClear))
	fw.Method(t, "copy", fw.Func1("copy", listCopy))
	fw.Method(t, "count", fw.Func2("count", listCount))
	fw.Method(t, "extend", fw.Func2("extend", listExtendFn))
	fw.Method(t, "index", fw.FuncV("index", 2, 4, listIndex))
	fw.Method(t, "insert", fw.Func3("insert", listInsert))
	fw.Method(t, "pop", fw.FuncV("pop", 1, 2, listPopFn))
	fw.Method(t, "remove", fw.Func2("remove", listRemove))
	fw.Method(t, "reverse", fw.Func1("reverse", listReverse))
	fw.initSort(t)
	fw.Builtin("list", TypeList)
}
