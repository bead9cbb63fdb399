//go:build !windows

package link

import (
	"errors"
	"os"
	"strings"
	"syscall"
)

// errLocked is that somebody else holds a lock.
var errLocked = errors.New("locked")

// lockPort locks a serial port as tio and picocom do: by the device itself.
func lockPort(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, syscall.EBUSY) {
			return nil, errLocked
		}
		return nil, err
	}
	return flock(f)
}

// lockFile locks a file, which it makes.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	return flock(f)
}

func flock(f *os.File) (*os.File, error) {
	raw, err := f.SyscallConn()
	if err == nil {
		var locking error
		err = raw.Control(func(fd uintptr) { locking = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB) })
		if err == nil {
			err = locking
		}
	}
	if err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, err
	}
	return f, nil
}

func interrupted(err error) bool { return errors.Is(err, syscall.EINTR) }

// isPTY tells pseudo-terminals by where Linux and BSD have them.
func isPTY(path string) bool {
	return strings.HasPrefix(path, "/dev/pts/") || strings.HasPrefix(path, "/dev/ttys") || strings.HasPrefix(path, "/dev/ttyp")
}
