package pymod

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/at"
)

// This file is module digi.ble of a module whose Bluetooth reaches nobody: it can
// be switched on and off and configured, its advertisements are seen by nobody,
// scans find nothing, and connections do not come about (xmp
// typehints/digi/ble.pyi).

// bleState is what the module remembers of it.
type bleState struct {
	interval, latency, timeout int // of connections, as config() has them
	advertised                 []byte
	scanEnds                   time.Duration // of the clock; 0: no scan, negative: no end
	scanning                   uint32        // number of the scan that runs
}

// The settings of connections at power-up.
const (
	bleInterval = 50
	bleLatency  = 0
	bleTimeout  = 1000
)

// restart is what a restart of the interpreter does: the scan ends; settings
// last until the module is powered off.
func (s *bleState) restart() { s.scanEnds = 0 }

func (b *Board) bleSettings() *bleState {
	if b.ble.interval == 0 {
		b.ble.interval, b.ble.latency, b.ble.timeout = bleInterval, bleLatency, bleTimeout
	}
	return &b.ble
}

// bleConstants are the module's, by the level from which on they are there. Digi
// names them; the address types and properties are numbered as Bluetooth does,
// the others are a choice.
var bleConstants = []struct {
	level int
	name  string
	value int
}{
	{0x15, "ADDR_TYPE_PUBLIC", 0}, {0x15, "ADDR_TYPE_RANDOM", 1},
	{0x15, "ADDR_TYPE_PUBLIC_IDENTITY", 2}, {0x15, "ADDR_TYPE_RANDOM_IDENTITY", 3},
	{0x1C, "ADDR_TYPE_STATIC", 1}, {0x1C, "ADDR_TYPE_RANDOM_RESOLVABLE", 2}, {0x1C, "ADDR_TYPE_RANDOM_NONRESOLVABLE", 3},
	{0x15, "PROP_BROADCAST", 0x01}, {0x15, "PROP_READ", 0x02}, {0x15, "PROP_WRITE_NO_RESP", 0x04}, {0x15, "PROP_WRITE", 0x08},
	{0x15, "PROP_NOTIFY", 0x10}, {0x15, "PROP_INDICATE", 0x20}, {0x15, "PROP_AUTH_SIGNED_WR", 0x40},
	{0x16, "PAIRING_REQUIRE_MITM", 1}, {0x16, "PAIRING_REQUIRE_BONDING", 2}, {0x16, "PAIRING_DISABLE_LEGACY", 4},
	{0x1C, "BLE_1M_PHY", 1}, {0x1C, "BLE_2M_PHY", 2}, {0x1C, "BLE_125K_CODED_PHY", 4}, {0x1C, "BLE_500K_CODED_PHY", 8},
}

func declareBLE(fw *vm.Firmware, level int) vm.Value {
	m := fw.Submodule("ble")
	for _, c := range bleConstants {
		if level >= c.level {
			m.Int(c.name, c.value)
		}
	}
	m.Add("active", fw.FuncV("active", 0, 1, bleActive))
	m.Add("config", bleConfig(fw, level))
	advertise := []vm.Arg{{Name: vm.QEmpty, Required: true}, {Name: fw.Q("adv_data"), Obj: vm.None}}
	m.Add("gap_advertise", fw.FuncKw("gap_advertise", 1, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		var a [2]vm.ArgVal
		v.ParseArgs(args, kw, advertise, a[:])
		bleAdvertise(v, a[0].Obj, a[1].Obj)
		return vm.None
	}))
	m.Add("gap_scan", bleScan(fw))
	m.Add("gap_connect", bleConnect(fw))
	m.Add("UUID", bleUUID(fw))
	xbeeConnect := []vm.Arg{
		{Name: fw.Q("conn"), Required: true}, {Name: fw.Q("receive"), Required: true},
		{Name: fw.Q("password"), Required: true}, {Name: fw.Q("timeout"), Kind: vm.ArgInt, Int: 5},
	}
	m.Add("xbee_connect", fw.FuncKw("xbee_connect", 0, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		var a [4]vm.ArgVal
		v.ParseArgs(args, kw, xbeeConnect, a[:])
		// No program can have a connection.
		v.RaiseMsg(vm.TypeTypeError, "conn must be a gap_connect object")
		return vm.Null
	}))
	if level >= 0x16 {
		declarePairing(fw, m)
	}
	if level >= 0x1C {
		m.Add("format_address", fw.Func1("format_address", func(v *vm.VM, a vm.Value) vm.Value {
			raw := v.Buffer(a, false)
			if len(raw) != 6 {
				v.RaiseMsg(vm.TypeValueError, "address must be 6 bytes")
			}
			return v.NewString(fmt.Sprintf("%02X:%02X:%02X:%02X:%02X:%02X", raw[0], raw[1], raw[2], raw[3], raw[4], raw[5]))
		}))
		m.Add("parse_address", fw.Func1("parse_address", parseAddress))
	}
	return m.Value()
}

// parseAddress is parse_address('01:25:B7:93:84:6F'): twelve digits and up to
// five colons.
func parseAddress(v *vm.VM, a vm.Value) vm.Value {
	if !v.IsStr(a) {
		v.RaiseMsg(vm.TypeTypeError, "address must be a str")
	}
	s := v.Str(a)
	raw, err := hex.DecodeString(strings.ReplaceAll(s, ":", ""))
	if err != nil || len(raw) != 6 || strings.Count(s, ":") > 5 {
		v.RaiseMsg(vm.TypeValueError, "invalid address")
	}
	return v.NewBytes(raw)
}

// declarePairing declares what came with pairing. There is nobody to pair with,
// so there is no passkey to confirm or to enter.
func declarePairing(fw *vm.Firmware, m *vm.ModuleDef) {
	m.Add("delete_bondings", fw.Func0("delete_bondings", func(v *vm.VM) vm.Value { return vm.None }))
	callbacks := []vm.Arg{
		{Name: fw.Q("display_cb"), Obj: vm.None}, {Name: fw.Q("confirm_cb"), Obj: vm.None}, {Name: fw.Q("request_cb"), Obj: vm.None},
	}
	m.Add("io_callbacks", fw.FuncKw("io_callbacks", 0, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		var a [3]vm.ArgVal
		v.ParseArgs(args, kw, callbacks, a[:])
		for _, f := range a {
			if f.Obj != vm.None && !v.IsCallable(f.Obj) {
				v.RaiseMsg(vm.TypeTypeError, "callback must be callable")
			}
		}
		return vm.None
	}))
	for _, name := range []string{"passkey_confirm", "passkey_enter"} {
		m.Add(name, fw.Func1(name, func(v *vm.VM, a vm.Value) vm.Value {
			board(v).note("there is no Bluetooth pairing in progress: nobody is near the virtual module")
			v.RaiseOS(errNotConn)
			return vm.Null
		}))
	}
}

// bleActive is active([flag]), which is ATBT.
func bleActive(v *vm.VM, args []vm.Value) vm.Value {
	b := board(v)
	if len(args) == 1 && args[0] != vm.None {
		n := uint64(0)
		if v.IsTrue(args[0]) {
			n = 1
		}
		if _, err := b.Registers.Atcmd("BT", at.Int(n)); err != nil {
			v.RaiseOS(errIO)
		}
		if n == 0 {
			b.ble.scanEnds = 0
		}
	}
	return vm.Bool(b.bleOn())
}

func (b *Board) bleOn() bool { return b.Registers.Active("BT").Int() == 1 }

// needBLE raises ENODEV while Bluetooth is off.
func needBLE(v *vm.VM) {
	if b := board(v); !b.bleOn() {
		b.note("Bluetooth is off: digi.ble.active(True), or ATBT1, switches it on")
		v.RaiseOS(errNoDev)
	}
}

// bleConfig is config(name), or config(interval_ms=..., ...).
func bleConfig(fw *vm.Firmware, level int) vm.Value {
	spec := []vm.Arg{{Name: vm.QEmpty, Obj: vm.None}}
	for _, n := range []string{"interval_ms", "latency", "timeout_ms"} {
		spec = append(spec, vm.Arg{Name: fw.Q(n), Kind: vm.ArgInt, KwOnly: true, Int: -1})
	}
	if level >= 0x16 {
		spec = append(spec, vm.Arg{Name: fw.Q("security"), Kind: vm.ArgInt, KwOnly: true, Int: -1})
	}
	return fw.FuncKw("config", 0, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		var a [5]vm.ArgVal
		v.ParseArgs(args, kw, spec, a[:len(spec)])
		s := board(v).bleSettings()
		if a[0].Obj != vm.None {
			if len(kw) > 0 {
				v.RaiseMsg(vm.TypeTypeError, "either pos or kw args are allowed")
			}
			switch name := string(v.StrArg(a[0].Obj)); name {
			case "mac":
				mac, err := board(v).Registers.Get("BL")
				if err != nil {
					v.RaiseOS(errIO)
				}
				return v.NewBytes([]byte(mac.Text()))
			case "interval_ms":
				return vm.SmallInt(s.interval)
			case "latency":
				return vm.SmallInt(s.latency)
			case "timeout_ms":
				return vm.SmallInt(s.timeout)
			}
			v.RaiseMsg(vm.TypeValueError, "unknown config param")
		}
		set := *s
		for i, x := range []struct {
			to       *int
			min, max int
		}{{&set.interval, 8, 4000}, {&set.latency, 0, 500}, {&set.timeout, 100, 32000}} {
			n := a[1+i].Int
			if n == -1 {
				continue
			}
			if n < x.min || n > x.max {
				v.RaiseMsg(vm.TypeValueError, "invalid value")
			}
			*x.to = n
		}
		if set.timeout <= 2*set.interval*(set.latency+1) || level >= 0x16 && (a[4].Int < -1 || a[4].Int > 7) {
			v.RaiseMsg(vm.TypeValueError, "invalid value")
		}
		*s = set
		return vm.None
	})
}

// The limits of advertising and scanning, in microseconds and bytes.
const (
	advMin     = 20000
	radioMin   = 2500
	radioMax   = 40959375
	advPayload = 31
)

// bleAdvertise is gap_advertise(interval_us, adv_data=None).
func bleAdvertise(v *vm.VM, interval, data vm.Value) {
	needBLE(v)
	b := board(v)
	if interval != vm.None {
		if us := v.Int(interval); us < advMin || us > radioMax {
			v.RaiseMsg(vm.TypeValueError, "invalid interval")
		}
	}
	if data != vm.None {
		payload := v.Buffer(data, false)
		if len(payload) > advPayload {
			v.RaiseMsg(vm.TypeValueError, "adv_data too long")
		}
		b.ble.advertised = append([]byte(nil), payload...)
	}
}

// duty checks the interval and window of a scan.
func duty(v *vm.VM, interval, window int) {
	if interval < radioMin || interval > radioMax || window < radioMin || window > interval {
		v.RaiseMsg(vm.TypeValueError, "invalid interval or window")
	}
}

// A scan object is one block: type and number of the scan.
const (
	scanBytes  = 16
	scanNumber = 1
)

// bleScan is gap_scan(duration_ms=0, interval_us=1280000, window_us=11250, *,
// oldest=False).
func bleScan(fw *vm.Firmware) vm.Value {
	running := func(v *vm.VM, self vm.Value) bool {
		b := board(v)
		return b.ble.scanEnds != 0 && uint32(v.Mem[self/4+scanNumber])>>1 == b.ble.scanning && !b.scanOver()
	}
	stop := func(v *vm.VM, self vm.Value) vm.Errno {
		if running(v, self) {
			board(v).ble.scanEnds = 0
		}
		return 0
	}
	t := fw.NewType("gap_scan", &vm.Type{
		Flags:  vm.FlagNeedsFinaliser,
		Stream: &vm.Stream{Close: stop}, // which the collector calls
		Iter:   func(v *vm.VM, self vm.Value, buf uint32) vm.Value { return self },
		Next: func(v *vm.VM, self vm.Value) vm.Value {
			for running(v, self) { // nothing will come
				b := board(v)
				if b.ble.scanEnds < 0 {
					sleep(v, 60, time.Second)
					continue
				}
				sleep(v, max(0, b.ble.scanEnds-b.clockNow()), 1)
			}
			return vm.Null
		},
	})
	none := func(v *vm.VM, self vm.Value) vm.Value { return v.NewList() }
	fw.Method(t, "get", fw.Func1("get", none))
	fw.Method(t, "any", fw.Func1("any", func(v *vm.VM, self vm.Value) vm.Value { return vm.False }))
	fw.Method(t, "stop", fw.Func1("stop", func(v *vm.VM, self vm.Value) vm.Value {
		stop(v, self)
		return vm.None
	}))
	fw.Method(t, "stopped", fw.Func1("stopped", func(v *vm.VM, self vm.Value) vm.Value { return vm.Bool(!running(v, self)) }))
	fw.AddStreamMethods(t, "__enter__", "__exit__", "__del__")
	spec := []vm.Arg{
		{Name: fw.Q("duration_ms"), Kind: vm.ArgInt}, {Name: fw.Q("interval_us"), Kind: vm.ArgInt, Int: 1280000},
		{Name: fw.Q("window_us"), Kind: vm.ArgInt, Int: 11250}, {Name: fw.Q("oldest"), Kind: vm.ArgBool, KwOnly: true},
	}
	return fw.FuncKw("gap_scan", 0, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		var a [4]vm.ArgVal
		v.ParseArgs(args, kw, spec, a[:])
		needBLE(v)
		duty(v, a[1].Int, a[2].Int)
		if a[0].Int < 0 {
			v.RaiseMsg(vm.TypeValueError, "invalid duration")
		}
		b := board(v)
		if b.ble.scanEnds != 0 && !b.scanOver() {
			b.note("another gap_scan() is still running: call its stop()")
			v.RaiseOS(errAlready)
		}
		o := v.AllocFinal(scanBytes)
		b.ble.scanning++
		v.Mem[o/4], v.Mem[o/4+scanNumber] = t.Value(), vm.SmallInt(int(b.ble.scanning))
		b.ble.scanEnds = -1
		if a[0].Int > 0 {
			b.ble.scanEnds = b.clockNow() + time.Duration(a[0].Int)*time.Millisecond
		}
		return vm.Value(o)
	})
}

// scanOver reports whether the time of the scan is up.
func (b *Board) scanOver() bool { return b.ble.scanEnds >= 0 && b.clockNow() >= b.ble.scanEnds }

// bleConnect is gap_connect(addr_type, address, timeout_ms=5000, ...), which
// nobody answers.
func bleConnect(fw *vm.Firmware) vm.Value {
	spec := []vm.Arg{
		{Name: vm.QEmpty, Kind: vm.ArgInt, Required: true}, {Name: vm.QEmpty, Required: true},
		{Name: fw.Q("timeout_ms"), Kind: vm.ArgInt, Int: 5000}, {Name: fw.Q("interval_us"), Kind: vm.ArgInt, Int: 20000},
		{Name: fw.Q("window_us"), Kind: vm.ArgInt, Int: 11250}, {Name: fw.Q("onclose"), Obj: vm.None},
	}
	return fw.FuncKw("gap_connect", 2, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		var a [6]vm.ArgVal
		v.ParseArgs(args, kw, spec, a[:])
		needBLE(v)
		if len(v.Buffer(a[1].Obj, false)) != 6 {
			v.RaiseMsg(vm.TypeValueError, "address must be 6 bytes")
		}
		if a[0].Int < 0 || a[0].Int > 3 || a[2].Int < 0 {
			v.RaiseMsg(vm.TypeValueError, "invalid value")
		}
		duty(v, a[3].Int, a[4].Int)
		sleep(v, time.Duration(a[2].Int), time.Millisecond)
		board(v).note("gap_connect() found nobody: the virtual module has no radio for Bluetooth")
		v.RaiseOS(errTimedOut)
		return vm.Null
	})
}
