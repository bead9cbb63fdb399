package flash

import "strings"

// Limits of the module's file system (device-facts.md 4.3, 14 no. 15). The
// number of open files was not found; ten is a choice.
const (
	Root         = "/flash"
	NameMax      = 64   // characters of one name
	PathMax      = 255  // characters of a full path
	BlockSize    = 512  // bytes
	Blocks       = 2000 // of BlockSize: the "about 1 MB" of the guide
	MaxOpenFiles = 10
)

// node is a directory or a file. The tree's top is the directory "/", whose
// only entry is "flash".
type node struct {
	id       uint32
	name     string
	parent   *node
	dir      bool
	children []*node // in the order of creation

	// What a program sees, and where that differs from what is stored.
	data   []byte
	secure bool
	state  storeState
	orphan bool // removed, but still open
}

// cleanName checks a name and takes off trailing periods, which the module
// ignores. It returns "" for a name that no file can have.
func cleanName(name string) string {
	name = strings.TrimRight(name, ".")
	if len(name) > NameMax {
		return ""
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_':
		default:
			return ""
		}
	}
	return name
}

// fold is the form in which two names are equal on the module. Legal names are
// ASCII, so nothing but A to Z is concerned.
func fold(name string) string { return strings.ToLower(name) }

func (n *node) child(name string) *node {
	for _, c := range n.children {
		if len(c.name) == len(name) && strings.EqualFold(c.name, name) {
			return c
		}
	}
	return nil
}

func (n *node) path() string {
	if n.parent == nil {
		return "/"
	}
	if n.parent.parent == nil {
		return "/" + n.name
	}
	return n.parent.path() + "/" + n.name
}

// within reports whether n is d or lies below it.
func (n *node) within(d *node) bool {
	for ; n != nil; n = n.parent {
		if n == d {
			return true
		}
	}
	return false
}

// place is where a path leads: to a node, or to a free name in a directory.
type place struct {
	dir  *node  // the directory the last name is in; nil after "/", "." or ".."
	name string // the last name; "" if illegal
	node *node  // what is there; nil if nothing is
}

// walk follows a path from cwd, a full path. Every directory on the way must
// exist. ENOTDIR is not among the module's errors: a file used as a directory
// is ENOENT.
func (fs *FS) walk(cwd, path string) (place, error) {
	if path == "" {
		return place{}, ENOENT
	}
	if len(path) > PathMax {
		return place{}, EINVAL
	}
	if path[0] != '/' {
		path = cwd + "/" + path
	}
	at := place{node: fs.d.im.top}
	mustDir := strings.HasSuffix(path, "/")
	for part := range strings.SplitSeq(path, "/") {
		if part == "" {
			continue
		}
		if at.node == nil || !at.node.dir {
			return place{}, ENOENT
		}
		switch part {
		case ".":
			at = place{node: at.node}
		case "..":
			if at.node.parent != nil {
				at.node = at.node.parent
			}
			at = place{node: at.node}
		default:
			name := cleanName(part)
			at = place{dir: at.node, name: name}
			if name != "" {
				at.node = at.dir.child(name)
			}
		}
	}
	if mustDir && at.node != nil && !at.node.dir {
		return place{}, ENOENT
	}
	return at, nil
}

// find is walk to something that exists.
func (fs *FS) find(cwd, path string) (place, error) {
	at, err := fs.walk(cwd, path)
	if err == nil && at.node == nil {
		err = ENOENT
	}
	return at, err
}

// free checks that something can be made at a place: EEXIST if there is
// something, EPERM in "/", EINVAL for a name or full path the module does not
// allow.
func (at place) free() error {
	switch {
	case at.node != nil:
		return EEXIST
	case at.name == "":
		return EINVAL
	case at.dir.parent == nil:
		return EPERM
	case len(at.dir.path())+1+len(at.name) > PathMax:
		return EINVAL
	}
	return nil
}
