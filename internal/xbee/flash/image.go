package flash

import (
	"crypto/sha256"
	"fmt"
	"slices"
)

// storeState is how a file's content on the device differs from what the
// image holds of it.
type storeState struct {
	dirty  bool
	secure bool   // what the image holds: the mark,
	data   []byte // the content,
	shared bool   // whose memory is that of node.data,
	lo, hi int    // and the part of node.data that may differ from it
}

// image is what a Device keeps: the tree, the blobs, and what was last laid
// from the host. It changes through edits only, whether they are made now or
// read from the journal, but for the content of open files.
type image struct {
	top   *node // "/"
	root  *node // "/flash", id 1
	nodes map[uint32]*node
	next  uint32 // the id of the next node
	used  int    // blocks, with files that are removed but still open
	blobs map[string][]byte
	laid  map[string][sha256.Size]byte // by folded full path
}

const rootID = 1

func newImage() *image {
	top := &node{dir: true}
	root := &node{id: rootID, name: "flash", dir: true, parent: top}
	top.children = []*node{root}
	return &image{
		top: top, root: root, nodes: map[uint32]*node{rootID: root}, next: rootID + 1,
		blobs: map[string][]byte{}, laid: map[string][sha256.Size]byte{},
	}
}

// blocksFor is what a directory, or a file of size bytes, takes up. An entry
// costs a block at least, so their number has a bound; how the module counts
// is not known.
func blocksFor(size int) int { return max(1, (size+BlockSize-1)/BlockSize) }

// editOp tells what an edit does. The values are those of the journal.
type editOp byte

const (
	editNode   editOp = 'n' // make node id, or move, rename or mark it: parent, flags, name
	editData   editOp = 'd' // file id is now size bytes long, with data at offset
	editDrop   editOp = 'x' // remove node id
	editFormat editOp = 'f' // remove every node
	editBlob   editOp = 'b' // blob name is now data
	editNoBlob editOp = 'c' // blob name is gone
	editLaid   editOp = 'l' // the host file laid at path name had the hash data
	editUnlaid editOp = 'm' // path name is not laid from the host any more
)

// Flags of an editNode.
const (
	flagDir    = 1
	flagSecure = 2
)

// edit is one change of an image.
type edit struct {
	op         editOp
	id, parent uint32
	flags      byte
	name       string
	size, off  int
	data       []byte
}

// blobMax bounds a blob's size and nameMax its name, so that a damaged journal
// cannot ask for absurd amounts.
const (
	blobMax     = 4 << 20
	blobNameMax = 64
)

// apply makes an edit, which it checks: an edit that fits no image is damage.
func (im *image) apply(e *edit) error {
	switch e.op {
	case editNode:
		return im.applyNode(e)
	case editData:
		n := im.nodes[e.id]
		if n == nil || n.dir {
			return fmt.Errorf("content for node %d, which is no file", e.id)
		}
		if e.size > Blocks*BlockSize || e.off+len(e.data) > e.size {
			return fmt.Errorf("content of %s beyond its end", n.path())
		}
		im.resize(n, e.size)
		copy(n.data[e.off:], e.data)
		n.state.data, n.state.dirty, n.state.shared = nil, false, false
	case editDrop:
		n := im.nodes[e.id]
		if n == nil || n == im.root || len(n.children) > 0 {
			return fmt.Errorf("removal of node %d, which is not there or not empty", e.id)
		}
		im.unlist(n)
		delete(im.nodes, n.id)
		im.used -= blocksFor(len(n.data))
	case editFormat:
		// Blobs and the memory of what was laid stay: the bundle area is
		// another part of the flash, and a later run must not lay again what
		// the program has erased.
		*im = image{
			top: im.top, root: im.root, nodes: map[uint32]*node{rootID: im.root}, next: im.next,
			blobs: im.blobs, laid: im.laid,
		}
		im.root.children = nil
	case editBlob:
		im.blobs[e.name] = e.data
	case editNoBlob:
		delete(im.blobs, e.name)
	case editLaid:
		if len(e.data) != sha256.Size {
			return fmt.Errorf("hash of %d bytes", len(e.data))
		}
		im.laid[e.name] = [sha256.Size]byte(e.data)
	case editUnlaid:
		delete(im.laid, e.name)
	default:
		return fmt.Errorf("unknown edit %q", e.op)
	}
	return nil
}

func (im *image) applyNode(e *edit) error {
	parent := im.nodes[e.parent]
	if parent == nil || !parent.dir || e.name == "" || cleanName(e.name) != e.name {
		return fmt.Errorf("node %d named %q in node %d", e.id, e.name, e.parent)
	}
	dir, secure := e.flags&flagDir != 0, e.flags&flagSecure != 0
	n := im.nodes[e.id]
	if other := parent.child(e.name); other != nil && other != n {
		return fmt.Errorf("%s twice", other.path())
	}
	if n == nil {
		n = &node{id: e.id, dir: dir}
		im.used += blocksFor(0)
		im.nodes[e.id] = n
		im.next = max(im.next, e.id+1)
	} else {
		if n == im.root || n.dir != dir || parent.within(n) {
			return fmt.Errorf("node %d moved to %s", e.id, parent.path())
		}
		im.unlist(n)
	}
	n.name, n.parent, n.secure = e.name, parent, secure
	n.state.secure = secure
	im.list(n)
	return nil
}

// list puts n into its directory's list, which is in the order of creation.
func (im *image) list(n *node) {
	at, _ := slices.BinarySearchFunc(n.parent.children, n.id, func(c *node, id uint32) int { return int(int64(c.id) - int64(id)) })
	n.parent.children = slices.Insert(n.parent.children, at, n)
}

func (im *image) unlist(n *node) {
	n.parent.children = slices.DeleteFunc(n.parent.children, func(c *node) bool { return c == n })
}

// resize sets the length of n's content; what is new is zero. What n.state.data
// may share of the memory keeps its bytes.
func (im *image) resize(n *node, size int) {
	im.used += blocksFor(size) - blocksFor(len(n.data))
	switch {
	case size < len(n.data):
		n.data = n.data[:size:size]
	case size > len(n.data):
		n.data = append(n.data, make([]byte, size-len(n.data))...)
	}
}

// snapshot is the edits that make the stored part of im from nothing.
func (im *image) snapshot() []edit {
	var es []edit
	var visit func(n *node)
	visit = func(n *node) {
		for _, c := range n.children {
			es = append(es, im.nodeEdit(c, c.parent, c.name, c.state.secure))
			if !c.dir {
				d := c.data
				if c.state.dirty {
					d = c.state.data
				}
				es = append(es, edit{op: editData, id: c.id, size: len(d), data: d})
			}
			visit(c)
		}
	}
	visit(im.root)
	for _, name := range sortedKeys(im.blobs) {
		es = append(es, edit{op: editBlob, name: name, data: im.blobs[name]})
	}
	for _, name := range sortedKeys(im.laid) {
		h := im.laid[name]
		es = append(es, edit{op: editLaid, name: name, data: h[:]})
	}
	return es
}

func (im *image) nodeEdit(n, parent *node, name string, secure bool) edit {
	e := edit{op: editNode, id: n.id, parent: parent.id, name: name}
	if n.dir {
		e.flags |= flagDir
	}
	if secure {
		e.flags |= flagSecure
	}
	return e
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
