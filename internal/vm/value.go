package vm

// Value is one word of the language as the device holds it (object
// representation A of MicroPython):
//
//	...xxx1  a small int, 31 bits
//	...xx10  a qstr: an interned string, by its number
//	...xx00  an address: of an object in RAM or bundle flash below romBase,
//	         else of an object in ROM (an entry of a Go table)
//
// The zero Value is no object; it stands for "none given", "not found" or "end
// of iteration", as NULL does on the device.
type Value uint32

// Null is no object at all.
const Null Value = 0

// romBase is the address of the first ROM object.
const romBase Value = 0x8000_0000

// textBase is the address of the first ROM text: constant character data that
// string objects in RAM may point at without paying for it.
const textBase uint32 = 0xC000_0000

// Small int limits (31 bits).
const (
	MinSmallInt = -1 << 30
	MaxSmallInt = 1<<30 - 1
)

// SmallInt returns i, which must be within the small int range, as a Value.
func SmallInt(i int) Value { return Value(uint32(int32(i))<<1 | 1) }

// FitsSmallInt reports whether i can be a small int.
func FitsSmallInt(i int64) bool { return i >= MinSmallInt && i <= MaxSmallInt }

// IsSmallInt reports whether v is a small int.
func (v Value) IsSmallInt() bool { return v&1 != 0 }

// SmallInt returns the number of a small int.
func (v Value) SmallInt() int { return int(int32(v) >> 1) }

// IsQstr reports whether v is an interned string.
func (v Value) IsQstr() bool { return v&3 == 2 }

// Qstr returns the number of an interned string.
func (v Value) Qstr() Qstr { return Qstr(v >> 2) }

// IsObj reports whether v is the address of an object.
func (v Value) IsObj() bool { return v&3 == 0 && v != 0 }

// inRAM reports whether v is the address of an object in RAM or bundle flash,
// that is, one that Mem can read.
func (v Value) inRAM() bool { return v&3 == 0 && v < romBase }

// Bool returns the constant True or False.
func Bool(b bool) Value {
	if b {
		return True
	}
	return False
}

// Qstr is the number of an interned string.
type Qstr uint32

// Value returns the string object that the qstr is.
func (q Qstr) Value() Value { return Value(q)<<2 | 2 }

// The constant objects of the language. They lie in ROM.
const (
	None Value = romBase + 4*iota
	False
	True
	Ellipsis
	NotImplemented
	EmptyTuple
	EmptyBytes
	// Sentinel asks a subscript or attribute operation to load, and marks
	// deleted map slots, as MP_OBJ_SENTINEL does.
	Sentinel
	numConsts = iota
)

// EmptyStr is the interned empty string.
const EmptyStr = Value(QEmpty)<<2 | 2

// The built-in types. They lie in ROM behind the constants.
const (
	firstType Value = romBase + 4*Value(numConsts) + 4*iota
	TypeType
	TypeObject
	TypeNone
	TypeBool
	TypeSingleton // of Ellipsis and NotImplemented
	TypeInt
	TypeFloat
	TypeComplex
	TypeStr
	TypeBytes
	TypeByteArray
	TypeMemoryView
	TypeArray
	TypeTuple
	TypeList
	TypeDict
	TypeOrderedDict
	TypeSet
	TypeFrozenSet
	TypeRange
	TypeSlice
	TypeFunBC
	TypeFunBuiltin
	TypeGenWrap
	TypeGenInstance
	TypeClosure
	TypeCell
	TypeBoundMeth
	TypeModule
	TypeSuper
	TypeProperty
	TypeStaticMethod
	TypeClassMethod
	TypeEnumerate
	TypeFilter
	TypeMap
	TypeReversed
	TypeZip
	TypePolyIter
	TypeRangeIter
	TypeGetItemIter
	TypeDictView
	TypeDictViewIter
	TypeAttrTuple
	TypeDeque
	TypeStringIO
	TypeBytesIO
	TypeCheckedFun
	TypeRawCode

	TypeBaseException
	TypeArithmeticError
	TypeAssertionError
	TypeAttributeError
	TypeEOFError
	TypeException
	TypeGeneratorExit
	TypeImportError
	TypeIndentationError
	TypeIndexError
	TypeKeyboardInterrupt
	TypeKeyError
	TypeLookupError
	TypeMemoryError
	TypeNameError
	TypeNotImplementedError
	TypeOSError
	TypeOverflowError
	TypeRuntimeError
	TypeStopAsyncIteration
	TypeStopIteration
	TypeSyntaxError
	TypeSystemExit
	TypeTypeError
	TypeValueError
	TypeZeroDivisionError
	TypeTimeoutError

	firstDynamic // first ROM address that Firmware hands out
)
