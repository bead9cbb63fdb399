package check

import (
	"strings"

	"github.com/skep-sim/skep/internal/syntax"
)

// This file finds out what an expression is worth where that can be seen: constants,
// and names and attributes that get one value in all of the application.

// steps is how many names, operators and calls are followed to a value.
const steps = 8

// value is an expression with the place where its names have their meaning.
type value struct {
	e *expr
	m *module
	f *function
}

// valueOf is the one expression that a name, or an attribute of self, of a class or of
// another module of the application, is given; e is nil if there is none or several.
func (m *module) valueOf(e *expr, f *function) value {
	switch e.kind {
	case kindName:
		return m.bound(m.find(e.name, f), f)
	case kindAttr:
		if c := m.classOf(e.x, f); c != nil {
			return m.classAttr(c, e.name)
		}
		if m.other == nil {
			return value{}
		}
		if other := m.other(m.qualify(e.x, f)); other != nil && other != m {
			return other.bound(other.root.scope.names[e.name], other.root)
		}
	}
	return value{}
}

// bound is the value of a name with one binding.
func (m *module) bound(bs []binding, f *function) value {
	if len(bs) != 1 {
		return value{}
	}
	b := bs[0]
	switch {
	case b.value != nil:
		return value{b.value, m, f}
	case b.attr != "" && m.other != nil:
		if other := m.other(b.module); other != nil && other != m {
			return other.bound(other.root.scope.names[b.attr], other.root)
		}
	}
	return value{}
}

// classOf is the class that an expression names, by its name or as self.
func (m *module) classOf(e *expr, f *function) *function {
	if e.kind != kindName {
		return nil
	}
	if len(f.params) > 0 && e.name == f.params[0] && f.parent != nil && f.parent.class {
		return f.parent
	}
	if bs := m.find(e.name, f); len(bs) == 1 && bs[0].fun != nil && bs[0].fun.class {
		return bs[0].fun
	}
	return nil
}

// classAttr is the value of a class's attribute, be it given in the class or to self.
func (m *module) classAttr(c *function, name string) value {
	own, selves := c.scope.names[name], m.attrs[c][name]
	switch {
	case len(own) == 1 && len(selves) == 0 && own[0].value != nil:
		return value{own[0].value, m, c}
	case len(own) == 0 && len(selves) == 1 && selves[0] != nil:
		return value{selves[0], m, m.within[selves[0]]}
	}
	return value{}
}

// text is the constant string that an expression is, as far as that can be seen:
// literals, names that are assigned once, +, %, format and join.
func (m *module) text(e *expr, f *function) (string, bool) { return m.textAt(e, f, steps) }

func (m *module) textAt(e *expr, f *function, depth int) (string, bool) {
	if e == nil || depth == 0 {
		return "", false
	}
	switch e.kind {
	case kindString, kindBytes:
		return e.name, true
	case kindName, kindAttr:
		if v := m.valueOf(e, f); v.e != nil {
			return v.m.textAt(v.e, v.f, depth-1)
		}
	case kindBinary:
		return m.joined(e, f, depth)
	case kindCall:
		if e.x.kind == kindAttr {
			if s, ok := m.textAt(e.x.x, f, depth-1); ok {
				return m.method(s, e, f, depth)
			}
		}
	}
	return "", false
}

// method is what a method of a constant string returns: format or join.
func (m *module) method(s string, call *expr, f *function, depth int) (string, bool) {
	switch {
	case call.starred():
	case call.x.name == "format":
		return m.format(s, call, f, depth)
	case call.x.name == "join" && len(call.args) == 1 && (call.args[0].value.kind == kindTuple || call.args[0].value.kind == kindList):
		var parts []string
		for _, p := range call.args[0].value.sub {
			t, ok := m.textAt(p, f, depth-1)
			if !ok {
				return "", false
			}
			parts = append(parts, t)
		}
		return strings.Join(parts, s), true
	}
	return "", false
}

// format fills in {}, {0} and {name}, without anything else between the braces.
func (m *module) format(s string, call *expr, f *function, depth int) (string, bool) {
	var out strings.Builder
	for next := 0; ; {
		before, rest, ok := strings.Cut(s, "{")
		out.WriteString(before)
		if !ok {
			return out.String(), true
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return "", false
		}
		position := -1
		if name == "" {
			position = next
			next++
		} else if len(name) == 1 && name[0] >= '0' && name[0] <= '9' {
			position, name = int(name[0]-'0'), ""
		}
		t, ok := m.textAt(call.argument(position, name), f, depth-1)
		if !ok {
			return "", false
		}
		out.WriteString(t)
		s = after
	}
}

// joined is a sum or a % of constant strings.
func (m *module) joined(e *expr, f *function, depth int) (string, bool) {
	if len(e.ops) != len(e.sub)-1 {
		return "", false
	}
	s, ok := m.textAt(e.sub[0], f, depth-1)
	for i, op := range e.ops {
		if !ok {
			return "", false
		}
		switch right := e.sub[i+1]; op {
		case syntax.TokOpPlus:
			var t string
			t, ok = m.textAt(right, f, depth-1)
			s += t
		case syntax.TokOpPercent:
			values := []*expr{right}
			if right.kind == kindTuple {
				values = right.sub
			}
			s, ok = m.fill(s, values, f, depth)
		default:
			return "", false
		}
	}
	return s, ok
}

// fill puts constant strings where %s stands.
func (m *module) fill(s string, values []*expr, f *function, depth int) (string, bool) {
	if strings.Count(s, "%s") != len(values) {
		return "", false
	}
	for _, v := range values {
		t, ok := m.textAt(v, f, depth-1)
		if !ok {
			return "", false
		}
		s = strings.Replace(s, "%s", t, 1)
	}
	return s, true
}

// template is the constant string that an expression fills in, if it does: the left
// side of a %, or what format is called of.
func (m *module) template(e *expr, f *function) (string, bool) {
	switch {
	case e == nil:
	case e.kind == kindBinary && len(e.ops) == 1 && e.ops[0] == syntax.TokOpPercent:
		return m.text(e.sub[0], f)
	case e.kind == kindCall && e.x.kind == kindAttr && e.x.name == "format":
		return m.text(e.x.x, f)
	}
	return "", false
}

// number is the constant whole number that an expression is.
func (m *module) number(e *expr, f *function) (int64, bool) { return m.numberAt(e, f, steps) }

func (m *module) numberAt(e *expr, f *function, depth int) (int64, bool) {
	switch {
	case e == nil || depth == 0:
	case e.kind == kindNumber:
		return e.num, true
	case e.kind == kindCall && len(e.args) == 1 && m.qualify(e.x, f) == "micropython.const":
		return m.numberAt(e.args[0].value, f, depth-1)
	case e.kind == kindName || e.kind == kindAttr:
		if v := m.valueOf(e, f); v.e != nil {
			return v.m.numberAt(v.e, v.f, depth-1)
		}
	}
	return 0, false
}

// dictOf is the dictionary that an expression is or names: {...} or dict(...), and the
// place where its names have their meaning.
func (m *module) dictOf(e *expr, f *function) value {
	for v, depth := (value{e, m, f}), steps; v.e != nil && depth > 0; depth-- {
		switch {
		case v.e.kind == kindDict:
			return v
		case v.e.kind == kindCall && v.e.x.kind == kindName && v.e.x.name == "dict" && v.m.find("dict", v.f) == nil:
			for _, a := range v.e.args {
				if a.name == "" {
					return value{}
				}
			}
			return v
		case v.e.kind != kindName && v.e.kind != kindAttr:
			return value{}
		}
		v = v.m.valueOf(v.e, v.f)
	}
	return value{}
}

// eachKey calls do for the constant keys of a dictionary that an expression is, and of
// those that are put into it by its name. It reports whether all keys are among them.
func (m *module) eachKey(e *expr, f *function, do func(p place, name string)) bool {
	d := m.dictOf(e, f)
	if d.e == nil {
		return false
	}
	all := true
	for i := 0; i+1 < len(d.e.sub); i += 2 {
		if k := d.e.sub[i]; k != nil && k.kind == kindString {
			do(k.place, k.name)
		} else {
			all = false
		}
	}
	for _, a := range d.e.args {
		do(a.value.place, a.name)
	}
	if e.kind != kindName {
		return all
	}
	for _, in := range []*function{f, m.root} {
		eachStmt(in.body, func(s *stmt) {
			for _, t := range s.targets {
				if t != nil && t.kind == kindIndex && t.x.kind == kindName && t.x.name == e.name && t.sub[0] != nil {
					if k := t.sub[0]; k.kind == kindString {
						do(k.place, k.name)
					} else {
						all = false
					}
				}
			}
		})
		if in == m.root || m.root.scope == nil || f.scope.names[e.name] != nil {
			break
		}
	}
	return all
}
