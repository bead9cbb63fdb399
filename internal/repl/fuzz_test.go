package repl_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/repl"
	"github.com/skep-sim/skep/internal/vm"
)

// FuzzTyping types any bytes at the prompt of a small heap: it must come back to
// reading keys until there are none, whatever they were, with the heap in order.
func FuzzTyping(f *testing.F) {
	sessions, err := filepath.Glob("../hosted/testdata/programs/*.in")
	if err != nil || len(sessions) == 0 {
		f.Fatal("no recorded sessions", err)
	}
	for _, file := range sessions {
		keys, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(keys, uint8(0))
		f.Add(keys, uint8(5))
	}
	for i, keys := range []string{
		"\x01print(1)\x04\x02", "\x05for i in range(3):\r  print(i)\r\x04", "\x05x\x03", "\x01\x04", "\x04",
		"x=1\r\x1b[A\x1b[D\x1b[3~\x7f2\r", "if 1:\r\tpass\r\r", "'''\r\r'''\r", "i\t", "sys.\t\t", "a.b.c\t", "(\r[\r{\r\\\r",
		"\x02\x06\x0b\x0e\x10\x15\r", "\x1b[\x1bO\x1b[9~\x1bOH\x1b[1~\x1b[4~", "while 1: pass\r", "x = bytearray(9999)\r",
	} {
		f.Add([]byte(keys), uint8(i))
	}
	var builds [4]*vm.Firmware // the module's and the small one, without and with the keys of Emacs
	for i := range builds {
		o := vm.XBee()
		if i&1 != 0 {
			o = vm.Bare()
		}
		o.EmacsKeys = i&2 != 0
		builds[i] = firmware(o)
	}
	f.Fuzz(func(t *testing.T, keys []byte, how uint8) {
		if strings.Contains(string(keys), "memoryview") { // a program may damage memory through one
			return
		}
		d := newDesk(builds[how&3], 1024<<(how>>2&3), keys)
		defer func() {
			if p := recover(); p == any(vm.ErrSteps) {
				return
			} else if p != nil {
				panic(p)
			}
		}()
		d.vm.StepLimit = 20
		for i := 0; i < 4 && d.run() == repl.SoftReset; i++ {
			d.reset()
		}
		if err := d.vm.Heap().Check(); err != nil {
			t.Error(err)
		}
	})
}
