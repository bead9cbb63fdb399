package vm

import "math/bits"

// This file is arithmetic on naturals, arrays of 64-bit limbs with the lowest
// first. It knows nothing of objects.

// natCmp compares; both are without leading zeros.
func natCmp(a, b []uint64) int {
	if len(a) != len(b) {
		if len(a) < len(b) {
			return -1
		}
		return 1
	}
	for i := len(a) - 1; i >= 0; i-- {
		if a[i] != b[i] {
			if a[i] < b[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// natAdd computes dst = a + b, len(a) >= len(b). The carry goes into
// dst[len(a)] if it is not 0. It returns the limbs written. dst may be a or b.
func natAdd(dst, a, b []uint64) []uint64 {
	n := len(a)
	var c uint64
	d := dst[:n]
	// four at a time, since the compiler keeps the carry in its flag only so
	for ; len(b) >= 4; a, b, d = a[4:], b[4:], d[4:] {
		_, _ = a[3], d[3]
		d[0], c = bits.Add64(a[0], b[0], c)
		d[1], c = bits.Add64(a[1], b[1], c)
		d[2], c = bits.Add64(a[2], b[2], c)
		d[3], c = bits.Add64(a[3], b[3], c)
	}
	for i, y := range b {
		d[i], c = bits.Add64(a[i], y, c)
	}
	for i := len(b); i < len(a); i++ {
		d[i], c = bits.Add64(a[i], 0, c)
	}
	if c != 0 {
		dst[n] = c
		n++
	}
	return dst[:n]
}

// natSub computes dst = a - b, a >= b. It returns the limbs written.
func natSub(dst, a, b []uint64) []uint64 {
	n := len(a)
	var c uint64
	d := dst[:n]
	for i, y := range b {
		d[i], c = bits.Sub64(a[i], y, c)
	}
	for i := len(b); i < n; i++ {
		d[i], c = bits.Sub64(a[i], 0, c)
	}
	return d
}

// natMul computes dst = a * b; dst overlaps neither, and may be one limb shorter
// than both together if the top limb of the product is 0.
func natMul(dst, a, b []uint64) {
	if len(a) < len(b) {
		a, b = b, a
	}
	clear(dst)
	n := len(a)
	for j, y := range b {
		d := dst[j : j+n]
		var c uint64
		for i, v := range a {
			hi, lo := bits.Mul64(v, y)
			var k uint64
			lo, k = bits.Add64(lo, d[i], 0)
			hi += k
			d[i], k = bits.Add64(lo, c, 0)
			c = hi + k
		}
		if j+n < len(dst) {
			dst[j+n] = c
		}
	}
}

// natMulAdd computes a = a*y + c in place and returns the carry.
func natMulAdd(a []uint64, y, c uint64) uint64 {
	for i, v := range a {
		hi, lo := bits.Mul64(v, y)
		var k uint64
		a[i], k = bits.Add64(lo, c, 0)
		c = hi + k
	}
	return c
}

// natDivWord computes a = a / y in place and returns the remainder.
func natDivWord(a []uint64, y uint64) uint64 {
	var r uint64
	for i := len(a) - 1; i >= 0; i-- {
		a[i], r = bits.Div64(r, a[i], y)
	}
	return r
}

// natShl computes dst = a << s for s below 64; dst is as long as a or one limb
// longer. dst may be a.
func natShl(dst, a []uint64, s uint) {
	if len(dst) > len(a) {
		dst[len(a)] = 0
		if s != 0 {
			dst[len(a)] = a[len(a)-1] >> (64 - s)
		}
	}
	for i := len(a) - 1; i > 0; i-- {
		dst[i] = a[i]<<s | a[i-1]>>(64-s)
	}
	dst[0] = a[0] << s
}

// natShr computes dst = a >> s for s below 64; dst is as long as a and may be a.
func natShr(dst, a []uint64, s uint) {
	n := len(a)
	for i := 0; i < n-1; i++ {
		dst[i] = a[i]>>s | a[i+1]<<(64-s)
	}
	dst[n-1] = a[n-1] >> s
}

// natDiv divides u by v (Knuth's algorithm D). u has one limb more than the
// number needs and becomes the remainder, shifted left by the number of leading
// zeros of v, which is returned; v must be shifted so already, and u too. v has
// two limbs or more. q gets the quotient: len(u)-len(v) limbs.
func natDiv(q, u, v []uint64) {
	n := len(v)
	top, next := v[n-1], v[n-2]
	for j := len(u) - n - 1; j >= 0; j-- {
		est := ^uint64(0)
		if hi := u[j+n]; hi < top {
			var rem uint64
			est, rem = bits.Div64(hi, u[j+n-1], top)
			for {
				ph, pl := bits.Mul64(est, next)
				if ph < rem || ph == rem && pl <= u[j+n-2] {
					break
				}
				est--
				prev := rem
				rem += top
				if rem < prev {
					break
				}
			}
		}
		if est != 0 {
			for wrapped := natSubMul(u[j:j+n+1], v, est); wrapped; {
				est--
				c := uint64(0)
				w := u[j : j+n]
				for i, y := range v {
					w[i], c = bits.Add64(w[i], y, c)
				}
				u[j+n], c = bits.Add64(u[j+n], c, 0)
				wrapped = c == 0
			}
		}
		q[j] = est
	}
}

// natSubMul computes u -= v*y, where u is one limb longer, and reports whether
// the result wrapped.
func natSubMul(u, v []uint64, y uint64) bool {
	var c uint64
	w := u[:len(v)]
	for i, x := range v {
		hi, lo := bits.Mul64(x, y)
		var k uint64
		lo, k = bits.Add64(lo, c, 0)
		hi += k
		w[i], k = bits.Sub64(w[i], lo, 0)
		c = hi + k
	}
	var b uint64
	u[len(v)], b = bits.Sub64(u[len(v)], c, 0)
	return b != 0
}
