package check

import (
	"github.com/skep-sim/skep/internal/syntax"
)

// This file turns the parse tree, whose shape is the compiler's, into statements and
// expressions with places, which rules can read.

// kind is what an expression is.
type kind uint8

const (
	kindOther   kind = iota
	kindName         // name
	kindNumber       // num
	kindString       // name; also bytes
	kindBytes        // name
	kindToken        // op: None, True, False, ...
	kindAttr         // x.name
	kindCall         // x(args)
	kindIndex        // x[sub]
	kindTuple        // sub
	kindList         // sub
	kindDict         // sub: key, value, key, value
	kindBinary       // sub: operands, of operators ops
	kindCompare      // sub: operands, of comparisons ops
	kindNot          // sub[0]
	kindLambda       // fun
	kindComp         // a comprehension: sub[0] over the others; fun is its scope
	kindStar         // *sub[0]
)

// place is a line and a column, from 1.
type place struct{ line, column int }

// expr is an expression.
type expr struct {
	kind  kind
	place place
	name  string
	num   int64
	x     *expr
	args  []arg
	sub   []*expr
	ops   []syntax.Token
	op    syntax.Token
	fun   *function
}

// arg is an argument of a call: star is 0, 1 for *value and 2 for **value.
type arg struct {
	name  string
	star  int
	value *expr
}

// stmtKind is what a statement is.
type stmtKind uint8

const (
	stmtExpr   stmtKind = iota // value
	stmtAssign                 // targets = value
	stmtAug                    // targets[0] op= value
	stmtImport                 // imports
	stmtDef                    // fun
	stmtClass                  // fun is its body, value nil
	stmtIf                     // if value: body else: orelse
	stmtWhile                  // while value: body else: orelse
	stmtFor                    // for targets in value: body else: orelse
	stmtTry                    // try: body, handlers, else: orelse, finally: final
	stmtWith                   // with values (as targets): body
	stmtReturn                 // value
	stmtRaise                  // value
	stmtBreak
	stmtContinue
	stmtPass
	stmtDelete // targets
	stmtScope  // global or nonlocal names
	stmtAssert // value
)

// stmt is a statement.
type stmt struct {
	kind     stmtKind
	place    place
	targets  []*expr
	value    *expr
	extra    []*expr // further expressions: of with, raise, assert, decorators
	body     []*stmt
	orelse   []*stmt
	handlers []handler
	final    []*stmt
	imports  []imported
	names    []string // of a stmtScope
	fun      *function
}

// handler is an except clause; types is nil if it takes everything.
type handler struct {
	place place
	types *expr
	as    string
	body  []*stmt
}

// imported is one name that an import statement binds.
type imported struct {
	place  place
	module string // as written; level dots are in front of it
	name   string // what is taken from it: "" for the module itself, "*" for all
	as     string // the name that is bound
}

// function is a function, a lambda, a comprehension, the body of a class or a file.
type function struct {
	name     string
	place    place
	params   []string
	defaults []*expr
	body     []*stmt
	value    *expr // of a lambda
	class    bool
	comp     bool
	parent   *function

	scope *scope
}

// reader turns one file's parse tree into statements.
type reader struct {
	at   map[*syntax.Node]place
	text []string // lines
	fun  *function
}

// file reads a whole tree.
func (r *reader) file(root *syntax.Node) *function {
	f := &function{name: "", place: place{1, 1}}
	r.fun = f
	f.body = r.suite(root)
	return f
}

// suite reads a block of statements, however it is folded.
func (r *reader) suite(n *syntax.Node) (list []*stmt) {
	switch {
	case n == nil || n.Kind == syntax.KindToken:
		return nil
	case n.IsRule(syntax.RuleFileInput2), n.IsRule(syntax.RuleSuiteBlockStmts), n.IsRule(syntax.RuleSimpleStmt2):
		for _, s := range n.Sub {
			list = append(list, r.suite(s)...)
		}
		return list
	}
	return append(list, r.stmt(n))
}

// line is the place of the statement that begins on a line.
func (r *reader) linePlace(line uint32) place {
	p := place{int(line), 1}
	if p.line > 0 && p.line <= len(r.text) {
		for _, c := range []byte(r.text[p.line-1]) {
			if c != ' ' && c != '\t' {
				break
			}
			p.column++
		}
	}
	return p
}

// stmt reads a statement.
func (r *reader) stmt(n *syntax.Node) *stmt {
	s := &stmt{place: r.linePlace(n.Line)}
	switch n.Rule {
	case syntax.RuleExprStmt:
		r.exprStmt(s, n)
	case syntax.RuleImportName, syntax.RuleImportFrom:
		s.kind = stmtImport
		r.imports(s, n)
	case syntax.RuleFuncdef:
		s.kind, s.fun = stmtDef, r.funcdef(n)
	case syntax.RuleClassdef:
		s.kind = stmtClass
		s.fun = r.inside(&function{name: n.Sub[0].Name, place: s.place, class: true}, func(f *function) { f.body = r.suite(n.Sub[2]) })
		if n.Sub[1] != nil {
			for _, a := range r.args(n.Sub[1]) {
				s.extra = append(s.extra, a.value)
			}
		}
	case syntax.RuleDecorated:
		r.decorated(s, n)
	case syntax.RuleAsyncFuncdef, syntax.RuleAsyncStmt:
		return r.stmt(n.Sub[0])
	case syntax.RuleIfStmt:
		s.kind, s.value, s.body = stmtIf, r.expr(n.Sub[0]), r.suite(n.Sub[1])
		r.elifs(s, n.Sub[2].List(syntax.RuleIfStmtElifList), n.Sub[3])
	case syntax.RuleWhileStmt:
		s.kind, s.value, s.body, s.orelse = stmtWhile, r.expr(n.Sub[0]), r.suite(n.Sub[1]), r.suite(n.Sub[2])
	case syntax.RuleForStmt:
		s.kind, s.targets, s.value = stmtFor, []*expr{r.expr(n.Sub[0])}, r.expr(n.Sub[1])
		s.body, s.orelse = r.suite(n.Sub[2]), r.suite(n.Sub[3])
	case syntax.RuleTryStmt:
		s.kind, s.body = stmtTry, r.suite(n.Sub[0])
		r.handlers(s, n.Sub[1])
	case syntax.RuleWithStmt:
		s.kind, s.body = stmtWith, r.suite(n.Sub[1])
		for _, item := range n.Sub[0].List(syntax.RuleWithStmtList) {
			if item.IsRule(syntax.RuleWithItem) {
				s.extra = append(s.extra, r.expr(item.Sub[0]))
				s.targets = append(s.targets, r.expr(item.Sub[1]))
			} else {
				s.extra = append(s.extra, r.expr(item))
			}
		}
	default:
		r.simple(s, n)
	}
	return s
}

// simple reads the statements that are one keyword and what follows it.
func (r *reader) simple(s *stmt, n *syntax.Node) {
	value := func(i int) *expr {
		if i < len(n.Sub) {
			return r.expr(n.Sub[i])
		}
		return nil
	}
	switch n.Rule {
	case syntax.RuleReturnStmt:
		s.kind, s.value = stmtReturn, value(0)
	case syntax.RuleRaiseStmt:
		s.kind = stmtRaise
		if a := n.Sub[0]; a.IsRule(syntax.RuleRaiseStmtArg) {
			s.value, s.extra = r.expr(a.Sub[0]), []*expr{r.expr(a.Sub[1])}
		} else {
			s.value = r.expr(a)
		}
	case syntax.RuleBreakStmt:
		s.kind = stmtBreak
	case syntax.RuleContinueStmt:
		s.kind = stmtContinue
	case syntax.RuleDelStmt:
		s.kind = stmtDelete
		for _, d := range n.Sub[0].List(syntax.RuleExprlist) {
			s.targets = append(s.targets, r.expr(d))
		}
	case syntax.RuleGlobalStmt, syntax.RuleNonlocalStmt:
		s.kind = stmtScope
		for _, d := range n.Sub[0].List(syntax.RuleNameList) {
			s.names = append(s.names, d.Name)
		}
	case syntax.RuleAssertStmt:
		s.kind, s.value, s.extra = stmtAssert, value(0), []*expr{value(1)}
	case syntax.RulePassStmt:
		s.kind = stmtPass
	default: // yield, and an expression that stands alone
		s.kind, s.value = stmtExpr, r.expr(n)
	}
}

func (r *reader) exprStmt(s *stmt, n *syntax.Node) {
	left, right := n.Sub[0], n.Sub[1]
	switch {
	case right == nil:
		s.kind, s.value = stmtExpr, r.expr(left)
	case right.IsRule(syntax.RuleExprStmtAugassign):
		s.kind, s.targets, s.value = stmtAug, []*expr{r.expr(left)}, r.expr(right.Sub[1])
	case right.IsRule(syntax.RuleExprStmtAssignList):
		s.kind, s.targets = stmtAssign, []*expr{r.expr(left)}
		last := len(right.Sub) - 1
		for _, t := range right.Sub[:last] {
			s.targets = append(s.targets, r.expr(t))
		}
		s.value = r.expr(right.Sub[last])
	default:
		s.kind, s.targets, s.value = stmtAssign, []*expr{r.expr(left)}, r.expr(right)
	}
}

// elifs makes an if in the else branch of each elif.
func (r *reader) elifs(s *stmt, list []*syntax.Node, last *syntax.Node) {
	if len(list) == 0 {
		s.orelse = r.suite(last)
		return
	}
	n := list[0]
	next := &stmt{kind: stmtIf, place: r.linePlace(n.Line), value: r.expr(n.Sub[0]), body: r.suite(n.Sub[1])}
	r.elifs(next, list[1:], last)
	s.orelse = []*stmt{next}
}

func (r *reader) handlers(s *stmt, n *syntax.Node) {
	if n.IsRule(syntax.RuleTryStmtExceptAndMore) {
		s.orelse = r.suite(n.Sub[1])
		if n.Sub[2] != nil {
			s.final = r.suite(n.Sub[2].Sub[0])
		}
		n = n.Sub[0]
	}
	if n.IsRule(syntax.RuleTryStmtFinally) {
		s.final = r.suite(n.Sub[0])
		return
	}
	for _, e := range n.List(syntax.RuleTryStmtExceptList) {
		h := handler{place: r.linePlace(e.Line), body: r.suite(e.Sub[1])}
		if what := e.Sub[0]; what.IsRule(syntax.RuleTryStmtAsName) {
			h.types, h.as = r.expr(what.Sub[0]), what.Sub[1].Name
		} else if what != nil {
			h.types = r.expr(what)
		}
		s.handlers = append(s.handlers, h)
	}
}

// inside reads a function whose parent is the one that is being read.
func (r *reader) inside(f *function, read func(f *function)) *function {
	f.parent = r.fun
	r.fun = f
	read(f)
	r.fun = f.parent
	return f
}

func (r *reader) funcdef(n *syntax.Node) *function {
	f := &function{name: n.Sub[0].Name, place: r.linePlace(n.Line)}
	r.params(f, n.Sub[1].List(syntax.RuleTypedargslist))
	return r.inside(f, func(f *function) { f.body = r.suite(n.Sub[3]) })
}

// params reads parameters; their defaults belong to the scope around.
func (r *reader) params(f *function, list []*syntax.Node) {
	for _, p := range list {
		switch {
		case p.IsID():
			f.params = append(f.params, p.Name)
		case p != nil && len(p.Sub) > 0:
			name := p.Sub[0]
			if name != nil && name.Kind == syntax.KindRule && len(name.Sub) > 0 {
				name = name.Sub[0] // with a type
			}
			if name.IsID() {
				f.params = append(f.params, name.Name)
			}
			for _, d := range p.Sub[1:] {
				if d != nil {
					f.defaults = append(f.defaults, r.expr(d))
				}
			}
		}
	}
}

func (r *reader) decorated(s *stmt, n *syntax.Node) {
	place := s.place
	*s = *r.stmt(n.Sub[1])
	s.place = place
	for _, d := range n.Sub[0].List(syntax.RuleDecorators) {
		s.extra = append(s.extra, r.expr(d.Sub[0]))
		if d.Sub[1] != nil {
			s.extra = append(s.extra, r.expr(d.Sub[1]))
		}
	}
}

func (r *reader) imports(s *stmt, n *syntax.Node) {
	if n.Rule == syntax.RuleImportName {
		for _, m := range n.Sub[0].List(syntax.RuleDottedAsNames) {
			i := imported{place: s.place}
			if m.IsRule(syntax.RuleDottedAsName) {
				i.as = m.Sub[1].Name
				m = m.Sub[0]
			}
			i.module = dotted(m)
			if p, ok := r.at[m.List(syntax.RuleDottedName)[0]]; ok {
				i.place = p
			}
			if i.as == "" {
				i.as = m.List(syntax.RuleDottedName)[0].Name
				i.name = "" // import a.b binds a
			}
			s.imports = append(s.imports, i)
		}
		return
	}
	from := fromModule(n.Sub[0])
	if n.Sub[1].Kind == syntax.KindToken {
		s.imports = append(s.imports, imported{place: s.place, module: from, name: "*", as: "*"})
		return
	}
	for _, m := range n.Sub[1].List(syntax.RuleImportAsNames) {
		id := m
		as := ""
		if m.IsRule(syntax.RuleImportAsName) {
			id = m.Sub[0]
			if m.Sub[1] != nil {
				as = m.Sub[1].Name
			}
		}
		i := imported{place: s.place, module: from, name: id.Name, as: as}
		if i.as == "" {
			i.as = id.Name
		}
		if p, ok := r.at[id]; ok {
			i.place = p
		}
		s.imports = append(s.imports, i)
	}
}

// dotted is the text of a name with points.
func dotted(n *syntax.Node) (name string) {
	for i, part := range n.List(syntax.RuleDottedName) {
		if i > 0 {
			name += "."
		}
		name += part.Name
	}
	return name
}

// fromModule is what follows from; a relative import begins with a point.
func fromModule(n *syntax.Node) string {
	switch {
	case n.IsRule(syntax.RuleImportFrom2b):
		if n.Sub[1] != nil {
			return "." + dotted(n.Sub[1])
		}
		return "."
	case n.IsRule(syntax.RuleOneOrMorePeriodOrEllipsis), n.Kind == syntax.KindToken:
		return "."
	}
	return dotted(n)
}
