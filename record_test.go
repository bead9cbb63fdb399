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
