package modem

import (
	"fmt"

	"github.com/skep-sim/skep/internal/world"
)

// Errno is the number of a failed operation as in upstream's py/mperrno.h; 0 is
// no error. Python on the module sees it plus 7000 (device-facts.md 9).
type Errno uint8

// The numbers this package fails with. All but EINTR are in the module's
// uerrno.
const (
	EINTR        Errno = 4 // the wait was interrupted: let the program see it, and call again
	EIO          Errno = 5
	ENXIO        Errno = 6
	EBADF        Errno = 9
	EAGAIN       Errno = 11
	EINVAL       Errno = 22
	ENFILE       Errno = 23
	EMSGSIZE     Errno = 90
	ECONNRESET   Errno = 104
	EISCONN      Errno = 106
	ENOTCONN     Errno = 107
	ETIMEDOUT    Errno = 110
	ECONNREFUSED Errno = 111
	EHOSTUNREACH Errno = 113
)

// Error names e.
func (e Errno) Error() string {
	switch e {
	case EINTR:
		return "EINTR"
	case EIO:
		return "EIO"
	case ENXIO:
		return "ENXIO"
	case EBADF:
		return "EBADF"
	case EAGAIN:
		return "EAGAIN"
	case EINVAL:
		return "EINVAL"
	case ENFILE:
		return "ENFILE"
	case EMSGSIZE:
		return "EMSGSIZE"
	case ECONNRESET:
		return "ECONNRESET"
	case EISCONN:
		return "EISCONN"
	case ENOTCONN:
		return "ENOTCONN"
	case ETIMEDOUT:
		return "ETIMEDOUT"
	case ECONNREFUSED:
		return "ECONNREFUSED"
	case EHOSTUNREACH:
		return "EHOSTUNREACH"
	}
	return fmt.Sprintf("errno %d", uint8(e))
}

// pythonOffset is what lies between the numbers of a profile, which are those
// that Python sees, and an Errno.
const pythonOffset = 7000

func fromProfile(n int) Errno { return Errno(n - pythonOffset) }

// ofStream is the number for what went wrong on an open connection.
func ofStream(err error) Errno {
	switch world.KindOf(err) {
	case world.FailClosed:
		return ENOTCONN
	case world.FailTimeout:
		return ETIMEDOUT
	case world.FailUnreachable:
		return EHOSTUNREACH
	case world.FailReset, world.FailTLS, world.FailRefused:
		return ECONNRESET
	}
	return EIO
}
