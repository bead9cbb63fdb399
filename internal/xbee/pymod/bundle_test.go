package pymod

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/compiler"
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
	"github.com/skep-sim/skep/internal/xbee/flash"
)

// putMpy compiles a module as a PC does and writes the file.
func (r *rig) putMpy(path, src string) {
	r.t.Helper()
	m, err := compiler.Compile([]byte(src), "x.py", compiler.Options{Version: 4, Mode: syntax.File, SmallIntBits: 31})
	if err != nil {
		r.t.Fatal(err)
	}
	data, err := mpy.Write(m)
	if err != nil {
		r.t.Fatal(err)
	}
	r.put(path, string(data))
}

const everything = `
import gc
class Base:
    "a text of the class that is an object"
    def __init__(self, *args, name="a default that is an object", **kw):
        self.args, self.name, self.kw = args, name, kw
    def __repr__(self):
        return "%s(%s, %s)" % (type(self).__name__, self.args, self.name)
    @property
    def total(self):
        return sum(self.args)
class Derived(Base):
    pass
def counter(n):
    i = 0
    def step():
        nonlocal i
        i += n
        return i
    return step
def gen(n):
    for i in range(n):
        try:
            yield i * 1.5
        finally:
            pass
big = 123456789012345678901234567890
neg = -123456789012345678901234567890
table = {"a key longer than ten": big, "short": b"bytes that are an object", 3: ...}
def check():
    d = Derived(1, 2, 3, attribute=4)
    step = counter(big)
    step()
    gc.collect()
    return [d, d.total, d.kw, step(), list(gen(3)), neg, table["a key longer than ten"], table["short"], table[3] is ..., 0.1, big + 1]
`

// TestRunsInPlace compares what a module does from a file and from the bundle.
func TestRunsInPlace(t *testing.T) {
	r := newRig(t)
	r.putMpy("all.mpy", everything)
	const program = "import all\nprint(all.check())\nprint(all.check())"
	want := r.run(program)
	if !strings.Contains(want, "Derived((1, 2, 3), a default that is an object)") {
		t.Fatal(want)
	}
	r.boot()
	before := r.run("import gc\na = gc.mem_alloc()\nimport all\nprint(gc.mem_alloc() - a)")
	r.run("import os\nos.bundle('all.mpy')\n")
	after := r.run("import gc\na = gc.mem_alloc()\nimport all\nprint(gc.mem_alloc() - a)")
	var file, bundled int
	fmt.Sscan(before, &file)
	fmt.Sscan(after, &bundled)
	if bundled*2 > file || bundled == 0 {
		t.Errorf("importing takes %d bytes from the file and %d from the bundle", file, bundled)
	}
	r.run("import os\nos.remove('all.mpy')")
	r.boot()
	for range 3 {
		if got := r.run(program); got != want {
			t.Errorf("from the bundle\n%s\nfrom the file\n%s", got, want)
		}
	}
	r.want("import micropython\nmicropython.qstr_info()", "qstr pool: n_pool=1, n_qstr=1, n_str_data_bytes=11, n_total_bytes=107\n") // test.py alone
}

func TestBundleReport(t *testing.T) {
	r := newRig(t)
	r.putMpy("lib/one.mpy", "def f():\n    return 'a text that is an object'\n")
	r.putMpy("two.mpy", "def f():\n    return g\n")
	r.put("bad.mpy", "not compiled")
	r.want("import os\nprint(os.bundle())", "[]\n")
	got := r.run("os.chdir('lib')\nos.bundle('one.mpy', '../bad.mpy', '/flash/two.mpy', 'none.mpy')\nprint('never')")
	// The sizes: code, table, raw code, objects and data, and 4 for each module.
	want := regexp.MustCompile(`^bundling one\.mpy\.\.\.(\d+) bytes of raw code
bundling \.\./bad\.mpy\.\.\.ValueError: incompatible \.mpy file
bundling /flash/two\.mpy\.\.\.(\d+) bytes of raw code
bundling none\.mpy\.\.\.OSError: \[Errno 7002\] ENOENT
Used 5/371 QSTR entries\.
stack: \d+ out of 3584
GC: total: 32000, used: (\d+), free: (\d+)
 No\. of 1-blocks: \d+, 2-blocks: \d+, max blk sz: \d+, max free sz: \d+
Embedded 2 module\(s\) to (\d+)/31152 bytes of flash\.
soft reset
$`).FindStringSubmatch(got)
	if want == nil {
		t.Fatal(got)
	}
	var n [6]int
	for i := 1; i < 6; i++ {
		fmt.Sscan(want[i], &n[i])
	}
	if names := len("x.py") + len("f") + len("one") + len("g") + len("two") + 5*4; n[1]+n[2]+names != n[5] {
		t.Errorf("%d + %d + %d is not %d", n[1], n[2], names, n[5])
	}
	if n[3]+n[4] != 32000 {
		t.Errorf("used %d, free %d", n[3], n[4])
	}
	r.want("import os\nprint(os.bundle(), os.getcwd())", "['one', '', 'two', ''] /flash\n")
	r.want("import one\nprint(one.f())", "a text that is an object\n")
	r.want("print(os.bundle(None), os.bundle())", "None []\n")
	r.want("import two\nprint(two)", "<module 'two'>\n") // the file
	r.boot()
	r.want("import one\nprint(one)", "<module 'one'>\n")
	r.want("import os\nos.bundle(3)", "TypeError: can't convert 'int' object to str implicitly\n")
}

func TestBundleBeatsFiles(t *testing.T) {
	r := newRig(t)
	r.putMpy("m.mpy", "print('old')")
	r.putMpy("main.mpy", "print('bundled main')")
	r.run("import os\nos.bundle('m.mpy', 'main.mpy')")
	r.put("m.py", "print('new')")
	r.put("main.py", "print('file main')")
	r.want("import m", "old\n")
	r.want("import main", "file main\n")
}

func TestBundleIsFull(t *testing.T) {
	r := newRig(t)
	r.putMpy("names.mpy", strings.Join(manyNames(400), "\n"))
	got := r.run("import os\nos.bundle('names.mpy')")
	if !strings.Contains(got, "bundling names.mpy...OSError: [Errno 7028] ENOSPC\n") ||
		!strings.Contains(got, "Embedded 0 module(s) to 0/31152 bytes of flash.\nsoft reset\n") {
		t.Error(got)
	}
	r.want("import os\nprint(os.bundle())", "['']\n")
	if len(r.notes) == 0 || !strings.Contains(r.notes[0], "names") {
		t.Errorf("notes %q", r.notes)
	}
	r.putMpy("a.mpy", "x = '"+strings.Repeat("t", 20000)+"'")
	r.putMpy("b.mpy", "x = '"+strings.Repeat("u", 20000)+"'")
	got = r.run("os.bundle('a.mpy', 'b.mpy')")
	if !strings.Contains(got, "b.mpy...OSError: [Errno 7028] ENOSPC\n") || !strings.Contains(got, "Embedded 1 module(s)") {
		t.Error(got)
	}
	r.putMpy("c.mpy", "x = '"+strings.Repeat("t", 31500)+"'")
	got = r.run("import os\nos.bundle('c.mpy')")
	if !strings.Contains(got, "MemoryError: memory allocation failed, allocating 31501 bytes\n") {
		t.Error(got)
	}
}

func manyNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("n%d", i)
	}
	return names
}

// TestBundleOutlives restarts the whole device, and formats its files.
func TestBundleOutlives(t *testing.T) {
	dev, err := flash.Open(flash.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	r := newRigOn(t, dev)
	r.putMpy("m.mpy", "def f():\n    return 'a text that is an object'")
	r.run("import os\nos.bundle('m.mpy')\n")
	size, hash, date := r.board.BundleReport()
	if size == 0 || hash == 0 || date != 625190400 {
		t.Errorf("report %d %#x %d", size, hash, date)
	}
	r = newRigOn(t, dev)
	r.want("import os\nos.format()\nimport m\nprint(m.f(), os.bundle())", "a text that is an object ['m']\n")
	if s, h, d := r.board.BundleReport(); s != size || h != hash || d != date {
		t.Errorf("report after power-on: %d %#x %d", s, h, d)
	}
	if err := r.board.EraseBundle(); err != nil {
		t.Fatal(err)
	}
	r = newRigOn(t, dev)
	r.want("import m", "ImportError: no module named 'm'\n")
	if s, h, d := r.board.BundleReport(); s != 0 || h != 0 || d != 0 {
		t.Errorf("report after erasing: %d %#x %d", s, h, d)
	}
}

// TestBundlePowerFails loses power at every step of bundling.
func TestBundlePowerFails(t *testing.T) {
	for k := 1; ; k++ {
		mem := flash.NewMemory()
		dev, err := flash.Open(mem)
		if err != nil {
			t.Fatal(err)
		}
		r := newRigOn(t, dev)
		r.putMpy("old.mpy", "x = 1")
		r.putMpy("new.mpy", "x = 2")
		r.run("import os\nos.bundle('old.mpy')")
		mem.FailAt(k)
		r.run("import os\nos.bundle('new.mpy', 'old.mpy')")
		if mem.Steps() < k {
			if k < 2 {
				t.Error("bundling took no step")
			}
			return
		}
		for _, outcome := range flash.Outcomes() {
			dev, err := flash.Open(mem.Survivor(outcome))
			if err != nil {
				t.Fatal(err)
			}
			got := newRigOn(t, dev).run("import os\nprint(os.bundle())")
			if got != "['old']\n" && got != "['new', 'old']\n" {
				t.Errorf("step %d, outcome %v: %s", k, outcome, got)
			}
		}
	}
}

func BenchmarkBundledCall(b *testing.B) {
	r := newRig(b)
	r.putMpy("m.mpy", "def f(n):\n    s = 0\n    for i in range(n):\n        s += i\n    return s")
	r.run("import os\nos.bundle('m.mpy')")
	r.run("import m")
	for b.Loop() {
		r.run("m.f(10000)")
	}
}
