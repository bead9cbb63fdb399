package vm

import "math"

// This file is what the loop's less frequent operations do.

func (vm *VM) unboundLocal() Value {
	return vm.NewExceptionMsg(TypeNameError, "local variable referenced before assignment")
}

// loadName looks in locals, globals, builtins.
func (vm *VM) loadName(q Qstr) Value {
	if vm.locals != vm.globals {
		if s := vm.mapGet(DictMap(vm.locals), q.Value()); s != 0 {
			return vm.Mem[s+1]
		}
	}
	return vm.loadGlobal(q)
}

func (vm *VM) loadGlobal(q Qstr) Value {
	if s := vm.mapGet(DictMap(vm.globals), q.Value()); s != 0 {
		return vm.Mem[s+1]
	}
	return vm.loadBuiltin(q)
}

func (vm *VM) loadBuiltin(q Qstr) Value {
	if vm.overrides != Null {
		if v := vm.DictGet(vm.overrides, q.Value()); v != Null {
			return v
		}
	}
	if v := vm.fw.builtins.Get(q); v != Null {
		return v
	}
	if vm.terse() {
		vm.RaiseMsg(TypeNameError, "name not defined")
	}
	vm.Raisef(TypeNameError, "name '%q' isn't defined", q)
	return Null
}

// globalCache remembers what a name of an instruction meant: a builtin, as long
// as no watched dict changed.
type globalCache struct {
	gen     uint32
	globals Value
	v       Value
}

// loadGlobalCached is loadGlobal that leaves a hint for the next time: the slot
// in the instruction, or, for a builtin, the value beside it.
func (vm *VM) loadGlobalCached(f *frame, in *instr, at int) Value {
	q := Qstr(in.a)
	if f.code.globals != nil {
		if c := &f.code.globals[at]; c.v != Null && c.gen == vm.dictGen && c.globals == f.globals {
			return c.v
		}
	}
	if s := vm.mapGet(f.gmap, q.Value()); s != 0 {
		in.x = uint16((s - uint32(vm.Mem[f.gmap+2])/4) / 2)
		return vm.Mem[s+1]
	}
	v := vm.loadBuiltin(q)
	vm.Mem[f.gmap] |= mapWatched
	if f.code.globals == nil {
		f.code.globals = make([]globalCache, len(f.code.instrs))
	}
	f.code.globals[at] = globalCache{vm.dictGen, f.globals, v}
	return v
}

// methodCache remembers what a name of an instruction was in a class, as long as
// no class changed: a function, or the getter of a property.
type methodCache struct {
	gen   uint32
	class Value
	fun   Value
}

// cached returns the cache of an instruction, making room for one an instruction
// when the first is needed.
func (c *Code) cached(at int) *methodCache {
	if c.methods == nil {
		c.methods = make([]methodCache, len(c.instrs))
	}
	return &c.methods[at]
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
func (vm *VM) loadMethodFast(o Value, q Qstr, c *Code, at int, dst []Value) bool {
	class := vm.Mem[o/4]
	self := o
	if class == TypeType {
		class, self = o, Null
	} else if vm.everMember.has(q) {
		return false
	}
	if c.methods != nil {
		if mc := &c.methods[at]; mc.class == class && mc.gen == vm.typeGen {
			dst[0], dst[1] = mc.fun, self
			return true
		}
	}
	if q == QClass || q == QNext || q == QName {
		return false
	}
	fun := vm.findInClasses(class, q)
	if fun == Null || vm.TypeOf(fun) != TypeFunBC {
		return false
	}
	*c.cached(at) = methodCache{vm.typeGen, class, fun}
	dst[0], dst[1] = fun, self
	return true
}

// loadBuiltinMethod finds a method of an object of a built-in type, which never
// changes.
func (vm *VM) loadBuiltinMethod(o Value, q Qstr, c *Code, at int, dst []Value) bool {
	typ := vm.TypeOf(o)
	if c.methods != nil {
		if mc := &c.methods[at]; mc.class == typ {
			dst[0], dst[1] = mc.fun, o
			return true
		}
	}
	t := vm.TypeInfo(typ)
	if typ < romBase || t.Attr != nil || q == QClass || q == QNext {
		return false
	}
	fun := t.Locals.Get(q)
	if fun == Null || vm.TypeOf(fun) != TypeFunBuiltin {
		return false
	}
	*c.cached(at) = methodCache{0, typ, fun}
	dst[0], dst[1] = fun, o
	return true
}

// propertyGetter returns the bytecode function behind a property of an
// instance's class, or Null where the general way must be taken.
func (vm *VM) propertyGetter(o Value, q Qstr, c *Code, at int) Value {
	class := vm.Mem[o/4]
	if vm.everMember.has(q) {
		return Null
	}
	if c.methods != nil {
		if mc := &c.methods[at]; mc.class == class && mc.gen == vm.typeGen {
			return mc.fun
		}
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
	*c.cached(at) = methodCache{vm.typeGen, class, getter}
	return getter
}

// plainStore reports whether storing an attribute of instances of a class with
// accessors is like without: no class on the way has the name or __setattr__.
func (vm *VM) plainStore(class Value, q Qstr, c *Code, at int) bool {
	if c.methods != nil {
		if mc := &c.methods[at]; mc.class == class && mc.gen == vm.typeGen {
			return true
		}
	}
	if vm.findInClasses(class, q) != Null || vm.findInClasses(class, QSetattr) != Null {
		return false
	}
	for k := class; k != Null && k != TypeObject; k = vm.classParent(k) {
		if k >= romBase || vm.Mem[k/4] != TypeType {
			return false
		}
	}
	*c.cached(at) = methodCache{vm.typeGen, class, None}
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
func (vm *VM) initOf(class Value, c *Code, at int) Value {
	if c.methods != nil {
		if mc := &c.methods[at]; mc.class == class && mc.gen == vm.typeGen {
			return mc.fun
		}
	}
	if n, _ := vm.nativeBases(class); n != 0 || vm.findInClasses(class, QNew) != Null {
		return Null
	}
	for k := class; k != Null && k != TypeObject; k = vm.classParent(k) {
		if vm.Mem[k/4] != TypeType { // several bases
			return Null
		}
	}
	init := vm.findInClasses(class, QInit)
	if init == Null {
		init = None
	} else if vm.TypeOf(init) != TypeFunBC {
		return Null
	}
	*c.cached(at) = methodCache{vm.typeGen, class, init}
	return init
}

// startInit makes an instance and the frame of its __init__, with the array of
// arguments that C puts on the heap for the time of the call.
func (vm *VM) startInit(class, init Value, args, kw []Value) (*frame, Value) {
	o, _ := vm.newInstance(class)
	if len(args) == 0 && len(kw) == 0 {
		room, back := vm.pass(1)
		room[0] = o
		f := vm.enter(init, room, nil)
		vm.nscratch = back
		return f, o
	}
	n := uint32(2 + len(args) + len(kw))
	p := vm.Alloc(4 * n)
	a := vm.Mem[p/4 : p/4+n]
	a[0], a[1] = init, o
	copy(a[2:], args)
	copy(a[2+len(args):], kw)
	f := vm.enter(init, a[1:2+len(args)], a[2+len(args):])
	f.aux = p
	return f, o
}

// startClosure makes the frame of a call of a closure whose cells and arguments
// are few enough for C's stack; nil where the general way must be taken.
func (vm *VM) startClosure(closure Value, args []Value) *frame {
	fun := vm.Mem[closure/4+1]
	cells := vm.closureCells(closure)
	n := len(cells) + len(args)
	if n > 5 || vm.Mem[fun/4] != TypeFunBC {
		return nil
	}
	room, back := vm.pass(n)
	copy(room, cells)
	copy(room[len(cells):], args)
	f := vm.enter(fun, room, nil)
	vm.nscratch = back
	return f
}

// floatOp is an operation of two floats, or of a float and a small int, as the
// quick operators name it; Null where the general way must be taken.
func (vm *VM) floatOp(op iop, l, r Value) Value {
	a, ok := vm.quickFloat(l)
	if !ok {
		return Null
	}
	b, ok := vm.quickFloat(r)
	if !ok {
		return Null
	}
	switch op {
	case iAdd:
		a += b
	case iSub:
		a -= b
	case iMul:
		a *= b
	case iLess:
		return Bool(a < b)
	case iMore:
		return Bool(a > b)
	case iLessEqual:
		return Bool(a <= b)
	case iMoreEqual:
		return Bool(a >= b)
	default:
		return Null
	}
	return vm.NewFloat(a)
}

func (vm *VM) quickFloat(v Value) (float32, bool) {
	if v&3 == 0 && v-1 < romBase-1 && vm.Mem[v/4] == TypeFloat {
		return math.Float32frombits(uint32(vm.Mem[v/4+1])), true
	}
	return float32(int32(v) >> 1), v&1 != 0
}

// quickOp is an operator of the quick ones on any operands.
func (vm *VM) quickOp(in *instr, l, r Value) Value {
	if l&r&1 == 0 {
		if v := vm.floatOp(in.op, l, r); v != Null {
			return v
		}
	}
	switch in.op {
	case iEqual:
		return Bool(vm.Equal(l, r))
	case iNotEqual:
		return Bool(!vm.Equal(l, r))
	}
	return vm.BinaryOp(BinaryOp(in.a), l, r)
}

// loadSuper is the attribute of super(class, obj).
func (vm *VM) loadSuper(class, obj Value, q Qstr, d *[2]Value) {
	if q == QClass && vm.opt.CPythonCompat {
		d[0] = TypeSuper
		return
	}
	vm.superLookup(class, obj, q, d)
	if d[0] == Null {
		if vm.terse() {
			vm.RaiseMsg(TypeAttributeError, "no such attribute")
		}
		vm.Raisef(TypeAttributeError, "'%s' object has no attribute '%q'", vm.TypeName(TypeSuper), q)
	}
}

func (vm *VM) loadBuildClass() Value {
	if vm.overrides != Null {
		if v := vm.DictGet(vm.overrides, QBuildClass.Value()); v != Null {
			return v
		}
	}
	return vm.fw.builtins.Get(QBuildClass)
}

// loadWith loads __exit__ of the object in w[0] into w[0:2] and __enter__ into
// w[2:4].
func (vm *VM) loadWith(w []Value, c *Code, at int) {
	obj := w[0]
	vm.Keep(obj)
	d, back := vm.pair()
	vm.LoadMethod(obj, QExit, d)
	w[0], w[1] = d[0], d[1]
	vm.LoadMethod(obj, QEnter, d)
	w[2], w[3] = d[0], d[1]
	vm.nscratch = back
}

// initResult is the exception of an __init__ that returned something.
func (vm *VM) initResult(v Value) Value {
	if vm.terse() {
		return vm.NewExceptionMsg(TypeTypeError, "__init__() should return None")
	}
	return vm.NewExceptionf(TypeTypeError, "__init__() should return None, not '%s'", vm.TypeNameOf(v))
}

// withCleanup calls __exit__; it returns the new top of the stack.
func (vm *VM) withCleanup(sp uint32) uint32 {
	m := vm.Mem
	exit := func(at uint32, a, b, c Value) Value {
		room, back := vm.pass(4)
		room[0], room[1], room[2], room[3] = m[at+1], a, b, c
		if m[at+1] == Null {
			room = room[1:]
		}
		v := vm.Call(m[at], room, nil)
		vm.nscratch = back
		return v
	}
	switch v := m[sp]; {
	case v == None:
		sp -= 2
		exit(sp, None, None, None)
		m[sp] = None
	case v.IsSmallInt():
		data, cause := m[sp-1], m[sp]
		exit(sp-3, None, None, None)
		m[sp-3], m[sp-2] = data, cause
		sp -= 2
	default:
		sp -= 2
		if r := exit(sp, vm.TypeOf(v), v, None); vm.IsTrue(r) {
			m[sp] = None
		} else {
			m[sp] = v
		}
	}
	return sp
}

// unwindJump jumps out of n handlers, running finally blocks on the way. The
// target lies on the stack; ip is the instruction that handlers must lie behind.
func (vm *VM) unwindJump(f *frame, ip int, sp uint32, n int) (int, uint32) {
	m := vm.Mem
	for n&0x7f > 0 && f.exc >= f.excBase {
		n--
		h, _, finally := vm.handler(f)
		f.exc -= 3
		if finally && h > ip {
			m[sp+1] = SmallInt(n)
			return h, sp + 1
		}
		vm.curExc = Null
	}
	pc := int(untagIndex(m[sp]))
	sp--
	if n != 0 {
		sp -= iterSlots
	}
	return pc, sp
}

// raiseVarargs gives the exception of a raise statement with n operands.
func (vm *VM) raiseVarargs(f *frame, n int, sp uint32) Value {
	if n == 2 {
		if vm.opt.Warnings {
			vm.warn("exception chaining not supported")
		}
		sp--
	}
	if n == 0 {
		for e := f.exc; e >= f.excBase; e -= 3 {
			if prev := vm.Mem[e+2]; prev != Null {
				return vm.makeRaiseObj(prev)
			}
		}
		return vm.NewExceptionMsg(TypeRuntimeError, "no active exception to reraise")
	}
	return vm.makeRaiseObj(vm.Mem[sp])
}

// warn prints a warning to the error stream of hosts that have one.
func (vm *VM) warn(msg string) {
	if vm.hook.Warn != nil {
		vm.hook.Warn(msg)
	}
}

// resumeAny is mp_resume for what is no generator being sent None in the loop.
func (vm *VM) resumeAny(it, send, throw Value) (resumeKind, Value) {
	if vm.TypeOf(it) == TypeGenInstance {
		if throw != Null {
			send = None
		}
		return vm.resume(it, send, throw)
	}
	t := vm.typeInfoOf(it)
	if throw == Null {
		if send == None {
			if t.Next != nil {
				v := t.Next(vm, it)
				if v != Null {
					return resumeYield, v
				}
				return resumeReturn, Null
			}
			var d [2]Value
			vm.LoadMethodMaybe(it, QNext, &d)
			if d[0] != Null {
				return resumeYield, vm.callMethod(d, nil)
			}
		}
		var d [2]Value
		vm.LoadMethod(it, QSend, &d)
		return resumeYield, vm.callMethod(d, []Value{send})
	}
	var d [2]Value
	if vm.IsSubclass(vm.TypeOf(throw), TypeGeneratorExit) {
		vm.LoadMethodMaybe(it, QClose, &d)
		if d[0] != Null {
			return resumeReturn, vm.callMethod(d, nil)
		}
	} else {
		vm.LoadMethodMaybe(it, QThrow, &d)
		if d[0] != Null {
			return resumeYield, vm.callMethod(d, []Value{throw})
		}
	}
	return resumeRaise, vm.makeRaiseObj(throw)
}

// unpack puts the items of a sequence into dst in reverse order.
func (vm *VM) unpack(seq Value, dst []Value) {
	n := len(dst)
	if t := vm.TypeOf(seq); t == TypeTuple || t == TypeList {
		items := vm.Array(seq)
		if len(items) < n {
			vm.tooFew(len(items))
		} else if len(items) > n {
			vm.tooMany(n)
		}
		for i := range dst {
			dst[i] = items[n-1-i]
		}
		return
	}
	stack := vm.stack
	it := vm.Iter(seq, vm.iterBuf())
	for i := 0; i < n; i++ {
		v := vm.Next(it)
		if v == Null {
			vm.tooFew(i)
		}
		dst[n-1-i] = v
	}
	if vm.Next(it) != Null {
		vm.tooMany(n)
	}
	vm.stack = stack
}

func (vm *VM) tooFew(got int) {
	if vm.terse() {
		vm.RaiseMsg(TypeValueError, "wrong number of values to unpack")
	}
	vm.Raisef(TypeValueError, "need more than %d values to unpack", got)
}

func (vm *VM) tooMany(want int) {
	if vm.terse() {
		vm.RaiseMsg(TypeValueError, "wrong number of values to unpack")
	}
	vm.Raisef(TypeValueError, "too many values to unpack (expected %d)", want)
}

// unpackStar unpacks with one starred target: dst gets, in reverse order, left
// items, a list of the middle, right items.
func (vm *VM) unpackStar(seq Value, left, right int, dst []Value) {
	if t := vm.TypeOf(seq); t == TypeTuple || t == TypeList {
		items := vm.Array(seq)
		n := len(items)
		if n < left+right {
			vm.tooFew(n)
		}
		vm.Keep(seq)
		for i := 0; i < right; i++ {
			dst[i] = items[n-1-i]
		}
		dst[right] = vm.NewList(items[left : n-right]...)
		for i := 0; i < left; i++ {
			dst[right+1+i] = items[left-1-i]
		}
		return
	}
	it := vm.Iter(seq, 0)
	for i := 0; i < left; i++ {
		v := vm.Next(it)
		if v == Null {
			vm.tooFew(i)
		}
		dst[left+right-i] = v
	}
	rest := vm.NewList()
	for v := vm.Next(it); v != Null; v = vm.Next(it) {
		vm.ListAppend(rest, v)
	}
	n := len(vm.ListItems(rest))
	if n < right {
		vm.tooFew(left)
	}
	items := vm.ListItems(rest)
	dst[right] = rest
	for i := 0; i < right; i++ {
		dst[right-1-i] = items[n-right+i]
	}
	vm.ListSetLen(rest, n-right)
}
