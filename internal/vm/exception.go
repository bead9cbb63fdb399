package vm

// This file is the exception object: type, traceback (two 16-bit halves:
// entries allocated and used, in words), address of the traceback, args tuple.

// TraceEntry is one line of a traceback, the innermost first.
type TraceEntry struct {
	File  Qstr
	Line  int
	Block Qstr // 0: unknown
}

func (vm *VM) initStaticExc(off uint32, typ Value) {
	i := (vm.static + off) / 4
	vm.Mem[i], vm.Mem[i+1], vm.Mem[i+2], vm.Mem[i+3] = typ, 0, 0, EmptyTuple
}

// NewException makes an instance of a built-in exception type. It never
// raises: without memory it is the static emergency exception, or has no args.
func (vm *VM) NewException(typ Value, args ...Value) Value {
	o := vm.TryAlloc(16)
	if o == 0 {
		o = vm.static + staticEmergencyExc
	}
	i := o / 4
	vm.Mem[i], vm.Mem[i+1], vm.Mem[i+2], vm.Mem[i+3] = typ, 0, 0, EmptyTuple
	if n := uint32(len(args)); n > 0 {
		t := vm.TryAlloc(8 + 4*n)
		if t == 0 && vm.emergencySize >= 24+8+4*n {
			t = vm.emergencyBuf + 24
		}
		if t != 0 {
			vm.Mem[t/4], vm.Mem[t/4+1] = TypeTuple, Value(n)
			copy(vm.Mem[t/4+2:], args)
			vm.Mem[i+3] = Value(t)
		}
	}
	return Value(o)
}

// NewExceptionMsg makes an exception whose text lies in ROM.
func (vm *VM) NewExceptionMsg(typ Value, msg string) Value {
	o := vm.TryAlloc(16)
	if o == 0 && vm.emergencySize >= 36+16 {
		o = vm.emergencyBuf + 36
	}
	if o == 0 {
		return vm.NewException(typ)
	}
	vm.fillStr(o, vm.text(msg), uint32(len(msg)))
	return vm.NewException(typ, Value(o))
}

func (vm *VM) fillStr(o, data, n uint32) {
	vm.Mem[o/4], vm.Mem[o/4+2], vm.Mem[o/4+3] = TypeStr, Value(n), Value(data)
	vm.Mem[o/4+1] = hashWord(vm.HashBytes(vm.dataBytes(data, n)))
}

// excPrinter collects a formatted text in a buffer that grows by piece + 16 and
// is cut short where there is no memory.
type excPrinter struct {
	vm         *VM
	buf        uint32
	len, alloc uint32
	mayGrow    bool
}

func (p *excPrinter) write(b []byte) {
	n := uint32(len(b))
	if p.len+n >= p.alloc {
		if p.mayGrow {
			alloc := p.alloc + n + 16
			if buf := p.vm.TryRealloc(p.buf, alloc, true); buf != 0 {
				p.buf, p.alloc = buf, alloc
			} else {
				p.mayGrow = false
				n = p.alloc - p.len - 1
			}
		} else {
			n = p.alloc - p.len - 1
		}
	}
	copy(p.vm.Bytes[p.buf+p.len:], b[:n])
	p.len += n
}

// NewExceptionf makes an exception with a formatted text. Where there is no
// memory for the buffer the text is the format itself.
func (vm *VM) NewExceptionf(typ Value, format string, args ...any) Value {
	o := vm.TryAlloc(16)
	alloc := uint32(len(format)) + 1
	buf := vm.TryAlloc(alloc)
	emergency := false
	if (o == 0 || buf == 0) && vm.emergencySize >= 36+16+16 {
		emergency = true
		o = vm.emergencyBuf + 36
		buf = o + 16
		alloc = vm.emergencyBuf + vm.emergencySize - buf
	}
	if o == 0 {
		return vm.NewException(typ)
	}
	if buf == 0 {
		vm.fillStr(o, vm.text(format), alloc-1)
	} else {
		p := excPrinter{vm, buf, 0, alloc, !emergency}
		vm.NewPrinter(p.write).Printf(format, args...)
		vm.Bytes[p.buf+p.len] = 0
		vm.fillStr(o, p.buf, p.len)
	}
	return vm.NewException(typ, Value(o))
}

// nativeExc returns the built-in exception object behind an instance of a
// class that derives from one (or the object itself).
func (vm *VM) nativeExc(exc Value) Value {
	if vm.isInstance(exc) {
		return vm.baseObject(exc)
	}
	return exc
}

// ExceptionArgs returns the args tuple of an exception instance.
func (vm *VM) ExceptionArgs(exc Value) Value { return vm.Mem[vm.nativeExc(exc)/4+3] }

// ExceptionValue returns the first argument of an exception, or None.
func (vm *VM) ExceptionValue(exc Value) Value {
	if a := vm.TupleItems(vm.ExceptionArgs(exc)); len(a) > 0 {
		return a[0]
	}
	return None
}

// clearTraceback forgets the traceback of an exception.
func (vm *VM) clearTraceback(exc Value) {
	e := vm.nativeExc(exc)
	vm.Mem[e/4+2] = 0
}

// addTraceback appends an entry of 12 bytes; without memory it is left out.
func (vm *VM) addTraceback(exc Value, file Qstr, line int, block Qstr) {
	e := vm.nativeExc(exc) / 4
	data := uint32(vm.Mem[e+2])
	alloc, n := uint32(vm.Mem[e+1])&0xffff, uint32(vm.Mem[e+1])>>16
	if data == 0 {
		data = vm.TryAlloc(12)
		if data == 0 {
			if vm.emergencySize < 24 {
				return
			}
			data, alloc = vm.emergencyBuf, 6
		} else {
			alloc = 3
		}
		n = 0
	} else if n+3 > alloc {
		if vm.emergencyBuf != 0 && data == vm.emergencyBuf {
			return
		}
		p := vm.TryRealloc(data, 4*(alloc+3), true)
		if p == 0 {
			return
		}
		data, alloc = p, alloc+3
	}
	vm.Mem[data/4+n], vm.Mem[data/4+n+1], vm.Mem[data/4+n+2] = Value(file), Value(line), Value(block)
	vm.Mem[e+1] = Value(alloc | (n+3)<<16)
	vm.Mem[e+2] = Value(data)
}

// Traceback returns the entries of an exception's traceback, innermost first.
func (vm *VM) Traceback(exc Value) []TraceEntry {
	e := vm.nativeExc(exc) / 4
	data, n := uint32(vm.Mem[e+2])/4, uint32(vm.Mem[e+1])>>16
	if data == 0 {
		return nil
	}
	var tb []TraceEntry
	for i := uint32(0); i < n; i += 3 {
		tb = append(tb, TraceEntry{Qstr(vm.Mem[data+i]), int(vm.Mem[data+i+1]), Qstr(vm.Mem[data+i+2])})
	}
	return tb
}

// IsExceptionType reports whether v is a class derived from BaseException.
func (vm *VM) IsExceptionType(v Value) bool {
	if v >= romBase && v&3 == 0 {
		t := vm.fw.rom[(v-romBase)/4].t
		return t != nil && t.Flags&FlagException != 0
	}
	return vm.IsSubclass(v, TypeBaseException)
}

// IsExceptionInstance reports whether v is an instance of an exception class.
func (vm *VM) IsExceptionInstance(v Value) bool { return vm.IsExceptionType(vm.TypeOf(v)) }

// ExceptionMatch reports whether exc, an exception or exception class, is of the
// class typ.
func (vm *VM) ExceptionMatch(exc, typ Value) bool {
	if vm.IsExceptionInstance(exc) {
		exc = vm.TypeOf(exc)
	}
	return exc == typ || vm.IsSubclass(exc, typ)
}

// makeRaiseObj turns what is raised into an exception instance: a class is
// called, anything that is no exception becomes a TypeError.
func (vm *VM) makeRaiseObj(o Value) Value {
	if vm.IsExceptionType(o) {
		o = vm.Call(o, nil, nil)
	}
	if vm.IsExceptionInstance(o) {
		return o
	}
	return vm.NewExceptionMsg(TypeTypeError, "exceptions must derive from BaseException")
}

func exceptionPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	vm.printException(p, self, kind, false)
}

// printException prints an exception object. subclass: its class's name has
// been printed already.
func (vm *VM) printException(p *Printer, self Value, kind PrintKind, subclass bool) {
	if !subclass && (kind == PrintRepr || kind == PrintExc) {
		p.Qstr(vm.TypeInfo(vm.Mem[self/4]).Name)
	}
	if kind == PrintExc {
		p.String(": ")
	}
	args := vm.TupleItems(vm.Mem[self/4+3])
	if kind == PrintStr || kind == PrintExc {
		if len(args) == 0 {
			p.String("")
			return
		}
		if len(args) == 1 {
			if vm.Mem[self/4] == TypeOSError && args[0].IsSmallInt() {
				if name := vm.ErrnoName(args[0].SmallInt()); name != "" {
					p.Printf("[Errno %d] %s", args[0].SmallInt(), name)
					return
				}
			}
			p.Value(args[0], PrintStr)
			return
		}
	}
	vm.printTuple(p, vm.Mem[self/4+3], kind)
}

func exceptionNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 0, -1, false)
	return vm.NewException(typ, args...)
}

func exceptionAttr(vm *VM, self Value, attr Qstr, dst *[2]Value) {
	if dst[0] != Null {
		if dst[1] == None && vm.QstrString(attr) == "__traceback__" {
			vm.Mem[self/4+1] &= 0xffff
			dst[0] = Null
		}
		return
	}
	switch {
	case attr == QArgs:
		dst[0] = vm.Mem[self/4+3]
	case attr == QValue && vm.Mem[self/4] == TypeStopIteration:
		dst[0] = vm.ExceptionValue(self)
	}
}

// exceptionTree is the hierarchy, in the order of upstream's table.
var exceptionTree = [...]struct {
	name string
	typ  Value
	base Value
}{
	{"BaseException", TypeBaseException, Null},
	{"SystemExit", TypeSystemExit, TypeBaseException},
	{"KeyboardInterrupt", TypeKeyboardInterrupt, TypeBaseException},
	{"GeneratorExit", TypeGeneratorExit, TypeBaseException},
	{"Exception", TypeException, TypeBaseException},
	{"StopAsyncIteration", TypeStopAsyncIteration, TypeException},
	{"StopIteration", TypeStopIteration, TypeException},
	{"ArithmeticError", TypeArithmeticError, TypeException},
	{"OverflowError", TypeOverflowError, TypeArithmeticError},
	{"ZeroDivisionError", TypeZeroDivisionError, TypeArithmeticError},
	{"AssertionError", TypeAssertionError, TypeException},
	{"AttributeError", TypeAttributeError, TypeException},
	{"EOFError", TypeEOFError, TypeException},
	{"ImportError", TypeImportError, TypeException},
	{"LookupError", TypeLookupError, TypeException},
	{"IndexError", TypeIndexError, TypeLookupError},
	{"KeyError", TypeKeyError, TypeLookupError},
	{"MemoryError", TypeMemoryError, TypeException},
	{"NameError", TypeNameError, TypeException},
	{"OSError", TypeOSError, TypeException},
	{"TimeoutError", TypeTimeoutError, TypeOSError},
	{"RuntimeError", TypeRuntimeError, TypeException},
	{"NotImplementedError", TypeNotImplementedError, TypeRuntimeError},
	{"SyntaxError", TypeSyntaxError, TypeException},
	{"IndentationError", TypeIndentationError, TypeSyntaxError},
	{"TypeError", TypeTypeError, TypeException},
	{"ValueError", TypeValueError, TypeException},
}

func (fw *Firmware) initExceptions() {
	for _, e := range exceptionTree {
		t := fw.define(e.typ, &Type{
			Name: fw.Q(e.name), Parent: e.base, Print: exceptionPrint, New: exceptionNew, Attr: exceptionAttr,
		})
		t.Flags |= FlagException
		if e.typ == TypeTimeoutError && !fw.Options.TimeoutError || e.typ == TypeStopAsyncIteration && !fw.Options.AsyncAwait {
			continue
		}
		fw.Builtin(e.name, e.typ)
	}
}
