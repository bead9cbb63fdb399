package compiler

import (
	"math"
	"strconv"
	"strings"
)

// A cross-compiler writes a float constant as its own repr prints it, and it
// reads and prints floats with errors in the last digits. These are its
// algorithms (v1.10 to v1.12, py/parsenum.c and py/formatfloat.c for double);
// explicit conversions keep Go from fusing operations, which rounds otherwise.

// floatText gives the text that a .mpy file has for a float literal.
func floatText(literal string) string {
	text := formatDouble(parseDouble(literal))
	if !strings.ContainsAny(text, ".en") {
		text += ".0"
	}
	return text
}

// complexText gives the text that a .mpy file has for an imaginary literal.
func complexText(literal string) string {
	return formatDouble(parseDouble(strings.TrimRight(literal, "jJ"))) + "j"
}

// Limits of parseDouble.
const (
	maxMantissa    = 1e200  // from here on digits only count for the exponent
	smallNormal    = 1e-307 // a normal number, and its power of ten
	smallNormalExp = -307
	exactPower     = 22 // the highest power of ten that is exact
	maxExponent    = (math.MaxInt32/2 - 9) / 10
)

// parseDouble reads a decimal literal.
func parseDouble(s string) float64 {
	value, exp, extra := 0.0, 0, 0
	negative, fraction := false, false
digits:
	for i := 0; i < len(s); i++ {
		switch ch := s[i]; {
		case '0' <= ch && ch <= '9':
			if value < maxMantissa {
				value = float64(float64(10*value) + float64(ch-'0'))
				if fraction {
					extra--
				}
			} else if !fraction {
				extra++
			}
		case ch == '.':
			fraction = true
		case ch|0x20 == 'e':
			exp, negative = parseExponent(s[i+1:])
			break digits
		}
	}
	if negative {
		exp = -exp
	}
	exp += extra
	if exp < smallNormalExp {
		exp -= smallNormalExp
		value = float64(value * smallNormal)
	}
	if exp < 0 && exp >= -exactPower {
		return float64(value / powerOfTen(-exp))
	}
	return float64(value * powerOfTen(exp))
}

// parseExponent reads what follows the e of a literal. Exponents that no
// number can have stop growing.
func parseExponent(s string) (exp int, negative bool) {
	for i := 0; i < len(s); i++ {
		switch ch := s[i]; {
		case ch == '-' && i == 0:
			negative = true
		case '0' <= ch && ch <= '9' && exp < maxExponent:
			exp = 10*exp + int(ch-'0')
		}
	}
	return exp, negative
}

// powerOfTen is the C library's pow(10, n): correctly rounded, but for two
// powers that come out as their neighbour (glibc 2.36 on x86-64).
func powerOfTen(n int) float64 {
	switch n {
	case 23:
		return 0x1.52d02c7e14af7p+76
	case 210:
		return 0x1.8557f31326bbcp+697
	}
	p, err := strconv.ParseFloat("1e"+strconv.Itoa(n), 64)
	if err != nil && n < 0 {
		return 0
	}
	return p
}

// Powers of ten that scale a number into 1 <= f < 10, for the exponents 256,
// 128 and so on down to 1.
var (
	bigPowers   = [...]float64{1e256, 1e128, 1e64, 1e32, 1e16, 1e8, 1e4, 1e2, 1e1}
	smallPowers = [...]float64{1e-256, 1e-128, 1e-64, 1e-32, 1e-16, 1e-8, 1e-4, 1e-2, 1e-1}
)

// reprDigits are printed of a number; from roundToOne on a number counts as 1.
const (
	reprDigits = 16
	roundToOne = 0.999999999995
)

// formatDouble prints a number that is not negative as %.16g, with an
// exponent below 1e-4 and from 1e16 on.
func formatDouble(f float64) string {
	switch {
	case math.IsInf(f, 0):
		return "inf"
	case math.IsNaN(f):
		return "nan"
	case f == 0:
		return "0"
	case f < 1:
		return formatSmall(f)
	}
	exp := 0
	for i, p := range bigPowers {
		if p <= f {
			exp += 256 >> i
			f = float64(f * smallPowers[i])
		}
	}
	if f >= 10 {
		exp++
		f = float64(f * 0.1)
	}
	if exp >= reprDigits {
		digits, carry := appendDigits(nil, f, 0)
		if carry {
			exp++
		}
		return withExponent(digits, '+', exp)
	}
	point := exp
	if exp == reprDigits-1 {
		point = -1 // nothing follows it
	}
	digits, carry := appendDigits(nil, f, point)
	if carry {
		digits = append([]byte{'1'}, digits...)
	}
	if point < 0 {
		return string(digits)
	}
	return string(trimZeros(digits))
}

// formatSmall is formatDouble for numbers between 0 and 1.
func formatSmall(f float64) string {
	exp := 0
	for i, p := range smallPowers {
		if p > f {
			exp += 256 >> i
			f = float64(f * bigPowers[i])
		}
	}
	switch {
	case f < 1 && f >= roundToOne:
		f = 1
	case f < 1:
		exp++
		f = float64(f * 10)
	}
	switch {
	case exp == 0:
		return "1"
	case exp <= 4:
		digits, _ := appendDigits([]byte("0.000")[:1+exp], f, -1)
		return string(trimZeros(digits))
	}
	digits, carry := appendDigits(nil, f, 0)
	if carry {
		exp--
	}
	return withExponent(digits, '-', exp)
}

// appendDigits adds the digits of 1 <= f < 10, with a decimal point behind
// the digit number point. It rounds all of dst; carry says that this has left
// zeros which want a 1 before them.
func appendDigits(dst []byte, f float64, point int) (digits []byte, carry bool) {
	for i := range reprDigits {
		d := int(f)
		dst = append(dst, '0'+byte(d))
		if i == point {
			dst = append(dst, '.')
		}
		f = float64(float64(f-float64(d)) * 10)
	}
	if f < 5 {
		return dst, false
	}
	for i := len(dst) - 1; i >= 0; i-- {
		switch {
		case dst[i] == '.':
		case dst[i] < '9':
			dst[i]++
			return dst, false
		default:
			dst[i] = '0'
		}
	}
	return dst, true
}

// trimZeros takes zeros off the end of digits with a decimal point, and the
// point if nothing follows it.
func trimZeros(digits []byte) []byte {
	for digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	if digits[len(digits)-1] == '.' {
		digits = digits[:len(digits)-1]
	}
	return digits
}

// withExponent adds the exponent, of two digits at least. Digits that have
// become zeros by rounding up are those of 1.
func withExponent(digits []byte, sign byte, exp int) string {
	if digits[0] == '0' {
		digits[0] = '1'
	}
	digits = append(trimZeros(digits), 'e', sign)
	if exp < 10 {
		digits = append(digits, '0')
	}
	return string(strconv.AppendInt(digits, int64(exp), 10))
}
