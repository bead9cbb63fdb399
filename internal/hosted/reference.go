package hosted

import (
	_ "embed"
	"strings"

	"github.com/skep-sim/skep/internal/vm"
)

// The names that each reference holds in ROM: any other costs a program memory,
// and dir() goes through them in this order. The lists were read from the running
// builds that made the recordings.
var (
	//go:embed romnames/full.txt
	fullNames string
	//go:embed romnames/bare.txt
	bareNames string
	//go:embed romnames/full-1.12.txt
	fullNames12 string
	//go:embed romnames/bare-1.12.txt
	bareNames12 string
)

// Full returns the options of the hosted reference, that which has nearly every
// feature.
func Full() vm.Options {
	o := vm.Full()
	o.ROMNames = romNames(fullNames)
	return o
}

// Bare returns the options of the bare reference, built as a small board's.
func Bare() vm.Options {
	o := vm.Bare()
	o.ROMNames = romNames(bareNames)
	return o
}

// Full12 returns the options of the hosted reference built from v1.12.
func Full12() vm.Options {
	o := vm.Full().WithRelease(12)
	o.WeakLinks, o.SysAtexit, o.MathIsClose = true, true, true
	o.ROMNames = romNames(fullNames12)
	return o
}

// Bare12 returns the options of the bare reference built from v1.12.
func Bare12() vm.Options {
	o := vm.Bare().WithRelease(12)
	o.ROMNames = romNames(bareNames12)
	return o
}

// FullPath returns what the hosted reference has on sys.path behind the program's
// directory: where a user and a system keep modules. It is a calibration as well:
// these names lie in the first chunk of interned text, and the recorded memory
// figures need 50 to 54 bytes of it taken, as they were on the machine that made
// the recordings by names of its own.
func FullPath() []string { return []string{"~/.local/lib/micropython", "/usr/lib/micropython"} }

// romNames reads one name a line, between comments.
func romNames(text string) (names []string) {
	for line := range strings.Lines(text) {
		if name := strings.TrimSuffix(line, "\n"); name != "" && name[0] != '#' {
			names = append(names, strings.ReplaceAll(name, `\n`, "\n"))
		}
	}
	return names
}
