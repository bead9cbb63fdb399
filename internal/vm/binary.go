package vm

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// This file packs numbers into bytes and back, for arrays and structs
// (binary.c). The device is little-endian.

// arrayBytes is the typecode of a bytearray.
const arrayBytes = 1

// BinarySize returns the size and alignment of a value with typecode code in
// a layout: '<' or '>' for packed ones, '@' for the device's own. It raises
// ValueError for a typecode it does not know.
func (vm *VM) BinarySize(layout, code byte) (size, align int) {
	if layout == '<' || layout == '>' || layout == '@' {
		switch code {
		case 'b', 'B':
			size = 1
		case 'h', 'H':
			size = 2
		case 'i', 'I', 'l', 'L', 'P', 'O', 'S', 'f':
			size = 4
		case 'q', 'Q', 'd':
			size = 8
		case arrayBytes:
			if layout == '@' {
				size = 1
			}
		}
	}
	if size == 0 {
		vm.RaiseMsg(TypeValueError, "bad typecode")
	}
	align = 1
	if layout == '@' {
		align = size
		if size == 8 && !vm.opt.ARM {
			align = 4
		}
	}
	return size, align
}

// isSignedCode reports whether a typecode is that of a signed number.
func isSignedCode(code byte) bool { return code > 'Z' }

// loadInt reads a number of len(b) bytes.
func loadInt(b []byte, signed, bigEndian bool) int64 {
	n := len(b)
	var v int64
	first := b[0]
	if !bigEndian {
		first = b[n-1]
	}
	if signed && first&0x80 != 0 {
		v = -1
	}
	for i := range b {
		c := b[i]
		if !bigEndian {
			c = b[n-1-i]
		}
		v = v<<8 | int64(c)
	}
	return v
}

// storeInt writes the low bytes of v.
func storeInt(b []byte, bigEndian bool, v uint64) {
	for i := range b {
		j := i
		if bigEndian {
			j = len(b) - 1 - i
		}
		b[j] = byte(v >> (8 * i))
	}
}

// UnpackValue makes the object of a packed value: b are exactly its bytes.
func (vm *VM) UnpackValue(code byte, bigEndian bool, b []byte) Value {
	v := loadInt(b, isSignedCode(code), bigEndian)
	switch code {
	case 'O':
		return vm.objectAt(uint32(v))
	case 'S':
		return vm.NewStr(vm.cString(uint32(v)))
	case 'f':
		return vm.NewFloat(math.Float32frombits(uint32(v)))
	case 'd':
		return vm.NewFloat(float32(math.Float64frombits(uint64(v))))
	}
	if isSignedCode(code) {
		return vm.NewInt(v)
	}
	return vm.NewUint(uint64(v))
}

// PackValue writes an object into exactly the bytes of its value.
func (vm *VM) PackValue(code byte, bigEndian bool, v Value, b []byte) {
	switch code {
	case 'O':
		storeInt(b, bigEndian, uint64(v))
		return
	case 'f':
		storeInt(b, bigEndian, uint64(math.Float32bits(vm.Float(v))))
		return
	case 'd':
		storeInt(b, bigEndian, math.Float64bits(float64(vm.Float(v))))
		return
	}
	if vm.isBig(v) {
		vm.bigBytes(v, bigEndian, b)
		return
	}
	// a word is extended by its sign only for a signed typecode
	w := int64(vm.Int(v))
	if !isSignedCode(code) {
		w = int64(uint32(w))
	}
	storeInt(b, bigEndian, uint64(w))
}

// bigBytes writes a big int, cut to len(b) bytes. A negative number is not
// extended beyond its own digits.
func (vm *VM) bigBytes(v Value, bigEndian bool, b []byte) {
	var z bigint
	vm.loadBig(&z, v)
	clear(b)
	carry := uint(1)
	for i := 0; i < min(len(b), 2*int(z.n)); i++ {
		c := uint(byte(z.w[i/8] >> (8 * (i % 8))))
		if z.neg {
			c = ^c&0xff + carry
			carry = c >> 8
		}
		j := i
		if bigEndian {
			j = len(b) - 1 - i
		}
		b[j] = byte(c)
	}
}

// objectAt checks an object that a program made of bytes: on the device any word
// would be taken for one, here only what is one.
func (vm *VM) objectAt(w uint32) Value {
	v := Value(w)
	ok := false
	switch {
	case v.IsSmallInt():
		ok = true
	case v.IsQstr():
		ok = v.Qstr() != 0 && int(v.Qstr()) < int(vm.qstrs.first)+len(vm.qstrs.data)
	case v >= romBase:
		i := int(v-romBase) / 4
		ok = i < len(vm.fw.rom) && vm.fw.rom[i].typ != Null
	default:
		ok = vm.heap.Live(w) || w >= vm.static && w < vm.stackLo
	}
	if !ok {
		vm.RaiseMsg(TypeValueError, "not an object")
	}
	return v
}

// cString returns the bytes at an address up to a NUL.
func (vm *VM) cString(addr uint32) []byte {
	if addr >= uint32(len(vm.Bytes)) {
		return nil
	}
	b := vm.Bytes[addr:]
	for i, c := range b {
		if c == 0 {
			return b[:i]
		}
	}
	return b
}

// AddrOf returns the address of b's first byte if b lies in the device's
// memory, else that of a copy in ROM: b must then be constant.
func (vm *VM) AddrOf(b []byte) uint32 {
	if len(b) == 0 {
		return 0
	}
	if addr, ok := vm.memAddr(b); ok {
		return addr
	}
	return vm.text(string(b))
}

// memAddr returns the address of b's first byte, if it lies in the device's
// memory.
func (vm *VM) memAddr(b []byte) (uint32, bool) {
	off := uintptr(unsafe.Pointer(unsafe.SliceData(b))) - uintptr(unsafe.Pointer(unsafe.SliceData(vm.Bytes)))
	return uint32(off), off < uintptr(len(vm.Bytes))
}

// Misalignment returns by how many bytes b's first byte lies behind an address
// that is a multiple of 8.
func (vm *VM) Misalignment(b []byte) int {
	addr, ok := vm.memAddr(b)
	if !ok {
		return 0
	}
	return int(addr & 7)
}

// loadItem makes the object of item i of an array's data.
func (vm *VM) loadItem(code byte, data []byte, i int) Value {
	switch code {
	case arrayBytes, 'B':
		return SmallInt(int(data[i]))
	case 'b':
		return SmallInt(int(int8(data[i])))
	case 'h':
		return SmallInt(int(int16(binary.LittleEndian.Uint16(data[2*i:]))))
	case 'H':
		return SmallInt(int(binary.LittleEndian.Uint16(data[2*i:])))
	case 'i', 'l', 'P':
		return vm.NewInt(int64(int32(binary.LittleEndian.Uint32(data[4*i:]))))
	case 'q': // always an object
		return vm.newBoxed(int64(binary.LittleEndian.Uint64(data[8*i:])))
	case 'Q':
		return vm.newBoxedAbs(binary.LittleEndian.Uint64(data[8*i:]), false)
	case 'S':
		return SmallInt(0)
	}
	size, _ := vm.BinarySize('@', code)
	return vm.UnpackValue(code, false, data[size*i:size*i+size])
}
