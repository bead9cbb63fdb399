package vm

import "github.com/skep-sim/skep/internal/mpy"

// This file is functions: bytecode functions [type, globals, bytecode, const
// table, default arguments ...], closures [type, function, n, cells ...], cells
// [type, value] and bound methods [type, function, self].

const (
	funGlobals  = 1
	funBytecode = 2
	funTable    = 3
	funDefaults = 4
)

// newFunction is mp_obj_new_fun_bc. defaults is a tuple or Null, kwDefaults a
// dict or Null.
func (vm *VM) newFunction(rc uint32, defaults, kwDefaults Value) Value {
	flags := vm.Mem[rc/4]
	var extra []Value
	if defaults != Null && vm.TypeOf(defaults) == TypeTuple {
		extra = vm.TupleItems(defaults)
	}
	if len(extra) != int(flags>>rawDefs) || (kwDefaults != Null) != (flags&rawKwDefs != 0) || kwDefaults != Null && vm.TypeOf(kwDefaults) != TypeDict {
		vm.badCode()
	}
	n := uint32(len(extra))
	if kwDefaults != Null {
		n++
	}
	o := vm.Alloc(16 + 4*n)
	i := o / 4
	vm.Mem[i] = TypeFunBC
	if flags&rawGenerator != 0 {
		vm.Mem[i] = TypeGenWrap
	}
	vm.Mem[i+funGlobals] = vm.globals
	vm.Mem[i+funBytecode] = vm.Mem[rc/4+1]
	vm.Mem[i+funTable] = vm.Mem[rc/4+2]
	copy(vm.Mem[i+funDefaults:], extra)
	if kwDefaults != Null {
		vm.Mem[i+funDefaults+n-1] = kwDefaults
	}
	return Value(o)
}

// newClosure is a function with n cells.
func (vm *VM) newClosure(fun Value, cells []Value) Value {
	o := vm.Alloc(12 + 4*uint32(len(cells)))
	vm.Mem[o/4], vm.Mem[o/4+1], vm.Mem[o/4+2] = TypeClosure, fun, Value(len(cells))
	copy(vm.Mem[o/4+3:], cells)
	return Value(o)
}

func (vm *VM) newCell(v Value) Value {
	o := vm.Alloc(8)
	vm.Mem[o/4], vm.Mem[o/4+1] = TypeCell, v
	return Value(o)
}

// NewBoundMethod makes the object that fun bound to self is.
func (vm *VM) NewBoundMethod(fun, self Value) Value {
	o := vm.Alloc(12)
	vm.Mem[o/4], vm.Mem[o/4+1], vm.Mem[o/4+2] = TypeBoundMeth, fun, self
	return Value(o)
}

// funCode returns the decoded code of a bytecode function.
func (vm *VM) funCode(fun Value) *Code {
	if c := vm.memoCode(fun); c != nil {
		return c
	}
	return vm.codeAt(fun)
}

// memoCode is funCode, or nil if the function was not used lately.
func (vm *VM) memoCode(fun Value) *Code {
	addr := uint32(vm.Mem[fun/4+funBytecode])
	if c := vm.codeMemo[addr>>4&255]; c != nil && c.addr == addr {
		return c
	}
	return nil
}

// FunName returns the name of a bytecode function.
func (vm *VM) FunName(fun Value) Qstr {
	addr := uint32(vm.Mem[fun/4+funBytecode])
	c := vm.funCode(fun)
	return Qstr(c.prelude.Name(vm.Bytes[addr:]))
}

// checkArgs raises the TypeError of a built-in function called with a wrong
// number of arguments; hi < 0 is any number.
func (vm *VM) checkArgs(n, nkw, lo, hi int, takesKw bool) {
	if nkw != 0 && !takesKw {
		if vm.terse() {
			vm.argMismatch()
		}
		vm.RaiseMsg(TypeTypeError, "function doesn't take keyword arguments")
	}
	switch {
	case lo == hi:
		if n != lo {
			if vm.terse() {
				vm.argMismatch()
			}
			vm.Raisef(TypeTypeError, "function takes %d positional arguments but %d were given", lo, n)
		}
	case n < lo:
		if vm.terse() {
			vm.argMismatch()
		}
		vm.Raisef(TypeTypeError, "function missing %d required positional arguments", lo-n)
	case hi >= 0 && n > hi:
		if vm.terse() {
			vm.argMismatch()
		}
		vm.Raisef(TypeTypeError, "function expected at most %d arguments, got %d", hi, n)
	}
}

// CheckArgs is checkArgs for types that other packages define.
func (vm *VM) CheckArgs(args, kw []Value, lo, hi int) {
	vm.checkArgs(len(args), len(kw)/2, lo, hi, false)
}

func (vm *VM) argMismatch() { vm.RaiseMsg(TypeTypeError, "argument num/types mismatch") }

func (vm *VM) positionalMismatch(fun Value, want, got int) {
	switch {
	case vm.terse():
		vm.argMismatch()
	case vm.detailed():
		vm.Raisef(TypeTypeError, "%q() takes %d positional arguments but %d were given", vm.FunName(fun), want, got)
	default:
		vm.Raisef(TypeTypeError, "function takes %d positional arguments but %d were given", want, got)
	}
}

// bind is mp_setup_code_state: it puts the arguments into the locals of a new
// frame. top is the word index of local 0; local n is n words below. The state
// is zero already.
func (vm *VM) bind(fun Value, c *Code, top uint32, args, kw []Value) {
	n := len(args)
	if c.simple && len(kw) == 0 {
		if n != c.nPos {
			if n > c.nPos {
				vm.positionalMismatch(fun, c.nPos, n)
			}
			if n < c.nPos-c.nDef {
				vm.positionalMismatch(fun, c.nPos-c.nDef, n)
			}
			d := uint32(fun)/4 + funDefaults
			for i := n; i < c.nPos; i++ {
				vm.Mem[top-uint32(i)] = vm.Mem[d+uint32(i-(c.nPos-c.nDef))]
			}
		}
		for i, a := range args {
			vm.Mem[top-uint32(i)] = a
		}
	} else {
		vm.bindFull(fun, c, top, args, kw)
	}
	for _, local := range c.cells {
		i := top - uint32(local)
		vm.Mem[i] = vm.newCell(vm.Mem[i])
	}
}

// bindFull is the rest of mp_setup_code_state: star arguments, keywords and
// keyword-only arguments.
func (vm *VM) bindFull(fun Value, c *Code, top uint32, args, kw []Value) {
	n := len(args)
	extra := top - uint32(c.nPos+c.nKwOnly) // where *args and **kwargs go
	defaults := uint32(fun)/4 + funDefaults
	if n > c.nPos {
		if c.flags&mpy.ScopeVarArgs == 0 {
			vm.positionalMismatch(fun, c.nPos, n)
		}
		vm.Mem[extra] = vm.NewTuple(args[c.nPos:]...)
		extra--
		n = c.nPos
	} else {
		if c.flags&mpy.ScopeVarArgs != 0 {
			vm.Mem[extra] = EmptyTuple
			extra--
		}
		if len(kw) == 0 && c.flags&mpy.ScopeDefKwArgs == 0 {
			if n < c.nPos-c.nDef {
				vm.positionalMismatch(fun, c.nPos-c.nDef, n)
			}
			for i := n; i < c.nPos; i++ {
				vm.Mem[top-uint32(i)] = vm.Mem[defaults+uint32(i-(c.nPos-c.nDef))]
			}
		}
	}
	for i := 0; i < n; i++ {
		vm.Mem[top-uint32(i)] = args[i]
	}
	if len(kw) == 0 && c.flags&mpy.ScopeDefKwArgs == 0 {
		if c.nKwOnly != 0 {
			vm.RaiseMsg(TypeTypeError, "function missing keyword-only argument")
		}
		if c.flags&mpy.ScopeVarKeywords != 0 {
			vm.Mem[extra] = vm.NewDict(0)
		}
		return
	}
	vm.bindKeywords(fun, c, top, extra, kw)
}

func (vm *VM) bindKeywords(fun Value, c *Code, top, extra uint32, kw []Value) {
	dict := Null
	if c.flags&mpy.ScopeVarKeywords != 0 {
		dict = vm.NewDict(len(kw) / 2)
		vm.Mem[extra] = dict
	}
	table := uint32(vm.Mem[fun/4+funTable]) / 4
	defaults := uint32(fun)/4 + funDefaults
	total := uint32(c.nPos + c.nKwOnly)
next:
	for i := 0; i < len(kw); i += 2 {
		for j := uint32(0); j < total; j++ {
			if kw[i] == vm.Mem[table+j] {
				if vm.Mem[top-j] != Null {
					vm.Raisef(TypeTypeError, "function got multiple values for argument '%q'", kw[i].Qstr())
				}
				vm.Mem[top-j] = kw[i+1]
				continue next
			}
		}
		if dict == Null {
			if vm.terse() {
				vm.RaiseMsg(TypeTypeError, "unexpected keyword argument")
			}
			vm.Raisef(TypeTypeError, "unexpected keyword argument '%q'", kw[i].Qstr())
		}
		vm.DictStore(dict, kw[i], kw[i+1])
	}
	for i := 0; i < c.nDef; i++ { // defaults of the last nDef positional arguments
		at := top - uint32(c.nPos-c.nDef+i)
		if vm.Mem[at] == Null {
			vm.Mem[at] = vm.Mem[defaults+uint32(i)]
		}
	}
	// C reports the last missing one first.
	for i := c.nPos - c.nDef - 1; i >= 0; i-- {
		if vm.Mem[top-uint32(i)] == Null {
			vm.Raisef(TypeTypeError, "function missing required positional argument #%d", i)
		}
	}
	for i := 0; i < c.nKwOnly; i++ {
		at := top - uint32(c.nPos+i)
		if vm.Mem[at] != Null {
			continue
		}
		name := vm.Mem[table+uint32(c.nPos+i)]
		v := Null
		if c.flags&mpy.ScopeDefKwArgs != 0 {
			v = vm.DictGet(vm.Mem[defaults+uint32(c.nDef)], name)
		}
		if v == Null {
			vm.Raisef(TypeTypeError, "function missing required keyword argument '%q'", name.Qstr())
		}
		vm.Mem[at] = v
	}
}

func funPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	p.Printf("<function %q at 0x%p>", vm.FunName(self), self)
}

func funAttr(vm *VM, self Value, attr Qstr, dst *[2]Value) {
	if dst[0] == Null && attr == QName {
		dst[0] = vm.FunName(self).Value()
	}
}

func closurePrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	p.String("<closure ")
	p.Value(vm.Mem[self/4+1], PrintRepr)
	n := uint32(vm.Mem[self/4+2])
	p.Printf(" at %p, n_closed=%u ", self, n)
	for i := uint32(0); i < n; i++ {
		if cell := vm.Mem[uint32(self)/4+3+i]; cell == Null {
			p.String("(nil)")
		} else {
			p.Value(cell, PrintRepr)
		}
		p.String(" ")
	}
	p.String(">")
}

func cellPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	v := vm.Mem[self/4+1]
	p.Printf("<cell %p ", v)
	if v == Null {
		p.String("(nil)")
	} else {
		p.Value(v, PrintRepr)
	}
	p.String(">")
}

func boundPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	p.Printf("<bound_method %p ", self)
	p.Value(vm.Mem[self/4+2], PrintRepr)
	p.String(".")
	p.Value(vm.Mem[self/4+1], PrintRepr)
	p.String(">")
}

func boundAttr(vm *VM, self Value, attr Qstr, dst *[2]Value) {
	if dst[0] == Null && attr == QName {
		f := vm.Mem[self/4+1]
		if t := vm.TypeOf(f); t == TypeFunBC || t == TypeGenWrap {
			dst[0] = vm.FunName(f).Value()
		}
	}
}

func (fw *Firmware) initFunctions() {
	o := &fw.Options
	f := &Type{Name: fw.Q("function"), Unary: genericUnary, Flags: FlagBindable, Call: func(vm *VM, self Value, args, kw []Value) Value {
		return vm.Call(self, args, kw)
	}}
	if o.CPythonCompat {
		f.Print = funPrint
	}
	g := &Type{Name: fw.Q("generator"), Unary: genericUnary, Flags: FlagBindable, Call: f.Call}
	b := &Type{Name: fw.Q("bound_method"), Call: func(vm *VM, self Value, args, kw []Value) Value {
		return vm.callMethodSelf(vm.Mem[self/4+1], vm.Mem[self/4+2], args, kw)
	}}
	if o.FunctionAttrs {
		f.Attr, g.Attr, b.Attr = funAttr, funAttr, boundAttr
	}
	c := &Type{Name: fw.Q("closure"), Flags: FlagBindable, Call: closureCall}
	cell := &Type{Name: fw.Q("cell")}
	if o.Errors == ErrorsDetailed {
		b.Print, c.Print, cell.Print = boundPrint, closurePrint, cellPrint
	} else {
		cell.Name = 0
	}
	fw.define(TypeFunBC, f)
	fw.define(TypeGenWrap, g)
	fw.define(TypeFunBuiltin, &Type{
		Name: fw.Q("function"), Flags: FlagBindable, Call: func(vm *VM, self Value, args, kw []Value) Value {
			return vm.callBuiltin(vm.fw.rom[(self-romBase)/4].fun, args, kw)
		}, Unary: genericUnary,
	})
	fw.define(TypeClosure, c)
	fw.define(TypeCell, cell)
	fw.define(TypeBoundMeth, b)
	fw.define(TypeCheckedFun, &Type{Name: fw.Q("function"), Call: checkedFunCall, Flags: FlagBindable})
	fw.define(TypeRawCode, &Type{Name: fw.Q("code")})
}
