package vm_test

import (
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/vm"
)

// TestBaseBeforeInit uses the built-in base of an instance before its __init__
// has run, where C takes a function for a list, a buffer or an exception.
func TestBaseBeforeInit(t *testing.T) {
	src := `
def t(f):
    try: print(f())
    except Exception as e: print(repr(e))
class L(list):
    def __init__(self):
        for f in (lambda: [x for x in self], lambda: len(self), lambda: self[0], lambda: bytes(self), lambda: self.append(1)): t(f)
class B(bytearray):
    def __init__(self):
        for f in (lambda: bytes(self), lambda: self.decode()): t(f)
class E(Exception):
    def __init__(self): raise self
L(); B(); t(E)
`
	want := `TypeError("'function' object isn't iterable",)
TypeError("unsupported type for __len__: 'function'",)
TypeError("'function' object isn't subscriptable",)
TypeError("unsupported type for __len__: 'function'",)
TypeError('argument has wrong type',)
TypeError("unsupported type for __len__: 'function'",)
`
	got := runProgram(t, vm.Full(), 100_000, []byte(src), nil)
	lines := strings.Split(got, "\n")
	if !strings.HasPrefix(got, want) || len(lines) != 9 || lines[7] != "E()" {
		t.Errorf("got:\n%s\nwant:\n%sand E()", got, want)
	}
}
