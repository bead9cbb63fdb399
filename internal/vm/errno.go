package vm

// This file is the firmware's list of error numbers.

// An ErrnoName is an error number with its name.
type ErrnoName struct {
	Name string
	// Number is what Python sees, with the firmware's offset in it.
	Number int
}

// SetErrnos sets the error numbers whose names the firmware knows, in the order
// of its list. They name the numbers in the texts of OSError; module uerrno
// shows them.
func (fw *Firmware) SetErrnos(list []ErrnoName) {
	fw.errnos = append([]ErrnoName(nil), list...)
	for _, e := range list {
		fw.Q(e.Name)
	}
}

// Errnos returns what SetErrnos set.
func (fw *Firmware) Errnos() []ErrnoName { return fw.errnos }

// ErrnoName returns the name of an errno number as Python sees it, or "".
func (vm *VM) ErrnoName(n int) string {
	for _, e := range vm.fw.errnos {
		if e.Number == n {
			return e.Name
		}
	}
	return ""
}

// StaticErrnoDict makes the dict of numbers and names, which cannot be changed,
// in static RAM.
func (vm *VM) StaticErrnoDict() Value {
	n := uint32(len(vm.fw.errnos))
	d, t := vm.staticAlloc(16), vm.staticAlloc(8*n)
	vm.Mem[d/4] = TypeDict
	vm.Mem[d/4+1] = Value(mapFixed | mapOrdered | n*mapUsedOne)
	vm.Mem[d/4+2], vm.Mem[d/4+3] = Value(n), Value(t)
	for i, e := range vm.fw.errnos {
		vm.Mem[int(t/4)+2*i], vm.Mem[int(t/4)+2*i+1] = SmallInt(e.Number), vm.fw.index[e.Name].Value()
	}
	return Value(d)
}
