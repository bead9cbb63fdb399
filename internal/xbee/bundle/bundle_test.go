package bundle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/compiler"
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
	"github.com/skep-sim/skep/internal/vm"
)

const testBase = 0x9000

// observed is the area of the firmware of 2019 (device-facts.md 4.2).
var observed = Area{PayloadBytes: 31152, Qstrs: 371}

func firmware() *vm.Firmware { return vm.NewFirmware(vm.XBee()).Seal() }

// compile gives a .mpy file as the cross compiler makes it.
func compile(t testing.TB, src string) []byte {
	t.Helper()
	m, err := compiler.Compile([]byte(src), "m.py", compiler.Options{Version: 4, Mode: syntax.File, SmallIntBits: 31})
	if err != nil {
		t.Fatal(err)
	}
	data, err := mpy.Write(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func read(t testing.TB, data []byte) *mpy.Module {
	t.Helper()
	m, err := mpy.Read(data, mpy.XBee)
	if err == nil {
		err = mpy.Verify(m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const sample = `
def f(alpha, beta=3, *rest, key):
    "a text of more than ten characters"
    return alpha, b"some bytes", 1.5, 123456789012345678901234567890

class Thing:
    def method(self):
        return ["another long text", f, b"", ""]
`

// TestAccounting adds a module up from its .mpy file alone.
func TestAccounting(t *testing.T) {
	m := read(t, compile(t, sample))
	b := NewBuilder(firmware(), observed, testBase)
	mod, err := b.Add("thing", m)
	if err != nil {
		t.Fatal(err)
	}
	want := Parts{Header: ModuleHeader}
	var walk func(rc *mpy.RawCode)
	walk = func(rc *mpy.RawCode) {
		want.Functions++
		want.Bytecode += len(rc.Code)
		want.RawCode += 20
		want.Tables += 4 * (len(rc.ArgNames) + len(rc.Objs) + len(rc.Children))
		for _, o := range rc.Objs {
			switch {
			case o.Kind == mpy.ObjFloat:
				want.Objects += 8
			case o.Kind == mpy.ObjInt:
				want.Objects += 16
				want.Data += 16 // 97 bits: two limbs
			case o.Text != "":
				want.Objects += 16
				want.Data += len(o.Text) + 1
			}
		}
		for _, c := range rc.Children {
			walk(c)
		}
	}
	walk(m.Root)
	got := mod.Parts
	if pad := got.Data - want.Data; pad < 0 || pad > 7 {
		t.Errorf("data %d, want %d and up to 7 to align digits", got.Data, want.Data)
	}
	want.Data = got.Data
	if got != want {
		t.Errorf("parts %+v, want %+v", got, want)
	}
	names := 0
	for _, n := range b.Image().Names {
		names += len(n.Text) + 4
	}
	if b.Used() != got.Total()+names {
		t.Errorf("used %d, want %d of code and %d of names", b.Used(), got.Total(), names)
	}
}

// TestNames reads the table of interned strings back from the region.
func TestNames(t *testing.T) {
	fw := firmware()
	b := NewBuilder(fw, observed, testBase)
	for _, name := range []string{"one", "two", "print"} {
		if _, err := b.Add(name, read(t, compile(t, "def shared(): return only_"+name))); err != nil {
			t.Fatal(err)
		}
	}
	im := b.Image()
	var got []string
	for i, n := range im.Names {
		at := binary.LittleEndian.Uint32(im.Bytes[headerBytes+4*i:]) - testBase
		if n.Addr != testBase+at+3 {
			t.Errorf("%q at %#x, want %#x", n.Text, n.Addr, testBase+at+3)
		}
		s := string(im.Bytes[at+3 : at+3+uint32(im.Bytes[at+2])])
		if h := binary.LittleEndian.Uint16(im.Bytes[at:]); uint32(h) != fw.HashBytes([]byte(s)) || im.Bytes[at+3+uint32(len(s))] != 0 {
			t.Errorf("%q: hash %#x", s, h)
		}
		got = append(got, s)
	}
	// print is the firmware's, shared is one entry, <module> is the firmware's too.
	want := []string{"m.py", "shared", "only_one", "one", "only_two", "two", "only_print"}
	if !sameSet(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
	if im.Find("two") == 0 || im.Find("three") != 0 || len(im.Modules) != 3 {
		t.Errorf("modules %+v", im.Modules)
	}
}

func sameSet(a, b []string) bool {
	m := map[string]int{}
	for _, s := range a {
		m[s]++
	}
	for _, s := range b {
		m[s]--
	}
	for _, n := range m {
		if n != 0 {
			return false
		}
	}
	return true
}

func TestFull(t *testing.T) {
	var src strings.Builder
	for i := range 360 {
		fmt.Fprintf(&src, "name_%d = 0\n", i)
	}
	b := NewBuilder(firmware(), observed, testBase)
	if _, err := b.Add("many", read(t, compile(t, src.String()))); err != nil {
		t.Fatal(err)
	}
	before := b.Image()
	hash, used, qstrs := before.Hash(), b.Used(), b.Qstrs()
	check := func(what, name, src string, need int) {
		t.Helper()
		_, err := b.Add(name, read(t, compile(t, src)))
		var full *FullError
		if !errors.As(err, &full) || full.What != what || full.Need != need {
			t.Errorf("%s: %v, want %d %s", name, err, need, what)
		}
		if im := b.Image(); im.Hash() != hash || b.Used() != used || b.Qstrs() != qstrs || len(im.Modules) != 1 {
			t.Errorf("%s left a trace", name)
		}
	}
	check("names", "more", "a0=a1=a2=a3=a4=a5=a6=a7=a8=a9=0", 373)
	long := "x = '" + strings.Repeat("long", 10000) + "'"
	m := read(t, compile(t, long))
	small, err := NewBuilder(firmware(), observed, testBase).Add("x", read(t, compile(t, "x = 'a text to be put into an object'")))
	if err != nil {
		t.Fatal(err)
	}
	grown := small.Parts.Total() + 40000 - len("a text to be put into an object") + len(m.Root.Code) - small.Parts.Bytecode
	check("bytes", "x", long, used+grown+len("x")+4)
	if _, err := b.Add("fits", read(t, compile(t, "x = 1"))); err != nil {
		t.Error(err)
	}
}

func TestRecord(t *testing.T) {
	r := &Record{Date: 7, Hash: 8, Bytes: 9, Sources: []Source{{"a", compile(t, "x = 1")}, {"", nil}, {"b", compile(t, "y = 2")}}}
	got, err := ParseRecord(r.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if got.Date != 7 || got.Hash != 8 || got.Bytes != 9 || !reflect.DeepEqual(got.Names(), []string{"a", "", "b"}) {
		t.Errorf("%+v", got)
	}
	im, err := got.Build(firmware(), observed, testBase)
	if err != nil || len(im.Modules) != 2 || im.Find("b") == 0 {
		t.Errorf("%v %+v", err, im.Modules)
	}
	other, _ := got.Build(firmware(), observed, testBase)
	if im.Hash() != other.Hash() {
		t.Error("the same bundle gives two images")
	}
	if empty, err := ParseRecord(nil); err != nil || len(empty.Sources) != 0 {
		t.Errorf("%+v %v", empty, err)
	}
	got.Sources[0].Mpy = []byte("M\x05\x00\x1f\x20")
	if im, err = got.Build(firmware(), observed, testBase); err == nil || im.Find("b") == 0 {
		t.Errorf("a module that is refused: %v", err)
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(recordHead))
	f.Add((&Record{Sources: []Source{{"a", []byte("M")}, {}}}).Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRecord(b)
		if err != nil || len(b) == 0 {
			return
		}
		if again := r.Marshal(); string(again) != string(b) {
			t.Errorf("%q became %q", b, again)
		}
	})
}

func BenchmarkBuild(b *testing.B) {
	var src strings.Builder
	for i := range 60 {
		fmt.Fprintf(&src, "def f%d(a, b):\n    return a + b, 'a text that is not interned', a.attr\n", i)
	}
	r := &Record{Sources: []Source{{"m", compile(b, src.String())}}}
	fw := firmware()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Build(fw, observed, testBase); err != nil {
			b.Fatal(err)
		}
	}
}
