package vm

import "io"

// This file is objects in static RAM: what C keeps outside the heap. They are
// made anew at every Reset and cost the heap nothing.

func (vm *VM) staticAlloc(n uint32) uint32 {
	p := vm.staticNext
	vm.staticNext += (n + 3) &^ 3
	if vm.staticNext > vm.static+staticBytes {
		panic("vm: static RAM is too small")
	}
	return p
}

// StaticTuple makes a tuple in static RAM.
func (vm *VM) StaticTuple(items ...Value) Value {
	p := vm.staticAlloc(8 + 4*uint32(len(items)))
	vm.Mem[p/4], vm.Mem[p/4+1] = TypeTuple, Value(len(items))
	copy(vm.Mem[p/4+2:], items)
	return Value(p)
}

// StaticAttrTuple makes a tuple with named fields in static RAM.
func (vm *VM) StaticAttrTuple(fields []Qstr, items ...Value) Value {
	n := uint32(len(items))
	names := vm.staticAlloc(4 * n)
	for i, q := range fields {
		vm.Mem[names/4+uint32(i)] = q.Value()
	}
	p := vm.staticAlloc(8 + 4*n + 4)
	vm.Mem[p/4], vm.Mem[p/4+1] = TypeAttrTuple, Value(n)
	copy(vm.Mem[p/4+2:], items)
	vm.Mem[p/4+2+n] = Value(names)
	return Value(p)
}

// StaticStr makes a str in static RAM whose text is in ROM.
func (vm *VM) StaticStr(s string) Value {
	p := vm.staticAlloc(16)
	vm.fillStr(p, vm.text(s), uint32(len(s)))
	return Value(p)
}

// StaticInt makes an int of up to 32 bits in static RAM.
func (vm *VM) StaticInt(i int) Value {
	if FitsSmallInt(int64(i)) {
		return SmallInt(i)
	}
	return vm.staticBigInt(i)
}

// CurrentException is the exception being handled (sys.exc_info), or Null.
func (vm *VM) CurrentException() Value { return vm.curExc }

// StreamPrinter prints to an object with the stream protocol.
func (vm *VM) StreamPrinter(file Value) *Printer { return vm.streamPrinter(file) }

// OptLevel and SetOptLevel are the level of optimisation of the compiler.
func (vm *VM) OptLevel() int { return vm.optLevel }

// SetOptLevel sets it.
func (vm *VM) SetOptLevel(n int) { vm.optLevel = n }

// SetEmergencyBuf replaces the buffer for exceptions raised without memory; 0
// gives it back.
func (vm *VM) SetEmergencyBuf(n int) {
	old := vm.emergencyBuf
	buf := uint32(0)
	if n > 0 {
		buf = vm.Alloc(uint32(n))
	} else {
		n = 0
	}
	vm.emergencyBuf, vm.emergencySize = buf, uint32(n)
	vm.Free(old)
}

// SetInterruptChar sets the character that interrupts a program (-1: none).
func (vm *VM) SetInterruptChar(c int) {
	if vm.hook.InterruptChar != nil {
		vm.hook.InterruptChar(c)
	}
}

// Schedule has f(arg) called at the next jump; it reports false if four calls
// are waiting already (MICROPY_SCHEDULER_DEPTH).
func (vm *VM) Schedule(f, arg Value) bool {
	if len(vm.sched) >= 4 {
		return false
	}
	vm.sched = append(vm.sched, scheduled{f, arg})
	vm.budget = 0
	return true
}

// DumpHeap prints the map of the heap, as mem_info(1) does.
func (vm *VM) DumpHeap(p *Printer) {
	vm.heap.Dump(printerWriter{p}, vm.heapLetter)
}

type printerWriter struct{ p *Printer }

func (w printerWriter) Write(b []byte) (int, error) {
	w.p.Bytes(b)
	return len(b), nil
}

var _ io.Writer = printerWriter{}

// heapLetter is the letter of a block in the map of the heap: by the type that
// its first word names.
func (vm *VM) heapLetter(addr uint32) byte {
	switch vm.Mem[addr/4] {
	case TypeTuple:
		return 'T'
	case TypeList:
		return 'L'
	case TypeDict:
		return 'D'
	case TypeStr, TypeBytes:
		return 'S'
	case TypeByteArray, TypeArray:
		return 'A'
	case TypeFloat:
		return 'F'
	case TypeFunBC:
		return 'B'
	case TypeModule:
		return 'M'
	}
	return 'h'
}
