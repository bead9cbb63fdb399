package archtest

import (
	"bytes"
	"go/ast"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestPackageDocs wants every package to say what it is.
func TestPackageDocs(t *testing.T) {
	h := load(t)
	for _, p := range slices.Sorted(maps.Keys(h.packages)) {
		doc := ""
		name := ""
		for _, f := range h.packages[p].files {
			if !f.test || name == "" {
				name = f.syntax.Name.Name
			}
			if f.syntax.Doc == nil || f.test {
				continue
			}
			if doc != "" {
				t.Errorf("%s: two files have a package comment: keep one", p)
			}
			doc = f.syntax.Doc.Text()
		}
		want := "Package " + name + " "
		if name == "main" {
			want = "Command " + path.Base(p) + " "
		}
		if !strings.HasPrefix(doc, want) {
			t.Errorf("%s: the package comment begins %.40q: want %q and what it is, and what it is not", p, doc, want)
		}
	}
}

// maxLines is where a file has become more than one idea.
const maxLines = 700

// longFiles are those that may be longer, each with its reason.
var longFiles = map[string]string{
	"internal/vm/loop.go": "one function: Go keeps the interpreter's state in registers only inside one loop",
}

func TestFileLength(t *testing.T) {
	h := load(t)
	for _, p := range h.packages {
		for _, f := range p.files {
			_, may := longFiles[f.path]
			if f.lines > maxLines && !may {
				t.Errorf("%s has %d lines, more than %d: give its ideas files of their own", f.path, f.lines, maxLines)
			}
		}
	}
	for name := range longFiles {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Errorf("longFiles: %v", err)
		}
	}
}

// clockReaders are the functions of package time that ask the machine.
var clockReaders = map[string]bool{
	"Now": true, "Since": true, "Until": true, "Sleep": true, "After": true, "AfterFunc": true,
	"Tick": true, "NewTimer": true, "NewTicker": true,
}

// TestClock wants time to come through world, so that a run can be replayed
// and a month passes in seconds. Tests may wait.
func TestClock(t *testing.T) {
	h := load(t)
	for _, p := range slices.Sorted(maps.Keys(h.packages)) {
		// hostport is the host's side of a serial line: how long it waits for a
		// program there is no matter of any device. Nor is it when a recording is
		// written to its file. bench/cloud and internal/release time what they run.
		if p == "internal/world" || p == "bench/cloud" || p == "internal/release" || p == "internal/world/record" || p == "internal/hostport" || strings.HasPrefix(p, "cmd/") {
			continue
		}
		for _, f := range h.packages[p].files {
			if f.test {
				continue
			}
			h.eachSelector(f, "time", func(sel *ast.SelectorExpr) {
				if clockReaders[sel.Sel.Name] {
					t.Errorf("%s: time.%s: take the time from a world.Clock, or from what the caller hands in", h.fset.Position(sel.Pos()), sel.Sel.Name)
				}
			})
		}
	}
}

// TestRandomness wants every random number to have a seed.
func TestRandomness(t *testing.T) {
	h := load(t)
	for _, p := range h.packages {
		for _, f := range p.files {
			if f.test {
				continue
			}
			for _, lib := range []string{"math/rand", "math/rand/v2"} {
				h.eachSelector(f, lib, func(sel *ast.SelectorExpr) {
					if name := sel.Sel.Name; randFunctions[name] {
						t.Errorf("%s: rand.%s has no seed of ours: a run could not be repeated", h.fset.Position(sel.Pos()), name)
					}
				})
			}
		}
	}
}

// randFunctions draw from the generator that all of a program shares.
var randFunctions = map[string]bool{
	"Int": true, "IntN": true, "Intn": true, "Int31": true, "Int31n": true, "Int32": true, "Int32N": true, "Int63": true,
	"Int63n": true, "Int64": true, "Int64N": true, "Uint": true, "UintN": true, "Uint32": true, "Uint32N": true, "Uint64": true,
	"Uint64N": true, "N": true, "Float32": true, "Float64": true, "ExpFloat64": true, "NormFloat64": true, "Perm": true,
	"Shuffle": true, "Read": true, "Seed": true,
}

// eachSelector visits what a file uses of an imported package.
func (h *house) eachSelector(f *goFile, lib string, visit func(*ast.SelectorExpr)) {
	local := ""
	for _, spec := range f.syntax.Imports {
		if p, _ := strconv.Unquote(spec.Path.Value); p == lib {
			local = path.Base(strings.TrimSuffix(lib, "/v2"))
			if spec.Name != nil {
				local = spec.Name.Name
			}
		}
	}
	if local == "" {
		return
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == local {
				visit(sel)
			}
		}
		return true
	})
}

// leak is what must not be in a tracked file: it would work on one machine only.
type leak struct {
	what string
	re   *regexp.Regexp
}

// The patterns are written so that they do not match themselves.
var leaks = []leak{
	{"a path of one machine", regexp.MustCompile(`(^|[^\w.<{$)/-])/(wor[k]|roo[t]|hom[e]/[a-z]\w*|User[s]/\w+)/\w`)},
	{"a directory that only one machine has", regexp.MustCompile(`(^|[^\w])/tm[p]/(bash_jobs|skep\b)`)},
	{"a package registry's host", regexp.MustCompile(`(?i)prox[y]\.golang|goprox[y]\.|pyp[i]\.org|npmj[s]\.|artifactor[y]|:/{2}\w+:\w+@`)},
	{"an address of a private network", regexp.MustCompile(`https?:/{2}(10|192\.16[8]|172\.(1[6-9]|2\d|3[01]))\.`)},
}

func TestNoLeaks(t *testing.T) {
	for _, name := range load(t).tracked {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range leaks {
			if loc := l.re.FindIndex(data); loc != nil {
				t.Errorf("%s:%d: %q is %s", name, 1+bytes.Count(data[:loc[0]], []byte("\n")), data[loc[0]:loc[1]], l.what)
			}
		}
	}
}

// TestNoUnfinishedWork wants what is missing in docs/not-modelled.md, not in a
// comment.
func TestNoUnfinishedWork(t *testing.T) {
	h := load(t)
	re := regexp.MustCompile(`\b(TOD[O]|FIXM[E]|XX[X])\b`)
	for _, p := range h.packages {
		for _, f := range p.files {
			for _, group := range f.syntax.Comments {
				if m := re.FindString(group.Text()); m != "" {
					t.Errorf("%s: %s: finish it, or say in docs/not-modelled.md what happens instead", h.fset.Position(group.Pos()), m)
				}
			}
		}
	}
}
