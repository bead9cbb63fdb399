package vm

// This file is the generator type; frame.go runs them.

func genPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	p.Printf("<generator object '%q' at %p>", vm.FunName(vm.Mem[self/4+genFun]), self)
}

// resumeOrRaise resumes a generator; Null is its end.
func (vm *VM) resumeOrRaise(g, send, throw Value) Value {
	switch kind, v := vm.resume(g, send, throw); kind {
	case resumeReturn:
		if v == None || v == Null {
			return Null
		}
		vm.Keep(v)
		vm.RaiseArg(TypeStopIteration, v)
	case resumeRaise:
		vm.Raise(v)
	default:
		return v
	}
	return Null
}

func genNext(vm *VM, self Value) Value { return vm.resumeOrRaise(self, None, Null) }

func genSend(vm *VM, self, v Value) Value {
	r := vm.resumeOrRaise(self, v, Null)
	if r == Null {
		vm.Raise(vm.NewException(TypeStopIteration))
	}
	return r
}

func genThrow(vm *VM, args []Value) Value {
	exc := args[1]
	if len(args) > 2 && args[2] != None {
		exc = args[2]
	}
	r := vm.resumeOrRaise(args[0], None, exc)
	if r == Null {
		vm.Raise(vm.NewException(TypeStopIteration))
	}
	return r
}

func genClose(vm *VM, self Value) Value {
	kind, v := vm.resume(self, None, Value(vm.static+staticGeneratorExit))
	switch kind {
	case resumeYield:
		vm.RaiseMsg(TypeRuntimeError, "generator ignored GeneratorExit")
	case resumeRaise:
		if !vm.IsSubclass(vm.TypeOf(v), TypeGeneratorExit) {
			vm.Raise(v)
		}
	}
	return None
}

func genPendThrow(vm *VM, self, exc Value) Value {
	i := uint32(self) / 4
	if vm.opt.V12 {
		prev := vm.Mem[i+genGlobals]
		if prev == Null {
			vm.raiseExecuting()
		}
		vm.Mem[i+genGlobals] = exc
		return prev
	}
	sp := untagIndex(vm.Mem[i+genSP])
	if sp == i+genHeader-1 {
		vm.RaiseMsg(TypeTypeError, "can't pend throw to just-started generator")
	}
	prev := vm.Mem[sp]
	vm.Mem[sp] = exc
	return prev
}

func (fw *Firmware) initGenerators() {
	t := fw.define(TypeGenInstance, &Type{
		Name: fw.Q("generator"), Flags: FlagBindable | FlagOwnIter, Print: genPrint, Unary: genericUnary,
		Iter: identityIter, Next: genNext,
	})
	fw.Method(t, "close", fw.Func1("close", genClose))
	fw.Method(t, "send", fw.Func2("send", genSend))
	fw.Method(t, "throw", fw.FuncV("throw", 2, 4, genThrow))
	if fw.Options.PendThrow {
		fw.Method(t, "pend_throw", fw.Func2("pend_throw", genPendThrow))
	}
}
