package xbee

import (
	"github.com/skep-sim/skep/internal/xbee/meter"
	"github.com/skep-sim/skep/internal/xbee/modem"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// Bill is what the device has cost over the air so far, since New. Any goroutine
// may call it; a device that is inside a built-in function which takes long
// answers after it.
func (d *Device) Bill() (r meter.Report) {
	d.ask(d.ordered(newOrder(orderBill), func() { r = d.report() }))
	return r
}

func (d *Device) report() meter.Report {
	if d.modem != nil && !d.dark {
		d.modem.Association() // catches up with the time
	}
	return d.meter.Report()
}

// Options of ATDO. Power saving is the LTE-M module's (guide 90002258, DO).
const doPSM = 1 << 3

// savePower switches the modem's power saving mode on or off, as ATDO has it.
func (d *Device) savePower() {
	on := d.profile.Model == profile.LTEM && d.regs.Active("DO").Int()&doPSM != 0
	d.modem.SetPSM(modem.PSM{On: on})
}

// draw tells the meter which technology the radio uses.
func (d *Device) draw() {
	d.meter.SetDraw(meter.DrawOf(d.profile.Model, d.regs.Active("N#").Int()))
}
