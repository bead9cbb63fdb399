package vm

// This file is the type tuple. Objects of named and attribute tuples are laid
// out alike and share most of it.

// isTupleLike reports whether v is a tuple, a named tuple or an attribute tuple
// (not an instance of a class derived from one).
func (vm *VM) isTupleLike(v Value) bool {
	switch t := vm.TypeOf(v); t {
	case TypeTuple, TypeAttrTuple:
		return true
	default:
		return t < romBase && vm.isNative(t)
	}
}

// printTuple prints any object laid out as a tuple with round brackets, or as
// a JSON array.
func (vm *VM) printTuple(p *Printer, t Value, kind PrintKind) {
	left, right := "(", ")"
	if kind == PrintJSON {
		left, right = "[", "]"
	} else {
		kind = PrintRepr
	}
	p.String(left)
	n := vm.printItems(p, t, kind)
	if n == 1 && kind != PrintJSON {
		p.String(",")
	}
	p.String(right)
}

// printItems prints the items of a list or tuple with commas between them.
func (vm *VM) printItems(p *Printer, seq Value, kind PrintKind) int {
	for i := 0; ; i++ {
		items := vm.seqItems(seq)
		if i >= len(items) {
			return i
		}
		if i > 0 {
			p.String(", ")
		}
		p.Value(items[i], kind)
	}
}

func tupleNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 0, 1, false)
	if len(args) == 0 {
		return EmptyTuple
	}
	if vm.TypeOf(args[0]) == TypeTuple {
		return args[0]
	}
	return vm.tupleFromIter(args[0])
}

// tupleFromIter collects an iterable in an array that doubles, and copies that.
func (vm *VM) tupleFromIter(iterable Value) Value {
	mark := vm.Mark()
	n, room := uint32(0), uint32(4)
	block := vm.Alloc(4 * room)
	it := vm.Iter(iterable, 0)
	for v := vm.Next(it); v != Null; v = vm.Next(it) {
		if n >= room {
			block = vm.Realloc(block, 8*room)
			room *= 2
		}
		vm.Mem[block/4+n] = v
		n++
		vm.Release(mark, Value(block), it)
	}
	t := vm.NewTuple(vm.Mem[block/4 : block/4+n]...)
	vm.Free(block)
	return t
}

func tupleUnary(vm *VM, op UnaryOp, self Value) Value {
	n := len(vm.TupleItems(self))
	switch op {
	case UnaryBool:
		return Bool(n != 0)
	case UnaryLen:
		return SmallInt(n)
	case UnaryHash:
		// C starts with the address of the empty tuple
		hash := uint32(EmptyTuple)
		for i := range n {
			hash += vm.hashKey(vm.TupleItems(self)[i])
		}
		return Value(hash<<1 | 1)
	}
	return Null
}

func tupleBinary(vm *VM, op BinaryOp, lhs, rhs Value) Value {
	switch op {
	case BinAdd, BinInplaceAdd:
		if !vm.IsSubclass(vm.TypeOf(rhs), TypeTuple) {
			return Null
		}
		a, b := vm.TupleItems(lhs), vm.TupleItems(vm.CastToNative(rhs, TypeTuple))
		t := vm.NewTupleLen(len(a) + len(b))
		items := vm.TupleItems(t)
		copy(items[copy(items, a):], b)
		return t
	case BinMultiply, BinInplaceMultiply:
		n, ok := vm.IntMaybe(rhs)
		if !ok {
			return Null
		}
		a := vm.TupleItems(lhs)
		t := vm.NewTupleLen(vm.repeated(len(a), n, 4))
		repeat(vm.TupleItems(t), a)
		return t
	case BinEqual, BinLess, BinLessEqual, BinMore, BinMoreEqual:
		if !vm.isTupleLike(rhs) {
			if rhs = vm.CastToNative(rhs, TypeTuple); rhs == Null {
				if op == BinEqual {
					return False
				}
				return Null
			}
		}
		return Bool(vm.seqCompare(op, lhs, rhs))
	}
	return Null
}

func tupleSubscr(vm *VM, self, index, value Value) Value {
	if value != Sentinel {
		return Null
	}
	items := vm.TupleItems(self)
	if vm.TypeOf(index) == TypeSlice {
		b, simple := vm.SliceBounds(len(items), index)
		if !simple {
			vm.RaiseMsg(TypeNotImplementedError, "only slices with step=1 (aka None) are supported")
		}
		return vm.NewTuple(items[b.Start:b.Stop]...)
	}
	return items[vm.Index(vm.TypeOf(self), len(items), index, false)]
}

func tupleIter(vm *VM, self Value, buf uint32) Value { return vm.newPolyIter(polyTuple, self, buf) }

func tupleCount(vm *VM, self, value Value) Value {
	vm.wantTuple(self)
	return vm.seqCount(self, value)
}

func tupleIndex(vm *VM, args []Value) Value {
	vm.wantTuple(args[0])
	return vm.seqIndex(args)
}

func (vm *VM) wantTuple(self Value) {
	if !vm.isTupleLike(self) {
		vm.checkSelf()
	}
}

func (fw *Firmware) initTuple() {
	t := fw.define(TypeTuple, &Type{
		Name: fw.Q("tuple"), Print: (*VM).printTuple, New: tupleNew, Unary: tupleUnary, Binary: tupleBinary,
		Subscr: tupleSubscr, Iter: tupleIter,
	})
	fw.Method(t, "count", fw.Func2("count", tupleCount))
	fw.Method(t, "index", fw.FuncV("index", 2, 4, tupleIndex))
	fw.Builtin("tuple", TypeTuple)
}
