package vm

// This file is what every object can be asked, dispatched by its type.

// TypeOf returns the type of a value: a ROM type or a class in RAM.
func (vm *VM) TypeOf(v Value) Value {
	switch {
	case v&1 != 0:
		return TypeInt
	case v&2 != 0:
		return TypeStr
	case v < romBase:
		return vm.Mem[v/4]
	}
	return vm.fw.rom[(v-romBase)/4].typ
}

// TypeInfo returns the slots of a type.
func (vm *VM) TypeInfo(t Value) *Type {
	if t >= romBase {
		return vm.fw.rom[(t-romBase)/4].t
	}
	if vm.Mem[t/4+classFlags]&classNative != 0 {
		return vm.fw.named
	}
	return vm.fw.instance
}

// typeInfoOf returns the slots of a value's type.
func (vm *VM) typeInfoOf(v Value) *Type { return vm.TypeInfo(vm.TypeOf(v)) }

// TypeName returns the name of a type.
func (vm *VM) TypeName(t Value) Qstr {
	if t >= romBase {
		return vm.fw.rom[(t-romBase)/4].t.Name
	}
	return Qstr(vm.Mem[t/4+1] >> 16)
}

// TypeNameOf returns the name of a value's type.
func (vm *VM) TypeNameOf(v Value) Qstr { return vm.TypeName(vm.TypeOf(v)) }

// isType reports whether v is a type (built-in or class).
func (vm *VM) isType(v Value) bool { return v.IsObj() && vm.TypeOf(v) == TypeType }

// isInstance reports whether v is an instance of a class of the program.
func (vm *VM) isInstance(v Value) bool { return v.inRAM() && v != 0 && !vm.isNative(vm.Mem[v/4]) }

// ROMRef returns the Go value that a package keeps behind a ROM object.
func (vm *VM) ROMRef(v Value) any {
	if v < romBase || v&3 != 0 {
		return nil
	}
	return vm.fw.rom[(v-romBase)/4].ref
}

// IsTrue is the truth of a value.
func (vm *VM) IsTrue(v Value) bool {
	switch {
	case v == False || v == None:
		return false
	case v == True:
		return true
	case v.IsSmallInt():
		return v != SmallInt(0)
	}
	if t := vm.typeInfoOf(v); t.Unary != nil {
		if r := t.Unary(vm, UnaryBool, v); r != Null {
			return r == True
		}
	}
	if n := vm.LenMaybe(v); n != Null {
		return n != SmallInt(0)
	}
	return true
}

// Equal is ==.
func (vm *VM) Equal(a, b Value) bool {
	if a == b {
		t := vm.TypeOf(a)
		if t != TypeFloat && t != TypeComplex {
			return true
		}
	}
	if a == None || b == None {
		return false
	}
	if a.IsSmallInt() {
		if b.IsSmallInt() {
			return false
		}
		a, b = b, a
	}
	as, bs := vm.IsStr(a), vm.IsStr(b)
	if as || bs {
		if !as || !bs {
			if vm.opt.Warnings && (vm.TypeOf(a) == TypeBytes || vm.TypeOf(b) == TypeBytes) {
				vm.warn("Comparison between bytes and str")
			}
			return false
		}
		return vm.strEqual(a, b)
	}
	if t := vm.typeInfoOf(a); t.Binary != nil {
		if r := t.Binary(vm, BinEqual, a, b); r != Null {
			return r == True
		}
	}
	return false
}

// strEqual compares two str (or two bytes) objects.
func (vm *VM) strEqual(a, b Value) bool {
	if a.IsQstr() && b.IsQstr() {
		return a == b
	}
	if h, k := vm.storedHash(a), vm.storedHash(b); h != k && h != 0 && k != 0 {
		return false
	}
	return string(vm.StrBytes(a)) == string(vm.StrBytes(b))
}

// storedHash is the hash that a str or bytes object holds; 0: it was never needed.
func (vm *VM) storedHash(v Value) uint32 {
	if v.IsQstr() {
		return vm.qstrHash(v.Qstr())
	}
	if v == EmptyBytes {
		return 0
	}
	return uint32(vm.Mem[v/4+1]) >> 1
}

// LenMaybe returns len(v), or Null if v has none.
func (vm *VM) LenMaybe(v Value) Value {
	if vm.IsStr(v) || vm.TypeOf(v) == TypeBytes {
		return SmallInt(len(vm.StrBytes(v)))
	}
	if t := vm.typeInfoOf(v); t.Unary != nil {
		return t.Unary(vm, UnaryLen, v)
	}
	return Null
}

// Len returns len(v) or raises TypeError.
func (vm *VM) Len(v Value) Value {
	n := vm.LenMaybe(v)
	if n == Null {
		if vm.terse() {
			vm.RaiseMsg(TypeTypeError, "object has no len")
		}
		vm.Raisef(TypeTypeError, "object of type '%s' has no len()", vm.TypeNameOf(v))
	}
	return n
}

// Subscr is base[index], del base[index] (value Null) or base[index] = value; it
// loads with value Sentinel.
func (vm *VM) Subscr(base, index, value Value) Value {
	if t := vm.typeInfoOf(base); t.Subscr != nil {
		if r := t.Subscr(vm, base, index, value); r != Null {
			return r
		}
	}
	if vm.terse() {
		vm.RaiseMsg(TypeTypeError, map[Value]string{
			Null: "object doesn't support item deletion", Sentinel: "object isn't subscriptable",
		}[value])
	}
	name := vm.TypeNameOf(base)
	switch value {
	case Null:
		vm.Raisef(TypeTypeError, "'%s' object doesn't support item deletion", name)
	case Sentinel:
		vm.Raisef(TypeTypeError, "'%s' object isn't subscriptable", name)
	}
	vm.Raisef(TypeTypeError, "'%s' object doesn't support item assignment", name)
	return Null
}

// identityIter is the Iter slot of iterators: they are their own.
func identityIter(vm *VM, self Value, buf uint32) Value { return self }

// Iter returns an iterator over v. buf, if not 0, is the address of 4 words that
// it may be built in.
func (vm *VM) Iter(v Value, buf uint32) Value {
	t := vm.typeInfoOf(v)
	if t.Iter != nil && t.Next != nil && t.Flags&FlagOwnIter != 0 {
		return v
	}
	if buf == 0 {
		buf = vm.Alloc(16)
	}
	if t.Iter != nil {
		if it := t.Iter(vm, v, buf); it != Null {
			return it
		}
	}
	var m [2]Value
	vm.LoadMethodMaybe(v, QGetitem, &m)
	if m[0] != Null {
		return vm.newGetItemIter(m, buf)
	}
	if vm.terse() {
		vm.RaiseMsg(TypeTypeError, "object not iterable")
	}
	vm.Raisef(TypeTypeError, "'%s' object isn't iterable", vm.TypeNameOf(v))
	return Null
}

// NextAllowRaise returns the next item of an iterator or Null at the end; it may
// raise StopIteration instead.
func (vm *VM) NextAllowRaise(it Value) Value {
	if t := vm.typeInfoOf(it); t.Next != nil {
		return t.Next(vm, it)
	}
	d, back := vm.pair()
	vm.LoadMethodMaybe(it, QNext, d)
	m := *d
	vm.nscratch = back
	if m[0] != Null {
		return vm.callMethod0(m)
	}
	if vm.terse() {
		vm.RaiseMsg(TypeTypeError, "object not an iterator")
	}
	vm.Raisef(TypeTypeError, "'%s' object isn't an iterator", vm.TypeNameOf(it))
	return Null
}

// Next returns the next item of an iterator, or Null at the end, also where a
// class raises StopIteration.
func (vm *VM) Next(it Value) Value {
	leave := vm.enterNative()
	if vm.items--; vm.items < 0 {
		vm.letHostIn()
	}
	var v Value
	if t := vm.typeInfoOf(it); t.Next != nil {
		v = t.Next(vm, it)
	} else {
		exc := vm.Try(func() { v = vm.NextAllowRaise(it) })
		if exc != Null {
			if !vm.IsSubclass(vm.TypeOf(exc), TypeStopIteration) {
				vm.Raise(exc)
			}
			v = Null
		}
	}
	vm.cstack = leave
	return v
}

// IsCallable is callable(v).
func (vm *VM) IsCallable(v Value) bool {
	if vm.isInstance(v) {
		var m [2]Value
		vm.instanceLookup(v, QCall, slotCall, &m)
		return m[0] != Null
	}
	return vm.typeInfoOf(v).Call != nil
}

// Buffer returns the bytes behind an object for reading or writing, or raises
// TypeError. The slice is valid as long as the object is not resized.
func (vm *VM) Buffer(v Value, write bool) []byte {
	b, _ := vm.BufferTyped(v, write)
	return b
}

// BufferTyped is Buffer with the typecode of the elements ('B' for bytes).
func (vm *VM) BufferTyped(v Value, write bool) ([]byte, byte) {
	b, code, ok := vm.BufferMaybe(v, write)
	if !ok {
		vm.RaiseMsg(TypeTypeError, "object with buffer protocol required")
	}
	return b, code
}

// BufferMaybe is BufferTyped that reports false instead of raising.
func (vm *VM) BufferMaybe(v Value, write bool) ([]byte, byte, bool) {
	if t := vm.typeInfoOf(v); t.Buffer != nil {
		return t.Buffer(vm, v, write)
	}
	return nil, 0, false
}

// Array returns the items of a tuple or list, but of no type derived from them,
// or raises TypeError. They alias the object's memory.
func (vm *VM) Array(v Value) []Value {
	switch vm.TypeOf(v) {
	case TypeTuple:
		return vm.TupleItems(v)
	case TypeList:
		return vm.ListItems(v)
	}
	if vm.terse() {
		vm.RaiseMsg(TypeTypeError, "expected tuple/list")
	}
	vm.Raisef(TypeTypeError, "object '%s' isn't a tuple or list", vm.TypeNameOf(v))
	return nil
}

// ArrayN is Array of exactly n items.
func (vm *VM) ArrayN(v Value, n int) []Value {
	a := vm.Array(v)
	if len(a) != n {
		if vm.terse() {
			vm.RaiseMsg(TypeValueError, "tuple/list has wrong length")
		}
		vm.Raisef(TypeValueError, "requested length %d but object has length %d", n, len(a))
	}
	return a
}

// Index turns an index object into an offset below n, counting from the end
// where negative; a slice's bound is clamped instead of refused.
func (vm *VM) Index(typ Value, n int, index Value, slice bool) int {
	var i int
	if index.IsSmallInt() {
		i = index.SmallInt()
	} else {
		var ok bool
		if i, ok = vm.IntMaybe(index); !ok {
			if vm.terse() {
				vm.RaiseMsg(TypeTypeError, "indices must be integers")
			}
			vm.Raisef(TypeTypeError, "%q indices must be integers, not %s", vm.TypeName(typ), vm.TypeNameOf(index))
		}
	}
	if i < 0 {
		i += n
	}
	if slice {
		return min(max(i, 0), n)
	}
	if i < 0 || i >= n {
		if vm.terse() {
			vm.RaiseMsg(TypeIndexError, "index out of range")
		}
		vm.Raisef(TypeIndexError, "%q index out of range", vm.TypeName(typ))
	}
	return i
}

// badImplicit raises the TypeError for an object that is not converted.
func (vm *VM) badImplicit(v Value, to Qstr) {
	if vm.terse() {
		vm.RaiseMsg(TypeTypeError, "can't convert to str implicitly")
	}
	vm.Raisef(TypeTypeError, "can't convert '%q' object to %q implicitly", vm.TypeNameOf(v), to)
}
