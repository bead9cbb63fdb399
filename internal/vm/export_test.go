package vm

// InterruptAfter makes the program raise KeyboardInterrupt when it has made so many
// jumps and calls that look for it.
func (vm *VM) InterruptAfter(n int) {
	vm.KeyboardInterrupt()
	vm.budget = n
}

// Interrupted reports whether InterruptAfter came before the program's end.
func (vm *VM) Interrupted() bool { return vm.pendExc == Null }
