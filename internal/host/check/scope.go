package check

import (
	"slices"
	"strings"

	"github.com/skep-sim/skep/internal/syntax"
)

// binding is one place at which a name gets a value.
type binding struct {
	place place
	// module and attr are what an import statement binds; attr is "" for the module.
	module, attr string
	// value is what is assigned; nil if that can't be said.
	value *expr
	fun   *function // a def or a class
}

// scope is what a function binds.
type scope struct {
	names   map[string][]binding
	globals map[string]bool // global and nonlocal names: bound elsewhere
	star    bool            // from x import *
}

// module is one source file.
type module struct {
	file  string // as it is shown
	path  string // below /flash, with .py
	name  string // as it is imported; "main" for the program
	lines []string
	root  *function
	all   []*function // the root first
	// ours: the application's own, so that findings in it are shown.
	ours bool
	// canonical maps the short name of a module of the firmware to its own: json to
	// ujson.
	canonical func(string) string
	// class attributes: self.NAME of a class, by class function
	attrs map[*function]map[string][]*expr
	// within is the function in which such a value stands.
	within map[*expr]*function
	// other finds another module of the application by the name it is imported by; nil
	// if there is none.
	other func(string) *module
}

// bind builds the scopes of all functions of a module.
func (m *module) bind() {
	m.attrs, m.within = map[*function]map[string][]*expr{}, map[*expr]*function{}
	m.scopeOf(m.root)
}

func (m *module) scopeOf(f *function) {
	f.scope = &scope{names: map[string][]binding{}, globals: map[string]bool{}}
	m.all = append(m.all, f)
	for _, p := range f.params {
		f.scope.add(p, binding{place: f.place})
	}
	eachStmt(f.body, func(s *stmt) {
		for _, n := range s.names {
			f.scope.globals[n] = true
		}
	})
	eachStmt(f.body, func(s *stmt) { m.bindStmt(f, s) })
	inner := func(e *expr) {
		if e.fun != nil {
			m.scopeOf(e.fun)
		}
	}
	eachStmt(f.body, func(s *stmt) {
		if s.fun != nil {
			m.scopeOf(s.fun)
			for _, d := range s.fun.defaults {
				d.walk(inner)
			}
		}
		for _, e := range s.exprs() {
			e.walk(inner)
		}
	})
	if f.value != nil {
		f.value.walk(inner)
	}
}

func (sc *scope) add(name string, b binding) { sc.names[name] = append(sc.names[name], b) }

// bindStmt adds what a statement binds in a function.
func (m *module) bindStmt(f *function, s *stmt) {
	sc := f.scope
	put := func(name string, b binding) {
		if sc.globals[name] {
			m.root.scope.add(name, b)
			return
		}
		sc.add(name, b)
	}
	switch s.kind {
	case stmtImport:
		for _, i := range s.imports {
			switch {
			case i.name == "*":
				sc.star = true
			case i.name == "" && i.as != i.module && strings.Contains(i.module, ".") && strings.HasPrefix(i.module, i.as+"."):
				put(i.as, binding{place: i.place, module: i.as})
			default:
				put(i.as, binding{place: i.place, module: i.module, attr: i.name})
			}
		}
	case stmtDef, stmtClass:
		put(s.fun.name, binding{place: s.place, fun: s.fun})
	case stmtAssign:
		for _, t := range s.targets {
			m.bindTarget(f, t, s.value, put)
		}
	case stmtAug, stmtFor, stmtWith, stmtDelete:
		for i, t := range s.targets {
			var value *expr
			if s.kind == stmtWith && len(s.extra) == len(s.targets) {
				value = s.extra[i]
			}
			m.bindTarget(f, t, value, put)
		}
	case stmtTry:
		for _, h := range s.handlers {
			if h.as != "" {
				put(h.as, binding{place: h.place})
			}
		}
	}
}

func (m *module) bindTarget(f *function, t, value *expr, put func(string, binding)) {
	if t == nil {
		return
	}
	switch t.kind {
	case kindName:
		put(t.name, binding{place: t.place, value: value})
	case kindTuple, kindList, kindStar:
		for i, s := range t.sub {
			var v *expr
			if value != nil && value.kind == kindTuple && len(value.sub) == len(t.sub) {
				v = value.sub[i]
			}
			m.bindTarget(f, s, v, put)
		}
	case kindAttr:
		if t.x.kind == kindName && len(f.params) > 0 && t.x.name == f.params[0] && f.parent != nil && f.parent.class {
			c := f.parent
			if m.attrs[c] == nil {
				m.attrs[c] = map[string][]*expr{}
			}
			m.attrs[c][t.name] = append(m.attrs[c][t.name], value)
			m.within[value] = f
		}
	}
}

// find returns what binds a name that is used in a function, nil if nothing does.
func (m *module) find(name string, f *function) []binding {
	for at := f; at != nil; at = at.parent {
		if at.class && at != f {
			continue // a class's names are not seen in its methods
		}
		if at.scope.globals[name] {
			continue
		}
		if b := at.scope.names[name]; b != nil {
			return b
		}
	}
	return m.root.scope.names[name]
}

// qualify is the full name of what an expression names, if it is something of a
// module that is imported: usocket.socket; "" if not.
func (m *module) qualify(e *expr, f *function) string { return m.qualified(e, f, 8) }

func (m *module) qualified(e *expr, f *function, depth int) string {
	if e == nil || depth == 0 {
		return ""
	}
	switch e.kind {
	case kindName:
		bs := m.find(e.name, f)
		if len(bs) == 0 {
			return ""
		}
		name := ""
		for _, b := range bs {
			q := ""
			switch {
			case b.module != "" && b.attr == "":
				q = m.canonical(b.module)
			case b.module != "":
				q = m.canonical(b.module) + "." + b.attr
			case b.value != nil:
				if b.value.isNone() {
					continue
				}
				q = m.qualified(b.value, f, depth-1)
			}
			if q == "" || name != "" && q != name {
				return ""
			}
			name = q
		}
		return name
	case kindAttr:
		if q := m.qualified(e.x, f, depth-1); q != "" {
			return q + "." + e.name
		}
	}
	return ""
}

func (e *expr) isNone() bool { return e != nil && e.kind == kindToken && e.op == syntax.TokKwNone }

func (e *expr) isTrue() bool {
	return e != nil && (e.kind == kindToken && e.op == syntax.TokKwTrue || e.kind == kindNumber && e.num != 0)
}

// instanceOf is the full name of the callable whose result an expression is, if all
// that could give it a value agree: usocket.socket for s after s = socket().
func (m *module) instanceOf(e *expr, f *function) string { return m.instance(e, f, 6) }

// builtinTypes are those whose calls make what they are called.
func builtinTypes() []string { return []string{"str", "bytes", "bytearray", "list", "dict"} }

func (m *module) instance(e *expr, f *function, depth int) string {
	if e == nil || depth == 0 {
		return ""
	}
	values := []*expr{}
	switch e.kind {
	case kindCall:
		if e.x.kind == kindName && slices.Contains(builtinTypes(), e.x.name) && m.find(e.x.name, f) == nil {
			return "builtins." + e.x.name
		}
		return m.qualify(e.x, f)
	case kindString:
		return "builtins.str"
	case kindBytes:
		return "builtins.bytes"
	case kindList:
		return "builtins.list"
	case kindDict:
		return "builtins.dict"
	case kindName:
		for _, b := range m.find(e.name, f) {
			if b.value == nil {
				return ""
			}
			values = append(values, b.value)
		}
	case kindAttr:
		if e.x.kind != kindName || len(f.params) == 0 || e.x.name != f.params[0] || f.parent == nil || !f.parent.class {
			return ""
		}
		values = m.attrs[f.parent][e.name]
	}
	name := ""
	for _, v := range values {
		if v == nil {
			return ""
		}
		if v.isNone() {
			continue
		}
		q := m.instance(v, f, depth-1)
		if q == "" || name != "" && q != name {
			return ""
		}
		name = q
	}
	return name
}

// key is the text of a name or of an attribute of one: s, self.sock; "" for others.
func (e *expr) key() string {
	switch {
	case e == nil:
	case e.kind == kindName:
		return e.name
	case e.kind == kindAttr:
		if k := e.x.key(); k != "" {
			return k + "." + e.name
		}
	}
	return ""
}

// eachStmt calls do for statements and those in their blocks, not for those of
// functions in them.
func eachStmt(list []*stmt, do func(s *stmt)) {
	for _, s := range list {
		do(s)
		for _, b := range s.blocks() {
			eachStmt(b, do)
		}
	}
}

// blocks are the blocks of a statement, in the order of the text.
func (s *stmt) blocks() [][]*stmt {
	all := [][]*stmt{s.body}
	for _, h := range s.handlers {
		all = append(all, h.body)
	}
	return append(all, s.orelse, s.final)
}

// exprs are the expressions of a statement itself.
func (s *stmt) exprs() (list []*expr) {
	for _, e := range s.targets {
		if e != nil {
			list = append(list, e)
		}
	}
	if s.value != nil {
		list = append(list, s.value)
	}
	for _, e := range s.extra {
		if e != nil {
			list = append(list, e)
		}
	}
	for _, h := range s.handlers {
		if h.types != nil {
			list = append(list, h.types)
		}
	}
	if s.kind == stmtDef {
		list = append(list, s.fun.defaults...)
	}
	return list
}

// walk calls do for an expression and its parts, not for those of lambdas and
// comprehensions.
func (e *expr) walk(do func(e *expr)) {
	if e == nil {
		return
	}
	do(e)
	e.x.walk(do)
	for _, a := range e.args {
		a.value.walk(do)
	}
	for _, s := range e.sub {
		s.walk(do)
	}
}

// eachExpr calls do for every expression of a function, with its statement.
func (f *function) eachExpr(do func(s *stmt, e *expr)) {
	eachStmt(f.body, func(s *stmt) {
		for _, e := range s.exprs() {
			e.walk(func(e *expr) { do(s, e) })
		}
	})
	if f.value != nil {
		s := &stmt{kind: stmtExpr, place: f.place, value: f.value}
		f.value.walk(func(e *expr) { do(s, e) })
	}
}

// argument is the value of a call's argument, by position or by name.
func (e *expr) argument(position int, name string) *expr {
	for i, a := range e.args {
		if a.star == 0 && (a.name == name && name != "" || a.name == "" && i == position) {
			return a.value
		}
	}
	return nil
}

// starred reports whether a call has *args or **args, so that not all of its arguments
// can be seen.
func (e *expr) starred() bool {
	for _, a := range e.args {
		if a.star != 0 {
			return true
		}
	}
	return false
}
