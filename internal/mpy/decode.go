package mpy

import "errors"

// Errors of decoding; whoever decodes adds where it happened.
var (
	errCodeShort   = errors.New("instruction is cut off")
	errCodeUnknown = errors.New("unknown opcode")
	errCodeNumber  = errors.New("operand is too large")
)

// Decode decodes the instruction at code[at:] and returns the offset of the
// next one. It fails on an unknown opcode and where the code ends too soon.
func (g *Generation) Decode(code []byte, at int) (in Instr, next int, err error) {
	if at < 0 || at >= len(code) {
		return in, at, errCodeShort
	}
	b := code[at]
	info := g.infos[b]
	if info == nil {
		return in, at, errCodeUnknown
	}
	in.Op = info.Op
	next = at + 1
	switch info.Operand {
	case OperandByte:
		if next >= len(code) {
			return in, at, errCodeShort
		}
		in.Arg, next = int(code[next]), next+1
	case OperandUint, OperandLocal, OperandObject, OperandChild, OperandChildByte:
		in.Arg, next, err = decodeUint(code, next)
	case OperandInt:
		in.Arg, next, err = decodeInt(code, next)
	case OperandName, OperandForward, OperandJump, OperandJumpByte:
		if next+2 > len(code) {
			return in, at, errCodeShort
		}
		in.Arg, next = int(code[next])|int(code[next+1])<<8, next+2
		if info.Operand == OperandJump || info.Operand == OperandJumpByte {
			in.Arg -= 0x8000
		}
	case OperandMultiInt:
		in.Arg = int(b-info.Codes[g.column]) - SmallIntMultiBias
	case OperandMultiLocal, OperandMultiUnary:
		in.Arg = int(b - info.Codes[g.column])
	case OperandMultiBinary:
		in.Arg = int(g.binaries[b-info.Codes[g.column]])
	}
	if err != nil {
		return in, at, err
	}
	if info.Operand == OperandChildByte || info.Operand == OperandJumpByte {
		if next >= len(code) {
			return in, at, errCodeShort
		}
		in.Extra, next = code[next], next+1
	}
	return in, next, nil
}

// decodeUint reads a uint. Nothing that is counted in one gets near 31 bits.
func decodeUint(code []byte, at int) (v, next int, err error) {
	var n uint64
	for {
		if at >= len(code) {
			return 0, at, errCodeShort
		}
		b := code[at]
		at++
		n = n<<7 | uint64(b&0x7f)
		if n > 1<<31-1 {
			return 0, at, errCodeNumber
		}
		if b&0x80 == 0 {
			return int(n), at, nil
		}
	}
}

// decodeInt reads a signed int. One that does not fit in 63 bits is an error:
// it cannot be a small int of any machine.
func decodeInt(code []byte, at int) (v, next int, err error) {
	var n int64
	if at < len(code) && code[at]&0x40 != 0 {
		n = -1
	}
	for {
		if at >= len(code) {
			return 0, at, errCodeShort
		}
		b := code[at]
		at++
		if n >= 1<<55 || n < -1<<55 {
			return 0, at, errCodeNumber
		}
		n = n<<7 | int64(b&0x7f)
		if b&0x80 == 0 {
			if int64(int(n)) != n {
				return 0, at, errCodeNumber
			}
			return int(n), at, nil
		}
	}
}

// Effect tells how many stack slots the instruction takes off and how many it
// then puts on when it goes on to the next instruction.
func (in Instr) Effect() (pop, push int) {
	n := in.Arg
	switch in.Op {
	case OpBuildTuple, OpBuildList, OpBuildSet, OpBuildSlice:
		return n, 1
	case OpStoreComp:
		if n&3 == 1 {
			return 2, 0
		}
		return 1, 0
	case OpUnpackSequence:
		return 1, n
	case OpUnpackEx:
		return 1, n&0xff + n>>8&0xff + 1
	case OpRaiseVarargs:
		return n, 0
	case OpMakeClosure:
		return int(in.Extra), 1
	case OpMakeClosureDefargs:
		return 2 + int(in.Extra), 1
	case OpCallFunction:
		return 1 + callArgs(n), 1
	case OpCallMethod:
		return 2 + callArgs(n), 1
	case OpCallFunctionVarKw:
		return 3 + callArgs(n), 1
	case OpCallMethodVarKw:
		return 4 + callArgs(n), 1
	}
	if row := opRows[in.Op]; row != nil {
		return int(row.Pop), int(row.Push)
	}
	return 0, 0
}

// callArgs is how many slots the arguments of a call take: the low byte counts
// the positional ones, the next the keyword ones, which take two slots each.
func callArgs(n int) int { return n&0xff + 2*(n>>8&0xff) }

// opRows finds the table's row of an Op.
var opRows = func() (rows [256]*OpInfo) {
	for i := range opTable {
		rows[opTable[i].Op] = &opTable[i]
	}
	return rows
}()

// Info gives the table's row for op, nil if there is none.
func (op Op) Info() *OpInfo { return opRows[op] }

// String gives the operation's name in upstream's sources.
func (op Op) String() string {
	if row := opRows[op]; row != nil {
		return row.Name
	}
	return "UNKNOWN"
}
