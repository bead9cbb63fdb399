package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/skep-sim/skep/internal/syntax"
	"github.com/skep-sim/skep/upython"
)

// This file has the rules about sockets and wrap_socket. It follows each socket by the
// name it has through a function, statement by statement, and forgets what differs
// between branches.

func shipped() []string { return upython.Modules() }

const (
	socketCall = "usocket.socket"
	wrapCall   = "ussl.wrap_socket"
)

// sockState is what is known of a socket; a nil pointer is nothing.
type sockState struct {
	plain     bool // made without IPPROTO_SEC
	connected bool
}

// socks are the sockets of a function by their names.
type socks map[string]sockState

func (k socks) clone() socks {
	c := socks{}
	for name, s := range k {
		c[name] = s
	}
	return c
}

// merge keeps what holds after either of two branches.
func (k socks) merge(other socks) socks {
	m := socks{}
	for name, s := range k {
		if t, ok := other[name]; ok && s == t {
			m[name] = s
		}
	}
	return m
}

// agree keeps those of which another way says the same sort; that it has not come to
// connect() there does not matter, since it has where nothing failed.
func (k socks) agree(other socks) {
	for name, s := range k {
		if t, ok := other[name]; !ok || s.plain != t.plain {
			delete(k, name)
		}
	}
}

// wrapping is one call of wrap_socket with what is known of its socket.
type wrapping struct {
	m     *module
	f     *function
	call  *expr
	state *sockState
}

// eachWrap calls do for each call of wrap_socket.
func (r *run) eachWrap(do func(w wrapping)) {
	r.each(func(m *module, f *function) {
		fl := &follower{r: r, m: m, f: f, do: do}
		fl.block(f.body, socks{})
	})
}

// follower follows the sockets of one function.
type follower struct {
	r  *run
	m  *module
	f  *function
	do func(w wrapping)
}

// block follows a block of statements. It reports whether the end of it can be reached.
func (fl *follower) block(list []*stmt, at socks) (socks, bool) {
	for _, s := range list {
		for _, e := range s.exprs() {
			e.walk(func(e *expr) {
				if e.kind == kindCall {
					fl.call(e, at)
				}
			})
		}
		fl.assign(s, at)
		switch s.kind {
		case stmtReturn, stmtRaise, stmtBreak, stmtContinue:
			return at, false
		case stmtIf:
			a, aEnds := fl.block(s.body, at.clone())
			b, bEnds := fl.block(s.orelse, at.clone())
			switch {
			case aEnds && bEnds:
				at = a.merge(b)
			case aEnds:
				at = a
			case bEnds:
				at = b
			default:
				return at, false
			}
		case stmtTry:
			var ways []socks // to behind it, that without an exception first
			body, ends := fl.block(s.body, at.clone())
			if ends {
				body, ends = fl.block(s.orelse, body)
			}
			if ends {
				ways = append(ways, body)
			}
			for _, h := range s.handlers {
				if after, ok := fl.block(h.body, at.clone()); ok {
					ways = append(ways, after)
				}
			}
			if len(ways) == 0 {
				fl.block(s.final, at)
				return at, false
			}
			for _, other := range ways[1:] {
				ways[0].agree(other)
			}
			if at, ends = fl.block(s.final, ways[0]); !ends {
				return at, false
			}
		case stmtWhile, stmtFor, stmtWith:
			body, _ := fl.block(s.body, at.clone())
			if s.kind == stmtWith {
				at = body
			} else {
				at = at.merge(body)
			}
			at, _ = fl.block(s.orelse, at)
		}
	}
	return at, true
}

// call notes what a call does to a socket.
func (fl *follower) call(e *expr, at socks) {
	if fl.m.qualify(e.x, fl.f) == wrapCall {
		w := wrapping{m: fl.m, f: fl.f, call: e}
		if sock := e.argument(0, "sock"); sock != nil {
			if s, ok := at[sock.key()]; ok && sock.key() != "" {
				w.state = &s
			} else if s, ok := fl.made(sock); ok {
				w.state = &s
			}
		}
		fl.do(w)
		return
	}
	if e.x.kind == kindAttr && e.x.name == "connect" {
		if k := e.x.x.key(); k != "" {
			s := at[k]
			s.connected = true
			at[k] = s
		}
	}
}

// made is the state of a socket that an expression makes.
func (fl *follower) made(e *expr) (sockState, bool) {
	if e == nil || e.kind != kindCall || fl.m.qualify(e.x, fl.f) != socketCall || e.starred() {
		return sockState{}, false
	}
	proto := e.argument(2, "proto")
	if proto == nil {
		return sockState{plain: true}, true
	}
	switch q := fl.m.qualify(proto, fl.f); {
	case q == "usocket.IPPROTO_SEC":
		return sockState{}, true
	case q == "usocket.IPPROTO_TCP", q == "usocket.IPPROTO_UDP", q == "usocket.IPPROTO_IP":
		return sockState{plain: true}, true
	}
	if n, ok := fl.m.number(proto, fl.f); ok && (n == 0 || n == 6 || n == 17) {
		return sockState{plain: true}, true
	}
	return sockState{}, false
}

func (fl *follower) assign(s *stmt, at socks) {
	if s.kind != stmtAssign {
		return
	}
	state, ok := fl.made(s.value)
	for _, t := range s.targets {
		k := t.key()
		if k == "" {
			continue
		}
		delete(at, k)
		if ok {
			at[k] = state
		} else if other, known := at[s.value.key()]; known {
			at[k] = other
		}
	}
}

func wrapNotSecure(r *run) {
	r.eachWrap(func(w wrapping) {
		if w.state != nil && w.state.plain {
			r.at(w.m, w.call.place, "TypeError: must use IPPROTO_SEC: this socket was made for plain TCP",
				"usocket.socket(usocket.AF_INET, usocket.SOCK_STREAM, usocket.IPPROTO_SEC)")
		}
	})
}

func wrapAfterConnect(r *run) {
	r.eachWrap(func(w wrapping) {
		if w.state != nil && w.state.connected {
			r.at(w.m, w.call.place, "the socket is connected already: the modem does the handshake in connect(), and wrap_socket() must have told it the certificates before",
				"wrap_socket() first, then connect() on what it returns")
		}
	})
}

// wrapNames are the arguments of wrap_socket. Source: device-facts.md 6.1.
func wrapNames() []string {
	return []string{"keyfile", "certfile", "ca_certs", "server_side", "server_hostname"}
}

// insteadOfKeyword says what other systems' arguments are here.
func insteadOfKeyword(name string) string {
	return map[string]string{
		"key": `keyfile="/flash/cert/aws.key", the path of a file`, "cert": `certfile="/flash/cert/aws.crt", the path of a file`,
		"cadata": `ca_certs="/flash/cert/aws.ca", the path of a file`, "ca": `ca_certs="/flash/cert/aws.ca", the path of a file`, "cafile": `ca_certs="/flash/cert/aws.ca"`,
		"cert_reqs": "leave it away: the server is checked if there is ca_certs", "ssl_version": "leave it away: ATTL sets the version", "do_handshake": "leave it away",
		"do_handshake_on_connect": "leave it away: it always is done on connect", "ciphers": "leave it away",
	}[name]
}

func wrapKeyword(r *run) {
	wrong := func(m *module, p place, name string) {
		instead := insteadOfKeyword(name)
		if instead == "" {
			instead = "one of " + strings.Join(wrapNames(), ", ")
		}
		r.at(m, p, "TypeError: wrap_socket() has no argument "+name, instead)
	}
	r.eachWrap(func(w wrapping) {
		for i, a := range w.call.args {
			switch {
			case a.star == 2:
				w.m.eachKey(a.value, w.f, func(p place, name string) {
					if !slices.Contains(wrapNames(), name) {
						wrong(w.m, p, name)
					}
				})
			case a.star == 0 && a.name == "" && i > 0:
				r.at(w.m, a.value.place, "TypeError: wrap_socket() takes everything but the socket by name", "keyfile=..., certfile=..., ca_certs=...")
			case a.name != "" && a.name != "sock" && !slices.Contains(wrapNames(), a.name):
				wrong(w.m, a.value.place, a.name)
			}
		}
	})
	// What clients hand on to it.
	r.eachCall(func(m *module, f *function, _ *stmt, call *expr) {
		if d := call.argument(-1, "ssl_params"); d != nil {
			m.eachKey(d, f, func(p place, name string) {
				if !slices.Contains(wrapNames(), name) {
					wrong(m, p, name)
				}
			})
		}
	})
}

func wrapFiles(r *run) {
	check := func(m *module, p place, names []string) {
		has := func(n string) bool { return slices.Contains(names, n) }
		switch {
		case has("certfile") && !has("keyfile"):
			r.at(m, p, "certfile needs keyfile: without its key the certificate proves nothing", `keyfile="/flash/cert/aws.key"`)
		case has("certfile") && !has("ca_certs"):
			r.at(m, p, "certfile needs ca_certs: the modem does not authenticate itself to a server that it does not check", `ca_certs="/flash/cert/aws.ca"`)
		case has("keyfile") && !has("certfile"):
			r.at(m, p, "keyfile needs certfile: a key alone is of no use", `certfile="/flash/cert/aws.crt"`)
		}
	}
	r.eachWrap(func(w wrapping) {
		var names []string
		add := func(_ place, name string) { names = append(names, name) }
		for _, a := range w.call.args {
			switch {
			case a.star == 1 || a.star == 2 && !w.m.eachKey(a.value, w.f, add):
				return
			case a.name != "" && !a.value.isNone():
				add(place{}, a.name)
			}
		}
		check(w.m, w.call.place, names)
	})
	r.eachCall(func(m *module, f *function, _ *stmt, call *expr) {
		params := call.argument(-1, "ssl_params")
		d := m.dictOf(params, f)
		var names []string
		if d.e != nil && m.eachKey(params, f, func(_ place, name string) { names = append(names, name) }) {
			check(d.m, d.e.place, names)
		}
	})
}

// isSocket reports whether a call makes a socket.
func (m *module) isSocket(e *expr, f *function) bool {
	return e != nil && e.kind == kindCall && m.qualify(e.x, f) == socketCall
}

// socketLimit counts sockets that are made in a loop with a known number of rounds and
// kept, and those that a function makes and keeps one by one.
func socketLimit(r *run) {
	r.each(func(m *module, f *function) {
		report := func(p place, n int64) {
			if n > int64(r.Firmware.Sockets) {
				r.at(m, p, fmt.Sprintf("OSError: [Errno 7023] ENFILE: %d sockets at a time, and the module has %d", n, r.Firmware.Sockets), "close() those that are not used any more, or take turns")
			}
		}
		eachStmt(f.body, func(s *stmt) {
			if s.kind == stmtFor {
				n, ok := m.rounds(s.value, f)
				if ok && !f.comp {
					if p, kept := m.keptSocket(f, s.body); kept {
						report(p, n)
					}
				}
			}
		})
		r.straightSockets(m, f, report)
		if f.comp && len(f.body) == 2 {
			if n, ok := m.rounds(f.body[0].value, f); ok {
				for _, e := range f.body[1].extra {
					if m.isSocket(e, f) {
						report(e.place, n)
					}
				}
			}
		}
	})
}

// straightSockets counts the sockets that a function's statements make one after the
// other, each under a name of its own, if it closes none.
func (r *run) straightSockets(m *module, f *function, report func(p place, n int64)) {
	names := map[string]bool{}
	last := place{}
	for _, s := range f.body {
		if s.kind == stmtAssign && m.isSocket(s.value, f) {
			for _, t := range s.targets {
				names[t.key()] = true
			}
			last = s.value.place
		}
	}
	closes := false
	f.eachExpr(func(_ *stmt, e *expr) {
		closes = closes || e.kind == kindCall && calledName(e) == "close"
	})
	if !closes {
		report(last, int64(len(names)))
	}
}

// rounds is how often a loop over an expression goes round, if that is constant.
func (m *module) rounds(e *expr, f *function) (int64, bool) {
	if e == nil || e.kind != kindCall || e.x.kind != kindName || e.x.name != "range" || len(e.args) == 0 {
		return 0, false
	}
	first, ok := m.number(e.args[0].value, f)
	if len(e.args) == 1 {
		return first, ok
	}
	last, ok2 := m.number(e.args[1].value, f)
	return last - first, ok && ok2 && len(e.args) == 2
}

// keptSocket is the place of a socket that a loop's body makes and appends to
// something, with nothing that is closed in the body.
func (m *module) keptSocket(f *function, body []*stmt) (p place, kept bool) {
	appended, closed := false, false
	eachStmt(body, func(s *stmt) {
		for _, e := range s.exprs() {
			e.walk(func(e *expr) {
				switch {
				case m.isSocket(e, f):
					p = e.place
				case e.kind == kindCall && e.x.kind == kindAttr && e.x.name == "append":
					appended = true
				case e.kind == kindCall && e.x.kind == kindAttr && e.x.name == "close":
					closed = true
				}
			})
		}
	})
	return p, p.line != 0 && appended && !closed
}

// socketLeak: a socket that is made again and again, and that nothing closes.
func socketLeak(r *run) {
	report := func(m *module, s *stmt) {
		r.at(m, s.value.place, "each round makes a socket and nothing closes it: the module has "+fmt.Sprint(r.Firmware.Sockets)+", and an exception or a late collection leaves none",
			s.targets[0].key()+".close(), in a finally")
	}
	look := func(m *module, f *function, list []*stmt) {
		eachStmt(list, func(s *stmt) {
			if s.kind != stmtAssign || len(s.targets) != 1 || !m.isSocket(s.value, f) {
				return
			}
			switch t := s.targets[0]; {
			case t.kind == kindName && !m.handsOn(f, t.name, s), t.kind == kindAttr && !r.usesAttr(t.name, s):
				report(m, s)
			}
		})
	}
	r.each(func(m *module, f *function) {
		if f.comp {
			return
		}
		eachStmt(f.body, func(loop *stmt) {
			if loop.kind != stmtWhile && loop.kind != stmtFor {
				return
			}
			look(m, f, loop.body)
			r.eachCalled(m, f, loop.body, func(m *module, f *function, call *expr) {
				if to := r.called(m, f, call); to.f != nil && to.m.ours {
					look(to.m, to.f, to.f.body)
				}
			})
		})
	})
}

// usesAttr reports whether somewhere in the application an attribute of that name is
// closed or handed on.
func (r *run) usesAttr(name string, made *stmt) bool {
	found := false
	is := func(e *expr) bool { return e != nil && e.kind == kindAttr && e.name == name }
	for _, m := range r.modules {
		for _, f := range m.all {
			f.eachExpr(func(s *stmt, e *expr) {
				if e.kind == kindCall {
					found = found || e.x.kind == kindAttr && e.x.name == "close" && is(e.x.x) || slices.ContainsFunc(e.args, func(a arg) bool { return is(a.value) })
				}
				found = found || (s.kind == stmtReturn || s.kind == stmtWith) && is(e) || s.kind == stmtAssign && s != made && is(s.value) || slices.ContainsFunc(e.sub, is)
			})
		}
	}
	return found
}

// handsOn reports whether a function closes what a name holds, or gives it to somebody
// who might.
func (m *module) handsOn(f *function, name string, made *stmt) bool {
	found := false
	is := func(e *expr) bool { return e != nil && e.kind == kindName && e.name == name }
	f.eachExpr(func(s *stmt, e *expr) {
		switch e.kind {
		case kindCall:
			if e.x.kind == kindAttr && is(e.x.x) && e.x.name == "close" {
				found = true
			}
			for _, a := range e.args {
				found = found || is(a.value)
			}
		case kindTuple, kindList, kindDict:
			found = found || slices.ContainsFunc(e.sub, is)
		}
		switch s.kind {
		case stmtReturn:
			found = found || is(s.value)
		case stmtWith:
			found = found || slices.ContainsFunc(s.extra, is)
		case stmtAssign:
			found = found || s != made && is(s.value)
		case stmtExpr:
			found = found || e.kind == kindOther && slices.ContainsFunc(e.sub, is) // yield
		}
	})
	return found || f.scope.globals[name]
}

// isOperator reports whether an operator is one of a list.
func isOperator(t syntax.Token, list ...syntax.Token) bool { return slices.Contains(list, t) }
