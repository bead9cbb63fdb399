package xbee

import (
	"fmt"
	"strings"

	"github.com/skep-sim/skep/internal/xbee/at"
	"github.com/skep-sim/skep/internal/xbee/board"
)

// This file is what AT commands have to do with the module's pins.

// wirePins sets the pins up after a reset of the module, as the settings say.
func (d *Device) wirePins() {
	d.hardware.Reset()
	d.hardware.SetNetwork(d.modem.IsConnected, func() (int, bool) {
		s, heard := d.modem.Signal()
		return int(s.RSSI), heard
	})
	var all []string
	for p := board.D0; p < board.NumPins; p++ {
		all = append(all, p.String())
	}
	d.pinsApplied(all)
}

// pinsApplied makes those of the settings count that concern pins.
func (d *Device) pinsApplied(names []string) {
	pulls, up := d.regs.Active("PR").Int(), d.regs.Active("PD").Int()
	for _, n := range names {
		if n == "PR" || n == "PD" {
			d.hardware.ApplyPulls(pulls, up)
		}
		p, ok := board.Find(n)
		if !ok || p.String() != n {
			continue
		}
		if value := int(d.regs.Active(n).Int()); !d.hardware.ConfigureAT(p, value, pulls, up) {
			d.note(fmt.Sprintf("AT%s%X does nothing: pin %s has no such function", n, value, n))
		}
	}
}

// sampleText is the answer to ATIS in command mode and to Python: a line for each
// part of the sample. It fails when no pin is set up to be read.
func (d *Device) sampleText() (at.Value, error) {
	s := d.hardware.TakeSample()
	if s.Empty() {
		return at.Value{}, fmt.Errorf("IS: %w: no pin is set up as an input, an output or an analog input", at.ErrFailed)
	}
	var lines []string
	for i, w := range s.Words() {
		digits := "%04X"
		if i == 0 || i == 2 {
			digits = "%02X"
		}
		lines = append(lines, fmt.Sprintf(digits, w))
	}
	return at.Str(strings.Join(lines, "\r") + "\r").WithFrame(s.Bytes()), nil // with an empty line behind (guides, IS)
}
