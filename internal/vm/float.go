package vm

import "math"

// This file is the float type: objects of 8 bytes, type and a single precision
// number. Every operation rounds to single precision.

// NewFloat makes a float.
func (vm *VM) NewFloat(f float32) Value {
	o := vm.Alloc(8)
	vm.Mem[o/4], vm.Mem[o/4+1] = TypeFloat, Value(math.Float32bits(f))
	return Value(o)
}

// Float puts a float into ROM.
func (fw *Firmware) Float(f float32) Value {
	return fw.addROM(romObj{typ: TypeFloat, ref: f})
}

// floatOf returns the number of a float object.
func (vm *VM) floatOf(v Value) float32 {
	if v >= romBase {
		return vm.fw.rom[(v-romBase)/4].ref.(float32)
	}
	return math.Float32frombits(uint32(vm.Mem[v/4+1]))
}

// IsFloat reports whether v is a float.
func (vm *VM) IsFloat(v Value) bool { return v&3 == 0 && v != 0 && vm.TypeOf(v) == TypeFloat }

// Float returns a float, int or bool as a float, or raises TypeError.
func (vm *VM) Float(v Value) float32 {
	f, ok := vm.FloatMaybe(v)
	if !ok {
		if vm.terse() {
			vm.RaiseMsg(TypeTypeError, "can't convert to float")
		}
		vm.Raisef(TypeTypeError, "can't convert %s to float", vm.TypeNameOf(v))
	}
	return f
}

// FloatMaybe is Float that reports false instead of raising.
func (vm *VM) FloatMaybe(v Value) (float32, bool) {
	switch {
	case v.IsSmallInt():
		return float32(v.SmallInt()), true
	case v == False:
		return 0, true
	case v == True:
		return 1, true
	case v.IsQstr() || v == Null:
		return 0, false
	}
	switch vm.TypeOf(v) {
	case TypeFloat:
		return vm.floatOf(v), true
	case TypeInt:
		return vm.intFloat(v), true
	}
	return 0, false
}

// intFloat returns an int as a float.
func (vm *VM) intFloat(v Value) float32 {
	if v.IsSmallInt() {
		return float32(v.SmallInt())
	}
	var z bigint
	vm.loadBig(&z, v)
	return z.float32()
}

// floatHash is the number as an int, cut to a word.
func floatHash(f float32) uint32 {
	if f != f || f >= 1<<31 || f < -(1<<31) {
		return 1 << 31
	}
	return uint32(int32(f))
}

func floatPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	n := formatFloat(p.num[:16], vm.floatOf(self), 'g', 7, 0)
	text := p.num[:n]
	plain := true
	for _, c := range text {
		if c == '.' || c == 'e' || c == 'n' {
			plain = false
		}
	}
	p.Bytes(text)
	if plain {
		p.String(".0")
	}
}

func floatNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 0, 1, false)
	if len(args) == 0 {
		return vm.NewFloat(0)
	}
	if b, _, ok := vm.BufferMaybe(args[0], false); ok {
		return vm.parseDecimal(b, false, false)
	}
	if vm.IsFloat(args[0]) {
		return args[0]
	}
	return vm.NewFloat(vm.Float(args[0]))
}

func floatUnary(vm *VM, op UnaryOp, self Value) Value {
	f := vm.floatOf(self)
	switch op {
	case UnaryBool:
		return Bool(f != 0)
	case UnaryHash:
		return Value(floatHash(f)<<1 | 1)
	case UnaryPositive:
		return self
	case UnaryNegative:
		return vm.NewFloat(-f)
	case UnaryAbs:
		if math.Signbit(float64(f)) {
			return vm.NewFloat(-f)
		}
		return self
	}
	return Null
}

func floatBinary(vm *VM, op BinaryOp, lhs, rhs Value) Value { return vm.floatBinary(op, lhs, rhs) }

func (vm *VM) floatBinary(op BinaryOp, lhs, rhs Value) Value {
	if rhs.IsObj() && vm.TypeOf(rhs) == TypeComplex {
		return vm.complexBinaryOp(op, vm.floatOf(lhs), 0, rhs)
	}
	return vm.floatBinaryOp(op, vm.floatOf(lhs), rhs)
}

// floatDivmod is floor division and modulo as CPython defines them.
func floatDivmod(x, y float32) (div, mod float32) {
	mod = float32(math.Mod(float64(x), float64(y)))
	q := (x - mod) / y
	if mod == 0 {
		mod = float32(math.Copysign(0, float64(y)))
	} else if (mod < 0) != (y < 0) {
		mod += y
		q--
	}
	if q == 0 {
		return float32(math.Copysign(0, float64(x/y))), mod
	}
	div = float32(math.Floor(float64(q)))
	if float32(q-div) > 0.5 {
		div++
	}
	return div, mod
}

// floatBinaryOp is an operation of a float with any number; Null if rhs is none
// or the operation is none of floats.
func (vm *VM) floatBinaryOp(op BinaryOp, l float32, rhs Value) Value {
	r, ok := vm.FloatMaybe(rhs)
	if !ok {
		return Null
	}
	switch op {
	case BinAdd, BinInplaceAdd:
		l += r
	case BinSubtract, BinInplaceSubtract:
		l -= r
	case BinMultiply, BinInplaceMultiply:
		l *= r
	case BinTrueDivide, BinInplaceTrueDivide:
		if r == 0 {
			vm.divideByZero()
		}
		l /= r
	case BinFloorDivide, BinInplaceFloorDivide:
		if r == 0 {
			vm.divideByZero()
		}
		l, _ = floatDivmod(l, r)
	case BinModulo, BinInplaceModulo:
		if r == 0 {
			vm.divideByZero()
		}
		l = float32(math.Mod(float64(l), float64(r)))
		if l == 0 {
			l = float32(math.Copysign(0, float64(r)))
		} else if (l < 0) != (r < 0) {
			l += r
		}
	case BinPower, BinInplacePower:
		if l == 0 && r < 0 && !math.IsInf(float64(r), 0) {
			vm.divideByZero()
		}
		if l < 0 && float64(r) != math.Floor(float64(r)) {
			if vm.opt.Complex {
				return vm.complexBinaryOp(BinPower, l, 0, rhs)
			}
			vm.RaiseMsg(TypeValueError, "complex values not supported")
		}
		l = float32(math.Pow(float64(l), float64(r)))
	case BinDivmod:
		if r == 0 {
			vm.divideByZero()
		}
		div, mod := floatDivmod(l, r)
		a := vm.NewFloat(div)
		return vm.NewTuple(a, vm.NewFloat(mod))
	case BinLess:
		return Bool(l < r)
	case BinMore:
		return Bool(l > r)
	case BinEqual:
		return Bool(l == r)
	case BinLessEqual:
		return Bool(l <= r)
	case BinMoreEqual:
		return Bool(l >= r)
	default:
		return Null
	}
	return vm.NewFloat(l)
}

// IntFromFloat makes an int of a float, cut towards zero. It raises
// OverflowError for an infinity and ValueError for a NaN.
func (vm *VM) IntFromFloat(f float32) Value {
	switch {
	case math.IsInf(float64(f), 0):
		vm.RaiseMsg(TypeOverflowError, "can't convert inf to int")
	case f != f:
		vm.RaiseMsg(TypeValueError, "can't convert NaN to int")
	}
	// C tells by the bits whether a small int will do; for the smallest negative
	// numbers this goes wrong and gives an object of 0.
	b := math.Float32bits(f)
	e := b &^ (1<<23 - 1)
	if b>>31 != 0 {
		if e = b + 0xff<<23; b<<1 == 0 {
			e = 0
		}
	}
	if e <= (wordBits+127-3)<<23 {
		return SmallInt(int(f))
	}
	o := vm.newBig()
	z := bigint{neg: b>>31 != 0}
	if exp := int(b>>23&0xff) - 127; exp >= 0 {
		vm.bigNeed(&z, uint32(exp+16)/16)
		w := vm.bigSpace(&z)
		clear(w)
		m := uint64(b&(1<<23-1) | 1<<23)
		if exp < 23 {
			w[0] = m >> (23 - exp)
		} else {
			at, shift := (exp-23)/64, uint(exp-23)%64
			w[at] = m << shift
			if hi := m >> (64 - shift); hi != 0 {
				w[at+1] = hi
			}
		}
		vm.bigDone(&z, w)
	}
	vm.storeBig(o, &z)
	return o
}

func (fw *Firmware) initFloat() {
	fw.define(TypeFloat, &Type{
		Name: fw.Q("float"), Print: floatPrint, New: floatNew, Unary: floatUnary, Binary: floatBinary,
	})
}
