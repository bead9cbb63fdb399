package pymod

import "github.com/skep-sim/skep/internal/vm"

// statusQueue is how many modem statuses wait for a program, the oldest being
// lost (a choice).
const statusQueue = 16

// declareModemStatus declares module xbee.modem_status (xmp typehints/xbee/
// modem_status.pyi).
func declareModemStatus(fw *vm.Firmware, c *callbacks) vm.Value {
	m := fw.Submodule("modem_status")
	take := func(v *vm.VM, b *Board) vm.Value {
		if len(b.statuses) == 0 {
			return vm.None
		}
		s := b.statuses[0]
		b.statuses = b.statuses[1:]
		return vm.SmallInt(int(s))
	}
	c.on(fromModemStatus, func(b *Board) bool { return len(b.statuses) > 0 }, take)
	m.Add("receive", fw.Func0("receive", func(v *vm.VM) vm.Value {
		c.refusePolling(v, fromModemStatus, "modem_status.receive")
		return take(v, board(v))
	}))
	m.Add("callback", fw.Func1("callback", func(v *vm.VM, f vm.Value) vm.Value {
		c.set(v, fromModemStatus, f)
		return vm.None
	}))
	return m.Value()
}

// PutModemStatus tells the program of a change of the modem, by the number that
// frame 8A has for it (device-facts.md 11.4). Firmware without
// xbee.modem_status has nobody to tell.
func (b *Board) PutModemStatus(status byte) {
	b.statuses = append(b.statuses, status)
	if len(b.statuses) > statusQueue {
		b.statuses = b.statuses[1:]
	}
	b.Wake()
}
