package compiler

import (
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// Blocks with exception handlers.

// openHandler starts what the handler at l protects.
func (c *compiler) openHandler(op mpy.Op, l label) {
	c.emit.setup(op, l)
	c.excLevels++
	c.cur.excStackSize = max(c.cur.excStackSize, c.excLevels)
}

func (c *compiler) closeHandler() {
	c.excLevels--
	c.emit.endFinally()
}

// handlers are the parts of a try statement behind its block.
type handlers struct {
	excepts   []*syntax.Node
	otherwise *syntax.Node
}

func (c *compiler) tryStmt(n *syntax.Node) {
	block, rest := n.Sub[0], n.Sub[1]
	switch {
	case rest.IsRule(syntax.RuleTryStmtFinally):
		c.tryFinally(block, handlers{}, rest.Sub[0])
	case rest.IsRule(syntax.RuleTryStmtExceptAndMore):
		h := handlers{rest.Sub[0].List(syntax.RuleTryStmtExceptList), rest.Sub[1]}
		if rest.Sub[2] == nil {
			c.tryExcept(block, h)
		} else {
			c.tryFinally(block, h, rest.Sub[2].Sub[0])
		}
	default:
		c.tryExcept(block, handlers{excepts: rest.List(syntax.RuleTryStmtExceptList)})
	}
}

func (c *compiler) tryFinally(block *syntax.Node, h handlers, finally *syntax.Node) {
	l := c.newLabel()
	c.openHandler(mpy.OpSetupFinally, l)
	if len(h.excepts) == 0 {
		// Room for what an unwinding jump keeps on the stack.
		c.emit.adjust(3)
		c.node(block)
		c.emit.adjust(-3)
	} else {
		c.tryExcept(block, h)
	}
	c.emit.popBlock()
	c.emit.loadNone()
	c.emit.assign(l)
	c.node(finally)
	c.closeHandler()
}

func (c *compiler) tryExcept(block *syntax.Node, h handlers) {
	handler, success := c.newLabel(), c.newLabel()
	c.openHandler(mpy.OpSetupExcept, handler)
	c.node(block)
	c.emit.popExceptJump(success, false)
	c.emit.assign(handler)
	c.emit.startExceptHandler()
	end := c.newLabel()
	for i, except := range h.excepts {
		next := c.newLabel()
		if except.Sub[0] == nil && i+1 != len(h.excepts) {
			c.fail(except, "default 'except' must be last")
			c.closeHandler()
			return
		}
		as := c.match(except.Sub[0], next)
		if as == nameNone {
			c.emit.popTop()
			c.node(except.Sub[1])
		} else {
			c.storeID(as)
			c.caughtAs(as, except.Sub[1])
		}
		if as == nameNone || c.opts.Version >= 4 {
			c.emit.popExceptJump(end, true)
		} else {
			c.emit.jump(end)
		}
		c.emit.assign(next)
		c.emit.adjust(1) // the exception is still there
	}
	c.closeHandler()
	c.emit.endExceptHandler()
	c.emit.assign(success)
	c.node(h.otherwise)
	c.emit.assign(end)
}

// match jumps to next unless the exception on the stack is of a type that n
// wants, and gives the variable for it, if any. A nil n wants all.
func (c *compiler) match(n *syntax.Node, next label) name {
	as := nameNone
	if n == nil {
		return as
	}
	if n.IsRule(syntax.RuleTryStmtAsName) {
		as = c.names.leaf(n.Sub[1])
		n = n.Sub[0]
	}
	c.emit.dupTop()
	c.node(n)
	c.emit.binary(mpy.BinaryExceptionMatch)
	c.emit.popJumpIf(false, next)
	return as
}

// caughtAs compiles what is done with the exception in the variable q, which
// is gone afterwards whatever happens.
func (c *compiler) caughtAs(q name, block *syntax.Node) {
	finally := c.newLabel()
	c.openHandler(mpy.OpSetupFinally, finally)
	c.node(block)
	if c.opts.Version < 4 {
		c.emit.popBlock()
		c.emit.popExcept()
	}
	c.emit.loadNone()
	c.emit.assign(finally)
	c.emit.loadNone()
	c.storeID(q)
	c.deleteID(q)
	c.closeHandler()
}

// with compiles the items of a with statement, one inside the other, and its
// block.
func (c *compiler) with(items []*syntax.Node, block *syntax.Node) {
	if len(items) == 0 {
		c.node(block)
		return
	}
	c.enter()
	defer c.leave()
	end := c.newLabel()
	if item := items[0]; item.IsRule(syntax.RuleWithItem) {
		c.node(item.Sub[0])
		c.openHandler(mpy.OpSetupWith, end)
		c.assign(item.Sub[1], store)
	} else {
		c.node(item)
		c.openHandler(mpy.OpSetupWith, end)
		c.emit.popTop()
	}
	c.with(items[1:], block)
	c.emit.withCleanup(end)
	c.closeHandler()
}
