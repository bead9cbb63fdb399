package xbee

import (
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/uart"
)

// console is the serial port as the interpreter sees it, in REPL mode (ATAP4):
// bytes that have arrived wait in a queue; the character that interrupts a
// program is taken out as it arrives, so that a program which never reads still
// feels it. In other modes nothing arrives, and what is printed goes nowhere.
//
// It implements repl.Terminal and serial.Mode.
type console struct {
	uart  *uart.UART
	clock world.Clock

	queue     []byte
	interrupt int // the character that interrupts, -1: none
	open      bool
	ended     bool

	arrived chan struct{} // something is in the queue, or the input has ended
	// pressed receives when the program is to be interrupted, for those who wait;
	// hit remembers it for the interpreter's loop.
	pressed chan struct{}
	hit     bool
	ordered bool // hit by ATPY^, which waits for a program

	// idle lets callbacks run while the prompt waits for a key.
	idle func()
	// other is the terminal that the program has put in the port's place.
	other otherTerminal
}

// otherTerminal is the stream of uos.dupterm.
type otherTerminal interface {
	Redirected() bool // it counts now
	Write(b []byte)
	// Read takes what has been typed there. The interrupt character (-1: none)
	// interrupts the program.
	Read(b []byte, interrupt int) int
	// Events are what a wait for a key there ends on, and after how long to look
	// all the same.
	Events() ([]<-chan struct{}, time.Duration)
}

func newConsole(u *uart.UART, c world.Clock) *console {
	return &console{uart: u, clock: c, interrupt: -1, arrived: make(chan struct{}, 1), pressed: make(chan struct{}, 1)}
}

// Receive takes what has arrived.
func (k *console) Receive(b []byte) {
	for _, c := range b {
		if int(c) == k.interrupt {
			k.press()
			continue
		}
		k.queue = append(k.queue, c)
	}
	notify(k.arrived)
}

// Open tells whether the port is the interpreter's.
func (k *console) Open(open bool) {
	k.open = open
	notify(k.arrived) // or somewhere else
}

// Full is never so: a key that interrupts must be heard, however much the
// program has left unread.
func (k *console) Full() bool { return false }

// end is the end of the input.
func (k *console) end() {
	k.ended = true
	notify(k.arrived)
}

// press interrupts the program, as the key does.
func (k *console) press() {
	k.hit = true
	notify(k.pressed)
}

// order interrupts the program, as ATPY^ does. What the key would not do, it waits
// for a program that is about to begin, also while the interpreter restarts: else
// there would be no telling whether it worked. What a module does then is not known.
func (k *console) order() {
	k.ordered = true
	k.press()
}

// answered is called when the interpreter has felt the interrupt, or has nothing
// to interrupt.
func (k *console) answered() { k.hit, k.ordered = false, false }

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// SetInterrupt sets the character that interrupts a program; -1 is none.
func (k *console) SetInterrupt(c int) {
	k.interrupt = c
	k.hit = k.ordered
	select { // a press that came too late is nobody's
	case <-k.pressed:
	default:
	}
}

// Key waits for the next byte; false is the end of input.
func (k *console) Key() (byte, bool) {
	var b [1]byte
	for k.take(b[:]) == 0 {
		if k.ended {
			return 0, false
		}
		k.idle()
		k.wait()
	}
	return b[0], true
}

// take takes what has arrived.
func (k *console) take(b []byte) int {
	if k.redirected() {
		if n := k.other.Read(b, k.interrupt); n > 0 {
			return n
		}
	}
	n := copy(b, k.queue)
	k.queue = k.queue[n:]
	return n
}

func (k *console) redirected() bool { return !k.open && k.other != nil && k.other.Redirected() }

// wait waits until there may be something to take, or the program is to be
// interrupted.
func (k *console) wait() {
	again, events := time.Duration(world.Forever), []<-chan struct{}{k.arrived, k.pressed}
	if k.redirected() {
		more, d := k.other.Events()
		events, again = append(events, more...), d
	}
	k.clock.Wait(again, events...)
}

// nobodyTypes is the Go panic that powers the device off when a program waits for
// input that will never come.
type nobodyTypes struct{}

// read is the interpreter's input: what has arrived. With wait it waits for
// something, or for the interrupt character.
func (k *console) read(b []byte, wait bool) (n int, end bool) {
	for waited := false; ; waited = true {
		n = k.take(b)
		if n > 0 || !wait || k.hit || waited { // let callbacks run, and wait again
			return n, false
		}
		if k.ended {
			panic(nobodyTypes{})
		}
		k.wait()
	}
}

// Write sends bytes as they are.
func (k *console) Write(b []byte) {
	switch {
	case k.open:
		k.uart.Send(b)
	case k.redirected():
		k.other.Write(b)
	}
}

// writeText sends what a program prints: LF becomes CR LF.
func (k *console) writeText(b []byte) {
	start := 0
	for i, c := range b {
		if c == '\n' {
			k.Write(b[start:i])
			k.Write([]byte("\r\n"))
			start = i + 1
		}
	}
	if start < len(b) {
		k.Write(b[start:])
	}
}
