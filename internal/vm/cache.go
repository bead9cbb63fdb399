package vm

// This file is what instructions remember of names they looked up: hints of
// slots, which are tried, and results, which hold until a dict or class changes.

// globalCache remembers what a name of an instruction meant: a builtin, as long
// as no watched dict changed.
type globalCache struct {
	gen     uint32
	globals Value
	v       Value
}

// loadGlobalCached is loadGlobal that leaves a hint for the next time: the slot
// in the instruction, or, for a builtin, the value beside it.
func (vm *VM) loadGlobalCached(in *instr) Value {
	q, f, at := Qstr(in.a), vm.frame, in.y
	gmap := DictMap(vm.globals)
	if f.code.globals != nil {
		if c := &f.code.globals[at]; c.v != Null && c.gen == vm.dictGen && c.globals == vm.globals {
			return c.v
		}
	}
	if s := vm.mapGet(gmap, q.Value()); s != 0 {
		in.x = uint16((s - uint32(vm.Mem[gmap+2])/4) / 2)
		return vm.Mem[s+1]
	}
	v := vm.loadBuiltin(q)
	vm.Mem[gmap] |= mapWatched
	if f.code.globals == nil {
		f.code.globals = make([]globalCache, len(f.code.raw))
	}
	f.code.globals[at] = globalCache{vm.dictGen, vm.globals, v}
	return v
}

// methodCache remembers what a name of an instruction was in a class, as long as
// no class changed: a function, or the getter of a property.
type methodCache struct {
	gen   uint32
	class Value
	fun   Value
	enter Value // of a with block, whose fun is __exit__
}

// methodCaches are those of one instruction: for the last class it met and for the
// one before, since instances of two classes often take turns.
type methodCaches [2]methodCache

// remembered returns what an instruction knows of a class, or nil.
func (c *Code) remembered(at uint32, class Value, gen uint32) *methodCache {
	if c.methods == nil {
		return nil
	}
	m := &c.methods[at]
	if m[0].class == class && m[0].gen == gen {
		return &m[0]
	}
	if m[1].class == class && m[1].gen == gen {
		return &m[1]
	}
	return nil
}

// remember makes an instruction know something of a class.
func (c *Code) remember(at uint32, mc methodCache) {
	if c.methods == nil {
		c.methods = make([]methodCaches, len(c.raw))
	}
	m := &c.methods[at]
	m[0], m[1] = mc, m[0]
}

// findInClasses looks for a name in the dicts of a class and its single bases,
// as long as they are classes of the program; all dicts on the way are watched.
func (vm *VM) findInClasses(class Value, q Qstr) Value {
	for k := class; ; {
		d := DictMap(vm.classLocals(k))
		vm.Mem[d] |= mapWatchedClass
		if s := vm.mapGet(d, q.Value()); s != 0 {
			return vm.Mem[s+1]
		}
		k = vm.classParent(k)
		if k == Null || k >= romBase || vm.Mem[k/4] != TypeType {
			return Null
		}
	}
}

// loadMethodFast finds a method that is a bytecode function: of an instance, in
// its class or the classes above, or of a class. It reports false where the
// general way must be taken.
func (vm *VM) loadMethodFast(o Value, q Qstr, c *Code, at uint32, dst *[2]Value) bool {
	class := vm.Mem[o/4]
	self := o
	if class == TypeType {
		class, self = o, Null
	} else if vm.everMember.has(q) {
		return false
	}
	if mc := c.remembered(at, class, vm.typeGen); mc != nil {
		dst[0], dst[1] = mc.fun, self
		return true
	}
	if q == QClass || q == QNext || q == QName {
		return false
	}
	fun := vm.findInClasses(class, q)
	if fun == Null || vm.TypeOf(fun) != TypeFunBC {
		return false
	}
	c.remember(at, methodCache{gen: vm.typeGen, class: class, fun: fun})
	dst[0], dst[1] = fun, self
	return true
}

// loadWithFast finds __exit__ and __enter__ of an instance as loadMethodFast does,
// as loadWith wants them.
func (vm *VM) loadWithFast(o Value, c *Code, at uint32, w []Value) bool {
	if !o.inRAM() || vm.Mem[o/4] >= romBase || vm.everMember.has(QExit) || vm.everMember.has(QEnter) {
		return false
	}
	class := vm.Mem[o/4]
	mc := c.remembered(at, class, vm.typeGen)
	if mc == nil {
		exit, enter := vm.findInClasses(class, QExit), vm.findInClasses(class, QEnter)
		if exit == Null || enter == Null || vm.TypeOf(exit) != TypeFunBC || vm.TypeOf(enter) != TypeFunBC {
			return false
		}
		mc = &methodCache{gen: vm.typeGen, class: class, fun: exit, enter: enter}
		c.remember(at, *mc)
	}
	w[0], w[1], w[2], w[3] = mc.fun, o, mc.enter, o
	return true
}

// loadBuiltinMethod finds a method of an object of a built-in type, which never
// changes.
func (vm *VM) loadBuiltinMethod(o Value, q Qstr, c *Code, at uint32, dst *[2]Value) bool {
	typ := vm.TypeOf(o)
	if mc := c.remembered(at, typ, 0); mc != nil {
		dst[0], dst[1] = mc.fun, o
		return true
	}
	t := vm.TypeInfo(typ)
	if typ < romBase || t.Attr != nil || q == QClass || q == QNext {
		return false
	}
	fun := t.Locals.Get(q)
	if fun == Null || vm.TypeOf(fun) != TypeFunBuiltin {
		return false
	}
	c.remember(at, methodCache{class: typ, fun: fun})
	dst[0], dst[1] = fun, o
	return true
}

// propertyGetter returns the bytecode function behind a property of an
// instance's class, or Null where the general way must be taken.
func (vm *VM) propertyGetter(o Value, q Qstr, c *Code, at uint32) Value {
	class := vm.Mem[o/4]
	if vm.everMember.has(q) {
		return Null
	}
	if mc := c.remembered(at, class, vm.typeGen); mc != nil {
		return mc.fun
	}
	if !vm.opt.Property || vm.Mem[class/4+classFlags]&classAccessors == 0 {
		return Null
	}
	p := vm.findInClasses(class, q)
	if p == Null || vm.TypeOf(p) != TypeProperty {
		return Null
	}
	getter := vm.Mem[p/4+1]
	if vm.TypeOf(getter) != TypeFunBC {
		return Null
	}
	c.remember(at, methodCache{gen: vm.typeGen, class: class, fun: getter})
	return getter
}

// singleBases reports whether a class and all above it are classes of the program
// with one base each.
func (vm *VM) singleBases(class Value) bool {
	for k := class; k != Null && k != TypeObject; k = vm.classParent(k) {
		if k >= romBase || vm.Mem[k/4] != TypeType {
			return false
		}
	}
	return true
}

// plainStore reports whether storing an attribute of instances of a class with
// accessors is like without: no class on the way has the name or __setattr__.
func (vm *VM) plainStore(class Value, q Qstr, c *Code, at uint32) bool {
	if mc := c.remembered(at, class, vm.typeGen); mc != nil {
		return true
	}
	if vm.findInClasses(class, q) != Null || vm.findInClasses(class, QSetattr) != Null {
		return false
	}
	if !vm.singleBases(class) {
		return false
	}
	c.remember(at, methodCache{gen: vm.typeGen, class: class, fun: None})
	return true
}

// slotHint notes the slot of an attribute in an instruction that reads or writes
// it. There is room for two, since instances of a class and of its heir often
// take turns; a hint is only tried, so it may be cut to a byte.
func (in *instr) slotHint(slot uint32) { in.x = in.x<<8 | uint16(slot&0xff) }

// qstrSet is a set of names.
type qstrSet []bool

func (s qstrSet) has(q Qstr) bool { return int(q) < len(s) && s[q] }

func (s *qstrSet) add(q Qstr) {
	if int(q) >= len(*s) {
		*s = append(*s, make([]bool, int(q)+64-len(*s))...)
	}
	(*s)[q] = true
}

// initOf returns the bytecode function __init__ of a class of the program that
// has no __new__ and no built-in base, None if it has no __init__, or Null where
// the general way must be taken. It is found once for a state of the classes.
func (vm *VM) initOf(class Value, c *Code, at uint32) Value {
	if mc := c.remembered(at, class, vm.typeGen); mc != nil {
		return mc.fun
	}
	if n, _ := vm.nativeBases(class); n != 0 || vm.findInClasses(class, QNew) != Null {
		return Null
	}
	if !vm.singleBases(class) {
		return Null
	}
	init := vm.findInClasses(class, QInit)
	if init == Null {
		init = None
	} else if vm.TypeOf(init) != TypeFunBC {
		return Null
	}
	c.remember(at, methodCache{gen: vm.typeGen, class: class, fun: init})
	return init
}
