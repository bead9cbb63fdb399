package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestMasked compares outputs with an expected one that is a pattern.
func TestMasked(t *testing.T) {
	s := settings{tests: t.TempDir()}
	dir := filepath.Join(s.tests, "micropython")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	pattern := "mem: total=\\\\d\\+, x\n########\nQ(SKIP)\nlayout from \\[0-9a-f\\]\\+:\n"
	if err := os.WriteFile(filepath.Join(dir, "meminfo.py.exp"), []byte(pattern), 0o644); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"mem: total=12, x\na\nb\nQ(SKIP)\nlayout from 0f:\n": true,
		"mem: total=12, x\nQ(SKIP)\nlayout from 0f:\n":       true,
		"mem: total=x, x\nQ(SKIP)\nlayout from 0f:\n":        false,
		"mem: total=1, x\nQ.SKIP.\nlayout from 0f:\n":        false,
		"mem: total=1, x\nQ(SKIP)\nlayout from 0f:\nmore\n":  false,
	} {
		if s.masked("micropython/meminfo.py", []byte(text)) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
	if s.masked("basics/other.py", []byte("mem: total=12, x\nQ(SKIP)\nlayout from 0f:\n")) {
		t.Error("a pattern for a test that has none")
	}
}

// TestCompare runs one test on a shell in the place of both.
func TestCompare(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no shell to run")
	}
	tests := t.TempDir()
	if err := os.Mkdir(filepath.Join(tests, "d"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"same.py": "echo a", "fails.py": "exit $N", "other.py": "echo $N", "none.py": "echo SKIP"} {
		if err := os.WriteFile(filepath.Join(tests, "d", name), []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := settings{tests: tests, ref: []string{"env", "N=1", "sh"}, ours: []string{"env", "N=2", "sh"}, timeout: 1e10}
	var r row
	for _, name := range []string{"d/same.py", "d/fails.py", "d/other.py", "d/none.py"} {
		s.one(name, &r)
	}
	if want := (row{same: 1, differ: 2, both: 1}); r != want {
		t.Errorf("%+v, want %+v", r, want)
	}
}
