package apptest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// ran runs a file of tests.
func ran(t *testing.T, text string, change func(c *Config, f *File)) *Report {
	t.Helper()
	p, err := profile.Find("", "")
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Profile: &p, Seed: 1, Timeout: time.Minute}
	f := File{Path: "tests/test_x.py", Text: []byte(text)}
	if change != nil {
		change(&c, &f)
	}
	r, err := Run(c, f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// lines are the results, one a line: name, outcome, reason.
func lines(r *Report) string {
	var b strings.Builder
	for _, t := range r.Tests {
		fmt.Fprintf(&b, "%s %s %s\n", t.Name, t.Outcome, t.Reason)
	}
	return b.String()
}

func TestOutcomes(t *testing.T) {
	text := `
import utime
def test_passes():
    assert 1 + 1 == 2
def test_fails():
    x = 3
    assert x == 4, "x is %d" % x
def test_raises():
    return {}["no"]
def test_expects():  # expect: ValueError
    int("x")
def test_expects_in_vain():  # expect: ValueError
    pass
def test_skipped():  # skip: not yet
    1/0
def test_hangs():
    while True:
        utime.sleep(1)
def test_computes():
    while True:
        pass
def test_stubborn():
    while True:
        try:
            utime.sleep(1)
        except KeyboardInterrupt:
            pass
def test_resets():
    import machine
    machine.reset()
def test_may_reset():  # expect: reset
    import machine
    machine.soft_reset()
def test_input():
    import sys
    sys.stdin.read(1)
def test_exit():
    raise SystemExit
def test_memory():
    x = []
    while True:
        x.append(bytearray(1000))
def test_after():
    print("all is well")
def helper():
    1/0
`
	r := ran(t, text, nil)
	want := `test_passes passed 
test_fails failed AssertionError: x is 3
test_raises failed KeyError: no
test_expects passed 
test_expects_in_vain failed it ended well, and was to end with ValueError
test_skipped skipped not yet
test_hangs failed it takes longer than 1m0s on the module's clock: does it hang? (--timeout)
test_computes failed it takes longer than 1m0s on the module's clock: does it hang? (--timeout)
test_stubborn failed it takes longer than 1m0s on the module's clock: does it hang? (--timeout) It could not be interrupted.
test_resets failed it restarts the module (a test that is to do that says # expect: reset)
test_may_reset passed 
test_input failed it takes longer than 1m0s on the module's clock: does it hang? (--timeout)
test_exit failed SystemExit
test_memory failed MemoryError: memory allocation failed, allocating 1000 bytes
test_after passed 
`
	if got := lines(r); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if f := r.Tests[1].Trace; len(f) != 1 || f[0] != (Frame{"tests/test_x.py", 7, "test_fails", `assert x == 4, "x is %d" % x`}) {
		t.Errorf("the traceback is %+v", f)
	}
	last := r.Tests[len(r.Tests)-1]
	if last.Output != "all is well\n" || last.Line != 43 {
		t.Errorf("output %q, line %d", last.Output, last.Line)
	}
	if again := ran(t, text, nil); !reflect.DeepEqual(again, r) {
		t.Errorf("another run is another: %+v", again)
	}
}

func TestWorld(t *testing.T) {
	r := ran(t, `
# world: at 0s pin D0 high
import utime
from machine import Pin
p = Pin("D0", Pin.IN)
def test_file():
    assert p.value() == 1
    utime.sleep(60)
def test_own():
    # world: at 2s pin D0 low
    # world: at 3s serial "x"
    import sys
    assert p.value() == 1
    utime.sleep(3)
    assert p.value() == 0
    assert sys.stdin.read(1) == "x"
`, func(c *Config, f *File) { c.Timeout = time.Hour })
	if got := lines(r); got != "test_file passed \ntest_own passed \n" {
		t.Error(got)
	}
	if s := r.Tests[0].Time; s < 60 || s > 61 {
		t.Errorf("it took %v s", s)
	}
	r = ran(t, "\ndef test_a():\n    # world: at 2s jump\n    pass\n", nil)
	if got := lines(r); !strings.HasPrefix(got, "(loading) failed tests/test_x.py:3: ") {
		t.Error(got)
	}
}

func TestFixtures(t *testing.T) {
	r := ran(t, `
import app
def setup_module(): print("first")
def setup(): app.calls.append("in")
def teardown(): app.calls.append("out")
def test_a(): assert app.calls == ["in"]
def test_b(): assert app.calls == ["in", "out", "in"]
def test_keeps(): app.kept = bytearray(3000)
def test_peak(): bytearray(5000)
def teardown_module(): assert app.calls == [], app.calls
`, func(c *Config, f *File) {
		c.Files = []flash.HostFile{{Path: "app.py", Data: []byte("calls = []\n")}}
	})
	if got := lines(r); !strings.HasPrefix(got, "test_a passed \ntest_b passed \ntest_keeps passed \ntest_peak passed \nteardown_module failed AssertionError: ['in'") {
		t.Error(got)
	}
	if keeps := r.Tests[2].Left; keeps < 3000 || keeps > 3200 {
		t.Errorf("%d bytes are left", keeps)
	}
	if p := r.Tests[3]; p.Peak < p.Before+5000 || p.Peak > p.Before+6000 || p.Heap != 32000 {
		t.Errorf("peak %d of %d, before it %d", p.Peak, p.Heap, p.Before)
	}
}

func TestCannotLoad(t *testing.T) {
	for text, want := range map[string]string{
		"def test_a(:\n":                                        "(loading) failed tests/test_x.py:1: SyntaxError: invalid syntax",
		"import nowhere\ndef test_a(): pass\n":                  "(loading) failed ImportError: no module named 'nowhere'",
		"import machine\nmachine.reset()\ndef test_a(): pass\n": "(loading) failed it restarts the module",
		"while True: pass\ndef test_a(): pass\n":                "(loading) failed it takes longer than",
		"x = 1\n":                                               "",
	} {
		if got := lines(ran(t, text, nil)); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%q: %q", text, got)
		}
	}
}
