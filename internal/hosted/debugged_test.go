package hosted_test

import (
	"io"
	"testing"

	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/vm"
)

// TestDebugged runs every program with a debugger that stops at each line and
// without: memory must not show it. A second run with a debugger must pass as many
// lines.
func TestDebugged(t *testing.T) {
	passed, collects := uint64(0), uint64(0)
	for name, fw := range map[string]*vm.Firmware{"full": fullFirmware(), "bare": bareFirmware(), "xbee": hosted.NewFirmware(vm.XBee())} {
		for _, r := range allRecordings(t) {
			if r.category == "repl" {
				continue
			}
			src, err := sourceOf(r.name + ".py")
			if err != nil {
				t.Fatal(err)
			}
			heap := r.heap
			if heap == 0 || heap > 1<<16 {
				heap = 1 << 16 // small, so that it collects
			}
			stops := uint64(0)
			d := &vm.Debugger{Each: true, Stop: func(*vm.VM, vm.Trap) { stops++ }, Raised: func(*vm.VM, vm.Value) {}}
			debugged := follow(fw, r, src, r.name+".py", heap, false, d)
			alone := follow(fw, r, src, r.name+".py", heap, false, nil)
			collects += alone.collects
			passed += d.Passed
			if debugged.out != alone.out || debugged.status != alone.status {
				t.Errorf("%s, %s: the output differs: %s", name, r.name, firstDifference([]byte(debugged.out), []byte(alone.out)))
			}
			if debugged.ops != alone.ops || debugged.hash != alone.hash {
				at := 0
				for at < min(debugged.ops, alone.ops) && debugged.first[at] == alone.first[at] {
					at++
				}
				t.Errorf("%s, %s: the memory differs from operation %d of %d on", name, r.name, at, alone.ops)
			}
			if stops != d.Passed {
				t.Errorf("%s, %s: stopped at %d traps of %d", name, r.name, stops, d.Passed)
			}
		}
	}
	if passed < 100000 || collects < 100 {
		t.Errorf("only %d lines passed, %d collections looked at", passed, collects)
	}
	t.Logf("%d lines, %d collections", passed, collects)
}

// benchSource passes a hundred thousand lines.
const benchSource = `def f(n):
    t = 0
    for i in range(n):
        t += i & 7
        t ^= 3
    return t
f(50000)
`

// BenchmarkDebugged runs a program alone, with a debugger that waits for a
// breakpoint, and with one that looks at each line.
func BenchmarkDebugged(b *testing.B) {
	fw := hosted.NewFirmware(vm.XBee())
	run := func(b *testing.B, debug func() *vm.Debugger) {
		for b.Loop() {
			hosted.RunOn(fw, hosted.Config{HeapBytes: 32768, NoFiles: true, Stdout: io.Discard, Stderr: io.Discard, Debug: debug()}, []byte(benchSource), "b.py", nil)
		}
	}
	b.Run("alone", func(b *testing.B) { run(b, func() *vm.Debugger { return nil }) })
	b.Run("debugger", func(b *testing.B) {
		run(b, func() *vm.Debugger { return &vm.Debugger{Stop: func(*vm.VM, vm.Trap) {}} })
	})
	b.Run("each-line", func(b *testing.B) {
		run(b, func() *vm.Debugger { return &vm.Debugger{Each: true, Stop: func(*vm.VM, vm.Trap) {}} })
	})
	b.Run("fork", func(b *testing.B) {
		d := &vm.Debugger{Each: true}
		d.Stop = func(v *vm.VM, t vm.Trap) {
			d.Each = false
			for b.Loop() {
				v.Fork(func([]byte) {}, nil)
			}
		}
		hosted.RunOn(fw, hosted.Config{HeapBytes: 32768, NoFiles: true, Stdout: io.Discard, Stderr: io.Discard, Debug: d}, []byte(benchSource), "b.py", nil)
	})
}
