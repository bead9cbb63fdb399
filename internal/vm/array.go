package vm

import "bytes"

// This file is the types bytearray, array and memoryview: [type, typecode and
// spare items, length in items, address of the items]. In a memoryview the
// spare items are the offset of its first item, and a bit of the typecode tells
// that it may be written to.

const (
	arrayCode    = 1 // word of the typecode (8 bits) and spare items (24 bits)
	arrayLen     = 2
	arrayItems   = 3
	arrayRW      = 0x80
	arrayCodeMax = 0x7f
)

// arrayHead returns the typecode and the spare items or offset of an array.
func (vm *VM) arrayHead(o Value) (code byte, free uint32) {
	w := uint32(vm.Mem[o/4+arrayCode])
	return byte(w) & arrayCodeMax, w >> 8
}

func (vm *VM) setArrayFree(o Value, free uint32) {
	w := &vm.Mem[o/4+arrayCode]
	*w = *w&0xff | Value(free<<8)
}

func (vm *VM) arrayLen(o Value) int { return int(vm.Mem[o/4+arrayLen]) }

// itemSize returns the size of an array's items. Its typecode is a good one.
func (vm *VM) itemSize(code byte) int {
	size, _ := vm.BinarySize('@', code)
	return size
}

// arrayData returns the bytes of an array's items.
func (vm *VM) arrayData(o Value) []byte {
	code, off := vm.arrayHead(o)
	size := uint32(vm.itemSize(code))
	if vm.Mem[o/4] != TypeMemoryView {
		off = 0
	}
	n := uint32(vm.Mem[o/4+arrayLen])
	if n == 0 {
		return nil
	}
	items := uint32(vm.Mem[o/4+arrayItems])
	return vm.dataBytes(items, (off+n)*size)[off*size:]
}

// newArray makes an array of n items, which are zero.
func (vm *VM) newArray(code byte, n int) Value {
	size, _ := vm.BinarySize('@', code)
	o := vm.Alloc(16)
	typ := TypeArray
	if code == arrayBytes {
		typ = TypeByteArray
	}
	vm.Mem[o/4], vm.Mem[o/4+arrayCode], vm.Mem[o/4+arrayLen] = typ, Value(code), Value(n)
	vm.Mem[o/4+arrayItems] = Value(vm.Alloc(uint32(vm.repeated(n, 1, size) * size)))
	return Value(o)
}

// NewByteArray makes a bytearray with a copy of b.
func (vm *VM) NewByteArray(b []byte) Value {
	o := vm.newArray(arrayBytes, len(b))
	copy(vm.arrayData(o), b)
	return o
}

func arrayPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	code, _ := vm.arrayHead(self)
	if code == arrayBytes {
		p.String("bytearray(b")
		p.PrintQuoted(vm.arrayData(self), true)
		p.String(")")
		return
	}
	p.Printf("array('%c'", code)
	if vm.arrayLen(self) > 0 {
		p.String(", [")
		for i := 0; i < vm.arrayLen(self); i++ {
			if i > 0 {
				p.String(", ")
			}
			p.Value(vm.loadItem(code, vm.arrayData(self), i), PrintRepr)
		}
		p.String("]")
	}
	p.String(")")
}

// construct makes an array of an initialiser: a bytearray of the bytes of any
// buffer, another array of those of bytes and bytearrays, else of the items.
func (vm *VM) constructArray(code byte, from Value) Value {
	t := vm.TypeOf(from)
	if code == arrayBytes || t == TypeBytes || t == TypeByteArray {
		if b, _, ok := vm.BufferMaybe(from, false); ok {
			size, _ := vm.BinarySize('@', code)
			a := vm.newArray(code, len(b)/size)
			copy(vm.arrayData(a), b)
			return a
		}
	}
	n := 0
	if v := vm.LenMaybe(from); v != Null {
		n = v.SmallInt()
	}
	a := vm.newArray(code, n)
	it := vm.Iter(from, 0)
	for i, mark := 0, vm.Mark(); ; i++ {
		v := vm.Next(it)
		if v == Null {
			return a
		}
		if n == 0 {
			vm.arrayAppend(a, v)
		} else {
			vm.storeItem(a, i, v)
		}
		vm.Release(mark)
	}
}

// storeItem stores v as item i. Converting v may run Python, so the array is
// looked at only afterwards.
func (vm *VM) storeItem(a Value, i int, v Value) {
	var b [8]byte
	code, _ := vm.arrayHead(a)
	size := vm.itemSize(code)
	vm.packItem(code, v, b[:size])
	if data := vm.arrayData(a); (i+1)*size <= len(data) {
		copy(data[i*size:], b[:size])
	}
}

func (vm *VM) packItem(code byte, v Value, b []byte) {
	if code == 'Q' && !vm.isBig(v) {
		code = 'q' // a word is extended by its sign here, unlike in a struct
	}
	vm.PackValue(code, false, v, b)
}

func arrayNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 1, 2, false)
	code := at(vm.StrArg(args[0]), 0)
	if len(args) == 1 {
		return vm.newArray(code, 0)
	}
	return vm.constructArray(code, args[1])
}

func byteArrayNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 0, 3, false)
	switch {
	case len(args) == 0:
		return vm.newArray(arrayBytes, 0)
	case vm.IsInt(args[0]):
		n := vm.Int(args[0])
		if n < 0 { // it is taken for a length of nearly 2^32
			vm.Alloc(16)
			vm.memoryError(uint32(n))
		}
		return vm.newArray(arrayBytes, n)
	}
	return vm.constructArray(arrayBytes, args[0])
}

// memoryViewNew makes a view on a buffer. A view on a view is one on the same
// items: on the device it would not keep them alive.
func memoryViewNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 1, 1, false)
	b, code := vm.BufferTyped(args[0], false)
	size, _ := vm.BinarySize('@', code)
	o := vm.Alloc(16)
	vm.Mem[o/4], vm.Mem[o/4+arrayCode], vm.Mem[o/4+arrayLen] = TypeMemoryView, Value(code), Value(len(b)/size)
	if vm.TypeOf(args[0]) == TypeMemoryView {
		vm.Mem[o/4+arrayCode] = vm.Mem[args[0]/4+arrayCode]
		vm.Mem[o/4+arrayItems] = vm.Mem[args[0]/4+arrayItems]
	} else {
		vm.Mem[o/4+arrayItems] = Value(vm.AddrOf(b))
	}
	if _, _, ok := vm.BufferMaybe(args[0], true); ok {
		vm.Mem[o/4+arrayCode] |= arrayRW
	}
	return Value(o)
}

func arrayUnary(vm *VM, op UnaryOp, self Value) Value {
	switch op {
	case UnaryBool:
		return Bool(vm.arrayLen(self) != 0)
	case UnaryLen:
		return SmallInt(vm.arrayLen(self))
	}
	return Null
}

func arrayBinary(vm *VM, op BinaryOp, lhs, rhs Value) Value {
	switch op {
	case BinAdd:
		b := vm.Buffer(rhs, false)
		code, _ := vm.arrayHead(lhs)
		size := vm.itemSize(code)
		a := vm.newArray(code, vm.arrayLen(lhs)+len(b)/size)
		out := vm.arrayData(a)
		copy(out[copy(out, vm.arrayData(lhs)):], b[:len(b)/size*size])
		return a
	case BinInplaceAdd:
		if vm.Mem[lhs/4] == TypeMemoryView {
			return Null
		}
		arrayExtend(vm, lhs, rhs)
		return lhs
	case BinContains:
		if b, _, ok := vm.BufferMaybe(rhs, false); ok {
			return Bool(vm.Mem[lhs/4] == TypeByteArray && bytes.Contains(vm.arrayData(lhs), b))
		}
		if vm.IsInt(rhs) || vm.IsFloat(rhs) {
			vm.Raise(vm.NewException(TypeNotImplementedError))
		}
		return False
	case BinEqual:
		b, _, ok := vm.BufferMaybe(rhs, false)
		return Bool(ok && bytes.Equal(vm.arrayData(lhs), b))
	}
	return Null
}

// arraySelf checks the self of a method that a program can call with anything.
func (vm *VM) arraySelf(a Value) {
	if t := vm.TypeOf(a); t != TypeByteArray && t != TypeArray {
		vm.checkSelf()
	}
}

func (vm *VM) arrayAppend(self, v Value) Value {
	vm.arraySelf(self)
	code, free := vm.arrayHead(self)
	size := uint32(vm.itemSize(code))
	n := uint32(vm.arrayLen(self))
	if free == 0 {
		p := vm.Realloc(uint32(vm.Mem[self/4+arrayItems]), size*(n+8))
		vm.Mem[self/4+arrayItems] = Value(p)
		vm.setArrayFree(self, 8)
		clear(vm.Bytes[p+size*(n+1) : p+size*(n+8)])
	}
	var b [8]byte
	vm.packItem(code, v, b[:size])
	n = uint32(vm.arrayLen(self))
	if _, free = vm.arrayHead(self); free == 0 { // used up by a conversion that ran Python
		return vm.arrayAppend(self, v)
	}
	vm.Mem[self/4+arrayLen]++
	vm.setArrayFree(self, free-1)
	copy(vm.arrayData(self)[size*n:], b[:size])
	return None
}

func arrayExtend(vm *VM, self, arg Value) Value {
	vm.arraySelf(self)
	b := vm.Buffer(arg, false)
	code, free := vm.arrayHead(self)
	size := vm.itemSize(code)
	n, add := vm.arrayLen(self), len(b)/size
	if int(free) < add {
		p := vm.Realloc(uint32(vm.Mem[self/4+arrayItems]), uint32((n+add)*size))
		vm.Mem[self/4+arrayItems] = Value(p)
		vm.setArrayFree(self, 0)
		if arg == self { // its items may have moved
			b = vm.arrayData(self)
		}
	} else {
		vm.setArrayFree(self, free-uint32(add))
	}
	vm.Mem[self/4+arrayLen] = Value(n + add)
	copy(vm.arrayData(self)[n*size:], b[:add*size])
	return None
}

func arrayBuffer(vm *VM, self Value, write bool) ([]byte, byte, bool) {
	code, _ := vm.arrayHead(self)
	if write && vm.Mem[self/4] == TypeMemoryView && vm.Mem[self/4+arrayCode]&arrayRW == 0 {
		return nil, 0, false
	}
	return vm.arrayData(self), code, true
}

func arrayIterNext(vm *VM, i uint32) Value {
	a, at := vm.Mem[i+2], int(vm.Mem[i+3])
	if at >= vm.arrayLen(a) {
		return Null
	}
	vm.Mem[i+3]++
	code, _ := vm.arrayHead(a)
	return vm.loadItem(code, vm.arrayData(a), at)
}

func (fw *Firmware) initArrays() {
	fw.poly[polyArray>>1] = arrayIterNext
	iter := func(vm *VM, self Value, buf uint32) Value { return vm.newPolyIter(polyArray, self, buf) }
	base := Type{
		Print: arrayPrint, Unary: arrayUnary, Binary: arrayBinary, Subscr: arraySubscr, Iter: iter, Buffer: arrayBuffer,
		Locals: &Dict{},
	}
	base.Locals.set(fw.Q("append"), fw.Func2("append", (*VM).arrayAppend))
	base.Locals.set(fw.Q("extend"), fw.Func2("extend", arrayExtend))
	if fw.Options.CPythonCompat {
		base.Locals.set(fw.Q("decode"), fw.decode)
	}
	ba, ar, mv := base, base, base
	ba.Name, ba.New = fw.Q("bytearray"), byteArrayNew
	fw.define(TypeByteArray, &ba)
	ar.Name, ar.New = fw.Q("array"), arrayNew
	fw.define(TypeArray, &ar)
	mv.Name, mv.New, mv.Print, mv.Locals = fw.Q("memoryview"), memoryViewNew, nil, nil
	fw.define(TypeMemoryView, &mv)
	fw.Builtin("bytearray", TypeByteArray)
	if fw.Options.MemoryView {
		fw.Builtin("memoryview", TypeMemoryView)
	}
}
