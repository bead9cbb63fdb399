package vm

import (
	"slices"
	"testing"
)

// walk lists the positions that bounds select from n items.
func (b Bounds) walk() []int {
	var at []int
	for i := b.Start; b.Step < 0 && i >= b.Stop || b.Step > 0 && i < b.Stop; i += b.Step {
		at = append(at, i)
	}
	return at
}

// slicePositions is what start:stop:step selects by Python's definition.
func slicePositions(n int, start, stop *int, step int) []int {
	lo, hi := 0, n
	if step < 0 {
		lo, hi = -1, n-1
	}
	bound := func(p *int, def int) int {
		if p == nil {
			return def
		}
		v := *p
		if v < 0 {
			v += n
		}
		return min(max(v, lo), hi)
	}
	var at []int
	if step > 0 {
		for i, end := bound(start, 0), bound(stop, n); i < end; i += step {
			at = append(at, i)
		}
		return at
	}
	for i, end := bound(start, n-1), bound(stop, -1); i > end; i += step {
		at = append(at, i)
	}
	return at
}

// TestSliceBounds compares the bounds of slices with Python's definition.
func TestSliceBounds(t *testing.T) {
	bounds := []*int{nil}
	for i := -7; i <= 7; i++ {
		bounds = append(bounds, &i)
	}
	vm := newTestVM(t)
	object := func(p *int) Value {
		if p == nil {
			return None
		}
		return SmallInt(*p)
	}
	for n := 0; n <= 5; n++ {
		for _, start := range bounds {
			for _, stop := range bounds {
				for _, step := range []int{1, 2, 3, -1, -2, -3} {
					mark := vm.Mark()
					b, simple := vm.SliceBounds(n, vm.NewSlice(object(start), object(stop), SmallInt(step)))
					if simple != (step == 1) {
						t.Fatalf("step %d: simple %v", step, simple)
					}
					vm.Release(mark)
					got, want := b.walk(), slicePositions(n, start, stop, step)
					if !slices.Equal(got, want) {
						t.Fatalf("%d items [%v:%v:%d]: %v, want %v", n, vm.Str(vm.reprOf(object(start))), vm.Str(vm.reprOf(object(stop))), step, got, want)
					}
				}
			}
		}
	}
}

func (vm *VM) reprOf(v Value) Value {
	b := vm.makeVstr(16)
	b.Printer().Value(v, PrintRepr)
	return b.Object(TypeStr)
}

func newTestVM(t testing.TB) *VM {
	t.Helper()
	return New(Config{Firmware: NewFirmware(Full()).Seal(), HeapBytes: 100_000})
}

// TestSetTable compares sets with Go's map over a long mixture of operations.
func TestSetTable(t *testing.T) {
	vm := newTestVM(t)
	set := vm.NewSet()
	model := map[int]bool{}
	rng := uint32(1)
	for i := range 20_000 {
		rng = rng*1664525 + 1013904223
		k := int(rng>>16) % 200
		mark := vm.Mark()
		switch rng >> 8 & 3 {
		case 0, 1:
			vm.SetAdd(set, SmallInt(k))
			model[k] = true
		case 2:
			if got := vm.setFind(set, SmallInt(k), setRemove) != Null; got != model[k] {
				t.Fatalf("step %d: remove %d: %v", i, k, got)
			}
			delete(model, k)
		default:
			if got := vm.setFind(set, SmallInt(k), 0) != Null; got != model[k] {
				t.Fatalf("step %d: find %d: %v", i, k, got)
			}
		}
		vm.Release(mark, set)
		if n := int(vm.Mem[set/4+setUsed]); n != len(model) {
			t.Fatalf("step %d: %d items, want %d", i, n, len(model))
		}
	}
	if err := vm.heap.Check(); err != nil {
		t.Fatal(err)
	}
}

// TestParseArgs tries every way that arguments can be given and be wrong.
func TestParseArgs(t *testing.T) {
	vm := newTestVM(t)
	fw := vm.fw
	a, b, c := fw.index["key"], fw.index["reverse"], fw.index["iterable"]
	spec := []Arg{{Name: a, Required: true}, {Name: b, Kind: ArgInt, Int: 7}, {Name: c, Kind: ArgBool, KwOnly: true}}
	for _, tc := range []struct {
		pos, kw []Value
		want    [3]ArgVal
		fails   string
	}{
		{pos: []Value{True}, want: [3]ArgVal{{Obj: True}, {Int: 7}, {}}},
		{pos: []Value{True, SmallInt(3)}, want: [3]ArgVal{{Obj: True}, {Int: 3}, {}}},
		{kw: []Value{c.Value(), SmallInt(2), a.Value(), None}, want: [3]ArgVal{{Obj: None}, {Int: 7}, {Int: 1}}},
		{fails: "'key' argument required"},
		{pos: []Value{True, True, True}, fails: "extra positional arguments given"},
		{pos: []Value{True}, kw: []Value{a.Value(), None}, fails: "extra keyword arguments given"},
		{pos: []Value{True}, kw: []Value{QLen.Value(), None}, fails: "extra keyword arguments given"},
		{pos: []Value{True, None}, fails: "can't convert NoneType to int"},
	} {
		var out [3]ArgVal
		exc := vm.Try(func() { vm.ParseArgs(tc.pos, tc.kw, spec, out[:]) })
		if exc != Null {
			if got := vm.Str(vm.ExceptionValue(exc)); got != tc.fails {
				t.Errorf("%v %v: %q, want %q", tc.pos, tc.kw, got, tc.fails)
			}
			continue
		}
		if tc.fails != "" {
			t.Errorf("%v %v: want %q", tc.pos, tc.kw, tc.fails)
		}
		for i := range out {
			if spec[i].Kind != ArgObj {
				out[i].Obj = 0
			}
		}
		if out != tc.want {
			t.Errorf("%v %v: %v, want %v", tc.pos, tc.kw, out, tc.want)
		}
	}
}
