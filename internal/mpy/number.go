package mpy

import "strings"

// isDecimal reports whether s is a decimal integer.
func isDecimal(s string) bool {
	s = strings.TrimPrefix(s, "-")
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// isFloat reports whether s is a number as a cross-compiler prints a float or
// an imaginary number.
func isFloat(s string, imaginary bool) bool {
	if imaginary {
		if !strings.HasSuffix(s, "j") {
			return false
		}
		s = s[:len(s)-1]
	}
	s = strings.TrimPrefix(s, "-")
	if s == "inf" || s == "nan" {
		return true
	}
	mantissa, exponent, hasExp := strings.Cut(s, "e")
	if hasExp {
		exponent = strings.TrimPrefix(exponent, "+")
		if !isDecimal(exponent) {
			return false
		}
	}
	whole, fraction, hasDot := strings.Cut(mantissa, ".")
	if !isDecimal(whole) || whole[0] == '-' {
		return false
	}
	return !hasDot || isDecimal(fraction) && fraction[0] != '-'
}
