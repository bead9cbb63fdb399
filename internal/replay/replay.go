// Package replay records a run of a module and runs it again, elsewhere and without
// a network: with the same output, the same memory and the same flash, or a message
// that says where it first differs.
//
// A recording holds what the module was made of (profile, settings, flash) beside
// what it took from its world, which package record writes down. So it needs
// nothing else: neither the application's directory nor the state of the module.
//
// A recording is a bug report, so it holds what the module knew: the files on its
// flash with keys and certificates, and what was said on its connections, in the
// clear. See [Options.Redact].
package replay

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world/record"
	"github.com/skep-sim/skep/internal/xbee"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// Setup is what a recorded device was made of.
type Setup struct {
	// Skep is the version of the program that recorded it, Command how.
	Skep    string
	Command string `json:",omitempty"`
	// Redacted: the files that cannot be read back are filled with asterisks.
	Redacted bool `json:",omitempty"`

	Profile       profile.Profile
	Serial        uint64
	HeapBytes     int         `json:",omitempty"`
	Features      *vm.Options `json:",omitempty"`
	Settings      []string    `json:",omitempty"`
	Autostart     bool        `json:",omitempty"`
	NoREPL        bool        `json:",omitempty"`
	Attended      bool        `json:",omitempty"`
	RemoteManager bool        `json:",omitempty"`
	Explain       bool        `json:",omitempty"`
	// UARTOut: what was sent on the secondary UART was taken at once.
	UARTOut bool `json:",omitempty"`
}

// Options say how to record.
type Options struct {
	// To takes the recording as it is made, in a write for each chunk. Nil keeps it
	// in memory: see record.Recorder's Log.
	To io.Writer
	// Command is the command line or whatever else made the run.
	Command string
	// Redact fills the files that cannot be read back (secure files: private keys)
	// with asterisks in the recording. A run in which the module looked into them
	// (uos.hash, a copy) then differs when it is replayed. What was said on
	// connections, and files that can be read, stay.
	Redact bool
}

// Version is the version of the running program, as recordings have it.
func Version() string {
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		return b.Main.Version
	}
	return "(devel)"
}

// Record makes c, the configuration of a device that was not made yet, that of one
// whose run is recorded. Its flash must hold all that it begins with.
func Record(c xbee.Config, o Options) (xbee.Config, *record.Recorder, error) {
	setup, err := json.Marshal(Setup{
		Skep: Version(), Command: o.Command, Redacted: o.Redact,
		Profile: *c.Profile, Serial: c.Serial, HeapBytes: c.HeapBytes, Features: c.Features, Settings: c.Settings,
		Autostart: c.Autostart, NoREPL: c.NoREPL, Attended: c.Attended, RemoteManager: c.RemoteManager, Explain: c.Explain,
		UARTOut: c.SecondaryOut != nil,
	})
	if err != nil {
		return c, nil, err
	}
	image := c.Flash.Image
	if o.Redact {
		image = c.Flash.Redacted
	}
	r, err := record.New(c.World, o.To, setup, image())
	if err != nil {
		return c, nil, fmt.Errorf("writing the recording: %w", err)
	}
	c.World = r.World()
	return c, r, nil
}

// Recording is a recorded run.
type Recording struct {
	Setup
	Log *record.Log
}

// Open reads the recording in a file.
func Open(path string) (*Recording, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Read reads a recording, as far as it is whole.
func Read(r io.Reader) (*Recording, error) {
	l, err := record.Read(r)
	if err != nil {
		return nil, err
	}
	return Of(l)
}

// Of is the recording with a log, such as that of a run which still goes on.
func Of(l *record.Log) (*Recording, error) {
	r := &Recording{Log: l}
	if err := json.Unmarshal(l.Setup, &r.Setup); err != nil {
		return nil, fmt.Errorf("what the recorded module was made of cannot be read: %w", err)
	}
	return r, nil
}

// Device returns the configuration of a device that replays the run from its
// beginning, and what it replays. output, if not nil, sees what it sends on its
// serial line. Each call begins anew; the devices share nothing.
//
// A caller may set the configuration's hooks that only look: Note, SecondaryOut if
// the recording has it. The device's Run panics with a *record.End where the
// recording of a run ends before the run does, and with a *record.Divergence where
// the device does something else than was recorded; [Recording.Run] catches both.
func (r *Recording) Device(output func(b []byte)) (xbee.Config, *record.Player, error) {
	f, err := flash.Open(flash.FromImage(r.Log.Image))
	if err != nil {
		return xbee.Config{}, nil, fmt.Errorf("the recorded flash: %w", err)
	}
	p := record.Play(r.Log, output)
	s := r.Setup
	c := xbee.Config{
		Profile: &s.Profile, World: p.World(), Flash: f, Serial: s.Serial, HeapBytes: s.HeapBytes, Features: s.Features,
		Settings: s.Settings, Autostart: s.Autostart, NoREPL: s.NoREPL, Attended: s.Attended, RemoteManager: s.RemoteManager,
		Explain: s.Explain,
	}
	if s.UARTOut {
		c.SecondaryOut = func([]byte) {}
	}
	return c, p, nil
}

// Outcome is what came of a replay.
type Outcome struct {
	xbee.Result
	// Whole: the run was replayed to its end, and was the same to the end.
	Whole bool
	// Calls is how many calls at the seam were replayed.
	Calls uint64
	// Time is how long the device had been there.
	Time time.Duration
	// End is where the replay ended before the run did; nil if it did not.
	End *record.End
	// Flash is the device's flash, as it is then.
	Flash *flash.Device
}

// Watch is who looks on while a run is replayed; each may be nil.
type Watch struct {
	Output, UART func(b []byte)    // what the device sends on its serial ports
	Note         func(text string) // remarks about the run
	// Until is where the replay ends; 0: where the recording does.
	Until time.Duration
}

// Run replays the run. The error is a *record.Divergence if it was another. Where a
// recording was cut, the replay ends without an error; nothing of it is Whole then.
func (r *Recording) Run(w Watch) (o Outcome, err error) {
	c, p, err := r.Device(w.Output)
	if err != nil {
		return o, err
	}
	c.Note = w.Note
	if c.SecondaryOut != nil && w.UART != nil {
		c.SecondaryOut = w.UART
	}
	p.Until(w.Until)
	o.Flash = c.Flash
	defer func() {
		o.Calls, o.Time = p.Position(), p.Time()
		switch stop := p.Stopped().(type) {
		case nil:
			if v := recover(); v != nil {
				panic(v)
			}
			o.Whole = p.Ended()
		case *record.End:
			recover()
			o.End = stop
		case *record.Divergence:
			recover()
			err = fmt.Errorf("%w (recorded by skep %s, replayed by skep %s)", stop, r.Skep, Version())
		}
	}()
	o.Result = xbee.New(c).Run()
	return o, nil
}
