package skep_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/skep-sim/skep"
)

func TestRecord(t *testing.T) {
	files := fstest.MapFS{"main.py": {Data: []byte(`
import utime
from machine import Pin
p = Pin("D4", Pin.IN, Pin.PULL_UP)
while p.value() == 1:
    utime.sleep_ms(5)
print("pressed", utime.ticks_ms() > 0)
`)}}
	for _, real := range []bool{false, true} {
		var recording, sent, again bytes.Buffer
		m, err := skep.New(skep.Options{Files: files, RealTime: real, Record: &recording, Console: &sent})
		if err != nil {
			t.Fatal(err)
		}
		m.Start()
		if err := m.WaitFor(t.Context(), "Running"); err != nil {
			t.Fatal(err)
		}
		if _, err := m.AT("NI node"); err != nil {
			t.Error(err)
		}
		if err := m.SetPin("D4", false); err != nil {
			t.Fatal(err)
		}
		result := m.Wait()
		if err := m.Stop(); err != nil {
			t.Fatal(err)
		}
		replayed, err := skep.Replay(bytes.NewReader(recording.Bytes()), &again)
		if err != nil || replayed != result || again.String() != sent.String() || !strings.Contains(sent.String(), "pressed True") {
			t.Errorf("replayed %+v, %v, %q; recorded %+v, %q", replayed, err, again.String(), result, sent.String())
		}
		// Cut in two: it is replayed as far as it goes.
		half := recording.Bytes()[:recording.Len()-40]
		if _, err := skep.Replay(bytes.NewReader(half), nil); err == nil || !strings.Contains(err.Error(), "the recording ends at call") {
			t.Errorf("a recording that was cut: %v", err)
		}
	}
}

// TestRecordPowerCut has the power fail and come back from outside, at whatever
// moment the host's clock brings.
func TestRecordPowerCut(t *testing.T) {
	var recording, sent, again bytes.Buffer
	m, err := skep.New(skep.Options{
		Files:    fstest.MapFS{"main.py": {Data: []byte("import utime\nf = open('log', 'a')\nf.write('on ')\nf.flush()\nprint('up')\nwhile True:\n    utime.sleep_ms(1)\n")}},
		RealTime: true, Prompt: true, Settings: []string{"PS1"}, Record: &recording, Console: &sent,
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Start()
	if err := m.WaitFor(t.Context(), "up"); err != nil {
		t.Fatal(err)
	}
	m.CutPower()
	m.RestorePower()
	for end := time.Now().Add(time.Minute); strings.Count(m.Output(), "up") < 2 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := skep.Replay(&recording, &again); err != nil || again.String() != sent.String() {
		t.Errorf("replayed %v, %q; recorded %q", err, again.String(), sent.String())
	}
}

// counting is a device of the test's own on the bus: it counts what is asked of it.
type counting struct{ n byte }

func (c *counting) Begin(bool) bool { return c.n < 3 }
func (c *counting) Put(b byte) bool { c.n += b; return true }
func (c *counting) Get() byte       { c.n++; return c.n }
func (c *counting) End()            {}

func TestRecordOwnDevice(t *testing.T) {
	var recording, sent, again bytes.Buffer
	m, err := skep.New(skep.Options{Record: &recording, Console: &sent, Files: fstest.MapFS{"main.py": {Data: []byte(`
from machine import I2C
i2c = I2C(1)
print(i2c.scan(), i2c.readfrom(0x22, 1), i2c.readfrom(0x22, 2))
try:
    i2c.readfrom(0x22, 1)
except OSError as e:
    print(e)
`)}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.AttachI2CDevice(0x22, &counting{}); err != nil {
		t.Fatal(err)
	}
	m.Run()
	if !strings.Contains(sent.String(), "[34] b'\\x01' b'\\x02\\x03'\r\n") {
		t.Errorf("sent %q", sent.String())
	}
	if _, err := skep.Replay(&recording, &again); err != nil || again.String() != sent.String() {
		t.Errorf("replayed %v, %q", err, again.String())
	}
}
