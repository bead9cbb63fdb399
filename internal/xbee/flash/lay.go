package flash

import (
	"crypto/sha256"
	"fmt"
	"path"
	"slices"
	"strings"
)

// HostFile is a file of the host that is to lie on the device.
type HostFile struct {
	Path   string // below /flash, with slashes: "lib/umqtt.py"
	Data   []byte
	Secure bool
}

// Laid says what [Device.Lay] has changed, in full paths.
type Laid struct{ Written, Removed []string }

// Lay puts the host's files on the device, all or none. The host's directory
// is where they are edited and the device is where they run, so what counts is
// what has changed on the host since the last Lay:
//
//   - A file whose content is new, or differs from what was last laid, is
//     written over whatever the device has there.
//   - A file that is as it was last laid is left alone, even if the program has
//     changed or removed it since: it was the program's decision, and it
//     stands until somebody edits the file.
//   - A file that was laid and is gone from the host is removed, unless the
//     program has changed it.
//   - Whatever else is on the device stays.
//
// It is called while no file is open, before power-on. A name that the module
// does not allow, two names that are one to it, and too little room are
// errors, which say so by host path.
func (d *Device) Lay(files []HostFile) (Laid, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := layer{d: d, next: d.im.next, dirs: map[string]uint32{}}
	seen := map[string]string{}
	for _, f := range files {
		key, err := layPath(f.Path)
		if err != nil {
			return Laid{}, err
		}
		if other, ok := seen[key]; ok {
			return Laid{}, fmt.Errorf("%s and %s are one file on the module, whose names are the same in either case: rename one", other, f.Path)
		}
		seen[key] = f.Path
	}
	for _, f := range files {
		for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
			if other, ok := seen[fold(Root+"/"+dir)]; ok {
				return Laid{}, fmt.Errorf("%s is a file, and %s wants a directory of that name, which is one on the module: rename one", other, f.Path)
			}
		}
	}
	// Removals first: they may free a name that is a directory now.
	for _, key := range sortedKeys(d.im.laid) {
		if _, ok := seen[key]; !ok {
			l.unlay(key)
		}
	}
	for _, f := range files {
		if err := l.lay(f); err != nil {
			return Laid{}, err
		}
	}
	if used := d.im.used + l.blocks; used > Blocks {
		return Laid{}, fmt.Errorf("the files need %d blocks of %d bytes, %d more than the module's flash has: compile modules to .mpy, or remove files", used, BlockSize, used-Blocks)
	}
	return l.result, d.commit(l.edits...)
}

// layPath checks a host path and returns the full path it has on the module,
// folded.
func layPath(p string) (string, error) {
	full := Root + "/" + p
	if len(full) > PathMax {
		return "", fmt.Errorf("%s: a path on the module has at most %d characters, with %s", p, PathMax, Root)
	}
	for part := range strings.SplitSeq(p, "/") {
		if part == "" || cleanName(part) != part {
			return "", fmt.Errorf("%s: the module cannot have the name %q; it allows up to %d letters, digits, and . - _ with no . at the end", p, part, NameMax)
		}
	}
	return fold(full), nil
}

// layer collects the edits of one Lay.
type layer struct {
	d      *Device
	edits  []edit
	next   uint32
	dirs   map[string]uint32 // made by this Lay, by folded full path
	gone   []*node
	blocks int // in use when done, less those in use now
	result Laid
}

func (l *layer) unlay(key string) {
	l.edits = append(l.edits, edit{op: editUnlaid, name: key})
	at, err := l.d.fs.find("/", key)
	if err == nil && !at.node.dir && sha256.Sum256(at.node.data) == l.d.im.laid[key] {
		l.edits = append(l.edits, edit{op: editDrop, id: at.node.id})
		l.blocks -= blocksFor(len(at.node.data))
		l.gone = append(l.gone, at.node)
		l.result.Removed = append(l.result.Removed, at.node.path())
	}
}

func (l *layer) lay(f HostFile) error {
	full := Root + "/" + f.Path
	key, hash := fold(full), sha256.Sum256(f.Data)
	if l.d.im.laid[key] == hash {
		return nil
	}
	dir, err := l.makeDir(path.Dir(full))
	if err != nil {
		return err
	}
	e := edit{op: editNode, id: l.next, parent: dir, name: path.Base(full)}
	l.blocks += blocksFor(len(f.Data))
	switch n := l.existing(full); {
	case n == nil:
		l.next++
	case n.dir:
		return fmt.Errorf("%s: the device has a directory of this name; remove it there, or choose another state directory", f.Path)
	default:
		e.id = n.id
		l.blocks -= blocksFor(len(n.data))
	}
	if f.Secure {
		e.flags = flagSecure
	}
	l.edits = append(l.edits, e,
		edit{op: editData, id: e.id, size: len(f.Data), data: f.Data},
		edit{op: editLaid, name: key, data: hash[:]})
	l.result.Written = append(l.result.Written, full)
	if len(f.Data) > Blocks*BlockSize {
		return fmt.Errorf("%s: %d bytes are more than the %d of the module's flash: leave it out, or make it smaller", f.Path, len(f.Data), Blocks*BlockSize)
	}
	return nil
}

// existing is the node at a full path, unless this Lay removes it.
func (l *layer) existing(full string) *node {
	at, err := l.d.fs.find("/", full)
	if err != nil || slices.Contains(l.gone, at.node) {
		return nil
	}
	return at.node
}

// makeDir returns the id of the directory at a full path, making what is
// missing of it.
func (l *layer) makeDir(full string) (uint32, error) {
	if n := l.existing(full); n != nil {
		if !n.dir {
			return 0, fmt.Errorf("%s: the device has a file of this name where a directory is needed; remove it there, or choose another state directory", full)
		}
		return n.id, nil
	}
	if id, ok := l.dirs[fold(full)]; ok {
		return id, nil
	}
	parent, err := l.makeDir(path.Dir(full))
	if err != nil {
		return 0, err
	}
	id := l.next
	l.next++
	l.dirs[fold(full)] = id
	l.blocks++
	l.edits = append(l.edits, edit{op: editNode, id: id, parent: parent, flags: flagDir, name: path.Base(full)})
	return id, nil
}
