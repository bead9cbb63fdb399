package pymod

import "github.com/skep-sim/skep/internal/vm"

// errnos are the numbers that Digi's uerrno lists, without the firmware's offset
// of 7000, in the order of their table here: by number. The names are
// documented, the numbers those of upstream's py/mperrno.h; the order of the
// device's own table is not known (device-facts.md 9).
var errnos = [...]vm.ErrnoName{
	{Name: "EPERM", Number: 1}, {Name: "ENOENT", Number: 2}, {Name: "EIO", Number: 5}, {Name: "ENXIO", Number: 6},
	{Name: "EBADF", Number: 9}, {Name: "EAGAIN", Number: 11}, {Name: "EEXIST", Number: 17}, {Name: "ENODEV", Number: 19},
	{Name: "EISDIR", Number: 21}, {Name: "EINVAL", Number: 22}, {Name: "ENFILE", Number: 23}, {Name: "EFBIG", Number: 27},
	{Name: "ENOSPC", Number: 28}, {Name: "EMSGSIZE", Number: 90}, {Name: "ENOPROTOOPT", Number: 92},
	{Name: "ECONNRESET", Number: 104}, {Name: "ENOBUFS", Number: 105}, {Name: "EISCONN", Number: 106},
	{Name: "ENOTCONN", Number: 107}, {Name: "ETIMEDOUT", Number: 110}, {Name: "ECONNREFUSED", Number: 111},
	{Name: "EHOSTUNREACH", Number: 113}, {Name: "EALREADY", Number: 114}, {Name: "EINPROGRESS", Number: 115},
}

// Errnos gives a firmware the device's error numbers, with its offset. It is
// called before module uerrno is declared.
func Errnos(fw *vm.Firmware) {
	list := errnos
	for i := range list {
		list[i].Number += fw.Options.ErrnoOffset
	}
	fw.SetErrnos(list[:])
}

// The error numbers that this package raises of its own. EBUSY is not in the
// module's uerrno, though Digi's type hints of scan and gnss name it.
const (
	errPerm        vm.Errno = 1
	errNoEnt       vm.Errno = 2
	errIO          vm.Errno = 5
	errNXIO        vm.Errno = 6
	errBusy        vm.Errno = 16
	errNoDev       vm.Errno = 19
	errBadF        vm.Errno = 9
	errAgain       vm.Errno = 11
	errInval       vm.Errno = 22
	errNoSpc       vm.Errno = 28
	errNoBufs      vm.Errno = 105
	errNotConn     vm.Errno = 107
	errTimedOut    vm.Errno = 110
	errConnRefused vm.Errno = 111
	errAlready     vm.Errno = 114
)
