package vm

// This file raises exceptions. An exception that Go code raises travels as a Go
// panic with a *raised until the loop, or Try, catches it; any other panic is a
// bug of this program and is never swallowed.

// raised is the value of a Go panic that carries the exception in VM.exc.
type raised struct{ vm *VM }

// Raise raises an exception instance. It does not return.
func (vm *VM) Raise(exc Value) {
	vm.exc = exc
	panic(vm.raised)
}

// RaiseMsg raises an exception with a fixed text, which lies in ROM.
func (vm *VM) RaiseMsg(typ Value, msg string) { vm.Raise(vm.NewExceptionMsg(typ, msg)) }

// Raisef raises an exception with a formatted text; format is as for
// Printer.Printf and must be the text as the C source spells it, since its
// length decides the first size of the buffer.
func (vm *VM) Raisef(typ Value, format string, args ...any) {
	vm.Raise(vm.NewExceptionf(typ, format, args...))
}

// RaiseArg raises an exception with one argument.
func (vm *VM) RaiseArg(typ, arg Value) { vm.Raise(vm.NewException(typ, arg)) }

// RaiseOS raises OSError with an errno number, to which the firmware's offset
// is added.
func (vm *VM) RaiseOS(e Errno) {
	vm.RaiseArg(TypeOSError, SmallInt(int(e)+vm.opt.ErrnoOffset))
}

// raiseBy picks the text by the build's level of error reporting.
func (vm *VM) terse() bool    { return vm.opt.Errors == ErrorsTerse }
func (vm *VM) detailed() bool { return vm.opt.Errors == ErrorsDetailed }

// memoryError is m_malloc_fail.
func (vm *VM) memoryError(n uint32) {
	if vm.heap.Locked() {
		vm.RaiseMsg(TypeMemoryError, "memory allocation failed, heap is locked")
	}
	vm.Raisef(TypeMemoryError, "memory allocation failed, allocating %u bytes", n)
}

// RaiseNoMemory raises the MemoryError of an allocation of n bytes.
func (vm *VM) RaiseNoMemory(n int) { vm.memoryError(uint32(n)) }

// Try runs f and returns the exception that it raised, or Null.
func (vm *VM) Try(f func()) (exc Value) {
	frame, globals, cstack, stack, scratch := vm.frame, vm.globals, vm.cstack, vm.stack, vm.nscratch
	defer func() {
		if r := recover(); r != nil {
			if r != any(vm.raised) {
				panic(r)
			}
			vm.frame, vm.globals, vm.cstack, vm.stack, vm.nscratch = frame, globals, cstack, stack, scratch
			exc = vm.exc
			vm.exc = Null
			vm.Keep(exc)
		}
	}()
	f()
	return Null
}

// enterNative accounts for one nested call inside built-in code, raises
// RuntimeError at the stack limit, and returns the depth to restore afterwards.
func (vm *VM) enterNative() int {
	old := vm.cstack
	vm.cstack += vm.opt.NativeCost
	if vm.cstack > vm.opt.StackLimit {
		vm.cstack = old
		vm.raiseRecursion()
	}
	return old
}

func (vm *VM) raiseRecursion() {
	vm.RaiseArg(TypeRuntimeError, QRecursion.Value()) // the one text that is a qstr
}

// StackUse returns the estimated bytes of C stack in use.
func (vm *VM) StackUse() int { return vm.cstack }

// SetStackFloor sets how many bytes of C stack the host's main function has in
// use when nothing runs.
func (vm *VM) SetStackFloor(n int) {
	vm.cstack += n - vm.cfloor
	vm.cfloor = n
}
