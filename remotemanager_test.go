package skep_test

import (
	"testing"
	"time"

	"github.com/skep-sim/skep"
)

// TestRemoteManager: data points go up, a request comes down and is answered.
func TestRemoteManager(t *testing.T) {
	rm, err := skep.NewRemoteManager("")
	if err != nil {
		t.Fatal(err)
	}
	defer rm.Close()
	m := module(t, skep.Options{RemoteManager: rm, Settings: []string{"MO7"}, RealTime: true, Files: program(`
import time, network, xbee
from digi import cloud
while not network.Cellular().isconnected():
    time.sleep(0.2)
d = cloud.DataPoints()
d.add('level', 7)
d.send()
print('sent', d.status() == cloud.SUCCESS, xbee.atcmd('DI'))
while True:
    r = cloud.device_request_receive()
    if r:
        print(r.read())
        r.write('valve open')
        r.close()
        break
    time.sleep(0.1)
`)})
	m.Start()
	waitFor(t, m, "sent True 0")
	ids, up := rm.Devices()
	if len(ids) != 1 || !up[0] {
		t.Fatalf("devices %v %v", ids, up)
	}
	if p := rm.DataPoints(ids[0] + "/level"); len(p) != 1 || p[0].Data != "7" || len(rm.Streams()) != 1 {
		t.Errorf("data points %v of %v", p, rm.Streams())
	}
	answer, err := rm.Request(ids[0], "micropython", []byte("VALVE_ON"), 5*time.Second)
	if err != nil || string(answer) != "valve open" {
		t.Errorf("answered %q, %v", answer, err)
	}
	m.Wait()
	if got := printed(m); got != "sent True 0\nb'VALVE_ON'\n" {
		t.Errorf("printed %q", got)
	}
	if _, err := rm.Request("nobody", "micropython", nil, time.Second); err == nil {
		t.Error("a device that is not there answers")
	}
}

// TestNoRemoteManager: a module without one says so.
func TestNoRemoteManager(t *testing.T) {
	m := module(t, skep.Options{Files: program(`
from digi import cloud
import time
time.sleep(30)
d = cloud.DataPoints()
d.add('level', 7)
try:
    d.send()
except OSError as e:
    print(e)
`)})
	m.Run()
	if got := printed(m); got != "[Errno 7005] EIO\n" {
		t.Errorf("printed %q", got)
	}
}
