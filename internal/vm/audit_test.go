package vm

import (
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/syntax"
)

// auditProgram makes one of each kind of object with storage.
const auditProgram = `
l = [1, 'a text that is no name', 2.5]
d = {'k': l, 5: (1, 2)}
s = {1, 'xyz'}
b = bytearray(40)
n = 1 << 200
def f(a, b=l):
    def g(): return a, b
    return g
c = f(1)
class C:
    x = 1
    def __init__(self): self.y = 2
o = C()
def gen():
    yield l
it = gen()
next(it)
try:
    1 / 0
except ZeroDivisionError as e:
    err = e
`

func audited(t *testing.T) *VM {
	t.Helper()
	v := New(Config{Firmware: NewFirmware(Full()).Seal(), HeapBytes: 65536})
	v.InitSysLists()
	if exc := v.Try(func() { v.Exec([]byte(auditProgram), "t.py", syntax.File, FileReader, v.MainDict(), v.MainDict()) }); exc != Null {
		t.Fatal("the program fails")
	}
	v.Release(0)
	v.Collect()
	return v
}

// TestAudit damages a heap in order in all the ways that Audit is to find.
func TestAudit(t *testing.T) {
	global := func(v *VM, name string) uint32 { return uint32(v.DictGet(v.MainDict(), v.Intern(name).Value())) / 4 }
	tests := []struct {
		name   string
		damage func(v *VM)
		want   string
	}{
		{"nothing", func(v *VM) {}, ""},
		{"two lists with the same items", func(v *VM) {
			x := uint32(v.NewList(v.Intern("i").Value())) / 4
			v.DictStore(v.MainDict(), v.Intern("other").Value(), Value(4*x))
			v.Mem[x+3] = v.Mem[global(v, "l")+3]
		}, "which belongs to a list"},
		{"items that are free", func(v *VM) { v.Free(uint32(v.Mem[global(v, "l")+3])) }, "where no allocation begins"},
		{"an item that is free", func(v *VM) { v.Mem[v.Mem[global(v, "l")+3]/4] = Value(v.freeBlock()) }, "where no object begins"},
		{"more items than room", func(v *VM) { v.Mem[global(v, "l")+2] = 5 }, "has 5 items in room for 4"},
		{"more room than memory", func(v *VM) { v.Mem[global(v, "l")+1] = 50 }, "has 200 bytes in items of 16"},
		{"storage as an object", func(v *VM) { v.Mem[v.Mem[global(v, "l")+3]/4] = v.Mem[global(v, "b")+arrayItems] }, "any error"},
		{"a count of a dict", func(v *VM) { v.mapAddUsed(global(v, "d")+1, 1) }, "has 2 entries but says 3"},
		{"a count of a set", func(v *VM) { v.Mem[global(v, "s")+setUsed]-- }, "has 2 items but says 1"},
		{"a table of a set", func(v *VM) { v.Mem[global(v, "s")+setTable] += 16 }, "table"},
		{"a long tuple", func(v *VM) {
			tuple := v.DictGet(Value(4*global(v, "d")), SmallInt(5))
			v.Mem[tuple/4+1] = 9
		}, "has 9 items in 16 bytes"},
		{"digits of an int", func(v *VM) { v.Mem[global(v, "n")+3] = v.Mem[global(v, "b")+arrayItems] }, "which belongs to"},
		{"a type", func(v *VM) { v.Mem[global(v, "o")] = SmallInt(3) }, "has no type"},
		{"bytecode", func(v *VM) { v.Free(uint32(v.Mem[global(v, "f")+funBytecode])) }, "begins"},
		{"a traceback", func(v *VM) { v.Mem[global(v, "err")+1] |= 99 << 16 }, "a traceback of"},
		{"a block that nobody has", func(v *VM) { v.heap.Alloc(40) }, "nothing leads to it"},
	}
	for _, tt := range tests {
		v := audited(t)
		tt.damage(v)
		r, err := v.Audit()
		switch {
		case tt.want == "any error": // which depends on the order of the walk
			if err == nil {
				t.Errorf("%s: %+v", tt.name, r)
			}
		case tt.want == "" && (err != nil || r.Objects < 20 || r.Storage < 20):
			t.Errorf("%s: %+v, %v", tt.name, r, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// freeBlock returns the address of a block that is free.
func (vm *VM) freeBlock() uint32 {
	p := vm.heap.Alloc(16)
	vm.heap.Free(p)
	return p
}
