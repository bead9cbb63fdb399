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
	Array(fw)
	Struct(fw)
	IO(fw)
	Errno(fw)
	JSON(fw)
	Binascii(fw)
	Hashlib(fw)
	Regex(fw)
}

// weakLink makes the plain name of a module find it where the firmware has weak
// links. In v1.12 they need no names (see vm.ModuleDef).
func weakLink(fw *vm.Firmware, name string, m *vm.ModuleDef) {
	if fw.Options.WeakLinks && !fw.Options.V12 {
		fw.Alias(name, m, true)
	}
}
