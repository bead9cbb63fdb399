package pymod

import (
	"time"

	"github.com/skep-sim/skep/internal/vm"
)

// terminal is the stream that uos.dupterm has put in the place of the serial
// port (upstream's extmod/uos_dupterm.c, of which the module has one slot).
type terminal struct {
	stream vm.Value // vm.Null: none
	// inside: the stream is being read or written, which may print
	inside bool
}

// dupterm is dupterm(stream[, index]): it returns the stream that was there.
func dupterm(v *vm.VM, args []vm.Value) vm.Value {
	if len(args) == 2 && v.Int(args[1]) != 0 {
		v.RaiseMsg(vm.TypeValueError, "invalid dupterm index")
	}
	t := &eventsOf(v).dupterm
	before := t.stream
	if before == vm.Null {
		before = vm.None
	}
	if args[0] == vm.None {
		t.stream = vm.Null
		return before
	}
	if s, _ := v.StreamFor(args[0], true, true); s.Ioctl == nil {
		v.RaiseMsg(vm.TypeOSError, "stream operation not supported")
	}
	t.stream = args[0]
	return before
}

// Redirected reports whether the console is a stream of the program's instead of
// the serial port: uos.dupterm has named one, and ATAP is not 4 (xmp
// typehints/uos.pyi).
func (b *Board) Redirected(v *vm.VM) bool {
	t := &eventsOf(v).dupterm
	return t.stream != vm.Null && !t.inside && b.Registers.Active("AP").Int() != replMode
}

// replMode is the ATAP in which the serial port is the console.
const replMode = 4

// WriteTerminal writes what a program prints to the stream of uos.dupterm. One
// that raises is given up.
func (b *Board) WriteTerminal(v *vm.VM, p []byte) {
	t := &eventsOf(v).dupterm
	t.inside = true
	exc := v.Try(func() { v.StreamWrite(t.stream, p, false) })
	t.inside = false
	if exc != vm.Null {
		b.giveUp(v, "dupterm: Exception in write() method, deactivating: ", exc)
	}
}

// ReadTerminal reads what has been typed at the stream of uos.dupterm, and
// returns how much that was. The interrupt character (-1: none) raises
// KeyboardInterrupt soon.
func (b *Board) ReadTerminal(v *vm.VM, p []byte, interrupt int) int {
	t := &eventsOf(v).dupterm
	n := 0
	for n < len(p) && t.stream != vm.Null {
		var c [1]byte
		var got int
		var errno vm.Errno
		t.inside = true
		exc := v.Try(func() {
			s, o := v.StreamFor(t.stream, true, false)
			got, errno = s.Read(v, o, c[:])
			if errno != 0 && errno != errAgain {
				v.RaiseOS(errno)
			}
		})
		t.inside = false
		switch {
		case exc != vm.Null:
			b.giveUp(v, "dupterm: Exception in read() method, deactivating: ", exc)
			return n
		case errno == errAgain:
			return n
		case got == 0:
			b.giveUp(v, "dupterm: EOF received, deactivating\n", vm.Null)
			return n
		case int(c[0]) == interrupt:
			v.KeyboardInterrupt()
			return n
		}
		p[n] = c[0]
		n++
	}
	return n
}

// TerminalEvents is what a wait for input at the stream of uos.dupterm should
// end on, and after how long to look all the same.
func (b *Board) TerminalEvents(v *vm.VM) (events []<-chan struct{}, again time.Duration) {
	t := &eventsOf(v).dupterm
	b.wakers = b.wakers[:0]
	t.inside = true
	v.Try(func() {
		s, o := v.StreamFor(t.stream, true, false)
		s.Ioctl(v, o, ioctlPoll, pollIn)
	})
	t.inside = false
	if len(b.wakers) == 0 {
		return nil, terminalAgain
	}
	return b.wakers, -1
}

// terminalAgain is how often a terminal is read that cannot say when there is
// something.
const terminalAgain = 10 * time.Millisecond

// giveUp takes the terminal away, says why where output goes then, and closes
// the stream.
func (b *Board) giveUp(v *vm.VM, text string, exc vm.Value) {
	t := &eventsOf(v).dupterm
	stream := t.stream
	t.stream = vm.Null
	p := v.Stdout()
	p.String(text)
	if exc != vm.Null {
		p.PrintException(exc)
	}
	v.Try(func() {
		if s, o := v.StreamOf(stream); s != nil && s.Close != nil {
			s.Close(v, o)
		}
	})
}
