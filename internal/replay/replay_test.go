package replay

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/world/record"
	"github.com/skep-sim/skep/internal/xbee"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/profile"
	"github.com/skep-sim/skep/internal/xbee/script"
)

// run is a device that is to be recorded, and what happens to it.
type run struct {
	files   map[string]string
	typed   string
	script  string
	real    bool
	network world.Network
	repl    bool
	profile [2]string // model and firmware; "" are the defaults
	config  func(c *xbee.Config)
	// during is called when the device has been started, on another goroutine.
	during func(t *testing.T, d *xbee.Device, out *output)
	before func(d *xbee.Device)
}

// output is what a device has sent.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// wait waits until the device has sent a text.
func (o *output) wait(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !strings.Contains(o.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("no %q in %q", text, o.String())
			return
		}
	}
}

// recorded runs the device and returns the recording, what it sent, and its flash.
func (r run) recorded(t *testing.T) (file []byte, out string, f *flash.Device) {
	t.Helper()
	p, err := profile.Find(r.profile[0], r.profile[1])
	if err != nil {
		t.Fatal(err)
	}
	f, err = flash.Open(flash.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	var list []flash.HostFile
	for name, text := range r.files {
		list = append(list, flash.HostFile{Path: name, Data: []byte(text), Secure: strings.HasSuffix(name, ".key")})
	}
	if _, err := f.Lay(list); err != nil {
		t.Fatal(err)
	}
	w := world.Virtual(7)
	if r.real {
		w = world.Real()
	}
	if r.network != nil {
		w = w.WithNetwork(r.network)
	}
	var sent output
	var in io.Reader = strings.NewReader(r.typed)
	if r.during != nil {
		pr, _ := io.Pipe()
		in = io.MultiReader(in, pr)
	}
	c := xbee.Config{
		Profile: &p, World: w.WithSerial(world.Console(in, &sent)), Flash: f, Serial: 5, Settings: []string{"AP4"},
		Autostart: !r.repl, NoREPL: !r.repl,
	}
	if r.config != nil {
		r.config(&c)
	}
	var to bytes.Buffer
	c, rec, err := Record(c, Options{To: &to, Command: "test"})
	if err != nil {
		t.Fatal(err)
	}
	d := xbee.New(c)
	if r.script != "" {
		s, err := script.Parse("world", r.script)
		if err != nil {
			t.Fatal(err)
		}
		d.Play(s)
	}
	if r.before != nil {
		r.before(d)
	}
	if r.during != nil {
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.during(t, d, &sent)
		}()
		defer func() { <-done }()
	}
	d.Run()
	if err := rec.Flush(); err != nil {
		t.Fatal(err)
	}
	return to.Bytes(), sent.String(), f
}

// check replays a recording twice and compares.
func check(t *testing.T, file []byte, out string, f *flash.Device) {
	t.Helper()
	for range 2 {
		r, err := Read(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if !r.Log.Whole {
			t.Errorf("the recording is not whole: %v", r.Log.Cut)
		}
		var again bytes.Buffer
		o, err := r.Run(Watch{Output: func(b []byte) { again.Write(b) }})
		if err != nil {
			t.Error(err)
		}
		if again.String() != out {
			t.Errorf("the replay has sent %q, recorded was %q", again.String(), out)
		}
		if !o.Whole || o.Flash.Hash() != f.Hash() {
			t.Errorf("the replay: whole %v, the same flash %v", o.Whole, o.Flash.Hash() == f.Hash())
		}
	}
}

// echo is a server that answers each line with itself.
func echo(t *testing.T) (host, port string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(c, c)
				c.Close()
			}()
		}
	}()
	host, port, _ = net.SplitHostPort(l.Addr().String())
	return host, port
}

// udpEcho is a server that answers each datagram with itself, and its port.
func udpEcho(t *testing.T) (port string) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			c.WriteTo(b[:n], from)
		}
	}()
	_, port, _ = net.SplitHostPort(c.LocalAddr().String())
	return port
}

func TestReplay(t *testing.T) {
	host, port := echo(t)
	socket := strings.NewReplacer("HOST", host, "PORT", port).Replace(`
import usocket, utime, network
c = network.Cellular()
while not c.isconnected():
    utime.sleep_ms(100)
for i in range(3):
    s = usocket.socket()
    s.connect(("HOST", PORT))
    s.send(b"hello %d" % i)
    s.settimeout(20)
    print(s.recv(100))
    s.close()
try:
    s = usocket.socket()
    s.connect(("127.0.0.1", 1))
except OSError as e:
    print(e)
`)
	udp := strings.NewReplacer("HOST", "127.0.0.1", "PORT", udpEcho(t)).Replace(`
import usocket, uselect, utime, network
c = network.Cellular()
while not c.isconnected():
    utime.sleep_ms(100)
s = usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM)
p = uselect.poll()
p.register(s, uselect.POLLIN)
got = 0
while got < 3:
    s.sendto(b"datagram %d" % got, ("HOST", PORT))
    for _ in p.poll(30000):
        print(s.recvfrom(100)[0])
        got += 1
`)
	for name, r := range map[string]run{
		"datagrams": {real: true, profile: [2]string{"ltem", "1141A"}, network: world.HostNetwork(world.RealClock()), files: map[string]string{"main.py": udp}},
		"watchdog": {repl: true, profile: [2]string{"ltem", "1141A"}, script: "at 20s end\n", config: func(c *xbee.Config) { c.Autostart = true },
			files: map[string]string{"main.py": "import machine, utime\nprint('cause', machine.reset_cause())\nw = machine.WDT(timeout=2000, response=machine.HARD_RESET)\nutime.sleep(60)\n"}},
		"messages": {script: "at 6s sms +15551234567 \"one\"\nat 8s sms +15551234567 \"two\"\n", files: map[string]string{"main.py": "import network, utime\nc = network.Cellular()\nfor i in range(20):\n    utime.sleep(1)\n    m = c.sms_receive()\n    if m:\n        print(m['message'], m['sender'])\nc.sms_send(15551234567, 'done')\n"}},
		"asleep":   {repl: true, typed: "import xbee\rxbee.atcmd('SP', 500)\rxbee.atcmd('ST', 1000)\rxbee.atcmd('SM', 4)\r", script: "at 40s serial \"1+1\\r\"\nat 60s end\n"},
		"command mode": {real: true, repl: true, script: "at 1s serial \"+++\"\n", config: func(c *xbee.Config) { c.Settings = []string{"AP0", "GT2"} },
			during: func(t *testing.T, d *xbee.Device, out *output) {
				out.wait(t, "OK\r")
				d.Ask(func(c script.Control) { c.TypeSerial([]byte("ATVR\rATNI test\rATAP1,CN\r")) })
				out.wait(t, "11413\rOK\rOK\r")
				d.Ask(func(c script.Control) { c.TypeSerial([]byte{0x7E, 0, 4, 8, 1, 'N', 'I', 0x5F}) })
				out.wait(t, "NI\x00test")
				d.PowerOff()
			}},
		"computing":      {files: map[string]string{"main.py": "import gc\nprint(sum(range(1000)))\nx = [bytearray(100) for i in range(50)]\nprint(gc.mem_free())\n"}},
		"files":          {files: map[string]string{"main.py": "import uos\nf = open('a.txt', 'w')\nf.write('hello')\nf.close()\nprint(uos.listdir('/flash'))\n1/0\n"}},
		"time":           {real: true, files: map[string]string{"main.py": "import utime\nfor i in range(5):\n    utime.sleep_ms(3)\n    print(utime.ticks_us(), utime.time())\n"}},
		"random":         {real: true, files: map[string]string{"main.py": "import uos\nprint(uos.urandom(8))\n"}},
		"prompt":         {repl: true, typed: "1+1\rimport gc\rgc.mem_free()\rdef f(x):\r  return x*2\r\r\rf(4)\r\x04print(3)\r"},
		"prompt in time": {real: true, repl: true, typed: "1+1\rimport micropython\rmicropython.mem_info(1)\rwhile True: pass\r\x03\rprint(3)\r"},
		"sockets":        {network: world.HostNetwork(world.RealClock()), files: map[string]string{"main.py": socket}},
		"real sockets":   {real: true, network: world.HostNetwork(world.RealClock()), files: map[string]string{"main.py": socket}},
		"script": {script: "at 0s pin D0 high\nat 2s pin D0 low\nat 3s sms +15551234567 \"hello\"\nat 6s power cut\nat 8s power on\nat 40s end\n", repl: true,
			files:  map[string]string{"main.py": "import utime\nfrom machine import Pin\np = Pin('D0', Pin.IN)\nwhile True:\n    print(utime.ticks_ms(), p.value())\n    utime.sleep_ms(700)\n"},
			config: func(c *xbee.Config) { c.Autostart = true }},
		"reset": {repl: true, real: true, typed: "import machine\rmachine.reset()\rprint(4)\rmachine.soft_reset()\r"},
		"outside": {real: true, repl: true, typed: "import utime\rexec('print(1+41)\\nwhile True: utime.sleep_ms(1)')\r",
			before: func(d *xbee.Device) { d.Do(func(c script.Control) { c.SetPin(0, 3300) }) },
			during: func(t *testing.T, d *xbee.Device, out *output) {
				out.wait(t, "42\r\n")
				d.Do(func(c script.Control) { c.DeliverSMS("123", "text") })
				if _, err := d.AT("NI node"); err != nil {
					t.Error(err)
				}
				d.Pin(0)
				d.Ask(func(c script.Control) { c.TypeSerial([]byte("\x03")) })
				out.wait(t, "KeyboardInterrupt")
				d.Ask(func(c script.Control) { c.TypeSerial([]byte("while True: pass\r\r")) })
				out.wait(t, "True: pass\r\n")
				d.Bill()
				d.PowerOff()
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, out, f := r.recorded(t)
			t.Logf("%d bytes of recording; %q", len(file), out)
			check(t, file, out, f)
		})
	}
}

// recordingOf records a short run.
func recordingOf(t *testing.T) *Recording {
	t.Helper()
	file, _, _ := run{files: map[string]string{
		"main.py":      "import gc, utime\nfor i in range(30):\n    print(i, gc.mem_free())\n    utime.sleep(1)\n",
		"cert/aws.key": "secret",
	}}.recorded(t)
	r, err := Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDivergence(t *testing.T) {
	r := recordingOf(t)
	r.Setup.HeapBytes = 30000
	_, err := r.Run(Watch{})
	var d *record.Divergence
	if !errors.As(err, &d) || !strings.Contains(d.Text, "sent to the serial port: recorded") || !strings.Contains(err.Error(), "recorded by skep") {
		t.Errorf("a smaller heap: %v", err)
	}
	r = recordingOf(t)
	r.Setup.Settings = []string{"AP4", "NIother"} // which nothing asks for
	if o, err := r.Run(Watch{}); err != nil || !o.Whole {
		t.Errorf("a name that nobody sees: %v", err)
	}
}

func TestUntil(t *testing.T) {
	r := recordingOf(t)
	var out bytes.Buffer
	o, err := r.Run(Watch{Output: func(b []byte) { out.Write(b) }, Until: 10500 * time.Millisecond})
	if err != nil || o.Whole || o.End == nil || o.End.Reached == 0 {
		t.Fatalf("ended %+v, %v", o, err)
	}
	if text := out.String(); !strings.Contains(text, "\n10 ") || strings.Contains(text, "\n11 ") {
		t.Errorf("after ten seconds: %q", text)
	}
}

// TestLive replays a run that still goes on, from what is in memory.
func TestLive(t *testing.T) {
	p, err := profile.Find("", "")
	if err != nil {
		t.Fatal(err)
	}
	f, err := flash.Open(flash.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	var log *record.Log
	var rec *record.Recorder
	var sent, again bytes.Buffer
	silent, _ := io.Pipe()
	c := xbee.Config{Profile: &p, World: world.Virtual(1).WithSerial(world.Console(silent, &sent)), Flash: f, Settings: []string{"AP4"}}
	c.Note = func(text string) { log = rec.Log() }
	if c, rec, err = Record(c, Options{}); err != nil {
		t.Fatal(err)
	}
	d := xbee.New(c)
	s, err := script.Parse("world", "at 1s serial \"2+2\\r\"\nat 2s say \"now\"\nat 3s serial \"3+3\\r\"\nat 4s end\n")
	if err != nil {
		t.Fatal(err)
	}
	d.Play(s)
	d.Run()
	if log == nil {
		t.Fatal("the script has said nothing")
	}
	for i, l := range []*record.Log{log, rec.Log()} {
		again.Reset()
		r, err := Of(l)
		if err != nil {
			t.Fatal(err)
		}
		o, err := r.Run(Watch{Output: func(b []byte) { again.Write(b) }})
		if err != nil || o.Whole != (i == 1) || !strings.HasPrefix(sent.String(), again.String()) {
			t.Errorf("replay %d: whole %v, %v, %q of %q", i, o.Whole, err, again.String(), sent.String())
		}
		if i == 0 && o.Calls < l.Reach() {
			t.Errorf("a live recording reaches call %d, and was replayed to %d", l.Reach(), o.Calls)
		}
	}
}

type writer func(b []byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// TestFullDisk has the recording's file fail: the run goes on, and whoever recorded is
// told.
func TestFullDisk(t *testing.T) {
	p, err := profile.Find("", "")
	if err != nil {
		t.Fatal(err)
	}
	f, err := flash.Open(flash.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left")
	var file, sent bytes.Buffer
	c := xbee.Config{Profile: &p, World: world.Virtual(1).WithSerial(world.Console(strings.NewReader("1+1\r"), &sent)), Flash: f, Settings: []string{"AP4"}}
	c, rec, err := Record(c, Options{To: writer(func(b []byte) (int, error) {
		if file.Len() > 1000 {
			return 0, full
		}
		return file.Write(b)
	})})
	if err != nil {
		t.Fatal(err)
	}
	xbee.New(c).Run()
	if err := rec.Flush(); !errors.Is(err, full) {
		t.Errorf("a full disk: %v", err)
	}
	if !strings.Contains(sent.String(), "2\r\n") {
		t.Errorf("the run: %q", sent.String())
	}
	if r, err := Read(&file); err != nil || r.Log.Whole {
		t.Errorf("what is on the disk: %v", err)
	}
}

func TestTimeline(t *testing.T) {
	r := recordingOf(t)
	var kinds []string
	for row := range r.Timeline() {
		if !slices.Contains(kinds, row.Kind) {
			kinds = append(kinds, row.Kind)
		}
		if !slices.ContainsFunc(RowKinds(), func(k [2]string) bool { return k[0] == row.Kind }) {
			t.Errorf("a row of kind %q", row.Kind)
		}
		if row.Time > time.Minute {
			break
		}
	}
	slices.Sort(kinds)
	// A host that is slow closes the serial port when the program has printed, or has ended.
	kinds = slices.DeleteFunc(kinds, func(k string) bool { return k == "serial-in" })
	if got := strings.Join(kinds, " "); got != "boot check off serial-out sleep" {
		t.Errorf("kinds %s", got)
	}
	for range r.Timeline() {
		break // whoever has seen enough may go
	}
}
