package hosted_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/compiler"
	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/pylib"
	"github.com/skep-sim/skep/internal/repl"
	"github.com/skep-sim/skep/internal/vm"
)

// oneModule is a file system that holds one file.
type oneModule struct {
	path string
	data []byte
}

func (m oneModule) Stat(path string) vm.FileKind {
	if path == m.path {
		return vm.RegularFile
	}
	return vm.NoFile
}

func (m oneModule) ReadFile(path string) ([]byte, vm.Errno) {
	if path != m.path {
		return nil, 2
	}
	return m.data, 0
}

func (oneModule) Bundled(string) uint32 { return 0 }

// TestPromptCost imports programs, from source and from .mpy files, and pastes them,
// at a prompt with 32000 bytes of heap, built with the four switches that were fitted
// to a module (docs/memory-model.md), and compares what is in use afterwards with
// a reference that was built the same way: compiling or loading, running and
// printing, to the byte. Programs that collect there are not recorded, since what
// stale words on the C stack keep cannot be known, nor those that recurse to the
// limit of a C stack.
func TestPromptCost(t *testing.T) { comparePromptCosts(t, hosted.Bare(), "testdata/prompt_cost.tsv") }

// TestPromptCost12 does the same with v1.12 and its reference.
func TestPromptCost12(t *testing.T) {
	comparePromptCosts(t, hosted.Bare12(), "testdata/v1.12/prompt_cost.tsv")
}

func comparePromptCosts(t *testing.T, o vm.Options, file string) {
	o.NoAlloca, o.SaveCode, o.EventREPL, o.OverrideBuiltins = true, true, true, true
	fw := vm.NewFirmware(o)
	pylib.Standard(fw, pylib.SysConfig{Platform: "xbee", Version: o.Release()})
	pylib.Help(fw, pylib.HelpText)
	fw.Seal()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
	if len(lines) < 300 {
		t.Fatalf("%d programs", len(lines))
	}
	same := 0
	for _, line := range lines {
		var name, how string
		var want int
		if _, err := fmt.Sscan(line, &name, &how, &want); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if got := promptCost(t, fw, name, how); got != want {
			t.Errorf("%s, %s: %d bytes in use, want %d", name, how, got, want)
		} else {
			same++
		}
	}
	t.Logf("%d of %d figures equal", same, len(lines))
}

// crossCompile gives the .mpy file of a program, byte for byte mpy-cross's own
// (package compiler's tests).
func crossCompile(src []byte, name string, version int) ([]byte, error) {
	m, err := compiler.Compile(src, name, compiler.CrossOptions(version))
	if err != nil {
		return nil, err
	}
	return mpy.Write(m)
}

// promptCost types the session and reads the bytes in use off its last line.
func promptCost(t *testing.T, fw *vm.Firmware, name, how string) (used int) {
	path := "../compiler/testdata/programs/" + name + ".py"
	if how == "mpy" && fw.Options.MpyVersion == 4 {
		path = "../mpy/testdata/mpy/" + name + ".v4.mpy"
	}
	data, err := os.ReadFile(path)
	if err == nil && how == "mpy" && fw.Options.MpyVersion == 5 {
		data, err = crossCompile(data, name+".py", 5)
	}
	if err != nil {
		t.Fatal(err)
	}
	const ask = "gc.mem_free(), gc.mem_alloc()\r"
	keys := "import gc\r" + ask + "import " + name + "\r" + ask
	if how == "paste" {
		keys = "import gc\r" + ask + "\x05" + strings.ReplaceAll(string(data), "\n", "\r") + "\x04import gc\r" + ask
	}
	k := &typist{in: []byte(keys)}
	v := vm.New(vm.Config{Firmware: fw, HeapBytes: 32768, Hooks: vm.Hooks{
		Stdout: func(b []byte) { k.Write(b) }, Files: oneModule{name + "." + how, data},
	}})
	v.StepLimit = stepLimit
	v.InitSysLists()
	p := repl.New(v, k, repl.Config{Banner: "\r\n"})
	p.Start()
	p.Run()
	out := k.out.String()
	var free int
	if n, _ := fmt.Sscanf(out[strings.LastIndex(out, "\n(")+1:], "(%d, %d)", &free, &used); n != 2 || free+used != 32000 {
		return -1
	}
	return used
}
