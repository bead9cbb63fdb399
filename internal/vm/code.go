package vm

import "github.com/skep-sim/skep/internal/mpy"

// This file decodes bytecode, once a function, into instructions of fixed size
// for the loop. The bytes on the device's heap stay what they are; decoded code
// lives in Go, keyed by their address.

// iop is an operation of decoded code.
type iop uint8

// The operations of the loop. The first ones are the bytecode's, one each.
const (
	iInvalid    iop = iota
	iLoadConst      // a: Value
	iLoadNull       //
	iLoadFast       // a: local
	iLoadDeref      // a: local
	iLoadName       // a: qstr
	iLoadGlobal     // a: qstr; x: slot hint
	iLoadAttr       // a: qstr; x: slot hint
	iLoadMethod     // a: qstr; x: slot hint
	iLoadSuperMethod
	iLoadBuildClass
	iLoadSubscr
	iStoreFast
	iStoreDeref
	iStoreName
	iStoreGlobal
	iStoreAttr // a: qstr; x: slot hint
	iStoreSubscr
	iDeleteFast
	iDeleteDeref
	iDeleteName
	iDeleteGlobal
	iDupTop
	iDupTopTwo
	iPopTop
	iRotTwo
	iRotThree
	iJump           // a: target
	iPopJumpIfTrue  // a: target
	iPopJumpIfFalse // a: target
	iJumpIfTrueOrPop
	iJumpIfFalseOrPop
	iSetupWith // a: handler
	iWithCleanup
	iSetupExcept  // a: handler
	iSetupFinally // a: handler
	iEndFinally
	iGetIter
	iGetIterStack
	iForIter       // a: target at the end
	iPopExceptJump // a: target
	iUnwindJump    // a: target; x: number of handlers
	iBuildTuple
	iBuildList
	iBuildMap
	iStoreMap
	iBuildSet
	iStoreComp
	iBuildSlice
	iUnpackSequence
	iUnpackEx
	iReturnValue
	iRaiseVarargs
	iYieldValue
	iYieldFrom
	iMakeFunction        // a: index in the const table
	iMakeFunctionDefargs // likewise
	iMakeClosure         // likewise; x: cells
	iMakeClosureDefargs  // likewise; x: cells
	iCallFunction        // a: positional | keyword << 8
	iCallFunctionVarKw
	iCallMethod
	iCallMethodVarKw
	iImportName
	iImportFrom
	iImportStar
	iUnaryOp  // a: UnaryOp
	iBinaryOp // a: BinaryOp
	iNot

	// Operators on small ints, each with the general way behind it.
	iAdd
	iSub
	iMul
	iAnd
	iLess
	iMore
	iEqual
	iLessEqual
	iMoreEqual
	iNotEqual

	// Fused instructions, see fuse.go.
	iFastFastOp     // LOAD_FAST, LOAD_FAST, operator, and what takes the result
	iFastConstOp    // LOAD_FAST, LOAD_CONST, operator, ...
	iTopFastOp      // LOAD_FAST, operator, ...
	iTopConstOp     // LOAD_CONST, operator, ...
	iFastFastSubscr // LOAD_FAST, LOAD_FAST, LOAD_SUBSCR
	iFastAttr       // LOAD_FAST, LOAD_ATTR
	iLoadFastFast   // LOAD_FAST, LOAD_FAST
	iReturnFast     // LOAD_FAST, RETURN_VALUE
	iRangeStep      // the end of a loop over a range
	iRangeStepConst // the same with a constant end
	iCompareJump    // comparison, POP_JUMP_IF_...
	iForIterStore   // FOR_ITER, STORE_FAST
	numIops
)

// instr is one decoded instruction. at is the offset of the byte after the
// opcode's position that tracebacks use, kept apart in Code.offs.
type instr struct {
	op iop
	y  uint8
	x  uint16
	a  uint32
}

// Code is a decoded function.
type Code struct {
	addr      uint32 // of the bytecode
	nState    uint32
	nExc      uint32
	flags     byte
	nPos      int
	nKwOnly   int
	nDef      int
	simple    bool // positional arguments only: the quick way to call it
	generator bool
	bytes     uint32 // of a frame: 20 + state
	cost      int    // of a call, in bytes of C stack
	leak      bool   // the frame is left to the collector
	onStack   bool   // the frame lies in the stack region
	cells     []byte
	instrs    []instr  // fused
	plain     []instr  // as decoded
	offs      []uint16 // of each instruction, from LineBase
	prelude   mpy.Prelude
	globals   []globalCache // by instruction, made when needed
	methods   []methodCache // likewise
}

type codeMemo struct {
	addr uint32
	code *Code
}

// codeAt returns the decoded function whose bytecode lies at addr.
func (vm *VM) codeAt(addr uint32, table uint32) *Code {
	memo := &vm.codeMemo[(addr>>4)&255]
	if memo.addr == addr && memo.code != nil {
		return memo.code
	}
	c := vm.codes[addr]
	if c == nil {
		c = vm.decode(addr, table)
		vm.codes[addr] = c
	}
	*memo = codeMemo{addr, c}
	return c
}

// dropDeadCode forgets decoded code whose bytes were collected.
func (vm *VM) dropDeadCode() {
	vm.codeMemo = [256]codeMemo{}
	for addr := range vm.codes {
		if !vm.alive(addr) {
			delete(vm.codes, addr)
		}
	}
	vm.dictGen++
	vm.typeGen++
}

// alive reports whether an address is bundle flash or the head of a block.
func (vm *VM) alive(addr uint32) bool {
	return addr >= vm.stackHi || vm.heap.Live(addr)
}

// decode decodes the bytecode at addr with its const table. The code was
// verified when it was loaded, so it is well-formed.
func (vm *VM) decode(addr, table uint32) *Code {
	raw := vm.Bytes[addr:]
	p, err := mpy.ParsePrelude(raw, vm.opt.MpyVersion)
	if err != nil {
		panic("vm: bytecode was not verified: " + err.Error())
	}
	c := &Code{
		addr: addr, nState: uint32(p.NState), nExc: uint32(p.NExcStack), flags: p.ScopeFlags,
		nPos: p.NumPos, nKwOnly: p.NumKwOnly, nDef: p.NumDefPos, prelude: p,
	}
	c.generator = p.ScopeFlags&mpy.ScopeGenerator != 0
	c.cells = append([]byte(nil), p.Cells(raw)...)
	c.simple = p.ScopeFlags&(mpy.ScopeVarArgs|mpy.ScopeVarKeywords|mpy.ScopeDefKwArgs) == 0 && p.NumKwOnly == 0
	state := 4*c.nState + 12*c.nExc
	c.bytes = 20 + state
	if state <= 44 {
		c.leak = vm.opt.NoAlloca
		c.onStack = !vm.opt.NoAlloca
	}
	c.cost = vm.opt.FrameCost
	if c.onStack {
		c.cost += int(c.bytes)
	}
	vm.decodeBody(c, raw, table)
	return c
}

// decodeBody fills in the instructions. The end of the code is where every path
// has ended: behind the last instruction that something reaches.
func (vm *VM) decodeBody(c *Code, raw []byte, table uint32) {
	gen := mpy.GenerationOf(vm.opt.MpyVersion)
	at := c.prelude.CodeOffset
	reach := at
	type pending struct{ index, target int }
	var jumps []pending
	index := map[int]int{}
	for first := true; first || at <= reach; first = false {
		in, next, err := gen.Decode(raw, at)
		if err != nil {
			panic("vm: bytecode was not verified: " + err.Error())
		}
		index[at] = len(c.instrs)
		c.offs = append(c.offs, uint16(at-c.prelude.LineBase))
		end := next
		if info := in.Op.Info(); info.Operand == mpy.OperandJumpByte {
			end--
		}
		if isJump(in.Op) {
			target := end + in.Arg
			jumps = append(jumps, pending{len(c.instrs), target})
			reach = max(reach, target)
		}
		c.instrs = append(c.instrs, vm.decodeOne(in, table))
		if !endsPath(in.Op) {
			reach = max(reach, next)
		}
		at = next
	}
	for _, j := range jumps {
		c.instrs[j.index].a = uint32(index[j.target])
	}
	vm.fuse(c)
}

func isJump(op mpy.Op) bool {
	switch op.Info().Operand {
	case mpy.OperandForward, mpy.OperandJump, mpy.OperandJumpByte:
		return true
	}
	return false
}

func endsPath(op mpy.Op) bool {
	switch op {
	case mpy.OpJump, mpy.OpReturnValue, mpy.OpRaiseVarargs, mpy.OpUnwindJump, mpy.OpPopExceptJump:
		return true
	}
	return false
}

// decodeOne translates one instruction.
func (vm *VM) decodeOne(in mpy.Instr, table uint32) instr {
	a := uint32(in.Arg)
	constant := func(v Value) instr { return instr{op: iLoadConst, a: uint32(v)} }
	switch in.Op {
	case mpy.OpLoadConstFalse:
		return constant(False)
	case mpy.OpLoadConstNone:
		return constant(None)
	case mpy.OpLoadConstTrue:
		return constant(True)
	case mpy.OpLoadConstSmallInt, mpy.OpLoadConstSmallIntMulti:
		return constant(SmallInt(in.Arg))
	case mpy.OpLoadConstString:
		return constant(Qstr(a).Value())
	case mpy.OpLoadConstObj:
		return constant(vm.Mem[table/4+a])
	case mpy.OpUnaryOpMulti:
		if UnaryOp(a) == UnaryNot {
			return instr{op: iNot}
		}
		return instr{op: iUnaryOp, a: a}
	case mpy.OpBinaryOpMulti:
		return instr{op: binaryIop(BinaryOp(a)), a: a}
	}
	op, ok := plainOps[in.Op]
	if !ok {
		panic("vm: no such operation: " + in.Op.String())
	}
	d := instr{op: op, a: a, x: uint16(in.Extra)}
	if op == iLoadAttr && Qstr(a) == QClass {
		d.y = 1 // never a member
	}
	return d
}

// binaryIop picks the quick form of an operator.
func binaryIop(op BinaryOp) iop {
	switch op {
	case BinAdd, BinInplaceAdd:
		return iAdd
	case BinSubtract, BinInplaceSubtract:
		return iSub
	case BinMultiply, BinInplaceMultiply:
		return iMul
	case BinAnd, BinInplaceAnd:
		return iAnd
	case BinLess:
		return iLess
	case BinMore:
		return iMore
	case BinEqual:
		return iEqual
	case BinLessEqual:
		return iLessEqual
	case BinMoreEqual:
		return iMoreEqual
	case BinNotEqual:
		return iNotEqual
	}
	return iBinaryOp
}

// plainOps are the operations that are the same in both forms.
var plainOps = map[mpy.Op]iop{
	mpy.OpLoadNull: iLoadNull, mpy.OpLoadFastN: iLoadFast, mpy.OpLoadFastMulti: iLoadFast, mpy.OpLoadDeref: iLoadDeref,
	mpy.OpLoadName: iLoadName, mpy.OpLoadGlobal: iLoadGlobal, mpy.OpLoadAttr: iLoadAttr, mpy.OpLoadMethod: iLoadMethod,
	mpy.OpLoadSuperMethod: iLoadSuperMethod, mpy.OpLoadBuildClass: iLoadBuildClass, mpy.OpLoadSubscr: iLoadSubscr,
	mpy.OpStoreFastN: iStoreFast, mpy.OpStoreFastMulti: iStoreFast, mpy.OpStoreDeref: iStoreDeref,
	mpy.OpStoreName: iStoreName, mpy.OpStoreGlobal: iStoreGlobal, mpy.OpStoreAttr: iStoreAttr,
	mpy.OpStoreSubscr: iStoreSubscr, mpy.OpDeleteFast: iDeleteFast, mpy.OpDeleteDeref: iDeleteDeref,
	mpy.OpDeleteName: iDeleteName, mpy.OpDeleteGlobal: iDeleteGlobal, mpy.OpDupTop: iDupTop,
	mpy.OpDupTopTwo: iDupTopTwo, mpy.OpPopTop: iPopTop, mpy.OpRotTwo: iRotTwo, mpy.OpRotThree: iRotThree,
	mpy.OpJump: iJump, mpy.OpPopJumpIfTrue: iPopJumpIfTrue, mpy.OpPopJumpIfFalse: iPopJumpIfFalse,
	mpy.OpJumpIfTrueOrPop: iJumpIfTrueOrPop, mpy.OpJumpIfFalseOrPop: iJumpIfFalseOrPop, mpy.OpSetupWith: iSetupWith,
	mpy.OpWithCleanup: iWithCleanup, mpy.OpSetupExcept: iSetupExcept, mpy.OpSetupFinally: iSetupFinally,
	mpy.OpEndFinally: iEndFinally, mpy.OpGetIter: iGetIter, mpy.OpGetIterStack: iGetIterStack, mpy.OpForIter: iForIter,
	mpy.OpPopExceptJump: iPopExceptJump, mpy.OpUnwindJump: iUnwindJump, mpy.OpBuildTuple: iBuildTuple,
	mpy.OpBuildList: iBuildList, mpy.OpBuildMap: iBuildMap, mpy.OpStoreMap: iStoreMap, mpy.OpBuildSet: iBuildSet,
	mpy.OpStoreComp: iStoreComp, mpy.OpBuildSlice: iBuildSlice, mpy.OpUnpackSequence: iUnpackSequence,
	mpy.OpUnpackEx: iUnpackEx, mpy.OpReturnValue: iReturnValue, mpy.OpRaiseVarargs: iRaiseVarargs,
	mpy.OpYieldValue: iYieldValue, mpy.OpYieldFrom: iYieldFrom, mpy.OpMakeFunction: iMakeFunction,
	mpy.OpMakeFunctionDefargs: iMakeFunctionDefargs, mpy.OpMakeClosure: iMakeClosure,
	mpy.OpMakeClosureDefargs: iMakeClosureDefargs, mpy.OpCallFunction: iCallFunction,
	mpy.OpCallFunctionVarKw: iCallFunctionVarKw, mpy.OpCallMethod: iCallMethod,
	mpy.OpCallMethodVarKw: iCallMethodVarKw, mpy.OpImportName: iImportName, mpy.OpImportFrom: iImportFrom,
	mpy.OpImportStar: iImportStar,
}
