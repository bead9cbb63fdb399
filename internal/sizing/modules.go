package sizing

import (
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/skep-sim/skep/internal/compiler"
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/xbee/flash"
)

// module is a module of the application in the forms that it has.
type module struct {
	name, path string
	file       string // one of its files
	source     []byte // nil: there is none
	mpy        []byte // nil: it cannot be compiled
	code       *mpy.Module
	err        error
	notes      []string
}

// bundleName is the name that os.bundle() gives the module, "" if it could not be
// imported by it: the parts of packages lose what is in front of their name.
func (m *module) bundleName() string {
	if m.name != path.Base(m.path) {
		return ""
	}
	return m.name
}

// mainModule is the name under which the main program goes in messages.
const mainModule = "main"

// findModules sorts an application's files into modules and the rest. main is nil
// if there is no main program.
func findModules(files []flash.HostFile, version int) (modules []*module, main *module, rest []flash.HostFile) {
	byName := map[string]*module{}
	for _, f := range files {
		ext := path.Ext(f.Path)
		name := importName(f.Path)
		if ext != ".py" && ext != ".mpy" || name == "" {
			rest = append(rest, f)
			continue
		}
		p := strings.TrimSuffix(f.Path, ext)
		m := byName[name]
		switch {
		case m == nil:
			m = &module{name: name, path: p, file: f.Path}
			byName[name] = m
		case m.path != p && before(p, m.path):
			m.notes = append(m.notes, m.file+" is never imported: "+f.Path+" comes before it")
			m.path, m.file, m.source, m.mpy = p, f.Path, nil, nil
		case m.path != p:
			m.notes = append(m.notes, f.Path+" is never imported: "+m.file+" comes before it")
			continue
		}
		if ext == ".py" {
			m.source = f.Data
		} else {
			m.mpy = f.Data
		}
	}
	for _, name := range sortedNames(byName) {
		m := byName[name]
		m.compile(version)
		if m.path == mainModule {
			main = m
			continue
		}
		modules = append(modules, m)
	}
	return modules, main, rest
}

// before tells which of two paths of one module the import statement finds first:
// /flash comes before /flash/lib.
func before(a, b string) bool {
	return !strings.HasPrefix(a, "lib/") && strings.HasPrefix(b, "lib/")
}

// importName is the name under which a file is imported: "" for none.
func importName(file string) string {
	p := strings.TrimSuffix(file, path.Ext(file))
	if rest, ok := strings.CutPrefix(p, "lib/"); ok {
		p = rest
	}
	parts := strings.Split(p, "/")
	for _, s := range parts {
		if !isName(s) {
			return ""
		}
	}
	if n := len(parts); n > 1 && parts[n-1] == "__init__" {
		parts = parts[:n-1]
	}
	return strings.Join(parts, ".")
}

// isName reports whether an import statement can name s.
func isName(s string) bool {
	for i, c := range s {
		switch {
		case c == '_', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c >= 0x80:
		case i > 0 && '0' <= c && c <= '9':
		default:
			return false
		}
	}
	return s != ""
}

// compile makes the .mpy file of a source, or reads the one there is.
func (m *module) compile(version int) {
	switch {
	case m.source != nil:
		if m.mpy != nil {
			m.notes = append(m.notes, fmt.Sprintf("%s.mpy is never imported: the .py beside it comes first", m.path))
		}
		m.mpy = nil
		if m.code, m.err = compiler.Compile(m.source, path.Base(m.path)+".py", compiler.CrossOptions(version)); m.err == nil {
			m.mpy, m.err = mpy.Write(m.code)
		}
	default:
		o := mpy.XBee
		o.Version = version
		if m.code, m.err = mpy.Read(m.mpy, o); m.err == nil {
			m.err = mpy.Verify(m.code)
		}
	}
	if m.err != nil {
		m.mpy, m.code = nil, nil
	}
}

// imports lists the names that the import statements of a module name, in the order
// of its code, functions included. dynamic tells that it names __import__ as well.
func (m *module) imports() (names []string, dynamic bool) {
	if m.code == nil {
		return nil, false
	}
	dynamic = slices.Contains(m.code.Names, "__import__")
	gen := mpy.GenerationOf(m.code.Version)
	add := func(s string) {
		if s != "" && !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	var walk func(rc *mpy.RawCode)
	walk = func(rc *mpy.RawCode) {
		p, err := rc.Prelude(m.code.Version)
		if err != nil {
			return
		}
		from := ""
		for at := p.CodeOffset; at < len(rc.Code); {
			in, next, err := gen.Decode(rc.Code, at)
			if err != nil {
				break
			}
			switch in.Op {
			case mpy.OpImportName:
				from = m.code.Names[in.Arg]
				for i, c := range from {
					if c == '.' {
						add(from[:i])
					}
				}
				add(from)
				add(m.pack() + "." + from) // as a relative import would have it
			case mpy.OpImportFrom:
				add(from + "." + m.code.Names[in.Arg])
				add(m.pack() + "." + m.code.Names[in.Arg])
			}
			at = next
		}
		for _, c := range rc.Children {
			walk(c)
		}
	}
	walk(m.code.Root)
	return names, dynamic
}

// pack is the package that a module is in, or is.
func (m *module) pack() string {
	if path.Base(m.path) == "__init__" {
		return m.name
	}
	if i := strings.LastIndexByte(m.name, '.'); i >= 0 {
		return m.name[:i]
	}
	return m.name
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
