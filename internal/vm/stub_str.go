package vm

// Owner: strings. Replaced by str.go, ...

func (fw *Firmware) initStrings() {}

// ErrnoName returns the name of an errno number as Python sees it, or "".
func (vm *VM) ErrnoName(n int) string { return "" }
