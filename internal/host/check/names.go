package check

import (
	"fmt"
	"slices"
	"strings"
)

// This file has the rules about names: modules, attributes, and names that nothing
// defines. What the firmware has comes from its tables.

// around is what is around an expression in a function's text: it guards what may be
// missing.
type around struct {
	tries []*stmt // try statements in whose bodies it is
	ifs   []*expr // conditions that it is behind
}

// withContext calls do for each expression of a function with what is around it.
func (f *function) withContext(do func(a around, s *stmt, e *expr)) {
	var visit func(list []*stmt, a around)
	visit = func(list []*stmt, a around) {
		for _, s := range list {
			for _, e := range s.exprs() {
				e.walk(func(e *expr) { do(a, s, e) })
			}
			if s.kind == stmtImport {
				do(a, s, nil)
			}
			in := a
			switch s.kind {
			case stmtTry:
				in.tries = append(slices.Clone(a.tries), s)
			case stmtIf, stmtWhile:
				in.ifs = append(slices.Clone(a.ifs), s.value)
			}
			visit(s.body, in)
			rest := a
			rest.ifs = in.ifs
			visit(s.orelse, rest)
			for _, h := range s.handlers {
				visit(h.body, a)
			}
			visit(s.final, a)
		}
	}
	visit(f.body, around{})
}

// catches reports whether one of the try statements takes an exception of one of some
// names, or all of them.
func (a around) catches(names ...string) bool {
	for _, t := range a.tries {
		for _, h := range t.handlers {
			if h.types == nil {
				return true
			}
			found := false
			h.types.walk(func(e *expr) {
				if e.kind == kindName && (e.name == "Exception" || e.name == "BaseException" || slices.Contains(names, e.name)) {
					found = true
				}
			})
			if found {
				return true
			}
		}
	}
	return false
}

// asks reports whether a condition around asks what kind of system it is, or whether a
// name is there.
func (a around) asks(m *module, f *function) bool {
	for _, c := range a.ifs {
		found := false
		c.walk(func(e *expr) {
			switch {
			case e.kind == kindCall && e.x.kind == kindName && (e.x.name == "hasattr" || e.x.name == "dir"):
				found = true
			case e.kind == kindAttr:
				if q := m.qualify(e, f); strings.HasPrefix(q, "sys.platform") || strings.HasPrefix(q, "sys.implementation") || strings.HasPrefix(q, "sys.modules") {
					found = true
				}
			}
		})
		if found {
			return true
		}
	}
	return false
}

func missingModule(r *run) {
	r.each(func(m *module, f *function) {
		f.withContext(func(a around, s *stmt, e *expr) {
			if s.kind != stmtImport || e != nil || a.catches("ImportError") || a.asks(m, f) {
				return
			}
			said := ""
			for _, i := range s.imports {
				if !strings.HasPrefix(i.module, ".") && i.module != said && !r.hasModule(m, i.module) {
					r.noModule(m, i.place, i.module)
					said = i.module
				}
			}
		})
	})
}

// hasModule reports whether an import statement of a module finds a module.
func (r *run) hasModule(m *module, name string) bool {
	if r.Firmware.Modules[name] != nil || r.byName[name] != nil || r.Firmware.Modules["u"+name] != nil && !strings.Contains(name, ".") {
		return true
	}
	file := strings.ReplaceAll(name, ".", "/")
	for _, dir := range []string{"", "lib/"} {
		for _, ext := range []string{".py", ".mpy", "/__init__.py", "/__init__.mpy"} {
			if r.files[strings.ToLower(dir+file+ext)] != nil {
				return true
			}
		}
		prefix := strings.ToLower(dir + file + "/")
		for p := range r.files {
			if strings.HasPrefix(p, prefix) {
				return true // a package without __init__
			}
		}
	}
	return false
}

// noModule reports a module that is not there.
func (r *run) noModule(m *module, p place, name string) {
	top, rest, sub := strings.Cut(name, ".")
	instead := "put " + strings.ReplaceAll(name, ".", "/") + ".py into the application, into lib/ for instance"
	switch {
	case slices.Contains(shipped(), top):
		instead = fmt.Sprintf("modules = [%q] under [build] in skep.toml: it ships with skep", top)
		if sub {
			instead += "; then import it as " + top
		}
	case sub && r.Firmware.Modules[top] != nil:
		instead = fmt.Sprintf("from %s import %s, if the firmware has it", top, rest)
	}
	if r.Firmware.Elsewhere != nil {
		if in := r.Firmware.Elsewhere(name, ""); in != "" {
			instead = "do without it, or use a module with " + in + " (--firmware)"
		}
	}
	if alt := absentModules()[name]; alt != "" {
		instead = alt
	}
	r.at(m, p, fmt.Sprintf("ImportError: neither %s nor the application has a module %s", r.Firmware.Name, name), instead)
}

// absentModules are modules that many expect, and what there is in their place.
func absentModules() map[string]string {
	return map[string]string{
		"threading": "one loop that does everything in turn: there are no threads", "_thread": "one loop that does everything in turn: there are no threads",
		"asyncio": "one loop that does everything in turn", "uasyncio": "one loop that does everything in turn, or bring uasyncio into lib/",
		"datetime": "utime.localtime() and utime.mktime()", "logging": "print()", "traceback": "sys.print_exception(e)", "random": "uos.urandom(n)", "urandom": "uos.urandom(n)",
		"requests": "uhttp, which ships with skep (modules = [\"uhttp\"] under [build] in skep.toml), or Digi's urequests in lib/",
		"serial":   "sys.stdin and sys.stdout, or machine.UART", "pathlib": "strings, and uos", "typing": "leave annotations away", "enum": "micropython.const()",
	}
}

func missingAttribute(r *run) {
	r.each(func(m *module, f *function) {
		f.withContext(func(a around, s *stmt, e *expr) {
			guarded := a.catches("AttributeError", "ImportError") || a.asks(m, f)
			switch {
			case guarded:
			case e == nil && s.kind == stmtImport:
				r.missingImports(m, s)
			case e != nil && e.kind == kindAttr && !slices.Contains(s.targets, e):
				r.missingOf(m, f, e)
			}
		})
	})
}

// missingImports looks at from MODULE import NAME.
func (r *run) missingImports(m *module, s *stmt) {
	for _, i := range s.imports {
		if i.name == "" || i.name == "*" {
			continue
		}
		module := r.canonical(i.module)
		names := r.Firmware.Modules[module]
		if r.isOwn(i.module) {
			names = nil
		}
		if names == nil || names[i.name] || r.Firmware.Modules[module+"."+i.name] != nil {
			if other := r.byName[i.module]; other != nil && !other.defines(i.name) && !r.hasModule(m, i.module+"."+i.name) {
				r.at(m, i.place, fmt.Sprintf("ImportError: cannot import name %s: %s does not define it", i.name, other.file), "")
			}
			continue
		}
		r.at(m, i.place, fmt.Sprintf("ImportError: cannot import name %s: %s of %s has none", i.name, i.module, r.Firmware.Name), r.insteadOf(module, i.name))
	}
}

// defines reports whether a module binds a name, or may do so.
func (m *module) defines(name string) bool {
	return m.root.scope.star || m.root.scope.names[name] != nil || strings.HasPrefix(name, "__")
}

// missingOf looks at X.NAME where X is a module or an object of the firmware.
func (r *run) missingOf(m *module, f *function, e *expr) {
	if strings.HasPrefix(e.name, "__") {
		return
	}
	if q := m.qualify(e.x, f); q != "" {
		if names := r.Firmware.Modules[q]; names != nil && !r.isOwn(q) {
			if !names[e.name] && r.Firmware.Modules[q+"."+e.name] == nil {
				r.at(m, e.place, fmt.Sprintf("AttributeError: %s of %s has no %s", q, r.Firmware.Name, e.name), r.insteadOf(q, e.name))
			}
			return
		}
		if other := r.byName[q]; other != nil && other != m && !other.defines(e.name) && !r.hasModule(m, q+"."+e.name) && !r.storesTo(q, e.name) {
			r.at(m, e.place, fmt.Sprintf("AttributeError: %s does not define %s", other.file, e.name), "")
			return
		}
		if names := r.Firmware.Types[q]; names != nil && !strings.HasPrefix(q, "ussl.") {
			if !names[e.name] {
				r.at(m, e.place, fmt.Sprintf("AttributeError: %s of %s has no %s", q, r.Firmware.Name, e.name), r.insteadOf(q, e.name))
			}
			return
		}
	}
	if t := m.instanceOf(e.x, f); t != "" {
		if names := r.Firmware.Types[t]; names != nil && !names[e.name] {
			what := "what " + t + "() returns"
			if builtin, ok := strings.CutPrefix(t, "builtins."); ok {
				what = "a " + builtin
			}
			r.at(m, e.place, fmt.Sprintf("AttributeError: %s has no %s on %s", what, e.name, r.Firmware.Name), r.insteadOf(t, e.name))
		}
	}
}

// isOwn reports whether a name that the firmware has is a module of the application
// all the same: a short name, json for ujson, finds files first.
func (r *run) isOwn(module string) bool {
	return r.byName[module] != nil && r.Firmware.Modules["u"+module] != nil
}

// storesTo reports whether some module sets an attribute of another.
func (r *run) storesTo(module, name string) bool {
	found := false
	for _, m := range r.modules {
		for _, f := range m.all {
			eachStmt(f.body, func(s *stmt) {
				for _, t := range s.targets {
					found = found || t != nil && t.kind == kindAttr && t.name == name && m.qualify(t.x, f) == module
				}
			})
		}
	}
	return found
}

// insteadOf says what there is in place of a name.
func (r *run) insteadOf(of, name string) string {
	full := of + "." + name
	alternatives := map[string]string{
		"usocket.socket.makefile": "the socket itself: it has read, readline and write", "usocket.socket.sendall": "write(), which writes all",
		"usocket.socket.shutdown": "close()", "usocket.socket.recv_into": "readinto()", "usocket.socket.fileno": "the socket itself",
		"ussl.wrap_socket.recv": "read()", "ussl.wrap_socket.send": "write()", "ussl.wrap_socket.sendall": "write()", "ussl.wrap_socket.recv_into": "readinto()",
		"ussl.SSLContext": "ussl.wrap_socket(), with keyfile, certfile and ca_certs", "ussl.create_default_context": "ussl.wrap_socket(), with ca_certs",
		"utime.strftime": "\"%04d-%02d-%02d\" % utime.localtime()[:3]", "utime.monotonic": "utime.ticks_ms() and utime.ticks_diff()",
		"utime.perf_counter": "utime.ticks_us() and utime.ticks_diff()", "utime.gmtime": "utime.localtime()",
		"uos.stat": "uos.ilistdir(), whose tuples end in the size", "uos.path": "strings, and uos.listdir()", "uos.getenv": "a file with settings",
		"uos.environ": "a file with settings", "uos.makedirs": "uos.mkdir() for each part", "uos.uname": "sys.platform, and xbee.atcmd(\"VR\")",
		"uos.system": "xbee.atcmd()", "sys.exc_info": "except ... as e", "uhashlib.md5": "uhashlib.sha256()", "uhashlib.sha1": "uhashlib.sha256()",
		"machine.Timer": "utime.ticks_ms() in the program's loop", "machine.deepsleep": "xbee.XBee().sleep_now()", "machine.lightsleep": "xbee.XBee().sleep_now()",
		"machine.RTC": "utime.time() and utime.localtime(), which the network sets", "machine.SPI": "machine.I2C, or pins by hand",
		"builtins.str.zfill": "\"%02d\" % n", "builtins.str.ljust": "\"%-8s\" % s", "builtins.str.rjust": "\"%8s\" % s", "builtins.bytes.hex": "ubinascii.hexlify(b)", "builtins.bytearray.hex": "ubinascii.hexlify(b)",
		"builtins.bytes.fromhex": "ubinascii.unhexlify(s)", "builtins.dict.has_key": "key in d", "builtins.dict.iteritems": "items()",
		"uerrno.EWOULDBLOCK": "uerrno.EAGAIN", "uerrno.ENOMEM": "except MemoryError",
	}
	if alt := alternatives[full]; alt != "" {
		return alt
	}
	if r.Firmware.Elsewhere != nil {
		if in := r.Firmware.Elsewhere(of, name); in != "" {
			return "do without it, or use a module with " + in + " (--firmware)"
		}
	}
	return ""
}

func undefinedName(r *run) {
	r.each(func(m *module, f *function) {
		if m.opaque() {
			return
		}
		look := func(a around, s *stmt, e *expr) {
			if e == nil || e.kind != kindName || e.name == "" || slices.Contains(s.targets, e) || a.catches("NameError") || a.asks(m, f) {
				return
			}
			if r.Firmware.Builtins[e.name] || m.find(e.name, f) != nil || strings.HasPrefix(e.name, "__") {
				return
			}
			instead := map[string]string{
				"input": "sys.stdin.readline()", "ConnectionError": "OSError", "TimeoutError": "OSError", "FileNotFoundError": "OSError", "BlockingIOError": "OSError",
				"IOError": "OSError", "BrokenPipeError": "OSError", "ConnectionRefusedError": "OSError", "PermissionError": "OSError",
				"UnicodeError": "leave it away: strings hold bytes here", "UnicodeDecodeError": "leave it away: strings hold bytes here",
				"complex": "two floats", "compile": "exec()", "format": "\"{}\".format(x), or \"%s\" % x", "vars": "dir()", "ascii": "repr()", "unichr": "chr()", "xrange": "range()",
			}[e.name]
			r.at(m, e.place, fmt.Sprintf("NameError: nothing defines %s, and %s has no built-in name %s", e.name, r.Firmware.Name, e.name), instead)
		}
		f.withContext(look)
		if f.value != nil {
			f.value.walk(func(e *expr) { look(around{}, &stmt{}, e) })
		}
	})
}

// opaque reports whether names may come into a module in ways that can't be seen.
func (m *module) opaque() bool {
	for _, f := range m.all {
		if f.scope.star {
			return true
		}
		found := false
		f.eachExpr(func(_ *stmt, e *expr) {
			if e.kind == kindCall && e.x.kind == kindName && (e.x.name == "exec" || e.x.name == "globals" || e.x.name == "execfile") {
				found = true
			}
		})
		if found {
			return true
		}
	}
	return false
}
