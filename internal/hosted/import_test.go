package hosted_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/hosted"
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

// TestImportCost imports programs, from source and from .mpy files, at a prompt
// with 32000 bytes of heap, built with the four switches that a module's figures
// were fitted to (docs/memory-model.md), and compares what is in use afterwards with
// a reference that was built the same way: compiling or loading, running and
// printing, to the byte. Programs that collect there are not recorded, since what
// stale words on the C stack keep cannot be known, nor those that recurse to the
// limit of a C stack.
func TestImportCost(t *testing.T) {
	o := hosted.Bare()
	o.NoAlloca, o.SaveCode, o.EventREPL, o.OverrideBuiltins = true, true, true, true
	fw := vm.NewFirmware(o)
	pylib.Standard(fw, pylib.SysConfig{Platform: "xbee", Version: [3]int{1, 11, 0}})
	pylib.Help(fw, pylib.HelpText)
	fw.Seal()
	text, err := os.ReadFile("testdata/import_cost.tsv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
	if len(lines) < 200 {
		t.Fatalf("%d programs", len(lines))
	}
	for _, line := range lines {
		var name, ext string
		var want int
		if _, err := fmt.Sscan(line, &name, &ext, &want); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		path := map[string]string{"mpy": "../mpy/testdata/mpy/" + name + ".v4.mpy", "py": "../compiler/testdata/programs/" + name + ".py"}
		data, err := os.ReadFile(path[ext])
		if err != nil {
			t.Fatal(err)
		}
		if got := importCost(fw, name, oneModule{name + "." + ext, data}); got != want {
			t.Errorf("%s.%s: %d bytes in use, want %d", name, ext, got, want)
		}
	}
}

// importCost types the session and reads the bytes in use off its last line.
func importCost(fw *vm.Firmware, name string, files oneModule) (used int) {
	k := &typist{in: []byte("import gc\rgc.mem_free(), gc.mem_alloc()\rimport " + name + "\rgc.mem_free(), gc.mem_alloc()\r")}
	v := vm.New(vm.Config{Firmware: fw, HeapBytes: 32768, Hooks: vm.Hooks{
		Stdout: func(b []byte) { k.Write(b) }, Files: files,
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
