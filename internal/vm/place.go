package vm

import "unsafe"

// This file places instructions: it follows the bytecode on the depth of the
// value stack alone, and gives each instruction the slots that it works on. So
// the loop has no stack pointer, and an operand can as well be a local variable.
//
// The depth before an instruction is the same however it is come to, with two
// exceptions. What a jump out of handlers leaves is known when it is made: then
// follow goes on from there. And while a finally block runs because of a return,
// one value more is on the stack: for that there are deeper instructions, made
// when they are needed.

const (
	instrBytes = uint32(unsafe.Sizeof(instr{}))
	unknown    = -1 // depth of what nothing came to yet
)

// place makes the instructions of a function from its raw operations.
func (c *Code) place() {
	n := len(c.raw)
	c.depth, c.plain = make([]int32, n), make([]instr, n)
	for i := range c.depth {
		c.depth[i] = unknown
	}
	c.instrs = c.plain
	if c.fused {
		c.instrs = make([]instr, n)
	}
	c.follow(0, 0)
}

// follow notes the depths of what can be come to from an instruction and makes
// the instructions again.
func (c *Code) follow(at int, depth int32) {
	work := []int{at}
	c.depth[at] = depth
	reach := func(i int, d int32) {
		if i < len(c.raw) && c.depth[i] == unknown {
			c.depth[i] = d
			work = append(work, i)
		}
	}
	for len(work) > 0 {
		i := work[len(work)-1]
		work = work[:len(work)-1]
		op, d := &c.raw[i], c.depth[i]
		after, target := d-op.pop+op.push, int(op.a)
		switch op.op {
		case iReturnValue, iRaiseVarargs, iUnwindJump:
			continue
		case iJump, iPopExceptJump:
			reach(target, after)
			continue
		case iPopJumpIfTrue, iPopJumpIfFalse, iSetupWith:
			reach(target, after)
		case iJumpIfTrueOrPop, iJumpIfFalseOrPop:
			reach(target, d)
		case iForIter:
			reach(target, d-iterSlots)
		case iSetupExcept, iSetupFinally:
			reach(target, d+1)
		}
		reach(i+1, after)
	}
	c.placeAll(c.plain, 0)
	if c.fused {
		copy(c.instrs, c.plain)
		fuse(c.instrs, c.plain)
	}
	c.deeper = nil
}

// instrsAt returns the first instruction of those to be run from one on, with so
// many values on the stack.
func (vm *VM) instrsAt(c *Code, at int, depth int32) *instr {
	if c.depth[at] == depth {
		return &c.instrs[0]
	}
	return c.instrsDeeper(at, depth)
}

func (c *Code) instrsDeeper(at int, depth int32) *instr {
	if c.depth[at] == unknown {
		c.follow(at, depth)
		return &c.instrs[0]
	}
	more := int(depth - c.depth[at])
	is := c.deeper[more]
	if is == nil {
		is = make([]instr, len(c.raw))
		c.placeAll(is, int32(more))
		if c.deeper == nil {
			c.deeper = make(map[int][]instr)
		}
		c.deeper[more] = is
	}
	return &is[0]
}

// placeAll makes all instructions whose depth is known, for so many values more
// on the stack. One that would leave the frame becomes iInvalid: compiled code has
// none, but for a slot or two more where a return passes through finally blocks,
// which then lie over the handlers.
func (c *Code) placeAll(dst []instr, more int32) {
	limit := int32(c.nState)
	if more > 0 {
		limit += 3 * int32(c.nExc)
	}
	for i := range c.raw {
		op, d := &c.raw[i], c.depth[i]
		in := instr{op: iInvalid, y: uint32(i), skip: uint8(instrBytes)}
		if d != unknown {
			if d += more; d >= op.pop && d-op.pop+op.push <= limit && d+op.need() <= limit {
				in.op, in.x, in.s = op.op, op.x, uint32(4*(d-op.pop))
				c.operands(&in, op, d)
			}
		}
		dst[i] = in
	}
}

// need is how many slots above the stack an instruction uses besides.
func (op *rawOp) need() int32 {
	switch op.op {
	case iUnwindJump:
		return 2
	case iSetupWith:
		return 3
	}
	return 0
}

// operands fills in what an instruction works on, as the operation says it.
func (c *Code) operands(in *instr, op *rawOp, depth int32) {
	in.a = op.a
	switch op.op {
	case iLoadConst:
		in.c = in.s
	case iLoadFast:
		in.a, in.c = c.local(op.a), in.s
	case iLoadDeref, iStoreFast, iStoreDeref, iDeleteFast, iDeleteDeref:
		in.a = c.local(op.a)
	case iLoadAttr, iLoadClass, iLoadMethod, iLoadSuperMethod:
		in.a, in.b, in.c = in.s, op.a, in.s
	case iLoadSubscr:
		in.a, in.b, in.c = in.s, in.s+4, in.s
	case iStoreAttr:
		in.a, in.b, in.c = in.s, op.a, in.s+4
	case iStoreSubscr:
		in.a, in.b, in.c = in.s, in.s+4, in.s+8
	case iUnaryOp:
		in.a, in.c, in.x = in.s, in.s, uint16(op.a)
		if UnaryOp(op.a) == UnaryNot {
			in.op = iNot
		}
	case iBinaryOp:
		in.a, in.b, in.c, in.x = in.s, in.s+4, in.s, uint16(op.a)
		if q := quickOps[op.a]; q.op != iInvalid {
			in.op = q.op
		}
	case iCallFunction, iCallFunctionVarKw, iCallMethod, iCallMethodVarKw:
		in.a, in.b, in.c = op.a&0xff, op.a>>8&0xff, in.s
	case iReturnValue, iYieldValue:
		in.a = in.s
	case iJump, iPopJumpIfTrue, iPopJumpIfFalse, iJumpIfTrueOrPop, iJumpIfFalseOrPop, iPopExceptJump:
		in.a, in.c = in.s, distance(int(in.y), op.a)
	case iForIter:
		in.a, in.c = in.s+4*iterSlots, distance(int(in.y), op.a)
	case iStoreComp:
		in.a, in.x = uint32(4*(depth-1-int32(op.a>>2))), uint16(op.a&3)
	}
}

// local gives the place of a local variable: they grow down from the end of the
// state.
func (c *Code) local(n uint32) uint32 { return 4 * (c.nState - 1 - n) }

// distance is how many bytes a jump goes.
func distance(from int, to uint32) uint32 { return (to - uint32(from)) * instrBytes }
