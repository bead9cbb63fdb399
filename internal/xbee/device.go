// Package xbee is the module as a whole: it powers on, boots the interpreter,
// starts main.py, serves the prompt, restarts, and loses power. Under it lie
// flash, at, modem, bundle, profile and pymod (Digi's Python modules).
//
// A device belongs to the goroutine that calls Run. What it takes from outside
// comes through its world.World; it knows no cloud and no host tool.
package xbee

import (
	"io"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/repl"
	"github.com/skep-sim/skep/internal/syntax"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/api"
	"github.com/skep-sim/skep/internal/xbee/at"
	"github.com/skep-sim/skep/internal/xbee/board"
	"github.com/skep-sim/skep/internal/xbee/drm"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/gnss"
	"github.com/skep-sim/skep/internal/xbee/meter"
	"github.com/skep-sim/skep/internal/xbee/modem"
	"github.com/skep-sim/skep/internal/xbee/profile"
	"github.com/skep-sim/skep/internal/xbee/pymod"
	"github.com/skep-sim/skep/internal/xbee/relay"
	"github.com/skep-sim/skep/internal/xbee/script"
	"github.com/skep-sim/skep/internal/xbee/serial"
	"github.com/skep-sim/skep/internal/xbee/task"
	"github.com/skep-sim/skep/internal/xbee/transparent"
	"github.com/skep-sim/skep/internal/xbee/uart"
)

// Config is what a device is made of.
type Config struct {
	Profile *profile.Profile
	World   world.World
	Flash   *flash.Device
	// Serial is the module's 64-bit serial number; the IMEI and the SIM's numbers
	// derive from it.
	Serial uint64
	// HeapBytes replaces the profile's heap, if not 0.
	HeapBytes int
	// Features, if not nil, replaces the interpreter's optional features and error
	// wording; what makes it the module's stays (see [WithFeatures]).
	Features *vm.Options
	// Firmware replaces the one made from the profile and Features, if not nil;
	// many devices can share one.
	Firmware *Firmware
	// Settings are command-mode settings without their AT, such as "AP4", made
	// and applied at every power-on, though not saved. PS1 is no more once somebody
	// sets ATPS: who stops a program for good is to succeed.
	Settings []string
	// Autostart runs main.py whatever ATPS says.
	Autostart bool
	// NoREPL powers the device off when main has ended.
	NoREPL bool
	// Attended: somebody may give the power back that CutPower took away. Else
	// the run ends when the script will not.
	Attended bool
	// SecondaryOut takes what the module sends on its secondary UART (nil: it is
	// kept until somebody takes it).
	SecondaryOut func(b []byte)
	// RemoteManager: the world has a local Digi Remote Manager. Without, the module
	// never tries to reach one.
	RemoteManager bool
	// Debug, if not nil, follows the programs that the module runs; see vm.Config.
	Debug *vm.Debugger
	// Note takes remarks for the person at the host: which rule caused a failure,
	// and what to do. Each is handed over once (may be nil).
	Note func(text string)
	// Explain has Note told, when the program gets to see a figure about memory, which
	// parts of it rest on what is not known of the module for sure.
	Explain bool
}

// Device is one module.
type Device struct {
	conf    Config
	profile *profile.Profile
	world   world.World // with the clock of the tasks
	tasks   *task.Scheduler
	vm      *vm.VM
	board   *pymod.Board
	// hardware is what is around the processor; it outlives every reset.
	hardware *board.Board
	regs     *at.Registers
	modem    *modem.Modem
	meter    *meter.Meter
	uart     *uart.UART
	port     *serial.Port
	link     *transparent.Link
	api      *api.API // nil until API mode is selected
	console  *console
	remote   *drm.Client
	gnss     gnss.Receiver
	repl     *repl.REPL

	around      surroundings
	outside     outside
	modemEvents *modem.Subscription // nil without power
	sentSMS     []modem.SMS
	wire        wire

	powered  bool
	restored chan struct{} // the power has come back
	dark     bool          // there is none
	struck   bool          // it is about to be reset, or to lose its power
	off      chan struct{}
	offSeen  <-chan struct{} // off as the device sees it
	gate     world.Gate      // nil: the run is neither recorded nor replayed
	heard    time.Duration   // Uptime of the last byte, or of waking up
	restless chan struct{}   // when the module is to sleep has changed
	sleepJob *task.Job
	watchJob *task.Job
	skipMain bool // the next session does not start main
	noted    map[string]bool

	result Result
}

// Result is how a run of a device ended.
type Result struct {
	// Ran: there was a main, and it ended, by itself or by an exception.
	Ran bool
	// Failed: it ended by an exception other than SystemExit.
	Failed bool
	// Off: the device was switched off, by PowerOff or by its script.
	Off bool
}

// New makes a device, powered off.
func New(c Config) *Device {
	d := &Device{conf: c, off: make(chan struct{}, 1), noted: make(map[string]bool)}
	d.profile = c.Profile
	d.world = c.World
	d.hardware = board.New(func() int64 { return world.Uptime(c.World.Clock()).Microseconds() })
	d.meter = meter.New(c.World.Clock(), meter.DrawOf(c.Profile.Model, 0))
	d.around.usb = c.World.Power().Supply() == world.USB
	d.wire = wire{Stream: c.World.Serial(), d: d}
	d.restored, d.outside.news, d.restless = make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{}, 1)
	d.powered, d.dark = true, true
	d.gate = c.World.Gate()
	d.offSeen, d.outside.heard = d.event(d.off), d.event(d.outside.news)
	d.recorded()
	d.listen()
	return d
}

// Debug has the programs that the module runs followed. It is for a device that does
// not run yet.
func (d *Device) Debug(by *vm.Debugger) { d.conf.Debug = by }

// LookUp has a program that waits in a built-in function let its debugger in soon. Any
// goroutine may call it.
func (d *Device) LookUp() {
	d.do(d.ordered(newOrder(orderLook), func() {
		if d.console != nil {
			notify(d.console.pressed)
		}
	}))
}

// PowerOff takes the device's power away: Run returns soon, whatever a program
// does, unless it is inside a built-in function that takes long. It may be
// called from any goroutine.
func (d *Device) PowerOff() { notify(d.off) }

// powerOff is the Go panic by which PowerOff ends a session.
type powerOff struct{}

// connect makes what lies between the device and its world. What it returns ends
// that again.
func (d *Device) connect() (disconnect func()) {
	d.tasks = task.New(d.conf.World.Clock())
	d.world = d.conf.World.WithClock(d.tasks.Clock()).WithPower(&d.around)
	d.uart = uart.New(&d.wire, d.tasks)
	d.console = newConsole(d.uart, d.world.Clock())
	d.tasks.MainOnly(d.console.pressed)
	return func() {
		d.tasks.Stop()
		d.uart.Close()
	}
}

// Run powers the device on and runs it until it is powered off: by PowerOff,
// when there is nobody at its serial port any more, or, with NoREPL, when main
// has ended.
func (d *Device) Run() Result {
	var disconnect func()
	d.outside.open(func() {
		d.before()
		disconnect = d.connect()
		d.outside.begun = world.Uptime(d.world.Clock())
	})
	defer disconnect()
	defer func() {
		d.dark = true
		d.outside.close()
	}()
	defer d.finish()
	d.runScript() // what is so from the beginning
	if !d.waitForPower() {
		return d.result
	}
	d.powerOn(pymod.PowerOnReset)
	for {
		again, reset := d.session()
		if !again {
			d.modem.PowerOff()
			d.conf.Flash.FS().CloseAll()
			return d.result
		}
		if reset.Kind == pymod.SoftReset {
			d.board.Cause = reset.Cause
			continue
		}
		d.tasks.Stop()
		d.modem.CloseAll()
		if !d.waitForPower() {
			return d.result
		}
		d.world.Clock().Sleep(resetTime)
		d.powerOn(reset.Cause)
	}
}

// resetTime is how long the module is deaf and dumb when it restarts. A choice:
// how long it takes is not known, only that it is no moment.
const resetTime = 250 * time.Millisecond

// powerOn is a start of the whole module.
func (d *Device) powerOn(cause pymod.ResetCause) {
	w := d.world
	fw := d.conf.Firmware
	if fw == nil {
		fw = NewFirmware(*d.profile, d.conf.Features)
	}
	d.port, d.link, d.api, d.struck = nil, nil, nil, false
	d.modem = modem.New(modem.Config{
		Profile: d.profile, World: w, Serial: d.conf.Serial, Interrupt: d.console.pressed, Note: d.note, Meter: d.meter,
	})
	d.settle()
	d.regs = at.New(fw.registers, d.profile, (*state)(d), d.conf.Flash.Blob("registers"))
	for _, setting := range d.conf.Settings {
		if _, err := d.regs.Command(setting); err != nil {
			d.note("a setting to begin with: " + err.Error())
		}
	}
	d.regs.Apply()
	d.draw()
	d.savePower()
	d.modem.SetAirplane(d.regs.Active("AM").Int() == 1)
	d.board = &pymod.Board{
		Profile: d.profile, World: w, Flash: d.conf.Flash, Registers: d.regs, Modem: d.modem,
		Hardware: d.hardware, Relay: relay.New(), GNSS: &d.gnss, Cwd: flash.Root, Cause: cause, Note: d.note, Interrupt: d.console.pressed,
		PoweredOn: w.Clock().Ticks(), Registered: d.modem.IsConnected, Asleep: d.fallAsleep, Awake: d.wakeUp,
		LookUp:      func() { notify(d.console.pressed) },
		NetworkTime: func() time.Duration { return d.around.offset },
		WakePin:     func() (bool, <-chan struct{}) { return d.hardware.WakeHigh(), d.hardware.Woken() },
	}
	d.wirePins()
	d.weakSupply()
	heap := d.conf.HeapBytes
	if heap == 0 {
		heap = d.profile.HeapBytes.Value
	}
	d.vm = vm.New(vm.Config{
		Debug:    d.conf.Debug,
		Firmware: fw.python, HeapBytes: uint32(heap),
		Hooks: vm.Hooks{
			Stdout: d.console.writeText,
			Stdin:  d.console.read,

			StdoutRaw: d.console.Write,

			Files:         &pymod.Importer{Board: d.board},
			Note:          d.note,
			InterruptChar: d.console.SetInterrupt,
			Poll:          d.poll,
			Figure:        d.explain,
			Exception:     d.excepted(),
		},
	})
	pymod.Attach(d.vm, d.board)
	d.console.other, d.console.idle = terminal{d.vm, d.board}, d.idle
	d.repl = repl.New(d.vm, d.console, repl.Config{Banner: d.banner(), NumberedPaste: true, Flash: (*stored)(d)})
	d.startSerial()
	d.sleepSet()
	d.tasks.Go("module", d.keepHouse)
	d.startRemote()
	d.mark("boot", "%v", cause)
	d.happened(script.Event{Kind: script.Booted})
}

func (d *Device) banner() string {
	return d.profile.Banner() + "\r\nType \"help()\" for more information.\r\n"
}

// note hands a remark to the host, once.
func (d *Device) note(text string) {
	if d.conf.Note == nil {
		return
	}
	if !d.noted[text] {
		d.noted[text] = true
		d.conf.Note(text)
	}
}

// weakSupply makes the serial port of a module that cannot stand USB power lose
// bytes.
func (d *Device) weakSupply() {
	if d.profile.USBPowerFails.Value != profile.USBBreaksSerial || !(*state)(d).onUSB() {
		d.uart.SetLossy(nil)
		return
	}
	d.note("the serial port loses bytes because a Cat 1 module is fed by USB alone: plug the board into wall power (--power wall)")
	entropy := d.conf.World.Entropy()
	d.uart.SetLossy(func() bool {
		var b [1]byte
		io.ReadFull(entropy, b[:])
		return b[0] < 8 // about 3 % of the bytes, a choice
	})
}

// session is one life of the interpreter, from its start to a reset. again is
// false when the device is powered off.
func (d *Device) session() (again bool, reset pymod.Reset) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if r == any(powerOff{}) {
			d.result.Off = true
			return
		}
		if s, ok := r.(sudden); ok {
			d.lose()
			again, reset = true, pymod.Reset{Kind: pymod.HardReset, Cause: s.cause}
			return
		}
		if r == any(nobodyTypes{}) {
			d.note("the program waits for input and there is no more: powered off")
			d.result.Ran, d.result.Failed = true, true
			return
		}
		if f := vm.FaultOf(r); f != nil {
			d.note(f.Error())
			d.result.Ran, d.result.Failed = true, true
			d.endSession()
			again, reset = !d.conf.NoREPL, pymod.Reset{Kind: pymod.HardReset, Cause: pymod.LockupReset}
			return
		}
		if c, ok := r.(*task.Crash); ok {
			d.note("a bug of Skep has stopped the module, which restarts; please report it with what follows. " + c.Error())
			d.endSession()
			again, reset = !d.conf.NoREPL, pymod.Reset{Kind: pymod.HardReset, Cause: pymod.LockupReset}
			return
		}
		if r == any(erased{}) {
			r, d.skipMain = pymod.Reset{Kind: pymod.SoftReset}, true
		}
		asked, ok := r.(pymod.Reset)
		if !ok {
			panic(r)
		}
		again, reset = true, asked
		if reset.Kind == pymod.SoftReset {
			d.console.writeText([]byte("soft reboot\n"))
			if reset.Cause == 0 {
				reset.Cause = pymod.SoftResetCause
			}
		}
		d.endSession()
	}()
	d.world.Clock().Sleep(0) // the port is heard however often a program restarts
	d.startInterpreter()
	d.repl.Start()
	skip := d.skipMain
	d.skipMain = false
	if !skip && d.autostart() {
		ran := d.runMain()
		if d.conf.NoREPL {
			return false, reset
		}
		if ran {
			d.repl.Prompt()
		}
	} else if d.conf.NoREPL {
		return false, reset
	}
	if d.repl.Run() == repl.EndOfInput {
		return false, reset
	}
	panic(pymod.Reset{Kind: pymod.SoftReset})
}

func (d *Device) endSession() {
	d.console.SetInterrupt(-1)
	d.board.CloseSockets()
	d.conf.Flash.FS().CloseAll()
	d.board.Cwd = flash.Root
	d.hardware.SoftReset()
}

// startInterpreter begins with an empty heap and maps the bundle.
func (d *Device) startInterpreter() {
	v := d.vm
	v.Reset()
	d.board.MapBundle(v)
	v.SetStackFloor(stackFloor)
	path, _ := v.InitSysLists()
	for _, dir := range []string{"", flash.Root, flash.Root + "/lib"} {
		v.ListAppend(path, v.StaticStr(dir))
	}
	v.Release(0)
}

// stackFloor is what the firmware's own main function has on the C stack when a
// line typed at the prompt is run, in bytes. With the cost of a call it gives
// the 984 of the seed's mem_info.
const stackFloor = 400

func (d *Device) autostart() bool {
	return d.conf.Autostart || d.regs.Active("PS").Int() == 1
}

// runMain runs /flash/main.py or, if there is none, /flash/main.mpy, and
// reports whether there was one.
func (d *Device) runMain() bool {
	fs := d.conf.Flash.FS()
	path := flash.Root + "/main.py"
	if _, err := fs.Stat("/", path); err != nil {
		path = flash.Root + "/main.mpy"
		if _, err := fs.Stat("/", path); err != nil {
			if d.conf.NoREPL {
				d.note("there is no main.py and no main.mpy on /flash: nothing was run; use skep repl for the prompt")
			}
			return false
		}
	}
	text, err := fs.ReadSecure("/", path)
	v := d.vm
	exc := v.Try(func() {
		if err != nil {
			v.RaiseOS(vm.Errno(flash.ErrnoOf(err)))
		}
		d.runFile(path, text)
	})
	d.console.SetInterrupt(-1)
	d.result.Ran = true
	d.result.Failed = false
	if exc != vm.Null && !v.IsSubclass(v.TypeOf(exc), vm.TypeSystemExit) {
		d.result.Failed = true
		v.Stdout().ReportException(exc)
	}
	v.UnlockHeap()
	v.Release(0)
	return true
}

func (d *Device) runFile(path string, text []byte) {
	v := d.vm
	p := v.Stdout()
	p.String("\n")
	var raw uint32
	if strings.HasSuffix(path, ".mpy") {
		p.String("Loading " + path + "...\n")
		raw = v.LoadMpyFile(path, text)
	} else {
		p.String("Parsing " + path + "...\n")
		raw = v.CompileFile(text, "<stdin>", syntax.File, func() { p.String("Compiling " + path + "...\n") })
	}
	p.String("Running bytecode...\n")
	d.console.SetInterrupt(3)
	// A module's receiver sees a Ctrl-C at any moment. Here the port has its turn
	// now and then, which a program of a few lines would be over before: the way
	// out of one that restarts for ever.
	v.CheckPendingAt(raw)
	v.RunRaw(raw, v.MainDict(), v.MainDict())
}

// idle is called at the prompt when something has happened: callbacks run, and
// there is no program to interrupt.
func (d *Device) idle() {
	d.console.answered()
	mark := d.vm.Mark()
	d.vm.Try(d.vm.CheckPending)
	d.vm.Release(mark)
}

// poll is called from the interpreter's loop now and then.
func (d *Device) poll() {
	d.tasks.Poll()
	d.checked()
	if d.console.hit {
		d.console.answered()
		d.vm.KeyboardInterrupt()
	}
	d.board.Pump(d.vm)
}
