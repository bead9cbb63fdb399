package hosted

import (
	"math"
	"time"

	"github.com/skep-sim/skep/internal/vm"
)

// This file is module utime of the hosted reference, upstream's for PCs: seconds are
// floats that count from 1970. A module's own is another (package pymod).

// ticksPeriod is where the tick counters wrap around.
const ticksPeriod = 1 << 30

// hostTime declares module utime.
func hostTime(fw *vm.Firmware) {
	m := fw.Module("utime")
	m.Add("clock", fw.Func0("clock", func(v *vm.VM) vm.Value {
		return v.NewFloat(float32(hostOf(v).clock.Ticks()/1000) / 1000)
	}))
	m.Add("sleep", fw.Func1("sleep", func(v *vm.VM, a vm.Value) vm.Value {
		s := float64(v.Float(a))
		if s < 0 || math.IsNaN(s) {
			v.RaiseOS(einval)
		}
		return pause(v, time.Duration(min(s, math.MaxInt64/1e9)*float64(time.Second)))
	}))
	m.Add("sleep_ms", fw.Func1("sleep_ms", func(v *vm.VM, a vm.Value) vm.Value {
		return pause(v, time.Duration(v.Int(a))*time.Millisecond)
	}))
	m.Add("sleep_us", fw.Func1("sleep_us", func(v *vm.VM, a vm.Value) vm.Value {
		return pause(v, time.Duration(v.Int(a))*time.Microsecond)
	}))
	m.Add("time", fw.Func0("time", func(v *vm.VM) vm.Value {
		return v.NewFloat(float32(float64(hostOf(v).clock.Now().UnixMicro()) / 1e6))
	}))
	ticks := func(name string, unit int64) {
		m.Add(name, fw.Func0(name, func(v *vm.VM) vm.Value {
			return vm.SmallInt(int(hostOf(v).clock.Ticks() / unit & (ticksPeriod - 1)))
		}))
	}
	ticks("ticks_ms", 1000)
	ticks("ticks_us", 1)
	ticks("ticks_cpu", 1)
	m.Add("ticks_add", fw.Func2("ticks_add", func(v *vm.VM, t, delta vm.Value) vm.Value {
		return vm.SmallInt((v.Int(t) + v.Int(delta)) & (ticksPeriod - 1))
	}))
	m.Add("ticks_diff", fw.Func2("ticks_diff", func(v *vm.VM, end, start vm.Value) vm.Value {
		return vm.SmallInt((v.Int(end)-v.Int(start)+ticksPeriod/2)&(ticksPeriod-1) - ticksPeriod/2)
	}))
	m.Add("localtime", fw.FuncV("localtime", 0, 1, localTime))
}

// pause shows what was printed and waits.
func pause(v *vm.VM, d time.Duration) vm.Value {
	h := hostOf(v)
	h.flush()
	if d > 0 && h.clock.Sleep(d, h.interrupt) == 0 {
		v.KeyboardInterrupt()
	}
	v.CheckPending()
	return vm.None
}

// localTime is localtime(seconds), in the time zone of the host.
func localTime(v *vm.VM, args []vm.Value) vm.Value {
	t := hostOf(v).clock.Now()
	if len(args) == 1 {
		t = time.Unix(int64(v.Float(args[0])), 0)
	}
	t = t.Local()
	summer := 0
	if t.IsDST() {
		summer = 1
	}
	items := make([]vm.Value, 9)
	weekday := (int(t.Weekday()) + 6) % 7 // 0 is Monday
	for i, n := range [9]int{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), weekday, t.YearDay(), summer} {
		items[i] = vm.SmallInt(n)
	}
	return v.NewTuple(items...)
}
