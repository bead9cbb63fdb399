package pymod

import (
	"time"

	"github.com/skep-sim/skep/internal/vm"
	hw "github.com/skep-sim/skep/internal/xbee/board"
)

// This file is machine.UART, the secondary serial port. The port's state is the
// hardware's; the object is one block, the least there can be (a choice).

const (
	uartBytes = 16
	uartID    = 1 // the only port
	uartRTS   = 1 // constants of the class (their values are a choice)
	uartCTS   = 2
)

func (t *machineTypes) declareUART(fw *vm.Firmware) {
	spec := []vm.Arg{
		{Name: fw.Q("baudrate"), Kind: vm.ArgInt, Required: true},
		{Name: fw.Q("bits"), Kind: vm.ArgInt, Int: 8},
		{Name: fw.Q("parity"), Obj: vm.None},
		{Name: fw.Q("stop"), Kind: vm.ArgInt, Int: 1},
		{Name: fw.Q("flow"), KwOnly: true, Kind: vm.ArgInt},
		{Name: fw.Q("timeout"), KwOnly: true, Kind: vm.ArgInt},
		{Name: fw.Q("timeout_char"), KwOnly: true, Kind: vm.ArgInt},
	}
	start := func(v *vm.VM, args, kw []vm.Value) {
		var a [7]vm.ArgVal
		v.ParseArgs(args, kw, spec, a[:])
		startUART(v, a[:])
	}
	t.uart = fw.NewType("UART", &vm.Type{
		Flags: vm.FlagOwnIter,
		New: func(v *vm.VM, typ vm.Value, args, kw []vm.Value) vm.Value {
			if len(args) == 0 {
				v.CheckArgs(args, kw, 1, 8)
			}
			if id := v.Int(args[0]); id != uartID {
				v.Raisef(vm.TypeValueError, "UART(%d) doesn't exist", id)
			}
			o := v.Alloc(uartBytes)
			v.Mem[o/4] = typ
			start(v, args[1:], kw)
			return vm.Value(o)
		},
		Print: func(v *vm.VM, p *vm.Printer, self vm.Value, kind vm.PrintKind) { printUART(p, &board(v).Hardware.UART) },
		Stream: &vm.Stream{
			Read:  readUART,
			Write: writeUART,
			Ioctl: func(v *vm.VM, self vm.Value, request, arg int) (int, vm.Errno) {
				if request != ioctlPoll {
					return 0, errInval
				}
				events := 0
				if board(v).Hardware.UART.Any() > 0 {
					events |= arg & pollIn
				}
				if board(v).Hardware.UART.IsOpen() {
					events |= arg & pollOut
				}
				board(v).wakeOn(board(v).Hardware.UART.Arrived())
				return events, 0
			},
		},
	})
	fw.Method(t.uart, "init", fw.FuncKw("init", 1, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		start(v, args[1:], kw)
		return vm.None
	}))
	fw.Method(t.uart, "deinit", fw.Func1("deinit", func(v *vm.VM, self vm.Value) vm.Value {
		board(v).Hardware.UART.Close()
		return vm.None
	}))
	fw.Method(t.uart, "any", fw.Func1("any", func(v *vm.VM, self vm.Value) vm.Value {
		return vm.SmallInt(board(v).Hardware.UART.Any())
	}))
	fw.AddStreamMethods(t.uart, "read", "readinto", "readline", "write")
	fw.Method(t.uart, "RTS", vm.SmallInt(uartRTS))
	fw.Method(t.uart, "CTS", vm.SmallInt(uartCTS))
}

// startUART checks the arguments and gives the port its pins.
func startUART(v *vm.VM, a []vm.ArgVal) {
	s := hw.UARTSettings{
		Baud: a[0].Int, Bits: a[1].Int, Parity: -1, Stop: a[3].Int,
		RTS: a[4].Int&uartRTS != 0, CTS: a[4].Int&uartCTS != 0, Timeout: a[5].Int, TimeoutChar: a[6].Int,
	}
	if a[2].Obj != vm.None {
		s.Parity = v.Int(a[2].Obj)
	}
	switch {
	case s.Baud <= 0:
		v.RaiseMsg(vm.TypeValueError, "invalid baudrate")
	case s.Bits < 5 || s.Bits > 8:
		v.RaiseMsg(vm.TypeValueError, "invalid bits")
	case s.Parity < -1 || s.Parity > 1:
		v.RaiseMsg(vm.TypeValueError, "invalid parity")
	case s.Stop != 1 && s.Stop != 2:
		v.RaiseMsg(vm.TypeValueError, "invalid stop")
	case a[4].Int&^(uartRTS|uartCTS) != 0:
		v.RaiseMsg(vm.TypeValueError, "invalid flow")
	case s.Timeout < 0 || s.TimeoutChar < 0:
		v.RaiseMsg(vm.TypeValueError, "invalid timeout")
	}
	b := board(v).Hardware
	pins := []hw.Function{hw.UARTTX, hw.UARTRX}
	if s.RTS {
		pins = append(pins, hw.UARTRTS)
	}
	if s.CTS {
		pins = append(pins, hw.UARTCTS)
	}
	for _, f := range pins {
		raiseValue(v, b.Configure(f.Pin(), hw.Setup{Mode: hw.Alt, Function: f}))
	}
	b.UART.Open(s)
}

// readUART waits for the first byte as long as the settings say, and for each
// further one; nothing at all is EAGAIN, which the methods turn into None.
func readUART(v *vm.VM, self vm.Value, p []byte) (int, vm.Errno) {
	u := &board(v).Hardware.UART
	n, wait := 0, u.Settings.Timeout
	for n < len(p) {
		got := u.Read(p[n:])
		n += got
		if n == len(p) {
			break
		}
		if got > 0 {
			wait = u.Settings.TimeoutChar
		}
		if !waitUART(v, u, time.Duration(wait)*time.Millisecond) {
			break
		}
	}
	if n == 0 {
		return 0, errAgain
	}
	return n, 0
}

// waitUART reports whether bytes arrived in time.
func waitUART(v *vm.VM, u *hw.UART, d time.Duration) bool {
	b := board(v)
	clock := b.World.Clock()
	for end := clock.Ticks() + d.Microseconds(); d > 0 && u.Any() == 0; {
		clock.Wait(d, u.Arrived(), b.Interrupt)
		v.CheckPending()
		d = time.Duration(end-clock.Ticks()) * time.Microsecond
	}
	return u.Any() > 0
}

func writeUART(v *vm.VM, self vm.Value, p []byte) (int, vm.Errno) {
	u := &board(v).Hardware.UART
	if !u.IsOpen() {
		return 0, errPerm
	}
	u.Write(p)
	return len(p), 0
}

// printUART writes the port in the form of upstream's stm32 port.
func printUART(p *vm.Printer, u *hw.UART) {
	if !u.IsOpen() {
		p.Printf("UART(%d)", uartID)
		return
	}
	s := u.Settings
	p.Printf("UART(%d, baudrate=%d, bits=%d, parity=", uartID, s.Baud, s.Bits)
	if s.Parity < 0 {
		p.String("None")
	} else {
		p.Printf("%d", s.Parity)
	}
	flow := "0"
	switch {
	case s.RTS && s.CTS:
		flow = "RTS|CTS"
	case s.RTS:
		flow = "RTS"
	case s.CTS:
		flow = "CTS"
	}
	p.Printf(", stop=%d, flow=%s, timeout=%d, timeout_char=%d)", s.Stop, flow, s.Timeout, s.TimeoutChar)
}
