package control

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// File is a file to write.
type File struct {
	Path string
	Text []byte
	Mode fs.FileMode
}

// deviceFiles are the files of a certificate; without a key for one from a request.
func deviceFiles(q NewCertificate, root, cert, key []byte) []File {
	stem := q.Stem
	if stem == "" {
		stem = "aws"
	}
	var files []File
	if stem == "aws" {
		files = append(files, File{filepath.Join(q.Dir, "aws.ca"), root, 0o644})
	}
	files = append(files, File{filepath.Join(q.Dir, stem+".crt"), cert, 0o644})
	if key != nil {
		files = append(files, File{filepath.Join(q.Dir, stem+".key"), key, 0o600})
	}
	return files
}

// thereAlready is the error for a file that is not overwritten.
func thereAlready(path string) error {
	return fmt.Errorf("%s is there already and is not overwritten: move it away, or choose another directory", path)
}

// CheckNew makes sure that none of the files is there.
func CheckNew(paths ...string) error {
	for _, p := range paths {
		if _, err := os.Lstat(p); err == nil {
			return thereAlready(p)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func pathsOf(files []File) []string {
	var paths []string
	for _, f := range files {
		paths = append(paths, f.Path)
	}
	return paths
}

// WriteFiles writes files that must not be there yet, making their directories if need be, and
// waits until they are on disk. After an error none of them is there.
func WriteFiles(files []File) error {
	if err := CheckNew(pathsOf(files)...); err != nil {
		return err
	}
	for i, f := range files {
		err := os.MkdirAll(filepath.Dir(f.Path), 0o755)
		if err == nil {
			err = writeNew(f)
		}
		if err != nil {
			for _, written := range files[:i] {
				os.Remove(written.Path)
			}
			return err
		}
	}
	return nil
}

func writeNew(f File) error {
	w, err := os.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.Mode)
	if errors.Is(err, fs.ErrExist) {
		return thereAlready(f.Path)
	}
	if err != nil {
		return err
	}
	_, err = w.Write(f.Text)
	if err = errors.Join(err, w.Sync(), w.Close()); err != nil {
		os.Remove(f.Path)
	}
	return err
}
