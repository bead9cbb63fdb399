package pylib

import "github.com/skep-sim/skep/internal/vm"

// upstreamErrnos is the list of MicroPython's own build.
var upstreamErrnos = [...]vm.ErrnoName{
	{Name: "EPERM", Number: 1}, {Name: "ENOENT", Number: 2}, {Name: "EIO", Number: 5}, {Name: "EBADF", Number: 9},
	{Name: "EAGAIN", Number: 11}, {Name: "ENOMEM", Number: 12}, {Name: "EACCES", Number: 13},
	{Name: "EEXIST", Number: 17}, {Name: "ENODEV", Number: 19}, {Name: "EISDIR", Number: 21},
	{Name: "EINVAL", Number: 22}, {Name: "EOPNOTSUPP", Number: 95}, {Name: "EADDRINUSE", Number: 98},
	{Name: "ECONNABORTED", Number: 103}, {Name: "ECONNRESET", Number: 104}, {Name: "ENOBUFS", Number: 105},
	{Name: "ENOTCONN", Number: 107}, {Name: "ETIMEDOUT", Number: 110}, {Name: "ECONNREFUSED", Number: 111},
	{Name: "EHOSTUNREACH", Number: 113}, {Name: "EALREADY", Number: 114}, {Name: "EINPROGRESS", Number: 115},
}

// errnoDict is made at every start and only read from then on.
type errnoDict struct{ vm.Value }

// Fork implements vm.Forker.
func (d *errnoDict) Fork() any { return d }

// Errno declares module uerrno with the numbers that Firmware.SetErrnos set, or,
// if it set none, with MicroPython's own list.
func Errno(fw *vm.Firmware) {
	if len(fw.Errnos()) == 0 {
		list := upstreamErrnos
		for i := range list {
			list[i].Number += fw.Options.ErrnoOffset
		}
		fw.SetErrnos(list[:])
	}
	m := fw.Module("uerrno")
	code := fw.Q("errorcode")
	fw.OnBoot(func(v *vm.VM) {
		v.State("uerrno", func() any { return new(errnoDict) }).(*errnoDict).Value = v.StaticErrnoDict()
	})
	m.Getattr(func(v *vm.VM, q vm.Qstr) vm.Value {
		if q == code {
			return v.State("uerrno", nil).(*errnoDict).Value
		}
		return vm.Null
	})
	for _, e := range fw.Errnos() {
		m.Int(e.Name, e.Number)
	}
	weakLink(fw, "errno", m)
}
