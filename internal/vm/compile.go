package vm

import (
	"errors"
	"math/big"
	"strings"

	"github.com/skep-sim/skep/internal/compiler"
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// This file is the compiler on the device: it works on the device's heap.

// noMemory is the error of an allocation that failed inside the compiler.
type noMemory uint32

func (n noMemory) Error() string { return "no memory" }

// pyError carries an exception that was raised under the compiler.
type pyError struct{ exc Value }

func (pyError) Error() string { return "exception" }

// heapBudget charges the compiler's structures to the VM's heap.
type heapBudget struct{ vm *VM }

func (b heapBudget) Alloc(n int) (syntax.Ref, error) {
	p := b.vm.TryAlloc(uint32(n))
	if p == 0 && n != 0 {
		return 0, noMemory(n)
	}
	return syntax.Ref(p), nil
}

func (b heapBudget) Resize(r syntax.Ref, n int) (syntax.Ref, error) {
	p := b.vm.TryRealloc(uint32(r), uint32(n), true)
	if p == 0 && n != 0 {
		return 0, noMemory(n)
	}
	return syntax.Ref(p), nil
}

func (b heapBudget) ResizeInPlace(r syntax.Ref, n int) bool {
	return b.vm.TryRealloc(uint32(r), uint32(n), false) != 0
}

func (b heapBudget) Free(r syntax.Ref) {
	if b.vm.opt.MemStats {
		b.vm.heap.MostUsed() // compiling takes more than most programs
	}
	b.vm.Free(uint32(r))
}

func (b heapBudget) Object(c *syntax.Const) (ref syntax.Ref, err error) {
	exc := b.vm.Try(func() { ref = syntax.Ref(b.vm.constObject(c)) })
	if exc != Null {
		return 0, pyError{exc}
	}
	return ref, nil
}

// constObject makes the object of a literal.
func (vm *VM) constObject(c *syntax.Const) Value {
	switch c.Kind {
	case syntax.ConstStr:
		return vm.newStrCopy(TypeStr, []byte(c.Text))
	case syntax.ConstBytes:
		return vm.NewBytes([]byte(c.Text))
	case syntax.ConstInt:
		vm.fillBigInt(uint32(c.Ref), uint32(c.DigitsRef), c.Int)
		return Value(c.Ref)
	case syntax.ConstEllipsis:
		return Ellipsis
	}
	return vm.ParseFloat([]byte(c.Text))
}

// heapNames is the VM's table of qstrs as the compiler sees it.
type heapNames struct{ vm *VM }

func (n heapNames) Intern(s string) (err error) {
	exc := n.vm.Try(func() { n.vm.Intern(s) })
	if exc != Null {
		return pyError{exc}
	}
	return nil
}

func (n heapNames) Interned(s string) bool { return n.vm.FindQstr(unsafeBytes(s)) != 0 }

// compilerOptions are those of the firmware's own compiler.
func (vm *VM) compilerOptions(mode syntax.Mode, repl bool, readerBytes int) compiler.Options {
	o := vm.opt
	features := o.Compiler
	features.NoCPythonCompat = !o.CPythonCompat
	opts := compiler.Options{
		Version: o.MpyVersion, OptLevel: vm.optLevel, Mode: mode, IsREPL: repl, SmallIntBits: 31,
		NoComplex: !o.Complex, Features: features, Budget: heapBudget{vm}, Names: heapNames{vm},
		ReaderBytes: readerBytes, RawCodeBytes: int(o.rawCodeBytes()), NoAlloca: o.NoAlloca,
	}
	switch o.Errors {
	case ErrorsTerse:
		opts.Detail = syntax.DetailTerse
	case ErrorsDetailed:
		opts.Detail = syntax.DetailFull
	}
	return opts
}

// Sizes of the readers that source text comes through.
const (
	MemoryReader = 16
	FileReader   = 32
)

// Compile compiles source text on the device's heap and returns the address of
// the raw code; it raises SyntaxError, MemoryError ... The name becomes a qstr
// first.
func (vm *VM) Compile(src []byte, name string, mode syntax.Mode, repl bool, readerBytes int) uint32 {
	return vm.compile(src, name, vm.compilerOptions(mode, repl, readerBytes))
}

func (vm *VM) compile(src []byte, name string, opts compiler.Options) uint32 {
	mark := vm.Mark()
	vm.Intern(name)
	refused := vm.refusal(&opts)
	m, err := compiler.Compile(src, name, opts)
	if err != nil {
		vm.raiseCompile(err, *refused)
	}
	return vm.loadOnly(mark, m)
}

// refusal makes the exception of a mistake that the compiler finds when it finds
// it: what the compiler has on the heap then lies below it.
func (vm *VM) refusal(opts *compiler.Options) *Value {
	exc := new(Value)
	opts.Failed = func(se *syntax.Error) {
		*exc = vm.syntaxException(se)
		vm.Keep(*exc)
	}
	opts.Located = func(ce *compiler.Error) {
		if *exc != Null {
			vm.locate(*exc, ce.Err, ce.Block)
		}
	}
	return exc
}

// loadOnly is Load that forgets all else that was kept since mark: most of what
// the compiler took is free again, and would pin what comes there.
func (vm *VM) loadOnly(mark int, m *mpy.Module) uint32 {
	raw := vm.Load(m)
	vm.Release(mark, Value(raw))
	return raw
}

// CompileFile is Compile of a file, telling when the text has been parsed.
func (vm *VM) CompileFile(src []byte, name string, mode syntax.Mode, parsed func()) uint32 {
	mark := vm.Mark()
	vm.Intern(name)
	opts := vm.compilerOptions(mode, false, vm.fileReader())
	tree, err := syntax.Parse(src, name, mode, opts.ParseOptions())
	if err != nil {
		vm.raiseCompile(err, Null)
	}
	parsed()
	refused := vm.refusal(&opts)
	m, err := compiler.CompileTree(tree, opts)
	if err != nil {
		vm.raiseCompile(err, *refused)
	}
	return vm.loadOnly(mark, m)
}

// raiseCompile raises what the compiler refused a text with; exc is the exception,
// if it has been made already.
func (vm *VM) raiseCompile(err error, exc Value) {
	var none noMemory
	if errors.As(err, &none) {
		vm.memoryError(uint32(none))
	}
	var py pyError
	if errors.As(err, &py) {
		vm.Raise(py.exc)
	}
	if exc != Null {
		vm.Raise(exc)
	}
	var se *syntax.Error
	if !errors.As(err, &se) {
		panic("vm: compiler: " + err.Error())
	}
	exc = vm.syntaxException(se)
	var ce *compiler.Error
	if errors.As(err, &ce) {
		vm.locate(exc, se, ce.Block)
	} else if se.Line != 0 {
		vm.locate(exc, se, "")
	}
	vm.Raise(exc)
}

// syntaxException makes the exception of a mistake in a text.
func (vm *VM) syntaxException(se *syntax.Error) Value {
	typ := map[syntax.ErrorKind]Value{
		syntax.SyntaxError: TypeSyntaxError, syntax.IndentationError: TypeIndentationError,
		syntax.NotImplementedError: TypeNotImplementedError, syntax.OverflowError: TypeOverflowError,
	}[se.Kind]
	if se.Quoted != "" {
		s := vm.NewVstr(syntax.QuoteBuffer)
		p := s.Printer()
		p.String(strings.TrimSuffix(se.Msg, se.Quoted))
		for i := range len(se.Quoted) {
			p.String(se.Quoted[i : i+1])
		}
		return vm.NewException(typ, s.Object(TypeStr))
	}
	if se.Format != "" {
		return vm.newExceptionSized(typ, se.Format, se.Msg)
	}
	return vm.NewExceptionMsg(typ, se.Msg)
}

// locate adds the place of a mistake to its exception; block "" is none.
func (vm *VM) locate(exc Value, se *syntax.Error, block string) {
	var q Qstr
	if block != "" {
		q = vm.Intern(block)
	}
	vm.addTraceback(exc, vm.Intern(se.Name), int(se.Line), q)
}

// newExceptionSized makes an exception whose text is given but costs what
// formatting it with format does.
func (vm *VM) newExceptionSized(typ Value, format, msg string) Value {
	o := vm.TryAlloc(16)
	alloc := uint32(len(format)) + 1
	buf := vm.TryAlloc(alloc)
	if o == 0 {
		return vm.NewException(typ)
	}
	if buf == 0 {
		vm.fillStr(o, vm.text(format), alloc-1)
	} else {
		p := excPrinter{vm, buf, 0, alloc, true}
		p.write(unsafeBytes(msg))
		vm.Bytes[p.buf+p.len] = 0
		vm.fillStr(o, p.buf, p.len)
	}
	return vm.NewException(typ, Value(o))
}

// fillBigInt writes a number into the blocks of an int object and its digits.
func (vm *VM) fillBigInt(obj, digits uint32, i *big.Int) { vm.storeBigInt(obj, digits, i) }

// Exec compiles and runs source text in the given namespaces.
func (vm *VM) Exec(src []byte, name string, mode syntax.Mode, readerBytes int, globals, locals Value) Value {
	return vm.exec(src, name, vm.compilerOptions(mode, false, readerBytes), globals, locals)
}

// ExecFile compiles and runs the text of a file as a module with these globals,
// which get __file__ once the file is open.
func (vm *VM) ExecFile(src []byte, name string, globals Value) {
	vm.ExecSource(src, name, vm.fileReader(), globals)
}

// fileReader is the size of what reads a file while it is compiled.
func (vm *VM) fileReader() int {
	if n := vm.opt.ReaderBytes; n != 0 {
		return n
	}
	return FileReader
}

// ExecSource is ExecFile with a reader of another size than a file's.
func (vm *VM) ExecSource(src []byte, name string, readerBytes int, globals Value) {
	opts := vm.compilerOptions(syntax.File, false, readerBytes)
	if vm.opt.FileAttr {
		opts.Opened = func() error {
			exc := vm.Try(func() { vm.DictStore(globals, QFile.Value(), vm.Intern(name).Value()) })
			if exc != Null {
				return pyError{exc}
			}
			return nil
		}
	}
	vm.exec(src, name, opts, globals, globals)
}

func (vm *VM) exec(src []byte, name string, opts compiler.Options, globals, locals Value) Value {
	oldGlobals, oldLocals := vm.globals, vm.locals
	vm.globals, vm.locals = globals, locals
	var v Value
	exc := vm.Try(func() {
		mark := vm.Mark()
		v = vm.runTop(mark, vm.compile(src, name, opts))
	})
	vm.globals, vm.locals = oldGlobals, oldLocals
	if exc != Null {
		vm.Raise(exc)
	}
	return v
}

// runTop runs the code of a module; what was kept since mark, the raw code too,
// is left to the collector.
func (vm *VM) runTop(mark int, raw uint32) Value {
	f := vm.newFunction(raw, Null, Null)
	vm.Release(mark, f)
	return vm.Call(f, nil, nil)
}
