package compiler

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// recordedDir has the .mpy files that mpy-cross v1.10, v1.11 and v1.12 made of
// testdata/programs, which package mpy reads, too.
const recordedDir = "../mpy/testdata/mpy"

// recordedLevel are the programs that were compiled with -O.
var recordedLevel = map[string]int{"comp_opt_level1": 1, "comp_opt_level3": 3}

func TestRecorded(t *testing.T) {
	files, err := filepath.Glob(recordedDir + "/*.mpy")
	if err != nil || len(files) < 250 {
		t.Fatalf("%d recorded files in %s, want at least 250 (%v)", len(files), recordedDir, err)
	}
	for _, file := range files {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, version, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".mpy"), ".v")
		src, err := os.ReadFile("testdata/programs/" + name + ".py")
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(version)
		if err != nil {
			t.Fatal(err)
		}
		opts := CrossOptions(n)
		opts.OptLevel = recordedLevel[name]
		m, err := Compile(src, name+".py", opts)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if err := mpy.Verify(m); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		got, err := mpy.Write(m)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if !bytes.Equal(got, want) {
			at := 0
			for at < len(got) && at < len(want) && got[at] == want[at] {
				at++
			}
			t.Errorf("%s: differs at offset %d; %d bytes, want %d", file, at, len(got), len(want))
		}
	}
}

// refused are texts that the compiler refuses, with the traceback that
// mpy-cross prints: line and block. A message for v1.12 is given where it is
// another.
var refused = []struct {
	src   string
	line  uint32
	block string
	msg   string
	msg12 string
}{
	{"break", 1, "<module>", "'break' outside loop", "'break'/'continue' outside loop"},
	{"for x in y:\n def f():\n  continue", 3, "f", "'continue' outside loop", "'break'/'continue' outside loop"},
	{"return 1", 1, "<module>", "'return' outside function", ""},
	{"class A:\n\n return", 3, "A", "'return' outside function", ""},
	{"yield 1", 1, "<module>", "'yield' outside function", ""},
	{"x = [(yield 1) for y in z]", 1, "<listcomp>", "'yield' outside function", ""},
	{"\nawait x", 2, "<module>", "'await' outside function", ""},
	{"def f():\n f() = 1", 2, "f", "can't assign to expression", ""},
	{"1 = 2", 1, "<module>", "can't assign to expression", ""},
	{"() = 1", 1, "<module>", "can't assign to expression", ""},
	{"[a for a in b] = 1", 1, "<module>", "can't assign to expression", ""},
	{"(a for a in b) = 1", 1, "<module>", "can't assign to expression", ""},
	{"a, b += 1", 1, "<module>", "can't assign to expression", ""},
	{"(a, b) += 1", 1, "<module>", "can't assign to expression", ""},
	{"[a] += 1", 1, "<module>", "can't assign to expression", ""},
	{"a, *b, *c = d", 1, "<module>", "multiple *x in assignment", ""},
	{"*a", 1, "<module>", "*x must be assignment target", ""},
	{"del f()", 1, "<module>", "can't delete expression", ""},
	{"\ndel 1", 2, "<module>", "can't delete expression", ""},
	{"del ()", 1, "<module>", "can't delete expression", ""},
	{"del (a for a in b)", 1, "<module>", "can't delete expression", ""},
	{"def f():\n y = 1\n global y", 3, "f", "identifier redefined as global", ""},
	{"def f(x):\n nonlocal x", 2, "f", "identifier redefined as nonlocal", ""},
	{"x = 1\ndef f():\n nonlocal x", 3, "f", "no binding for nonlocal found", ""},
	{"nonlocal x", 1, "<module>", "can't declare nonlocal in outer code", ""},
	{"def f(a, a): pass", 1, "f", "argument name reused", ""},
	{"def f(a=1, b): pass", 1, "<module>", "non-default argument follows default argument", ""},
	{"def f(*a, *b): pass", 1, "f", "invalid syntax", ""},
	{"def f(**a, b): pass", 1, "f", "invalid syntax", ""},
	{"lambda a, a: 1", 1, "<lambda>", "argument name reused", ""},
	{"f(**a, **b)", 1, "<module>", "can't have multiple **x", ""},
	{"f(*a, *b)", 1, "<module>", "can't have multiple *x", ""},
	{"f(*a, b)", 1, "<module>", "non-keyword arg after */**", ""},
	{"f(a=1, b)", 1, "<module>", "non-keyword arg after keyword arg", ""},
	{"f(1=2)", 1, "<module>", "LHS of keyword arg must be an id", ""},
	{"try:\n pass\nexcept:\n pass\nexcept A:\n pass", 3, "<module>", "default 'except' must be last", ""},
	{"{1: 2, 3}", 1, "<module>", "expecting key:value for dict", ""},
	{"{1, 2: 3}", 1, "<module>", "expecting just a value for set", ""},
	{"@micropython\ndef f(): pass", 1, "<module>", "invalid micropython decorator", ""},
	{"x\n@micropython.native\ndef f(): pass", 2, "<module>", "invalid micropython decorator", ""},
	{"@micropython.viper\ndef f(): pass", 1, "<module>", "invalid micropython decorator", ""},
	{"@micropython.asm_thumb\ndef f(): pass", 1, "<module>", "invalid micropython decorator", ""},
	{"def f():\n super().x()", 2, "f", "super() can't find self", ""},
}

func TestRefused(t *testing.T) {
	for _, r := range refused {
		for version := 3; version <= 5; version++ {
			_, err := Compile([]byte(r.src+"\n"), "refused.py", CrossOptions(version))
			var refusal *Error
			if !errors.As(err, &refusal) {
				t.Errorf("%q: error %v, want %q", r.src, err, r.msg)
				continue
			}
			want := r.msg
			if version == 5 && r.msg12 != "" {
				want = r.msg12
			}
			e := refusal.Err
			if e.Kind != syntax.SyntaxError || e.Msg != want || e.Name != "refused.py" || e.Line != r.line || refusal.Block != r.block {
				t.Errorf("%q, version %d: %v in %s, want %q on line %d in %s",
					r.src, version, err, refusal.Block, want, r.line, r.block)
			}
			if !errors.As(err, &e) {
				t.Errorf("%q: the error is no *syntax.Error", r.src)
			}
		}
	}
}

func TestRefusedByParser(t *testing.T) {
	_, err := Compile([]byte("x = (\n"), "parser.py", CrossOptions(4))
	var refusal *Error
	var e *syntax.Error
	if !errors.As(err, &e) || errors.As(err, &refusal) {
		t.Errorf("error %v, want a *syntax.Error without block", err)
	}
}

func TestImportStarInFunction(t *testing.T) {
	src := []byte("def f():\n from x import *\n")
	if _, err := Compile(src, "star.py", CrossOptions(4)); err != nil {
		t.Errorf("v1.11: %v", err)
	}
	if _, err := Compile(src, "star.py", CrossOptions(5)); err == nil {
		t.Error("v1.12 accepts import * in a function")
	}
}

func TestVersionUnknown(t *testing.T) {
	for _, version := range []int{2, 6} {
		if _, err := Compile(nil, "v.py", Options{Version: version}); err == nil {
			t.Errorf("version %d is accepted", version)
		}
	}
}

func TestTooDeep(t *testing.T) {
	deep := map[string]string{
		"list":    strings.Repeat("[", 50000) + strings.Repeat("]", 50000),
		"not":     strings.Repeat("not ", 50000) + "x",
		"target":  strings.Repeat("[", 50000) + "x" + strings.Repeat("]", 50000) + " = y",
		"managed": "with " + strings.Repeat("a, ", 50000) + "a: pass",
	}
	for name, src := range deep {
		_, err := Compile([]byte(src+"\n"), "deep.py", CrossOptions(4))
		if err == nil || !strings.Contains(err.Error(), "too deeply nested") {
			t.Errorf("%s: error %.100v, want that it is too deeply nested", name, err)
		}
	}
}
