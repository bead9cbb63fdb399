package compiler

import (
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// scope compiles what is inside s.
func (c *compiler) scope(s *scope) {
	c.cur = s
	c.nextLabel = 0
	switch {
	case s.node.IsRule(syntax.RuleEvalInput):
		c.node(s.node.Sub[0])
		c.emit.returnValue()
	case s.kind == scopeModule:
		c.node(s.node)
		c.emit.loadNone()
		c.emit.returnValue()
	case s.kind == scopeFunction:
		if c.first {
			c.params(s.node.Sub[1].List(syntax.RuleTypedargslist))
		}
		c.node(s.node.Sub[3])
		if !c.emit.lastReturn {
			c.emit.loadNone()
			c.emit.returnValue()
		}
	case s.kind == scopeLambda:
		c.lambdaBody(s)
	case s.kind == scopeClass:
		c.classBody(s)
	default:
		c.comprehensionBody(s)
	}
}

func (c *compiler) lambdaBody(s *scope) {
	if c.opts.Version >= 5 {
		c.emit.line(s.node.Line)
	}
	if c.first {
		c.params(s.node.Sub[0].List(syntax.RuleVarargslist))
	}
	c.node(s.node.Sub[1])
	if s.flags&mpy.ScopeGenerator != 0 {
		// A generator's value is None, not that of the expression.
		c.emit.popTop()
		c.emit.loadNone()
	}
	c.emit.returnValue()
}

func (c *compiler) classBody(s *scope) {
	if c.first {
		c.findOrAdd(s, nameClassCell, idLocal)
	}
	c.loadID(nameName)
	c.storeID(nameModule)
	c.emit.loadStr(s.name)
	c.storeID(nameQualname)
	c.node(s.node.Sub[2])
	// If a method uses __class__ there is a cell for it, which is returned.
	if id := s.find(nameClassCell); id.kind == idLocal {
		c.emit.loadNone()
	} else {
		c.emit.loadLocal(id.local, false)
	}
	c.emit.returnValue()
}

func (c *compiler) comprehensionBody(s *scope) {
	if c.first {
		// The iterator comes as an argument with the empty name.
		c.findOrAdd(s, nameEmpty, idLocal)
		s.numPos = 1
	}
	if c.opts.Version >= 5 {
		c.emit.line(s.node.Line)
	}
	switch s.kind {
	case scopeListComp:
		c.emit.build(mpy.OpBuildList, 0)
	case scopeDictComp:
		c.emit.buildMap(0)
	case scopeSetComp:
		c.emit.build(mpy.OpBuildSet, 0)
	}
	if s.kind == scopeGenExpr {
		// NULL in the first slot says that the second is the iterator.
		c.emit.loadNull()
		c.loadID(nameEmpty)
		c.emit.loadNull()
		c.emit.loadNull()
	} else {
		c.loadID(nameEmpty)
		c.emit.getIterStack()
	}
	c.compFor(s.node.Sub[1], s.node.Sub[0], 0)
	if s.kind == scopeGenExpr {
		c.emit.loadNone()
	}
	c.emit.returnValue()
}

// compFor compiles the loop n of a comprehension, depth loops inside others.
func (c *compiler) compFor(n, value *syntax.Node, depth int) {
	c.enter()
	defer c.leave()
	top, end := c.newLabel(), c.newLabel()
	c.emit.assign(top)
	c.emit.forIter(end)
	c.assign(n.Sub[0], store)
	more := n.Sub[2]
	for more.IsRule(syntax.RuleCompIf) {
		c.ifCond(more.Sub[0], false, top)
		more = more.Sub[1]
	}
	switch {
	case more != nil:
		c.node(more.Sub[1])
		c.emit.getIterStack()
		c.compFor(more, value, depth+1)
	case c.cur.kind == scopeGenExpr:
		c.node(value)
		c.emit.yield()
		c.emit.popTop()
	default:
		c.node(value)
		c.emit.storeComp(c.cur.kind, mpy.IterSlots*depth+mpy.IterSlots+1)
	}
	c.emit.jump(top)
	c.emit.assign(end)
	c.emit.forIterEnd()
}

// params makes the parameters of a function or lambda its first locals.
func (c *compiler) params(list []*syntax.Node) {
	c.haveStar = false
	for _, p := range list {
		c.param(p)
	}
}

func (c *compiler) param(p *syntax.Node) {
	s := c.cur
	if s.flags&mpy.ScopeVarKeywords != 0 {
		c.fail(p, "invalid syntax") // **kw must be last
		return
	}
	var id *syntax.Node
	flags := uint8(idIsParam)
	switch p.Rule {
	case syntax.RuleNone:
		id = p
	case syntax.RuleTypedargslistName, syntax.RuleVarargslistName:
		id = p.Sub[0]
	case syntax.RuleTypedargslistStar, syntax.RuleVarargslistStar:
		if c.haveStar {
			c.fail(p, "invalid syntax")
			return
		}
		c.haveStar = true
		flags |= idIsStarParam
		if id = p.Sub[0]; id == nil {
			return
		}
		s.flags |= mpy.ScopeVarArgs
		if id.IsRule(syntax.RuleTfpdef) {
			id = id.Sub[0]
		}
	default:
		id = p.Sub[0]
		flags |= idIsDblStar
		s.flags |= mpy.ScopeVarKeywords
	}
	if flags == idIsParam {
		if c.haveStar {
			s.numKwOnly++
		} else {
			s.numPos++
		}
	}
	known := c.findOrAdd(s, c.names.leaf(id), idUndecided)
	if known.kind != idUndecided {
		c.fail(p, "argument name reused")
		return
	}
	known.kind = idLocal
	known.flags = flags
}
