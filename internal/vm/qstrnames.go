package vm

// Qstrs that the interpreter itself refers to. They are numbered first, so
// that the numbers are constants.
const (
	qNone Qstr = iota // 0 is no qstr
	QEmpty
	QInit
	QNew
	QDel
	QName
	QMain
	QModule
	QQualname
	QClass
	QDict
	QBases
	QPath
	QFile
	QEnter
	QExit
	QIter
	QNext
	QCall
	QGetitem
	QSetitem
	QDelitem
	QGetattr
	QSetattr
	QDelattr
	QGet
	QSet
	QDelete
	QRepr
	QStrM
	QBool
	QLen
	QHash
	QContains
	QEq
	QLt
	QGt
	QLe
	QGe
	QNe
	QPos
	QNeg
	QInvert
	QAbs
	QIntM
	QSizeof
	QAdd
	QSub
	QMul
	QMatMul
	QFloordiv
	QTruediv
	QMod
	QPow
	QDivmod
	QOr
	QXor
	QAnd
	QLshift
	QRshift
	QIadd
	QIsub
	QImul
	QIfloordiv
	QItruediv
	QImod
	QIpow
	QIor
	QIxor
	QIand
	QIlshift
	QIrshift
	QRadd
	QRsub
	QRmul
	QRfloordiv
	QRtruediv
	QRmod
	QRpow
	QRor
	QRxor
	QRand
	QRlshift
	QRrshift
	QReversed
	QBuildClass
	QImport
	QStdin
	QModuleTag // "<module>"
	QLambda
	QListcomp
	QDictcomp
	QSetcomp
	QGenexpr
	QString // "<string>"
	QKeys
	QClose
	QSend
	QThrow
	QValue
	QArgs
	QErrno
	QUnderscore
	QBuiltins
	QStar
	QStart
	QStop
	QStep
	QStrName
	QIntName
	QRecursion
	numStaticNames
)

var staticNames = [numStaticNames]string{
	QEmpty: "", QInit: "__init__", QNew: "__new__", QDel: "__del__", QName: "__name__", QMain: "__main__",
	QModule: "__module__", QQualname: "__qualname__", QClass: "__class__", QDict: "__dict__", QBases: "__bases__",
	QPath: "__path__", QFile: "__file__", QEnter: "__enter__", QExit: "__exit__", QIter: "__iter__",
	QNext: "__next__", QCall: "__call__", QGetitem: "__getitem__", QSetitem: "__setitem__", QDelitem: "__delitem__",
	QGetattr: "__getattr__", QSetattr: "__setattr__", QDelattr: "__delattr__", QGet: "__get__", QSet: "__set__",
	QDelete: "__delete__", QRepr: "__repr__", QStrM: "__str__", QBool: "__bool__", QLen: "__len__",
	QHash: "__hash__", QContains: "__contains__", QEq: "__eq__", QLt: "__lt__", QGt: "__gt__", QLe: "__le__",
	QGe: "__ge__", QNe: "__ne__", QPos: "__pos__", QNeg: "__neg__", QInvert: "__invert__", QAbs: "__abs__",
	QIntM: "__int__", QSizeof: "__sizeof__", QAdd: "__add__", QSub: "__sub__", QMul: "__mul__", QMatMul: "__matmul__",
	QFloordiv: "__floordiv__", QTruediv: "__truediv__", QMod: "__mod__", QPow: "__pow__", QDivmod: "__divmod__",
	QOr: "__or__", QXor: "__xor__", QAnd: "__and__", QLshift: "__lshift__", QRshift: "__rshift__",
	QIadd: "__iadd__", QIsub: "__isub__", QImul: "__imul__", QIfloordiv: "__ifloordiv__", QItruediv: "__itruediv__",
	QImod: "__imod__", QIpow: "__ipow__", QIor: "__ior__", QIxor: "__ixor__", QIand: "__iand__",
	QIlshift: "__ilshift__", QIrshift: "__irshift__", QRadd: "__radd__", QRsub: "__rsub__", QRmul: "__rmul__",
	QRfloordiv: "__rfloordiv__", QRtruediv: "__rtruediv__", QRmod: "__rmod__", QRpow: "__rpow__", QRor: "__ror__",
	QRxor: "__rxor__", QRand: "__rand__", QRlshift: "__rlshift__", QRrshift: "__rrshift__",
	QReversed: "__reversed__", QBuildClass: "__build_class__", QImport: "__import__", QStdin: "<stdin>",
	QModuleTag: "<module>", QLambda: "<lambda>", QListcomp: "<listcomp>", QDictcomp: "<dictcomp>",
	QSetcomp: "<setcomp>", QGenexpr: "<genexpr>", QString: "<string>", QKeys: "keys", QClose: "close",
	QSend: "send", QThrow: "throw", QValue: "value", QArgs: "args", QErrno: "errno", QUnderscore: "_",
	QBuiltins: "builtins", QStar: "*", QStart: "start", QStop: "stop", QStep: "step", QStrName: "str", QIntName: "int",
	QRecursion: "maximum recursion depth exceeded",
}
