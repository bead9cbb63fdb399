package xbee

import "time"

// keepHouse is the job for what the module does now and then besides Python and
// the serial port: it sees what has become of the modem, plays the script and
// answers other goroutines. Each needs little more than a wait of its own, but a
// thousand modules would need a thousand stacks for it.
func (d *Device) keepHouse() {
	clock := d.tasks.Background()
	changed := d.modemEvents.Changed()
	for {
		left, modem := d.modem.Step()
		d.serve()
		left = sooner(left, d.untilStep())
		events := [...]<-chan struct{}{d.outside.heard, changed, modem, nil}
		if !d.conf.RemoteManager { // it tries in vain, and never waits
			d.remote.Step()
			left = sooner(left, d.remote.Until())
			events[3] = d.remote.Events()[0]
		}
		clock.Sleep(left, events[:]...)
	}
}

// sooner is the shorter of two waits.
func sooner(a, b time.Duration) time.Duration {
	if a < 0 || b >= 0 && b < a {
		return b
	}
	return a
}
