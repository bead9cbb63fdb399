package mpy

// UnaryOp is an operator with one operand, as bytecode has it, in the order of
// v1.11's py/runtime0.h.
type UnaryOp uint8

// The unary operators.
const (
	UnaryPositive UnaryOp = iota
	UnaryNegative
	UnaryInvert
	UnaryNot

	// UnaryNumBytecode is how many occur in bytecode.
	UnaryNumBytecode = UnaryNot + 1
)

// BinaryOp is an operator with two operands, in the order of v1.11's
// py/runtime0.h. Those up to BinaryPower occur in bytecode of every generation,
// with the values here in versions 3 and 4.
type BinaryOp uint8

// The binary operators.
const (
	BinaryLess BinaryOp = iota
	BinaryMore
	BinaryEqual
	BinaryLessEqual
	BinaryMoreEqual
	BinaryNotEqual
	BinaryIn
	BinaryIs
	BinaryExceptionMatch

	BinaryInplaceOr
	BinaryInplaceXor
	BinaryInplaceAnd
	BinaryInplaceLshift
	BinaryInplaceRshift
	BinaryInplaceAdd
	BinaryInplaceSubtract
	BinaryInplaceMultiply
	BinaryInplaceFloorDivide
	BinaryInplaceTrueDivide
	BinaryInplaceModulo
	BinaryInplacePower

	BinaryOr
	BinaryXor
	BinaryAnd
	BinaryLshift
	BinaryRshift
	BinaryAdd
	BinarySubtract
	BinaryMultiply
	BinaryFloorDivide
	BinaryTrueDivide
	BinaryModulo
	BinaryPower

	// Only inside a compiler, which writes them as BinaryIn and BinaryIs
	// followed by UnaryNot.

	BinaryNotIn
	BinaryIsNot

	// Only in bytecode of version 5.

	BinaryInplaceMatMultiply
	BinaryMatMultiply

	// BinaryNumBytecode is how many occur in bytecode of versions 3 and 4.
	BinaryNumBytecode = BinaryPower + 1
)

var unaryNames = [...]string{
	UnaryPositive: "+", UnaryNegative: "-", UnaryInvert: "~", UnaryNot: "not",
}

// String gives the operator as a program spells it.
func (op UnaryOp) String() string {
	if int(op) < len(unaryNames) {
		return unaryNames[op]
	}
	return "?"
}

var binaryNames = [...]string{
	BinaryLess: "<", BinaryMore: ">", BinaryEqual: "==",
	BinaryLessEqual: "<=", BinaryMoreEqual: ">=", BinaryNotEqual: "!=",
	BinaryIn: "in", BinaryIs: "is", BinaryExceptionMatch: "exception match",

	BinaryInplaceOr: "|=", BinaryInplaceXor: "^=", BinaryInplaceAnd: "&=",
	BinaryInplaceLshift: "<<=", BinaryInplaceRshift: ">>=",
	BinaryInplaceAdd: "+=", BinaryInplaceSubtract: "-=", BinaryInplaceMultiply: "*=",
	BinaryInplaceFloorDivide: "//=", BinaryInplaceTrueDivide: "/=",
	BinaryInplaceModulo: "%=", BinaryInplacePower: "**=",

	BinaryOr: "|", BinaryXor: "^", BinaryAnd: "&",
	BinaryLshift: "<<", BinaryRshift: ">>",
	BinaryAdd: "+", BinarySubtract: "-", BinaryMultiply: "*",
	BinaryFloorDivide: "//", BinaryTrueDivide: "/",
	BinaryModulo: "%", BinaryPower: "**",

	BinaryNotIn: "not in", BinaryIsNot: "is not",
	BinaryInplaceMatMultiply: "@=", BinaryMatMultiply: "@",
}

// String gives the operator as a program spells it.
func (op BinaryOp) String() string {
	if int(op) < len(binaryNames) {
		return binaryNames[op]
	}
	return "?"
}

// binaryOps5 are the binary operators of version 5, whose two new ones push
// the others up.
var binaryOps5 = [...]BinaryOp{
	BinaryLess, BinaryMore, BinaryEqual, BinaryLessEqual, BinaryMoreEqual, BinaryNotEqual,
	BinaryIn, BinaryIs, BinaryExceptionMatch,
	BinaryInplaceOr, BinaryInplaceXor, BinaryInplaceAnd, BinaryInplaceLshift, BinaryInplaceRshift,
	BinaryInplaceAdd, BinaryInplaceSubtract, BinaryInplaceMultiply, BinaryInplaceMatMultiply,
	BinaryInplaceFloorDivide, BinaryInplaceTrueDivide, BinaryInplaceModulo, BinaryInplacePower,
	BinaryOr, BinaryXor, BinaryAnd, BinaryLshift, BinaryRshift,
	BinaryAdd, BinarySubtract, BinaryMultiply, BinaryMatMultiply,
	BinaryFloorDivide, BinaryTrueDivide, BinaryModulo, BinaryPower,
}
