package flash

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Storage is where a device's journal is kept. Each method but Load and Close
// is one step that power can fail at: it may then have done nothing, all, or
// (Append and Stage) a part of its work. A step that failed for another
// reason leaves the same doubt.
type Storage interface {
	// Load returns the whole journal, nil if there is none yet.
	Load() ([]byte, error)
	// Append adds p at the journal's end.
	Append(p []byte) error
	// Truncate cuts the journal to size bytes.
	Truncate(size int) error
	// Sync returns when what was appended and cut outlives a loss of power.
	Sync() error
	// Stage writes p as the journal's successor, beside it.
	Stage(p []byte) error
	// SyncStage returns when the successor's content outlives a loss of power.
	SyncStage() error
	// Adopt puts the successor in the journal's place, at once and whole.
	Adopt() error
	// SyncDir returns when that outlives a loss of power.
	SyncDir() error
	// Close releases the storage.
	Close() error
}

// Names in a state directory.
const (
	journalName = "flash.skep"
	stageName   = "flash.skep.new"
	lockName    = "lock"
)

// dirStorage is a state directory of the host.
type dirStorage struct {
	dir  string
	lock *lock
	f    *os.File // the journal, nil before there is one
}

// OpenDir locks dir, which it makes if needed, for the storage of one device.
// If another process has it, the error is a *LockedError.
func OpenDir(dir string) (Storage, error) {
	// The image holds private keys: nobody else is to read it.
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	l, err := acquire(dir, filepath.Join(dir, lockName))
	if err != nil {
		return nil, err
	}
	return &dirStorage{dir: dir, lock: l}, nil
}

func (s *dirStorage) path(name string) string { return filepath.Join(s.dir, name) }

func (s *dirStorage) Load() ([]byte, error) {
	b, err := os.ReadFile(s.path(journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return b, s.open()
}

func (s *dirStorage) open() (err error) {
	s.f, err = os.OpenFile(s.path(journalName), os.O_RDWR|os.O_APPEND, 0o600)
	return err
}

func (s *dirStorage) Append(p []byte) error   { _, err := s.f.Write(p); return err }
func (s *dirStorage) Truncate(size int) error { return s.f.Truncate(int64(size)) }
func (s *dirStorage) Sync() error             { return s.f.Sync() }

func (s *dirStorage) Stage(p []byte) error {
	return os.WriteFile(s.path(stageName), p, 0o600)
}

func (s *dirStorage) SyncStage() error { return syncFile(s.path(stageName), os.O_RDWR) }

func (s *dirStorage) Adopt() error {
	// Windows renames over no open file.
	s.f.Close()
	renamed := os.Rename(s.path(stageName), s.path(journalName))
	if err := s.open(); renamed == nil {
		return err
	}
	return renamed
}

func (s *dirStorage) SyncDir() error {
	if runtime.GOOS == "windows" {
		return nil // it has no such call, and needs none
	}
	return syncFile(s.dir, os.O_RDONLY)
}

func syncFile(path string, flag int) error {
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (s *dirStorage) Close() error {
	var err error
	if s.f != nil {
		err = s.f.Close()
	}
	return errors.Join(err, s.lock.release())
}
