package vm

import "github.com/skep-sim/skep/internal/mpy"

// PrintKind tells a type how to print a value.
type PrintKind uint8

// The ways to print.
const (
	PrintStr PrintKind = iota
	PrintRepr
	PrintExc // the text of an exception inside a traceback
	PrintJSON
	PrintRaw // bytes: without the b'' around them
)

// UnaryOp is an operation with one operand; the first four appear in bytecode.
type UnaryOp uint8

// The unary operations, in the order of MicroPython v1.11's runtime0.h.
const (
	UnaryPositive UnaryOp = iota
	UnaryNegative
	UnaryInvert
	UnaryNot
	UnaryBool
	UnaryLen
	UnaryHash
	UnaryAbs
	UnaryInt
	UnarySizeof
)

// BinaryOp is an operation with two operands; those up to BinPower appear in
// bytecode.
type BinaryOp uint8

// The binary operations, in the order of MicroPython v1.11's runtime0.h.
const (
	BinLess BinaryOp = iota
	BinMore
	BinEqual
	BinLessEqual
	BinMoreEqual
	BinNotEqual
	BinIn
	BinIs
	BinExceptionMatch
	BinInplaceOr
	BinInplaceXor
	BinInplaceAnd
	BinInplaceLshift
	BinInplaceRshift
	BinInplaceAdd
	BinInplaceSubtract
	BinInplaceMultiply
	BinInplaceFloorDivide
	BinInplaceTrueDivide
	BinInplaceModulo
	BinInplacePower
	BinOr
	BinXor
	BinAnd
	BinLshift
	BinRshift
	BinAdd
	BinSubtract
	BinMultiply
	BinFloorDivide
	BinTrueDivide
	BinModulo
	BinPower
	BinReverseOr
	BinReverseXor
	BinReverseAnd
	BinReverseLshift
	BinReverseRshift
	BinReverseAdd
	BinReverseSubtract
	BinReverseMultiply
	BinReverseFloorDivide
	BinReverseTrueDivide
	BinReverseModulo
	BinReversePower
	BinDivmod
	BinContains
	BinInplaceMatMultiply // these three in v1.12
	BinMatMultiply
	BinReverseMatMultiply
	numBinaryOps
)

// The operations in bytecode have the numbers that package mpy gives them, or
// this does not compile.
func _() {
	var x [1]struct{}
	_ = x[UnaryNot-UnaryOp(mpy.UnaryNot)]
	_ = x[BinExceptionMatch-BinaryOp(mpy.BinaryExceptionMatch)]
	_ = x[BinInplaceOr-BinaryOp(mpy.BinaryInplaceOr)]
	_ = x[BinOr-BinaryOp(mpy.BinaryOr)]
	_ = x[BinPower-BinaryOp(mpy.BinaryPower)]
}

// Plain returns the ordinary operation behind an in-place one.
func (op BinaryOp) Plain() BinaryOp {
	if op >= BinInplaceOr && op <= BinInplacePower {
		return op + (BinOr - BinInplaceOr)
	}
	if op == BinInplaceMatMultiply {
		return BinMatMultiply
	}
	return op
}

// inplace tells whether an operation is one that may change its left operand.
func (op BinaryOp) inplace() bool {
	return op >= BinInplaceOr && op <= BinInplacePower || op == BinInplaceMatMultiply
}

// reverse returns the operation that asks the right operand, if there is one.
func (op BinaryOp) reverse() (BinaryOp, bool) {
	switch {
	case op >= BinOr && op <= BinPower:
		return op + (BinReverseOr - BinOr), true
	case op == BinMatMultiply:
		return BinReverseMatMultiply, true
	}
	return op, false
}

// forward undoes reverse.
func (op BinaryOp) forward() (BinaryOp, bool) {
	switch {
	case op >= BinReverseOr && op <= BinReversePower:
		return op - (BinReverseOr - BinOr), true
	case op == BinReverseMatMultiply:
		return BinMatMultiply, true
	}
	return op, false
}

// TypeFlags say what a type's instances can do beyond its slots.
type TypeFlags uint8

// The flags of a type.
const (
	// FlagBindable: objects of this type found in a class become methods.
	FlagBindable TypeFlags = 1 << iota
	// FlagNeedsFinaliser: objects of the type have __del__ run by the collector.
	FlagNeedsFinaliser
	// FlagOwnIter: objects of the type are their own iterators.
	FlagOwnIter
	// FlagException: the type derives from BaseException.
	FlagException
)

// A Type is what the interpreter knows of a built-in type: its slots. A nil
// slot is "not supported". Types are made once for a Firmware and never
// change; classes of the program are objects in RAM instead (class.go).
type Type struct {
	Name  Qstr
	Flags TypeFlags
	// Print writes the value; nil prints <NAME>.
	Print func(vm *VM, p *Printer, self Value, kind PrintKind)
	// New is calling the type. args are positional, kw the flattened pairs.
	New func(vm *VM, typ Value, args, kw []Value) Value
	// Call is calling an object of the type.
	Call func(vm *VM, self Value, args, kw []Value) Value
	// Unary and Binary return Null where they do not support the operation.
	Unary  func(vm *VM, op UnaryOp, self Value) Value
	Binary func(vm *VM, op BinaryOp, lhs, rhs Value) Value
	// Attr loads (dst[0] Null on entry: set dst[0], and dst[1] to a self for a
	// method), or, with dst[0] Sentinel, stores dst[1] or deletes when dst[1]
	// is Null: done is reported by setting dst[0] to Null. A type with Locals
	// and no Attr gets its methods looked up there.
	Attr func(vm *VM, self Value, attr Qstr, dst *[2]Value)
	// Subscr loads (value Sentinel), deletes (value Null) or stores.
	Subscr func(vm *VM, self, index, value Value) Value
	// Iter makes an iterator. buf, if not 0, is the address of 4 words in the
	// frame that an iterator object may be built in; else it is allocated.
	Iter func(vm *VM, self Value, buf uint32) Value
	// Next is the next item, or Null at the end. It may also raise StopIteration.
	Next func(vm *VM, self Value) Value
	// Buffer gives the bytes of the object for reading, or for writing.
	Buffer func(vm *VM, self Value, write bool) (b []byte, typecode byte, ok bool)
	// Stream is the stream protocol, nil for anything that is no stream.
	Stream *Stream
	// Parent is the base type, or Null.
	Parent Value
	// Locals are the methods and constants of the type.
	Locals *Dict

	value Value // the ROM address of this type
}

// Value returns the type as an object of the language.
func (t *Type) Value() Value { return t.value }

// A Stream is what an object must do to be read and written as a file. Errors
// are negative errno numbers without the profile's offset; they are raised as
// OSError by the caller.
type Stream struct {
	// Read fills b: number of bytes, 0 at the end, or an errno.
	Read func(vm *VM, self Value, b []byte) (int, Errno)
	// Write takes b: number of bytes taken, or an errno.
	Write func(vm *VM, self Value, b []byte) (int, Errno)
	// Seek moves: whence 0 start, 1 current, 2 end. The new offset is returned.
	Seek func(vm *VM, self Value, offset int, whence int) (int, Errno)
	// Flush and Close may be nil.
	Flush func(vm *VM, self Value) Errno
	Close func(vm *VM, self Value) Errno
	// Text tells that read returns str instead of bytes; nil: it does not.
	Text func(vm *VM, self Value) bool
	// Ioctl is for requests that have no function here (may be nil).
	Ioctl func(vm *VM, self Value, request, arg int) (int, Errno)
	// OnInstance: for an instance of a class derived from the stream's type, the
	// functions take the instance instead of the built-in object behind it.
	OnInstance bool
}

// Errno is an error number as upstream's mperrno.h has it (EIO = 5); 0 is none.
type Errno int

// A Dict is a ROM dictionary: names and values in the order they were
// declared.
type Dict struct {
	keys  []Qstr
	vals  []Value
	index map[Qstr]Value
}

// Get returns the value of a name, or Null.
func (d *Dict) Get(q Qstr) Value {
	if d == nil {
		return Null
	}
	return d.index[q]
}

// Len returns the number of entries.
func (d *Dict) Len() int {
	if d == nil {
		return 0
	}
	return len(d.keys)
}

// At returns the i-th entry.
func (d *Dict) At(i int) (Qstr, Value) { return d.keys[i], d.vals[i] }

func (d *Dict) set(q Qstr, v Value) {
	if d.index == nil {
		d.index = make(map[Qstr]Value)
	}
	if _, dup := d.index[q]; dup {
		for i, k := range d.keys {
			if k == q {
				d.vals[i] = v
			}
		}
	} else {
		d.keys = append(d.keys, q)
		d.vals = append(d.vals, v)
	}
	d.index[q] = v
}
