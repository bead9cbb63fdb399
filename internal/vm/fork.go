package vm

import (
	"github.com/skep-sim/skep/internal/compiler"
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
	"maps"
	"slices"
)

// This file copies a VM: its memory is one array, so a copy of it is the program
// at this moment, with every object at its address.

// Fork makes a VM whose program is where this one's is, on memory of its own, so
// that whatever is done with it cannot be noticed here. It is for looking: it has no
// debugger, prints to stdout, and what lies outside of the memory (files, sockets,
// pins, the clock) is not in it; a program that reaches for those gets a
// RuntimeError. poll is called now and then from its loop.
//
// What was running goes on in neither: the frames are there to be read.
func (vm *VM) Fork(stdout func(b []byte), poll func()) *VM {
	f := new(VM)
	f.heap = vm.heap.Clone()
	f.fw, f.opt, f.plain = vm.fw, vm.opt, vm.plain
	f.hook = Hooks{Stdout: stdout, Poll: poll}
	f.stdout = Printer{vm: f, out: stdout}
	f.forked = true
	f.mapArena()
	f.raised = &raised{f}

	f.static, f.staticNext, f.stack, f.stackLo, f.stackHi = vm.static, vm.staticNext, vm.stack, vm.stackLo, vm.stackHi
	f.frame = &f.base
	f.copyFrames(vm)
	f.inSchedule = true // nothing that was scheduled runs
	f.everMember = slices.Clone(vm.everMember)
	f.globals, f.locals = vm.globals, vm.locals
	f.cstack, f.cfloor = vm.cstack, vm.cfloor
	f.exc, f.curExc = vm.exc, vm.curExc
	f.budget, f.items = pollInterval, pollInterval

	f.temps, f.ntemps = slices.Clone(vm.temps), vm.ntemps
	f.scratch, f.nscratch = slices.Clone(vm.scratch), vm.nscratch
	f.qstrs = vm.qstrs.clone()
	f.texts, f.textIdx = slices.Clone(vm.texts), maps.Clone(vm.textIdx)
	f.codes = make(map[uint32]*Code)
	f.dictGen, f.typeGen = vm.dictGen+1, vm.typeGen+1
	f.mpyImports, f.overrides, f.optLevel, f.replLast = vm.mpyImports, vm.overrides, vm.optLevel, vm.replLast
	f.roots = slices.Clone(vm.roots)
	f.emergencyBuf, f.emergencySize = vm.emergencyBuf, vm.emergencySize
	f.state = make(map[string]any)
	for name, s := range vm.state {
		if s, ok := s.(Forker); ok {
			f.state[name] = s.Fork()
		}
	}

	f.heap.SetRoots(f.markRoots)
	f.heap.SetFinaliser(func(uint32) {})
	f.heap.SetSwept(f.dropDeadCode)
	return f
}

// Forker is package state that goes along into a fork. Other state stays behind.
type Forker interface{ Fork() any }

// copyFrames makes copies of the frames of another VM.
func (vm *VM) copyFrames(of *VM) {
	var list []*frame
	for f := of.frame; f != &of.base; f = f.prev {
		list = append(list, f)
	}
	for _, f := range slices.Backward(list) {
		c := *f
		c.prev, c.next = vm.frame, nil
		vm.frame.next = &c
		vm.frame = &c
	}
}

func (t *qstrTable) clone() qstrTable {
	c := *t
	c.names, c.used = maps.Clone(t.names), maps.Clone(t.used)
	c.data, c.made = slices.Clone(t.data), slices.Clone(t.made)
	return c
}

// outOfReach raises what a program in a fork gets for reaching outside.
func (vm *VM) outOfReach(what string) {
	vm.Raisef(TypeRuntimeError, "a look into the program cannot use %s: it is outside of its memory", what)
}

// Look compiles and runs a text in a fork, with names from these dicts, and returns
// its value or, as an exception, what it raised. What the compiler needs for itself
// does not come out of the fork's heap.
func (vm *VM) Look(src []byte, mode syntax.Mode, globals, locals Value) (v, exc Value) {
	oldGlobals, oldLocals := vm.globals, vm.locals
	v = None
	exc = vm.Try(func() {
		vm.globals, vm.locals = globals, locals
		opts := vm.compilerOptions(mode, false, 0)
		opts.Budget, opts.OptLevel = nil, 0
		refused := vm.refusal(&opts)
		m, err := compiler.Compile(src, "<debugger>", opts)
		if err != nil {
			vm.raiseCompile(err, *refused)
		}
		// A file says where names are spelled, which the loader follows.
		file, err := mpy.Write(m)
		if err != nil {
			vm.RaiseMsg(TypeSyntaxError, "too large")
		}
		v = vm.runTop(vm.Mark(), vm.Load(vm.ReadMpy("<debugger>", file)))
	})
	vm.globals, vm.locals = oldGlobals, oldLocals
	return v, exc
}
