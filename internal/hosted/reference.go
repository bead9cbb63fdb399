package hosted

import (
	_ "embed"
	"strings"

	"github.com/skep-sim/skep/internal/vm"
)

// The names that each reference holds in ROM: any other costs a program memory,
// and dir() goes through them in this order. Both lists were read from the running
// builds that made the recordings.
var (
	//go:embed romnames/full.txt
	fullNames string
	//go:embed romnames/bare.txt
	bareNames string
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
