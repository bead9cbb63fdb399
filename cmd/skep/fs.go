package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/skep-sim/skep/internal/host/files"
	"github.com/skep-sim/skep/internal/host/link"
)

// fsCmd is skep fs.
type fsCmd struct {
	Ls     fsLsCmd     `cmd:"" help:"List a directory of the module."`
	Get    fsGetCmd    `cmd:"" help:"Read a file, or with -r a directory."`
	Put    fsPutCmd    `cmd:"" help:"Write files, with -r directories, and check them by the module's hash."`
	Rm     fsRmCmd     `cmd:"" help:"Remove files, with -r directories."`
	Mkdir  fsMkdirCmd  `cmd:"" help:"Make directories."`
	Hash   fsHashCmd   `cmd:"" help:"SHA-256 of files, as the module computes it."`
	Df     fsDfCmd     `cmd:"" help:"How full the flash is."`
	Format fsFormatCmd `cmd:"" help:"Erase every file."`
}

func (*fsCmd) Help() string {
	return "Example:\n  skep fs ls --port /tmp/xbee\n  skep fs put -p /dev/ttyUSB0 main.py\n\n" +
		"Paths on the module are below /flash: lib/umqtt.mpy. It takes no notice of case. A\n" +
		"secure file (cert/aws.key) can be used and replaced, not read back."
}

// fsFlags are those of every fs command.
type fsFlags struct{ portFlags }

// each does something with the files of a module.
func (f *fsFlags) files(do func(c *connection, s *link.Session, m *files.FS) error) error {
	return f.with(func(c *connection, s *link.Session) error {
		m, err := files.Open(s)
		if err != nil {
			return err
		}
		return do(c, s, m)
	})
}

type fsLsCmd struct {
	fsFlags
	Recursive bool   `short:"r" help:"What is in directories, too."`
	JSON      bool   `name:"json" help:"Print a line of JSON for each."`
	Path      string `arg:"" optional:"" default:"/flash" help:"Directory on the module."`
}

func (*fsLsCmd) Help() string {
	return "Example:\n  skep fs ls lib --port /tmp/xbee\n\nSizes are in bytes; a # marks a secure file."
}

func (l *fsLsCmd) Run() error {
	return l.files(func(_ *connection, _ *link.Session, m *files.FS) error {
		read := m.List
		if l.Recursive {
			read = m.Walk
		}
		list, err := read(l.Path)
		if err != nil {
			return err
		}
		e := json.NewEncoder(os.Stdout)
		for _, f := range list {
			switch {
			case l.JSON:
				err = e.Encode(struct {
					Name   string `json:"name"`
					Dir    bool   `json:"dir"`
					Secure bool   `json:"secure"`
					Size   int64  `json:"size"`
				}(f))
			case f.Dir:
				_, err = fmt.Printf("%8s %s/\n", "", f.Name)
			default:
				_, err = fmt.Printf("%8d %s%s\n", f.Size, f.Name, map[bool]string{true: "#"}[f.Secure])
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

type fsGetCmd struct {
	fsFlags
	Recursive bool   `short:"r" help:"Read a directory with what is in it. Secure files are passed over."`
	Path      string `arg:"" help:"File or directory on the module."`
	To        string `arg:"" optional:"" help:"File or directory here; - is standard output. Default: the name it has there."`
}

func (*fsGetCmd) Help() string {
	return "Example:\n  skep fs get main.py --port /tmp/xbee\n  skep fs get -r /flash backup --port /tmp/xbee"
}

func (g *fsGetCmd) Run() error {
	to := g.To
	if to == "" {
		to = path.Base(g.Path)
	}
	return g.files(func(c *connection, s *link.Session, m *files.FS) error {
		bar := newTransferBar(c.clock)
		defer bar.end()
		get := func(from, to string) error {
			data, err := m.Get(from, func(done, total int64) { bar.show(from, done, total) })
			if err != nil {
				return err
			}
			if to == "-" {
				_, err = os.Stdout.Write(data)
				return err
			}
			return os.WriteFile(to, data, 0o644)
		}
		if !g.Recursive {
			if st, err := os.Stat(to); err == nil && st.IsDir() {
				to = filepath.Join(to, path.Base(g.Path))
			}
			return get(g.Path, to)
		}
		list, err := m.Walk(g.Path)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		for _, f := range list {
			if !filepath.IsLocal(filepath.FromSlash(f.Name)) {
				return fmt.Errorf("%q: the module has a name that leads out of %s", f.Name, to)
			}
			here := filepath.Join(to, filepath.FromSlash(f.Name))
			switch {
			case f.Dir:
				err = os.MkdirAll(here, 0o755)
			case f.Secure:
				bar.end()
				fmt.Fprintf(os.Stderr, "skep: %s is a secure file, which nobody can read\n", f.Name)
			default:
				err = get(path.Join(g.Path, f.Name), here)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

type fsPutCmd struct {
	fsFlags
	Recursive bool     `short:"r" help:"Write directories with what is in them."`
	Secure    bool     `help:"Write secure files, which nobody can read back. Default: those of cert/ that end with .key."`
	To        string   `help:"Directory on the module." default:"/flash" placeholder:"DIR"`
	As        string   `help:"Name on the module, for one file." placeholder:"PATH"`
	Paths     []string `arg:"" name:"path" help:"Files and directories here."`
}

func (*fsPutCmd) Help() string {
	return "Example:\n  skep fs put main.py --port /tmp/xbee\n  skep fs put -r lib cert --port /tmp/xbee\n  skep fs put device.key --as cert/aws.key --secure --port /tmp/xbee\n\n" +
		"A file that the module has already, by its hash, is not sent again."
}

// put is a file to write.
type put struct {
	here, there string
	secure      bool
}

// collect lists what is to be written.
func (p *fsPutCmd) collect() (dirs []string, list []put, err error) {
	add := func(here, there string) error {
		if err := files.Check(there); err != nil {
			return err
		}
		below := strings.TrimPrefix(there, files.Root+"/")
		list = append(list, put{here, there, p.Secure || strings.HasPrefix(below, "cert/") && strings.HasSuffix(below, ".key")})
		return nil
	}
	if p.As != "" && len(p.Paths) != 1 {
		return nil, nil, errors.New("--as names one file: give one")
	}
	for _, here := range p.Paths {
		st, err := os.Stat(here)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: name files and directories here; --to and --as say where they go on the module", err)
		}
		there := path.Join(p.To, filepath.Base(here))
		if abs, err := filepath.Abs(here); err == nil {
			there = path.Join(p.To, filepath.Base(abs)) // also for . and ..
		}
		if p.As != "" {
			there = p.As
		}
		if !st.IsDir() {
			if !st.Mode().IsRegular() {
				return nil, nil, fmt.Errorf("%s is no ordinary file", here)
			}
			if err := add(here, there); err != nil {
				return nil, nil, err
			}
			continue
		}
		if !p.Recursive {
			return nil, nil, fmt.Errorf("%s is a directory: -r writes it with what is in it", here)
		}
		err = filepath.WalkDir(here, func(name string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(here, name)
			if err != nil {
				return err
			}
			if e.Name() == "__pycache__" || rel != "." && strings.HasPrefix(e.Name(), ".") {
				if e.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
			to := path.Join(there, filepath.ToSlash(rel))
			if e.IsDir() {
				dirs = append(dirs, to)
				return nil
			}
			return add(name, to)
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return dirs, list, nil
}

func (p *fsPutCmd) Run() error {
	dirs, list, err := p.collect()
	if err != nil {
		return err
	}
	return p.files(func(c *connection, s *link.Session, m *files.FS) error {
		bar := newTransferBar(c.clock)
		defer bar.end()
		for _, dir := range dirs {
			if err := m.Mkdir(dir); err != nil {
				return err
			}
		}
		for _, f := range list {
			data, err := os.ReadFile(f.here)
			if err != nil {
				return err
			}
			same, err := m.Same(f.there, data, f.secure)
			if err != nil {
				return err
			}
			if same {
				fmt.Printf("%s is there already\n", f.there)
				continue
			}
			began := c.clock.Now()
			if err := m.Put(f.there, data, f.secure, func(done, total int64) { bar.show(f.there, done, total) }); err != nil {
				return err
			}
			bar.end()
			fmt.Printf("%s: %d bytes, %s\n", f.there, len(data), rate(int64(len(data)), c.clock.Now().Sub(began)))
		}
		return nil
	})
}

type fsRmCmd struct {
	fsFlags
	Recursive bool     `short:"r" help:"Remove directories with what is in them."`
	Force     bool     `short:"f" help:"What is not there is no error."`
	Paths     []string `arg:"" name:"path" help:"Files and directories on the module."`
}

func (*fsRmCmd) Help() string {
	return "Example:\n  skep fs rm old.mpy --port /tmp/xbee\n  skep fs rm -r lib/tests --port /tmp/xbee"
}

func (r *fsRmCmd) Run() error {
	return r.files(func(_ *connection, _ *link.Session, m *files.FS) error {
		for _, p := range r.Paths {
			e, err := m.Stat(p)
			if r.Force && files.Word(err) == "ENOENT" {
				continue
			}
			if err != nil {
				return err
			}
			if e.Dir && r.Recursive {
				err = m.RemoveAll(p)
			} else {
				err = m.Remove(p)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

type fsMkdirCmd struct {
	fsFlags
	Paths []string `arg:"" name:"path" help:"Directories on the module."`
}

func (*fsMkdirCmd) Help() string { return "Example:\n  skep fs mkdir data --port /tmp/xbee" }

func (d *fsMkdirCmd) Run() error {
	return d.files(func(_ *connection, _ *link.Session, m *files.FS) error {
		for _, p := range d.Paths {
			if err := m.Mkdir(p); err != nil {
				return err
			}
		}
		return nil
	})
}

type fsHashCmd struct {
	fsFlags
	Paths []string `arg:"" name:"path" help:"Files on the module."`
}

func (*fsHashCmd) Help() string {
	return "Example:\n  skep fs hash main.py cert/aws.key --port /tmp/xbee\n\nIt works on secure files, too: sha256sum of the file here must be the same."
}

func (h *fsHashCmd) Run() error {
	return h.files(func(_ *connection, _ *link.Session, m *files.FS) error {
		for _, p := range h.Paths {
			sum, err := m.Hash(p)
			if err != nil {
				return err
			}
			fmt.Printf("%s  %s\n", hex.EncodeToString(sum[:]), p)
		}
		return nil
	})
}

type fsDfCmd struct {
	fsFlags
	JSON bool `name:"json" help:"Print it as JSON."`
}

func (*fsDfCmd) Help() string { return "Example:\n  skep fs df --port /tmp/xbee" }

func (d *fsDfCmd) Run() error {
	return d.files(func(_ *connection, _ *link.Session, m *files.FS) error {
		i, err := m.Info()
		if err != nil {
			return err
		}
		if d.JSON {
			return json.NewEncoder(os.Stdout).Encode(i)
		}
		_, err = fmt.Printf("%d bytes used, %d free, %d bad, %d in all\n", i.Used, i.Free, i.Bad, i.Total)
		return err
	})
}

type fsFormatCmd struct {
	fsFlags
	Yes bool `short:"y" help:"Do not ask."`
}

func (*fsFormatCmd) Help() string {
	return "Example:\n  skep fs format --yes --port /tmp/xbee\n\n" +
		"Certificates and keys are erased, too; cert and lib are made anew. The bundle and the\n" +
		"settings stay."
}

func (f *fsFormatCmd) Run() error {
	return f.files(func(c *connection, s *link.Session, m *files.FS) error {
		if !f.Yes {
			yes, asked := confirm("Erase every file of the module at " + c.port + ", keys and certificates too?")
			if !asked {
				return errors.New("this erases every file: say --yes")
			}
			if !yes {
				return errors.New("nothing was erased")
			}
		}
		return m.Format()
	})
}
