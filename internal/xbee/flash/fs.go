package flash

import (
	"crypto/sha256"
	"slices"
)

// FS is the file system below /flash. Paths are absolute or relative to the
// cwd argument, a full path: the module keeps one current directory for ATFS
// and another for Python. Errors are [Errno] values, or a *HostError if the
// host could not store the change. It may be used from several goroutines: a
// program goes on while somebody at the serial port looks at its files.
type FS struct {
	d    *Device
	open []*File
}

// Info describes a file or a directory.
type Info struct {
	Name   string // as it was created
	Dir    bool
	Secure bool // a file whose content cannot be read back
	Size   int  // bytes; 0 for a directory
}

func (n *node) info() Info {
	return Info{Name: n.name, Dir: n.dir, Secure: n.secure, Size: len(n.data)}
}

// Stat describes what is at path.
func (fs *FS) Stat(cwd, path string) (Info, error) {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	at, err := fs.find(cwd, path)
	if err != nil {
		return Info{}, err
	}
	return at.node.info(), nil
}

// Chdir returns the full path of the directory at path, in the letters it was
// created with: the new current directory. A file is ENOENT.
func (fs *FS) Chdir(cwd, path string) (string, error) {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	at, err := fs.find(cwd, path)
	if err != nil {
		return "", err
	}
	if !at.node.dir {
		return "", ENOENT
	}
	return at.node.path(), nil
}

// List describes the entries of the directory at path in the order they were
// created. A file is ENOENT.
func (fs *FS) List(cwd, path string) ([]Info, error) {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	at, err := fs.find(cwd, path)
	if err != nil {
		return nil, err
	}
	if !at.node.dir {
		return nil, ENOENT
	}
	list := make([]Info, len(at.node.children))
	for i, c := range at.node.children {
		list[i] = c.info()
	}
	return list, nil
}

// Mkdir makes a directory. In "/" it is EPERM.
func (fs *FS) Mkdir(cwd, path string) error {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	at, err := fs.walk(cwd, path)
	if err == nil {
		err = at.free()
	}
	if err == nil {
		err = fs.room(1)
	}
	if err != nil {
		return err
	}
	return fs.d.commit(edit{op: editNode, id: fs.d.im.next, parent: at.dir.id, flags: flagDir, name: at.name})
}

// Remove removes a file. A program that has it open can go on using it; its
// space is free when it is closed.
func (fs *FS) Remove(cwd, path string) error {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	at, err := fs.find(cwd, path)
	if err != nil {
		return err
	}
	if at.node.dir {
		return EISDIR
	}
	return fs.drop(at.node)
}

// Rmdir removes an empty directory. EINVAL stands for "not empty" and for "not
// a directory", which uerrno has no numbers for; /flash is EPERM.
func (fs *FS) Rmdir(cwd, path string) error {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	at, err := fs.find(cwd, path)
	switch {
	case err != nil:
		return err
	case at.node.parent == nil || at.node == fs.d.im.root:
		return EPERM
	case !at.node.dir || len(at.node.children) > 0:
		return EINVAL
	}
	return fs.drop(at.node)
}

// drop removes n from the image. Its blocks stay counted while it is open.
func (fs *FS) drop(n *node) error {
	if err := fs.d.commit(edit{op: editDrop, id: n.id}); err != nil {
		return err
	}
	fs.orphan(n)
	return nil
}

func (fs *FS) orphan(n *node) {
	if fs.isOpen(n) {
		n.orphan = true
		fs.d.im.used += blocksFor(len(n.data))
	}
}

func (fs *FS) isOpen(n *node) bool {
	return slices.ContainsFunc(fs.open, func(f *File) bool { return f.node == n })
}

// Rename gives a file or directory another name or place. Something else with
// that name is EEXIST, a directory moved into itself EINVAL. Open files stay
// open.
func (fs *FS) Rename(cwd, from, to string) error { return fs.move(cwd, from, to, false) }

// Replace is Rename, except that it takes the place of a file at once: whoever
// looks sees the old file or the new. A directory in the way is EISDIR.
func (fs *FS) Replace(cwd, from, to string) error { return fs.move(cwd, from, to, true) }

func (fs *FS) move(cwd, from, to string, replace bool) error {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	src, err := fs.find(cwd, from)
	if err != nil {
		return err
	}
	dst, err := fs.walk(cwd, to)
	if err != nil {
		return err
	}
	n, victim := src.node, dst.node
	switch {
	case n.parent == nil || n == fs.d.im.root:
		return EPERM
	case victim == n && dst.dir != nil:
		victim = nil // itself, perhaps in other letters
	case victim != nil && !replace:
		return EEXIST
	case victim != nil && victim.dir:
		return EISDIR
	case victim != nil && n.dir:
		return EEXIST
	}
	if victim == nil {
		if err := (place{dir: dst.dir, name: dst.name}).free(); err != nil {
			return err
		}
	}
	if dst.dir.within(n) || len(dst.dir.path())+1+len(dst.name)+n.depth() > PathMax {
		return EINVAL
	}
	var es []edit
	if victim != nil {
		es = append(es, edit{op: editDrop, id: victim.id})
	}
	es = append(es, fs.d.im.nodeEdit(n, dst.dir, dst.name, n.state.secure))
	mark := n.secure
	if err := fs.d.commit(es...); err != nil {
		return err
	}
	n.secure = mark // moving stores no mark that awaits the file's flush
	if victim != nil {
		fs.orphan(victim)
	}
	return nil
}

// depth is the length of the longest path below n, from n's own name on.
func (n *node) depth() int {
	longest := 0
	for _, c := range n.children {
		longest = max(longest, 1+len(c.name)+c.depth())
	}
	return longest
}

// Format erases every file and makes the directories of a new module. Files
// that are open fail with EBADF from now on. Blobs stay.
func (fs *FS) Format() error {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	es := []edit{{op: editFormat}}
	for _, e := range freshEdits {
		// Ids are not used twice, so that a stale handle finds nothing.
		e.id += fs.d.im.next - (rootID + 1)
		es = append(es, e)
	}
	if err := fs.d.commit(es...); err != nil {
		return err
	}
	for _, f := range fs.open {
		f.node = nil
	}
	fs.open = nil
	return nil
}

// Hash returns the SHA-256 of a file's content, secure or not (the
// documentation speaks of secure files only; that it works on any is a choice).
func (fs *FS) Hash(cwd, path string) ([sha256.Size]byte, error) {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	n, err := fs.file(cwd, path)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	return sha256.Sum256(n.data), nil
}

// ReadSecure returns a copy of a file's content, secure or not. It is for the
// module itself (TLS keys, imported code), never for what a user can see.
func (fs *FS) ReadSecure(cwd, path string) ([]byte, error) {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	n, err := fs.file(cwd, path)
	if err != nil {
		return nil, err
	}
	return slices.Clone(n.data), nil
}

func (fs *FS) file(cwd, path string) (*node, error) {
	at, err := fs.find(cwd, path)
	if err != nil {
		return nil, err
	}
	if at.node.dir {
		return nil, EISDIR
	}
	return at.node, nil
}

// Usage is how full the file system is, in blocks of [BlockSize] bytes.
type Usage struct{ Blocks, Free int }

// Usage counts a block for every directory and every begun block of a file, an
// empty file counting one. What the module counts is not known.
func (fs *FS) Usage() Usage {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	return Usage{Blocks: Blocks, Free: Blocks - fs.d.im.used}
}

// room reports whether blocks more can be used.
func (fs *FS) room(blocks int) error {
	if fs.d.im.used+blocks > Blocks {
		return ENOSPC
	}
	return nil
}
