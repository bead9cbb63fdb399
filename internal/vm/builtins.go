package vm

func (fw *Firmware) initBuiltins() {}

// ErrnoName returns the name of an errno number as Python sees it, or "".
func (vm *VM) ErrnoName(n int) string { return "" }
