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
	// Module is the module that the application is for, if the command line does
	// not name one.
	Module struct {
		Model    string `toml:"model"`
		Firmware string `toml:"firmware"`
	} `toml:"module"`
	Build struct {
		// Modules that ship with skep and go into /flash/lib.
		Modules []string `toml:"modules"`
		// Exclude are patterns of files that stay at home.
		Exclude []string `toml:"exclude"`
		// Secure are patterns of files that a module shall not give back, besides
		// cert/*.key.
		Secure []string `toml:"secure"`
	} `toml:"build"`
	// Budget is what must stay free of the heap when the program is loaded, in
	// bytes, and how much of it in one piece; 0: as the commands have it.
	Budget struct {
		Room  int `toml:"room"`
		Piece int `toml:"piece"`
	} `toml:"budget"`
	Check struct {
		// Ignore are rules of skep check that do not count for the application.
		Ignore []string `toml:"ignore"`
	} `toml:"check"`
	Cloud Cloud `toml:"cloud"`
}

// Cloud is what the local AWS IoT does for the application.
type Cloud struct {
	// Thing is the thing's name; empty: the application does not use AWS.
	Thing string `toml:"thing"`
	// Type is the thing's type, which a policy may ask for.
	Type string `toml:"type"`
	// Policy is the file, next to skep.toml, with the policy of the thing's
	// certificate; empty: it may do everything. It stays at home.
	Policy string `toml:"policy"`
	// PolicyText is what that file holds.
	PolicyText []byte `toml:"-"`
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
	// Source is the same for a record that must not depend on where the
	// application lies: the path below its directory, or skep:NAME for a module that
	// ships with skep.
	Source string
	// Text is the source that Data was compiled from; nil: Data is as it was.
	Text []byte
}

// A Compiler makes a .mpy file of a module's source. name goes into tracebacks.
type Compiler func(source []byte, name string) ([]byte, error)

// Cross is the compiler for a version of the .mpy format.
func Cross(mpyVersion int) Compiler {
	return func(source []byte, name string) ([]byte, error) {
		m, err := compiler.Compile(source, name, compiler.CrossOptions(mpyVersion))
		if err != nil {
			return nil, err
		}
		return mpy.Write(m)
	}
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
	if isBuilt(dir) {
		return nil, fmt.Errorf("%s was made by skep build: what goes onto the module is in %s", dir, filepath.Join(dir, "flash"))
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
	where := filepath.Join(dir, ConfigName)
	d := toml.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&a.Config); err != nil {
		return nil, explainTOML(where, err)
	}
	if err := a.Config.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	if c := &a.Config.Cloud; c.Policy != "" {
		if c.PolicyText, err = a.read(filepath.Join(dir, c.Policy)); err != nil {
			return nil, fmt.Errorf("%s, [cloud] policy: %w", where, err)
		}
	}
	return a, nil
}

// check says what the form of TOML does not.
func (c *Config) check() error {
	if n := c.App.Name; n != "" && (len(n) > 64 || strings.Trim(n, nameChars) != "" || n[0] == '.') {
		return fmt.Errorf("[app] name: %q is no name for a directory of state: use up to 64 letters, digits, and . - _", n)
	}
	if c.Budget.Room < 0 || c.Budget.Piece < 0 {
		return errors.New("[budget]: room and piece are numbers of bytes, 0 or more")
	}
	for _, list := range []struct {
		key      string
		patterns []string
	}{{"exclude", c.Build.Exclude}, {"secure", c.Build.Secure}} {
		for _, pattern := range list.patterns {
			if _, err := path.Match(pattern, ""); err != nil {
				return fmt.Errorf("[build] %s: %q is no pattern: use * ? [a-z], and \\ before one that stands for itself", list.key, pattern)
			}
		}
	}
	return nil
}

const nameChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

// explainTOML makes one line of an error, with its place in the file.
func explainTOML(where string, err error) error {
	var de *toml.DecodeError
	var strict *toml.StrictMissingError
	unknown := errors.As(err, &strict) && len(strict.Errors) > 0
	if unknown {
		de = &strict.Errors[0]
	} else if !errors.As(err, &de) {
		return fmt.Errorf("%s: %w", where, err)
	}
	line, column := de.Position()
	key := strings.Join(de.Key(), ".")
	if unknown {
		return fmt.Errorf("%s:%d:%d: there is no setting %s: correct or remove it", where, line, column, key)
	}
	text := strings.TrimPrefix(de.Error(), "toml: ")
	// The library names the Go type, which tells nobody here anything.
	if what, _, ok := strings.Cut(text, " into "); ok && key != "" {
		text = key + ": " + strings.Replace(what, "cannot decode TOML", "this cannot be a TOML", 1)
	}
	return fmt.Errorf("%s:%d:%d: %s", where, line, column, text)
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
func (a *App) Files(mpyVersion int) ([]File, error) { return a.FilesBy(Cross(mpyVersion)) }

// FilesBy is Files with another compiler.
func (a *App) FilesBy(compile Compiler) ([]File, error) {
	return a.files(func(f File, rel string) (File, error) { return a.compiled(f, rel, compile) })
}

// Sources returns what Files does with nothing compiled.
func (a *App) Sources() ([]File, error) {
	return a.files(func(f File, _ string) (File, error) { return f, nil })
}

// files gathers the files, each as made makes it.
func (a *App) files(made func(f File, rel string) (File, error)) ([]File, error) {
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
		if a.leftOut(rel) || entry.IsDir() && isBuilt(p) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entry.IsDir() {
			return nil
		}
		if len(files) == maxFiles {
			return fmt.Errorf("%s holds more than %d files: give the directory of one application", a.Dir, maxFiles)
		}
		data, err := a.read(p)
		if err != nil {
			return err
		}
		f := a.newFile(rel, p, data)
		f.Source = rel
		f, err = made(f, rel)
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
		rel := "lib/" + m + ".py"
		f := a.newFile(rel, "[build] modules: "+m, src)
		f.Source = ShippedPrefix + m
		f, err = made(f, rel)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	from := map[string]string{}
	for _, f := range files {
		if other, ok := from[f.Path]; ok {
			return nil, fmt.Errorf("%s and %s both make %s on the module: remove one of them", other, f.From, f.Path)
		}
		from[f.Path] = f.From
	}
	return files, nil
}

// What a directory may hold before it is taken for the wrong one. The module's
// flash has room for far less.
const (
	maxFiles = 2000
	maxBytes = 8 << 20
)

// read reads a file, if it is one: a pipe would keep us waiting for ever.
func (a *App) read(p string) ([]byte, error) {
	st, err := os.Stat(p)
	way := "move it away"
	if !a.Plain {
		way += ", or leave it at home with [build] exclude in " + ConfigName
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %s", err, way)
	case !st.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no ordinary file: %s", p, way)
	case st.Size() > maxBytes:
		return nil, fmt.Errorf("%s has %d bytes, more than any module's flash: %s", p, st.Size(), way)
	}
	return os.ReadFile(p)
}

// leftOut tells what never goes onto a module.
func (a *App) leftOut(rel string) bool {
	base := path.Base(rel)
	if strings.HasPrefix(base, ".") || base == "__pycache__" || matchesOne(ofEditors(), base) {
		return true
	}
	if a.Plain {
		return false
	}
	if rel == ConfigName || rel == path.Clean(filepath.ToSlash(a.Config.Cloud.Policy)) || rel == "tests" || strings.EqualFold(base, "README.md") {
		return true
	}
	return matchesOne(a.Config.Build.Exclude, rel)
}

// ofEditors are patterns of what editors leave beside a file while it is open or saved:
// copies of nano, Emacs and vim, and those of JetBrains.
func ofEditors() []string {
	return []string{"*~", "#*#", "*.swp", "*.swo", "*___jb_tmp___", "*___jb_old___"}
}

// ShippedPrefix begins File.Source of a module that ships with skep.
const ShippedPrefix = "skep:"

func (a *App) newFile(rel, from string, data []byte) File {
	lower := strings.ToLower(rel) // as the module's file system compares names
	secure := strings.HasPrefix(lower, "cert/") && strings.HasSuffix(lower, ".key")
	return File{Path: rel, Data: data, From: from, Secure: secure || matchesOne(a.Config.Build.Secure, rel)}
}

// ManifestName is the file that makes a directory an output of skep build.
const ManifestName = "skep-manifest.json"

// isBuilt reports whether a directory is such an output, which is no part of the
// application.
func isBuilt(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, ManifestName))
	return err == nil
}

func matchesOne(patterns []string, rel string) bool {
	for _, pattern := range patterns {
		if ok, _ := path.Match(pattern, rel); ok {
			return true
		}
	}
	return false
}

// compiled makes a .mpy file of a module's source.
func (a *App) compiled(f File, rel string, compile Compiler) (File, error) {
	if a.Plain || !strings.HasSuffix(rel, ".py") || rel == "main.py" {
		return f, nil
	}
	data, err := compile(f.Data, path.Base(rel))
	if err != nil {
		return f, fmt.Errorf("%s: %w", f.From, err)
	}
	f.Text, f.Data, f.Path = f.Data, data, strings.TrimSuffix(rel, ".py")+".mpy"
	return f, nil
}
