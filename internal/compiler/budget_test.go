package compiler

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

var errFull = errors.New("heap is full")

// A ledger is a heap that writes down what is asked of it: "+n" an
// allocation, "-n" its end, "n>m" a change of size, "obj" a constant.
type ledger struct {
	entries []string
	sizes   map[syntax.Ref]int
	last    syntax.Ref
	left    int // grants before the heap is full; negative for any number
}

func newLedger(grants int) *ledger {
	return &ledger{sizes: make(map[syntax.Ref]int), left: grants}
}

func (l *ledger) note(format string, args ...any) {
	l.entries = append(l.entries, fmt.Sprintf(format, args...))
}

func (l *ledger) grant() error {
	if l.left == 0 {
		return errFull
	}
	l.left--
	return nil
}

func (l *ledger) Alloc(n int) (syntax.Ref, error) {
	if err := l.grant(); err != nil {
		return 0, err
	}
	l.last += 16
	l.sizes[l.last] = n
	l.note("+%d", n)
	return l.last, nil
}

func (l *ledger) Resize(r syntax.Ref, n int) (syntax.Ref, error) {
	if err := l.grant(); err != nil {
		return 0, err
	}
	l.ResizeInPlace(r, n)
	return r, nil
}

func (l *ledger) ResizeInPlace(r syntax.Ref, n int) bool {
	if _, ok := l.sizes[r]; !ok {
		panic(fmt.Sprintf("resize of %d, which is not allocated", r))
	}
	l.note("%d>%d", l.sizes[r], n)
	l.sizes[r] = n
	return true
}

func (l *ledger) Free(r syntax.Ref) {
	if _, ok := l.sizes[r]; !ok {
		panic(fmt.Sprintf("free of %d, which is not allocated", r))
	}
	l.note("-%d", l.sizes[r])
	delete(l.sizes, r)
}

func (l *ledger) Object(c *syntax.Const) (syntax.Ref, error) {
	if c.Ref != 0 {
		return c.Ref, nil // an integer, whose blocks the parser has allocated
	}
	if err := l.grant(); err != nil {
		return 0, err
	}
	l.last += 16
	l.note("obj")
	return l.last, nil
}

// deviceFeatures are upstream's defaults (py/mpconfig.h of v1.10 to v1.12).
var deviceFeatures = Features{DoubleTupleAssign: true}

// deviceOptions are those of firmware that can save code and has no alloca.
func deviceOptions(l *ledger) Options {
	return Options{
		Budget:       l,
		ReaderBytes:  16,
		RawCodeBytes: 20,
		NoAlloca:     true,
		Features:     deviceFeatures,
	}
}

// The two statements that the memory model has recorded whole.
func TestBudgetStatements(t *testing.T) {
	tests := []struct {
		mode syntax.Mode
		src  string
		want string
	}{
		{syntax.Eval, "1+2", "+16 +84 +20 +32 +512 +128 +136 136>32 -512 -128 -16 -32 -20 -84 +48 +20 +32 +64 +16 -64 -32 -32 -48"},
		{syntax.File, "a=1", "+16 +84 +20 +32 +512 +128 +136 136>24 -512 -128 -16 -32 -20 -84 +48 +20 +32 +64 +20 -64 -24 -32 -48"},
	}
	for _, test := range tests {
		l := newLedger(-1)
		opts := deviceOptions(l)
		opts.Mode = test.mode
		m, err := Compile([]byte(test.src), "<string>", opts)
		if err != nil {
			t.Errorf("%q: %v", test.src, err)
			continue
		}
		if got := strings.Join(l.entries, " "); got != test.want {
			t.Errorf("%q:\n got %s\nwant %s", test.src, got, test.want)
		}
		checkKept(t, test.src, l, m)
	}
}

const budgetSource = `import a.b.c
import os.path as p
def f(a, b=1, *c, d=2, **e):
    x = b'abc'; y = 12345678901234567890
    def g():
        nonlocal x
        return x + a + 1.5
    for i in range(10):
        if i: break
    else:
        pass
    return [q for q in c if q]
class C:
    z = b'hello world this is long'
    def m(self): return super().m()
`

// What v1.11 with these options allocates for budgetSource once it has the
// tree: recorded from a 32-bit build that traces its heap. The tree's own
// blocks are left out.
const budgetWant = "+48 +20 +32 +64 +5 +7 " +
	"+48 +20 +32 +48 +20 +32 32>80 +48 +20 +32 +48 +20 +32 32>80 +48 +20 +32 " +
	"+28 " +
	"+5 +7 +5 +7 +65 +8 +5 +7 +67 +28 obj +44 +8 +26 +12 +33 +4 +28 +8 " +
	"-28 -64 " +
	"-32 -48 -80 -48 -80 -48 -32 -48 -32 -48 -32 -48"

func TestBudgetModule(t *testing.T) {
	l := newLedger(-1)
	opts := deviceOptions(l)
	parse := opts.withDefaults()
	tree, err := syntax.Parse([]byte(budgetSource), "t.py", syntax.File, parse.parseOptions())
	if err != nil {
		t.Fatal(err)
	}
	// The tree's blocks are all that is left.
	treeSizes := map[string]int{}
	for _, n := range l.sizes {
		treeSizes[fmt.Sprintf("-%d", n)]++
	}
	l.entries = nil
	m, err := CompileTree(tree, opts)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range l.entries {
		if treeSizes[e] > 0 {
			treeSizes[e]--
			continue
		}
		got = append(got, e)
	}
	if got := strings.Join(got, " "); got != budgetWant {
		t.Errorf("got  %s\nwant %s", got, budgetWant)
	}
	checkKept(t, "module", l, m)
}

// checkKept wants the module's blocks, and scratch buffers, to be all that is
// still allocated.
func checkKept(t *testing.T, name string, l *ledger, m *mpy.Module) {
	t.Helper()
	var check func(raw *mpy.RawCode)
	check = func(raw *mpy.RawCode) {
		table := 4 * (len(raw.ArgNames) + len(raw.Objs) + len(raw.Children))
		for _, b := range []struct {
			ref  uint32
			size int
		}{{raw.SelfRef, 20}, {raw.CodeRef, len(raw.Code)}, {raw.TableRef, table}} {
			if b.size == 0 {
				if b.ref != 0 {
					t.Errorf("%s: block %d for nothing", name, b.ref)
				}
				continue
			}
			if l.sizes[syntax.Ref(b.ref)] != b.size {
				t.Errorf("%s: block %d has %d bytes, want %d", name, b.ref, l.sizes[syntax.Ref(b.ref)], b.size)
			}
			delete(l.sizes, syntax.Ref(b.ref))
		}
		for _, o := range raw.Objs {
			if delete(l.sizes, syntax.Ref(o.Ref)); o.Kind == mpy.ObjInt {
				delete(l.sizes, syntax.Ref(o.Ref)+16) // its digits
			}
			if o.Ref == 0 && o.Kind != mpy.ObjEllipsis {
				t.Errorf("%s: constant %q is not on the heap", name, o.Text)
			}
		}
		for _, child := range raw.Children {
			check(child)
		}
	}
	check(m.Root)
	for r, n := range l.sizes {
		if n != len("a.b.c") && n != len("os.path") {
			t.Errorf("%s: block %d of %d bytes is left over", name, r, n)
		}
	}
}

// The code on the device is that of the cross-compiler, but for what the
// options say.
func TestBudgetSameCode(t *testing.T) {
	device, err := Compile([]byte(budgetSource), "t.py", deviceOptions(newLedger(-1)))
	if err != nil {
		t.Fatal(err)
	}
	opts := CrossOptions(4)
	opts.Features = deviceFeatures
	cross, err := Compile([]byte(budgetSource), "t.py", opts)
	if err != nil {
		t.Fatal(err)
	}
	var same func(a, b *mpy.RawCode)
	same = func(a, b *mpy.RawCode) {
		if string(a.Code) != string(b.Code) || len(a.Children) != len(b.Children) {
			t.Errorf("code differs:\n%x\n%x", a.Code, b.Code)
			return
		}
		for i := range a.Children {
			same(a.Children[i], b.Children[i])
		}
	}
	same(device.Root, cross.Root)
}

// A heap that is full from any allocation on ends compiling with the heap's
// own error.
func TestBudgetFull(t *testing.T) {
	for grants := 0; ; grants++ {
		l := newLedger(grants)
		m, err := Compile([]byte(budgetSource), "t.py", deviceOptions(l))
		if err == nil {
			if grants < 50 {
				t.Errorf("compiled with %d allocations", grants)
			}
			return
		}
		if m != nil || !errors.Is(err, errFull) {
			t.Fatalf("after %d allocations: module %v, error %v", grants, m, err)
		}
	}
}

// Also where the text is refused, only garbage that the device has is left.
func TestBudgetRefused(t *testing.T) {
	l := newLedger(-1)
	_, err := Compile([]byte("def f():\n def g(): pass\n break\n"), "t.py", deviceOptions(l))
	var refusal *Error
	if !errors.As(err, &refusal) {
		t.Fatalf("error %v", err)
	}
	for r, n := range l.sizes {
		if n != 20 { // the raw codes
			t.Errorf("block %d of %d bytes is left over", r, n)
		}
	}
}
