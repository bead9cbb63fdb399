package link

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// errLocked is that somebody else holds a lock.
var errLocked = errors.New("locked")

// lockPort does nothing: Windows has a port opened once only.
func lockPort(string) (*os.File, error) { return nil, nil }

// lockFile locks a file, which it makes.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
	if err != nil {
		f.Close()
		if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
			return nil, errLocked
		}
		return nil, err
	}
	return f, nil
}

func interrupted(error) bool { return false }

func isPTY(string) bool { return false }
