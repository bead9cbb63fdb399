package vm

// This file is the console as built-in code uses it.

// ReadConsole reads what has arrived from the console, at most len(b) bytes.
// With wait it waits for at least one; an interrupt meanwhile raises
// KeyboardInterrupt. n == 0 is the end of input or, without wait, that nothing
// is there.
func (vm *VM) ReadConsole(b []byte, wait bool) (n int) {
	if vm.hook.Stdin == nil || len(b) == 0 {
		return 0
	}
	for {
		n, end := vm.hook.Stdin(b, wait)
		if n > 0 || end || !wait {
			return n
		}
		vm.CheckPending()
	}
}

// WriteConsole writes text to the console.
func (vm *VM) WriteConsole(b []byte) { vm.hook.Stdout(b) }

// WriteConsoleRaw writes bytes to the console as they are.
func (vm *VM) WriteConsoleRaw(b []byte) {
	if vm.hook.StdoutRaw != nil {
		vm.hook.StdoutRaw(b)
		return
	}
	vm.hook.Stdout(b)
}

// WriteStderr writes text to where errors go.
func (vm *VM) WriteStderr(b []byte) {
	if vm.hook.Stderr != nil {
		vm.hook.Stderr(b)
		return
	}
	vm.hook.Stdout(b)
}

// SetStdout tells which object is sys.stdout, so that print() need not go
// through its stream protocol.
func (fw *Firmware) SetStdout(v Value) { fw.sysStdout = v }
