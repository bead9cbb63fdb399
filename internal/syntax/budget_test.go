package syntax

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// ledger is a Budget that writes down what is charged. refuse is the number
// of the request that fails, from 1; tight refuses growth in place.
type ledger struct {
	log    []string
	size   map[Ref]int
	last   Ref
	refuse int
	asked  int
	tight  bool
}

var errRefused = errors.New("no memory")

func newLedger() *ledger { return &ledger{size: make(map[Ref]int)} }

func (l *ledger) note(format string, a ...any) error {
	l.log = append(l.log, fmt.Sprintf(format, a...))
	l.asked++
	if l.asked == l.refuse {
		return errRefused
	}
	return nil
}

func (l *ledger) Alloc(n int) (Ref, error) {
	l.last++
	l.size[l.last] = n
	return l.last, l.note("+%d", n)
}

func (l *ledger) Resize(r Ref, n int) (Ref, error) {
	err := l.note("%d>%d", l.size[r], n)
	l.size[r] = n
	return r, err
}

func (l *ledger) ResizeInPlace(r Ref, n int) bool {
	if l.tight && n > l.size[r] {
		return false
	}
	l.log = append(l.log, fmt.Sprintf("%d>%d", l.size[r], n))
	l.size[r] = n
	return true
}

func (l *ledger) Free(r Ref) {
	if l.size[r] == 0 {
		panic("freed what is not there")
	}
	l.log = append(l.log, fmt.Sprintf("-%d", l.size[r]))
	delete(l.size, r)
}

func (l *ledger) Object(c *Const) (Ref, error) {
	if c.Kind == ConstInt {
		l.log = append(l.log, "="+c.Int.String())
		return c.Ref, nil
	}
	l.last++
	return l.last, l.note("%s", c.Text)
}

func TestCharges(t *testing.T) {
	const (
		begin = "+16 +84 +20 +32 +512 +128 "
		end   = "-512 -128 -16 -32 -20 -84 "
	)
	tests := []struct {
		src  string
		mode Mode
		want string
	}{
		// As recorded on the reference: see section 4 of the memory model.
		{"1+2", Eval, begin + "+136 136>32 " + end + "-32"},
		{"a=1", File, begin + "+136 136>24 " + end + "-24"},
		{"'hello, world'", Single, begin + "hello, world +136 136>36 " + end + "-36"},
		{"9999999999", Eval, begin + "+16 +12 =9999999999 +136 136>44 " + end + "-44"},
		{"1<<40", Eval, begin + "+16 +8 =1 +16 +8 =1099511627776 +136 136>44 " + end + "-44"},
		{"A=const(3)\nA", File, begin + "+136 +16 -16 136>76 " + end + "-76"},
	}
	for _, c := range tests {
		l := newLedger()
		tree, err := Parse([]byte(c.src), "t", c.mode, Options{Budget: l, ReaderBytes: 16})
		if err != nil {
			t.Fatalf("%q: %v", c.src, err)
		}
		tree.Release()
		if got := strings.Join(l.log, " "); got != c.want {
			t.Errorf("%q charges\n%s, want\n%s", c.src, got, c.want)
		}
	}
}

// TestRefusal lets every request of a program fail once.
func TestRefusal(t *testing.T) {
	src := programs(t)["comp_app_small.py"]
	for k := 1; ; k++ {
		l := newLedger()
		l.refuse = k
		l.tight = k%2 == 0
		_, err := Parse(src, "t.py", File, Options{Budget: l, ReaderBytes: 32})
		if l.asked < k {
			if err != nil || k < 10 {
				t.Fatalf("after %d requests: %v", k, err)
			}
			return
		}
		if err != errRefused {
			t.Fatalf("request %d refused: %v", k, err)
		}
		if l.asked != k {
			t.Fatalf("request %d refused, but %d were made", k, l.asked)
		}
	}
}

// FuzzParse wants no panic, the same tree with a Budget and without, and a
// Budget that gets back all but the objects.
func FuzzParse(f *testing.F) {
	for _, src := range programs(f) {
		f.Add(string(src), uint8(0))
	}
	for _, s := range []string{"", "\r", "x\\", "'\\", "if 1:\n\tx\n        y", "'\\N'", "\"\"\"a\"\"", "1<<99//-7", "(", "\\\n x", "rb'\\\n'"} {
		f.Add(s, uint8(1))
		f.Add(s, uint8(2))
	}
	f.Fuzz(func(t *testing.T, src string, mode uint8) {
		m := Mode(mode % 3)
		o := Options{Version: Version(mode / 3 % 5), Unicode: mode&64 != 0}
		tree, err := Parse([]byte(src), "t", m, o)
		l := newLedger()
		l.tight = mode&128 != 0
		o.Budget, o.ReaderBytes = l, 16
		tree2, err2 := Parse([]byte(src), "t", m, o)
		if fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("%v, with a budget %v", err, err2)
		}
		if err != nil {
			return
		}
		if dump(tree.Root) != dump(tree2.Root) {
			t.Fatal("another tree with a budget")
		}
		tree2.Release()
		for _, line := range l.log[len(l.log)-1:] {
			if !strings.HasPrefix(line, "-") {
				t.Fatalf("last charge is %s", line)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var src []byte
	for _, name := range []string{"comp_class_big.py", "comp_app_small.py", "syntax_conditions.py", "comp_ops_all.py"} {
		src = append(src, programs(b)[name]...)
		src = append(src, '\n')
	}
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(src, "t.py", File, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
