package vm

// This file is the int type and what other code asks of ints.

// IsInt reports whether v is an int (bool is not).
func (vm *VM) IsInt(v Value) bool { return v.IsSmallInt() || vm.isBig(v) }

// NewInt makes an int: a small int if it fits, else an object.
func (vm *VM) NewInt(i int64) Value {
	if FitsSmallInt(i) {
		return SmallInt(int(i))
	}
	return vm.newBoxed(i)
}

// NewUint makes an int from an unsigned number.
func (vm *VM) NewUint(i uint64) Value {
	if i <= MaxSmallInt {
		return SmallInt(int(i))
	}
	return vm.newBoxedAbs(i, false)
}

// Int returns v as a machine word of the device (32 bits, signed). It raises
// TypeError for what is no integer and OverflowError for what does not fit.
func (vm *VM) Int(v Value) int {
	if v.IsSmallInt() {
		return v.SmallInt()
	}
	if i, ok := vm.IntMaybe(v); ok {
		return i
	}
	return vm.checkedInt(vm.UnaryOp(UnaryInt, v))
}

// IntMaybe is Int that reports false for what is neither int nor bool. It raises
// OverflowError all the same.
func (vm *VM) IntMaybe(v Value) (int, bool) {
	switch {
	case v.IsSmallInt():
		return v.SmallInt(), true
	case v == False:
		return 0, true
	case v == True:
		return 1, true
	case vm.isBig(v):
		return vm.checkedInt(v), true
	}
	return 0, false
}

func (vm *VM) checkedInt(v Value) int {
	if v.IsSmallInt() {
		return v.SmallInt()
	}
	var z bigint
	vm.loadBig(&z, v)
	i, ok := z.int32()
	if !ok {
		vm.RaiseMsg(TypeOverflowError, "overflow converting long int to machine word")
	}
	return i
}

// IntTruncated returns the low 32 bits of an int, signed; what is no int is
// converted as Int does.
func (vm *VM) IntTruncated(v Value) int {
	if vm.isBig(v) {
		var z bigint
		vm.loadBig(&z, v)
		return int(int32(z.low32()))
	}
	return vm.Int(v)
}

// intSign returns -1, 0 or 1.
func (vm *VM) intSign(v Value) int {
	if v.IsSmallInt() {
		switch i := v.SmallInt(); {
		case i < 0:
			return -1
		case i > 0:
			return 1
		}
		return 0
	}
	var z bigint
	vm.loadBig(&z, v)
	switch {
	case z.n == 0:
		return 0
	case z.neg:
		return -1
	}
	return 1
}

func intUnary(vm *VM, op UnaryOp, self Value) Value {
	if self.IsSmallInt() {
		return Null // UnaryOp does the others
	}
	var z bigint
	vm.loadBig(&z, self)
	var r bigint
	switch op {
	case UnaryBool:
		return Bool(z.n != 0)
	case UnaryHash:
		return Value(z.low32()<<1 | 1)
	case UnaryPositive:
		return self
	case UnaryAbs:
		if !z.neg {
			return self
		}
		o := vm.newBig()
		vm.bigSet(&r, &z)
		r.neg = false
		vm.storeBig(o, &r)
		return o
	case UnaryNegative:
		o := vm.newBig()
		vm.bigSet(&r, &z)
		r.neg = !r.neg
		vm.storeBig(o, &r)
		return o
	case UnaryInvert:
		o := vm.newBig()
		vm.bigNot(&r, &z)
		vm.storeBig(o, &r)
		return o
	}
	return Null
}

// intBinary is operations with at least one big int, and of an int with what is
// no int.
func intBinary(vm *VM, op BinaryOp, lhs, rhs Value) Value {
	if !vm.IsInt(rhs) {
		switch vm.TypeOf(rhs) {
		case TypeFloat:
			return vm.floatBinaryOp(op, vm.intFloat(lhs), rhs)
		case TypeComplex:
			return vm.complexBinaryOp(op, vm.intFloat(lhs), 0, rhs)
		}
		return vm.intExtra(op, lhs, rhs)
	}
	var a, b bigint
	vm.toBig(&a, lhs, 0)
	vm.toBig(&b, rhs, 1)
	switch op = op.Plain(); op {
	case BinLess:
		return Bool(a.cmp(&b) < 0)
	case BinMore:
		return Bool(a.cmp(&b) > 0)
	case BinLessEqual:
		return Bool(a.cmp(&b) <= 0)
	case BinMoreEqual:
		return Bool(a.cmp(&b) >= 0)
	case BinEqual:
		return Bool(a.cmp(&b) == 0)
	case BinTrueDivide:
		if b.n == 0 {
			vm.divideByZero()
		}
		return vm.NewFloat(a.float32() / b.float32())
	}
	// v1.12 takes @ for divmod here, the one operation that it leaves to the default
	if op < BinOr || op > BinPower && op != BinDivmod && op != BinMatMultiply {
		return Null
	}
	o := vm.newBig()
	var r bigint
	switch op {
	case BinAdd:
		vm.bigAdd(&r, &a, &b, false)
	case BinSubtract:
		vm.bigAdd(&r, &a, &b, true)
	case BinMultiply:
		vm.bigMul(&r, &a, &b)
	case BinAnd, BinOr, BinXor:
		vm.bigBits(&r, &a, &b, op)
	case BinLshift, BinRshift:
		n := vm.checkedInt(rhs)
		if n < 0 {
			vm.negativeShift()
		}
		if op == BinLshift {
			vm.bigShl(&r, &a, uint32(n))
		} else {
			vm.bigShr(&r, &a, uint32(n))
		}
	case BinPower:
		if b.n != 0 && b.neg {
			return vm.floatBinaryOp(op, a.float32(), rhs)
		}
		vm.bigPow(&r, &a, &b)
	default:
		return vm.bigDivide(op, o, &a, &b)
	}
	vm.storeBig(o, &r)
	return o
}

// bigDivide is //, % and divmod; o is the object of the result, or of the
// remainder.
func (vm *VM) bigDivide(op BinaryOp, o Value, a, b *bigint) Value {
	if b.n == 0 {
		vm.divideByZero()
	}
	var quo, rem bigint
	switch op {
	case BinFloorDivide:
		vm.bigDivmod(&quo, &rem, a, b)
		vm.bigFree(&rem)
		vm.storeBig(o, &quo)
		return o
	case BinModulo:
		vm.bigDivmod(&quo, &rem, a, b)
		vm.bigFree(&quo)
		vm.storeBig(o, &rem)
		return o
	}
	q := vm.newBig()
	vm.bigDivmod(&quo, &rem, a, b)
	vm.storeBig(q, &quo)
	vm.storeBig(o, &rem)
	return vm.NewTuple(q, o)
}

// cmp compares two big ints; 0 and -0 are the same.
func (z *bigint) cmp(b *bigint) int {
	if z.n == 0 && b.n == 0 {
		return 0
	}
	if z.neg != b.neg {
		if z.neg {
			return -1
		}
		return 1
	}
	c := natCmp(z.w, b.w)
	if z.neg {
		c = -c
	}
	return c
}

// intExtra is an int with a bool, or times a sequence.
func (vm *VM) intExtra(op BinaryOp, lhs, rhs Value) Value {
	switch {
	case rhs == False:
		return vm.BinaryOp(op, lhs, SmallInt(0))
	case rhs == True:
		return vm.BinaryOp(op, lhs, SmallInt(1))
	case op == BinMultiply:
		switch vm.TypeOf(rhs) {
		case TypeStr, TypeBytes, TypeTuple, TypeList:
			return vm.BinaryOp(op, rhs, lhs)
		}
	}
	return Null
}

// intPow3 is pow(base, exp, mod).
func (vm *VM) intPow3(base, exp, mod Value) Value {
	if !vm.IsInt(base) || !vm.IsInt(exp) || !vm.IsInt(mod) {
		vm.RaiseMsg(TypeTypeError, "pow() with 3 arguments requires integers")
	}
	o := vm.newBoxed(0)
	var r bigint
	vm.loadBig(&r, o)
	var z [3]bigint
	temp := [3]bool{}
	for i, v := range [...]Value{base, exp, mod} {
		if v.IsSmallInt() {
			z[i], temp[i] = vm.heapBig(v.SmallInt()), true
		} else {
			vm.loadBig(&z[i], v)
		}
	}
	if z[2].n == 0 && z[0].n != 0 && !z[1].neg && z[1].n != 0 {
		vm.divideByZero() // what C does here is not defined
	}
	vm.bigPow3(&r, &z[0], &z[1], &z[2])
	for i := range z {
		if temp[i] {
			vm.bigFree(&z[i])
		}
	}
	vm.storeBig(o, &r)
	return o
}

// heapBig is mpz_init_from_int: digits on the heap, none for 0.
func (vm *VM) heapBig(i int) bigint {
	var z bigint
	if i < 0 {
		vm.bigSetWord(&z, uint64(-i))
		z.neg = true
	} else {
		vm.bigSetWord(&z, uint64(i))
	}
	return z
}

func intNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 0, 2, false)
	switch len(args) {
	case 0:
		return SmallInt(0)
	case 1:
		v := args[0]
		switch {
		case vm.IsInt(v):
			return v
		case vm.IsStrOrBytes(v):
			return vm.ParseInt(vm.StrBytes(v), 0)
		case vm.TypeOf(v) == TypeFloat:
			return vm.IntFromFloat(vm.floatOf(v))
		}
		return vm.UnaryOp(UnaryInt, v)
	}
	text := vm.strData(args[0])
	return vm.ParseInt(text, vm.Int(args[1]))
}

// strData is mp_obj_str_get_data: the text of a str or bytes, or TypeError.
func (vm *VM) strData(v Value) []byte {
	if !vm.IsStrOrBytes(v) {
		vm.badImplicit(v, QStrName)
	}
	return vm.StrBytes(v)
}

func (fw *Firmware) initNumbers() {
	i := fw.define(TypeInt, &Type{
		Name: QIntName, Print: intPrint, New: intNew, Unary: intUnary, Binary: intBinary,
	})
	fw.qLittle = fw.Q("little")
	fw.Method(i, "from_bytes", fw.Class(fw.FuncV("from_bytes", 3, 4, intFromBytes)))
	fw.Method(i, "to_bytes", fw.FuncV("to_bytes", 3, 4, intToBytes))
	fw.initBool()
	fw.initFloat()
	fw.initComplex()
	fw.initNumberBuiltins()
}
