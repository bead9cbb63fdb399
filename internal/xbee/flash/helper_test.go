package flash

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func fresh(t *testing.T) (*Device, *Memory) {
	t.Helper()
	m := NewMemory()
	return open(t, m), m
}

func open(t *testing.T, s Storage) *Device {
	t.Helper()
	d, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func put(fs *FS, path, mode, content string) error {
	m, err := ParseMode(mode)
	if err != nil {
		return err
	}
	f, err := fs.Open(Root, path, m)
	if err != nil {
		return err
	}
	if _, err := f.Write([]byte(content)); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// dump describes all that a device keeps, in listing order.
func dump(d *Device) string {
	var b strings.Builder
	var visit func(dir string)
	visit = func(dir string) {
		list, err := d.FS().List("/", dir)
		if err != nil {
			fmt.Fprintf(&b, "%s: %v\n", dir, err)
		}
		for _, e := range list {
			p := dir + "/" + e.Name
			if e.Dir {
				fmt.Fprintf(&b, "%s/\n", p)
				visit(p)
				continue
			}
			data, err := d.FS().ReadSecure("/", p)
			fmt.Fprintf(&b, "%s secure=%v %q %v\n", p, e.Secure, data, err)
		}
	}
	visit(Root)
	for _, name := range sortedKeys(d.im.blobs) {
		fmt.Fprintf(&b, "blob %s %q\n", name, d.im.blobs[name])
	}
	for _, name := range sortedKeys(d.im.laid) {
		h := d.im.laid[name]
		fmt.Fprintf(&b, "laid %s %x\n", name, h[:4])
	}
	fmt.Fprintf(&b, "used %d\n", d.im.used)
	return b.String()
}

// check verifies what must hold of every image.
func check(t *testing.T, d *Device) {
	t.Helper()
	used, count := 0, 0
	var visit func(n *node)
	visit = func(n *node) {
		names := map[string]bool{}
		for i, c := range n.children {
			count++
			used += blocksFor(len(c.data))
			if d.im.nodes[c.id] != c || c.parent != n || names[fold(c.name)] {
				t.Errorf("%s: broken links", c.path())
			}
			names[fold(c.name)] = true
			if i > 0 && n.children[i-1].id >= c.id {
				t.Errorf("%s is not in the order of creation", c.path())
			}
			visit(c)
		}
	}
	visit(d.im.root)
	if count+1 != len(d.im.nodes) {
		t.Errorf("%d nodes in the tree, %d in the table", count+1, len(d.im.nodes))
	}
	for _, f := range d.fs.open {
		if f.node.orphan {
			used += blocksFor(len(f.node.data))
		}
	}
	if used != d.im.used {
		t.Errorf("%d blocks counted, %d found", d.im.used, used)
	}
}

func read(t *testing.T, fs *FS, path string) string {
	t.Helper()
	b, err := fs.ReadSecure(Root, path)
	must(t, err)
	return string(b)
}
