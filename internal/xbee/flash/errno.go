package flash

import (
	"errors"
	"fmt"
)

// Errno is the number of a failed file operation, as in upstream's
// py/mperrno.h. Python on the module sees it plus 7000 (device-facts.md 9).
// Only numbers that the module's uerrno lists are used; where POSIX would
// answer with another, the doc comment of the operation says which was chosen.
type Errno uint8

// The numbers this package fails with.
const (
	EPERM  Errno = 1
	ENOENT Errno = 2
	EIO    Errno = 5
	EBADF  Errno = 9
	EEXIST Errno = 17
	EISDIR Errno = 21
	EINVAL Errno = 22
	ENFILE Errno = 23
	EFBIG  Errno = 27
	ENOSPC Errno = 28
)

// Name is the symbol of e, as uerrno.errorcode has it.
func (e Errno) Name() string { name, _ := e.texts(); return name }

// Text describes e in a few words: for ENOENT those of a module, for the others
// ours in the same manner.
func (e Errno) Text() string { _, text := e.texts(); return text }

// Error is the form in which ATFS reports e: the symbol, a space, a
// description (device-facts.md 10.5).
func (e Errno) Error() string { return e.Name() + " " + e.Text() }

func (e Errno) texts() (name, text string) {
	switch e {
	case EPERM:
		return "EPERM", "not permitted"
	case ENOENT:
		return "ENOENT", "does not exist" // observed: xbf archive/cpython/tests.py
	case EIO:
		return "EIO", "input/output error"
	case EBADF:
		return "EBADF", "file is not open"
	case EEXIST:
		return "EEXIST", "already exists"
	case EISDIR:
		return "EISDIR", "is a directory"
	case EINVAL:
		return "EINVAL", "invalid name or argument"
	case ENFILE:
		return "ENFILE", "too many open files"
	case EFBIG:
		return "EFBIG", "file too large"
	case ENOSPC:
		return "ENOSPC", "no space left"
	}
	return fmt.Sprintf("E%d", uint8(e)), "unknown error"
}

// HostError is a failure of the host's storage: the device sees EIO, the
// person at the host wants to know what happened to the image.
type HostError struct{ Err error }

// Error gives the host's reason.
func (e *HostError) Error() string { return "the flash image could not be stored: " + e.Err.Error() }

// Unwrap returns the host's error.
func (e *HostError) Unwrap() error { return e.Err }

// ErrnoOf is the number the device sees for err, which came from this package;
// 0 if err is nil.
func ErrnoOf(err error) Errno {
	var e Errno
	if err == nil {
		return 0
	}
	if errors.As(err, &e) {
		return e
	}
	return EIO
}
