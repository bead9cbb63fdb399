package vm

// This file finds attributes and methods.

// LoadMethodMaybe finds an attribute: m[0] is Null if there is none, else the
// attribute; m[1] is the object to pass first if it is a method.
func (vm *VM) LoadMethodMaybe(obj Value, attr Qstr, m *[2]Value) {
	m[0], m[1] = Null, Null
	typ := vm.TypeOf(obj)
	t := vm.TypeInfo(typ)
	switch {
	case attr == QClass && vm.opt.CPythonCompat:
		m[0] = typ
	case attr == QNext && t.Next != nil:
		m[0], m[1] = vm.fw.next, obj
	case t.Attr != nil:
		t.Attr(vm, obj, attr, m)
	default:
		if v := t.Locals.Get(attr); v != Null {
			vm.convertMember(obj, typ, v, m)
		}
	}
}

// LoadMethod is LoadMethodMaybe that raises AttributeError.
func (vm *VM) LoadMethod(obj Value, attr Qstr, m *[2]Value) {
	vm.LoadMethodMaybe(obj, attr, m)
	if m[0] == Null {
		vm.noAttribute(obj, attr)
	}
}

func (vm *VM) noAttribute(obj Value, attr Qstr) {
	if vm.terse() {
		vm.RaiseMsg(TypeAttributeError, "no such attribute")
	}
	if vm.isType(obj) {
		vm.Raisef(TypeAttributeError, "type object '%q' has no attribute '%q'", vm.TypeName(obj), attr)
	}
	vm.Raisef(TypeAttributeError, "'%s' object has no attribute '%q'", vm.TypeNameOf(obj), attr)
}

// LoadAttr is obj.attr; a method becomes a bound method object.
func (vm *VM) LoadAttr(obj Value, attr Qstr) Value {
	d, back := vm.pair()
	vm.LoadMethod(obj, attr, d)
	m := *d
	vm.nscratch = back
	if m[1] == Null {
		return m[0]
	}
	return vm.NewBoundMethod(m[0], m[1])
}

// StoreAttr is obj.attr = value, or del obj.attr with value Null.
func (vm *VM) StoreAttr(obj Value, attr Qstr, value Value) {
	if t := vm.typeInfoOf(obj); t.Attr != nil {
		d, back := vm.pair()
		d[0], d[1] = Sentinel, value
		t.Attr(vm, obj, attr, d)
		vm.nscratch = back
		if d[0] == Null {
			return
		}
	}
	if vm.terse() {
		vm.RaiseMsg(TypeAttributeError, "no such attribute")
	}
	vm.Raisef(TypeAttributeError, "'%s' object has no attribute '%q'", vm.TypeNameOf(obj), attr)
}

// convertMember turns what was found in a type's dict into what an access
// through obj (Null: through the type itself) gives.
func (vm *VM) convertMember(obj, typ, member Value, m *[2]Value) {
	mt := vm.TypeOf(member)
	switch mt {
	case TypeFunBC:
		m[0], m[1] = member, obj
	case TypeStaticMethod:
		m[0] = vm.wrapped(member)
	case TypeClassMethod:
		if obj != Null {
			typ = vm.TypeOf(obj)
		}
		m[0], m[1] = vm.wrapped(member), typ
	case TypeType:
		m[0] = member
	default:
		m[0] = member
		if mt < romBase || vm.TypeInfo(mt).Flags&FlagBindable == 0 {
			return
		}
		if obj == Null && mt == TypeFunBuiltin && vm.opt.MethodCheckSelf {
			m[0] = vm.newCheckedFun(typ, member)
			return
		}
		m[1] = obj
	}
}

// wrapped returns the function of a staticmethod or classmethod object.
func (vm *VM) wrapped(m Value) Value {
	if m >= romBase {
		return vm.fw.rom[(m-romBase)/4].ref.(Value)
	}
	return vm.Mem[m/4+1]
}

// newCheckedFun wraps a built-in method so that its first argument's type is
// checked: [type, class, function].
func (vm *VM) newCheckedFun(typ, fun Value) Value {
	o := vm.Alloc(12)
	vm.Mem[o/4], vm.Mem[o/4+1], vm.Mem[o/4+2] = TypeCheckedFun, typ, fun
	return Value(o)
}

func checkedFunCall(vm *VM, self Value, args, kw []Value) Value {
	want := vm.Mem[self/4+1]
	if len(args) > 0 {
		if got := vm.TypeOf(args[0]); got != want {
			if !vm.detailed() {
				vm.RaiseMsg(TypeTypeError, "argument has wrong type")
			}
			vm.Raisef(TypeTypeError, "argument should be a '%q' not a '%q'", vm.TypeName(want), vm.TypeName(got))
		}
	}
	return vm.Call(vm.Mem[self/4+2], args, kw)
}

// IsSubclass reports whether class typ is base or derives from it.
func (vm *VM) IsSubclass(typ, base Value) bool {
	for {
		if typ == base {
			return true
		}
		if !vm.isType(typ) {
			return false
		}
		if typ >= romBase {
			typ = vm.fw.rom[(typ-romBase)/4].t.Parent
			if typ == Null {
				return false
			}
			continue
		}
		parent := vm.classParent(typ)
		if parent == Null {
			return false
		}
		if vm.TypeOf(parent) == TypeTuple {
			bases := vm.TupleItems(parent)
			for _, b := range bases[:len(bases)-1] {
				if vm.IsSubclass(b, base) {
					return true
				}
			}
			parent = bases[len(bases)-1]
		}
		typ = parent
	}
}
