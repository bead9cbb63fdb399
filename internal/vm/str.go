package vm

import "bytes"

// This file is the types str and bytes. The device has no Unicode strings: a
// str is bytes, its length is their number, and both types share nearly all of
// their code.

// strSelf returns the content of a method's self, which a program can make
// anything if the build does not check it.
func (vm *VM) strSelf(v Value) []byte {
	if !vm.IsStrOrBytes(v) {
		vm.checkSelf()
	}
	return vm.StrBytes(v)
}

// StrArg returns the content of a str or bytes argument, or raises TypeError.
func (vm *VM) StrArg(v Value) []byte {
	if !vm.IsStrOrBytes(v) {
		vm.badStr(v)
	}
	return vm.StrBytes(v)
}

// badStr raises the TypeError for what is not converted to str, or, if it is a
// str, to bytes.
func (vm *VM) badStr(v Value) {
	if vm.TypeNameOf(v) == QStrName {
		vm.badImplicit(v, vm.fw.bytesName)
	}
	vm.badImplicit(v, QStrName)
}

// sameStr returns the content of arg, which must have the type of self.
func (vm *VM) sameStr(self, arg Value) []byte {
	if vm.TypeOf(arg) != vm.TypeOf(self) {
		vm.badStr(arg)
	}
	return vm.strSelf(arg)
}

// strPointer returns the address and length of the data of a str or bytes object,
// so that another object can share it.
func (vm *VM) strPointer(v Value) (addr, n uint32) {
	switch {
	case v.IsQstr():
		return vm.qstrData(v.Qstr())
	case v == EmptyBytes:
		return vm.text(""), 0
	}
	return uint32(vm.Mem[v/4+3]), uint32(vm.Mem[v/4+2])
}

// newStrShared makes a str or bytes object of 16 bytes on the data of another.
func (vm *VM) newStrShared(typ, of Value) Value {
	addr, n := vm.strPointer(of)
	o := vm.Alloc(16)
	vm.Mem[o/4], vm.Mem[o/4+1], vm.Mem[o/4+2], vm.Mem[o/4+3] = typ, hashWord(vm.strHash(of)), Value(n), Value(addr)
	return Value(o)
}

// PrintQuoted prints b as a literal: in single quotes, or in double quotes if it
// has single and no double ones.
func (p *Printer) PrintQuoted(b []byte, isBytes bool) {
	quote := byte('\'')
	if bytes.IndexByte(b, '\'') >= 0 && bytes.IndexByte(b, '"') < 0 {
		quote = '"'
	}
	p.Byte(quote)
	for _, c := range b {
		switch {
		case c == quote:
			p.String(`\`)
			p.Byte(quote)
		case c == '\\':
			p.String(`\\`)
		case c >= 0x20 && c != 0x7f && (!isBytes || c < 0x80):
			p.Byte(c)
		case c == '\n':
			p.String(`\n`)
		case c == '\r':
			p.String(`\r`)
		case c == '\t':
			p.String(`\t`)
		default:
			p.String(`\x`)
			p.hexDigits(c, 2)
		}
	}
	p.Byte(quote)
}

// hexDigits prints c as a hexadecimal number of at least n digits.
func (p *Printer) hexDigits(c byte, n int) {
	const digits = "0123456789abcdef"
	b := [2]byte{digits[c>>4], digits[c&15]}
	if c < 16 {
		p.Padded(b[1:], 0, '0', n)
		return
	}
	p.Padded(b[:], 0, '0', n)
}

func (p *Printer) printJSONString(b []byte) {
	p.String(`"`)
	for _, c := range b {
		switch {
		case c == '"' || c == '\\':
			p.String(`\`)
			p.Byte(c)
		case c >= 32:
			p.Byte(c)
		case c == '\n':
			p.String(`\n`)
		case c == '\r':
			p.String(`\r`)
		case c == '\t':
			p.String(`\t`)
		default:
			p.String(`\u`)
			p.hexDigits(c, 4)
		}
	}
	p.String(`"`)
}

func strPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	b := vm.StrBytes(self)
	isBytes := vm.TypeOf(self) == TypeBytes
	switch {
	case kind == PrintJSON:
		p.printJSONString(b)
	case kind == PrintRaw || kind == PrintStr && !isBytes:
		if len(b) > 0 {
			p.Bytes(b)
		}
	default:
		if isBytes {
			p.String("b")
		}
		p.PrintQuoted(b, isBytes)
	}
}

// noKeywords raises what types say that take no keyword arguments in a build
// that is compatible with CPython.
func (vm *VM) noKeywords(kw []Value) {
	if len(kw) != 0 && vm.opt.CPythonCompat {
		vm.RaiseMsg(TypeNotImplementedError, "keyword argument(s) not yet implemented - use normal args instead")
	}
}

func strNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.noKeywords(kw)
	vm.checkArgs(len(args), len(kw)/2, 0, 3, false)
	switch len(args) {
	case 0:
		return EmptyStr
	case 1:
		return vm.toStr(args[0], PrintStr)
	}
	if vm.TypeOf(args[0]) == TypeBytes {
		if q := vm.FindQstr(vm.StrBytes(args[0])); q != 0 {
			return q.Value()
		}
		return vm.newStrShared(TypeStr, args[0])
	}
	return vm.NewStr(vm.Buffer(args[0], false))
}

// toStr prints an object into a str.
func (vm *VM) toStr(o Value, kind PrintKind) Value {
	b := vm.takeBuf(16)
	b.p.Value(o, kind)
	return b.finish(TypeStr)
}

func bytesNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.noKeywords(kw)
	if len(args) == 0 {
		return EmptyBytes
	}
	a := args[0]
	if vm.IsStr(a) {
		if len(args) < 2 || len(args) > 3 {
			vm.wrongArgs()
		}
		return vm.newStrShared(TypeBytes, a)
	}
	if len(args) > 1 {
		vm.wrongArgs()
	}
	if a.IsSmallInt() {
		n := a.SmallInt()
		if n < 0 {
			vm.Raise(vm.NewException(TypeValueError))
		}
		v := vm.makeVstr(uint32(n) + 1)
		v.len = uint32(n)
		clear(v.Bytes())
		return v.Object(TypeBytes)
	}
	if b, _, ok := vm.BufferMaybe(a, false); ok {
		return vm.NewBytes(b)
	}
	return vm.bytesFromIter(a)
}

func (vm *VM) wrongArgs() { vm.RaiseMsg(TypeTypeError, "wrong number of arguments") }

func (vm *VM) bytesFromIter(a Value) Value {
	size := uint32(16)
	if n := vm.LenMaybe(a); n != Null {
		size = uint32(n.SmallInt())
	}
	v := vm.makeVstr(size)
	stack := vm.stack
	it := vm.Iter(a, vm.iterBuf())
	for mark := vm.Mark(); ; vm.Release(mark, Value(v.buf)) {
		item := vm.Next(it)
		if item == Null {
			break
		}
		i := vm.Int(item)
		if i < 0 || i > 255 {
			vm.RaiseMsg(TypeValueError, "bytes value out of range")
		}
		v.WriteByte(byte(i))
	}
	vm.stack = stack
	return v.Object(TypeBytes)
}

func strBinary(vm *VM, op BinaryOp, lhs, rhs Value) Value {
	if op == BinModulo {
		if !vm.opt.StrOpModulo {
			return Null
		}
		return vm.strModulo(lhs, rhs)
	}
	typ := vm.TypeOf(lhs)
	a := vm.StrBytes(lhs)
	if op == BinMultiply {
		n, ok := vm.IntMaybe(rhs)
		if !ok {
			return Null
		}
		if n <= 0 {
			return emptyOf(typ)
		}
		size := vm.repeated(len(a), n, 1)
		v := vm.makeVstr(uint32(size) + 1)
		v.len = uint32(size)
		repeatBytes(v.Bytes(), a)
		return v.Object(typ)
	}
	var b []byte
	same := vm.TypeOf(rhs) == typ
	switch {
	case same:
		b = vm.StrBytes(rhs)
	case typ == TypeBytes:
		var ok bool
		if b, _, ok = vm.BufferMaybe(rhs, false); !ok {
			return Null
		}
	default:
		vm.badStr(rhs)
	}
	switch op {
	case BinAdd, BinInplaceAdd:
		if len(a) == 0 && same {
			return rhs
		}
		if len(b) == 0 {
			return lhs
		}
		v := vm.makeVstr(uint32(len(a)+len(b)) + 1)
		v.len = uint32(len(a) + len(b))
		copy(v.Bytes(), a)
		copy(v.Bytes()[len(a):], b)
		return v.Object(typ)
	case BinContains:
		return Bool(bytes.Contains(a, b))
	case BinEqual, BinLess, BinLessEqual, BinMore, BinMoreEqual:
		return Bool(compareBytes(op, a, b))
	}
	return Null
}

// emptyOf returns the empty str or bytes.
func emptyOf(typ Value) Value {
	if typ == TypeStr {
		return EmptyStr
	}
	return EmptyBytes
}

// repeatBytes fills dst with copies of b.
func repeatBytes(dst, b []byte) {
	for n := copy(dst, b); n > 0 && n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
}

func strSubscr(vm *VM, self, index, value Value) Value {
	if value != Sentinel {
		return Null
	}
	typ := vm.TypeOf(self)
	b := vm.StrBytes(self)
	if vm.TypeOf(index) == TypeSlice {
		s, simple := vm.SliceBounds(len(b), index)
		if !simple {
			vm.stepSliceError()
		}
		return vm.NewStrOf(typ, b[s.Start:s.Stop])
	}
	i := vm.Index(typ, len(b), index, false)
	if typ == TypeBytes {
		return SmallInt(int(b[i]))
	}
	return vm.charStr(b[i])
}

func (vm *VM) stepSliceError() {
	vm.RaiseMsg(TypeNotImplementedError, "only slices with step=1 (aka None) are supported")
}

// charStr returns the str of one character, which is always interned.
func (vm *VM) charStr(c byte) Value {
	q := vm.qstrs.chars[c]
	if q == 0 {
		q = vm.Intern(string([]byte{c}))
		vm.qstrs.chars[c] = q
	}
	return q.Value()
}

func strIterNext(vm *VM, i uint32) Value {
	b, at := vm.StrBytes(vm.Mem[i+2]), int(vm.Mem[i+3])
	if at >= len(b) {
		return Null
	}
	vm.Mem[i+3]++
	return vm.charStr(b[at])
}

func bytesIterNext(vm *VM, i uint32) Value {
	b, at := vm.StrBytes(vm.Mem[i+2]), int(vm.Mem[i+3])
	if at >= len(b) {
		return Null
	}
	vm.Mem[i+3]++
	return SmallInt(int(b[at]))
}

func strBuffer(vm *VM, self Value, write bool) ([]byte, byte, bool) {
	if write {
		return nil, 0, false
	}
	return vm.StrBytes(self), 'B', true
}

func builtinOrd(vm *VM, o Value) Value {
	b := vm.StrArg(o)
	if len(b) == 1 {
		return SmallInt(int(b[0]))
	}
	if vm.terse() {
		vm.RaiseMsg(TypeTypeError, "ord expects a character")
	}
	vm.Raisef(TypeTypeError, "ord() expected a character, but string of length %d found", len(b))
	return Null
}

func builtinChr(vm *VM, o Value) Value {
	c := vm.Int(o)
	if c < 0 || c > 255 {
		vm.RaiseMsg(TypeValueError, "chr() arg not in range(256)")
	}
	return vm.charStr(byte(c))
}

func (fw *Firmware) initStrings() {
	fw.bytesName = fw.Q("bytes")
	fw.poly[polyStr>>1] = strIterNext
	fw.poly[polyBytes>>1] = bytesIterNext
	methods := fw.strMethods()
	fw.define(TypeStr, &Type{
		Name: QStrName, Print: strPrint, New: strNew, Binary: strBinary, Subscr: strSubscr, Buffer: strBuffer,
		Iter:   func(vm *VM, self Value, buf uint32) Value { return vm.newPolyIter(polyStr, self, buf) },
		Locals: methods,
	})
	fw.define(TypeBytes, &Type{
		Name: fw.bytesName, Print: strPrint, New: bytesNew, Binary: strBinary, Subscr: strSubscr, Buffer: strBuffer,
		Iter:   func(vm *VM, self Value, buf uint32) Value { return vm.newPolyIter(polyBytes, self, buf) },
		Locals: methods,
	})
	fw.Builtin("str", TypeStr)
	fw.Builtin("bytes", TypeBytes)
	fw.Builtin("repr", fw.Func1("repr", func(vm *VM, o Value) Value { return vm.toStr(o, PrintRepr) }))
	fw.Builtin("chr", fw.Func1("chr", builtinChr))
	fw.Builtin("ord", fw.Func1("ord", builtinOrd))
	fw.initArrays()
	fw.initStringIO()
}
