package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestGuides follows the guides of docs/guides to the letter: each in a directory of its own,
// with one shell for all its commands. What is in a block "console" behind "$ " is typed into the
// shell, and the lines below must be what it prints, where "..." stands for any text or lines. A block
// behind a comment "file: NAME" is a file that the reader makes, one behind "more of: NAME" is
// appended to it. What a guide leaves running it names in files *.pid. A block "pycon" is typed at a module's prompt, whose command a comment
// "prompt: COMMAND" names.
func TestGuides(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the guides are written for a Unix shell")
	}
	guides, err := filepath.Glob("../../docs/guides/*.md")
	if err != nil || len(guides) == 0 {
		t.Fatalf("no guides: %v", err)
	}
	for _, path := range append(guides, "../../docs/testing.md", "../../docs/cloud.md") {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".md"), func(t *testing.T) {
			t.Parallel()
			if strings.Contains(path, "three-nodes") && os.Getenv("SKEP_NATS_SERVER") == "" {
				t.Skip("SKEP_NATS_SERVER does not name a NATS server's program; bash .ci/run cluster installs one")
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, program := range [...]string{"bash", "curl", "openssl"} {
				if _, err := exec.LookPath(program); err != nil && strings.Contains(string(text), program+" ") {
					t.Skipf("the guide needs %s, which is not on this machine; bash .ci/run guides installs it", program)
				}
			}
			followGuide(t, path, string(text))
		})
	}
}

// block is a fenced block of a guide.
type block struct {
	line   int    // of its first line of content
	kind   string // "console", "pycon", "python", ...
	remark string // the comment before it, such as "file: main.py"
	lines  []string
}

var fence = regexp.MustCompile("^```(\\w*)$")

// blocks reads the fenced blocks of a page.
func blocks(text string) []block {
	var all []block
	var open *block
	remark := ""
	for i, line := range strings.Split(text, "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case open != nil && line == "```":
			all = append(all, *open)
			open, remark = nil, ""
		case open != nil:
			open.lines = append(open.lines, line)
		case m != nil:
			open = &block{line: i + 2, kind: m[1], remark: remark}
		case strings.HasPrefix(line, "<!-- ") && strings.HasSuffix(line, " -->"):
			remark = strings.TrimSuffix(strings.TrimPrefix(line, "<!-- "), " -->")
		case line != "":
			remark = ""
		}
	}
	return all
}

func followGuide(t *testing.T, path, text string) {
	sh := newShell(t)
	commands := 0
	for _, b := range blocks(text) {
		verb, arg, _ := strings.Cut(b.remark, ": ")
		content := strings.Join(b.lines, "\n") + "\n"
		at := func(i int) string { return fmt.Sprintf("%s:%d", path, b.line+i) }
		switch {
		case verb == "file" || verb == "more of":
			sh.write(arg, content, verb == "more of")
		case b.kind == "console":
			for i := 0; i < len(b.lines); {
				command, ok := strings.CutPrefix(b.lines[i], "$ ")
				if !ok {
					t.Fatalf("%s: a block begins with a command", at(i))
				}
				from := i
				var want []string
				for i++; i < len(b.lines) && !strings.HasPrefix(b.lines[i], "$ "); i++ {
					want = append(want, b.lines[i])
				}
				compare(t, at(from), command, sh.run(command), strings.Join(want, "\n"))
				commands++
			}
		case b.kind == "pycon":
			if verb != "prompt" {
				t.Fatalf("%s: no comment says whose prompt it is", at(0))
			}
			var typed []string
			for _, line := range b.lines {
				if len(line) >= 4 && (line[:4] == ">>> " || line[:4] == "... ") {
					typed = append(typed, line[4:])
				}
			}
			sh.write(".typed", strings.Join(typed, "\r")+"\r", false)
			got := sh.run(arg + " < .typed")
			if _, after, ok := strings.Cut(got, ">>> "); ok {
				got = ">>> " + after
			}
			compare(t, at(0), arg, strings.TrimSuffix(strings.TrimRight(got, "\n "), "\n>>>"), strings.Join(b.lines, "\n"))
			commands++
		}
	}
	if commands == 0 {
		t.Errorf("%s has no commands", path)
	}
}

// compare wants got to be like want, in which "..." stands for any text, and for any
// number of lines if it is a line.
func compare(t *testing.T, where, command, got, want string) {
	t.Helper()
	var pattern strings.Builder
	for line := range strings.Lines(strings.TrimSpace(want) + "\n") {
		if line == "...\n" {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), `\.\.\.`, `.*`))
	}
	got = strings.TrimSpace(got) + "\n"
	if !regexp.MustCompile(`\A` + pattern.String() + `\z`).MatchString(got) {
		t.Errorf("%s: %s\nprints:\n%s\nthe guide says:\n%s", where, command, got, want)
	}
}

// shell is a shell that runs one command after another.
type shell struct {
	t   *testing.T
	dir string
	in  io.Writer
	out chan string // its lines
}

// shellLimit is how long one command of a guide may take.
const shellLimit = 3 * time.Minute

func newShell(t *testing.T) *shell {
	s := &shell{t: t, dir: t.TempDir(), out: make(chan string, 10000)}
	c := exec.Command("bash", "--norc", "--noprofile")
	c.Dir = s.dir
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(examples, filepath.Join(s.dir, "examples")); err != nil {
		t.Fatal(err)
	}
	c.Env = append(os.Environ(), "HOME="+filepath.Join(s.dir, ".home"), "XDG_STATE_HOME="+filepath.Join(s.dir, ".state"), "TERM=dumb")
	if nats := os.Getenv("SKEP_NATS_SERVER"); nats != "" {
		c.Env = append(c.Env, "PATH="+filepath.Dir(nats)+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stdout, c.Stderr = w, w
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.in = in
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	go func() {
		defer close(s.out)
		for lines := bufio.NewReader(r); ; {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			s.out <- line
		}
	}()
	t.Cleanup(func() {
		if logs, _ := filepath.Glob(filepath.Join(s.dir, "*.log")); t.Failed() {
			for _, path := range logs {
				text, _ := os.ReadFile(path)
				t.Logf("%s:\n%s", filepath.Base(path), text)
			}
		}
		// Only what runs: the number of a job that has ended may be another process by now. What
		// scripts have left behind is named in files; until it has ended it writes into the directory.
		fmt.Fprintln(s.in, "kill $(jobs -rp) $(cat *.pid 2>/dev/null) 2>/dev/null; wait")
		fmt.Fprintln(s.in, "for i in {1..300}; do kill -0 $(cat *.pid 2>/dev/null) 2>/dev/null || break; sleep 0.1; done; exit")
		in.Close()
		c.Wait()
		r.Close()
	})
	return s
}

// run types a command and gives what it has printed. Status other than 0 is told in
// a last line.
func (s *shell) run(command string) string {
	s.t.Helper()
	const end = "the command has ended, with status "
	// What reads its input must not read the next command.
	fmt.Fprintf(s.in, "{ %s\n} </dev/null\n{ s=$?; echo; echo '%s'$s; }\n", command, end)
	limit := time.After(shellLimit)
	var got strings.Builder
	for {
		select {
		case line, ok := <-s.out:
			if !ok {
				s.t.Fatalf("%s: the shell has ended; it printed %s", command, got.String())
			}
			status, ok := strings.CutPrefix(line, end)
			if !ok {
				got.WriteString(strings.ReplaceAll(line, "\r\n", "\n"))
				continue
			}
			text := strings.TrimSuffix(got.String(), "\n")
			if status = strings.TrimSpace(status); status != "0" {
				text += "(exit status " + status + ")\n"
			}
			return text
		case <-limit:
			s.t.Fatalf("%s: takes more than %v; it printed %s", command, shellLimit, got.String())
		}
	}
}

// write makes a file of the guide.
func (s *shell) write(name, content string, more bool) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if more {
		flags = os.O_APPEND | os.O_WRONLY
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(content); err != nil {
		s.t.Fatal(err)
	}
}
