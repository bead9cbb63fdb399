package vm

import "github.com/skep-sim/skep/internal/mpy"

// This file decodes bytecode, once a function, into instructions of fixed size
// for the loop. The bytes on the device's heap stay what they are; decoded code
// lives in Go, keyed by their address.

// iop is an operation of decoded code.
type iop uint8

// The operations of the loop. The first ones are the bytecode's, one each.
const (
	iInvalid         iop = iota
	iLoadConst           // a: Value; c: destination
	iLoadFast            // a: local; c: destination
	iLoadDeref           // a: local
	iLoadName            // a: qstr; x: slot hint
	iLoadGlobal          // a: qstr; x: slot hint
	iLoadAttr            // a: object; b: qstr; c: destination; x: slot hints
	iLoadClass           // the same for __class__, which is never a member
	iLoadMethod          // a: object; b: qstr
	iLoadSuperMethod     // b: qstr
	iLoadBuildClass
	iLoadSubscr   // a: object; b: index; c: destination
	iStoreFast    // a: local
	iStoreDeref   // a: local
	iStoreName    // a: qstr; x: slot hint
	iStoreGlobal  // a: qstr; x: slot hint
	iStoreAttr    // a: value; b: qstr; c: object; x: slot hints
	iStoreSubscr  // a: value; b: object; c: index
	iDeleteFast   // a: local
	iDeleteDeref  // a: local
	iDeleteName   // a: qstr
	iDeleteGlobal // a: qstr
	iDupTop
	iDupTopTwo
	iPopTop
	iRotTwo
	iRotThree
	iJump             // c: target
	iPopJumpIfTrue    // a: condition; c: target
	iPopJumpIfFalse   // a: condition; c: target
	iJumpIfTrueOrPop  // c: target
	iJumpIfFalseOrPop // c: target
	iSetupWith        // a: index of the handler
	iWithCleanup
	iSetupExcept  // a: index of the handler
	iSetupFinally // a: index of the handler
	iEndFinally
	iGetIter
	iGetIterStack
	iForIter       // a: destination; c: target at the end
	iPopExceptJump // c: target
	iUnwindJump    // a: index of the target; x: number of handlers
	iBuildTuple    // a: number
	iBuildList     // a: number
	iBuildMap      // a: room
	iStoreMap
	iBuildSet       // a: number
	iStoreComp      // a: the container; x: its kind
	iBuildSlice     // a: number
	iUnpackSequence // a: number
	iUnpackEx       // a: numbers before | after << 8
	iReturnValue    // a: value
	iRaiseVarargs   // a: number
	iYieldValue     // a: value
	iYieldFrom
	iMakeFunction        // a: index in the const table
	iMakeFunctionDefargs // likewise
	iMakeClosure         // likewise; x: cells
	iMakeClosureDefargs  // likewise; x: cells
	iCallFunction        // a: positional arguments; b: keyword ones; c: destination
	iCallFunctionVarKw   // the same
	iCallMethod          // the same
	iCallMethodVarKw     // the same
	iImportName          // a: qstr
	iImportFrom          // a: qstr
	iImportStar
	iUnaryOp  // a: operand; c: destination; x: UnaryOp
	iNot      // a: operand; c: destination
	iBinaryOp // a, b: operands; c: destination; x: BinaryOp

	// BINARY_OP with a quick way for small ints, laid out as that. Where the name
	// ends in C, b is the operand itself.
	iAdd
	iSub
	iMul
	iAnd
	iOr
	iXor
	iShl
	iShr
	iFloorDiv
	iMod
	iAddC
	iSubC
	iMulC
	iAndC
	iOrC
	iXorC
	iShlC
	iShrC
	iFloorDivC
	iModC
	iCompare
	iCompareC

	// Comparison and jump, see fuse.go. c: target; x: the BinaryOp, jumpIfTrue.
	// They jump if the comparison that they are named after holds of small ints.
	iJumpLess
	iJumpMore
	iJumpEqual
	iJumpLessEqual
	iJumpMoreEqual
	iJumpNotEqual
	iJumpIs
	iJumpIsNot
	iJumpLessC
	iJumpMoreC
	iJumpEqualC
	iJumpLessEqualC
	iJumpMoreEqualC
	iJumpNotEqualC
	iJumpIsC
	iJumpIsNotC

	// Other fused instructions, see fuse.go.
	iLoadSubscrC    // LOAD_CONST, LOAD_SUBSCR: b is the index
	iLoadFastFast   // LOAD_FAST, LOAD_FAST: a and b
	iReturnConst    // LOAD_CONST, RETURN_VALUE: a is the value
	iRangeStep      // the end of a loop over a range: a: step, b: loop variable, c: target
	iRangeStepConst // the same with a constant end: a: step, b: end, c: target, x: loop variable

	iTrap // a place where a debugger looks in, see trap.go. a: line; x: trap... bits
	numIops
)

// jumpIfTrue is set in x of a fused comparison before POP_JUMP_IF_TRUE.
const jumpIfTrue = 1 << 8

// instr is one decoded instruction. s, and a, b, c where they name a slot or a
// local variable, are byte offsets from the first slot of the frame's value stack,
// so that the loop needs no stack pointer: how many values are on the stack
// before an instruction is known when it is decoded. s is the lowest slot that
// it takes values off or puts them on.
type instr struct {
	op   iop
	skip uint8 // bytes to the instruction that follows, behind what this one stands for
	x    uint16
	y    uint32 // index of the instruction whose work it does, as tracebacks have it
	s    uint32
	a    uint32
	b    uint32
	c    uint32 // for jumps: the distance in bytes
}

// rawOp is an instruction as the bytecode has it, but with the index of the
// instruction that it jumps to, and what it does to the stack.
type rawOp struct {
	op        iop
	x         uint16
	a         uint32
	pop, push int32
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
	simple    bool // positional arguments only
	quick     bool // simple, no cells to be made, and a small frame: see quickFrame
	quickArgs uint32
	generator bool
	bytes     uint32 // of a frame: 20 + state
	room      uint32 // the same, as much as the stack region gives for it
	local0    uint32 // where in a frame the first local variable is
	cost      int    // of a call, in bytes of C stack
	leak      bool   // the frame is left to the collector
	onStack   bool   // the frame lies in the stack region
	cells     []byte
	raw       []rawOp
	depth     []int32         // of the value stack before each instruction; -1: not known
	instrs    []instr         // for those depths, fused
	plain     []instr         // for those depths, one for each of the bytecode
	deeper    map[int][]instr // with so many values more on the stack
	fused     bool
	offs      []uint32 // of each instruction, from LineBase
	prelude   mpy.Prelude
	globals   []globalCache  // by instruction, made when needed
	methods   []methodCaches // likewise
}

// codeAt returns the decoded code of a bytecode function, and notes it.
func (vm *VM) codeAt(fun Value) *Code {
	addr, table := uint32(vm.Mem[fun/4+funBytecode]), uint32(vm.Mem[fun/4+funTable])
	c := vm.codes[addr]
	if c == nil {
		c = vm.decode(addr, table)
		vm.codes[addr] = c
	}
	vm.codeMemo[addr>>4&255] = c
	return c
}

// dropDeadCode forgets decoded code whose bytes were collected.
func (vm *VM) dropDeadCode() {
	vm.codeMemo = [256]*Code{}
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
	return vm.beyondRAM(addr) || vm.heap.Live(addr)
}

// leakedFrame is the size of the largest frame that C takes from its own stack, or
// has malloc give and never frees: 44 bytes of state behind five words.
const leakedFrame = 64

// maxState bounds the slots of a frame; a heap has no room for more.
const maxState = 1 << 26

// damagedCode begins the Go panic of bytecode that cannot be decoded. Code is
// verified when it is loaded, so the program has written over it since.
const damagedCode = "memory: bytecode was changed: "

// decode decodes the bytecode at addr with its const table.
func (vm *VM) decode(addr, table uint32) *Code {
	raw := vm.Bytes[addr:]
	p, err := mpy.ParsePrelude(raw, vm.opt.MpyVersion)
	if err != nil {
		panic(damagedCode + err.Error())
	}
	c := &Code{
		addr: addr, nState: uint32(p.NState), nExc: uint32(p.NExcStack), flags: p.ScopeFlags,
		nPos: p.NumPos, nKwOnly: p.NumKwOnly, nDef: p.NumDefPos, prelude: p, fused: !vm.plain,
	}
	c.generator = p.ScopeFlags&mpy.ScopeGenerator != 0
	c.cells = append([]byte(nil), p.Cells(raw)...)
	const extras = mpy.ScopeVarArgs | mpy.ScopeVarKeywords | mpy.ScopeDefKwArgs
	c.simple = p.ScopeFlags&extras == 0 && p.NumKwOnly == 0
	if c.nPos+c.nKwOnly > p.NState || p.NState > maxState || p.NExcStack > maxState {
		panic(damagedCode + "more locals than the frame has")
	}
	state := 4*c.nState + 12*c.nExc
	c.bytes = 4*frameHeader + state
	c.room = (c.bytes + 7) &^ 7
	c.local0 = 4 * (frameHeader + c.nState - 1)
	if c.bytes <= leakedFrame {
		c.leak = vm.opt.NoAlloca
		c.onStack = !vm.opt.NoAlloca
	}
	c.cost = vm.opt.FrameCost
	if c.onStack {
		c.cost += int(c.bytes)
	}
	c.quick, c.quickArgs = c.simple && len(c.cells) == 0 && c.bytes <= leakedFrame, uint32(c.nPos)
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
	var traps map[int][]rawOp
	if vm.debug != nil {
		traps = c.findTraps(gen, raw)
	}
	for first := true; first || at <= reach; first = false {
		in, next, err := gen.Decode(raw, at)
		if err != nil {
			panic(damagedCode + err.Error())
		}
		index[at] = len(c.raw)
		for _, t := range traps[at] {
			c.raw, c.offs = append(c.raw, t), append(c.offs, uint32(at-c.prelude.LineBase))
		}
		c.offs = append(c.offs, uint32(at-c.prelude.LineBase))
		end := next
		if info := in.Op.Info(); info.Operand == mpy.OperandJumpByte {
			end--
		}
		if isJump(in.Op) {
			target := end + in.Arg
			jumps = append(jumps, pending{len(c.raw), target})
			reach = max(reach, target)
		}
		c.raw = append(c.raw, vm.decodeOne(in, table))
		if !endsPath(in.Op) {
			reach = max(reach, next)
		}
		at = next
	}
	for _, j := range jumps {
		c.raw[j.index].a = uint32(index[j.target])
	}
	for i := range c.raw {
		switch op := &c.raw[i]; op.op {
		case iLoadFast, iLoadDeref, iStoreFast, iStoreDeref, iDeleteFast, iDeleteDeref:
			if op.a >= c.nState {
				panic(damagedCode + "no such local")
			}
		}
	}
	c.place()
	if vm.debug != nil && vm.debug.Decoded != nil {
		vm.debug.Decoded(vm, c)
	}
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
	case mpy.OpJump, mpy.OpReturnValue, mpy.OpRaiseVarargs, mpy.OpRaiseLast, mpy.OpRaiseObj, mpy.OpRaiseFrom, mpy.OpUnwindJump, mpy.OpPopExceptJump:
		return true
	}
	return false
}

// decodeOne translates one instruction.
func (vm *VM) decodeOne(in mpy.Instr, table uint32) rawOp {
	pop, push := in.Effect()
	d := rawOp{a: uint32(in.Arg), x: uint16(in.Extra), pop: int32(pop), push: int32(push)}
	constant := func(v Value) rawOp {
		d.op, d.a = iLoadConst, uint32(v)
		return d
	}
	switch in.Op {
	case mpy.OpLoadConstFalse:
		return constant(False)
	case mpy.OpLoadConstNone:
		return constant(None)
	case mpy.OpLoadConstTrue:
		return constant(True)
	case mpy.OpLoadNull:
		return constant(Null)
	case mpy.OpLoadConstSmallInt, mpy.OpLoadConstSmallIntMulti:
		return constant(SmallInt(in.Arg))
	case mpy.OpLoadConstString:
		return constant(Qstr(d.a).Value())
	case mpy.OpLoadConstObj:
		return constant(vm.Mem[table/4+d.a])
	case mpy.OpRaiseLast, mpy.OpRaiseObj, mpy.OpRaiseFrom: // v1.12 has one each
		d.op, d.a = iRaiseVarargs, uint32(in.Op-mpy.OpRaiseLast)
		return d
	case mpy.OpBinaryOpMulti:
		d.op, d.a = iBinaryOp, uint32(binaryOpOf(mpy.BinaryOp(in.Arg)))
		return d
	}
	var ok bool
	if d.op, ok = plainOps[in.Op]; !ok {
		panic("vm: no such operation: " + in.Op.String())
	}
	if d.op == iLoadAttr && Qstr(d.a) == QClass {
		d.op = iLoadClass
	}
	return d
}

// binaryOpOf gives the operation that an operator of the bytecode stands for.
func binaryOpOf(op mpy.BinaryOp) BinaryOp {
	switch op {
	case mpy.BinaryInplaceMatMultiply:
		return BinInplaceMatMultiply
	case mpy.BinaryMatMultiply:
		return BinMatMultiply
	}
	return BinaryOp(op) // the same numbers, see types.go
}

// plainOps are the operations that are the same in both forms.
var plainOps = map[mpy.Op]iop{
	mpy.OpLoadFastN: iLoadFast, mpy.OpLoadFastMulti: iLoadFast, mpy.OpLoadDeref: iLoadDeref,
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
	mpy.OpImportStar: iImportStar, mpy.OpUnaryOpMulti: iUnaryOp,
}
