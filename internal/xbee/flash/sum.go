package flash

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// Image returns what is stored as a journal, which [Open] reads from a storage: see
// [FromImage]. What open files have not flushed is not in it.
func (d *Device) Image() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return appendRecord(header(), d.im.snapshot())
}

// FromImage is a storage in memory that holds what Image returned.
func FromImage(b []byte) *Memory {
	return &Memory{now: memoryState{journal: b[:len(b):len(b)], synced: b[:len(b):len(b)]}}
}

// Hash is a checksum of everything that is stored: paths, contents and marks in the
// order of the directories, then the blobs. What has no effect on a program, as the
// history of the image, is not in it.
func (d *Device) Hash() [sha256.Size]byte { return d.hash(true) }

// Sum is a part of a Hash for which of files that cannot be read back only the size
// counts, so that an image whose keys were taken out has the same.
func (d *Device) Sum() uint64 {
	h := d.hash(false)
	return binary.LittleEndian.Uint64(h[:])
}

func (d *Device) hash(secrets bool) (sum [sha256.Size]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := sha256.New()
	var visit func(n *node)
	visit = func(n *node) {
		for _, c := range n.children {
			data := c.data
			if c.state.dirty {
				data = c.state.data
			}
			hashText(h, c.name, c.dir, c.state.secure)
			if c.state.secure && !secrets {
				data = make([]byte, len(data))
			}
			hashText(h, data)
			visit(c)
		}
		hashText(h, "end of directory", true, true)
	}
	visit(d.im.root)
	for _, name := range sortedKeys(d.im.blobs) {
		hashText(h, name)
		hashText(h, d.im.blobs[name])
	}
	h.Sum(sum[:0])
	return sum
}

// hashText adds a text with its length and marks.
func hashText[T string | []byte](h hash.Hash, text T, marks ...bool) {
	b := binary.AppendUvarint(nil, uint64(len(text)))
	for _, m := range marks {
		if m {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
	}
	h.Write(append(b, text...))
}

// secret is what stands in the place of a byte of a secret.
const secret = '*'

// Redacted is Image with every file that cannot be read back filled with asterisks.
func (d *Device) Redacted() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	es := d.im.snapshot()
	secure := map[uint32]bool{}
	for i := range es {
		switch e := &es[i]; {
		case e.op == editNode:
			secure[e.id] = e.flags&flagSecure != 0
		case e.op == editData && secure[e.id]:
			e.data = make([]byte, len(e.data))
			for k := range e.data {
				e.data[k] = secret
			}
		}
	}
	return appendRecord(header(), es)
}

// Secrets lists the paths of the files that cannot be read back.
func (fs *FS) Secrets() (paths []string) {
	fs.d.mu.Lock()
	defer fs.d.mu.Unlock()
	var visit func(n *node)
	visit = func(n *node) {
		for _, c := range n.children {
			if c.secure {
				paths = append(paths, c.path())
			}
			visit(c)
		}
	}
	visit(fs.d.im.root)
	return paths
}
