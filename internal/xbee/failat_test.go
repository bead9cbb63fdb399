package xbee

import (
	"bytes"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/syntax"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// deviceProgram uses the modules that only a module of Digi's has, for what they
// allocate.
const deviceProgram = `
import uos, uio, usocket, network, machine, xbee, utime, ujson, ubinascii, uerrno
def tried(f, *a):
    try: return f(*a)
    except OSError as e: return e
with open('a.txt', 'w') as f:
    f.write('one\ntwo\n' * 20)
with open('a.txt') as f:
    lines = [l for l in f]
    f.seek(0)
    rest = f.read()
with open('b.bin', 'wb') as f: f.write(bytes(range(200)))
with open('b.bin', 'rb') as f: f.readinto(bytearray(50))
uos.mkdir('d'); uos.chdir('d'); uos.rename('/flash/a.txt', '/flash/d/c.txt')
names = uos.listdir('/flash'), list(uos.ilistdir('/flash/d')), uos.getcwd(), uos.hash('c.txt')
uos.remove('c.txt'); uos.chdir('..'); uos.rmdir('d')
s = usocket.socket()
s.settimeout(1)
tried(s.connect, ('127.0.0.1', 9)); tried(s.send, b'x'); tried(s.recv, 10)
s.close()
tried(usocket.getaddrinfo, 'nobody.example', 80)
u = usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM)
tried(u.bind, ('0.0.0.0', 0)); tried(u.sendto, b'x', ('127.0.0.1', 9)); u.close()
c = network.Cellular()
state = c.isconnected(), c.ifconfig(), c.config('imei')
x = xbee.XBee()
xbee.atcmd('NI', 'a long enough name'); ni = xbee.atcmd('NI'), x.atcmd('VR'), xbee.atcmd('TP')
t = utime.localtime(), utime.mktime(utime.localtime()), utime.ticks_ms()
r = uos.urandom(20), ujson.dumps({'a': [1, 2.5, None]}), ubinascii.hexlify(machine.unique_id())
uos.compile('m.py'); import m
`

// TestFailAt lets one allocation of a device's program fail, the k-th, for all k, and
// three in a row: the outcome is an exception or the program's end, and a heap in
// which every allocation is somebody's.
func TestFailAt(t *testing.T) {
	p, err := new(profile.Library).Find("", "")
	if err != nil {
		t.Fatal(err)
	}
	fw := NewFirmware(p, nil)
	total := 0
	run := func(k, n int) (exc string) {
		var out bytes.Buffer
		conf := config(t, strings.NewReader(""), &out, map[string]string{"m.py": "def f(a): return a + 'text'\nclass C: x = f('a')\n"})
		conf.Firmware, conf.Note = fw, func(string) {}
		err := New(conf).Trial(func(v *vm.VM) {
			v.StepLimit = 2000
			h := v.Heap()
			before := h.Allocations()
			h.FailRun(k, n)
			if e := v.Try(func() {
				v.Exec([]byte(deviceProgram), "t.py", syntax.File, vm.FileReader, v.MainDict(), v.MainDict())
			}); e != vm.Null {
				v.NewPrinter(func(b []byte) { exc += string(b) }).ReportException(e)
			}
			h.FailAt(0)
			total = int(h.Allocations() - before)
			v.UnlockHeap()
			v.Release(0)
			v.Collect()
			if _, err := v.Audit(); err != nil {
				t.Errorf("allocation %d and %d more: %v", k, n-1, err)
			}
		})
		if err != nil {
			t.Errorf("allocation %d and %d more: %v", k, n-1, err)
		}
		return exc
	}
	if exc := run(0, 0); exc != "" {
		t.Fatal(exc)
	}
	runs := 0
	for all, k := total, 1; k <= all; k += 1 + all/150 {
		for _, n := range [...]int{1, 3} {
			run(k, n)
			runs++
		}
	}
	t.Logf("%d allocations, %d runs", total, runs)
}
