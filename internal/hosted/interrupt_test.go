package hosted_test

import (
	"bytes"
	"testing"

	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/world"
)

// interrupter takes output, and interrupts the program once for every "more" in it.
type interrupter struct {
	bytes.Buffer
	out chan struct{}
}

func (w *interrupter) Write(b []byte) (int, error) {
	for range bytes.Count(b, []byte("more")) {
		w.out <- struct{}{}
	}
	return w.Buffer.Write(b)
}

// TestInterrupt: what a program prints is to be seen while it computes, and an
// interrupt is a KeyboardInterrupt, in a loop and in a sleep.
func TestInterrupt(t *testing.T) {
	const program = `
import utime
def wait(f):
    print('more')
    try: f()
    except KeyboardInterrupt: print('interrupted')
def loop():
    while True: pass
wait(loop)
wait(lambda: utime.sleep(100000))
`
	w := &interrupter{out: make(chan struct{}, 3)}
	var errs bytes.Buffer
	status := hosted.RunOn(fullFirmware(), hosted.Config{
		HeapBytes: 65536, NoFiles: true, Stdout: w, Stderr: &errs, Clock: world.RealClock(), Interrupt: w.out,
	}, []byte(program), "t.py", nil)
	const want = "more\ninterrupted\nmore\ninterrupted\n"
	if w.String() != want || status != 0 {
		t.Errorf("status %d, output %q, errors %q", status, w.String(), errs.String())
	}
}
