package vm

import (
	"cmp"
	"slices"
	"strings"

	"github.com/skep-sim/skep/internal/mpy"
)

// This file builds firmware: everything that lies in the device's ROM.

// Fn0 to FnKw are the shapes of built-in functions. A function raises by
// calling one of the VM's Raise methods, which do not return. args alias the
// caller's frame: a function must not keep them. kw are flattened pairs of
// qstr and value.
type (
	Fn0  func(vm *VM) Value
	Fn1  func(vm *VM, a Value) Value
	Fn2  func(vm *VM, a, b Value) Value
	Fn3  func(vm *VM, a, b, c Value) Value
	FnV  func(vm *VM, args []Value) Value
	FnKw func(vm *VM, args, kw []Value) Value
)

// A Builtin is a built-in function or method.
type Builtin struct {
	name     Qstr
	min, max int // positional arguments; max < 0: any number
	f0       Fn0
	f1       Fn1
	f2       Fn2
	f3       Fn3
	fv       FnV
	fkw      FnKw
}

// romObj is one object in ROM.
type romObj struct {
	typ Value    // its type
	t   *Type    // if it is a type
	fun *Builtin // if it is a function
	mod *ModuleDef
	ref any // what else a package keeps behind a ROM object
}

// Firmware is the immutable part of any number of devices: ROM qstrs, built-in
// types, functions and modules. It is built once and then shared, also between
// goroutines.
type Firmware struct {
	Options Options

	rom                                    []romObj
	names                                  []string // qstr number -> text
	hashes                                 []uint16
	index                                  map[string]Qstr
	order                                  []Qstr // the names in ROM, in the order dir() finds them
	notInROM                               []bool // qstr number -> known to Go code only
	builtins                               *Dict  // the names of module builtins
	modules                                []*ModuleDef
	modIndex                               map[Qstr]*ModuleDef
	printSep, printEnd, printFile, dirName Qstr
	propertyArgs                           [4]Qstr
	sysStdout                              Value // the object sys.stdout
	importFun                              Value // the function __import__
	bytesName                              Qstr  // "bytes"
	decode                                 Value // the method decode of bytes and bytearray
	errnos                                 []ErrnoName
	streamMethods                          map[string]Value // see AddStreamMethods
	next                                   Value            // the built-in function next
	qLittle                                Qstr             // "little"
	baseInit                               Value            // the __init__ of built-in base classes
	instance                               *Type            // the slots of every class of the program
	extra                                  []func(*VM)
	// poly is how each kind of TypePolyIter goes on.
	poly [numPoly]polyNext
	// named is the slots of every named tuple type; split and asdict are names it
	// needs, asdictFun its method.
	named         *Type
	split, asdict Qstr
	asdictFun     Value
	names12       names12
}

// A ModuleDef is a built-in module.
type ModuleDef struct {
	fw    *Firmware
	name  Qstr
	dict  *Dict
	value Value
	// weak: the module is only found after the file system (MICROPY_MODULE_WEAK_LINKS)
	weak bool
	// getattr computes attributes that are not constant, else nil.
	getattr func(vm *VM, attr Qstr) Value
	setattr func(vm *VM, attr Qstr, v Value) bool
}

// NewFirmware starts a firmware with the language's own types and functions.
// The caller adds modules and then makes devices from it.
func NewFirmware(o Options) *Firmware {
	fw := &Firmware{
		Options:  o,
		index:    make(map[string]Qstr),
		modIndex: make(map[Qstr]*ModuleDef),
		builtins: &Dict{},
	}
	for i, s := range staticNames {
		if Qstr(i) == qNone {
			fw.names, fw.hashes, fw.notInROM = []string{""}, []uint16{0}, []bool{false}
			continue
		}
		fw.Q(s)
	}
	fw.rom = make([]romObj, (firstDynamic-romBase)/4)
	for v, t := range map[Value]Value{
		None: TypeNone, False: TypeBool, True: TypeBool, Ellipsis: TypeSingleton,
		NotImplemented: TypeSingleton, EmptyTuple: TypeTuple, EmptyBytes: TypeBytes, Sentinel: TypeObject,
	} {
		fw.rom[(v-romBase)/4].typ = t
	}
	fw.initCore()
	return fw
}

// Q returns the ROM qstr of a name, adding it if it is new.
func (fw *Firmware) Q(s string) Qstr {
	if q, ok := fw.index[s]; ok {
		return q
	}
	q := Qstr(len(fw.names))
	fw.names = append(fw.names, s)
	fw.hashes = append(fw.hashes, hashBytes([]byte(s), fw.Options.HashBytes))
	fw.notInROM = append(fw.notInROM, false)
	fw.index[s] = q
	return q
}

// Seal ends the building of the firmware: every name that it declared is in ROM,
// unless the options say otherwise.
func (fw *Firmware) Seal() *Firmware {
	o := &fw.Options
	if len(o.ROMNames) > 0 {
		for i := range fw.notInROM {
			fw.notInROM[i] = Qstr(i) > QEmpty
		}
		for _, s := range o.ROMNames {
			q := fw.Q(s)
			fw.notInROM[q] = false
			fw.order = append(fw.order, q)
		}
	}
	for _, s := range o.RAMNames {
		fw.notInROM[fw.Q(s)] = true
	}
	if fw.order == nil {
		fw.order = fw.upstreamOrder()
	}
	return fw
}

// upstreamOrder gives the names in ROM as upstream's makeqstrdata.py numbers
// them: those that .mpy files refer to by number, then the special ones, then the
// rest by the alphabet.
func (fw *Firmware) upstreamOrder() []Qstr {
	rank := make(map[string]int)
	for i, s := range mpy.StaticNames() {
		rank[s] = i - 1000
	}
	var order []Qstr
	for q := QEmpty + 1; int(q) < len(fw.names); q++ {
		if !fw.notInROM[q] {
			order = append(order, q)
		}
	}
	class := func(s string) int {
		r, static := rank[s]
		if !static && !strings.HasPrefix(s, "__") {
			r = 1
		}
		return r
	}
	slices.SortFunc(order, func(a, b Qstr) int {
		s, t := fw.names[a], fw.names[b]
		return cmp.Or(class(s)-class(t), strings.Compare(s, t))
	})
	return order
}

func (fw *Firmware) addROM(o romObj) Value {
	fw.rom = append(fw.rom, o)
	return romBase + 4*Value(len(fw.rom)-1)
}

// define fills the slots of a type whose ROM address is a constant.
func (fw *Firmware) define(v Value, t *Type) *Type {
	t.value = v
	if t.Locals == nil {
		t.Locals = &Dict{}
	}
	if t.Parent != Null && fw.rom[(t.Parent-romBase)/4].t.Flags&FlagException != 0 {
		t.Flags |= FlagException
	}
	fw.rom[(v-romBase)/4] = romObj{typ: TypeType, t: t}
	return t
}

// NewType adds a built-in type that another package brings.
func (fw *Firmware) NewType(name string, t *Type) *Type {
	t.Name = fw.Q(name)
	v := fw.addROM(romObj{})
	return fw.define(v, t)
}

// Object puts an object into ROM that is nothing but its type and a Go value.
func (fw *Firmware) Object(t *Type, ref any) Value {
	return fw.addROM(romObj{typ: t.value, ref: ref})
}

// Method adds a method, or any other class attribute, to a built-in type.
func (fw *Firmware) Method(t *Type, name string, v Value) { t.Locals.set(fw.Q(name), v) }

func (fw *Firmware) builtin(b *Builtin) Value {
	return fw.addROM(romObj{typ: TypeFunBuiltin, fun: b})
}

// Func0 makes a built-in function without arguments.
func (fw *Firmware) Func0(name string, f Fn0) Value {
	return fw.builtin(&Builtin{name: fw.Q(name), f0: f})
}

// Func1 makes a built-in function of one argument.
func (fw *Firmware) Func1(name string, f Fn1) Value {
	return fw.builtin(&Builtin{name: fw.Q(name), min: 1, max: 1, f1: f})
}

// Func2 makes a built-in function of two arguments.
func (fw *Firmware) Func2(name string, f Fn2) Value {
	return fw.builtin(&Builtin{name: fw.Q(name), min: 2, max: 2, f2: f})
}

// Func3 makes a built-in function of three arguments.
func (fw *Firmware) Func3(name string, f Fn3) Value {
	return fw.builtin(&Builtin{name: fw.Q(name), min: 3, max: 3, f3: f})
}

// FuncV makes a built-in function of min to max positional arguments (max < 0:
// any number).
func (fw *Firmware) FuncV(name string, min, max int, f FnV) Value {
	return fw.builtin(&Builtin{name: fw.Q(name), min: min, max: max, fv: f})
}

// FuncKw makes a built-in function of at least min positional arguments and of
// keyword arguments.
func (fw *Firmware) FuncKw(name string, min int, f FnKw) Value {
	return fw.builtin(&Builtin{name: fw.Q(name), min: min, max: -1, fkw: f})
}

// Static wraps a function as a static method for a type's table.
func (fw *Firmware) Static(f Value) Value {
	return fw.addROM(romObj{typ: TypeStaticMethod, ref: f})
}

// Class wraps a function as a class method for a type's table.
func (fw *Firmware) Class(f Value) Value {
	return fw.addROM(romObj{typ: TypeClassMethod, ref: f})
}

// Builtin adds a name to module builtins.
func (fw *Firmware) Builtin(name string, v Value) { fw.builtins.set(fw.Q(name), v) }

// Module adds a built-in module and returns it; a module that exists already is
// returned again.
func (fw *Firmware) Module(name string) *ModuleDef {
	q := fw.Q(name)
	if m, ok := fw.modIndex[q]; ok {
		return m
	}
	m := fw.Submodule(name)
	fw.modules = append(fw.modules, m)
	fw.modIndex[q] = m
	return m
}

// Submodule makes a module that can only be reached as an attribute of the one
// that it is added to, with from ... import.
func (fw *Firmware) Submodule(name string) *ModuleDef {
	q := fw.Q(name)
	m := &ModuleDef{fw: fw, name: q, dict: &Dict{}}
	m.value = fw.addROM(romObj{typ: TypeModule, mod: m})
	m.dict.set(QName, q.Value())
	return m
}

// Alias makes a second name find the same module. A weak alias is looked for
// only after the file system, as MicroPython's weak links are. v1.12 has no table
// of those: it finds any module whose name is the weak one's with a u in front.
func (fw *Firmware) Alias(name string, m *ModuleDef, weak bool) {
	if weak && fw.Options.V12 {
		return
	}
	q := fw.Q(name)
	alias := *m
	alias.name, alias.weak = q, weak
	fw.modIndex[q] = &alias
}

// weakModule returns the built-in module that a name is a weak link to, or nil.
func (fw *Firmware) weakModule(name string) *ModuleDef {
	if fw.Options.V12 {
		if q, ok := fw.index["u"+name]; ok && fw.Options.WeakLinks {
			return fw.modIndex[q]
		}
		return nil
	}
	if m := fw.modIndex[fw.index[name]]; m != nil && m.weak {
		return m
	}
	return nil
}

// Value returns the module object.
func (m *ModuleDef) Value() Value { return m.value }

// Add adds a name to the module.
func (m *ModuleDef) Add(name string, v Value) *ModuleDef {
	m.dict.set(m.fw.Q(name), v)
	return m
}

// Int adds an integer constant to the module.
func (m *ModuleDef) Int(name string, i int) *ModuleDef { return m.Add(name, SmallInt(i)) }

// Getattr sets a function that computes attributes which are no constants
// (return Null where there is none).
func (m *ModuleDef) Getattr(f func(vm *VM, attr Qstr) Value) { m.getattr = f }

// OnBoot sets a function that is run when a VM starts, before any program.
func (fw *Firmware) OnBoot(f func(vm *VM)) { fw.extra = append(fw.extra, f) }

// ModuleNames returns the names of the built-in modules and of their aliases,
// sorted.
func (fw *Firmware) ModuleNames() []string {
	names := make([]string, 0, len(fw.modIndex))
	for q := range fw.modIndex {
		names = append(names, fw.names[q])
	}
	slices.Sort(names)
	return names
}
