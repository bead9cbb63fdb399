package pylib

import "github.com/skep-sim/skep/internal/vm"

// Standard declares every module of this package that the options allow.
func Standard(fw *vm.Firmware, sys SysConfig) {
	Sys(fw, sys)
	GC(fw)
	MicroPython(fw)
	Collections(fw)
	Math(fw)
	CMath(fw)
}
