package compiler

import (
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

func (c *compiler) asyncStmt(n *syntax.Node) {
	switch what := n.Sub[0]; {
	case what.IsRule(syntax.RuleFuncdef):
		c.storeID(c.funcdef(what))
		c.scopes[what.Int].flags |= mpy.ScopeGenerator
	case what.IsRule(syntax.RuleForStmt):
		c.asyncFor(what)
	default:
		c.asyncWith(what.Sub[0].List(syntax.RuleWithStmtList), what.Sub[1])
	}
}

// yieldFrom lets the iterable on the stack yield, and leaves its value.
func (c *compiler) yieldFrom() {
	c.emit.getIter()
	c.emit.loadNone()
	c.emit.yieldFrom()
}

func (c *compiler) await(n *syntax.Node) {
	if c.cur.kind != scopeFunction && c.cur.kind != scopeLambda {
		c.fail(n, "'await' outside function")
		return
	}
	c.atomExpr(n)
	c.yieldFrom()
}

// awaitMethod calls a method of the object on the stack and awaits the result.
func (c *compiler) awaitMethod(method name) {
	c.emit.loadMethod(method)
	c.emit.callMethod(callArgs{})
	c.yieldFrom()
}

// iteratorName gives the variable that keeps the iterator of an async for.
// The device takes what it calls the iterator's name: that is one if the loop
// is over a variable or a string; for any other expression it is a local
// variable that no program can name.
func (c *compiler) iteratorName(over *syntax.Node) name {
	switch over.Kind {
	case syntax.KindID, syntax.KindStr, syntax.KindBytes:
		return c.names.leaf(over)
	}
	if !c.cur.kind.funcLike() {
		c.fail(over, "'async for' outside function")
	}
	if c.anon == nil {
		c.anon = make(map[*syntax.Node]name)
	}
	q, ok := c.anon[over]
	if !ok {
		q = c.names.fresh("")
		c.anon[over] = q
	}
	return q
}

func (c *compiler) asyncFor(n *syntax.Node) {
	target, over, block, otherwise := n.Sub[0], n.Sub[1], n.Sub[2], n.Sub[3]
	iterator := c.iteratorName(over)
	elseLabel, handler := c.newLabel(), c.newLabel()
	body, reraise := c.newLabel(), c.newLabel()

	c.node(over)
	c.awaitMethod(nameAiter)
	c.storeID(iterator)

	inner, outer := c.startLoop()
	c.emit.assign(inner.continueTo)
	c.openHandler(mpy.OpSetupExcept, handler)
	c.loadID(iterator)
	c.awaitMethod(nameAnext)
	c.assign(target, store)
	c.emit.popExceptJump(body, false)

	c.emit.assign(handler)
	c.emit.startExceptHandler()
	c.emit.dupTop()
	c.emit.loadGlobal(nameStopAsyncIteration, mpy.OpLoadGlobal)
	c.emit.binary(mpy.BinaryExceptionMatch)
	c.emit.popJumpIf(false, reraise)
	c.emit.popTop()
	c.emit.popExceptJump(elseLabel, true)

	c.emit.assign(reraise)
	c.emit.adjust(1) // the exception is still there
	c.closeHandler()
	c.emit.endExceptHandler()

	c.emit.assign(body)
	c.node(block)
	c.emit.jump(inner.continueTo)
	c.loop = outer

	c.emit.assign(elseLabel)
	c.node(otherwise)
	c.emit.assign(inner.breakTo)
}

// asyncWith compiles the items of an async with statement, one inside the
// other, and its block. Unlike with, it looks for __aexit__ only at the end.
func (c *compiler) asyncWith(items []*syntax.Node, block *syntax.Node) {
	if len(items) == 0 {
		c.node(block)
		return
	}
	c.enter()
	defer c.leave()
	finally, noExc := c.newLabel(), c.newLabel()
	unwinding, end := c.newLabel(), c.newLabel()

	item := items[0]
	as := item.IsRule(syntax.RuleWithItem)
	if as {
		c.node(item.Sub[0])
	} else {
		c.node(item)
	}
	c.emit.dupTop()
	c.awaitMethod(nameAenter)
	if as {
		c.assign(item.Sub[1], store)
	} else {
		c.emit.popTop()
	}

	c.openHandler(mpy.OpSetupFinally, finally)
	c.emit.adjust(3) // room for what an unwinding jump keeps on the stack
	c.asyncWith(items[1:], block)
	c.emit.adjust(-3)
	c.emit.popBlock()

	// Without exception: (..., manager).
	c.emit.loadNone()
	c.emit.rotTwo()
	c.emit.jump(noExc)

	// An exception (..., manager, exc), or a return or jump out of the block
	// (..., manager, X, INT).
	c.emit.assign(finally)
	c.emit.dupTop()
	if c.opts.Version < 4 {
		c.emit.loadGlobal(nameException, mpy.OpLoadGlobal)
	} else {
		c.emit.loadGlobal(nameBaseException, mpy.OpLoadGlobal)
	}
	c.emit.binary(mpy.BinaryExceptionMatch)
	c.emit.popJumpIf(false, unwinding)
	c.exitWithExc(end)

	c.emit.assign(unwinding)
	c.emit.rotThree()
	c.emit.rotThree()
	c.emit.assign(noExc)
	c.emit.loadMethod(nameAexit)
	c.emit.loadNone()
	c.emit.dupTop()
	c.emit.dupTop()
	c.emit.callMethod(callArgs{pos: 3})
	c.yieldFrom()
	c.emit.popTop()
	c.emit.adjust(-1)

	c.emit.assign(end)
	c.closeHandler()
}

// exitWithExc awaits __aexit__ with the exception on the stack, which goes on
// from end unless __aexit__ returned true.
func (c *compiler) exitWithExc(end label) {
	c.emit.dupTop()
	c.emit.rotThree()
	c.emit.rotTwo()
	c.emit.loadMethod(nameAexit)
	c.emit.rotThree()
	c.emit.rotThree()
	c.emit.dupTop()
	if c.opts.Features.NoCPythonCompat {
		c.loadID(nameType)
		c.emit.rotTwo()
		c.emit.callFunction(callArgs{pos: 1})
	} else {
		c.emit.loadAttr(nameClassCell)
	}
	c.emit.rotTwo()
	c.emit.loadNone() // for the traceback
	c.emit.callMethod(callArgs{pos: 3})
	c.yieldFrom()
	c.emit.popJumpIf(false, end)
	c.emit.popTop()
	c.emit.loadNone()
	c.emit.jump(end)
	c.emit.adjust(2)
}
