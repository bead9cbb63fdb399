// Package pymod is the Python modules that Digi's firmware brings: uos, usocket,
// ussl, network, cellular, xbee, machine, utime and so on. Each function declares
// one of them in a firmware; what they do to the module they do through a Board.
//
// It is not the module: boot, reset and the serial port are package xbee's, the
// sockets package modem's, the files package flash's.
package pymod

import (
	"time"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/at"
	hw "github.com/skep-sim/skep/internal/xbee/board"
	"github.com/skep-sim/skep/internal/xbee/drm"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/gnss"
	"github.com/skep-sim/skep/internal/xbee/modem"
	"github.com/skep-sim/skep/internal/xbee/profile"
	"github.com/skep-sim/skep/internal/xbee/relay"
)

// Board is the module as its Python modules see it. One device has one; it
// outlives soft reboots of the interpreter.
type Board struct {
	Profile   *profile.Profile
	World     world.World
	Flash     *flash.Device
	Registers *at.Registers
	Modem     *modem.Modem
	// Hardware is what module machine works on.
	Hardware *hw.Board
	// Cwd is the working directory of Python, "/flash" after every soft reboot.
	Cwd string
	// Cause is what machine.reset_cause() returns.
	Cause ResetCause
	// Note tells the person at the host what the device would not say: which
	// rule caused a failure, and what to do. It may be called often; the same
	// text is shown once.
	Note func(text string)
	// Interrupt receives when somebody at the serial port asks the program to
	// stop: blocking operations end then and let the loop see it.
	Interrupt <-chan struct{}
	// PoweredOn is the World's Ticks at power-on.
	PoweredOn int64
	// Registered reports whether the module has been on the network, which tells
	// it the time (nil: always).
	Registered func() bool
	// Asleep is called when the module falls asleep: the modem goes off and with
	// it every connection (may be nil).
	Asleep func()
	// Awake is called when the module wakes up again (may be nil).
	Awake func()
	// NetworkTime is how far the network's time is from the World's (nil: it is
	// the World's).
	NetworkTime func() time.Duration
	// Relay carries messages between the program and the serial port. A board
	// without one makes one of its own.
	Relay *relay.Relay
	// Cloud is the module's side of Digi Remote Manager (nil: there is none).
	Cloud *drm.Client
	// GNSS is the satellite receiver. A board without one makes one of its own.
	GNSS *gnss.Receiver
	// WakePin is whether the sleep request pin, DIO8, is high, and what receives
	// when it changes (nil: it is pulled up and nothing drives it).
	WakePin func() (high bool, changed <-chan struct{})
	// LookUp ends the wait of a program that sleeps or waits for something, so
	// that it sees what has happened; it looks and waits on (may be nil).
	LookUp func()

	timeKnown bool
	wakers    []<-chan struct{} // what the wait of uselect ends on
	statuses  []byte            // modem statuses that the program has not seen
	woken     int               // what wake_reason() returns
	wakeLocks int
	scan      cellScan
	gnss      gnssUse
	ble       bleState
	files     handles[*flash.File]
	points    handles[*dataPoints]
	sockets   []uint32 // the program's, by the modem's numbers
	requests  handles[*deviceRequest]
	bundle    bundleState
}

// ResetKind is how much is restarted.
type ResetKind uint8

// The kinds of reset.
const (
	SoftReset ResetKind = iota // the interpreter only
	HardReset                  // the whole module
)

// ResetCause is why the module started, in the order of machine's constants.
type ResetCause int

// The causes, as machine.reset_cause() numbers them (the numbers are a choice).
const (
	PowerOnReset ResetCause = 1 + iota
	HardResetCause
	WatchdogReset
	DeepSleepReset
	SoftResetCause
	BrownoutReset
	LockupReset
)

// String is how a person would say it.
func (c ResetCause) String() string {
	names := [...]string{"?", "power-on", "reset", "watchdog", "wake from deep sleep", "soft reset", "brown-out", "lock-up"}
	if c < 0 || int(c) >= len(names) {
		c = 0
	}
	return names[c]
}

// Reset is the Go panic by which a built-in function restarts the device. The
// loop of package xbee catches it; no Python code runs any more.
type Reset struct {
	Kind  ResetKind
	Cause ResetCause
}

// boardKey is the name under which the Board is kept with the VM.
const boardKey = "board"

// Attach makes b the board of a VM. It is called before any program runs.
func Attach(v *vm.VM, b *Board) {
	v.State(boardKey, func() any { return b })
	eventsOf(v).board = b
}

// board returns the board of a VM.
func board(v *vm.VM) *Board { return v.State(boardKey, nil).(*Board) }

// FS returns the file system.
func (b *Board) FS() *flash.FS { return b.Flash.FS() }
