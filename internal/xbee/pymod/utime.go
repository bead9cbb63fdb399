package pymod

import (
	"time"

	"github.com/skep-sim/skep/internal/vm"
)

// ticksPeriod is where the tick counters wrap around: upstream's
// MICROPY_PY_UTIME_TICKS_PERIOD for small ints of 31 bits.
const ticksPeriod = 1 << 30

// Time declares module utime (device-facts.md 8.6).
func Time(fw *vm.Firmware, level int) {
	m := fw.Module("utime")
	m.Add("localtime", fw.FuncV("localtime", 0, 1, localtime))
	m.Add("mktime", fw.Func1("mktime", mktime))
	m.Add("time", fw.Func0("time", func(v *vm.VM) vm.Value { return v.NewInt(board(v).RTC()) }))
	m.Add("sleep", fw.Func1("sleep", func(v *vm.VM, a vm.Value) vm.Value {
		if n, ok := v.IntMaybe(a); ok {
			return sleep(v, time.Duration(n), time.Second)
		}
		return sleep(v, time.Duration(1000*v.Float(a)), time.Millisecond)
	}))
	m.Add("sleep_ms", fw.Func1("sleep_ms", func(v *vm.VM, a vm.Value) vm.Value {
		return sleep(v, time.Duration(v.Int(a)), time.Millisecond)
	}))
	m.Add("sleep_us", fw.Func1("sleep_us", func(v *vm.VM, a vm.Value) vm.Value {
		return sleep(v, time.Duration(v.Int(a)), time.Microsecond)
	}))
	ticks := func(name string, unit int64) {
		m.Add(name, fw.Func0(name, func(v *vm.VM) vm.Value {
			return vm.SmallInt(int(board(v).uptime() / unit & (ticksPeriod - 1)))
		}))
	}
	ticks("ticks_ms", 1000)
	ticks("ticks_us", 1)
	ticks("ticks_cpu", 1)
	m.Add("ticks_add", fw.Func2("ticks_add", func(v *vm.VM, t, delta vm.Value) vm.Value {
		return vm.SmallInt((v.Int(t) + v.Int(delta)) & (ticksPeriod - 1))
	}))
	m.Add("ticks_diff", fw.Func2("ticks_diff", func(v *vm.VM, end, start vm.Value) vm.Value {
		d := (v.Int(end) - v.Int(start) + ticksPeriod/2) & (ticksPeriod - 1)
		return vm.SmallInt(d - ticksPeriod/2)
	}))
	if level >= 0x1A {
		m.Add("tz_offset", fw.Func0("tz_offset", tzOffset))
	}
	fw.Alias("time", m, true)
}

// tzKnown is how long after power-on the network's time zone becomes known
// (a third party's program waits for about so long, device-facts.md 8.6).
const tzKnown = 15 * time.Second

// tzOffset is tz_offset(): seconds west of UTC. The virtual network is in the
// time zone UTC. Before the network has told, it raises OSError; which number is
// not known, ENXIO is a choice.
func tzOffset(v *vm.VM) vm.Value {
	b := board(v)
	b.RTC() // takes the time over from the network, if it is there
	if !b.timeKnown || b.uptime() < tzKnown.Microseconds() {
		b.note("utime.tz_offset() fails until the network has told the time zone, about 15 s after power-on: try again later")
		v.RaiseOS(errNXIO)
	}
	return vm.SmallInt(0)
}

// sleep waits n units. Whoever interrupts the program is heard at once, and
// scheduled functions run; the rest of the time is slept afterwards.
func sleep(v *vm.VM, n, unit time.Duration) vm.Value {
	b := board(v)
	clock := b.World.Clock()
	left := time.Duration(0)
	if n > 0 {
		left = n * unit
		if left/unit != n {
			left = 1<<63 - 1
		}
	}
	for start := clock.Ticks(); ; {
		part := b.untilDue(left)
		cut := clock.Sleep(part, b.Interrupt) >= 0
		v.CheckPending()
		if !cut && part == left {
			return vm.None
		}
		now := clock.Ticks()
		left -= time.Duration(now-start) * time.Microsecond
		start = now
		if left <= 0 {
			return vm.None
		}
	}
}

func localtime(v *vm.VM, args []vm.Value) vm.Value {
	var secs int64
	if len(args) == 0 || args[0] == vm.None {
		secs = board(v).RTC()
	} else {
		secs = int64(v.Int(args[0]))
	}
	t := epoch.Add(time.Duration(secs) * time.Second)
	items := make([]vm.Value, 8)
	weekday := (int(t.Weekday()) + 6) % 7 // 0 is Monday
	for i, n := range [8]int{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), weekday, t.YearDay()} {
		items[i] = vm.SmallInt(n)
	}
	return v.NewTuple(items...)
}

// mktime takes a localtime tuple, of 8 or, with a flag for summer time, 9. Values
// beyond their range carry over.
func mktime(v *vm.VM, tuple vm.Value) vm.Value {
	items := v.Array(tuple)
	if len(items) < 8 || len(items) > 9 {
		v.Raisef(vm.TypeTypeError, "mktime needs a tuple of length 8 or 9 (%d given)", len(items))
	}
	var n [6]int
	for i := range n {
		n[i] = v.Int(items[i])
	}
	t := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC)
	return v.NewInt(int64(t.Sub(epoch) / time.Second))
}
