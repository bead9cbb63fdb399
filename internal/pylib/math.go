package pylib

import (
	"math"

	"github.com/skep-sim/skep/internal/vm"
)

// Math declares module math. Functions compute in double precision and round
// once, which is what a good single precision library gives.
func Math(fw *vm.Firmware) {
	o := &fw.Options
	m := fw.Module("math")
	m.Add("e", fw.Float(math.E))
	m.Add("pi", fw.Float(math.Pi))
	one := func(name string, f func(float64) float64) {
		m.Add(name, fw.Func1(name, func(v *vm.VM, a vm.Value) vm.Value { return math1(v, a, f) }))
	}
	special := func(name string, f func(float64) float64) {
		if o.MathSpecial {
			one(name, f)
		}
	}
	two := func(name string, f func(x, y float64) float64) {
		m.Add(name, fw.Func2(name, func(v *vm.VM, a, b vm.Value) vm.Value { return math2(v, a, b, f) }))
	}
	toInt := func(name string, f func(float64) float64) {
		m.Add(name, fw.Func1(name, func(v *vm.VM, a vm.Value) vm.Value {
			return v.IntFromFloat(float32(f(float64(v.Float(a)))))
		}))
	}
	toBool := func(name string, f func(float64) bool) {
		m.Add(name, fw.Func1(name, func(v *vm.VM, a vm.Value) vm.Value { return vm.Bool(f(float64(v.Float(a)))) }))
	}
	one("sqrt", math.Sqrt)
	two("pow", math.Pow)
	one("exp", math.Exp)
	special("expm1", math.Expm1)
	m.Add("log", fw.FuncV("log", 1, 2, mathLog))
	special("log2", math.Log2)
	if o.MathSpecial || o.MathLog10 {
		one("log10", math.Log10)
	}
	special("cosh", math.Cosh)
	special("sinh", math.Sinh)
	special("tanh", math.Tanh)
	special("acosh", math.Acosh)
	special("asinh", math.Asinh)
	special("atanh", math.Atanh)
	one("cos", math.Cos)
	one("sin", math.Sin)
	one("tan", tan32)
	one("acos", math.Acos)
	one("asin", math.Asin)
	one("atan", math.Atan)
	two("atan2", math.Atan2)
	toInt("ceil", math.Ceil)
	two("copysign", math.Copysign)
	one("fabs", math.Abs)
	toInt("floor", math.Floor)
	two("fmod", math.Mod)
	m.Add("frexp", fw.Func1("frexp", mathFrexp))
	m.Add("ldexp", fw.Func2("ldexp", func(v *vm.VM, a, b vm.Value) vm.Value {
		f := float64(v.Float(a))
		return v.NewFloat(float32(math.Ldexp(f, v.Int(b))))
	}))
	m.Add("modf", fw.Func1("modf", mathModf))
	toBool("isfinite", func(f float64) bool { return !math.IsInf(f, 0) && f == f })
	toBool("isinf", func(f float64) bool { return math.IsInf(f, 0) })
	toBool("isnan", math.IsNaN)
	if o.MathIsClose {
		isClose(fw, m)
	}
	toInt("trunc", math.Trunc)
	scaled := func(name string, by float32) {
		m.Add(name, fw.Func1(name, func(v *vm.VM, a vm.Value) vm.Value { return v.NewFloat(v.Float(a) * by) }))
	}
	scaled("radians", float32(math.Pi)/180)
	scaled("degrees", 180/float32(math.Pi))
	special("erf", math.Erf)
	special("erfc", math.Erfc)
	special("gamma", math.Gamma)
	special("lgamma", func(f float64) float64 {
		r, _ := math.Lgamma(f)
		if math.IsInf(f, -1) {
			return -f // as C has it
		}
		return r
	})
}

func mathError(v *vm.VM) { v.RaiseMsg(vm.TypeValueError, "math domain error") }

func isInf(f float32) bool { return math.IsInf(float64(f), 0) }

// math1 is f(a). A result that is no number, or infinite, is an error unless
// the argument was.
func math1(v *vm.VM, a vm.Value, f func(float64) float64) vm.Value {
	x := v.Float(a)
	r := float32(f(float64(x)))
	if r != r && x == x || isInf(r) && !isInf(x) {
		mathError(v)
	}
	return v.NewFloat(r)
}

func math2(v *vm.VM, a, b vm.Value, f func(x, y float64) float64) vm.Value {
	x, y := v.Float(a), v.Float(b)
	r := float32(f(float64(x), float64(y)))
	if r != r && x == x && y == y || isInf(r) && !isInf(x) {
		mathError(v)
	}
	return v.NewFloat(r)
}

func mathLog(v *vm.VM, args []vm.Value) vm.Value {
	x := v.Float(args[0])
	if x <= 0 {
		mathError(v)
	}
	l := float32(math.Log(float64(x)))
	if len(args) == 1 {
		return v.NewFloat(l)
	}
	base := v.Float(args[1])
	switch {
	case base <= 0:
		mathError(v)
	case base == 1:
		v.RaiseMsg(vm.TypeZeroDivisionError, "divide by zero")
	}
	return v.NewFloat(l / float32(math.Log(float64(base))))
}

func mathFrexp(v *vm.VM, a vm.Value) vm.Value {
	f, exp := math.Frexp(float64(v.Float(a)))
	return v.NewTuple(v.NewFloat(float32(f)), vm.SmallInt(exp))
}

func mathModf(v *vm.VM, a vm.Value) vm.Value {
	x := float64(v.Float(a))
	whole, frac := math.Trunc(x), 0.0
	if !math.IsInf(x, 0) {
		frac = x - whole
	}
	frac = math.Copysign(frac, x)
	if x != x {
		frac = x
	}
	f := v.NewFloat(float32(frac))
	return v.NewTuple(f, v.NewFloat(float32(whole)))
}

// isClose declares math.isclose.
func isClose(fw *vm.Firmware, m *vm.ModuleDef) {
	spec := []vm.Arg{
		{Name: fw.Q(""), Required: true}, {Name: fw.Q(""), Required: true},
		{Name: fw.Q("rel_tol"), KwOnly: true}, {Name: fw.Q("abs_tol"), KwOnly: true, Obj: vm.SmallInt(0)},
	}
	m.Add("isclose", fw.FuncKw("isclose", 2, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		var vals [4]vm.ArgVal
		v.ParseArgs(args, kw, spec, vals[:])
		a, b := v.Float(vals[0].Obj), v.Float(vals[1].Obj)
		rel := float32(1e-9)
		if vals[2].Obj != vm.Null {
			rel = v.Float(vals[2].Obj)
		}
		abs := v.Float(vals[3].Obj)
		if rel < 0 || abs < 0 {
			mathError(v)
		}
		fabs := func(f float32) float32 { return float32(math.Abs(float64(f))) }
		difference := fabs(a - b)
		return vm.Bool(a == b || !isInf(difference) &&
			(difference <= abs || difference <= fabs(rel*a) || difference <= fabs(rel*b)))
	}))
}
