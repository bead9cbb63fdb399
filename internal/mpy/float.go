package mpy

import (
	"math"
	"strconv"
)

// FloatText gives the text that stands in a .mpy file for a float or imaginary
// literal, as the source spells it (underscores allowed): mpy-cross parses it
// to a double in its own way, which can miss the nearest double by a little,
// and prints it in its own way to 16 digits. It gives "" for what is not a
// number. Source: py/parsenum.c, py/formatfloat.c, py/objfloat.c,
// py/objcomplex.c, the same from v1.10 to v1.12.
func FloatText(literal string) string {
	v, imaginary, ok := parseDouble(literal)
	if !ok {
		return ""
	}
	if imaginary {
		return formatDouble(v) + "j"
	}
	text := formatDouble(v)
	for i := range len(text) {
		switch text[i] {
		case '.', 'e', 'n':
			return text
		}
	}
	return text + ".0"
}

const (
	// doubleMax is where digits no longer count, but their number does.
	doubleMax = 1e200
	// smallestExp is the smallest power of ten that is a normal double.
	smallestExp = -307
	// exactExp is the largest power of ten that a double holds exactly.
	exactExp = 22
	// expLimit is where further digits of an exponent are dropped.
	expLimit = (math.MaxInt32/2 - 9) / 10
)

// parseDouble adds up the digits in a double and then scales it.
func parseDouble(s string) (v float64, imaginary, ok bool) {
	i := 0
	inFraction, inExp, negative := false, false, false
	exp, extra := 0, 0
scan:
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			digit := int(c - '0')
			switch {
			case inExp:
				if exp < expLimit {
					exp = 10*exp + digit
				}
			case v < doubleMax:
				// Rounded twice, never fused.
				v = float64(10*v) + float64(digit)
				if inFraction {
					extra--
				}
			case !inFraction:
				extra++
			}
		case c == '.' && !inFraction && !inExp:
			inFraction = true
		case c|0x20 == 'e' && !inExp:
			inExp = true
			if i+1 < len(s) && (s[i+1] == '+' || s[i+1] == '-') {
				i++
				negative = s[i] == '-'
			}
			if i+1 == len(s) {
				return 0, false, false
			}
		case c|0x20 == 'j':
			imaginary = true
			i++
			break scan
		case c != '_':
			break scan
		}
	}
	if i == 0 || i < len(s) {
		return 0, false, false
	}
	if negative {
		exp = -exp
	}
	exp += extra
	if exp < smallestExp {
		exp -= smallestExp
		v *= 1e-307
	}
	if exp < 0 && exp >= -exactExp {
		v /= powerOfTen(-exp)
	} else {
		v *= powerOfTen(exp)
	}
	return v, imaginary, true
}

// powerOfTen gives what the C library's pow makes of a power of ten: the
// nearest double, but for two that lie all but halfway between doubles.
// Compared with mpy-cross on glibc 2.36 for all n from -330 to 308; math.Pow
// differs more often.
func powerOfTen(n int) float64 {
	switch n {
	case 23:
		return 0x1.52d02c7e14af7p+76
	case 210:
		return 0x1.8557f31326bbcp+697
	}
	v, err := strconv.ParseFloat("1e"+strconv.Itoa(n), 64)
	if err != nil && n < 0 {
		return 0
	}
	return v // infinity where it is too large
}

// The powers of ten, from 256 down to 1, that scale a double for printing.
var (
	tenUp   = [...]float64{1e256, 1e128, 1e64, 1e32, 1e16, 1e8, 1e4, 1e2, 1e1}
	tenDown = [...]float64{1e-256, 1e-128, 1e-64, 1e-32, 1e-16, 1e-8, 1e-4, 1e-2, 1e-1}
)

const doublePrecision = 16

// formatDouble prints a double that is not negative, like %.16g but with
// upstream's rounding errors.
func formatDouble(f float64) string {
	switch {
	case math.IsInf(f, 0):
		return "inf"
	case math.IsNaN(f):
		return "nan"
	case f == 0:
		return "0"
	case f < 1:
		return formatBelowOne(f)
	}
	e := 0
	for i, step := 0, 256; step > 0; i, step = i+1, step/2 {
		if tenUp[i] <= f {
			e += step
			f *= tenDown[i]
		}
	}
	if f >= 10 {
		e++
		f *= 0.1
	}
	if e < doublePrecision {
		s := roundedDigits(nil, f, doublePrecision, e)
		if e == doublePrecision-1 {
			return string(s) // no digits behind the point
		}
		return trimZeros(s)
	}
	digits, up := roundExp(f)
	return digits + exponent("+", e+up)
}

// formatBelowOne prints a double between 0 and 1.
func formatBelowOne(f float64) string {
	const almostOne = 0.999999999995
	whole := byte('0')
	if f >= almostOne {
		whole = '1'
	}
	e := 0
	for i, step := 0, 256; step > 0; i, step = i+1, step/2 {
		if tenDown[i] > f {
			e += step
			f *= tenUp[i]
		}
	}
	sign := "-"
	if f < 1 && f >= almostOne {
		f = 1
		if e == 0 {
			sign = "+"
		}
	} else if f < 1 {
		e++
		f *= 10
	}
	if e <= 4 {
		s := []byte{whole, '.'}
		n := doublePrecision + e - 1
		// Where f has been rounded up to one, e is 0 and all are zeros.
		for e--; e != 0 && n > 0; e-- {
			s = append(s, '0')
			n--
		}
		return trimZeros(roundedDigits(s, f, n, -1))
	}
	digits, up := roundExp(f)
	if sign == "-" {
		if e -= up; e == 0 {
			sign = "+"
		}
	} else {
		e += up
	}
	return digits + exponent(sign, e)
}

// roundedDigits appends n digits of f, which lies between 0 and 10, to s, with
// a point after the digit number point (none if point is negative), and rounds.
func roundedDigits(s []byte, f float64, n, point int) []byte {
	for i := range n {
		d := int32(f)
		s = append(s, '0'+byte(max(d, 0)))
		if i == point && n > point+1 {
			s = append(s, '.')
		}
		f -= float64(d)
		f *= 10
	}
	if f < 5 {
		return s
	}
	for i := len(s) - 1; i >= 0; i-- {
		switch s[i] {
		case '.':
		case '9':
			s[i] = '0'
		default:
			s[i]++
			return s
		}
	}
	return append([]byte{'1'}, s...)
}

// roundExp gives the digits of a number that is printed with an exponent, and
// 1 if rounding made the exponent one higher.
func roundExp(f float64) (digits string, up int) {
	s := roundedDigits(nil, f, doublePrecision, 0)
	if len(s) > doublePrecision+1 { // 9.99 has become 10.00
		s = append([]byte("1."), s[1:]...)
		for i := 2; i < len(s); i++ {
			s[i] = '0'
		}
		up = 1
	}
	return trimZeros(s), up
}

// trimZeros drops trailing zeros, and then a trailing point.
func trimZeros(s []byte) string {
	for s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	if s[len(s)-1] == '.' {
		s = s[:len(s)-1]
	}
	return string(s)
}

func exponent(sign string, e int) string {
	s := "e" + sign
	if e >= 100 {
		s += string(rune('0' + e/100))
	}
	return s + string(rune('0'+e/10%10)) + string(rune('0'+e%10))
}
