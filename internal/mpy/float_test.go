package mpy

import (
	"math/rand/v2"
	"strconv"
	"testing"
)

// What mpy-cross v1.11 writes for float and imaginary literals.
func TestFloatText(t *testing.T) {
	for _, c := range []struct{ literal, want string }{
		{"0.0", "0.0"},
		{"0e5", "0.0"},
		{"0e400", "nan"}, // 0 times infinity
		{"1e400", "inf"},
		{"1e-400", "0.0"},
		{".5", "0.5"},
		{"5.", "5.0"},
		{"1_000.5", "1000.5"},
		{"1E5", "100000.0"},
		{"0.1", "0.1"},
		{"0.30000000000000004", "0.3"},
		{"1e15", "1000000000000000.0"},
		{"1e16", "1e+16"},
		{"999999999999999.9", "1000000000000000.0"},
		{"9999999999999999.5", "1e+16"},
		{"1e22", "1e+22"},
		{"1e23", "1e+23"},
		{"91023514133065082e23", "9.102351413306511e+39"},
		{"3.6366448e30", "3.636644800000001e+30"},
		{"94537782047904533e210", "9.453778204790453e+226"},
		{"0j", "0j"},
		{"1_0j", "10j"},
		{"0.8e24", "8e+23"},
		{"5J", "5j"},
	} {
		if got := FloatText(c.literal); got != c.want {
			t.Errorf("FloatText(%q) = %q, want %q", c.literal, got, c.want)
		}
	}
	for _, bad := range []string{"", "1e", "1e+", "1.2.3", "1x", "1jj", "j1"} {
		if got := FloatText(bad); got != "" {
			t.Errorf("FloatText(%q) = %q", bad, got)
		}
	}
}

// Printing and parsing lose at most the last of the 16 digits.
func TestFloatTextNear(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		v := rng.Float64() * powerOfTen(rng.IntN(590)-290)
		text := FloatText(strconv.FormatFloat(v, 'g', -1, 64))
		back, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatalf("%v: printed as %q", v, text)
		}
		if off := (back - v) / v; off > 1e-14 || off < -1e-14 {
			t.Fatalf("%v: printed as %q", v, text)
		}
		if !isFloat(text, false) {
			t.Fatalf("isFloat(%q) is false", text)
		}
	}
}

func BenchmarkFloatText(b *testing.B) {
	for b.Loop() {
		FloatText("3.14159265358979")
	}
}
