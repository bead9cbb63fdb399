package vm

// This file is calling things from Go.

// Call calls any callable. args and kw may alias memory; kw are flattened pairs
// of qstr and value. The result is kept until the calling Go code returns.
func (vm *VM) Call(f Value, args, kw []Value) Value {
	switch vm.TypeOf(f) {
	case TypeFunBC:
		vm.enter(kindEntry, f, args, kw)
		return vm.run()
	case TypeFunBuiltin:
		return vm.callBuiltin(vm.fw.rom[(f-romBase)/4].fun, args, kw)
	case TypeGenWrap:
		return vm.newGenerator(f, args, kw)
	}
	t := vm.typeInfoOf(f)
	if t.Call == nil {
		vm.notCallable(f)
	}
	return t.Call(vm, f, args, kw)
}

// builtin returns the built-in function that v is, or nil.
func (vm *VM) builtin(v Value) *Builtin {
	if v&3 == 0 && v >= romBase && int((v-romBase)/4) < len(vm.fw.rom) {
		return vm.fw.rom[(v-romBase)/4].fun
	}
	return nil
}

func (vm *VM) notCallable(f Value) {
	if vm.terse() {
		vm.RaiseMsg(TypeTypeError, "object not callable")
	}
	vm.Raisef(TypeTypeError, "'%s' object isn't callable", vm.TypeNameOf(f))
}

// callMethod calls what LoadMethod found.
func (vm *VM) callMethod(m [2]Value, args []Value) Value {
	if m[1] == Null {
		return vm.Call(m[0], args, nil)
	}
	a, n := vm.pass(1 + len(args))
	a[0] = m[1]
	copy(a[1:], args)
	v := vm.Call(m[0], a, nil)
	vm.nscratch = n
	return v
}

// pass returns room for n arguments that Go code puts together, and what to set
// nscratch to after the call. The collector sees what is in it.
func (vm *VM) pass(n int) (room []Value, back int) {
	back = vm.nscratch
	if back+n > len(vm.scratch) {
		// what is being passed already stays where it is: callers hold slices of it
		vm.scratch = append(append(make([]Value, 0, 2*(back+n)), vm.scratch[:back]...), make([]Value, back+2*n)...)
	}
	vm.nscratch = back + n
	room = vm.scratch[back : back+n : back+n]
	clear(room)
	return room, back
}

// Call1 calls f(a).
func (vm *VM) Call1(f, a Value) Value {
	room, n := vm.pass(1)
	room[0] = a
	v := vm.Call(f, room, nil)
	vm.nscratch = n
	return v
}

// Call2 calls f(a, b).
func (vm *VM) Call2(f, a, b Value) Value {
	room, n := vm.pass(2)
	room[0], room[1] = a, b
	v := vm.Call(f, room, nil)
	vm.nscratch = n
	return v
}

// pair is room for what LoadMethod finds, and what to set nscratch to when it is
// no longer needed: unlike a local variable it costs no Go allocation.
func (vm *VM) pair() (*[2]Value, int) {
	room, back := vm.pass(2)
	return (*[2]Value)(room), back
}

// callMethod0 is callMethod without arguments.
func (vm *VM) callMethod0(m [2]Value) Value {
	if m[1] == Null {
		return vm.Call(m[0], nil, nil)
	}
	return vm.Call1(m[0], m[1])
}

// callMethod1 is callMethod with one argument.
func (vm *VM) callMethod1(m [2]Value, a Value) Value {
	if m[1] == Null {
		return vm.Call1(m[0], a)
	}
	return vm.Call2(m[0], m[1], a)
}

// callMethod2 is callMethod with two arguments.
func (vm *VM) callMethod2(m [2]Value, a, b Value) Value {
	if m[1] == Null {
		return vm.Call2(m[0], a, b)
	}
	room, back := vm.pass(3)
	room[0], room[1], room[2] = m[1], a, b
	v := vm.Call(m[0], room, nil)
	vm.nscratch = back
	return v
}

// CallMethod calls obj.name(args...).
func (vm *VM) CallMethod(obj Value, name Qstr, args ...Value) Value {
	var m [2]Value
	vm.LoadMethod(obj, name, &m)
	return vm.callMethod(m, args)
}

// callMethodSelf is mp_call_method_self_n_kw: a bound method's arguments are
// copied behind self, on the heap.
func (vm *VM) callMethodSelf(f, self Value, args, kw []Value) Value {
	if self == Null {
		return vm.Call(f, args, kw)
	}
	n := uint32(1 + len(args) + len(kw))
	size := 4 * n
	// up to 5 words C uses alloca, which a NO_ALLOCA build takes from the heap
	// and leaves to the collector
	if n <= 5 && !vm.opt.NoAlloca {
		a, back := vm.pass(int(n))
		a[0] = self
		copy(a[1:], args)
		copy(a[1+len(args):], kw)
		r := vm.Call(f, a[:1+len(args)], a[1+len(args):])
		vm.nscratch = back
		return r
	}
	p := vm.Alloc(size)
	a := vm.Mem[p/4 : p/4+n]
	a[0] = self
	copy(a[1:], args)
	copy(a[1+len(args):], kw)
	r := vm.Call(f, a[:1+len(args)], a[1+len(args):])
	if n > 5 {
		vm.Free(p)
	}
	return r
}

// callBuiltin checks the arguments of a built-in function and calls it.
func (vm *VM) callBuiltin(b *Builtin, args, kw []Value) Value {
	if b.fkw != nil {
		if len(args) < b.min {
			vm.checkArgs(len(args), len(kw)/2, b.min, b.max, true)
		}
		return b.fkw(vm, args, kw)
	}
	n := len(args)
	if len(kw) != 0 || n < b.min || n > b.max && b.max >= 0 {
		vm.checkArgs(n, len(kw)/2, b.min, b.max, false)
	}
	switch {
	case b.f1 != nil:
		return b.f1(vm, args[0])
	case b.f2 != nil:
		return b.f2(vm, args[0], args[1])
	case b.fv != nil:
		return b.fv(vm, args)
	case b.f0 != nil:
		return b.f0(vm)
	}
	return b.f3(vm, args[0], args[1], args[2])
}

// closureCall puts the cells in front of the arguments; up to 5 in all C uses
// the stack, more are put on the heap.
func closureCall(vm *VM, self Value, args, kw []Value) Value {
	f := vm.Mem[self/4+1]
	cells := vm.closureCells(self)
	n := len(cells) + len(args) + len(kw)
	if n <= 5 {
		a, back := vm.pass(n)
		copy(a, cells)
		copy(a[len(cells):], args)
		copy(a[len(cells)+len(args):], kw)
		r := vm.Call(f, a[:len(cells)+len(args)], a[len(cells)+len(args):])
		vm.nscratch = back
		return r
	}
	p := vm.Alloc(uint32(4 * n))
	a := vm.Mem[p/4 : p/4+uint32(n)]
	copy(a, cells)
	copy(a[len(cells):], args)
	copy(a[len(cells)+len(args):], kw)
	r := vm.Call(f, a[:len(cells)+len(args)], a[len(cells)+len(args):])
	vm.Free(p)
	return r
}

func (vm *VM) closureCells(self Value) []Value {
	n := uint32(vm.Mem[self/4+2])
	return vm.Mem[uint32(self)/4+3 : uint32(self)/4+3+n]
}

// expandStar is mp_call_prepare_args_n_kw_var: it flattens fixed, star and
// double-star arguments into an array on the heap, which the caller frees. a is
// fun, [self], fixed positional, fixed keyword pairs, star, double star.
func (vm *VM) expandStar(haveSelf bool, nArgs, nKw int, a []Value) (block uint32, args, kw []Value) {
	a = a[1:]
	self := Null
	if haveSelf {
		self, a = a[0], a[1:]
	}
	fixed, pairs := a[:nArgs], a[nArgs:nArgs+2*nKw]
	star, dict := a[nArgs+2*nKw], a[nArgs+2*nKw+1]
	dictLen := 0
	if dict != Null && vm.TypeOf(dict) == TypeDict {
		dictLen = vm.DictLen(dict)
	}
	e := starArgs{vm: vm}
	size := 1 + nArgs + 2*(nKw+dictLen)
	var items []Value
	generic := false
	if star != Null {
		switch vm.TypeOf(star) {
		case TypeTuple:
			items = vm.TupleItems(star)
		case TypeList:
			items = vm.ListItems(star)
		default:
			generic = true
		}
	}
	if generic {
		size += 3
	} else {
		size += len(items)
	}
	e.grow(size)
	if self != Null {
		e.add(self)
	}
	for _, v := range fixed {
		e.add(v)
	}
	for _, v := range items {
		e.add(v)
	}
	if generic {
		stack := vm.stack
		it := vm.Iter(star, vm.iterBuf())
		mark := vm.Mark()
		for v := vm.Next(it); v != Null; v = vm.Next(it) {
			if e.n >= e.alloc {
				e.grow(e.alloc * 2)
			}
			e.add(v)
			vm.Release(mark, Value(e.block))
		}
		vm.stack = stack
	}
	pos := e.n
	for _, v := range pairs {
		if e.n >= e.alloc {
			e.grow(e.alloc * 2)
		}
		e.add(v)
	}
	if dict != Null {
		vm.expandDict(&e, dict)
	}
	all := vm.Mem[e.block/4 : int(e.block/4)+e.n]
	return e.block, all[:pos], all[pos:]
}

func (vm *VM) expandDict(e *starArgs, dict Value) {
	if vm.TypeOf(dict) == TypeDict {
		for pos := 0; ; {
			k, v, ok := vm.DictNext(dict, &pos)
			if !ok {
				return
			}
			if e.n+1 >= e.alloc {
				e.grow(e.alloc + 2)
			}
			e.add(vm.InternValue(k))
			e.add(v)
		}
	}
	it := vm.Iter(vm.CallMethod(dict, QKeys), 0)
	for k := vm.Next(it); k != Null; k = vm.Next(it) {
		if e.n+1 >= e.alloc {
			e.grow(max(e.alloc*2, 4))
		}
		k = vm.InternValue(k)
		v := vm.CallMethod(dict, QGetitem, k)
		e.add(k)
		e.add(v)
	}
}

// starArgs is the growing array of expandStar.
type starArgs struct {
	vm       *VM
	block    uint32
	n, alloc int
}

func (e *starArgs) grow(n int) {
	e.block = e.vm.Realloc(e.block, uint32(4*n))
	e.alloc = n
}

func (e *starArgs) add(v Value) {
	e.vm.Mem[int(e.block/4)+e.n] = v
	e.n++
}
