package check

import "github.com/skep-sim/skep/internal/syntax"

// expr reads an expression; nil is nil.
func (r *reader) expr(n *syntax.Node) *expr {
	if n == nil {
		return nil
	}
	e := &expr{place: r.at[n]}
	switch n.Kind {
	case syntax.KindID:
		e.kind, e.name = kindName, n.Name
	case syntax.KindSmallInt:
		e.kind, e.num = kindNumber, n.Int
	case syntax.KindStr:
		e.kind, e.name = kindString, n.Name
	case syntax.KindBytes:
		e.kind, e.name = kindBytes, n.Name
	case syntax.KindToken:
		e.kind, e.op = kindToken, n.Tok
		e.place = place{}
	case syntax.KindConstObject:
		switch n.Const.Kind {
		case syntax.ConstStr:
			e.kind, e.name = kindString, n.Const.Text
		case syntax.ConstBytes:
			e.kind, e.name = kindBytes, n.Const.Text
		}
	case syntax.KindRule:
		r.rule(e, n)
	}
	if e.place.line == 0 && e.kind != kindToken {
		e.place = firstPlace(e)
		if e.place.line == 0 && n.Line != 0 {
			e.place = r.linePlace(n.Line)
		}
	}
	return e
}

// firstPlace is where the first part of an expression begins that has a place.
func firstPlace(e *expr) place {
	if e.x != nil && e.x.place.line != 0 {
		return e.x.place
	}
	for _, s := range e.sub {
		if s != nil && s.place.line != 0 {
			return s.place
		}
	}
	return place{}
}

// operators are the rules for a chain of operands.
func isChain(rule syntax.Rule) bool {
	switch rule {
	case syntax.RuleOrTest, syntax.RuleAndTest, syntax.RuleExpr, syntax.RuleXorExpr, syntax.RuleAndExpr,
		syntax.RuleShiftExpr, syntax.RuleArithExpr, syntax.RuleTerm, syntax.RulePower, syntax.RuleFactor2, syntax.RuleComparison:
		return true
	}
	return false
}

// rule reads an expression that a rule made.
func (r *reader) rule(e *expr, n *syntax.Node) {
	switch n.Rule {
	case syntax.RuleAtomExprNormal:
		*e = *r.trailers(r.expr(n.Sub[0]), n.Sub[1])
	case syntax.RuleAtomExprAwait:
		*e = *r.trailers(r.expr(n.Sub[0]), n.Sub[1])
	case syntax.RuleAtomParen, syntax.RuleTestlistStarExpr, syntax.RuleTestlist, syntax.RuleExprlist, syntax.RuleSubscriptlist:
		r.display(e, kindTuple, n.Sub)
	case syntax.RuleAtomBracket:
		r.display(e, kindList, n.Sub)
	case syntax.RuleAtomBrace:
		r.braces(e, n.Sub[0])
	case syntax.RuleDottedName: // of a decorator
		x := r.expr(n.Sub[0])
		for _, part := range n.Sub[1:] {
			x = &expr{kind: kindAttr, x: x, name: part.Name, place: r.at[part]}
		}
		*e = *x
	case syntax.RuleNotTest2:
		e.kind, e.sub = kindNot, []*expr{r.expr(n.Sub[0])}
	case syntax.RuleStarExpr:
		e.kind, e.sub = kindStar, []*expr{r.expr(n.Sub[0])}
	case syntax.RuleLambdef, syntax.RuleLambdefNocond:
		e.kind, e.place = kindLambda, r.linePlace(n.Line)
		f := &function{name: "<lambda>", place: e.place}
		r.params(f, n.Sub[0].List(syntax.RuleVarargslist))
		e.fun = r.inside(f, func(f *function) { f.value = r.expr(n.Sub[1]) })
		e.sub = f.defaults
	default:
		if isChain(n.Rule) {
			r.chain(e, n)
			return
		}
		for _, s := range n.Sub {
			if s != nil {
				e.sub = append(e.sub, r.expr(s))
			}
		}
	}
}

// chain reads operands and the operators between them.
func (r *reader) chain(e *expr, n *syntax.Node) {
	e.kind = kindBinary
	if n.Rule == syntax.RuleComparison {
		e.kind = kindCompare
	}
	for _, s := range n.Sub {
		switch {
		case s == nil:
		case s.Kind == syntax.KindToken && !isConstant(s.Tok):
			e.ops = append(e.ops, s.Tok)
		case s.IsRule(syntax.RuleCompOpNotIn):
			e.ops = append(e.ops, syntax.TokKwIn)
		case s.IsRule(syntax.RuleCompOpIs):
			e.ops = append(e.ops, syntax.TokKwIs)
		default:
			e.sub = append(e.sub, r.expr(s))
		}
	}
}

func isConstant(t syntax.Token) bool {
	return t == syntax.TokKwNone || t == syntax.TokKwTrue || t == syntax.TokKwFalse || t == syntax.TokEllipsis
}

// trailers reads what follows an atom: calls, attributes, subscripts.
func (r *reader) trailers(x *expr, n *syntax.Node) *expr {
	for _, t := range n.List(syntax.RuleAtomExprTrailers) {
		e := &expr{x: x, place: x.place}
		switch t.Rule {
		case syntax.RuleTrailerParen:
			e.kind, e.args = kindCall, r.args(t.Sub[0])
		case syntax.RuleTrailerBracket:
			e.kind, e.sub = kindIndex, []*expr{r.expr(t.Sub[0])}
		case syntax.RuleTrailerPeriod:
			e.kind, e.name = kindAttr, t.Sub[0].Name
			if p, ok := r.at[t.Sub[0]]; ok {
				e.place = p
			}
		}
		x = e
	}
	return x
}

// args reads the arguments of a call.
func (r *reader) args(n *syntax.Node) (list []arg) {
	for _, a := range n.List(syntax.RuleArglist) {
		switch {
		case a.IsRule(syntax.RuleArglistStar):
			list = append(list, arg{star: 1, value: r.expr(a.Sub[0])})
		case a.IsRule(syntax.RuleArglistDblStar):
			list = append(list, arg{star: 2, value: r.expr(a.Sub[0])})
		case a.IsRule(syntax.RuleArgument) && a.Sub[1].IsRule(syntax.RuleCompFor):
			list = append(list, arg{value: r.comprehension(a.Sub[:1], a.Sub[1])})
		case a.IsRule(syntax.RuleArgument) && a.Sub[0].IsID():
			list = append(list, arg{name: a.Sub[0].Name, value: r.expr(a.Sub[1])})
		default:
			list = append(list, arg{value: r.expr(a)})
		}
	}
	return list
}

// display reads the items of a tuple or a list, or a comprehension.
func (r *reader) display(e *expr, k kind, items []*syntax.Node) {
	e.kind = k
	var flat []*syntax.Node
	var gather func(n *syntax.Node)
	gather = func(n *syntax.Node) {
		switch {
		case n == nil:
		case n.IsRule(syntax.RuleTestlistComp), n.IsRule(syntax.RuleTestlistComp3b), n.IsRule(syntax.RuleTestlistComp3c):
			for _, s := range n.Sub {
				gather(s)
			}
		default:
			flat = append(flat, n)
		}
	}
	for _, n := range items {
		gather(n)
	}
	if last := len(flat) - 1; last > 0 && flat[last].IsRule(syntax.RuleCompFor) {
		*e = *r.comprehension(flat[:last], flat[last])
		return
	}
	for _, n := range flat {
		e.sub = append(e.sub, r.expr(n))
	}
}

// braces reads a dictionary or a set.
func (r *reader) braces(e *expr, n *syntax.Node) {
	e.kind = kindDict
	var items []*syntax.Node
	var comp *syntax.Node
	var gather func(n *syntax.Node)
	gather = func(n *syntax.Node) {
		switch {
		case n == nil:
		case n.IsRule(syntax.RuleCompFor):
			comp = n
		case n.IsRule(syntax.RuleDictorsetmaker), n.IsRule(syntax.RuleDictorsetmakerList), n.IsRule(syntax.RuleDictorsetmakerList2):
			for _, s := range n.Sub {
				gather(s)
			}
		default:
			items = append(items, n)
		}
	}
	gather(n)
	var parts []*syntax.Node
	for _, i := range items {
		if i.IsRule(syntax.RuleDictorsetmakerItem) {
			parts = append(parts, i.Sub...)
		} else {
			e.kind = kindTuple // a set
			parts = append(parts, i)
		}
	}
	if comp != nil {
		*e = *r.comprehension(parts, comp)
		return
	}
	for _, p := range parts {
		e.sub = append(e.sub, r.expr(p))
	}
}

// comprehension reads items for targets in iterables: a scope of its own.
func (r *reader) comprehension(items []*syntax.Node, loop *syntax.Node) *expr {
	e := &expr{kind: kindComp}
	f := &function{name: "<comprehension>", place: r.linePlace(loop.Line), comp: true}
	e.fun = r.inside(f, func(f *function) {
		body := &stmt{kind: stmtExpr, place: f.place}
		for n := loop; n != nil; {
			if n.IsRule(syntax.RuleCompFor) {
				f.body = append(f.body, &stmt{kind: stmtFor, place: f.place, targets: []*expr{r.expr(n.Sub[0])}, value: r.expr(n.Sub[1])})
				n = n.Sub[2]
			} else {
				body.extra = append(body.extra, r.expr(n.Sub[0]))
				n = n.Sub[1]
			}
		}
		for _, i := range items {
			body.extra = append(body.extra, r.expr(i))
		}
		f.body = append(f.body, body)
	})
	if len(e.fun.body) > 0 {
		if last := e.fun.body[len(e.fun.body)-1]; len(last.extra) > 0 {
			e.place = last.extra[0].place
		}
	}
	return e
}
