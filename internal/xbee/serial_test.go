package xbee

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/profile"
	"github.com/skep-sim/skep/internal/xbee/script"
)

// host is a person or a tool at the serial port of a running module.
type host struct {
	t      *testing.T
	keys   *io.PipeWriter
	screen *syncBuffer
	seen   int // how much of the screen was looked at
	device *Device
	off    chan Result
}

// quick are settings with which command mode takes no patience.
var quick = []string{"GT14", "CT32"}

// powered powers a module on whose serial port is in the mode of its registers.
// It is off again when the test ends.
func powered(t *testing.T, files map[string]string, adapt func(*Config)) *host {
	t.Helper()
	r, w := io.Pipe()
	h := &host{t: t, keys: w, screen: &syncBuffer{}, off: make(chan Result, 1)}
	c := config(t, strings.NewReader(""), io.Discard, files)
	c.World = world.Real().WithSerial(world.Console(r, h.screen))
	c.Settings = quick
	if adapt != nil {
		adapt(&c)
	}
	h.device = New(c)
	go func() { h.off <- h.device.Run() }()
	t.Cleanup(func() {
		w.Close()
		h.device.PowerOff()
		select {
		case <-h.off:
		case <-time.After(time.Minute):
			t.Error("the module does not go off")
		}
	})
	return h
}

func (h *host) send(keys string) {
	h.t.Helper()
	if _, err := h.keys.Write([]byte(keys)); err != nil {
		h.t.Error(err)
	}
}

// expect waits until a text has come, which is then forgotten with all before
// it.
func (h *host) expect(want string) {
	h.t.Helper()
	if !h.comes(want, time.Minute) {
		got := h.screen.String()[h.seen:]
		h.t.Fatalf("no %q; there is %q", want, got[max(0, len(got)-500):])
	}
}

func (h *host) comes(want string, limit time.Duration) bool {
	for begin := time.Now(); time.Since(begin) < limit; time.Sleep(time.Millisecond) {
		if i := strings.Index(h.screen.String()[h.seen:], want); i >= 0 {
			h.seen += i + len(want)
			return true
		}
	}
	return false
}

// silence checks that nothing comes for a while.
func (h *host) silence(d time.Duration) {
	h.t.Helper()
	time.Sleep(d)
	if got := h.screen.String()[h.seen:]; got != "" {
		h.t.Errorf("came %q", got)
	}
}

func (h *host) say(keys, want string) {
	h.t.Helper()
	h.send(keys)
	h.expect(want)
}

const guard = 30 * time.Millisecond

// command enters command mode. A busy machine may spoil the guard times of an
// attempt.
func (h *host) command() {
	h.t.Helper()
	for range 10 {
		time.Sleep(guard)
		if h.send("+++"); h.comes("OK\r", 3*time.Second) {
			return
		}
	}
	h.t.Fatalf("no command mode; there is %q", h.screen.String()[h.seen:])
}

func TestCommandMode(t *testing.T) {
	h := powered(t, nil, nil)
	h.command()
	for _, tt := range []struct{ line, want string }{
		{"AT", "OK\r"},
		{"at", "OK\r"},
		{"ATVR", "11413\r"},
		{"\nATAP", "0\r"},
		{"atap4", "OK\r"},
		{"ATAP", "4\r"},
		{"ATAP 0x1", "OK\r"},
		{"ATNIMy XBee,AC", "OK\rOK\r"},
		{"ATNI,BD,ZZ,GT", "My XBee\r3\rERROR\r14\r"},
		{"ATZZ", "ERROR\r"},
		{"AT P", "ERROR\r"},
		{"ATAP9", "ERROR\r"},
		{"hello", "ERROR\r"},
		{"AT" + strings.Repeat("x", 600), "ERROR\r"},
		{"ATFS PWD", "/flash\r"},
		{"ATFS LS nowhere", "ENOENT"},
	} {
		h.say(tt.line+"\r", tt.want)
	}
	h.say("\r\r\rAT\r", "OK\r") // an empty line has no answer
	h.silence(0)
	h.say("ATAP0,CN\r", "OK\rOK\r")
	h.send("AT\r")
	h.silence(guard) // no command mode any more
}

// TestCommandModeTimesOut also checks that what was set counts then.
func TestCommandModeTimesOut(t *testing.T) {
	h := powered(t, nil, func(c *Config) { c.Settings = []string{"GT14", "CTA"} })
	h.command()
	h.say("ATAP4\r", "OK\r")
	time.Sleep(1100 * time.Millisecond)
	h.say("1+1\r", "1+1\r\n2\r\n>>> ")
}

// TestGuardTimes types what only looks like the beginning of command mode: it is
// input, whole.
func TestGuardTimes(t *testing.T) {
	h := powered(t, nil, func(c *Config) { c.Settings = append(quick, "AP4") })
	h.expect(">>> ")
	for _, tt := range []struct {
		pieces []string
		want   string
	}{
		{[]string{"2+++3\r"}, "2+++3\r\n5\r\n>>> "},            // no silence before
		{[]string{"7", "+++8\r"}, "7+++8\r\n15\r\n>>> "},       // silence before, none behind
		{[]string{"7", "+", "+", "9\r"}, "7++9\r\n16\r\n>>> "}, // too slow
		{[]string{"1", "++", "2\r"}, "1++2\r\n3\r\n>>> "},      // too few
		{[]string{"1", "++++", "2\r"}, "1++++2\r\n3\r\n>>> "},  // too many
	} {
		for _, p := range tt.pieces {
			time.Sleep(guard)
			h.send(p)
		}
		h.expect(tt.want)
	}
	h.send("3")
	h.command()
	h.say("ATCN\r", "OK\r")
	h.say("*3\r", "*3\r\n9\r\n>>> ") // the line went on
	h.say("1\r+++", "1\r\n1\r\n>>> +++")
	h.command()
	h.say("ATCC23,CN\r", "OK\rOK\r") // another command character
	time.Sleep(guard)
	h.say("###", "OK\r")
}

// TestEveryMode lets a program run in all modes, with and without the port.
func TestEveryMode(t *testing.T) {
	main := "import xbee, time\nn = 0\nwhile True:\n n += 1\n print('n', n)\n xbee.atcmd('NI', str(n))\n time.sleep_ms(1)\n"
	h := powered(t, map[string]string{"main.py": main}, func(c *Config) { c.Autostart = true })
	last := ""
	for _, mode := range []string{"0", "1", "2", "5"} {
		h.command()
		h.say("ATAP"+mode+",AC\r", "OK\rOK\r")
		h.say("ATNI\r", "\r")
		text := strings.TrimSpace(strings.ReplaceAll(h.screen.String()[:h.seen], "\r", "\n"))
		now := text[strings.LastIndexByte(text, '\n')+1:]
		if now == last || now == " " {
			t.Errorf("ATAP%s: the program stands at %s", mode, now)
		}
		last = now
		h.say("ATCN\r", "OK\r")
		h.silence(guard) // it prints, and nobody sees
	}
	h.command()
	h.say("ATAP4\r", "OK\r")
	h.say("ATCN\r", "OK\r")
	h.expect("\r\nn ")
	h.command() // among all that output
	h.say("ATAP0,CN\r", "OK\rOK\r")
	h.silence(guard)
}

// TestProgramChangesMode: what a program sets counts at once.
func TestProgramChangesMode(t *testing.T) {
	h := powered(t, nil, func(c *Config) { c.Settings = append(quick, "AP4") })
	h.expect(">>> ")
	h.send("import xbee; print('before'); xbee.atcmd('AP', 0); print('be' + 'hind')\r")
	h.expect("\r\nbefore\r\n")
	h.silence(guard)
	h.command()
	h.say("ATAP\r", "0\r")
	h.say("ATAP4,CN\r", "OK\rOK\r")
	h.say("\r", ">>> ")
}

// TestPythonCommands interrupts a tight loop, and a program that waits, from
// command mode.
func TestPythonCommands(t *testing.T) {
	files := map[string]string{"main.py": "print('ma' 'in')\n"}
	h := powered(t, files, func(c *Config) { c.Settings = append(quick, "AP4") })
	h.expect(">>> ")
	for _, program := range []string{"while True: pass\r\r", "import time; time.sleep(1000)\r", "import sys; sys.stdin.read(1)\r"} {
		h.say(program, "\r\n")
		h.command()
		h.say("ATPY^\r", "OK\r")
		h.say("ATCN\r", "OK\r")
		h.say("2+3\r", "\r\n5\r\n>>> ")
	}
	h.command()
	h.say("ATPYV\r", "MicroPython v1.11")
	h.say("ATPYB\r", "bytecode: 0 bytes (hash=0x00000000)\rbundled: 2000-01-01T00:00:00\r")
	h.say("ATPYC\r", "ERROR\r")
	h.say("ATPY\r", "ERROR\r")
	h.say("ATPS1\r", "OK\r")
	h.say("ATPYE\r", "OK\r")
	h.say("ATCN\r", "OK\r")
	before := h.seen
	h.say("7*6\r", "42\r\n>>> ")
	if got := h.screen.String()[before:h.seen]; strings.Contains(got, "main\r\n") {
		t.Errorf("main was run: %q", got)
	}
	h.say("\x04", "soft reboot\r\n")
	h.expect("main\r\n")
}

// loops starts the application by itself from now on, and sees it print something
// each time it starts anew.
func (h *host) loops(prints string) {
	h.t.Helper()
	h.command()
	h.say("ATAP4,PS1,WR\r", "OK\rOK\rOK\r")
	h.say("ATFR\r", "OK\r")
	h.expect(prints)
	h.expect(prints)
}

// TestBootLoop is an application that restarts for ever, and its rescue.
func TestBootLoop(t *testing.T) {
	files := map[string]string{"main.py": "print('bo' 'oting')\nimport machine\nmachine.soft_reset()\n"}
	h := powered(t, files, nil)
	h.loops("booting\r\n")
	h.command()
	h.say("ATPS0,WR\r", "OK\rOK\r")
	h.say("ATFR\r", "OK\r")
	h.expect(">>> ")
	h.silence(2 * guard)
}

// TestShortBootLoop is one that is over in an instant each time: ATPY^ ends it all
// the same.
func TestShortBootLoop(t *testing.T) {
	h := powered(t, map[string]string{"main.py": "import os\nos.bundle('none.mpy')\n"}, nil)
	h.loops("Embedded 0 module(s)")
	h.command()
	h.say("ATPY^\r", "OK\r")
	h.say("ATCN\r", "OK\r")
	h.say("2+3\r", "\r\n5\r\n>>> ")
}

// TestReset answers before it restarts, and keeps what was saved.
func TestReset(t *testing.T) {
	h := powered(t, nil, nil)
	h.command()
	h.say("ATNIlost,FR\r", "OK\rOK\r")
	time.Sleep(resetDelay + resetTime + 50*time.Millisecond)
	h.command()
	h.say("ATNI\r", " \r")
	h.say("ATNIkept,WR,FR\r", "OK\rOK\rOK\r")
	time.Sleep(resetDelay + resetTime + 50*time.Millisecond)
	h.command()
	h.say("ATNI\r", "kept\r")
}

// echo is a server that sends back what it gets.
func echo(t *testing.T) (port string) {
	t.Helper()
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
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}

// online powers on a module that is connected to the Internet, in transparent
// mode.
func online(t *testing.T, settings ...string) *host {
	return onlineIn(t, func(w world.World) world.World { return w }, settings...)
}

func onlineIn(t *testing.T, adapt func(world.World) world.World, settings ...string) *host {
	h := powered(t, nil, func(c *Config) {
		c.Settings = append(append([]string{"AP4"}, quick...), settings...)
		clock := world.NewVirtualClock(world.VirtualStart)
		c.World = adapt(c.World.WithClock(clock).WithNetwork(world.HostNetwork(clock)))
	})
	h.expect(">>> ")
	h.say("import time; time.sleep(5)\r", "\r\n>>> ")
	h.transparent()
	return h
}

func (h *host) transparent() {
	h.t.Helper()
	h.command()
	h.say("ATAP0\r", "OK\r")
	h.say("ATCN\r", "OK\r")
}

// ask enters command mode, asks, and leaves it.
func (h *host) ask(command, want string) {
	h.t.Helper()
	if got := h.answer(command); got != want {
		h.t.Fatalf("AT%s: %q, want %q", command, got, want)
	}
}

func (h *host) answer(command string) string {
	h.t.Helper()
	h.command()
	from := h.seen
	h.say("AT"+command+"\r", "\r")
	line := h.screen.String()[from : h.seen-1]
	h.say("ATCN\r", "OK\r")
	return line
}

// result asks for the outcome of an attempt to connect or send until it is there: looking a name up takes the host's
// time.
func (h *host) result(want string) {
	h.t.Helper()
	got := ""
	for begin := time.Now(); time.Since(begin) < time.Minute; {
		if got = h.answer("CI"); got == want {
			return
		}
	}
	h.t.Fatalf("ATCI is %s, not %s", got, want)
}

func TestTransparentTCP(t *testing.T) {
	port, _ := strconv.Atoi(echo(t))
	h := online(t, "DLlocalhost", fmt.Sprintf("DE%X", port))
	h.ask("CI", "FF")
	h.ask("OD", "0.0.0.0")
	h.say("hello", "hello")
	h.say("again, and longer than the first time", "again, and longer than the first time")
	h.ask("CI", "0")
	h.ask("OD", "127.0.0.1")
	h.command()
	h.say("ATSI\r", "0x00*\r\r")
	h.say("ATSI0\r", "0x00\rCONNECTED\rTCP\r0x")
	h.expect(fmt.Sprintf("\r0x%X\r127.0.0.1\r\r", port))
	h.say("ATSI2\r", "ERROR\r")
	h.say("ATTMBB8,CN\r", "OK\rOK\r") // closes, though it is what it was
	h.ask("CI", "21")
	h.ask("OD", "0.0.0.0")
	h.say("new", "new")
	h.ask("CI", "0")
	big := strings.Repeat("0123456789abcdef", 4096)
	go h.keys.Write([]byte(big))
	h.expect(big)
	h.ask("AP4", "OK") // another mode closes, too
	h.say("\r", ">>> ")
	h.transparent()
	h.ask("CI", "21")
	// nobody listens
	h.ask("DE9", "OK")
	h.send("lost")
	h.result("26")
	h.ask("DLno.such.host.invalid", "OK")
	h.send("lost")
	h.result("12")
	h.ask("DL0.0.0.0", "OK")
	h.send("lost")
	h.result("2")
}

// weak is an entropy with which every read of a weakly fed module comes back empty.
type weak struct{}

func (weak) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestTransparentOnUSB has reads that come back empty, which is no end of a
// connection.
func TestTransparentOnUSB(t *testing.T) {
	port, _ := strconv.Atoi(echo(t))
	h := onlineIn(t, func(w world.World) world.World { return w.WithEntropy(weak{}).WithPower(world.USB) },
		"DLlocalhost", fmt.Sprintf("DE%X", port))
	h.say("hello", "hello")
	h.say("again", "again")
	h.ask("CI", "0")
}

// TestPacketsOfTransparentMode looks at what is sent when.
func TestPacketsOfTransparentMode(t *testing.T) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, p, _ := net.SplitHostPort(l.LocalAddr().String())
	port, _ := strconv.Atoi(p)
	h := online(t, "IP0", "DL127.0.0.1", fmt.Sprintf("DE%X", port), "TDD", "RO50")
	buf := make([]byte, 2000)
	var from net.Addr
	next := func(want string) {
		t.Helper()
		l.SetDeadline(time.Now().Add(10 * time.Second))
		n, a, err := l.ReadFrom(buf)
		if err != nil || string(buf[:n]) != want {
			t.Fatalf("datagram %q, %v; want %q", buf[:n], err, want)
		}
		from = a
	}
	h.send("one\rtwo\rthree")
	next("one\r")
	next("two\r")
	next("three") // after a silence
	h.send("before")
	h.command() // sends what is left
	next("before")
	l.WriteTo([]byte("an answer"), from)
	h.silence(guard) // command mode has the port
	h.say("ATCN\r", "OK\r")
	h.expect("an answer")
	h.ask("CI", "0")
	h.send(strings.Repeat("x", 700))
	next(strings.Repeat("x", 512))
	next(strings.Repeat("x", 188))
	// text messages
	h.ask("IP2", "OK")
	h.send("a message\r")
	h.result("2") // to nobody
	h.ask("P#15551234567", "OK")
	h.send("a message\r")
	h.result("0")
	h.device.Ask(func(c script.Control) { (*Device)(c.(*hand)).modem.DeliverSMS("15557654321", "an answer by SMS") })
	h.expect("an answer by SMS")
}

func TestBypass(t *testing.T) {
	h := powered(t, nil, nil)
	h.command()
	h.say("ATIM\r", "\r")
	imei := strings.TrimSpace(h.screen.String()[h.seen-16 : h.seen])
	h.say("ATAP5,CN\r", "OK\rOK\r")
	h.say("AT\r", "AT\r\r\nOK\r\n")
	h.say("ATE0\r", "ATE0\r\r\nOK\r\n")
	h.say("at+cgsn\r", "\r\n"+imei+"\r\n\r\nOK\r\n")
	h.say("ATI\r", "\r\nSkep virtual modem\r\n")
	h.expect("OK\r\n")
	h.say("AT+USOCR=6\r", "\r\nERROR\r\n")
	h.say("nonsense\r", "\r\nERROR\r\n")
	for _, c := range []string{"+CGMI", "+CGMM", "+CGMR", "+CIMI", "+CCID", "+CSQ", "+CREG?", "+COPS?", "+CGDCONT?"} {
		h.say("AT"+c+"\r", "\r\nOK\r\n")
	}
	h.ask("AI", "2F")
	h.ask("AP4", "OK")
	h.say("import network; network.Cellular().isconnected()\r", "False\r\n>>> ")
	h.command()
	h.say("ATAI\r", "\r")
	if got := h.screen.String(); strings.HasSuffix(got, "2F\r") {
		t.Error("bypass mode has not ended")
	}
}

// TestCallbackAtThePrompt: the callbacks of a program run while nobody types.
func TestCallbackAtThePrompt(t *testing.T) {
	p, err := profile.Find("ltem", "1141A")
	if err != nil {
		t.Fatal(err)
	}
	h := powered(t, nil, func(c *Config) { c.Profile, c.Settings = &p, append(quick, "AP4") })
	h.expect(">>> ")
	h.say("from xbee import relay; relay.callback(lambda m: print('got', m['message']))\r", "\r\n>>> ")
	h.say("relay.send(relay.MICROPYTHON, b'hello')\r", "got b'hello'\r\n")
}

// TestAsleep: what is typed while the module sleeps arrives when it wakes up.
func TestAsleep(t *testing.T) {
	h := powered(t, nil, func(c *Config) { c.Settings = append(quick, "AP4") })
	h.expect(">>> ")
	h.say("import xbee; xbee.XBee().sleep_now(1500)\r", "\r\n")
	h.send("\x034+5\r")
	h.silence(100 * time.Millisecond)
	h.expect("\r\n9\r\n>>> ")
}

// TestDupterm puts a stream in the place of the serial port, which only counts
// while that is not in REPL mode.
func TestDupterm(t *testing.T) {
	p, err := profile.Find("ltem", "1141A")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"stream.py": `
import uio
class Stream(uio.IOBase):
    def __init__(self, keys):
        self.keys, self.seen = keys, b''
    def readinto(self, b):
        if not self.keys:
            return None
        b[0] = self.keys[0]
        self.keys = self.keys[1:]
        return 1
    def write(self, b):
        self.seen += bytes(b)
    def ioctl(self, op, arg):
        return 1 if self.keys else 0
`}
	h := powered(t, files, func(c *Config) { c.Profile, c.Settings = &p, append(quick, "AP4") })
	h.expect(">>> ")
	h.say("import os, stream; s = stream.Stream(b'20+3\\r')\r", "\r\n>>> ")
	h.say("os.dupterm(s)\r", "\r\n>>> ")
	h.say("2+2\r", "\r\n4\r\n>>> ")
	h.ask("AP0", "OK")
	time.Sleep(100 * time.Millisecond)
	h.silence(0)
	h.ask("AP4", "OK")
	h.say("s.seen\r", `b'20+3\r\n23\r\n>>> '`)
}

// TestAPIMode exchanges frames, most of them the worked bytes of
// device-facts.md 11.3.
func TestAPIMode(t *testing.T) {
	h := powered(t, nil, nil)
	h.command()
	h.say("ATAP1\r", "OK\r")
	h.say("ATCN\r", "OK\r")
	const queryAP = "\x7e\x00\x04\x08\x01\x41\x50\x65"
	h.say(queryAP, "\x7e\x00\x06\x88\x01\x41\x50\x00\x01\xe4")
	h.send("garbage\x7e\x00\x04\x08\x01\x41\x50\x66")                                 // a bad checksum
	h.say("\x7e\x00\x04\x08\x01\x5a\x5a\x42", "\x7e\x00\x05\x88\x01\x5a\x5a\x02\xc0") // ZZ is no command
	h.command()
	h.say("ATAP2,CN\r", "OK\rOK\r")
	h.say("\x7e\x00\x04\x08\x7d\x31\x41\x50\x55", "\x7e\x00\x06\x88\x7d\x31\x41\x50\x00\x02") // frame 11 is escaped
	// a frame changes the mode; its answer is a frame
	h.say("\x7e\x00\x05\x08\x01\x41\x50\x04\x61", "\x7e\x00\x05\x88\x01\x41\x50\x00\xe5")
	h.say("\r", ">>> ")
	h.say("from xbee import relay; relay.send(relay.SERIAL, b'x')\r", "ECONNREFUSED")
	h.expect(">>> ")
	h.say("import xbee; xbee.atcmd('AP', 1); relay.send(relay.SERIAL, 'hello')\r", "\x7e\x00\x07\xad\x02hello\x3c")
	// reset: an answer, and a modem status when the module has started
	h.say("\x7e\x00\x04\x08\x01\x57\x52\x4d", "\x7e\x00\x05\x88\x01\x57\x52\x00\xcd") // WR
	h.say("\x7e\x00\x04\x08\x02\x46\x52\x5d", "\x7e\x00\x05\x88\x02\x46\x52\x00\xdd")
	h.expect("\x7e\x00\x02\x8a\x00\x75")
}

// TestUpload keeps code with Ctrl-F, which starts with the module then, and runs
// it with Ctrl-R.
func TestUpload(t *testing.T) {
	h := powered(t, nil, func(c *Config) { c.Settings = append(quick, "AP4") })
	h.expect(">>> ")
	h.say("\x12", "OSError: [Errno 7002] ENOENT\r\n>>> ")
	h.say("\x06", "1^^^ ")
	h.say("x = 6\r", "2^^^ ")
	h.say("print('x', x * 7)\x04", "startup [Y/N]?")
	h.say("Y", "Y\r\n>>> ")
	h.say("\x12", "\r\nLoading /flash/main.mpy...\r\nRunning bytecode...\r\nx 42\r\n>>> ")
	h.say("\x04", "soft reboot\r\n")
	h.expect("\r\nx 42\r\n>>> ")
	h.command()
	h.say("ATPS\r", "1\r")
	h.say("ATFR\r", "OK\r")
	h.expect("\r\nx 42\r\n>>> ")
}

// TestBreak holds the line in the break condition: for six seconds, and through a
// reset. Either leads to command mode at 9600 8N1, whatever is set.
func TestBreak(t *testing.T) {
	h := powered(t, nil, func(c *Config) {
		c.Settings = []string{"AP4", "BD7", "GT576", "CT1770"}
		c.World = c.World.WithClock(world.NewVirtualClock(world.VirtualStart))
	})
	h.expect(">>> ")
	script := func(text string) {
		t.Helper()
		s, err := script.Parse("test", text)
		if err != nil {
			t.Fatal(err)
		}
		h.device.Play(s)
	}
	baud := func(want int) {
		t.Helper()
		var got int
		h.device.ask(func() { got = h.device.uart.Settings().Baud })
		if got != want {
			t.Errorf("%d baud, want %d", got, want)
		}
	}
	script("at 1s serial break 5s\n")
	h.say("import time; time.sleep(10); print('sl' 'ept')\r", "slept\r\n>>> ") // too short
	baud(115200)
	script("at 1s serial break 7s\n")
	h.say("time.sleep(10)\r", "OK\r")
	baud(9600)
	h.say("ATBD\r", "7\r")
	h.say("ATCN\r", "OK\r")
	baud(115200)
	h.say("\r", ">>> ")
	script("at 1s serial break 3s\n")
	h.say("import machine; time.sleep(2); machine.reset()\r", "OK\r")
	baud(9600)
	h.say("ATAP4\r", "OK\r")
}

// TestTransparentTLS secures the connection with the files of AT$0.
func TestTransparentTLS(t *testing.T) {
	pair := httptest.NewUnstartedServer(nil)
	pair.StartTLS() // for its certificate
	defer pair.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: pair.TLS.Certificates, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go io.Copy(c, c)
		}
	}()
	_, p, _ := net.SplitHostPort(l.Addr().String())
	port, _ := strconv.Atoi(p)
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate().Raw})
	h := powered(t, map[string]string{"cert/root.pem": string(root), "cert/junk.pem": "junk"}, func(c *Config) {
		c.Settings = append(quick, "AP4", "IP4", "DL127.0.0.1", fmt.Sprintf("DE%X", port), "$0root.pem;;")
		clock := world.NewVirtualClock(world.VirtualStart)
		c.World = c.World.WithClock(clock).WithNetwork(world.HostNetwork(clock))
	})
	h.expect(">>> ")
	h.say("import time; time.sleep(5)\r", "\r\n>>> ")
	h.transparent()
	h.say("secret", "secret")
	h.ask("CI", "0")
	for _, profile := range []string{"junk.pem;;", "missing.pem;;"} {
		h.ask("$0"+profile, "OK") // closes the connection
		h.send("lost")
		h.result("2F")
	}
	h.ask("$0;;", "OK") // nobody is authenticated
	h.say("anyhow", "anyhow")
}
