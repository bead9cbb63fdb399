package vm

// This file foresees whether an exception will be handled, for a debugger that wants
// to stop where one is raised that will not.

// Handled reports whether a try statement of the running functions will handle an
// exception that the running one has just raised, as far as can be told without
// running anything: a with statement is taken not to, nor is built-in code, and an
// except clause whose classes are computed is taken to.
func (vm *VM) Handled(exc Value) bool {
	for f := vm.frame; f != &vm.base; f = f.prev {
		for e := f.exc; e >= f.handlers() && e != 0; e -= 3 {
			word, saved := uint32(vm.Mem[e]), uint32(vm.Mem[e+1])
			target := int(word&^uint32(handlerTag)) >> 1
			if word&handlerTag != handlerTag || target >= len(f.code.raw) || target <= f.pc || saved&2 != 0 {
				continue
			}
			if vm.catches(f, target, exc) {
				return true
			}
		}
	}
	return false
}

// catches reports whether the except clauses that begin at an instruction handle an
// exception.
func (vm *VM) catches(f *frame, at int, exc Value) bool {
	raw := f.code.raw
	for at < len(raw) {
		switch raw[at].op {
		case iTrap:
			at++
			continue
		case iEndFinally:
			return false
		case iDupTop:
		default:
			return true // except: without a class
		}
		types, next, ok := vm.clause(f, at+1)
		if !ok {
			return true
		}
		for _, t := range types {
			if vm.ExceptionMatch(exc, t) {
				return true
			}
		}
		at = next
	}
	return false
}

// clause reads the classes of an except clause, whose expression begins at an
// instruction, and where the next clause begins.
func (vm *VM) clause(f *frame, at int) (types []Value, next int, ok bool) {
	raw, globals := f.code.raw, vm.Mem[f.fun/4+funGlobals]
	var stack []Value
	for ; at+1 < len(raw); at++ {
		switch op := &raw[at]; op.op {
		case iTrap:
		case iLoadGlobal, iLoadName:
			v := vm.nameIn(globals, Qstr(op.a))
			if v == Null {
				return nil, 0, false
			}
			stack = append(stack, v)
		case iLoadFast, iLoadDeref:
			stack = append(stack, Frame{vm, f}.Local(int(op.a)))
		case iLoadAttr:
			if len(stack) == 0 || vm.TypeOf(stack[len(stack)-1]) != TypeModule {
				return nil, 0, false
			}
			v := vm.nameOf(stack[len(stack)-1], Qstr(op.a))
			if v == Null {
				return nil, 0, false
			}
			stack[len(stack)-1] = v
		case iBuildTuple:
			// The classes stay on the stack: any of them will do.
		case iBinaryOp:
			if BinaryOp(op.a) != BinExceptionMatch || raw[at+1].op != iPopJumpIfFalse {
				return nil, 0, false
			}
			for _, v := range stack {
				if v != Null && vm.TypeOf(v) == TypeTuple {
					types = append(types, vm.Array(v)...)
				} else if v != Null && vm.IsExceptionType(v) {
					types = append(types, v)
				}
			}
			return types, int(raw[at+1].a), true
		default:
			return nil, 0, false
		}
	}
	return nil, 0, false
}

// nameIn looks for a name in the dict of a module and among the builtins.
func (vm *VM) nameIn(globals Value, q Qstr) Value {
	if s := vm.mapGet(DictMap(globals), q.Value()); s != 0 {
		return vm.Mem[s+1]
	}
	if vm.overrides != Null {
		if v := vm.DictGet(vm.overrides, q.Value()); v != Null {
			return v
		}
	}
	return vm.fw.builtins.Get(q)
}

// nameOf is an attribute of a module, as far as it is in a dict.
func (vm *VM) nameOf(mod Value, q Qstr) Value {
	if mod.inRAM() {
		return vm.DictGet(vm.Mem[mod/4+1], q.Value())
	}
	return vm.fw.rom[(mod-romBase)/4].mod.dict.Get(q)
}
