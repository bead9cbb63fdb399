package api

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/flash"
)

// This file is what frame 3B keeps between two frames: open files, directories
// that are being listed, and path ids.

// handleTime is how long a handle is kept that nobody uses (device-facts.md
// 11.6).
const handleTime = 2 * time.Minute

// maxHandles is how many directories and path ids there are at a time, each. Not
// documented: a choice. Of files, flash has a limit.
const maxHandles = 8

// handle is one of the three kinds.
type handle struct {
	id   uint16
	used time.Duration

	file    *flash.File
	listing bool
	entries []flash.Info // not yet listed
	dir     string       // of a path id: the full path
}

type files struct {
	a       *API
	handles []*handle
	last    uint16
	job     bool
}

func newFiles(a *API) *files { return &files{a: a} }

// add gives a handle a number.
func (f *files) add(h *handle) *handle {
	for f.last++; f.last == 0 || f.lookUp(f.last) != nil; {
		f.last++
	}
	h.id = f.last
	h.used = world.Uptime(f.a.conf.Clock)
	f.handles = append(f.handles, h)
	if !f.job {
		f.job = true
		f.a.conf.Go("api files", f.watch)
	}
	return h
}

func (f *files) lookUp(id uint16) *handle {
	for _, h := range f.handles {
		if h.id == id {
			return h
		}
	}
	return nil
}

// find returns a handle and notes that it is used, or nil.
func (f *files) find(id uint16) *handle {
	h := f.lookUp(id)
	if h != nil {
		h.used = world.Uptime(f.a.conf.Clock)
	}
	return h
}

func (f *files) forget(h *handle) {
	f.handles = slices.DeleteFunc(f.handles, func(o *handle) bool { return o == h })
}

// count is how many handles there are of the kind that is tells.
func (f *files) count(is func(h *handle) bool) int {
	n := 0
	for _, h := range f.handles {
		if is(h) {
			n++
		}
	}
	return n
}

// watch is the job that closes what nobody uses.
func (f *files) watch() {
	defer func() { f.job = false }()
	for len(f.handles) > 0 {
		oldest := f.handles[0].used
		for _, h := range f.handles {
			oldest = min(oldest, h.used)
		}
		f.a.conf.Clock.Sleep(max(0, oldest+handleTime-world.Uptime(f.a.conf.Clock)))
		f.expire()
	}
}

// expire closes what nobody has used for too long. What was written is stored.
func (f *files) expire() {
	now := world.Uptime(f.a.conf.Clock)
	f.handles = slices.DeleteFunc(f.handles, func(h *handle) bool {
		old := now-h.used >= handleTime
		if old && h.file != nil {
			h.file.Close()
		}
		return old
	})
}

// reset closes everything.
func (f *files) reset() {
	for _, h := range f.handles {
		if h.file != nil {
			h.file.Close()
		}
	}
	f.handles = nil
}

// base is the directory that a path id stands for; 0 is the root.
func (f *files) base(id uint16) (string, error) {
	if id == 0 {
		return "/", nil
	}
	h := f.find(id)
	if h == nil || h.dir == "" {
		return "", fileParameter
	}
	return h.dir, nil
}

// pathID is: path id or 0 for a new one, name of a directory, / to give the path
// id back; path id, full path, which is left out if it is too long.
func (f *files) pathID(p, reply []byte) ([]byte, error) {
	base, name, err := f.place(p, ".")
	if err != nil {
		return reply, err
	}
	id := binary.BigEndian.Uint16(p)
	if id != 0 && name == "/" {
		f.forget(f.lookUp(id))
		return append(reply, 0, 0, '/'), nil
	}
	dir, err := f.fs().Chdir(base, name)
	if err != nil {
		return reply, err
	}
	h := f.lookUp(id)
	if h == nil {
		if f.count(func(h *handle) bool { return h.dir != "" }) >= maxHandles {
			return reply, fileResources
		}
		h = f.add(&handle{})
	}
	h.dir = dir
	reply = binary.BigEndian.AppendUint16(reply, h.id)
	if len(dir) <= maxName {
		reply = append(reply, dir...)
	}
	return reply, nil
}

// onDirectory is: path id and name of a directory to open, or a handle. The
// answer is the handle and entries. The handle is gone once the last entry has
// been listed.
func (f *files) onDirectory(cmd byte, p, reply []byte) ([]byte, error) {
	if len(p) < 2 {
		return reply, fileParameter
	}
	var h *handle
	if cmd == dirOpen {
		base, name, err := f.place(p, ".")
		if err != nil {
			return reply, err
		}
		list, err := f.fs().List(base, name)
		if err != nil {
			return reply, err
		}
		if f.count(func(h *handle) bool { return h.listing }) >= maxHandles {
			return reply, fileResources
		}
		h = f.add(&handle{listing: true, entries: list})
	} else if h = f.find(binary.BigEndian.Uint16(p)); h == nil || !h.listing {
		return reply, fileParameter
	}
	if cmd == dirClose {
		f.forget(h)
		return reply, nil
	}
	reply = binary.BigEndian.AppendUint16(reply, h.id)
	return f.list(h, reply), nil
}

// list appends as many entries as fit.
func (f *files) list(h *handle, reply []byte) []byte {
	begin := len(reply)
	for first := true; ; first = false {
		if len(h.entries) == 0 { // of an empty directory
			f.forget(h)
			return binary.BigEndian.AppendUint32(reply, entryLast)
		}
		e := h.entries[0]
		if !first && len(reply)-begin+1+4+len(e.Name) > maxFileData {
			return reply
		}
		if !first {
			reply = append(reply, 0)
		}
		flags := uint32(min(e.Size, entrySize))
		if e.Dir {
			flags |= entryDirectory
		}
		if e.Secure {
			flags |= entrySecure
		}
		h.entries = h.entries[1:]
		if len(h.entries) == 0 {
			flags |= entryLast
		}
		reply = append(binary.BigEndian.AppendUint32(reply, flags), e.Name...)
		if len(h.entries) == 0 {
			f.forget(h)
			return reply
		}
	}
}
