package vm

import "unsafe"

// This file is frames: the state of running functions and generators.
//
// A frame lies in the device's memory as C lays it out: five words (function,
// instruction, stack and handler pointers, the caller's globals), then the
// state: the value stack grows up from its start, the locals grow down from its
// end; then three words for each nested handler. What is hot of it is kept in
// Go while it runs.

// frame is a running function. While it is the running one, pc is only up to date
// where something may want to know it.
type frame struct {
	code    *Code
	ops     *instr // its instructions, for the depth of the stack that it has
	pc      int    // index of the instruction that runs, or that is to be run next
	base    uint32 // word index of the first slot of the value stack
	exc     uint32 // word index of the innermost handler; excBase-3: none
	excBase uint32
	block   uint32 // heap address of the frame or generator; 0: on the stack
	fun     Value
	globals Value // what it runs with
	saved   Value // the caller's globals
	gen     Value // the generator that this is, or Null
	inject  Value // exception to raise on resuming, or Null
	kind    frameKind
	cost    int    // bytes of C stack
	depth   int    // C stack in use while it runs, without what built-in code takes
	stack   uint32 // the stack region in use before it
	limit   uint32 // and while it runs
	aux     uint32 // a block to be freed when it returns, or 0
	prev    *frame
	next    *frame
}

// at returns the instruction with an index.
func (f *frame) at(i int) *instr {
	return (*instr)(unsafe.Add(unsafe.Pointer(f.ops), i*int(instrBytes)))
}

// index is the opposite of at.
func (f *frame) index(ip *instr) int {
	return int(uintptr(unsafe.Pointer(ip))-uintptr(unsafe.Pointer(f.ops))) / int(instrBytes)
}

// plainInstr returns the first of the plain instructions that a fused one of the
// running frame stands for.
func (vm *VM) plainInstr(ip *instr) *instr {
	f := vm.frame
	f.pc = f.index(ip)
	c := f.code
	if ip != &c.instrs[f.pc] || ip == &c.plain[f.pc] {
		vm.badCode()
	}
	return &c.plain[f.pc]
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
	genGlobals  = 1 // in v1.12 what is pending, see genIdle
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
	at, block, stack := vm.makeRoom(c)
	base := at/4 + frameHeader
	if c.simple && len(args) == c.nPos && len(kw) == 0 {
		// nothing more is allocated
		locals := vm.Mem[base+c.nState-uint32(len(args)) : base+c.nState]
		for i, a := range args {
			locals[len(locals)-1-i] = a
		}
	} else {
		vm.Keep(Value(block))
		vm.bind(fun, c, base+c.nState-1, args, kw)
	}
	return vm.push(fun, c, base, block, stack)
}

// enterArgs is enter for n positional arguments that lie in the device's memory.
func (vm *VM) enterArgs(fun Value, args *Value, n int) *frame {
	c := vm.funCode(fun)
	if !c.simple || n != c.nPos {
		return vm.enter(fun, unsafe.Slice(args, n), nil)
	}
	at, block, stack := vm.makeRoom(c)
	base := at/4 + frameHeader
	if n > 0 {
		to := &vm.Mem[base+c.nState-1]
		for *to = *args; n > 1; n-- {
			args = (*Value)(unsafe.Add(unsafe.Pointer(args), 4))
			to = (*Value)(unsafe.Add(unsafe.Pointer(to), -4))
			*to = *args
		}
	}
	return vm.push(fun, c, base, block, stack)
}

// makeRoom gives the address of a frame, all zero, its block in the heap, or 0, and
// the end of the stack region with it. A small frame that is left to the collector
// takes its block like any other, but lies in the stack region while it is used:
// else a program of small calls would write its way through the whole heap, and
// nothing can point into such a block.
func (vm *VM) makeRoom(c *Code) (at, block, stack uint32) {
	if vm.cstack+c.cost > vm.opt.StackLimit {
		vm.raiseRecursion()
	}
	stack = vm.stack
	if c.leak {
		if block = vm.heap.Reserve(c.bytes); block == 0 {
			vm.memoryError(c.bytes)
		}
	} else if !c.onStack {
		if block = vm.heap.Alloc(c.bytes); block != 0 {
			return block, block, stack
		}
		// C's alloca, which serves too when the heap is full or locked
		if vm.opt.NoAlloca {
			vm.memoryError(c.bytes)
		}
	}
	at = stack
	stack += (c.bytes + 7) &^ 7
	if stack > vm.stackHi {
		vm.raiseRecursion()
	}
	blank := vm.Mem[at/4 : stack/4]
	for ; len(blank) >= 2; blank = blank[2:] {
		blank[0], blank[1] = 0, 0
	}
	return at, block, stack
}

// push makes a frame whose memory is ready the running one.
func (vm *VM) push(fun Value, c *Code, base, block, stack uint32) *frame {
	f := vm.frame.next
	if f == nil {
		f = vm.link()
	}
	f.code, f.ops, f.pc = c, &c.instrs[0], 0
	f.base, f.excBase, f.exc = base, base+c.nState, base+c.nState-3
	f.block, f.stack, f.limit = block, vm.stack, stack
	f.fun = fun
	f.saved = vm.globals
	globals := vm.Mem[fun/4+funGlobals]
	f.globals = globals
	f.gen, f.inject, f.kind, f.aux = Null, Null, kindEntry, 0
	vm.cstack += c.cost
	f.cost, f.depth = c.cost, vm.cstack
	vm.globals, vm.stack, vm.frame = globals, stack, f
	vm.Mem[base-frameHeader] = fun
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
	vm.Mem[i+genGlobals] = vm.genIdle(vm.Mem[fun/4+funGlobals])
	vm.Mem[i+genFun] = fun
	top := base + c.nState - 1
	vm.bind(fun, c, top, args, kw)
	vm.Mem[i+genPC] = tagIndex(0)
	vm.Mem[i+genSP] = tagIndex(base - 1)
	vm.Mem[i+genExc] = tagIndex(top + 1 - 3)
	return Value(g)
}

// genIdle is the second word of a generator that does not run. In v1.11 that is
// what it runs with, its globals; in v1.12 the exception that pend_throw left, or
// None. While it runs the word is Null.
func (vm *VM) genIdle(globals Value) Value {
	if vm.opt.V12 {
		return None
	}
	return globals
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
	if vm.opt.V12 {
		switch pending := vm.Mem[i+genGlobals]; {
		case pending == Null:
			vm.raiseExecuting()
		case pending != None && vm.opt.PendThrow:
			throw = pending
		}
	}
	if sp == base-1 {
		if send != None {
			vm.RaiseMsg(TypeTypeError, "can't send non-None value to a just-started generator")
		}
	} else if !vm.opt.V12 && vm.opt.PendThrow && vm.Mem[sp] != None {
		throw = vm.Mem[sp]
		vm.Mem[sp] = Null
	} else {
		vm.Mem[sp] = send
	}
	if vm.Mem[i+genGlobals] == Null {
		vm.raiseExecuting()
	}
	c := vm.funCode(fun)
	pc := int(untagIndex(vm.Mem[i+genPC]))
	exc := untagIndex(vm.Mem[i+genExc])
	excBase := base + c.nState
	if pc >= len(c.raw) || sp+1 < base || exc < excBase-3 || exc >= excBase+3*c.nExc || int(excBase+3*c.nExc) > len(vm.Mem) {
		panic("memory: a generator was changed")
	}
	f := vm.link()
	f.code, f.pc = c, pc
	f.ops = &vm.instrsAt(c, pc, int32(sp+1-base))[0]
	f.base, f.excBase, f.exc = base, excBase, exc
	f.block, f.stack, f.limit = uint32(g), vm.stack, vm.stack
	f.fun = fun
	f.saved = vm.globals
	f.globals = vm.Mem[fun/4+funGlobals]
	vm.globals = f.globals
	vm.Mem[i+genGlobals] = Null
	f.gen, f.inject, f.kind, f.aux = g, throw, kindEntry, 0
	f.cost = vm.opt.FrameCost
	vm.cstack += f.cost
	f.depth = vm.cstack
	vm.frame = f
	return f
}

func (vm *VM) raiseExecuting() { vm.RaiseMsg(TypeValueError, "generator already executing") }

// suspend saves a generator's frame, which goes on at pc with the top of its stack
// at sp, into its object and leaves it.
func (vm *VM) suspend(f *frame, pc int, sp uint32) {
	i := uint32(f.gen) / 4
	vm.Mem[i+genPC] = tagIndex(uint32(pc))
	vm.Mem[i+genSP] = tagIndex(sp)
	vm.Mem[i+genExc] = tagIndex(f.exc)
	vm.Mem[i+genGlobals] = vm.genIdle(f.globals)
	if vm.opt.PendThrow && !vm.opt.V12 {
		vm.Mem[sp] = None // pend_throw puts an exception here
	}
	vm.leave(f)
}

// finish marks a generator as ended and leaves its frame.
func (vm *VM) finish(f *frame) {
	i := uint32(f.gen) / 4
	vm.Mem[i+genPC] = Null
	vm.Mem[i+genGlobals] = vm.genIdle(f.globals)
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
			vm.cstack, vm.stack = vm.frame.depth, vm.frame.limit
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

// tick is called from the loop when the budget is used up, before an instruction.
func (vm *VM) tick(ip *instr) {
	vm.frame.pc = vm.frame.index(ip) - 1
	vm.poll()
}

// poll lets the host in and handles what is pending.
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
