package compiler

import "github.com/skep-sim/skep/internal/syntax"

// assignKind is what to do with a target.
type assignKind uint8

const (
	store    assignKind = iota // the value is on the stack
	augLoad                    // load it, and keep what is wanted for augStore
	augStore                   // store it again
)

const cannotAssign = "can't assign to expression"

// assign stores the value on the stack to n, or does half of an augmented
// assignment.
func (c *compiler) assign(n *syntax.Node, kind assignKind) {
	c.enter()
	defer c.leave()
	switch {
	case n.IsID():
		if kind == augLoad {
			c.loadID(c.names.leaf(n))
		} else {
			c.storeID(c.names.leaf(n))
		}
	case n.IsRule(syntax.RuleAtomExprNormal):
		c.assignAtomExpr(n, kind)
	case kind != store:
		c.fail(n, cannotAssign)
	case n.IsRule(syntax.RuleTestlistStarExpr), n.IsRule(syntax.RuleExprlist):
		c.assignAll(n.Sub)
	case n.IsRule(syntax.RuleAtomParen) && n.Sub[0] != nil:
		c.assignItems(n, n.Sub[0])
	case n.IsRule(syntax.RuleAtomBracket):
		switch inner := n.Sub[0]; {
		case inner == nil:
			c.assignAll(nil)
		case inner.IsRule(syntax.RuleTestlistComp):
			c.assignItems(n, inner)
		default:
			c.assignAll(n.Sub[:1])
		}
	default:
		c.fail(n, cannotAssign)
	}
}

// assignItems stores to what is inside the parentheses or brackets n.
func (c *compiler) assignItems(n, inner *syntax.Node) {
	if !inner.IsRule(syntax.RuleTestlistComp) {
		c.fail(n, cannotAssign)
		return
	}
	items, isList := c.items(inner)
	if !isList {
		c.fail(n, cannotAssign)
		return
	}
	c.assignAll(items)
}

// assignAtomExpr stores to an item or to an attribute.
func (c *compiler) assignAtomExpr(n *syntax.Node, kind assignKind) {
	load := kind != augStore
	if load {
		c.node(n.Sub[0])
	}
	last := c.trailersButLast(n.Sub[1], load)
	switch {
	case last.IsRule(syntax.RuleTrailerBracket):
		switch kind {
		case augStore:
			c.emit.rotThree()
			c.emit.storeSubscr()
		case augLoad:
			c.node(last.Sub[0])
			c.emit.dupTopTwo()
			c.emit.loadSubscr()
		case store:
			c.node(last.Sub[0])
			c.emit.storeSubscr()
		}
	case last.IsRule(syntax.RuleTrailerPeriod):
		attr := c.names.leaf(last.Sub[0])
		switch kind {
		case augLoad:
			c.emit.dupTop()
			c.emit.loadAttr(attr)
		case augStore:
			c.emit.rotTwo()
			c.emit.storeAttr(attr)
		case store:
			c.emit.storeAttr(attr)
		}
	default:
		c.fail(n, cannotAssign)
	}
}

// assignAll unpacks the value on the stack to several targets, one of which
// may be starred.
func (c *compiler) assignAll(targets []*syntax.Node) {
	star := -1
	for i, t := range targets {
		if !t.IsRule(syntax.RuleStarExpr) {
			continue
		}
		if star >= 0 {
			c.fail(t, "multiple *x in assignment")
			return
		}
		c.emit.unpackEx(i, len(targets)-i-1)
		star = i
	}
	if star < 0 {
		c.emit.unpack(len(targets))
	}
	for i, t := range targets {
		if i == star {
			t = t.Sub[0]
		}
		c.assign(t, store)
	}
}
