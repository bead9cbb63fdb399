package check

import (
	"fmt"
	"path"
	"strings"

	"github.com/skep-sim/skep/internal/host/build"
	"github.com/skep-sim/skep/internal/syntax"
)

// This file has the rules about os.bundle() and about memory.

// isBundling reports whether a call bundles files; bundle() and bundle(None) do not.
func (m *module) isBundling(e *expr, f *function) bool {
	return e.kind == kindCall && m.qualify(e.x, f) == "uos.bundle" && len(e.args) > 0 && !e.args[0].value.isNone()
}

// bundlesIn reports whether a statement itself bundles, and where.
func (m *module) bundlesIn(s *stmt, f *function) (p place, ok bool) {
	for _, e := range s.exprs() {
		e.walk(func(e *expr) {
			if m.isBundling(e, f) {
				p, ok = e.place, true
			}
		})
	}
	return p, ok
}

func bundleLoop(r *run) {
	for _, m := range r.modules {
		if m.path == "main.py" {
			r.alwaysBundles(m, m.root, m.root.body, steps, nil)
		}
	}
	r.each(func(m *module, f *function) {
		f.eachExpr(func(_ *stmt, e *expr) {
			if e.kind != kindCompare || len(e.sub) != 2 || !isOperator(e.ops[0], syntax.TokKwIn, syntax.TokKwNot) {
				return
			}
			list := e.sub[1]
			if list.kind == kindName {
				if v := m.valueOf(list, f); v.e != nil {
					list = v.e
				}
			}
			name, ok := m.text(e.sub[0], f)
			if ok && list.kind == kindCall && m.qualify(list.x, f) == "uos.bundle" && (strings.HasSuffix(name, ".mpy") || strings.HasSuffix(name, ".py")) {
				r.at(m, e.sub[0].place, "os.bundle() lists modules, without .mpy: this name is never in it, so what depends on it happens at every start", fmt.Sprintf("%q", strings.TrimSuffix(strings.TrimSuffix(path.Base(name), ".py"), ".mpy")))
			}
		})
	})
}

// alwaysBundles follows statements that run at every start, and what they call, to a
// call of os.bundle() that nothing decides about. The finding stands where main.py is.
// It reports whether what comes behind is still sure to run.
func (r *run) alwaysBundles(m *module, f *function, list []*stmt, depth int, from *value) bool {
	report := func(p place) {
		at := value{nil, m, nil}
		if from != nil {
			at, p = *from, from.e.place
		}
		r.at(at.m, p, "the module restarts behind os.bundle(), runs main.py, and bundles again, for ever", "if \"name\" not in os.bundle(): os.bundle(...), or boot.bundle(), which ships with skep")
	}
	for _, s := range list {
		if p, ok := m.bundlesIn(s, f); ok && (s.kind == stmtExpr || s.kind == stmtAssign) {
			report(p)
			return false
		}
		if s.kind == stmtExpr && s.value != nil && s.value.kind == kindCall && depth > 0 {
			if to := r.called(m, f, s.value); to.f != nil {
				way := from
				if way == nil {
					way = &value{s.value, m, f}
				}
				if !r.alwaysBundles(to.m, to.f, to.f.body, depth-1, way) {
					return false
				}
			}
		}
		switch s.kind {
		case stmtIf:
			if !s.value.isTrue() {
				return false // what follows is decided by the program
			}
			fallthrough
		case stmtTry, stmtWith:
			if !r.alwaysBundles(m, f, s.body, depth, from) {
				return false
			}
		case stmtReturn, stmtRaise, stmtWhile, stmtFor:
			return false
		}
	}
	return true
}

func bundleThenCode(r *run) {
	r.each(func(m *module, f *function) {
		var look func(list []*stmt)
		look = func(list []*stmt) {
			for i, s := range list {
				if _, ok := m.bundlesIn(s, f); ok && (s.kind == stmtExpr || s.kind == stmtAssign) && i+1 < len(list) && list[i+1].kind != stmtPass {
					r.at(m, list[i+1].place, "this never runs: os.bundle() always restarts the module", "put it in front of os.bundle(), or let the next start do it")
				}
				for _, b := range s.blocks() {
					look(b)
				}
			}
		}
		look(f.body)
	})
}

// importBeforeBundle: what main.py imports before it bundles comes from the old bundle.
func importBeforeBundle(r *run) {
	for _, m := range r.modules {
		if m.path != "main.py" {
			continue
		}
		last := place{}
		for _, f := range m.all {
			f.eachExpr(func(_ *stmt, e *expr) {
				if e.kind == kindCall && (m.isBundling(e, f) || m.qualify(e.x, f) == "boot.bundle") {
					if at := m.callPlace(f, e); last.line < at.line {
						last = at
					}
				}
			})
		}
		if last.line == 0 {
			continue
		}
		for _, s := range m.root.body {
			if s.kind != stmtImport || s.place.line >= last.line {
				continue
			}
			for _, i := range s.imports {
				if i.module == "boot" || r.byName[i.module] == nil && r.files[strings.ToLower(i.module+".mpy")] == nil {
					continue
				}
				r.at(m, i.place, "before os.bundle() this comes from the old bundle, whatever lies on the file system", "import "+i.module+" behind it")
			}
		}
	}
}

// callPlace is where main.py comes to a call: the call itself, or the first call of the
// function that it is in.
func (m *module) callPlace(f *function, e *expr) place {
	if f == m.root {
		return e.place
	}
	first := place{}
	eachStmt(m.root.body, func(s *stmt) {
		for _, x := range s.exprs() {
			x.walk(func(x *expr) {
				if x.kind == kindCall && x.x.kind == kindName && x.x.name == f.name && first.line == 0 {
					first = x.place
				}
			})
		}
	})
	return first
}

// eachBundled calls do for each name that the program gives to os.bundle() as a constant.
func (r *run) eachBundled(do func(m *module, p place, name string)) {
	r.eachCall(func(m *module, f *function, _ *stmt, call *expr) {
		if !m.isBundling(call, f) {
			return
		}
		for _, a := range call.args {
			if a.star == 1 {
				r.eachOf(m, f, a.value, do)
			} else if text, ok := m.text(a.value, f); ok && a.star == 0 {
				do(m, a.value.place, text)
			}
		}
	})
}

// eachOf calls do for each constant name in a tuple or list.
func (r *run) eachOf(m *module, f *function, e *expr, do func(m *module, p place, name string)) {
	v := value{e, m, f}
	if e.kind == kindName || e.kind == kindAttr {
		v = m.valueOf(e, f)
	}
	if v.e == nil || v.e.kind != kindTuple && v.e.kind != kindList {
		return
	}
	for _, name := range v.e.sub {
		if text, ok := v.m.text(name, v.f); ok {
			do(v.m, name.place, text)
		}
	}
}

// isMain reports whether a name is main's, with .py, .mpy or nothing behind it.
func isMain(name string) bool {
	base := strings.ToLower(path.Base(name))
	return strings.TrimSuffix(strings.TrimSuffix(base, ".mpy"), ".py") == "main"
}

func mainBundled(r *run) {
	r.eachBundled(func(m *module, p place, name string) {
		switch {
		case isMain(name):
			r.at(m, p, "main is never taken from the bundle", "the other modules only")
		case strings.HasSuffix(name, ".py"):
			r.at(m, p, "os.bundle() takes .mpy files", strings.TrimSuffix(name, ".py")+".mpy")
		}
	})
}

// bundleMissing: names of files that the application does not have. Those that the
// program may make itself, or look for elsewhere, are left alone.
func bundleMissing(r *run) {
	other := map[string]bool{} // what the program gives to other functions: open, say
	moves := false
	r.eachCall(func(m *module, f *function, _ *stmt, call *expr) {
		moves = moves || m.qualify(call.x, f) == "uos.chdir"
		if m.isBundling(call, f) {
			return
		}
		for _, a := range call.args {
			if text, ok := m.text(a.value, f); ok {
				other[flashPath(text)] = true
			}
		}
	})
	r.eachBundled(func(m *module, at place, name string) {
		p := flashPath(name)
		stem, mpy := strings.CutSuffix(p, ".mpy")
		there := r.files[stem+".mpy"] != nil || r.files[stem+".py"] != nil // which becomes a .mpy file
		switch {
		case isMain(name) || strings.HasSuffix(p, ".py") || strings.ContainsAny(name, "%{"): // see bundle-main
		case other[p] || moves && !strings.HasPrefix(name, "/"):
		case mpy && there:
		case r.files[p] != nil:
			r.at(m, at, "os.bundle() takes .mpy files, and "+name+" is none", "the name of a .mpy file")
		case there:
			r.at(m, at, "OSError: [Errno 7002] ENOENT: the file's name has .mpy behind it", name+".mpy")
		default:
			r.at(m, at, "OSError: [Errno 7002] ENOENT: "+build.Root+"/"+p+" is not in the application", "put the module there, or correct the name, which ends in .mpy")
		}
	})
}

// flashPath is a name on the module as the path below /flash, in lower case.
func flashPath(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Clean(name), build.Root+"/"))
}

func bundleTooBig(r *run) {
	if r.Measured == nil {
		return
	}
	for _, mod := range r.Measured.Modules {
		if mod.NoBundle != "" {
			r.aboutModule(mod.Path, mod.NoBundle, "split it, or keep it out of the bundle")
		}
	}
	if !r.bundlesAll() {
		return
	}
	if w := r.Measured; w.WholeBytes > w.Bytes || w.WholeNames > w.Names {
		r.in(r.mainFile(), fmt.Sprintf("all modules together take %d bytes and %d names of the bundle, and there are %d and %d", w.WholeBytes, w.WholeNames, w.Bytes, w.Names), "bundle those that skep mem names")
	}
}

// bundlesAll reports whether the program bundles whatever is there.
func (r *run) bundlesAll() bool {
	found := false
	r.eachCall(func(m *module, f *function, _ *stmt, call *expr) {
		if m.qualify(call.x, f) == "boot.bundle" && len(call.args) == 0 || m.isBundling(call, f) && call.args[0].star == 1 {
			found = true
		}
	})
	return found
}

// aboutModule is a finding about a module as a whole.
func (r *run) aboutModule(path, message, instead string) {
	for _, ext := range []string{".py", ".mpy"} {
		if f := r.files[strings.ToLower(path+ext)]; f != nil {
			r.in(f.From, message, instead)
			return
		}
	}
}

func (r *run) mainFile() string {
	if f := r.files["main.py"]; f != nil {
		return f.From
	}
	return r.App.Dir
}

func importMemory(r *run) {
	if r.Measured == nil {
		return
	}
	for _, mod := range r.Measured.Modules {
		switch {
		case mod.NoMpy:
			r.aboutModule(mod.Path, fmt.Sprintf("MemoryError: importing it needs more than the %d bytes that are free, even as a .mpy file", mod.Total), "smaller modules, and the bundle")
		case mod.NoSource && r.App.Plain:
			r.aboutModule(mod.Path, fmt.Sprintf("MemoryError: compiling it on the module needs %d bytes of heap, and %d are free", mod.Needs, mod.Total), "a .mpy file: skep build makes them")
		}
	}
	if why := r.Measured.MainFails; why != "" {
		r.in(r.mainFile(), "MemoryError: "+why, "move code of main.py into modules, which are compiled before they get onto the module")
	}
	if why := r.Measured.Program; why != "" {
		r.findings = append(r.findings, Finding{r.rule.ID, Warning, r.mainFile(), 0, 0, why, "make the program smaller, or ask for less with room under [budget] in skep.toml"})
	}
}
