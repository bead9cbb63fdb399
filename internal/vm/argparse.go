package vm

// This file is mp_arg_parse_all: how built-in functions with keyword arguments
// sort them out.

// ArgKind is what an argument is turned into.
type ArgKind uint8

// The kinds of argument.
const (
	ArgObj ArgKind = iota
	ArgInt
	ArgBool
)

// Arg describes one argument of a built-in function.
type Arg struct {
	Name     Qstr
	Kind     ArgKind
	Required bool
	KwOnly   bool
	Obj      Value // default of an ArgObj
	Int      int   // default of an ArgInt, or of an ArgBool: 0 or 1
}

// ArgVal is the value of an argument: Obj, or for the other kinds Int.
type ArgVal struct {
	Obj Value
	Int int
}

// Bool returns the value of an ArgBool.
func (a ArgVal) Bool() bool { return a.Int != 0 }

// ParseArgs fills out, which is as long as spec, from positional arguments and
// keyword pairs, or raises TypeError.
func (vm *VM) ParseArgs(pos, kw []Value, spec []Arg, out []ArgVal) {
	used := 0
	for i := range spec {
		a := &spec[i]
		out[i] = ArgVal{a.Obj, a.Int}
		var v Value
		if i < len(pos) {
			if a.KwOnly {
				vm.argError("extra positional arguments given")
			}
			v = pos[i]
		} else if v = kwLookup(kw, a.Name); v != Null {
			used++
		} else {
			if a.Required {
				if vm.terse() {
					vm.argMismatch()
				}
				vm.Raisef(TypeTypeError, "'%q' argument required", a.Name)
			}
			continue
		}
		switch a.Kind {
		case ArgObj:
			out[i].Obj = v
		case ArgInt:
			out[i].Int = vm.Int(v)
		case ArgBool:
			out[i].Int = 0
			if vm.IsTrue(v) {
				out[i].Int = 1
			}
		}
	}
	if len(pos) > len(spec) {
		vm.argError("extra positional arguments given")
	}
	if used < len(kw)/2 {
		vm.argError("extra keyword arguments given")
	}
}

// kwLookup returns the value of a keyword argument, or Null.
func kwLookup(kw []Value, name Qstr) Value {
	for i := 0; i+1 < len(kw); i += 2 {
		if kw[i] == name.Value() {
			return kw[i+1]
		}
	}
	return Null
}

func (vm *VM) argError(msg string) {
	if vm.terse() {
		vm.argMismatch()
	}
	vm.RaiseMsg(TypeTypeError, msg)
}
