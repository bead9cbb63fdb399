package main

import (
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/skep-sim/skep/internal/debug"
	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/replay"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/world/record"
	"github.com/skep-sim/skep/internal/xbee"
	"github.com/skep-sim/skep/internal/xbee/flash"
)

// debuggee is a module whose program is debugged: the module itself, recorded, so
// that its past can be played again.
type debuggee struct {
	machine  *machine
	recorder *record.Recorder
	wire     *debugWire
	stay     bool
}

// Run implements debug.Target.
func (t *debuggee) Run(d *vm.Debugger, out func([]byte)) int {
	t.wire.send(out)
	t.machine.device.Debug(d)
	r := t.machine.device.Run()
	t.wire.close()
	if r.Failed || !r.Ran && !r.Off && !t.stay {
		return 1
	}
	return 0
}

// Kill implements debug.Target.
func (t *debuggee) Kill() {
	t.machine.device.PowerOff()
	t.wire.close()
}

// Poke implements debug.Target.
func (t *debuggee) Poke() { t.machine.device.LookUp() }

// Type implements debug.Target.
func (t *debuggee) Type(b []byte) { t.wire.type_(b) }

// Again implements debug.Target.
func (t *debuggee) Again() (debug.Target, error) {
	var r *replay.Recording
	var err error
	if rec := t.machine.rec; rec != nil {
		rec.flush()
		r, err = replay.Open(rec.path)
	} else {
		r, err = replay.Of(t.recorder.Log())
	}
	if err != nil {
		return nil, err
	}
	return &repetition{recording: r}, nil
}

// debugWire is the serial port of a debuggee: what the user types, and the debug console.
type debugWire struct {
	mu     sync.Mutex
	typed  []byte
	news   *sync.Cond
	closed bool
	out    func([]byte)
}

func newDebugWire() *debugWire {
	w := &debugWire{}
	w.news = sync.NewCond(&w.mu)
	return w
}

func (w *debugWire) send(out func([]byte)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = out
}

func (w *debugWire) type_(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.typed = append(w.typed, b...)
	w.news.Broadcast()
}

func (w *debugWire) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.news.Broadcast()
}

// Read waits for what is typed.
func (w *debugWire) Read(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.typed) == 0 && !w.closed {
		w.news.Wait()
	}
	if len(w.typed) == 0 {
		return 0, io.EOF
	}
	n := copy(p, w.typed)
	w.typed = w.typed[n:]
	return n, nil
}

func (w *debugWire) Write(p []byte) (int, error) {
	w.mu.Lock()
	out := w.out
	w.mu.Unlock()
	out([]byte(strings.ReplaceAll(string(p), "\r\n", "\n")))
	return len(p), nil
}

// repetition is a recorded run that is run again.
type repetition struct {
	recording *replay.Recording
	// foreign: it was recorded without a debugger, whose memory is another in words
	// that do not matter.
	foreign bool
	note    func(text string)

	mu     sync.Mutex
	killed bool
}

// abandoned is the Go panic that ends a repetition which nobody wants any more.
type abandoned struct{}

// Run implements debug.Target.
func (t *repetition) Run(d *vm.Debugger, out func([]byte)) (status int) {
	conf, player, err := t.recording.Device(func(b []byte) {
		out([]byte(strings.ReplaceAll(string(b), "\r\n", "\n")))
	})
	if err != nil {
		t.say(err.Error())
		return 1
	}
	if t.foreign {
		player.Lenient()
	}
	stop, raised := d.Stop, d.Raised
	d.Stop = func(v *vm.VM, at vm.Trap) {
		stop(v, at)
		t.leave()
	}
	d.Raised = func(v *vm.VM, exc vm.Value) {
		raised(v, exc)
		t.leave()
	}
	conf.Debug = d
	defer func() {
		err := player.Stopped()
		if r := recover(); r != nil && err == nil && r != any(abandoned{}) {
			panic(r)
		}
		var end *record.End
		if err != nil && !errors.As(err, &end) {
			t.say(err.Error())
			status = 1
		}
	}()
	if xbee.New(conf).Run().Failed {
		status = 1
	}
	return status
}

func (t *repetition) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.killed {
		panic(abandoned{})
	}
}

func (t *repetition) say(text string) {
	if t.note != nil {
		t.note(text)
	}
}

// Kill implements debug.Target.
func (t *repetition) Kill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.killed = true
}

// Poke implements debug.Target; what is repeated does not wait.
func (t *repetition) Poke() {}

// Type implements debug.Target; nobody can type into the past.
func (t *repetition) Type([]byte) {}

// Again implements debug.Target.
func (t *repetition) Again() (debug.Target, error) {
	return &repetition{recording: t.recording, foreign: t.foreign, note: t.note}, nil
}

// debugSources are the texts of what a module runs: the application's, where the
// host has them, and what else lies on its flash.
func debugSources(mpyVersion int, a *app.App, fs *flash.FS) (*debug.Sources, error) {
	s := debug.NewSources(mpyVersion, nil)
	known := map[string]bool{}
	if a != nil {
		files, err := a.Sources()
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if !strings.HasSuffix(f.Path, ".py") {
				continue
			}
			host := ""
			if filepath.ToSlash(f.From) == filepath.ToSlash(filepath.Join(a.Dir, filepath.FromSlash(f.Path))) {
				if host, err = filepath.Abs(f.From); err != nil {
					return nil, err
				}
			}
			device := flash.Root + "/" + f.Path
			known[device] = true
			s.Add(device, host, f.Data)
		}
	}
	var walk func(dir string)
	walk = func(dir string) {
		list, err := fs.List("/", dir)
		if err != nil {
			return
		}
		for _, f := range list {
			name := path.Join(dir, f.Name)
			switch {
			case f.Dir:
				walk(name)
			case strings.HasSuffix(name, ".py") && !known[name]:
				if text, err := fs.ReadSecure("/", name); err == nil {
					s.Add(name, "", text)
				}
			}
		}
	}
	walk(flash.Root)
	return s, nil
}

// openDebuggee makes a module as the flags say and what belongs to debugging it.
func openDebuggee(f *deviceFlags, a *app.App, stay bool, stderr io.Writer) (*debuggee, *debug.Sources, error) {
	t := &debuggee{wire: newDebugWire(), stay: stay}
	m, err := f.open(setup{
		command: "debug", app: a, name: a.Name(), serial: world.Console(t.wire, t.wire), settings: atConsole, autostart: true,
		noREPL: !stay, stderr: stderr, remember: true,
	})
	if err != nil {
		return nil, nil, err
	}
	t.machine, t.recorder = m, m.memory
	p, err := f.findFor(a)
	if err == nil {
		var s *debug.Sources
		if s, err = debugSources(p.MpyVersion.Value, a, m.flash.FS()); err == nil {
			return t, s, nil
		}
	}
	m.close()
	return nil, nil, fmt.Errorf("the sources: %w", err)
}
