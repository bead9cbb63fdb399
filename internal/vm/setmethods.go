package vm

// This file is the methods of set and frozenset.

func (fw *Firmware) initSet() {
	slots := Type{
		Name: fw.Q("set"), Print: setPrint, New: setNew, Unary: setUnary, Binary: setBinary, Iter: setIterNew,
	}
	frozen := slots
	set := fw.define(TypeSet, &slots)
	if fw.Options.FrozenSet {
		frozen.Name = fw.Q("frozenset")
		fw.define(TypeFrozenSet, &frozen)
		fw.Builtin("frozenset", TypeFrozenSet)
	}
	both := func(name string, v Value) {
		fw.Method(set, name, v)
		if fw.Options.FrozenSet {
			fw.Method(&frozen, name, v)
		}
	}
	fw.Method(set, "add", fw.Func2("add", func(vm *VM, self, v Value) Value {
		vm.wantSet(self)
		vm.SetAdd(self, v)
		return None
	}))
	fw.Method(set, "clear", fw.Func1("clear", func(vm *VM, self Value) Value {
		vm.wantSet(self)
		vm.setClear(self)
		return None
	}))
	both("copy", fw.Func1("copy", func(vm *VM, self Value) Value { return vm.setCopy(self) }))
	fw.Method(set, "discard", fw.Func2("discard", func(vm *VM, self, v Value) Value {
		vm.wantSet(self)
		vm.setFind(self, v, setRemove)
		return None
	}))
	both("difference", fw.FuncV("difference", 1, -1, func(vm *VM, args []Value) Value {
		self := vm.setCopy(args[0])
		for _, other := range args[1:] {
			vm.setDifference(self, other)
		}
		return self
	}))
	fw.Method(set, "difference_update", fw.FuncV("difference_update", 1, -1, func(vm *VM, args []Value) Value {
		vm.wantSet(args[0])
		for _, other := range args[1:] {
			vm.setDifference(args[0], other)
		}
		return None
	}))
	both("intersection", fw.Func2("intersection", func(vm *VM, self, other Value) Value {
		vm.wantAnySet(self)
		return vm.setIntersect(self, other, false)
	}))
	fw.Method(set, "intersection_update", fw.Func2("intersection_update", func(vm *VM, self, other Value) Value {
		vm.wantSet(self)
		vm.setIntersect(self, other, true)
		return None
	}))
	both("isdisjoint", fw.Func2("isdisjoint", setIsDisjoint))
	both("issubset", fw.Func2("issubset", func(vm *VM, self, other Value) Value {
		return Bool(vm.isSubset(self, other, false))
	}))
	both("issuperset", fw.Func2("issuperset", func(vm *VM, self, other Value) Value {
		return Bool(vm.isSubset(other, self, false))
	}))
	fw.Method(set, "pop", fw.Func1("pop", func(vm *VM, self Value) Value {
		vm.wantSet(self)
		v := vm.setPopFirst(self)
		if v == Null {
			vm.RaiseMsg(TypeKeyError, "pop from an empty set")
		}
		return v
	}))
	fw.Method(set, "remove", fw.Func2("remove", func(vm *VM, self, v Value) Value {
		vm.wantSet(self)
		if vm.setFind(self, v, setRemove) == Null {
			vm.RaiseArg(TypeKeyError, v)
		}
		return None
	}))
	both("symmetric_difference", fw.Func2("symmetric_difference", setSymmetric))
	fw.Method(set, "symmetric_difference_update", fw.Func2("symmetric_difference_update",
		func(vm *VM, self, other Value) Value {
			vm.wantAnySet(self)
			vm.setToggle(self, other)
			return None
		}))
	both("union", fw.Func2("union", setUnion))
	fw.Method(set, "update", fw.FuncV("update", 1, -1, func(vm *VM, args []Value) Value {
		vm.wantSet(args[0])
		for _, other := range args[1:] {
			vm.setUpdateFrom(args[0], other)
		}
		return None
	}))
	both("__contains__", fw.Func2("__contains__", func(vm *VM, self, v Value) Value {
		vm.wantAnySet(self)
		return setBinary(vm, BinContains, self, v)
	}))
	fw.Builtin("set", TypeSet)
}

func setIsDisjoint(vm *VM, self, other Value) Value {
	vm.wantAnySet(self)
	stack := vm.stack
	it := vm.Iter(other, vm.iterBuf())
	mark := vm.Mark()
	r := True
	for v := vm.Next(it); v != Null; v = vm.Next(it) {
		if vm.setFind(self, v, 0) != Null {
			r = False
			break
		}
		vm.Release(mark)
	}
	vm.stack = stack
	return r
}
