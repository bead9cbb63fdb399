package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/skep-sim/skep/internal/apptest"
	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// testCmd is skep test.
type testCmd struct {
	profileFlags
	K       string        `short:"k" help:"Run only tests whose file or name contains a text; several words: any of them." placeholder:"TEXT"`
	Verbose bool          `short:"v" help:"List every test, with its memory, and what passed ones printed."`
	Jobs    int           `short:"j" help:"How many files at a time. Default: one for each processor." placeholder:"N"`
	Timeout time.Duration `help:"How long a test may take on the module's clock." default:"10m" placeholder:"TIME"`
	Bundle  bool          `help:"Bundle the application's modules first, as its start-up code does: they take less of the heap then."`
	Heap    int           `help:"Bytes of the raw heap region. Default: the firmware's." placeholder:"BYTES"`
	Options string        `help:"Optional features and error wording of the interpreter: xbee, full or bare." enum:"xbee,full,bare" default:"xbee"`
	Cloud   string        `help:"local: an application with a thing in skep.toml has a local AWS IoT of its own in each file of tests; off: it has none." enum:"local,off" default:"local"`
	Seed    uint64        `help:"Seed of everything random." default:"1"`
	JUnit   string        `name:"junit" help:"Write the results as JUnit XML, too." placeholder:"FILE"`
	JSON    bool          `name:"json" help:"Print the results as JSON."`

	Path []string `arg:"" optional:"" help:"The application's directory, or files of tests in it. Default: this directory."`
}

func (t *testCmd) Help() string {
	return "Example:\n  skep test examples/tracker -v\n  skep test -k shadow --junit results.xml\n\n" +
		"Runs every function test_* in the files test_*.py of the directory and of its tests, each\n" +
		"file on a virtual module of its own that has just started: the application's modules on its\n" +
		"flash, its memory, a clock that costs no time, no network. setup and teardown are called\n" +
		"around each test, setup_module and teardown_module around a file.\n\n" +
		"  # world: at 5s press D0    what happens around the module, in the file or in a test\n" +
		"  def test_x():  # expect: ValueError    (or: reset)\n" +
		"  def test_y():  # skip: why\n\n" +
		"The exit status is 1 if a test has failed. See docs/testing.md."
}

// tested is an application and the files of tests in it.
type tested struct {
	app   *app.App
	conf  apptest.Config
	files []apptest.File
}

func (t *testCmd) Run() error {
	if t.Jobs < 0 || t.Timeout <= 0 {
		return errors.New("-j and --timeout: give more than nothing")
	}
	if err := checkHeap(t.Heap); err != nil {
		return err
	}
	a, only, err := t.where()
	if err != nil {
		return err
	}
	set, err := t.gather(a, only)
	if err != nil {
		return err
	}
	var junit *os.File
	if t.JUnit != "" { // before the tests, which may take long
		if junit, err = os.Create(t.JUnit); err != nil {
			return fmt.Errorf("--junit: %w", explainCreate(err, t.JUnit))
		}
		defer junit.Close()
	}
	begin := time.Now()
	reports, err := t.all(set)
	if err != nil {
		return err
	}
	s := sum(reports)
	if s.passed+s.failed+s.skipped == 0 {
		what := "no function test_* in " + a.Dir
		if t.K != "" {
			what = "no test with " + t.K + " in its name"
		}
		return fmt.Errorf("%s: write one into tests/test_NAME.py (skep test --help)", what)
	}
	if junit != nil {
		if err := writeJUnit(junit, reports); err != nil {
			return fmt.Errorf("--junit: %w", err)
		}
	}
	if t.JSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		if err := e.Encode(s.object(reports)); err != nil {
			return err
		}
	} else if _, err := fmt.Printf("%s, in %d %s (%.1f s)\n", s, len(reports), plural(len(reports), "file", "files"), time.Since(begin).Seconds()); err != nil {
		return err
	}
	if s.failed > 0 {
		return exitStatus(1)
	}
	return nil
}

// where opens the application, and tells which files of tests were named.
func (t *testCmd) where() (a *app.App, only []string, err error) {
	dir := ""
	for _, p := range t.Path {
		st, err := os.Stat(p)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: give the directory that holds main.py, or a file of tests in it", err)
		}
		d := p
		if !st.IsDir() {
			if !isTests(filepath.Base(p)) {
				return nil, nil, fmt.Errorf("%s is no file of tests: they are called test_NAME.py", p)
			}
			only = append(only, filepath.Clean(p))
			if d = filepath.Dir(p); filepath.Base(d) == "tests" {
				d = filepath.Dir(d)
			}
		}
		if dir != "" && filepath.Clean(dir) != filepath.Clean(d) {
			return nil, nil, fmt.Errorf("%s and %s are different applications: test one at a time", dir, d)
		}
		dir = d
	}
	if dir == "" {
		dir = "."
	}
	a, err = app.Open(dir)
	return a, only, err
}

func isTests(name string) bool {
	return strings.HasPrefix(name, "test_") && strings.HasSuffix(name, ".py")
}

// gather reads the application and its tests.
func (t *testCmd) gather(a *app.App, only []string) (*tested, error) {
	p, err := t.findFor(a)
	if err != nil {
		return nil, err
	}
	f := deviceFlags{Options: t.Options}
	set := &tested{app: a, conf: apptest.Config{
		Profile: &p, HeapBytes: t.Heap, Features: f.features(), Seed: t.Seed, Timeout: t.Timeout, Sources: map[string]apptest.Source{}, Match: t.match,
	}}
	set.conf.Firmware = xbee.NewFirmware(p, set.conf.Features)
	if err := t.application(set, p); err != nil {
		return nil, err
	}
	for _, sub := range []string{"", "tests"} {
		entries, err := os.ReadDir(filepath.Join(a.Dir, sub))
		if err != nil && !(sub != "" && errors.Is(err, os.ErrNotExist)) {
			return nil, err
		}
		for _, e := range entries {
			name := filepath.Join(a.Dir, sub, e.Name())
			switch {
			case e.IsDir() || !strings.HasSuffix(e.Name(), ".py"):
			case isTests(e.Name()) && (only == nil || slices.Contains(only, filepath.Clean(name))):
				err = set.add(name)
			case sub != "" && !isTests(e.Name()):
				err = set.helper(name)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	if len(set.files) == 0 {
		return nil, fmt.Errorf("%s has no tests: write functions test_* into tests/test_NAME.py (skep test --help)", a.Dir)
	}
	return set, nil
}

// application adds the files of the application itself.
func (t *testCmd) application(set *tested, p profile.Profile) error {
	files, err := set.app.Files(p.MpyVersion.Value)
	if err != nil {
		return err
	}
	for _, f := range files {
		if isTests(path.Base(strings.TrimSuffix(f.Path, path.Ext(f.Path))+".py")) || strings.HasPrefix(f.Path, "tests/") {
			continue
		}
		set.conf.Files = append(set.conf.Files, flash.HostFile{Path: f.Path, Data: f.Data, Secure: f.Secure})
		if t.Bundle && strings.HasSuffix(f.Path, ".mpy") && f.Path != "main.mpy" {
			set.conf.Bundle = append(set.conf.Bundle, f.Path)
		}
	}
	sources, err := set.app.Sources()
	if err != nil {
		return err
	}
	for _, f := range sources {
		if strings.HasSuffix(f.Path, ".py") {
			set.conf.Sources[path.Base(f.Path)] = apptest.Source{Path: f.From, Text: f.Data}
		}
	}
	return nil
}

// add adds a file of tests, with the script beside it.
func (s *tested) add(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	play, err := os.ReadFile(strings.TrimSuffix(name, ".py") + ".script")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	s.files = append(s.files, apptest.File{Path: filepath.ToSlash(name), Text: text, Script: string(play)})
	return nil
}

// helper adds a module of the directory tests that its files import.
func (s *tested) helper(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	base := filepath.Base(name)
	for _, f := range s.conf.Files {
		if strings.TrimSuffix(f.Path, path.Ext(f.Path)) == strings.TrimSuffix(base, ".py") {
			return fmt.Errorf("%s has the name of the application's %s: call it something else", name, f.Path)
		}
	}
	s.conf.Files = append(s.conf.Files, flash.HostFile{Path: base, Data: text})
	s.conf.Sources[base] = apptest.Source{Path: filepath.ToSlash(name), Text: text}
	return nil
}

// match tells whether a test is to be run.
func (t *testCmd) match(file, name string) bool {
	words := strings.Fields(t.K)
	return len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(file, w) || strings.Contains(name, w) })
}

// all runs all files, several at a time, and prints what comes of them in their order.
func (t *testCmd) all(set *tested) ([]*apptest.Report, error) {
	jobs := t.Jobs
	if jobs == 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	reports, errs := make([]*apptest.Report, len(set.files)), make([]error, len(set.files))
	done := make([]chan struct{}, len(set.files))
	turn := make(chan struct{}, jobs)
	var all sync.WaitGroup
	for i := range set.files {
		done[i] = make(chan struct{})
		all.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn; close(done[i]) }()
			reports[i], errs[i] = t.file(set, set.files[i])
		})
	}
	for i := range set.files {
		<-done[i]
		if errs[i] != nil {
			break
		}
		if !t.JSON {
			t.print(os.Stdout, reports[i])
		}
	}
	all.Wait()
	return slices.DeleteFunc(reports, func(r *apptest.Report) bool { return r == nil || len(r.Tests) == 0 }), errors.Join(errs...)
}

// file runs a file of tests, with a cloud of its own if the application has a thing.
func (t *testCmd) file(set *tested, f apptest.File) (r *apptest.Report, err error) {
	if conf := set.app.Config.Cloud; conf.Thing != "" && t.Cloud == "local" {
		dir, err := os.MkdirTemp("", "skep-test-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		link, err := newCloudLink("skep test", io.Discard)
		if err != nil {
			return nil, err
		}
		link.dir = dir
		defer link.abandon()
		certs, err := link.prepare(conf, nil) // that cloud is new: no certificate is of it
		if err != nil {
			return nil, err
		}
		have := map[string]bool{}
		for _, h := range set.conf.Files {
			have[h.Path] = true
		}
		f.Files = slices.DeleteFunc(hostFiles(certs), func(h flash.HostFile) bool { return have[h.Path] })
		f.Network = func(c world.Clock) world.Network { return link.network(world.NoNetwork(), world.HostNetwork(c)) }
		f.Start = time.Now().UTC() // the certificates are of today
	}
	return apptest.Run(set.conf, f)
}

// print shows what came of a file.
func (t *testCmd) print(w io.Writer, r *apptest.Report) {
	if len(r.Tests) == 0 {
		return
	}
	state := "ok  "
	if r.Count(apptest.Failed) > 0 {
		state = "FAIL"
	}
	fmt.Fprintf(w, "%s %s  %s\n", state, r.File, sum([]*apptest.Report{r}))
	for _, res := range r.Tests {
		if res.Outcome == apptest.Failed || t.Verbose {
			printResult(w, res, t.Verbose)
		}
	}
	if r.Count(apptest.Failed) > 0 || t.Verbose {
		for _, n := range r.Notes {
			fmt.Fprintf(w, "     note: %s\n", n)
		}
	}
}

func printResult(w io.Writer, r apptest.Result, verbose bool) {
	fmt.Fprintf(w, "     %-7s %s", r.Outcome, r.Name)
	if r.Heap > 0 {
		fmt.Fprintf(w, "  %.3f s, heap %d -> %d of %d", r.Time, r.Before, r.Peak, r.Heap)
		if r.Left > 0 {
			fmt.Fprintf(w, ", leaves %d", r.Left)
		}
	}
	if r.Outcome == apptest.Skipped && r.Reason != "" {
		fmt.Fprintf(w, ": %s", r.Reason)
	}
	fmt.Fprintln(w)
	if r.Outcome == apptest.Failed {
		for _, f := range r.Trace {
			fmt.Fprintf(w, "       %s\n", frameText(f))
		}
		fmt.Fprintf(w, "       %s\n", strings.ReplaceAll(r.Reason, "\n", "\n       "))
	}
	if r.Output != "" && (r.Outcome == apptest.Failed || verbose) {
		for line := range strings.Lines(r.Output) {
			fmt.Fprintf(w, "       | %s\n", strings.TrimRight(line, "\n"))
		}
	}
}

func frameText(f apptest.Frame) string {
	text := fmt.Sprintf("%s:%d", f.File, f.Line)
	if f.In != "" {
		text += " in " + f.In
	}
	if f.Text != "" {
		text += ": " + f.Text
	}
	return text
}

// totals counts tests by their outcome.
type totals struct{ passed, failed, skipped int }

func sum(reports []*apptest.Report) (s totals) {
	for _, r := range reports {
		s.passed += r.Count(apptest.Passed)
		s.failed += r.Count(apptest.Failed)
		s.skipped += r.Count(apptest.Skipped)
	}
	return s
}

func (s totals) String() string {
	text := fmt.Sprintf("%d passed", s.passed)
	if s.failed > 0 {
		text += fmt.Sprintf(", %d failed", s.failed)
	}
	if s.skipped > 0 {
		text += fmt.Sprintf(", %d skipped", s.skipped)
	}
	return text
}

// object is all results as JSON has them.
func (s totals) object(reports []*apptest.Report) any {
	return struct {
		Passed  int               `json:"passed"`
		Failed  int               `json:"failed"`
		Skipped int               `json:"skipped"`
		Files   []*apptest.Report `json:"files"`
	}{s.passed, s.failed, s.skipped, reports}
}

// The form of JUnit's results that build servers read.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr,omitempty"`
		Time    string        `xml:"time,attr"`
		Failure *junitMessage `xml:"failure,omitempty"`
		Skipped *junitMessage `xml:"skipped,omitempty"`
		Output  string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes the results and closes the file.
func writeJUnit(f *os.File, reports []*apptest.Report) error {
	var all junitSuites
	for _, r := range reports {
		s := junitSuite{Name: r.File, Tests: len(r.Tests), Failures: r.Count(apptest.Failed), Skipped: r.Count(apptest.Skipped)}
		total := 0.0
		class := strings.ReplaceAll(strings.TrimSuffix(r.File, ".py"), "/", ".")
		for _, t := range r.Tests {
			total += t.Time
			c := junitCase{Name: t.Name, Class: class, File: r.File, Line: t.Line, Time: fmt.Sprintf("%.3f", t.Time), Output: printable(t.Output)}
			switch t.Outcome {
			case apptest.Failed:
				text := ""
				for _, f := range t.Trace {
					text += frameText(f) + "\n"
				}
				c.Failure = &junitMessage{printable(t.Reason), printable(text + t.Reason)}
			case apptest.Skipped:
				c.Skipped = &junitMessage{Message: printable(t.Reason)}
			}
			s.Cases = append(s.Cases, c)
		}
		s.Time = fmt.Sprintf("%.3f", total)
		all.Suites = append(all.Suites, s)
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = f.Write(append([]byte(xml.Header), append(text, '\n')...))
	return errors.Join(err, f.Close())
}

// printable takes out what XML cannot hold.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\n' && c != '\t' {
			return '\uFFFD'
		}
		return c
	}, s)
}
