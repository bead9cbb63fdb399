package pylib

import "github.com/skep-sim/skep/internal/vm"

// Array declares module array, which v1.12 calls uarray.
func Array(fw *vm.Firmware) {
	name := "array"
	if fw.Options.V12 {
		name = "uarray"
	}
	fw.Module(name).Add("array", vm.TypeArray)
}
