package compiler

import (
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// Tuples, lists, sets, dicts and slices, and the comprehensions among them.

// tuple makes a tuple of head, if there is one, and tail.
func (c *compiler) tuple(head *syntax.Node, tail []*syntax.Node) {
	n := len(tail)
	if head != nil {
		c.node(head)
		n++
	}
	for _, item := range tail {
		c.node(item)
	}
	c.emit.build(mpy.OpBuildTuple, n)
}

func (c *compiler) paren(n *syntax.Node) {
	inner := n.Sub[0]
	if inner == nil {
		c.tuple(nil, nil)
		return
	}
	if !inner.IsRule(syntax.RuleTestlistComp) {
		c.node(inner)
		return
	}
	switch second := inner.Sub[1]; {
	case second.IsRule(syntax.RuleTestlistComp3b):
		c.tuple(inner.Sub[0], nil)
	case second.IsRule(syntax.RuleTestlistComp3c):
		c.tuple(inner.Sub[0], second.Sub)
	case second.IsRule(syntax.RuleCompFor):
		c.comprehension(inner, scopeGenExpr)
	default:
		c.tuple(nil, inner.Sub)
	}
}

func (c *compiler) bracket(n *syntax.Node) {
	inner := n.Sub[0]
	if !inner.IsRule(syntax.RuleTestlistComp) {
		// One item, or none.
		if inner == nil {
			c.emit.build(mpy.OpBuildList, 0)
		} else {
			c.node(inner)
			c.emit.build(mpy.OpBuildList, 1)
		}
		return
	}
	switch second := inner.Sub[1]; {
	case second.IsRule(syntax.RuleTestlistComp3b):
		c.node(inner.Sub[0])
		c.emit.build(mpy.OpBuildList, 1)
	case second.IsRule(syntax.RuleTestlistComp3c):
		c.node(inner.Sub[0])
		c.all(second.Sub)
		c.emit.build(mpy.OpBuildList, 1+len(second.Sub))
	case second.IsRule(syntax.RuleCompFor):
		c.comprehension(inner, scopeListComp)
	default:
		c.node(inner.Sub[0])
		c.node(second)
		c.emit.build(mpy.OpBuildList, 2)
	}
}

// brace compiles a dict or a set. Without makeMap the items go into the dict
// that is on the stack already.
func (c *compiler) brace(n *syntax.Node, makeMap bool) {
	buildMap := func(n int) {
		if makeMap {
			c.emit.buildMap(n)
		}
	}
	inner := n.Sub[0]
	switch {
	case inner == nil:
		buildMap(0)
	case inner.IsRule(syntax.RuleDictorsetmakerItem):
		buildMap(1)
		c.node(inner)
		c.emit.storeMap()
	case !inner.IsRule(syntax.RuleDictorsetmaker):
		c.node(inner)
		c.emit.build(mpy.OpBuildSet, 1)
	case inner.Sub[1].IsRule(syntax.RuleCompFor):
		if inner.Sub[0].IsRule(syntax.RuleDictorsetmakerItem) {
			c.comprehension(inner, scopeDictComp)
		} else {
			c.comprehension(inner, scopeSetComp)
		}
	default:
		more := inner.Sub[1].Sub[0].List(syntax.RuleDictorsetmakerList2)
		if inner.Sub[0].IsRule(syntax.RuleDictorsetmakerItem) {
			buildMap(1 + len(more))
			c.dictItems(inner, more)
		} else {
			c.setItems(inner, more)
		}
	}
}

// dictItems stores the first item of n and more of them.
func (c *compiler) dictItems(n *syntax.Node, more []*syntax.Node) {
	c.node(n.Sub[0])
	c.emit.storeMap()
	for _, item := range more {
		c.node(item)
		if !item.IsRule(syntax.RuleDictorsetmakerItem) {
			c.fail(n, c.terse("expecting key:value for dict"))
			return
		}
		c.emit.storeMap()
	}
}

// setItems makes a set of the first value of n and more of them.
func (c *compiler) setItems(n *syntax.Node, more []*syntax.Node) {
	c.node(n.Sub[0])
	for _, item := range more {
		c.node(item)
		if item.IsRule(syntax.RuleDictorsetmakerItem) {
			c.fail(n, c.terse("expecting just a value for set"))
			return
		}
	}
	c.emit.build(mpy.OpBuildSet, 1+len(more))
}

// terse gives the message, or less where the firmware says little.
func (c *compiler) terse(msg string) string {
	if c.opts.Detail == syntax.DetailTerse {
		return "invalid syntax"
	}
	return msg
}

// slice makes a slice object.
func (c *compiler) slice(n *syntax.Node) {
	if n.IsRule(syntax.RuleSubscript2) {
		c.node(n.Sub[0])
		n = n.Sub[1]
	} else {
		c.emit.loadNone()
	}
	var step *syntax.Node
	switch rest := n.Sub[0]; {
	case rest == nil: // [a:]
		c.emit.loadNone()
	case rest.IsRule(syntax.RuleSubscript3c): // [a::step]
		c.emit.loadNone()
		step = rest.Sub[0]
	case rest.IsRule(syntax.RuleSubscript3d): // [a:b:step]
		c.node(rest.Sub[0])
		step = rest.Sub[1].Sub[0]
	default: // [a:b]
		c.node(rest)
	}
	if step == nil {
		c.emit.build(mpy.OpBuildSlice, 2)
	} else {
		c.node(step)
		c.emit.build(mpy.OpBuildSlice, 3)
	}
}
