package pymod

import (
	"strings"
	"testing"

	hw "github.com/skep-sim/skep/internal/xbee/board"
	"github.com/skep-sim/skep/internal/xbee/flash"
)

// newRigLevel is a device with firmware of a feature level.
func newRigLevel(t *testing.T, level uint32) *rig {
	t.Helper()
	dev, err := flash.Open(flash.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	return newRigAt(t, dev, level)
}

func TestPin(t *testing.T) {
	r := newRig(t)
	b := r.board.Hardware
	r.want("from machine import Pin\np = Pin('D4', Pin.OUT, value=1)\nprint(p, p(), p.value(), p is Pin.board.D4, p is Pin(p))",
		"Pin(Pin.board.D4, mode=Pin.OUT) 1 1 True True\n")
	if high, driven := b.Output(hw.D4); !high || !driven {
		t.Error("D4 does not drive high")
	}
	r.want("p.off()\nprint(p())\np.toggle()\nprint(p())\np(0)\nprint(p())\np.on()\nprint(p())\np.value(False)\nprint(p())", "0\n1\n0\n1\n0\n")
	// what is not given stays: the level while it is an input, the pull
	r.want("p.init(Pin.IN, Pin.PULL_UP)\nprint(p, p(), p.pull() == Pin.PULL_UP)\np.init(Pin.OUT)\nprint(p())\np.mode(Pin.IN)\nprint(p.mode() == Pin.IN, p())",
		"Pin(Pin.board.D4, mode=Pin.IN, pull=Pin.PULL_UP) 1 True\n0\nTrue 1\n")
	r.want("p.pull(None)\nprint(p.pull(), p())\np.pull(Pin.PULL_DOWN)\nprint(p())", "None 0\n0\n")
	b.DriveLevel(hw.D4, true)
	r.want("print(p())\np.init(Pin.OPEN_DRAIN, value=0)\nprint(p())\np(1)\nprint(p())\np.init(Pin.DISABLED)\nprint(p())", "1\n0\n1\n0\n")
	r.want("b = Pin('D0', Pin.IN, Pin.PULL_UP)\nprint(b())", "1\n")
	b.DriveLevel(hw.D0, false) // the button
	r.want("print(b())", "0\n")
	b.LetGo(hw.D0)
	r.want("print(b())", "1\n")
	r.want("print(Pin('P0') is Pin('D10'), Pin.board.P1 is Pin.board.D11, Pin('P2').names(), Pin('P2').name(), Pin('D9').names())",
		"True True ['P2', 'D12'] P2 ['D9']\n")
	r.want("print(sorted(n for n in dir(Pin.board) if n[0] != '_'))",
		"['D0', 'D1', 'D10', 'D11', 'D12', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8', 'D9', 'P0', 'P1', 'P2']\n")
	r.want("print(len([n for n in dir(Pin) if n[:2] == 'AF']))", "22\n")
	r.want("print(Pin('D7').af_list() == [Pin.AF7_CTS, Pin.AF7_RS485_ENABLE_LOW, Pin.AF7_RS485_ENABLE_HIGH], Pin('D7').af())", "True -1\n")
	r.want("q = Pin('D7', Pin.ALT, alt=Pin.AF7_CTS)\nprint(q, q.af() == Pin.AF7_CTS)\nprint(Pin('D5', Pin.ALT).af() == Pin.AF5_ASSOC_IND)",
		"Pin(Pin.board.D7, mode=Pin.ALT, af=Pin.AF7_CTS) True\nTrue\n")
}

func TestPinErrors(t *testing.T) {
	r := newRig(t)
	r.run("from machine import Pin")
	for src, want := range map[string]string{
		"Pin('D13')":           "ValueError: Pin(D13) doesn't exist",
		"Pin('d0')":            "ValueError: Pin(d0) doesn't exist",
		"Pin('P3')":            "ValueError: Pin(P3) doesn't exist",
		"Pin(5)":               "TypeError: can't convert 'int' object to str implicitly",
		"Pin()":                "TypeError: function missing 1 required positional arguments",
		"Pin('D0', 99)":        "ValueError: invalid pin mode: 99",
		"Pin('D0', Pin.IN, 7)": "ValueError: invalid pin pull: 7",
		"Pin('D7', Pin.ALT)":   "ValueError: invalid pin af: -1",
		"Pin('D7', Pin.ALT, alt=Pin.AF5_ASSOC_IND)": "ValueError: invalid pin af: 81",
		"Pin('D4', Pin.ANALOG)":                     "ValueError: pin D4 has no analog input: use D0 to D3",
		"Pin('D0').init()":                          "TypeError: 'mode' argument required",
		"Pin('D0').value(1, 2)":                     "TypeError: function expected at most 2 arguments, got 3",
		"Pin('D0')(1, 2)":                           "TypeError: function expected at most 1 arguments, got 2",
		"Pin('D0').irq()":                           "AttributeError: 'Pin' object has no attribute 'irq'",
		"Pin.value(3)":                              "TypeError: argument has wrong type",
	} {
		if got := r.run(src); !strings.HasPrefix(got, strings.Split(want, ":")[0]) {
			t.Errorf("%s printed %q, want %q", src, got, want)
		}
	}
}

// TestPinCostsNothing: pins lie in ROM.
func TestPinCostsNothing(t *testing.T) {
	r := newRig(t)
	r.run("import gc\nfrom machine import Pin, ADC, PWM, I2C, UART\nx = [None] * 5\ndef more(f):\n    a = gc.mem_alloc()\n    x[0] = f()\n    return gc.mem_alloc() - a\ndef cost(f):\n    return more(f) - more(lambda: None)\ncost(lambda: None)")
	r.want("print(cost(lambda: Pin('D4', Pin.OUT)))", "0\n")
	r.want("print(cost(lambda: ADC('D3')), cost(lambda: PWM('P0')), cost(lambda: I2C(1)), cost(lambda: UART(1, 9600)))", "16 16 32 16\n")
}

func TestADC(t *testing.T) {
	r := newRig(t)
	b := r.board.Hardware
	r.want("from machine import ADC, Pin\na = ADC('D3')\nprint(a, a.read(), hasattr(a, 'read_u16'))", "ADC(D3) 4095 False\n")
	for mv, want := range map[int]string{0: "0", 1250: "2048", 2500: "4095", 3300: "4095", -5: "0", 1: "2"} {
		b.Drive(hw.D3, mv)
		r.want("print(a.read())", want+"\n")
	}
	r.want("ADC('D4')", "ValueError: pin D4 does not have ADC capabilities\n")
	r.want("print(ADC(Pin.board.D0))", "ADC(D0)\n")
	later := newRigLevel(t, 0x16)
	later.board.Hardware.Drive(hw.D1, 1250)
	later.want("from machine import ADC\nprint(ADC('D1').read_u16())\n", "32776\n")
}

func TestPWM(t *testing.T) {
	r := newRig(t)
	b := r.board.Hardware
	r.want("from machine import PWM\np = PWM('P0', duty=512)\nprint(p, p.duty(), p.freq())", "PWM(P0, freq=15625, duty=512) 512 15625\n")
	if b.Duty(hw.P0) != 512 {
		t.Error("P0 has no pulses")
	}
	r.want("p.duty(1023)\nprint(p.duty())\np.deinit()\nprint(p)\np.init()\nprint(p)", "1023\nPWM(P0)\nPWM(P0, freq=15625, duty=1023)\n")
	r.want("p.freq(15625)\np.freq(100)", "ValueError: frequency of pin P0 is fixed\n")
	r.want("p.duty(1024)", "ValueError: duty must be between 0 and 1023\n")
	r.want("PWM('D0')", "ValueError: PWM not supported on pin D0\n")
}

func TestI2C(t *testing.T) {
	r := newRig(t)
	bus := &r.board.Hardware.I2C
	r.want("from machine import I2C, Pin\ni = I2C(1)\nprint(i, i.scan())", "I2C(1, scl=D1, sda=P1, freq=400000) []\n")
	r.want("i.readfrom(0x40, 2)", "OSError: [Errno 7019] ENODEV\n")
	if n := r.notes[len(r.notes)-1]; !strings.Contains(n, "i2c 0x40 hdc1080") {
		t.Errorf("note %q", n)
	}
	attach(t, bus, "hdc1080", 0x40)
	attach(t, bus, "24c512", 0x54)
	attach(t, bus, "ds1621", 0x48)
	attach(t, bus, "shtc3", 0x70)
	r.want("print(i.scan())", "[64, 72, 84, 112]\n")
	r.want("print(i.readfrom_mem(0x40, 0xFE, 2), i.readfrom_mem(0x40, 0xFF, 2))", "b'TI' b'\\x10P'\n")
	r.want("i.writeto(0x40, b'\\x00')\ni.readfrom(0x40, 2)", "OSError: [Errno 7019] ENODEV\n") // it measures
	r.want("import time\ntime.sleep_ms(13)\nv = int.from_bytes(i.readfrom(0x40, 2), 'big')\nprint(round(v / 65536 * 165 - 40, 1))", "21.5\n")
	// memory, in page and around its end
	r.want("print(i.writeto_mem(0x54, 0x7E, b'abcd', addrsize=16))\ntime.sleep_ms(6)\nprint(i.readfrom_mem(0x54, 0x7E, 4, addrsize=16), i.readfrom_mem(0x54, 0, 3, addrsize=16))",
		"None\nb'ab\\xff\\xff' b'cd\\xff'\n")
	r.want("b = bytearray(2)\nprint(i.readfrom_mem_into(0x54, 0x7E, b, addrsize=16), b)\nprint(i.readfrom_into(0x54, b), b)", "None bytearray(b'ab')\nNone bytearray(b'\\xff\\xff')\n")
	// the same with the bus's primitives
	r.want("i.start()\nprint(i.write(b'\\xa8\\x00\\x7e'))\ni.start()\nprint(i.write(b'\\xa9'))\ni.readinto(b)\ni.stop()\nprint(b, i.write(b'x'))", "3\n1\nbytearray(b'ab') 0\n")
	r.want("i.start()\nprint(i.write(b'\\x20xyz'))\ni.stop()", "0\n") // nobody at 0x10
	r.want("i.init(Pin('D1'), 'P1', freq=100000)\nprint(i)\ni.init('D2', 'P1')", "I2C(1, scl=D1, sda=P1, freq=100000)\nValueError: invalid I2C pins\n")
	r.want("I2C(2)", "ValueError: invalid I2C peripheral\n")
	r.want("Pin('D1', Pin.IN)\nprint(i.scan())\nI2C(1)\nprint(len(i.scan()))", "[]\n4\n")
}

func attach(t *testing.T, bus *hw.Bus, name string, address byte) hw.Target {
	t.Helper()
	d, err := hw.NewDevice(name, address)
	if err != nil {
		t.Fatal(err)
	}
	bus.Attach(address, d)
	return d
}

func TestUART(t *testing.T) {
	r := newRig(t)
	u := &r.board.Hardware.UART
	r.want("from machine import UART\nu = UART(1, 115200, parity=0, flow=UART.RTS | UART.CTS)\nprint(u, u.any(), u.read(), u.readline(), u.readinto(bytearray(3)))",
		"UART(1, baudrate=115200, bits=8, parity=0, stop=1, flow=RTS|CTS, timeout=0, timeout_char=0) 0 None None None\n")
	u.Deliver([]byte("one\ntwo"))
	r.want("print(u.any(), u.read(2), u.readline(), u.read(), u.any())", "7 b'on' b'e\\n' b'two' 0\n")
	r.want("print(u.write(b'hello'), u.write('text'))", "5 4\n")
	if got := string(u.Sent()); got != "hellotext" {
		t.Errorf("sent %q", got)
	}
	u.Deliver([]byte("late"))
	r.want("u.deinit()\nprint(u, u.read(1), u.any())\nu.write(b'x')", "UART(1) b'l' 3\nOSError: [Errno 7001] EPERM\n")
	r.want("import time\nu.read()\nu.init(9600, timeout=500)\na = time.ticks_ms()\nprint(u.read(1), time.ticks_ms() - a >= 500)", "None True\n")
	r.want("UART(2, 9600)", "ValueError: UART(2) doesn't exist\n")
	r.want("UART(1, 9600, 9)", "ValueError: invalid bits\n")
	r.want("try:\n    UART(1)\nexcept TypeError:\n    print('TypeError')", "TypeError\n")
	if u.Deliver([]byte("x")); u.Any() == 0 {
		t.Error("the port is deaf")
	}
}

func TestWatchdog(t *testing.T) {
	r := newRig(t)
	r.want("import machine\nprint(hasattr(machine, 'WDT'), hasattr(machine, 'CLEAN_SHUTDOWN'))", "False False\n")

	r = newRigLevel(t, 0x15)
	r.want("import machine, time\nd = machine.WDT(timeout=5000)\nfor s in range(1, 9):\n    time.sleep(s)\n    print(s)\n    d.feed()",
		"1\n2\n3\n4\nsoft reset\n") // the fifth sleep lasts as long as the watchdog waits
	if r.board.Cause != WatchdogReset {
		t.Errorf("cause %d", r.board.Cause)
	}
	r.want("import machine, time\ntime.sleep(100)\nprint(machine.reset_cause() == machine.WDT_RESET)", "True\n") // it is off again
	r.want("machine.WDT(0, 100, machine.HARD_RESET)\nwhile True:\n    pass", "hard reset\n")                     // a tight loop
	r.want("import machine\nmachine.WDT(timeout=100)\nmachine.WDT(timeout=200)", "OSError: [Errno 7001] EPERM\n")
	for src, want := range map[string]string{
		"machine.WDT(1)":           "ValueError: WDT(1) doesn't exist\n",
		"machine.WDT(timeout=0)":   "ValueError: WDT timeout too short\n",
		"machine.WDT(response=77)": "ValueError: invalid response\n",
		"print(machine.CLEAN_SHUTDOWN > machine.LOCKUP_RESET)": "True\n",
	} {
		r.want(src, want)
	}
}
