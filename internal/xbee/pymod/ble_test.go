package pymod

import (
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/pylib"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

func TestBLE(t *testing.T) {
	r := newRigLevel(t, 0x1C)
	r.run("from digi import ble\nimport time")
	r.want("print(ble.active(), ble.config('mac'))", "False b''\n")
	for _, f := range []string{"ble.gap_scan()", "ble.gap_advertise(200000, b'')", "ble.gap_connect(0, bytes(6))"} {
		r.want(f, "OSError: [Errno 7019] ENODEV\n")
	}
	r.want("print(ble.active(True), ble.active())", "True True\n")
	r.want("print(ble.config('interval_ms'), ble.config('latency'), ble.config('timeout_ms'))", "50 0 1000\n")
	r.want("ble.config(interval_ms=100, timeout_ms=5000)\nprint(ble.config('interval_ms'), ble.config('timeout_ms'))", "100 5000\n")
	r.want("ble.gap_advertise(None)\nble.gap_advertise(200000, b'\\x08\\x09My XBee')\nble.gap_advertise(200000)", "")
	r.want(`
a = time.ticks_ms()
s = ble.gap_scan(3000)
print(s.any(), s.get(), s.stopped())
try:
    ble.gap_scan()
except OSError as e:
    print(e)
print([x for x in s], s.stopped(), 3000 <= time.ticks_ms() - a < 3100)
with ble.gap_scan(0, oldest=True) as s:
    print(s.stopped())
print(s.stopped())
s = ble.gap_scan()
s.stop()
print(s.stopped())
ble.gap_scan()
import gc
s = None
gc.collect()
`, "False [] False\n[Errno 7114] EALREADY\n[] True True\nFalse\nTrue\nTrue\n")
	r.want("a = time.ticks_ms()\ntry:\n    ble.gap_connect(ble.ADDR_TYPE_PUBLIC, bytes(6), timeout_ms=700)\nexcept OSError as e:\n    print(e, 700 <= time.ticks_ms() - a < 800)", "[Errno 7110] ETIMEDOUT True\n")
	r.want("print(ble.format_address(b'\\x01\\x25\\xb7\\x93\\x84\\x6f'), ble.parse_address('01:25:B7:93:84:6F'), ble.parse_address('0125b793846f'))",
		"01:25:B7:93:84:6F b'\\x01%\\xb7\\x93\\x84o' b'\\x01%\\xb7\\x93\\x84o'\n")
	r.want("ble.io_callbacks(None, print, lambda: 1)\nble.delete_bondings()", "")
	for _, tt := range [][2]string{
		{"ble.config('name')", "ValueError: unknown config param\n"},
		{"ble.config('mac', latency=1)", "TypeError: either pos or kw args are allowed\n"},
		{"ble.config(latency=501)", "ValueError: invalid value\n"},
		{"ble.config(interval_ms=4000)", "ValueError: invalid value\n"},
		{"ble.config(bogus=1)", "TypeError: extra keyword arguments given\n"},
		{"ble.gap_advertise(19999)", "ValueError: invalid interval\n"},
		{"ble.gap_advertise(20000, bytes(32))", "ValueError: adv_data too long\n"},
		{"ble.gap_scan(0, 2000)", "ValueError: invalid interval or window\n"},
		{"ble.gap_scan(0, 20000, 30000)", "ValueError: invalid interval or window\n"},
		{"ble.gap_connect(0, b'short')", "ValueError: address must be 6 bytes\n"},
		{"ble.gap_connect(9, bytes(6))", "ValueError: invalid value\n"},
		{"ble.xbee_connect(None, print, 'password', 5)", "TypeError: conn must be a gap_connect object\n"},
		{"ble.passkey_confirm(True)", "OSError: [Errno 7107] ENOTCONN\n"},
		{"ble.io_callbacks(1)", "TypeError: callback must be callable\n"},
		{"ble.format_address(b'x')", "ValueError: address must be 6 bytes\n"},
		{"ble.format_address(5)", "TypeError: object with buffer protocol required\n"},
		{"ble.parse_address(b'0125b793846f')", "TypeError: address must be a str\n"},
		{"ble.parse_address('01:25')", "ValueError: invalid address\n"},
		{"ble.parse_address('0:1:2:5:b:7:93846f')", "ValueError: invalid address\n"},
	} {
		r.want(tt[0], tt[1])
	}
	r.want("print(ble.active(False))", "False\n")
	r = newRigLevel(t, 0x15)
	r.want(`
from digi import ble
names = ('io_callbacks', 'PAIRING_REQUIRE_MITM', 'format_address', 'BLE_1M_PHY', 'UUID', 'gap_connect', 'xbee_connect')
print([n for n in names if hasattr(ble, n)])
`, "['UUID', 'gap_connect', 'xbee_connect']\n")
}

func TestUUID(t *testing.T) {
	r := newRigLevel(t, 0x15)
	r.run("from digi import ble\nUUID = ble.UUID")
	r.want(`
a, b = UUID(0x2908), UUID('7dddca00-3e05-4651-9254-44074792c590')
print(a, b, len(a), len(b), repr(UUID(b'0xABcd')))
print(bytes(a), bytearray(b)[:2], bytes(b)[-1:])
print(a == UUID('0x2908'), a == b, a == 0x2908, hash(a) == hash(UUID(0x2908)), {a: 1}[UUID(0x2908)])
print(UUID('7DDDCA00-3E05-4651-9254-44074792C590') == b)
`, "UUID(0x2908) UUID('7dddca00-3e05-4651-9254-44074792c590') 2 16 UUID(0xabcd)\nb'\\x08)' bytearray(b'\\x90\\xc5') b'}'\nTrue False False True 1\nTrue\n")
	for _, bad := range []string{"-1", "0x10000", "'0x123'", "'1234'", "'7dddca00-3e05-4651-9254-44074792c59g'", "'7dddca003e05-4651-9254-44074792c590--'", "b''"} {
		r.want("UUID("+bad+")", "ValueError: invalid UUID\n")
	}
	r.want("UUID(1.5)", "TypeError: can't convert 'float' object to str implicitly\n")
	r.want("UUID()", "TypeError: function takes 1 positional arguments but 0 were given\n")
}

const nmeaTrack = `$GPGGA,120000.00,4530.0000,N,09315.0000,W,1,08,0.9,300.5,M,46.9,M,,
$GPRMC,120000.00,A,4530.0000,N,09315.0000,W,0.0,0.0,010120,,,A
`

func newGNSSRig(t *testing.T) *rig {
	t.Helper()
	r := newRigLevel(t, 0x18)
	p := *r.board.Profile
	p.GNSS.Value = true
	r.board.Profile = &p
	o := vm.XBee()
	fw := vm.NewFirmware(o)
	Errnos(fw)
	pylib.Standard(fw, pylib.SysConfig{Platform: "xbee-cellular", Version: [3]int{1, 11, 0}})
	Declare(fw, p)
	r.vm = vm.New(vm.Config{
		Firmware: fw.Seal(), HeapBytes: 32768,
		Hooks: vm.Hooks{
			Stdout: func(b []byte) { r.out.Write(b) }, Note: r.board.Note,
			Poll: func() {
				if r.vm != nil {
					r.board.Pump(r.vm)
				}
			},
		},
	})
	Attach(r.vm, r.board)
	r.boot()
	return r
}

func TestGNSS(t *testing.T) {
	if p, err := profile.Find("", ""); err != nil || p.GNSS.Value {
		t.Fatalf("the default module has a satellite receiver (%v)", err)
	}
	r := newGNSSRig(t)
	r.run("from digi import gnss\nimport time\ngot = []\ndef cb(l):\n    got.append(l)")
	r.want("gnss.single_acquisition(cb, 20)\ntry:\n    gnss.raw_mode(cb)\nexcept OSError as e:\n    print(e)\ntime.sleep(25)\nprint(got)", "7016\n[None]\n")
	if !strings.Contains(strings.Join(r.notes, "\n"), "track") {
		t.Errorf("the notes are %q", r.notes)
	}
	if err := r.board.GNSS.SetTrack(nmeaTrack, 0); err != nil {
		t.Fatal(err)
	}
	r.want("got = []\ngnss.single_acquisition(cb)\ntime.sleep(9)\nprint(got)\ntime.sleep(2)\nl = got[0]\nprint(l['latitude'], l['longitude'], l['altitude'], l['satellites'])", "[]\n45.5 -93.25 300.5 8\n")
	r.want("got = []\ngnss.single_acquisition(cb, 5)\ntime.sleep(6)\nprint(got)\ngnss.single_acquisition(cb, timeout=0)\ntime.sleep(1)\nprint(got[1]['satellites'])", "[None]\n8\n")
	r.want("got = []\ngnss.raw_mode(cb)\ntime.sleep(3.5)\ngnss.raw_mode(None)\ntime.sleep(3)\nprint(len(got), got[0][:6], got[1][:6])", "6 b'$GPGGA' b'$GPRMC'\n")
	for _, tt := range [][2]string{
		{"gnss.single_acquisition(None)", "TypeError: callback must be callable\n"},
		{"gnss.single_acquisition(cb, -1)", "ValueError: timeout must not be negative\n"},
		{"gnss.raw_mode(5)", "TypeError: callback must be callable\n"},
		{"gnss.raw_mode(cb)\ngnss.single_acquisition(cb)", "OSError: 7016\n"},
	} {
		r.want(tt[0], tt[1])
	}
}
