package vm

import (
	"fmt"
	"slices"
)

// Audited counts what Audit found.
type Audited struct {
	Objects int // reached, in the pool
	Storage int // blocks that belong to an object: items, tables, digits, code
	Loose   int // allocations that only a word keeps which means something else, or nothing any more
}

// Audit checks the heap between two programs: it follows every object from the
// static ones on, by the layout of its type. It returns an error for a pointer that
// leads to no allocation, for storage that is too small for what its owner says is
// in it or has two owners, for a table whose entries are not as many as it says,
// and for tables of the heap that contradict themselves. It is for tests; the
// collector must have run, and nothing have been allocated since.
func (vm *VM) Audit() (Audited, error) {
	if err := vm.heap.Check(); err != nil {
		return Audited{}, err
	}
	a := &auditor{vm: vm, owner: map[uint32]uint32{}, shared: map[uint32]bool{}, seen: map[Value]bool{}}
	vm.heap.Each(func(addr, size uint32, _ bool) bool {
		a.heads = append(a.heads, addr)
		return true
	})
	a.roots()
	for len(a.todo) > 0 && a.err == nil {
		v := a.todo[len(a.todo)-1]
		a.todo = a.todo[:len(a.todo)-1]
		a.object(v)
	}
	for addr := range vm.codes {
		if !vm.alive(addr) {
			a.fail(Value(addr), "is decoded bytecode, but free")
		}
	}
	r := Audited{Objects: a.objects, Storage: len(a.owner) + len(a.shared) - a.objects}
	if a.err == nil {
		r.Loose = a.loose()
	}
	return r, a.err
}

// loose counts the allocations that the walk has not reached. Each must be named by a
// word of one that is reachable, since the collector takes all words for addresses.
func (a *auditor) loose() (n int) {
	vm := a.vm
	reached := map[uint32]bool{}
	var todo []uint32
	scan := func(from, words uint32) {
		for _, w := range vm.Mem[from/4 : from/4+words] {
			if addr := uint32(w); a.inPool(addr) && vm.heap.Live(addr) && !reached[addr] {
				reached[addr] = true
				todo = append(todo, addr)
			}
		}
	}
	for _, h := range a.heads {
		if _, owned := a.owner[h]; owned || a.shared[h] {
			reached[h] = true
			todo = append(todo, h)
		}
	}
	known := len(todo)
	scan(vm.static, (vm.stack-vm.static)/4)
	for i := 0; i < len(todo); i++ {
		scan(todo[i], vm.heap.Size(todo[i])/4)
	}
	if len(vm.roots) == 0 { // else others may keep some
		for _, h := range a.heads {
			if !reached[h] {
				a.fail(Value(h), "is allocated, and nothing leads to it")
				break
			}
		}
	}
	return len(todo) - known
}

// auditor is one walk through the objects.
type auditor struct {
	vm      *VM
	heads   []uint32          // of all allocations, in order
	owner   map[uint32]uint32 // of an allocation; an object is its own
	shared  map[uint32]bool   // allocations that several may point to: code, text
	seen    map[Value]bool
	todo    []Value
	objects int
	err     error
}

func (a *auditor) fail(v Value, format string, args ...any) {
	if a.err == nil {
		a.err = fmt.Errorf("%s at %#x %s", a.describe(v), uint32(v), fmt.Sprintf(format, args...))
	}
}

// describe names the type of an object as far as it can be told.
func (a *auditor) describe(v Value) string {
	if !v.inRAM() || int(v/4) >= len(a.vm.Mem) {
		return "what"
	}
	t := a.vm.Mem[v/4]
	switch {
	case t >= romBase && t&3 == 0 && int((t-romBase)/4) < len(a.vm.fw.rom) && a.vm.fw.rom[(t-romBase)/4].t != nil:
		return "a " + a.vm.fw.names[a.vm.fw.rom[(t-romBase)/4].t.Name]
	case t.inRAM() && a.vm.heap.Live(uint32(t)):
		return "an instance"
	}
	return "what"
}

// roots are what a program can reach without the stack.
func (a *auditor) roots() {
	vm := a.vm
	for _, off := range [...]uint32{staticEmergencyExc, staticKbdExc, staticGeneratorExit, staticMainDict, staticModulesDict, staticMainModule} {
		a.value(Null, Value(vm.static+off))
	}
	for _, off := range [...]uint32{staticPathList, staticArgvList} {
		if vm.Mem[(vm.static+off)/4] == TypeList {
			a.value(Null, Value(vm.static+off))
		}
	}
	for _, v := range [...]Value{vm.globals, vm.locals, vm.curExc, vm.pendExc, vm.overrides, vm.replLast} {
		a.value(Null, v)
	}
	for _, s := range vm.sched {
		a.value(Null, s.fn)
		a.value(Null, s.arg)
	}
	t := &vm.qstrs
	for p := t.pool; p != 0 && a.err == nil; p = uint32(vm.Mem[p/4]) {
		a.own(Null, p, 16+4*uint32(vm.Mem[p/4+2]), "a pool of names")
		if vm.Mem[p/4+3] > vm.Mem[p/4+2] {
			a.fail(Value(p), "is a pool with %d names in %d places", vm.Mem[p/4+3], vm.Mem[p/4+2])
			return
		}
		for i := range uint32(vm.Mem[p/4+3]) {
			a.data(Null, uint32(vm.Mem[p/4+4+i]), uint32(vm.opt.HashBytes)+2)
		}
	}
	if t.chunk != 0 {
		a.data(Null, t.chunk, t.chunkUsed)
	}
	if vm.emergencyBuf != 0 {
		a.data(Null, vm.emergencyBuf, vm.emergencySize)
	}
}

// inPool reports whether an address lies among the blocks.
func (a *auditor) inPool(addr uint32) bool {
	start, end := a.vm.heap.Pool()
	return addr >= start && addr < end
}

// holder returns the allocation that an address lies in, 0 if it lies in none.
func (a *auditor) holder(addr uint32) uint32 {
	i, found := slices.BinarySearch(a.heads, addr)
	if found {
		return addr
	}
	if i == 0 || addr >= a.heads[i-1]+a.vm.heap.Size(a.heads[i-1]) {
		return 0
	}
	return a.heads[i-1]
}

// value follows a word of an object that is a value.
func (a *auditor) value(from, v Value) {
	if !v.inRAM() || v == Null || a.seen[v] || a.err != nil {
		return
	}
	a.seen[v] = true
	addr := uint32(v)
	switch {
	case a.inPool(addr):
		if !a.vm.heap.Live(addr) {
			if h := a.holder(addr); h != 0 && a.shared[h] {
				return // a part of a buffer for emergencies
			}
			a.fail(from, "points to %#x, where no object begins", addr)
			return
		}
		if old, taken := a.owner[addr]; taken && old != addr {
			a.fail(v, "is also the storage of %s at %#x", a.describe(Value(old)), old)
			return
		}
		a.owner[addr] = addr
		a.objects++
	case addr < a.vm.static || a.vm.beyondRAM(addr):
		return // bundle flash; nothing there changes
	}
	a.todo = append(a.todo, v)
}

// maybe follows a word that may be anything.
func (a *auditor) maybe(from, v Value) {
	if v == Null || !v.inRAM() || !a.inPool(uint32(v)) || !a.vm.heap.Live(uint32(v)) {
		return
	}
	t := a.vm.Mem[v/4]
	isType := t >= romBase && t&3 == 0 && int((t-romBase)/4) < len(a.vm.fw.rom) && a.vm.fw.rom[(t-romBase)/4].t != nil
	isClass := t.inRAM() && t != Null && a.vm.heap.Live(uint32(t)) && a.vm.Mem[t/4] == TypeType
	if _, taken := a.owner[uint32(v)]; !taken && (isType || isClass) {
		a.value(from, v)
	} else {
		a.sharedBlock(uint32(v))
	}
}

// own claims the allocation at addr, of at least n bytes, for an object.
func (a *auditor) own(o Value, addr, n uint32, what string) {
	switch {
	case a.err != nil || addr == 0 && n == 0:
		return
	case addr == 0:
		a.fail(o, "has %d bytes in %s that does not exist", n, what)
		return
	case !a.inPool(addr):
		return // static RAM, or flash
	case !a.vm.heap.Live(addr):
		a.fail(o, "has %s at %#x, where no allocation begins", what, addr)
		return
	case a.vm.heap.Size(addr) < n:
		a.fail(o, "has %d bytes in %s of %d", n, what, a.vm.heap.Size(addr))
		return
	}
	if old, taken := a.owner[addr]; taken {
		a.fail(o, "has %s at %#x, which belongs to %s at %#x", what, addr, a.describe(Value(old)), old)
		return
	}
	a.owner[addr] = uint32(o)
}

// share notes an allocation that others may point to as well.
func (a *auditor) share(o Value, addr uint32, what string) {
	if a.err != nil || !a.inPool(addr) {
		return
	}
	if !a.vm.heap.Live(addr) {
		a.fail(o, "has %s at %#x, where no allocation begins", what, addr)
		return
	}
	a.sharedBlock(addr)
}

// data notes n bytes that lie somewhere in an allocation.
func (a *auditor) data(o Value, addr, n uint32) {
	if a.err != nil || !a.inPool(addr) {
		return
	}
	h := a.holder(addr)
	if h == 0 && n == 0 {
		return
	}
	if h == 0 || addr+n > h+a.vm.heap.Size(h) {
		a.fail(o, "has %d bytes at %#x, which are not allocated", n, addr)
		return
	}
	a.sharedBlock(h)
}

// sharedBlock notes that an allocation is somebody's, if that is not known yet.
func (a *auditor) sharedBlock(h uint32) {
	if _, taken := a.owner[h]; !taken {
		a.shared[h] = true
	}
}
