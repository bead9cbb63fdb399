package sql

import (
	"math"
	"math/big"
)

// numberFunctions take numbers, and strings that look like one.
var numberFunctions = map[string]*function{
	"abs":  onNumber(abs),
	"sign": onNumber(func(_ value, d *dec) value { return integer(int64(d.sign())) }),
	"ceil": rounded(ceil), "floor": rounded(floor), "round": rounded(halfUp),
	"trunc": {least: 2, most: 2, do: trunc},
	"mod":   {least: 2, most: 2, do: remainder}, "remainder": {least: 2, most: 2, do: remainder},
	"acos": double(math.Acos), "asin": double(math.Asin), "atan": double(math.Atan),
	"cos": double(math.Cos), "sin": double(math.Sin), "tan": double(math.Tan),
	"cosh": double(math.Cosh), "sinh": double(math.Sinh), "tanh": double(math.Tanh),
	"exp": double(math.Exp), "ln": double(math.Log), "log": double(math.Log10), "sqrt": double(math.Sqrt),
	"atan2":  doubles(math.Atan2),
	"power":  doubles(math.Pow),
	"bitand": bitwise((*big.Int).And), "bitor": bitwise((*big.Int).Or), "bitxor": bitwise((*big.Int).Xor),
	"bitnot": {least: 1, most: 1, do: bitNot},
	"chr":    {least: 1, most: 1, do: chr},
}

func onNumber(f func(v value, d *dec) value) *function {
	return &function{least: 1, most: 1, do: func(_ *run, a []value, _ any) value {
		d := a[0].toDec()
		if d == nil {
			return undefined
		}
		return f(a[0], d)
	}}
}

func rounded(how rounding) *function {
	return onNumber(func(_ value, d *dec) value { return intOf(d.places(0, how)) })
}

func abs(v value, d *dec) value {
	if d.sign() < 0 {
		d = d.neg()
	}
	if v.kind == kindInt {
		return intOf(d)
	}
	return decimal(d)
}

// double wraps a function of doubles. What is not a number is Undefined.
func double(f func(float64) float64) *function {
	return onNumber(func(_ value, d *dec) value { return decimal(decFloat(f(d.float()))) })
}

func doubles(f func(x, y float64) float64) *function {
	return &function{least: 2, most: 2, do: func(_ *run, a []value, _ any) value {
		x, y := a[0].toDec(), a[1].toDec()
		if x == nil || y == nil {
			return undefined
		}
		return decimal(decFloat(f(x.float(), y.float())))
	}}
}

func remainder(r *run, a []value, _ any) value {
	return arithmetic((*dec).rem, (*dec).rem)(r, a[0], a[1])
}

// trunc cuts places off and then zeros.
func trunc(_ *run, a []value, _ any) value {
	d := a[0].toDec()
	n, ok := a[1].toIndex()
	if d == nil || !ok || a[1].kind == kindString {
		return undefined
	}
	d = d.places(min(max(n, 0), maxDigits), down)
	if d.whole() {
		return intOf(d)
	}
	exp := d.exp
	return decimal(newDec(stripZeros(d.coef(), &exp, 0), exp))
}

func bitwise(f func(z, x, y *big.Int) *big.Int) *function {
	return &function{least: 2, most: 2, do: func(_ *run, a []value, _ any) value {
		x, y := a[0].toInt(), a[1].toInt()
		if x == nil || y == nil {
			return undefined
		}
		return bigInt(f(new(big.Int), x.integer(), y.integer()))
	}}
}

// bitNot turns round the bits that a number has: AWS's example is bitnot(13) = 2. Of a
// negative number it is the complement.
func bitNot(_ *run, a []value, _ any) value {
	d := a[0].toInt()
	if d == nil {
		return a[0] // so AWS: the result for other values is the value
	}
	n := d.integer()
	if n.Sign() < 0 {
		return bigInt(new(big.Int).Not(n))
	}
	mask := new(big.Int).Lsh(big.NewInt(1), uint(n.BitLen()))
	return bigInt(mask.Sub(mask, big.NewInt(1)).Xor(mask, n))
}

func chr(_ *run, a []value, _ any) value {
	n, ok := a[0].toIndex()
	if !ok || n < 0 || n > 127 {
		return undefined
	}
	return str(string(rune(n)))
}
