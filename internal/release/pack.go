package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"io"
	"slices"
	"strings"
	"time"
)

// file is a file of an archive.
type file struct {
	name    string
	data    []byte
	program bool
}

// pack makes the archive of one system: a .zip for Windows, a .tar.gz for others, with
// one directory in it.
func pack(name, goos string, binary []byte, common []file, stamp time.Time) (path string, data []byte, err error) {
	program := "skep"
	if goos == "windows" {
		program = "skep.exe"
	}
	files := append([]file{{program, binary, true}}, common...)
	slices.SortStableFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	for i := range files {
		files[i].name = name + "/" + files[i].name
	}
	var b bytes.Buffer
	if goos == "windows" {
		err = packZip(&b, files, stamp)
		return name + ".zip", b.Bytes(), err
	}
	err = packTar(&b, files, stamp)
	return name + ".tar.gz", b.Bytes(), err
}

func packTar(w io.Writer, files []file, stamp time.Time) error {
	z, err := gzip.NewWriterLevel(w, flate.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	for _, f := range files {
		mode := int64(0o644)
		if f.program {
			mode = 0o755
		}
		if err := t.WriteHeader(&tar.Header{Name: f.name, Mode: mode, Size: int64(len(f.data)), ModTime: stamp, Format: tar.FormatUSTAR}); err != nil {
			return err
		}
		if _, err := t.Write(f.data); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}

func packZip(w io.Writer, files []file, stamp time.Time) error {
	z := zip.NewWriter(w)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: stamp}
		h.SetMode(0o644)
		if f.program {
			h.SetMode(0o755)
		}
		e, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := e.Write(f.data); err != nil {
			return err
		}
	}
	return z.Close()
}
