package pymod

import (
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/at"
	"github.com/skep-sim/skep/internal/xbee/modem"
)

// Network declares module network with its class Cellular, and module cellular,
// which has the same class: the seed lists a module of that name, Digi's type
// hints do not (device-facts.md 8.1, 8.2).
func Network(fw *vm.Firmware, level int, events *callbacks) {
	var one vm.Value // the only instance: it has no state of its own
	t := fw.NewType("Cellular", &vm.Type{New: func(v *vm.VM, typ vm.Value, args, kw []vm.Value) vm.Value {
		v.CheckArgs(args, kw, 0, 0)
		return one
	}})
	one = fw.Object(t, nil)
	c := newCellular(fw)
	fw.Method(t, "active", fw.FuncV("active", 1, 2, c.active))
	fw.Method(t, "isconnected", fw.Func1("isconnected", func(v *vm.VM, _ vm.Value) vm.Value {
		return vm.Bool(board(v).Modem.IsConnected())
	}))
	fw.Method(t, "ifconfig", fw.Func1("ifconfig", c.ifconfig))
	fw.Method(t, "config", fw.FuncKw("config", 1, c.config))
	fw.Method(t, "sms_send", fw.Func3("sms_send", c.smsSend))
	fw.Method(t, "sms_receive", fw.Func1("sms_receive", func(v *vm.VM, _ vm.Value) vm.Value {
		events.refusePolling(v, fromSMS, "sms_receive")
		return c.smsReceive(v, board(v))
	}))
	events.on(fromSMS, func(b *Board) bool { return b.Modem.WaitingSMS() > 0 }, c.smsReceive)
	if level >= 0x15 {
		fw.Method(t, "sms_callback", fw.Func2("sms_callback", func(v *vm.VM, _, f vm.Value) vm.Value {
			events.set(v, fromSMS, f)
			return vm.None
		}))
		fw.Method(t, "signal", fw.Func1("signal", newSignal(fw)))
		fw.Method(t, "shutdown", newShutdown(fw))
	}
	if level >= 0x1A {
		fw.Method(t, "scan", newScan(fw, events))
	}
	for _, name := range []string{"network", "cellular"} {
		fw.Module(name).Add("Cellular", t.Value())
	}
}

// cellular holds the names that class Cellular works with.
type cellular struct {
	apn                        vm.Qstr
	message, sender, timestamp vm.Value
}

func newCellular(fw *vm.Firmware) *cellular {
	for _, name := range [...]string{"iccid", "imei", "operating_apn", "operator", "phone"} {
		fw.Q(name) // the firmware's ROM has what config knows
	}
	return &cellular{
		apn:     fw.Q("apn"),
		message: fw.Q("message").Value(), sender: fw.Q("sender").Value(), timestamp: fw.Q("timestamp").Value(),
	}
}

// active is active([mode]): whether the modem is on, or, with False, airplane
// mode. (The text of Digi's type hint has it the other way round; their sample
// has it like this.)
func (c *cellular) active(v *vm.VM, args []vm.Value) vm.Value {
	b := board(v)
	if len(args) == 1 {
		return vm.Bool(!b.Modem.Airplane())
	}
	airplane := !v.IsTrue(args[1])
	am := uint64(0)
	if airplane {
		am = 1
	}
	if _, err := b.Registers.Atcmd("AM", at.Int(am)); err != nil {
		raiseModem(v, modem.EIO)
	}
	b.Modem.SetAirplane(airplane)
	return vm.None
}

func (c *cellular) ifconfig(v *vm.VM, _ vm.Value) vm.Value {
	i := board(v).Modem.Interface()
	return v.NewTuple(v.NewString(i.Address.String()), v.NewString(i.Mask.String()),
		v.NewString(i.Gateway.String()), v.NewString(i.DNS.String()))
}

// config is config('name'), or config(apn=value).
func (c *cellular) config(v *vm.VM, args, kw []vm.Value) vm.Value {
	if len(kw) > 0 {
		if len(args) != 1 {
			v.RaiseMsg(vm.TypeTypeError, "either pos or kw args are allowed")
		}
		for i := 0; i < len(kw); i += 2 {
			if kw[i] != c.apn.Value() {
				c.unknown(v)
			}
			c.setAPN(v, string(v.StrArg(kw[i+1])))
		}
		return vm.None
	}
	if len(args) != 2 {
		v.RaiseMsg(vm.TypeTypeError, "can query only one param")
	}
	name := string(v.StrArg(args[1]))
	b := board(v)
	id := b.Modem.Identity()
	switch name {
	case "apn":
		return v.NewString(b.apn())
	case "iccid":
		return v.NewString(id.ICCID)
	case "imei":
		return v.NewString(id.IMEI)
	case "operating_apn":
		return v.NewString(b.Modem.OperatingAPN(b.apn()))
	case "operator":
		return v.NewString(b.Modem.Operator())
	case "phone":
		return v.NewString(id.Phone)
	}
	c.unknown(v)
	return vm.Null
}

func (c *cellular) unknown(v *vm.VM) { v.RaiseMsg(vm.TypeValueError, "unknown config param") }

// apn is the access point that the settings ask for.
func (b *Board) apn() string { return b.Registers.Active("AN").Text() }

func (c *cellular) setAPN(v *vm.VM, apn string) {
	if _, err := board(v).Registers.Atcmd("AN", at.Str(apn)); err != nil {
		v.RaiseMsg(vm.TypeValueError, "invalid APN")
	}
}

// smsSend is sms_send(phone, message); the phone may be a number.
func (c *cellular) smsSend(v *vm.VM, _, phone, message vm.Value) vm.Value {
	var number strings.Builder
	if v.IsInt(phone) {
		v.NewPrinter(func(b []byte) { number.Write(b) }).Value(phone, vm.PrintStr)
	} else {
		number.Write(v.StrArg(phone))
	}
	switch e := board(v).Modem.SendSMS(number.String(), string(v.StrArg(message))); e {
	case modem.EINVAL:
		v.RaiseMsg(vm.TypeValueError, "invalid phone number or message")
	default:
		raiseModem(v, e)
	}
	return vm.None
}

// smsReceive is sms_receive(): None, or a dict.
func (c *cellular) smsReceive(v *vm.VM, b *Board) vm.Value {
	s, ok := b.Modem.ReceiveSMS()
	if !ok {
		return vm.None
	}
	d := v.NewDict(3)
	v.DictStore(d, c.sender, v.NewString(s.Phone))
	v.DictStore(d, c.message, v.NewString(s.Text))
	v.DictStore(d, c.timestamp, v.NewInt(int64(s.Time.Sub(epoch)/time.Second)))
	return d
}
