package pymod

import (
	"github.com/skep-sim/skep/internal/memory"
	"github.com/skep-sim/skep/internal/vm"
)

// This file is how what happens outside reaches a program's callbacks: through
// the interpreter's scheduler, between two instructions of whatever runs, or
// while a built-in function waits (xmp samples/xbee/communication/
// relay_frames_callback: "even if the app is in another blocking call").

// eventSource is something that a program can have a callback for.
type eventSource uint8

const (
	fromRelay eventSource = iota
	fromSMS
	fromModemStatus
	fromScan
	fromGNSS
	eventSources
)

// callbacks are the sources of a firmware: whether something waits, and the
// argument that the callback gets. They are declared once and then shared.
type callbacks struct {
	ready [eventSources]func(b *Board) bool
	take  [eventSources]func(v *vm.VM, b *Board) vm.Value
	call  vm.Value // the function that is scheduled, with a source as argument
}

// eventState is what a VM keeps of them.
type eventState struct {
	of        *callbacks
	vm        *vm.VM
	board     *Board
	functions [eventSources]vm.Value // vm.Null: none
	scheduled [eventSources]bool
	dupterm   terminal
}

const eventsKey = "events"

func eventsOf(v *vm.VM) *eventState { return v.State(eventsKey, nil).(*eventState) }

// newCallbacks prepares a firmware; a restart of the interpreter forgets what
// the program before it has asked for.
func newCallbacks(fw *vm.Firmware) *callbacks {
	c := &callbacks{}
	c.call = fw.Func1("", func(v *vm.VM, source vm.Value) vm.Value {
		eventsOf(v).deliver(eventSource(source.SmallInt()))
		return vm.None
	})
	fw.OnBoot(func(v *vm.VM) {
		s := v.State(eventsKey, func() any {
			s := &eventState{}
			v.AddRoots(s.mark)
			return s
		}).(*eventState)
		*s = eventState{of: c, vm: v, board: s.board}
		if s.board != nil {
			s.board.restart()
		}
	})
	return c
}

func (s *eventState) mark(m *memory.Marker) {
	for _, f := range s.functions {
		m.Word(uint32(f))
	}
	m.Word(uint32(s.dupterm.stream))
}

// restart forgets what belongs to the program that ran.
func (b *Board) restart() {
	b.relay().Reset()
	b.wakeLocks, b.scan, b.gnss = 0, cellScan{}, gnssUse{last: b.gnss.last}
	b.ble.restart()
	b.CloseSockets()
	b.points.reset()
	b.requests.reset()
	if b.Cloud != nil {
		b.Cloud.Reset()
	}
}

// on declares a source.
func (c *callbacks) on(source eventSource, ready func(b *Board) bool, take func(v *vm.VM, b *Board) vm.Value) {
	c.ready[source], c.take[source] = ready, take
}

// set is what the functions called callback do: f is called for each event from
// now on, or, with None, nothing is.
func (c *callbacks) set(v *vm.VM, source eventSource, f vm.Value) {
	s := eventsOf(v)
	if f == vm.None {
		s.functions[source] = vm.Null
		return
	}
	if !v.IsCallable(f) {
		v.RaiseMsg(vm.TypeTypeError, "callback must be callable")
	}
	s.functions[source] = f
	board(v).Wake()
}

// has reports whether the program has a callback for a source.
func (c *callbacks) has(v *vm.VM, source eventSource) bool {
	return eventsOf(v).functions[source] != vm.Null
}

// refusePolling raises OSError for a receive() while there is a callback. Which
// error the module raises is not known: EBUSY is not in its uerrno, EPERM is.
func (c *callbacks) refusePolling(v *vm.VM, source eventSource, name string) {
	if c.has(v, source) {
		board(v).note(name + "() cannot be used while a callback is set: unset it with callback(None), or take the message in the callback")
		v.RaiseOS(errPerm)
	}
}

// Wake makes a program that waits look for events; one that runs does at its next poll. It
// belongs to the goroutine of the device, as does whatever has happened.
func (b *Board) Wake() {
	if b.LookUp != nil {
		b.LookUp()
	}
}

// Pump schedules the callbacks of what has happened. The device calls it now and
// then while a program runs, from the interpreter's Poll hook.
func (b *Board) Pump(v *vm.VM) {
	s := eventsOf(v)
	for source := range eventSources {
		if s.functions[source] == vm.Null || s.scheduled[source] || !s.of.ready[source](b) {
			continue
		}
		if !v.Schedule(s.of.call, vm.SmallInt(int(source))) {
			return // full: another time
		}
		s.scheduled[source] = true
	}
}

// deliver calls a callback with one event.
func (s *eventState) deliver(source eventSource) {
	s.scheduled[source] = false
	v, b := s.vm, board(s.vm)
	f := s.functions[source]
	if f == vm.Null || !s.of.ready[source](b) {
		return
	}
	v.Keep(f)
	v.Call1(f, s.of.take[source](v, b)) // what comes next waits for the next poll
}
