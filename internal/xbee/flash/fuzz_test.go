package flash

import (
	"strings"
	"testing"
)

// FuzzPaths drives the file system with arbitrary paths. Nothing may panic,
// and the image must stay in order and equal to what is stored.
func FuzzPaths(f *testing.F) {
	f.Add("main.py", "/flash/lib", byte(0))
	f.Add("../..", "./a/../b", byte(7))
	f.Add("LIB/x.", "lib/X", byte(42))
	f.Add("/", "//flash//", byte(99))
	f.Add("a\x00b", "caf\u00e9", byte(200))
	f.Fuzz(func(t *testing.T, a, b string, script byte) {
		d, m := fresh(t)
		fs := d.FS()
		cwd := Root
		for i := range 4 {
			switch (int(script) >> i) % 8 {
			case 0:
				fs.Mkdir(cwd, a)
			case 1:
				put(fs, a, "w", b)
			case 2:
				fs.Rename(cwd, a, b)
			case 3:
				fs.Replace(cwd, b, a)
			case 4:
				if to, err := fs.Chdir(cwd, b); err == nil {
					if i, err := fs.Stat("/", to); err != nil || !i.Dir {
						t.Fatalf("Chdir(%q) led to %q: %v", b, to, err)
					}
					cwd = to
				}
			case 5:
				fs.Remove(cwd, b)
			case 6:
				fs.Rmdir(cwd, a)
			case 7:
				put(fs, b, "a*", a)
			}
			fs.List(cwd, a)
			fs.Stat(cwd, b)
		}
		check(t, d)
		for _, n := range d.im.nodes {
			if p := n.path(); len(p) > PathMax || !strings.HasPrefix(p, Root) || n.name != cleanName(n.name) {
				t.Fatalf("%q exists", p)
			}
		}
		if got, want := dump(open(t, m)), dump(d); got != want {
			t.Fatalf("stored\n%swant\n%s", got, want)
		}
	})
}

// FuzzJournal opens arbitrary bytes as an image: they are refused with a
// *DamageError, or give a flash in order.
func FuzzJournal(f *testing.F) {
	d, m := NewMemory(), NewMemory()
	for _, s := range []*Memory{d, m} {
		dev, err := Open(s)
		if err != nil {
			f.Fatal(err)
		}
		if s == m {
			put(dev.FS(), "main.py", "w", "print()")
			dev.FS().Rename(Root, "main.py", "lib/m.py")
			dev.Blob("at").Put([]byte{1, 2})
			dev.Lay([]HostFile{{Path: "x/y", Data: []byte("z")}})
		}
		b, _ := s.Load()
		f.Add(b, false)
	}
	f.Add([]byte("n\x02\x01\x00\x01aox"), true)
	f.Add([]byte{}, false)
	f.Fuzz(func(t *testing.T, b []byte, wrap bool) {
		if wrap { // reach the edits without having to guess a checksum
			b = appendPayload(header(), b)
		}
		m := &Memory{now: memoryState{journal: b, synced: b}}
		d, err := Open(m)
		if err != nil {
			if _, ok := err.(*DamageError); !ok {
				t.Fatalf("error %T: %v", err, err)
			}
			return
		}
		check(t, d)
		if err := d.FS().Mkdir(Root, "fuzzed"); err != nil && err != EEXIST && err != ENOSPC {
			t.Fatal(err)
		}
		if got, want := dump(open(t, m)), dump(d); got != want {
			t.Fatalf("stored\n%swant\n%s", got, want)
		}
	})
}
