package pymod

import (
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/drm"
)

// Digi declares module digi: its parts are modules that from digi import ...
// finds, and attributes, as samples for the console use them (xmp
// typehints/digi).
func Digi(fw *vm.Firmware, level int, gnss bool, c *callbacks) {
	if level < 0x11 {
		return
	}
	m := fw.Module("digi")
	m.Add("cloud", declareCloud(fw, level))
	if level >= 0x15 {
		m.Add("ble", declareBLE(fw, level))
	}
	if gnss && level >= 0x18 {
		m.Add("gnss", declareGNSS(fw, c))
	}
}

// The constants of digi.cloud; Digi names them, the numbers are a choice.
const (
	transportTCP = 0
	transportUDP = 1

	cloudIdle    = 0
	cloudSending = 1
	cloudSuccess = 2
)

// declareCloud declares module digi.cloud (device-facts.md 8.5).
func declareCloud(fw *vm.Firmware, level int) vm.Value {
	m := fw.Submodule("cloud")
	m.Int("TRANSPORT_TCP", transportTCP).Int("TRANSPORT_UDP", transportUDP)
	m.Int("IDLE", cloudIdle).Int("SENDING", cloudSending).Int("SUCCESS", cloudSuccess)
	m.Add("DataPoints", declareDataPoints(fw).Value())
	request := declareRequest(fw)
	m.Add("device_request_receive", fw.Func0("device_request_receive", func(v *vm.VM) vm.Value {
		return receiveRequest(v, request)
	}))
	if level >= 0x18 {
		m.Add("Console", declareCloudConsole(fw))
	}
	return m.Value()
}

// cloud is the module's connection to Remote Manager. A board without one has
// nobody to talk to, and says so.
func (b *Board) cloud(v *vm.VM) *drm.Client {
	if b.Cloud == nil {
		b.note("this device has no Digi Remote Manager")
		v.RaiseOS(errIO)
	}
	return b.Cloud
}

// A device request is one block: type and number of the request, which is kept
// outside the heap.
const (
	requestBytes  = 16
	requestHandle = 1
)

// deviceRequest is a request that the program has taken.
type deviceRequest struct {
	*drm.Request
	unread []byte
	reply  []byte
}

func declareRequest(fw *vm.Firmware) *vm.Type {
	of := func(v *vm.VM, self vm.Value) *deviceRequest {
		r, _ := board(v).requests.get(uint32(v.Mem[self/4+requestHandle]) >> 1)
		return r
	}
	t := fw.NewType("device_request", &vm.Type{Flags: vm.FlagNeedsFinaliser, Stream: &vm.Stream{
		Read: func(v *vm.VM, self vm.Value, p []byte) (int, vm.Errno) {
			r := of(v, self)
			if r == nil {
				return 0, errBadF
			}
			n := copy(p, r.unread)
			r.unread = r.unread[n:]
			return n, 0
		},
		Write: func(v *vm.VM, self vm.Value, p []byte) (int, vm.Errno) {
			r := of(v, self)
			if r == nil {
				return 0, errBadF
			}
			if len(r.unread) > 0 {
				board(v).note("a device request has to be read to its end before the answer is written")
				return 0, errInval
			}
			r.reply = append(r.reply, p...)
			return len(p), 0
		},
		Close: func(v *vm.VM, self vm.Value) vm.Errno {
			b := board(v)
			if r := of(v, self); r != nil {
				r.Answer(0, r.reply)
				b.requests.drop(uint32(v.Mem[self/4+requestHandle]) >> 1)
				v.Mem[self/4+requestHandle] = 0
			}
			return 0
		},
	}})
	fw.AddStreamMethods(t, "read", "readinto", "write", "close", "__del__")
	return t
}

// receiveRequest is device_request_receive(): None, or a request.
func receiveRequest(v *vm.VM, typ *vm.Type) vm.Value {
	b := board(v)
	if b.Cloud == nil {
		return vm.None
	}
	b.Cloud.Step()
	r := b.Cloud.NextRequest()
	if r == nil {
		if !b.Cloud.Connected() && b.Registers.Active("MO").Int()&1 == 0 {
			b.note("device requests only reach a module that is connected to Remote Manager: set ATMO to 7 to stay connected")
		}
		return vm.None
	}
	o := v.AllocFinal(requestBytes)
	v.Mem[o/4] = typ.Value()
	h := b.requests.add(&deviceRequest{Request: r, unread: r.Data})
	v.Mem[o/4+requestHandle] = vm.SmallInt(int(h))
	return vm.Value(o)
}

// declareCloudConsole declares class Console, of which all objects are one: the
// session that somebody at Remote Manager has opened, or not.
func declareCloudConsole(fw *vm.Firmware) vm.Value {
	stream := &vm.Stream{
		Read: func(v *vm.VM, self vm.Value, p []byte) (int, vm.Errno) {
			b := board(v)
			if b.Cloud == nil {
				return 0, errAgain
			}
			b.Cloud.Step()
			n := b.Cloud.ReadConsole(p)
			if n == 0 {
				return 0, errAgain
			}
			return n, 0
		},
		Write: func(v *vm.VM, self vm.Value, p []byte) (int, vm.Errno) {
			if c := board(v).Cloud; c != nil {
				c.WriteConsole(p)
			}
			return len(p), 0
		},
		Close: func(v *vm.VM, self vm.Value) vm.Errno {
			if c := board(v).Cloud; c != nil {
				c.CloseConsole()
			}
			return 0
		},
		Ioctl: func(v *vm.VM, self vm.Value, request, arg int) (int, vm.Errno) {
			if request != ioctlPoll {
				return 0, errInval
			}
			c := board(v).Cloud
			if c == nil {
				return 0, 0
			}
			c.Step()
			board(v).wakeOn(append(c.Events(), c.Changed())...)
			answer := 0
			if c.ConsoleWaiting() > 0 {
				answer |= arg & pollIn
			}
			if c.ConsoleOpen() {
				answer |= arg & pollOut
			}
			return answer, 0
		},
	}
	t := fw.NewType("Console", &vm.Type{Stream: stream})
	one := fw.Object(t, nil)
	t.New = func(v *vm.VM, typ vm.Value, args, kw []vm.Value) vm.Value {
		v.CheckArgs(args, kw, 0, 0)
		return one
	}
	fw.Method(t, "isconnected", fw.Func1("isconnected", func(v *vm.VM, self vm.Value) vm.Value {
		c := board(v).Cloud
		if c == nil {
			return vm.False
		}
		c.Step()
		return vm.Bool(c.ConsoleOpen())
	}))
	fw.AddStreamMethods(t, "read", "readinto", "write", "close")
	return t.Value()
}
