package mpy

// A shape is what the .mpy loader must know of an instruction to step over it:
// less than the opcode table says, and in two places not the same.
type shape struct {
	name  bool // a name follows
	uint  bool // a uint follows
	fixed int  // then so many bytes
}

// shapesOf makes a generation's shapes by code. In versions 3 and 4 the loader
// does not know of UNWIND_JUMP's last byte and takes it for an instruction of
// its own, which does no harm as long as fewer than 16 handlers are left at
// once. In version 5 also the codes that mean nothing have a shape, since it
// follows from the code's bits. Source: mp_opcode_format in py/bc.c.
func shapesOf(g *Generation) (shapes [256]shape) {
	for code := range shapes {
		s := &shapes[code]
		if g.version >= 5 {
			s.name, s.uint = code>>4 == 1, code>>4 == 2 || code>>4 == 3
			if code>>4 == 4 {
				s.fixed = 2
			}
			if code&0x9e == 0 {
				s.fixed++
			}
			continue
		}
		info := g.infos[code]
		if info == nil {
			continue
		}
		switch info.Operand {
		case OperandName:
			s.name = true
		case OperandUint, OperandInt, OperandLocal, OperandObject, OperandChild:
			s.uint = true
		case OperandChildByte:
			s.uint, s.fixed = true, 1
		case OperandByte:
			s.fixed = 1
		case OperandForward, OperandJump, OperandJumpByte:
			s.fixed = 2
		}
	}
	return shapes
}
