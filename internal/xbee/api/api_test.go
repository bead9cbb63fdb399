package api

import (
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/xbee/frame"
	"github.com/skep-sim/skep/internal/xbee/relay"
)

func TestATCommands(t *testing.T) {
	r := newRig(t, options{})
	r.expect("read AP", "08 01 4150", "88 01 4150 00 00")
	r.expect("set AP", "08 01 4150 01", "88 01 4150 00")
	r.expect("read it", "08 02 4150", "88 02 4150 00 01")
	r.expect("unknown", "08 01 5A5A", "88 01 5A5A 02")
	r.expect("of other modules", "08 01 4E44", "88 01 4E44 02")
	r.expect("only in command mode", "08 01 4653", "88 01 4653 02")
	r.expect("bad value", "08 01 4150 09", "88 01 4150 03")
	r.expect("cannot be set", "08 01 5652 01", "88 01 5652 03")
	r.expect("failed", "08 01 5047 00", "88 01 5047 01")
	r.expect("text", "08 01 494D", "88 01 494D 00 "+text("353902090123459"))
	r.expect("set text", "08 01 4E49"+text("My XBee"), "88 01 4E49 00")
	r.expect("read text", "08 01 4E49", "88 01 4E49 00"+text("My XBee"))
	r.expect("bytes", "08 01 5348", "88 01 5348 00 0013A200")
	r.expect("write only", "08 01 4357", "88 01 4357 00")
	r.expect("three words", "08 01 5059 42", "88 01 5059 00 000009FE 9AAC4DD8 255688B7")
	r.expect("no answer wanted", "08 00 4150 02")
	r.expect("but done", "08 01 4150", "88 01 4150 00 02")
}

func TestQueuedCommands(t *testing.T) {
	r := newRig(t, options{})
	r.expect("queue", "09 01 5444 0D", "88 01 5444 00")
	if v := r.regs.Active("TD").Int(); v != 0 {
		t.Errorf("a queued setting counts: %X", v)
	}
	r.expect("the queue as read", "09 02 5444", "88 02 5444 00 0D")
	r.expect("AC", "08 03 4143", "88 03 4143 00")
	if v := r.regs.Active("TD").Int(); v != 0x0D {
		t.Errorf("after AC: %X", v)
	}
	r.host("09 01 5444 0A")
	r.host("08 01 4150 01") // applies what is queued as well
	if v := r.regs.Active("TD").Int(); v != 0x0A {
		t.Errorf("after frame 08: %X", v)
	}
}

// TestCommandsKeepTheirOrder has commands behind one that takes long.
func TestCommandsKeepTheirOrder(t *testing.T) {
	r := newRig(t, options{})
	r.expect("shut down takes its time", "08 01 5344")
	r.expect("waits for it", "08 02 4150")
	r.expect("other frames do not", "2D 03 07 41", "89 03 7C")
	r.pass(10 * time.Second)
	r.run()
	r.answers("then", r.take(), "88 01 5344 00", "88 02 4150 00 00")
	r.expect("and the next at once", "08 03 4150", "88 03 4150 00 00")
	for range maxCommands + 1 {
		r.host("08 01 5344")
	}
	r.expect("too many wait", "08 02 4150", "88 02 4150 01")
}

func TestLookUp(t *testing.T) {
	r := newRig(t, options{routes: nil})
	r.expect("four bytes", "08 01 4C41"+text("192.0.2.7"), "88 01 4C41 00 C0000207")
	r.expect("nowhere", "08 01 4C41"+text("nowhere.test"), "88 01 4C41 01")
}

func TestUnknownFrames(t *testing.T) {
	r := newRig(t, options{level: 0x13})
	r.expect("unknown type", "7F 01", "FE 02")
	r.expect("what only the module sends", "88 01 4150 00", "FE 02")
	for _, kind := range []string{"3B", "40", "41", "42", "43", "44", "45", "46"} {
		r.expect(kind+" is later than x13", kind+"0101000000000000000000000000", "FE 02")
	}
	r.expect("too short", "08 01 41", "FE 03")
	r.expect("a type alone", "08", "FE 03")
	for kind := range 256 { // one byte each
		if got := r.host("%02X", kind); len(got) != 1 || !strings.HasPrefix(got[0], "FE") {
			t.Errorf("%02X: %q", kind, got)
		}
	}
	newer := newRig(t, options{level: 0x15})
	newer.expect("sockets at x15", "40 01 01", "C0 01 00 00")
	newer.expect("files at x16", "3B 01 40"+text("/flash"), "FE 02")
	old := newRig(t, options{level: 0x11})
	old.expect("2B is later", "2B 00 00 01", "FE 02")
}

func TestBadFramesAreCounted(t *testing.T) {
	r := newRig(t, options{})
	r.Receive([]byte{0x7E, 0, 4, 8, 1, 'A', 'P', 0xFF}) // checksum
	r.Receive([]byte{0x7E, 0, 9, 8, 1, 'A'})            // cut short
	r.expect("the next is not lost", "08 02 4150", "88 02 4150 00 00")
	r.Receive([]byte{0x7E, 1, 0, 8})
	r.pass(2 * time.Second)
	r.expect("nor after a pause", "08 03 4150", "88 03 4150 00 00")
	if s := r.Stats(); s.Refused() != 3 || s.Frames != 2 {
		t.Errorf("%+v", s)
	}
}

func TestEscapedLine(t *testing.T) {
	r := newRig(t, options{})
	var line []byte
	r.conf.Send = func(b []byte) { line = append(line, b...) }
	r.SetEscaped(true)
	r.Receive(frame.Append(nil, []byte{8, 0x11, 'A', 'P'}, true))
	want := frame.Append(nil, []byte{0x88, 0x11, 'A', 'P', 0, 0}, true)
	if string(line) != string(want) {
		t.Errorf("%X, want %X", line, want)
	}
}

func TestModemStatus(t *testing.T) {
	r := newRig(t, options{off: true})
	r.ModemStatus(0x00)
	r.answers("reset", r.take(), "8A 00")
	r.pass(5 * time.Second)
	r.answers("registered", r.take(), "8A 02")
	r.modem.SetCoverage(false)
	r.run()
	r.answers("lost", r.take(), "8A 03")
	r.Open(false) // command mode
	r.modem.SetCoverage(true)
	r.pass(5 * time.Second)
	r.answers("while the port is not ours", r.take())
	r.Open(true)
	r.answers("afterwards", r.take(), "8A 02")
	r.Open(false)
	r.Reset() // another mode
	r.ModemStatus(0x0E)
	r.Open(true)
	r.answers("not what happened in another mode", r.take())
}

func TestMessages(t *testing.T) {
	r := newRig(t, options{})
	phone := text("+15551234567") + strings.Repeat("00", 8)
	r.expect("send", "1F 01 00"+phone+text("hello"), "89 01 00")
	if s := r.modem.SentSMS(); len(s) != 1 || s[0].Phone != "+15551234567" || s[0].Text != "hello" {
		t.Errorf("%v", s)
	}
	r.expect("no answer wanted", "1F 00 00"+phone+text("quiet"))
	r.expect("too long", "1F 01 00"+phone+strings.Repeat("41", 161), "89 01 74")
	r.expect("longest", "1F 01 00"+phone+strings.Repeat("41", 160), "89 01 00")
	r.expect("no number", "1F 01 00"+strings.Repeat("00", 20)+"41", "89 01 2C")
	r.expect("not ASCII", "1F 01 00"+phone+"C3A4", "89 01 2C")
	r.modem.DeliverSMS("+15559876543", "pong")
	r.run()
	r.answers("arrived", r.take(), "9F"+text("+15559876543")+strings.Repeat("00", 8)+text("pong"))
	r.modem.SetAirplane(true)
	r.take()
	r.expect("airplane mode", "1F 01 00"+phone+"41", "8A 03", "89 01 22")
}

func TestRelay(t *testing.T) {
	r := newRig(t, options{})
	r.expect("to MicroPython", "2D 01 02"+text("hello"))
	if m, ok := r.relay_.Receive(); !ok || m.From != relay.Serial || string(m.Data) != "hello" {
		t.Errorf("%v", m)
	}
	if err := r.relay_.Send(relay.MicroPython, relay.Serial, []byte("hello")); err != nil {
		t.Error(err)
	}
	r.answers("from MicroPython", r.take(), "AD 02"+text("hello"))
	r.expect("to Bluetooth", "2D 01 01 41", "89 01 7D")
	r.expect("to nobody", "2D 01 03 41", "89 01 7C")
	r.expect("nobody, no answer wanted", "2D 00 03 41")
	r.expect("to itself", "2D 01 00 41", "AD 00 41")
	r.expect("too long", "2D 01 02"+strings.Repeat("00", 1501), "89 01 74")
	for range relay.QueueLength {
		r.expect("filling the queue", "2D 01 02 41")
	}
	r.expect("full", "2D 01 02 41", "89 01 7D")
	r.Open(false)
	if r.relay_.Send(relay.MicroPython, relay.Serial, []byte("x")) == nil {
		t.Error("the serial port takes messages outside API mode")
	}
}

func TestWhatCannotBeDone(t *testing.T) {
	r := newRig(t, options{})
	r.expect("update, first block", "2B 00 00 01 DEAD", "AB 00 05")
	r.expect("update, next block", "2B 01 00 00 BEEF", "AB 01 03")
	r.expect("update, last block", "2B 02 00 02", "AB 02 03")
	r.expect("Bluetooth unlock", "2C 01 00", "AC 80")
}

// uploads is a connection to Remote Manager that notes what it is given.
type uploads struct{ got []string }

func (u *uploads) Upload(path, kind string, mode byte, data []byte) CloudStatus {
	u.got = append(u.got, path, kind, string(rune('0'+mode)), string(data))
	if path == "full" {
		return CloudError
	}
	return CloudOK
}

func TestRemoteManager(t *testing.T) {
	u := &uploads{}
	r := newRig(t, options{cloud: u})
	r.expect("upload", "28 01 05"+text("a.txt")+"0A"+text("text/plain")+"00 01"+text("data"), "B8 01 00")
	if got := strings.Join(u.got, "|"); got != "a.txt|text/plain|1|data" {
		t.Errorf("%s", got)
	}
	r.expect("refused", "28 01 04"+text("full")+"00 00 00", "B8 01 03")
	r.expect("no answer wanted", "28 00 01 61 00 00 00")
	for _, bad := range []string{"09 61 00 00 00", "01 61 20 00 00", "01 61 00 01 00", "01 61 00 00 04", "00 00 00 00"} {
		r.expect("malformed", "28 01"+bad, "B8 01 01")
	}
	none := newRig(t, options{})
	none.expect("without a connection", "28 01 01 61 00 00 00", "B8 01 03")
}

func TestDeviceRequests(t *testing.T) {
	r := newRig(t, options{})
	var got []string
	answer := func(data []byte, ok bool) {
		if !ok {
			data = []byte("nothing")
		}
		got = append(got, string(data))
	}
	if !r.Request("target", []byte("ask"), answer) {
		t.Fatal("the request was refused")
	}
	r.answers("request", r.take(), "B9 01 00 00 06"+text("target")+text("ask"))
	r.expect("response", "2A 05 01 00"+text("tell"), "BA 05 00")
	r.expect("twice", "2A 05 01 00"+text("tell"), "BA 05 21")
	r.Request("", nil, answer)
	r.answers("without a target", r.take(), "B9 02 00 00 00")
	r.pass(6 * time.Second)
	r.expect("too late", "2A 05 02 00"+text("late"), "BA 05 21")
	r.Request("x", nil, answer)
	r.Reset()
	if s := strings.Join(got, " "); s != "tell nothing nothing" {
		t.Errorf("%s", s)
	}
	r.Open(false)
	if r.Request("x", nil, answer) {
		t.Error("a request outside API mode")
	}
}
