package mpy

import "fmt"

// A Generation is the bytecode of one .mpy version: it encodes and decodes
// instructions. Generations are immutable and shared.
type Generation struct {
	version  int
	column   int // in OpInfo.Codes
	binaries []BinaryOp
	codes    [256]byte    // by Op: its code, 0 if absent
	infos    [256]*OpInfo // by code: its row, nil if unused
	binCode  [256]int16   // by BinaryOp: the distance to the first, -1 if absent
	shapes   [256]shape   // by code
}

// Generations are made once from the table; nothing changes them after.
var (
	generation3 = newGeneration(3)
	generation4 = newGeneration(4)
	generation5 = newGeneration(5)
)

// GenerationOf returns the bytecode generation of a .mpy version: 3
// (MicroPython v1.9.3 to v1.10), 4 (v1.11) or 5 (v1.12). It returns nil for
// any other.
func GenerationOf(version int) *Generation {
	switch version {
	case 3:
		return generation3
	case 4:
		return generation4
	case 5:
		return generation5
	}
	return nil
}

func newGeneration(version int) *Generation {
	g := &Generation{version: version, column: version - 3}
	if version >= 5 {
		g.binaries = binaryOps5[:]
	} else {
		for op := BinaryOp(0); op < BinaryNumBytecode; op++ {
			g.binaries = append(g.binaries, op)
		}
	}
	for i := range g.binCode {
		g.binCode[i] = -1
	}
	for i, op := range g.binaries {
		g.binCode[op] = int16(i)
	}
	for i := range opTable {
		info := &opTable[i]
		code := info.Codes[g.column]
		if code == 0 {
			continue
		}
		g.codes[info.Op] = code
		for n := range g.span(info.Operand) {
			g.infos[int(code)+n] = info
		}
	}
	g.shapes = shapesOf(g)
	return g
}

// span is how many codes an operation with such an operand occupies.
func (g *Generation) span(o Operand) int {
	switch o {
	case OperandMultiInt:
		return smallIntMultiNum
	case OperandMultiLocal:
		return fastMultiNum
	case OperandMultiUnary:
		return int(UnaryNumBytecode)
	case OperandMultiBinary:
		return len(g.binaries)
	}
	return 1
}

// Version is the .mpy version.
func (g *Generation) Version() int { return g.version }

// Code gives the byte for op, or the first of its range; 0 if the generation
// lacks op.
func (g *Generation) Code(op Op) byte { return g.codes[op] }

// An Instr is one instruction.
type Instr struct {
	Op Op
	// Arg is the operand: the number, the Name, the index in the const table,
	// the small int, the UnaryOp or the BinaryOp. For a jump it is the
	// distance from the end of the two bytes that hold it.
	Arg int
	// Extra is the byte after the operand where there is one: the number of
	// cells of OpMakeClosure, the handlers of OpUnwindJump.
	Extra byte
}

// Append encodes an instruction behind dst. OpRaiseVarargs is encoded as the
// OpRaise... it stands for where the generation has those. Encoding what the
// generation cannot express is a bug of the caller, and panics.
func (g *Generation) Append(dst []byte, in Instr) []byte {
	if in.Op == OpRaiseVarargs && g.codes[in.Op] == 0 {
		in = Instr{Op: OpRaiseLast + Op(in.Arg)}
	}
	code := g.codes[in.Op]
	if code == 0 {
		panic(fmt.Sprintf("mpy: version %d has no operation %#02x", g.version, byte(in.Op)))
	}
	switch info := g.infos[code]; info.Operand {
	case OperandNone:
		return append(dst, code)
	case OperandByte:
		return append(dst, code, byte(in.Arg))
	case OperandUint, OperandLocal, OperandObject, OperandChild:
		return AppendUint(append(dst, code), uint(in.Arg))
	case OperandChildByte:
		return append(AppendUint(append(dst, code), uint(in.Arg)), in.Extra)
	case OperandInt:
		return AppendInt(append(dst, code), in.Arg)
	case OperandName, OperandForward:
		return append(dst, code, byte(in.Arg), byte(in.Arg>>8))
	case OperandJump:
		return append(dst, code, byte(in.Arg), byte((in.Arg+0x8000)>>8))
	case OperandJumpByte:
		return append(dst, code, byte(in.Arg), byte((in.Arg+0x8000)>>8), in.Extra)
	case OperandMultiInt:
		return append(dst, code+byte(in.Arg+SmallIntMultiBias))
	case OperandMultiBinary:
		n := g.binCode[byte(in.Arg)]
		if n < 0 {
			panic(fmt.Sprintf("mpy: version %d has no operator %v", g.version, BinaryOp(in.Arg)))
		}
		return append(dst, code+byte(n))
	default:
		return append(dst, code+byte(in.Arg))
	}
}

// AppendUint encodes v as the bytecode and the .mpy format do: seven bits a
// byte, the highest first, with bit 7 set in all but the last.
func AppendUint(dst []byte, v uint) []byte {
	n := 1
	for x := v >> 7; x != 0; x >>= 7 {
		n++
	}
	for n--; n > 0; n-- {
		dst = append(dst, 0x80|byte(v>>(7*n)))
	}
	return append(dst, byte(v)&0x7f)
}

// AppendInt encodes v like AppendUint, with the sign in bit 6 of the first byte.
func AppendInt(dst []byte, v int) []byte {
	n := 1
	for x := v >> 6; x != 0 && x != -1; x >>= 7 {
		n++
	}
	for n--; n > 0; n-- {
		dst = append(dst, 0x80|byte(v>>(7*n)))
	}
	return append(dst, byte(v)&0x7f)
}
