package pymod

import (
	"errors"
	"time"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/at"
)

// Reasons for waking up; the values are a choice.
const (
	pinWake = 1
	rtcWake = 2
)

// XBee declares module xbee as a cellular module has it: what the radio
// modules' has beyond that is absent (device-facts.md 8.3).
func XBee(fw *vm.Firmware, level int, c *callbacks) {
	m := fw.Module("xbee")
	m.Add("atcmd", fw.FuncV("atcmd", 1, 2, atcmd))
	m.Int("PIN_WAKE", pinWake).Int("RTC_WAKE", rtcWake)

	// XBee() has no state: every call returns the same object.
	t := fw.NewType("XBee", &vm.Type{})
	self := fw.Object(t, nil)
	t.New = func(v *vm.VM, typ vm.Value, args, kw []vm.Value) vm.Value {
		v.CheckArgs(args, kw, 0, 0)
		return self
	}
	fw.Method(t, "atcmd", fw.FuncV("atcmd", 2, 3, func(v *vm.VM, args []vm.Value) vm.Value { return atcmd(v, args[1:]) }))
	spec := []vm.Arg{
		{Name: fw.Q("timeout_ms"), Obj: vm.None},
		{Name: fw.Q("pin_wake"), Kind: vm.ArgBool},
	}
	fw.Method(t, "sleep_now", fw.FuncKw("sleep_now", 1, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		var a [2]vm.ArgVal
		v.ParseArgs(args[1:], kw, spec, a[:])
		return sleepNow(v, a[0].Obj, a[1].Bool())
	}))
	fw.Method(t, "wake_reason", fw.Func1("wake_reason", func(v *vm.VM, self vm.Value) vm.Value {
		if board(v).woken == 0 {
			return vm.SmallInt(rtcWake)
		}
		return vm.SmallInt(board(v).woken)
	}))
	fw.Method(t, "wake_lock", wakeLock(fw))
	m.Add("XBee", t.Value())
	m.Add("relay", declareRelay(fw, level, c))
	if level >= 0x1B {
		m.Add("modem_status", declareModemStatus(fw, c))
	}
}

// wakeLock is a context manager that keeps a module awake whose SM setting lets
// it sleep.
func wakeLock(fw *vm.Firmware) vm.Value {
	t := fw.NewType("WakeLock", &vm.Type{})
	fw.Method(t, "__enter__", fw.Func1("__enter__", func(v *vm.VM, self vm.Value) vm.Value {
		board(v).wakeLocks++
		return self
	}))
	fw.Method(t, "__exit__", fw.FuncV("__exit__", 4, 4, func(v *vm.VM, args []vm.Value) vm.Value {
		board(v).wakeLocks = max(0, board(v).wakeLocks-1)
		return vm.None
	}))
	return fw.Object(t, nil)
}

// WakeLocked reports whether the program keeps the module awake, whatever ATSM
// says.
func (b *Board) WakeLocked() bool { return b.wakeLocks > 0 }

// sleepNow is XBee().sleep_now(timeout_ms, pin_wake=False): the module is off,
// deaf to its serial port, until the time has passed or, with pin_wake, DIO8 is
// pulled low; while that is low it does not fall asleep. It returns how many
// milliseconds that were.
func sleepNow(v *vm.VM, timeout vm.Value, pinWakes bool) vm.Value {
	b := board(v)
	if b.Registers.Active("SM").Int() != 0 {
		b.note("sleep_now() fails while ATSM is not 0: set it with xbee.atcmd('SM', 0)")
		v.RaiseOS(errAlready)
	}
	limit := world.Forever
	switch {
	case timeout != vm.None:
		ms := v.Int(timeout)
		if ms < 0 {
			v.RaiseMsg(vm.TypeValueError, "timeout_ms must not be negative")
		}
		limit = time.Duration(ms) * time.Millisecond
	case !pinWakes:
		b.note("sleep_now(None) would sleep for ever: give a time, or pin_wake=True")
		v.RaiseMsg(vm.TypeValueError, "timeout_ms required")
	}
	start, asleep := b.uptime(), false
	fallAsleep := func() {
		if b.Asleep != nil && !asleep {
			b.Asleep()
		}
		asleep = true
	}
	b.woken = rtcWake
	clock := b.World.Clock()
	for pinWakes {
		high, changed := true, (<-chan struct{})(nil)
		if b.WakePin != nil {
			high, changed = b.WakePin()
		}
		left := limit
		if limit >= 0 {
			left = max(0, limit-time.Duration(b.uptime()-start)*time.Microsecond)
		}
		if !high {
			b.woken = pinWake
			break
		}
		if changed == nil && left < 0 {
			b.note("sleep_now(None, True) sleeps until DIO8 is pulled low, and nothing drives that pin here: give a time")
			v.RaiseMsg(vm.TypeValueError, "timeout_ms required")
		}
		fallAsleep()
		if clock.Sleep(left, changed) < 0 {
			break
		}
	}
	if !pinWakes {
		fallAsleep()
		clock.Sleep(limit, nil)
	}
	if asleep && b.Awake != nil {
		b.Awake()
	}
	return v.NewInt((b.uptime() - start) / 1000)
}

// atcmd is atcmd(cmd[, value]).
func atcmd(v *vm.VM, args []vm.Value) vm.Value {
	b := board(v)
	name := string(v.StrArg(args[0]))
	var value at.Value
	if len(args) > 1 && args[1] != vm.None {
		value = atValue(v, args[1])
	}
	answer, err := b.Registers.Atcmd(name, value)
	if err != nil {
		b.note("xbee.atcmd: " + err.Error())
		switch {
		case errors.Is(err, at.ErrUnknown):
			v.RaiseArg(vm.TypeKeyError, args[0])
		case errors.Is(err, at.ErrValue):
			v.RaiseMsg(vm.TypeValueError, "invalid value")
		}
		v.RaiseOS(errIO)
	}
	switch answer.Kind() {
	case at.Number:
		return v.NewUint(answer.Int())
	case at.Text:
		return v.NewString(answer.Text())
	case at.Bytes:
		return v.NewBytes([]byte(answer.Text()))
	}
	return vm.None
}

// atValue is what a program gives a command: an int, a str or bytes.
func atValue(v *vm.VM, a vm.Value) at.Value {
	switch {
	case v.TypeOf(a) == vm.TypeStr:
		return at.Str(v.Str(a))
	case v.IsInt(a) || a == vm.True || a == vm.False:
		n := v.Int(a)
		if n < 0 {
			v.RaiseMsg(vm.TypeValueError, "invalid value")
		}
		return at.Int(uint64(n))
	}
	return at.Raw(v.Buffer(a, false))
}
