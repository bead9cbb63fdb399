package sql

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// Limits of a Decimal (AWS: "Data types").
const (
	maxDigits   = 34
	maxExponent = 999 // of the first digit
)

// dec is a decimal number, coef x 10^exp. It is not changed after it has been made.
type dec struct {
	small int64    // the coefficient, unless big is there
	big   *big.Int // the coefficient when it may not fit small
	exp   int
}

func (d *dec) coef() *big.Int {
	if d.big != nil {
		return d.big
	}
	return big.NewInt(d.small)
}

func (d *dec) sign() int {
	if d.big != nil {
		return d.big.Sign()
	}
	switch {
	case d.small > 0:
		return 1
	case d.small < 0:
		return -1
	}
	return 0
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func digits(n *big.Int) int {
	if n.Sign() == 0 {
		return 1
	}
	guess := int(float64(n.BitLen()-1) * math.Log10(2))
	for limit := pow10(guess); n.CmpAbs(limit) >= 0; guess++ {
		limit.Mul(limit, big.NewInt(10))
	}
	return guess
}

// newDec rounds to 34 digits, half to even; nil when the number is out of range.
func newDec(coef *big.Int, exp int) *dec {
	if coef.IsInt64() && exp > -900 && exp < 900 {
		return &dec{small: coef.Int64(), exp: exp}
	}
	if n := digits(coef) - maxDigits; n > 0 {
		coef = roundedQuo(coef, pow10(n))
		exp += n
	}
	if coef.Sign() != 0 {
		if top := digits(coef) - 1 + exp; top > maxExponent || top < -maxExponent {
			return nil
		}
	} else {
		exp = max(min(exp, 0), -maxExponent)
	}
	if coef.IsInt64() {
		return &dec{small: coef.Int64(), exp: exp}
	}
	return &dec{big: coef, exp: exp}
}

// roundedQuo is a/b, half to even.
func roundedQuo(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	twice := new(big.Int).Abs(r)
	twice.Lsh(twice, 1)
	if c := twice.CmpAbs(b); c > 0 || c == 0 && q.Bit(0) == 1 {
		if a.Sign()*b.Sign() < 0 {
			q.Sub(q, big.NewInt(1))
		} else {
			q.Add(q, big.NewInt(1))
		}
	}
	return q
}

// parseDec reads a JSON number; nil when it is none or out of range. The forms that a string
// may have to count as a number (AWS: "To decimal") are among them.
func parseDec(s string) *dec {
	mantissa, e := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.Atoi(s[i+1:])
		if err != nil || n > 1<<20 || n < -1<<20 {
			return nil
		}
		mantissa, e = s[:i], n
	}
	whole, frac, hasPoint := strings.Cut(mantissa, ".")
	body := strings.TrimPrefix(whole, "-")
	if body == "" || hasPoint && frac == "" || !allDigits(body) || !allDigits(frac) {
		return nil
	}
	all, exp := whole+frac, e-len(frac)
	if len(all) <= 18 && exp > -900 && exp < 900 {
		n, err := strconv.ParseInt(all, 10, 64)
		if err != nil {
			return nil
		}
		return &dec{small: n, exp: exp}
	}
	if len(all) > 4096 { // thousands of digits count for nothing beyond the 34th
		cut := len(all) - 4096
		all, exp = all[:4096], exp+cut
	}
	coef, ok := new(big.Int).SetString(all, 10)
	if !ok {
		return nil
	}
	return newDec(coef, exp)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// align gives both coefficients at the smaller exponent.
func align(a, b *dec) (x, y *big.Int, exp int) {
	x, y = a.coef(), b.coef()
	switch {
	case a.exp > b.exp:
		return new(big.Int).Mul(x, pow10(a.exp-b.exp)), y, b.exp
	case a.exp < b.exp:
		return x, new(big.Int).Mul(y, pow10(b.exp-a.exp)), a.exp
	}
	return x, y, a.exp
}

func (d *dec) neg() *dec {
	if d.big == nil && d.small != math.MinInt64 {
		return &dec{small: -d.small, exp: d.exp}
	}
	return newDec(new(big.Int).Neg(d.coef()), d.exp)
}

func (d *dec) add(e *dec) *dec {
	if d.big == nil && e.big == nil && d.exp == e.exp {
		if sum := d.small + e.small; (sum > d.small) == (e.small > 0) {
			return &dec{small: sum, exp: d.exp}
		}
	}
	x, y, exp := align(d, e)
	return newDec(new(big.Int).Add(x, y), exp)
}

func (d *dec) sub(e *dec) *dec {
	n := e.neg()
	if n == nil {
		return nil
	}
	return d.add(n)
}

func (d *dec) mul(e *dec) *dec {
	if d.big == nil && e.big == nil {
		hi, lo := bits.Mul64(magnitude(d.small), magnitude(e.small))
		if exp := d.exp + e.exp; hi == 0 && lo < math.MaxInt64 && exp > -900 && exp < 900 {
			n := int64(lo)
			if (d.small < 0) != (e.small < 0) {
				n = -n
			}
			return &dec{small: n, exp: exp}
		}
	}
	return newDec(new(big.Int).Mul(d.coef(), e.coef()), d.exp+e.exp)
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// quo divides exactly where that ends within 34 digits, with the scale of the operands'
// difference where it can be, as java.math.BigDecimal does; nil by zero.
func (d *dec) quo(e *dec) *dec {
	if e.sign() == 0 {
		return nil
	}
	x, y := d.coef(), e.coef()
	shift := maxDigits + 2 + digits(y) - digits(x)
	shift = max(shift, 0)
	wide, rest := new(big.Int).QuoRem(new(big.Int).Mul(x, pow10(shift)), y, new(big.Int))
	exp := d.exp - e.exp - shift
	if rest.Sign() != 0 {
		// A digit that is not zero, beyond all that are kept, decides ties.
		wide.Mul(wide, big.NewInt(10))
		wide.Add(wide, big.NewInt(int64(x.Sign()*y.Sign())))
		return newDec(wide, exp-1)
	}
	return newDec(stripZeros(wide, &exp, d.exp-e.exp), exp)
}

// stripZeros takes zeros from the end of n while its exponent is below limit.
func stripZeros(n *big.Int, exp *int, limit int) *big.Int {
	if n.Sign() == 0 {
		*exp = limit
		return n
	}
	ten, r := big.NewInt(10), new(big.Int)
	for *exp < limit {
		q, r := new(big.Int).QuoRem(n, ten, r)
		if r.Sign() != 0 {
			break
		}
		n = q
		*exp++
	}
	return n
}

// intQuo is the quotient without its fraction.
func (d *dec) intQuo(e *dec) *dec {
	if e.sign() == 0 {
		return nil
	}
	x, y, _ := align(d, e)
	return newDec(new(big.Int).Quo(x, y), 0)
}

// rem has the sign of d.
func (d *dec) rem(e *dec) *dec {
	if e.sign() == 0 {
		return nil
	}
	x, y, exp := align(d, e)
	return newDec(new(big.Int).Rem(x, y), exp)
}

func (d *dec) cmp(e *dec) int {
	if d.big == nil && e.big == nil && d.exp == e.exp {
		switch {
		case d.small < e.small:
			return -1
		case d.small > e.small:
			return 1
		}
		return 0
	}
	x, y, _ := align(d, e)
	return x.Cmp(y)
}

// rounding says what to do with a fraction.
type rounding uint8

const (
	down   rounding = iota // towards zero
	floor                  // towards minus infinity
	ceil                   // towards infinity
	halfUp                 // to the nearest, a half away from zero
)

// places rounds to a number of places after the point.
func (d *dec) places(n int, how rounding) *dec {
	if d.exp >= -n {
		return d
	}
	unit := pow10(-n - d.exp)
	q, r := new(big.Int).QuoRem(d.coef(), unit, new(big.Int))
	step := int64(0)
	switch {
	case r.Sign() == 0:
	case how == floor && r.Sign() < 0:
		step = -1
	case how == ceil && r.Sign() > 0:
		step = 1
	case how == halfUp && new(big.Int).Lsh(new(big.Int).Abs(r), 1).Cmp(unit) >= 0:
		step = int64(r.Sign())
	}
	return newDec(q.Add(q, big.NewInt(step)), -n)
}

// whole says whether there is no fraction, whatever the notation: 10.0 is whole.
func (d *dec) whole() bool {
	if d.exp >= 0 || d.sign() == 0 {
		return true
	}
	if d.big == nil {
		n := d.small
		for e := d.exp; e < 0; e++ {
			if n%10 != 0 {
				return false
			}
			n /= 10
		}
		return true
	}
	return new(big.Int).Rem(d.big, pow10(-d.exp)).Sign() == 0
}

// integer is a whole number's value; for others the part before the point.
func (d *dec) integer() *big.Int {
	if d.exp >= 0 {
		return new(big.Int).Mul(d.coef(), pow10(d.exp))
	}
	return new(big.Int).Quo(d.coef(), pow10(-d.exp))
}

// float is the nearest double.
func (d *dec) float() float64 {
	f, err := strconv.ParseFloat(d.coef().String()+"e"+strconv.Itoa(d.exp), 64)
	if err != nil {
		return math.Inf(d.sign())
	}
	return f
}

// decFloat is a double as a decimal, with at least one place after the point; nil for what is
// not a number.
func decFloat(f float64) *dec {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if a := math.Abs(f); a != 0 && (a < 1e-3 || a >= 1e7) {
		text = strconv.FormatFloat(f, 'e', -1, 64)
	} else if !strings.Contains(text, ".") {
		text += ".0"
	}
	return parseDec(text)
}

// text is a Decimal's notation, scientific for the very small and the very large as
// java.math.BigDecimal writes them.
func (d *dec) text() string {
	raw := d.coef().String()
	neg := strings.HasPrefix(raw, "-")
	raw = strings.TrimPrefix(raw, "-")
	top := len(raw) - 1 + d.exp
	var out string
	switch {
	case d.exp == 0:
		out = raw
	case d.exp < 0 && top >= -6:
		if pad := -d.exp - len(raw) + 1; pad > 0 {
			raw = strings.Repeat("0", pad) + raw
		}
		out = raw[:len(raw)+d.exp] + "." + raw[len(raw)+d.exp:]
	default:
		out = raw[:1]
		if len(raw) > 1 {
			out += "." + raw[1:]
		}
		if top >= 0 {
			out += "E+" + strconv.Itoa(top)
		} else {
			out += "E" + strconv.Itoa(top)
		}
	}
	if neg {
		return "-" + out
	}
	return out
}
