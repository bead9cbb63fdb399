package pymod

import (
	"time"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/modem"
)

// This file is what class Cellular got from feature level x15 on (xmp
// typehints/network.pyi).

// signalLimit is how long signal() waits for the modem to receive something, and
// signalAgain how often it asks.
const (
	signalLimit = 5 * time.Second
	signalAgain = 100 * time.Millisecond
)

// newSignal is signal(): a dict of floats.
func newSignal(fw *vm.Firmware) vm.Fn1 {
	rssi, rsrp, rsrq := fw.Q("rssi").Value(), fw.Q("rsrp").Value(), fw.Q("rsrq").Value()
	return func(v *vm.VM, _ vm.Value) vm.Value {
		b := board(v)
		s, heard := b.Modem.Signal()
		for waited := time.Duration(0); !heard; waited += signalAgain {
			if waited >= signalLimit {
				v.RaiseOS(errTimedOut)
			}
			sleep(v, 100, time.Millisecond)
			s, heard = b.Modem.Signal()
		}
		d := v.NewDict(3)
		v.DictStore(d, rssi, v.NewFloat(s.RSSI))
		v.DictStore(d, rsrp, v.NewFloat(s.RSRP))
		v.DictStore(d, rsrq, v.NewFloat(s.RSRQ))
		return d
	}
}

// shutdownLimit is how long shutdown() waits for the modem (xmp network.pyi).
const shutdownLimit = 2 * time.Minute

// newShutdown is shutdown(reset=False).
func newShutdown(fw *vm.Firmware) vm.Value {
	spec := []vm.Arg{{Name: fw.Q("reset"), Kind: vm.ArgBool}}
	return fw.FuncKw("shutdown", 1, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		var a [1]vm.ArgVal
		v.ParseArgs(args[1:], kw, spec, a[:])
		m := board(v).Modem
		limit := m.Deadline(shutdownLimit)
		if e := await(v, func() modem.Errno { return m.ShutDownWait(limit) }); e != 0 {
			raiseModem(v, e)
		}
		if a[0].Bool() {
			panic(Reset{HardReset, HardResetCause})
		}
		return vm.None
	})
}

// cellScan is a scan that goes on while the program does.
type cellScan struct {
	running bool
	called  bool // its end calls the program's function
	deep    bool
	ends    int64 // the World's Ticks
}

// newScan is scan(callback=None, *, deep=False).
func newScan(fw *vm.Firmware, c *callbacks) vm.Value {
	spec := []vm.Arg{
		{Name: fw.Q("callback"), Obj: vm.None},
		{Name: fw.Q("deep"), Kind: vm.ArgBool, KwOnly: true},
	}
	var names [6]vm.Value
	for i, n := range [...]string{"serving_cell", "area", "cell_id", "mcc", "mnc", "signal"} {
		names[i] = fw.Q(n).Value()
	}
	found := func(v *vm.VM, b *Board) vm.Value {
		list := v.NewList()
		for _, cell := range b.Modem.Cells(b.scan.deep) {
			mark := v.Mark()
			d := v.NewDict(len(names))
			for i, x := range [...]vm.Value{
				vm.Bool(cell.Serving), v.NewInt(int64(cell.Area)), v.NewInt(int64(cell.ID)), v.NewString(cell.MCC),
				v.NewString(cell.MNC), vm.SmallInt(int(cell.Signal)),
			} {
				v.DictStore(d, names[i], x)
			}
			v.ListAppend(list, d)
			v.Release(mark)
		}
		return list
	}
	c.on(fromScan, func(b *Board) bool {
		return b.scan.running && b.World.Clock().Ticks() >= b.scan.ends
	}, func(v *vm.VM, b *Board) vm.Value {
		b.scan.running = false
		return found(v, b)
	})
	return fw.FuncKw("scan", 1, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		var a [2]vm.ArgVal
		v.ParseArgs(args[1:], kw, spec, a[:])
		b, callback := board(v), a[0].Obj
		if callback != vm.None && !v.IsCallable(callback) {
			v.RaiseMsg(vm.TypeTypeError, "callback must be callable")
		}
		if b.scan.running {
			v.RaiseOS(errBusy)
		}
		if b.Modem.Airplane() {
			b.note("scan() fails while the modem is off (airplane mode, or shut down): network.Cellular().active(True) switches it on")
			v.RaiseOS(errNoDev)
		}
		takes := b.Modem.StartScan(a[1].Bool())
		b.scan = cellScan{running: true, deep: a[1].Bool(), ends: b.World.Clock().Ticks() + takes.Microseconds()}
		if callback != vm.None {
			b.scan.called = true
			c.set(v, fromScan, callback)
			return vm.None
		}
		defer func() { b.scan.running = false }()
		sleep(v, takes, 1)
		return found(v, b)
	})
}

// untilDue is how long a program that would sleep for d ([world.Forever]: no
// end) may, so that what happens by itself meanwhile comes in time.
func (b *Board) untilDue(d time.Duration) time.Duration {
	if due, ok := b.nextDue(); ok {
		left := max(time.Millisecond, time.Duration(due-b.World.Clock().Ticks())*time.Microsecond)
		if d < 0 || left < d {
			return left
		}
	}
	return d
}

// nextDue is the World's Ticks of the next thing that happens by itself.
func (b *Board) nextDue() (due int64, ok bool) {
	if b.scan.running && b.scan.called {
		due, ok = b.scan.ends, true
	}
	if g := b.gnss.due.Microseconds(); (b.gnss.once || b.gnss.raw) && (!ok || g < due) {
		due, ok = g, true
	}
	return due, ok
}
