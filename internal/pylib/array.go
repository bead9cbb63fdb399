package pylib

import "github.com/skep-sim/skep/internal/vm"

// Array declares module array.
func Array(fw *vm.Firmware) { fw.Module("array").Add("array", vm.TypeArray) }
