package vm

// This file applies operators: small ints at once, everything else by the slots
// of the operands' types.

// wordBits is the width of the device's machine word.
const wordBits = 32

// UnaryOp applies a unary operation or raises TypeError.
func (vm *VM) UnaryOp(op UnaryOp, v Value) Value {
	if op == UnaryNot {
		return Bool(!vm.IsTrue(v))
	}
	if v.IsSmallInt() {
		return vm.smallUnary(op, v)
	}
	if op == UnaryHash && vm.IsStrOrBytes(v) {
		return Value(vm.strHash(v)<<1 | 1)
	}
	if t := vm.typeInfoOf(v); t.Unary != nil {
		if r := t.Unary(vm, op, v); r != Null {
			return r
		}
	}
	vm.unsupportedUnary(op, v)
	return Null
}

// smallUnary is a unary operation of a small int. What is none of the known
// operations inverts, as in a C build without assertions.
func (vm *VM) smallUnary(op UnaryOp, v Value) Value {
	switch op {
	case UnaryBool:
		return Bool(v != SmallInt(0))
	case UnaryHash, UnaryPositive, UnaryInt:
		return v
	case UnaryAbs:
		if int32(v) >= 0 {
			return v
		}
		return vm.NewInt(-int64(v.SmallInt()))
	case UnaryNegative:
		return vm.NewInt(-int64(v.SmallInt()))
	}
	return SmallInt(^v.SmallInt())
}

func (vm *VM) unsupportedUnary(op UnaryOp, v Value) {
	switch {
	case vm.terse() && op == UnaryInt:
		vm.RaiseMsg(TypeTypeError, "can't convert to int")
	case vm.terse():
		vm.RaiseMsg(TypeTypeError, "unsupported type for operator")
	case op == UnaryInt:
		vm.Raisef(TypeTypeError, "can't convert %s to int", vm.TypeNameOf(v))
	}
	vm.Raisef(TypeTypeError, "unsupported type for %q: '%s'", vm.unaryName(op), vm.TypeNameOf(v))
}

// BinaryOp applies a binary operation or raises TypeError.
func (vm *VM) BinaryOp(op BinaryOp, lhs, rhs Value) Value {
	if lhs&rhs&1 != 0 {
		return vm.smallBinary(op, lhs, rhs)
	}
	switch op {
	case BinIs:
		return Bool(lhs == rhs)
	case BinEqual:
		return Bool(vm.Equal(lhs, rhs))
	case BinNotEqual:
		return Bool(!vm.Equal(lhs, rhs))
	case BinExceptionMatch:
		return vm.exceptionMatchOp(lhs, rhs)
	}
	switch {
	case lhs.IsSmallInt():
		var r Value
		switch vm.TypeOf(rhs) {
		case TypeFloat:
			r = vm.floatBinaryOp(op, float32(lhs.SmallInt()), rhs)
		case TypeComplex:
			r = vm.complexBinaryOp(op, float32(lhs.SmallInt()), 0, rhs)
		default:
			return vm.genericBinary(op, lhs, rhs)
		}
		if r == Null {
			vm.unsupportedBinary(op, lhs, rhs)
		}
		return r
	case lhs.inRAM() && vm.Mem[lhs/4] == TypeFloat:
		if r := vm.floatBinary(op, lhs, rhs); r != Null {
			return r
		}
	}
	return vm.genericBinary(op, lhs, rhs)
}

// exceptionMatchOp is what an except clause asks.
func (vm *VM) exceptionMatchOp(exc, class Value) Value {
	if vm.IsExceptionType(class) {
		return Bool(vm.ExceptionMatch(exc, class))
	}
	if vm.TypeOf(class) == TypeTuple {
		for _, c := range vm.TupleItems(class) {
			if !vm.IsExceptionType(c) {
				vm.unsupportedBinary(BinExceptionMatch, exc, c)
			}
			if vm.ExceptionMatch(exc, c) {
				return True
			}
		}
		return False
	}
	vm.unsupportedBinary(BinExceptionMatch, exc, class)
	return Null
}

// genericBinary asks the types of the operands, the reverse operations and,
// for containment, an iterator.
func (vm *VM) genericBinary(op BinaryOp, lhs, rhs Value) Value {
	if op == BinIn {
		op, lhs, rhs = BinContains, rhs, lhs
	}
	if t := vm.typeInfoOf(lhs); t.Binary != nil {
		if r := t.Binary(vm, op, lhs, rhs); r != Null {
			return r
		}
	}
	if vm.opt.ReverseSpecialMethods {
		if reverse, ok := op.reverse(); ok {
			return vm.genericBinary(reverse, rhs, lhs)
		}
		if forward, ok := op.forward(); ok {
			// nothing helped: the message names the operation as it was written
			op, lhs, rhs = forward, rhs, lhs
		}
	}
	if op == BinContains {
		return vm.containsByIter(lhs, rhs)
	}
	vm.unsupportedBinary(op, lhs, rhs)
	return Null
}

// containsByIter walks an iterable for an item that equals v.
func (vm *VM) containsByIter(iterable, v Value) Value {
	back := vm.stack
	it := vm.Iter(iterable, vm.iterBuf())
	mark := vm.Mark()
	found := False
	for {
		item := vm.Next(it)
		if item == Null {
			break
		}
		if vm.Equal(item, v) {
			found = True
			break
		}
		vm.Release(mark)
	}
	vm.stack = back
	return found
}

func (vm *VM) unsupportedBinary(op BinaryOp, lhs, rhs Value) {
	if vm.terse() {
		vm.RaiseMsg(TypeTypeError, "unsupported type for operator")
	}
	vm.Raisef(TypeTypeError, "unsupported types for %q: '%s', '%s'",
		vm.binaryName(op), vm.TypeNameOf(lhs), vm.TypeNameOf(rhs))
}

func (vm *VM) divideByZero() { vm.RaiseMsg(TypeZeroDivisionError, "divide by zero") }

func (vm *VM) negativeShift() { vm.RaiseMsg(TypeValueError, "negative shift count") }

// smallBinary is a binary operation of two small ints. What does not fit goes
// the way of big ints, with the object that C makes of the left operand.
func (vm *VM) smallBinary(op BinaryOp, lhs, rhs Value) Value {
	l, r := int64(lhs.SmallInt()), int64(rhs.SmallInt())
	switch op {
	case BinLess:
		return Bool(l < r)
	case BinMore:
		return Bool(l > r)
	case BinEqual, BinIs:
		return Bool(l == r)
	case BinLessEqual:
		return Bool(l <= r)
	case BinMoreEqual:
		return Bool(l >= r)
	case BinNotEqual:
		return Bool(l != r)
	case BinOr, BinInplaceOr:
		return lhs | rhs
	case BinXor, BinInplaceXor:
		return lhs ^ rhs | 1
	case BinAnd, BinInplaceAnd:
		return lhs & rhs
	case BinLshift, BinInplaceLshift:
		if r < 0 {
			vm.negativeShift()
		}
		if r >= wordBits || l > MaxSmallInt>>r || l < MinSmallInt>>r {
			return vm.genericBinary(op, vm.newBoxed(l), rhs)
		}
		return vm.NewInt(l << r) // C takes -1 << 31 for one that fits
	case BinRshift, BinInplaceRshift:
		if r < 0 {
			vm.negativeShift()
		}
		return SmallInt(int(l >> min(r, wordBits-1)))
	case BinAdd, BinInplaceAdd:
		return vm.NewInt(l + r)
	case BinSubtract, BinInplaceSubtract:
		return vm.NewInt(l - r)
	case BinMultiply, BinInplaceMultiply:
		if p := l * r; FitsSmallInt(p) {
			return SmallInt(int(p))
		}
		return vm.genericBinary(op, vm.newBoxed(l), rhs)
	case BinFloorDivide, BinInplaceFloorDivide:
		if r == 0 {
			vm.divideByZero()
		}
		return vm.NewInt(floorDiv(l, r))
	case BinModulo, BinInplaceModulo:
		if r == 0 {
			vm.divideByZero()
		}
		return SmallInt(int(floorMod(l, r)))
	case BinTrueDivide, BinInplaceTrueDivide:
		if r == 0 {
			vm.divideByZero()
		}
		return vm.NewFloat(float32(l) / float32(r))
	case BinPower, BinInplacePower:
		return vm.smallPower(op, lhs, rhs)
	case BinDivmod:
		if r == 0 {
			vm.divideByZero()
		}
		t := vm.NewTupleLen(2)
		items := vm.TupleItems(t)
		// not NewInt: -2**30 // -1 wraps in C
		items[0], items[1] = Value(uint32(floorDiv(l, r))<<1|1), SmallInt(int(floorMod(l, r)))
		return t
	case BinExceptionMatch:
		return vm.exceptionMatchOp(lhs, rhs)
	}
	vm.unsupportedBinary(op, lhs, rhs)
	return Null
}

// smallPower squares and multiplies as long as everything is a small int.
func (vm *VM) smallPower(op BinaryOp, lhs, rhs Value) Value {
	base, n := int64(lhs.SmallInt()), rhs.SmallInt()
	if n < 0 {
		return vm.floatBinaryOp(op, float32(base), rhs)
	}
	ans := int64(1)
	for n > 0 {
		if n&1 != 0 {
			if ans *= base; !FitsSmallInt(ans) {
				return vm.genericBinary(op, vm.newBoxed(int64(lhs.SmallInt())), rhs)
			}
		}
		if n == 1 {
			break
		}
		n /= 2
		if base *= base; !FitsSmallInt(base) {
			return vm.genericBinary(op, vm.newBoxed(int64(lhs.SmallInt())), rhs)
		}
	}
	return SmallInt(int(ans))
}

func floorDiv(l, r int64) int64 {
	q := l / r
	if l%r != 0 && (l < 0) != (r < 0) {
		q--
	}
	return q
}

func floorMod(l, r int64) int64 {
	m := l % r
	if m != 0 && (m < 0) != (r < 0) {
		m += r
	}
	return m
}
