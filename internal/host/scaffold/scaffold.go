// Package scaffold makes the directory of a new application from a template: files
// that run on a module as they are.
//
// It writes files and knows nothing of devices; that what it writes runs, fits and
// passes the checks is for the tests of the commands that do these things.
package scaffold

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed templates
var templates embed.FS

// Default is the template that is taken unless one is named.
const Default = "minimal"

// nameMark stands for the application's name in a template.
const nameMark = "@NAME@"

// Templates lists the names of the templates.
func Templates() (names []string) {
	entries, _ := fs.ReadDir(templates, "templates")
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// maxName is as much as AWS IoT and a directory of state both take.
const maxName = 64

const nameChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

// CheckName says why an application can't have a name: it is a thing's name, too, and
// that of a directory.
func CheckName(name string) error {
	if name == "" || len(name) > maxName || strings.Trim(name, nameChars) != "" || name[0] == '-' {
		return fmt.Errorf("%q is no name for an application: use up to %d letters, digits, _ and -", name, maxName)
	}
	return nil
}

// New writes an application into a directory, which must be empty, but for .git, or not
// exist, and returns the paths of its files, sorted.
func New(dir, name, template string) ([]string, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if !slices.Contains(Templates(), template) {
		return nil, fmt.Errorf("there is no template %q: there are %s", template, strings.Join(Templates(), ", "))
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: give a directory that is empty or does not exist", err)
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == ".git" })
	if len(entries) > 0 {
		return nil, fmt.Errorf("%s has files in it: give a directory that is empty or does not exist", dir)
	}
	top := path.Join("templates", template)
	var written []string
	err = fs.WalkDir(templates, top, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := templates.ReadFile(p)
		if err != nil {
			return err
		}
		rel := target(strings.TrimPrefix(p, top+"/"))
		to := filepath.Join(dir, filepath.FromSlash(rel))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return cannotMake(err)
		}
		written = append(written, rel)
		if err := create(to, strings.ReplaceAll(string(text), nameMark, name)); err != nil {
			return cannotMake(err)
		}
		return nil
	})
	slices.Sort(written)
	return written, err
}

func cannotMake(err error) error {
	return fmt.Errorf("%w: give a directory in a place where you can make files", err)
}

// target is the path of a template's file in the application. In the templates
// .gitignore has another name, or git would heed it there.
func target(rel string) string {
	if rel == "gitignore" {
		return ".gitignore"
	}
	return rel
}

// create writes a file that must not be there yet.
func create(p, text string) error {
	f, err := os.OpenFile(p, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
