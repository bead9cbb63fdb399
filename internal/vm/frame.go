package vm

// This file is frames: the state of running functions and generators.
//
// A frame lies in the device's memory as C lays it out: five words (function,
// instruction, stack and handler pointers, the caller's globals), then the
// state: the value stack grows up from its start, the locals grow down from its
// end; then three words for each nested handler. What is hot of it is kept in
// Go while it runs.

// frame is a running function.
type frame struct {
	code    *Code
	pc      int    // index of the next instruction
	sp      uint32 // word index of the top of the value stack
	top     uint32 // word index of local 0
	exc     uint32 // word index of the innermost handler; excBase-3: none
	excBase uint32
	gmap    uint32 // word index of the globals' map
	block   uint32 // heap address of the frame or generator; 0: on the stack
	fun     Value
	globals Value // what it runs with
	saved   Value // the caller's globals
	gen     Value // the generator that this is, or Null
	inject  Value // exception to raise on resuming, or Null
	kind    frameKind
	cost    int    // bytes of C stack
	depth   int    // C stack in use while it runs, without what built-in code takes
	limit   uint32 // the stack region behind it
	stack   uint32
	aux     uint32 // a block to be freed when it returns, or 0
	prev    *frame
	next    *frame
}

// frameKind says what is waiting for the frame's result.
type frameKind uint8

const (
	kindEntry     frameKind = iota // Go code, in run
	kindCall                       // a call in the frame below
	kindForIter                    // a for loop in the frame below
	kindYieldFrom                  // yield from in the frame below
	kindInit                       // instance creation in the frame below: the instance lies there
	kindEnter                      // __enter__ of a with statement in the frame below
	kindExit                       // __exit__ of a with statement that nothing went wrong in
)

const (
	frameHeader = 5 // words before the state of a function's frame
	genHeader   = 7 // words before the state of a generator
	genGlobals  = 1
	genFun      = 2
	genPC       = 3
	genSP       = 4
	genExc      = 5
)

const pollInterval = 2048

// link puts a fresh frame behind the running one.
func (vm *VM) link() *frame {
	cur := vm.frame
	f := cur.next
	if f == nil {
		f = &frame{prev: cur}
		cur.next = f
	}
	return f
}

// enter makes the frame of a call of a bytecode function and makes it the
// running one. Its kind is kindEntry; the loop changes that.
func (vm *VM) enter(fun Value, args, kw []Value) *frame {
	c := vm.funCode(fun)
	depth := vm.cstack + c.cost
	if depth > vm.opt.StackLimit {
		vm.raiseRecursion()
	}
	var block, at uint32
	stack := vm.stack
	if !c.onStack {
		block = vm.heap.Alloc(c.bytes)
		at = block
	}
	if block == 0 {
		// C's alloca, which serves too when the heap is full or locked
		if vm.opt.NoAlloca {
			vm.memoryError(c.bytes)
		}
		at = stack
		if at+c.bytes > vm.stackHi {
			vm.raiseRecursion()
		}
		clear(vm.Mem[at/4 : (at+c.bytes)/4])
		stack += c.bytes
	}
	top := at/4 + frameHeader + c.nState - 1
	if c.simple && len(args) == c.nPos && len(kw) == 0 && len(c.cells) == 0 {
		// nothing more is allocated
		locals := vm.Mem[top+1-uint32(len(args)) : top+1]
		for i, a := range args {
			locals[len(locals)-1-i] = a
		}
	} else {
		vm.Keep(Value(block))
		vm.bind(fun, c, top, args, kw)
	}
	cur := vm.frame
	f := cur.next
	if f == nil {
		f = vm.link()
	}
	f.code, f.pc, f.sp, f.top = c, 0, at/4+frameHeader-1, top
	f.excBase, f.exc = top+1, top+1-3
	f.block, f.stack = block, vm.stack
	f.fun = fun
	f.saved = vm.globals
	globals := vm.Mem[fun/4+funGlobals]
	f.globals, f.gmap = globals, uint32(globals)/4+1
	f.gen, f.inject, f.kind, f.aux = Null, Null, kindEntry, 0
	f.cost, f.depth, f.limit = c.cost, depth, stack
	vm.globals, vm.stack, vm.cstack, vm.frame = globals, stack, depth, f
	vm.Mem[at/4] = fun
	return f
}

// leave undoes enter or resumeFrame.
func (vm *VM) leave(f *frame) {
	if f.gen == Null && f.block != 0 && !f.code.leak {
		vm.heap.Free(f.block)
	}
	vm.stack = f.stack
	vm.globals = f.saved
	vm.cstack -= f.cost
	vm.frame = f.prev
}

// newGenerator makes the generator object that calling a generator function
// gives.
func (vm *VM) newGenerator(fun Value, args, kw []Value) Value {
	c := vm.funCode(fun)
	g := vm.Alloc(4*genHeader + 4*c.nState + 12*c.nExc)
	i := g / 4
	base := i + genHeader
	vm.Mem[i] = TypeGenInstance
	vm.Mem[i+genGlobals] = vm.Mem[fun/4+funGlobals]
	vm.Mem[i+genFun] = fun
	top := base + c.nState - 1
	vm.bind(fun, c, top, args, kw)
	vm.Mem[i+genPC] = tagIndex(0)
	vm.Mem[i+genSP] = tagIndex(base - 1)
	vm.Mem[i+genExc] = tagIndex(top + 1 - 3)
	return Value(g)
}

// tagIndex hides an index from the conservative collector.
func tagIndex(i uint32) Value   { return Value(i<<1 | 1) }
func untagIndex(v Value) uint32 { return uint32(v) >> 1 }

// resumeFrame makes a generator the running frame. It returns nil if the
// generator has ended.
func (vm *VM) resumeFrame(g, send, throw Value) *frame {
	if vm.cstack+vm.opt.FrameCost > vm.opt.StackLimit {
		vm.raiseRecursion()
	}
	i := uint32(g) / 4
	if vm.Mem[i+genPC] == Null {
		return nil
	}
	fun := vm.Mem[i+genFun]
	sp := untagIndex(vm.Mem[i+genSP])
	base := i + genHeader
	if sp == base-1 {
		if send != None {
			vm.RaiseMsg(TypeTypeError, "can't send non-None value to a just-started generator")
		}
	} else if vm.opt.PendThrow && vm.Mem[sp] != None {
		throw = vm.Mem[sp]
		vm.Mem[sp] = Null
	} else {
		vm.Mem[sp] = send
	}
	if vm.Mem[i+genGlobals] == Null {
		vm.RaiseMsg(TypeValueError, "generator already executing")
	}
	c := vm.funCode(fun)
	f := vm.link()
	f.code, f.pc, f.sp = c, int(untagIndex(vm.Mem[i+genPC])), sp
	f.top = base + c.nState - 1
	f.excBase = f.top + 1
	f.exc = untagIndex(vm.Mem[i+genExc])
	f.block, f.stack = uint32(g), vm.stack
	f.fun = fun
	f.saved = vm.globals
	f.globals = vm.Mem[i+genGlobals]
	f.gmap = uint32(f.globals)/4 + 1
	vm.globals = f.globals
	vm.Mem[i+genGlobals] = Null
	f.gen, f.inject, f.kind, f.aux = g, throw, kindEntry, 0
	f.cost = vm.opt.FrameCost
	vm.cstack += f.cost
	f.depth, f.limit = vm.cstack, vm.stack
	vm.frame = f
	return f
}

// suspend saves a generator's frame into its object and leaves it.
func (vm *VM) suspend(f *frame) {
	i := uint32(f.gen) / 4
	vm.Mem[i+genPC] = tagIndex(uint32(f.pc))
	vm.Mem[i+genSP] = tagIndex(f.sp)
	vm.Mem[i+genExc] = tagIndex(f.exc)
	vm.Mem[i+genGlobals] = f.globals
	if vm.opt.PendThrow {
		vm.Mem[f.sp] = None // pend_throw puts an exception here
	}
	vm.leave(f)
}

// finish marks a generator as ended and leaves its frame.
func (vm *VM) finish(f *frame) {
	i := uint32(f.gen) / 4
	vm.Mem[i+genPC] = Null
	vm.Mem[i+genGlobals] = f.globals
	vm.leave(f)
}

// resumeKind is how resuming a generator ended.
type resumeKind uint8

const (
	resumeYield resumeKind = iota
	resumeReturn
	resumeRaise
)

// resume runs a generator to its next yield, its end, or an exception, which
// is returned, not raised.
func (vm *VM) resume(g, send, throw Value) (resumeKind, Value) {
	if vm.TypeOf(g) != TypeGenInstance {
		vm.checkSelf()
	}
	f := vm.resumeFrame(g, send, throw)
	if f == nil {
		return resumeReturn, Null
	}
	v, end := vm.runFrame()
	switch end {
	case endYield:
		return resumeYield, v
	case endRaise:
		return resumeRaise, v
	}
	return resumeReturn, v
}

func (vm *VM) checkSelf() { vm.RaiseMsg(TypeTypeError, "argument has wrong type") }

// run runs the entry frame f and everything it calls; it returns what f returns
// and raises what f raises.
func (vm *VM) run(f *frame) Value {
	v, end := vm.runFrame()
	if end == endRaise {
		vm.Raise(v)
	}
	return v
}

// runFrame runs the running frame, whose kind is kindEntry, to its end or its
// next yield. An exception that left it is returned, not raised.
func (vm *VM) runFrame() (Value, loopEnd) {
	mark, scratch := vm.ntemps, vm.nscratch
	for {
		v, end := vm.protect(mark)
		vm.ntemps, vm.nscratch = mark, scratch
		if end == endPanic {
			v = vm.exc
			vm.exc = Null
			vm.cstack = vm.frame.depth
			vm.Keep(v)
			if v = vm.unwind(v); v == Null {
				vm.ntemps = mark
				continue
			}
			end = endRaise
		}
		vm.Keep(v)
		return v, end
	}
}

// protect runs the loop and turns the Go panic of an exception into endPanic.
func (vm *VM) protect(mark int) (v Value, end loopEnd) {
	defer func() {
		if r := recover(); r != nil {
			if r != any(vm.raised) {
				panic(r)
			}
			end = endPanic
		}
	}()
	return vm.loop(mark)
}

// unwind finds who handles an exception that the running frame raised. It
// returns Null with the running frame ready to go on, or the exception when it
// left the entry frame.
func (vm *VM) unwind(exc Value) Value {
	for {
		f := vm.frame
		at := f.pc - 1
		if vm.IsSubclass(vm.TypeOf(exc), TypeStopIteration) && at >= 0 {
			switch in := f.code.plain[at]; in.op {
			case iForIter:
				f.pc = int(in.a)
				f.sp -= iterSlots
				return Null
			case iYieldFrom:
				vm.Mem[f.sp] = vm.ExceptionValue(exc)
				return Null
			}
		}
		if exc != Value(vm.static+staticGeneratorExit) {
			vm.traceHere(f, exc, at)
		}
		h, sp, _ := vm.handler(f)
		for f.exc >= f.excBase && h <= at {
			vm.popHandler(f)
			h, sp, _ = vm.handler(f)
		}
		if f.exc >= f.excBase {
			f.pc = h
			f.sp = sp + 1
			vm.Mem[f.exc+2] = exc
			vm.Mem[f.sp] = exc
			if vm.opt.SysExcInfo {
				vm.curExc = exc
			}
			return Null
		}
		kind := f.kind
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

// A handler on the exception stack is three words: its place in the code, the
// top of the value stack and whether it is a finally, the exception it handles.
// Compiled code may use a slot or two more than its frame has where a return
// passes through a finally, and overwrite the first of these words; v1.11 then
// takes the handler for one that lies behind, and so do we. handlerTag makes
// that visible.
const handlerTag = 0xA000_0001

// pushHandler begins a try, finally or with block.
func (vm *VM) pushHandler(f *frame, target, sp uint32, finally bool) {
	if f.exc+3 >= f.excBase+3*f.code.nExc {
		vm.RaiseMsg(TypeRuntimeError, "too many nested handlers")
	}
	f.exc += 3
	saved := sp<<2 | 1
	if finally {
		saved |= 2
	}
	vm.Mem[f.exc], vm.Mem[f.exc+1], vm.Mem[f.exc+2] = Value(handlerTag|target<<1), Value(saved), Null
}

// popHandler ends the innermost block.
func (vm *VM) popHandler(f *frame) {
	if f.exc >= f.excBase {
		f.exc -= 3
	}
	vm.curExc = Null
}

// handler returns the innermost handler: where it goes, the top of the stack it
// starts with, and whether it is a finally. A handler whose words were
// overwritten goes to -1, behind everything.
func (vm *VM) handler(f *frame) (target int, sp uint32, finally bool) {
	if f.exc < f.excBase {
		return -1, 0, false
	}
	word, saved := uint32(vm.Mem[f.exc]), uint32(vm.Mem[f.exc+1])
	target = int(word&^uint32(handlerTag)) >> 1
	sp = saved >> 2
	base := f.top + 1 - f.code.nState
	if word&handlerTag != handlerTag || target >= len(f.code.instrs) || sp+1 < base || sp+2 > f.top+1 {
		return -1, 0, false
	}
	return target, sp, saved&2 != 0
}

// traceHere adds the place of an instruction to an exception's traceback.
func (vm *VM) traceHere(f *frame, exc Value, at int) {
	c := f.code
	raw := vm.Bytes[c.addr:]
	off := 0
	if at >= 0 {
		off = int(c.offs[at])
	}
	line := c.prelude.LineOf(raw, off+c.prelude.LineBase)
	vm.addTraceback(exc, Qstr(c.prelude.SourceFile(raw)), line, Qstr(c.prelude.Name(raw)))
}

// poll is called from the loop now and then.
func (vm *VM) poll() {
	vm.budget = pollInterval
	vm.pending.Store(0)
	vm.letHostIn()
	vm.handlePending()
}

// letHostIn counts a step and polls the host. What is pending then waits for the
// loop, as the device cannot be interrupted within a built-in function, either.
func (vm *VM) letHostIn() {
	vm.items = pollInterval
	vm.steps++
	if vm.StepLimit != 0 && vm.steps > vm.StepLimit {
		panic(ErrSteps)
	}
	if vm.hook.Poll != nil {
		vm.hook.Poll()
	}
}

// Poll lets the host in, and raises what is pending: a built-in function that
// has waited for something calls it when its wait was cut short.
func (vm *VM) Poll() { vm.poll() }

// handlePending raises a pending exception or runs what was scheduled.
func (vm *VM) handlePending() {
	if e := vm.pendExc; e != Null {
		vm.pendExc = Null
		vm.Raise(e)
	}
	for len(vm.sched) > 0 && !vm.inSchedule {
		s := vm.sched[0]
		vm.sched = vm.sched[1:]
		vm.inSchedule = true
		exc := vm.Try(func() { vm.Call1(s.fn, s.arg) })
		vm.inSchedule = false
		if exc != Null {
			vm.Stdout().PrintException(exc)
		}
	}
}

// ErrSteps is the Go panic that ends a program which has used up StepLimit.
var ErrSteps = errorString("vm: step limit reached")

type errorString string

func (e errorString) Error() string { return string(e) }

// SetPending makes the program raise exc at its next jump or call.
func (vm *VM) SetPending(exc Value) {
	vm.pendExc = exc
	vm.budget = 0
}

// KeyboardInterrupt makes the program raise KeyboardInterrupt soon.
func (vm *VM) KeyboardInterrupt() {
	e := Value(vm.static + staticKbdExc)
	vm.clearTraceback(e)
	vm.SetPending(e)
}
