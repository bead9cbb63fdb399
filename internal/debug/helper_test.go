package debug_test

import (
	"bytes"
	"sync/atomic"
	"testing"

	"github.com/skep-sim/skep/internal/debug"
	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/vm"
)

// program is a Target without a module: the interpreter alone, with its options.
type program struct {
	fw     *vm.Firmware
	src    string
	killed *atomic.Bool
}

func (p *program) Run(d *vm.Debugger, out func([]byte)) int {
	stop := d.Stop
	d.Stop = func(v *vm.VM, t vm.Trap) {
		stop(v, t)
		if p.killed.Load() {
			panic(vm.ErrSteps)
		}
	}
	var errs bytes.Buffer
	status := hosted.RunOn(p.fw, hosted.Config{
		HeapBytes: 32768, NoFiles: true, Stdout: writer(out), Stderr: &errs, Debug: d,
	}, []byte(p.src), "/flash/main.py", nil)
	if errs.Len() > 0 && !p.killed.Load() {
		out(errs.Bytes())
	}
	return status
}

func (p *program) Kill()       { p.killed.Store(true) }
func (p *program) Type([]byte) {}
func (p *program) Poke()       {}
func (p *program) Again() (debug.Target, error) {
	return &program{p.fw, p.src, new(atomic.Bool)}, nil
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) {
	w(append([]byte(nil), b...))
	return len(b), nil
}

// desk is a session with what it has told.
type desk struct {
	*debug.Session
	t      *testing.T
	src    *debug.Source
	stops  chan debug.Stop
	output chan string
	ended  chan int
}

func open(t *testing.T, src string, set func(c *debug.Config)) *desk {
	t.Helper()
	fw := hosted.NewFirmware(vm.XBee())
	k := &desk{t: t, stops: make(chan debug.Stop, 100), output: make(chan string, 10000), ended: make(chan int, 1)}
	sources := debug.NewSources(4, nil)
	k.src = sources.Add("/flash/main.py", "/app/main.py", []byte(src))
	c := debug.Config{
		Target: &program{fw, src, new(atomic.Bool)}, Sources: sources,
		Events: debug.Events{
			Stopped: func(s debug.Stop) { k.stops <- s },
			Output:  func(text string, console bool, _ *debug.Location) { k.output <- text },
			Ended:   func(status int) { k.ended <- status },
			Changed: func(debug.Placed) {},
		},
	}
	if set != nil {
		set(&c)
	}
	k.Session = debug.New(c)
	t.Cleanup(k.Close)
	return k
}

// at waits for a stop and wants it on a line.
func (k *desk) at(line int, reason string) debug.Stop {
	k.t.Helper()
	select {
	case s := <-k.stops:
		frames, _, err := k.Frames(0, 1)
		if err != nil || len(frames) == 0 || frames[0].Line != line || s.Reason != reason {
			k.t.Fatalf("stopped: %+v at %+v (%v), want line %d, %s", s, frames, err, line, reason)
		}
		return s
	case status := <-k.ended:
		k.t.Fatalf("the program has ended with status %d, printing %q; want a stop on line %d", status, k.printed(), line)
	}
	panic("unreachable")
}

func (k *desk) end() int {
	k.t.Helper()
	select {
	case s := <-k.stops:
		frames, _, _ := k.Frames(0, 1)
		k.t.Fatalf("stopped: %+v at %+v, want the end", s, frames)
	case status := <-k.ended:
		return status
	}
	panic("unreachable")
}

// printed is the output so far.
func (k *desk) printed() (text string) {
	for {
		select {
		case s := <-k.output:
			text += s
		default:
			return text
		}
	}
}

func (k *desk) do(f func() error) {
	k.t.Helper()
	if err := f(); err != nil {
		k.t.Fatal(err)
	}
}

// local is a variable of the innermost frame.
func (k *desk) value(expr string) string {
	k.t.Helper()
	r, err := k.Evaluate(expr, 0, false)
	if err != nil {
		return "error: " + err.Error()
	}
	return r.Value
}
