package hosted_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/vm"
)

// TestLimits runs programs into the limits of a module, which they can all live with.
// Those of flash, files and sockets are tested beside them (packages bundle, pymod,
// modem).
func TestLimits(t *testing.T) {
	tests := []struct{ name, program, want string }{
		{"recursion", `
def deep(n):
    global most
    most = n
    deep(n + 1)
for i in range(2):
    try: deep(1)
    except RuntimeError as e: print(e, most == (deepest if i else most))
    deepest = most
print(5 < deepest < 100)
`, "maximum recursion depth exceeded True\nmaximum recursion depth exceeded True\nTrue\n"},
		{"recursion of built-in code", `
l = []
for i in range(200): l = [l]
try: repr(l)
except RuntimeError as e: print(e)
`, "maximum recursion depth exceeded\n"},
		{"a full heap", `
import gc
l = []
try:
    while True: l.append(bytearray(1000))
except MemoryError as e:
    print(repr(e), 25 < len(l) < 32)
l = None
gc.collect()
print(gc.mem_free() > 29000, len(bytearray(20000)))
`, "MemoryError('memory allocation failed, allocating 1000 bytes',) True\nTrue 20000\n"},
		{"too much at once", `
for n in (32001, 1 << 20, 1 << 29):
    try: bytearray(n)
    except MemoryError as e: print(e)
try: [0] * (1 << 28)
except MemoryError as e: print(e)
`, "memory allocation failed, allocating 32001 bytes\nmemory allocation failed, allocating 1048576 bytes\n" +
			"memory allocation failed, allocating 536870912 bytes\nmemory allocation failed, allocating 1073741824 bytes\n"},
		{"a locked heap", `
import micropython
seen = e = None
micropython.heap_lock()
try: [1, 2]
except MemoryError as e: seen = e
micropython.heap_unlock()
print(repr(seen))
`, "MemoryError()\n"},
		{"names", `
n = 0
e = None # else there may be no room for it in the end
try:
    while True:
        exec('a_name_of_some_length_%d = None' % n)
        n += 1
except MemoryError as e: print("full", 150 < n < 400)
`, "full True\n"},
		{"a long name", "try: exec('b' * 256 + ' = 1')\nexcept ValueError as e: print(e)\n", "name too long\n"},
	}
	for _, tt := range tests {
		var out, errs bytes.Buffer
		var v *vm.VM
		o := vm.XBee()
		o.Compile = true
		status := hosted.Run(hosted.Config{Options: o, HeapBytes: 32768, Stdout: &out, Stderr: &errs, OnVM: func(made *vm.VM) { v = made }},
			[]byte(tt.program), "t.py", nil)
		if out.String() != tt.want || status != 0 {
			t.Errorf("%s: status %d, printed\n%s%s\nwant\n%s", tt.name, status, out.String(), errs.String(), tt.want)
		}
		v.Release(0)
		v.Collect()
		if _, err := v.Audit(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestNoRoomForTheMessage raises a MemoryError on a heap with so many free blocks, none
// beside another: the object of the text, the exception and its arguments take one
// each, the text itself three.
func TestNoRoomForTheMessage(t *testing.T) {
	const format = "MemoryError: memory allocation failed, allocating %u bytes\n"
	for free, want := range []string{
		"MemoryError: \n",      // not even an exception: the static one
		"MemoryError: \n",      // the text's object, which nothing can hold
		"MemoryError: \n",      // and an exception
		format, format, format, // and its arguments: the text is the format, from ROM
	} {
		v := vm.New(vm.Config{Firmware: hosted.NewFirmware(vm.XBee()), HeapBytes: 8192})
		h := v.Heap()
		var last []uint32
		for p := h.Alloc(16); p != 0; p = h.Alloc(16) {
			v.Keep(vm.Value(p))
			last = append(last, p)
		}
		for i := range free {
			at := last[len(last)-1-2*i]
			v.Mem[at/4] = 0
			h.Free(at)
		}
		h.Enable(false) // else what is kept here would be collected
		exc := v.Try(func() { v.Alloc(4096) })
		var b strings.Builder
		v.NewPrinter(func(p []byte) { b.Write(p) }).ReportException(exc)
		if b.String() != want {
			t.Errorf("%d free blocks: %q, want %q", free, b.String(), want)
		}
		if err := h.Check(); err != nil {
			t.Errorf("%d free blocks: %v", free, err)
		}
	}
}
