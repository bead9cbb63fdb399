package check

import (
	"fmt"
	"slices"
	"strings"

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
		"print", "str", "range", "check_msg", "ifconfig", "active", "status", "receive", "device_request_receive", "localtime", "min", "max", "abs", "append", "format", "hex",
	}
}

// calls lists the names of what is called in some statements and their blocks.
func calls(list []*stmt, condition *expr) (names []string) {
	note := func(e *expr) {
		if e.kind == kindCall {
			switch e.x.kind {
			case kindName, kindAttr:
				names = append(names, e.x.name)
			default:
				names = append(names, "?")
			}
		}
	}
	condition.walk(note)
	eachStmt(list, func(s *stmt) {
		for _, e := range s.exprs() {
			e.walk(note)
		}
	})
	return names
}

// busyLoop: a loop that waits for something and never lets go of the processor.
func busyLoop(r *run) {
	r.each(func(m *module, f *function) {
		eachStmt(f.body, func(s *stmt) {
			if s.kind != stmtWhile {
				return
			}
			names := calls(s.body, s.value)
			for _, n := range names {
				if !slices.Contains(polling(), n) {
					return // it may wait
				}
			}
			leaves, yields := false, false
			eachStmt(s.body, func(in *stmt) {
				leaves = leaves || in.kind == stmtBreak || in.kind == stmtReturn || in.kind == stmtRaise
				yields = yields || in.kind == stmtWith || in.value != nil && in.value.kind == kindOther || in.kind == stmtFor
			})
			waits := slices.ContainsFunc(names, func(n string) bool {
				return slices.Contains([]string{"isconnected", "ticks_ms", "ticks_us", "ticks_diff", "time", "atcmd", "value", "any", "check_msg", "status", "receive", "device_request_receive", "localtime"}, n)
			})
			if yields || !waits && (!s.isForever() || leaves) {
				return
			}
			r.at(m, s.place, "this loop goes round as fast as it can: what else the module does, Remote Manager first, gets no time, and the battery drains", "utime.sleep_ms(100) in it")
		})
	})
}

// reconnectLoop: a loop that connects again after each failure, at once.
func reconnectLoop(r *run) {
	r.each(func(m *module, f *function) {
		eachStmt(f.body, func(loop *stmt) {
			if !loop.isForever() {
				return
			}
			names := calls(loop.body, nil)
			if slices.ContainsFunc(names, func(n string) bool {
				return strings.HasPrefix(n, "sleep") || n == "select" || n == "poll" || n == "reset" || n == "wait"
			}) {
				return
			}
			eachStmt(loop.body, func(try *stmt) {
				if try.kind != stmtTry || !slices.ContainsFunc(calls(try.body, nil), connects) {
					return
				}
				for _, h := range try.handlers {
					if !leavesLoop(h.body) && !r.mayPause(m, h.body) {
						r.at(m, h.place, "a connection that fails is made again at once, for ever: it costs data and battery, and networks lock such modules out", "utime.sleep(pause) before the next try, with a pause that grows")
						return
					}
				}
			})
		})
	})
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

// mayPause reports whether a block calls something of the application that may sleep.
func (r *run) mayPause(m *module, list []*stmt) bool {
	for _, n := range calls(list, nil) {
		if !slices.Contains([]string{"print", "print_exception", "close", "disconnect", "collect", "format", "str", "repr"}, n) {
			return true
		}
	}
	return false
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
		return types.name == "OSError"
	case types.kind == kindTuple:
		return slices.ContainsFunc(types.sub, takesOSError)
	}
	return false
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
