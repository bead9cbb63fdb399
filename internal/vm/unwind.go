package vm

// This file is the exception stack of a frame, and the ways through its handlers.

// unwind finds who handles an exception that the running frame raised. It
// returns Null with the running frame ready to go on, or the exception when it
// left the entry frame.
func (vm *VM) unwind(exc Value) Value {
	for {
		f := vm.frame
		f.caught = exc
		at := f.pc
		if at >= 0 {
			in := f.at(at)
			if (in.op == iForIter || in.op == iYieldFrom) && vm.IsSubclass(vm.TypeOf(exc), TypeStopIteration) {
				if in.op == iForIter {
					f.pc += int(int32(in.c) / int32(instrBytes))
				} else {
					vm.Mem[f.base+in.s/4] = vm.ExceptionValue(exc)
					f.pc++
				}
				return Null
			}
		}
		if d := vm.debug; d != nil && d.Raised != nil {
			d.raised(vm, exc)
		}
		if exc != Value(vm.static+staticGeneratorExit) && !(vm.opt.V12 && reraises(f.code, at)) {
			vm.traceHere(f.code, exc, at)
		}
		h, sp, _ := vm.handler(f)
		for f.exc != 0 && h <= at {
			vm.popHandler(f)
			h, sp, _ = vm.handler(f)
		}
		if f.exc != 0 {
			vm.Mem[f.exc+2] = exc
			vm.Mem[sp+1] = exc
			vm.goOn(f, h, sp+1)
			if vm.opt.SysExcInfo {
				vm.curExc = exc
			}
			return Null
		}
		kind := f.kind
		f.aux = 0 // C leaves it to the collector
		if f.gen != Null {
			vm.finish(f)
			if vm.IsSubclass(vm.TypeOf(exc), TypeStopIteration) {
				exc = vm.NewExceptionMsg(TypeRuntimeError, "generator raised StopIteration")
			}
		} else {
			vm.leave(f)
		}
		if kind == kindEntry {
			return exc
		}
	}
}

// reraises tells whether an instruction raises an exception again, which v1.12
// does not add to the traceback.
func reraises(c *Code, at int) bool {
	if at < 0 || at >= len(c.raw) {
		return false
	}
	op := c.raw[at]
	return op.op == iEndFinally || op.op == iRaiseVarargs && op.a == 0
}

// A handler on the exception stack is three words: its place in the code, the
// top of the value stack and whether it is a finally, the exception it handles.
// Compiled code may use a slot or two more than its frame has where a return
// passes through a finally, and overwrite the first of these words; v1.11 then
// takes the handler for one that lies behind, and so do we. handlerTag makes
// that visible.
const handlerTag = 0xA000_0001

// pushHandler begins a try, finally or with block.
func (vm *VM) pushHandler(f *frame, target, sp uint32, finally bool) {
	exc := f.handlers()
	if f.exc != 0 {
		exc = f.exc + 3
	}
	if exc >= f.handlers()+3*f.code.nExc {
		vm.RaiseMsg(TypeRuntimeError, "too many nested handlers")
	}
	f.exc = exc
	saved := sp<<2 | 1
	if finally {
		saved |= 2
	}
	vm.Mem[f.exc], vm.Mem[f.exc+1], vm.Mem[f.exc+2] = Value(handlerTag|target<<1), Value(saved), Null
}

// popHandler ends the innermost block.
func (vm *VM) popHandler(f *frame) {
	f.drop()
	vm.curExc = Null
}

// drop takes the innermost handler away, if there is one.
func (f *frame) drop() {
	if f.exc == f.handlers() {
		f.exc = 0
	} else if f.exc != 0 {
		f.exc -= 3
	}
}

// handler returns the innermost handler: where it goes, the top of the stack it
// starts with, and whether it is a finally. A handler whose words were
// overwritten goes to -1, behind everything.
func (vm *VM) handler(f *frame) (target int, sp uint32, finally bool) {
	if f.exc == 0 {
		return -1, 0, false
	}
	word, saved := uint32(vm.Mem[f.exc]), uint32(vm.Mem[f.exc+1])
	target = int(word&^uint32(handlerTag)) >> 1
	sp = saved >> 2
	if word&handlerTag != handlerTag || target >= len(f.code.raw) || sp+1 < f.base || sp+2 > f.handlers() {
		return -1, 0, false
	}
	return target, sp, saved&2 != 0
}

// returnThrough makes a frame whose code returns v at an instruction go on in the
// innermost finally block around it. It reports false if there is none.
func (vm *VM) returnThrough(f *frame, at int, v Value) bool {
	for f.exc != 0 {
		if h, sp, finally := vm.handler(f); finally && h > at {
			vm.curExc = Null
			vm.Mem[sp+1], vm.Mem[sp+2] = v, SmallInt(-1)
			vm.goOn(f, h, sp+2)
			return true
		}
		vm.popHandler(f)
	}
	return false
}

// goOn makes a frame go on at an instruction with the top of its stack at sp.
func (vm *VM) goOn(f *frame, pc int, sp uint32) {
	f.pc, f.ops = pc, vm.instrsAt(f.code, pc, int32(sp+1-f.base))
}

// traceHere adds the place of an instruction of c, or with -1 that where c begins, to an
// exception's traceback.
func (vm *VM) traceHere(c *Code, exc Value, at int) {
	raw := vm.Bytes[c.addr:]
	off := 0
	if at >= 0 {
		off = int(c.offs[at])
	}
	line := c.prelude.LineOf(raw, off+c.prelude.LineBase)
	vm.addTraceback(exc, Qstr(c.prelude.SourceFile(raw)), line, Qstr(c.prelude.Name(raw)))
}

// unwindJump jumps out of n handlers, running finally blocks on the way. The
// target lies on the stack; ip is the instruction that handlers must lie behind.
// The handler of a finally block that is being run stays set up, however the block
// was come to: v1.11 takes it away before a return or a jump runs the block, and
// then a jump out of the block leaves too much on the stack, and a handler too few.
func (vm *VM) unwindJump(f *frame, ip int, sp uint32, n int) {
	m := vm.Mem
	for n&0x7f > 0 && f.exc != 0 {
		n--
		h, at, finally := vm.handler(f)
		if finally && h > ip {
			m[sp+1] = SmallInt(n)
			vm.goOn(f, h, sp+1)
			return
		}
		f.drop()
		if finally && at+1 < sp {
			// The block is running, and what made it run goes with it.
			m[at+1] = m[sp]
			sp = at + 1
		}
		vm.curExc = Null
	}
	pc := int(untagIndex(m[sp]))
	sp--
	if n != 0 {
		sp -= iterSlots
	}
	if pc >= len(f.code.raw) || sp+1 < f.base || sp >= f.handlers() {
		vm.badCode()
	}
	vm.goOn(f, pc, sp)
}
