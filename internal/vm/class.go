package vm

// This file is classes of the program and their instances.
//
// A class is 15 words: type, flags and name (16 bits each), eleven words that C
// fills with its slots, the parent (Null, a class, or a tuple of classes) and
// the dict of locals. An instance is: class, map of members (3 words), and the
// object of the built-in base if the class derives from one.

const (
	classBytes  = 60
	classFlags  = 1
	classParent = 13
	classLocals = 14

	classSubclassed = 1 << 0
	classAccessors  = 1 << 1 // has properties, descriptors or __setattr__
	classNative     = 1 << 2 // ours: no class but a built-in type made at run time (named tuples)
)

// slot names a slot of a built-in type that stands for a special method.
type slot uint8

const (
	slotNone slot = iota
	slotPrint
	slotNew
	slotCall
	slotUnary
	slotBinary
	slotSubscr
	slotIter
	slotBuffer
)

func (t *Type) has(s slot) bool {
	switch s {
	case slotPrint:
		return t.Print != nil
	case slotNew:
		return t.New != nil
	case slotCall:
		return t.Call != nil
	case slotUnary:
		return t.Unary != nil
	case slotBinary:
		return t.Binary != nil
	case slotSubscr:
		return t.Subscr != nil
	case slotIter:
		return t.Iter != nil
	case slotBuffer:
		return t.Buffer != nil
	}
	return false
}

func (vm *VM) classParent(c Value) Value { return vm.Mem[c/4+classParent] }
func (vm *VM) classLocals(c Value) Value { return vm.Mem[c/4+classLocals] }

// nativeBases counts the built-in bases of a class (object is none) and tells
// the last.
func (vm *VM) nativeBases(c Value) (n int, last Value) {
	for {
		if c == TypeObject {
			return n, last
		}
		if vm.isNative(c) {
			return n + 1, c
		}
		p := vm.classParent(c)
		if p == Null {
			return n, last
		}
		if vm.TypeOf(p) == TypeTuple {
			for _, b := range vm.TupleItems(p) {
				m, l := vm.nativeBases(b)
				n += m
				if l != Null {
					last = l
				}
			}
			return n, last
		}
		c = p
	}
}

// nativeBaseOf returns the built-in base of an instance's class, or Null.
func (vm *VM) nativeBaseOf(v Value) Value {
	_, last := vm.nativeBases(vm.TypeOf(v))
	return last
}

// CastToNative returns the built-in object behind an instance whose class
// derives from typ, or Null.
func (vm *VM) CastToNative(v, typ Value) Value {
	if !vm.IsSubclass(vm.TypeOf(v), typ) {
		return Null
	}
	if !vm.isInstance(v) {
		return v
	}
	return vm.Mem[v/4+4]
}

// baseObject returns the built-in object behind an instance for those who rely
// on its type. Until its __init__ has run a function stands in its place, which
// C takes for the object; here it is then made without arguments.
func (vm *VM) baseObject(self Value) Value {
	if vm.Mem[self/4+4] == vm.fw.baseInit {
		base := vm.nativeBaseOf(self)
		vm.Mem[self/4+4] = vm.TypeInfo(base).New(vm, base, nil, nil)
	}
	return vm.Mem[self/4+4]
}

// classLookup is mp_obj_class_lookup: it looks for attr in class c and its
// bases. obj is the instance, Null, or, with isType, the class itself. s is the
// slot of built-in bases that stands for attr: found there, m[0] is Sentinel.
func (vm *VM) classLookup(obj Value, attr Qstr, s slot, isType bool, c Value, m *[2]Value) {
	for {
		if vm.isNative(c) {
			t := vm.TypeInfo(c)
			if s != slotNone && t.has(s) {
				m[0] = Sentinel
				return
			}
			if v := t.Locals.Get(attr); v != Null {
				vm.foundMember(obj, isType, c, v, m)
				return
			}
			if obj != Null && !isType && c != TypeObject {
				vm.LoadMethodMaybe(vm.Mem[obj/4+4], attr, m)
				if m[0] != Null {
					return
				}
			}
			c = t.Parent
			if c == Null {
				return
			}
		} else {
			if slot := vm.mapGet(DictMap(vm.classLocals(c)), attr.Value()); slot != 0 {
				vm.foundMember(obj, isType, c, vm.Mem[slot+1], m)
				return
			}
			p := vm.classParent(c)
			if p == Null {
				return
			}
			if vm.TypeOf(p) == TypeTuple {
				bases := vm.TupleItems(p)
				for _, b := range bases[:len(bases)-1] {
					if b == TypeObject {
						continue
					}
					vm.classLookup(obj, attr, s, isType, b, m)
					if m[0] != Null {
						return
					}
				}
				p = bases[len(bases)-1]
			}
			c = p
		}
		if c == TypeObject {
			return
		}
	}
}

func (vm *VM) foundMember(obj Value, isType bool, c, member Value, m *[2]Value) {
	if isType {
		vm.convertMember(Null, obj, member, m)
		return
	}
	if obj != Null && vm.isNative(c) && c != TypeObject {
		obj = vm.Mem[obj/4+4]
	}
	vm.convertMember(obj, c, member, m)
}

// instanceLookup looks for a special method of an instance.
func (vm *VM) instanceLookup(obj Value, attr Qstr, s slot, m *[2]Value) {
	vm.classLookup(obj, attr, s, false, vm.Mem[obj/4], m)
}

// newInstance makes an instance of a class without calling anything.
func (vm *VM) newInstance(c Value) (o, base Value) {
	n, base := vm.nativeBases(c)
	p := vm.Alloc(16 + 4*uint32(n))
	vm.Mem[p/4] = c
	vm.mapInit(p/4+1, 0)
	if n != 0 {
		vm.Mem[p/4+4] = vm.fw.baseInit
	}
	return Value(p), base
}

// baseInit is the __init__ of a built-in base: it makes the object behind.
func baseInit(vm *VM, args []Value) Value {
	self := args[0]
	if !vm.isInstance(self) {
		vm.checkSelf()
	}
	base := vm.nativeBaseOf(self)
	if base == Null || vm.TypeInfo(base).New == nil {
		vm.checkSelf()
	}
	vm.Mem[self/4+4] = vm.TypeInfo(base).New(vm, base, args[1:], nil)
	return None
}

// instanceNew is calling a class.
func (vm *VM) instanceNew(c Value, args, kw []Value) Value {
	var m [2]Value
	vm.classLookup(Null, QNew, slotNew, false, c, &m)
	var o, base Value
	if m[0] == Null || m[0] == Sentinel {
		o, base = vm.newInstance(c)
	} else {
		o = vm.callWith(m[0], c, args, kw)
		if vm.TypeOf(o) != c {
			return o
		}
		vm.Keep(o)
	}
	m = [2]Value{}
	vm.classLookup(o, QInit, slotNone, false, c, &m)
	if m[0] != Null {
		r := vm.callInit(m, args, kw)
		if r != None {
			if vm.terse() {
				vm.RaiseMsg(TypeTypeError, "__init__() should return None")
			}
			vm.Raisef(TypeTypeError, "__init__() should return None, not '%s'", vm.TypeNameOf(r))
		}
	}
	if base != Null && vm.Mem[o/4+4] == vm.fw.baseInit {
		vm.Mem[o/4+4] = vm.TypeInfo(base).New(vm, base, args, kw)
	}
	return o
}

// callInit calls __init__ as C does: with arguments they are copied to a heap
// array that is freed afterwards.
func (vm *VM) callInit(m [2]Value, args, kw []Value) Value {
	if len(args) == 0 && len(kw) == 0 {
		return vm.callMethod0(m)
	}
	p, a := vm.argArray(m[:], args, kw)
	first := 2
	if m[1] != Null {
		first = 1
	}
	r := vm.Call(m[0], a[first:2+len(args)], a[2+len(args):])
	vm.Free(p)
	return r
}

// callWith calls f(first, args...), copying the arguments to the heap if there
// are any, as instance creation does for __new__.
func (vm *VM) callWith(f, first Value, args, kw []Value) Value {
	if len(args) == 0 && len(kw) == 0 {
		return vm.Call1(f, first)
	}
	p, a := vm.argArray([]Value{first}, args, kw)
	r := vm.Call(f, a[:1+len(args)], a[1+len(args):])
	vm.Free(p)
	return r
}

// argArray copies what comes before the arguments of a call, and them, to an
// array on the heap.
func (vm *VM) argArray(head, args, kw []Value) (p uint32, a []Value) {
	n := uint32(len(head) + len(args) + len(kw))
	p = vm.Alloc(4 * n)
	a = vm.Mem[p/4 : p/4+n]
	copy(a, head)
	copy(a[len(head):], args)
	copy(a[len(head)+len(args):], kw)
	return p, a
}

func instancePrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	var m [2]Value
	attr := QRepr
	if kind == PrintStr {
		attr = QStrM
	}
	if vm.quiet {
		quietPrint(vm, p, self, kind)
		return
	}
	vm.instanceLookup(self, attr, slotPrint, &m)
	if m[0] == Null && kind == PrintStr {
		vm.instanceLookup(self, QRepr, slotNone, &m)
	}
	switch m[0] {
	case Sentinel:
		sub := vm.Mem[self/4+4]
		if vm.IsExceptionInstance(sub) && !vm.isInstance(sub) {
			if kind != PrintStr {
				p.Qstr(vm.TypeNameOf(self))
			}
			vm.printException(p, sub, kind, true)
			return
		}
		p.Value(sub, kind)
	case Null:
		p.Printf("<%s object at %p>", vm.TypeNameOf(self), self)
	default:
		r := vm.Call1(m[0], self)
		vm.Keep(r)
		p.Value(r, PrintStr)
	}
}

func instanceUnary(vm *VM, op UnaryOp, self Value) Value {
	if op == UnarySizeof && vm.opt.SysGetsizeof {
		n, _ := vm.nativeBases(vm.TypeOf(self))
		return SmallInt(16 + 4*n + 8*int(vm.Mem[self/4+2]))
	}
	name := vm.unaryName(op)
	d, back := vm.pair()
	vm.instanceLookup(self, name, slotUnary, d)
	m := *d
	vm.nscratch = back
	switch m[0] {
	case Sentinel:
		return vm.UnaryOp(op, vm.Mem[self/4+4])
	case Null:
		if op == UnaryHash {
			vm.instanceLookup(self, QEq, slotUnary, d)
			if d[0] == Null {
				return addressHash(self)
			}
		}
		return Null
	}
	v := vm.Call1(m[0], self)
	switch op {
	case UnaryHash:
		v = Value(uint32(vm.IntTruncated(v))<<1 | 1)
	case UnaryInt:
		if !vm.IsInt(v) {
			vm.Raise(vm.NewException(TypeTypeError))
		}
	}
	return v
}

// addressHash is the hash of objects that have no other: their address.
func addressHash(v Value) Value { return v<<1 | 1 }

// genericUnary is the Unary slot of types that can only be hashed.
func genericUnary(vm *VM, op UnaryOp, self Value) Value {
	if op == UnaryHash {
		return addressHash(self)
	}
	return Null
}

func instanceBinary(vm *VM, op BinaryOp, lhs, rhs Value) Value {
	for {
		d, back := vm.pair()
		vm.instanceLookup(lhs, vm.binaryName(op), slotBinary, d)
		m := *d
		vm.nscratch = back
		var r Value
		switch {
		case m[0] == Sentinel:
			r = vm.BinaryOp(op, vm.Mem[lhs/4+4], rhs)
		case m[0] != Null:
			r = vm.callMethod1(m, rhs)
		case op.inplace():
			op = op.Plain()
			continue
		default:
			return Null
		}
		if r == NotImplemented && vm.opt.NotImplementedConst {
			return Null
		}
		return r
	}
}

func instanceSubscr(vm *VM, self, index, value Value) Value {
	attr := QSetitem
	switch value {
	case Null:
		attr = QDelitem
	case Sentinel:
		attr = QGetitem
	}
	d, back := vm.pair()
	vm.instanceLookup(self, attr, slotSubscr, d)
	m := *d
	vm.nscratch = back
	switch m[0] {
	case Null:
		return Null
	case Sentinel:
		return vm.Subscr(vm.Mem[self/4+4], index, value)
	}
	if value == Null || value == Sentinel {
		if r := vm.callMethod1(m, index); value == Sentinel {
			return r
		}
		return None
	}
	vm.callMethod2(m, index, value)
	return None
}

func instanceCall(vm *VM, self Value, args, kw []Value) Value {
	d, back := vm.pair()
	vm.instanceLookup(self, QCall, slotCall, d)
	m := *d
	vm.nscratch = back
	switch m[0] {
	case Null:
		vm.notCallable(self)
	case Sentinel:
		return vm.Call(vm.Mem[self/4+4], args, kw)
	}
	return vm.callMethodSelf(m[0], m[1], args, kw)
}

func instanceIter(vm *VM, self Value, buf uint32) Value {
	d, back := vm.pair()
	vm.instanceLookup(self, QIter, slotIter, d)
	m := *d
	vm.nscratch = back
	switch m[0] {
	case Null:
		return Null
	case Sentinel:
		sub := vm.Mem[self/4+4]
		return vm.Iter(sub, buf)
	}
	return vm.callMethod0(m)
}

func instanceBuffer(vm *VM, self Value, write bool) ([]byte, byte, bool) {
	if base := vm.nativeBaseOf(self); base != Null && vm.TypeInfo(base).Buffer != nil {
		return vm.BufferMaybe(vm.Mem[self/4+4], write)
	}
	return nil, 0, false
}

// initClasses sets up the slots that all classes of programs share.
func (fw *Firmware) initClasses() {
	fw.instance = &Type{
		Name:  fw.Q("object"),
		Print: instancePrint, Unary: instanceUnary, Binary: instanceBinary, Attr: instanceAttr,
		Subscr: instanceSubscr, Call: instanceCall, Iter: instanceIter, Buffer: instanceBuffer,
		New:    func(vm *VM, typ Value, args, kw []Value) Value { return vm.instanceNew(typ, args, kw) },
		Locals: &Dict{},
	}
	fw.baseInit = fw.FuncV("__init__", 1, -1, baseInit)
}
