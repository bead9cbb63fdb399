//go:build !windows

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBootLoop types what docs/boot-loop.md says is typed: a module is brought
// into the loop, and out of it in each of three ways.
func TestBootLoop(t *testing.T) {
	t.Parallel()
	sections := consoles(t, "../../docs/boot-loop.md")
	ways := 0
	for title, typed := range sections {
		if !strings.HasPrefix(title, "Way out") {
			continue
		}
		ways++
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			link := filepath.Join(t.TempDir(), "xbee")
			s := serve(t, "../../examples/bootloop", "--state", filepath.Join(t.TempDir(), "state"), "--link", link)
			s.next()
			w := openWire(t, link)
			defer w.f.Close()
			w.replay(sections["How it begins"])
			w.replay(typed)
			// It is over: nothing comes any more.
			w.quiet()
			if got := w.quiet(); got != "" {
				t.Errorf("the module goes on with %.100q", got)
			}
		})
	}
	if ways != 3 {
		t.Errorf("the page shows %d ways out, want 3", ways)
	}
}

// consoles reads the lines of a page's console blocks, by the heading above them.
func consoles(t *testing.T, path string) map[string][]string {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	title, inside := "", false
	for line := range strings.Lines(string(page)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "## "):
			title = strings.TrimPrefix(line, "## ")
		case line == "```console":
			inside = true
		case line == "```":
			inside = false
		case inside:
			found[title] = append(found[title], line)
		}
	}
	return found
}

// replay types the lines of a transcript that are typed, and waits for each of
// the others, with anything in between.
func (w *wire) replay(lines []string) {
	w.t.Helper()
	for _, line := range lines {
		switch {
		case line == "+++":
			// On a busy machine the second of silence may come out too short.
			w.press(line, "OK\r", 1050*time.Millisecond, 3*time.Second)
			w.seen = "OK"
		case line == "(Enter)":
			w.expect("\r", "")
		case line == "^C":
			w.press("\x03", "Traceback (most recent call last):", 0, 20*time.Millisecond)
			w.seen = "Traceback (most recent call last):"
		case strings.HasPrefix(line, "AT"):
			w.expect(line+"\r", "")
		case strings.HasPrefix(line, ">>> "):
			typed := strings.TrimPrefix(line, ">>> ")
			w.expect("", ">>> ")
			w.expect(typed+"\r", typed)
		case line == w.seen:
			w.seen = ""
		default:
			w.expect("", line)
		}
	}
}

// press types something again and again, before and after a pause, until a text
// comes.
func (w *wire) press(keys, want string, before, after time.Duration) {
	w.t.Helper()
	var got []byte
	buf := make([]byte, 1)
	for begin := time.Now(); time.Since(begin) < 30*time.Second; {
		time.Sleep(before)
		if _, err := io.WriteString(w.f, keys); err != nil {
			w.t.Fatal(err)
		}
		for typed := time.Now(); time.Since(typed) < after; {
			w.deadline(after)
			n, err := w.f.Read(buf)
			if got = append(got, buf[:n]...); bytes.HasSuffix(got, []byte(want)) {
				return
			}
			if err != nil {
				break
			}
		}
	}
	w.t.Fatalf("no %q after 30 s of %q", want, keys)
}

// quiet reads until nothing has come for a while, at most a second.
func (w *wire) quiet() string {
	w.t.Helper()
	var got []byte
	buf := make([]byte, 4096)
	for begin := time.Now(); time.Since(begin) < time.Second; {
		w.deadline(300 * time.Millisecond)
		n, err := w.f.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil {
			break
		}
	}
	return string(got)
}

func (w *wire) deadline(d time.Duration) {
	w.f.(interface{ SetReadDeadline(time.Time) error }).SetReadDeadline(time.Now().Add(d))
}
