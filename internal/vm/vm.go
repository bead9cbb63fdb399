// Package vm is the interpreter: the objects of MicroPython v1.11 as typed
// views over the device's memory, the built-in types, and the loop that runs
// bytecode.
//
// Every object of the language lives in the words of one memory.Heap, laid out
// as the device lays it out; what is built into the firmware (types, functions,
// modules) lies in Go tables and costs no memory. Pre-decoded code and inline
// caches are kept beside the memory, in Go.
//
// It is not a device: files, the serial port, the network and time reach it
// only through the hooks of Config and through the modules that other packages
// register.
package vm

import (
	"unsafe"

	"github.com/skep-sim/skep/internal/memory"
)

// Layout of the static RAM (what C would keep in .bss), as byte offsets into
// the region at the start of the stack region.
const (
	staticEmergencyExc  = 0x00  // 16 bytes: an exception for when the heap is full
	staticKbdExc        = 0x10  // 16 bytes: KeyboardInterrupt
	staticGeneratorExit = 0x20  // 16 bytes: what close() throws
	staticMainDict      = 0x30  // 16 bytes: the dict of __main__
	staticModulesDict   = 0x40  // 16 bytes: the dict sys.modules
	staticPathList      = 0x50  // 16 bytes: sys.path
	staticArgvList      = 0x60  // 16 bytes: sys.argv
	staticMainModule    = 0x70  // 8 bytes: module __main__
	staticScratch       = 0x80  // 32 words for calls made from Go
	staticFree          = 0x100 // what packages put there
	staticBytes         = 0x600
)

// Hooks are what a VM needs of the world around it. Nil functions are allowed
// where noted.
type Hooks struct {
	// Stdout takes what programs print. It must not keep b.
	Stdout func(b []byte)
	// StdoutRaw is Stdout for bytes that are to arrive as they are, where the
	// console makes CR LF of LF (nil: Stdout).
	StdoutRaw func(b []byte)
	// Stderr takes what programs write to sys.stderr (nil: Stdout).
	Stderr func(b []byte)
	// Stdin reads what has arrived from the console, at most len(b) bytes. With
	// wait it waits for at least one, or until the program is interrupted. end is
	// the end of input (nil: at once).
	Stdin func(b []byte, wait bool) (n int, end bool)
	// Warn takes a warning (may be nil).
	Warn func(msg string)
	// Poll is called now and then from the loop, at least every few thousand
	// instructions and whenever Interrupt was called (may be nil).
	Poll func()
	// InterruptChar sets the character that interrupts (may be nil).
	InterruptChar func(c int)
	// Note takes a remark for the person at the host (may be nil).
	Note func(text string)
	// Figure is told when a program has asked for a figure about memory, or had it
	// printed (may be nil).
	Figure func(Figure)
	// Exception is told of an exception whose traceback is printed (may be nil).
	Exception func(exc Value)
	// Files is where modules are imported from (may be nil).
	Files Files
}

// Figure is a kind of figure about memory.
type Figure uint8

// The kinds of figure.
const (
	HeapFigure   Figure = iota // what is used and what is free
	StackFigure                // how much of the C stack is in use
	BundleFigure               // what bundling reports
)

// Config is what a VM is made of.
type Config struct {
	Firmware *Firmware
	// HeapBytes is the raw region of the heap; 32768 gives a pool of 32000.
	HeapBytes uint32
	Hooks     Hooks
	// Plain runs each instruction of the bytecode by itself. It changes nothing
	// but the time that a program takes: tests compare the two.
	Plain bool
	// Debug, if not nil, is told of every line that the program comes to. It changes
	// nothing else.
	Debug *Debugger
}

// VM is one interpreter on its own memory. It belongs to one goroutine; only
// Interrupt may be called from others.
type VM struct {
	// Mem are the words of the device's memory, and Bytes the same as bytes.
	// An address is a byte offset.
	Mem   []Value
	Bytes []byte

	heap   *memory.Heap
	fw     *Firmware
	opt    *Options
	plain  bool // no fused instructions, see Config
	hook   Hooks
	debug  *Debugger
	forked bool // see Fork
	quiet  bool // print instances without their own methods, see Repr
	stdout Printer

	static     uint32 // address of the static RAM
	staticNext uint32
	stack      uint32 // next free byte of the stack region
	stackLo    uint32
	stackHi    uint32

	frame      *frame // the running frame
	base       frame  // below the first
	inSchedule bool
	everMember qstrSet // names that an instance was ever given
	globals    Value   // dict of the running code
	locals     Value
	cstack     int // bytes of C stack in use, as estimated
	cfloor     int // what C stack the host's main function had used already

	exc     Value // the exception that a Go panic is carrying
	raised  *raised
	curExc  Value // sys.exc_info
	pendExc Value
	budget  int // loop iterations until the next poll
	items   int // items that built-in code asks for until the host is let in
	steps   uint64
	// StepLimit, if not 0, ends the program with ErrSteps after about so many
	// polls of the loop.
	StepLimit uint64

	bufs     []*strBuf // see takeBuf
	temps    []uint32  // allocations that only Go code may know of yet
	ntemps   int
	scratch  []Value // arguments that Go code is passing
	nscratch int

	big      bigScratch
	qstrs    qstrTable
	texts    []string // ROM texts used so far
	textIdx  map[string]uint32
	codes    map[uint32]*Code
	codeMemo [256]*Code // those last used, by address
	dictGen  uint32     // changes when a watched dict changes
	typeGen  uint32     // changes when a class changes

	mpyImports                  int   // see MpyImports
	overrides                   Value // dict of overridden builtins, or Null
	roots                       []func(m *memory.Marker)
	natives                     []any // Go values behind native handles
	nativeFree                  []int
	sched                       []scheduled
	optLevel                    int
	replLast                    Value
	state                       map[string]any // package state, by package name
	emergencyBuf, emergencySize uint32
}

type scheduled struct{ fn, arg Value }

// New makes a VM with an empty heap and starts the language on it.
func New(cfg Config) *VM {
	o := &cfg.Firmware.Options
	h := memory.New(memory.Config{
		HeapBytes:  int(cfg.HeapBytes),
		StackBytes: int(staticBytes + stackRegion(o)),
		Finalisers: o.Finalisers,
	})
	vm := &VM{
		heap: h, fw: cfg.Firmware, opt: o, hook: cfg.Hooks, plain: cfg.Plain, debug: cfg.Debug,
		textIdx: make(map[string]uint32),
		codes:   make(map[uint32]*Code),
		temps:   make([]uint32, 64),
		scratch: make([]Value, 64),
		state:   make(map[string]any),
	}
	vm.mapArena()
	vm.raised = &raised{vm}
	vm.stdout = Printer{vm: vm, out: cfg.Hooks.Stdout}
	h.SetRoots(vm.markRoots)
	h.SetFinaliser(vm.finalise)
	h.SetSwept(vm.dropDeadCode)
	vm.Reset()
	return vm
}

// mapArena takes the heap's memory for the VM's.
func (vm *VM) mapArena() {
	w := vm.heap.Words()
	vm.Mem = unsafe.Slice((*Value)(unsafe.Pointer(unsafe.SliceData(w))), len(w))
	vm.Bytes = vm.heap.Bytes()
}

// stackRegion returns the bytes of stack region that frames may need: the
// hosted reference allows deep recursion.
func stackRegion(o *Options) uint32 {
	if o.NoAlloca {
		return 1024 + uint32(o.StackLimit/o.FrameCost+1)*leakedFrame
	}
	return uint32(o.StackLimit)
}

// Reset is what a soft reboot does to the interpreter: the heap is empty, no
// module is loaded, nothing is interned.
func (vm *VM) Reset() {
	vm.heap.Reset()
	vm.Mem[0] = TypeNone // what damaged bytecode takes for an object may be Null
	base, _ := vm.heap.Stack()
	vm.static, vm.staticNext = base, base+staticFree
	vm.stackLo = base + staticBytes
	vm.stack = vm.stackLo
	vm.stackHi = base + staticBytes + stackRegion(vm.opt)
	for i := base / 4; i < vm.stackHi/4; i++ {
		vm.Mem[i] = 0
	}
	vm.frame, vm.base.next = &vm.base, nil // frames that a fault left are not in order
	vm.everMember = nil
	vm.exc, vm.curExc, vm.pendExc, vm.replLast, vm.overrides = Null, Null, Null, Null, Null
	vm.mpyImports = 0
	vm.sched = nil
	vm.natives, vm.nativeFree = nil, nil
	vm.ntemps, vm.nscratch, vm.cstack, vm.optLevel = 0, 0, vm.cfloor, 0
	vm.budget = pollInterval
	vm.emergencyBuf, vm.emergencySize = 0, 0
	if n := uint32(vm.opt.StaticEmergency); n > 0 {
		vm.emergencyBuf, vm.emergencySize = vm.staticAlloc(n), n
	}
	clear(vm.codes)
	vm.codeMemo = [256]*Code{}
	vm.qstrs.reset(len(vm.fw.names))
	vm.dictGen++
	vm.typeGen++
	vm.initStatics()
	for _, f := range vm.fw.extra {
		f(vm)
	}
}

// initStatics sets up the static objects and those few that mp_init puts on the
// heap, in its order: the table of sys.modules (3 entries) and that of
// __main__ (1 entry).
func (vm *VM) initStatics() {
	vm.initStaticExc(staticKbdExc, TypeKeyboardInterrupt)
	vm.initStaticExc(staticGeneratorExit, TypeGeneratorExit)
	vm.initStaticExc(staticEmergencyExc, TypeMemoryError)
	vm.initDictAt(vm.static+staticModulesDict, 3)
	vm.initDictAt(vm.static+staticMainDict, 1)
	main := Value(vm.static + staticMainDict)
	vm.DictStore(main, QName.Value(), QMain.Value())
	vm.globals, vm.locals = main, main
	m := vm.static + staticMainModule
	vm.Mem[m/4], vm.Mem[m/4+1] = TypeModule, main
	vm.ntemps = 0
}

// InitSysLists makes the item arrays of sys.path and sys.argv, which the hosts
// of the language do right after starting it, and returns the two lists.
func (vm *VM) InitSysLists() (path, argv Value) {
	for _, at := range [...]uint32{staticPathList, staticArgvList} {
		p := vm.static + at
		items := vm.Alloc(16)
		vm.Mem[p/4], vm.Mem[p/4+1], vm.Mem[p/4+2], vm.Mem[p/4+3] = TypeList, 4, 0, Value(items)
	}
	vm.ntemps = 0
	return Value(vm.static + staticPathList), Value(vm.static + staticArgvList)
}

// SysPath and SysArgv return the lists that InitSysLists made.
func (vm *VM) SysPath() Value { return Value(vm.static + staticPathList) }

// SysArgv returns the list sys.argv.
func (vm *VM) SysArgv() Value { return Value(vm.static + staticArgvList) }

// SysModules returns the dict of loaded modules.
func (vm *VM) SysModules() Value { return Value(vm.static + staticModulesDict) }

// MainDict returns the dict of __main__.
func (vm *VM) MainDict() Value { return Value(vm.static + staticMainDict) }

// Heap returns the memory below.
func (vm *VM) Heap() *memory.Heap { return vm.heap }

// Firmware returns what the VM was made from.
func (vm *VM) Firmware() *Firmware { return vm.fw }

// Options returns the build options.
func (vm *VM) Options() *Options { return vm.opt }

// State returns the value that a package keeps with the VM under its name,
// making it with mk at first use. It survives Reset. In a fork there is only what
// is a Forker: asking for other state raises RuntimeError.
func (vm *VM) State(name string, mk func() any) any {
	s, ok := vm.state[name]
	if !ok {
		if vm.forked {
			vm.outOfReach(name)
		}
		s = mk()
		vm.state[name] = s
	}
	return s
}

// AddRoots makes f mark further roots in every collection.
func (vm *VM) AddRoots(f func(m *memory.Marker)) { vm.roots = append(vm.roots, f) }

// Alloc takes n bytes from the heap, all zero, or raises
// MemoryError. The block is kept until Go code returns to the loop.
func (vm *VM) Alloc(n uint32) uint32 {
	p := vm.heap.Alloc(n)
	if p == 0 && n != 0 {
		vm.memoryError(n)
	}
	vm.Keep(Value(p))
	return p
}

// TryAlloc is Alloc that returns 0 instead of raising.
func (vm *VM) TryAlloc(n uint32) uint32 {
	p := vm.heap.Alloc(n)
	if p != 0 {
		vm.Keep(Value(p))
	}
	return p
}

// AllocFinal is Alloc for an object whose finaliser must be run when it dies.
func (vm *VM) AllocFinal(n uint32) uint32 {
	p := vm.heap.AllocFinal(n)
	if p == 0 && n != 0 {
		vm.memoryError(n)
	}
	vm.Keep(Value(p))
	return p
}

// Realloc resizes a block (p may be 0), moving it if it must, or raises
// MemoryError; the old block is then unchanged. n == 0 frees it.
func (vm *VM) Realloc(p, n uint32) uint32 {
	q := vm.heap.Realloc(p, n, true)
	if q == 0 && n != 0 {
		vm.memoryError(n)
	}
	if q != p {
		vm.Keep(Value(q))
	}
	return q
}

// TryRealloc is Realloc that returns 0 instead of raising; move says whether
// the block may move.
func (vm *VM) TryRealloc(p, n uint32, move bool) uint32 {
	q := vm.heap.Realloc(p, n, move)
	if q != p && q != 0 {
		vm.Keep(Value(q))
	}
	return q
}

// Free gives a block back at once (p may be 0).
func (vm *VM) Free(p uint32) {
	if p != 0 {
		vm.heap.Free(p)
	}
}

// Keep protects v from the collector until the running Go code returns to the
// loop. Objects that Go code allocates are kept anyway; a value that was taken
// out of a container must be kept by hand if something is allocated while it is
// nowhere else.
func (vm *VM) Keep(v Value) {
	if vm.ntemps == len(vm.temps) {
		vm.temps = append(vm.temps, make([]uint32, len(vm.temps))...)
	}
	vm.temps[vm.ntemps] = uint32(v)
	vm.ntemps++
}

// Mark and Release bound how much Go code that loops keeps: Release(m, v...)
// forgets what was kept since m := Mark(), except v.
func (vm *VM) Mark() int { return vm.ntemps }

// Release forgets what was kept since Mark, except the values given.
func (vm *VM) Release(mark int, keep ...Value) {
	vm.ntemps = mark
	for _, v := range keep {
		vm.Keep(v)
	}
}

func (vm *VM) markRoots(m *memory.Marker) {
	m.Range(vm.static, (vm.stack-vm.static)/4)
	for _, t := range vm.temps[:vm.ntemps] {
		m.Word(t)
	}
	for _, v := range vm.scratch[:vm.nscratch] {
		m.Word(uint32(v))
	}
	for f := vm.frame; f != &vm.base; f = f.prev {
		m.Word(f.block)
		m.Word(f.aux)
		m.Word(uint32(f.fun))
		m.Word(uint32(f.saved))
		m.Word(uint32(f.caught))
	}
	for _, v := range [...]Value{vm.globals, vm.locals, vm.exc, vm.curExc, vm.pendExc, vm.overrides, vm.replLast} {
		m.Word(uint32(v))
	}
	for _, s := range vm.sched {
		m.Word(uint32(s.fn))
		m.Word(uint32(s.arg))
	}
	m.Word(vm.emergencyBuf)
	m.Word(vm.qstrs.pool)
	m.Word(vm.qstrs.chunk)
	for _, f := range vm.roots {
		f(m)
	}
}

// Collect runs the collector and drops what the caches know of dead blocks.
func (vm *VM) Collect() int {
	return vm.heap.Collect()
}

// finalise is called by the collector for a dead block that asked for it.
func (vm *VM) finalise(addr uint32) {
	typ := vm.Mem[addr/4]
	if typ >= romBase {
		if t := vm.fw.rom[(typ-romBase)/4].t; t != nil && t.Stream != nil && t.Stream.Close != nil {
			t.Stream.Close(vm, Value(addr))
		}
	}
}
