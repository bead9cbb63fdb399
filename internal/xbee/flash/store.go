package flash

// Store makes a file of data, or puts data in the place of the file that is
// there, in one step: whatever happens, there is the old file, or none, or the
// new one. secure makes it a file that cannot be read back; storing over a file
// decides anew. A directory is EISDIR, too little room ENOSPC.
//
// It takes none of the [MaxOpenFiles]. Who has the file open sees the new
// content; what they have not flushed is lost.
func (fs *FS) Store(cwd, path string, data []byte, secure bool) error {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	at, err := fs.writable(cwd, path, len(data))
	if err != nil {
		return err
	}
	e := edit{op: editNode, id: fs.d.im.next, name: at.name}
	if n := at.node; n != nil {
		e = fs.d.im.nodeEdit(n, n.parent, n.name, secure)
	} else {
		e.parent = at.dir.id
		if secure {
			e.flags = flagSecure
		}
	}
	return fs.d.commit(e, edit{op: editData, id: e.id, size: len(data), data: data})
}

// CanStore reports whether [FS.Store] would take size bytes now.
func (fs *FS) CanStore(cwd, path string, size int) error {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	_, err := fs.writable(cwd, path, size)
	return err
}

// writable finds the place for a file of size bytes.
func (fs *FS) writable(cwd, path string, size int) (place, error) {
	at, err := fs.walk(cwd, path)
	if err != nil {
		return at, err
	}
	more := blocksFor(size)
	switch n := at.node; {
	case n == nil:
		err = at.free()
	case n.dir:
		err = EISDIR
	default:
		more -= blocksFor(len(n.data))
	}
	if err == nil {
		err = fs.room(more)
	}
	return at, err
}
