package pymod

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/remotemanager"
	"github.com/skep-sim/skep/internal/rmlink"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/world/worldtest"
	"github.com/skep-sim/skep/internal/xbee/at"
	"github.com/skep-sim/skep/internal/xbee/drm"
)

const cloudID = "00010000-00000000-03546580-90000002"

// selfSigned is a server's certificate with an RSA key.
var selfSigned = sync.OnceValue(func() tls.Certificate {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().AddDate(100, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

// cloudRig is a module with a Remote Manager.
type cloudRig struct {
	*netRig
	manager *remotemanager.Server
	addr    string
}

func newCloudRig(t *testing.T, level uint32) *cloudRig {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr).AddrPort()
	udp, err := net.ListenPacket("udp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	r := &cloudRig{addr: addr.String(), manager: remotemanager.New(remotemanager.Config{
		Now: time.Now, Certificate: selfSigned(),
		After: func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop },
	})}
	r.manager.Listen(l)
	r.manager.ServePacket(udp)
	t.Cleanup(r.manager.Close)
	r.netRig = newNetRigAt(t, "ltem", level, world.Wall, worldtest.Route{Hosts: "*.devicecloud.com", To: addr}).online()
	r.attach(false)
	return r
}

func (r *cloudRig) attach(off bool) {
	regs := r.board.Registers
	r.board.Cloud = drm.New(drm.Config{
		Modem: r.board.Modem, Clock: r.clock, Off: off,
		Number: func(name string) uint64 { return regs.Active(name).Int() },
		Text:   func(name string) string { return regs.Active(name).Text() },
		Info:   func() rmlink.Info { return rmlink.Info{ID: cloudID, IMEI: "354658090000002", Type: "XBee"} },
		Status: r.board.PutModemStatus, Note: r.board.Note,
	})
}

func (r *cloudRig) set(name string, n uint64) {
	r.t.Helper()
	if _, err := r.board.Registers.Atcmd(name, at.Int(n)); err != nil {
		r.t.Fatal(err)
	}
}

func TestDataPoints(t *testing.T) {
	for _, mo := range []uint64{6, 7, 4} { // TLS for a moment, TLS for ever, plain
		r := newCloudRig(t, 0x11)
		r.set("MO", mo)
		r.want(`
from digi import cloud
import time
print(cloud.TRANSPORT_TCP, cloud.TRANSPORT_UDP, cloud.IDLE, cloud.SENDING, cloud.SUCCESS)
d = cloud.DataPoints()
print(d.status())
d.add('temperature', 21)
time.sleep(60)
d.add('temperature', -5, units='C', quality=7, description='cold, "very"', location=(45.5, -93.25, 300))
d.add('ratio', 0.25)
d.add('name', 'text, with comma')
d.add('big', 5000000000)
d.send()
print(d.status())
try:
    d.send()
except OSError as e:
    print(e)
d.add('temperature', 1)
d.send(timeout=5)
`, "0 1 0 1 2\n0\n2\n[Errno 7022] EINVAL\n")
		points := r.manager.Points(cloudID + "/temperature")
		if len(points) != 3 || points[0].Data != "21" || points[1].Data != "-5" || points[1].Time.Sub(points[0].Time) != time.Minute {
			t.Errorf("MO %d: %v", mo, points)
		}
		if got := r.manager.Points(cloudID + "/name"); len(got) != 1 || got[0].Data != "text, with comma" {
			t.Errorf("MO %d: %v", mo, got)
		}
		// Without the option to stay the connection ends by itself.
		r.clock.Advance(time.Minute)
		r.board.Cloud.Step()
		if up := r.board.Cloud.Connected(); up != (mo&1 == 1) {
			t.Errorf("MO %d: connected is %v", mo, up)
		}
	}
}

func TestDataPointsByDatagram(t *testing.T) {
	r := newCloudRig(t, 0x11)
	r.want(`
from digi import cloud
d = cloud.DataPoints(cloud.TRANSPORT_UDP)
d.add('t', 1)
try:
    d.add('t', 2)
except OSError as e:
    print(e)
d.send()
print(d.status())
d.add('t', 2)
d.send(10)
`, "[Errno 7028] ENOSPC\n2\n")
	if p := r.manager.Points(cloudID + "/t"); len(p) != 2 {
		t.Errorf("%v", p)
	}
	if _, up := r.manager.Devices(); len(up) != 1 || up[0] {
		t.Errorf("a datagram makes a connection")
	}
	if n := len(r.board.Modem.Sockets()); n != 0 {
		t.Errorf("%d sockets are left", n)
	}
}

func TestDataPointErrors(t *testing.T) {
	r := newCloudRig(t, 0x11)
	r.run("from digi import cloud\nd = cloud.DataPoints()")
	for _, tt := range [][2]string{
		{"d.send()", "OSError: [Errno 7022] EINVAL\n"},
		{"d.add(5, 5)", "TypeError: can't convert 'int' object to str implicitly\n"},
		{"d.add('', 5)", "ValueError: stream_name must not be empty\n"},
		{"d.add('s', None)", "TypeError: value must be int, float or str\n"},
		{"d.add('s', b'bytes')", "TypeError: value must be int, float or str\n"},
		{"d.add('s', 1, quality='x')", "TypeError: can't convert str to int\n"},
		{"d.add('s', 1, location=(1, 2))", "ValueError: requested length 3 but object has length 2\n"},
		{"d.add('s')", "TypeError: 'value' argument required\n"},
		{"d.add('s', 1, 'C')", "TypeError: extra positional arguments given\n"},
		{"cloud.DataPoints(5)", "ValueError: invalid transport\n"},
		{"d.send(-1)", "ValueError: timeout must not be negative\n"},
		{"d.add('s', 'x' * 5000)", "OSError: [Errno 7028] ENOSPC\n"},
		{"n = 0\ntry:\n    while True:\n        d.add('stream', n)\n        n += 1\nexcept OSError as e:\n    print(e, 50 < n < 200)", "[Errno 7028] ENOSPC True\n"},
		{"l = [cloud.DataPoints() for i in range(4)]\ncloud.DataPoints()", "OSError: [Errno 7105] ENOBUFS\n"},
		{"l = None\nfor i in range(20): cloud.DataPoints()", ""},
	} {
		r.want(tt[0], tt[1])
	}
	r.set("DO", 0)
	r.want("d.send()", "TypeError: Remote Manager is disabled\n")
	r.set("DO", 1)
	r.board.Modem.SetAirplane(true)
	r.want("d.send()", "OSError: [Errno 7005] EIO\n")
	r.want("print(d.status())", "-7107\n")
	r.board.Modem.SetAirplane(false)
	r.online()
	r.want("d.send()\nprint(d.status())", "2\n")
	r.attach(true)
	r.want("d.add('s', 1)\nd.send()", "OSError: [Errno 7005] EIO\n")
	if !strings.Contains(strings.Join(r.notes, "\n"), "--drm") {
		t.Errorf("the notes do not say what to do: %q", r.notes)
	}
}

// TestLockedDataPoints: an upload that is not answered in time locks the object
// until it is.
func TestLockedDataPoints(t *testing.T) {
	quiet := serve(t, nil, func(c net.Conn) { time.Sleep(10 * time.Second) })
	r := newCloudRig(t, 0x11)
	r.netRig = newNetRigAt(t, "ltem", 0x11, world.Wall, worldtest.Route{Hosts: "*.devicecloud.com", To: quiet}).online()
	r.attach(false)
	r.set("MO", 4)
	r.run("from digi import cloud\nd = cloud.DataPoints()\nd.add('t', 1)")
	r.want("d.send(1)", "OSError: [Errno 7110] ETIMEDOUT\n")
	r.want("print(d.status() == cloud.SENDING)", "True\n")
	r.want("d.add('t', 2)", "OSError: [Errno 7114] EALREADY\n")
	r.want("d.send(1)", "OSError: [Errno 7114] EALREADY\n")
	r.board.Cloud.Sleep()
	r.want("print(d.status())\nd.add('t', 2)", "-7005\n")
	r.want("d.send(0)\nprint(d.status() == cloud.SENDING)", "True\n")
}

// TestForgottenDataPoints: nothing is left of an upload whose object the program
// has lost.
func TestForgottenDataPoints(t *testing.T) {
	quiet, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer quiet.Close()
	r := newCloudRig(t, 0x11)
	to := quiet.LocalAddr().(*net.UDPAddr).AddrPort()
	r.netRig = newNetRigAt(t, "ltem", 0x11, world.Wall, worldtest.Route{Hosts: "*.devicecloud.com", To: to}).online()
	r.attach(false)
	r.run("import gc\nfrom digi import cloud\nd = cloud.DataPoints(cloud.TRANSPORT_UDP)\nd.add('t', 1)")
	r.want("d.send(1)", "OSError: [Errno 7110] ETIMEDOUT\n")
	if n := len(r.board.Modem.Sockets()); n != 1 {
		t.Errorf("%d sockets wait for an answer", n)
	}
	r.want("d = None\ngc.collect()\nprint(cloud.DataPoints().status() == cloud.IDLE)", "True\n")
	if n := len(r.board.Modem.Sockets()); n != 0 {
		t.Errorf("%d sockets are left", n)
	}
}

// requestWhile sends a device request while the program runs.
func (r *cloudRig) requestWhile(data string) <-chan string {
	out := make(chan string, 1)
	go func() {
		b, err := r.manager.Request(cloudID, "micropython", []byte(data), 10*time.Second)
		if err != nil {
			b = []byte("error: " + err.Error())
		}
		out <- string(b)
	}()
	return out
}

const answerOne = `
import time
from digi import cloud
def one():
    while True:
        r = cloud.device_request_receive()
        if r:
            return r
        time.sleep_ms(100)
`

func (r *cloudRig) connect() {
	r.t.Helper()
	r.set("MO", 7)
	for range 6000 {
		r.board.Cloud.Step()
		if r.board.Cloud.Connected() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	r.t.Fatal("the module does not connect to Remote Manager")
}

func TestDeviceRequests(t *testing.T) {
	r := newCloudRig(t, 0x11)
	r.want("from digi import cloud\nprint(cloud.device_request_receive())", "None\n")
	r.connect()
	r.run(answerOne)
	got := r.requestWhile("TOGGLE LED")
	r.want(`
r = one()
print(r.read(6), r.read(), r.read())
print(r.write(b'LED '), r.write(bytearray(b'TOGGLED')))
r.close()
r.close()
`, "b'TOGGLE' b' LED' b''\n4 7\n")
	if s := <-got; s != "LED TOGGLED" {
		t.Errorf("the answer is %q", s)
	}
	r.want("r.read()", "OSError: [Errno 7009] EBADF\n")
	r.want("r.write(b'x')", "OSError: [Errno 7009] EBADF\n")
	// The payload has to be read first; what is let go of is answered.
	got = r.requestWhile("two")
	r.want("r = one()\nr.write(b'x')", "OSError: [Errno 7022] EINVAL\n")
	r.want("b = bytearray(3)\nprint(r.readinto(b), b)\nr = None\nimport gc\ngc.collect()\ncloud.device_request_receive()", "3 bytearray(b'two')\n")
	if s := <-got; s != "" {
		t.Errorf("the answer is %q", s)
	}
	if _, err := r.manager.Request(cloudID, "nobody", nil, 50*time.Millisecond); err == nil {
		t.Error("a target that there is not answers")
	}
	if statuses := r.run("from xbee import relay"); statuses != "" {
		t.Error(statuses)
	}
}

// TestCloudStatus: connecting and disconnecting are modem statuses.
func TestCloudStatus(t *testing.T) {
	r := newCloudRig(t, 0x1B)
	r.connect()
	r.set("DO", 0)
	r.board.Cloud.Step()
	r.want("from xbee import modem_status as m\nprint(m.receive(), m.receive(), m.receive())", "14 15 None\n")
}

func TestIndicator(t *testing.T) {
	r := newCloudRig(t, 0x13)
	at := func(want uint64) {
		t.Helper()
		if got := r.board.Cloud.Indicator(); got != want {
			t.Errorf("DI is %d, want %d", got, want)
		}
	}
	at(5)
	r.set("MO", 7)
	at(2)
	r.board.Modem.SetAirplane(true)
	at(1)
	r.board.Modem.SetAirplane(false)
	r.online()
	r.connect()
	at(0)
	r.set("DO", 0)
	r.board.Cloud.Step()
	at(4)
}

// TestCloudConsole: somebody at Remote Manager types at the program's console.
func TestCloudConsole(t *testing.T) {
	r := newCloudRig(t, 0x18)
	r.want("from digi import cloud\nimport uos\nc = cloud.Console()\nprint(c.isconnected(), c.read(), c.readinto(bytearray(3)), c.write(b'lost'), uos.dupterm(c))",
		"False None None 4 None\n")
	r.connect()
	in, out := io.Pipe()
	defer out.Close()
	q, err := http.NewRequest("POST", "http://"+r.addr+"/console/"+cloudID, in)
	if err != nil {
		t.Fatal(err)
	}
	q.SetBasicAuth("user", "password")
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	go io.WriteString(out, "ip\r")
	r.set("AP", 1)
	v, b := r.vm, r.board
	var typed []byte
	for i := 0; len(typed) < 3; i++ {
		var p [8]byte
		n := b.ReadTerminal(v, p[:], 3)
		typed = append(typed, p[:n]...)
		if i == 500 {
			t.Fatalf("typed: %q", typed)
		}
		if n == 0 {
			time.Sleep(5 * time.Millisecond)
		}
	}
	if string(typed) != "ip\r" || !b.Redirected(v) {
		t.Errorf("typed %q, redirected %v", typed, b.Redirected(v))
	}
	b.WriteTerminal(v, []byte("IP address: 1.2.3.4\r\n"))
	got := make([]byte, len("IP address: 1.2.3.4\r\n"))
	if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != "IP address: 1.2.3.4\r\n" {
		t.Errorf("the person sees %q, %v", got, err)
	}
	if events, again := b.TerminalEvents(v); len(events) == 0 || again >= 0 {
		t.Error("the console cannot be waited for")
	}
	r.set("AP", 4)
	if b.Redirected(v) {
		t.Error("the console is redirected although AP is 4")
	}
	r.want("print(c.isconnected())\nc.close()\nprint(c.isconnected(), uos.dupterm(None) == c, uos.dupterm(None))", "True\nFalse True None\n")
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) != 0 {
		t.Errorf("after the end: %q, %v", rest, err)
	}
}

func TestDupterm(t *testing.T) {
	r := newRigLevel(t, 0x18)
	r.want(`
import uio, uos
class Term(uio.IOBase):
    def __init__(self, text):
        self.text, self.out = text, b''
    def readinto(self, b):
        if not self.text:
            return None
        b[0], self.text = self.text[0], self.text[1:]
        return 1
    def write(self, b):
        self.out += b
        return len(b)
t = Term(b'ab\x03c')
print(uos.dupterm(t), uos.dupterm(t, 0) is t)
`, "None True\n")
	b, v := r.board, r.vm
	var p [8]byte
	if n := b.ReadTerminal(v, p[:], 3); string(p[:n]) != "ab" {
		t.Errorf("read %q", p[:n])
	}
	r.want("while True: pass", "KeyboardInterrupt: \n")
	if n := b.ReadTerminal(v, p[:], 3); string(p[:n]) != "c" {
		t.Errorf("read %q", p[:n])
	}
	b.WriteTerminal(v, []byte("hello"))
	r.want("print(t.out)", "b'hello'\n")
	for _, tt := range [][2]string{
		{"uos.dupterm(t, 1)", "ValueError: invalid dupterm index\n"},
		{"uos.dupterm(5)", "OSError: stream operation not supported\n"},
		{"uos.dupterm(open('/flash/f', 'w'))", "OSError: stream operation not supported\n"},
	} {
		r.want(tt[0], tt[1])
	}
	// One that raises, or ends, is given up.
	r.run("class Bad(Term):\n    def readinto(self, b): raise ValueError('no')\n    def write(self, b): 1/0\n    def ioctl(self, r, a): return 0\nuos.dupterm(Bad(b''))")
	r.out.Reset()
	b.WriteTerminal(v, []byte("x"))
	if out := r.out.String(); !strings.HasPrefix(out, "dupterm: Exception in write() method, deactivating: Traceback") || !strings.Contains(out, "ZeroDivisionError") {
		t.Errorf("printed %q", out)
	}
	r.run("uos.dupterm(Bad(b''))")
	r.out.Reset()
	if n := b.ReadTerminal(v, p[:], -1); n != 0 || !strings.Contains(r.out.String(), "Exception in read() method, deactivating: Traceback") {
		t.Errorf("printed %q", r.out.String())
	}
	r.run("import uio\nclass End(Term):\n    def readinto(self, b): return 0\nuos.dupterm(End(b''))")
	r.out.Reset()
	if n := b.ReadTerminal(v, p[:], -1); n != 0 || r.out.String() != "dupterm: EOF received, deactivating\n" {
		t.Errorf("printed %q", r.out.String())
	}
	r.want("print(uos.dupterm(None))", "None\n")
}
