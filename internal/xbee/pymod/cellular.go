package pymod

import (
	"strconv"
	"time"

	"github.com/skep-sim/skep/internal/vm"
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

// shutdownTime is how long the modem takes to shut down: ATSD was seen to take 6
// to 12 seconds (device-facts.md 4.5).
const shutdownTime = 8

// newShutdown is shutdown(reset=False).
func newShutdown(fw *vm.Firmware) vm.Value {
	spec := []vm.Arg{{Name: fw.Q("reset"), Kind: vm.ArgBool}}
	return fw.FuncKw("shutdown", 1, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		var a [1]vm.ArgVal
		v.ParseArgs(args[1:], kw, spec, a[:])
		board(v).Modem.ShutDown()
		sleep(v, shutdownTime, time.Second)
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

// cell is a cell of the network, as a scan finds it.
type cell struct {
	serving  bool
	area, id int
	mcc, mnc string // of its operator
	signal   int    // RSRP in dBm
}

// How long scans take: the deep one as xmp typehints/network.pyi has it, the
// other a choice.
const (
	scanTime     = 5 * time.Second
	deepScanTime = 25 * time.Second
)

// cells is what a scan finds: the cell that serves the module and two neighbours
// of the same operator, made up in the form of the real thing; a deep scan finds
// cells of another operator as well, and none of them serves.
func (b *Board) cells(deep bool) []cell {
	id := b.Modem.Identity()
	seed, err := strconv.Atoi(id.IMEI[7:14])
	if err != nil {
		panic("pymod: an IMEI is digits: " + err.Error())
	}
	area, number := 0x1000+seed%0xE000, 0x100000+seed*7%0xE00000
	rsrp, mcc, mnc := int(id.Signal.RSRP), id.IMSI[:3], id.IMSI[3:6]
	_, heard := b.Modem.Signal()
	cells := []cell{
		{heard && !deep, area, number, mcc, mnc, rsrp},
		{false, area, number + 1, mcc, mnc, rsrp - 7},
		{false, area, number + 0x100, mcc, mnc, rsrp - 12},
	}
	if deep {
		cells = append(cells, cell{false, area ^ 0x155, number ^ 0x5A5A5, "311", "480", rsrp - 5},
			cell{false, area ^ 0x155, number ^ 0x5A5A4, "311", "480", rsrp - 15})
	}
	return cells
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
		for _, cell := range b.cells(b.scan.deep) {
			mark := v.Mark()
			d := v.NewDict(len(names))
			for i, x := range [...]vm.Value{
				vm.Bool(cell.serving), v.NewInt(int64(cell.area)), v.NewInt(int64(cell.id)), v.NewString(cell.mcc),
				v.NewString(cell.mnc), vm.SmallInt(cell.signal),
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
		takes := scanTime
		if a[1].Bool() {
			b.Modem.Rejoin()
			takes = deepScanTime
		}
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
