// Command upstream runs MicroPython's own test suite, which is not part of this
// project, on a reference and on Skep, and prints a table of how many tests give the
// same output, and which do not:
//
//	go run ./internal/hosted/upstream -tests micropython-1.11/tests \
//	    -ref './micropython -X heapsize=1048576' -ours 'skep exec --options full --heap 1048576'
//
// Compared are standard output, standard error without warnings, and exit status. It
// judges no test by itself: what the reference prints is right.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

const defaultDirs = "basics micropython float import io misc extmod stress"

type settings struct {
	tests     string
	ref, ours []string
	env       []string // {dir} stands for the test's directory
	dirs      []string
	timeout   time.Duration
	verbose   bool
}

// outcome is what a program did.
type outcome struct {
	status int
	text   []byte // output, then errors
	skips  bool   // it found that it cannot run
}

func main() {
	var s settings
	ref := flag.String("ref", "", "command of the reference; the test's path is added")
	ours := flag.String("ours", "skep exec --options full --heap 1048576", "command of Skep")
	env := flag.String("env", "MICROPYPATH=", "environment of both; {dir} stands for the test's directory")
	dirs := flag.String("dirs", defaultDirs, "directories of tests")
	flag.StringVar(&s.tests, "tests", "", "directory tests of MicroPython's sources")
	flag.DurationVar(&s.timeout, "timeout", 30*time.Second, "for one test")
	flag.BoolVar(&s.verbose, "v", false, "print where outputs part")
	flag.Parse()
	s.ref, s.ours, s.dirs = strings.Fields(*ref), strings.Fields(*ours), strings.Fields(*dirs)
	s.env = strings.Fields(*env)
	if len(s.ref) == 0 || s.tests == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "upstream: give the reference with -ref and its tests with -tests")
		os.Exit(2)
	}
	if err := s.compare(); err != nil {
		fmt.Fprintln(os.Stderr, "upstream:", err)
		os.Exit(1)
	}
}

// row counts the tests of a directory.
type row struct{ same, differ, skipped, both int }

func (s *settings) compare() error {
	var total row
	fmt.Println("| directory | same | differ | only the reference has the module | skipped by both |\n|---|---|---|---|---|")
	var notes []string
	for _, dir := range s.dirs {
		files, err := filepath.Glob(filepath.Join(s.tests, dir, "*.py"))
		if err != nil || len(files) == 0 {
			return fmt.Errorf("%s: no tests there: give the directory tests of MicroPython's sources", filepath.Join(s.tests, dir))
		}
		slices.Sort(files)
		var r row
		for _, file := range files {
			name := dir + "/" + filepath.Base(file)
			what, note := s.one(name, &r)
			if what != "" {
				notes = append(notes, what+" "+name+note)
			}
		}
		print1(dir, r)
		total.same, total.differ, total.skipped, total.both = total.same+r.same, total.differ+r.differ, total.skipped+r.skipped, total.both+r.both
	}
	print1("**together**", total)
	fmt.Println()
	for _, n := range notes {
		fmt.Println(n)
	}
	return nil
}

func print1(name string, r row) {
	fmt.Printf("| %s | %d | %d | %d | %d |\n", name, r.same, r.differ, r.skipped, r.both)
}

// one compares one test and counts it.
func (s *settings) one(name string, r *row) (what, note string) {
	want, got := s.run(s.ref, name), s.run(s.ours, name)
	switch {
	case want.skips && got.skips:
		r.both++
	case got.skips:
		r.skipped++
		return "skipped", ""
	case got.status != want.status || !bytes.Equal(got.text, want.text) && !s.masked(name, got.text):
		r.differ++
		if s.verbose {
			note = fmt.Sprintf("\n--- reference, status %d\n%s\n--- Skep, status %d\n%s", want.status, want.text, got.status, got.text)
		}
		return "differs", note
	default:
		r.same++
	}
	return "", ""
}

// run runs one test in the directory of the tests.
func (s *settings) run(command []string, name string) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	c := exec.CommandContext(ctx, command[0], append(slices.Clone(command[1:]), name)...)
	c.Dir = s.tests
	c.Env = os.Environ()
	for _, v := range s.env {
		c.Env = append(c.Env, strings.ReplaceAll(v, "{dir}", filepath.Dir(name)))
	}
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	o := outcome{}
	if err := c.Run(); err != nil {
		var status *exec.ExitError
		if !errors.As(err, &status) {
			fmt.Fprintln(os.Stderr, "upstream:", err)
			os.Exit(1)
		}
		o.status = status.ExitCode()
	}
	o.skips = out.String() == "SKIP\n"
	o.text = out.Bytes()
	for line := range bytes.Lines(errs.Bytes()) {
		if !bytes.HasPrefix(line, []byte("Warning:")) {
			o.text = append(o.text, line...)
		}
	}
	// one may find modules by a path and the other beside the test
	o.text = bytes.ReplaceAll(o.text, []byte("File \""+filepath.Dir(name)+"/"), []byte("File \""))
	return o
}

// special are the tests whose expected output is a pattern, since it is never twice
// the same: "########" stands for any lines, and there are regular expressions.
var special = []string{"micropython/meminfo.py"}

func (s *settings) masked(name string, text []byte) bool {
	if !slices.Contains(special, name) {
		return false
	}
	pattern, err := os.ReadFile(filepath.Join(s.tests, name+".exp"))
	if err != nil {
		return false
	}
	var b strings.Builder
	b.WriteString("(?s)^")
	for line := range strings.Lines(string(pattern)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "########" {
			b.WriteString(".*")
			continue
		}
		b.WriteString(asPattern(line) + "\n")
	}
	re, err := regexp.Compile(b.String() + "$")
	return err == nil && re.Match(text)
}

// asPattern turns a line of a pattern, in which \\d\+ and \[0-9a-f\]\+ are such and
// the rest is text, into a regular expression.
func asPattern(line string) string {
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		if line[i] != '\\' || i+1 == len(line) {
			b.WriteString(regexp.QuoteMeta(line[i : i+1]))
			continue
		}
		i++
		if line[i] == '\\' {
			b.WriteByte('\\')
			if i++; i < len(line) {
				b.WriteByte(line[i])
			}
			continue
		}
		b.WriteByte(line[i])
	}
	return b.String()
}
