package xbee

import (
	"testing"

	"github.com/skep-sim/skep/internal/xbee/profile"
)

// TestInputServesCallbacks: input() reads a line while callbacks run, ends on Ctrl-C, and forgets
// its history with the interpreter.
func TestInputServesCallbacks(t *testing.T) {
	p, err := profile.Find("ltem", "11416")
	if err != nil {
		t.Fatal(err)
	}
	h := powered(t, nil, func(c *Config) { c.Profile, c.Settings = &p, append(quick, "AP4") })
	h.expect(">>> ")
	h.say("x = input('name: ')\r", "name: ")
	h.say("wortd\x08\x08ld\r", ">>> ")
	h.say("x\r", "'world'\r\n>>> ")
	h.say("from xbee import relay\r", ">>> ")
	h.say("relay.callback(lambda m: print('got', m['message'])); relay.send(2, b'a'); input()\r", "got b'a'\r\n")
	h.say("\x03", "KeyboardInterrupt")
	h.expect(">>> ")
	h.say("input()\r", "\r\n")
	h.say("\x04", "EOFError")
	h.expect(">>> ")
	h.say("\x04", "soft reboot")
	h.expect(">>> ")
	h.say("import gc; gc.collect(); y = [bytes(50) for i in range(100)]\r", ">>> ")
	h.say("input('again: ')\r", "again: ")
	h.say("\x1b[A\r", "''\r\n>>> ") // there is no line before
}
