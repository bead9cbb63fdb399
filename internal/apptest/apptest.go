// Package apptest runs the tests of an application inside virtual modules: each file
// of tests on a module of its own that has just been started, with the application's
// files on its flash, a virtual clock, and a world of which the file itself says what
// happens in it. So a test sees the memory, the limits and the errors of the module,
// and gives the same result every time.
//
// It is handed files and hands back results: it reads no directories, and prints
// nothing.
package apptest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/compiler"
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/profile"
	"github.com/skep-sim/skep/internal/xbee/script"
)

// Config is what all files of tests have in common.
type Config struct {
	Profile   *profile.Profile
	HeapBytes int         // 0: the profile's
	Features  *vm.Options // as in xbee.Config
	Firmware  *xbee.Firmware
	Seed      uint64
	// Timeout is how long a test may take on the module's clock.
	Timeout time.Duration
	// Files are the application's, as they lie on the flash, and Sources its sources
	// by the file names that tracebacks have.
	Files   []flash.HostFile
	Sources map[string]Source
	// Bundle are the paths below /flash of modules to bundle before the first test.
	Bundle []string
	// Match decides which tests are run, by file and name (nil: all).
	Match func(file, name string) bool
}

// Source is a source file of the application.
type Source struct {
	Path string // for messages
	Text []byte
}

// File is a file of tests.
type File struct {
	Path   string // for messages
	Text   []byte
	Script string // a script of the world beside it; "" is none
	// Files are more for its flash, Network its way out (nil: none), and Start the
	// time at which its clock begins (zero: that of every virtual clock).
	Files   []flash.HostFile
	Network func(clock world.Clock) world.Network
	Start   time.Time
}

// Name is the module that the file is on the device.
func (f *File) Name() string { return strings.TrimSuffix(path.Base(f.Path), ".py") }

// Outcome is what came of a test.
type Outcome string

// The outcomes.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped"
)

// Frame is a line of a traceback, as far as it can be told where its source is.
type Frame struct {
	File string `json:"file"`
	Line int    `json:"line"`
	In   string `json:"in,omitempty"`
	Text string `json:"text,omitempty"` // of the line
}

// Result is what came of a test.
type Result struct {
	Name    string  `json:"name"`
	Line    int     `json:"line,omitempty"`
	Outcome Outcome `json:"outcome"`
	// Reason is why it failed, or was skipped.
	Reason string  `json:"reason,omitempty"`
	Trace  []Frame `json:"trace,omitempty"` // the outermost call first
	Output string  `json:"output,omitempty"`
	Time   float64 `json:"seconds"` // on the module's clock
	// Before is what of the heap was in use before the test, Peak the most during it
	// (garbage that was not collected yet is in it), Left how much more after it and a
	// collection: all in bytes. Heap is all there is.
	Before int `json:"before"`
	Peak   int `json:"peak"`
	Left   int `json:"left"`
	Heap   int `json:"heap"`
}

// Report is what came of a file.
type Report struct {
	File  string   `json:"file"`
	Tests []Result `json:"tests"`
	// Notes are remarks of the module: why it refused something.
	Notes []string `json:"notes,omitempty"`
}

// Count counts the tests with an outcome.
func (r *Report) Count(o Outcome) (n int) {
	for _, t := range r.Tests {
		if t.Outcome == o {
			n++
		}
	}
	return n
}

// loading is the name under which a file that cannot be loaded fails.
const loading = "(loading)"

// test is a test function as its source has it.
type test struct {
	name   string
	line   int
	expect string // the exception, or reset, that it is to end with
	skip   string // why it is not run
	skips  bool
	script *script.Script
	done   bool
}

var (
	defLine   = regexp.MustCompile(`^def[ \t]+(\w+)[ \t]*\(`)
	worldLine = regexp.MustCompile(`^\s*#[ \t]*world:(.*)$`)
	expecting = regexp.MustCompile(`#[ \t]*expect:[ \t]*(\w+)`)
	skipping  = regexp.MustCompile(`#[ \t]*skip\b:?[ \t]*(.*)$`)
)

// plan finds the tests of a file, in their order, and the script of its world.
func (f *File) plan() (tests []*test, all *script.Script, err error) {
	var scripts []string // of the file, then of each test
	var current *test
	texts := map[*test][]string{}
	for i, line := range strings.Split(string(f.Text), "\n") {
		line = strings.TrimSuffix(line, "\r")
		switch {
		case worldLine.MatchString(line):
			text := worldLine.FindStringSubmatch(line)[1]
			// The lines before are empty, so that an error names the line of this file.
			if current == nil {
				scripts = at(scripts, i, text)
			} else {
				texts[current] = at(texts[current], i, text)
			}
		case defLine.MatchString(line):
			current = nil
			if name := defLine.FindStringSubmatch(line)[1]; strings.HasPrefix(name, "test_") {
				current = &test{name: name, line: i + 1}
				if m := expecting.FindStringSubmatch(line); m != nil {
					current.expect = m[1]
				}
				if m := skipping.FindStringSubmatch(line); m != nil {
					current.skips, current.skip = true, m[1]
				}
				tests = append(tests, current)
			}
		case line != "" && !strings.ContainsAny(line[:1], " \t#)"):
			current = nil
		}
	}
	var wrong []error
	parse := func(name string, lines []string) *script.Script {
		if lines == nil {
			return nil
		}
		s, err := script.Parse(name, strings.Join(lines, "\n"))
		wrong = append(wrong, err)
		return s
	}
	for _, t := range tests {
		t.script = parse(f.Path, texts[t])
	}
	all = parse(f.Path, scripts)
	if f.Script != "" {
		if all != nil {
			wrong = append(wrong, fmt.Errorf("%s has lines with # world:, and a script beside it: use one of them", f.Path))
		}
		all = parse(strings.TrimSuffix(f.Path, ".py")+".script", strings.Split(f.Script, "\n"))
	}
	return tests, all, errors.Join(wrong...)
}

// at puts a text into line i, from 0.
func at(lines []string, i int, text string) []string {
	for len(lines) < i {
		lines = append(lines, "")
	}
	return append(lines, text)
}

// Run runs the tests of a file. The error is one of the host's; what is wrong with the
// file or the application is a result.
func Run(c Config, f File) (*Report, error) {
	r := &runner{conf: c, file: f, report: &Report{File: f.Path, Tests: []Result{}}}
	var all *script.Script
	var err error
	r.tests, all, err = f.plan()
	if !r.pick() {
		return r.report, nil
	}
	if err != nil {
		r.cannot(err.Error())
		return r.report, nil
	}
	m, err := compiler.Compile(f.Text, path.Base(f.Path), compiler.CrossOptions(c.Profile.MpyVersion.Value))
	if err != nil {
		r.cannot(path.Join(path.Dir(f.Path), err.Error()))
		return r.report, nil
	}
	code, err := mpy.Write(m)
	if err != nil {
		return nil, err
	}
	if r.flash, err = flash.Open(flash.NewMemory()); err != nil {
		return nil, err
	}
	files := append(append(append([]flash.HostFile{}, c.Files...), f.Files...), flash.HostFile{Path: f.Name() + ".mpy", Data: code})
	if _, err := r.flash.Lay(files); err != nil {
		return nil, fmt.Errorf("%s: laying out its flash: %w", f.Path, err)
	}
	start := f.Start
	if start.IsZero() {
		start = world.VirtualStart
	}
	clock := world.NewVirtualClock(start)
	r.world = world.Virtual(c.Seed).WithClock(clock)
	if f.Network != nil {
		r.world = r.world.WithNetwork(f.Network(clock))
	} else {
		clock.SetPatience(nobody)
	}
	r.boots(all)
	return r.report, nil
}

// nobody is how much of its own time the host is given for events of a world in which
// there is nobody.
const nobody = time.Microsecond

// runner runs the tests of a file.
type runner struct {
	conf   Config
	file   File
	report *Report
	tests  []*test
	flash  *flash.Device
	world  world.World
	out    bytes.Buffer
	device *xbee.Device
	stage  *test // the test that runs; nil: none
	began  time.Duration
	heap   meter
}

// pick leaves the tests that are to be run, and reports whether there are any.
func (r *runner) pick() bool {
	var picked []*test
	for _, t := range r.tests {
		if r.conf.Match == nil || r.conf.Match(r.file.Path, t.name) {
			picked = append(picked, t)
		}
	}
	r.tests = picked
	return len(picked) > 0
}

// cannot is a file that cannot be run.
func (r *runner) cannot(why string) {
	r.report.Tests = append(r.report.Tests, Result{Name: loading, Outcome: Failed, Reason: why})
}

func (r *runner) next() *test {
	for _, t := range r.tests {
		if !t.done {
			return t
		}
	}
	return nil
}

// boots starts the module, again when a test has reset it, until there are no more
// tests.
func (r *runner) boots(all *script.Script) {
	if len(r.conf.Bundle) > 0 {
		r.out.Reset()
		if err := r.boot(nil, r.bundle); err != nil && !errors.Is(err, xbee.ErrReset) {
			r.cannot("bundling: " + err.Error())
			return
		}
	}
	for r.next() != nil {
		r.out.Reset()
		before := len(r.report.Tests)
		err := r.boot(all, r.session)
		if err != nil {
			r.ended(err)
		}
		if len(r.report.Tests) == before { // it never came as far as a test
			r.cannot("the module's interpreter could not be started: " + errText(err))
			return
		}
	}
}

func errText(err error) string {
	if err == nil {
		return "nothing happened"
	}
	return err.Error()
}

func (r *runner) boot(play *script.Script, f func(v *vm.VM)) error {
	silent, _ := io.Pipe() // nobody types, and nobody hangs up
	r.device = xbee.New(xbee.Config{
		Profile: r.conf.Profile, World: r.world.WithSerial(world.Console(silent, &r.out)), Flash: r.flash, Serial: r.conf.Seed + 1,
		HeapBytes: r.conf.HeapBytes, Features: r.conf.Features, Firmware: r.conf.Firmware, Settings: []string{"AP4"},
		Note: func(text string) { r.report.Notes = append(r.report.Notes, text) },
	})
	if play != nil {
		r.device.Play(play)
	}
	return r.device.Session(f)
}

// bundle has the module bundle modules, which resets it.
func (r *runner) bundle(v *vm.VM) {
	uos := v.Import("uos")
	var paths []vm.Value
	for _, p := range r.conf.Bundle {
		paths = append(paths, v.StaticStr(flash.Root+"/"+p))
	}
	v.Call(v.LoadAttr(uos, v.Intern("bundle")), paths, nil)
}
