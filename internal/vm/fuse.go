package vm

// This file fuses runs of decoded instructions: LOAD_FAST or LOAD_CONST goes into
// the instruction that takes the value, STORE_FAST or POP_TOP into the one that
// gives it, a comparison becomes one with the jump behind it. A run is replaced at
// its first instruction only; the rest stays where it is, so a jump into the middle
// still finds it. What a fused instruction finds undefined (a local without a
// value) it leaves to the plain ones.
//
// Nothing of this can be seen by a program or in a figure. The bytes of the code
// stay, every allocation is made by the same instructions as before, and the slots
// of the stack hold the same values wherever the collector may look at them. There
// is one liberty: a number in a slot may be another number, since the collector
// follows none.

// quickOp is how an operator is done on small ints.
type quickOp struct {
	op    iop
	withC iop // with an immediate operand
	jump  iop // for comparisons: with a jump that is taken if it holds
	not   iop // and if it does not
}

// quickOps are the operators that have a quick way.
var quickOps = [numBinaryOps]quickOp{
	BinAdd: {op: iAdd, withC: iAddC}, BinInplaceAdd: {op: iAdd, withC: iAddC},
	BinSubtract: {op: iSub, withC: iSubC}, BinInplaceSubtract: {op: iSub, withC: iSubC},
	BinMultiply: {op: iMul, withC: iMulC}, BinInplaceMultiply: {op: iMul, withC: iMulC},
	BinAnd: {op: iAnd, withC: iAndC}, BinInplaceAnd: {op: iAnd, withC: iAndC},
	BinOr: {op: iOr, withC: iOrC}, BinInplaceOr: {op: iOr, withC: iOrC},
	BinXor: {op: iXor, withC: iXorC}, BinInplaceXor: {op: iXor, withC: iXorC},
	BinLshift: {op: iShl, withC: iShlC}, BinInplaceLshift: {op: iShl, withC: iShlC},
	BinRshift: {op: iShr, withC: iShrC}, BinInplaceRshift: {op: iShr, withC: iShrC},
	BinFloorDivide: {op: iFloorDiv, withC: iFloorDivC}, BinInplaceFloorDivide: {op: iFloorDiv, withC: iFloorDivC},
	BinModulo: {op: iMod, withC: iModC}, BinInplaceModulo: {op: iMod, withC: iModC},
	BinLess:      {iCompare, iCompareC, iJumpLess, iJumpMoreEqual},
	BinMore:      {iCompare, iCompareC, iJumpMore, iJumpLessEqual},
	BinEqual:     {iCompare, iCompareC, iJumpEqual, iJumpNotEqual},
	BinLessEqual: {iCompare, iCompareC, iJumpLessEqual, iJumpMore},
	BinMoreEqual: {iCompare, iCompareC, iJumpMoreEqual, iJumpLess},
	BinNotEqual:  {iCompare, iCompareC, iJumpNotEqual, iJumpEqual},
	BinIs:        {iCompare, iCompareC, iJumpIs, iJumpIsNot},
}

// fuser looks at the plain instructions of a function.
type fuser struct{ p []instr }

// fuse replaces runs of p in dst, which begins as a copy of it.
func fuse(dst, p []instr) {
	f := fuser{p}
	for i := range p {
		if in, n := f.at(i); n > 1 {
			in.skip = uint8(uint32(n) * instrBytes)
			dst[i] = in
		}
	}
}

func (f *fuser) op(i int) iop {
	if i < len(f.p) {
		return f.p[i].op
	}
	return iInvalid
}

func isLoad(op iop) bool { return op == iLoadFast || op == iLoadConst }

// at gives the instruction for the run that begins at i, and its length.
func (f *fuser) at(i int) (instr, int) {
	if n := f.rangeStep(i); n.op != iInvalid {
		return n, 6
	}
	loads := 0
	for loads < 3 && isLoad(f.op(i+loads)) {
		loads++
	}
	// the longest run of loads that the next instruction can take in
	for n := loads; n > 0; n-- {
		if in, ok := f.takes(i, n); ok {
			return f.gives(in, i+n+1, n+1)
		}
	}
	if f.op(i) == iInvalid {
		return instr{}, 0
	}
	return f.gives(f.p[i], i+1, 1)
}

// takes gives the instruction behind n loads at i with those for operands.
func (f *fuser) takes(i, n int) (in instr, ok bool) {
	l, r := &f.p[i], &f.p[i+n-1]
	constant := r.op == iLoadConst
	if n > 1 && l.op == iLoadConst {
		return in, false
	}
	if f.op(i+n) == iInvalid {
		return in, false
	}
	in = f.p[i+n]
	switch {
	case in.op == iLoadFast && n == 1 && !constant:
		// two loads
		in.op, in.s, in.b, in.a = iLoadFastFast, l.s, in.a, l.a
		return in, true
	case in.op == iStoreFast && n == 1:
		d := in.a
		in = *l
		in.c = d
		return in, true
	case in.op >= iBinaryOp && in.op <= iMod && n <= 2, in.op == iCompare && n <= 2:
		if n == 2 {
			in.a = l.a
		}
		in.b = r.a
		if constant {
			if in.op = quickOps[in.x].withC; in.op == iInvalid {
				return in, false
			}
		}
		return in, true
	case in.op == iLoadSubscr && n <= 2:
		if n == 2 {
			in.a = l.a
		}
		in.b = r.a
		if constant {
			in.op = iLoadSubscrC
			return in, Value(r.a).IsSmallInt()
		}
		return in, true
	case in.op == iReturnValue && n == 1 && constant:
		in.op, in.a = iReturnConst, l.a
		return in, true
	case constant:
		return in, false
	}
	switch in.op {
	case iLoadAttr, iLoadMethod, iReturnValue, iYieldValue, iUnaryOp, iNot:
		in.a = l.a
		return in, n == 1
	case iPopJumpIfTrue, iPopJumpIfFalse:
		in.a = l.a
		in.c += instrBytes // the jump begins one earlier
		return in, n == 1
	case iStoreAttr:
		in.c = r.a
		if n == 2 {
			in.a = l.a
		}
		return in, n <= 2
	case iStoreSubscr:
		in.c = r.a
		if n >= 2 {
			in.b = f.p[i+n-2].a
			if f.p[i+n-2].op == iLoadConst {
				return in, false
			}
		}
		if n == 3 {
			in.a = l.a
		}
		return in, true
	}
	return in, false
}

// gives adds what takes the value of an instruction to it: next is the index of
// what follows, n the length of the run so far.
func (f *fuser) gives(in instr, next, n int) (instr, int) {
	switch op := f.op(next); {
	case op == iStoreFast && in.c == in.s && givesValue(in.op):
		in.c = f.p[next].a
		return in, n + 1
	case op == iStoreFast && in.op == iForIter:
		in.a = f.p[next].a
		return in, n + 1
	case op == iPopTop && (in.c == in.s && givesValue(in.op)):
		return in, n + 1
	case in.op == iCompare || in.op == iCompareC:
		return f.compareJump(in, next, n)
	}
	return in, n
}

// givesValue reports whether an operation has a destination.
func givesValue(op iop) bool {
	switch op {
	case iLoadAttr, iLoadSubscr, iLoadSubscrC, iCallFunction, iCallMethod, iUnaryOp, iNot:
		return true
	}
	return op >= iBinaryOp && op <= iCompareC
}

// compareJump fuses a comparison, perhaps NOT, and a jump.
func (f *fuser) compareJump(in instr, next, n int) (instr, int) {
	not := f.op(next) == iNot
	if not {
		next++
		n++
	}
	op := f.op(next)
	if op != iPopJumpIfTrue && op != iPopJumpIfFalse {
		if not {
			n--
		}
		return in, n
	}
	isC, q := in.op == iCompareC, &quickOps[in.x]
	if (op == iPopJumpIfTrue) != not {
		in.op, in.x = q.jump, in.x|jumpIfTrue
	} else {
		in.op = q.not
	}
	if isC {
		in.op += iJumpLessC - iJumpLess
	}
	jump := &f.p[next]
	first := next + 1 - (n + 1)
	in.c = jump.c + uint32(next-first)*instrBytes
	return in, n + 1
}

// rangeStep gives the end of a loop over a range:
//
//	LOAD_CONST step, ADD, DUP_TOP_TWO, ROT_TWO, LESS or MORE, POP_JUMP_IF_TRUE body
//	LOAD_CONST step, ADD, DUP_TOP, LOAD_CONST end, LESS or MORE, POP_JUMP_IF_TRUE body
//
// where the body begins with DUP_TOP, STORE_FAST.
func (f *fuser) rangeStep(i int) (in instr) {
	if f.op(i) != iLoadConst || f.op(i+1) != iAdd || f.op(i+4) != iCompare || f.op(i+5) != iPopJumpIfTrue {
		return in
	}
	in = instr{op: iRangeStep, y: uint32(i + 1), s: f.p[i+1].s, a: f.p[i].a}
	test, body := BinLess, i+5+int(int32(f.p[i+5].c)/int32(instrBytes))
	if int32(in.a) < 0 {
		test = BinMore
	}
	if !Value(in.a).IsSmallInt() || BinaryOp(f.p[i+4].x) != test || f.op(body) != iDupTop || f.op(body+1) != iStoreFast {
		return instr{}
	}
	local := f.p[body+1].a
	in.c = distance(i, uint32(body+2))
	switch {
	case f.op(i+2) == iDupTopTwo && f.op(i+3) == iRotTwo:
		in.b = local
	case f.op(i+2) == iDupTop && f.op(i+3) == iLoadConst && Value(f.p[i+3].a).IsSmallInt() && local < 1<<16:
		in.op, in.b, in.x = iRangeStepConst, f.p[i+3].a, uint16(local)
	default:
		return instr{}
	}
	return in
}

// compare is a comparison of two small ints.
func compare(op BinaryOp, l, r Value) bool {
	a, b := int32(l), int32(r)
	switch op {
	case BinLess:
		return a < b
	case BinMore:
		return a > b
	case BinEqual, BinIs:
		return a == b
	case BinLessEqual:
		return a <= b
	case BinMoreEqual:
		return a >= b
	}
	return a != b
}
