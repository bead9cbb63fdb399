package pymod

import (
	"encoding/binary"

	"github.com/skep-sim/skep/internal/vm"
	hw "github.com/skep-sim/skep/internal/xbee/board"
)

// Feature levels from which parts of module machine exist (device-facts.md 1.2).
const (
	levelWDT     = 0x15
	levelReadU16 = 0x16
)

// machineTypes are the classes of module machine.
type machineTypes struct {
	pin, adc, pwm, i2c, uart, wdt *vm.Type

	board [hw.NumPins]vm.Value // the pins, which lie in ROM
}

// Machine declares module machine at a feature level (device-facts.md 8.4).
func Machine(fw *vm.Firmware, level int) {
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

	var t machineTypes
	t.declarePin(fw)
	t.declareADC(fw, level)
	t.declarePWM(fw)
	t.declareI2C(fw)
	t.declareUART(fw)
	m.Add("Pin", t.pin.Value()).Add("ADC", t.adc.Value()).Add("PWM", t.pwm.Value())
	m.Add("I2C", t.i2c.Value()).Add("UART", t.uart.Value())
	if level >= levelWDT {
		t.declareWDT(fw)
		m.Add("WDT", t.wdt.Value())
		m.Int("CLEAN_SHUTDOWN", cleanShutdown)
	}
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

// raiseValue raises ValueError with the text of an error.
func raiseValue(v *vm.VM, err error) {
	if err != nil {
		v.RaiseMsg(vm.TypeValueError, err.Error())
	}
}

// wrongType is what a method raises that is called on something else.
func wrongType(v *vm.VM) {
	v.RaiseMsg(vm.TypeTypeError, "argument has wrong type")
}
