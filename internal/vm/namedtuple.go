package vm

// This file is named tuples. A named tuple type is a built-in type made at run
// time: 15 words as a class (see class.go) with the flag classNative, the number
// of fields, their names. Its objects are laid out as tuples.

const (
	namedCount  = 15 // word of the number of fields
	namedFields = 16 // word of the first name
)

// isNative reports whether a type is built in, that is, no class of the program.
func (vm *VM) isNative(t Value) bool {
	return t >= romBase || vm.Mem[t/4+classFlags]&classNative != 0
}

// namedNames returns the field names of a named tuple type, as qstrs.
func (vm *VM) namedNames(typ Value) []Value {
	i, n := uint32(typ)/4+namedFields, uint32(vm.Mem[typ/4+namedCount])
	return vm.Mem[i : i+n : i+n]
}

// newNamedTupleType is namedtuple(name, fields).
func newNamedTupleType(vm *VM, name, fields Value) Value {
	q := vm.InternValue(name).Qstr()
	if vm.opt.CPythonCompat && vm.IsStr(fields) {
		fields = vm.CallMethod(fields, vm.fw.split)
	}
	names := vm.Array(fields)
	o := Value(vm.Alloc(64 + 4*uint32(len(names))))
	i := uint32(o) / 4
	vm.Mem[i] = TypeType
	// attributes are never in a map of members, and cannot be stored
	vm.Mem[i+classFlags] = classNative | classAccessors | Value(q)<<16
	vm.Mem[i+classParent] = TypeTuple
	vm.Mem[i+namedCount] = Value(len(names))
	for j, f := range names {
		vm.Mem[i+namedFields+uint32(j)] = vm.InternValue(f)
	}
	return o
}

// namedTupleNew makes a named tuple from positional and keyword arguments.
func namedTupleNew(vm *VM, typ Value, args, kw []Value) Value {
	n := int(vm.Mem[typ/4+namedCount])
	if len(args)+len(kw)/2 != n {
		switch {
		case vm.terse():
			vm.argMismatch()
		case vm.detailed():
			vm.Raisef(TypeTypeError, "%q() takes %d positional arguments but %d were given",
				vm.TypeName(typ), n, len(args)+len(kw)/2)
		default:
			vm.Raisef(TypeTypeError, "function takes %d positional arguments but %d were given", n, len(args)+len(kw)/2)
		}
	}
	if n == 0 {
		// C stores the type into the empty tuple, which is in ROM
		o := vm.Alloc(8)
		vm.Mem[o/4], vm.Mem[o/4+1] = typ, 0
		return Value(o)
	}
	t := vm.NewTupleLen(n)
	vm.Mem[t/4] = typ
	items := vm.TupleItems(t)
	copy(items, args)
	for i := 0; i < len(kw); i += 2 {
		at := vm.namedField(typ, kw[i])
		if at < 0 {
			if vm.terse() {
				vm.argMismatch()
			}
			vm.Raisef(TypeTypeError, "unexpected keyword argument '%q'", kw[i].Qstr())
		}
		if items[at] != Null {
			if vm.terse() {
				vm.argMismatch()
			}
			vm.Raisef(TypeTypeError, "function got multiple values for argument '%q'", kw[i].Qstr())
		}
		items[at] = kw[i+1]
	}
	return t
}

// namedField returns the position of a field, or -1.
func (vm *VM) namedField(typ, name Value) int {
	for i, f := range vm.namedNames(typ) {
		if f == name {
			return i
		}
	}
	return -1
}

func namedTupleAttr(vm *VM, self Value, attr Qstr, dst *[2]Value) {
	if dst[0] != Null {
		vm.RaiseMsg(TypeAttributeError, "can't set attribute")
	}
	if attr == vm.fw.asdict && vm.opt.NamedTupleAsdict {
		dst[0], dst[1] = vm.fw.asdictFun, self
		return
	}
	if i := vm.namedField(vm.Mem[self/4], attr.Value()); i >= 0 {
		dst[0] = vm.TupleItems(self)[i]
	}
}

func namedTupleAsdict(vm *VM, self Value) Value {
	if t := vm.TypeOf(self); t >= romBase || !vm.isNative(t) {
		vm.checkSelf()
	}
	names := vm.namedNames(vm.Mem[self/4])
	d := vm.NewDict(len(names))
	vm.Mem[d/4] = TypeOrderedDict
	vm.Mem[DictMap(d)] |= mapOrdered
	for i, f := range names {
		vm.DictStore(d, f, vm.TupleItems(self)[i])
	}
	return d
}

func namedTuplePrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	p.Qstr(vm.TypeNameOf(self))
	vm.printFields(p, self, vm.namedNames(vm.Mem[self/4]))
}

// printFields prints the items of a tuple with their names.
func (vm *VM) printFields(p *Printer, t Value, names []Value) {
	p.String("(")
	for i, v := range vm.TupleItems(t) {
		if i > 0 {
			p.String(", ")
		}
		p.Printf("%q=", names[i].Qstr())
		p.Value(v, PrintRepr)
	}
	p.String(")")
}

// attrNames returns the field names of an attribute tuple, whose last word is
// the address of them.
func (vm *VM) attrNames(t Value) []Value {
	n := uint32(vm.Mem[t/4+1])
	i := uint32(vm.Mem[uint32(t)/4+2+n]) / 4
	return vm.Mem[i : i+n : i+n]
}

func attrTuplePrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	vm.printFields(p, self, vm.attrNames(self))
}

func attrTupleAttr(vm *VM, self Value, attr Qstr, dst *[2]Value) {
	if dst[0] != Null {
		return
	}
	for i, f := range vm.attrNames(self) {
		if f == attr.Value() {
			dst[0] = vm.TupleItems(self)[i]
			return
		}
	}
}

func (fw *Firmware) initNamedTuples() {
	fw.named = &Type{
		Name: fw.Q("tuple"), Print: namedTuplePrint, New: namedTupleNew, Unary: tupleUnary, Binary: tupleBinary,
		Attr: namedTupleAttr, Subscr: tupleSubscr, Iter: tupleIter, Parent: TypeTuple, Locals: &Dict{},
	}
	fw.define(TypeAttrTuple, &Type{
		Name: fw.Q("tuple"), Print: attrTuplePrint, Unary: tupleUnary, Binary: tupleBinary,
		Attr: attrTupleAttr, Subscr: tupleSubscr, Iter: tupleIter,
	})
	fw.split = fw.Q("split")
	if fw.Options.NamedTupleAsdict {
		fw.asdict = fw.Q("_asdict")
		fw.asdictFun = fw.Func1("_asdict", namedTupleAsdict)
	}
}

// NamedTupleFunc returns the function namedtuple for module collections.
func (fw *Firmware) NamedTupleFunc() Value { return fw.Func2("namedtuple", newNamedTupleType) }
