package vm

// This file is the small types: None, the singletons, object, property.

func nonePrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	if kind == PrintJSON {
		p.String("null")
		return
	}
	p.String("None")
}

func noneUnary(vm *VM, op UnaryOp, self Value) Value {
	if op == UnaryBool {
		return False
	}
	return genericUnary(vm, op, self)
}

// objectNew is object(): an object of one word.
func objectNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 0, 0, false)
	o := vm.Alloc(4)
	vm.Mem[o/4] = typ
	return Value(o)
}

// objectNewMethod is object.__new__(cls).
func objectNewMethod(vm *VM, cls Value) Value {
	if !vm.isType(cls) || vm.isNative(cls) {
		vm.RaiseMsg(TypeTypeError, "__new__ arg must be a user-type")
	}
	o, base := vm.newInstance(cls)
	_ = base
	return o
}

func objectSetattr(vm *VM, self, attr, v Value) Value {
	if !vm.isInstance(self) {
		vm.RaiseMsg(TypeTypeError, "arg must be user-type")
	}
	if !vm.IsStr(attr) {
		vm.Raise(vm.NewException(TypeTypeError))
	}
	q := vm.InternValue(attr)
	vm.everMember.add(q.Qstr())
	vm.Mem[vm.mapFind(uint32(self)/4+1, q, mapAdd)+1] = v
	return None
}

func objectDelattr(vm *VM, self, attr Value) Value {
	if !vm.isInstance(self) {
		vm.RaiseMsg(TypeTypeError, "arg must be user-type")
	}
	if !vm.IsStr(attr) {
		vm.Raise(vm.NewException(TypeTypeError))
	}
	q := vm.InternValue(attr)
	if vm.mapFind(uint32(self)/4+1, q, mapRemove) == 0 {
		vm.Raisef(TypeAttributeError, "'%s' object has no attribute '%q'", vm.TypeNameOf(self), q.Qstr())
	}
	return None
}

// propertyNew is property(fget=None, fset=None, fdel=None, doc=None): [type,
// get, set, del].
func propertyNew(vm *VM, typ Value, args, kw []Value) Value {
	fields := [4]Value{None, None, None, None}
	names := vm.fw.propertyArgs
	if len(args) > 4 {
		vm.argMismatchOr("extra positional arguments given")
	}
	copy(fields[:], args)
	used := 0
	for i, q := range names {
		for k := 0; k < len(kw); k += 2 {
			if kw[k] == q.Value() && i >= len(args) {
				fields[i] = kw[k+1]
				used++
			}
		}
	}
	if used < len(kw)/2 {
		vm.extraKeyword()
	}
	o := vm.Alloc(16)
	vm.Mem[o/4], vm.Mem[o/4+1], vm.Mem[o/4+2], vm.Mem[o/4+3] = typ, fields[0], fields[1], fields[2]
	return Value(o)
}

func (vm *VM) argMismatchOr(text string) {
	if vm.terse() {
		vm.argMismatch()
	}
	vm.RaiseMsg(TypeTypeError, text)
}

// propertyCopy is the decorator p.getter, p.setter or p.deleter.
func propertyCopy(field uint32) Fn2 {
	return func(vm *VM, self, f Value) Value {
		o := vm.Alloc(16)
		copy(vm.Mem[o/4:o/4+4], vm.Mem[self/4:self/4+4])
		vm.Mem[o/4+field] = f
		return Value(o)
	}
}

func (fw *Firmware) initObjects() {
	o := &fw.Options
	fw.define(TypeNone, &Type{Name: fw.Q("NoneType"), Print: nonePrint, Unary: noneUnary})
	fw.define(TypeSingleton, &Type{Print: func(vm *VM, p *Printer, self Value, kind PrintKind) {
		if self == Ellipsis {
			p.String("Ellipsis")
			return
		}
		p.String("NotImplemented")
	}, Name: QEmpty})
	obj := fw.define(TypeObject, &Type{Name: fw.Q("object"), New: objectNew})
	if o.CPythonCompat {
		fw.Method(obj, "__init__", fw.Func1("__init__", func(vm *VM, self Value) Value { return None }))
		fw.Method(obj, "__new__", fw.Static(fw.Func1("__new__", objectNewMethod)))
		if o.DelAttr {
			fw.Method(obj, "__setattr__", fw.Func3("__setattr__", objectSetattr))
			fw.Method(obj, "__delattr__", fw.Func2("__delattr__", objectDelattr))
		}
	}
	fw.propertyArgs = [4]Qstr{fw.Q("fget"), fw.Q("fset"), fw.Q("fdel"), fw.Q("doc")}
	prop := fw.define(TypeProperty, &Type{Name: fw.Q("property"), New: propertyNew})
	fw.Method(prop, "getter", fw.Func2("getter", propertyCopy(1)))
	fw.Method(prop, "setter", fw.Func2("setter", propertyCopy(2)))
	fw.Method(prop, "deleter", fw.Func2("deleter", propertyCopy(3)))
}
