package pymod

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/relay"
)

// since is what a program may use, and the feature level from which on it is
// there (device-facts.md 1.2, 8).
var since = []struct {
	level uint32
	stmt  string
}{
	{0x10, "from xbee import relay\nrelay.send, relay.receive, relay.MAX_DATA_LENGTH"},
	{0x10, "import uos\nuos.replace, uos.hash, uos.urandom"},
	{0x15, "import uselect, select\nselect.poll, uselect.POLLHUP"},
	{0x15, "import ucryptolib\nucryptolib.aes"},
	{0x15, "from xbee import relay\nrelay.callback"},
	{0x15, "import network\nnetwork.Cellular().sms_callback"},
	{0x15, "import network\nnetwork.Cellular().signal"},
	{0x15, "import network\nnetwork.Cellular().shutdown"},
	{0x18, "import uos\nuos.dupterm"},
	{0x18, "import uio\nuio.IOBase"},
	{0x1A, "import network\nnetwork.Cellular().scan"},
	{0x1A, "import utime\nutime.tz_offset"},
	{0x1B, "from xbee import modem_status\nmodem_status.receive, modem_status.callback"},
}

func TestLevels(t *testing.T) {
	for _, level := range []uint32{0x10, 0x11, 0x13, 0x15, 0x16, 0x18, 0x1A, 0x1B, 0x1C} {
		r := newNetRigAt(t, "ltem", level, world.Wall)
		for _, s := range since {
			out := r.run(s.stmt)
			if there := out == ""; there != (level >= s.level) {
				t.Errorf("level %x: %q printed %q", level, s.stmt, out)
			}
			if out != "" && !strings.HasPrefix(out, "ImportError: ") && !strings.HasPrefix(out, "AttributeError: ") {
				t.Errorf("level %x: %q printed %q", level, s.stmt, out)
			}
		}
	}
}

func TestRelay(t *testing.T) {
	r := newNetRigAt(t, "ltem", 0x15, world.Wall)
	r.want(`
from xbee import relay
import xbee
print(relay.SERIAL, relay.BLUETOOTH, relay.MICROPYTHON, relay.MAX_DATA_LENGTH, xbee.relay is relay)
print(relay.receive())
relay.send(relay.MICROPYTHON, 'hello')
relay.send(relay.MICROPYTHON, bytearray(b'\x00\xff'))
m = relay.receive()
print(m['sender'], m['message'], relay.receive()['message'], relay.receive())
`, "0 1 2 1500 True\nNone\n2 b'hello' b'\\x00\\xff' None\n")
	for _, tt := range [][2]string{
		{"relay.send(relay.SERIAL, b'x')", "OSError: [Errno 7111] ECONNREFUSED\n"},
		{"relay.send(relay.BLUETOOTH, b'x')", "OSError: [Errno 7111] ECONNREFUSED\n"},
		{"relay.send(3, b'x')", "OSError: [Errno 7019] ENODEV\n"},
		{"relay.send(-1, b'x')", "OSError: [Errno 7019] ENODEV\n"},
		{"relay.send(2, bytes(1501))", "ValueError: data too long\n"},
		{"relay.send(2, 5)", "TypeError: object with buffer protocol required\n"},
		{"relay.send('2', b'')", "TypeError: can't convert str to int\n"},
		{"relay.callback(1)", "TypeError: callback must be callable\n"},
		{"for i in range(17): relay.send(2, b'x')", "OSError: [Errno 7111] ECONNREFUSED\n"},
	} {
		r.want(tt[0], tt[1])
	}
	r.board.restart()
	var got []byte
	r.board.Relay.SetSerial(func(m relay.Message) bool { got = m.Data; return true })
	r.want("relay.send(relay.SERIAL, 'to serial')", "")
	if string(got) != "to serial" {
		t.Errorf("the serial port got %q", got)
	}
}

// TestCallbacks: a callback runs while the program works or sleeps, takes over
// from polling, and ends with the interpreter's life.
func TestCallbacks(t *testing.T) {
	r := newNetRigAt(t, "ltem", 0x1B, world.Wall).online()
	r.run(`
import time, network
from xbee import relay, modem_status
c = network.Cellular()
got = []
relay.callback(lambda m: got.append(('relay', m['sender'], m['message'])))
c.sms_callback(lambda m: got.append(('sms', m['sender'], m['message'])))
modem_status.callback(lambda s: got.append(('status', s)))
`)
	r.board.Relay.Send(0, 2, []byte("one"))
	r.board.Relay.Send(0, 2, []byte("two"))
	r.board.Modem.DeliverSMS("123", "text")
	r.board.PutModemStatus(0x0E)
	r.want("time.sleep(1)\nfor i in range(10000): pass\nprint(sorted(got))",
		"[('relay', 0, b'one'), ('relay', 0, b'two'), ('sms', '123', 'text'), ('status', 14)]\n")
	for _, f := range []string{"relay.receive()", "c.sms_receive()", "modem_status.receive()"} {
		r.want(f, "OSError: [Errno 7001] EPERM\n")
	}
	// An exception is printed, and the next message comes all the same.
	r.run("def bad(m): 1/0\nrelay.callback(bad)")
	r.board.Relay.Send(0, 2, []byte("x"))
	r.board.Relay.Send(0, 2, []byte("y"))
	if out := r.run("time.sleep(1)\ntime.sleep(1)"); strings.Count(out, "ZeroDivisionError") != 2 {
		t.Errorf("two calls that raise print %q", out)
	}
	r.run("relay.callback(None)\nmodem_status.callback(None)\nc.sms_callback(None)")
	r.board.Relay.Send(0, 2, []byte("polled"))
	r.board.PutModemStatus(2)
	r.want("time.sleep(1)\nprint(relay.receive()['message'], modem_status.receive(), modem_status.receive())", "b'polled' 2 None\n")
	r.run("relay.callback(lambda m: print('never'))")
	r.boot()
	r.board.Relay.Send(0, 2, []byte("z"))
	r.want("import time\ntime.sleep(1)", "")
}

// TestManyEvents: the queue of the scheduler holds four calls, and nothing is
// lost for that.
func TestManyEvents(t *testing.T) {
	r := newNetRigAt(t, "ltem", 0x1B, world.Wall)
	r.run("import time\nfrom xbee import modem_status as m\ngot = []\nm.callback(got.append)")
	want := []string{}
	for i := range 12 {
		r.board.PutModemStatus(byte(i))
		want = append(want, fmt.Sprint(i))
	}
	r.want("for i in range(20000): pass\nprint(got)", "["+strings.Join(want, ", ")+"]\n")
}

func TestCellularOfLaterFirmware(t *testing.T) {
	r := newNetRigAt(t, "ltem", 0x1B, world.Wall)
	r.run("import network, time, utime\nc = network.Cellular()")
	r.want(`
c.active(False)
a = time.ticks_ms()
try:
    c.signal()
except OSError as e:
    print(e, 4900 < time.ticks_ms() - a < 5200)
c.active(True)
`, "[Errno 7110] ETIMEDOUT True\n")
	r.want("print(utime.tz_offset())", "OSError: [Errno 7006] ENXIO\n")
	r.online()
	r.want("s = c.signal()\nprint(sorted(s), all(type(x) is float and x < 0 for x in s.values()))", "['rsrp', 'rsrq', 'rssi'] True\n")
	r.want("print(utime.tz_offset())", "0\n")
	r.want(`
cells = c.scan()
print(len(cells), [x['serving_cell'] for x in cells], sorted(cells[0]))
print(type(cells[0]['mcc']), type(cells[0]['signal']), c.isconnected())
`, "3 [True, False, False] ['area', 'cell_id', 'mcc', 'mnc', 'serving_cell', 'signal']\n<class 'str'> <class 'int'> True\n")
	r.want(`
done = []
print(c.scan(callback=done.append, deep=True), c.isconnected())
try:
    c.scan()
except OSError as e:
    print(e)
time.sleep(20)
print(done)
time.sleep(10)
print(len(done[0]), any(x['serving_cell'] for x in done[0]), c.isconnected())
`, "None False\n7016\n[]\n5 False True\n")
	r.want("c.scan(1)", "TypeError: callback must be callable\n")
	r.want("c.scan(None, True)", "TypeError: extra positional arguments given\n")
	r.want("c.active(False)\nc.scan()", "OSError: [Errno 7019] ENODEV\n")
	r.want("c.active(True)\nc.shutdown(True)", "hard reset\n")
	r.run("import network\nc = network.Cellular()")
	r.want("c.shutdown()\nprint(c.active(), c.isconnected())", "False False\n")
}
