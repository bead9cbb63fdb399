package compiler

import (
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// Statements without a block of their own; assignments are in assign.go,
// imports in import.go.

// exprStmt compiles an expression, an assignment or an augmented assignment.
func (c *compiler) exprStmt(n *syntax.Node) {
	target, rest := n.Sub[0], n.Sub[1]
	switch {
	case rest == nil:
		c.exprAlone(target)
	case rest.IsRule(syntax.RuleExprStmtAugassign):
		c.assign(target, augLoad)
		c.node(rest.Sub[1])
		c.emit.binary(inplaceOps[rest.Sub[0].Tok])
		c.assign(target, augStore)
	case rest.IsRule(syntax.RuleExprStmtAssignList):
		// a = b = value: stored to a first.
		last := len(rest.Sub) - 1
		c.node(rest.Sub[last])
		if last > 0 {
			c.emit.dupTop()
		}
		c.assign(target, store)
		for i, t := range rest.Sub[:last] {
			if i+1 < last {
				c.emit.dupTop()
			}
			c.assign(t, store)
		}
	case !c.assignTuples(target, rest):
		c.node(rest)
		c.assign(target, store)
	}
}

// exprAlone compiles an expression whose value is printed or dropped.
func (c *compiler) exprAlone(n *syntax.Node) {
	switch {
	case c.opts.IsREPL && c.cur.kind == scopeModule:
		c.loadID(nameReplPrint)
		c.node(n)
		c.emit.callFunction(callArgs{pos: 1})
		c.emit.popTop()
	case n.IsLeaf() && !n.IsID(), n.IsRule(syntax.RuleConstObject):
		// A constant alone does nothing.
	default:
		c.node(n)
		c.emit.popTop()
	}
}

// assignTuples compiles a, b = c, d without making a tuple where the firmware
// does that; it is false where it did not.
func (c *compiler) assignTuples(target, value *syntax.Node) bool {
	if !c.opts.Features.DoubleTupleAssign ||
		!target.IsRule(syntax.RuleTestlistStarExpr) || !value.IsRule(syntax.RuleTestlistStarExpr) {
		return false
	}
	to, from := target.Sub, value.Sub
	if len(to) != len(from) || len(to) != 2 && !(len(to) == 3 && c.opts.Features.TripleTupleAssign) {
		return false
	}
	for _, t := range to {
		if t.IsRule(syntax.RuleStarExpr) {
			return false
		}
	}
	for _, v := range from {
		c.node(v)
	}
	if len(to) == 3 {
		c.emit.rotThree()
	}
	c.emit.rotTwo()
	for _, t := range to {
		c.assign(t, store)
	}
	return true
}

func (c *compiler) breakStmt(n *syntax.Node) {
	if c.loop.breakTo == noLabel {
		c.fail(n, c.outsideLoop("'break' outside loop"))
		return
	}
	c.emit.unwindJump(c.loop.breakTo, c.excLevels-c.loop.excLevels, c.loop.fromFor)
}

func (c *compiler) continueStmt(n *syntax.Node) {
	if c.loop.continueTo == noLabel {
		c.fail(n, c.outsideLoop("'continue' outside loop"))
		return
	}
	c.emit.unwindJump(c.loop.continueTo, c.excLevels-c.loop.excLevels, false)
}

// outsideLoop gives the message as v1.12 shortened it.
func (c *compiler) outsideLoop(msg string) string {
	if c.opts.Version >= 5 {
		return "'break'/'continue' outside loop"
	}
	return msg
}

func (c *compiler) returnStmt(n *syntax.Node) {
	if c.cur.kind != scopeFunction {
		c.fail(n, "'return' outside function")
		return
	}
	value := n.Sub[0]
	switch {
	case value == nil:
		c.emit.loadNone()
	case c.opts.Features.ReturnIfExpr && value.IsRule(syntax.RuleTestIfExpr):
		otherwise := c.newLabel()
		choice := value.Sub[1]
		c.ifCond(choice.Sub[0], false, otherwise)
		c.node(value.Sub[0])
		c.emit.returnValue()
		c.emit.assign(otherwise)
		c.node(choice.Sub[1])
	default:
		c.node(value)
	}
	c.emit.returnValue()
}

func (c *compiler) raiseStmt(n *syntax.Node) {
	what := n.Sub[0]
	switch {
	case what == nil:
		c.emit.raise(0)
	case what.IsRule(syntax.RuleRaiseStmtArg):
		c.node(what.Sub[0])
		c.node(what.Sub[1])
		c.emit.raise(2)
	default:
		c.node(what)
		c.emit.raise(1)
	}
}

func (c *compiler) assertStmt(n *syntax.Node) {
	if c.opts.OptLevel != 0 {
		return
	}
	end := c.newLabel()
	c.ifCond(n.Sub[0], true, end)
	c.emit.loadGlobal(nameAssertionError, mpy.OpLoadGlobal)
	if n.Sub[1] != nil {
		c.node(n.Sub[1])
		c.emit.callFunction(callArgs{pos: 1})
	}
	c.emit.raise(1)
	c.emit.assign(end)
}

// del compiles the deletion of one target.
func (c *compiler) del(n *syntax.Node) {
	c.enter()
	defer c.leave()
	switch {
	case n.IsID():
		c.deleteID(c.names.leaf(n))
	case n.IsRule(syntax.RuleAtomExprNormal):
		c.node(n.Sub[0])
		last := c.trailersButLast(n.Sub[1], true)
		switch {
		case last.IsRule(syntax.RuleTrailerBracket):
			c.node(last.Sub[0])
			c.emit.deleteSubscr()
		case last.IsRule(syntax.RuleTrailerPeriod):
			c.emit.deleteAttr(c.names.leaf(last.Sub[0]))
		default:
			c.fail(n, "can't delete expression")
		}
	case n.IsRule(syntax.RuleAtomParen) && n.Sub[0].IsRule(syntax.RuleTestlistComp):
		items, isList := c.items(n.Sub[0])
		if !isList {
			// The line of the error is that of the list inside.
			c.fail(n.Sub[0], "can't delete expression")
			return
		}
		for _, item := range items {
			c.del(item)
		}
	default:
		if n.IsRule(syntax.RuleAtomParen) {
			// Likewise: the empty tuple has nothing inside, and no line.
			n = n.Sub[0]
		}
		c.fail(n, "can't delete expression")
	}
}

// trailersButLast gives the last of the trailers behind an atom, and compiles
// those before it if load is set.
func (c *compiler) trailersButLast(n *syntax.Node, load bool) *syntax.Node {
	if !n.IsRule(syntax.RuleAtomExprTrailers) {
		return n
	}
	last := len(n.Sub) - 1
	if load {
		for _, t := range n.Sub[:last] {
			c.node(t)
		}
	}
	return n.Sub[last]
}

// items gives the expressions of a testlist_comp; false for a comprehension.
func (c *compiler) items(n *syntax.Node) ([]*syntax.Node, bool) {
	switch second := n.Sub[1]; {
	case second.IsRule(syntax.RuleTestlistComp3b):
		return n.Sub[:1], true
	case second.IsRule(syntax.RuleTestlistComp3c):
		return append(append(make([]*syntax.Node, 0, 1+len(second.Sub)), n.Sub[0]), second.Sub...), true
	case second.IsRule(syntax.RuleCompFor):
		return nil, false
	}
	return n.Sub, true
}

// declare compiles global and nonlocal.
func (c *compiler) declare(n *syntax.Node) {
	if !c.first {
		return
	}
	global := n.IsRule(syntax.RuleGlobalStmt)
	if !global && c.cur.kind == scopeModule {
		c.fail(n, "can't declare nonlocal in outer code")
		return
	}
	for _, leaf := range n.Sub[0].List(syntax.RuleNameList) {
		id := c.findOrAdd(c.cur, c.names.leaf(leaf), idUndecided)
		if global {
			c.declareGlobal(n, id)
		} else {
			c.declareNonlocal(n, id)
		}
	}
}

func (c *compiler) declareGlobal(n *syntax.Node, id *ident) {
	if id.kind != idUndecided && id.kind != idGlobalExplicit {
		c.fail(n, "identifier redefined as global")
		return
	}
	id.kind = idGlobalExplicit
	if id = c.cur.findGlobal(id.name); id != nil {
		id.kind = idGlobalExplicit
	}
}

func (c *compiler) declareNonlocal(n *syntax.Node, id *ident) {
	if id.kind == idUndecided {
		id.kind = idGlobalImplicit
		c.checkToCloseOver(c.cur, id)
		if id.kind == idGlobalImplicit {
			c.fail(n, "no binding for nonlocal found")
		}
	} else if id.kind != idFree {
		c.fail(n, "identifier redefined as nonlocal")
	}
}
