package pylib

import "github.com/skep-sim/skep/internal/vm"

// IO declares module uio without open() and file types, which the host of the
// interpreter adds.
func IO(fw *vm.Firmware) {
	m := fw.Module("uio")
	if fw.Options.IOBase {
		m.Add("IOBase", ioBase(fw).Value())
	}
	m.Add("StringIO", vm.TypeStringIO)
	m.Add("BytesIO", vm.TypeBytesIO)
	weakLink(fw, "io", m)
}

// eagain is what a stream method of the program reports by returning None.
const eagain vm.Errno = 11

// ioBase is the class to derive streams from: reading, writing and control call
// the methods readinto, write and ioctl of the instance.
func ioBase(fw *vm.Firmware) *vm.Type {
	readinto, write, ioctl := fw.Q("readinto"), fw.Q("write"), fw.Q("ioctl")
	transfer := func(method vm.Qstr) func(v *vm.VM, self vm.Value, b []byte) (int, vm.Errno) {
		fill := method == readinto
		return func(v *vm.VM, self vm.Value, b []byte) (int, vm.Errno) {
			view := v.BorrowBytes(b)
			r := v.CallMethod(self, method, view)
			v.EndBorrow(view, b, fill)
			if r == vm.None {
				return 0, eagain
			}
			return min(v.Int(r), len(b)), 0
		}
	}
	control := func(v *vm.VM, self vm.Value, request, arg int) (int, vm.Errno) {
		n := v.Int(v.CallMethod(self, ioctl, v.NewUint(uint64(uint32(request))), v.NewUint(uint64(uint32(arg)))))
		if n < 0 {
			return 0, vm.Errno(-n)
		}
		return n, 0
	}
	t := &vm.Type{Stream: &vm.Stream{
		Read: transfer(readinto), Write: transfer(write), Ioctl: control, OnInstance: true,
		Flush: func(v *vm.VM, self vm.Value) vm.Errno { _, e := control(v, self, 1, 0); return e },
		Close: func(v *vm.VM, self vm.Value) vm.Errno { _, e := control(v, self, 4, 0); return e },
	}}
	t = fw.NewType("IOBase", t)
	one := fw.Object(t, nil)
	t.New = func(v *vm.VM, typ vm.Value, args, kw []vm.Value) vm.Value { return one }
	return t
}
