package vm

import "math/bits"

// This file is what mpz.c computes, with its allocations in its order. dst is a
// head without digits, or one with digits that are replaced.

// bigAdd is dst = a + b, or a - b with minus.
func (vm *VM) bigAdd(dst, a, b *bigint, minus bool) {
	flip := false
	if natCmp(a.w, b.w) < 0 {
		a, b = b, a
		flip = minus
	}
	neg := a.neg != flip // a may be dst
	if (a.neg == b.neg) != minus {
		vm.bigNeed(dst, a.n+1)
		vm.bigDone(dst, natAdd(vm.bigSpace(dst), a.w, b.w))
	} else {
		vm.bigNeed(dst, a.n)
		vm.bigDone(dst, natSub(vm.bigSpace(dst), a.w, b.w))
	}
	dst.neg = neg
}

// bigMul is dst = a * b.
func (vm *VM) bigMul(dst, a, b *bigint) {
	if a.n == 0 || b.n == 0 {
		vm.bigSetWord(dst, 0)
		return
	}
	var copied bigint
	var head uint32
	if a == dst {
		copied, head = vm.bigClone(a)
		if b == dst {
			b = &copied
		}
		a = &copied
	} else if b == dst {
		copied, head = vm.bigClone(b)
		b = &copied
	}
	n := a.n + b.n
	vm.bigNeed(dst, n)
	w := vm.bigSpace(dst)[:limbsFor(n)]
	natMul(w, a.w, b.w)
	vm.bigDone(dst, w)
	dst.neg = a.neg != b.neg
	if head != 0 {
		vm.bigFreeClone(&copied, head)
	}
}

// bigPow is dst = a ** b.
func (vm *VM) bigPow(dst, a, b *bigint) {
	if a.n == 0 || b.neg {
		vm.bigSetWord(dst, 0)
		return
	}
	if b.n == 0 {
		vm.bigSetWord(dst, 1)
		return
	}
	x, xHead := vm.bigClone(a)
	n, nHead := vm.bigClone(b)
	vm.bigSetWord(dst, 1)
	last := bits.Len64(n.w[len(n.w)-1]) + 64*(len(n.w)-1) - 1
	for i := 0; ; i++ {
		mark := vm.Mark()
		if n.w[i/64]>>(i%64)&1 != 0 {
			vm.bigMul(dst, dst, &x)
		}
		if i == last {
			break
		}
		vm.bigMul(&x, &x, &x)
		vm.Release(mark, Value(dst.addr), Value(x.addr))
	}
	vm.bigFreeClone(&x, xHead)
	vm.bigFreeClone(&n, nHead)
}

// bigPow3 is dst = a ** b % m.
func (vm *VM) bigPow3(dst, a, b, m *bigint) {
	if a.n == 0 || b.neg || m.n == 1 && m.w[0] == 1 {
		vm.bigSetWord(dst, 0)
		return
	}
	vm.bigSetWord(dst, 1)
	if b.n == 0 {
		return
	}
	x, xHead := vm.bigClone(a)
	n, nHead := vm.bigClone(b)
	var quo bigint
	last := bits.Len64(n.w[len(n.w)-1]) + 64*(len(n.w)-1) - 1
	for i := 0; ; i++ {
		mark := vm.Mark()
		if n.w[i/64]>>(i%64)&1 != 0 {
			vm.bigMul(dst, dst, &x)
			vm.bigDivmod(&quo, dst, dst, m)
		}
		if i == last {
			break
		}
		vm.bigMul(&x, &x, &x)
		vm.bigDivmod(&quo, &x, &x, m)
		vm.Release(mark, Value(dst.addr), Value(x.addr), Value(quo.addr))
	}
	vm.bigFree(&quo)
	vm.bigFreeClone(&x, xHead)
	vm.bigFreeClone(&n, nHead)
}

// bigDivmod is quo, rem = divmod(a, b), rounded towards minus infinity; b is not
// 0. rem may be a.
func (vm *VM) bigDivmod(quo, rem, a, b *bigint) {
	n := a.n + 1
	aneg := a.neg
	vm.bigNeed(quo, n)
	quo.n, quo.w = 0, nil
	vm.bigNeed(rem, n)
	vm.bigSet(rem, a)
	vm.natDivide(quo, rem, b.w)
	if aneg != b.neg {
		quo.neg = true
		if rem.n != 0 {
			var one bigint // C leaves its digits to the collector
			vm.bigNeed(&one, 2)
			one.neg, one.n = true, 1
			one.w = vm.limbs(one.addr, 1)
			one.w[0] = 1
			vm.bigAdd(quo, quo, &one, false)
			vm.bigAdd(rem, rem, b, false)
		}
	}
}

// natDivide divides the digits of rem by d; the quotient goes to quo, which has
// room for one digit more than rem has.
func (vm *VM) natDivide(quo, rem *bigint, d []uint64) {
	u := rem.w
	switch c := natCmp(u, d); {
	case c < 0:
		return
	case c == 0:
		q := vm.bigSpace(quo)[:1]
		q[0] = 1
		vm.bigDone(quo, q)
		rem.n, rem.w = 0, nil
		return
	}
	if len(d) == 1 {
		q := vm.bigSpace(quo)[:len(u)]
		copy(q, u)
		r := natDivWord(q, d[0])
		vm.bigDone(quo, q)
		u[0] = r
		vm.bigDone(rem, u[:1])
		return
	}
	shift := uint(bits.LeadingZeros64(d[len(d)-1]))
	buf := vm.big.room(len(u) + 1 + len(d))
	num, den := buf[:len(u)+1], buf[len(u)+1:]
	natShl(num, u, shift)
	natShl(den, d, shift)
	q := vm.bigSpace(quo)[:len(u)+1-len(d)]
	natDiv(q, num, den)
	vm.bigDone(quo, q)
	natShr(u[:len(d)], num[:len(d)], shift)
	vm.bigDone(rem, u[:len(d)])
}

// bigShl is dst = a << s.
func (vm *VM) bigShl(dst, a *bigint, s uint32) {
	if a.n == 0 || s == 0 {
		vm.bigSet(dst, a)
		return
	}
	n := a.n + (s+15)/16
	vm.bigNeed(dst, n)
	w := vm.bigSpace(dst)
	whole := s / 64
	clear(w[:whole])
	hi := w[whole:limbsFor(n)]
	hi = hi[:min(len(hi), len(a.w)+1)]
	natShl(hi, a.w, uint(s%64))
	vm.bigDone(dst, w[:int(whole)+len(hi)])
	dst.neg = a.neg
}

// bigShr is dst = a >> s, rounded towards minus infinity.
func (vm *VM) bigShr(dst, a *bigint, s uint32) {
	if a.n == 0 || s == 0 {
		vm.bigSet(dst, a)
		return
	}
	vm.bigNeed(dst, a.n)
	dst.neg = a.neg
	w := vm.bigSpace(dst)
	whole := int(s / 64)
	lost := false
	for i := 0; i < len(a.w) && i < whole; i++ {
		lost = lost || a.w[i] != 0
	}
	if whole >= len(a.w) {
		dst.n, dst.w = 0, nil
	} else {
		lost = lost || a.w[whole]&(1<<(s%64)-1) != 0
		r := w[:len(a.w)-whole]
		natShr(r, a.w[whole:], uint(s%64))
		vm.bigDone(dst, r)
	}
	if a.neg && lost {
		if dst.n == 0 {
			w[0] = 1
			vm.bigDone(dst, w[:1])
		} else {
			one := [1]uint64{1}
			vm.bigDone(dst, natAdd(w, dst.w, one[:]))
		}
	}
}

// bigBits is dst = a op b for &, | and ^ in two's complement.
func (vm *VM) bigBits(dst, a, b *bigint, op BinaryOp) {
	if a.n < b.n {
		a, b = b, a
	}
	n := a.n
	if a.neg || b.neg {
		n++
	}
	vm.bigNeed(dst, n)
	var neg bool
	switch op {
	case BinAnd:
		neg = a.neg && b.neg
	case BinOr:
		neg = a.neg || b.neg
	default:
		neg = a.neg != b.neg
	}
	ma, ca := complement(a.neg)
	mb, cb := complement(b.neg)
	mi, ci := complement(neg)
	w := vm.bigSpace(dst)
	for i, x := range a.w {
		var y uint64
		if i < len(b.w) {
			y = b.w[i]
		}
		x, ca = bits.Add64(x^ma, 0, ca)
		y, cb = bits.Add64(y^mb, 0, cb)
		switch op {
		case BinAnd:
			x &= y
		case BinOr:
			x |= y
		default:
			x ^= y
		}
		w[i], ci = bits.Add64(x^mi, 0, ci)
	}
	k := len(a.w)
	if neg && ci != 0 && k < len(w) {
		w[k] = ci
		k++
	}
	vm.bigDone(dst, w[:k])
	dst.neg = neg
}

// complement returns the mask and the carry that make two's complement of a
// magnitude.
func complement(neg bool) (mask, carry uint64) {
	if neg {
		return ^uint64(0), 1
	}
	return 0, 0
}

// bigNot is dst = ~a.
func (vm *VM) bigNot(dst, a *bigint) {
	vm.bigSet(dst, a)
	one := [1]uint64{1}
	switch {
	case dst.n == 0:
		vm.bigNeed(dst, 1)
		w := vm.bigSpace(dst)[:1]
		w[0] = 1
		vm.bigDone(dst, w)
		dst.neg = true
	case dst.neg:
		dst.neg = false
		vm.bigDone(dst, natSub(dst.w, dst.w, one[:]))
	default:
		vm.bigNeed(dst, dst.n+1)
		vm.bigDone(dst, natAdd(vm.bigSpace(dst), dst.w, one[:]))
		dst.neg = true
	}
}
