package pymod

import (
	"encoding/binary"

	"github.com/skep-sim/skep/internal/vm"
)

// Machine declares module machine as far as it needs no pins (device-facts.md
// 8.4).
func Machine(fw *vm.Firmware) {
	m := fw.Module("umachine")
	m.Add("unique_id", fw.Func0("unique_id", uniqueID))
	reset := func(name string, r Reset) {
		m.Add(name, fw.Func0(name, func(v *vm.VM) vm.Value { panic(r) }))
	}
	reset("reset", Reset{HardReset, HardResetCause})
	reset("soft_reset", Reset{SoftReset, SoftResetCause})
	m.Add("rng", fw.Func0("rng", func(v *vm.VM) vm.Value {
		var b [4]byte
		readEntropy(v, b[:])
		return v.NewInt(int64(binary.LittleEndian.Uint32(b[:]) >> 2))
	}))
	m.Add("reset_cause", fw.Func0("reset_cause", func(v *vm.VM) vm.Value { return vm.SmallInt(int(board(v).Cause)) }))
	for i, name := range [...]string{
		"PWRON_RESET", "HARD_RESET", "WDT_RESET", "DEEPSLEEP_RESET", "SOFT_RESET", "BROWNOUT_RESET", "LOCKUP_RESET",
	} {
		m.Int(name, i+int(PowerOnReset))
	}
	m.Int("PIN_WAKE", pinWake).Int("RTC_WAKE", rtcWake)
	fw.Alias("machine", m, true)
}

// uniqueID is the 64-bit serial number: what ATSH and ATSL tell.
func uniqueID(v *vm.VM) vm.Value {
	id := make([]byte, 0, 8)
	for _, name := range [...]string{"SH", "SL"} {
		half, err := board(v).Registers.Get(name)
		if err != nil {
			board(v).note("machine.unique_id(): " + err.Error())
			v.RaiseOS(errIO)
		}
		id = append(id, half.Text()...)
	}
	return v.NewBytes(id)
}
