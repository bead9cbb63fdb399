package vm

// BorrowBytes makes a bytearray with a copy of b, for a call of Python code that
// shall read or fill b. EndBorrow must follow.
func (vm *VM) BorrowBytes(b []byte) Value { return vm.NewByteArray(b) }

// EndBorrow copies the content of a bytearray of BorrowBytes to b if the call was
// to fill it (b may be constant else), and empties it, so that code that kept it
// sees nothing of what comes later.
func (vm *VM) EndBorrow(view Value, b []byte, fill bool) {
	if fill {
		copy(b, vm.arrayData(view))
	}
	vm.Free(uint32(vm.Mem[view/4+arrayItems]))
	vm.Mem[view/4+arrayLen], vm.Mem[view/4+arrayItems] = 0, 0
	vm.setArrayFree(view, 0)
}
