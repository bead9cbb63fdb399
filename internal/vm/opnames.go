package vm

// This file names the special methods behind operators. 0 stands for an
// operation without one.

var unaryNames = [...]Qstr{
	UnaryBool: QBool, UnaryLen: QLen, UnaryHash: QHash, UnaryInt: QIntM,
	UnaryPositive: QPos, UnaryNegative: QNeg, UnaryInvert: QInvert, UnaryAbs: QAbs, UnarySizeof: QSizeof,
}

// unaryName returns the name of the method that a class may define for op.
func (vm *VM) unaryName(op UnaryOp) Qstr {
	switch op {
	case UnaryPositive, UnaryNegative, UnaryInvert, UnaryAbs:
		if !vm.opt.AllSpecialMethods {
			return qNone
		}
	case UnarySizeof:
		if !vm.opt.SysGetsizeof {
			return qNone
		}
	}
	return unaryNames[op]
}

var binaryNames = [numBinaryOps]Qstr{
	BinLess: QLt, BinMore: QGt, BinEqual: QEq, BinLessEqual: QLe, BinMoreEqual: QGe, BinContains: QContains,
	BinInplaceAdd: QIadd, BinInplaceSubtract: QIsub, BinInplaceMultiply: QImul,
	BinInplaceFloorDivide: QIfloordiv, BinInplaceTrueDivide: QItruediv, BinInplaceModulo: QImod,
	BinInplacePower: QIpow, BinInplaceOr: QIor, BinInplaceXor: QIxor, BinInplaceAnd: QIand,
	BinInplaceLshift: QIlshift, BinInplaceRshift: QIrshift,
	BinAdd: QAdd, BinSubtract: QSub, BinMultiply: QMul, BinFloorDivide: QFloordiv, BinTrueDivide: QTruediv,
	BinModulo: QMod, BinDivmod: QDivmod, BinPower: QPow, BinOr: QOr, BinXor: QXor, BinAnd: QAnd,
	BinLshift: QLshift, BinRshift: QRshift,
	BinReverseAdd: QRadd, BinReverseSubtract: QRsub, BinReverseMultiply: QRmul,
	BinReverseFloorDivide: QRfloordiv, BinReverseTrueDivide: QRtruediv, BinReverseModulo: QRmod,
	BinReversePower: QRpow, BinReverseOr: QRor, BinReverseXor: QRxor, BinReverseAnd: QRand,
	BinReverseLshift: QRlshift, BinReverseRshift: QRrshift,
}

// binaryName returns the name of the method that a class may define for op.
func (vm *VM) binaryName(op BinaryOp) Qstr {
	switch {
	case op == BinInplaceAdd || op == BinInplaceSubtract || op == BinAdd || op == BinSubtract:
	case op >= BinInplaceOr && op <= BinInplacePower:
		if !vm.opt.AllInplaceMethods {
			return qNone
		}
	case op >= BinOr && op <= BinPower || op == BinDivmod:
		if !vm.opt.AllSpecialMethods {
			return qNone
		}
	case op == BinReverseAdd || op == BinReverseSubtract:
		if !vm.opt.ReverseSpecialMethods {
			return qNone
		}
	case op >= BinReverseOr && op <= BinReversePower:
		if !vm.opt.ReverseSpecialMethods || !vm.opt.AllSpecialMethods {
			return qNone
		}
	}
	switch op {
	case BinInplaceMatMultiply:
		return vm.fw.names12.inplaceMatMul
	case BinMatMultiply:
		return vm.fw.names12.matMul
	case BinReverseMatMultiply:
		return vm.fw.names12.reverseMatMul
	}
	return binaryNames[op]
}

// names12 are the names of special methods that v1.12 has besides; 0 where the
// build has none.
type names12 struct{ bases, matMul, inplaceMatMul, reverseMatMul Qstr }

// initNames12 declares them.
func (fw *Firmware) initNames12() {
	o := &fw.Options
	if !o.V12 {
		return
	}
	if o.CPythonCompat {
		fw.names12.bases = fw.Q("__bases__")
	}
	if o.AllSpecialMethods {
		fw.names12.matMul = fw.Q("__matmul__")
	}
	if o.AllSpecialMethods && o.ReverseSpecialMethods {
		fw.names12.reverseMatMul = fw.Q("__rmatmul__")
	}
	if o.AllInplaceMethods {
		fw.names12.inplaceMatMul = fw.Q("__imatmul__")
	}
}
