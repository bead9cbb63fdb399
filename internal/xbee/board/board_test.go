package board

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// bench is a board whose time is set by hand.
type bench struct {
	*Board
	t   *testing.T
	now int64
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t}
	b.Board = New(func() int64 { return b.now })
	return b
}

// write sends bytes to an address and returns how many were acknowledged, -1 if
// the address was not.
func (b *bench) write(address byte, data ...byte) int {
	n, ok := b.I2C.Transfer(address, false, data, true)
	if !ok {
		return -1
	}
	return n
}

// read is n bytes in hexadecimal digits, "" if the address is not acknowledged.
func (b *bench) read(address byte, n int) string {
	data := make([]byte, n)
	if _, ok := b.I2C.Transfer(address, true, data, true); !ok {
		return ""
	}
	return fmt.Sprintf("%x", data)
}

func (b *bench) expect(what, got, want string) {
	b.t.Helper()
	if got != want {
		b.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestHDC1080(t *testing.T) {
	b := newBench(t)
	d := NewHDC1080()
	b.I2C.Attach(0x40, d)
	d.Set("temperature", 26)
	d.Set("humidity", 50)
	b.write(0x40, hdcTemperature)
	b.expect("while measuring", b.read(0x40, 4), "")
	b.now += hdcTempTime + hdcHumidTime
	b.expect("both in one", b.read(0x40, 4), "66648000")
	b.write(0x40, hdcConfig, 0x07, 0x00) // one at a time, 11 and 8 bits
	b.expect("configuration", b.read(0x40, 2), "0700")
	d.Set("humidity", 51)
	b.write(0x40, hdcHumidity)
	b.now += hdcHumidTime
	b.expect("8 bits of humidity", b.read(0x40, 3), "8280ff") // HRES 11 wins over 10
	b.write(0x40, hdcConfig, 0x80, 0x00)
	b.expect("reset", b.read(0x40, 2), "1000")
	b.write(0x40, 0x10)
	b.expect("no such register", b.read(0x40, 2), "ffff")
	if n := b.write(0x40, 2, 0, 0, 0, 0); n != 3 {
		t.Errorf("%d bytes acknowledged", n)
	}
}

func TestDS1621(t *testing.T) {
	b := newBench(t)
	d := NewDS1621()
	b.I2C.Attach(0x48, d)
	d.Set("temperature", -0.5)
	ask := func(command byte, n int) string { b.write(0x48, command); return b.read(0x48, n) }
	b.expect("not started", ask(dsTemperature, 2), "ff80")
	b.write(0x48, dsHigh, 0x0B, 0x7F)
	b.expect("high limit", ask(dsHigh, 2), "0b00")
	b.expect("low limit", ask(dsLow, 2), "0a00")
	b.write(0x48, dsStart)
	d.Set("temperature", 22.5)
	b.expect("before the conversion ends", ask(dsTemperature, 2), "ff80")
	b.expect("not done", ask(dsConfig, 1), "08")
	b.now += dsConversion
	b.expect("converted", ask(dsTemperature, 2), "1680")
	b.expect("done, and above", ask(dsConfig, 1), "c8")
	b.write(0x48, dsConfig, dsOneShot)
	b.expect("flag cleared", ask(dsConfig, 1), "89")
	d.Set("temperature", 10)
	b.now += dsConversion
	b.expect("the one that ran", ask(dsTemperature, 2), "0a00")
	d.Set("temperature", 11)
	b.now += 2 * dsConversion
	b.expect("one shot", ask(dsTemperature, 2)+ask(dsCounter, 1)+ask(dsSlope, 1), "0a000810")
	if b.write(0x48, 0x99) != 0 {
		t.Error("an unknown command is acknowledged")
	}
	b.write(0x48, dsStop)
}

func TestSHTC3(t *testing.T) {
	b := newBench(t)
	d := NewSHTC3()
	b.I2C.Attach(0x70, d)
	d.Set("temperature", 42.5) // half of the range
	d.Set("humidity", 0)
	b.write(0x70, 0x7C, 0xA2)
	b.expect("stretching", b.read(0x70, 6), "8000a2000081")
	b.expect("once only", b.read(0x70, 6), "")
	b.write(0x70, 0x58, 0xE0)
	b.expect("not ready", b.read(0x70, 6), "")
	b.now += shtNormal
	b.expect("humidity first", b.read(0x70, 7), "0000818000a2ff")
	b.write(0x70, 0xEF, 0xC8)
	b.expect("identity", b.read(0x70, 3), "08875b")
	if n := b.write(0x70, 0xB0, 0x98); n != 2 {
		t.Errorf("sleep: %d acknowledged", n)
	}
	if n := b.write(0x70, 0x7C, 0xA2); n != 0 {
		t.Errorf("asleep: %d acknowledged", n)
	}
	if n := b.write(0x70, 0x35, 0x17); n != 2 || b.write(0x70, 0x80, 0x5D) != 2 {
		t.Errorf("waking up: %d acknowledged", n)
	}
	if n := b.write(0x70, 0x12, 0x34); n != 1 {
		t.Errorf("unknown: %d acknowledged", n)
	}
	// the data sheet's example of a checksum
	if got := checked(0xBEEF); got[2] != 0x92 {
		t.Errorf("checksum of BEEF is %02x", got[2])
	}
	// Digi's library sends half of a sleep command, which does nothing
	if n := b.write(0x70, 0x98); n != 1 || b.write(0x70, 0x7C, 0xA2) != 2 {
		t.Errorf("half a command: %d acknowledged", n)
	}
}

func TestEEPROM(t *testing.T) {
	b := newBench(t)
	e, _ := NewDevice("24C02", 0x51)
	b.I2C.Attach(0x51, e)
	b.write(0x51, 0x05, 1, 2, 3, 4, 5)
	b.expect("while writing", b.read(0x51, 1), "")
	b.now += eepromWriteTime
	b.write(0x51, 0x00)
	b.expect("around the page", b.read(0x51, 9), "0405ffffff010203ff")
	b.write(0x51, 0xFF)
	b.expect("around the end", b.read(0x51, 2), "ff04")
	if n := b.write(0x51); n != 0 {
		t.Errorf("a probe: %d", n)
	}
}

func TestDevices(t *testing.T) {
	for _, c := range []struct {
		name    string
		address byte
		err     string
	}{
		{"hdc1080", 0x41, "a hdc1080 has no address 0x41: use 0x40"},
		{"24c32", 0x58, "a 24c32 has no address 0x58: use 0x50 to 0x57"},
		{"bmp280", 0x76, `unknown I2C device "bmp280": use hdc1080, ds1621, shtc3, 24c02, 24c32, 24c64, 24c128, 24c256, 24c512`},
	} {
		if _, err := NewDevice(c.name, c.address); err == nil || err.Error() != c.err {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	d := NewHDC1080()
	for quantity, want := range map[string]string{
		"temperature": "temperature 126: the sensor measures from -40 to 125",
		"pressure":    `the sensor does not measure "pressure": set its temperature or humidity`,
	} {
		if err := d.Set(quantity, 126); err == nil || err.Error() != want {
			t.Errorf("%s: %v", quantity, err)
		}
	}
	b := newBench(t)
	b.I2C.Attach(0x40, d)
	b.I2C.Attach(0x40, nil)
	if len(b.I2C.Addresses()) != 0 || b.write(0x40) != -1 {
		t.Error("it is still there")
	}
}

func TestConfigureAT(t *testing.T) {
	b := newBench(t)
	const pulls = 0x7FFF
	for _, c := range []struct {
		pin   Pin
		value int
		ok    bool
		want  State
		high  bool
	}{
		{D0, 2, true, State{Mode: Analog}, true},
		{D4, 2, false, State{}, false},
		{P0, 2, true, State{Mode: PulseOut, Pull: PullUp}, false},
		{D4, 3, true, State{Mode: In, Pull: PullUp}, true},
		{D4, 4, true, State{Mode: Out, Pull: PullUp}, false},
		{D4, 5, true, State{Mode: Out, Pull: PullUp}, true},
		{D5, 1, true, State{Mode: Alt, Pull: PullUp, Function: Associated}, true},
		{D7, 7, true, State{Mode: Alt, Pull: PullUp, Function: 0x77}, true},
		{D9, 1, true, State{Mode: Alt, Pull: PullUp, Function: OnSleep}, true},
		{D9, 6, false, State{}, false},
		{P3, 1, true, State{Mode: Alt, Pull: PullUp, Function: 0xD1}, true},
		{P3, 4, false, State{}, false},
		{P4, 0, true, State{Mode: Disabled, Pull: PullUp}, true},
	} {
		if ok := b.ConfigureAT(c.pin, c.value, pulls, pulls); ok != c.ok {
			t.Errorf("%s=%d: %v", c.pin, c.value, ok)
		}
		if c.ok && b.State(c.pin) != c.want || c.ok && (b.Millivolts(c.pin) > 0) != c.high {
			t.Errorf("%s=%d: %+v, %d mV", c.pin, c.value, b.State(c.pin), b.Millivolts(c.pin))
		}
	}
	b.ConfigureAT(D4, 3, pulls, 0)
	if b.Read(D4) {
		t.Error("pulled up in spite of PD")
	}
	b.ApplyPulls(pulls, 1) // bit 0 is D4
	if !b.Read(D4) {
		t.Error("PD does not pull up")
	}
	up := PullUp
	b.Configure(D4, Setup{Mode: In, Pull: &up})
	b.ApplyPulls(0, 0) // a program's own pull stays
	if !b.Read(D4) {
		t.Error("PR counts for a pin that a program has taken")
	}
}

func TestSample(t *testing.T) {
	b := newBench(t)
	if !b.TakeSample().Empty() {
		t.Error("a sample of no pin")
	}
	b.ConfigureAT(D0, 3, 0, 0)
	b.ConfigureAT(D4, 5, 0, 0)
	b.ConfigureAT(P2, 3, 0, 0)
	b.ConfigureAT(D2, 2, 0, 0)
	b.DriveLevel(P2, true)
	b.Drive(D2, 1000)
	s := b.TakeSample()
	if want := []uint16{1, 0x1011, 4, 0x1011, 0x199}; !slices.Equal(s.Words(), want) {
		t.Errorf("%x, want %x", s.Words(), want)
	}
	if got := fmt.Sprintf("%x", s.Bytes()); got != "0110110410110199" {
		t.Error(got)
	}
}

func TestLights(t *testing.T) {
	b := newBench(t)
	joined := false
	b.SetNetwork(func() bool { return joined }, func() (int, bool) { return -90, joined })
	var log []string
	b.OnOutput(func(p Pin, high bool) { log = append(log, fmt.Sprint(p, high)) })
	for _, p := range []Pin{D5, D9, P0} {
		b.ConfigureAT(p, 1, 0, 0)
	}
	levels := func() string {
		var s []byte
		for range 4 {
			for _, p := range []Pin{D5, D9} {
				s = append(s, '0')
				if b.Read(p) {
					s[len(s)-1] = '1'
				}
			}
			b.now += blinkPeriod / 2
		}
		return string(s)
	}
	b.expect("not joined", levels(), "11111111")
	joined = true
	b.expect("joined", levels(), "11011101")
	if b.Duty(P0) != MaxDuty/2 {
		t.Errorf("signal strength %d", b.Duty(P0))
	}
	b.SetAsleep(true)
	b.expect("asleep", levels(), "00000000")
	b.SetAsleep(false)
	b.Configure(D4, Setup{Mode: Out})
	b.Write(D4, true)
	b.Write(D4, true)
	b.Reset()
	b.expect("outputs that changed", strings.Join(log, " "), "D5 true D9 true P0 false D9 false D9 true D4 false D4 true")
}

func TestUART(t *testing.T) {
	b := newBench(t)
	u := &b.UART
	if u.Deliver([]byte("lost")) != 0 {
		t.Error("a port that is off hears")
	}
	u.Open(UARTSettings{Baud: 9600})
	if n := u.Deliver(make([]byte, uartQueue+5)); n != uartQueue || u.Any() != uartQueue {
		t.Errorf("took %d bytes", n)
	}
	u.Write(bytes.Repeat([]byte("a"), uartQueue))
	u.Write([]byte("b"))
	var got []byte
	u.OnSend(func(b []byte) { got = append(got, b...) })
	u.Write([]byte("c"))
	if len(got) != uartQueue+1 || string(got[uartQueue-2:]) != "abc" {
		t.Errorf("%d bytes, %q", len(got), got[len(got)-3:])
	}
}

func TestWatchdog(t *testing.T) {
	b := newBench(t)
	w := &b.Watchdog
	if !w.Start(100, RestartModule) || w.Start(200, RestartModule) {
		t.Error("it starts once")
	}
	b.now = 99
	w.Feed()
	b.now = 198
	if _, bites := w.Bites(); bites {
		t.Error("bites too early")
	}
	b.now = 199
	if r, bites := w.Bites(); !bites || r != RestartModule {
		t.Error("does not bite")
	}
	b.SoftReset()
	if _, running := w.Deadline(); running {
		t.Error("runs on")
	}
}

func TestOutside(t *testing.T) {
	b := newBench(t)
	b.ConfigureAT(D1, 2, 0, 0)
	b.Ramp(D1, 1000, 2000, 10)
	var got []int
	for range 4 {
		got = append(got, b.Millivolts(D1))
		b.now += 4
	}
	if want := []int{1000, 1400, 1800, 2000}; !slices.Equal(got, want) {
		t.Errorf("ramp %v, want %v", got, want)
	}
	b.ConfigureAT(D0, 3, 0, 0)
	b.Press(D0, 100)
	pressed := !b.Read(D0)
	b.now += 100
	if !pressed || !b.Read(D0) {
		t.Error("a press does not come and go")
	}
	b.Press(D0, 0)
	b.now += 1e9
	if b.Read(D0) {
		t.Error("a press without a time ends")
	}
	b.LetGo(D0)
	if !b.Read(D0) {
		t.Error("it is not released")
	}
}
