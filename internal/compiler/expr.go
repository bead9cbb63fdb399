package compiler

import (
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// Expressions; displays and comprehensions in brackets are in display.go.

var unaryOps = [...]mpy.UnaryOp{
	syntax.TokOpPlus:  mpy.UnaryPositive,
	syntax.TokOpMinus: mpy.UnaryNegative,
	syntax.TokOpTilde: mpy.UnaryInvert,
}

// termOps are the operators of shift_expr, arith_expr and term.
var termOps = [...]mpy.BinaryOp{
	syntax.TokOpDblLess:  mpy.BinaryLshift,
	syntax.TokOpDblMore:  mpy.BinaryRshift,
	syntax.TokOpPlus:     mpy.BinaryAdd,
	syntax.TokOpMinus:    mpy.BinarySubtract,
	syntax.TokOpStar:     mpy.BinaryMultiply,
	syntax.TokOpAt:       mpy.BinaryMatMultiply,
	syntax.TokOpDblSlash: mpy.BinaryFloorDivide,
	syntax.TokOpSlash:    mpy.BinaryTrueDivide,
	syntax.TokOpPercent:  mpy.BinaryModulo,
}

var inplaceOps = [...]mpy.BinaryOp{
	syntax.TokDelPipeEqual:      mpy.BinaryInplaceOr,
	syntax.TokDelCaretEqual:     mpy.BinaryInplaceXor,
	syntax.TokDelAmpersandEqual: mpy.BinaryInplaceAnd,
	syntax.TokDelDblLessEqual:   mpy.BinaryInplaceLshift,
	syntax.TokDelDblMoreEqual:   mpy.BinaryInplaceRshift,
	syntax.TokDelPlusEqual:      mpy.BinaryInplaceAdd,
	syntax.TokDelMinusEqual:     mpy.BinaryInplaceSubtract,
	syntax.TokDelStarEqual:      mpy.BinaryInplaceMultiply,
	syntax.TokDelAtEqual:        mpy.BinaryInplaceMatMultiply,
	syntax.TokDelDblSlashEqual:  mpy.BinaryInplaceFloorDivide,
	syntax.TokDelSlashEqual:     mpy.BinaryInplaceTrueDivide,
	syntax.TokDelPercentEqual:   mpy.BinaryInplaceModulo,
	syntax.TokDelDblStarEqual:   mpy.BinaryInplacePower,
}

var compareOps = [...]mpy.BinaryOp{
	syntax.TokOpLess:      mpy.BinaryLess,
	syntax.TokOpMore:      mpy.BinaryMore,
	syntax.TokOpDblEqual:  mpy.BinaryEqual,
	syntax.TokOpLessEqual: mpy.BinaryLessEqual,
	syntax.TokOpMoreEqual: mpy.BinaryMoreEqual,
	syntax.TokOpNotEqual:  mpy.BinaryNotEqual,
	syntax.TokKwIn:        mpy.BinaryIn,
}

// compareOp gives the operator of a comparison.
func compareOp(n *syntax.Node) mpy.BinaryOp {
	switch {
	case n.Kind == syntax.KindToken:
		return compareOps[n.Tok]
	case n.IsRule(syntax.RuleCompOpNotIn):
		return mpy.BinaryNotIn
	case n.Sub[0] == nil:
		return mpy.BinaryIs
	}
	return mpy.BinaryIsNot
}

func (c *compiler) ifExpr(n *syntax.Node) {
	choice := n.Sub[1]
	otherwise, end := c.newLabel(), c.newLabel()
	c.ifCond(choice.Sub[0], false, otherwise)
	c.node(n.Sub[0])
	c.emit.jump(end)
	c.emit.assign(otherwise)
	c.emit.adjust(-1)
	c.node(choice.Sub[1])
	c.emit.assign(end)
}

func (c *compiler) andOr(n *syntax.Node, or bool) {
	end := c.newLabel()
	for i, sub := range n.Sub {
		c.node(sub)
		if i+1 < len(n.Sub) {
			c.emit.jumpIfOrPop(or, end)
		}
	}
	c.emit.assign(end)
}

func (c *compiler) comparison(n *syntax.Node) {
	c.node(n.Sub[0])
	chain := len(n.Sub) > 3
	var fail label
	if chain {
		fail = c.newLabel()
	}
	for i := 1; i+1 < len(n.Sub); i += 2 {
		last := i+2 >= len(n.Sub)
		c.node(n.Sub[i+1])
		if !last {
			c.emit.dupTop()
			c.emit.rotThree()
		}
		c.emit.binary(compareOp(n.Sub[i]))
		if !last {
			c.emit.jumpIfOrPop(false, fail)
		}
	}
	if chain {
		end := c.newLabel()
		c.emit.jump(end)
		c.emit.assign(fail)
		c.emit.adjust(1)
		c.emit.rotTwo()
		c.emit.popTop()
		c.emit.assign(end)
	}
}

// operators compiles operands with one operator between them.
func (c *compiler) operators(n *syntax.Node, op mpy.BinaryOp) {
	c.node(n.Sub[0])
	for _, sub := range n.Sub[1:] {
		c.node(sub)
		c.emit.binary(op)
	}
}

// terms compiles operands with operators between them.
func (c *compiler) terms(n *syntax.Node) {
	c.node(n.Sub[0])
	for i := 1; i+1 < len(n.Sub); i += 2 {
		c.node(n.Sub[i+1])
		c.emit.binary(termOps[n.Sub[i].Tok])
	}
}

func (c *compiler) yieldExpr(n *syntax.Node) {
	if c.cur.kind != scopeFunction && c.cur.kind != scopeLambda {
		c.fail(n, "'yield' outside function")
		return
	}
	switch value := n.Sub[0]; {
	case value == nil:
		c.emit.loadNone()
		c.emit.yield()
	case value.IsRule(syntax.RuleYieldArgFrom):
		c.node(value.Sub[0])
		c.yieldFrom()
	default:
		c.node(value)
		c.emit.yield()
	}
}

// atomExpr compiles an atom with its trailers, which await may lack.
func (c *compiler) atomExpr(n *syntax.Node) {
	c.node(n.Sub[0])
	if n.Sub[1] == nil {
		return
	}
	trailers := n.Sub[1:2]
	if n.Sub[1].IsRule(syntax.RuleAtomExprTrailers) {
		trailers = n.Sub[1].Sub
	}
	done := c.special(n.Sub[0], trailers)
	if done < 0 {
		return
	}
	trailers = trailers[done:]
	for i := 0; i < len(trailers); i++ {
		if i+1 < len(trailers) && trailers[i].IsRule(syntax.RuleTrailerPeriod) &&
			trailers[i+1].IsRule(syntax.RuleTrailerParen) {
			c.emit.loadMethod(c.names.leaf(trailers[i].Sub[0]))
			i++
			c.callArgs(trailers[i].Sub[0], true, 0)
			continue
		}
		c.node(trailers[i])
	}
}

// special compiles the calls that the compiler knows, behind the atom that is
// called, and gives how many trailers that took: none for all other calls, -1
// after an error.
func (c *compiler) special(atom *syntax.Node, trailers []*syntax.Node) int {
	if !atom.IsID() || !trailers[0].IsRule(syntax.RuleTrailerParen) {
		return 0
	}
	arg := trailers[0].Sub[0]
	switch c.names.leaf(atom) {
	case nameSuper:
		if c.cur.kind == scopeFunction && arg == nil {
			return c.super(trailers)
		}
	case nameOrderedDict:
		if c.opts.Features.OrderedDictLiteral && c.opts.Version >= 4 && arg.IsRule(syntax.RuleAtomBrace) {
			c.emit.callFunction(callArgs{})
			c.brace(arg, false)
			return 1
		}
	}
	return 0
}

// super compiles super() in a method, and the call of a method behind it.
func (c *compiler) super(trailers []*syntax.Node) int {
	c.loadID(nameClassCell)
	self := nameNone
	for i := range c.cur.ids {
		if id := &c.cur.ids[i]; id.flags&idIsParam != 0 {
			self = id.name
			break
		}
	}
	if self == nameNone {
		c.fail(trailers[0], "super() can't find self")
		return -1
	}
	c.loadID(self)
	if len(trailers) >= 3 && trailers[1].IsRule(syntax.RuleTrailerPeriod) &&
		trailers[2].IsRule(syntax.RuleTrailerParen) {
		c.emit.opName(-1, mpy.OpLoadSuperMethod, c.names.leaf(trailers[1].Sub[0]))
		c.callArgs(trailers[2].Sub[0], true, 0)
		return 3
	}
	c.emit.callFunction(callArgs{pos: 2})
	return 1
}

// callArgs compiles arguments, behind extra that are on the stack already,
// and the call itself.
func (c *compiler) callArgs(list *syntax.Node, method bool, extra int) {
	a := callArgs{pos: extra}
	var star, dblStar *syntax.Node
	for _, arg := range list.List(syntax.RuleArglist) {
		switch {
		case arg.IsRule(syntax.RuleArglistStar):
			if star != nil {
				c.fail(arg, "can't have multiple *x")
				return
			}
			star = arg
		case arg.IsRule(syntax.RuleArglistDblStar):
			if dblStar != nil {
				c.fail(arg, "can't have multiple **x")
				return
			}
			dblStar = arg
		case !arg.IsRule(syntax.RuleArgument):
			if star != nil || dblStar != nil {
				c.fail(arg, "non-keyword arg after */**")
				return
			}
			if a.kw > 0 {
				c.fail(arg, "non-keyword arg after keyword arg")
				return
			}
			c.node(arg)
			a.pos++
		case arg.Sub[1].IsRule(syntax.RuleCompFor):
			c.comprehension(arg, scopeGenExpr)
			a.pos++
		default:
			if !arg.Sub[0].IsID() {
				c.fail(arg, "LHS of keyword arg must be an id")
				return
			}
			c.emit.loadStr(c.names.leaf(arg.Sub[0]))
			c.node(arg.Sub[1])
			a.kw++
		}
	}
	if star != nil || dblStar != nil {
		a.star = true
		c.starArg(star)
		c.starArg(dblStar)
	}
	if method {
		c.emit.callMethod(a)
	} else {
		c.emit.callFunction(a)
	}
}

// starArg compiles a starred argument; NULL stands for one that is absent.
func (c *compiler) starArg(n *syntax.Node) {
	if n == nil {
		c.emit.loadNull()
	} else {
		c.node(n.Sub[0])
	}
}
