package vm_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/vm"
)

// runProgram runs source text and returns what it printed, warnings left out.
func runProgram(t testing.TB, o vm.Options, heap int, src []byte, onVM func(*vm.VM)) string {
	t.Helper()
	var out, errs bytes.Buffer
	hosted.Run(hosted.Config{Options: o, HeapBytes: heap, Stdout: &out, Stderr: &errs, OnVM: onVM}, src, "test.py", nil)
	for _, line := range strings.SplitAfter(errs.String(), "\n") {
		if !strings.HasPrefix(line, "Warning:") {
			out.WriteString(line)
		}
	}
	return out.String()
}

func firstDifference(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("line %d:\n got %q\nwant %q", i+1, g[i], w[i])
		}
	}
	if len(g) != len(w) {
		t.Fatalf("got %d lines, want %d", len(g), len(w))
	}
}

func containerPrograms(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/containers/*.py")
	if err != nil || len(files) == 0 {
		t.Fatal("no programs: ", err)
	}
	return files
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestContainers compares programs about containers with their recordings.
func TestContainers(t *testing.T) {
	for _, file := range containerPrograms(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".py")
		t.Run(name, func(t *testing.T) {
			want := readFile(t, "testdata/containers/"+name+".out")
			firstDifference(t, runProgram(t, vm.Full(), 4_000_000, readFile(t, file), nil), string(want))
		})
		if want, err := os.ReadFile("testdata/containers/" + name + ".bare.out"); err == nil {
			t.Run(name+"/bare", func(t *testing.T) {
				firstDifference(t, runProgram(t, vm.Bare(), 4_000_000, readFile(t, file), nil), string(want))
			})
		}
	}
}

// addresses differ from run to run when the collector runs at other times.
var addresses = regexp.MustCompile(` at [0-9a-f]+`)

// TestContainersCollecting runs the programs with a collection at nearly every
// allocation: what is printed stays the same, so nothing alive was collected.
func TestContainersCollecting(t *testing.T) {
	for _, file := range containerPrograms(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".py")
		if name == "memory" { // tells what garbage costs
			continue
		}
		t.Run(name, func(t *testing.T) {
			got := runProgram(t, vm.Full(), 300_000, readFile(t, file), func(v *vm.VM) { v.Heap().SetThreshold(1) })
			want := readFile(t, "testdata/containers/"+name+".out")
			firstDifference(t, addresses.ReplaceAllString(got, ""), addresses.ReplaceAllString(string(want), ""))
		})
	}
}

// failing is a program that touches every operation of containers that
// allocates, and catches what happens.
const failing = `
from ucollections import namedtuple, OrderedDict, deque
def gen(n):
    for i in range(n): yield i
def work():
    l = list(gen(9)); l.append(1); l.extend(gen(3)); l += [1, 2, 3]; l[1:2] = [5] * 9; del l[2:4]; l.insert(0, 3)
    l.sort(key=lambda x: -x); l = sorted(l, reverse=True); l = l[::-2] + l * 2; l.pop(); l.copy(); l.clear()
    t = tuple(gen(9)); t = t + t * 2; t = t[1:5]; t == (1, 2)
    d = dict(zip(gen(9), t)); d.update(a=1); d.update([(1, 2)]); d = d.copy(); list(d.items()); d.popitem(); d.setdefault(77, 1)
    dict.fromkeys(gen(5)); str(d); str(d.items()); d.clear()
    o = OrderedDict([(i, i) for i in range(9)]); str(o); del o[3]; o == o.copy()
    s = set(gen(9)); s = s | {1, 2, 99}; s &= {1, 2, 3}; s ^= {5}; s -= {1}; str(s); hash(frozenset(s)); s.isdisjoint(gen(2)); s.issubset(gen(2))
    N = namedtuple('N', 'a b'); n = N(1, b=2); str(n); a, b = n; N(*gen(2))
    q = deque((), 3); [q.append(i) for i in range(9)]; q.popleft()
    list(enumerate('abc')); list(map(max, gen(3), gen(3))); list(filter(None, gen(4))); list(reversed(t)); any(gen(2)); sum(gen(3)); max(gen(4), key=lambda x: -x)
    range(9)[1:3]; iter(l); (lambda *a, **k: 0)(*gen(7), **{'x': 1})
    return 'done'
try:
    print(work())
except MemoryError:
    print('MemoryError')
`

// TestContainersFailing makes each allocation of a program fail in turn.
func TestContainersFailing(t *testing.T) {
	var start uint64
	var heap func() uint64
	out := runProgram(t, vm.Full(), 100_000, []byte(failing), func(v *vm.VM) {
		start, heap = v.Heap().Allocations(), v.Heap().Allocations
	})
	if out != "done\n" {
		t.Fatalf("without failures: %q", out)
	}
	n := int(heap() - start)
	if n < 300 {
		t.Fatalf("only %d allocations", n)
	}
	outcomes := map[string]int{}
	for k := 1; k <= n; k++ {
		out := runProgram(t, vm.Full(), 100_000, []byte(failing), func(v *vm.VM) { v.Heap().FailAt(k) })
		switch {
		case out == "done\n" || out == "MemoryError\n":
			outcomes[out]++
		case strings.Contains(out, "MemoryError"): // in the compiler, or in a name error's text
			outcomes["uncaught"]++
		default:
			t.Fatalf("allocation %d of %d fails: %q", k, n, out)
		}
	}
	if outcomes["MemoryError\n"] == 0 {
		t.Errorf("outcomes: %v", outcomes)
	}
}

func benchmarkProgram(b *testing.B, body string) {
	src := []byte("def work():\n" + body + "\nfor _ in range(20): work()\n")
	b.ReportAllocs()
	for b.Loop() {
		if out := runProgram(b, vm.XBee(), 400_000, src, nil); out != "" {
			b.Fatal(out)
		}
	}
}

func BenchmarkListAppend(b *testing.B) {
	benchmarkProgram(b, "    l = []\n    for i in range(2000): l.append(i)\n")
}

func BenchmarkDictStore(b *testing.B) {
	benchmarkProgram(b, "    d = {}\n    for i in range(2000): d[i % 97] = i\n")
}

func BenchmarkDictItems(b *testing.B) {
	benchmarkProgram(b, "    d = {i: i for i in range(50)}\n    for j in range(40):\n        for k, v in d.items(): pass\n")
}

func BenchmarkSetAdd(b *testing.B) {
	benchmarkProgram(b, "    s = set()\n    for i in range(2000): s.add(i & 127)\n")
}

func BenchmarkSort(b *testing.B) {
	benchmarkProgram(b, "    l = [(i * 7919) % 1009 for i in range(1000)]\n    l.sort()\n")
}

func BenchmarkTupleCompare(b *testing.B) {
	benchmarkProgram(b, "    a = (1, 2, 3, 4)\n    n = 0\n    for i in range(2000): n += a < (1, 2, 3, i)\n")
}

func BenchmarkSum(b *testing.B) {
	benchmarkProgram(b, "    l = list(range(500))\n    for i in range(10): sum(l); max(l); any(l)\n")
}
