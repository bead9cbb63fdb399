package pymod

import (
	"time"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
)

// What can be waited for: upstream's MP_STREAM_POLL_*, which module uselect
// gives other names.
const (
	pollIn  = 1
	pollOut = 4
	pollErr = 8
	pollHup = 16
)

// ioctlPoll is the request of a stream's Ioctl that asks which of the conditions
// in its argument hold (upstream's MP_STREAM_POLL). POLLERR and POLLHUP may be
// told without being asked for. Streams that the program waits for name what
// wakes it with [Board.wakeOn] while they answer.
const ioctlPoll = 3

// ioctlClose is the request that closes a stream.
const ioctlClose = 4

// oneShot is the flag of poll and ipoll that clears the mask of what was ready.
const oneShot = 1

// Select declares module uselect as upstream's extmod/moduselect.c has it. What
// can be waited for is sockets and machine.UART (xmp typehints/uselect.pyi).
func Select(fw *vm.Firmware) {
	m := fw.Module("uselect")
	m.Add("select", fw.FuncV("select", 3, 4, selectOnce))
	poll := &vm.Type{
		Iter: func(v *vm.VM, self vm.Value, buf uint32) vm.Value { return self },
		Next: pollNext,
	}
	t := fw.NewType("poll", poll)
	fw.Method(t, "register", fw.FuncV("register", 2, 3, func(v *vm.VM, args []vm.Value) vm.Value {
		mask := pollIn | pollOut
		if len(args) == 3 {
			mask = v.Int(args[2])
		}
		pollRegister(v, args[0], args[1], mask)
		return vm.None
	}))
	fw.Method(t, "unregister", fw.Func2("unregister", func(v *vm.VM, self, obj vm.Value) vm.Value {
		v.DictRemove(self, objectID(obj))
		return vm.None
	}))
	fw.Method(t, "modify", fw.Func3("modify", func(v *vm.VM, self, obj, mask vm.Value) vm.Value {
		e := v.DictGet(self, objectID(obj))
		if e == vm.Null {
			v.RaiseOS(errNoEnt)
		}
		v.Mem[e/4+entryMask] = vm.SmallInt(v.Int(mask))
		return vm.None
	}))
	fw.Method(t, "poll", fw.FuncV("poll", 1, 3, pollPoll))
	fw.Method(t, "ipoll", fw.FuncV("ipoll", 1, 3, pollIpoll))
	m.Add("poll", fw.Func0("poll", func(v *vm.VM) vm.Value {
		o := vm.Value(v.Alloc(pollBytes))
		v.Mem[o/4] = t.Value() // and an empty map, all zero
		v.Mem[o/4+pollLeft], v.Mem[o/4+pollFlags] = vm.SmallInt(0), vm.SmallInt(0)
		return o
	}))
	m.Int("POLLIN", pollIn).Int("POLLOUT", pollOut).Int("POLLERR", pollErr).Int("POLLHUP", pollHup)
	fw.Alias("select", m, true)
}

// A poll object is seven words: type, map (three words), how many entries the
// iterator has still to give and where it is, flags, the tuple that ipoll gives.
// The map makes it look like a dict to the functions of package vm that walk it.
const (
	pollBytes = 28
	pollLeft  = 4
	pollFlags = 5
	pollTuple = 6
)

// An entry, the value in the map of an object's identity, is four words: the
// object, its poll function (which is not needed here), the mask of what is
// asked, and what was answered.
const (
	entryBytes = 16
	entryMask  = 2
	entryReady = 3
)

// objectID is the key of an object, its address.
func objectID(o vm.Value) vm.Value { return vm.SmallInt(int(o & vm.MaxSmallInt)) }

// newEntry makes the entry of an object, or raises OSError for what cannot be
// polled.
func newEntry(v *vm.VM, obj vm.Value, mask int) vm.Value {
	if s, _ := v.StreamOf(obj); s == nil || s.Ioctl == nil {
		v.RaiseMsg(vm.TypeOSError, "stream operation not supported")
	}
	e := v.Alloc(entryBytes) / 4
	v.Mem[e], v.Mem[e+entryMask], v.Mem[e+entryReady] = obj, vm.SmallInt(mask), vm.SmallInt(0)
	return vm.Value(e * 4)
}

func pollRegister(v *vm.VM, self, obj vm.Value, mask int) {
	key := objectID(obj)
	if e := v.DictGet(self, key); e != vm.Null {
		v.Mem[e/4+entryMask] = vm.SmallInt(mask)
		return
	}
	v.DictStore(self, key, vm.Null) // the map grows before the entry is made
	defer func() {
		if v.DictGet(self, key) == vm.Null { // raising: leave no empty entry
			v.DictRemove(self, key)
		}
	}()
	v.DictStore(self, key, newEntry(v, obj, mask))
}

// ask polls one entry.
func ask(v *vm.VM, e vm.Value) int {
	i := e / 4
	s, o := v.StreamOf(v.Mem[i])
	ready, errno := s.Ioctl(v, o, ioctlPoll, v.Mem[i+entryMask].SmallInt())
	if errno != 0 {
		v.RaiseOS(errno)
	}
	v.Mem[i+entryReady] = vm.SmallInt(ready)
	return ready
}

// askAgain is how often a stream is polled that cannot say when it has something.
const askAgain = time.Millisecond

// wakeOn adds what a wait for a stream ends on.
func (b *Board) wakeOn(events ...<-chan struct{}) { b.wakers = append(b.wakers, events...) }

// waitReady asks entries until one is ready or the time (Forever: none) is up,
// and returns how many are.
func waitReady(v *vm.VM, limit time.Duration, each func(f func(e vm.Value))) (ready int) {
	b := board(v)
	clock := b.World.Clock()
	end := clock.Ticks() + limit.Microseconds()
	for {
		b.wakers = append(b.wakers[:0], b.Interrupt)
		ready = 0
		silent := false // a stream, of the program's own perhaps, that can only be asked again
		each(func(e vm.Value) {
			n := len(b.wakers)
			if ask(v, e) != 0 {
				ready++
			}
			silent = silent || len(b.wakers) == n
		})
		if ready > 0 {
			return ready
		}
		left := world.Forever
		if limit >= 0 {
			if left = time.Duration(end-clock.Ticks()) * time.Microsecond; left <= 0 {
				return 0
			}
		}
		if silent && (left < 0 || left > askAgain) {
			left = askAgain
		}
		clock.Wait(b.untilDue(left), b.wakers...)
		v.CheckPending()
	}
}

// pollEntries walks the entries of a poll object in the order of their table.
func pollEntries(v *vm.VM, self vm.Value) func(f func(e vm.Value)) {
	return func(f func(e vm.Value)) {
		for pos := 0; ; {
			_, e, ok := v.DictNext(self, &pos)
			if !ok {
				return
			}
			f(e)
		}
	}
}

// pollWait is what poll and ipoll do first: poll([timeout_ms[, flags]]).
func pollWait(v *vm.VM, args []vm.Value) int {
	limit, flags := world.Forever, 0
	if len(args) >= 2 && args[1] != vm.None {
		if ms := v.Int(args[1]); ms >= 0 {
			limit = time.Duration(ms) * time.Millisecond
		}
	}
	if len(args) == 3 {
		flags = v.Int(args[2])
	}
	v.Mem[args[0]/4+pollFlags] = vm.SmallInt(flags)
	return waitReady(v, limit, pollEntries(v, args[0]))
}

// answered returns what an entry was ready for, and with oneShot asks no more
// of it.
func answered(v *vm.VM, self, e vm.Value) vm.Value {
	ready := v.Mem[e/4+entryReady]
	if ready != vm.SmallInt(0) && v.Mem[self/4+pollFlags].SmallInt()&oneShot != 0 {
		v.Mem[e/4+entryMask] = vm.SmallInt(0)
	}
	return ready
}

func pollPoll(v *vm.VM, args []vm.Value) vm.Value {
	self := args[0]
	list, n := newListLen(v, pollWait(v, args)), 0
	pollEntries(v, self)(func(e vm.Value) {
		if ready := answered(v, self, e); ready != vm.SmallInt(0) && n < len(v.ListItems(list)) {
			t := v.NewTuple(v.Mem[e/4], ready)
			v.ListItems(list)[n] = t
			n++
		}
	})
	return list
}

// newListLen makes a list of n places, to be filled.
func newListLen(v *vm.VM, n int) vm.Value {
	items := make([]vm.Value, n)
	for i := range items {
		items[i] = vm.None
	}
	return v.NewList(items...)
}

// iterShift packs the two short counters of the iterator into a small int.
const iterShift = 12

func pollIpoll(v *vm.VM, args []vm.Value) vm.Value {
	i := args[0] / 4
	if v.Mem[i+pollTuple] == vm.Null {
		v.Mem[i+pollTuple] = v.NewTuple(vm.None, vm.None)
	}
	v.Mem[i+pollLeft] = vm.SmallInt(pollWait(v, args) << iterShift)
	return args[0]
}

func pollNext(v *vm.VM, self vm.Value) vm.Value {
	i := self / 4
	state := v.Mem[i+pollLeft].SmallInt()
	left, pos := state>>iterShift, state&(1<<iterShift-1)
	for left > 0 {
		_, e, ok := v.DictNext(self, &pos)
		if !ok {
			break
		}
		if ready := answered(v, self, e); ready != vm.SmallInt(0) {
			v.Mem[i+pollLeft] = vm.SmallInt((left-1)<<iterShift | pos)
			t := v.Mem[i+pollTuple]
			items := v.TupleItems(t)
			items[0], items[1] = v.Mem[e/4], ready
			return t
		}
	}
	v.Mem[i+pollLeft] = vm.SmallInt(0)
	return vm.Null
}

// selectOnce is select(rlist, wlist, xlist[, timeout]): timeout in seconds, none
// or a negative one for ever.
func selectOnce(v *vm.VM, args []vm.Value) vm.Value {
	var lists [3][]vm.Value
	total := 0
	for i := range lists {
		lists[i] = append(lists[i], v.Array(args[i])...)
		total += len(lists[i])
	}
	limit := world.Forever
	if len(args) == 4 && args[3] != vm.None {
		if s := v.Float(args[3]); s >= 0 {
			limit = milliseconds(s)
		}
	}
	t := newSelectTable(v, total)
	for i, mask := range [...]int{pollIn, pollOut, pollErr | pollHup} {
		for _, obj := range lists[i] {
			t.add(obj, mask)
		}
	}
	waitReady(v, limit, t.each)
	var ready [3][]vm.Value
	t.each(func(e vm.Value) {
		got := v.Mem[e/4+entryReady].SmallInt()
		for i, mask := range [...]int{pollIn, pollOut, ^(pollIn | pollOut)} {
			if got&mask != 0 {
				ready[i] = append(ready[i], v.Mem[e/4])
			}
		}
	})
	var out [3]vm.Value
	for i, items := range ready {
		out[i] = v.NewList(items...)
	}
	v.Free(uint32(t.addr))
	return v.NewTuple(out[:]...)
}

// selectTable is the table of the map that select works with: on the device the
// map itself is on the stack.
type selectTable struct {
	v    *vm.VM
	addr vm.Value
	size int
}

func newSelectTable(v *vm.VM, n int) *selectTable {
	t := &selectTable{v: v, size: n}
	if n > 0 {
		t.addr = vm.Value(v.Alloc(uint32(8 * n)))
	}
	return t
}

// add puts an object in, or asks for more of one that is there.
func (t *selectTable) add(obj vm.Value, mask int) {
	v, key := t.v, objectID(obj)
	for pos := key.SmallInt() % t.size; ; pos = (pos + 1) % t.size {
		slot := int(t.addr)/4 + 2*pos
		switch v.Mem[slot] {
		case vm.Null:
			e := newEntry(v, obj, mask)
			v.Mem[slot], v.Mem[slot+1] = key, e
			return
		case key:
			at := v.Mem[slot+1]/4 + entryMask
			v.Mem[at] = vm.SmallInt(v.Mem[at].SmallInt() | mask)
			return
		}
	}
}

func (t *selectTable) each(f func(e vm.Value)) {
	for pos := range t.size {
		if e := t.v.Mem[int(t.addr)/4+2*pos+1]; e != vm.Null {
			f(e)
		}
	}
}
