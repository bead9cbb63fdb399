// Package app is an application as it lies on the developer's disk: a directory
// with main.py, modules, certificates and skep.toml, and what of it goes onto a
// module's flash.
//
// It knows nothing of devices, virtual or real: it makes a list of files.
package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/skep-sim/skep/internal/compiler"
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/upython"
)

// ConfigName is the file that makes a directory an application.
const ConfigName = "skep.toml"

// Config is the content of skep.toml.
type Config struct {
	App struct {
		Name string `toml:"name"`
	} `toml:"app"`
	Build struct {
		// Modules that ship with skep and go into /flash/lib.
		Modules []string `toml:"modules"`
		// Exclude are patterns of files that stay at home.
		Exclude []string `toml:"exclude"`
	} `toml:"build"`
	Cloud Cloud `toml:"cloud"`
}

// Cloud is what the local AWS IoT does for the application.
type Cloud struct {
	// Thing is the thing's name; empty: the application does not use AWS.
	Thing string `toml:"thing"`
	// Desired is put into the thing's shadow when a virtual device starts.
	Desired map[string]any `toml:"desired"`
}

// An App is an application or a plain directory of files.
type App struct {
	Dir    string
	Config Config
	// Plain: there is no skep.toml; the files go onto the flash as they are.
	Plain bool
}

// A File is one file for the flash.
type File struct {
	Path string // below /flash: "lib/umqtt.mpy"
	Data []byte
	// Secure: it can be used but not read back, as a key should be.
	Secure bool
	// From is where it comes from, for messages.
	From string
}

// Open reads an application directory.
func Open(dir string) (*App, error) {
	st, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: give the directory that holds main.py", err)
	}
	if !st.IsDir() {
		return nil, fmt.Errorf("%s is a file: give the directory that it lies in, or use skep exec", dir)
	}
	a := &App{Dir: dir}
	text, err := os.ReadFile(filepath.Join(dir, ConfigName))
	if errors.Is(err, fs.ErrNotExist) {
		a.Plain = true
		return a, nil
	}
	if err != nil {
		return nil, err
	}
	d := toml.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&a.Config); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, ConfigName), explainTOML(err))
	}
	return a, nil
}

func explainTOML(err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) {
		return fmt.Errorf("unknown entry:\n%s", strict.String())
	}
	var de *toml.DecodeError
	if errors.As(err, &de) {
		return errors.New(de.String())
	}
	return err
}

// Name is the application's name, for its state directory.
func (a *App) Name() string {
	if a.Config.App.Name != "" {
		return a.Config.App.Name
	}
	abs, err := filepath.Abs(a.Dir)
	if err != nil {
		return filepath.Base(a.Dir)
	}
	return filepath.Base(abs)
}

// Files returns what goes onto the flash: every module but main.py compiled for
// the .mpy version, the rest as it is.
func (a *App) Files(mpyVersion int) ([]File, error) {
	var files []File
	err := filepath.WalkDir(a.Dir, func(p string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(a.Dir, p)
		if err != nil || rel == "." {
			return err
		}
		rel = filepath.ToSlash(rel)
		if a.leftOut(rel) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entry.IsDir() {
			return nil
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		f, err := a.file(rel, p, data, mpyVersion)
		files = append(files, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, m := range a.Config.Build.Modules {
		src, err := upython.Source(m)
		if err != nil {
			return nil, fmt.Errorf("%s, [build] modules: %w", filepath.Join(a.Dir, ConfigName), err)
		}
		f, err := a.file("lib/"+m+".py", m+".py", src, mpyVersion)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// leftOut tells what never goes onto a module.
func (a *App) leftOut(rel string) bool {
	base := path.Base(rel)
	if strings.HasPrefix(base, ".") || base == "__pycache__" {
		return true
	}
	if a.Plain {
		return false
	}
	if rel == ConfigName || rel == "tests" || strings.EqualFold(base, "README.md") {
		return true
	}
	for _, pattern := range a.Config.Build.Exclude {
		if ok, _ := path.Match(pattern, rel); ok {
			return true
		}
	}
	return false
}

// file makes one file for the flash of one of the directory.
func (a *App) file(rel, from string, data []byte, mpyVersion int) (File, error) {
	f := File{Path: rel, Data: data, From: from, Secure: strings.HasPrefix(rel, "cert/") && strings.HasSuffix(rel, ".key")}
	if a.Plain || !strings.HasSuffix(rel, ".py") || rel == "main.py" {
		return f, nil
	}
	m, err := compiler.Compile(data, path.Base(rel), compiler.CrossOptions(mpyVersion))
	if err != nil {
		return f, fmt.Errorf("%s: %w", from, err)
	}
	f.Data, err = mpy.Write(m)
	f.Path = strings.TrimSuffix(rel, ".py") + ".mpy"
	return f, err
}
