package check

import (
	"fmt"
	"slices"

	"github.com/skep-sim/skep/internal/syntax"
)

// This file has the rules about loops, and about numbers of errors.

// isForever reports whether a loop has no condition to end.
func (s *stmt) isForever() bool { return s.kind == stmtWhile && s.value.isTrue() }

// polling are functions and methods that only look: a loop of them goes round as fast
// as it can.
func polling() []string {
	return []string{
		"isconnected", "ticks_ms", "ticks_us", "ticks_diff", "ticks_add", "ticks_cpu", "time", "atcmd", "value", "any", "mem_free", "mem_alloc", "collect", "len", "int",
		"print", "str", "range", "check_msg", "ifconfig", "active", "status", "receive", "device_request_receive", "sms_receive", "localtime", "min", "max", "abs", "append", "format", "hex",
	}
}

// busyLoop: a loop that waits for something and never lets go of the processor.
func busyLoop(r *run) {
	r.each(func(m *module, f *function) {
		eachStmt(f.body, func(s *stmt) {
			if s.kind != stmtWhile {
				return
			}
			names, only := r.polled(m, f, s)
			if !only {
				return // it may wait
			}
			leaves, yields := false, false
			eachStmt(s.body, func(in *stmt) {
				leaves = leaves || in.kind == stmtBreak || in.kind == stmtReturn || in.kind == stmtRaise
				yields = yields || in.kind == stmtWith || in.value != nil && in.value.kind == kindOther || in.kind == stmtFor
			})
			waits := slices.ContainsFunc(names, func(n string) bool {
				return slices.Contains([]string{"isconnected", "ticks_ms", "ticks_us", "ticks_diff", "time", "atcmd", "value", "any", "check_msg", "status", "receive", "device_request_receive", "sms_receive", "localtime"}, n)
			})
			if yields || !waits && (!s.isForever() || leaves) {
				return
			}
			r.at(m, s.place, "this loop goes round as fast as it can: what else the module does, Remote Manager first, gets no time, and the battery drains", "utime.sleep_ms(100) in it")
		})
	})
}

// polled lists the names of what a loop calls, in functions of the application, too. It
// reports whether all of it only looks.
func (r *run) polled(m *module, f *function, loop *stmt) (names []string, only bool) {
	only = true
	look := []*stmt{{kind: stmtExpr, value: loop.value}}
	r.eachCalled(m, f, append(look, loop.body...), func(m *module, f *function, call *expr) {
		to := r.called(m, f, call)
		if to.f == nil {
			names = append(names, calledName(call))
			only = only && slices.Contains(polling(), calledName(call))
			return
		}
		eachStmt(to.f.body, func(in *stmt) {
			if in.kind == stmtWith || in.kind == stmtFor || in.kind == stmtWhile || in.value != nil && in.value.kind == kindOther {
				only = false // it may take its time, or be a generator
			}
		})
	})
	return names, only
}

// reconnectLoop: a loop that connects again after each failure, at once.
func reconnectLoop(r *run) {
	r.each(func(m *module, f *function) {
		eachStmt(f.body, func(loop *stmt) {
			if loop.kind != stmtWhile || loop.isCounted() {
				return
			}
			eachStmt(loop.body, func(try *stmt) {
				if try.kind != stmtTry || r.pausesWithout(m, f, loop.body, try) {
					return
				}
				at := slices.IndexFunc(try.body, func(s *stmt) bool { return r.connectsIn(m, f, s) })
				if at < 0 || r.sleeps(m, f, try.body[:at]) || r.sleeps(m, f, try.final) {
					return
				}
				for _, h := range try.handlers {
					if !leavesLoop(h.body) && !r.mayPause(m, f, h.body) {
						r.at(m, h.place, "a connection that fails is made again at once, for ever: it costs data and battery, and networks lock such modules out", "utime.sleep(pause) before the next try, with a pause that grows")
						return
					}
				}
			})
		})
	})
}

// isCounted reports whether a loop's condition is about a number, or about a name that
// the loop counts: it ends some time.
func (s *stmt) isCounted() bool {
	counted := false
	s.value.walk(func(e *expr) {
		counted = counted || e.kind == kindNumber && e != s.value
		if e.kind == kindName {
			eachStmt(s.body, func(in *stmt) {
				counted = counted || in.kind == stmtAug && in.targets[0].kind == kindName && in.targets[0].name == e.name
			})
		}
	})
	return counted
}

// pausesWithout reports whether a loop's body waits in a place that it comes to after a
// failure, too: outside of a try statement.
func (r *run) pausesWithout(m *module, f *function, body []*stmt, try *stmt) bool {
	for _, s := range body {
		if s == try {
			continue
		}
		inside := false
		eachStmt([]*stmt{s}, func(in *stmt) { inside = inside || in == try })
		if !inside {
			if r.sleeps(m, f, []*stmt{s}) {
				return true
			}
			continue
		}
		own := *s
		own.body, own.orelse, own.final, own.handlers = nil, nil, nil, nil
		if r.sleeps(m, f, []*stmt{&own}) {
			return true
		}
		for _, b := range s.blocks() {
			if r.pausesWithout(m, f, b, try) {
				return true
			}
		}
	}
	return false
}

// connectsIn reports whether a statement connects, in a function of the application
// perhaps.
func (r *run) connectsIn(m *module, f *function, s *stmt) bool {
	found := false
	r.eachCalled(m, f, []*stmt{s}, func(_ *module, _ *function, call *expr) { found = found || connects(calledName(call)) })
	return found
}

func connects(name string) bool {
	return name == "connect" || name == "reconnect" || name == "wrap_socket"
}

// leavesLoop reports whether a block ends the loop around it.
func leavesLoop(list []*stmt) bool {
	return slices.ContainsFunc(list, func(s *stmt) bool {
		return s.kind == stmtBreak || s.kind == stmtReturn || s.kind == stmtRaise
	})
}

// mayPause reports whether a block waits, or calls something unknown that may.
func (r *run) mayPause(m *module, f *function, list []*stmt) bool {
	found := false
	r.eachCalled(m, f, list, func(m *module, f *function, call *expr) {
		known := []string{"print", "print_exception", "close", "disconnect", "collect", "format", "str", "repr", "append", "len", "ticks_ms"}
		found = found || r.called(m, f, call).f == nil && !slices.Contains(known, calledName(call))
	})
	return found
}

// errnos are the numbers that other systems have. Source: device-facts.md 9.
func errnos() map[int64]string {
	return map[int64]string{
		1: "EPERM", 2: "ENOENT", 5: "EIO", 6: "ENXIO", 9: "EBADF", 11: "EAGAIN", 16: "EBUSY", 17: "EEXIST", 19: "ENODEV", 21: "EISDIR", 22: "EINVAL", 23: "ENFILE", 27: "EFBIG", 28: "ENOSPC",
		90: "EMSGSIZE", 92: "ENOPROTOOPT", 104: "ECONNRESET", 105: "ENOBUFS", 106: "EISCONN", 107: "ENOTCONN", 110: "ETIMEDOUT", 111: "ECONNREFUSED", 113: "EHOSTUNREACH", 114: "EALREADY", 115: "EINPROGRESS",
		10035: "EAGAIN", 10054: "ECONNRESET", 10060: "ETIMEDOUT", 10061: "ECONNREFUSED",
	}
}

func errnoNumber(r *run) {
	r.each(func(m *module, f *function) {
		eachStmt(f.body, func(s *stmt) {
			for _, h := range s.handlers {
				if h.as == "" || !takesOSError(h.types) {
					continue
				}
				aliases := map[string]bool{}
				eachStmt(h.body, func(in *stmt) {
					if in.kind == stmtAssign && len(in.targets) == 1 && in.targets[0].kind == kindName && numberOf(in.value, h.as, nil) {
						aliases[in.targets[0].name] = true
					}
					if in.kind == stmtAssign && len(in.targets) == 1 && in.targets[0].kind == kindTuple && len(in.targets[0].sub) > 0 && isArgs(in.value, h.as) {
						aliases[in.targets[0].sub[0].name] = true // code, = e.args
					}
					for _, e := range in.exprs() {
						e.walk(func(e *expr) { r.errnoIn(m, f, e, h.as, aliases) })
					}
				})
			}
		})
	})
}

// takesOSError reports whether an except clause names OSError, and nothing else that
// could have numbers of its own.
func takesOSError(types *expr) bool {
	switch {
	case types == nil:
		return false
	case types.kind == kindName:
		return types.name == "OSError" || types.name == "Exception"
	case types.kind == kindTuple:
		return slices.ContainsFunc(types.sub, takesOSError)
	}
	return false
}

// isArgs reports whether an expression is e.args.
func isArgs(e *expr, name string) bool {
	return e != nil && e.kind == kindAttr && e.name == "args" && e.x.kind == kindName && e.x.name == name
}

// numberOf reports whether an expression is the number of an error: e.args[0].
func numberOf(e *expr, name string, aliases map[string]bool) bool {
	switch {
	case e == nil:
		return false
	case e.kind == kindName:
		return aliases[e.name]
	case e.kind == kindIndex && e.x.kind == kindAttr:
		return e.x.name == "args" && e.x.x.kind == kindName && e.x.x.name == name
	case e.kind == kindAttr:
		return e.name == "errno" && e.x.kind == kindName && e.x.name == name
	}
	return false
}

func (r *run) errnoIn(m *module, f *function, e *expr, name string, aliases map[string]bool) {
	if e.kind == kindAttr && e.name == "errno" && e.x.kind == kindName && e.x.name == name {
		r.at(m, e.place, "AttributeError: an OSError has no attribute errno here", name+".args[0]")
	}
	if e.kind != kindCompare || len(e.sub) < 2 || !isOperator(e.ops[0], syntax.TokOpDblEqual, syntax.TokOpNotEqual, syntax.TokKwIn, syntax.TokKwIs) {
		return
	}
	for i, side := range e.sub[:2] {
		if !numberOf(side, name, aliases) {
			continue
		}
		other := e.sub[1-i]
		values := []*expr{other}
		if other.kind == kindTuple || other.kind == kindList {
			values = other.sub
		}
		for _, v := range values {
			if n, ok := m.number(v, f); ok && errnos()[n] != "" {
				p := v.place
				if p.line == 0 {
					p = side.place
				}
				r.at(m, p, fmt.Sprintf("this is never so: the number of %s is %d on the module, not %d", errnos()[n], errnoOf(errnos()[n]), n), "uerrno."+errnos()[n])
			}
		}
	}
}

// errnoOf is the module's number of an error.
func errnoOf(name string) int64 {
	for n, other := range errnos() {
		if other == name && n < 1000 {
			return 7000 + n
		}
	}
	return 0
}
