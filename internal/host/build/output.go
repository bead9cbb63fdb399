package build

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/skep-sim/skep/internal/host/app"
)

// An output is a directory with the manifest, and the files below flash, as they
// are to lie on the module.
const (
	manifestFile = app.ManifestName
	flashDir     = "flash"
	ignoreFile   = ".gitignore"
)

// unfinished ends the name of a file that is not written yet.
const unfinished = ".new"

// ignoreAll keeps an output out of git: it holds copies of keys.
const ignoreAll = "# Made by skep build. It holds copies of keys.\n*\n"

// Written says what Write has changed, in paths below the output's directory.
type Written struct {
	New, Changed, Removed []string
	// Unlisted are files below flash that no manifest lists, and that are left
	// alone.
	Unlisted []string
}

// Open reads an output and checks every file against the manifest.
func Open(dir string) (*Layout, error) {
	l, wrong, err := read(dir)
	if err == nil && len(wrong) > 0 {
		err = fmt.Errorf("%s: %s is not as the manifest has it: build again", dir, wrong[0])
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Previous reads what can be used of an output that is to be built again: its files
// that are as the manifest has them. It returns nil for a directory that does not
// exist or is empty, and an error for one that must not be written into.
func Previous(dir string) (*Layout, error) {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%w: give a directory for the output", err)
	case len(entries) == 0:
		return nil, nil
	}
	l, _, err := read(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s has files in it and was not made by skep build: give an empty or a new directory with -o", dir)
	}
	return l, err
}

// read reads an output. wrong are the paths of files that are not as the manifest
// has them; the layout holds the others.
func read(dir string) (l *Layout, wrong []string, err error) {
	data, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return nil, nil, err
	}
	m, err := ReadManifest(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", filepath.Join(dir, manifestFile), err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	l = &Layout{App: m.App, MpyVersion: m.MpyVersion, Plain: m.Plain}
	for _, e := range m.Files {
		f := File{Path: e.Path, SHA256: e.SHA256, Secure: e.Secure, Source: e.Source, SourceSHA256: e.SourceSHA256}
		f.Data, err = root.ReadFile(path.Join(flashDir, f.Local()))
		if err != nil || len(f.Data) != e.Size || hash(f.Data) != e.SHA256 {
			wrong = append(wrong, f.Path)
			continue
		}
		l.Files = append(l.Files, f)
	}
	l.stale = m.Compiler != compilerRevision
	return l, wrong, nil
}

// Write writes the layout into a directory: a new one, an empty one, or an earlier
// output, of which it removes what the manifest lists and the layout has no more.
// Files that are as they should be are not touched.
func (l *Layout) Write(dir string) (Written, error) {
	var w Written
	if _, err := Previous(dir); err != nil {
		return w, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return w, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return w, err
	}
	defer root.Close()
	out := output{root: root, w: &w}
	old := out.listed()
	out.removeStale(l, old)
	out.put(ignoreFile, []byte(ignoreAll), false)
	for i := range l.Files {
		f := &l.Files[i]
		out.put(path.Join(flashDir, f.Local()), f.Data, f.Secure)
	}
	out.put(manifestFile, l.Manifest().Marshal(), false)
	out.findUnlisted(l)
	if out.err != nil {
		return w, fmt.Errorf("%s: %w", dir, out.err)
	}
	return w, nil
}

// output writes below a directory, and out of it never, until something fails.
type output struct {
	root *os.Root
	w    *Written
	err  error
}

// listed are the files of the manifest that is there, below the directory.
func (o *output) listed() (paths []string) {
	data, err := o.root.ReadFile(manifestFile)
	if err != nil {
		return nil
	}
	m, err := ReadManifest(data)
	if err != nil {
		o.err = err
		return nil
	}
	for _, e := range m.Files {
		paths = append(paths, path.Join(flashDir, strings.TrimPrefix(e.Path, Root+"/")))
	}
	return paths
}

// removeStale removes what an earlier build wrote and this one does not, and the
// directories that this leaves empty.
func (o *output) removeStale(l *Layout, old []string) {
	keep := map[string]bool{}
	for i := range l.Files {
		keep[path.Join(flashDir, l.Files[i].Local())] = true
	}
	for _, p := range old {
		if o.err != nil || keep[p] {
			continue
		}
		err := o.root.Remove(p)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if o.err = err; err != nil {
			return
		}
		o.w.Removed = append(o.w.Removed, p)
		for d := path.Dir(p); d != "."; d = path.Dir(d) {
			if o.root.Remove(d) != nil {
				break // it holds something else
			}
		}
	}
}

// put writes a file so that nobody ever sees half of it, if it is not there as it
// should be.
func (o *output) put(p string, data []byte, secret bool) {
	if o.err != nil {
		return
	}
	mode := fs.FileMode(0o644)
	if secret {
		mode = 0o600
	}
	st, err := o.root.Lstat(p)
	exists := err == nil
	if exists && st.Mode().IsRegular() {
		if old, err := o.root.ReadFile(p); err == nil && bytes.Equal(old, data) {
			return
		}
	}
	if o.err = o.root.MkdirAll(path.Dir(p), 0o755); o.err != nil {
		return
	}
	// No file of an application begins with a point; two builds at once each have
	// their own.
	tmp := path.Join(path.Dir(p), fmt.Sprintf(".%s.%d%s", path.Base(p), os.Getpid(), unfinished))
	o.root.Remove(tmp)
	if o.err = o.root.WriteFile(tmp, data, mode); o.err != nil {
		return
	}
	if o.err = o.root.Rename(tmp, p); o.err != nil {
		o.root.Remove(tmp)
		return
	}
	if strings.HasPrefix(p, flashDir+"/") {
		if exists {
			o.w.Changed = append(o.w.Changed, p)
		} else {
			o.w.New = append(o.w.New, p)
		}
	}
}

// findUnlisted notes what lies below flash and is not of the layout.
func (o *output) findUnlisted(l *Layout) {
	if o.err != nil {
		return
	}
	o.err = fs.WalkDir(o.root.FS(), flashDir, func(p string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") && strings.HasSuffix(p, unfinished) {
			return err
		}
		known := slices.ContainsFunc(l.Files, func(f File) bool { return path.Join(flashDir, f.Local()) == p })
		if !known {
			o.w.Unlisted = append(o.w.Unlisted, p)
		}
		return nil
	})
}
