package pylib

import "math"

// tanSeries are the odd coefficients of the tangent in the single precision
// library that most C programs have (from SunPro's k_tanf.c).
var tanSeries = [...]float64{
	3.3333334327e-01, 1.3333334029e-01, 5.3968254477e-02, 2.1869488060e-02, 8.8632395491e-03, 3.5920790397e-03,
	1.4562094584e-03, 5.8804126456e-04, 2.4646313977e-04, 7.8179444245e-05, 7.1407252108e-05, -1.8558637748e-05,
	2.5907305826e-05,
}

// tan32 is the tangent with the error of that library, which is up to one unit
// in the last place: the digits that a program prints show it.
func tan32(f float64) float64 {
	if math.IsInf(f, 0) || f != f {
		return math.NaN()
	}
	x, inverse := f, false
	if math.Abs(x) > math.Pi/4 {
		x = math.Atan2(math.Sincos(f)) // modulo 2 pi
		n := math.RoundToEven(x * 2 / math.Pi)
		x -= n * (math.Pi / 2)
		inverse = int(n)&1 != 0
	}
	t := 0.0
	if math.Abs(x) < 0.6744 {
		t = tanPoly(x)
	} else { // from the other side of pi/4
		u := tanPoly(math.Pi/4 - math.Abs(x))
		t = math.Copysign(1-2*u/(1+u), x)
	}
	if inverse {
		return -1 / t
	}
	return t
}

func tanPoly(x float64) float64 {
	z := x * x
	sum := 0.0
	for i := len(tanSeries) - 1; i >= 0; i-- {
		sum = sum*z + tanSeries[i]
	}
	return x + x*z*sum
}
