package hosted_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/vm"
)

// recording is a line of testdata/index.tsv.
type recording struct {
	name, category, binary string
	level                  int
	heap                   int // 0: the default
	exit                   int
	bare                   string // same, differs, or -
	mpy                    bool   // there is a .mpy of version 4
}

var recordings = sync.OnceValues(func() ([]recording, error) {
	text, err := os.ReadFile("testdata/index.tsv")
	if err != nil {
		return nil, err
	}
	var all []recording
	for n, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		f := strings.Split(line, "\t")
		if len(f) != 9 {
			return nil, fmt.Errorf("index.tsv:%d: %d fields", n+2, len(f))
		}
		r := recording{name: f[0], category: f[1], binary: f[2], bare: f[6], mpy: strings.Contains(f[7], "4")}
		if l, ok := strings.CutPrefix(f[3], "-O"); ok {
			r.level, err = strconv.Atoi(l)
		}
		if f[4] != "default" && err == nil {
			r.heap, err = strconv.Atoi(f[4])
		}
		if err == nil {
			r.exit, err = strconv.Atoi(f[5])
		}
		if err != nil {
			return nil, fmt.Errorf("index.tsv:%d: %w", n+2, err)
		}
		all = append(all, r)
	}
	return all, nil
})

// known is what does not match its recording yet, by run and program, with
// the cause.
var known = sync.OnceValues(func() (map[string]string, error) {
	text, err := os.ReadFile("testdata/known.tsv")
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for n, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		f := strings.Split(line, "\t")
		if len(f) != 3 || f[2] == "" {
			return nil, fmt.Errorf("known.tsv:%d: want run, program and cause", n+2)
		}
		all[f[0]+"/"+f[1]] = f[2]
	}
	return all, nil
})

// sourceOf reads a program. Those that compile are beside the compiler.
func sourceOf(name string) ([]byte, error) {
	src, err := os.ReadFile("../compiler/testdata/programs/" + name)
	if err != nil {
		src, err = os.ReadFile("testdata/programs/" + name)
	}
	return src, err
}

// stepLimit stops a program that would not end; the longest needs a hundredth.
const stepLimit = 200_000_000

var (
	fullFirmware = sync.OnceValue(func() *vm.Firmware { return hosted.NewFirmware(hosted.Full()) })
	bareFirmware = sync.OnceValue(func() *vm.Firmware { return hosted.NewFirmware(hosted.Bare()) })
)

// run runs a program and gives its output, its exit status and what went wrong
// with the interpreter itself.
func run(fw *vm.Firmware, r recording, src []byte, file string) (out []byte, status int, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	heap := r.heap
	if heap == 0 {
		heap = 1 << 20
	}
	var stdout, stderr bytes.Buffer
	var path []string
	if fw.Options.StdFiles == vm.HostFiles {
		path = hosted.FullPath()
	}
	status = hosted.RunOn(fw, hosted.Config{
		HeapBytes: heap, OptLevel: r.level, Path: path, Stdout: &stdout, Stderr: &stderr, StepLimit: stepLimit,
	}, src, file, nil)
	for line := range bytes.Lines(stderr.Bytes()) {
		if !bytes.HasPrefix(line, []byte("Warning:")) {
			stdout.Write(line)
		}
	}
	return stdout.Bytes(), status, nil
}

// firstDifference describes where two outputs part.
func firstDifference(got, want []byte) string {
	g, w := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range max(len(g), len(w)) {
		switch {
		case i >= len(g):
			return fmt.Sprintf("line %d: ends, want %q", i+1, w[i])
		case i >= len(w):
			return fmt.Sprintf("line %d: %q, want the end", i+1, g[i])
		case !bytes.Equal(g[i], w[i]):
			at := 0
			for at < len(g[i]) && at < len(w[i]) && g[i][at] == w[i][at] {
				at++
			}
			from := max(0, at-40)
			return fmt.Sprintf("line %d, column %d:\n got %q\nwant %q", i+1, at+1, clip(g[i][from:]), clip(w[i][from:]))
		}
	}
	return ""
}

func clip(b []byte) []byte { return b[:min(len(b), 120)] }

// tally counts what a test's programs did. A program that is known to differ
// must differ.
type tally struct {
	run         string
	same, other int
}

func (c *tally) check(t *testing.T, name, difference string) {
	t.Helper()
	list, err := known()
	if err != nil {
		t.Fatal(err)
	}
	cause, listed := list[c.run+"/"+name]
	switch {
	case difference == "" && listed:
		t.Errorf("it matches: take %s %s (%s) out of testdata/known.tsv", c.run, name, cause)
	case difference == "":
		c.same++
	case listed:
		c.other++
		t.Logf("known: %s: %s", cause, difference)
	default:
		c.other++
		t.Error(difference)
	}
}

func (c *tally) report(t *testing.T) {
	t.Logf("%s: %d of %d programs match", c.run, c.same, c.same+c.other)
}

func allRecordings(t *testing.T) []recording {
	t.Helper()
	all, err := recordings()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 150 {
		t.Fatalf("%d recordings", len(all))
	}
	return all
}

// compareProgram runs one recorded program from source.
func compareProgram(t *testing.T, c *tally, fw *vm.Firmware, r recording, expected string, status bool) {
	src, err := sourceOf(r.name + ".py")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(expected)
	if err != nil {
		t.Fatal(err)
	}
	got, exit, err := run(fw, r, src, r.name+".py")
	difference := firstDifference(got, want)
	if err != nil {
		difference = err.Error()
	} else if difference == "" && status && exit != r.exit {
		difference = fmt.Sprintf("exit status %d, want %d", exit, r.exit)
	}
	c.check(t, r.name, difference)
}

// TestFull compares with the reference that has nearly every feature.
func TestFull(t *testing.T) {
	c := &tally{run: "full"}
	for _, r := range allRecordings(t) {
		if r.binary != "m32xbee" {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			compareProgram(t, c, fullFirmware(), r, filepath.Join("testdata", "expected", r.name+".out"), true)
		})
	}
	c.report(t)
}

// TestBare compares with the reference that is built as a small board's.
func TestBare(t *testing.T) {
	c := &tally{run: "bare"}
	for _, r := range allRecordings(t) {
		dir := map[string]string{"same": "expected", "differs": "expected_bare"}[r.bare]
		if dir == "" {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			compareProgram(t, c, bareFirmware(), r, filepath.Join("testdata", dir, r.name+".out"), false)
		})
	}
	c.report(t)
}

// TestMpy runs the cross-compiled programs: they must print what their source
// prints, but for a few floating-point constants, which are text of the compiler's
// own in a .mpy file (testdata/expected_mpy). Memory programs differ: that is what
// .mpy files are for.
func TestMpy(t *testing.T) {
	c := &tally{run: "mpy"}
	for _, r := range allRecordings(t) {
		if !r.mpy || r.category == "mem" {
			continue
		}
		t.Run(r.name, func(t *testing.T) { compareMpy(t, c, r) })
	}
	c.report(t)
}

func compareMpy(t *testing.T, c *tally, r recording) {
	src, err := sourceOf(r.name + ".py")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("../mpy/testdata/mpy/" + r.name + ".v4.mpy")
	if err != nil {
		t.Fatal(err)
	}
	want, wantStatus, srcErr := run(fullFirmware(), r, src, r.name+".py")
	if recorded, err := os.ReadFile("testdata/expected_mpy/" + r.name + ".out"); err == nil {
		want = recorded
	}
	got, status, err := run(fullFirmware(), r, code, r.name+".mpy")
	difference := firstDifference(got, want)
	switch {
	case err != nil:
		difference = err.Error()
	case srcErr != nil:
		difference = "from source: " + srcErr.Error()
	case difference == "" && status != wantStatus:
		difference = fmt.Sprintf("exit status %d, from source %d", status, wantStatus)
	}
	c.check(t, r.name, difference)
}

// TestKnown wants the list of known differences to name programs.
func TestKnown(t *testing.T) {
	list, err := known()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, r := range allRecordings(t) {
		names[r.name] = true
	}
	for key := range list {
		run, name, _ := strings.Cut(key, "/")
		if !names[name] || !strings.Contains(" full bare mpy prompt full12 bare12 mpy12 prompt12 ", " "+run+" ") {
			t.Errorf("known.tsv: there is no %s %s", run, name)
		}
	}
}
