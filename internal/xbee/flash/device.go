package flash

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
)

// Device is everything a module keeps without power, in one storage: its file
// system and its blobs. It may be used from several goroutines.
type Device struct {
	mu      sync.Mutex // over all that is below, and the files that are open
	im      *image
	fs      FS
	storage Storage

	length   int  // of the journal as far as it is whole
	ragged   bool // there may be more behind it, from a step that failed
	unplaced bool // the journal's place in its directory is not synced
	base     int  // the length after the last compaction
	guard    func(size int, write func() error) error
}

// Guard has f called with the size of the names and contents in every change that is to be stored, and what
// stores it; what f returns is what came of it. Nil takes f away again. The device
// is locked meanwhile.
func (d *Device) Guard(f func(size int, write func() error) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.guard = f
}

// Open reads the image in s, or formats a new one if there is none. It fails
// with a *DamageError if the image cannot be read, and does not change it then.
func Open(s Storage) (*Device, error) {
	b, err := s.Load()
	if err != nil {
		return nil, fmt.Errorf("reading the flash image: %w", err)
	}
	d := &Device{storage: s}
	if len(b) == 0 {
		d.im = newImage()
		for i := range freshEdits {
			if err := d.im.apply(&freshEdits[i]); err != nil {
				return nil, err
			}
		}
		err = d.rewrite()
	} else if d.im, d.length, err = replay(b); err == nil {
		d.ragged = d.length < len(b)
		d.base = 0 // not known: the first commit to a long journal compacts it
	}
	if err != nil {
		return nil, err
	}
	d.fs.d = d
	return d, nil
}

// OpenState opens the device whose state directory is dir, which it makes if
// needed. See [OpenDir] for the lock on it.
func OpenState(dir string) (*Device, error) {
	s, err := OpenDir(dir)
	if err != nil {
		return nil, err
	}
	d, err := Open(s)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", dir, err), s.Close())
	}
	return d, nil
}

// freshEdits are the directories after a format (device-facts.md 4.3), in the
// order a listing shows them.
var freshEdits = [...]edit{
	{op: editNode, id: rootID + 1, parent: rootID, flags: flagDir, name: "cert"},
	{op: editNode, id: rootID + 2, parent: rootID, flags: flagDir, name: "lib"},
}

// FS is the device's file system.
func (d *Device) FS() *FS { return &d.fs }

// Close releases the storage. It is a loss of power for the device: what open
// files have not flushed is lost.
func (d *Device) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.storage.Close()
}

// commit makes edits, all or none: first in the storage, then in memory. An
// error means that the device must behave as if nothing had been done; whether
// the storage has it is open until the next commit, which begins by cutting
// off what may be there.
func (d *Device) commit(es ...edit) error {
	if len(es) == 0 {
		return nil
	}
	record := appendRecord(nil, es)
	write := func() error { return d.append(record) }
	store := write
	if d.guard != nil {
		size := 0
		for i := range es {
			size += len(es[i].name) + len(es[i].data)
		}
		store = func() error { return d.guard(size, write) }
	}
	if err := store(); err != nil {
		return &HostError{err}
	}
	for i := range es {
		if err := d.im.apply(&es[i]); err != nil {
			panic("flash: an operation made an edit that cannot be applied: " + err.Error())
		}
	}
	if d.length > max(compactFrom, compactRatio*d.base) {
		// Failing to compact loses nothing; the next commit tries again.
		_ = d.rewrite()
	}
	return nil
}

func (d *Device) append(record []byte) error {
	if d.unplaced {
		if err := d.storage.SyncDir(); err != nil {
			return err
		}
		d.unplaced = false
	}
	if d.ragged {
		if err := d.storage.Truncate(d.length); err != nil {
			return err
		}
		d.ragged = false
	}
	d.ragged = true
	if err := d.storage.Append(record); err != nil {
		return err
	}
	if err := d.storage.Sync(); err != nil {
		return err
	}
	d.ragged = false
	d.length += len(record)
	return nil
}

// rewrite puts a new journal with the stored state in the old one's place.
func (d *Device) rewrite() error {
	b := appendRecord(header(), d.im.snapshot())
	for _, step := range []func() error{func() error { return d.storage.Stage(b) }, d.storage.SyncStage, d.storage.Adopt} {
		if err := step(); err != nil {
			return &HostError{err}
		}
	}
	d.length, d.base, d.ragged, d.unplaced = len(b), len(b), false, true
	if err := d.storage.SyncDir(); err != nil {
		return &HostError{err}
	}
	d.unplaced = false
	return nil
}

// Blob is a named area of the device's flash beside its file system, whose
// content changes as a whole: the bundle area, the saved AT registers. A
// format of the file system leaves it alone.
type Blob struct {
	d    *Device
	name string
}

// Blob returns the area called name, of at most 64 characters.
func (d *Device) Blob(name string) Blob {
	if name == "" || len(name) > blobNameMax {
		panic("flash: bad blob name " + name)
	}
	return Blob{d, name}
}

// Blobs lists the areas that have been written, by name.
func (d *Device) Blobs() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return sortedKeys(d.im.blobs)
}

// Get returns a copy of the content, nil if the area was never written.
func (b Blob) Get() []byte {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	return bytes.Clone(b.d.im.blobs[b.name])
}

// Put replaces the content. After an error the old one is still there.
func (b Blob) Put(p []byte) error {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	if len(p) > blobMax {
		return ENOSPC
	}
	return b.d.commit(edit{op: editBlob, name: b.name, data: append([]byte{}, p...)})
}

// Delete empties the area, as if it was never written.
func (b Blob) Delete() error {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	if _, ok := b.d.im.blobs[b.name]; !ok {
		return nil
	}
	return b.d.commit(edit{op: editNoBlob, name: b.name})
}
