package vm

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
func (vm *VM) loadWith(w []Value, c *Code, at uint32) {
	obj := w[0]
	if vm.loadWithFast(obj, c, at, w) {
		return
	}
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

// child gives the raw code of a function inside the running one.
func (vm *VM) child(i uint32) uint32 {
	return uint32(vm.Mem[uint32(vm.Mem[vm.frame.fun/4+funTable])/4+i])
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
		for e := f.exc; e >= f.handlers(); e -= 3 {
			if prev := vm.Mem[e+2]; prev != Null {
				return vm.makeRaiseObj(prev)
			}
		}
		return vm.NewExceptionMsg(TypeRuntimeError, "no active exception to reraise")
	}
	return vm.makeRaiseObj(vm.Mem[sp])
}

// badCode raises what bytecode does that no compiler wrote: the verifier follows
// depths, not types, and the device would crash.
func (vm *VM) badCode() { vm.RaiseMsg(TypeTypeError, "damaged bytecode") }

// mustBe checks what bytecode takes for granted.
func (vm *VM) mustBe(v, typ Value) {
	if v&3 != 0 || v-1 >= romBase-1 || vm.Mem[v/4] != typ {
		vm.badCode()
	}
}

// compTypes are what comprehensions make, as STORE_COMP numbers them.
var compTypes = [4]Value{TypeList, TypeDict, TypeSet, TypeSet}

// cellAt returns the word index of what the cell in a local holds.
func (vm *VM) cellAt(local Value) uint32 {
	if local == Null || vm.TypeOf(local) != TypeCell {
		vm.badCode()
	}
	return uint32(local)/4 + 1
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
	if vm.opt.V12 && vm.ExceptionMatch(throw, TypeStopIteration) {
		return resumeRaise, vm.NewExceptionMsg(TypeRuntimeError, "generator raised StopIteration")
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
