package pymod

import (
	"net/netip"
	"slices"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/modem"
)

// The constants of usocket. Digi's type hints give the names; the numbers, which
// are those of Linux but for IPPROTO_SEC, are a choice (device-facts.md 7.1).
const (
	afInet     = 2
	afInet6    = 10
	sockStream = 1
	sockDgram  = 2
	protoIP    = 0
	protoTCP   = 6
	protoUDP   = 17
	protoSEC   = 256
)

// The words of a socket object, after its type: the modem's number of the
// socket, as a small int, 0 once closed. What the module's object holds is not
// known; 16 bytes, one block, is a choice.
const (
	socketID    = 1
	socketBytes = 16
)

// socketTypes are the types of usocket and ussl.
type socketTypes struct{ socket, ssl *vm.Type }

// Sockets declares modules usocket and ussl.
func Sockets(fw *vm.Firmware) {
	var t socketTypes
	stream := &vm.Stream{Read: t.read, Write: t.write, Close: t.close, Ioctl: t.ioctl}
	t.socket = fw.NewType("socket", &vm.Type{New: t.newSocket, Stream: stream})
	t.ssl = fw.NewType("SSLSocket", &vm.Type{Stream: stream})

	fw.AddStreamMethods(t.socket, "__del__", "close")
	for _, add := range []struct {
		name string
		f    vm.Fn2
	}{
		{"bind", t.bind}, {"listen", t.listen}, {"connect", t.connect}, {"send", t.send}, {"recv", t.recv},
		{"recvfrom", t.recvfrom}, {"settimeout", t.settimeout}, {"setblocking", t.setblocking},
	} {
		fw.Method(t.socket, add.name, fw.Func2(add.name, add.f))
	}
	fw.Method(t.socket, "accept", fw.Func1("accept", t.accept))
	fw.Method(t.socket, "sendto", fw.Func3("sendto", t.sendto))
	fw.Method(t.socket, "setsockopt", fw.FuncV("setsockopt", 4, 4, t.setsockopt))
	fw.AddStreamMethods(t.socket, "read", "readinto", "readline", "write")

	fw.AddStreamMethods(t.ssl, "read", "readinto", "readline", "write", "close")
	for _, name := range []string{"connect", "settimeout", "setblocking"} {
		fw.Method(t.ssl, name, t.socket.Locals.Get(fw.Q(name)))
	}

	m := fw.Module("usocket")
	m.Add("socket", t.socket.Value())
	m.Add("getaddrinfo", fw.Func2("getaddrinfo", getaddrinfo))
	for _, c := range []struct {
		name  string
		value int
	}{
		{"AF_INET", afInet}, {"AF_INET6", afInet6}, {"SOCK_STREAM", sockStream}, {"SOCK_DGRAM", sockDgram},
		{"IPPROTO_IP", protoIP}, {"IPPROTO_TCP", protoTCP}, {"IPPROTO_UDP", protoUDP}, {"IPPROTO_SEC", protoSEC},
	} {
		m.Int(c.name, c.value)
	}
	fw.Alias("socket", m, true)
	t.declareSSL(fw)
}

// newSocket is socket(af=AF_INET, type=SOCK_STREAM, proto=IPPROTO_TCP).
func (t *socketTypes) newSocket(v *vm.VM, typ vm.Value, args, kw []vm.Value) vm.Value {
	v.CheckArgs(args, kw, 0, 3)
	n := [3]int{afInet, sockStream, protoTCP}
	for i, a := range args {
		n[i] = v.Int(a)
	}
	if n[0] != afInet && n[0] != afInet6 {
		v.RaiseOS(vm.Errno(modem.EINVAL))
	}
	var p modem.Proto
	switch kind, proto := n[1], n[2]; {
	case kind == sockDgram && (proto == protoUDP || proto == protoIP || proto == protoTCP && len(args) < 3):
		p = modem.UDP
	case kind == sockStream && (proto == protoTCP || proto == protoIP):
		p = modem.TCP
	case kind == sockStream && proto == protoSEC:
		p = modem.SEC
	default:
		v.RaiseOS(vm.Errno(modem.EINVAL))
	}
	o := v.AllocFinal(socketBytes)
	v.Mem[o/4], v.Mem[o/4+socketID] = t.socket.Value(), vm.SmallInt(0)
	s, e := board(v).Modem.Socket(p)
	raiseModem(v, e)
	v.Mem[o/4+socketID] = vm.SmallInt(int(s.ID()))
	board(v).sockets = append(board(v).sockets, s.ID())
	return vm.Value(o)
}

// CloseSockets closes what the program has opened, as a restart of the
// interpreter does. Those of the serial port, and of Remote Manager, stay.
func (b *Board) CloseSockets() {
	for _, id := range b.sockets {
		if s := b.Modem.Find(id); s != nil {
			s.Close()
		}
	}
	b.sockets = nil
}

func raiseModem(v *vm.VM, e modem.Errno) {
	if e != 0 {
		v.RaiseOS(vm.Errno(e))
	}
}

// object returns the socket object behind a socket or an SSLSocket.
func (t *socketTypes) object(v *vm.VM, self vm.Value) vm.Value {
	if self.IsObj() {
		if v.TypeOf(self) == t.ssl.Value() {
			self = v.Mem[self/4+sslSocket]
		}
		if v.TypeOf(self) == t.socket.Value() {
			return self
		}
	}
	v.RaiseMsg(vm.TypeTypeError, "argument has wrong type")
	return vm.Null
}

// of returns the modem's socket of an object, or nil once it is closed.
func (t *socketTypes) of(v *vm.VM, self vm.Value) *modem.Socket {
	return board(v).Modem.Find(uint32(v.Mem[t.object(v, self)/4+socketID].SmallInt()))
}

// open is of for those who cannot use a closed socket: OSError EBADF.
func (t *socketTypes) open(v *vm.VM, self vm.Value) *modem.Socket {
	s := t.of(v, self)
	if s == nil {
		raiseModem(v, modem.EBADF)
	}
	return s
}

// await does what may wait, again and again while it is interrupted and the
// program has nothing against it.
func await(v *vm.VM, f func() modem.Errno) modem.Errno {
	for {
		e := f()
		if e != modem.EINTR {
			return e
		}
		v.CheckPending()
	}
}

func (t *socketTypes) read(v *vm.VM, self vm.Value, b []byte) (int, vm.Errno) {
	s := t.of(v, self)
	if s == nil {
		return 0, vm.Errno(modem.EBADF)
	}
	return recvInto(v, s, b)
}

func recvInto(v *vm.VM, s *modem.Socket, b []byte) (n int, e vm.Errno) {
	until := s.Deadline()
	failed := await(v, func() (e modem.Errno) {
		n, e = s.Recv(b, until)
		return e
	})
	return n, vm.Errno(failed)
}

func (t *socketTypes) write(v *vm.VM, self vm.Value, b []byte) (int, vm.Errno) {
	s := t.of(v, self)
	if s == nil {
		return 0, vm.Errno(modem.EBADF)
	}
	until, n := s.Deadline(), 0
	e := await(v, func() (e modem.Errno) {
		n, e = s.Send(b, until)
		return e
	})
	return n, vm.Errno(e)
}

// ioctl answers what uselect asks. A socket that is closed is in error, as xmp
// typehints/uselect.pyi has it.
func (t *socketTypes) ioctl(v *vm.VM, self vm.Value, request, arg int) (int, vm.Errno) {
	s := t.of(v, self)
	if request == ioctlClose {
		return 0, t.close(v, self)
	}
	if request != ioctlPoll {
		return 0, vm.Errno(modem.EINVAL)
	}
	if s == nil {
		return pollErr, 0
	}
	r, answer := s.Ready(), 0
	if r.Read {
		answer |= arg & pollIn
	}
	if r.Write {
		answer |= arg & pollOut
	}
	if r.Gone {
		answer |= arg&(pollIn|pollOut) | pollHup
	}
	board(v).wakeOn(s.Changed()...)
	return answer, 0
}

// close is also the finaliser: it must not allocate or raise.
func (t *socketTypes) close(v *vm.VM, self vm.Value) vm.Errno {
	o := self
	if v.TypeOf(o) == t.ssl.Value() {
		o = v.Mem[o/4+sslSocket]
	}
	b := board(v)
	id := uint32(v.Mem[o/4+socketID].SmallInt())
	if s := b.Modem.Find(id); s != nil {
		s.Close()
	}
	b.sockets = slices.DeleteFunc(b.sockets, func(i uint32) bool { return i == id })
	v.Mem[o/4+socketID] = vm.SmallInt(0)
	return 0
}

// address reads a (host, port) pair; the host may be str or bytes.
func address(v *vm.VM, addr vm.Value) (host string, port int) {
	pair := v.ArrayN(addr, 2)
	return string(v.StrArg(pair[0])), v.Int(pair[1])
}

// newAddress makes an ('ip', port) pair.
func newAddress(v *vm.VM, a netip.AddrPort) vm.Value {
	ip := "0.0.0.0"
	if a.IsValid() {
		ip = a.Addr().String()
	}
	return v.NewTuple(v.NewString(ip), vm.SmallInt(int(a.Port())))
}

func (t *socketTypes) bind(v *vm.VM, self, addr vm.Value) vm.Value {
	_, port := address(v, addr) // there is one address to bind to
	raiseModem(v, t.open(v, self).Bind(port))
	return vm.None
}

func (t *socketTypes) listen(v *vm.VM, self, backlog vm.Value) vm.Value {
	v.Int(backlog)
	raiseModem(v, t.open(v, self).Listen())
	return vm.None
}

func (t *socketTypes) accept(v *vm.VM, self vm.Value) vm.Value {
	s := t.open(v, self)
	until := s.Deadline()
	raiseModem(v, await(v, func() modem.Errno { return s.Accept(until) }))
	return vm.None
}

func (t *socketTypes) connect(v *vm.VM, self, addr vm.Value) vm.Value {
	s := t.open(v, self)
	host, port := address(v, addr)
	until := s.ConnectDeadline()
	raiseModem(v, await(v, func() modem.Errno { return s.Connect(host, port, until) }))
	return vm.None
}

func (t *socketTypes) send(v *vm.VM, self, data vm.Value) vm.Value {
	t.open(v, self)
	n, e := t.write(v, self, v.Buffer(data, false))
	raiseModem(v, modem.Errno(e))
	return vm.SmallInt(n)
}

func (t *socketTypes) sendto(v *vm.VM, self, data, addr vm.Value) vm.Value {
	s := t.open(v, self)
	b := v.Buffer(data, false)
	host, port := address(v, addr)
	until, n := s.Deadline(), 0
	raiseModem(v, await(v, func() (e modem.Errno) {
		n, e = s.SendTo(b, host, port, until)
		return e
	}))
	return vm.SmallInt(n)
}

// recvBuffer makes the buffer that recv and recvfrom read into.
func recvBuffer(v *vm.VM, size vm.Value) *vm.Vstr {
	n := v.Int(size)
	if n < 0 {
		v.RaiseNoMemory(n + 1)
	}
	return v.NewVstrLen(uint32(n))
}

// received is what was read of a buffer; where that is nothing the buffer is
// left to the collector, as upstream's socket module does.
func received(buf *vm.Vstr, n int) vm.Value {
	if n == 0 {
		return vm.EmptyBytes
	}
	buf.Truncate(n)
	return buf.Object(vm.TypeBytes)
}

func (t *socketTypes) recv(v *vm.VM, self, size vm.Value) vm.Value {
	s := t.open(v, self)
	buf := recvBuffer(v, size)
	n, e := recvInto(v, s, buf.Bytes())
	raiseModem(v, modem.Errno(e))
	return received(buf, n)
}

func (t *socketTypes) recvfrom(v *vm.VM, self, size vm.Value) vm.Value {
	s := t.open(v, self)
	buf := recvBuffer(v, size)
	until, n := s.Deadline(), 0
	var from netip.AddrPort
	raiseModem(v, await(v, func() (e modem.Errno) {
		n, from, e = s.RecvFrom(buf.Bytes(), until)
		return e
	}))
	data := received(buf, n)
	return v.NewTuple(data, newAddress(v, from))
}

func (t *socketTypes) settimeout(v *vm.VM, self, seconds vm.Value) vm.Value {
	s := t.open(v, self)
	if seconds == vm.None {
		s.SetTimeout(world.Forever)
		return vm.None
	}
	s.SetTimeout(milliseconds(v.Float(seconds)))
	return vm.None
}

func (t *socketTypes) setblocking(v *vm.VM, self, flag vm.Value) vm.Value {
	s := t.open(v, self)
	if v.IsTrue(flag) {
		s.SetTimeout(world.Forever)
	} else {
		s.SetTimeout(0)
	}
	return vm.None
}

// setsockopt accepts every option and does nothing: there are no constants for
// any, so what the module knows cannot be told.
func (t *socketTypes) setsockopt(v *vm.VM, args []vm.Value) vm.Value {
	t.open(v, args[0])
	v.Int(args[1])
	v.Int(args[2])
	if _, ok := v.IntMaybe(args[3]); !ok {
		v.Buffer(args[3], false)
	}
	board(v).note("setsockopt() did nothing: the modem's socket options are not known, and Digi's usocket names none")
	return vm.None
}
