package repl_test

import (
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/repl"
	"github.com/skep-sim/skep/internal/vm"
)

// shelf keeps code for a test.
type shelf struct {
	vm    *vm.VM
	text  string
	start []bool
	ran   int
}

func (s *shelf) Store(text []byte) {
	s.vm.CompileModule(text, "<stdin>")
	s.text = string(text)
}

func (s *shelf) Autostart(on bool) { s.start = append(s.start, on) }

func (s *shelf) Run() {
	if s.text == "" {
		s.vm.RaiseMsg(vm.TypeOSError, "nothing")
	}
	s.ran++
}

func TestUpload(t *testing.T) {
	const head = "\r\nflash compile mode; Ctrl-C to cancel, Ctrl-D to finish\r\n1^^^ "
	const ask = "Automatically run this code at startup [Y/N]?"
	for _, tt := range []struct {
		name, keys, want, text string
		start                  string
	}{
		{"yes", "\x06a = 1\rb\x04y", head + "a = 1\r\n2^^^ b\r\n" + ask + "y\r\n>>> ", "a = 1\rb", "[true]"},
		{"no, after another key", "\x06pass\x04?N", head + "pass\r\n" + ask + "N\r\n>>> ", "pass", "[false]"},
		{"neither", "\x06pass\x04\x03", head + "pass\r\n" + ask + "\r\n>>> ", "pass", "[]"},
		{"cancelled", "\x06pass\x03", head + "pass\r\n>>> ", "", "[]"},
		{"wrong", "\x06a b\x04", head + "a b\r\nTraceback (most recent call last):\r\n  File \"<stdin>\", line 1\r\nSyntaxError: invalid syntax\r\n>>> ", "", "[]"},
		{"end of input", "\x06pas", head + "pas", "", "[]"},
		{"end of input at the question", "\x06pass\x04", head + "pass\r\n" + ask, "pass", "[]"},
		{"run nothing", "\x12", "\r\nOSError: nothing\r\n>>> ", "", "[]"},
		{"run", "\x06pass\x04n\x12", head + "pass\r\n" + ask + "n\r\n>>> \r\n>>> ", "pass", "[false]"},
		{"within a line they are nothing", "1\x06\x12\r", "1\r\n1\r\n>>> ", "", "[]"},
	} {
		fw := firmware(vm.XBee())
		d := &desk{keys: []byte(tt.keys)}
		d.vm = vm.New(vm.Config{Firmware: fw, HeapBytes: 32768, Hooks: vm.Hooks{
			Stdout: func(b []byte) { d.Write([]byte(strings.ReplaceAll(string(b), "\n", "\r\n"))) },
		}})
		s := &shelf{vm: d.vm}
		d.repl = repl.New(d.vm, d, repl.Config{NumberedPaste: true, Flash: s})
		d.start()
		d.out.Reset()
		d.repl.Run()
		var start []string
		for _, on := range s.start {
			start = append(start, map[bool]string{true: "true", false: "false"}[on])
		}
		if got := d.out.String(); got != tt.want || s.text != tt.text || "["+strings.Join(start, " ")+"]" != tt.start {
			t.Errorf("%s: printed\n%q\nwant\n%q\nkept %q, autostart %v", tt.name, got, tt.want, s.text, s.start)
		}
	}
}
