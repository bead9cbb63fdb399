package syntax

import "math/big"

// Kind tells what a Node is.
type Kind uint8

// The kinds of node. The absent node is a nil *Node.
const (
	KindSmallInt    Kind = iota + 1 // Int
	KindID                          // Name: an identifier
	KindStr                         // Name: a string that is a qstr
	KindBytes                       // Name: bytes that are a qstr
	KindToken                       // Tok: a keyword or an operator
	KindConstObject                 // Const: a constant that is an object
	KindRule                        // Rule and Sub
)

// Node is a node of the parse tree. The tree has the shape that the reference
// parser gives it: a rule with a single child is folded into that child where
// the grammar says so, parentheses around one expression are gone, constant
// integer expressions are computed, and strings that do nothing are pass
// statements.
type Node struct {
	Kind Kind
	Rule Rule  // KindRule; RuleConstObject for KindConstObject; else RuleNone
	Tok  Token // KindToken
	// Line is the source line, from 1, of the first token of a KindRule or
	// KindConstObject; 0 where the node was computed by folding.
	Line uint32
	// Int is the value of a KindSmallInt: at most SmallIntBits wide. In a
	// KindRule it is the compiler's to use.
	Int int64
	// Name is the text of a KindID, KindStr or KindBytes.
	Name  string
	Const *Const
	// Sub are the children of a KindRule; absent ones are nil. The rules
	// funcdef, lambdef, lambdef_nocond, classdef and comp_for end in one nil
	// more than they have children, as the reference keeps a word there.
	Sub []*Node
}

// Const is a constant that is an object on the device.
type Const struct {
	Kind ConstKind
	// Text is the content of a string or of bytes, or a number as written.
	Text string
	// Int is the value of a ConstInt. It may lie within the small int range:
	// the device does not turn the result of a long computation back.
	Int *big.Int
	// Digits is how many 16-bit digits the device's buffer for Int has room
	// for, which depends on the operation that made it; DigitsRef is that
	// buffer, 0 where Digits is 0.
	Digits    int
	DigitsRef Ref
	// Ref is the object on the device's heap; 0 without a Budget.
	Ref Ref
}

// IsRule reports whether n was made by the rule r; false for nil.
func (n *Node) IsRule(r Rule) bool { return n != nil && n.Rule == r }

// IsStruct reports whether n is a node that the reference keeps in memory of
// its own, with a line: a KindRule or a KindConstObject.
func (n *Node) IsStruct() bool { return n != nil && n.Kind >= KindConstObject }

// IsLeaf reports whether n is neither nil nor a struct.
func (n *Node) IsLeaf() bool { return n != nil && n.Kind < KindConstObject }

// IsID reports whether n is an identifier.
func (n *Node) IsID() bool { return n != nil && n.Kind == KindID }

// IsToken reports whether n is the token t.
func (n *Node) IsToken(t Token) bool { return n != nil && n.Kind == KindToken && n.Tok == t }

// IsSmallInt reports whether n is a small int.
func (n *Node) IsSmallInt() bool { return n != nil && n.Kind == KindSmallInt }

// IsConstFalse reports whether n is False or the small int 0.
func (n *Node) IsConstFalse() bool {
	return n.IsToken(TokKwFalse) || n.IsSmallInt() && n.Int == 0
}

// IsConstTrue reports whether n is True or a small int other than 0.
func (n *Node) IsConstTrue() bool {
	return n.IsToken(TokKwTrue) || n.IsSmallInt() && n.Int != 0
}

// List gives the children of n if the rule r made it, nothing if n is nil,
// and n alone otherwise. The result is n's own memory in the first case.
func (n *Node) List(r Rule) []*Node {
	switch {
	case n == nil:
		return nil
	case n.Rule == r:
		return n.Sub
	}
	return []*Node{n}
}
