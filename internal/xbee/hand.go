package xbee

import (
	"fmt"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/board"
	"github.com/skep-sim/skep/internal/xbee/modem"
	"github.com/skep-sim/skep/internal/xbee/pymod"
	"github.com/skep-sim/skep/internal/xbee/script"
)

// hand does to a device what a script or a request wants. Its methods are the
// device's goroutine's, or, while the device does not run, one caller's at a time.
type hand Device

// surroundings are what a device finds around itself, and finds again after every
// reset.
type surroundings struct {
	usb       bool
	uncovered bool
	signal    *modem.Signal
	nat       time.Duration
	offset    time.Duration // of the network's time
	sms       []modem.SMS   // that came while there was no power
}

// Supply implements world.Power.
func (s *surroundings) Supply() world.Supply {
	if s.usb {
		return world.USB
	}
	return world.Wall
}

func (h *hand) SetPin(p board.Pin, millivolts int) { h.hardware.Drive(p, millivolts) }

func (h *hand) RampPin(p board.Pin, from, to int, over time.Duration) {
	h.hardware.Ramp(p, from, to, over.Microseconds())
}

func (h *hand) PressPin(p board.Pin, d time.Duration) { h.hardware.Press(p, d.Microseconds()) }

func (h *hand) ReleasePin(p board.Pin) { h.hardware.LetGo(p) }

// wakePulse is how long Wake pulls the pin low.
const wakePulse = 100 * time.Millisecond

func (h *hand) Wake() { h.hardware.Press(board.D8, wakePulse.Microseconds()) }

func (h *hand) AttachI2C(address byte, kind string) error {
	if kind == "" {
		h.hardware.I2C.Attach(address, nil)
		return nil
	}
	t, err := board.NewDevice(kind, address)
	if err == nil {
		h.hardware.I2C.Attach(address, t)
	}
	return err
}

func (h *hand) SetI2C(address byte, quantity string, value float64) error {
	switch s := h.hardware.I2C.At(address).(type) {
	case nil:
		return fmt.Errorf("nothing is attached at 0x%02X: name its kind first, as in i2c 0x40 hdc1080", address)
	case board.Sensor:
		return s.Set(quantity, value)
	}
	return fmt.Errorf("what is attached at 0x%02X measures nothing", address)
}

func (h *hand) WriteI2C(address byte, offset int, data []byte) error {
	e, ok := h.hardware.I2C.At(address).(*board.EEPROM)
	if !ok {
		return fmt.Errorf("there is no memory at 0x%02X: attach one first, as in i2c 0x50 24c256", address)
	}
	if offset < 0 || offset+len(data) > len(e.Data) {
		return fmt.Errorf("the memory at 0x%02X has %d bytes: %d bytes at 0x%X do not fit", address, len(e.Data), len(data), offset)
	}
	copy(e.Data[offset:], data)
	return nil
}

func (h *hand) SendUART(b []byte) {
	if n := h.hardware.UART.Deliver(b); n < len(b) {
		h.device().note("bytes for the secondary UART were lost: the program has not opened it, with machine.UART(1, ...), or does not read it")
	}
}

func (h *hand) SetTrack(nmea string) error {
	now := time.Duration(0)
	if h.tasks != nil {
		now = world.Uptime(h.world.Clock())
	}
	return h.gnss.SetTrack(nmea, now)
}

func (h *hand) TypeSerial(b []byte) {
	h.wire.typed = append(h.wire.typed, b...)
	h.device().wakeSerial()
}

func (h *hand) BreakSerial(t time.Duration) {
	d := h.device()
	if d.tasks == nil {
		return // nobody would notice
	}
	d.wire.breakEnd = world.Uptime(d.world.Clock()) + t
	d.wakeSerial()
	d.tasks.Go("end of a break", func() {
		d.tasks.Background().Sleep(t)
		d.wakeSerial()
	})
}

func (h *hand) SetPower(usb bool) {
	h.around.usb = usb
	if h.uart != nil {
		h.device().weakSupply()
	}
}

// sudden is the Go panic of a reset or a loss of power that nobody has prepared
// for: what was not flushed is lost.
type sudden struct{ cause pymod.ResetCause }

func (h *hand) CutPower() {
	h.powered = false
	h.device().strike(sudden{pymod.PowerOnReset})
}

func (h *hand) RestorePower() {
	h.powered = true
	notify(h.restored)
}

func (h *hand) BrownOut() { h.device().strike(sudden{pymod.BrownoutReset}) }

func (h *hand) PressReset() { h.device().strike(sudden{pymod.HardResetCause}) }

// strike lets something happen to a device that has power.
func (d *Device) strike(s sudden) {
	if d.tasks != nil && !d.dark {
		d.struck = true
		d.tasks.Raise(s)
	}
}

func (h *hand) JumpClock(d time.Duration) { h.around.offset += d }

func (h *hand) Say(text string) {
	at := time.Duration(0)
	if h.tasks != nil {
		at = h.device().scriptTime()
	}
	h.device().tell(fmt.Sprintf("[%v] %s", at.Round(time.Millisecond), text))
}

func (h *hand) End() { h.device().PowerOff() }

func (h *hand) device() *Device { return (*Device)(h) }

// listen has the module's own doings told to the script.
func (d *Device) listen() {
	d.hardware.OnOutput(func(p board.Pin, high bool) {
		d.happened(script.Event{Kind: script.PinChanged, Pin: p, High: high})
	})
	d.hardware.Watchdog.OnStart(func() { d.needed(&d.watchJob, "watchdog", d.watch) })
	d.hardware.UART.OnSend(func(b []byte) {
		if d.conf.SecondaryOut != nil {
			d.conf.SecondaryOut(b)
		}
		d.happened(script.Event{Kind: script.SentUART, Text: string(b)})
	})
}
