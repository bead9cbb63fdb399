package compiler

import (
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// Conditions and loops.

// ifCond jumps to l if n, as a condition, is want.
func (c *compiler) ifCond(n *syntax.Node, want bool, l label) {
	if n.IsConstFalse() || n.IsConstTrue() {
		if want == n.IsConstTrue() {
			c.emit.jump(l)
		}
		return
	}
	c.enter()
	defer c.leave()
	switch {
	case n.IsRule(syntax.RuleOrTest), n.IsRule(syntax.RuleAndTest):
		if or := n.Rule == syntax.RuleOrTest; or == want {
			// Each operand may decide.
			for _, sub := range n.Sub {
				c.ifCond(sub, want, l)
			}
			return
		}
		// All operands but the last may decide otherwise.
		otherwise := c.newLabel()
		last := len(n.Sub) - 1
		for _, sub := range n.Sub[:last] {
			c.ifCond(sub, !want, otherwise)
		}
		c.ifCond(n.Sub[last], want, l)
		c.emit.assign(otherwise)
	case n.IsRule(syntax.RuleNotTest2):
		c.ifCond(n.Sub[0], !want, l)
	case n.IsRule(syntax.RuleAtomParen):
		// A tuple; it is true unless it is empty. Like on the device it is
		// not even made, and what else may stand in parentheses goes for one.
		if want == (n.Sub[0] != nil) {
			c.emit.jump(l)
		}
	default:
		c.node(n)
		c.emit.popJumpIf(want, l)
	}
}

func (c *compiler) ifStmt(n *syntax.Node) {
	end := c.newLabel()
	cond, block, elifs, otherwise := n.Sub[0], n.Sub[1], n.Sub[2], n.Sub[3]
	done := c.ifBlock(cond, block, end, elifs == nil && otherwise == nil)
	for _, elif := range elifs.List(syntax.RuleIfStmtElifList) {
		if done {
			break
		}
		done = c.ifBlock(elif.Sub[0], elif.Sub[1], end, false)
	}
	if !done {
		c.node(otherwise)
	}
	c.emit.assign(end)
}

// ifBlock compiles an if or an elif, which jumps to end unless it is alone.
// It is true where the condition is always true, so that nothing can follow.
func (c *compiler) ifBlock(cond, block *syntax.Node, end label, alone bool) bool {
	if cond.IsConstFalse() {
		return false
	}
	fail := c.newLabel()
	c.ifCond(cond, false, fail)
	c.node(block)
	if cond.IsConstTrue() {
		return true
	}
	if !alone && !c.emit.lastReturn {
		c.emit.jump(end)
	}
	c.emit.assign(fail)
	return false
}

// startLoop makes a loop the one that break and continue are for, and gives
// it and the one around it.
func (c *compiler) startLoop() (inner, outer loop) {
	outer = c.loop
	breakTo := c.newLabel()
	c.loop = loop{breakTo: breakTo, continueTo: c.newLabel(), excLevels: c.excLevels}
	return c.loop, outer
}

func (c *compiler) whileStmt(n *syntax.Node) {
	cond, block, otherwise := n.Sub[0], n.Sub[1], n.Sub[2]
	inner, outer := c.startLoop()
	if !cond.IsConstFalse() {
		top := c.newLabel()
		if !cond.IsConstTrue() {
			c.emit.jump(inner.continueTo)
		}
		c.emit.assign(top)
		c.node(block)
		c.emit.assign(inner.continueTo)
		c.ifCond(cond, true, top)
	}
	c.loop = outer
	c.node(otherwise)
	c.emit.assign(inner.breakTo)
}

func (c *compiler) forStmt(n *syntax.Node) {
	if r, ok := c.forRange(n); ok {
		c.forRangeStmt(n, r)
		return
	}
	target, over, block, otherwise := n.Sub[0], n.Sub[1], n.Sub[2], n.Sub[3]
	inner, outer := c.startLoop()
	c.loop.fromFor = true
	end := c.newLabel()
	c.node(over)
	c.emit.getIterStack()
	c.emit.assign(inner.continueTo)
	c.emit.forIter(end)
	c.assign(target, store)
	c.node(block)
	if !c.emit.lastReturn {
		c.emit.jump(inner.continueTo)
	}
	c.emit.assign(end)
	c.emit.forIterEnd()
	c.loop = outer
	c.node(otherwise)
	c.emit.assign(inner.breakTo)
}

// rangeArgs are the arguments of range.
type rangeArgs struct{ start, stop, step *syntax.Node }

// forRange gives the arguments of range in "for x in range(...)", where that
// may be compiled as counting.
func (c *compiler) forRange(n *syntax.Node) (r rangeArgs, ok bool) {
	over := n.Sub[1]
	if !n.Sub[0].IsID() || !over.IsRule(syntax.RuleAtomExprNormal) ||
		!over.Sub[0].IsID() || c.names.leaf(over.Sub[0]) != nameRange ||
		!over.Sub[1].IsRule(syntax.RuleTrailerParen) {
		return r, false
	}
	args := over.Sub[1].Sub[0].List(syntax.RuleArglist)
	switch len(args) {
	case 1:
		r = rangeArgs{c.zero, args[0], c.one}
	case 2:
		r = rangeArgs{args[0], args[1], c.one}
	case 3:
		r = rangeArgs{args[0], args[1], args[2]}
		if !r.step.IsSmallInt() || r.step.Int == 0 {
			return r, false
		}
	default:
		return r, false
	}
	return r, isPlainArg(r.start) && isPlainArg(r.stop)
}

// isPlainArg reports whether an argument is neither named nor starred nor a
// generator.
func isPlainArg(n *syntax.Node) bool {
	return !n.IsRule(syntax.RuleArglistStar) && !n.IsRule(syntax.RuleArglistDblStar) &&
		!n.IsRule(syntax.RuleArgument)
}

// forRangeStmt compiles a for loop over range as counting. The stack holds
// the end, unless it is a small int, and the counter.
func (c *compiler) forRangeStmt(n *syntax.Node, r rangeArgs) {
	target, block, otherwise := n.Sub[0], n.Sub[2], n.Sub[3]
	inner, outer := c.startLoop()
	top, entry := c.newLabel(), c.newLabel()
	stopOnStack := !r.stop.IsSmallInt()
	if stopOnStack {
		c.node(r.stop)
	}
	c.node(r.start)
	c.emit.jump(entry)
	c.emit.assign(top)
	c.emit.dupTop()
	c.assign(target, store)
	c.node(block)
	c.emit.assign(inner.continueTo)
	c.node(r.step)
	c.emit.binary(mpy.BinaryInplaceAdd)
	c.emit.assign(entry)
	if stopOnStack {
		c.emit.dupTopTwo()
		c.emit.rotTwo()
	} else {
		c.emit.dupTop()
		c.node(r.stop)
	}
	if r.step.Int >= 0 {
		c.emit.binary(mpy.BinaryLess)
	} else {
		c.emit.binary(mpy.BinaryMore)
	}
	c.emit.popJumpIf(true, top)
	c.loop = outer

	var end label
	if otherwise != nil {
		// The counter goes first, as break and continue may stand here.
		c.popCounter(stopOnStack)
		c.node(otherwise)
		end = c.newLabel()
		c.emit.jump(end)
		if stopOnStack {
			c.emit.adjust(2)
		} else {
			c.emit.adjust(1)
		}
	}
	c.emit.assign(inner.breakTo)
	c.popCounter(stopOnStack)
	if otherwise != nil {
		c.emit.assign(end)
	}
}

func (c *compiler) popCounter(stopOnStack bool) {
	c.emit.popTop()
	if stopOnStack {
		c.emit.popTop()
	}
}
