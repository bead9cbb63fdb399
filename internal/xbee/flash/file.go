package flash

import (
	"io"
	"slices"
)

// File is an open file. Several may be open on the same file; each write is
// seen by all at once, and stored when one of them flushes or closes.
type File struct {
	fs   *FS
	node *node // nil when closed
	mode Mode
	pos  int
}

// Open opens or makes a file. A directory is EISDIR, more than [MaxOpenFiles]
// files ENFILE. A secure file can be written, not read: EPERM; so is appending
// to an ordinary file as if it were a secure one.
//
// A new file is in the image, empty, from here on; the content of an existing
// file stays there until the new content is flushed.
func (fs *FS) Open(cwd, path string, m Mode) (*File, error) {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	at, err := fs.walk(cwd, path)
	if err != nil {
		return nil, err
	}
	n := at.node
	switch {
	case n == nil && !m.Create:
		return nil, ENOENT
	case n == nil:
		err = at.free()
	case n.dir:
		err = EISDIR
	case m.Exclusive:
		err = EEXIST
	case n.secure && m.Read && !m.Truncate:
		err = EPERM
	case m.Secure && !n.secure && !m.Truncate:
		err = EPERM
	}
	if err == nil && len(fs.open) >= MaxOpenFiles {
		err = ENFILE
	}
	if err != nil {
		return nil, err
	}
	if n == nil {
		if n, err = fs.create(at, m.Secure); err != nil {
			return nil, err
		}
	} else if m.Truncate {
		n.beginChange()
		n.state.lo, n.state.hi, n.state.shared = 0, 0, false
		fs.d.im.used += blocksFor(0) - blocksFor(len(n.data))
		n.data, n.secure = nil, m.Secure
	}
	f := &File{fs: fs, node: n, mode: m}
	fs.open = append(fs.open, f)
	return f, nil
}

func (fs *FS) create(at place, secure bool) (*node, error) {
	if err := fs.room(1); err != nil {
		return nil, err
	}
	e := edit{op: editNode, id: fs.d.im.next, parent: at.dir.id, name: at.name}
	if secure {
		e.flags = flagSecure
	}
	if err := fs.d.commit(e); err != nil {
		return nil, err
	}
	return fs.d.im.nodes[e.id], nil
}

// beginChange keeps aside what the image has of a file that a program is about
// to change.
func (n *node) beginChange() {
	if !n.state.dirty {
		n.state.dirty, n.state.data, n.state.shared = true, n.data, true
		n.state.lo, n.state.hi = len(n.data), len(n.data)
	}
}

// Read implements io.Reader. A file not opened for reading is EPERM.
func (f *File) Read(p []byte) (int, error) {
	f.fs.d.mu.Lock()
	defer f.fs.d.mu.Unlock()
	switch {
	case f.node == nil:
		return 0, EBADF
	case !f.mode.Read || f.node.secure:
		return 0, EPERM
	case len(p) == 0:
		return 0, nil
	case f.pos >= len(f.node.data):
		return 0, io.EOF
	}
	n := copy(p, f.node.data[f.pos:])
	f.pos += n
	return n, nil
}

// Write implements io.Writer. When the flash is full it writes what fits and
// fails with ENOSPC. A file not opened for writing is EPERM.
func (f *File) Write(p []byte) (int, error) {
	f.fs.d.mu.Lock()
	defer f.fs.d.mu.Unlock()
	n := f.node
	switch {
	case n == nil:
		return 0, EBADF
	case !f.mode.Write:
		return 0, EPERM
	case len(p) == 0:
		return 0, nil
	}
	if f.mode.Append {
		f.pos = len(n.data)
	}
	var full error
	im := f.fs.d.im
	// What the file may grow to: the blocks it has, and the free ones.
	limit := (blocksFor(len(n.data)) + Blocks - im.used) * BlockSize
	if f.pos+len(p) > limit {
		p, full = p[:max(0, limit-f.pos)], ENOSPC
		if len(p) == 0 {
			return 0, full
		}
	}
	n.beginChange()
	s := &n.state
	s.lo = min(s.lo, f.pos, len(n.data))
	s.hi = max(s.hi, f.pos+len(p))
	if s.shared && s.lo < len(s.data) {
		n.data, s.shared = slices.Clone(n.data), false
	}
	if end := f.pos + len(p); end > len(n.data) {
		im.resize(n, end)
	}
	copy(n.data[f.pos:], p)
	f.pos += len(p)
	return len(p), full
}

// Seek implements io.Seeker. Beyond the end is allowed, before the beginning
// EINVAL; in a secure file seeking is EPERM.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	f.fs.d.mu.Lock()
	defer f.fs.d.mu.Unlock()
	if f.node == nil {
		return 0, EBADF
	}
	if f.node.secure {
		return 0, EPERM
	}
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += int64(f.pos)
	case io.SeekEnd:
		offset += int64(len(f.node.data))
	default:
		return 0, EINVAL
	}
	if offset < 0 {
		return 0, EINVAL
	}
	if offset > 1<<31-1 {
		return 0, EFBIG
	}
	f.pos = int(offset)
	return offset, nil
}

// Tell is the position of the next read or write.
func (f *File) Tell() (int, error) {
	f.fs.d.mu.Lock()
	defer f.fs.d.mu.Unlock()
	if f.node == nil {
		return 0, EBADF
	}
	return f.pos, nil
}

// Flush stores what has been written. After a failure it can be tried again.
func (f *File) Flush() error {
	f.fs.d.mu.Lock()
	defer f.fs.d.mu.Unlock()
	if f.node == nil {
		return EBADF
	}
	return f.fs.flush(f.node)
}

func (fs *FS) flush(n *node) error {
	s := &n.state
	if !s.dirty || n.orphan {
		return nil
	}
	var es []edit
	if n.secure != s.secure {
		es = append(es, fs.d.im.nodeEdit(n, n.parent, n.name, n.secure))
	}
	es = append(es, edit{op: editData, id: n.id, size: len(n.data), off: s.lo, data: n.data[s.lo:max(s.lo, s.hi)]})
	return fs.d.commit(es...)
}

// Close flushes and closes the file. If flushing fails it is closed all the
// same, and once nobody else has the file open, it has its stored content
// again. Closing twice does nothing.
func (f *File) Close() error {
	f.fs.d.mu.Lock()
	defer f.fs.d.mu.Unlock()
	return f.close()
}

func (f *File) close() error {
	if f.node == nil {
		return nil
	}
	err := f.fs.flush(f.node)
	f.drop()
	return err
}

// drop closes the file as it is.
func (f *File) drop() {
	n, fs := f.node, f.fs
	f.node = nil
	fs.open = slices.DeleteFunc(fs.open, func(o *File) bool { return o == f })
	switch {
	case fs.isOpen(n):
	case n.orphan:
		fs.d.im.used -= blocksFor(len(n.data))
		n.orphan = false
	case n.state.dirty:
		fs.d.im.used += blocksFor(len(n.state.data)) - blocksFor(len(n.data))
		n.data, n.secure = n.state.data, n.state.secure
		n.state.dirty, n.state.data = false, nil
	}
}

// LosePower is what a loss of power does to the open files: they are closed, and
// what they have not flushed is lost.
func (fs *FS) LosePower() {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	for len(fs.open) > 0 {
		fs.open[0].drop()
	}
}

// CloseAll closes every open file, as a soft reset does, and returns the first
// error.
func (fs *FS) CloseAll() error {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	var first error
	for len(fs.open) > 0 {
		if err := fs.open[0].close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Sync flushes every open file. All of the operations are stored already when
// they return.
func (fs *FS) Sync() error {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	for _, f := range fs.open {
		if err := fs.flush(f.node); err != nil {
			return err
		}
	}
	return nil
}
