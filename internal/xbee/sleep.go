package xbee

import (
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// This file is the module's falling asleep by itself, as ATSM says. While it
// sleeps nothing in it goes on: a program is suspended and continues where it left
// off (xmp samples/power_management/prevent_sleep).

// The sleep modes of ATSM that are not off.
const (
	sleepByPin     = 1
	sleepCyclic    = 4
	sleepCyclicPin = 5 // a pin that goes low wakes it early, and keeps it awake
)

// lockedCheck is how often the module looks whether a program that kept it awake
// still does.
const lockedCheck = 50 * time.Millisecond

// sleepSet is called when settings have begun to count.
func (d *Device) sleepSet() {
	if d.regs.Active("SM").Int() != 0 {
		d.needed(&d.sleepJob, "sleep", d.drowse)
	}
	notify(d.restless)
}

// drowse is the job that puts the module to sleep, as long as ATSM wants it to.
func (d *Device) drowse() {
	clock := d.tasks.Background()
	d.heard = world.Uptime(clock)
	for mode := d.regs.Active("SM").Int(); mode != 0; mode = d.regs.Active("SM").Int() {
		pin := mode == sleepByPin || mode == sleepCyclicPin
		left := d.untilDrowsy(mode, world.Uptime(clock))
		if left == 0 && d.board.WakeLocked() {
			left = lockedCheck
		}
		if left != 0 {
			var moved <-chan struct{}
			if pin {
				moved = d.hardware.WakeMoved()
			}
			clock.Wait(left, d.restless, moved)
			continue
		}
		limit := time.Duration(world.Forever)
		if mode != sleepByPin {
			limit = time.Duration(d.regs.Active("SP").Int()) * 10 * time.Millisecond
		} else {
			d.note("the module sleeps until DIO8 is pulled low, since ATSM is 1: a script does that with wake, or pin D8 low")
		}
		d.suspend(limit, pin)
		d.heard = world.Uptime(clock)
	}
}

// untilDrowsy is how long the module stays awake if nothing happens.
func (d *Device) untilDrowsy(mode uint64, now time.Duration) time.Duration {
	high := d.hardware.WakeHigh()
	switch {
	case mode == sleepByPin && high:
		return 0
	case mode == sleepCyclic, mode == sleepCyclicPin && high:
		awake := time.Duration(d.regs.Active("ST").Int()) * time.Millisecond
		return max(0, d.heard+awake-now)
	}
	return world.Forever
}

// suspend is sleep: everything stands still but what is outside the module. It
// runs on the world's own clock, so no other task gets a turn.
func (d *Device) suspend(limit time.Duration, pin bool) {
	base := d.conf.World.Clock()
	end := world.Uptime(base) + limit
	d.fallAsleep()
	d.mark("sleep", "the module falls asleep")
	for !d.struck {
		left := time.Duration(world.Forever)
		if limit >= 0 {
			if left = end - world.Uptime(base); left <= 0 {
				break
			}
		}
		if pin && !d.hardware.WakeHigh() {
			break
		}
		if step := d.untilStep(); step >= 0 && (left < 0 || step < left) {
			left = step
		}
		if base.Sleep(left, d.outside.heard, d.offSeen) == 1 {
			d.tasks.Raise(powerOff{})
			break
		}
		d.serve()
	}
	d.mark("sleep", "the module is awake")
	d.wakeUp()
}
