package vm

// This file fuses common runs of decoded instructions. A run is replaced at its
// first instruction only, by one that looks at the ones behind it; the rest
// stays where it is, so a jump into the middle still finds it. What a fused
// instruction cannot do quickly (a local without a value, anything but small
// ints) it leaves to the plain instructions, of which Code.plain has a copy.
//
// Nothing of this can be seen by a program or in a figure: the bytes of the code
// stay, and every allocation is made by the same instructions as before.

// fuse fills in Code.plain and replaces runs in Code.instrs.
func (vm *VM) fuse(c *Code) {
	c.plain = append([]instr(nil), c.instrs...)
	p := c.plain
	op := func(i int) iop {
		if i < len(p) {
			return p[i].op
		}
		return iInvalid
	}
	for i := range p {
		if fused := fuseAt(p, i, op); fused != iInvalid {
			c.instrs[i].op = fused
		}
	}
}

// fuseAt gives the fused operation that can begin at i, or iInvalid.
func fuseAt(p []instr, i int, op func(int) iop) iop {
	switch op(i) {
	case iLoadFast:
		switch next := op(i + 1); {
		case next == iLoadFast && quick(op(i+2)):
			return iFastFastOp
		case next == iLoadConst && quick(op(i+2)) && Value(p[i+1].a).IsSmallInt():
			return iFastConstOp
		case next == iLoadFast && op(i+2) == iLoadSubscr:
			return iFastFastSubscr
		case quick(next):
			return iTopFastOp
		case next == iLoadAttr && p[i+1].y == 0:
			return iFastAttr
		case next == iLoadFast:
			return iLoadFastFast
		case next == iReturnValue:
			return iReturnFast
		}
	case iLoadConst:
		if !Value(p[i].a).IsSmallInt() {
			return iInvalid
		}
		if op(i+1) == iAdd && op(i+2) == iDupTopTwo && op(i+3) == iRotTwo && rangeTest(op(i+4)) &&
			op(i+5) == iPopJumpIfTrue && rangeBody(p, i+5, op) {
			return iRangeStep
		}
		if op(i+1) == iAdd && op(i+2) == iDupTop && op(i+3) == iLoadConst && Value(p[i+3].a).IsSmallInt() &&
			rangeTest(op(i+4)) && op(i+5) == iPopJumpIfTrue && rangeBody(p, i+5, op) {
			return iRangeStepConst
		}
		if quick(op(i + 1)) {
			return iTopConstOp
		}
	case iLess, iMore, iEqual, iLessEqual, iMoreEqual, iNotEqual:
		if n := op(i + 1); n == iPopJumpIfFalse || n == iPopJumpIfTrue {
			return iCompareJump
		}
	case iForIter:
		if op(i+1) == iStoreFast {
			return iForIterStore
		}
	}
	return iInvalid
}

// quick reports whether an operator on small ints can be part of a fused run.
func quick(op iop) bool { return op >= iAdd && op <= iNotEqual }

func rangeTest(op iop) bool { return op == iLess || op == iMore }

// rangeBody reports whether a loop's jump leads to where the loop variable is
// set: DUP_TOP, STORE_FAST.
func rangeBody(p []instr, jump int, op func(int) iop) bool {
	t := int(p[jump].a)
	return op(t) == iDupTop && op(t+1) == iStoreFast
}

// compare is a comparison of two small ints.
func compare(op iop, l, r Value) bool {
	a, b := int32(l), int32(r)
	switch op {
	case iLess:
		return a < b
	case iMore:
		return a > b
	case iEqual:
		return a == b
	case iLessEqual:
		return a <= b
	case iMoreEqual:
		return a >= b
	}
	return a != b
}
