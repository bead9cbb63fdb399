package vm

import (
	"math/big"
	"math/bits"
	"unsafe"
)

// This file is the big int object: type, sign and room (bit 0 negative, bit 1
// digits not on the heap, the rest the number of 16-bit digits there is room
// for), number of digits in use, address of the digits, lowest first.
//
// Room is taken digit by digit exactly as MicroPython's mpz does, since that
// decides what numbers cost. The arithmetic itself works on 64-bit limbs: the
// digits lie in 16-byte blocks, so that they can be seen as limbs in place. The
// digits beyond those in use, up to a whole limb, are kept zero.

const (
	bigNeg   = 1 << 0
	bigFixed = 1 << 1
	bigRoom  = 2 // shift
)

// bigint is the head of a big int while Go code works on it.
type bigint struct {
	neg   bool
	n     uint32 // digits in use; the top one is not 0
	alloc uint32 // digits there is room for
	addr  uint32 // where the digits lie, 0: nowhere
	w     []uint64
}

// bigScratch is memory that arithmetic reuses.
type bigScratch struct {
	small [3][1]uint64 // limbs of small int operands
	buf   []uint64
}

// room returns n limbs of scratch memory.
func (s *bigScratch) room(n int) []uint64 {
	if n > len(s.buf) {
		s.buf = make([]uint64, n+n/2+16)
	}
	return s.buf[:n]
}

func limbsFor(digits uint32) uint32 { return (digits + 3) / 4 }

// limbs returns the memory at addr as n limbs.
func (vm *VM) limbs(addr, n uint32) []uint64 {
	if n == 0 {
		return nil
	}
	b := vm.Bytes[addr : addr+8*n]
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

// digitsIn returns how many 16-bit digits the number in w has.
func digitsIn(w []uint64) uint32 {
	for i := len(w) - 1; i >= 0; i-- {
		if t := w[i]; t != 0 {
			n := uint32(i)*4 + 1
			for t >>= 16; t != 0; t >>= 16 {
				n++
			}
			return n
		}
	}
	return 0
}

// isBig reports whether v is a big int object.
func (vm *VM) isBig(v Value) bool { return v&3 == 0 && v != 0 && vm.TypeOf(v) == TypeInt }

// loadBig reads the head of a big int object into z, which is 0 before. (Heads
// are passed by address: copying one right after it was written is slow.)
func (vm *VM) loadBig(z *bigint, o Value) {
	h := vm.Mem[o/4 : o/4+4]
	z.neg, z.alloc, z.n, z.addr = h[1]&bigNeg != 0, uint32(h[1])>>bigRoom, uint32(h[2]), uint32(h[3])
	z.w = vm.limbs(z.addr, limbsFor(z.n))
	if pad := z.n & 3; pad != 0 && z.w[len(z.w)-1]>>(16*pad) != 0 {
		z.trim()
	}
}

// trim takes limbs that someone else laid out into memory of its own, without
// what lies behind the last digit.
func (z *bigint) trim() {
	z.w = append([]uint64(nil), z.w...)
	z.w[len(z.w)-1] &= 1<<(16*(z.n&3)) - 1
}

// smallBig gives a small int the shape of a big one; slot says which of the
// scratch limbs it takes.
func (vm *VM) smallBig(z *bigint, v Value, slot int) {
	i := v.SmallInt()
	z.neg, z.alloc = i < 0, wordBits/16
	w := &vm.big.small[slot]
	w[0] = uint64(max(i, -i))
	z.n = digitsIn(w[:])
	z.w = w[:limbsFor(z.n)]
}

// toBig is loadBig or smallBig.
func (vm *VM) toBig(z *bigint, v Value, slot int) {
	if v.IsSmallInt() {
		vm.smallBig(z, v, slot)
	} else {
		vm.loadBig(z, v)
	}
}

// newBig makes a big int object of 0; storeBig gives it its number.
func (vm *VM) newBig() Value {
	o := vm.Alloc(16)
	vm.Mem[o/4] = TypeInt
	return Value(o)
}

func (vm *VM) storeBig(o Value, z *bigint) {
	h := vm.Mem[o/4 : o/4+4]
	h[1] = Value(z.alloc << bigRoom)
	if z.neg {
		h[1] |= bigNeg
	}
	h[2], h[3] = Value(z.n), Value(z.addr)
}

// bigNeed is mpz_need_dig: it makes room for need digits.
func (vm *VM) bigNeed(z *bigint, need uint32) {
	need = max(need, 2)
	if z.addr == 0 || z.alloc < need {
		z.addr = vm.Realloc(z.addr, 2*need)
		z.alloc = need
		z.w = vm.limbs(z.addr, limbsFor(z.n))
	}
}

// bigSpace returns all limbs that z has room for.
func (vm *VM) bigSpace(z *bigint) []uint64 { return vm.limbs(z.addr, limbsFor(z.alloc)) }

// bigDone sets the number of digits after w, at the start of z's memory, was
// written.
func (vm *VM) bigDone(z *bigint, w []uint64) {
	z.n = digitsIn(w)
	z.w = vm.limbs(z.addr, limbsFor(z.n))
}

// bigFree gives the digits back.
func (vm *VM) bigFree(z *bigint) { vm.Free(z.addr) }

// bigClone is mpz_clone: a copy with a head of its own, on the heap like its
// digits; it returns the address of the head too.
func (vm *VM) bigClone(z *bigint) (bigint, uint32) {
	head := vm.Alloc(12)
	c := bigint{neg: z.neg, n: z.n, alloc: z.alloc, addr: vm.Alloc(2 * z.alloc)}
	c.w = vm.limbs(c.addr, limbsFor(c.n))
	copy(c.w, z.w)
	return c, head
}

// bigFreeClone is mpz_free.
func (vm *VM) bigFreeClone(z *bigint, head uint32) {
	vm.Free(z.addr)
	vm.Free(head)
}

// bigSet is mpz_set: dst = src.
func (vm *VM) bigSet(dst, src *bigint) {
	vm.bigNeed(dst, src.n)
	dst.neg, dst.n = src.neg, src.n
	dst.w = vm.limbs(dst.addr, limbsFor(dst.n))
	copy(dst.w, src.w)
}

// bigSetWord is mpz_set_from_int of a number that is not negative.
func (vm *VM) bigSetWord(z *bigint, i uint64) {
	if i == 0 {
		z.n, z.w = 0, nil
		return
	}
	vm.bigNeed(z, 2)
	z.neg = false
	w := vm.bigSpace(z)
	w[0] = i
	vm.bigDone(z, w[:1])
}

// newBoxed is mp_obj_new_int_from_ll: always an object, with room for 4 digits.
func (vm *VM) newBoxed(i int64) Value {
	if i < 0 {
		return vm.newBoxedAbs(uint64(-i), true)
	}
	return vm.newBoxedAbs(uint64(i), false)
}

func (vm *VM) newBoxedAbs(i uint64, neg bool) Value {
	o := vm.newBig()
	z := bigint{neg: neg}
	vm.bigNeed(&z, 4)
	w := vm.bigSpace(&z)
	w[0] = i
	vm.bigDone(&z, w)
	vm.storeBig(o, &z)
	return o
}

// low32 returns the number modulo 2**32, as mpz_hash does.
func (z *bigint) low32() uint32 {
	if z.n == 0 {
		return 0
	}
	v := uint32(z.w[0])
	if z.neg {
		v = -v
	}
	return v
}

// int32 returns the number if its magnitude is below 2**31.
func (z *bigint) int32() (int, bool) {
	if z.n == 0 {
		return 0, true
	}
	if z.n > 2 || z.w[0] > 1<<31-1 {
		return 0, false
	}
	if z.neg {
		return -int(z.w[0]), true
	}
	return int(z.w[0]), true
}

// digit returns digit i.
func (z *bigint) digit(i uint32) uint16 { return uint16(z.w[i/4] >> (16 * (i % 4))) }

// float32 rounds after every digit, as mpz_as_float does.
func (z *bigint) float32() float32 {
	var f float32
	for i := z.n; i > 0; {
		i--
		f = float32(f*65536) + float32(z.digit(i))
	}
	if z.neg {
		f = -f
	}
	return f
}

// storeBigInt writes a number into an int object of 16 bytes and its digits,
// both allocated already.
func (vm *VM) storeBigInt(obj, digits uint32, i *big.Int) {
	z := bigint{neg: i.Sign() < 0, addr: digits, alloc: vm.heap.Size(digits) / 2}
	w := vm.bigSpace(&z)
	clear(w)
	for k, b := 0, i.Bits(); k < len(b); k++ {
		w[k*bits.UintSize/64] |= uint64(b[k]) << (k * bits.UintSize % 64)
	}
	vm.bigDone(&z, w)
	vm.Mem[obj/4] = TypeInt
	vm.storeBig(Value(obj), &z)
}

// staticBigInt makes an int object and its digits in static RAM.
func (vm *VM) staticBigInt(i int) Value {
	z := bigint{neg: i < 0, alloc: 2}
	z.addr = (vm.staticAlloc(12) + 7) &^ 7
	obj := vm.staticAlloc(16)
	w := vm.bigSpace(&z)
	w[0] = uint64(max(i, -i))
	vm.bigDone(&z, w)
	vm.Mem[obj/4] = TypeInt
	vm.storeBig(Value(obj), &z)
	vm.Mem[obj/4+1] |= bigFixed
	return Value(obj)
}
