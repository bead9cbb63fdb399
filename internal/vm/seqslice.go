package vm

import (
	"bytes"
	"math"
)

// This file is what sequences share: bounds of slices, repetition, ordering,
// searching.

// Bounds is a slice object applied to a sequence of a certain length. With a
// negative Step the sequence is walked from Start down to Stop, both included.
type Bounds struct{ Start, Stop, Step int }

// SliceBounds applies a slice object to a sequence of n items. simple tells that
// the step is 1.
func (vm *VM) SliceBounds(n int, slice Value) (b Bounds, simple bool) {
	s := uint32(slice) / 4
	start, stop, step := vm.Mem[s+1], vm.Mem[s+2], vm.Mem[s+3]
	b.Step = 1
	if step != None && step != SmallInt(1) {
		if b.Step = vm.Int(step); b.Step == 0 {
			vm.RaiseMsg(TypeValueError, "slice step cannot be zero")
		}
	}
	down := b.Step < 0
	switch {
	case start != None:
		b.Start = vm.Int(start)
	case down:
		b.Start = n - 1
	}
	switch {
	case stop != None:
		b.Stop = vm.Int(stop)
		if b.Stop >= 0 && down {
			b.Stop++
		}
	case !down:
		b.Stop = n
	}
	b.clamp(n)
	return b, b.Step == 1
}

// clamp brings bounds that may count from the end or lie outside into a
// sequence of n items.
func (b *Bounds) clamp(n int) {
	down := b.Step < 0
	switch {
	case b.Start < 0:
		if b.Start += n; b.Start < 0 {
			b.Start = 0
			if down {
				b.Start = -1
			}
		}
	case !down && b.Start > n:
		b.Start = n
	case down && b.Start >= n:
		b.Start = n - 1
	}
	if b.Stop < 0 {
		b.Stop = max(b.Stop+n, -1)
		if down {
			b.Stop++
		}
	} else if b.Stop > n {
		b.Stop = n
	}
	if !down && b.Start > b.Stop {
		b.Stop = b.Start
	} else if down && b.Start < b.Stop {
		b.Stop = b.Start + 1
	}
}

// seqItems returns the items of a list or of an object laid out as a tuple.
// They alias the object, so they are to be read anew after anything that may
// run Python.
func (vm *VM) seqItems(o Value) []Value {
	if o < romBase && vm.Mem[o/4] == TypeList {
		return vm.ListItems(o)
	}
	return vm.TupleItems(o)
}

// stepSlice makes a list of the items within bounds whose step is not 1. seq
// must stay reachable.
func (vm *VM) stepSlice(seq Value, b Bounds) Value {
	l := vm.NewList()
	for i := b.Start; b.Step < 0 && i >= b.Stop || b.Step > 0 && i < b.Stop; i += b.Step {
		vm.ListAppend(l, vm.seqItems(seq)[i])
	}
	return l
}

// repeat fills dst with copies of items.
func repeat(dst, items []Value) {
	for n := copy(dst, items); n < len(dst) && n > 0; n += len(items) {
		copy(dst[n:], items)
	}
}

// repeated returns the length of n items repeated times times, or raises the
// MemoryError of a sequence that no heap holds.
func (vm *VM) repeated(n, times, itemBytes int) int {
	times = max(times, 0)
	if n != 0 && uint64(times) > (math.MaxUint32-64)/(uint64(n)*uint64(itemBytes)) {
		bytes := uint32(n) * uint32(times) * uint32(itemBytes) // C's multiplication wraps
		lo, hi := vm.heap.Pool()
		if bytes <= hi-lo {
			bytes = math.MaxUint32 // and it writes behind what it got
		}
		if bytes > math.MaxUint32-64 {
			vm.memoryError(bytes)
		}
		return int(bytes) / itemBytes
	}
	return n * times
}

// seqCompare compares two sequences of objects, item by item. op is ==, <, <=,
// > or >=.
func (vm *VM) seqCompare(op BinaryOp, a, b Value) bool {
	na, nb := len(vm.seqItems(a)), len(vm.seqItems(b))
	if op == BinEqual && na != nb {
		return false
	}
	// only > and >= are left
	switch op {
	case BinLess:
		op, a, b, na, nb = BinMore, b, a, nb, na
	case BinLessEqual:
		op, a, b, na, nb = BinMoreEqual, b, a, nb, na
	}
	leave := vm.enterNative()
	r := vm.compareItems(op, a, b, na, nb)
	vm.cstack = leave
	return r
}

func (vm *VM) compareItems(op BinaryOp, a, b Value, na, nb int) bool {
	x, y := vm.seqItems(a), vm.seqItems(b)
	for i := range min(na, nb) {
		if i >= len(x) || i >= len(y) { // cut by an __eq__ of the program
			break
		}
		if p, q := x[i], y[i]; p&q&1 != 0 {
			if p == q {
				continue
			}
			return op != BinEqual && int32(p) > int32(q)
		}
		equal := vm.Equal(x[i], y[i])
		x, y = vm.seqItems(a), vm.seqItems(b)
		if equal {
			continue
		}
		if op == BinEqual || i >= len(x) || i >= len(y) {
			return false
		}
		return vm.BinaryOp(op, x[i], y[i]) == True
	}
	return tieBreak(op, na, nb)
}

// tieBreak decides >, >= or == between sequences of which one begins with the
// other.
func tieBreak(op BinaryOp, na, nb int) bool {
	if na != nb {
		return na > nb
	}
	return op != BinMore
}

// compareBytes compares two sequences of bytes: ==, <, <=, > or >=.
func compareBytes(op BinaryOp, a, b []byte) bool {
	c := bytes.Compare(a, b)
	switch op {
	case BinEqual:
		return c == 0
	case BinLess:
		return c < 0
	case BinLessEqual:
		return c <= 0
	case BinMore:
		return c > 0
	}
	return c >= 0
}

// seqIndex is the method index of a sequence of objects: self, value, start,
// stop.
func (vm *VM) seqIndex(args []Value) Value {
	self, value := args[0], args[1]
	n := len(vm.seqItems(self))
	start, stop := 0, n
	if len(args) >= 3 {
		start = vm.Index(vm.TypeOf(self), n, args[2], true)
		if len(args) >= 4 {
			stop = vm.Index(vm.TypeOf(self), n, args[3], true)
		}
	}
	for i := start; i < stop; i++ {
		items := vm.seqItems(self)
		if i >= len(items) {
			break
		}
		if vm.Equal(items[i], value) {
			return SmallInt(i)
		}
	}
	vm.RaiseMsg(TypeValueError, "object not in sequence")
	return Null
}

// seqCount is the method count of a sequence of objects.
func (vm *VM) seqCount(self, value Value) Value {
	count := 0
	for i := 0; ; i++ {
		items := vm.seqItems(self)
		if i >= len(items) {
			return SmallInt(count)
		}
		if vm.Equal(items[i], value) {
			count++
		}
	}
}
