package vm

import (
	"sync/atomic"

	"github.com/skep-sim/skep/internal/mpy"
)

// This file is where a debugger looks into a running program.
//
// A VM with a Debugger decodes functions with a trap, an instruction of its own,
// before the first instruction of every line and where a loop begins its next
// round. Traps exist in the decoded code only: the bytecode on the device's heap,
// every allocation and every word that the collector could take for an address are
// those of a program without debugger. A VM without one has no traps in its code, so
// that what it cannot do costs it nothing.
//
// The number of traps that a program has passed tells where it is: the same program
// with the same input has passed the same lines when it has passed as many.

// Debugger is what a VM tells of the program that it runs, all in the VM's own
// goroutine. The functions may look at the VM, and change what they look at.
type Debugger struct {
	// Passed is how many traps the program has passed, the one it is at included.
	Passed uint64
	// Until is the trap to call Stop at whatever else is so; 0: none.
	Until uint64
	// Each has Stop called at every trap, not just at those with a breakpoint.
	Each bool
	// Look has Stop called at the next trap. Any goroutine may set it; Stop takes it
	// back.
	Look atomic.Bool
	// Stop is called at a trap, before its line is run.
	Stop func(vm *VM, t Trap)
	// Waits is called, with Look set, when the program is between two traps: it waits in
	// a built-in function, or has been on one line for long (may be nil).
	Waits func(vm *VM)
	// Raised is called when an exception was raised, before anything handles it (may
	// be nil).
	Raised func(vm *VM, exc Value)
	// Raises is how many exceptions were raised since the last trap.
	Raises int
	// Decoded is called when a function has been decoded, before it is run: the
	// moment to set its breakpoints (may be nil).
	Decoded func(vm *VM, c *Code)

	exc    Value // raised last
	excAt  uint64
	inside bool // Stop or Raised is being called
}

// Trap is a place that a program has come to.
type Trap struct {
	Code *Code
	Line int
	// Break: a breakpoint was set here.
	Break bool
	// Entry: the function begins.
	Entry bool
	// Again: nothing but the next round of a loop on the line that was run last, or
	// the start of a line whose work begins at a later trap.
	Again bool
}

// What is to be known of a trap, in x of its instruction.
const (
	trapBreak  = 1 << iota // a breakpoint is set
	trapLoop               // a loop begins a round
	trapEntry              // the function begins
	trapSilent             // the line begins, but a trapLoop of it follows at once
)

// trap is called by the loop at a trap, and for what is no instruction.
func (vm *VM) trap(ip *instr) {
	if ip.op != iTrap {
		vm.badCode()
	}
	d, f := vm.debug, vm.frame
	d.Passed++
	d.Raises = 0
	if ip.x&trapEntry != 0 {
		f.serial, f.line = d.Passed, 0
	}
	line, before := ip.a, f.line
	if ip.x&trapSilent == 0 {
		f.line = line
	}
	if ip.x&trapBreak == 0 && !d.Each && d.Passed != d.Until && !d.Look.Load() || d.inside {
		return
	}
	temps, scratch := vm.ntemps, vm.nscratch
	d.inside = true
	d.Stop(vm, Trap{
		Code: f.code, Line: int(line), Break: ip.x&trapBreak != 0, Entry: ip.x&trapEntry != 0,
		Again: ip.x&trapSilent != 0 || ip.x&trapLoop != 0 && line == before,
	})
	d.inside = false
	vm.ntemps, vm.nscratch = temps, scratch
}

// waits lets the debugger in between two traps.
func (d *Debugger) waits(vm *VM) {
	if d.inside || d.Waits == nil || !d.Look.Load() || vm.frame == &vm.base {
		return
	}
	temps, scratch := vm.ntemps, vm.nscratch
	d.inside = true
	d.Waits(vm)
	d.inside = false
	vm.ntemps, vm.nscratch = temps, scratch
}

// raised tells the debugger of an exception, once.
func (d *Debugger) raised(vm *VM, exc Value) {
	f := vm.frame
	again := exc == d.exc && (d.Passed == d.excAt || f.pc >= 0 && f.pc < len(f.code.raw) && f.code.raw[f.pc].op == iEndFinally)
	d.exc, d.excAt = exc, d.Passed
	if again || d.inside {
		return
	}
	d.Raises++
	temps, scratch := vm.ntemps, vm.nscratch
	d.inside = true
	d.Raised(vm, exc)
	d.inside = false
	vm.ntemps, vm.nscratch = temps, scratch
}

// step is an instruction of bytecode and where it lies.
type step struct {
	in       mpy.Instr
	at, next int
	target   int // of a jump, else -1
}

// steps lists the instructions of a function, as decodeBody goes through them.
func (c *Code) steps(gen *mpy.Generation, raw []byte) (list []step) {
	at := c.prelude.CodeOffset
	reach := at
	for first := true; first || at <= reach; first = false {
		in, next, err := gen.Decode(raw, at)
		if err != nil {
			panic(damagedCode + err.Error())
		}
		s := step{in, at, next, -1}
		if isJump(in.Op) {
			s.target = next + in.Arg
			if in.Op.Info().Operand == mpy.OperandJumpByte {
				s.target--
			}
			reach = max(reach, s.target)
		}
		list = append(list, s)
		if !endsPath(in.Op) {
			reach = max(reach, next)
		}
		at = next
	}
	return list
}

// findTraps gives the traps of a function by the offset of the instruction that
// they stand before.
//
// The condition of a while loop stands behind its body, and has no line of its own in
// the line table; the loop begins with a jump there. Its trap has the line of that
// jump. A loop over a range takes its next number where its body begins, with a
// fused instruction that no trap may break up: its trap stands behind.
func (c *Code) findTraps(gen *mpy.Generation, raw []byte) map[int][]rawOp {
	list := c.steps(gen, raw)
	lines := c.lines(raw, list)
	traps := map[int][]rawOp{}
	add := func(at, line int, kind uint16) {
		traps[at] = append(traps[at], rawOp{op: iTrap, a: uint32(line), x: kind})
	}
	byOffset := make(map[int]int, len(list))
	for i, s := range list {
		byOffset[s.at] = i
	}
	isRange := func(i int) bool {
		return i+2 < len(list) && list[i].in.Op == mpy.OpDupTop && stores(list[i+1].in.Op)
	}
	loops, conds, silent := map[int]int{}, map[int]int{}, map[int]bool{} // offsets; lines of the first two
	for i, s := range list {
		if s.target < 0 || s.target > s.at {
			continue
		}
		top, ok := byOffset[s.target]
		if !ok {
			continue
		}
		if isRange(top) {
			loops[list[top+2].at] = lines[top]
			continue
		}
		cond := -1
		if top > 0 && list[top-1].in.Op == mpy.OpJump && list[top-1].target > s.target && list[top-1].target <= s.at {
			cond = list[top-1].target
		}
		if _, known := byOffset[cond]; known && conditional(list[i].in.Op) {
			conds[cond] = lines[top-1]
			silent[list[top-1].at] = true
			continue
		}
		loops[s.target] = lines[top]
	}
	for i, s := range list {
		if line, ok := conds[s.at]; ok {
			add(s.at, line, trapLoop)
		}
		line, loop := loops[s.at]
		newLine := i == 0 || lines[i] != lines[i-1]
		if loop && (line != lines[i] || !newLine) {
			add(s.at, line, trapLoop)
		}
		if newLine {
			kind := uint16(0)
			if silent[s.at] {
				kind = trapSilent
			}
			if loop && line == lines[i] {
				kind |= trapLoop
			}
			if _, cond := conds[s.at]; !cond {
				add(s.at, lines[i], kind)
			}
		}
	}
	if first := traps[c.prelude.CodeOffset]; len(first) > 0 {
		first[0].x |= trapEntry
	}
	return traps
}

// lines gives the line of each instruction.
func (c *Code) lines(raw []byte, list []step) []int {
	lines := make([]int, len(list))
	for i, s := range list {
		lines[i] = c.prelude.LineOf(raw, s.at)
	}
	return lines
}

func stores(op mpy.Op) bool {
	switch op {
	case mpy.OpStoreFastN, mpy.OpStoreFastMulti, mpy.OpStoreDeref, mpy.OpStoreName, mpy.OpStoreGlobal:
		return true
	}
	return false
}

func conditional(op mpy.Op) bool { return op == mpy.OpPopJumpIfTrue || op == mpy.OpPopJumpIfFalse }

// Lines are the lines that the function has traps on that a program can be stopped
// at, in no order.
func (c *Code) Lines() []int {
	seen, list := map[uint32]bool{}, []int(nil)
	for i := range c.raw {
		if op := &c.raw[i]; op.op == iTrap && op.x&trapSilent == 0 && !seen[op.a] {
			seen[op.a] = true
			list = append(list, int(op.a))
		}
	}
	return list
}

// SetBreaks sets a breakpoint on each line that want says, and takes it from the
// others. entry sets one where the function begins.
func (c *Code) SetBreaks(want func(line int) bool, entry bool) {
	for i := range c.raw {
		op := &c.raw[i]
		if op.op != iTrap {
			continue
		}
		op.x &^= trapBreak
		if op.x&trapSilent == 0 && want(int(op.a)) || entry && op.x&trapEntry != 0 {
			op.x |= trapBreak
		}
		c.instrs[i].x, c.plain[i].x = op.x, op.x
		for _, is := range c.deeper {
			is[i].x = op.x
		}
	}
}

// Codes calls f for every function that is decoded.
func (vm *VM) Codes(f func(c *Code)) {
	for _, c := range vm.codes {
		f(c)
	}
}
