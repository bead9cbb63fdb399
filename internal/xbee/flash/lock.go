package flash

import (
	"fmt"
	"os"
	"strings"
)

// LockedError says that another process uses a state directory.
type LockedError struct {
	Dir   string
	Owner string // the other process's id, "" if it could not be read
}

// Error says what to do, too.
func (e *LockedError) Error() string {
	who := "another process"
	if e.Owner != "" {
		who = "process " + e.Owner
	}
	return fmt.Sprintf("the state directory %s is in use by %s: stop that, or give this device a directory of its own with --state DIR", e.Dir, who)
}

// lock is a held lock on a state directory.
type lock struct{ f *os.File }

// acquire takes the lock of dir, which the operating system gives back however
// the process ends.
func acquire(dir, path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	switch held, err := lockFile(f); {
	case err != nil:
		f.Close()
		return nil, fmt.Errorf("locking the state directory %s: %w", dir, err)
	case !held:
		b := make([]byte, 32)
		n, _ := f.ReadAt(b, 0)
		f.Close()
		return nil, &LockedError{Dir: dir, Owner: strings.TrimSpace(string(b[:n]))}
	}
	// The number is a courtesy to whoever comes next; the lock is what counts.
	if f.Truncate(0) == nil {
		fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return &lock{f}, nil
}

func (l *lock) release() error { return l.f.Close() }
