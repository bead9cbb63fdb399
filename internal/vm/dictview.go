package vm

// This file is the views of dicts, [type, dict, kind], and the iterator over dicts
// and views, [type, kind, dict, slot].

// The kinds of view, plain words.
const (
	viewItems Value = iota
	viewKeys
	viewValues
)

// dictView returns the method that makes a view of a kind.
func dictView(kind Value) Fn1 {
	return func(vm *VM, self Value) Value {
		vm.wantDict(self)
		o := vm.Alloc(12)
		vm.Mem[o/4], vm.Mem[o/4+1], vm.Mem[o/4+2] = TypeDictView, self, kind
		return Value(o)
	}
}

func newDictIter(vm *VM, kind, dict Value, buf uint32) Value {
	i := buf / 4
	vm.Mem[i], vm.Mem[i+1], vm.Mem[i+2], vm.Mem[i+3] = TypeDictViewIter, kind, dict, 0
	return Value(buf)
}

func dictIter(vm *VM, self Value, buf uint32) Value { return newDictIter(vm, viewKeys, self, buf) }

func dictViewIter(vm *VM, self Value, buf uint32) Value {
	return newDictIter(vm, vm.Mem[self/4+2], vm.Mem[self/4+1], buf)
}

func dictViewIterNext(vm *VM, self Value) Value {
	i := uint32(self) / 4
	pos := int(vm.Mem[i+3])
	k, v, ok := vm.DictNext(vm.Mem[i+2], &pos)
	if !ok {
		return Null
	}
	vm.Mem[i+3] = Value(pos)
	switch vm.Mem[i+1] {
	case viewKeys:
		return k
	case viewValues:
		return v
	}
	return vm.NewTuple(k, v)
}

func dictViewPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	view, dict := vm.Mem[self/4+2], vm.Mem[self/4+1]
	p.String([...]string{"dict_items", "dict_keys", "dict_values"}[view])
	p.String("([")
	for pos, first := 0, true; ; first = false {
		k, v, ok := vm.DictNext(dict, &pos)
		if !ok {
			break
		}
		if !first {
			p.String(", ")
		}
		switch view {
		case viewKeys:
			p.Value(k, PrintRepr)
		case viewValues:
			p.Value(v, PrintRepr)
		default:
			// only the tuple is forgotten: printing may have moved p's buffer
			at := vm.Mark()
			p.Value(vm.NewTuple(k, v), PrintRepr)
			vm.temps[at] = 0
		}
	}
	p.String("])")
}

func dictViewBinary(vm *VM, op BinaryOp, lhs, rhs Value) Value {
	if op != BinContains || vm.Mem[lhs/4+2] != viewKeys {
		return Null
	}
	return dictBinary(vm, op, vm.Mem[lhs/4+1], rhs)
}

func (fw *Firmware) initDictViews() {
	fw.define(TypeDictView, &Type{
		Name: fw.Q("dict_view"), Print: dictViewPrint, Binary: dictViewBinary, Iter: dictViewIter,
	})
	fw.define(TypeDictViewIter, &Type{
		Name: fw.Q("iterator"), Flags: FlagOwnIter, Iter: identityIter, Next: dictViewIterNext,
	})
}
