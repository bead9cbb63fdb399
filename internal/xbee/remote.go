package xbee

import (
	"fmt"

	"github.com/skep-sim/skep/internal/rmlink"
	"github.com/skep-sim/skep/internal/xbee/drm"
	"github.com/skep-sim/skep/internal/xbee/modem"
)

// startRemote starts the connection to Remote Manager, a job of its own.
func (d *Device) startRemote() {
	background := d.tasks.Background()
	d.remote = drm.New(drm.Config{
		Modem: d.modem, Clock: d.world.Clock(), Off: !d.conf.RemoteManager,
		Number: func(name string) uint64 { return d.regs.Active(name).Int() },
		Text:   func(name string) string { return d.regs.Active(name).Text() },
		Info:   d.remoteInfo, Status: d.modemStatus, Note: d.note,
	})
	d.board.Cloud = d.remote
	d.remote.OnRequest(d.hostRequest)
	d.board.PutModemStatus(bootStatus(d.board.Cause))
	if !d.conf.RemoteManager {
		return // keepHouse does it
	}
	d.tasks.Go("remote manager", func() {
		for {
			d.remote.Step()
			background.Wait(d.remote.Until(), d.remote.Events()...)
		}
	})
}

// The modem statuses of registration (device-facts.md 11.4).
const (
	statusRegistered   = 0x02
	statusUnregistered = 0x03
)

// modemEvent is what the program, and the connection to Remote Manager, are to
// know of an event.
func (d *Device) modemEvent(e modem.Event) {
	switch e.Kind {
	case modem.Registered:
		d.modemStatus(statusRegistered)
	case modem.Unregistered:
		d.modemStatus(statusUnregistered)
	case modem.Online, modem.Offline:
		d.remote.Kick()
	case modem.SMSArrived:
		d.board.Wake()
		d.link.Text(e.SMS.Text)
	}
}

// modemStatus tells whoever listens of a change of the modem, or of the
// connection to Remote Manager. Of the former API mode knows by itself.
func (d *Device) modemStatus(status byte) {
	d.board.PutModemStatus(status)
	if d.api != nil && status != statusRegistered && status != statusUnregistered {
		d.api.ModemStatus(status)
	}
}

// remoteInfo is what the module tells Remote Manager of itself. The identifier is
// made of the IMEI, as Digi's is.
func (d *Device) remoteInfo() rmlink.Info {
	imei := d.modem.Identity().IMEI
	return rmlink.Info{
		ID: fmt.Sprintf("00010000-00000000-0%s-%s", imei[:7], imei[7:]), IMEI: imei,
		Type: d.profile.Product.Value, Firmware: d.profile.Firmware, Address: d.modem.Interface().Address.String(),
		Description: d.regs.Active("KP").Text(), Contact: d.regs.Active("KC").Text(), Location: d.regs.Active("KL").Text(),
	}
}
