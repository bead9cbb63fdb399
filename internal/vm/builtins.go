package vm

import "github.com/skep-sim/skep/internal/syntax"

// This file is the built-in functions that belong to no type.

func builtinBuildClass(vm *VM, args []Value) Value {
	old := vm.locals
	locals := vm.NewDict(0)
	vm.locals = locals
	cell := vm.Call(args[0], nil, nil)
	vm.locals = old // after an exception C leaves the class's locals in place, too
	meta := TypeType
	if len(args) > 2 {
		meta = vm.TypeOf(args[2])
	}
	bases := vm.NewTuple(args[2:]...)
	room, back := vm.pass(3)
	room[0], room[1], room[2] = args[1], bases, locals
	class := vm.Call(meta, room, nil)
	vm.nscratch = back
	if vm.TypeOf(cell) == TypeCell { // a program may pass any function
		vm.Mem[cell/4+1] = class
	}
	return class
}

// dir lists names by trying every qstr, in the order of their numbers.
func builtinDir(vm *VM, args []Value) Value {
	list := vm.NewList()
	if len(args) == 0 {
		for pos := 0; ; {
			k, _, ok := vm.DictNext(vm.locals, &pos)
			if !ok {
				return list
			}
			vm.ListAppend(list, k)
		}
	}
	o := args[0]
	var found Value
	try := func(q Qstr) bool {
		var m [2]Value
		exc := vm.Try(func() { vm.LoadMethodMaybe(o, q, &m) })
		if exc != Null {
			if !vm.IsSubclass(vm.TypeOf(exc), TypeAttributeError) {
				vm.Raise(exc)
			}
		}
		if m[0] == Null {
			return false
		}
		if q == vm.fw.dirName && m[1] != Null && vm.opt.AllSpecialMethods {
			found = vm.callMethod(m, nil)
			return true
		}
		vm.ListAppend(list, q.Value())
		return false
	}
	mark := vm.Mark()
	if vm.opt.AllSpecialMethods && try(vm.fw.dirName) {
		return found
	}
	for _, q := range vm.fw.order {
		if q != vm.fw.dirName || !vm.opt.AllSpecialMethods {
			try(q)
		}
		vm.Release(mark, list)
	}
	vm.eachRAMQstr(func(q Qstr) {
		try(q)
		vm.Release(mark, list)
	})
	return list
}

// eachRAMQstr calls f with the qstrs made at run time, oldest first.
func (vm *VM) eachRAMQstr(f func(q Qstr)) {
	for i := 0; i < len(vm.qstrs.made); i++ {
		f(vm.qstrs.made[i])
	}
}

func builtinGetattr(vm *VM, args []Value) Value {
	q := vm.InternValue(args[1]).Qstr()
	if len(args) < 3 {
		return vm.LoadAttr(args[0], q)
	}
	var m [2]Value
	vm.LoadMethodMaybe(args[0], q, &m)
	switch {
	case m[0] == Null:
		return args[2]
	case m[1] == Null:
		return m[0]
	}
	return vm.NewBoundMethod(m[0], m[1])
}

func builtinHasattr(vm *VM, o, name Value) Value {
	q := vm.InternValue(name).Qstr()
	var m [2]Value
	exc := vm.Try(func() { vm.LoadMethodMaybe(o, q, &m) })
	if exc != Null && !vm.IsSubclass(vm.TypeOf(exc), TypeAttributeError) {
		vm.Raise(exc)
	}
	return Bool(m[0] != Null) // a property whose getter failed was found all the same
}

func builtinSetattr(vm *VM, o, name, v Value) Value {
	vm.StoreAttr(o, vm.InternValue(name).Qstr(), v)
	return None
}

func builtinDelattr(vm *VM, o, name Value) Value {
	vm.StoreAttr(o, vm.InternValue(name).Qstr(), Null)
	return None
}

func builtinIsSubclass(vm *VM, c, info Value) Value {
	if !vm.isType(c) {
		vm.RaiseMsg(TypeTypeError, "issubclass() arg 1 must be a class")
	}
	return vm.subclassOf(c, info)
}

func builtinIsInstance(vm *VM, o, info Value) Value { return vm.subclassOf(vm.TypeOf(o), info) }

func (vm *VM) subclassOf(c, info Value) Value {
	classes := []Value{info}
	if !vm.isType(info) {
		if vm.TypeOf(info) != TypeTuple { // a named tuple is none
			vm.RaiseMsg(TypeTypeError, "issubclass() arg 2 must be a class or a tuple of classes")
		}
		classes = vm.TupleItems(info)
	}
	for _, k := range classes {
		if k == TypeObject || vm.IsSubclass(c, k) {
			return True
		}
	}
	return False
}

func builtinID(vm *VM, o Value) Value {
	if !o.IsObj() {
		return vm.NewInt(int64(int32(o)))
	}
	return vm.NewUint(uint64(o))
}

func builtinReplPrint(vm *VM, o Value) Value {
	if o == None {
		return None
	}
	p := vm.Stdout()
	p.Value(o, PrintRepr)
	p.String("\n")
	if vm.opt.OverrideBuiltins {
		d := [2]Value{Sentinel, o}
		moduleAttr(vm, vm.fw.modIndex[QBuiltins].value, QUnderscore, &d)
	}
	return None
}

func (vm *VM) evalExec(args []Value, mode syntax.Mode) Value {
	globals, locals := vm.globals, vm.locals
	for i := 1; i < len(args); i++ {
		if args[i] == None {
			continue
		}
		if vm.TypeOf(args[i]) != TypeDict {
			vm.Raise(vm.NewException(TypeTypeError))
		}
		locals = args[i]
		if i == 1 {
			globals = locals
		}
	}
	if vm.TypeOf(args[0]) == TypeRawCode {
		return vm.execCode(args[0], globals, locals)
	}
	if !vm.IsStrOrBytes(args[0]) {
		vm.badImplicit(args[0], QStrName)
	}
	src := append([]byte(nil), vm.StrBytes(args[0])...)
	return vm.Exec(src, "<string>", mode, MemoryReader, globals, locals)
}

// execCode runs what compile() made: [type, function].
func (vm *VM) execCode(code, globals, locals Value) Value {
	oldGlobals, oldLocals := vm.globals, vm.locals
	vm.globals, vm.locals = globals, locals
	f := vm.Mem[code/4+1]
	if vm.TypeOf(f) == TypeFunBC {
		vm.Mem[f/4+funGlobals] = globals
	}
	var v Value
	exc := vm.Try(func() { v = vm.Call(f, nil, nil) })
	vm.globals, vm.locals = oldGlobals, oldLocals
	if exc != Null {
		vm.Raise(exc)
	}
	return v
}

func builtinCompile(vm *VM, args []Value) Value {
	src := append([]byte(nil), vm.StrArg(args[0])...)
	name := vm.InternValue(args[1])
	var mode syntax.Mode
	switch vm.Str(vm.InternValue(args[2])) {
	case "single":
		mode = syntax.Single
	case "exec":
		mode = syntax.File
	case "eval":
		mode = syntax.Eval
	default:
		vm.RaiseMsg(TypeValueError, "bad compile mode")
	}
	o := vm.Alloc(8)
	vm.Mem[o/4] = TypeRawCode
	raw := vm.Compile(src, vm.Str(name), mode, false, MemoryReader)
	vm.Mem[o/4+1] = vm.newFunction(raw, Null, Null)
	return Value(o)
}

func builtinExecfile(vm *VM, args []Value) Value {
	path := string(vm.StrArg(args[0]))
	if vm.hook.Files == nil {
		vm.RaiseOS(2)
	}
	text, errno := vm.hook.Files.ReadFile(path)
	if errno != 0 {
		vm.RaiseOS(errno)
	}
	globals, locals := vm.globals, vm.locals
	for i := 1; i < len(args); i++ {
		if args[i] != None {
			locals = args[i]
			if i == 1 {
				globals = locals
			}
		}
	}
	return vm.Exec(text, path, syntax.File, vm.fileReader(), globals, locals)
}

// builtinPrint is print(*args, sep=' ', end='\n', file=sys.stdout).
func builtinPrint(vm *VM, args, kw []Value) Value {
	fw := vm.fw
	sep, end, file := Null, Null, Null
	for i := 0; i < len(kw); i += 2 {
		switch q := kw[i].Qstr(); {
		case q == fw.printSep:
			sep = kw[i+1]
		case q == fw.printEnd:
			end = kw[i+1]
		case q == fw.printFile && vm.opt.StdFiles != NoStdFiles:
			file = kw[i+1]
		default:
			vm.extraKeyword()
		}
	}
	p := vm.Stdout()
	if file != Null && file != fw.sysStdout {
		p = vm.streamPrinter(file)
	}
	between, after := vm.textOr(sep, " "), vm.textOr(end, "\n") // neither needs to be printed to be refused
	for i, a := range args {
		if i > 0 {
			p.Bytes(between)
		}
		p.Value(a, PrintStr)
	}
	p.Bytes(after)
	return None
}

// textOr is textOf, or def where there is no argument.
func (vm *VM) textOr(v Value, def string) []byte {
	if v == Null {
		return unsafeBytes(def)
	}
	return vm.textOf(v)
}

// textOf returns the content of a str or bytes argument, or raises TypeError.
func (vm *VM) textOf(v Value) []byte {
	if !vm.IsStrOrBytes(v) {
		vm.badImplicit(v, QStrName)
	}
	return vm.StrBytes(v)
}

// extraKeyword raises what mp_arg_parse_all says of a keyword it does not know.
func (vm *VM) extraKeyword() {
	if vm.terse() {
		vm.argMismatch()
	}
	vm.RaiseMsg(TypeTypeError, "extra keyword arguments given")
}

// streamPrinter prints to an object with the stream protocol.
func (vm *VM) streamPrinter(file Value) *Printer {
	vm.StreamFor(file, false, true)
	return vm.NewPrinter(func(b []byte) { vm.StreamWrite(file, b, false) })
}

func (fw *Firmware) initBuiltins() {
	o := &fw.Options
	fw.printSep, fw.printEnd, fw.printFile, fw.dirName = fw.Q("sep"), fw.Q("end"), fw.Q("file"), fw.Q("__dir__")
	fw.Builtin("__name__", QBuiltins.Value())
	fw.Builtin("__build_class__", fw.FuncV("__build_class__", 2, -1, builtinBuildClass))
	fw.Builtin("__repl_print__", fw.Func1("__repl_print__", builtinReplPrint))
	fw.Builtin("callable", fw.Func1("callable", func(vm *VM, v Value) Value { return Bool(vm.IsCallable(v)) }))
	fw.Builtin("dir", fw.FuncV("dir", 0, 1, builtinDir))
	fw.Builtin("eval", fw.FuncV("eval", 1, 3, func(vm *VM, a []Value) Value { return vm.evalExec(a, syntax.Eval) }))
	fw.Builtin("exec", fw.FuncV("exec", 1, 3, func(vm *VM, a []Value) Value { return vm.evalExec(a, syntax.File) }))
	if o.Compile {
		fw.Builtin("compile", fw.FuncV("compile", 3, 6, builtinCompile))
	}
	if o.ExecFile {
		fw.Builtin("execfile", fw.FuncV("execfile", 1, 3, builtinExecfile))
	}
	fw.Builtin("getattr", fw.FuncV("getattr", 2, 3, builtinGetattr))
	fw.Builtin("setattr", fw.Func3("setattr", builtinSetattr))
	if o.CPythonCompat {
		fw.Builtin("delattr", fw.Func2("delattr", builtinDelattr))
	}
	fw.Builtin("globals", fw.Func0("globals", func(vm *VM) Value { return vm.globals }))
	fw.Builtin("locals", fw.Func0("locals", func(vm *VM) Value { return vm.locals }))
	fw.Builtin("hasattr", fw.Func2("hasattr", builtinHasattr))
	fw.Builtin("hash", fw.Func1("hash", func(vm *VM, v Value) Value { return vm.UnaryOp(UnaryHash, v) }))
	fw.Builtin("id", fw.Func1("id", builtinID))
	fw.Builtin("isinstance", fw.Func2("isinstance", builtinIsInstance))
	fw.Builtin("issubclass", fw.Func2("issubclass", builtinIsSubclass))
	fw.Builtin("print", fw.FuncKw("print", 0, builtinPrint))
	fw.Builtin("type", TypeType)
	fw.Builtin("object", TypeObject)
	fw.Builtin("super", TypeSuper)
	fw.Builtin("staticmethod", TypeStaticMethod)
	fw.Builtin("classmethod", TypeClassMethod)
	fw.Builtin("Ellipsis", Ellipsis)
	if o.NotImplementedConst {
		fw.Builtin("NotImplemented", NotImplemented)
	}
	if o.Property {
		fw.Builtin("property", TypeProperty)
	}
}
