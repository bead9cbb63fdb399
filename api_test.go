package skep_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep"
	"github.com/skep-sim/skep/internal/xbee/frame"
)

// frames sends frames to a module's serial port and hands out those that come.
type frames struct {
	t    *testing.T
	port io.Writer
	come chan string
}

func openFrames(t *testing.T, m *skep.Module) *frames {
	f := &frames{t: t, port: m.Serial(), come: make(chan string, 100)}
	d := &frame.Decoder{Handle: func(data []byte) { f.come <- fmt.Sprintf("%q", data) }}
	go io.Copy(d, m.Serial())
	return f
}

func (f *frames) send(data string) { f.port.Write(frame.Append(nil, []byte(data), false)) }

// expect waits for a frame, passing over modem status.
func (f *frames) expect(want string) {
	f.t.Helper()
	for {
		select {
		case got := <-f.come:
			if got == fmt.Sprintf("%q", want) {
				return
			}
			if !strings.HasPrefix(got, `"\x8a`) {
				f.t.Fatalf("came %s, want %q", got, want)
			}
		case <-time.After(10 * time.Second):
			f.t.Fatalf("%q does not come", want)
		}
	}
}

// status waits for a modem status, passing over others.
func (f *frames) status(want string) {
	f.t.Helper()
	for {
		select {
		case got := <-f.come:
			if got == fmt.Sprintf("%q", want) {
				return
			}
		case <-time.After(10 * time.Second):
			f.t.Fatalf("%q does not come", want)
		}
	}
}

// TestRemoteManagerByFrames: what a host at the serial port has of it.
func TestRemoteManagerByFrames(t *testing.T) {
	rm, err := skep.NewRemoteManager("")
	if err != nil {
		t.Fatal(err)
	}
	defer rm.Close()
	m := module(t, skep.Options{RemoteManager: rm, Settings: []string{"MO7", "AP1"}, RealTime: true, Prompt: true})
	m.Start()
	f := openFrames(t, m)
	f.status("\x8a\x0e") // connected
	ids, _ := rm.Devices()
	if len(ids) != 1 {
		t.Fatalf("devices %v", ids)
	}
	const path, kind = "DataPoint/upload.csv", "text/plain"
	f.send("\x28\x01" + string(rune(len(path))) + path + string(rune(len(kind))) + kind + "\x00\x00#STREAMID,DATA\nlevel,9\n")
	f.expect("\xb8\x01\x00")
	if p := rm.DataPoints(ids[0] + "/level"); len(p) != 1 || p[0].Data != "9" {
		t.Errorf("data points %v of %v", p, rm.Streams())
	}
	f.send("\x28\x02\x05a.txt\x01x\x00\x00what is not a data point")
	f.expect("\xb8\x02\x00")
	f.send("\x28\x02\x0bDataPoint/x\x01x\x00\x00#NOSUCH\n1\n")
	f.expect("\xb8\x02\x01")
	answered := make(chan string)
	go func() {
		answer, err := rm.Request(ids[0], "valve", []byte("open"), 5*time.Second)
		answered <- fmt.Sprint(string(answer), err)
	}()
	f.expect("\xb9\x01\x00\x00\x05valveopen")
	f.send("\x2a\x03\x01\x00done")
	f.expect("\xba\x03\x00")
	if got := <-answered; got != "done<nil>" {
		t.Errorf("answered %s", got)
	}
}

// TestPowerSaving: a dormant modem wakes up for what the host sends.
func TestPowerSaving(t *testing.T) {
	m := module(t, skep.Options{Settings: []string{"DO8"}, Files: program(`
import network, time, xbee
while not network.Cellular().isconnected():
    time.sleep(1)
time.sleep(30)
print(hex(xbee.atcmd('AI')))
network.Cellular().sms_send('+15551234567', 'hi')
print(hex(xbee.atcmd('AI')))
`)})
	m.Run()
	if got := printed(m); got != "0x2c\n0x0\n" {
		t.Errorf("printed %q", got)
	}
	var dormant time.Duration
	for _, r := range m.Bill().Radio {
		if r.State == "dormant (PSM)" {
			dormant = r.Time
		}
	}
	if dormant < 9*time.Second || dormant > 11*time.Second {
		t.Errorf("dormant for %v", dormant)
	}
}
