package vm

// This file is what the prompt needs of the interpreter.

// NewFunction makes the function object of a module's raw code.
func (vm *VM) NewFunction(raw uint32) Value { return vm.newFunction(raw, Null, Null) }

// MainModule returns module __main__.
func (vm *VM) MainModule() Value { return Value(vm.static + staticMainModule) }

// Probe returns obj's attribute, or Null where there is none or an exception
// came of asking.
func (vm *VM) Probe(obj Value, q Qstr) Value {
	var m [2]Value
	vm.Try(func() { vm.LoadMethodMaybe(obj, q, &m) })
	return m[0]
}

// EachName calls f with every qstr: those in ROM, then those made at run time.
func (vm *VM) EachName(f func(q Qstr)) {
	for _, q := range vm.fw.order {
		f(q)
	}
	vm.eachRAMQstr(f)
}

// UnlockHeap undoes every heap_lock that a program left, as the prompt does.
func (vm *VM) UnlockHeap() {
	for vm.heap.Locked() {
		vm.heap.Unlock()
	}
}

// Addr returns the address of the buffer, for marking.
func (v *Vstr) Addr() uint32 { return v.buf }

// Insert puts a byte in front of the byte at pos.
func (v *Vstr) Insert(pos int, c byte) {
	v.Grow(1)
	b := v.vm.Bytes[v.buf : v.buf+v.len+1]
	copy(b[pos+1:], b[pos:])
	b[pos] = c
	v.len++
}

// Cut removes n bytes at pos.
func (v *Vstr) Cut(pos, n int) {
	b := v.Bytes()
	copy(b[pos:], b[pos+n:])
	v.len -= uint32(n)
}

// Terminate puts a NUL behind the content, which makes room for it if need be.
func (v *Vstr) Terminate() {
	if v.alloc == v.len {
		v.buf = v.vm.Realloc(v.buf, v.alloc+1)
		v.alloc++
	}
	v.vm.Bytes[v.buf+v.len] = 0
}

// EachOwn calls f with the names of a module or type, or else of an object's
// type, in the order of their table.
func (vm *VM) EachOwn(o Value, f func(name, value Value)) {
	rom := func(d *Dict) {
		for i := 0; i < d.Len(); i++ {
			q, v := d.At(i)
			f(q.Value(), v)
		}
	}
	ram := func(d Value) {
		for pos := 0; ; {
			k, v, ok := vm.DictNext(d, &pos)
			if !ok {
				return
			}
			f(k, v)
		}
	}
	t := vm.TypeOf(o)
	switch {
	case t == TypeModule && o >= romBase:
		if m := vm.fw.rom[(o-romBase)/4].mod; m.name == QBuiltins {
			rom(vm.fw.builtins)
		} else {
			rom(m.dict)
		}
		return
	case t == TypeModule:
		ram(vm.Mem[o/4+1])
		return
	case t == TypeType:
		t = o
	}
	if t >= romBase {
		rom(vm.fw.rom[(t-romBase)/4].t.Locals)
		return
	}
	ram(vm.classLocals(t))
}
