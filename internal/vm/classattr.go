package vm

// This file is attribute access of instances, classes and super().

func instanceAttr(vm *VM, self Value, attr Qstr, dst *[2]Value) {
	if dst[0] == Null {
		vm.instanceLoad(self, attr, dst)
	} else if vm.instanceStore(self, attr, dst[1]) {
		dst[0] = Null
	}
}

func (vm *VM) instanceLoad(self Value, attr Qstr, dst *[2]Value) {
	members := uint32(self)/4 + 1
	if s := vm.mapGet(members, attr.Value()); s != 0 {
		dst[0] = vm.Mem[s+1]
		return
	}
	if attr == QDict && vm.opt.CPythonCompat {
		d := vm.NewDict(vm.mapUsed(members))
		n, t := uint32(vm.Mem[members+1]), uint32(vm.Mem[members+2])/4
		for i := uint32(0); i < n; i++ {
			if k := vm.Mem[t+2*i]; k != Null && k != Sentinel {
				vm.DictStore(d, k, vm.Mem[t+2*i+1])
			}
		}
		dst[0] = d
		return
	}
	c := vm.Mem[self/4]
	vm.classLookup(self, attr, slotNone, false, c, dst)
	if member := dst[0]; member != Null {
		if vm.Mem[c/4+classFlags]&classAccessors == 0 {
			return
		}
		if vm.opt.Property && vm.TypeOf(member) == TypeProperty {
			get := vm.Mem[member/4+1]
			if get == None {
				vm.RaiseMsg(TypeAttributeError, "unreadable attribute")
			}
			dst[0], dst[1] = vm.Call1(get, self), Null
			return
		}
		if vm.opt.Descriptors {
			var get [2]Value
			vm.LoadMethodMaybe(member, QGet, &get)
			if get[0] != Null {
				dst[0], dst[1] = vm.callMethod(get, []Value{self, c}), Null
			}
		}
		return
	}
	if attr == QGetattr || vm.opt.DelAttr && (attr == QSetattr || attr == QDelattr) {
		return
	}
	var get [2]Value
	vm.LoadMethodMaybe(self, QGetattr, &get)
	if get[0] != Null {
		dst[0] = vm.callMethod(get, []Value{attr.Value()})
	}
}

// instanceStore stores, or with value Null deletes, and reports success.
func (vm *VM) instanceStore(self Value, attr Qstr, value Value) bool {
	c := vm.Mem[self/4]
	if vm.Mem[c/4+classFlags]&classAccessors != 0 {
		if done, ok := vm.storeSpecial(self, attr, value); done {
			return ok
		}
	}
	members := uint32(self)/4 + 1
	if value == Null {
		return vm.mapFind(members, attr.Value(), mapRemove) != 0
	}
	s := vm.mapGet(members, attr.Value())
	if s == 0 {
		vm.everMember.add(attr)
		s = vm.mapFind(members, attr.Value(), mapAdd)
	}
	vm.Mem[s+1] = value
	return true
}

// storeSpecial tries properties, descriptors, __setattr__ and __delattr__.
func (vm *VM) storeSpecial(self Value, attr Qstr, value Value) (done, ok bool) {
	if vm.opt.Property || vm.opt.Descriptors {
		m, back := vm.pair()
		defer vm.releasePair(back)
		vm.classLookup(self, attr, slotNone, false, vm.Mem[self/4], m)
		member := m[0]
		if vm.opt.Property && member != Null && vm.TypeOf(member) == TypeProperty {
			return true, vm.storeProperty(member, self, value)
		}
		if vm.opt.Descriptors && member != Null {
			if value == Null {
				vm.LoadMethodMaybe(member, QDelete, m)
			} else {
				vm.LoadMethodMaybe(member, QSet, m)
			}
			if m[0] != Null {
				vm.callAccessor(*m, self, value)
				return true, true
			}
		}
	}
	if vm.opt.DelAttr {
		m, back := vm.pair()
		defer vm.releasePair(back)
		if value == Null {
			vm.LoadMethodMaybe(self, QDelattr, m)
		} else {
			vm.LoadMethodMaybe(self, QSetattr, m)
		}
		if m[0] != Null {
			vm.callAccessor(*m, attr.Value(), value)
			return true, true
		}
	}
	return false, false
}

func (vm *VM) releasePair(back int) { vm.nscratch = back }

// callAccessor calls a method with one argument, and with value unless it is
// Null.
func (vm *VM) callAccessor(m [2]Value, a, value Value) {
	if value == Null {
		vm.callMethod(m, []Value{a})
		return
	}
	vm.callMethod(m, []Value{a, value})
}

func (vm *VM) storeProperty(prop, self, value Value) bool {
	if value == Null {
		del := vm.Mem[prop/4+3]
		if del == None {
			return false
		}
		vm.Call1(del, self)
		return true
	}
	set := vm.Mem[prop/4+2]
	if set == None {
		return false
	}
	vm.Call2(set, self, value)
	return true
}

// specialAccessor reports whether a class attribute makes attribute access of
// its instances special.
func (vm *VM) specialAccessor(key, value Value) bool {
	if vm.opt.DelAttr && (key == QSetattr.Value() || key == QDelattr.Value()) {
		return true
	}
	if vm.opt.Property && vm.TypeOf(value) == TypeProperty {
		return true
	}
	if vm.opt.Descriptors {
		for _, q := range [...]Qstr{QGet, QSet, QDelete} {
			var m [2]Value
			if vm.isInstance(value) || vm.isType(value) {
				vm.Try(func() { vm.LoadMethodMaybe(value, q, &m) })
			} else {
				vm.LoadMethodMaybe(value, q, &m)
			}
			if m[0] != Null {
				return true
			}
		}
	}
	return false
}

// basesOf is __bases__ of a class or built-in type.
func (vm *VM) basesOf(class Value) Value {
	if class == TypeObject {
		return EmptyTuple
	}
	parent := Null
	if vm.isNative(class) {
		parent = vm.TypeInfo(class).Parent
	} else {
		parent = vm.classParent(class)
	}
	switch {
	case parent == Null:
		parent = TypeObject
	case vm.TypeOf(parent) == TypeTuple:
		return parent
	}
	return vm.NewTuple(parent)
}

// typeAttr is attribute access of classes and built-in types.
func typeAttr(vm *VM, self Value, attr Qstr, dst *[2]Value) {
	if dst[0] == Null {
		if attr == QName && vm.opt.CPythonCompat {
			dst[0] = vm.TypeName(self).Value()
			return
		}
		if attr == vm.fw.names12.bases {
			dst[0] = vm.basesOf(self)
			return
		}
		vm.classLookup(self, attr, slotNone, true, self, dst)
		return
	}
	if vm.isNative(self) {
		return
	}
	locals := DictMap(vm.classLocals(self))
	if vm.Mem[locals]&mapFixed != 0 {
		return
	}
	vm.typeGen++
	if dst[1] == Null {
		if vm.mapFind(locals, attr.Value(), mapRemove) != 0 {
			dst[0] = Null
		}
		return
	}
	flags := vm.Mem[self/4+classFlags]
	if flags&classAccessors == 0 && vm.specialAccessor(attr.Value(), dst[1]) {
		if flags&classSubclassed != 0 {
			vm.RaiseMsg(TypeAttributeError, "can't add special method to already-subclassed class")
		}
		vm.Mem[self/4+classFlags] |= classAccessors
	}
	s := vm.mapFind(locals, attr.Value(), mapAdd)
	vm.Mem[s+1] = dst[1]
	dst[0] = Null
}

// NewClass is type(name, bases, dict).
func (vm *VM) NewClass(name Qstr, bases, locals Value) Value {
	if vm.TypeOf(bases) != TypeTuple || vm.TypeOf(locals) != TypeDict {
		vm.Raise(vm.NewException(TypeTypeError))
	}
	var flags Value
	items := vm.TupleItems(bases)
	for _, b := range items {
		if !vm.isType(b) {
			vm.Raise(vm.NewException(TypeTypeError))
		}
		if vm.isNative(b) {
			if vm.TypeInfo(b).New == nil {
				if vm.terse() {
					vm.RaiseMsg(TypeTypeError, "type isn't an acceptable base type")
				}
				vm.Raisef(TypeTypeError, "type '%q' isn't an acceptable base type", vm.TypeName(b))
			}
			continue
		}
		vm.Mem[b/4+classFlags] |= classSubclassed
		flags |= vm.Mem[b/4+classFlags] & classAccessors
	}
	c := Value(vm.Alloc(classBytes))
	vm.Mem[c/4] = TypeType
	vm.Mem[c/4+classFlags] = flags | Value(name)<<16
	switch len(items) {
	case 0:
	case 1:
		vm.Mem[c/4+classParent] = items[0]
	default:
		vm.Mem[c/4+classParent] = bases
	}
	vm.Mem[c/4+classLocals] = locals
	if flags&classAccessors == 0 {
		for pos := 0; ; {
			k, v, ok := vm.DictNext(locals, &pos)
			if !ok {
				break
			}
			if vm.specialAccessor(k, v) {
				vm.Mem[c/4+classFlags] |= classAccessors
				break
			}
		}
	}
	if n, _ := vm.nativeBases(c); n > 1 {
		vm.RaiseMsg(TypeTypeError, "multiple bases have instance lay-out conflict")
	}
	if s := vm.mapGet(DictMap(locals), QNew.Value()); s != 0 {
		if t := vm.TypeOf(vm.Mem[s+1]); t == TypeFunBC || t == TypeFunBuiltin {
			o := vm.Alloc(8)
			vm.Mem[o/4], vm.Mem[o/4+1] = TypeStaticMethod, vm.Mem[s+1]
			vm.Mem[s+1] = Value(o)
		}
	}
	vm.typeGen++
	return c
}

func typePrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	p.Printf("<class '%q'>", vm.TypeName(self))
}

func typeNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 1, 3, false)
	switch len(args) {
	case 1:
		return vm.TypeOf(args[0])
	case 3:
		return vm.NewClass(vm.InternValue(args[0]).Qstr(), args[1], args[2])
	}
	vm.RaiseMsg(TypeTypeError, "type takes 1 or 3 arguments")
	return Null
}

func typeCall(vm *VM, self Value, args, kw []Value) Value {
	if !vm.isNative(self) {
		return vm.instanceNew(self, args, kw)
	}
	t := vm.TypeInfo(self)
	if t.New == nil {
		if vm.terse() {
			vm.RaiseMsg(TypeTypeError, "cannot create instance")
		}
		vm.Raisef(TypeTypeError, "cannot create '%q' instances", t.Name)
	}
	return t.New(vm, self, args, kw)
}

// superAttr looks an attribute up behind the class of a super object: [type,
// class, object].
func superAttr(vm *VM, self Value, attr Qstr, dst *[2]Value) {
	if dst[0] == Null {
		vm.superLookup(vm.Mem[self/4+1], vm.Mem[self/4+2], attr, dst)
	}
}

func (vm *VM) superLookup(class, obj Value, attr Qstr, dst *[2]Value) {
	s := slotNone
	if attr == QInit {
		s = slotNew
	}
	parent := Null
	if class < romBase {
		parent = vm.classParent(class)
	} else {
		parent = vm.TypeInfo(class).Parent
	}
	switch {
	case parent == Null || parent == TypeObject:
	case vm.TypeOf(parent) == TypeTuple:
		for _, b := range vm.TupleItems(parent) {
			if b == TypeObject {
				continue
			}
			vm.classLookup(obj, attr, s, false, b, dst)
			if dst[0] != Null {
				break
			}
		}
	default:
		vm.classLookup(obj, attr, s, false, parent, dst)
	}
	if dst[0] != Null {
		if dst[0] == Sentinel {
			dst[0], dst[1] = vm.fw.baseInit, obj
		}
		return
	}
	vm.classLookup(obj, attr, slotNone, false, TypeObject, dst)
}

func superPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	p.String("<super: ")
	p.Value(vm.Mem[self/4+1], PrintStr)
	p.String(", ")
	p.Value(vm.Mem[self/4+2], PrintStr)
	p.String(">")
}

func superNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 2, 2, false)
	if !vm.isType(args[0]) {
		vm.Raise(vm.NewException(TypeTypeError))
	}
	o := vm.Alloc(12)
	vm.Mem[o/4], vm.Mem[o/4+1], vm.Mem[o/4+2] = typ, args[0], args[1]
	return Value(o)
}

func wrapNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 1, 1, false)
	o := vm.Alloc(8)
	vm.Mem[o/4], vm.Mem[o/4+1] = typ, args[0]
	return Value(o)
}

func (fw *Firmware) initTypeTypes() {
	fw.define(TypeType, &Type{
		Name: fw.Q("type"), Print: typePrint, New: typeNew, Call: typeCall, Unary: genericUnary, Attr: typeAttr,
	})
	fw.define(TypeSuper, &Type{Name: fw.Q("super"), Print: superPrint, New: superNew, Attr: superAttr})
	fw.define(TypeStaticMethod, &Type{Name: fw.Q("staticmethod"), New: wrapNew})
	fw.define(TypeClassMethod, &Type{Name: fw.Q("classmethod"), New: wrapNew})
}
