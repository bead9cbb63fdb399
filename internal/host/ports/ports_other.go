//go:build !linux && !windows

package ports

import (
	"path/filepath"
	"strings"

	"go.bug.st/serial"
)

// system lists the names: asking USB for more needs cgo here. macOS names a port
// after its adapter's serial number.
func system() ([]Port, error) {
	names, err := serial.GetPortsList()
	var all []Port
	for _, n := range names {
		if strings.HasPrefix(filepath.Base(n), "tty.") { // waits for a carrier; its cu. does not
			continue
		}
		p := Port{Name: n}
		_, p.Serial, _ = strings.Cut(filepath.Base(n), "usbserial-")
		all = append(all, p)
	}
	return all, err
}
