package compiler

import (
	"math/big"

	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// The instructions as the compiler thinks of them, with what they do to the
// stack's depth.

func (e *emitter) loadTok(t syntax.Token) {
	switch t {
	case syntax.TokKwFalse:
		e.op(1, mpy.OpLoadConstFalse)
	case syntax.TokKwNone:
		e.op(1, mpy.OpLoadConstNone)
	case syntax.TokKwTrue:
		e.op(1, mpy.OpLoadConstTrue)
	default:
		e.opObj(mpy.OpLoadConstObj, mpy.Obj{Kind: mpy.ObjEllipsis})
	}
}

func (e *emitter) loadNone() { e.op(1, mpy.OpLoadConstNone) }

func (e *emitter) loadSmallInt(n int64) {
	if -mpy.SmallIntMultiBias <= n && n < 64-mpy.SmallIntMultiBias {
		e.opPlus(1, mpy.OpLoadConstSmallIntMulti, int(n)+mpy.SmallIntMultiBias)
		return
	}
	if e.quiet {
		return
	}
	e.op(1, mpy.OpLoadConstSmallInt)
	e.code = mpy.AppendInt(e.code, int(n))
}

// loadBytes loads bytes that are a name. The device makes the object only
// when it writes the instruction.
func (e *emitter) loadBytes(s string) {
	if e.quiet {
		return
	}
	e.later = append(e.later, charge{obj: len(e.objs)})
	e.opObj(mpy.OpLoadConstObj, mpy.Obj{Kind: mpy.ObjBytes, Text: s})
}

func (e *emitter) loadInt(n *big.Int) {
	if !e.quiet {
		e.opObj(mpy.OpLoadConstObj, mpy.Obj{Kind: mpy.ObjInt, Text: n.String()})
	}
}

func (e *emitter) loadStr(q name) { e.opName(1, mpy.OpLoadConstString, q) }
func (e *emitter) loadNull()      { e.op(1, mpy.OpLoadNull) }

func (e *emitter) loadLocal(local int, deref bool) {
	switch {
	case deref:
		e.opUint(1, mpy.OpLoadDeref, uint(local))
	case local <= 15:
		e.opPlus(1, mpy.OpLoadFastMulti, local)
	default:
		e.opUint(1, mpy.OpLoadFastN, uint(local))
	}
}

func (e *emitter) storeLocal(local int, deref bool) {
	switch {
	case deref:
		e.opUint(-1, mpy.OpStoreDeref, uint(local))
	case local <= 15:
		e.opPlus(-1, mpy.OpStoreFastMulti, local)
	default:
		e.opUint(-1, mpy.OpStoreFastN, uint(local))
	}
}

func (e *emitter) deleteLocal(local int, deref bool) {
	op := mpy.OpDeleteFast
	if deref {
		op = mpy.OpDeleteDeref
	}
	// Up to v1.11 this instruction does not count as one after a return.
	was := e.lastReturn
	e.opUint(0, op, uint(local))
	if e.gen.Version() < 5 {
		e.lastReturn = was
	}
}

func (e *emitter) loadGlobal(q name, op mpy.Op) {
	e.opName(1, op, q)
	e.cache()
}

func (e *emitter) loadMethod(q name) { e.opName(1, mpy.OpLoadMethod, q) }

func (e *emitter) loadAttr(q name) {
	e.opName(0, mpy.OpLoadAttr, q)
	e.cache()
}

func (e *emitter) storeAttr(q name) {
	e.opName(-2, mpy.OpStoreAttr, q)
	e.cache()
}

func (e *emitter) deleteAttr(q name) {
	e.loadNull()
	e.rotTwo()
	e.storeAttr(q)
}

func (e *emitter) loadSubscr()  { e.op(-1, mpy.OpLoadSubscr) }
func (e *emitter) storeSubscr() { e.op(-3, mpy.OpStoreSubscr) }

func (e *emitter) deleteSubscr() {
	e.loadNull()
	e.rotThree()
	e.storeSubscr()
}

func (e *emitter) dupTop()    { e.op(1, mpy.OpDupTop) }
func (e *emitter) dupTopTwo() { e.op(2, mpy.OpDupTopTwo) }
func (e *emitter) popTop()    { e.op(-1, mpy.OpPopTop) }
func (e *emitter) rotTwo()    { e.op(0, mpy.OpRotTwo) }
func (e *emitter) rotThree()  { e.op(0, mpy.OpRotThree) }

func (e *emitter) jump(to label) { e.opJump(0, mpy.OpJump, to, true) }

func (e *emitter) popJumpIf(cond bool, to label) {
	op := mpy.OpPopJumpIfFalse
	if cond {
		op = mpy.OpPopJumpIfTrue
	}
	e.opJump(-1, op, to, true)
}

func (e *emitter) jumpIfOrPop(cond bool, to label) {
	op := mpy.OpJumpIfFalseOrPop
	if cond {
		op = mpy.OpJumpIfTrueOrPop
	}
	e.opJump(-1, op, to, true)
}

// unwindJump leaves handlers exception handlers and, with fromFor, a for loop
// with its iterator.
func (e *emitter) unwindJump(to label, handlers int, fromFor bool) {
	if e.quiet {
		return
	}
	if handlers == 0 {
		if fromFor {
			for range mpy.IterSlots {
				e.raw(e.gen.Code(mpy.OpPopTop))
			}
		}
		e.jump(to)
		return
	}
	// Up to v1.11 this instruction does not count as one after a return.
	was := e.lastReturn
	e.opJump(0, mpy.OpUnwindJump, to, true)
	if e.gen.Version() < 5 {
		e.lastReturn = was
	}
	if fromFor {
		handlers |= 0x80
	}
	e.raw(byte(handlers))
}

func (e *emitter) setup(op mpy.Op, to label) {
	delta := 0
	if op == mpy.OpSetupWith {
		delta = 2
	}
	e.opJump(delta, op, to, false)
}

// withCleanup ends a with block whose handler is at l. The two slots more are
// for calling __exit__.
func (e *emitter) withCleanup(l label) {
	e.popBlock()
	e.loadNone()
	e.assign(l)
	e.op(2, mpy.OpWithCleanup)
	e.adjust(-4)
}

// popBlock leaves a handler at the end of what it protects; from v1.11 on
// the instruction after it does so.
func (e *emitter) popBlock() {
	if e.gen.Version() < 4 {
		e.op(0, mpy.OpPopBlock)
	}
}

// popExceptJump leaves a handler, or with caught the treatment of an
// exception, and jumps.
func (e *emitter) popExceptJump(to label, caught bool) {
	if e.gen.Version() >= 4 {
		e.opJump(0, mpy.OpPopExceptJump, to, false)
		return
	}
	if caught {
		e.op(0, mpy.OpPopExcept)
	} else {
		e.op(0, mpy.OpPopBlock)
	}
	e.jump(to)
}

func (e *emitter) endFinally() { e.op(-1, mpy.OpEndFinally) }

// getIter replaces an object by its iterator; getIterStack keeps the iterator
// itself on the stack.
func (e *emitter) getIter()      { e.op(0, mpy.OpGetIter) }
func (e *emitter) getIterStack() { e.op(mpy.IterSlots-1, mpy.OpGetIterStack) }

func (e *emitter) forIter(end label) { e.opJump(1, mpy.OpForIter, end, false) }
func (e *emitter) forIterEnd()       { e.adjust(-mpy.IterSlots) }

func (e *emitter) unary(op mpy.UnaryOp) { e.opPlus(0, mpy.OpUnaryOpMulti, int(op)) }

func (e *emitter) binary(op mpy.BinaryOp) {
	if e.quiet {
		return
	}
	invert := true
	switch op {
	case mpy.BinaryNotIn:
		op = mpy.BinaryIn
	case mpy.BinaryIsNot:
		op = mpy.BinaryIs
	default:
		invert = false
	}
	e.adjust(-1)
	e.code = e.gen.Append(e.code, mpy.Instr{Op: mpy.OpBinaryOpMulti, Arg: int(op)})
	if invert {
		e.unary(mpy.UnaryNot)
	}
}

// build makes a tuple, list, set or slice of the n topmost values.
func (e *emitter) build(op mpy.Op, n int) { e.opUint(1-n, op, uint(n)) }

// buildMap makes a dict with room for n.
func (e *emitter) buildMap(n int) { e.opUint(1, mpy.OpBuildMap, uint(n)) }
func (e *emitter) storeMap()      { e.op(-2, mpy.OpStoreMap) }

// storeComp adds to the collection of a comprehension, depth slots below.
func (e *emitter) storeComp(kind scopeKind, depth int) {
	switch kind {
	case scopeListComp:
		e.opUint(-1, mpy.OpStoreComp, uint(depth<<2))
	case scopeDictComp:
		e.opUint(-2, mpy.OpStoreComp, uint((depth+1)<<2|1))
	default:
		e.opUint(-1, mpy.OpStoreComp, uint(depth<<2|2))
	}
}

func (e *emitter) unpack(n int) { e.opUint(n-1, mpy.OpUnpackSequence, uint(n)) }

func (e *emitter) unpackEx(left, right int) {
	e.opUint(left+right, mpy.OpUnpackEx, uint(left|right<<8))
}

// makeFunction makes a function of s, with the defaults on the stack if there
// are any; makeClosure one with the topmost closed variables, too.
func (e *emitter) makeFunction(s *scope, defaults bool) {
	if defaults {
		e.opChild(-1, mpy.OpMakeFunctionDefargs, s.raw)
	} else {
		e.opChild(1, mpy.OpMakeFunction, s.raw)
	}
}

func (e *emitter) makeClosure(s *scope, closed int, defaults bool) {
	if defaults {
		e.opChild(-1-closed, mpy.OpMakeClosureDefargs, s.raw)
	} else {
		e.opChild(1-closed, mpy.OpMakeClosure, s.raw)
	}
	e.raw(byte(closed))
}

// callArgs are the arguments of a call that lie on the stack.
type callArgs struct {
	pos, kw int
	star    bool // a sequence and a dict follow
}

// callFunction and callMethod call what lies below the arguments.
func (e *emitter) callFunction(a callArgs) {
	e.call(0, mpy.OpCallFunction, mpy.OpCallFunctionVarKw, a)
}

func (e *emitter) callMethod(a callArgs) {
	e.call(-1, mpy.OpCallMethod, mpy.OpCallMethodVarKw, a)
}

func (e *emitter) call(delta int, op, starOp mpy.Op, a callArgs) {
	delta -= a.pos + 2*a.kw
	if a.star {
		delta -= 2
		op = starOp
	}
	e.opUint(delta, op, uint(a.kw<<8|a.pos))
}

func (e *emitter) returnValue() {
	e.op(-1, mpy.OpReturnValue)
	e.lastReturn = !e.quiet
}

func (e *emitter) raise(n int) {
	if e.gen.Version() >= 5 {
		e.op(-n, mpy.OpRaiseLast+mpy.Op(n))
		return
	}
	e.op(-n, mpy.OpRaiseVarargs)
	e.raw(byte(n))
}

// yield makes the scope a generator.
func (e *emitter) yield() {
	e.op(0, mpy.OpYieldValue)
	e.scope.flags |= mpy.ScopeGenerator
}

func (e *emitter) yieldFrom() {
	e.op(-1, mpy.OpYieldFrom)
	e.scope.flags |= mpy.ScopeGenerator
}

// startExceptHandler makes room for the exception and for what an unwinding
// jump keeps on the stack; endExceptHandler takes back the latter.
func (e *emitter) startExceptHandler() { e.adjust(4) }
func (e *emitter) endExceptHandler()   { e.adjust(-3) }

// popExcept ends the treatment of an exception; only up to v1.10.
func (e *emitter) popExcept() { e.op(0, mpy.OpPopExcept) }
