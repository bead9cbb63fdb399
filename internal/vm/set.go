package vm

// This file is the types set and frozenset.

func (vm *VM) isSet(v Value) bool {
	t := vm.TypeOf(v)
	return t == TypeSet || t == TypeFrozenSet
}

// wantSet checks self of a method of set, wantAnySet of one that both types
// have.
func (vm *VM) wantSet(v Value) {
	if vm.TypeOf(v) != TypeSet {
		vm.checkSelf()
	}
}

func (vm *VM) wantAnySet(v Value) {
	if !vm.isSet(v) {
		vm.checkSelf()
	}
}

func setPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	frozen := vm.Mem[self/4] == TypeFrozenSet
	if vm.Mem[self/4+setUsed] == 0 {
		if frozen {
			p.String("frozen")
		}
		p.String("set()")
		return
	}
	if frozen {
		p.String("frozenset(")
	}
	p.String("{")
	pos, first := uint32(0), true
	for v := vm.setItem(self, &pos); v != Null; v = vm.setItem(self, &pos) {
		if !first {
			p.String(", ")
		}
		first = false
		p.Value(v, PrintRepr)
	}
	p.String("}")
	if frozen {
		p.String(")")
	}
}

// setNew is set() and frozenset(). The object is a set while it is filled.
func setNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 0, 1, false)
	s := vm.newSet(TypeSet, 0)
	if len(args) == 1 {
		vm.setUpdateFrom(s, args[0])
	}
	vm.Mem[s/4] = typ
	return s
}

func setUnary(vm *VM, op UnaryOp, self Value) Value {
	n := vm.Mem[self/4+setUsed]
	switch op {
	case UnaryBool:
		return Bool(n != 0)
	case UnaryLen:
		return SmallInt(int(n))
	case UnaryHash:
		if vm.Mem[self/4] != TypeFrozenSet {
			break
		}
		// C starts with the address of the type
		hash := uint32(TypeFrozenSet)
		pos := uint32(0)
		for v := vm.setItem(self, &pos); v != Null; v = vm.setItem(self, &pos) {
			hash += vm.hashKey(v)
		}
		return Value(hash<<1 | 1)
	}
	return Null
}

// setItem walks the items of a set in table order: start with *pos 0; it returns
// Null at the end.
func (vm *VM) setItem(set Value, pos *uint32) Value {
	s := uint32(set) / 4
	n, t := uint32(vm.Mem[s+setAlloc]), uint32(vm.Mem[s+setTable])/4
	for *pos < n {
		v := vm.Mem[t+*pos]
		*pos++
		if v != Null && v != Sentinel {
			return v
		}
	}
	return Null
}

func setBinary(vm *VM, op BinaryOp, lhs, rhs Value) Value {
	if op == BinContains {
		return Bool(vm.setFind(lhs, rhs, 0) != Null)
	}
	if !vm.isSet(rhs) {
		return Null
	}
	update := vm.Mem[lhs/4] == TypeSet
	switch op {
	case BinOr:
		return setUnion(vm, lhs, rhs)
	case BinXor:
		return setSymmetric(vm, lhs, rhs)
	case BinAnd:
		return vm.setIntersect(lhs, rhs, false)
	case BinSubtract:
		return vm.setDifference(vm.setCopy(lhs), rhs)
	case BinInplaceOr:
		if !update {
			return setUnion(vm, lhs, rhs)
		}
		vm.setUpdateFrom(lhs, rhs)
		return lhs
	case BinInplaceXor:
		if !update {
			return setSymmetric(vm, lhs, rhs)
		}
		vm.setToggle(lhs, rhs)
		return lhs
	case BinInplaceAnd:
		return vm.setIntersect(lhs, rhs, update)
	case BinInplaceSubtract:
		if !update {
			lhs = vm.setCopy(lhs)
		}
		return vm.setDifference(lhs, rhs)
	}
	return vm.setOrder(op, lhs, rhs)
}

// setOrder is the comparisons: <= is subset.
func (vm *VM) setOrder(op BinaryOp, lhs, rhs Value) Value {
	switch op {
	case BinLess:
		return Bool(vm.isSubset(lhs, rhs, true))
	case BinMore:
		return Bool(vm.isSubset(rhs, lhs, true))
	case BinLessEqual:
		return Bool(vm.isSubset(lhs, rhs, false))
	case BinMoreEqual:
		return Bool(vm.isSubset(rhs, lhs, false))
	case BinEqual:
		return Bool(vm.Mem[lhs/4+setUsed] == vm.Mem[rhs/4+setUsed] && vm.isSubset(lhs, rhs, false))
	}
	return Null
}

// setCopy copies the table as it is, holes and all.
func (vm *VM) setCopy(self Value) Value {
	vm.wantAnySet(self)
	s := self / 4
	c := vm.newSet(vm.Mem[s], uint32(vm.Mem[s+setAlloc]))
	vm.Mem[c/4+setUsed] = vm.Mem[s+setUsed]
	from, to, n := vm.Mem[s+setTable]/4, vm.Mem[c/4+setTable]/4, vm.Mem[s+setAlloc]
	copy(vm.Mem[to:to+n], vm.Mem[from:from+n])
	return c
}

// eachItem calls f with the items of an iterable, forgetting the temporary
// objects of each turn.
func (vm *VM) eachItem(iterable Value, f func(item Value)) {
	it := vm.Iter(iterable, 0)
	mark := vm.Mark()
	for v := vm.Next(it); v != Null; v = vm.Next(it) {
		f(v)
		vm.Release(mark)
	}
}

// setUpdateFrom adds the items of an iterable.
func (vm *VM) setUpdateFrom(self, other Value) {
	vm.eachItem(other, func(v Value) { vm.setFind(self, v, setAdd) })
}

// setToggle removes the items of an iterable that are in the set and adds those
// that are not.
func (vm *VM) setToggle(self, other Value) {
	vm.eachItem(other, func(v Value) { vm.setFind(self, v, setAdd|setRemove) })
}

// setDifference removes the items of an iterable and returns self.
func (vm *VM) setDifference(self, other Value) Value {
	if self == other {
		vm.setClear(self)
		return self
	}
	vm.eachItem(other, func(v Value) { vm.setFind(self, v, setRemove) })
	return self
}

// setIntersect makes the set of the items that are in both; with update self
// takes over its table and is returned.
func (vm *VM) setIntersect(self, other Value, update bool) Value {
	if self == other {
		if update {
			return self
		}
		return vm.setCopy(self)
	}
	out := vm.newSet(TypeSet, 0)
	vm.eachItem(other, func(v Value) {
		if vm.setFind(self, v, 0) != Null {
			vm.setFind(out, v, setAdd)
		}
	})
	if !update {
		return out
	}
	s, o := self/4, out/4
	vm.Free(uint32(vm.Mem[s+setTable]))
	copy(vm.Mem[s+setAlloc:s+setTable+1], vm.Mem[o+setAlloc:])
	// C leaves both with the table; here nobody else can see out
	vm.Mem[o+setAlloc], vm.Mem[o+setUsed], vm.Mem[o+setTable] = 0, 0, 0
	return self
}

// isSubset reports whether all items of a are in b. What is no set is made one
// first, and emptied afterwards.
func (vm *VM) isSubset(a, b Value, proper bool) bool {
	madeA, madeB := !vm.isSet(a), !vm.isSet(b)
	args := [1]Value{a}
	if madeA {
		a = setNew(vm, TypeSet, args[:], nil)
	}
	if madeB {
		args[0] = b
		b = setNew(vm, TypeSet, args[:], nil)
	}
	all := !proper || vm.Mem[a/4+setUsed] != vm.Mem[b/4+setUsed]
	pos := uint32(0)
	for all {
		v := vm.setItem(a, &pos)
		if v == Null {
			break
		}
		all = vm.setFind(b, v, 0) != Null
	}
	if madeA {
		vm.setClear(a)
	}
	if madeB {
		vm.setClear(b)
	}
	return all
}

func setUnion(vm *VM, self, other Value) Value {
	c := vm.setCopy(self)
	vm.setUpdateFrom(c, other)
	return c
}

func setSymmetric(vm *VM, self, other Value) Value {
	c := vm.setCopy(self)
	vm.setToggle(c, other)
	return c
}

func setIterNew(vm *VM, self Value, buf uint32) Value { return vm.newPolyIter(polySet, self, buf) }
