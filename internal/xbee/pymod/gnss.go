package pymod

import (
	"time"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/gnss"
)

// gnssUse is what the receiver is used for.
type gnssUse struct {
	once bool          // single_acquisition
	raw  bool          // raw_mode
	due  time.Duration // of the clock: when the callback is called next
	fail time.Duration // when single_acquisition gives up
	ends bool          // due is the end of an acquisition with this outcome
	last *gnss.Fix     // of an earlier acquisition
	line int           // of raw mode: the sentence of the group that comes next
}

// receiver is the module's receiver; a board without one hears nothing.
func (b *Board) receiver() *gnss.Receiver {
	if b.GNSS == nil {
		b.GNSS = &gnss.Receiver{}
	}
	return b.GNSS
}

func (b *Board) clockNow() time.Duration { return world.Uptime(b.World.Clock()) }

// declareGNSS declares module digi.gnss (xmp typehints/digi/gnss.pyi).
func declareGNSS(fw *vm.Firmware, c *callbacks) vm.Value {
	m := fw.Submodule("gnss")
	var names [4]vm.Value
	for i, n := range [...]string{"latitude", "longitude", "altitude", "satellites"} {
		names[i] = fw.Q(n).Value()
	}
	location := func(v *vm.VM, f *gnss.Fix) vm.Value {
		if f == nil {
			return vm.None
		}
		d := v.NewDict(4)
		for i, x := range [...]float64{f.Latitude, f.Longitude, f.Altitude} {
			v.DictStore(d, names[i], v.NewFloat(float32(x)))
		}
		v.DictStore(d, names[3], vm.SmallInt(f.Satellites))
		return d
	}
	c.on(fromGNSS, func(b *Board) bool { return b.gnssReady() }, func(v *vm.VM, b *Board) vm.Value {
		if b.gnss.raw {
			return nextSentence(v, b)
		}
		return location(v, b.acquired(v))
	})
	m.Add("single_acquisition", singleAcquisition(fw, c))
	m.Add("raw_mode", fw.Func1("raw_mode", func(v *vm.VM, f vm.Value) vm.Value {
		b := board(v)
		if b.gnss.once || b.gnss.raw && f != vm.None {
			v.RaiseOS(errBusy)
		}
		c.set(v, fromGNSS, f)
		b.gnss.raw, b.gnss.line = f != vm.None, 0
		b.gnss.due = b.clockNow() + gnss.Interval
		return vm.None
	}))
	return m.Value()
}

// singleAcquisition is single_acquisition(callback, timeout=60). With 0 the
// callback gets the last place acquired, or None.
func singleAcquisition(fw *vm.Firmware, c *callbacks) vm.Value {
	spec := []vm.Arg{{Name: fw.Q("callback"), Required: true}, {Name: fw.Q("timeout"), Obj: vm.SmallInt(60)}}
	return fw.FuncKw("single_acquisition", 1, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		var a [2]vm.ArgVal
		v.ParseArgs(args, kw, spec, a[:])
		seconds := v.Float(a[1].Obj)
		if !(seconds >= 0) {
			v.RaiseMsg(vm.TypeValueError, "timeout must not be negative")
		}
		b := board(v)
		if b.gnss.once || b.gnss.raw {
			v.RaiseOS(errBusy)
		}
		if a[0].Obj == vm.None || !v.IsCallable(a[0].Obj) {
			v.RaiseMsg(vm.TypeTypeError, "callback must be callable")
		}
		now := b.clockNow()
		limit := milliseconds(seconds)
		if limit < 0 {
			limit = 24 * time.Hour
		}
		b.gnss.once, b.gnss.fail = true, now+limit
		b.gnss.due = now + min(limit, gnss.FirstFix)
		b.gnss.ends = limit == 0
		c.set(v, fromGNSS, a[0].Obj)
		return vm.None
	})
}

// gnssReady reports whether the callback is to be called now. An acquisition goes
// on until there is a fix, or no time left.
func (b *Board) gnssReady() bool {
	g, now := &b.gnss, b.clockNow()
	if !g.once && !g.raw || now < g.due {
		return false
	}
	if g.once && !g.ends && now < g.fail {
		if _, ok := b.receiver().Fix(now); !ok {
			g.due = min(g.fail, now+gnss.Interval)
			return false
		}
	}
	return true
}

// acquired is the outcome of a single acquisition, which is over; nil is none.
func (b *Board) acquired(v *vm.VM) *gnss.Fix {
	g := &b.gnss
	g.once = false
	if g.ends {
		return g.last
	}
	if f, ok := b.receiver().Fix(b.clockNow()); ok && g.due < g.fail {
		g.last = &f
		return &f
	}
	b.note("the satellite receiver has no fix: give it a track of NMEA sentences")
	return nil
}

// nextSentence is the sentence that raw mode hands over next. Those of one
// second come one after the other.
func nextSentence(v *vm.VM, b *Board) vm.Value {
	g := &b.gnss
	group := b.receiver().At(g.due)
	s := group[min(g.line, len(group)-1)]
	if g.line++; g.line >= len(group) {
		g.line = 0
		g.due += gnss.Interval
		if now := b.clockNow(); g.due < now-gnss.Interval { // the program slept through some
			g.due = now
		}
	}
	return v.NewBytes([]byte(s + "\r\n"))
}
