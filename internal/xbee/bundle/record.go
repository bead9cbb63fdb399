package bundle

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/vm"
)

// Source is a module as it was bundled. One that failed has no name and no
// content; it stays in the list.
type Source struct {
	Name string
	Mpy  []byte
}

// Record is what the bundle area keeps without power.
type Record struct {
	Date    uint32 // seconds since 2000-01-01
	Hash    uint32 // of the image
	Bytes   uint32 // of the payload in use
	Sources []Source
}

// recordHead begins a record; the number changes with the form.
const recordHead = "skep bundle 1\n"

// Marshal gives the bytes that ParseRecord reads.
func (r *Record) Marshal() []byte {
	le := binary.LittleEndian
	b := []byte(recordHead)
	b = le.AppendUint32(b, r.Date)
	b = le.AppendUint32(b, r.Hash)
	b = le.AppendUint32(b, r.Bytes)
	b = le.AppendUint32(b, uint32(len(r.Sources)))
	for _, s := range r.Sources {
		b = le.AppendUint32(b, uint32(len(s.Name)))
		b = append(b, s.Name...)
		b = le.AppendUint32(b, uint32(len(s.Mpy)))
		b = append(b, s.Mpy...)
	}
	return b
}

var errRecord = errors.New("the record of the bundle is damaged; erase it with os.bundle(None) and bundle again")

// ParseRecord reads a record. Nothing at all is an empty one.
func ParseRecord(b []byte) (*Record, error) {
	r := &Record{}
	if len(b) == 0 {
		return r, nil
	}
	if len(b) < len(recordHead) || string(b[:len(recordHead)]) != recordHead {
		return nil, errRecord
	}
	b = b[len(recordHead):]
	ok := true
	word := func() uint32 {
		if len(b) < 4 {
			ok = false
			return 0
		}
		v := binary.LittleEndian.Uint32(b)
		b = b[4:]
		return v
	}
	text := func() []byte {
		n := word()
		if !ok || uint64(n) > uint64(len(b)) {
			ok = false
			return nil
		}
		s := b[:n:n]
		b = b[n:]
		return s
	}
	r.Date, r.Hash, r.Bytes = word(), word(), word()
	for n := word(); ok && n > 0; n-- {
		r.Sources = append(r.Sources, Source{string(text()), text()})
	}
	if !ok || len(b) != 0 {
		return nil, errRecord
	}
	return r, nil
}

// Names lists the modules in the order they were given, "" for one that failed.
func (r *Record) Names() []string {
	names := make([]string, len(r.Sources))
	for i, s := range r.Sources {
		names[i] = s.Name
	}
	return names
}

// Build makes the image of a record for a firmware and its area, with base as the address of
// its first byte. Modules that this firmware does not take are left out; the
// error tells of the first.
func (r *Record) Build(fw *vm.Firmware, area Area, base uint32) (*Image, error) {
	b := NewBuilder(fw, area, base)
	var first error
	for _, s := range r.Sources {
		if s.Name == "" {
			continue
		}
		m, err := mpy.Read(s.Mpy, fw.Options.MpyOptions())
		if err == nil {
			err = mpy.Verify(m)
		}
		if err == nil {
			_, err = b.Add(s.Name, m)
		}
		if err != nil && first == nil {
			first = fmt.Errorf("module %s of the bundle: %w", s.Name, err)
		}
	}
	return b.Image(), first
}
