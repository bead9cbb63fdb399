package vm

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/syntax"
)

// TestNumbersAsRecorded runs expressions of all sorts, errors among them.
func TestNumbersAsRecorded(t *testing.T) {
	src, err := os.ReadFile("testdata/numbers.py")
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{"full": Full(), "bare": Bare()} {
		want, err := os.ReadFile("testdata/numbers." + name + ".out")
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		vm := New(Config{Firmware: NewFirmware(o), HeapBytes: 1 << 20, Hooks: Hooks{Stdout: func(b []byte) { out.Write(b) }}})
		exc := vm.Try(func() { vm.Exec(src, "numbers.py", syntax.File, FileReader, vm.MainDict(), vm.MainDict()) })
		if exc != Null {
			vm.NewPrinter(func(b []byte) { out.Write(b) }).PrintException(exc)
		}
		got, lines := strings.Split(out.String(), "\n"), strings.Split(string(want), "\n")
		for i := range lines {
			if i >= len(got) || got[i] != lines[i] {
				t.Errorf("%s, line %d: got %q, want %q", name, i+1, got[min(i, len(got)-1)], lines[i])
			}
		}
	}
}

// TestNumbersTakeNoGoMemory: arithmetic allocates on the device's heap only.
func TestNumbersTakeNoGoMemory(t *testing.T) {
	vm := newNumVM(t, Full())
	a, b := vm.ParseInt([]byte("123456789012345678901234567890123456789"), 10), vm.ParseInt([]byte("98765432109876543210"), 10)
	x, y := vm.NewFloat(1.5), vm.NewFloat(-2.25)
	p := vm.NewPrinter(func([]byte) {})
	room := vm.Mark()
	for name, f := range map[string]func(){
		"small ints": func() { vm.BinaryOp(BinAdd, SmallInt(5), SmallInt(7)) },
		"to big":     func() { vm.BinaryOp(BinMultiply, SmallInt(1<<29), SmallInt(1<<29)) },
		"add":        func() { vm.BinaryOp(BinAdd, a, b) },
		"add small":  func() { vm.BinaryOp(BinAdd, a, SmallInt(-5)) },
		"multiply":   func() { vm.BinaryOp(BinMultiply, a, b) },
		"divide":     func() { vm.BinaryOp(BinDivmod, a, b) },
		"modulo":     func() { vm.BinaryOp(BinModulo, a, SmallInt(-1000)) },
		"and":        func() { vm.BinaryOp(BinAnd, a, b) },
		"shift":      func() { vm.BinaryOp(BinLshift, a, SmallInt(77)) },
		"power":      func() { vm.BinaryOp(BinPower, b, SmallInt(13)) },
		"compare":    func() { vm.BinaryOp(BinLess, a, b) },
		"floats":     func() { vm.BinaryOp(BinMultiply, x, y) },
		"mixed":      func() { vm.BinaryOp(BinTrueDivide, a, y) },
		"print int":  func() { p.Value(a, PrintStr) },
		"print float": func() {
			p.Value(x, PrintStr)
			p.PrintFloat(1.25, 'f', 0, ' ', 8, 3)
		},
		"field": func() { p.PrintInt(a, 16, 'a', PrintPrefix, '0', 60, 0) },
	} {
		if n := testing.AllocsPerRun(100, func() {
			f()
			vm.Release(room)
			vm.Keep(a)
			vm.Keep(b)
			vm.Keep(x)
			vm.Keep(y)
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkInt(b *testing.B) {
	vm := newNumVM(b, Full())
	digits := func(n int) Value { return vm.ParseInt([]byte(strings.Repeat("7", n)), 10) }
	small, word, long, longer := SmallInt(12345), digits(18), digits(1000), digits(2000)
	room := vm.Mark()
	for _, c := range []struct {
		name string
		op   BinaryOp
		l, r Value
	}{
		{"SmallAdd", BinAdd, small, small},
		{"SmallModulo", BinModulo, small, SmallInt(7)},
		{"Add18", BinAdd, word, word},
		{"Multiply18", BinMultiply, word, word},
		{"Modulo18", BinModulo, word, small},
		{"Add1000", BinAdd, long, long},
		{"Multiply1000", BinMultiply, long, long},
		{"Divide2000by1000", BinFloorDivide, longer, long},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; i < b.N; i++ {
				vm.BinaryOp(c.op, c.l, c.r)
				vm.Release(room)
			}
		})
	}
	p := vm.NewPrinter(func([]byte) {})
	b.Run("Print1000", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			p.Value(long, PrintStr)
			vm.Release(room)
		}
	})
	text := []byte(strings.Repeat("7", 1000))
	b.Run("Parse1000", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			vm.ParseInt(text, 10)
			vm.Release(room)
		}
	})
}

func BenchmarkFloat(b *testing.B) {
	vm := newNumVM(b, Full())
	x, y := vm.NewFloat(1.5), vm.NewFloat(2.25)
	room := vm.Mark()
	b.Run("Add", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			vm.BinaryOp(BinAdd, x, y)
			vm.Release(room)
		}
	})
	p := vm.NewPrinter(func([]byte) {})
	b.Run("Print", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			p.Value(x, PrintRepr)
		}
	})
}
