package vm

// This file is the types enumerate, zip, map, filter and reversed.

// enumerate is [type, iterator, number].
func (fw *Firmware) enumerateNew() func(vm *VM, typ Value, args, kw []Value) Value {
	spec := []Arg{
		{Name: fw.Q("iterable"), Required: true},
		{Name: QStart, Kind: ArgInt},
	}
	return func(vm *VM, typ Value, args, kw []Value) Value {
		var a [2]ArgVal
		if vm.opt.CPythonCompat {
			vm.ParseArgs(args, kw, spec, a[:])
		} else {
			kws := 0
			if vm.opt.V12 {
				kws = len(kw) / 2
			}
			vm.checkArgs(len(args), kws, 1, 2, false)
			a[0].Obj = args[0]
			if len(args) > 1 {
				a[1].Int = vm.Int(args[1])
			}
		}
		o := vm.Alloc(12)
		vm.Mem[o/4] = typ
		vm.Mem[o/4+1] = vm.Iter(a[0].Obj, 0)
		vm.Mem[o/4+2] = Value(a[1].Int)
		return Value(o)
	}
}

func enumerateNext(vm *VM, self Value) Value {
	v := vm.Next(vm.Mem[self/4+1])
	if v == Null {
		return Null
	}
	n := vm.Mem[self/4+2]
	vm.Mem[self/4+2] = n + 1
	return vm.NewTuple(n<<1|1, v)
}

// zip is [type, n, iterators ...].
func zipNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 0, -1, false)
	n := uint32(len(args))
	o := vm.Alloc(8 + 4*n)
	vm.Mem[o/4], vm.Mem[o/4+1] = typ, Value(n)
	for i, a := range args {
		vm.Mem[o/4+2+uint32(i)] = vm.Iter(a, 0)
	}
	return Value(o)
}

// zipNext makes the tuple first and gives it back at the end.
func zipNext(vm *VM, self Value) Value {
	n := int(vm.Mem[self/4+1])
	if n == 0 {
		return Null
	}
	t := vm.NewTupleLen(n)
	for i := range n {
		v := vm.Next(vm.Mem[uint32(self)/4+2+uint32(i)])
		if v == Null {
			vm.Free(uint32(t))
			return Null
		}
		vm.TupleItems(t)[i] = v
	}
	return t
}

// map is [type, n, function, iterators ...].
func mapNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 2, -1, false)
	n := uint32(len(args) - 1)
	o := vm.Alloc(12 + 4*n)
	vm.Mem[o/4], vm.Mem[o/4+1], vm.Mem[o/4+2] = typ, Value(n), args[0]
	for i, a := range args[1:] {
		vm.Mem[o/4+3+uint32(i)] = vm.Iter(a, 0)
	}
	return Value(o)
}

// mapNext leaves the array of arguments to the collector.
func mapNext(vm *VM, self Value) Value {
	n := uint32(vm.Mem[self/4+1])
	p := vm.Alloc(4 * n)
	for i := range n {
		v := vm.Next(vm.Mem[uint32(self)/4+3+i])
		if v == Null {
			vm.Free(p)
			return Null
		}
		vm.Mem[p/4+i] = v
	}
	return vm.Call(vm.Mem[self/4+2], vm.Mem[p/4:p/4+n:p/4+n], nil)
}

// filter is [type, function, iterator].
func filterNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 2, 2, false)
	o := vm.Alloc(12)
	vm.Mem[o/4], vm.Mem[o/4+1] = typ, args[0]
	vm.Mem[o/4+2] = vm.Iter(args[1], 0)
	return Value(o)
}

func filterNext(vm *VM, self Value) Value {
	f, it := vm.Mem[self/4+1], vm.Mem[self/4+2]
	mark := vm.Mark()
	for v := vm.Next(it); v != Null; v = vm.Next(it) {
		vm.Keep(v)
		r := v
		if f != None {
			r = vm.Call1(f, v)
		}
		if vm.IsTrue(r) {
			return v
		}
		vm.Release(mark)
	}
	return Null
}

// reversed is [type, sequence, number of items left].
func reversedNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 1, 1, false)
	var m [2]Value
	vm.LoadMethodMaybe(args[0], QReversed, &m)
	if m[0] != Null {
		return vm.callMethod(m, nil)
	}
	o := vm.Alloc(12)
	vm.Mem[o/4], vm.Mem[o/4+1] = typ, args[0]
	vm.Mem[o/4+2] = Value(vm.Int(vm.Len(args[0])))
	return Value(o)
}

func reversedNext(vm *VM, self Value) Value {
	if vm.Mem[self/4+2] == 0 {
		return Null
	}
	vm.Mem[self/4+2]--
	return vm.Subscr(vm.Mem[self/4+1], SmallInt(int(vm.Mem[self/4+2])), Sentinel)
}

func (fw *Firmware) initIterTypes() {
	o := &fw.Options
	for _, t := range [...]struct {
		typ   Value
		name  string
		known bool
		make  func(vm *VM, typ Value, args, kw []Value) Value
		next  func(vm *VM, self Value) Value
	}{
		{TypeEnumerate, "enumerate", o.Enumerate, fw.enumerateNew(), enumerateNext},
		{TypeZip, "zip", true, zipNew, zipNext},
		{TypeMap, "map", true, mapNew, mapNext},
		{TypeFilter, "filter", o.Filter, filterNew, filterNext},
		{TypeReversed, "reversed", o.Reversed, reversedNew, reversedNext},
	} {
		if !t.known {
			continue
		}
		fw.define(t.typ, &Type{Name: fw.Q(t.name), Flags: FlagOwnIter, New: t.make, Iter: identityIter, Next: t.next})
		fw.Builtin(t.name, t.typ)
	}
}
