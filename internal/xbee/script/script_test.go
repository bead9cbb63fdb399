package script

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/xbee/board"
)

// diary notes what a script does.
type diary struct {
	lines []string
	fail  error
}

func (d *diary) add(format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) SetPin(p board.Pin, mv int) { d.add("%s %dmV", p, mv) }
func (d *diary) RampPin(p board.Pin, from, to int, over time.Duration) {
	d.add("%s %dmV..%dmV %v", p, from, to, over)
}
func (d *diary) PressPin(p board.Pin, t time.Duration) { d.add("press %s %v", p, t) }
func (d *diary) ReleasePin(p board.Pin)                { d.add("%s open", p) }
func (d *diary) Wake()                                 { d.add("wake") }
func (d *diary) AttachI2C(a byte, kind string) error   { d.add("%#x is %q", a, kind); return d.fail }
func (d *diary) SetI2C(a byte, q string, v float64) error {
	d.add("%#x %s %g", a, q, v)
	return d.fail
}
func (d *diary) WriteI2C(a byte, at int, b []byte) error {
	d.add("%#x %#x %q", a, at, b)
	return d.fail
}
func (d *diary) SendUART(b []byte)                  { d.add("uart %q", b) }
func (d *diary) SetTrack(nmea string) error         { d.add("gnss %q", nmea); return nil }
func (d *diary) TypeSerial(b []byte)                { d.add("serial %q", b) }
func (d *diary) BreakSerial(t time.Duration)        { d.add("break %v", t) }
func (d *diary) DeliverSMS(from, text string)       { d.add("sms %s %q", from, text) }
func (d *diary) SetSignal(rssi, rsrp, rsrq float32) { d.add("signal %g %g %g", rssi, rsrp, rsrq) }
func (d *diary) SetNetwork(up bool)                 { d.add("network %v", up) }
func (d *diary) SetNAT(t time.Duration)             { d.add("nat %v", t) }
func (d *diary) ResetConnections()                  { d.add("server reset") }
func (d *diary) SetPower(usb bool)                  { d.add("usb %v", usb) }
func (d *diary) CutPower()                          { d.add("power cut") }
func (d *diary) RestorePower()                      { d.add("power on") }
func (d *diary) BrownOut()                          { d.add("brownout") }
func (d *diary) PressReset()                        { d.add("reset") }
func (d *diary) JumpClock(t time.Duration)          { d.add("clock %v", t) }
func (d *diary) Say(text string)                    { d.add("say %s", text) }
func (d *diary) End()                               { d.add("end") }

// TestActions does each action once.
func TestActions(t *testing.T) {
	for line, want := range map[string]string{
		"pin D4 low":                      "D4 0mV",
		"pin p0 HIGH  # spelling is free": "P0 3300mV",
		"pin D11 open":                    "P1 open",
		"press D0":                        "press D0 0s",
		"press D0 for 200ms":              "press D0 200ms",
		"release D0":                      "D0 open",
		"analog D1 1.2V":                  "D1 1200mV",
		"analog D1 800mV to 2.5V over 1m": "D1 800mV..2500mV 1m0s",
		"i2c 0x40 hdc1080":                `0x40 is "hdc1080"`,
		"i2c 64 hdc1080 temperature -3.5 humidity 40": `0x40 is "hdc1080"; 0x40 temperature -3.5; 0x40 humidity 40`,
		"i2c 0x40 temperature 20":                     "0x40 temperature 20",
		"i2c 0x40 remove":                             `0x40 is ""`,
		`i2c 0x50 24c32 bytes 0x10 "a\x00b"`:          `0x50 is "24c32"; 0x50 0x10 "a\x00b"`,
		`uart "$GP\r\n"`:                              `uart "$GP\r\n"`,
		`serial "import os\r"`:                        `serial "import os\r"`,
		"serial break":                                "break 250ms",
		"serial break 6s":                             "break 6s",
		"wake":                                        "wake",
		`sms +15551234 "say \"hi\" # now"`:            `sms +15551234 "say \"hi\" # now"`,
		"signal -95":                                  "signal -95 -122 -10",
		"signal -95 rsrq -12 rsrp -110":               "signal -95 -110 -12",
		"network lost":                                "network false",
		"network back":                                "network true",
		"nat-timeout 120s":                            "nat 2m0s",
		"nat-timeout off":                             "nat 0s",
		"server reset":                                "server reset",
		"power usb":                                   "usb true",
		"power wall":                                  "usb false",
		"power cut":                                   "power cut",
		"power on":                                    "power on",
		"brownout":                                    "brownout",
		"reset":                                       "reset",
		"clock jump -1h":                              "clock -1h0m0s",
		"clock jump +3s":                              "clock 3s",
		"CLOCK JUMP +1H2M":                            "clock 1h2m0s",
		"NAT-TIMEOUT 120S":                            "nat 2m0s",
		`say "it begins"`:                             "say it begins",
		"end":                                         "end",
	} {
		s, err := Parse("t", line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		var d diary
		if failed := s.Play().Run(0, &d); failed != nil || strings.Join(d.lines, "; ") != want {
			t.Errorf("%s did %q, %v, want %q", line, d.lines, failed, want)
		}
	}
}

func TestErrors(t *testing.T) {
	for line, want := range map[string]string{
		"pim D0 low":              "unknown action pim: use pin, press,",
		"at 5s":                   "the line says when, but not what: pin, press,",
		"at 5 pin D0 low":         `a time "5": write it with a unit, such as 5s`,
		"at -5s pin D0 low":       `a time "-5s" must not be negative`,
		"at":                      "a time, such as 5s, 300ms, 2m or 1h30m, is missing",
		"every 1us reset":         "the shortest period is 1ms",
		"every 5s until 3s reset": "until lies before the first time",
		"when":                    "what to wait for is missing at the end of the line: write boot, connected",
		"when idle reset":         "what to wait for is wanted in place of idle: write boot,",
		"when serial reset":       `put the text to wait for in quotation marks: "reset"`,
		`when serial "" reset`:    "the text to wait for is empty",
		`when pin D9 up reset`:    "the level to wait for is wanted in place of up: write low, high",
		"pin D13 low":             `there is no pin "D13": use D0 to D12 or P0 to P2 (for example: pin D0 low)`,
		"pin P3 low":              `there is no pin "P3"`,
		"pin D0":                  "a level is missing at the end of the line: write low, high, open",
		"pin D0 low now":          `nothing more is expected at "now"`,
		"analog D4 1V":            "pin D4 has no analog input: use D0 to D3",
		"analog D1 1.2":           `"1.2" has no unit: write a voltage as 1.2V or 800mV`,
		"analog D1 NaNV":          `"NaNV" is no voltage between -5V and 5V`,
		"analog D1 1V to 2V":      "how long that takes is missing at the end of the line: write over",
		"i2c 0x80 hdc1080":        `"0x80" is no I2C address`,
		"i2c 0x41 hdc1080":        "a hdc1080 has no address 0x41: use 0x40",
		"i2c 0x40":                "say what is there, or what it measures",
		"i2c 0x40 bme280":         "a kind of device (hdc1080, ds1621, shtc3, 24c02, 24c32, 24c64, 24c128, 24c256, 24c512) or what it measures is wanted in place of bme280",
		"i2c 0x40 temperature x":  `temperature: "x" is no number from -273 to 1000`,
		`sms Bob "hi"`:            `"Bob" is no phone number`,
		"sms +1555 hi":            `put the message in quotation marks: "hi"`,
		"signal 5":                `a signal strength in dBm: "5" is no number from -140 to -20`,
		"network gone":            "what happens to the network is wanted in place of gone: write lost, back",
		"nat-timeout 0s":          "nat-timeout off ends it",
		"power off":               "write usb, wall, cut, on",
		"clock jump 3":            "write by how much the clock jumps as +3s or -1h",
		`say "it`:                 "a text does not end",
		`say "\q"`:                "a text does not end, or has a wrong escape",
		`say "a"b`:                `put a space after "a"`,
		`say a"b"`:                `put a space before the quotation mark in a"b"`,
		"press D0 for 0s":         "how long the button is pressed must not be 0",
		"say \"\xff\"":            "the script is no UTF-8 text",
	} {
		_, err := Parse("world.txt", line)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) || e.Line != 1 || !strings.HasPrefix(err.Error(), "world.txt:1: ") {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
	_, err := Parse("w", "# fine\npin\n\nreset\nwake up\r\n")
	if err == nil || strings.Count(err.Error(), "\n") != 1 || !strings.Contains(err.Error(), "w:2:") || !strings.Contains(err.Error(), "w:5:") {
		t.Errorf("every wrong line should be told: %v", err)
	}
}

// play runs a script until nothing is due any more, or limit, and notes the times
// too.
func play(t *testing.T, text string, limit time.Duration, events map[time.Duration][]Event) []string {
	t.Helper()
	s, err := Parse("w", text)
	if err != nil {
		t.Fatal(err)
	}
	p := s.Play()
	var d diary
	var times []time.Duration
	for at := range events {
		times = append(times, at)
	}
	slices.Sort(times)
	var out []string
	run := func(now time.Duration) {
		d.lines = nil
		for _, err := range p.Run(now, &d) {
			d.add("error %v", err)
		}
		for _, l := range d.lines {
			out = append(out, fmt.Sprintf("%v %s", now, l))
		}
	}
	for {
		at, ok := p.Next()
		if len(times) > 0 && (!ok || times[0] < at) {
			at = times[0]
			times = times[1:]
			for _, e := range events[at] {
				p.Event(at, e)
			}
		} else if !ok || at > limit {
			return out
		}
		run(at)
	}
}

func TestTimes(t *testing.T) {
	got := play(t, "at 3s wake\nevery 2s reset\nevery 1s from 5s until 6500ms say \"x\"\nbrownout\nat 4s end", 6*time.Second, nil)
	want := []string{"0s brownout", "2s reset", "3s wake", "4s reset", "4s end", "5s say x", "6s reset", "6s say x"}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
}

func TestMissedPeriods(t *testing.T) {
	s, _ := Parse("w", "every 1s reset")
	p := s.Play()
	var d diary
	p.Run(3500*time.Millisecond, &d)
	if at, _ := p.Next(); len(d.lines) != 1 || at != 4*time.Second {
		t.Errorf("%q, next at %v", d.lines, at)
	}
}

func TestEvents(t *testing.T) {
	const text = `
when connected after 2s network lost
whenever disconnected network back
when serial "ready" pin D0 low
whenever serial "aa" say "aa"
when uart "AT\r" uart "OK\r"
when sms "help" sms +15550100 "on its way"
when sms say "first"
whenever pin D9 high say "lit"
when boot say "boot"
when asleep wake
whenever awake say "awake"
`
	s := time.Second
	got := play(t, text, time.Hour, map[time.Duration][]Event{
		0:      {{Kind: Booted}, {Kind: SentSerial, Text: "rea"}},
		1 * s:  {{Kind: Connected}, {Kind: SentSerial, Text: "dy aaaaa"}},
		2 * s:  {{Kind: SentSerial, Text: "a ready"}},
		4 * s:  {{Kind: Disconnected}, {Kind: Connected}},
		5 * s:  {{Kind: PinChanged, Pin: board.D9, High: true}, {Kind: PinChanged, Pin: board.D9}, {Kind: PinChanged, Pin: board.D4, High: true}},
		6 * s:  {{Kind: SentUART, Text: "A"}, {Kind: SentUART, Text: "T"}, {Kind: SentUART, Text: "\r"}},
		7 * s:  {{Kind: SentSMS, Text: "all well"}},
		8 * s:  {{Kind: SentSMS, Text: "please help me"}, {Kind: Booted}},
		9 * s:  {{Kind: FellAsleep}, {Kind: WokeUp}},
		10 * s: {{Kind: PinChanged, Pin: board.D9, High: true}},
	})
	want := []string{
		"0s say boot", "1s D0 0mV", "1s say aa", "1s say aa", "2s say aa", "3s network false", "4s network true", "5s say lit",
		`6s uart "OK\r"`, "7s say first", `8s sms +15550100 "on its way"`, "9s wake", "9s say awake", "10s say lit",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
	script, _ := Parse("w", text)
	p := script.Play()
	if !p.Wants(SentUART) || !p.Wants(PinChanged) {
		t.Error("it does not want what it waits for")
	}
	none, _ := Parse("w", "reset")
	if none.Play().Wants(Booted) {
		t.Error("it wants what it does not wait for")
	}
}

func TestFailingActions(t *testing.T) {
	s, _ := Parse("w", "\ni2c 0x40 hdc1080 temperature 20 # warm\nwake")
	d := diary{fail: errors.New("no bus")}
	failed := s.Play().Run(0, &d)
	if len(failed) != 1 || failed[0].Error() != "w:2: i2c 0x40 hdc1080 temperature 20: no bus" || len(d.lines) != 2 {
		t.Errorf("%v, %q", failed, d.lines)
	}
}

// TestReference wants docs/world-script.md to have every action and event, and
// each line of its examples to be right.
func TestReference(t *testing.T) {
	text, err := os.ReadFile("../../../docs/world-script.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := ""
	for _, m := range regexp.MustCompile("(?s)```world\n(.*?)```").FindAllSubmatch(text, -1) {
		examples += string(m[1])
	}
	if _, err := Parse("docs/world-script.md", examples); err != nil {
		t.Error(err)
	}
	for _, a := range actions() {
		if !regexp.MustCompile(`(?m)(^|[0-9a-z"] )` + a.name + `( |$)`).MatchString(examples) {
			t.Errorf("there is no example of %s", a.name)
		}
		if _, err := Parse("example", a.example); err != nil {
			t.Errorf("%v", err)
		}
	}
	for _, e := range []string{"boot", "connected", "disconnected", "asleep", "awake", "serial", "uart", "sms", "pin"} {
		if !regexp.MustCompile(`(?m)^when(ever)? ` + e + ` `).MatchString(examples) {
			t.Errorf("there is no example of when %s", e)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("at 5s pin D0 low\nwhen serial \"x\" after 1s analog D1 1V to 2V over 3s\n")
	f.Add("every 1s from 2s until 9s i2c 0x40 hdc1080 temperature 1e3 bytes 0 \"\\xff\"\n")
	f.Add("sms +1 \"\nclock jump -9999999h\nsignal -1e400 rsrp nan")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("f", text)
		if err != nil {
			if s != nil || err.Error() == "" {
				t.Error("an error with a script, or without a text")
			}
			return
		}
		p := s.Play()
		p.Event(time.Second, Event{Kind: SentSerial, Text: text})
		p.Run(time.Minute, &diary{})
	})
}

func BenchmarkEvent(b *testing.B) {
	s, _ := Parse("w", strings.Repeat("whenever serial \"ready\" say \"x\"\n", 10))
	p := s.Play()
	for b.Loop() {
		p.Event(0, Event{Kind: SentSerial, Text: "a line of output of some length\r\n"})
	}
}
