package xbee

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/profile"
	"github.com/skep-sim/skep/internal/xbee/script"
)

// scripted runs a main program with a script, in virtual time, and returns what it
// printed after its last start, and the notes.
func scripted(t *testing.T, main, text string, change ...func(*Config)) (printed, notes string) {
	t.Helper()
	s, err := script.Parse("world", text)
	if err != nil {
		t.Fatal(err)
	}
	keys, typist, err := os.Pipe() // a line that nobody types into, and that does not end
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		typist.Close()
		keys.Close()
	}()
	var screen bytes.Buffer
	var log strings.Builder
	c := config(t, keys, &screen, map[string]string{"main.py": main})
	c.Autostart, c.NoREPL = true, true
	c.Note = func(s string) { log.WriteString(s + "\n") }
	clock := world.NewVirtualClock(world.VirtualStart)
	clock.SetPatience(5 * time.Millisecond) // nothing comes from the host
	c.World = c.World.WithClock(clock)
	for _, f := range change {
		f(&c)
	}
	d := New(c)
	d.Play(s)
	d.Run()
	out := strings.ReplaceAll(screen.String(), "\r\n", "\n")
	return out[strings.LastIndex(out, "Running bytecode...\n")+len("Running bytecode...\n"):], log.String()
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s printed\n%s\nwant\n%s", what, got, want)
	}
}

// TestBrownOut: the cause is kept, and the modem begins anew: AI is FF, 22, 23, 0.
func TestBrownOut(t *testing.T) {
	out, _ := scripted(t, `
import machine, xbee, time
print(machine.reset_cause() == machine.BROWNOUT_RESET)
seen = None
while True:
    ai = xbee.atcmd('AI')
    if ai != seen:
        print('%X' % ai)
        seen = ai
    time.sleep_ms(100)
`, "at 20s brownout\nat 40s end")
	expect(t, "a brown-out", out, "True\nFF\n22\n23\n0\n")
}

// TestCauses asks for the reason of each kind of restart.
func TestCauses(t *testing.T) {
	const main = "import machine, time\nprint(machine.reset_cause())\ntime.sleep(5)\n"
	for text, want := range map[string]string{
		"":                                "1\n",
		"at 1s reset":                     "2\n",
		"at 1s power cut\nat 2s power on": "1\n",
		"at 1s brownout":                  "6\n",
	} {
		out, _ := scripted(t, main, text)
		expect(t, text, out, want)
	}
}

func TestPowerStaysCut(t *testing.T) {
	_, notes := scripted(t, "import time\ntime.sleep(10)", "at 1s power cut\nat 5s press D0")
	if !strings.Contains(notes, "nothing in the script gives it back") {
		t.Error(notes)
	}
	_, notes = scripted(t, "print(1)", "power cut\nat 5s power on\nat 6s say \"on\"") // from the beginning
	if strings.Contains(notes, "nothing") {
		t.Error(notes)
	}
}

// TestNetworkOfAScript: lost and back, as the program and the script see it.
func TestNetworkOfAScript(t *testing.T) {
	out, notes := scripted(t, `
import network, time, xbee
cell = network.Cellular()
was = None
for i in range(60):
    is_ = cell.isconnected()
    if is_ != was:
        print(i, is_, xbee.atcmd('DB'))
        was = is_
    time.sleep(1)
`, `
signal -101 rsrp -120 rsrq -15
when connected say "connected"
whenever disconnected after 10s network back
at 20s network lost
at 40s signal -71
at 50s network lost
`)
	expect(t, "the network", out, "0 False None\n4 True 101\n20 False None\n33 True 101\n50 False None\n")
	if strings.Count(notes, "] connected") != 1 {
		t.Error(notes)
	}
}

func TestClock(t *testing.T) {
	out, _ := scripted(t, `
import time
for i in range(4):
    print(time.localtime()[:6])
    time.sleep(3)
`, "at 7s clock jump -1h")
	expect(t, "the clock", out, "(2000, 1, 1, 0, 0, 0)\n(2000, 1, 1, 0, 0, 3)\n(2019, 10, 24, 0, 0, 6)\n(2019, 10, 23, 23, 0, 9)\n")
}

// TestSleepOfAScript sleeps until the time has passed, and until the pin wakes it.
func TestSleepOfAScript(t *testing.T) {
	out, notes := scripted(t, `
import xbee, time
x = xbee.XBee()
for pin in (False, True, True):
    print(round(x.sleep_now(20000, pin) / 1000), x.wake_reason() == xbee.PIN_WAKE)
    time.sleep(5)
print(x.sleep_now(None, True) // 10000)
time.sleep(1)
xbee.atcmd('SM', 4)
try:
    x.sleep_now(1)
except OSError as e:
    print(e)
`, `
whenever asleep say "asleep"
whenever awake say "awake"
at 10s wake          # it does not listen to the pin then
at 40s wake
at 1h wake
`)
	expect(t, "sleep", out, "20 False\n15 True\n20 False\n352\n[Errno 7114] EALREADY\n")
	if strings.Count(notes, "asleep") != 4 || strings.Count(notes, "awake") != 4 {
		t.Error(notes)
	}
}

// TestWatchdogOfAModule: it bites while the program waits, while it computes, and
// in the middle of a sleep; its responses differ.
func TestWatchdogOfAModule(t *testing.T) {
	p, err := profile.Find("ltem", "11415")
	if err != nil {
		t.Fatal(err)
	}
	later := func(c *Config) { c.Profile = &p }
	for response, cause := range map[string]string{"SOFT_RESET": "3", "HARD_RESET": "3", "CLEAN_SHUTDOWN": "3"} {
		for _, hang := range []string{"while True: pass", "time.sleep(100)", "sys.stdin.read(1)", "s.recv(1)", "xbee.XBee().sleep_now(100000)"} {
			out, notes := scripted(t, `
import machine, time, sys, socket, xbee
print(machine.reset_cause())
if machine.reset_cause() == machine.PWRON_RESET:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    machine.WDT(timeout=5000, response=machine.`+response+`)
    `+hang+`
`, "at 2h end", later)
			expect(t, response+" "+hang, out, cause+"\n")
			if !strings.Contains(notes, "the watchdog bit") {
				t.Errorf("%s: %q", hang, notes)
			}
		}
	}
}

// TestSupplyOfAScript: what the supply does counts at once.
func TestSupplyOfAScript(t *testing.T) {
	out, _ := scripted(t, "import xbee, time\nfor i in range(3):\n    print(xbee.atcmd('%V') < 3200)\n    time.sleep(2)",
		"power usb\nat 1s power wall\nat 3s power usb")
	expect(t, "the supply", out, "True\nFalse\nTrue\n")
}

// TestSerialOfAScript types at the prompt and enters command mode by a break.
func TestSerialOfAScript(t *testing.T) {
	c := func(c *Config) { c.Autostart, c.NoREPL = false, false; c.Settings = []string{"AP4"} }
	out, notes := scripted(t, "", `
at 1s serial "print(6 * 7)\r"
when serial "42" serial "x = 'typed'\rx\r"
at 5s serial break 6500ms
at 12s serial "ATVR\r"
whenever serial "11413\r" say "command mode"
at 14s end
`, c)
	for _, want := range []string{"print(6 * 7)\n42\n", "\n'typed'\n", "OK\r11413\r"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %q", want, out)
		}
	}
	if !strings.Contains(notes, "[12s] command mode") {
		t.Error(notes)
	}
}

func TestMessagesOfAScript(t *testing.T) {
	out, notes := scripted(t, `
import network, time
cell = network.Cellular()
while True:
    sms = cell.sms_receive()
    if sms:
        print(sms['sender'], sms['message'])
        cell.sms_send(sms['sender'], 're: ' + sms['message'])
    time.sleep(1)
`, "sms 5550100 \"early\"\nwhen sms \"early\" sms +15550101 \"late\"\nwhen sms \"late\" say \"both\"\nat 20s end")
	expect(t, "messages", out, "5550100 early\n+15550101 late\n")
	if !strings.Contains(notes, "both") {
		t.Error(notes)
	}
}

func TestFailingScript(t *testing.T) {
	_, notes := scripted(t, "import time\ntime.sleep(5)", "i2c 0x40 temperature 20\ni2c 0x50 24c02\nat 1s i2c 0x50 humidity 5\nat 2s i2c 0x50 bytes 0xFF \"xx\"")
	for _, want := range []string{
		"world:1: i2c 0x40 temperature 20: nothing is attached at 0x40",
		"world:3: at 1s i2c 0x50 humidity 5: what is attached at 0x50 measures nothing",
		"the memory at 0x50 has 256 bytes: 2 bytes at 0xFF do not fit",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("no %q in %s", want, notes)
		}
	}
}

// TestRequests come from another goroutine while the device computes, waits, and
// is off.
func TestRequests(t *testing.T) {
	keys, typist, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	defer typist.Close()
	var screen syncBuffer
	c := config(t, keys, &screen, map[string]string{"main.py": "while True:\n    pass\n"})
	c.World = world.Real().WithSerial(world.Console(keys, &screen))
	c.Autostart, c.Attended = true, true
	d := New(c)
	n := 0
	d.Ask(func(script.Control) { n++ })
	ended := make(chan Result)
	go func() { ended <- d.Run() }()
	for range 100 {
		d.Ask(func(script.Control) { n++ })
	}
	d.Do(script.Control.CutPower)
	for d.isDark() == false {
		time.Sleep(time.Millisecond)
	}
	if _, err := d.AT("VR"); err != errNoPower {
		t.Errorf("AT without power: %v", err)
	}
	d.Do(script.Control.RestorePower)
	for {
		if answer, err := d.AT("VR"); err == nil {
			if answer != "11413" {
				t.Errorf("ATVR %q", answer)
			}
			break
		}
	}
	if _, err := d.AT("FR"); err != nil { // resets the module
		t.Error(err)
	}
	d.PowerOff()
	if r := <-ended; !r.Off || n != 101 {
		t.Errorf("%+v, %d requests", r, n)
	}
	d.Ask(func(script.Control) { n++ })
	if n != 102 {
		t.Error("a device that is off does not answer")
	}
}

func (d *Device) isDark() (dark bool) {
	d.ask(func() { dark = d.dark })
	return dark
}
