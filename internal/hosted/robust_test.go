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
// Go panic, a fault that it did not bring about itself, or a heap whose tables
// contradict themselves.
func contained(fw *vm.Firmware, src []byte, name string, heap, failAt int, steps uint64) (out []byte, status int, err error) {
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
			v.Heap().FailAt(failAt)
		},
	}, src, name, nil)
	if status == hosted.StatusFault && !damages(src) {
		return nil, status, fmt.Errorf("fault: %s", stderr.String())
	}
	return stdout.Bytes(), status, v.Heap().Check()
}

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
		out, status, err := contained(fullFirmware(), src, filepath.Base(file), 32768, 0, 300)
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

// failing are the programs of TestFailAt: between them they use most of what allocates.
var failing = []string{
	"class_basic", "class_subclass_builtin", "exc_exc_flow", "exc_oserror", "int_big_arith", "float_fmt_format",
	"coll_nested_data", "coll_sort", "scope_closures", "scope_gen_pipeline", "str_text_processing", "mod_json_dumps",
	"mod_bytesio", "comp_kwonly_star", "syntax_errors_exec",
}

// TestFailAt lets one allocation of a program fail: the k-th, for k in strides. The
// outcome is an exception of the program's, or its end, and a heap in order.
func TestFailAt(t *testing.T) {
	runs := 0
	for _, name := range failing {
		src, err := sourceOf(name + ".py")
		if err != nil {
			t.Fatal(err)
		}
		var last *vm.VM
		hosted.RunOn(fullFirmware(), hosted.Config{
			HeapBytes: 65536, Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}, OnVM: func(v *vm.VM) { last = v },
		}, src, name+".py", nil)
		total := int(last.Heap().Allocations())
		for k := 1; k <= total; k += 1 + total/25 {
			if _, _, err := contained(fullFirmware(), src, name+".py", 65536, k, 500); err != nil {
				t.Errorf("%s, allocation %d of %d: %v", name, k, total, err)
			}
			runs++
		}
	}
	t.Logf("%d runs", runs)
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
	f.Fuzz(func(t *testing.T, src []byte, how uint8) {
		if _, _, err := contained(variant(how), src, "fuzz.py", 4096<<(how>>1&3), 0, 50); err != nil {
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
	f.Fuzz(func(t *testing.T, code []byte, how uint8) {
		if _, _, err := contained(variant(how), code, "fuzz.mpy", 4096<<(how>>1&3), 0, 50); err != nil {
			t.Error(err)
		}
	})
}

func variant(how uint8) *vm.Firmware {
	if how&1 == 0 {
		return fullFirmware()
	}
	return bareFirmware()
}
