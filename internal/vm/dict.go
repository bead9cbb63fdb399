package vm

// This file is the types dict and OrderedDict. A dict is its type and a map (see
// mapping.go); that of an OrderedDict is an array in order of insertion.

// isDictLike reports whether v is a dict or an ordered dict.
func (vm *VM) isDictLike(v Value) bool {
	t := vm.TypeOf(v)
	return t == TypeDict || t == TypeOrderedDict
}

func (vm *VM) wantDict(self Value) {
	if !vm.isDictLike(self) {
		vm.checkSelf()
	}
}

// notFixed raises TypeError for a dict that must not be changed.
func (vm *VM) notFixed(d Value) {
	if vm.Mem[DictMap(d)]&mapFixed != 0 {
		vm.Raise(vm.NewException(TypeTypeError))
	}
}

func dictPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	if kind != PrintJSON {
		kind = PrintRepr
	}
	ordered := vm.opt.OrderedDict && vm.Mem[self/4] != TypeDict && !(vm.opt.V12 && kind == PrintJSON)
	if ordered {
		p.Printf("%q(", vm.TypeNameOf(self))
	}
	p.String("{")
	for pos, first := 0, true; ; first = false {
		k, v, ok := vm.DictNext(self, &pos)
		if !ok {
			break
		}
		if !first {
			p.String(", ")
		}
		// v1.12 makes strings of other keys, so that what is printed is JSON
		quote := vm.opt.V12 && kind == PrintJSON && !vm.IsStrOrBytes(k)
		if quote {
			p.String(`"`)
		}
		p.Value(k, kind)
		if quote {
			p.String(`"`)
		}
		p.String(": ")
		p.Value(v, kind)
	}
	p.String("}")
	if ordered {
		p.String(")")
	}
}

func dictNew(vm *VM, typ Value, args, kw []Value) Value {
	d := vm.NewDict(0)
	vm.Mem[d/4] = typ
	if typ == TypeOrderedDict {
		vm.Mem[DictMap(d)] |= mapOrdered
	}
	if len(args) > 0 || len(kw) > 0 {
		vm.dictUpdate(d, args, kw)
	}
	return d
}

func dictUnary(vm *VM, op UnaryOp, self Value) Value {
	switch op {
	case UnaryBool:
		return Bool(vm.DictLen(self) != 0)
	case UnaryLen:
		return SmallInt(vm.DictLen(self))
	case UnarySizeof:
		if vm.opt.SysGetsizeof {
			return SmallInt(16 + 8*int(vm.Mem[DictMap(self)+1]))
		}
	}
	return Null
}

func dictBinary(vm *VM, op BinaryOp, lhs, rhs Value) Value {
	switch op {
	case BinContains:
		return Bool(vm.mapGet(DictMap(lhs), rhs) != 0)
	case BinEqual:
		leave := vm.enterNative()
		r := vm.dictEqual(lhs, rhs)
		vm.cstack = leave
		return Bool(r)
	}
	return Null
}

func (vm *VM) dictEqual(a, b Value) bool {
	if vm.TypeOf(a) == TypeOrderedDict && vm.TypeOf(b) == TypeOrderedDict {
		for i, j := 0, 0; ; {
			k, v, more := vm.DictNext(a, &i)
			l, w, also := vm.DictNext(b, &j)
			if !more || !also {
				return more == also
			}
			if !vm.Equal(k, l) || !vm.Equal(v, w) {
				return false
			}
		}
	}
	if vm.TypeOf(b) != TypeDict || vm.DictLen(a) != vm.DictLen(b) {
		return false
	}
	for pos := 0; ; {
		k, v, ok := vm.DictNext(a, &pos)
		if !ok {
			return true
		}
		slot := vm.mapGet(DictMap(b), k)
		if slot == 0 || !vm.Equal(v, vm.Mem[slot+1]) {
			return false
		}
	}
}

func dictSubscr(vm *VM, self, index, value Value) Value {
	switch value {
	case Null:
		vm.dictRemove(self, index, Null)
		return None
	case Sentinel:
		if slot := vm.mapGet(DictMap(self), index); slot != 0 {
			return vm.Mem[slot+1]
		}
		vm.RaiseArg(TypeKeyError, index)
	}
	vm.notFixed(self)
	vm.DictStore(self, index, value)
	return None
}

// dictRemove removes a key and returns its value, or def if there is no such key;
// with def Null that is a KeyError.
func (vm *VM) dictRemove(self, key, def Value) Value {
	vm.wantDict(self)
	vm.notFixed(self)
	if slot := vm.mapFind(DictMap(self), key, mapRemove); slot != 0 {
		if v := vm.Mem[slot+1]; v != Null {
			vm.Mem[slot+1] = Null
			return v
		}
	}
	if def == Null {
		vm.RaiseArg(TypeKeyError, key)
	}
	return def
}

func dictClear(vm *VM, self Value) Value {
	vm.wantDict(self)
	vm.notFixed(self)
	vm.mapClear(DictMap(self))
	return None
}

// dictCopy copies the table as it is, holes and all.
func dictCopy(vm *VM, self Value) Value {
	vm.wantDict(self)
	m := DictMap(self)
	d := vm.NewDict(int(vm.Mem[m+1]))
	vm.Mem[d/4] = vm.Mem[self/4]
	c := DictMap(d)
	vm.Mem[c] = vm.Mem[m] &^ (mapFixed | mapWatched | mapWatchedClass)
	from, to, n := uint32(vm.Mem[m+2])/4, uint32(vm.Mem[c+2])/4, 2*uint32(vm.Mem[m+1])
	copy(vm.Mem[to:to+n], vm.Mem[from:from+n])
	return d
}

func dictFromKeys(vm *VM, args []Value) Value {
	value := None
	it := vm.Iter(args[1], 0)
	if len(args) > 2 {
		value = args[2]
	}
	n := 0
	if l := vm.LenMaybe(args[1]); l != Null {
		n = l.SmallInt()
	}
	d := vm.NewDict(n)
	mark := vm.Mark()
	for k := vm.Next(it); k != Null; k = vm.Next(it) {
		vm.DictStore(d, k, value)
		vm.Release(mark)
	}
	return d
}

func dictGet(vm *VM, args []Value) Value {
	vm.wantDict(args[0])
	if slot := vm.mapGet(DictMap(args[0]), args[1]); slot != 0 && vm.Mem[slot+1] != Null {
		return vm.Mem[slot+1]
	}
	if len(args) > 2 {
		return args[2]
	}
	return None
}

func dictPop(vm *VM, args []Value) Value {
	def := Null
	if len(args) > 2 {
		def = args[2]
	}
	return vm.dictRemove(args[0], args[1], def)
}

// dictPopItem takes the first entry of the table. In an ordered dict that leaves
// a hole at the start and hides the last entry, as it does in C.
func dictPopItem(vm *VM, self Value) Value {
	vm.wantDict(self)
	vm.notFixed(self)
	pos := 0
	k, v, ok := vm.DictNext(self, &pos)
	if !ok {
		vm.RaiseMsg(TypeKeyError, "popitem(): dictionary is empty")
	}
	m := DictMap(self)
	vm.mapTouched(m)
	vm.mapAddUsed(m, -1)
	slot := uint32(vm.Mem[m+2])/4 + 2*uint32(pos-1)
	vm.Mem[slot], vm.Mem[slot+1] = Sentinel, Null
	vm.Keep(k)
	vm.Keep(v)
	return vm.NewTuple(k, v)
}

func dictSetDefault(vm *VM, args []Value) Value {
	vm.wantDict(args[0])
	vm.notFixed(args[0])
	slot := vm.mapFind(DictMap(args[0]), args[1], mapAdd)
	if vm.Mem[slot+1] == Null {
		vm.Mem[slot+1] = None
		if len(args) > 2 {
			vm.Mem[slot+1] = args[2]
		}
	}
	return vm.Mem[slot+1]
}

// dictUpdate is the method update: args is empty, a dict, or an iterable of pairs.
func (vm *VM) dictUpdate(self Value, args, kw []Value) {
	vm.wantDict(self)
	vm.notFixed(self)
	vm.checkArgs(len(args)+1, len(kw)/2, 1, 2, true)
	switch {
	case len(args) == 0:
	case !vm.isDictLike(args[0]):
		vm.updatePairs(self, args[0])
	case args[0] != self:
		for pos := 0; ; {
			k, v, ok := vm.DictNext(args[0], &pos)
			if !ok {
				break
			}
			vm.DictStore(self, k, v)
		}
	}
	for i := 0; i < len(kw); i += 2 {
		vm.DictStore(self, kw[i], kw[i+1])
	}
}

func (vm *VM) updatePairs(self, pairs Value) {
	it := vm.Iter(pairs, 0)
	mark := vm.Mark()
	for pair := vm.Next(it); pair != Null; pair = vm.Next(it) {
		inner := vm.Iter(pair, 0)
		k := vm.Next(inner)
		v, end := Null, Null
		if k != Null {
			v = vm.Next(inner)
		}
		if v != Null {
			end = vm.Next(inner)
		}
		if v == Null || end != Null {
			vm.RaiseMsg(TypeValueError, "dict update sequence has wrong length")
		}
		vm.DictStore(self, k, v)
		vm.Release(mark)
	}
}

func (fw *Firmware) initDict() {
	t := &Type{
		Name: fw.Q("dict"), Print: dictPrint, New: dictNew, Unary: dictUnary, Binary: dictBinary,
		Subscr: dictSubscr, Iter: dictIter,
	}
	fw.define(TypeDict, t)
	fw.Method(t, "clear", fw.Func1("clear", dictClear))
	fw.Method(t, "copy", fw.Func1("copy", dictCopy))
	fw.Method(t, "fromkeys", fw.Class(fw.FuncV("fromkeys", 2, 3, dictFromKeys)))
	fw.Method(t, "get", fw.FuncV("get", 2, 3, dictGet))
	fw.Method(t, "items", fw.Func1("items", dictView(viewItems)))
	fw.Method(t, "keys", fw.Func1("keys", dictView(viewKeys)))
	fw.Method(t, "pop", fw.FuncV("pop", 2, 3, dictPop))
	fw.Method(t, "popitem", fw.Func1("popitem", dictPopItem))
	fw.Method(t, "setdefault", fw.FuncV("setdefault", 2, 3, dictSetDefault))
	fw.Method(t, "update", fw.FuncKw("update", 1, func(vm *VM, args, kw []Value) Value {
		vm.dictUpdate(args[0], args[1:], kw)
		return None
	}))
	fw.Method(t, "values", fw.Func1("values", dictView(viewValues)))
	fw.Method(t, "__getitem__", fw.Func2("__getitem__", func(vm *VM, self, key Value) Value {
		vm.wantDict(self)
		return dictSubscr(vm, self, key, Sentinel)
	}))
	fw.Method(t, "__setitem__", fw.Func3("__setitem__", func(vm *VM, self, key, v Value) Value {
		vm.wantDict(self)
		return dictSubscr(vm, self, key, v)
	}))
	fw.Method(t, "__delitem__", fw.Func2("__delitem__", func(vm *VM, self, key Value) Value {
		return dictSubscr(vm, self, key, Null)
	}))
	fw.Builtin("dict", TypeDict)
	fw.initDictViews()
	if !fw.Options.OrderedDict {
		return
	}
	od := *t
	od.Name, od.Parent = fw.Q("OrderedDict"), TypeDict
	fw.define(TypeOrderedDict, &od)
}
