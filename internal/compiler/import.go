package compiler

import (
	"strings"

	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// importName compiles one module of an import statement.
func (c *compiler) importName(n *syntax.Node) {
	c.emit.loadSmallInt(0) // no relative import
	c.emit.loadNone()      // not from anything
	c.storeID(c.importModule(n))
}

// importModule imports a module, as the statement names it, and gives the
// variable that the statement sets: for a.b.c that is a, unless the statement
// says "as".
func (c *compiler) importModule(n *syntax.Node) name {
	as := nameNone
	if n.IsRule(syntax.RuleDottedAsName) {
		as = c.names.leaf(n.Sub[1])
		n = n.Sub[0]
	}
	if n == nil {
		// from . import x
		c.emit.opName(-1, mpy.OpImportName, nameEmpty)
		return nameEmpty
	}
	if n.IsID() {
		q := c.names.leaf(n)
		c.emit.opName(-1, mpy.OpImportName, q)
		if as == nameNone {
			as = q
		}
		return as
	}
	c.emit.opName(-1, mpy.OpImportName, c.dotted(n))
	if as == nameNone {
		return c.names.leaf(n.Sub[0])
	}
	for _, part := range n.Sub[1:] {
		c.emit.loadAttr(c.names.leaf(part))
	}
	return as
}

// dotted makes the name a.b.c of a dotted_name, which the device puts
// together in a scratch buffer in each pass.
func (c *compiler) dotted(n *syntax.Node) name {
	var b strings.Builder
	for i, part := range n.Sub {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(part.Name)
	}
	full := b.String()
	c.scratch(len(full))
	if c.first && c.opts.Names != nil {
		if err := c.opts.Names.Intern(full); err != nil {
			panic(failure{err})
		}
	}
	return c.names.intern(full)
}

// importFrom compiles from ... import ....
func (c *compiler) importFrom(n *syntax.Node) {
	source, level := relative(n.Sub[0])
	if n.Sub[1].IsToken(syntax.TokOpStar) {
		if c.opts.Version >= 5 && !c.opts.Features.NoCPythonCompat && c.cur.kind != scopeModule {
			c.fail(n, "import * not at module level")
			return
		}
		c.emit.loadSmallInt(level)
		c.emit.loadStr(nameStar)
		c.emit.build(mpy.OpBuildTuple, 1)
		c.importModule(source)
		c.emit.op(-1, mpy.OpImportStar)
		return
	}
	c.emit.loadSmallInt(level)
	names := n.Sub[1].List(syntax.RuleImportAsNames)
	for _, as := range names {
		c.emit.loadStr(c.names.leaf(as.Sub[0]))
	}
	c.emit.build(mpy.OpBuildTuple, len(names))
	c.importModule(source)
	for _, as := range names {
		q := c.names.leaf(as.Sub[0])
		c.emit.opName(1, mpy.OpImportFrom, q)
		if as.Sub[1] != nil {
			q = c.names.leaf(as.Sub[1])
		}
		c.storeID(q)
	}
	c.emit.popTop()
}

// relative takes the leading dots off the source of an import and counts
// them. The source is nil where there are only dots.
func relative(n *syntax.Node) (source *syntax.Node, level int64) {
	dots := n
	switch {
	case n.IsRule(syntax.RuleImportFrom2b):
		dots, source = n.Sub[0], n.Sub[1]
	case n != nil && n.Kind == syntax.KindToken, n.IsRule(syntax.RuleOneOrMorePeriodOrEllipsis):
	default:
		return n, 0
	}
	for _, d := range dots.List(syntax.RuleOneOrMorePeriodOrEllipsis) {
		if d.IsToken(syntax.TokDelPeriod) {
			level++
		} else {
			level += 3
		}
	}
	return source, level
}
