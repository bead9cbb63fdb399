package world

import "fmt"

// Supply is what feeds the development board. It is itself a [Power] that
// never changes.
type Supply uint8

// The two supplies of the XBIB-U-DEV board. On USB alone the module browns out
// under load (device-facts.md 12.1); what follows from that is the device's
// business.
const (
	Wall Supply = iota
	USB
)

// String is the name the command line uses.
func (s Supply) String() string {
	switch s {
	case Wall:
		return "wall"
	case USB:
		return "usb"
	}
	return fmt.Sprintf("Supply(%d)", uint8(s))
}

// Supply returns s.
func (s Supply) Supply() Supply { return s }

// ParseSupply reads the name of a supply.
func ParseSupply(name string) (Supply, error) {
	for _, s := range []Supply{Wall, USB} {
		if s.String() == name {
			return s, nil
		}
	}
	return Wall, fmt.Errorf("unknown power supply %q: use wall or usb", name)
}

// Power tells what feeds the board now.
type Power interface {
	Supply() Supply
}
