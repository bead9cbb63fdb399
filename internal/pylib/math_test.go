package pylib

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/vm"
)

// mathSlack is how many units in the last place a function may differ from the
// reference, whose library does not round correctly either.
func mathSlack(name string) int64 {
	switch name {
	case "math.gamma", "math.lgamma":
		return 8
	case "math.ceil", "math.floor", "math.trunc", "math.fabs", "math.sqrt", "math.fmod", "math.copysign", "math.frexp", "math.modf":
		return 0
	case "cmath.log", "cmath.log10": // near 1 the reference has more bits of the square
		return 64
	}
	if strings.HasPrefix(name, "cmath.") {
		return 3 // several functions in a row
	}
	return 1
}

// TestMathAsRecorded compares every function of math and cmath to the reference.
func TestMathAsRecorded(t *testing.T) {
	fw := vm.NewFirmware(vm.Full())
	Math(fw)
	CMath(fw)
	v := vm.New(vm.Config{Firmware: fw, HeapBytes: 1 << 20})
	var sb strings.Builder
	p := v.NewPrinter(func(b []byte) { sb.Write(b) })
	bits := func(f float32) string { return fmt.Sprintf("%08x", math.Float32bits(f)) }
	var show func(r vm.Value) string
	show = func(r vm.Value) string {
		switch v.TypeOf(r) {
		case vm.TypeFloat:
			return bits(v.Float(r))
		case vm.TypeComplex:
			re, im := v.Complex(r)
			return bits(re) + " " + bits(im)
		case vm.TypeTuple:
			var s []string
			for _, x := range v.TupleItems(r) {
				s = append(s, show(x))
			}
			return strings.Join(s, " ")
		}
		sb.Reset()
		p.Value(r, vm.PrintStr)
		return sb.String()
	}
	table, err := os.ReadFile("testdata/math.txt")
	if err != nil {
		t.Fatal(err)
	}
	room := v.Mark()
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n") {
		v.Release(room)
		w := strings.Split(line, "\t")
		if len(w) != 3 {
			continue
		}
		var floats []float32
		for _, s := range strings.Fields(w[1]) {
			b, err := strconv.ParseUint(s, 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			floats = append(floats, math.Float32frombits(uint32(b)))
		}
		mod, name, _ := strings.Cut(w[0], ".")
		var got string
		exc := v.Try(func() {
			var args []vm.Value
			if mod == "cmath" {
				args = append(args, v.NewComplex(floats[0], floats[1]))
			} else {
				for _, f := range floats {
					args = append(args, v.NewFloat(f))
				}
			}
			got = show(v.Call(v.LoadAttr(fw.Module(mod).Value(), v.Intern(name)), args, nil))
		})
		if exc != vm.Null {
			sb.Reset()
			p.Value(exc, vm.PrintRepr)
			got = sb.String()
		}
		if !near(got, w[2], mathSlack(w[0])) {
			t.Errorf("%s: got %s", line, got)
		}
	}
}

// near compares two results, floats with so many units in the last place to
// spare. All NaNs are the same.
func near(got, want string, slack int64) bool {
	g, w := strings.Fields(got), strings.Fields(want)
	if len(g) != len(w) {
		return false
	}
	for i := range g {
		if g[i] == w[i] {
			continue
		}
		a, err1 := strconv.ParseInt(g[i], 16, 64)
		b, err2 := strconv.ParseInt(w[i], 16, 64)
		if err1 != nil || err2 != nil || len(g[i]) != 8 || len(w[i]) != 8 {
			return false
		}
		nan := func(x int64) bool { return x&0x7fffffff > 0x7f800000 }
		if max(a-b, b-a) > slack && !(nan(a) && nan(b)) {
			return false
		}
	}
	return true
}

func TestMathNamesOfXBee(t *testing.T) {
	fw := vm.NewFirmware(vm.XBee())
	Math(fw)
	CMath(fw)
	v := vm.New(vm.Config{Firmware: fw, HeapBytes: 32768})
	m := fw.Module("math").Value()
	has := func(name string) bool { return v.Try(func() { v.LoadAttr(m, v.Intern(name)) }) == vm.Null }
	for _, name := range strings.Fields("e pi acos asin atan atan2 ceil copysign cos degrees exp fabs floor fmod frexp isfinite isinf isnan ldexp log log10 modf pow radians sin sqrt tan trunc") {
		if !has(name) {
			t.Errorf("math.%s is missing", name)
		}
	}
	for _, name := range strings.Fields("inf nan tau acosh asinh atanh cosh sinh tanh log2 log1p lgamma factorial hypot isclose gcd expm1 erf") {
		if has(name) {
			t.Errorf("math.%s is there", name)
		}
	}
}
