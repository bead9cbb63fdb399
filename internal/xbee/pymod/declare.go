package pymod

import (
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/vm"
)

// firmwareNames are names that the module's firmware must hold though no module
// here needs them: with them, and only with them, the 32 names and 298 bytes of
// the one bundle report that was observed come out (device-facts.md 5.3).
var firmwareNames = [...]string{"data"}

// System declares the modules that concern the module itself, as they are at a
// feature level: uos, files, utime, machine and xbee. Errnos comes before module uerrno is declared, so it
// is called apart.
func System(fw *vm.Firmware, level int) {
	for _, name := range mpy.StaticNames() {
		fw.Q(name)
	}
	for _, name := range firmwareNames {
		fw.Q(name)
	}
	OS(fw)
	IO(fw)
	Time(fw)
	Machine(fw, level)
	XBee(fw)
}
