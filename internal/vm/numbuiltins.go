package vm

import "math"

// This file is the built-in functions of numbers.

func builtinPow(vm *VM, args []Value) Value {
	if len(args) == 2 {
		return vm.BinaryOp(BinPower, args[0], args[1])
	}
	if !vm.opt.Pow3 {
		vm.RaiseMsg(TypeNotImplementedError, "3-arg pow() not supported")
	}
	return vm.intPow3(args[0], args[1], args[2])
}

func builtinRound(vm *VM, args []Value) Value {
	v := args[0]
	if vm.IsInt(v) {
		if len(args) == 1 {
			return v
		}
		if !vm.opt.RoundInt {
			vm.Raise(vm.NewException(TypeNotImplementedError))
		}
		return vm.roundInt(v, vm.Int(args[1]))
	}
	f := vm.Float(v)
	if len(args) == 1 {
		return vm.IntFromFloat(float32(math.RoundToEven(float64(f))))
	}
	mult := pow10(vm.Int(args[1]))
	return vm.NewFloat(float32(math.RoundToEven(float64(f*mult))) / mult)
}

// roundInt rounds an int to a power of ten, halves to even.
func (vm *VM) roundInt(v Value, digits int) Value {
	if digits >= 0 {
		return v
	}
	mult := vm.BinaryOp(BinPower, SmallInt(10), SmallInt(-digits))
	half := vm.BinaryOp(BinFloorDivide, mult, SmallInt(2))
	mod := vm.BinaryOp(BinModulo, v, mult)
	down := vm.BinaryOp(BinSubtract, v, mod)
	if vm.IsTrue(vm.BinaryOp(BinMore, half, mod)) {
		return down
	}
	if !vm.IsTrue(vm.BinaryOp(BinMore, mod, half)) {
		floor := vm.BinaryOp(BinFloorDivide, v, mult)
		if !vm.IsTrue(vm.BinaryOp(BinAnd, floor, SmallInt(1))) {
			return down
		}
	}
	return vm.BinaryOp(BinAdd, down, mult)
}

func (fw *Firmware) initNumberBuiltins() {
	o := &fw.Options
	fw.Builtin("bool", TypeBool)
	fw.Builtin("int", TypeInt)
	fw.Builtin("float", TypeFloat)
	if o.Complex {
		fw.Builtin("complex", TypeComplex)
	}
	fw.Builtin("abs", fw.Func1("abs", func(vm *VM, v Value) Value { return vm.UnaryOp(UnaryAbs, v) }))
	format, binary := fw.Q("format"), fw.Q("{:#b}").Value()
	fw.Builtin("bin", fw.Func1("bin", func(vm *VM, v Value) Value { return vm.CallMethod(binary, format, v) }))
	fw.Builtin("divmod", fw.Func2("divmod", func(vm *VM, a, b Value) Value { return vm.BinaryOp(BinDivmod, a, b) }))
	based := func(name, percent, braces string) {
		p, b := fw.Q(percent).Value(), Null
		if !o.StrOpModulo {
			b = fw.Q(braces).Value()
		}
		fw.Builtin(name, fw.Func1(name, func(vm *VM, v Value) Value {
			if b != Null {
				return vm.CallMethod(b, format, v)
			}
			return vm.BinaryOp(BinModulo, p, v)
		}))
	}
	based("hex", "%#x", "{:#x}")
	based("oct", "%#o", "{:#o}")
	fw.Builtin("pow", fw.FuncV("pow", 2, 3, builtinPow))
	fw.Builtin("round", fw.FuncV("round", 1, 2, builtinRound))
}
