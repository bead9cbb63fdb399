package vm

import (
	"github.com/skep-sim/skep/internal/compiler"
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// This file is what the modules of other packages need of the interpreter.

// CheckPending does what the loop does now and then: it polls the host, raises
// a pending exception and runs what was scheduled. Built-in functions that wait
// call it.
func (vm *VM) CheckPending() { vm.poll() }

// CheckPendingAt is CheckPending right before the code of a module runs: an exception
// comes from where that begins.
func (vm *VM) CheckPendingAt(raw uint32) {
	exc := vm.Try(vm.poll)
	if exc == Null {
		return
	}
	vm.Keep(exc)
	vm.traceHere(vm.decode(uint32(vm.Mem[raw/4+1]), uint32(vm.Mem[raw/4+2])), exc, -1)
	vm.Raise(exc)
}

// WithStack runs f as a built-in function that takes n bytes of C stack, or
// raises RuntimeError at the stack limit.
func (vm *VM) WithStack(n int, f func()) {
	if vm.cstack+n > vm.opt.StackLimit {
		vm.raiseRecursion()
	}
	vm.cstack += n
	f()
	vm.cstack -= n
}

// TellFigure tells the host that the program gets to see a figure about memory.
func (vm *VM) TellFigure(f Figure) {
	if vm.hook.Figure != nil {
		vm.hook.Figure(f)
	}
}

// HasLastResult tells whether the prompt has stored a result in _ of builtins.
func (vm *VM) HasLastResult() bool { return vm.overrides != Null }

// MpyImports is how many modules were imported from .mpy files since the start.
func (vm *VM) MpyImports() int { return vm.mpyImports }

// CompileModule is Compile of a file for those who keep the code instead of
// running it: all that the compiler allocates is left to the collector.
func (vm *VM) CompileModule(src []byte, name string) *mpy.Module {
	vm.Intern(name)
	opts := vm.compilerOptions(syntax.File, false, vm.fileReader())
	refused := vm.refusal(&opts)
	m, err := compiler.Compile(src, name, opts)
	if err != nil {
		vm.raiseCompile(err, *refused)
	}
	return m
}

// LoadWithoutCode allocates what loading a module leaves on the heap but for
// its bytecode: const tables, constant objects and raw code, in the loader's
// order; names are interned. It is for those who put the bytecode elsewhere.
// Each str and bytes object is made noteBytes longer, for a note of theirs.
func (vm *VM) LoadWithoutCode(m *mpy.Module, noteBytes uint32) uint32 {
	l := loader{vm: vm, mod: m, ids: make([]Qstr, len(m.Names))}
	return l.readWithoutCode(m.Root, noteBytes)
}

func (l *loader) readWithoutCode(rc *mpy.RawCode, noteBytes uint32) uint32 {
	vm := l.vm
	split := len(rc.NameReads) - len(rc.ArgNames)
	for _, n := range rc.NameReads[:split] {
		l.readName(n)
	}
	table := uint32(0)
	if n := len(rc.ArgNames) + len(rc.Objs) + len(rc.Children); n > 0 {
		table = vm.Alloc(4 * uint32(n))
	}
	at := table / 4
	for i, name := range rc.NameReads[split:] {
		l.readName(name)
		vm.Mem[at] = l.ids[rc.ArgNames[i]].Value()
		at++
	}
	for i := range rc.Objs {
		v := vm.constant(&rc.Objs[i])
		if v.inRAM() && (vm.Mem[v/4] == TypeStr || vm.Mem[v/4] == TypeBytes) {
			v = Value(vm.Realloc(uint32(v), 16+noteBytes))
		}
		vm.Mem[at] = v
		at++
	}
	for _, c := range rc.Children {
		vm.Mem[at] = Value(l.readWithoutCode(c, noteBytes))
		at++
	}
	raw := vm.Alloc(vm.opt.rawCodeBytes())
	vm.fillRaw(raw, rc, 0, table)
	return raw
}

// Import imports a module as the statement does and returns it, or, for a dotted
// name, the package that it begins with. It is for those who load modules without
// a program.
func (vm *VM) Import(name string) Value {
	return builtinImport(vm, []Value{vm.Intern(name).Value()})
}

// LoadedModules returns the names in sys.modules, in the table's order.
func (vm *VM) LoadedModules() (names []string) {
	for pos := 0; ; {
		k, _, ok := vm.DictNext(vm.SysModules(), &pos)
		if !ok {
			return names
		}
		if vm.IsStr(k) {
			names = append(names, vm.Str(k))
		}
	}
}

// IsROM reports whether v is an object of the firmware's.
func IsROM(v Value) bool { return v&3 == 0 && v >= romBase }
