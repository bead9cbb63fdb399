package xbee

import (
	"github.com/skep-sim/skep/internal/xbee/meter"
)

// Bill is what the device has cost over the air so far, since New. Any goroutine
// may call it; a device that is inside a built-in function which takes long
// answers after it.
func (d *Device) Bill() (r meter.Report) {
	d.ask(func() {
		if d.modem != nil && !d.dark {
			d.modem.Association() // catches up with the time
		}
		r = d.meter.Report()
	})
	return r
}

// draw tells the meter which technology the radio uses.
func (d *Device) draw() {
	d.meter.SetDraw(meter.DrawOf(d.profile.Model, d.regs.Active("N#").Int()))
}
