package pymod

import (
	"errors"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/relay"
)

// declareRelay declares module xbee.relay (device-facts.md 8.3).
func declareRelay(fw *vm.Firmware, level int, c *callbacks) vm.Value {
	m := fw.Submodule("relay")
	m.Int("SERIAL", relay.Serial).Int("BLUETOOTH", relay.Bluetooth).Int("MICROPYTHON", relay.MicroPython)
	m.Int("MAX_DATA_LENGTH", relay.MaxData)
	sender, message := fw.Q("sender").Value(), fw.Q("message").Value()
	take := func(v *vm.VM, b *Board) vm.Value {
		got, ok := b.relay().Receive()
		if !ok {
			return vm.None
		}
		d := v.NewDict(2)
		v.DictStore(d, sender, vm.SmallInt(got.From))
		v.DictStore(d, message, v.NewBytes(got.Data))
		return d
	}
	c.on(fromRelay, func(b *Board) bool { return b.relay().Waiting() > 0 }, take)
	m.Add("receive", fw.Func0("receive", func(v *vm.VM) vm.Value {
		c.refusePolling(v, fromRelay, "relay.receive")
		return take(v, board(v))
	}))
	m.Add("send", fw.Func2("send", relaySend))
	if level >= 0x15 {
		m.Add("callback", fw.Func1("callback", func(v *vm.VM, f vm.Value) vm.Value {
			c.set(v, fromRelay, f)
			board(v).relay().OnMessage(board(v).Wake)
			return vm.None
		}))
	}
	return m.Value()
}

// relay is the module's relay; one without a serial port has its own.
func (b *Board) relay() *relay.Relay {
	if b.Relay == nil {
		b.Relay = relay.New()
	}
	return b.Relay
}

// relaySend is send(dest, data). Data that is too long is a ValueError, as
// Digi's type hints have it of invalid parameters.
func relaySend(v *vm.VM, dest, data vm.Value) vm.Value {
	to, b := v.Int(dest), board(v)
	text := v.Buffer(data, false)
	if len(text) > relay.MaxData {
		v.RaiseMsg(vm.TypeValueError, "data too long")
	}
	err := b.relay().Send(relay.MicroPython, to, text)
	switch {
	case errors.Is(err, relay.ErrNoDevice):
		v.RaiseOS(errNoDev)
	case errors.Is(err, relay.ErrNoBuffer):
		v.RaiseOS(errNoBufs)
	case errors.Is(err, relay.ErrRefused):
		b.note(relayRefused[to])
		v.RaiseOS(errConnRefused)
	}
	return vm.None
}

// relayRefused says why an interface took no message.
var relayRefused = [...]string{
	relay.Serial:      "relay.send(relay.SERIAL, ...) is refused while the serial port is not in API mode: set ATAP to 1 or 2",
	relay.Bluetooth:   "relay.send(relay.BLUETOOTH, ...) is refused: nobody is connected by Bluetooth, for which the virtual module has no radio",
	relay.MicroPython: "relay.send(relay.MICROPYTHON, ...) is refused: the program's queue is full; call relay.receive() more often",
}
