//go:build unix && !aix && !solaris

package flash

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes an exclusive lock on f unless somebody has it.
func lockFile(f *os.File) (held bool, err error) {
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
