package vm

import (
	"math/big"
	"math/rand"
	"testing"
)

// newTestVM makes a VM with everything on.
func newNumVM(tb testing.TB, o Options) *VM {
	tb.Helper()
	return New(Config{Firmware: NewFirmware(o), HeapBytes: 1 << 20, Hooks: Hooks{Stdout: func([]byte) {}}})
}

// value makes an int object of i the way that arithmetic would.
func (vm *VM) testInt(i *big.Int) Value {
	if i.IsInt64() && FitsSmallInt(i.Int64()) {
		return SmallInt(int(i.Int64()))
	}
	return vm.ParseInt([]byte(i.String()), 10)
}

// goInt reads an int object.
func (vm *VM) goInt(tb testing.TB, v Value) *big.Int {
	tb.Helper()
	if v.IsSmallInt() {
		return big.NewInt(int64(v.SmallInt()))
	}
	var z bigint
	vm.loadBig(&z, v)
	if z.n != 0 && z.digit(z.n-1) == 0 || z.n > z.alloc {
		tb.Fatalf("not normal: %d digits of %d", z.n, z.alloc)
	}
	i := new(big.Int)
	for k := z.n; k > 0; k-- {
		i.Lsh(i, 16).Or(i, big.NewInt(int64(z.digit(k-1))))
	}
	if z.neg {
		i.Neg(i)
	}
	return i
}

// randInt makes numbers of up to so many bits, with runs of ones and zeros.
func randInt(r *rand.Rand, bits int) *big.Int {
	i := new(big.Int)
	for n := r.Intn(bits + 1); n > 0; {
		k := 1 + r.Intn(min(n, 40))
		i.Lsh(i, uint(k))
		switch r.Intn(3) {
		case 0:
			i.Or(i, big.NewInt(1<<k-1))
		case 1:
			i.Or(i, big.NewInt(r.Int63n(1<<k)))
		}
		n -= k
	}
	if r.Intn(2) == 0 {
		i.Neg(i)
	}
	return i
}

func TestIntArithmetic(t *testing.T) {
	vm := newNumVM(t, Full())
	r := rand.New(rand.NewSource(1))
	z := func() *big.Int { return new(big.Int) }
	floor := func(a, b *big.Int) (q, m *big.Int) {
		q, m = z().DivMod(a, b, z())
		if b.Sign() < 0 && m.Sign() != 0 { // Euclid's to Python's
			q.Add(q, big.NewInt(-1))
			m.Add(m, b)
		}
		return q, m
	}
	ops := []struct {
		name string
		op   BinaryOp
		f    func(a, b *big.Int) *big.Int
	}{
		{"+", BinAdd, func(a, b *big.Int) *big.Int { return z().Add(a, b) }},
		{"-", BinInplaceSubtract, func(a, b *big.Int) *big.Int { return z().Sub(a, b) }},
		{"*", BinMultiply, func(a, b *big.Int) *big.Int { return z().Mul(a, b) }},
		{"&", BinAnd, func(a, b *big.Int) *big.Int { return z().And(a, b) }},
		{"|", BinInplaceOr, func(a, b *big.Int) *big.Int { return z().Or(a, b) }},
		{"^", BinXor, func(a, b *big.Int) *big.Int { return z().Xor(a, b) }},
		{"//", BinFloorDivide, func(a, b *big.Int) *big.Int { q, _ := floor(a, b); return q }},
		{"%", BinModulo, func(a, b *big.Int) *big.Int { _, m := floor(a, b); return m }},
	}
	for n := 0; n < 20000; n++ {
		vm.ntemps = 0
		bits := []int{33, 70, 200, 1500}[n%4]
		a, b := randInt(r, bits), randInt(r, []int{20, 64, 130, 1500}[n/4%4])
		va, vb := vm.testInt(a), vm.testInt(b)
		for _, o := range ops {
			if b.Sign() == 0 && (o.op == BinFloorDivide || o.op == BinModulo) {
				continue
			}
			if got, want := vm.goInt(t, vm.BinaryOp(o.op, va, vb)), o.f(a, b); got.Cmp(want) != 0 {
				t.Fatalf("%d %s %d = %d, want %d", a, o.name, b, got, want)
			}
		}
		s := r.Intn(200)
		if got, want := vm.goInt(t, vm.BinaryOp(BinLshift, va, SmallInt(s))), z().Lsh(a, uint(s)); got.Cmp(want) != 0 {
			t.Fatalf("%d << %d = %d", a, s, got)
		}
		if got, want := vm.goInt(t, vm.BinaryOp(BinRshift, va, SmallInt(s))), z().Rsh(a, uint(s)); got.Cmp(want) != 0 {
			t.Fatalf("%d >> %d = %d", a, s, got)
		}
		if got, want := vm.goInt(t, vm.UnaryOp(UnaryInvert, va)), z().Not(a); got.Cmp(want) != 0 {
			t.Fatalf("~%d = %d", a, got)
		}
		if got, want := vm.goInt(t, vm.UnaryOp(UnaryNegative, va)), z().Neg(a); got.Cmp(want) != 0 {
			t.Fatalf("-%d = %d", a, got)
		}
		if got := vm.BinaryOp(BinLess, va, vb) == True; got != (a.Cmp(b) < 0) {
			t.Fatalf("%d < %d = %v", a, b, got)
		}
		if got := vm.Equal(va, vm.testInt(a)); !got {
			t.Fatalf("%d is not itself", a)
		}
	}
}

func TestIntPower(t *testing.T) {
	vm := newNumVM(t, Full())
	r := rand.New(rand.NewSource(2))
	for n := 0; n < 2000; n++ {
		vm.ntemps = 0
		a, e, m := randInt(r, 90), int64(r.Intn(30)), randInt(r, 150)
		got, want := vm.goInt(t, vm.BinaryOp(BinPower, vm.testInt(a), SmallInt(int(e)))), new(big.Int).Exp(a, big.NewInt(e), nil)
		if got.Cmp(want) != 0 {
			t.Fatalf("%d ** %d = %d, want %d", a, e, got, want)
		}
		if m.Sign() <= 0 || a.Sign() == 0 {
			continue
		}
		b := new(big.Int).Abs(randInt(r, 100))
		got = vm.goInt(t, vm.intPow3(vm.testInt(a), vm.testInt(b), vm.testInt(m)))
		want = new(big.Int).Exp(a, b, m)
		if b.Sign() == 0 {
			want.SetInt64(1) // not reduced, as in C
			if m.IsInt64() && m.Int64() == 1 {
				want.SetInt64(0)
			}
		}
		if got.Cmp(want) != 0 {
			t.Fatalf("pow(%d, %d, %d) = %d, want %d", a, b, m, got, want)
		}
	}
}

func TestIntText(t *testing.T) {
	vm := newNumVM(t, Full())
	r := rand.New(rand.NewSource(3))
	var out []byte
	p := vm.NewPrinter(func(b []byte) { out = append(out, b...) })
	for n := 0; n < 5000; n++ {
		vm.ntemps = 0
		a := randInt(r, []int{31, 70, 900}[n%3])
		v := vm.testInt(a)
		for _, base := range []int{2, 8, 10, 16} {
			out = out[:0]
			p.PrintInt(v, base, 'a', 0, 0, 0, 0)
			if string(out) != a.Text(base) {
				t.Fatalf("%d to base %d: %s", a, base, out)
			}
		}
		base := 2 + r.Intn(35)
		if got := vm.goInt(t, vm.ParseInt([]byte(" \t"+a.Text(base)+"\n"), base)); got.Cmp(a) != 0 {
			t.Fatalf("%d from base %d: %d", a, base, got)
		}
	}
}
