package vm

import "math"

// This file reads floats from text with parsenum.c's arithmetic, in single
// precision: the result may be off by some units in the last place. How
// much depends on the build.

// FloatDigits is how 10*f + digit is rounded when the text of a float is read:
// C leaves it to the compiler and the processor.
type FloatDigits uint8

// The ways to round.
const (
	// RoundEach: the product and the sum, on processors with single precision only.
	RoundEach FloatDigits = iota
	// RoundOnce: the sum only, with fused operations, and on x87 (the bare reference).
	RoundOnce
	// RoundLast: nothing before the last digit, on x87 (the hosted reference).
	RoundLast
)

const (
	decValMax      = 1e20 // digits beyond this are only counted
	smallNormalExp = -37
	exactPowerOf10 = 9 // the highest power of 10 that a float holds exactly
	maxExponent    = (math.MaxInt32/2 - 9) / 10
)

// ParseFloat makes a float or, with a j at the end, a complex object of a
// literal's text, or raises ValueError.
func (vm *VM) ParseFloat(text []byte) Value { return vm.parseDecimal(text, true, false) }

// parseDecimal reads a number; imag allows a j at its end, complex makes a
// complex number of any.
func (vm *VM) parseDecimal(s []byte, imag, complex bool) Value {
	i := 0
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	neg := false
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		neg = s[i] == '-'
		i++
	}
	f, n, isImag, ok := parseReal(s[i:], imag, vm.opt.FloatDigits)
	if neg {
		f = -f
	}
	end := i + n
	for end < len(s) && isSpace(s[end]) {
		end++
	}
	if !ok || n == 0 || end != len(s) {
		vm.RaiseMsg(TypeValueError, "invalid syntax for number")
	}
	if isImag || complex {
		if !vm.opt.Complex {
			vm.RaiseMsg(TypeValueError, "complex values not supported")
		}
		if isImag {
			return vm.NewComplex(0, f)
		}
		return vm.NewComplex(f, 0)
	}
	return vm.NewFloat(f)
}

// hasWord reports whether s starts with a lower case word, in any case.
func hasWord(s []byte, word string) bool {
	if len(s) < len(word) {
		return false
	}
	for i := range word {
		if s[i]|0x20 != word[i] {
			return false
		}
	}
	return true
}

// parseReal reads a number without sign: its value, its length, whether a j is
// the last of it. ok is false where an exponent has no digits. rounding is the
// build's.
func parseReal(s []byte, allowImag bool, rounding FloatDigits) (value float32, n int, imag, ok bool) {
	if len(s) > 0 && (s[0]|0x20 == 'i' || s[0]|0x20 == 'n') {
		value, n = parseNonFinite(s)
		return value, n, false, true
	}
	const (
		integer = iota
		fraction
		exponent
	)
	// The operations of numbers of single precision, done in double precision
	// and rounded, are exactly those of single precision.
	round := func(f float64, step FloatDigits) float64 {
		if rounding >= step {
			return f
		}
		return float64(float32(f))
	}
	var f float64
	in := integer
	expNeg := false
	exp, extra := 0, 0
	i := 0
loop:
	for i < len(s) {
		c := s[i]
		i++
		switch {
		case c >= '0' && c <= '9':
			d := int(c - '0')
			switch {
			case in == exponent:
				if exp < maxExponent {
					exp = 10*exp + d
				}
			case f < decValMax:
				f = round(round(10*f, RoundOnce)+float64(d), RoundLast)
				if in == fraction {
					extra--
				}
			case in == integer:
				extra++
			}
		case in == integer && c == '.':
			in = fraction
		case in != exponent && c|0x20 == 'e':
			in = exponent
			if i < len(s) && (s[i] == '+' || s[i] == '-') {
				expNeg = s[i] == '-'
				i++
			}
			if i == len(s) {
				return 0, i, false, false
			}
		case allowImag && c|0x20 == 'j':
			imag = true
			break loop
		case c == '_':
		default:
			i--
			break loop
		}
	}
	if expNeg {
		exp = -exp
	}
	exp += extra
	if exp < smallNormalExp {
		exp -= smallNormalExp
		f = round(f*float64(float32(1e-37)), RoundLast)
	}
	f = float64(float32(f))
	if exp < 0 && exp >= -exactPowerOf10 {
		f /= float64(pow10(-exp))
	} else {
		f *= float64(pow10(exp))
	}
	return float32(f), i, imag, true
}

// parseNonFinite reads inf, infinity or nan, in any case: its value and its
// length, which is 0 for anything else.
func parseNonFinite(s []byte) (value float32, n int) {
	switch {
	case hasWord(s, "infinity"):
		return float32(math.Inf(1)), 8
	case hasWord(s, "inf"):
		return float32(math.Inf(1)), 3
	case hasWord(s, "nan"):
		return float32(math.NaN()), 3
	}
	return 0, 0
}

// pow10 is powf(10, n).
func pow10(n int) float32 { return float32(math.Pow(10, float64(n))) }
