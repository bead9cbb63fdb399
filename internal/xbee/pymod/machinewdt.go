package pymod

import (
	"github.com/skep-sim/skep/internal/vm"
	hw "github.com/skep-sim/skep/internal/xbee/board"
)

// This file is machine.WDT. There is one watchdog, so its object lies in ROM.

// cleanShutdown is a response of the watchdog, beside the reset causes
// SOFT_RESET and HARD_RESET, whose numbers go on with it (a choice).
const cleanShutdown = int(LockupReset) + 1

func (t *machineTypes) declareWDT(fw *vm.Firmware) {
	spec := []vm.Arg{
		{Name: fw.Q("id"), Kind: vm.ArgInt},
		{Name: fw.Q("timeout"), Kind: vm.ArgInt, Int: 60000},
		{Name: fw.Q("response"), Kind: vm.ArgInt, Int: int(SoftResetCause)},
	}
	var self vm.Value
	t.wdt = fw.NewType("WDT", &vm.Type{
		New: func(v *vm.VM, typ vm.Value, args, kw []vm.Value) vm.Value {
			var a [3]vm.ArgVal
			v.ParseArgs(args, kw, spec, a[:])
			startWDT(v, a[0].Int, a[1].Int, a[2].Int)
			return self
		},
	})
	self = fw.Object(t.wdt, nil)
	fw.Method(t.wdt, "feed", fw.Func1("feed", func(v *vm.VM, self vm.Value) vm.Value {
		board(v).Hardware.Watchdog.Feed()
		return vm.None
	}))
}

func startWDT(v *vm.VM, id, timeout, response int) {
	if id != 0 {
		v.Raisef(vm.TypeValueError, "WDT(%d) doesn't exist", id)
	}
	if timeout <= 0 {
		v.RaiseMsg(vm.TypeValueError, "WDT timeout too short")
	}
	responses := map[int]hw.Response{
		int(SoftResetCause): hw.RestartInterpreter, int(HardResetCause): hw.RestartModule, cleanShutdown: hw.ShutDownCleanly,
	}
	r, ok := responses[response]
	if !ok {
		v.RaiseMsg(vm.TypeValueError, "invalid response")
	}
	b := board(v)
	if !b.Hardware.Watchdog.Start(int64(timeout)*1000, r) {
		b.note("the watchdog runs already and cannot be set up again: reset the interpreter first")
		v.RaiseOS(errPerm)
	}
}

// Bite is what the watchdog wants if it was not fed; false: nothing.
func (b *Board) Bite() (Reset, bool) {
	r, ok := b.Hardware.Watchdog.Bites()
	if !ok {
		return Reset{}, false
	}
	b.note("the watchdog bit: the program did not feed() it in time")
	switch r {
	case hw.RestartInterpreter:
		return Reset{SoftReset, WatchdogReset}, true
	case hw.ShutDownCleanly:
		b.Modem.ShutDown()
	}
	return Reset{HardReset, WatchdogReset}, true
}
