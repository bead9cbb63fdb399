package vm

// This file is the bool type: True and False lie in ROM and work as 1 and 0.

func boolInt(v Value) Value {
	if v == True {
		return SmallInt(1)
	}
	return SmallInt(0)
}

func boolPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	s := "False"
	switch {
	case kind == PrintJSON && self == True:
		s = "true"
	case kind == PrintJSON:
		s = "false"
	case self == True:
		s = "True"
	}
	p.String(s)
}

func boolNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 0, 1, false)
	return Bool(len(args) == 1 && vm.IsTrue(args[0]))
}

func boolUnary(vm *VM, op UnaryOp, self Value) Value {
	if op == UnaryLen {
		return Null
	}
	return vm.UnaryOp(op, boolInt(self))
}

func boolBinary(vm *VM, op BinaryOp, lhs, rhs Value) Value {
	return vm.BinaryOp(op, boolInt(lhs), rhs)
}

func (fw *Firmware) initBool() {
	fw.define(TypeBool, &Type{
		Name: fw.Q("bool"), Print: boolPrint, New: boolNew, Unary: boolUnary, Binary: boolBinary,
	})
}
