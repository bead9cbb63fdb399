package vm

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/memory"
	"github.com/skep-sim/skep/internal/syntax"
)

const traceNumbers = `
A=(1<<100)+12345; B=(1<<90)+77; N=-A; M=-B; S=5; Z=(1<<70)-1; C=1234567890123456789
X='123456789012345678901'
`

// resized writes a block that grew in place as one that moved: which of the two
// happens depends on its neighbours.
func resized(old, n uint32) string {
	if n > old {
		return fmt.Sprintf("+%d -%d", n, old)
	}
	return fmt.Sprintf("%d>%d", old, n)
}

// TestNumberTrace compares every allocation of expressions with numbers to what
// the reference does.
func TestNumberTrace(t *testing.T) {
	vm := newNumVM(t, Bare())
	run := func(src string, mode syntax.Mode) Value {
		var v Value
		exc := vm.Try(func() { v = vm.Exec([]byte(src), "t.py", mode, MemoryReader, vm.MainDict(), vm.MainDict()) })
		if exc != Null {
			var sb strings.Builder
			vm.NewPrinter(func(b []byte) { sb.Write(b) }).PrintException(exc)
			t.Fatalf("%s: %s", src, &sb)
		}
		return v
	}
	run(traceNumbers, syntax.File)
	table, err := os.ReadFile("testdata/numtrace.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n") {
		if line[0] == '#' {
			continue
		}
		expr, want, _ := strings.Cut(line, "\t")
		words := strings.Fields(want)
		for i, w := range words {
			var old, n uint32
			if _, err := fmt.Sscanf(w, "%d>%d", &old, &n); err == nil {
				words[i] = resized(old, n)
			}
		}
		want = strings.Join(words, " ")
		f := run("lambda: "+expr, syntax.Eval)
		var got []string
		vm.heap.Trace = func(op byte, addr, n, old uint32) {
			switch op {
			case memory.OpAlloc, memory.OpFree:
				got = append(got, fmt.Sprintf("%c%d", op, n))
			case memory.OpRealloc:
				got = append(got, resized(old, n))
			}
		}
		vm.Call(f, nil, nil)
		vm.heap.Trace = nil
		vm.ntemps = 0
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s:\n got %s\nwant %s", expr, s, want)
		}
	}
}
