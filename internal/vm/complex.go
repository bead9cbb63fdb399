package vm

import "math"

// This file is the complex type: objects of 12 bytes, type and two single
// precision numbers.

// NewComplex makes a complex number.
func (vm *VM) NewComplex(re, im float32) Value {
	o := vm.Alloc(12)
	vm.Mem[o/4], vm.Mem[o/4+1], vm.Mem[o/4+2] = TypeComplex, Value(math.Float32bits(re)), Value(math.Float32bits(im))
	return Value(o)
}

func (vm *VM) complexOf(v Value) (re, im float32) {
	return math.Float32frombits(uint32(vm.Mem[v/4+1])), math.Float32frombits(uint32(vm.Mem[v/4+2]))
}

// Complex returns any number as a complex one, or raises TypeError.
func (vm *VM) Complex(v Value) (re, im float32) {
	if f, ok := vm.FloatMaybe(v); ok {
		return f, 0
	}
	if vm.TypeOf(v) == TypeComplex {
		return vm.complexOf(v)
	}
	if vm.terse() {
		vm.RaiseMsg(TypeTypeError, "can't convert to complex")
	}
	vm.Raisef(TypeTypeError, "can't convert %s to complex", vm.TypeNameOf(v))
	return 0, 0
}

func complexPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	re, im := vm.complexOf(self)
	real := func(f float32) { p.Bytes(p.num[:formatFloat(p.num[:16], f, 'g', 7, 0)]) }
	if re == 0 {
		real(im)
		p.String("j")
		return
	}
	p.String("(")
	real(re)
	if im >= 0 || im != im {
		p.String("+")
	}
	real(im)
	p.String("j)")
}

func complexNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 0, 2, false)
	switch len(args) {
	case 0:
		return vm.NewComplex(0, 0)
	case 1:
		switch {
		case vm.IsStr(args[0]):
			return vm.parseDecimal(vm.StrBytes(args[0]), true, true)
		case vm.TypeOf(args[0]) == TypeComplex:
			return args[0]
		}
		return vm.NewComplex(vm.Float(args[0]), 0)
	}
	var re, im float32
	if vm.TypeOf(args[0]) == TypeComplex {
		re, im = vm.complexOf(args[0])
	} else {
		re = vm.Float(args[0])
	}
	if vm.TypeOf(args[1]) == TypeComplex {
		re2, im2 := vm.complexOf(args[1])
		re -= im2
		im += re2
	} else {
		im += vm.Float(args[1])
	}
	return vm.NewComplex(re, im)
}

func complexUnary(vm *VM, op UnaryOp, self Value) Value {
	re, im := vm.complexOf(self)
	switch op {
	case UnaryBool:
		return Bool(re != 0 || im != 0)
	case UnaryHash:
		return Value((floatHash(re)^floatHash(im))<<1 | 1)
	case UnaryPositive:
		return self
	case UnaryNegative:
		return vm.NewComplex(-re, -im)
	case UnaryAbs:
		return vm.NewFloat(complexAbs(re, im))
	}
	return Null
}

func complexAbs(re, im float32) float32 {
	return float32(math.Sqrt(float64(float32(re*re) + float32(im*im))))
}

func complexBinary(vm *VM, op BinaryOp, lhs, rhs Value) Value {
	re, im := vm.complexOf(lhs)
	return vm.complexBinaryOp(op, re, im, rhs)
}

// complexBinaryOp is an operation of a complex number with any number. It raises
// TypeError where rhs is none.
func (vm *VM) complexBinaryOp(op BinaryOp, re, im float32, rhs Value) Value {
	re2, im2 := vm.Complex(rhs)
	switch op.Plain() {
	case BinAdd:
		re += re2
		im += im2
	case BinSubtract:
		re -= re2
		im -= im2
	case BinMultiply:
		re, im = complexMul(re, im, re2, im2)
	case BinFloorDivide:
		vm.RaiseMsg(TypeTypeError, "can't truncate-divide a complex number")
	case BinTrueDivide:
		switch {
		case im2 == 0:
			if re2 == 0 {
				vm.RaiseMsg(TypeZeroDivisionError, "complex divide by zero")
			}
			re /= re2
			im /= re2
		case re2 == 0:
			re, im = im/im2, -re/im2
		default:
			lenSq := float32(re2*re2) + float32(im2*im2)
			re, im = complexMul(re, im, re2/lenSq, im2/-lenSq)
		}
	case BinPower:
		re, im = vm.complexPow(re, im, re2, im2)
	case BinEqual:
		return Bool(re == re2 && im == im2)
	default:
		return Null
	}
	return vm.NewComplex(re, im)
}

func complexMul(re, im, re2, im2 float32) (float32, float32) {
	return float32(re*re2) - float32(im*im2), float32(re*im2) + float32(im*re2)
}

// complexPow is exp(z2 * ln(z1)).
func (vm *VM) complexPow(re, im, re2, im2 float32) (float32, float32) {
	abs := complexAbs(re, im)
	if abs == 0 {
		if im2 != 0 || !(re2 >= 0) {
			vm.RaiseMsg(TypeZeroDivisionError, "0.0 to a complex power")
		}
		if re2 == 0 {
			return 1, im
		}
		return 0, im
	}
	ln := float32(math.Log(float64(abs)))
	arg := float32(math.Atan2(float64(im), float64(re)))
	x := float32(re2*ln) - float32(im2*arg)
	y := float32(im2*ln) + float32(re2*arg)
	exp := float32(math.Exp(float64(x)))
	return exp * float32(math.Cos(float64(y))), exp * float32(math.Sin(float64(y)))
}

func (fw *Firmware) initComplex() {
	real, imag := fw.Q("real"), fw.Q("imag")
	fw.define(TypeComplex, &Type{
		Name: fw.Q("complex"), Print: complexPrint, New: complexNew, Unary: complexUnary, Binary: complexBinary,
		Attr: func(vm *VM, self Value, attr Qstr, dst *[2]Value) {
			if dst[0] != Null {
				return
			}
			re, im := vm.complexOf(self)
			switch attr {
			case real:
				dst[0] = vm.NewFloat(re)
			case imag:
				dst[0] = vm.NewFloat(im)
			}
		},
	})
}
