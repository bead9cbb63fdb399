package xbee

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// TestProfilesAreApplied checks facts of a profile that other packages are made
// for one value of, or that are far from where they are read.
func TestProfilesAreApplied(t *testing.T) {
	for _, p := range profile.All() {
		want := mpy.ReadOptions{Version: p.MpyVersion.Value, SmallIntBits: p.SmallIntBits.Value, NoUnicode: !p.Unicode.Value}
		if o := Options(p); o.MpyOptions() != want {
			t.Errorf("%s: .mpy files as in %+v; the interpreter takes %+v", p.Name, want, o.MpyOptions())
		}
		c := func(c *Config) { c.Profile = &p }
		if got := typed(t, c, nil, "import sys\nsys.version\n"); !strings.Contains(got, "'"+p.SysVersion.Value+"'") {
			t.Errorf("%s: sys.version is not %s in %q", p.Name, p.SysVersion.Value, got)
		}
	}
}

// A profile of somebody's own is simulated with its values.
func TestOwnProfile(t *testing.T) {
	var l profile.Library
	fact := func(key, value string) string {
		return fmt.Sprintf("%s = { value = %s, confidence = \"chosen\", source = \"a test\" }\n", key, value)
	}
	p, err := l.Read("mine.toml", []byte("base = \"ltem-11413\"\n"+fact("heap_bytes", "16384")+fact("sys_version", `"3.5.1"`)+fact("platform", `"bee"`)))
	if err != nil {
		t.Fatal(err)
	}
	got := typed(t, func(c *Config) { c.Profile = &p }, nil, "import sys, gc\nsys.version, sys.version_info, sys.platform\ngc.mem_free() + gc.mem_alloc()\n")
	for _, want := range []string{"('3.5.1', (3, 5, 1), 'bee')", "\n16000"} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %s in %q", want, got)
		}
	}
}

// TestExplain: a figure comes with what it rests on, and nothing that is known for
// sure is in the list.
func TestExplain(t *testing.T) {
	explained := func(p profile.Profile, keys string, files map[string]string) string {
		var notes []string
		typed(t, func(c *Config) {
			c.Profile, c.Explain, c.Note = &p, true, func(text string) { notes = append(notes, text) }
		}, files, keys)
		return strings.Join(notes, "\n")
	}
	var l profile.Library
	p, err := l.Get("ltem-11413")
	if err != nil {
		t.Fatal(err)
	}
	const ask = "import gc\ngc.mem_free()\n"
	first := explained(p, ask, nil)
	for _, want := range []string{"no_alloca = true (calibrated)", "repl_event_driven = true (calibrated)", "skep profile show ltem-11413"} {
		if !strings.Contains(first, want) {
			t.Errorf("there is no %q in %q", want, first)
		}
	}
	if strings.Contains(first, "can_override_builtins") || strings.Contains(first, "import_blocks") || strings.Contains(first, "stack") {
		t.Errorf("not so far: %q", first)
	}
	files := map[string]string{"m.mpy": compiled(t, "x = 1")}
	then := explained(p, ask+"import m\ngc.mem_alloc()\n", files)
	for _, want := range []string{"can_override_builtins = true (calibrated)", "import_blocks = -1 (calibrated)"} {
		if !strings.Contains(then, want) {
			t.Errorf("there is no %q in %q", want, then)
		}
	}
	if got := explained(p, "import micropython\nmicropython.mem_info()\n", nil); !strings.Contains(got, "the stack in use") {
		t.Errorf("mem_info: %q", got)
	}
	if got := explained(p, "import os\nos.bundle('m.mpy')\n", files); !strings.Contains(got, "bytes of raw code (calibrated)") {
		t.Errorf("os.bundle: %q", got)
	}
	sure, err := l.Read("mine.toml", []byte("base = \"ltem-11413\"\nno_alloca = { value = true, confidence = \"observed\", source = \"a test\" }\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := explained(sure, ask, nil); strings.Contains(got, "no_alloca") || !strings.Contains(got, "repl_event_driven") {
		t.Errorf("with an observed fact: %q", got)
	}
	if got := explained(p, "1 + 1\n", files); got != "" {
		t.Errorf("without a figure: %q", got)
	}
}

// TestOptionalParts: what a profile says of the interpreter's optional parts is so.
func TestOptionalParts(t *testing.T) {
	var l profile.Library
	fact := func(key, value string) string {
		return fmt.Sprintf("%s = { value = %s, confidence = \"observed\", source = \"a test\" }\n", key, value)
	}
	on := "base = \"ltem-11413\"\n"
	for _, key := range []string{"builtin_complex", "builtin_compile", "builtin_input", "builtin_pow3", "reverse_methods", "descriptors", "math_special", "collection_deque", "sys_exc_info", "io_base"} {
		on += fact(key, "true")
	}
	with, err := l.Read("mine.toml", []byte(on+fact("error_messages", `"detailed"`)))
	if err != nil {
		t.Fatal(err)
	}
	without, err := l.Get("ltem-11413")
	if err != nil {
		t.Fatal(err)
	}
	const keys = "import sys, math, ucollections, uio, builtins\n" +
		"[hasattr(*a) for a in ((builtins, 'complex'), (builtins, 'compile'), (builtins, 'input'), (math, 'sinh'), (ucollections, 'deque'), (sys, 'exc_info'), (uio, 'IOBase'))]\n" +
		"pow(2, 5, 7)\n" +
		"(lambda: 0)(1)\n"
	for _, tt := range []struct {
		p    profile.Profile
		want []string
	}{
		{with, []string{"[True, True, True, True, True, True, True]", "\n4\n", "<lambda>() takes 0 positional arguments but 1 were given"}},
		{without, []string{"[False, False, False, False, False, False, False]", "3-arg pow() not supported", "function takes 0 positional arguments but 1 were given"}},
	} {
		got := typed(t, func(c *Config) { c.Profile = &tt.p }, nil, keys)
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("there is no %q in %q", want, got)
			}
		}
	}
}

// TestInput: firmware from level x16 on reads lines that are typed.
func TestInput(t *testing.T) {
	p, err := profile.Find("ltem", "11416")
	if err != nil {
		t.Fatal(err)
	}
	got := typed(t, func(c *Config) { c.Profile = &p }, nil, "x = input('name? ')\nbee\x08\x08yte\nx\ninput()\n\x03\n'end'\n")
	for _, want := range []string{"name? bee", "\n>>> x\n'byte'\n", "KeyboardInterrupt", "'end'"} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q in %q", want, got)
		}
	}
}
