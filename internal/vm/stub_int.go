package vm

import "math/big"

// Owner: numbers. Replaced by int.go, bigint.go, float.go, ...

// UnaryOp applies a unary operation or raises TypeError.
func (vm *VM) UnaryOp(op UnaryOp, v Value) Value { panic("stub") }

// BinaryOp applies a binary operation or raises TypeError.
func (vm *VM) BinaryOp(op BinaryOp, lhs, rhs Value) Value { panic("stub") }

func (vm *VM) unaryName(op UnaryOp) Qstr   { panic("stub") }
func (vm *VM) binaryName(op BinaryOp) Qstr { panic("stub") }

// IsInt reports whether v is an int (bool is not).
func (vm *VM) IsInt(v Value) bool { panic("stub") }

// Int returns v as a Go int: mp_obj_get_int.
func (vm *VM) Int(v Value) int { panic("stub") }

// IntTruncated is mp_obj_get_int_truncated: the low 32 bits.
func (vm *VM) IntTruncated(v Value) int { panic("stub") }

// IntMaybe is mp_obj_get_int_maybe.
func (vm *VM) IntMaybe(v Value) (int, bool) { panic("stub") }

// NewInt makes an int.
func (vm *VM) NewInt(i int64) Value { panic("stub") }

// NewUint makes an int from an unsigned number.
func (vm *VM) NewUint(i uint64) Value { panic("stub") }

// NewFloat makes a float.
func (vm *VM) NewFloat(f float32) Value { panic("stub") }

// Float returns v as a float: mp_obj_get_float.
func (vm *VM) Float(v Value) float32 { panic("stub") }

// ParseInt makes an int object of the text of a literal in the given base (0:
// by prefix), or raises ValueError; used by int() and by the loader of constants.
func (vm *VM) ParseInt(text []byte, base int) Value { panic("stub") }

// ParseFloat makes a float or complex object of a literal's text.
func (vm *VM) ParseFloat(text []byte) Value { panic("stub") }

// storeBigInt writes a number into the allocated blocks of an int object (16
// bytes) and its digits.
func (vm *VM) storeBigInt(obj, digits uint32, i *big.Int) { panic("stub") }

// staticBigInt makes an int object and its digits in static RAM.
func (vm *VM) staticBigInt(i int) Value { panic("stub") }

func (fw *Firmware) initNumbers() {}
