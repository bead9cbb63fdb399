package xbee

import (
	"strings"
	"testing"
)

// TestPinsByCommand sets pins up by AT commands and looks at them from Python, and
// the other way round.
func TestPinsByCommand(t *testing.T) {
	out, notes := scripted(t, `
import xbee
from machine import Pin
at = xbee.atcmd
p = Pin('D4')
print(p)
at('D4', 5)
print(p, p())
at('D4', 3)
print(p, p())
at('PR', 0x7FFE)
print(p, p())
try:
    at('IS')
    at('D4', 0)
    at('IS')
except OSError as e:
    print('IS', e)
at('D4', 4)
at('D0', 2)
at('D12' if False else 'P2', 3)
print(repr(at('IS')))
p.init(Pin.OUT, value=1)      # the program takes the pin; the setting stays
print(p(), at('D4'))
at('PR', 0)
print(Pin('P2').pull())
print(Pin('D5').mode() == Pin.ALT, Pin('D9')())
`, "analog D0 1.25V")
	want := `Pin(Pin.board.D4, mode=Pin.DISABLED, pull=Pin.PULL_UP)
Pin(Pin.board.D4, mode=Pin.OUT, pull=Pin.PULL_UP) 1
Pin(Pin.board.D4, mode=Pin.IN, pull=Pin.PULL_UP) 1
Pin(Pin.board.D4, mode=Pin.IN) 0
IS [Errno 7005] EIO
'01\r1010\r01\r1000\r0200\r'
1 4
None
True `
	if !strings.HasPrefix(out, want) {
		t.Errorf("printed\n%s\nwant\n%s...", out, want)
	}
	if !strings.Contains(notes, "no pin is set up") {
		t.Error(notes)
	}
}

// TestPinsAfterReset: saved settings count again, a program's own do not.
func TestPinsAfterReset(t *testing.T) {
	out, _ := scripted(t, `
import xbee, machine
d4, p1 = machine.Pin('D4'), machine.Pin('P1')
if machine.reset_cause() == machine.PWRON_RESET:
    xbee.atcmd('D4', 5)
    xbee.atcmd('WR')
    p1.init(machine.Pin.OUT, value=1)
    print(d4(), p1())
    machine.reset()
print(d4(), d4.mode() == machine.Pin.OUT, p1.mode() == machine.Pin.DISABLED)
`, "")
	expect(t, "after a reset", out, "1 True True\n")
}
