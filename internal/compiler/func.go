package compiler

import (
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// Functions, classes and comprehensions, as the scope around them sees them:
// what makes the object. What is inside is compiled by scope.

// inner gives the scope of the node n, which keeps its number; the first pass
// makes it.
func (c *compiler) inner(kind scopeKind, n *syntax.Node) *scope {
	return c.innerAt(kind, n, n)
}

// innerAt is inner with the scope's number kept in the node at.
func (c *compiler) innerAt(kind scopeKind, n, at *syntax.Node) *scope {
	if c.first {
		at.Int = int64(len(c.scopes))
		return c.newScope(kind, n)
	}
	return c.scopes[at.Int]
}

// makeFunction makes the function of s. If there are defaults, a tuple and a
// dict of them lie on the stack.
func (c *compiler) makeFunction(s *scope, numDefs, numDict int) {
	if numDict > 0 {
		s.flags |= mpy.ScopeDefKwArgs
	}
	s.numDefPos = numDefs
	if c.opts.Features.NativeFlags {
		c.cur.flags |= scopeRefGlobals | scopeHasConsts
	}
	free := 0
	if c.cur.kind != scopeModule {
		for i := range c.cur.ids {
			outer := &c.cur.ids[i]
			if outer.kind != idCell && outer.kind != idFree {
				continue
			}
			if id := s.find(outer.name); id != nil && id.kind == idFree {
				c.emit.loadLocal(outer.local, false)
				free++
			}
		}
	}
	defaults := numDefs > 0 || numDict > 0
	if free == 0 {
		c.emit.makeFunction(s, defaults)
	} else {
		c.emit.makeClosure(s, free, defaults)
	}
}

// funcdef makes a function and gives its name.
func (c *compiler) funcdef(n *syntax.Node) name {
	s := c.inner(scopeFunction, n)
	c.function(s, n.Sub[1].List(syntax.RuleTypedargslist))
	return s.name
}

func (c *compiler) lambdef(n *syntax.Node) {
	c.function(c.inner(scopeLambda, n), n.Sub[0].List(syntax.RuleVarargslist))
}

// function makes a function with the defaults that its parameters have. One
// of them may hold a lambda, so the state is kept and put back.
func (c *compiler) function(s *scope, params []*syntax.Node) {
	haveStar, numDict, numDefs := c.haveStar, c.numDict, c.numDefs
	c.haveStar, c.numDict, c.numDefs = false, 0, 0
	for _, p := range params {
		c.defaultOf(p)
	}
	if c.err != nil {
		return
	}
	if c.numDefs > 0 && c.numDict == 0 {
		c.emit.build(mpy.OpBuildTuple, c.numDefs)
		c.emit.loadNull() // no dict
	}
	c.makeFunction(s, c.numDefs, c.numDict)
	c.haveStar, c.numDict, c.numDefs = haveStar, numDict, numDefs
}

// defaultOf leaves the default value of a parameter, if it has one.
func (c *compiler) defaultOf(p *syntax.Node) {
	id, value := p, (*syntax.Node)(nil)
	switch p.Rule {
	case syntax.RuleTypedargslistStar, syntax.RuleVarargslistStar:
		c.haveStar = true
		return
	case syntax.RuleTypedargslistDblStar, syntax.RuleVarargslistDblStar:
		return
	case syntax.RuleTypedargslistName:
		id, value = p.Sub[0], p.Sub[2]
	case syntax.RuleVarargslistName:
		id, value = p.Sub[0], p.Sub[1]
	}
	if value == nil {
		if !c.haveStar && c.numDefs != 0 {
			c.fail(p, "non-default argument follows default argument")
		}
		return
	}
	if !c.haveStar {
		c.numDefs++
		c.node(value)
		return
	}
	c.numDict++
	if c.numDict == 1 {
		// The tuple must be made before the dict is begun.
		if c.numDefs > 0 {
			c.emit.build(mpy.OpBuildTuple, c.numDefs)
		} else {
			c.emit.loadNull()
		}
		c.emit.buildMap(0)
	}
	c.node(value)
	c.emit.loadStr(c.names.leaf(id))
	c.emit.storeMap()
}

// classdef makes a class and gives its name.
func (c *compiler) classdef(n *syntax.Node) name {
	s := c.inner(scopeClass, n)
	c.emit.op(1, mpy.OpLoadBuildClass)
	c.makeFunction(s, 0, 0)
	c.emit.loadStr(s.name)
	parents := n.Sub[1]
	if parents.IsRule(syntax.RuleClassdef2) {
		parents = nil // class C():
	}
	c.callArgs(parents, false, 2)
	return s.name
}

// comprehension makes the function of a comprehension and calls it; n has the
// expression and the comp_for, which keeps the scope's number.
func (c *compiler) comprehension(n *syntax.Node, kind scopeKind) {
	over := n.Sub[1]
	s := c.innerAt(kind, n, over)
	c.makeFunction(s, 0, 0)
	c.node(over.Sub[1])
	if kind == scopeGenExpr {
		c.emit.getIter()
	}
	c.emit.callFunction(callArgs{pos: 1})
}

func (c *compiler) decorated(n *syntax.Node) {
	calls := 0
	for _, d := range n.Sub[0].List(syntax.RuleDecorators) {
		names := d.Sub[0].List(syntax.RuleDottedName)
		if c.builtInDecorator(names) {
			continue
		}
		calls++
		c.node(names[0])
		for _, attr := range names[1:] {
			c.emit.loadAttr(c.names.leaf(attr))
		}
		c.node(d.Sub[1])
	}
	var q name
	switch body := n.Sub[1]; {
	case body.IsRule(syntax.RuleFuncdef):
		q = c.funcdef(body)
	case body.IsRule(syntax.RuleAsyncFuncdef):
		f := body.Sub[0]
		q = c.funcdef(f)
		c.scopes[f.Int].flags |= mpy.ScopeGenerator
	default:
		q = c.classdef(body)
	}
	for range calls {
		c.emit.callFunction(callArgs{pos: 1})
	}
	c.storeID(q)
}

// builtInDecorator reports whether a decorator is one of micropython's own,
// even if it is a wrong one: there is no native emitter here.
func (c *compiler) builtInDecorator(names []*syntax.Node) bool {
	if c.names.leaf(names[0]) != nameMicropython {
		return false
	}
	if len(names) != 2 {
		c.fail(names[0], "invalid micropython decorator")
	} else if c.names.leaf(names[1]) != nameBytecode {
		c.fail(names[1], "invalid micropython decorator")
	}
	return true
}
