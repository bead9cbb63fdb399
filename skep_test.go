package skep_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/skep-sim/skep"
)

// program is the files of an application that is main.py alone.
func program(main string) fs.FS { return fstest.MapFS{"main.py": {Data: []byte(main)}} }

// module makes a module, which is stopped at the end of the test.
func module(t *testing.T, o skep.Options) *skep.Module {
	t.Helper()
	m, err := skep.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Stop(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// printed is what the program printed: what comes after its last start.
func printed(m *skep.Module) string {
	all := strings.ReplaceAll(m.Output(), "\r\n", "\n")
	return all[strings.LastIndex(all, "Running bytecode...\n")+len("Running bytecode...\n"):]
}

func waitFor(t *testing.T, m *skep.Module, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := m.WaitFor(ctx, text); err != nil {
		t.Fatal(err)
	}
}

func TestResults(t *testing.T) {
	for main, want := range map[string]skep.Result{
		"print('hello')":                 {Ran: true},
		"1/0":                            {Ran: true, Failed: true},
		"import sys; sys.exit()":         {Ran: true},
		"import time\ntime.sleep(99999)": {Off: true},
	} {
		m := module(t, skep.Options{Files: program(main), Script: "at 1h end"})
		if got := m.Run(); got != want {
			t.Errorf("%s: %+v, want %+v\n%s", main, got, want, m.Output())
		}
	}
}

func TestOptionErrors(t *testing.T) {
	for want, o := range map[string]skep.Options{
		"unknown model":                  {Model: "wifi"},
		"unknown firmware":               {Firmware: "99999"},
		"script:1: unknown action dance": {Script: "dance"},
		"write an address and a port":    {Hosts: map[string]string{"a": "localhost"}},
		"whose port is none":             {Hosts: map[string]string{"a": "localhost:http"}},
		"rename one":                     {Files: fstest.MapFS{"A.py": {}, "a.py": {}}},
	} {
		if _, err := skep.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestProfile: a module that somebody described.
func TestProfile(t *testing.T) {
	m := module(t, skep.Options{
		Files:   program("import sys, gc\nprint(sys.implementation.version, gc.mem_free() + gc.mem_alloc())"),
		Profile: "base = \"ltem-11416\"\nheap_bytes = { value = 16384, confidence = \"chosen\", source = \"a test\" }\n",
	})
	m.Run()
	if got := printed(m); got != "(1, 12, 0) 16000\n" {
		t.Errorf("printed %q", got)
	}
	for text, want := range map[string]string{"heap_bytes = 3": "Profile.toml:1: ", "base = \"ltem-99999\"": "there is no profile"} {
		if _, err := skep.New(skep.Options{Profile: text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := skep.New(skep.Options{Profile: "base = \"ltem-11416\"", Model: "ltem"}); err == nil {
		t.Error("a profile and a model")
	}
}

// TestPrompt types at the prompt.
func TestPrompt(t *testing.T) {
	m := module(t, skep.Options{Prompt: true})
	m.Start()
	port := m.Serial()
	waitFor(t, m, ">>> ")
	io.WriteString(port, "import gc\rgc.mem_free(), gc.mem_alloc()\r")
	waitFor(t, m, "(31568, 432)")
	port.Close()
	if r := m.Wait(); r != (skep.Result{}) {
		t.Errorf("%+v", r)
	}
	all, err := io.ReadAll(port)
	if err != nil || string(all) != m.Output() {
		t.Errorf("read %q, %v, want %q", all, err, m.Output())
	}
	if _, err := port.Write([]byte("x")); err == nil {
		t.Error("the port of a module that is off takes bytes")
	}
	if err := m.WaitFor(t.Context(), "never"); err == nil || !strings.Contains(err.Error(), "off before it sent") {
		t.Error(err)
	}
}

// TestControl does things to a module that runs on the host's clock.
func TestControl(t *testing.T) {
	var console, uart lockedBuffer
	var log lockedBuffer
	m := module(t, skep.Options{RealTime: true, Console: &console, UART: &uart, Log: func(s string) { fmt.Fprintln(&log, s) }, Files: program(`
from machine import Pin, ADC, I2C, UART, PWM
import time, network
button = Pin('D0', Pin.IN, Pin.PULL_UP)
level, bus, port, light = ADC('D2'), I2C(1), UART(1, 9600), PWM('P0')
cell = network.Cellular()
shown = None
while True:
    sms = cell.sms_receive()
    if sms:
        print('sms', sms['sender'], sms['message'])
        cell.sms_send('+15550100', 'got it')
    now = (button(), level.read(), bus.scan(), cell.isconnected())
    if now != shown:
        shown = now
        print(*now)
        light.duty(level.read() // 4)
    if port.any():
        port.write(b'<' + port.read() + b'>')
    time.sleep_ms(10)
`)})
	m.Start()
	waitFor(t, m, "1 4095 []")
	if err := errors.Join(m.SetPin("D0", false), m.SetAnalog("D2", 1.25), m.AttachI2C(0x40, "hdc1080")); err != nil {
		t.Fatal(err)
	}
	waitFor(t, m, "0 2048 [64]")
	if p, err := m.Pin("P0"); err != nil || !p.Output || p.Duty != 512 {
		t.Errorf("%+v, %v", p, err)
	}
	if err := errors.Join(m.ReleasePin("D0"), m.AttachI2CDevice(0x11, &register{}), m.SetSensor(0x40, "temperature", 30)); err != nil {
		t.Fatal(err)
	}
	waitFor(t, m, "1 2048 [17, 64]")
	m.SendUART([]byte("ping"))
	m.DeliverSMS("+15551234", "hello")
	waitFor(t, m, "sms +15551234 hello")
	waitFor(t, m, "[17, 64] True")
	m.LoseNetwork()
	waitFor(t, m, "[17, 64] True\r\n1 2048 [17, 64] False")
	m.ReturnNetwork()
	for uart.String() != "<ping>" || len(m.SentSMS()) != 1 {
		if t.Context().Err() != nil {
			t.Fatal("no answers")
		}
		time.Sleep(time.Millisecond)
	}
	if s := m.SentSMS()[0]; s.Phone != "+15550100" || s.Text != "got it" {
		t.Errorf("sent %+v", s)
	}
	m.BrownOut()
	waitFor(t, m, "> \r\nParsing") // it begins anew
	if answer, err := m.AT("VR"); err != nil || answer != "11413" {
		t.Errorf("ATVR %q, %v", answer, err)
	}
	if _, err := m.AT("ZZ"); err == nil {
		t.Error("ATZZ is known")
	}
	m.Stop()
	if console.String() != m.Output() {
		t.Error("the console has seen something else")
	}
	if _, err := m.AT("VR"); err == nil || !strings.Contains(err.Error(), "no power") {
		t.Errorf("AT without power: %v", err)
	}
	for _, err := range []error{
		m.SetPin("D77", true), m.SetAnalog("D4", 1), m.SetAnalog("D1", 99), m.ReleasePin(""), m.PressPin("X", 0),
		m.AttachI2C(0x40, "bme"), m.SetSensor(0x41, "temperature", 1), m.SetSensor(0x40, "pressure", 1), m.Script("now"),
		m.AttachI2CDevice(0x80, nil),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "skep: ") {
			t.Errorf("error %v", err)
		}
	}
}

// register is an I2C device with one byte.
type register struct{ v byte }

func (r *register) Begin(read bool) bool { return true }
func (r *register) Put(b byte) bool      { r.v = b; return true }
func (r *register) Get() byte            { return r.v }
func (r *register) End()                 {}

// lockedBuffer is written to by the module's goroutine.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestHosts lets a program reach a server of the test by a name of its own, found
// by the program or by the modem.
func TestHosts(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 100)
			n, _ := c.Read(b)
			fmt.Fprintf(c, "you said %s", b[:n])
			c.Close()
		}
	}()
	m := module(t, skep.Options{
		Hosts: map[string]string{"Greeter.example:7": server.Addr().String(), "other.example": "127.0.0.1:1"},
		Files: program(`
import socket, time, network
while not network.Cellular().isconnected():
    time.sleep(1)
for address in ('greeter.example', 7), socket.getaddrinfo('greeter.example', 7)[0][-1]:
    s = socket.socket()
    s.connect(address)
    s.send(b'hi')
    print(s.recv(100))
    s.close()
for host, port in ('greeter.example', 8), ('unknown.example', 7), ('other.example', 99):
    try:
        socket.socket().connect((host, port))
    except OSError as e:
        print(e)
`)})
	m.Run()
	if got, want := printed(m), "b'you said hi'\nb'you said hi'\n[Errno 7006] ENXIO\n[Errno 7006] ENXIO\n[Errno 7111] ECONNREFUSED\n"; got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
}

// TestPowerCut: what was not flushed is lost, and the rest is there when the power
// is back.
func TestPowerCut(t *testing.T) {
	m := module(t, skep.Options{
		Files: program(`
import machine, time
try:
    f = open('log.txt')
    print('cause', machine.reset_cause() == machine.PWRON_RESET, f.read(), time.localtime()[:5])
except OSError:
    f = open('log.txt', 'w')
    f.write('flushed')
    f.flush()
    f.write(' and lost')
    time.sleep(1000)
`),
		Script: "at 10s power cut\nat 1h power on",
	})
	m.Run()
	if got, want := printed(m), "cause True flushed (2000, 1, 1, 0, 0)\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	data, err := m.ReadFile("log.txt")
	if err != nil || string(data) != "flushed" {
		t.Errorf("log.txt has %q, %v", data, err)
	}
	if _, err := m.ReadFile("other.txt"); err == nil {
		t.Error("there is no other.txt")
	}
}

// TestState: flash and saved settings outlive the module.
func TestState(t *testing.T) {
	dir := t.TempDir()
	for n := range 3 {
		m := module(t, skep.Options{State: dir, Files: program(`
import xbee
n = len(xbee.atcmd('KL'))
print('was here', n)
xbee.atcmd('KL', 'x' * (n + 1))
xbee.atcmd('WR')
`)})
		m.Run()
		if got, want := printed(m), fmt.Sprintf("was here %d\n", n); got != want {
			t.Errorf("printed %q, want %q", got, want)
		}
		if err := m.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSame: the same files, options and script give the same run.
func TestSame(t *testing.T) {
	run := func(seed uint64) string {
		m := module(t, skep.Options{Seed: seed, Script: "every 7s press D0 for 1s\nat 1m brownout\nat 90s end", Files: program(`
import time, machine
b = machine.Pin('D0', machine.Pin.IN, machine.Pin.PULL_UP)
while True:
    print(time.ticks_ms(), b(), machine.rng())
    time.sleep_ms(machine.rng() % 1000)
`)})
		m.Run()
		return m.Output()
	}
	if a := run(1); a != run(1) || a == run(2) || strings.Count(a, "\n") < 100 {
		t.Error("two runs differ, or two seeds do not")
	}
}

// TestManyModules runs modules side by side.
func TestManyModules(t *testing.T) {
	var all sync.WaitGroup
	for n := range 20 {
		m := module(t, skep.Options{Seed: uint64(n), Files: program("import time\nfor i in range(100):\n    time.sleep(1)\nprint('done')")})
		all.Add(1)
		go func() {
			defer all.Done()
			if r := m.Run(); !r.Ran || printed(m) != "done\n" {
				t.Errorf("%+v, %q", r, printed(m))
			}
		}()
	}
	all.Wait()
}

// TestStopBeforeStart: a module need not be run.
func TestStopBeforeStart(t *testing.T) {
	m := module(t, skep.Options{})
	if err := m.Stop(); err != nil {
		t.Error(err)
	}
	m.Start() // too late
	if r := m.Wait(); r != (skep.Result{}) {
		t.Errorf("%+v", r)
	}
}
