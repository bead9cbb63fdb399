package debug

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/skep-sim/skep/internal/compiler"
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/vm"
)

// mainName is the source that the code of main.py names, as the module compiles it.
const mainName = "<stdin>"

// A Source is the text of one Python file of the program.
type Source struct {
	// Device is where it lies, or would lie uncompiled, on the module: "/flash/lib/a.py".
	Device string
	// Host is the file on the host, absolute; "" if it is not there.
	Host string
	Text []byte
	// ID is its number in Sources, from 1.
	ID int

	functions map[shape][]*function
	lines     []int // that have code, sorted
	failed    error // it does not compile
}

// Name is the last part of its path.
func (s *Source) Name() string { return path.Base(s.Device) }

// function is what the source says of a function.
type function struct {
	name   string
	locals map[int]string
	free   int // how many of them belong to functions around it
	first  int
}

// shape is what tells a function in compiled code from others: code does not say
// which line of which file it was made from otherwise.
type shape struct {
	name  string
	args  int
	lines string
}

// Sources are the texts of a program. They serve any goroutine.
type Sources struct {
	mu      sync.Mutex
	version int
	list    []*Source
	found   map[codeKey]*place
	// other gives the text of a file of the module that nobody has named (nil:
	// there is none).
	other func(device string) ([]byte, bool)
}

type codeKey struct {
	file string
	shape
}

// place is the text that code was made from.
type place struct {
	source   *Source
	function *function
}

// NewSources makes a list for the .mpy version of a firmware. other, if not nil,
// gives the text of a file of the module by its path.
func NewSources(mpyVersion int, other func(device string) ([]byte, bool)) *Sources {
	return &Sources{version: mpyVersion, found: map[codeKey]*place{}, other: other}
}

// Add adds a file. host is its path on the host, absolute, or "".
func (s *Sources) Add(device, host string, text []byte) *Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(device, host, text)
}

func (s *Sources) add(device, host string, text []byte) *Source {
	src := &Source{Device: device, Host: host, Text: text, ID: len(s.list) + 1, functions: map[shape][]*function{}}
	s.list = append(s.list, src)
	src.compile(s.version)
	clear(s.found)
	return src
}

// ByID is the source with a number, or nil.
func (s *Sources) ByID(id int) *Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id < 1 || id > len(s.list) {
		return nil
	}
	return s.list[id-1]
}

// List are all sources.
func (s *Sources) List() []*Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.list)
}

// ByPath is the source with a path of the host or of the module. Some editors give
// links resolved and some do not, so both are tried.
func (s *Sources) ByPath(file string) *Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	clean := filepath.Clean(file)
	real, err := filepath.EvalSymlinks(clean)
	if err != nil {
		real = clean
	}
	for _, src := range s.list {
		if src.Host == "" {
			continue
		}
		if same(src.Host, clean) || same(src.Host, real) {
			return src
		}
		if r, err := filepath.EvalSymlinks(src.Host); err == nil && same(r, real) {
			return src
		}
	}
	for _, src := range s.list {
		if src.Device == file {
			return src
		}
	}
	return nil
}

// same compares paths; on Windows the drive's letter comes in both cases.
func same(a, b string) bool {
	return a == b || filepath.VolumeName(a) != "" && strings.EqualFold(a, b)
}

// compile finds the functions of a text. It is compiled as cross-compiling does it,
// and without assertions, too; from level 3 on code has no lines.
func (src *Source) compile(version int) {
	seen := map[int]bool{}
	for level := range 2 {
		opts := compiler.CrossOptions(version)
		opts.OptLevel = level
		locals := map[*mpy.RawCode]function{}
		opts.Locals = func(rc *mpy.RawCode, names map[int]string, free int) {
			locals[rc] = function{locals: names, free: free}
		}
		m, err := compiler.Compile(src.Text, src.Name(), opts)
		if err != nil {
			src.failed = err
			return
		}
		src.walk(m, m.Root, locals, seen)
	}
	for line := range seen {
		src.lines = append(src.lines, line)
	}
	slices.Sort(src.lines)
}

func (src *Source) walk(m *mpy.Module, rc *mpy.RawCode, locals map[*mpy.RawCode]function, seen map[int]bool) {
	p, err := rc.Prelude(m.Version)
	if err != nil {
		return // the compiler made it
	}
	lines := p.Lines(rc.Code)
	for _, line := range lines {
		seen[line] = true
	}
	of := locals[rc]
	f := &function{name: m.Names[p.Name(rc.Code)], locals: of.locals, free: of.free, first: slices.Min(lines)}
	key := shape{f.name, p.NumPos + p.NumKwOnly, fmt.Sprint(lines)}
	if !slices.ContainsFunc(src.functions[key], func(o *function) bool { return sameLocals(o.locals, f.locals) }) {
		src.functions[key] = append(src.functions[key], f)
	}
	for _, c := range rc.Children {
		src.walk(m, c, locals, seen)
	}
}

func sameLocals(a, b map[int]string) bool {
	if len(a) != len(b) {
		return false
	}
	for i, name := range a {
		if b[i] != name {
			return false
		}
	}
	return true
}

// HasLine gives the first line with code at or behind a line; ok is false if there
// is none.
func (src *Source) HasLine(line int) (int, bool) {
	i, _ := slices.BinarySearch(src.lines, line)
	if i == len(src.lines) {
		return 0, false
	}
	return src.lines[i], true
}

// Lines are the lines with code between two.
func (src *Source) Lines(from, to int) (list []int) {
	for _, l := range src.lines {
		if l >= from && l <= to {
			list = append(list, l)
		}
	}
	return list
}

// Functions are the names of its functions.
func (src *Source) Functions() (names []string) {
	for key := range src.functions {
		if !strings.HasPrefix(key.name, "<") {
			names = append(names, key.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// of finds the text that code was made from; source and function may be nil.
func (s *Sources) of(v *vm.VM, c *vm.Code) place {
	file := v.File(c)
	key := codeKey{file, shape{v.Name(c), c.Args(), fmt.Sprint(v.LineTable(c))}}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.found[key]; p != nil {
		return *p
	}
	p := s.match(file, key.shape)
	if p.source == nil && s.other != nil && strings.HasPrefix(file, "/") {
		if text, ok := s.other(file); ok {
			s.add(file, "", text)
			p = s.match(file, key.shape)
		}
	}
	s.found[key] = &p
	return p
}

// match looks for a function of some shape in the sources that the code's file can
// be: those of that name, the longest common path first.
func (s *Sources) match(file string, want shape) (p place) {
	var candidates []*Source
	for _, src := range s.list {
		if rank(src, file) > 0 {
			candidates = append(candidates, src)
		}
	}
	slices.SortStableFunc(candidates, func(a, b *Source) int { return cmp.Compare(rank(b, file), rank(a, file)) })
	for _, src := range candidates {
		if f := src.functions[want]; len(f) > 0 {
			return place{src, f[0]}
		}
	}
	// The text has changed since, or it was compiled without line numbers.
	if len(candidates) == 1 && file != mainName {
		return place{source: candidates[0]}
	}
	return place{}
}

// rank says how well the name of a file in code fits a source; 0 is not at all.
func rank(src *Source, file string) int {
	switch {
	case file == mainName:
		if src.Device == "/flash/main.py" {
			return 1
		}
		return 0
	case file == src.Device:
		return 3
	case strings.HasSuffix(src.Device, "/"+file):
		return 2
	case path.Base(file) == src.Name():
		return 1
	}
	return 0
}

// mentions reports whether a line has a name in it.
func (src *Source) mentions(line int, name string) bool {
	n := 0
	for text := range strings.Lines(string(src.Text)) {
		if n++; n == line {
			return slices.Contains(strings.FieldsFunc(text, func(c rune) bool { return !isName("_" + string(c)) }), name)
		}
	}
	return false
}
