package vm

// This file is what built-in code of other packages needs of the interpreter
// when it nests or needs scratch memory.

// EnterNative accounts for n bytes of C stack of one nested call of built-in
// code, raises RuntimeError at the limit, and returns what LeaveNative takes.
func (vm *VM) EnterNative(n int) int {
	old := vm.cstack
	if old+n > vm.opt.StackLimit {
		vm.raiseRecursion()
	}
	vm.cstack = old + n
	return old
}

// LeaveNative undoes EnterNative.
func (vm *VM) LeaveNative(old int) { vm.cstack = old }

// Alloca accounts for n bytes that C takes from its stack, or, in a build
// without alloca, from the heap, where they are left to the collector.
func (vm *VM) Alloca(n uint32) {
	if vm.opt.NoAlloca {
		vm.Alloc(n)
	}
}
