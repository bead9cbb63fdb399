package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPack(t *testing.T) {
	common := []file{{"README.md", []byte("read"), false}, {"LICENSE", []byte("mine"), false}, {"examples/a/main.py", []byte("pass"), false}}
	stamp := time.Date(2026, 11, 23, 8, 0, 2, 0, time.UTC)
	want := "n/LICENSE 0644 mine, n/README.md 0644 read, n/examples/a/main.py 0644 pass, n/skep 0755 binary"
	for _, goos := range []string{"linux", "darwin", "windows"} {
		name, data, err := pack("n", goos, []byte("binary"), common, stamp)
		if err != nil {
			t.Fatal(err)
		}
		again, same, err := pack("n", goos, []byte("binary"), slices.Clone(common), stamp)
		if err != nil || again != name || !bytes.Equal(same, data) {
			t.Errorf("%s: packed again it differs", goos)
		}
		list, ext := untar, ".tar.gz"
		if goos == "windows" {
			list, ext = unzip, ".zip"
		}
		got := strings.ReplaceAll(strings.Join(list(t, data, stamp), ", "), "skep.exe", "skep")
		if got != want || !strings.HasSuffix(name, ext) {
			t.Errorf("%s: %s holds %s, want %s", goos, name, got, want)
		}
	}
}

func untar(t *testing.T, data []byte, stamp time.Time) (list []string) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if !z.ModTime.IsZero() {
		t.Errorf("the archive itself has a time: %v", z.ModTime)
	}
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil || !h.ModTime.Equal(stamp) || h.Uid != 0 || h.Uname != "" {
			t.Errorf("%+v, %v", h, err)
		}
		list = append(list, h.Name+" 0"+octal(h.FileInfo().Mode().Perm())+" "+string(text))
	}
}

func unzip(t *testing.T, data []byte, stamp time.Time) (list []string) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		e, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(e)
		if err != nil || !f.Modified.Equal(stamp) {
			t.Errorf("%s: %v, %v", f.Name, f.Modified, err)
		}
		list = append(list, f.Name+" 0"+octal(f.Mode().Perm())+" "+string(text))
	}
	return list
}

func octal(m os.FileMode) string {
	return string([]byte{'0' + byte(m>>6&7), '0' + byte(m>>3&7), '0' + byte(m&7)})
}

func TestErrors(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "today")
	if _, err := commitTime(); err == nil || !strings.Contains(err.Error(), "is no number of seconds") {
		t.Errorf("a wrong time: %v", err)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1000000000")
	if stamp, err := commitTime(); err != nil || !stamp.Equal(time.Unix(1000000000, 0)) {
		t.Errorf("a time: %v, %v", stamp, err)
	}
	t.Chdir("../..")
	if err := release(t.TempDir(), "v1", []string{"linux"}); err == nil || !strings.Contains(err.Error(), `"linux" is no target: write it as linux/amd64`) {
		t.Errorf("a wrong target: %v", err)
	}
	files, err := commonFiles()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.name)
		if f.name == "NOTICES.txt" {
			for _, want := range []string{"github.com/alecthomas/kong v", "The Go programming language", "Copyright"} {
				if !strings.Contains(string(f.data), want) {
					t.Errorf("the notices do not hold %q", want)
				}
			}
		}
	}
	for _, want := range []string{"LICENSE", "README.md", "NOTICES.txt", "examples/tracker/main.py"} {
		if !slices.Contains(names, want) {
			t.Errorf("an archive has no %s: %q", want, names)
		}
	}
}
