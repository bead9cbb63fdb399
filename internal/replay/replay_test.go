package replay

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/world"
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
	p, err := profile.Find("", "")
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
	for name, r := range map[string]run{
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
		"outside": {real: true, repl: true, typed: "import utime\rwhile True: utime.sleep_ms(1)\r\r",
			before: func(d *xbee.Device) { d.Do(func(c script.Control) { c.SetPin(0, 3300) }) },
			during: func(t *testing.T, d *xbee.Device, out *output) {
				out.wait(t, "sleep_ms(1)\r\n... \r\n")
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
