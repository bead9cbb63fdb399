// Package skep is a Digi XBee 3 Cellular in software, for programs and tests
// written in Go: make a module with [New], give it the files of a MicroPython
// application, start it, and do to it what the world does to a module — press its
// button, warm its sensor, take its network or its power away.
//
// A [Module] has its own flash, memory, clock and network; any number of them
// run in one process and know nothing of each other. With its virtual clock, the
// default, a module sleeps through an hour in no time, and the same files, options
// and script give the same run.
//
// It is the module, and on request a Digi Remote Manager for it ([RemoteManager]):
// the local AWS IoT and the tools that talk to a module
// over a serial port belong to the command skep.
package skep

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/skep-sim/skep/internal/remotemanager/local"
	"github.com/skep-sim/skep/internal/replay"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/profile"
	"github.com/skep-sim/skep/internal/xbee/script"
)

// Options say what a module is and what is around it. The zero value is an XBee 3
// Cellular LTE-M/NB-IoT with an empty flash, a virtual clock and no network.
type Options struct {
	// Model is "ltem" (the default) or "cat1".
	Model string
	// Firmware is as ATVR shows it, such as "11413"; "" is the model's default.
	Firmware string
	// Profile is the text of a profile of one's own, in TOML as skep profile --help
	// describes it; it says which model and firmware it is, and may have one of
	// Skep's as its base.
	Profile string
	// Files are laid on /flash: main.py, lib/umqtt/simple.py, cert/aws.crt. Nil is
	// none. Names that the module does not allow are an error of New.
	Files fs.FS
	// State is a directory that keeps what survives power-off (files, bundle,
	// saved settings) from one module to the next. "" keeps it in memory, as long
	// as the Module lives.
	State string
	// Prompt starts main.py only if ATPS says so, as a module does by itself, and
	// stays at the prompt when it has ended. Without it, main.py or main.mpy is
	// started, and the module is off when it has ended.
	Prompt bool
	// RealTime runs the module on the host's clock.
	RealTime bool
	// Start is the wall time at which a virtual clock starts; the zero value is
	// 2019-10-24, in any time zone.
	Start time.Time
	// Seed decides everything random on a virtual clock, and the module's serial
	// number.
	Seed uint64
	// HostNetwork connects the modem to the host's network. Hosts leads names of
	// servers somewhere else, with or without HostNetwork: a key is a name, or a
	// name and a port ("broker.example.com:8883"), a value the address and port to
	// connect to ("127.0.0.1:1883"). TLS is the module's own either way.
	HostNetwork bool
	Hosts       map[string]string
	// RemoteManager is where Digi's names lead, and what digi.cloud talks to (nil:
	// the module has no Remote Manager).
	RemoteManager *RemoteManager
	// Settings are AT commands without their AT, such as "AP4", made at every
	// power-on. The serial port shows the prompt (AP4) unless they say otherwise.
	Settings []string
	// Script is a script of the world around the module: see docs/world-script.md.
	Script string
	// Console takes what the module sends on its serial port, as it is sent (nil:
	// nobody does; see also [Module.Output] and [Module.Serial]). UART takes what
	// it sends on its secondary one.
	Console, UART io.Writer
	// Record takes a recording of the run, which [Replay], or skep replay, runs again
	// (nil: it is not recorded). Each Write is a chunk of it; a Writer that fails ends
	// it. It holds the files, with private keys.
	Record io.Writer
	// Log takes remarks about the run: why the module refused something, what the
	// script says (nil: nobody).
	Log func(text string)
}

// Module is one virtual module. Its methods may be called from any goroutine.
type Module struct {
	device *xbee.Device
	flash  *flash.Device
	port   *port
	ended  chan struct{}

	mu      sync.Mutex
	started bool
	closed  bool
	result  Result
}

// Result is how a run ended.
type Result struct {
	// Ran: there was a main program, and it ended.
	Ran bool
	// Failed: it ended by an exception other than SystemExit. The traceback is in
	// the output.
	Failed bool
	// Off: the module was switched off, by Stop or by its script.
	Off bool
}

// profile is what the module is like.
func (o *Options) profile() (profile.Profile, error) {
	var l profile.Library
	if o.Profile == "" {
		return l.Find(o.Model, o.Firmware)
	}
	if o.Model != "" || o.Firmware != "" {
		return profile.Profile{}, errors.New("the text of Profile says which model and firmware it is: leave Model and Firmware empty")
	}
	return l.Read("Profile.toml", []byte(o.Profile))
}

// New makes a module, without power yet.
func New(o Options) (*Module, error) {
	p, err := o.profile()
	if err != nil {
		return nil, fmt.Errorf("skep: %w", err)
	}
	var play *script.Script
	if o.Script != "" {
		if play, err = script.Parse("script", o.Script); err != nil {
			return nil, fmt.Errorf("skep: %w", err)
		}
	}
	m := &Module{ended: make(chan struct{})}
	w, err := o.world()
	if err != nil {
		return nil, fmt.Errorf("skep: %w", err)
	}
	if m.flash, err = openFlash(o.State); err != nil {
		return nil, fmt.Errorf("skep: %w", err)
	}
	if err := lay(m.flash, o.Files); err != nil {
		return nil, errors.Join(fmt.Errorf("skep: %w", err), m.flash.Close())
	}
	m.port = newPort(o.Console)
	conf := xbee.Config{
		Profile: &p, World: w.WithSerial(world.Console(m.port.in, m.port)), Flash: m.flash, Serial: o.Seed + 1,
		Settings: append([]string{"AP4"}, o.Settings...), Autostart: !o.Prompt, NoREPL: !o.Prompt, Attended: true, Note: o.Log,
		RemoteManager: o.RemoteManager != nil,
	}
	if o.UART != nil {
		conf.SecondaryOut = func(b []byte) { o.UART.Write(b) }
	}
	if o.Record != nil {
		if conf, _, err = replay.Record(conf, replay.Options{To: o.Record, Command: "package skep"}); err != nil {
			return nil, errors.Join(fmt.Errorf("skep: %w", err), m.flash.Close())
		}
	}
	m.device = xbee.New(conf)
	if play != nil {
		m.device.Play(play)
	}
	return m, nil
}

func (o *Options) world() (world.World, error) {
	w := world.Real()
	if !o.RealTime {
		w = world.Virtual(o.Seed)
		if !o.Start.IsZero() {
			w = w.WithClock(world.NewVirtualClock(o.Start))
		}
	}
	host := world.HostNetwork(w.Clock())
	n, err := newNetwork(host, o.HostNetwork, o.Hosts)
	if o.RemoteManager != nil {
		n = local.Network(n, host, o.RemoteManager.where)
	}
	return w.WithNetwork(n), err
}

func openFlash(dir string) (*flash.Device, error) {
	if dir == "" {
		return flash.Open(flash.NewMemory())
	}
	return flash.OpenState(dir)
}

// lay puts the files on the flash.
func lay(d *flash.Device, files fs.FS) error {
	if files == nil {
		return nil
	}
	var list []flash.HostFile
	err := fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, path)
		list = append(list, flash.HostFile{Path: path, Data: data})
		return err
	})
	if err == nil {
		_, err = d.Lay(list)
	}
	return err
}

// Start gives the module its power, and returns. A module can be started once.
func (m *Module) Start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.started {
		return
	}
	m.started = true
	go func() {
		r := m.device.Run()
		m.port.end()
		m.mu.Lock()
		m.result = Result{r.Ran, r.Failed, r.Off}
		m.mu.Unlock()
		close(m.ended)
	}()
}

// Wait waits until the module is off, and says how its run ended.
func (m *Module) Wait() Result {
	<-m.ended
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.result
}

// Run is Start and Wait.
func (m *Module) Run() Result {
	m.Start()
	return m.Wait()
}

// Stop switches the module off, whatever it does, waits until it is off, and lets
// go of its State. What its program had not flushed is stored, as at the end of a
// program; see [Module.CutPower] for the other way. Files and output can still be
// read.
func (m *Module) Stop() error {
	m.mu.Lock()
	started, closed := m.started, m.closed
	m.started, m.closed = true, true
	m.mu.Unlock()
	if closed {
		return nil
	}
	if started {
		m.device.PowerOff()
		<-m.ended
	} else {
		m.port.end()
		close(m.ended)
	}
	return m.flash.Close()
}

// ReadFile returns the content of a file on the flash, as it is stored: what a
// program has written to an open file and not flushed is not in it.
func (m *Module) ReadFile(path string) ([]byte, error) {
	data, err := m.flash.FS().ReadSecure(flash.Root, path)
	if err != nil {
		return nil, fmt.Errorf("skep: %s: %w", path, err)
	}
	return append([]byte(nil), data...), nil
}

// AT carries out an AT command, without its AT, as command mode does, and returns
// the answer: "VR" gives "11413", "NI node" gives "OK".
func (m *Module) AT(command string) (answer string, err error) {
	if answer, err = m.device.AT(command); err != nil {
		return "", fmt.Errorf("skep: AT%s: %w", command, err)
	}
	return answer, nil
}
