package skep_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep"
)

func TestBill(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
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
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	m := module(t, skep.Options{Hosts: map[string]string{"echo.test:7": l.Addr().String()}, Files: program(`
import network, time, usocket
while not network.Cellular().isconnected():
    time.sleep(1)
s = usocket.socket()
s.connect(('echo.test', 7))
s.send(b'x' * 100)
n = 0
while n < 100:
    n += len(s.recv(100))
s.close()
time.sleep(3600)
`)})
	if r := m.Run(); !r.Ran || r.Failed {
		t.Fatalf("%+v %s", r, m.Output())
	}
	b := m.Bill()
	if b.Duration < time.Hour || b.Duration > time.Hour+time.Minute {
		t.Errorf("it took %v", b.Duration)
	}
	var echo *skep.Destination
	for i, d := range b.Destinations {
		if d.Host == "echo.test" && d.Port == 7 {
			echo = &b.Destinations[i]
		}
	}
	if echo == nil || echo.Payload != (skep.Bytes{Up: 100, Down: 100}) || echo.Connections != 1 || echo.Proto != "TCP" {
		t.Fatalf("%+v", b.Destinations)
	}
	if sum := b.Total.Total(); sum.Up <= echo.Traffic.Total().Up || b.Month(float64(sum.Up)) < 700*float64(sum.Up) {
		t.Errorf("in all %+v, a month %v", sum, b.Month(float64(sum.Up)))
	}
	var idle time.Duration
	for _, r := range b.Radio {
		if r.State == "idle" {
			idle = r.Time
		}
	}
	if idle < 59*time.Minute || b.Charge < 19 || b.Charge > 25 {
		t.Errorf("idle for %v, %v mAh", idle, b.Charge)
	}
	var text strings.Builder
	if b.Write(&text); !strings.Contains(text.String(), "echo.test:7 TCP") {
		t.Errorf("%s", text.String())
	}
}
