package compiler

import (
	"math/big"

	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// node compiles n as a statement or as an expression that leaves its value.
func (c *compiler) node(n *syntax.Node) {
	if n == nil {
		return
	}
	switch n.Kind {
	case syntax.KindSmallInt:
		if v, top := n.Int, int64(1)<<(c.opts.SmallIntBits-1); -top <= v && v < top {
			c.emit.loadSmallInt(v)
		} else {
			c.emit.loadInt(big.NewInt(v))
		}
	case syntax.KindID:
		c.loadID(c.names.leaf(n))
	case syntax.KindStr:
		c.emit.loadStr(c.names.leaf(n))
	case syntax.KindBytes:
		c.emit.loadBytes(n.Name)
	case syntax.KindToken:
		// A NEWLINE is an empty line at the prompt or at a file's start.
		if n.Tok != syntax.TokNewline {
			c.emit.loadTok(n.Tok)
		}
	case syntax.KindConstObject:
		c.emit.line(n.Line)
		c.constObject(n.Const)
	case syntax.KindRule:
		c.emit.line(n.Line)
		c.enter()
		c.rule(n)
		c.leave()
	}
}

// rule compiles a node by its rule.
func (c *compiler) rule(n *syntax.Node) {
	switch n.Rule {
	case syntax.RuleFileInput, syntax.RuleFileInput2, syntax.RuleSimpleStmt2,
		syntax.RulePassStmt, syntax.RuleSuiteBlockStmts:
		c.all(n.Sub)
	case syntax.RuleDecorated:
		c.decorated(n)
	case syntax.RuleFuncdef:
		c.storeID(c.funcdef(n))
	case syntax.RuleClassdef:
		c.storeID(c.classdef(n))
	case syntax.RuleExprStmt:
		c.exprStmt(n)
	case syntax.RuleTestlistStarExpr, syntax.RuleTestlist, syntax.RuleSubscriptlist:
		c.tuple(nil, n.Sub)
	case syntax.RuleDelStmt:
		for _, d := range n.Sub[0].List(syntax.RuleExprlist) {
			c.del(d)
		}
	case syntax.RuleBreakStmt:
		c.breakStmt(n)
	case syntax.RuleContinueStmt:
		c.continueStmt(n)
	case syntax.RuleReturnStmt:
		c.returnStmt(n)
	case syntax.RuleYieldStmt:
		c.node(n.Sub[0])
		c.emit.popTop()
	case syntax.RuleRaiseStmt:
		c.raiseStmt(n)
	case syntax.RuleImportName:
		for _, m := range n.Sub[0].List(syntax.RuleDottedAsNames) {
			c.importName(m)
		}
	case syntax.RuleImportFrom:
		c.importFrom(n)
	case syntax.RuleGlobalStmt, syntax.RuleNonlocalStmt:
		c.declare(n)
	case syntax.RuleAssertStmt:
		c.assertStmt(n)
	case syntax.RuleAsyncStmt:
		c.asyncStmt(n)
	case syntax.RuleIfStmt:
		c.ifStmt(n)
	case syntax.RuleWhileStmt:
		c.whileStmt(n)
	case syntax.RuleForStmt:
		c.forStmt(n)
	case syntax.RuleTryStmt:
		c.tryStmt(n)
	case syntax.RuleWithStmt:
		c.with(n.Sub[0].List(syntax.RuleWithStmtList), n.Sub[1])
	default:
		c.expression(n)
	}
}

// expression compiles a node by its rule, for the rules of expressions.
func (c *compiler) expression(n *syntax.Node) {
	switch n.Rule {
	case syntax.RuleTestIfExpr:
		c.ifExpr(n)
	case syntax.RuleLambdef, syntax.RuleLambdefNocond:
		c.lambdef(n)
	case syntax.RuleOrTest:
		c.andOr(n, true)
	case syntax.RuleAndTest:
		c.andOr(n, false)
	case syntax.RuleNotTest2:
		c.node(n.Sub[0])
		c.emit.unary(mpy.UnaryNot)
	case syntax.RuleComparison:
		c.comparison(n)
	case syntax.RuleStarExpr:
		c.fail(n, "*x must be assignment target")
	case syntax.RuleExpr:
		c.operators(n, mpy.BinaryOr)
	case syntax.RuleXorExpr:
		c.operators(n, mpy.BinaryXor)
	case syntax.RuleAndExpr:
		c.operators(n, mpy.BinaryAnd)
	case syntax.RuleShiftExpr, syntax.RuleArithExpr, syntax.RuleTerm:
		c.terms(n)
	case syntax.RuleFactor2:
		c.node(n.Sub[1])
		c.emit.unary(unaryOps[n.Sub[0].Tok])
	case syntax.RulePower:
		c.all(n.Sub)
		c.emit.binary(mpy.BinaryPower)
	case syntax.RuleAtomExprAwait:
		c.await(n)
	case syntax.RuleAtomExprNormal:
		c.atomExpr(n)
	case syntax.RuleAtomParen:
		c.paren(n)
	case syntax.RuleAtomBracket:
		c.bracket(n)
	case syntax.RuleAtomBrace:
		c.brace(n, true)
	case syntax.RuleTrailerParen:
		c.callArgs(n.Sub[0], false, 0)
	case syntax.RuleTrailerBracket:
		c.node(n.Sub[0])
		c.emit.loadSubscr()
	case syntax.RuleTrailerPeriod:
		c.emit.loadAttr(c.names.leaf(n.Sub[0]))
	case syntax.RuleSubscript2, syntax.RuleSubscript3:
		c.slice(n)
	case syntax.RuleDictorsetmakerItem:
		c.node(n.Sub[1]) // the value
		c.node(n.Sub[0])
	case syntax.RuleYieldExpr:
		c.yieldExpr(n)
	default:
		panic("compiler: no code for " + n.Rule.String())
	}
}

// all compiles the nodes one after the other, up to the first with an error.
func (c *compiler) all(nodes []*syntax.Node) {
	for _, n := range nodes {
		c.node(n)
		if c.err != nil {
			c.setErrorLine(n)
			return
		}
	}
}

// constObject loads a constant that is an object.
func (c *compiler) constObject(k *syntax.Const) {
	if c.emit.quiet {
		return
	}
	o := mpy.Obj{Text: k.Text, Ref: uint32(k.Ref)}
	switch k.Kind {
	case syntax.ConstInt:
		o.Kind, o.Text = mpy.ObjInt, k.Int.String()
	case syntax.ConstStr:
		o.Kind = mpy.ObjStr
	case syntax.ConstBytes:
		o.Kind = mpy.ObjBytes
	case syntax.ConstEllipsis:
		o.Kind = mpy.ObjEllipsis
	case syntax.ConstFloat:
		o.Kind = mpy.ObjFloat
	case syntax.ConstComplex:
		o.Kind = mpy.ObjComplex
	}
	if c.opts.Budget == nil && (o.Kind == mpy.ObjFloat || o.Kind == mpy.ObjComplex) {
		o.Text = mpy.FloatText(o.Text)
	}
	c.emit.opObj(mpy.OpLoadConstObj, o)
}

// loadID, storeID and deleteID are the three things to do with a variable.
func (c *compiler) loadID(q name) {
	if c.first {
		// Python looks a name up where the function is called: unless it is
		// stored to, it is global until scopes around say otherwise.
		c.findOrAdd(c.cur, q, idGlobalImplicit)
		return
	}
	switch id := c.cur.find(q); id.kind {
	case idGlobalImplicit:
		c.emit.loadGlobal(q, mpy.OpLoadName)
	case idGlobalExplicit:
		c.emit.loadGlobal(q, mpy.OpLoadGlobal)
	default:
		c.emit.loadLocal(id.local, id.kind != idLocal)
	}
}

func (c *compiler) storeID(q name) {
	if c.first {
		c.bind(q)
		return
	}
	switch id := c.cur.find(q); id.kind {
	case idGlobalImplicit:
		c.emit.opName(-1, mpy.OpStoreName, q)
	case idGlobalExplicit:
		c.emit.opName(-1, mpy.OpStoreGlobal, q)
	default:
		c.emit.storeLocal(id.local, id.kind != idLocal)
	}
}

func (c *compiler) deleteID(q name) {
	if c.first {
		c.bind(q)
		return
	}
	switch id := c.cur.find(q); id.kind {
	case idGlobalImplicit:
		c.emit.opName(0, mpy.OpDeleteName, q)
	case idGlobalExplicit:
		c.emit.opName(0, mpy.OpDeleteGlobal, q)
	default:
		c.emit.deleteLocal(id.local, id.kind != idLocal)
	}
}

// bind makes q a local variable of a function, unless it is declared otherwise.
func (c *compiler) bind(q name) {
	id := c.findOrAdd(c.cur, q, idGlobalImplicit)
	if c.cur.kind.funcLike() && id.kind == idGlobalImplicit {
		id.kind = idLocal
	}
}
