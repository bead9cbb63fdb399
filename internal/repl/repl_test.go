package repl_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/repl"
	"github.com/skep-sim/skep/internal/vm"
)

// TestKeys types what was typed at a reference and wants its answers, to the byte.
func TestKeys(t *testing.T) {
	text, err := os.ReadFile("testdata/keys.tsv")
	if err != nil {
		t.Fatal(err)
	}
	fw := firmware(vm.Bare())
	cases := 0
	for line := range strings.Lines(string(text)) {
		if line[0] == '#' {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		keys, err := strconv.Unquote(f[1])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		want, err := strconv.Unquote(f[2])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		d := newDesk(fw, 32768, []byte(keys))
		d.run()
		if got := strings.TrimPrefix(d.out.String(), banner+">>> "); got != want {
			t.Errorf("%s: typed %s\n got %q\nwant %q", f[0], f[1], got, want)
		}
		cases++
	}
	if cases < 45 {
		t.Errorf("%d cases", cases)
	}
}

// TestModes types what the reference has not, or a module does otherwise: the raw mode
// of tools, the numbered lines of paste mode, resets, the keys of Emacs.
func TestModes(t *testing.T) {
	const (
		prompt = ">>> "
		raw    = "\r\nraw REPL; CTRL-B to exit\r\n>"
		back   = "\r\n" + banner + prompt
	)
	fw := firmware(vm.XBee())
	o := vm.XBee()
	o.EmacsKeys = true
	emacs := firmware(o)
	tests := []struct {
		name string
		fw   *vm.Firmware
		keys string
		want string
		exit repl.Exit
	}{
		{"raw", fw, "\x01print(1)\r\nx=2\x04\x04", raw + "OK1\r\n\x04\x04>OK\r\n", repl.SoftReset},
		{"raw and back", fw, "\x01print(1)\x04\x02x", raw + "OK1\r\n\x04\x04>" + back + "x", repl.EndOfInput},
		{"an error in raw mode", fw, "\x011/0\x04\x02", raw + "OK\x04Traceback (most recent call last):\r\n  File \"<stdin>\", line 1, in <module>\r\nZeroDivisionError: divide by zero\r\n\x04>" + back, repl.EndOfInput},
		{"SystemExit in raw mode", fw, "\x01raise SystemExit\x04\x02", raw + "OK\x04\x04>" + back, repl.EndOfInput},
		{"Ctrl-C in raw mode", fw, "\x01print(1)\x03print(2)\x04\x02", raw + "OK2\r\n\x04\x04>" + back, repl.EndOfInput},
		{"Ctrl-A in raw mode", fw, "\x01\x01", raw + raw[2:], repl.EndOfInput},
		{"paste", fw, "\x05a = 1\rprint(a)\r\x04a\r", "\r\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n1=== a = 1\r\n2=== print(a)\r\n3=== \r\n1\r\n" + prompt + "a\r\n1\r\n" + prompt, repl.EndOfInput},
		{"a reset", fw, "a=1\r\x04", "a=1\r\n" + prompt + "\r\n", repl.SoftReset},
		{"the last result", fw, "6*7\r_+1\r", "6*7\r\n42\r\n" + prompt + "_+1\r\n43\r\n" + prompt, repl.EndOfInput},
		{"left and right", emacs, "13\x022\x064\r", "13\b23\b34\r\n1234\r\n" + prompt, repl.EndOfInput},
		{"kill to the end", emacs, "12345\x02\x02\x0b\r", "12345\b\b\x1b[K\r\n123\r\n" + prompt, repl.EndOfInput},
		{"kill to the start", emacs, "12345\x02\x02\x15\r", "12345\b\b\b\b\b\x1b[K45\b\b\r\n45\r\n" + prompt, repl.EndOfInput},
		{"delete", emacs, "123\x02\x04\r", "123\b\x1b[K\r\n12\r\n" + prompt, repl.EndOfInput},
		{"previous and next", emacs, "7\r8\r\x10\x10\x0e\r", "7\r\n7\r\n" + prompt + "8\r\n8\r\n" + prompt + "8\b7\b8\r\n8\r\n" + prompt, repl.EndOfInput},
	}
	for _, tt := range tests {
		d := newDesk(tt.fw, 32768, []byte(tt.keys))
		exit := d.run()
		if got := strings.TrimPrefix(d.out.String(), banner+prompt); got != tt.want || exit != tt.exit {
			t.Errorf("%s: exit %d\n got %q\nwant %q", tt.name, exit, got, tt.want)
		}
	}
}

// TestResets keeps what outlives a soft reset and forgets the rest.
func TestResets(t *testing.T) {
	d := newDesk(firmware(vm.XBee()), 32768, []byte("a = 5\r\x04a\r\x1b[A\r\x01\x04print(3)\x04"))
	if exit := d.run(); exit != repl.SoftReset {
		t.Fatal(exit)
	}
	d.out.Reset()
	d.reset()
	d.run() // raw mode is entered, and the next reset comes from there
	if got := d.out.String(); !strings.Contains(got, "NameError: name 'a' isn't defined") || !strings.Contains(got, ">>> a\r\nTraceback") || !strings.HasSuffix(got, "raw REPL; CTRL-B to exit\r\n>OK\r\n") {
		t.Errorf("%q", got)
	}
	d.out.Reset()
	d.reset()
	d.run()
	if got := d.out.String(); got != "raw REPL; CTRL-B to exit\r\n>OK3\r\n\x04\x04>" {
		t.Errorf("after a reset in raw mode: %q", got)
	}
}

// TestInterrupt: Ctrl-C interrupts a program that was typed, and nothing else.
func TestInterrupt(t *testing.T) {
	d := newDesk(firmware(vm.XBee()), 32768, []byte("1\r\x052\r\x04"))
	d.run()
	if len(d.intr) != 4 || d.intr[0] != 3 || d.intr[1] != -1 || d.intr[2] != 3 || d.intr[3] != -1 {
		t.Errorf("the interrupting characters were %v", d.intr)
	}
}

// TestFullHeap types at a heap that runs full: what does not fit is lost with a
// MemoryError, and the prompt goes on. The line keeps its room until a soft reset.
func TestFullHeap(t *testing.T) {
	long := strings.Repeat("x", 6000)
	for name, keys := range map[string]string{
		"a long line":  long + "\r\x03",
		"a long block": "if 1:\r" + strings.Repeat("y = 12345678\r", 400) + "\x03",
		"a long paste": "\x05" + strings.Repeat(long, 2) + "\x03",
		"raw mode":     "\x01" + strings.Repeat(long, 2) + "\x03\x02",
	} {
		d := newDesk(firmware(vm.XBee()), 6000, []byte(keys+"\x03\r\x047\r"))
		if exit := d.run(); exit != repl.SoftReset {
			t.Errorf("%s: exit %d", name, exit)
		}
		d.reset()
		d.run()
		if got := d.out.String(); !strings.Contains(got, "MemoryError: ") || !strings.HasSuffix(got, ">>> 7\r\n7\r\n>>> ") {
			t.Errorf("%s: ends with %q", name, got[max(0, len(got)-200):])
		}
		if err := d.vm.Heap().Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFailAt lets each allocation of a session fail once: it comes to its end, with
// the heap in order.
func TestFailAt(t *testing.T) {
	keys := "import gc\rx = [1, 2]\rfor i in x:\rprint(i)\r\r\x04\x1b[A\x1b[A\r'abc'.up\t()\r\x05def f():\r  return 5\r\x04f()\r\x01print(f())\x04\x02gc.collect()\r"
	fw := firmware(vm.XBee())
	whole := newDesk(fw, 32768, []byte(keys))
	whole.run()
	total := int(whole.vm.Heap().Allocations())
	if total < 50 {
		t.Fatalf("%d allocations", total)
	}
	for k := 1; k <= total; k++ {
		for _, run := range []int{1, 3} {
			d := newDesk(fw, 32768, nil)
			start := int(d.vm.Heap().Allocations())
			if k <= start {
				continue // the start itself, which package xbee does
			}
			d.keys = []byte(keys)
			d.vm.Heap().FailRun(k-start, run)
			for i := 0; i < 5 && d.run() == repl.SoftReset; i++ {
				d.reset()
			}
			d.vm.Heap().FailAt(0)
			d.vm.Release(0)
			d.vm.Collect()
			if _, err := d.vm.Audit(); err != nil {
				t.Errorf("allocation %d of %d and %d more: %v", k, total, run-1, err)
			}
		}
	}
}
