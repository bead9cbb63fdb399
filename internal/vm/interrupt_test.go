package vm_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/vm"
)

// ends runs a program once for each jump or call that looks for an interrupt, with the
// interrupt there, and returns what came out of it with the number of such a place.
func ends(t *testing.T, fw *vm.Firmware, file string, plain bool) map[string]int {
	t.Helper()
	src, seen := readFile(t, file), map[string]int{}
	for n := 0; ; n++ {
		out, interrupted := interruptedAt(fw, src, plain, n)
		if _, known := seen[out]; !known {
			seen[out] = n
		}
		if !interrupted {
			return seen
		}
		if n > 2000 {
			t.Fatalf("%s: still interrupted at jump %d", file, n)
		}
	}
}

func interruptedAt(fw *vm.Firmware, src []byte, plain bool, n int) (output string, interrupted bool) {
	var out bytes.Buffer
	var v *vm.VM
	defer func() {
		if p := recover(); p != nil {
			output, interrupted = fmt.Sprintf("%spanic: %v", out.String(), p), true
		}
	}()
	status := hosted.RunOn(fw, hosted.Config{
		HeapBytes: 1 << 16, Plain: plain, NoFiles: true, Stdout: &out, Stderr: &out,
		OnVM: func(made *vm.VM) {
			v = made
			v.InterruptAfter(n)
		},
	}, src, "test.py", nil)
	return fmt.Sprintf("%sstatus %d", out.String(), status), v.Interrupted()
}

// TestInterrupts interrupts programs at every place where the loop looks for it. With
// fused instructions it looks at fewer places; what the program and its traceback then
// show must be what one of the places without them gives.
func TestInterrupts(t *testing.T) {
	files, err := filepath.Glob("testdata/interrupts/*.py")
	if err != nil || len(files) == 0 {
		t.Fatal("no programs: ", err)
	}
	for name, o := range map[string]vm.Options{"full": vm.Full(), "xbee": vm.XBee(), "v1.12": vm.Full().WithRelease(12)} {
		fw := hosted.NewFirmware(o)
		for _, file := range files {
			plain, fused := ends(t, fw, file, true), ends(t, fw, file, false)
			for out, n := range fused {
				if _, ok := plain[out]; !ok {
					t.Errorf("%s, %s: interrupted at jump %d, which without fused instructions gives nothing like it:\n%s", name, file, n, out)
				}
			}
			if len(fused) < 10 {
				t.Errorf("%s, %s: only %d different ends", name, file, len(fused))
			}
			t.Logf("%s, %s: %d different ends, %d without fused instructions", name, file, len(fused), len(plain))
		}
	}
}

// TestInterruptLine: an interrupt that a loop meets at its jump back is of the jump's
// line, the last of the loop, as with upstream's v1.11; with fused instructions, too.
func TestInterruptLine(t *testing.T) {
	fw := hosted.NewFirmware(vm.XBee())
	for _, tt := range []struct {
		body string
		line int
	}{
		{" n = 0\n while True:\n  n += 1\n", 4},
		{" while True:\n  pass\n", 3},
		{" n = 0\n while n < 10:\n  n = 0\n  x = 1\n", 5},
		{" n = 1\n while not n == 2:\n  n = 0\n  x = 1\n", 5},
		{" for i in range(1000000):\n  n = i\n  n = 1\n", 4},
		{" n = 1000000\n for i in range(n):\n  n = i\n  n = 1\n", 5},
	} {
		for _, plain := range []bool{true, false} {
			out, _ := interruptedAt(fw, []byte("def f():\n"+tt.body+"f()\n"), plain, 1000)
			if want := fmt.Sprintf("line %d, in f\n", tt.line); !strings.Contains(out, want) {
				t.Errorf("%q (plain: %v): %s\nwant %s", tt.body, plain, out, want)
			}
		}
	}
}
