package pymod

import (
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/modem"
)

// The words of an SSLSocket, after its type: the socket that it wraps. Its size
// on the module is not known; one block is a choice.
const (
	sslSocket = 1
	sslBytes  = 8
)

// declareSSL declares module ussl (device-facts.md 6).
func (t *socketTypes) declareSSL(fw *vm.Firmware) {
	spec := []vm.Arg{
		{Name: fw.Q("sock"), Required: true},
		{Name: fw.Q("keyfile"), KwOnly: true, Obj: vm.None},
		{Name: fw.Q("certfile"), KwOnly: true, Obj: vm.None},
		{Name: fw.Q("ca_certs"), KwOnly: true, Obj: vm.None},
		{Name: fw.Q("server_side"), Kind: vm.ArgBool, KwOnly: true},
		{Name: fw.Q("server_hostname"), KwOnly: true, Obj: vm.None},
	}
	m := fw.Module("ussl")
	m.Add("wrap_socket", fw.FuncKw("wrap_socket", 1, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		var out [6]vm.ArgVal
		v.ParseArgs(args, kw, spec, out[:])
		return t.wrap(v, out[0].Obj, out[1].Obj, out[2].Obj, out[3].Obj)
	}))
	fw.Alias("ssl", m, true)
}

// wrap gives a TLS socket the files that it is to be secured with. They are read
// now, secure ones too; what the modem makes of them shows when it connects.
func (t *socketTypes) wrap(v *vm.VM, sock, keyfile, certfile, caCerts vm.Value) vm.Value {
	b := board(v)
	o := v.CastToNative(sock, t.socket.Value())
	var s *modem.Socket
	if o != vm.Null {
		s = t.open(v, o)
	}
	if s == nil || s.Proto() != modem.SEC || s.Wrapped() {
		v.RaiseMsg(vm.TypeTypeError, "must use IPPROTO_SEC")
	}
	if certfile != vm.None && (keyfile == vm.None || caCerts == vm.None) {
		v.RaiseMsg(vm.TypeValueError, "certfile requires keyfile and ca_certs")
	}
	file := func(name vm.Value) (f modem.File) {
		if name == vm.None {
			return f
		}
		f.Name = string(v.StrArg(name))
		data, err := b.FS().ReadSecure(b.Cwd, f.Name)
		b.raise(v, err)
		f.Data = append([]byte{}, data...) // not nil, even if empty
		return f
	}
	c := modem.Credentials{Key: file(keyfile), Certificate: file(certfile), CA: file(caCerts)}
	w := v.Alloc(sslBytes)
	v.Mem[w/4], v.Mem[w/4+sslSocket] = t.ssl.Value(), o
	s.Wrap(c)
	return vm.Value(w)
}
