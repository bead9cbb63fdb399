package vm

import (
	"math"
	"unsafe"
)

// This file is what the loop starts without leaving it: calls of classes and
// closures, and operators of small ints and floats.

// startInit makes an instance and the frame of its __init__, with the array of
// arguments that C puts on the heap for the time of the call.
func (vm *VM) startInit(class, init Value, args, kw []Value) Value {
	o, _ := vm.newInstance(class)
	if len(args) == 0 && len(kw) == 0 {
		room, back := vm.pass(1)
		room[0] = o
		vm.enter(kindInit, init, room, nil)
		vm.nscratch = back
		return o
	}
	p, a := vm.argArray([]Value{init, o}, args, kw)
	if len(kw) == 0 {
		vm.enterArgs(kindInit, init, unsafe.Pointer(&a[1]), uint32(1+len(args)))
	} else {
		vm.enter(kindInit, init, a[1:2+len(args)], a[2+len(args):])
	}
	vm.frame.aux = p
	return o
}

// floatOp is an operation of two floats, or of a float and a small int; Null where
// the general way must be taken. The result is not kept from the collector.
func (vm *VM) floatOp(op BinaryOp, l, r Value) Value {
	a, ok := vm.quickFloat(l)
	if !ok {
		return Null
	}
	b, ok := vm.quickFloat(r)
	if !ok {
		return Null
	}
	switch op {
	case BinAdd, BinInplaceAdd:
		a += b
	case BinSubtract, BinInplaceSubtract:
		a -= b
	case BinMultiply, BinInplaceMultiply:
		a *= b
	case BinLess:
		return Bool(a < b)
	case BinMore:
		return Bool(a > b)
	case BinLessEqual:
		return Bool(a <= b)
	case BinMoreEqual:
		return Bool(a >= b)
	default:
		return Null
	}
	p := vm.heap.Alloc(8)
	if p == 0 {
		vm.memoryError(8)
	}
	o := vm.Mem[p/4 : p/4+2]
	o[0], o[1] = TypeFloat, Value(math.Float32bits(a))
	return Value(p)
}

func (vm *VM) quickFloat(v Value) (float32, bool) {
	if v&3 == 0 && v-1 < romBase-1 && vm.Mem[v/4] == TypeFloat {
		return math.Float32frombits(uint32(vm.Mem[v/4+1])), true
	}
	return float32(int32(v) >> 1), v&1 != 0
}

// wideOp is an operator on operands that are not both small ints, or whose result
// is none. Float results are not kept from the collector.
func (vm *VM) wideOp(op BinaryOp, l, r Value) Value {
	if l&r&1 == 0 {
		if v := vm.floatOp(op, l, r); v != Null {
			return v
		}
		if op != BinIs && vm.isInt(l) && vm.isInt(r) {
			if v := intBinary(vm, op, l, r); v != Null {
				return v
			}
		}
	}
	return vm.BinaryOp(op, l, r)
}

// isInt reports whether v is a small int or a big one in RAM.
func (vm *VM) isInt(v Value) bool {
	return v&1 != 0 || v&3 == 0 && v < romBase && vm.Mem[v/4] == TypeInt
}

// floorDivide and floorModulo are // and % for a divisor above zero.
func floorDivide(l, r int32) int32 {
	q := l / r
	if l < 0 && q*r != l {
		q--
	}
	return q
}

func floorModulo(l, r int32) int32 {
	m := l % r
	if m < 0 {
		m += r
	}
	return m
}
