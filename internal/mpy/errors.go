package mpy

import "fmt"

// The texts of the ValueErrors a device raises for a .mpy file it cannot use.
// Source: py/persistentcode.c of v1.10, v1.11, v1.12.
const (
	deviceFile = "incompatible .mpy file"
	deviceArch = "incompatible .mpy arch"
)

// A FormatError says why a .mpy file cannot be used.
type FormatError struct {
	// Device is the text of the ValueError the device raises. For damage that
	// a device does not look for, it is the text nearest to it.
	Device string
	// Reason is for people at the host: what is wrong and what to do.
	Reason string
	// Offset is where in the file, or in the code block that Reason names.
	Offset int
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: %s (at byte %d)", e.Device, e.Reason, e.Offset)
}
