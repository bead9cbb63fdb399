package build

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/skep-sim/skep/internal/host/app"
)

// Root is the directory of a module under which all files lie.
const Root = "/flash"

// MainFile is the program that a module starts.
const MainFile = Root + "/main.py"

// compilerRevision is raised whenever the compiler begins to write other bytes for
// the same source, so that nothing compiled earlier is taken for current. A test
// notices.
const compilerRevision = 1

// A Layout is everything that belongs on a module's flash.
type Layout struct {
	// App is the application's name.
	App string
	// MpyVersion is that of the .mpy files that were compiled for it.
	MpyVersion int
	// Plain: it is a directory without skep.toml, whose files are as they were.
	Plain bool
	// Files are sorted by Path.
	Files []File

	stale bool // another revision of the compiler made it
}

// File is one file of a layout.
type File struct {
	// Path is where it lies on the module: /flash/lib/umqtt.mpy.
	Path string
	Data []byte
	// SHA256 is that of Data in hexadecimal, as the module itself says it.
	SHA256 string
	// Secure: it goes there so that nobody can read it back.
	Secure bool
	// Source is the file of the application that it comes from, lib/umqtt.py, or
	// skep:umqtt for a module that ships with skep.
	Source string
	// SourceSHA256 is that of the source, if it was compiled; else "".
	SourceSHA256 string
	// Reused: it did not have to be compiled.
	Reused bool
}

// Size is how many bytes it has.
func (f *File) Size() int { return len(f.Data) }

// Compiled reports whether it was made from a source.
func (f *File) Compiled() bool { return f.SourceSHA256 != "" }

// Local is its path below /flash: lib/umqtt.mpy.
func (f *File) Local() string { return strings.TrimPrefix(f.Path, Root+"/") }

// Options are how a layout is made.
type Options struct {
	// MpyVersion is the version of .mpy files that the module's firmware reads.
	MpyVersion int
	// Previous is an earlier layout, whose compiled files are taken when their
	// source has not changed; nil: there is none.
	Previous *Layout
}

// Make makes the layout of an application. Errors name the file, and the line.
func Make(a *app.App, o Options) (*Layout, error) {
	reused := map[string]bool{}
	compile := app.Cross(o.MpyVersion)
	have := o.Previous.compiled(o.MpyVersion)
	files, err := a.FilesBy(func(source []byte, name string) ([]byte, error) {
		key := cacheKey(name, hash(source))
		if data, ok := have[key]; ok {
			reused[key] = true
			return data, nil
		}
		return compile(source, name)
	})
	if err != nil {
		return nil, err
	}
	l := &Layout{App: a.Name(), MpyVersion: o.MpyVersion, Plain: a.Plain}
	for _, f := range files {
		file := File{Path: Root + "/" + f.Path, Data: f.Data, SHA256: hash(f.Data), Secure: f.Secure, Source: f.Source}
		if f.Text != nil {
			file.SourceSHA256 = hash(f.Text)
			file.Reused = reused[cacheKey(sourceName(file.Source), file.SourceSHA256)]
		}
		l.Files = append(l.Files, file)
	}
	slices.SortFunc(l.Files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return l, l.check()
}

// sourceName is the name that goes into the code of a file, given its source.
func sourceName(source string) string {
	if name, ok := strings.CutPrefix(source, app.ShippedPrefix); ok {
		return name + ".py"
	}
	return source[strings.LastIndexByte(source, '/')+1:]
}

// cacheKey stands for what a compiled file depends on besides the version.
func cacheKey(name, sourceHash string) string { return name + "\x00" + sourceHash }

// compiled are the compiled files of a layout by their keys.
func (l *Layout) compiled(mpyVersion int) map[string][]byte {
	have := map[string][]byte{}
	if l == nil || l.stale || l.MpyVersion != mpyVersion {
		return have
	}
	for i := range l.Files {
		if f := &l.Files[i]; f.Compiled() {
			have[cacheKey(sourceName(f.Source), f.SourceSHA256)] = f.Data
		}
	}
	return have
}

// check says what no module could hold.
func (l *Layout) check() error {
	if len(l.Files) == 0 {
		return errors.New("there is nothing in it that goes onto a module: give the directory of an application")
	}
	seen := map[string]string{}
	for i := range l.Files {
		f := &l.Files[i]
		if err := CheckName(f.Local()); err != nil {
			return fmt.Errorf("%s: %w", f.Source, err)
		}
		// A module's file system takes names that differ by case for one.
		lower := strings.ToLower(f.Path)
		if other, ok := seen[lower]; ok {
			return fmt.Errorf("%s and %s would be one file on the module, which takes no notice of case: rename one", other, f.Source)
		}
		seen[lower] = f.Source
	}
	return nil
}

// What names a module's file system takes, says its user guide.
const (
	maxName   = 64
	maxPath   = 255
	nameChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_"
)

// CheckName says why a path below /flash can't be one on a module.
func CheckName(p string) error {
	if len(Root)+1+len(p) > maxPath {
		return fmt.Errorf("%s/%s is longer than the %d characters of a path on the module", Root, p, maxPath)
	}
	for part := range strings.SplitSeq(p, "/") {
		switch {
		case part == "" || part == "." || part == "..":
			return fmt.Errorf("%q is no path below %s", p, Root)
		case len(part) > maxName:
			return fmt.Errorf("%s is longer than the %d characters of a name on the module: shorten it", part, maxName)
		case strings.Trim(part, nameChars) != "" || strings.HasSuffix(part, "."):
			return fmt.Errorf("%q is no name on the module, which takes letters, digits, and . - _, with no . at the end: rename it, or leave it at home with [build] exclude", part)
		}
	}
	return nil
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
