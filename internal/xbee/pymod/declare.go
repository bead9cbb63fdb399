package pymod

import (
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// firmwareNames are names that the module's firmware must hold though no module
// here needs them: with them, and only with them, the 32 names and 298 bytes of
// the one bundle report that was observed come out (device-facts.md 5.3).
var firmwareNames = [...]string{"data"}

// Declare declares all of Digi's modules that a profile has. Errnos comes before
// module uerrno is declared, so it is called apart.
func Declare(fw *vm.Firmware, p profile.Profile) {
	for _, name := range mpy.StaticNames() {
		fw.Q(name)
	}
	for _, name := range firmwareNames {
		fw.Q(name)
	}
	level := p.Level()
	c := newCallbacks(fw)
	OS(fw, level)
	IO(fw)
	Time(fw, level)
	Machine(fw, level)
	XBee(fw, level, c)
	Sockets(fw)
	Network(fw, level, c)
	Digi(fw, level, p.GNSS.Value, c)
	if level >= 0x15 {
		Select(fw)
		Crypto(fw)
	}
}
