package hosted_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/vm"
)

// TestFault overwrites objects through a memoryview that points to freed memory.
func TestFault(t *testing.T) {
	src := `
b = bytearray(64)
m = memoryview(b)
b.extend(bytes(1000))
class A:
    def __init__(self): self.x = [1, 2, {}]
l = [A() for i in range(20)]
print('before')
for i in range(64): m[i] = 0xf4
import gc
gc.collect()
for a in l: len(str(a.x)), str(a), str(type(a))
`
	var out, errs bytes.Buffer
	status := hosted.Run(hosted.Config{Options: vm.XBee(), HeapBytes: 32768, Stdout: &out, Stderr: &errs}, []byte(src), "stale.py", nil)
	if status != hosted.StatusFault || out.String() != "before\n" || !strings.Contains(errs.String(), "taken again after its bytearray has grown") {
		t.Errorf("status %d\n%s%s", status, out.String(), errs.String())
	}
}
