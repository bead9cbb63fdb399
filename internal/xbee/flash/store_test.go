package flash

import (
	"strings"
	"testing"
)

func TestStore(t *testing.T) {
	d, m := fresh(t)
	fs := d.FS()
	must(t, fs.Store(Root, "lib/a.py", []byte("one"), false))
	must(t, fs.Store(Root, "LIB/A.PY", []byte("two"), true))
	if i, err := fs.Stat(Root, "lib/a.py"); err != nil || i != (Info{Name: "a.py", Secure: true, Size: 3}) {
		t.Errorf("%+v, %v", i, err)
	}
	data := []byte("three")
	must(t, fs.Store(Root, "lib/a.py", data, false))
	data[0] = 'T' // the caller's again
	if got := read(t, fs, "lib/a.py"); got != "three" {
		t.Errorf("%q", got)
	}
	full := make([]byte, Blocks*BlockSize)
	for _, tt := range []struct {
		path string
		size int
		want error
	}{
		{"lib", 0, EISDIR}, {"nowhere/x", 0, ENOENT}, {"b*d", 0, EINVAL}, {"/x", 0, EPERM}, {"x", len(full), ENOSPC}, {"lib/a.py", len(full), ENOSPC}, {"", 0, ENOENT},
	} {
		before := dump(d)
		if err := fs.Store(Root, tt.path, full[:tt.size], false); err != tt.want {
			t.Errorf("%s, %d bytes: %v, want %v", tt.path, tt.size, err, tt.want)
		}
		if err := fs.CanStore(Root, tt.path, tt.size); err != tt.want {
			t.Errorf("%s, %d bytes: CanStore %v, want %v", tt.path, tt.size, err, tt.want)
		}
		if dump(d) != before {
			t.Errorf("%s: a refusal changed the flash", tt.path)
		}
	}
	free := fs.Usage().Free
	must(t, fs.Store(Root, "big", full[:free*BlockSize], false))
	if err := fs.CanStore(Root, "big", free*BlockSize); err != nil {
		t.Errorf("a file cannot be stored again: %v", err)
	}
	check(t, d)
	if got, want := dump(open(t, m.Survivor(KeepSynced))), dump(d); got != want {
		t.Errorf("stored\n%swant\n%s", got, want)
	}
}

// TestStoreWhileOpen: a program that has the file open sees the new content and
// may go on.
func TestStoreWhileOpen(t *testing.T) {
	d, m := fresh(t)
	fs := d.FS()
	must(t, put(fs, "log", "w", strings.Repeat("old", 1000)))
	f, err := fs.Open(Root, "log", Mode{Read: true, Write: true})
	must(t, err)
	f.Write([]byte("not flushed"))
	must(t, fs.Store(Root, "log", []byte("new content"), false))
	check(t, d)
	buf := make([]byte, 20)
	if n, err := f.Read(buf); n != 0 {
		t.Errorf("read %q, %v behind the new end", buf[:n], err)
	}
	f.Seek(4, 0)
	f.Write([]byte("CONTENT"))
	must(t, f.Close())
	check(t, d)
	if got := read(t, open(t, m.Survivor(KeepSynced)).FS(), "log"); got != "new CONTENT" {
		t.Errorf("%q", got)
	}
}

// TestSeveralGoroutines: the file system is the program's and, at the same time,
// that of somebody at the serial port.
func TestSeveralGoroutines(t *testing.T) {
	d, _ := fresh(t)
	fs := d.FS()
	done := make(chan error, 2)
	for _, name := range []string{"a", "b"} {
		go func() {
			for range 200 {
				if err := put(fs, name, "w", strings.Repeat(name, 600)); err != nil {
					done <- err
					return
				}
				fs.List("/", Root)
				fs.Store(Root, "both", []byte(name), false)
				d.Blob(name).Put([]byte(name))
			}
			done <- nil
		}()
	}
	must(t, <-done)
	must(t, <-done)
	check(t, d)
}
