package vm

// This file is the built-in functions over containers and iterators: len, iter,
// next, all, any, min, max, sum.

func builtinNext(vm *VM, it Value) Value {
	v := vm.NextAllowRaise(it)
	if v == Null {
		vm.Raise(vm.NewException(TypeStopIteration))
	}
	return v
}

// anyTrue reports whether the iterable has an item whose truth is want.
func (vm *VM) anyTrue(iterable Value, want bool) bool {
	stack := vm.stack
	it := vm.Iter(iterable, vm.iterBuf())
	mark := vm.Mark()
	found := false
	for v := vm.Next(it); v != Null; v = vm.Next(it) {
		if vm.IsTrue(v) == want {
			found = true
			break
		}
		vm.Release(mark)
	}
	vm.stack = stack
	return found
}

func builtinSum(vm *VM, args []Value) Value {
	total := SmallInt(0)
	if len(args) > 1 {
		total = args[1]
	}
	stack := vm.stack
	it := vm.Iter(args[0], vm.iterBuf())
	mark := vm.Mark()
	for v := vm.Next(it); v != Null; v = vm.Next(it) {
		if total&v&1 != 0 {
			if s := int64(total.SmallInt() + v.SmallInt()); FitsSmallInt(s) {
				total = SmallInt(int(s))
				continue
			}
		}
		total = vm.BinaryOp(BinAdd, total, v)
		vm.Release(mark, total)
	}
	vm.stack = stack
	return total
}

// best is the running result of min or max.
type best struct {
	vm        *VM
	op        BinaryOp
	fn        Value // key function, or Null
	key, item Value
	mark      int
}

func (b *best) offer(item Value) {
	vm := b.vm
	key := item
	if b.fn == Null && item&b.item&1 != 0 { // Null is no small int
		if b.op == BinLess && int32(item) < int32(b.item) || b.op == BinMore && int32(item) > int32(b.item) {
			b.key, b.item = item, item
		}
		return
	}
	if b.fn != Null {
		vm.Keep(item)
		key = vm.Call1(b.fn, item)
	}
	if b.item == Null || vm.BinaryOp(b.op, key, b.key) == True {
		b.key, b.item = key, item
	}
	vm.Release(b.mark, b.key, b.item)
}

// minMax makes the function min or max.
func (fw *Firmware) minMax(name string, op BinaryOp) Value {
	qKey, qDefault := fw.Q("key"), fw.Q("default")
	return fw.FuncKw(name, 1, func(vm *VM, args, kw []Value) Value {
		b := best{vm: vm, op: op, fn: kwLookup(kw, qKey), mark: vm.Mark()}
		if len(args) > 1 {
			for _, v := range args {
				b.offer(v)
			}
			return b.item
		}
		stack := vm.stack
		it := vm.Iter(args[0], vm.iterBuf())
		b.mark = vm.Mark()
		for v := vm.Next(it); v != Null; v = vm.Next(it) {
			b.offer(v)
		}
		vm.stack = stack
		if b.item == Null {
			if b.item = kwLookup(kw, qDefault); b.item == Null {
				vm.RaiseMsg(TypeValueError, "arg is an empty sequence")
			}
		}
		return b.item
	})
}

func (fw *Firmware) initIterFuncs() {
	fw.Builtin("all", fw.Func1("all", func(vm *VM, a Value) Value { return Bool(!vm.anyTrue(a, false)) }))
	fw.Builtin("any", fw.Func1("any", func(vm *VM, a Value) Value { return Bool(vm.anyTrue(a, true)) }))
	fw.Builtin("iter", fw.Func1("iter", func(vm *VM, a Value) Value { return vm.Iter(a, 0) }))
	fw.Builtin("len", fw.Func1("len", func(vm *VM, a Value) Value { return vm.Len(a) }))
	if fw.Options.MinMax {
		fw.Builtin("max", fw.minMax("max", BinMore))
		fw.Builtin("min", fw.minMax("min", BinLess))
	}
	fw.next = fw.Func1("next", builtinNext)
	fw.Builtin("next", fw.next)
	fw.Builtin("sum", fw.FuncV("sum", 1, 2, builtinSum))
}
