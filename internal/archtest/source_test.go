package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// modulePath is what every import of the project begins with.
const modulePath = "github.com/skep-sim/skep"

// root is the project's directory, seen from this package.
var root = filepath.Join("..", "..")

// goFile is one parsed source file.
type goFile struct {
	path    string // slashed, from the project's root
	test    bool
	syntax  *ast.File
	imports []string
	lines   int
}

// pkg is the source of one directory. Its path is relative to the project's
// root; the root package's is ".".
type pkg struct {
	path  string
	files []*goFile
}

// house is everything that the tests look at.
type house struct {
	fset     *token.FileSet
	packages map[string]*pkg
	tracked  []string
}

var readHouse = sync.OnceValues(func() (*house, error) {
	h := &house{fset: token.NewFileSet(), packages: map[string]*pkg{}}
	var err error
	if h.tracked, err = trackedFiles(); err != nil {
		return nil, err
	}
	for _, name := range h.tracked {
		if path.Ext(name) != ".go" || strings.Contains("/"+name, "/testdata/") {
			continue
		}
		if err := h.add(name); err != nil {
			return nil, err
		}
	}
	return h, nil
})

func (h *house) add(name string) error {
	src, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	f, err := parser.ParseFile(h.fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	g := &goFile{path: name, test: strings.HasSuffix(name, "_test.go"), syntax: f, lines: strings.Count(string(src), "\n")}
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		if p == modulePath {
			p += "/."
		}
		g.imports = append(g.imports, strings.TrimPrefix(p, modulePath+"/"))
	}
	dir := path.Dir(name)
	p := h.packages[dir]
	if p == nil {
		p = &pkg{path: dir}
		h.packages[dir] = p
	}
	p.files = append(p.files, g)
	return nil
}

// load gives the parsed project or ends the test.
func load(t *testing.T) *house {
	t.Helper()
	h, err := readHouse()
	if err != nil {
		t.Fatal(err)
	}
	if len(h.packages) < 10 {
		t.Fatalf("found %d packages: is %q still the project's root?", len(h.packages), root)
	}
	return h
}

// trackedFiles lists what git knows and the work tree still has; in an unpacked
// archive without git, every file.
func trackedFiles() ([]string, error) {
	var names []string
	if out, err := exec.Command("git", "-C", root, "ls-files", "-z").Output(); err == nil {
		for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
			if st, err := os.Stat(filepath.Join(root, name)); err == nil && st.Mode().IsRegular() {
				names = append(names, name)
			}
		}
		if len(names) > 0 {
			return names, nil
		}
	}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		if d.Type().IsRegular() {
			rel, err := filepath.Rel(root, p)
			if err != nil {
				return err
			}
			names = append(names, filepath.ToSlash(rel))
		}
		return nil
	})
	return names, err
}

// matches tells whether a package path fits a pattern: "a/b" is that package,
// "a/b/..." that package and all below it.
func matches(pattern, p string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return p == base || strings.HasPrefix(p, base+"/")
	}
	return p == pattern
}

func matchesAny(patterns []string, p string) bool {
	for _, pattern := range patterns {
		if matches(pattern, p) {
			return true
		}
	}
	return false
}
