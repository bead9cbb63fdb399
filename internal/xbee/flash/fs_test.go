package flash

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

func names(t *testing.T, fs *FS, dir string) []string {
	t.Helper()
	list, err := fs.List(Root, dir)
	must(t, err)
	var ns []string
	for _, e := range list {
		ns = append(ns, e.Name)
	}
	return ns
}

func TestFreshFlash(t *testing.T) {
	d, _ := fresh(t)
	if got := names(t, d.FS(), "."); !slices.Equal(got, []string{"cert", "lib"}) {
		t.Errorf("a new flash holds %v", got)
	}
	if got := names(t, d.FS(), "/"); !slices.Equal(got, []string{"flash"}) {
		t.Errorf("/ holds %v", got)
	}
	if u := d.FS().Usage(); u != (Usage{Blocks: 2000, Free: 1998}) {
		t.Errorf("usage %+v", u)
	}
}

func TestPaths(t *testing.T) {
	d, _ := fresh(t)
	fs := d.FS()
	must(t, fs.Mkdir(Root, "Deep"))
	must(t, put(fs, "Deep/Main.py", "w", "x"))
	long := strings.Repeat("n", NameMax)
	must(t, put(fs, long, "w", "x"))
	tests := []struct {
		cwd, path string
		want      string // the name found, or the error
	}{
		{Root, "/flash/Deep/Main.py", "Main.py"},
		{Root, "deep/MAIN.PY", "Main.py"},
		{"/", "FLASH/deep", "Deep"},
		{"/flash/deep", "main.py", "Main.py"},
		{"/flash/deep", "../deep/./main.py", "Main.py"},
		{"/flash/deep", "../../../../flash//deep/", "Deep"},
		{Root, "deep/main.py.", "Main.py"},
		{Root, "deep./main.py..", "Main.py"},
		{Root, ".", "flash"},
		{Root, "/", ""},
		{Root, "..", ""},
		{Root, long, long},
		{Root, long + ".", long},
		{Root, long + "n", "ENOENT"},
		{Root, "", "ENOENT"},
		{Root, "nothing/..", "ENOENT"},
		{Root, "deep/main.py/", "ENOENT"},
		{Root, "deep/main.py/.", "ENOENT"},
		{Root, "deep/main.py/x", "ENOENT"},
		{Root, "a b", "ENOENT"},
		{Root, "...", "ENOENT"},
		{Root, "caf\u00e9", "ENOENT"},
		{Root, strings.Repeat("./", 128), "EINVAL"},
		{"/flash/gone", "x", "ENOENT"},
	}
	for _, tt := range tests {
		i, err := fs.Stat(tt.cwd, tt.path)
		got := i.Name
		if err != nil {
			got = ErrnoOf(err).Name()
		}
		if got != tt.want {
			t.Errorf("Stat(%q, %q) = %q, want %q", tt.cwd, tt.path, got, tt.want)
		}
	}
	if got, err := fs.Chdir("/", "flash/DEEP/../deep"); err != nil || got != "/flash/Deep" {
		t.Errorf("Chdir = %q, %v, want the letters as created", got, err)
	}
	if _, err := fs.Chdir(Root, "deep/main.py"); err != ENOENT {
		t.Errorf("Chdir to a file: %v", err)
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name string
		do   func(fs *FS) error
		want error
	}{
		{"mkdir in /", func(fs *FS) error { return fs.Mkdir("/", "sd") }, EPERM},
		{"mkdir exists", func(fs *FS) error { return fs.Mkdir(Root, "LIB") }, EEXIST},
		{"mkdir over file", func(fs *FS) error { return fs.Mkdir(Root, "f") }, EEXIST},
		{"mkdir without parent", func(fs *FS) error { return fs.Mkdir(Root, "a/b") }, ENOENT},
		{"mkdir illegal", func(fs *FS) error { return fs.Mkdir(Root, "a b") }, EINVAL},
		{"mkdir too long", func(fs *FS) error { return fs.Mkdir(Root, strings.Repeat("n", 65)) }, EINVAL},
		{"mkdir .", func(fs *FS) error { return fs.Mkdir(Root, ".") }, EEXIST},
		{"remove missing", func(fs *FS) error { return fs.Remove(Root, "none") }, ENOENT},
		{"remove directory", func(fs *FS) error { return fs.Remove(Root, "lib") }, EISDIR},
		{"rmdir file", func(fs *FS) error { return fs.Rmdir(Root, "f") }, EINVAL},
		{"rmdir not empty", func(fs *FS) error { return fs.Rmdir(Root, "full") }, EINVAL},
		{"rmdir root", func(fs *FS) error { return fs.Rmdir("/", "flash") }, EPERM},
		{"rename missing", func(fs *FS) error { return fs.Rename(Root, "none", "x") }, ENOENT},
		{"rename onto file", func(fs *FS) error { return fs.Rename(Root, "f", "g") }, EEXIST},
		{"rename into /", func(fs *FS) error { return fs.Rename(Root, "f", "/f") }, EPERM},
		{"rename root", func(fs *FS) error { return fs.Rename(Root, "/flash", "x") }, EPERM},
		{"rename into itself", func(fs *FS) error { return fs.Rename(Root, "full", "full/sub") }, EINVAL},
		{"rename to . of itself", func(fs *FS) error { return fs.Rename(Root, "full", "full/.") }, EEXIST},
		{"rename illegal", func(fs *FS) error { return fs.Rename(Root, "f", "f?") }, EINVAL},
		{"replace directory", func(fs *FS) error { return fs.Replace(Root, "f", "lib") }, EISDIR},
		{"replace file by directory", func(fs *FS) error { return fs.Replace(Root, "lib", "f") }, EEXIST},
		{"replace by itself", func(fs *FS) error { return fs.Replace(Root, "f", "F") }, nil},
		{"open missing", func(fs *FS) error { return put(fs, "none", "r", "") }, ENOENT},
		{"open missing r+", func(fs *FS) error { return put(fs, "none", "r+", "x") }, ENOENT},
		{"open directory", func(fs *FS) error { return put(fs, "lib", "w", "x") }, EISDIR},
		{"open exclusively", func(fs *FS) error { return put(fs, "F", "x", "x") }, EEXIST},
		{"create in /", func(fs *FS) error { return put(fs, "/boot.py", "w", "x") }, EPERM},
		{"create illegal", func(fs *FS) error { return put(fs, "a:b", "w", "x") }, EINVAL},
		{"write to r", func(fs *FS) error { return put(fs, "f", "r", "x") }, EPERM},
		{"list file", func(fs *FS) error { _, err := fs.List(Root, "f"); return err }, ENOENT},
		{"hash directory", func(fs *FS) error { _, err := fs.Hash(Root, "lib"); return err }, EISDIR},
	}
	for _, tt := range tests {
		d, m := fresh(t)
		fs := d.FS()
		must(t, put(fs, "f", "w", "content of f"))
		must(t, put(fs, "g", "w", "content of g"))
		must(t, fs.Mkdir(Root, "full"))
		must(t, put(fs, "full/x", "w", ""))
		before := dump(d)
		if err := tt.do(fs); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		check(t, d)
		if got := dump(d); tt.want != nil && got != before {
			t.Errorf("%s changed the flash to\n%s", tt.name, got)
		}
		if got, want := dump(open(t, m)), dump(d); got != want {
			t.Errorf("%s: stored\n%swant\n%s", tt.name, got, want)
		}
		if len(fs.open) != 0 {
			t.Errorf("%s left a file open", tt.name)
		}
	}
}

func TestPathLimitHoldsForFullPaths(t *testing.T) {
	d, _ := fresh(t)
	fs := d.FS()
	cwd := Root
	for range 3 {
		name := strings.Repeat("d", 62)
		must(t, fs.Mkdir(cwd, name))
		cwd += "/" + name
	}
	// 195 characters so far.
	if err := fs.Mkdir(cwd, strings.Repeat("d", 60)); err != EINVAL {
		t.Errorf("a full path of 256 characters: %v", err)
	}
	must(t, fs.Mkdir(cwd, strings.Repeat("d", 59)))
	must(t, fs.Mkdir(Root, "long"))
	if err := fs.Rename(Root, strings.Repeat("d", 62), "long/x"); err != nil {
		t.Errorf("renaming to shorter paths: %v", err)
	}
	if err := fs.Rename(Root, "long", strings.Repeat("y", 64)); err != EINVAL {
		t.Errorf("renaming a directory so that paths below get too long: %v", err)
	}
}

func TestModes(t *testing.T) {
	good := map[string]Mode{
		"":    {Read: true},
		"r":   {Read: true},
		"rb":  {Read: true, Binary: true},
		"b":   {Read: true, Binary: true},
		"r+":  {Read: true, Write: true},
		"w":   {Write: true, Create: true, Truncate: true},
		"wb":  {Write: true, Create: true, Truncate: true, Binary: true},
		"w+":  {Read: true, Write: true, Create: true, Truncate: true},
		"xt":  {Write: true, Create: true, Exclusive: true},
		"a":   {Write: true, Create: true, Append: true},
		"a*":  {Write: true, Create: true, Append: true, Secure: true},
		"wb*": {Write: true, Create: true, Truncate: true, Secure: true, Binary: true},
	}
	for s, want := range good {
		if got, err := ParseMode(s); err != nil || got != want {
			t.Errorf("ParseMode(%q) = %+v, %v, want %+v", s, got, err, want)
		}
	}
	for _, s := range []string{"rw", "ww", "bt", "bb", "r++", "w**", "r*", "w+*", "q", "r ", "U"} {
		if _, err := ParseMode(s); err != EINVAL {
			t.Errorf("ParseMode(%q): %v, want EINVAL", s, err)
		}
	}
}

func TestReadWriteSeek(t *testing.T) {
	d, m := fresh(t)
	m1, _ := ParseMode("w+")
	f, err := d.FS().Open(Root, "f", m1)
	must(t, err)
	f.Write([]byte("hello world"))
	if p, _ := f.Seek(6, io.SeekStart); p != 6 {
		t.Errorf("Seek = %d", p)
	}
	f.Write([]byte("flash"))
	f.Seek(3, io.SeekEnd)
	f.Write([]byte("!"))
	f.Seek(-15, io.SeekCurrent)
	b, err := io.ReadAll(f)
	if want := "hello flash\x00\x00\x00!"; err != nil || string(b) != want {
		t.Errorf("read %q, %v, want %q", b, err, want)
	}
	if _, err := f.Seek(-1, io.SeekStart); err != EINVAL {
		t.Errorf("Seek before the beginning: %v", err)
	}
	if _, err := f.Seek(0, 3); err != EINVAL {
		t.Errorf("Seek whence 3: %v", err)
	}
	must(t, f.Close())
	must(t, f.Close())
	for _, err := range []error{second(f.Read(b)), second(f.Write(b)), second(f.Seek(0, 0)), second(f.Tell()), f.Flush()} {
		if err != EBADF {
			t.Errorf("a closed file: %v, want EBADF", err)
		}
	}
	if got, err := open(t, m).FS().ReadSecure(Root, "f"); err != nil || string(got) != "hello flash\x00\x00\x00!" {
		t.Errorf("stored %q, %v", got, err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestPartialFlushes compares the image with what was written, over many
// overlapping changes of one file.
func TestPartialFlushes(t *testing.T) {
	d, m := fresh(t)
	must(t, put(d.FS(), "f", "w", ""))
	f, err := d.FS().Open(Root, "f", Mode{Read: true, Write: true})
	must(t, err)
	var want []byte
	x := uint32(1)
	rnd := func(n uint32) int { x = x*1664525 + 1013904223; return int(x >> 8 % n) }
	for i := range 300 {
		at, n := rnd(3000), rnd(200)
		for len(want) < at+n && n > 0 {
			want = append(want, 0)
		}
		p := bytes.Repeat([]byte{byte(i)}, n)
		copy(want[min(at, len(want)):], p)
		f.Seek(int64(at), io.SeekStart)
		f.Write(p)
		if rnd(3) == 0 {
			must(t, f.Flush())
			got, _ := open(t, m.Survivor(KeepSynced)).FS().ReadSecure(Root, "f")
			if !bytes.Equal(got, want) {
				t.Fatalf("after change %d the image differs", i)
			}
		}
	}
}

func TestSecureFiles(t *testing.T) {
	d, _ := fresh(t)
	fs := d.FS()
	must(t, put(fs, "cert/aws.key", "w*", "PRIVATE"))
	must(t, put(fs, "cert/aws.key", "a", " KEY"))
	if _, err := fs.Open(Root, "cert/aws.key", Mode{Read: true}); err != EPERM {
		t.Errorf("opening a secure file to read: %v", err)
	}
	if _, err := fs.Open(Root, "cert/aws.key", Mode{Read: true, Write: true}); err != EPERM {
		t.Errorf("opening a secure file r+: %v", err)
	}
	if got, err := fs.ReadSecure(Root, "cert/aws.key"); err != nil || string(got) != "PRIVATE KEY" {
		t.Errorf("ReadSecure = %q, %v", got, err)
	}
	if h, err := fs.Hash(Root, "cert/aws.key"); err != nil || h != sha256.Sum256([]byte("PRIVATE KEY")) {
		t.Errorf("Hash = %x, %v", h, err)
	}
	must(t, put(fs, "plain", "w", "x"))
	if err := put(fs, "plain", "a*", "y"); err != EPERM {
		t.Errorf("appending to an ordinary file as a secure one: %v", err)
	}
	f, err := fs.Open(Root, "s", Mode{Write: true, Create: true, Secure: true})
	must(t, err)
	if _, err := f.Seek(0, 0); err != EPERM {
		t.Errorf("Seek in a secure file: %v", err)
	}
	must(t, f.Close())
	// A file open for reading does not become a window on what is secure now.
	r, err := fs.Open(Root, "plain", Mode{Read: true})
	must(t, err)
	must(t, put(fs, "plain", "w*", "hidden"))
	if _, err := r.Read(make([]byte, 9)); err != EPERM {
		t.Errorf("reading through an older handle: %v", err)
	}
}

func TestOpenFiles(t *testing.T) {
	d, m := fresh(t)
	fs := d.FS()
	var files []*File
	for i := range MaxOpenFiles {
		f, err := fs.Open(Root, fmt.Sprint("f", i), Mode{Read: true, Write: true, Create: true})
		must(t, err)
		files = append(files, f)
	}
	if err := put(fs, "more", "w", ""); err != ENFILE {
		t.Errorf("one file more: %v", err)
	}
	if _, err := fs.Stat(Root, "more"); err != ENOENT {
		t.Errorf("the file that could not be opened exists: %v", err)
	}
	// Removed while open: usable, its space in use until it is closed.
	files[0].Write(make([]byte, 10*BlockSize))
	must(t, fs.Remove(Root, "f0"))
	free := fs.Usage().Free
	files[0].Seek(0, 0)
	if n, err := files[0].Read(make([]byte, 10)); n != 10 || err != nil {
		t.Errorf("reading a removed file: %d, %v", n, err)
	}
	check(t, d)
	must(t, files[0].Close())
	if got := fs.Usage().Free - free; got != 10 {
		t.Errorf("closing freed %d blocks, want 10", got)
	}
	// Renamed while open: what is written goes where the file went.
	files[1].Write([]byte("follow me"))
	must(t, fs.Rename(Root, "f1", "lib/moved"))
	must(t, files[1].Close())
	if got, _ := open(t, m).FS().ReadSecure(Root, "lib/moved"); string(got) != "follow me" {
		t.Errorf("the renamed file holds %q", got)
	}
	// Replaced while open: the handle keeps the old file, which is stored no more.
	files[2].Write([]byte("lost"))
	must(t, fs.Replace(Root, "lib/moved", "f2"))
	must(t, files[2].Close())
	if got, _ := open(t, m).FS().ReadSecure(Root, "f2"); string(got) != "follow me" {
		t.Errorf("the replaced file holds %q", got)
	}
	must(t, fs.Format())
	if _, err := files[3].Write([]byte("x")); err != EBADF {
		t.Errorf("writing after a format: %v", err)
	}
	must(t, files[3].Close())
	check(t, d)
	if got := names(t, fs, "."); !slices.Equal(got, []string{"cert", "lib"}) {
		t.Errorf("after a format: %v", got)
	}
	must(t, fs.CloseAll())
}

func TestCapacity(t *testing.T) {
	d, m := fresh(t)
	fs := d.FS()
	f, err := fs.Open(Root, "big", Mode{Write: true, Create: true})
	must(t, err)
	n, err := f.Write(make([]byte, 2*Blocks*BlockSize))
	if want := 1998 * BlockSize; n != want || err != ENOSPC {
		t.Errorf("wrote %d, %v, want %d and ENOSPC", n, err, want)
	}
	if _, err := f.Write([]byte("x")); err != ENOSPC {
		t.Errorf("writing to a full flash: %v", err)
	}
	if _, err := f.Seek(1<<40, 0); err != EFBIG {
		t.Errorf("seeking too far: %v", err)
	}
	must(t, f.Close())
	if err := fs.Mkdir(Root, "d"); err != ENOSPC {
		t.Errorf("mkdir on a full flash: %v", err)
	}
	if err := put(fs, "small", "w", ""); err != ENOSPC {
		t.Errorf("creating on a full flash: %v", err)
	}
	check(t, d)
	d = open(t, m)
	if u := d.FS().Usage(); u.Free != 0 {
		t.Errorf("after power-on %d blocks are free", u.Free)
	}
	must(t, d.FS().Remove(Root, "big"))
	if u := d.FS().Usage(); u.Free != 1998 {
		t.Errorf("after removing it %d blocks are free", u.Free)
	}
}

func TestListingOrder(t *testing.T) {
	d, m := fresh(t)
	fs := d.FS()
	for _, n := range []string{"z", "a", "M"} {
		must(t, put(fs, n, "w", n))
	}
	must(t, put(fs, "z", "w", "again"))
	must(t, fs.Rename(Root, "a", "zz"))
	want := []string{"cert", "lib", "z", "zz", "M"}
	if got := names(t, fs, "."); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := names(t, open(t, m).FS(), "."); !slices.Equal(got, want) {
		t.Errorf("after power-on %v, want %v", got, want)
	}
}

func TestJournalStaysSmall(t *testing.T) {
	d, m := fresh(t)
	for i := range 400 {
		must(t, put(d.FS(), "data", "w", strings.Repeat(fmt.Sprint(i), 1000)))
		must(t, d.Blob("bundle").Put(bytes.Repeat([]byte{byte(i)}, 31152)))
	}
	b, _ := m.Load()
	if len(b) > compactFrom+64<<10 {
		t.Errorf("the journal is %d bytes long", len(b))
	}
	if got, want := dump(open(t, m)), dump(d); got != want {
		t.Error("compaction changed the content")
	}
}

func BenchmarkAppendAndFlush(b *testing.B) {
	d, err := Open(NewMemory())
	if err != nil {
		b.Fatal(err)
	}
	f, err := d.FS().Open(Root, "log", Mode{Write: true, Create: true, Append: true})
	if err != nil {
		b.Fatal(err)
	}
	line := bytes.Repeat([]byte("x"), 80)
	for i := range b.N {
		if i%10000 == 9999 {
			f.Close()
			f, _ = d.FS().Open(Root, "log", Mode{Write: true, Create: true, Truncate: true})
		}
		f.Write(line)
		f.Flush()
	}
}
