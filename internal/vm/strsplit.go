package vm

import "bytes"

// This file is the methods of str and bytes that take strings apart.

// appendPart appends a part of a string to a list, forgetting it as a temporary.
func (vm *VM) appendPart(list, typ Value, part []byte) {
	mark := vm.Mark()
	vm.ListAppend(list, vm.NewStrOf(typ, part))
	vm.Release(mark)
}

func strSplit(vm *VM, args []Value) Value {
	s := vm.strSelf(args[0])
	typ := vm.TypeOf(args[0])
	sep, limit := None, -1
	if len(args) > 1 {
		sep = args[1]
		if len(args) > 2 {
			limit = vm.Int(args[2])
		}
	}
	list := vm.NewList()
	if sep == None {
		vm.splitSpace(list, typ, s, limit)
		return list
	}
	cut := vm.sameStr(args[0], sep)
	if len(cut) == 0 {
		vm.emptySeparator()
	}
	for {
		at := -1
		if limit != 0 {
			at = bytes.Index(s, cut)
		}
		if at < 0 {
			vm.appendPart(list, typ, s)
			return list
		}
		vm.appendPart(list, typ, s[:at])
		s = s[at+len(cut):]
		if limit > 0 {
			limit--
		}
	}
}

func (vm *VM) splitSpace(list, typ Value, s []byte, limit int) {
	skip := func() {
		for len(s) > 0 && isSpace(s[0]) {
			s = s[1:]
		}
	}
	skip()
	for len(s) > 0 && limit != 0 {
		n := 0
		for n < len(s) && !isSpace(s[n]) {
			n++
		}
		vm.appendPart(list, typ, s[:n])
		s = s[n:]
		if len(s) == 0 {
			break
		}
		skip()
		if limit > 0 {
			limit--
		}
	}
	if len(s) > 0 {
		vm.appendPart(list, typ, s)
	}
}

func (vm *VM) emptySeparator() { vm.RaiseMsg(TypeValueError, "empty separator") }

func strRsplit(vm *VM, args []Value) Value {
	if len(args) < 3 {
		return strSplit(vm, args)
	}
	s := vm.strSelf(args[0])
	typ := vm.TypeOf(args[0])
	limit := vm.Int(args[2])
	if limit < 0 {
		return strSplit(vm, args)
	}
	list := vm.newListLen(uint32(limit) + 1)
	if args[1] == None {
		vm.RaiseMsg(TypeNotImplementedError, "rsplit(None,n)")
	}
	cut := vm.StrArg(args[1])
	if len(cut) == 0 {
		vm.emptySeparator()
	}
	i := limit
	put := func(part []byte) {
		v := vm.NewStrOf(typ, part)
		vm.ListItems(list)[i] = v
	}
	for {
		at := -1
		if i > 0 {
			at = bytes.LastIndex(s, cut)
		}
		if at < 0 {
			put(s)
			break
		}
		put(s[at+len(cut):])
		s = s[:at]
		i--
	}
	if i != 0 {
		items := vm.ListItems(list)
		n := copy(items, items[i:])
		clear(items[n:])
		vm.ListSetLen(list, n)
	}
	return list
}

func strSplitlines(keepends Qstr) FnKw {
	spec := []Arg{{Name: keepends, Kind: ArgBool}}
	return func(vm *VM, args, kw []Value) Value {
		var out [1]ArgVal
		vm.ParseArgs(args[1:], kw, spec, out[:])
		s := vm.strSelf(args[0])
		typ := vm.TypeOf(args[0])
		list := vm.NewList()
		for len(s) > 0 {
			n, end := bytes.IndexAny(s, "\r\n"), 1
			switch {
			case n < 0:
				n, end = len(s), 0
			case s[n] == '\r' && n+1 < len(s) && s[n+1] == '\n':
				end = 2
			}
			part := s[:n]
			if out[0].Bool() {
				part = s[:n+end]
			}
			vm.appendPart(list, typ, part)
			s = s[n+end:]
		}
		return list
	}
}

func strPartitioner(find func(s, sep []byte) int, forward bool) Fn2 {
	return func(vm *VM, self, arg Value) Value {
		s, sep := vm.strSelf(self), vm.sameStr(self, arg)
		if len(sep) == 0 {
			vm.emptySeparator()
		}
		typ := vm.TypeOf(self)
		empty := emptyOf(typ)
		at := find(s, sep)
		switch {
		case at >= 0:
			head := vm.NewStrOf(typ, s[:at])
			return vm.NewTuple(head, arg, vm.NewStrOf(typ, s[at+len(sep):]))
		case forward:
			return vm.NewTuple(self, empty, empty)
		}
		return vm.NewTuple(empty, empty, self)
	}
}
