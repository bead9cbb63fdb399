package check

import (
	"slices"
	"strings"
)

// This file follows calls to the functions of the application.

// callee is a function of the application with its module; f is nil if there is none.
type callee struct {
	m *module
	f *function
}

// called is the function of the application that a call leads to: one of the same
// module, of another, or a method of self.
func (r *run) called(m *module, f *function, call *expr) callee {
	switch x := call.x; x.kind {
	case kindName:
		return r.defined(m, m.find(x.name, f))
	case kindAttr:
		if c := m.classOf(x.x, f); c != nil {
			return r.defined(m, c.scope.names[x.name])
		}
		if other := r.byName[m.qualify(x.x, f)]; other != nil {
			return r.defined(other, other.root.scope.names[x.name])
		}
	}
	return callee{}
}

// defined is the function that a name with one binding is.
func (r *run) defined(m *module, bs []binding) callee {
	if len(bs) != 1 {
		return callee{}
	}
	b := bs[0]
	if b.fun != nil && !b.fun.class {
		return callee{m, b.fun}
	}
	if other := r.byName[b.module]; other != nil && b.attr != "" {
		if bs := other.root.scope.names[b.attr]; len(bs) == 1 && bs[0].fun != nil && !bs[0].fun.class {
			return callee{other, bs[0].fun}
		}
	}
	return callee{}
}

// eachCalled calls do for the calls in some statements, and for those in the functions
// of the application that they lead to. Each function is entered once.
func (r *run) eachCalled(m *module, f *function, list []*stmt, do func(m *module, f *function, call *expr)) {
	r.follow(m, f, list, map[*function]bool{}, do)
}

func (r *run) follow(m *module, f *function, list []*stmt, seen map[*function]bool, do func(m *module, f *function, call *expr)) {
	eachStmt(list, func(s *stmt) {
		for _, e := range s.exprs() {
			e.walk(func(e *expr) {
				if e.kind != kindCall {
					return
				}
				do(m, f, e)
				if to := r.called(m, f, e); to.f != nil && !seen[to.f] {
					seen[to.f] = true
					r.follow(to.m, to.f, to.f.body, seen, do)
				}
			})
		}
	})
}

// calledName is the last part of the name of what is called; "?" if it has none.
func calledName(call *expr) string {
	if call.x.kind == kindName || call.x.kind == kindAttr {
		return call.x.name
	}
	return "?"
}

// pauses reports whether a name is one of a call that waits.
func pauses(name string) bool {
	return strings.HasPrefix(name, "sleep") || slices.Contains([]string{"select", "poll", "ipoll", "reset", "wait"}, name)
}

// sleeps reports whether some statements, or what they call, wait.
func (r *run) sleeps(m *module, f *function, list []*stmt) bool {
	found := false
	r.eachCalled(m, f, list, func(_ *module, _ *function, call *expr) { found = found || pauses(calledName(call)) })
	return found
}
