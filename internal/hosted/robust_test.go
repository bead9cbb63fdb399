package hosted_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/vm"
)

// contained runs a program that may be anything and reports what must never be: a
// Go panic, a fault that it did not bring about itself, or a heap in which something
// is wrong.
func contained(fw *vm.Firmware, src []byte, name string, heap int, fail failure, steps uint64) (out []byte, status int, err error) {
	var v *vm.VM
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	var stdout, stderr bytes.Buffer
	status = hosted.RunOn(fw, hosted.Config{
		HeapBytes: heap, Stdout: &stdout, Stderr: &stderr, StepLimit: steps, NoFiles: true,
		OnVM: func(made *vm.VM) {
			v = made
			v.Heap().FailRun(fail.at, fail.run)
		},
	}, src, name, nil)
	if status == hosted.StatusFault && !damages(src) {
		return nil, status, fmt.Errorf("fault: %s", stderr.String())
	}
	v.Heap().FailAt(0)
	if err := v.Heap().Check(); err != nil {
		return nil, status, err
	}
	if status == hosted.StatusSteps || status == hosted.StatusFault {
		return stdout.Bytes(), status, nil // it was stopped between two instructions
	}
	v.UnlockHeap()
	v.Release(0)
	v.Collect()
	_, err = v.Audit()
	return stdout.Bytes(), status, err
}

// failure says which allocations of a program fail: run of them, from the one
// numbered at on; 0 is none.
type failure struct{ at, run int }

// damages tells whether a program could overwrite memory, which is a fault of its own:
// with a memoryview of a bytearray that has grown since.
func damages(src []byte) bool {
	return bytes.Contains(src, []byte("memoryview")) || bytes.Contains(src, []byte("readinto"))
}

// TestHostile runs programs that use the interpreter's own means against it, with
// what they must print where that is decided.
func TestHostile(t *testing.T) {
	files, err := filepath.Glob("testdata/hostile/*.*")
	if err != nil || len(files) == 0 {
		t.Fatal("no programs", err)
	}
	for _, file := range files {
		if filepath.Ext(file) == ".out" {
			continue
		}
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, hasOutput := []byte(nil), false
		if b, err := os.ReadFile(strings.TrimSuffix(file, filepath.Ext(file)) + ".out"); err == nil {
			want, hasOutput = b, true
		}
		out, status, err := contained(fullFirmware(), src, filepath.Base(file), 32768, failure{}, 300)
		switch {
		case err != nil:
			t.Errorf("%s: %v", file, err)
		case hasOutput && status != 0:
			t.Errorf("%s: exit status %d", file, status)
		case hasOutput && !bytes.Equal(out, want):
			t.Errorf("%s: %s", file, firstDifference(out, want))
		case strings.Contains(file, "while_") && status != hosted.StatusSteps:
			t.Errorf("%s: exit status %d, want %d for the end of its steps", file, status, hosted.StatusSteps)
		}
	}
}

// failing are programs that between them use most of what allocates.
var failing = []string{
	"class_basic", "class_subclass_builtin", "exc_exc_flow", "exc_oserror", "int_big_arith", "float_fmt_format",
	"coll_nested_data", "coll_sort", "scope_closures", "scope_gen_pipeline", "str_text_processing", "mod_json_dumps",
	"mod_bytesio", "comp_kwonly_star", "syntax_errors_exec",
}

// FuzzProgram runs damaged programs on small heaps.
func FuzzProgram(f *testing.F) {
	for _, name := range failing {
		src, err := sourceOf(name + ".py")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src, uint8(0))
	}
	hostile, _ := filepath.Glob("testdata/hostile/*.py")
	for _, file := range hostile {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src, uint8(1))
	}
	own, _ := filepath.Glob(v12 + "/programs/*.py")
	for _, file := range own {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src, uint8(v12Bit))
	}
	f.Fuzz(func(t *testing.T, src []byte, how uint8) {
		if _, _, err := contained(variant(how), src, "fuzz.py", 4096<<(how>>1&3), failure{}, 50); err != nil {
			t.Error(err)
		}
	})
}

// FuzzMpy runs damaged .mpy files: the loader refuses them, or they end.
func FuzzMpy(f *testing.F) {
	for _, name := range failing {
		code, err := os.ReadFile("../mpy/testdata/mpy/" + name + ".v4.mpy")
		if err != nil {
			continue // those that do not compile have none
		}
		f.Add(code, uint8(0))
	}
	hostile, _ := filepath.Glob("testdata/hostile/*.mpy")
	for _, file := range hostile {
		code, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(code, uint8(1))
	}
	files, _ := filepath.Glob("../mpy/testdata/mpy/*.v5.mpy")
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(code, uint8(v12Bit))
	}
	f.Fuzz(func(t *testing.T, code []byte, how uint8) {
		if _, _, err := contained(variant(how), code, "fuzz.mpy", 4096<<(how>>1&3), failure{}, 50); err != nil {
			t.Error(err)
		}
	})
}

// v12Bit of a fuzz target's number asks for v1.12.
const v12Bit = 0x40

func variant(how uint8) *vm.Firmware {
	switch how & (v12Bit | 1) {
	case 0:
		return fullFirmware()
	case 1:
		return bareFirmware()
	case v12Bit:
		return fullFirmware12()
	}
	return bareFirmware12()
}
