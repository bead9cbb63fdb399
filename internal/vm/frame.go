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
// where something may want to know it. What is not named in quickFrame is Null or 0
// whenever the frame is not in use.
type frame struct {
	code   *Code
	ops    *instr // its instructions, for the depth of the stack that it has
	pc     int    // index of the instruction that runs, or that is to be run next
	base   uint32 // word index of the first slot of the value stack
	exc    uint32 // word index of the innermost handler, or 0
	block  uint32 // heap address of the frame or generator, or 0
	owned  uint32 // the same if it is to be freed when it returns, or 0
	stack  uint32 // the stack region in use before it
	fun    Value
	saved  Value // the caller's globals
	caught Value // the last exception that came here, which C keeps beside the frame
	kind   frameKind
	gen    Value  // the generator that this is, or Null
	inject Value  // exception to raise on resuming, or Null
	depth  int    // C stack in use while it runs, without what built-in code takes
	aux    uint32 // a block to be freed when it returns, or 0
	prev   *frame
	next   *frame
	serial uint64 // with a debugger: the trap at which it began, see trap.go
	line   uint32 // with a debugger: of its last trap
}

// handlers is the word index of the first handler.
func (f *frame) handlers() uint32 { return f.base + f.code.nState }

// limit is the stack region in use while it runs, without what built-in code takes.
func (f *frame) limit(vm *VM) uint32 {
	if at := 4 * (f.base - frameHeader); at >= vm.stackLo && at < vm.stackHi {
		return at + f.code.room
	}
	return f.stack
}

// at returns the instruction with an index.
func (f *frame) at(i int) *instr {
	return (*instr)(unsafe.Add(unsafe.Pointer(f.ops), i*int(instrBytes)))
}

// index is the opposite of at. The frame may also have come to the plain
// instructions, which are another array: see VM.plainInstr.
func (f *frame) index(ip *instr) int {
	at := uintptr(unsafe.Pointer(ip)) - uintptr(unsafe.Pointer(f.ops))
	if at >= uintptr(len(f.code.plain))*uintptr(instrBytes) {
		at = uintptr(unsafe.Pointer(ip)) - uintptr(unsafe.Pointer(&f.code.plain[0]))
	}
	return int(at / uintptr(instrBytes))
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
// running one.
func (vm *VM) enter(kind frameKind, fun Value, args, kw []Value) {
	c := vm.funCode(fun)
	at, block, stack := vm.makeRoom(c)
	base := at/4 + frameHeader
	vm.Keep(Value(block))
	vm.bind(fun, c, base+c.nState-1, args, kw)
	vm.Mem[at/4] = fun
	vm.push(kind, fun, c, base, block, stack)
}

// enterArgs is enter for n positional arguments that lie in the device's memory.
func (vm *VM) enterArgs(kind frameKind, fun Value, args unsafe.Pointer, n uint32) {
	c := vm.memoCode(fun)
	if c == nil {
		c = vm.codeAt(fun)
	}
	if !c.quick || n != c.quickArgs {
		vm.enter(kind, fun, unsafe.Slice((*Value)(args), n), nil)
		return
	}
	local := vm.quickFrame(kind, fun, c)
	for ; n > 0; n-- {
		*(*Value)(local) = *(*Value)(args)
		local, args = unsafe.Add(local, -4), unsafe.Add(args, 4)
	}
}

// enterClosure is enterArgs for a closure, whose cells come before the arguments. It
// reports false if they are too many for C's stack, or it is of no bytecode function.
func (vm *VM) enterClosure(kind frameKind, closure Value, args unsafe.Pointer, n uint32) bool {
	fun := vm.Mem[closure/4+1]
	cells := vm.closureCells(closure)
	all := n + uint32(len(cells))
	if all > 5 || vm.TypeOf(fun) != TypeFunBC {
		return false
	}
	c := vm.memoCode(fun)
	if c == nil {
		c = vm.codeAt(fun)
	}
	if !c.quick || all != c.quickArgs {
		room, back := vm.pass(int(all))
		copy(room, cells)
		copy(room[len(cells):], unsafe.Slice((*Value)(args), n))
		vm.enter(kind, fun, room, nil)
		vm.nscratch = back
		return true
	}
	local := vm.quickFrame(kind, fun, c)
	for _, cell := range cells {
		*(*Value)(local) = cell
		local = unsafe.Add(local, -4)
	}
	for ; n > 0; n-- {
		*(*Value)(local) = *(*Value)(args)
		local, args = unsafe.Add(local, -4), unsafe.Add(args, 4)
	}
	return true
}

// quickFrame makes a small frame, all zero, the running one, and returns its first
// local variable; the others are below.
//
// A small frame that is left to the collector takes its block like any other, but
// lies in the stack region while it is used: else a program of small calls would
// write its way through the whole heap, and nothing can point into such a block.
func (vm *VM) quickFrame(kind frameKind, fun Value, c *Code) unsafe.Pointer {
	depth, at := vm.cstack+c.cost, vm.stack
	stack := at + c.room
	if depth > vm.opt.StackLimit || stack > vm.stackHi {
		vm.raiseRecursion()
	}
	block := uint32(0)
	if c.leak {
		if block = vm.heap.Reserve(c.bytes); block == 0 {
			vm.memoryError(c.bytes)
		}
	}
	start := unsafe.Pointer(&vm.Mem[at/4])
	for i := c.room; i > 0; i -= 8 {
		*(*uint64)(unsafe.Add(start, i-8)) = 0
	}
	*(*Value)(start) = fun
	f := vm.frame.next
	if f == nil {
		f = vm.link()
	}
	f.code, f.ops, f.pc = c, &c.instrs[0], 0
	f.base, f.exc = at/4+frameHeader, 0
	f.block, f.stack = block, at
	f.fun, f.saved, f.caught = fun, vm.globals, Null
	f.kind, f.depth = kind, depth
	vm.globals = vm.Mem[fun/4+funGlobals]
	vm.cstack, vm.stack, vm.frame = depth, stack, f
	return unsafe.Add(start, c.local0)
}

// makeRoom gives the address of a frame, all zero, its block in the heap, or 0, and
// the end of the stack region with it.
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
	stack += c.room
	if stack > vm.stackHi {
		vm.raiseRecursion()
	}
	clear(vm.Mem[at/4 : stack/4])
	return at, block, stack
}

// push makes a frame whose memory is ready the running one.
func (vm *VM) push(kind frameKind, fun Value, c *Code, base, block, stack uint32) {
	f := vm.frame.next
	if f == nil {
		f = vm.link()
	}
	f.code, f.ops, f.pc = c, &c.instrs[0], 0
	f.base, f.exc = base, 0
	f.block, f.stack = block, vm.stack
	if !c.leak {
		f.owned = block
	}
	f.fun, f.saved, f.caught = fun, vm.globals, Null
	vm.cstack += c.cost
	f.kind, f.depth = kind, vm.cstack
	vm.globals = vm.Mem[fun/4+funGlobals]
	vm.stack, vm.frame = stack, f
}

// leave takes away the frame of a function.
func (vm *VM) leave(f *frame) {
	if f.owned != 0 {
		vm.freeFrame(f)
	}
	vm.pop(f)
}

// pop makes the frame below that of a function the running one.
func (vm *VM) pop(f *frame) {
	vm.stack, vm.globals = f.stack, f.saved
	vm.cstack -= f.code.cost
	vm.frame = f.prev
}

// freeFrame frees the block of a frame.
func (vm *VM) freeFrame(f *frame) {
	vm.heap.Free(f.owned)
	f.owned = 0
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
	vm.Mem[i+genExc] = tagIndex(0)
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

// resumeFrame makes a generator the running frame. It reports false if the
// generator has ended.
func (vm *VM) resumeFrame(kind frameKind, g, send, throw Value) bool {
	depth := vm.cstack + vm.opt.FrameCost
	if depth > vm.opt.StackLimit {
		vm.raiseRecursion()
	}
	i := uint32(g) / 4
	head := (*[genHeader]Value)(vm.Mem[i:])
	if head[genPC] == Null {
		return false
	}
	fun := head[genFun]
	sp := untagIndex(head[genSP])
	base := i + genHeader
	if vm.opt.V12 {
		switch pending := head[genGlobals]; {
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
	if head[genGlobals] == Null {
		vm.raiseExecuting()
	}
	c := vm.memoCode(fun)
	if c == nil {
		c = vm.codeAt(fun)
	}
	pc, exc, end := int(untagIndex(head[genPC])), untagIndex(head[genExc]), base+c.nState
	if pc >= len(c.raw) || sp+1 < base || exc != 0 && exc < end || exc >= end+3*c.nExc || int(end+3*c.nExc) > len(vm.Mem) {
		panic("memory: a generator was changed")
	}
	f := vm.frame.next
	if f == nil {
		f = vm.link()
	}
	f.code, f.ops, f.pc = c, vm.instrsAt(c, pc, int32(sp+1-base)), pc
	f.base, f.exc = base, exc
	f.block, f.stack = uint32(g), vm.stack
	f.fun, f.saved, f.caught = fun, vm.globals, Null
	f.kind, f.depth = kind, depth
	f.gen, f.inject = g, throw
	vm.cstack, vm.globals, vm.frame = depth, vm.Mem[fun/4+funGlobals], f
	head[genGlobals] = Null
	return true
}

func (vm *VM) raiseExecuting() { vm.RaiseMsg(TypeValueError, "generator already executing") }

// suspend saves a generator's frame, which goes on at pc with the top of its stack
// at sp, into its object and leaves it.
func (vm *VM) suspend(f *frame, pc int, sp uint32) {
	head := (*[genHeader]Value)(vm.Mem[f.gen/4:])
	head[genPC] = tagIndex(uint32(pc))
	head[genSP] = tagIndex(sp)
	head[genExc] = tagIndex(f.exc)
	if vm.opt.PendThrow && !vm.opt.V12 {
		vm.Mem[sp] = None // pend_throw puts an exception here
	}
	vm.leaveGen(f)
}

// finish marks a generator as ended and leaves its frame.
func (vm *VM) finish(f *frame) {
	vm.Mem[f.gen/4+genPC] = Null
	vm.leaveGen(f)
}

func (vm *VM) leaveGen(f *frame) {
	vm.Mem[f.gen/4+genGlobals] = vm.genIdle(vm.globals)
	f.gen, f.inject = Null, Null
	vm.stack, vm.globals = f.stack, f.saved
	vm.cstack -= vm.opt.FrameCost
	vm.frame = f.prev
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
	if !vm.resumeFrame(kindEntry, g, send, throw) {
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

// run runs the running frame, which is of kindEntry, and everything it calls; it
// returns what it returns and raises what it raises.
func (vm *VM) run() Value {
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
			vm.cstack, vm.stack = vm.frame.depth, vm.frame.limit(vm)
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

// tick is called from the loop when the budget is used up, before an instruction. It
// returns the one to go on with, which is a fused one where there is one.
func (vm *VM) tick(ip *instr) *instr {
	f := vm.frame
	at := f.index(ip)
	f.pc = at - 1
	vm.poll()
	return f.at(at)
}

// jumpTick is tick at a jump that is taken. An exception is the jump's own, or that of
// the last of several instructions that are fused into it.
func (vm *VM) jumpTick(ip *instr) *instr {
	f := vm.frame
	at := f.index(target(ip))
	f.pc = f.index(ip) + int(ip.skip)/int(instrBytes) - 1
	vm.poll()
	return f.at(at)
}

// poll lets the host in and handles what is pending.
func (vm *VM) poll() {
	vm.budget = pollInterval
	vm.letHostIn()
	if d := vm.debug; d != nil {
		d.waits(vm)
	}
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

// CancelInterrupt takes back a KeyboardInterrupt that nobody has felt yet.
func (vm *VM) CancelInterrupt() { vm.pendExc = Null }

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
