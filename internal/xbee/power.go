package xbee

import (
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/task"
)

// This file is the module's power: how it is lost and comes back, what the
// watchdog does, and sleep.

// lose is a sudden end of whatever goes on.
func (d *Device) lose() {
	d.console.SetInterrupt(-1)
	d.modem.PowerOff()
	d.conf.Flash.FS().LosePower()
	d.hardware.Reset()
	d.dark = true
}

// waitForPower returns when the module has power; false when it is switched off
// for good, or nobody will give its power back.
func (d *Device) waitForPower() bool {
	if d.powered {
		d.dark = false
		return true
	}
	clock := d.tasks.Clock()
	d.tasks.Go("outside", d.attend)
	d.tasks.Go("dead line", func() { // what arrives is lost
		var buf [256]byte
		for {
			for d.uart.Receive(buf[:]) > 0 {
			}
			d.uart.Wait(world.Forever)
		}
	})
	for !d.powered {
		left := d.untilStep()
		if left < 0 && !d.conf.Attended {
			d.tell("the power was cut, and nothing in the script gives it back: powered off")
			return false
		}
		if clock.Sleep(left, d.restored, d.offSeen) == 1 {
			return false
		}
	}
	d.tasks.Stop()
	d.dark = false
	return true
}

// needed starts a job unless it runs already.
func (d *Device) needed(job **task.Job, name string, f func()) {
	if *job == nil || (*job).Ended() {
		*job = d.tasks.Go(name, f)
	}
}

// watch is the job that restarts a program which does not feed the watchdog, while
// that is on.
func (d *Device) watch() {
	clock := d.tasks.Background()
	w := &d.hardware.Watchdog
	for at, running := w.Deadline(); running; at, running = w.Deadline() {
		clock.Wait(max(0, time.Duration(at)*time.Microsecond-world.Uptime(clock)), w.Changed())
		if reset, bites := d.board.Bite(); bites {
			d.tasks.Raise(reset)
		}
	}
}
