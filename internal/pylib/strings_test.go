package pylib

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/memory"
	"github.com/skep-sim/skep/internal/syntax"
	"github.com/skep-sim/skep/internal/vm"
)

// newVM makes an interpreter with all modules that prints to out.
func newVM(o vm.Options, out *bytes.Buffer) *vm.VM {
	fw := vm.NewFirmware(o)
	Standard(fw, SysConfig{Platform: "linux", Version: [3]int{1, 11, 0}})
	return vm.New(vm.Config{Firmware: fw.Seal(), HeapBytes: 1 << 20, Hooks: vm.Hooks{
		Stdout: func(b []byte) { out.Write(b) },
	}})
}

// run runs source text and returns what it evaluates to. An exception is printed.
func run(v *vm.VM, out *bytes.Buffer, src []byte, mode syntax.Mode) (r vm.Value) {
	exc := v.Try(func() { r = v.Exec(src, "t.py", mode, vm.FileReader, v.MainDict(), v.MainDict()) })
	if exc != vm.Null {
		v.NewPrinter(func(b []byte) { out.Write(b) }).PrintException(exc)
	}
	return r
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestAsRecorded runs expressions of all sorts, errors among them, and compares
// what they print to what the reference does.
func TestAsRecorded(t *testing.T) {
	full, bare := vm.Full(), vm.Bare()
	for _, c := range []struct {
		name, build string
		o           vm.Options
	}{
		{"strings", "full", full},
		{"strings", "bare", bare},
		{"modules", "full", full},
	} {
		src, want := readFile(t, c.name+".py"), readFile(t, c.name+"."+c.build+".out")
		var out bytes.Buffer
		run(newVM(c.o, &out), &out, src, syntax.File)
		got, lines := strings.Split(out.String(), "\n"), strings.Split(string(want), "\n")
		for i := range lines {
			if i >= len(got) || got[i] != lines[i] {
				t.Errorf("%s on %s, line %d: got %q, want %q", c.name, c.build, i+1, got[min(i, len(got)-1)], lines[i])
			}
		}
	}
}

// resized writes a block that grew in place as one that moved: which of the two
// happens depends on its neighbours.
func resized(old, n uint32) string {
	if n > old {
		return fmt.Sprintf("+%d -%d", n, old)
	}
	return fmt.Sprintf("%d>%d", old, n)
}

// TestTrace compares every allocation of expressions with strings, buffers and
// modules to what the reference does.
func TestTrace(t *testing.T) {
	var out bytes.Buffer
	v := newVM(vm.Bare(), &out)
	run(v, &out, readFile(t, "strtrace.py"), syntax.File)
	run(v, &out, []byte("for _i in range(256): chr(_i)\n"), syntax.File)
	for _, line := range strings.Split(strings.TrimSpace(string(readFile(t, "strtrace.txt"))), "\n") {
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
		f := run(v, &out, []byte("lambda: "+expr), syntax.Eval)
		v.Call(f, nil, nil)
		var got []string
		v.Heap().Trace = func(op byte, addr, n, old uint32) {
			switch op {
			case memory.OpAlloc, memory.OpFree:
				got = append(got, fmt.Sprintf("%c%d", op, n))
			case memory.OpRealloc:
				got = append(got, resized(old, n))
			}
		}
		v.Call(f, nil, nil)
		v.Heap().Trace = nil
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s:\n got %s\nwant %s", expr, s, want)
		}
	}
	if out.Len() > 0 {
		t.Errorf("printed: %s", out.String())
	}
}

// FuzzJSON parses any text; what is accepted is printed and parsed again.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,null,true]}`, `"\u0041\n"`, `[[[]]]`, `{1:2`, `-`, `1e`, "[\"\x00"} {
		f.Add([]byte(s))
	}
	var out bytes.Buffer
	v := newVM(vm.XBee(), &out)
	f.Fuzz(func(t *testing.T, text []byte) {
		mark := v.Mark()
		defer v.Release(mark)
		v.Try(func() {
			o := jsonLoads(v, v.NewStr(text))
			jsonLoads(v, jsonDumps(v, o))
		})
		if err := v.Heap().Check(); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzRegex compiles and runs any expression.
func FuzzRegex(f *testing.F) {
	for _, s := range []string{"a(b|c)*d", "[^a-c]+?$", "(a*)*b", "\\d\\W", "((((", "a|b|", "[a-", "x{2}"} {
		f.Add([]byte(s), []byte("abcabcdx1"))
	}
	f.Fuzz(func(t *testing.T, re, text []byte) {
		p, size, ok := compileRegex(cString(re), false)
		if !ok {
			return
		}
		if size != len(p.code) {
			t.Fatalf("%q: room for %d bytes, code of %d", re, size, len(p.code))
		}
		var out bytes.Buffer
		v := newVM(vm.XBee(), &out)
		v.StepLimit = 4
		defer func() {
			if r := recover(); r != nil && r != any(vm.ErrSteps) {
				panic(r)
			}
		}()
		v.Try(func() {
			m := matcher{v: v, code: p.code, text: text, caps: make([]int, 2*(p.subs+1)), cost: reFramePC}
			m.run(false)
		})
	})
}

// FuzzStruct unpacks any bytes with any format and packs them again.
func FuzzStruct(f *testing.F) {
	f.Add([]byte("<iHb"), []byte("1234567"), 0)
	f.Add([]byte("@b2qOSP3s"), bytes.Repeat([]byte{0xfe}, 60), 1)
	f.Add([]byte("999999999s"), []byte(""), -1)
	var out bytes.Buffer
	v := newVM(vm.XBee(), &out)
	f.Fuzz(func(t *testing.T, format, data []byte, offset int) {
		mark := v.Mark()
		defer v.Release(mark)
		v.Try(func() {
			b := v.NewByteArray(data)
			fm := v.NewStr(format)
			r := structUnpack(v, []vm.Value{fm, b, vm.SmallInt(offset % 1000)})
			args := append([]vm.Value{fm, b, vm.SmallInt(0)}, v.TupleItems(r)...)
			structPackInto(v, args)
		})
		if err := v.Heap().Check(); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzBinascii decodes any bytes as hexadecimal digits and as base 64, and what
// comes out gives the same bytes when it is encoded and decoded again.
func FuzzBinascii(f *testing.F) {
	for _, s := range []string{"00ffAb", "0", "zz", "QUJD", "QUI=\n", "QQ==", "=", "Q=Q=", "\x00A\xff/+=", "////////"} {
		f.Add([]byte(s))
	}
	var out bytes.Buffer
	v := newVM(vm.XBee(), &out)
	codecs := []struct {
		name           string
		decode, encode func(*vm.VM, vm.Value) vm.Value
	}{
		{"hex", unhexlify, func(v *vm.VM, b vm.Value) vm.Value { return hexlify(v, []vm.Value{b}) }},
		{"base64", a2bBase64, b2aBase64},
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		mark := v.Mark()
		defer v.Release(mark)
		for _, c := range codecs {
			v.Try(func() {
				plain := c.decode(v, v.NewBytes(data))
				again := c.decode(v, c.encode(v, plain))
				if !bytes.Equal(v.StrBytes(plain), v.StrBytes(again)) {
					t.Errorf("%s: %q, once encoded %q", c.name, v.StrBytes(plain), v.StrBytes(again))
				}
			})
			if exc := v.Try(func() { c.decode(v, c.encode(v, v.NewBytes(data))) }); exc != vm.Null {
				t.Errorf("%s: what is encoded of %q cannot be decoded", c.name, data)
			}
		}
		if err := v.Heap().Check(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestHostileStreams: a stream of the program can say anything of what it read.
func TestHostileStreams(t *testing.T) {
	src := `
import uio
class S(uio.IOBase):
    def __init__(self, n): self.n = n
    def readinto(self, b):
        b.append(1); b.extend(b'x'*100); self.b = b
        return self.n
    def write(self, b):
        self.b = b
        return self.n
    def ioctl(self, r, a): return -22
for n in (0, 1, 1000, -5):
    s = S(n)
    try: print(ujson.load(s))
    except Exception as e: print(repr(e))
    print('x', 'y', file=s)
    print(len(s.b))
`
	var out bytes.Buffer
	v := newVM(vm.Full(), &out)
	run(v, &out, []byte("import ujson\n"+src), syntax.File)
	want := "ValueError('syntax error in JSON',)\n0\nValueError('syntax error in JSON',)\n0\n" +
		"ValueError('syntax error in JSON',)\n0\nValueError('syntax error in JSON',)\n0\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	if err := v.Heap().Check(); err != nil {
		t.Error(err)
	}
}

func BenchmarkFormat(b *testing.B) {
	var out bytes.Buffer
	v := newVM(vm.XBee(), &out)
	for _, expr := range []string{"'%d %s'%(1,'ab')", "'{} {}'.format(1,'ab')", "'a b c'.split()", "ujson.dumps([1,2])", "'ab'+'cdefghijkl'"} {
		run(v, &out, []byte("import ujson\n"), syntax.File)
		f := run(v, &out, []byte("lambda: "+expr), syntax.Eval)
		mark := v.Mark()
		b.Run(expr, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				v.Call(f, nil, nil)
				v.Release(mark)
			}
		})
	}
}

// TestEveryAllocationFails fails allocation k of expressions, for every k: the
// outcome is a value or an exception, and the heap is sound.
func TestEveryAllocationFails(t *testing.T) {
	var out bytes.Buffer
	v := newVM(vm.XBee(), &out)
	run(v, &out, readFile(t, "strtrace.py"), syntax.File)
	for _, line := range strings.Split(strings.TrimSpace(string(readFile(t, "strtrace.txt"))), "\n") {
		if line[0] == '#' {
			continue
		}
		expr, want, _ := strings.Cut(line, "\t")
		for k := 1; k <= len(strings.Fields(want))+4; k++ {
			f := run(v, &out, []byte("lambda: "+expr), syntax.Eval)
			v.Keep(f)
			v.Heap().FailAt(k)
			v.Try(func() { v.Call(f, nil, nil) })
			v.Heap().FailAt(0)
			v.Release(0)
		}
		v.Collect()
		if err := v.Heap().Check(); err != nil {
			t.Fatalf("%s: %v", expr, err)
		}
	}
	if out.Len() > 0 {
		t.Errorf("printed: %s", out.String())
	}
}
