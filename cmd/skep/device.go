package main

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/replay"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/world/record"
	"github.com/skep-sim/skep/internal/xbee"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/meter"
	"github.com/skep-sim/skep/internal/xbee/profile"
	"github.com/skep-sim/skep/internal/xbee/script"
)

// deviceFlags are the same wherever a device is made.
type deviceFlags struct {
	profileFlags
	Power   string `help:"Supply of the development board: wall, or usb alone, which is too weak." enum:"wall,usb" default:"wall"`
	Flash   string `help:"Directory whose files lie on /flash." placeholder:"DIR"`
	State   string `help:"Directory that keeps what survives power-off: files, bundle, registers. Default: one per user and application." placeholder:"DIR"`
	Heap    int    `help:"Bytes of the raw heap region. Default: the firmware's: 32768, or 65536 from level x15 on." placeholder:"BYTES"`
	Options string `help:"Optional features and error wording of the interpreter: xbee, the module's own, or full or bare, as in two builds of upstream's." enum:"xbee,full,bare" default:"xbee"`
	Cloud   string `help:"local: names of AWS IoT endpoints lead to the local AWS IoT; off: they do not." enum:"local,off" default:"local"`
	DRM     string `help:"local: names of Digi Remote Manager lead to a local one, started when first needed; ADDR: it is at this address (127.0.0.1:8010) from the start, and tells what happens; off: there is none." placeholder:"ADDR" default:"local"`
	Net     string `help:"host: the rest of the world is the host's network; none: there is none." enum:"host,none" default:"host"`
	Clock   string `help:"real, or virtual: sleeping costs no time." enum:"real,virtual" default:"real"`
	Script  string `help:"Text that says what happens to the module and when, such as: at 5s press D0. See docs/world-script.md." placeholder:"FILE"`
	Meter   bool   `help:"At the end, print what the run has cost over the air: bytes by connection, charge by state of the radio, and what that is a month."`
	Explain bool   `help:"When the program gets to see a figure about memory, say which parts of it rest on calibrations, choices and inferences."`
	Seed    uint64 `help:"Seed of everything random in a virtual world, and of the module's serial number." default:"1"`
	recordFlags
}

// machine is a device that is ready to be powered on, and what belongs to it.
type machine struct {
	device *xbee.Device
	flash  *flash.Device
	cloud  *cloudLink
	drm    *drmLink
	rec    *recording       // nil: it is not recorded
	memory *record.Recorder // of setup.remember
	closed bool

	meter  bool // print the bill at the end
	billed sync.Once
	stderr io.Writer
}

// setup is what a command wants of a device.
type setup struct {
	command   string
	app       *app.App // nil: an empty module
	name      string
	number    int // of several modules, from 1; 0: there is one
	serial    world.Stream
	settings  []string // as in xbee.Config
	autostart bool
	noREPL    bool
	stderr    io.Writer
	remember  bool // keep a recording of the run in memory
}

// open makes the device that the flags describe.
func (f *deviceFlags) open(s setup) (m *machine, err error) {
	p, err := f.findFor(s.app)
	if err != nil {
		return nil, err
	}
	if err := checkHeap(f.Heap); err != nil {
		return nil, err
	}
	play, err := f.readScript()
	if err != nil {
		return nil, err
	}
	dir := ""
	if s.app != nil {
		dir = s.app.Dir
	}
	state, err := deviceState(f.State, s.name, dir, string(p.Model))
	if err != nil {
		return nil, err
	}
	if s.number > 0 {
		state = filepath.Join(state, strconv.Itoa(s.number))
	}
	m = &machine{meter: f.Meter, stderr: s.stderr}
	defer func() {
		if err != nil {
			m.close()
			m = nil
		}
	}()
	if m.flash, err = flash.OpenState(state); err != nil {
		return m, explainState(err)
	}
	if f.Cloud == "local" {
		if m.cloud, err = newCloudLink("skep "+s.command, s.stderr); err != nil {
			return m, err
		}
	}
	if m.drm, err = openDRM(f.DRM, s.stderr); err != nil {
		return m, err
	}
	if s.app != nil {
		files, err := m.files(s, p)
		if err != nil {
			return m, err
		}
		if _, err = m.flash.Lay(hostFiles(files)); err != nil {
			return m, err
		}
	}
	w, err := f.world(s.serial, m.cloud, m.drm)
	if err != nil {
		return m, err
	}
	conf := xbee.Config{
		Profile: &p, World: w, Flash: m.flash, Serial: serialNumber(f.Seed, state), HeapBytes: f.Heap,
		Features: f.features(), Settings: s.settings, Autostart: s.autostart, NoREPL: s.noREPL, RemoteManager: m.drm != nil,
		Explain: f.Explain,
		Note:    func(text string) { fmt.Fprintln(s.stderr, "skep:", text) },
	}
	if m.rec, err = f.begin(&conf, s.number, s.stderr); err != nil {
		return m, err
	}
	if s.remember && m.rec == nil {
		if conf, m.memory, err = replay.Record(conf, replay.Options{}); err != nil {
			return m, err
		}
	}
	m.device = xbee.New(conf)
	if play != nil {
		m.device.Play(play)
	}
	return m, nil
}

// readScript reads the script of --script; nil if there is none.
func (f *deviceFlags) readScript() (*script.Script, error) {
	if f.Script == "" {
		return nil, nil
	}
	text, err := os.ReadFile(f.Script)
	if err != nil {
		return nil, fmt.Errorf("--script: %w", err)
	}
	return script.Parse(f.Script, string(text))
}

// files are the application's own and, if it is a thing of the local AWS IoT and
// lacks them, the certificates for it.
func (m *machine) files(s setup, p profile.Profile) ([]app.File, error) {
	files, err := s.app.Files(p.MpyVersion.Value)
	if err != nil || s.app.Config.Cloud.Thing == "" {
		return files, err
	}
	if m.cloud != nil {
		certs, err := m.cloud.prepare(s.app.Config.Cloud, files)
		return append(files, notIn(files, certs)...), err
	}
	if !slices.ContainsFunc(files, func(f app.File) bool { return f.Path == "cert/aws.crt" }) {
		fmt.Fprintf(s.stderr, "skep: with --cloud off nobody makes the certificate of thing %s: put aws.ca, aws.crt and aws.key into %s\n",
			s.app.Config.Cloud.Thing, filepath.Join(s.app.Dir, "cert"))
	}
	return files, nil
}

// The sizes of heap that a device can be given. The lower one is about where
// nothing fits any more.
const (
	minHeap = 1 << 10
	maxHeap = 64 << 20
)

// checkHeap refuses a size that is none of a heap; 0 is the default.
func checkHeap(n int) error {
	if n != 0 && (n < minHeap || n > maxHeap) {
		return fmt.Errorf("--heap %d: give a number of bytes from %d to %d (a module has 32768 or 65536)", n, minHeap, maxHeap)
	}
	return nil
}

// features are the interpreter's, if they are not the module's own.
func (f *deviceFlags) features() *vm.Options {
	var o vm.Options
	switch f.Options {
	case "full":
		o = vm.Full()
	case "bare":
		o = vm.Bare()
	default:
		return nil
	}
	return &o
}

// explainState adds what to do about a state directory that cannot be used.
func explainState(err error) error {
	var locked *flash.LockedError
	var damage *flash.DamageError
	if errors.As(err, &locked) || errors.As(err, &damage) {
		return err // they say it themselves
	}
	return fmt.Errorf("the module's state: %w; choose another directory with --state, or XDG_STATE_HOME", err)
}

// world is what the device is connected to.
func (f *deviceFlags) world(serial world.Stream, cloud *cloudLink, drm *drmLink) (world.World, error) {
	w := world.Real()
	if f.Clock == "virtual" {
		w = world.Virtual(f.Seed).WithClock(world.NewVirtualClock(time.Now().UTC()))
	}
	host := world.HostNetwork(w.Clock())
	network := host
	if f.Net == "none" {
		network = world.NoNetwork()
	}
	if cloud != nil {
		network = cloud.network(network, host)
	}
	if drm != nil {
		network = drm.network(network, host)
	}
	supply, err := world.ParseSupply(f.Power)
	return w.WithNetwork(network).WithSerial(serial).WithPower(supply), err
}

// serialNumber gives every state directory a module of its own.
func serialNumber(seed uint64, state string) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, seed, state)
	return h.Sum64()
}

// notIn returns the files of b whose path none of a has: the application's own
// certificates win over those of the local cloud.
func notIn(a, b []app.File) []app.File {
	have := map[string]bool{}
	for _, f := range a {
		have[f.Path] = true
	}
	var rest []app.File
	for _, f := range b {
		if !have[f.Path] {
			rest = append(rest, f)
		}
	}
	return rest
}

func hostFiles(files []app.File) []flash.HostFile {
	list := make([]flash.HostFile, len(files))
	for i, f := range files {
		list[i] = flash.HostFile{Path: f.Path, Data: f.Data, Secure: f.Secure}
	}
	return list
}

// How long a module has to go off: a program may be inside a built-in function. What
// is on its flash is safe at any moment, but a recording has no end before it is off.
const (
	offLimit         = 2 * time.Second
	recordedOffLimit = 30 * time.Second
)

// offLimit is how long the machine has to go off.
func (m *machine) offLimit() time.Duration {
	if m.rec != nil {
		return recordedOffLimit
	}
	return offLimit
}

// finish switches the module off and waits until its run is done. Another signal
// does not wait.
func (m *machine) finish(done <-chan struct{}) {
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	m.device.PowerOff()
	select {
	case <-done:
	case <-again:
	case <-time.After(m.offLimit()):
	}
}

// leave is what a machine does when skep ends before it: it writes the recording,
// and ends the cloud, or the tie to that of another process, at once.
func (m *machine) leave() {
	m.rec.flush()
	if m.cloud != nil {
		m.cloud.abandon()
	}
}

// billPatience is how long a module that is still running has to say what it has
// cost.
const billPatience = time.Second

// bill prints what the run has cost, once, if it is wanted.
func (m *machine) bill() {
	if !m.meter || m.device == nil {
		return
	}
	m.billed.Do(func() {
		report := make(chan meter.Report, 1)
		go func() { report <- m.device.Bill() }()
		select {
		case r := <-report:
			r.Write(m.stderr)
		case <-time.After(billPatience):
			fmt.Fprintln(m.stderr, "skep: the module is too busy to say what the run has cost")
		}
	})
}

// close lets go of the flash, then of the cloud when nobody else uses it.
func (m *machine) close() {
	if m == nil || m.closed {
		return
	}
	m.closed = true
	m.bill()
	m.rec.close()
	if m.flash != nil {
		if err := m.flash.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "skep:", err)
		}
	}
	if m.cloud != nil {
		m.cloud.close()
	}
	if m.drm != nil {
		m.drm.close()
	}
}
