package pylib

import (
	"math"

	"github.com/skep-sim/skep/internal/vm"
)

// CMath declares module cmath, if there are complex numbers.
func CMath(fw *vm.Firmware) {
	o := &fw.Options
	if !o.Complex || !o.CMath {
		return
	}
	m := fw.Module("cmath")
	m.Add("e", fw.Float(math.E))
	m.Add("pi", fw.Float(math.Pi))
	fun := func(name string, f func(v *vm.VM, re, im float32) vm.Value) {
		m.Add(name, fw.Func1(name, func(v *vm.VM, z vm.Value) vm.Value {
			re, im := v.Complex(z)
			return f(v, re, im)
		}))
	}
	fun("phase", func(v *vm.VM, re, im float32) vm.Value { return v.NewFloat(atan2(im, re)) })
	fun("polar", func(v *vm.VM, re, im float32) vm.Value {
		r := v.NewFloat(float32(math.Sqrt(float64(normSq(re, im)))))
		return v.NewTuple(r, v.NewFloat(atan2(im, re)))
	})
	m.Add("rect", fw.Func2("rect", func(v *vm.VM, a, b vm.Value) vm.Value {
		r, phi := v.Float(a), v.Float(b)
		return v.NewComplex(r*in32(math.Cos, phi), r*in32(math.Sin, phi))
	}))
	fun("exp", func(v *vm.VM, re, im float32) vm.Value {
		e := in32(math.Exp, re)
		return v.NewComplex(e*in32(math.Cos, im), e*in32(math.Sin, im))
	})
	fun("log", func(v *vm.VM, re, im float32) vm.Value {
		return v.NewComplex(0.5*in32(math.Log, normSq(re, im)), atan2(im, re))
	})
	if o.MathSpecial {
		fun("log10", func(v *vm.VM, re, im float32) vm.Value {
			return v.NewComplex(0.5*in32(math.Log10, normSq(re, im)), float32(0.4342944819032518*float64(atan2(im, re))))
		})
	}
	fun("sqrt", func(v *vm.VM, re, im float32) vm.Value {
		abs := float32(math.Pow(float64(normSq(re, im)), 0.25))
		theta := 0.5 * atan2(im, re)
		return v.NewComplex(abs*in32(math.Cos, theta), abs*in32(math.Sin, theta))
	})
	fun("cos", func(v *vm.VM, re, im float32) vm.Value {
		return v.NewComplex(in32(math.Cos, re)*in32(math.Cosh, im), -in32(math.Sin, re)*in32(math.Sinh, im))
	})
	fun("sin", func(v *vm.VM, re, im float32) vm.Value {
		return v.NewComplex(in32(math.Sin, re)*in32(math.Cosh, im), in32(math.Cos, re)*in32(math.Sinh, im))
	})
}

// in32 is a function of the single precision library.
func in32(f func(float64) float64, x float32) float32 { return float32(f(float64(x))) }

func atan2(y, x float32) float32 { return float32(math.Atan2(float64(y), float64(x))) }

func normSq(re, im float32) float32 { return float32(re*re) + float32(im*im) }
