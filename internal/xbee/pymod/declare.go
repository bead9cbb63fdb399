package pymod

import "github.com/skep-sim/skep/internal/vm"

// System declares the modules that concern the module itself: uos, files,
// utime, machine, xbee, and the error numbers. Module uerrno shows these only if
// Errnos was called before it was declared.
func System(fw *vm.Firmware) {
	Errnos(fw)
	OS(fw)
	IO(fw)
	Time(fw)
	Machine(fw)
	XBee(fw)
}
