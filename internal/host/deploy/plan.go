package deploy

import (
	"crypto/sha256"
	"fmt"
	"path"
	"strings"

	"github.com/skep-sim/skep/internal/host/files"
)

// Stale is a file on the module that the application does not have.
type Stale struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	Remove bool   `json:"remove"` // if asked to; the others are never removed
	Why    string `json:"why"`
}

// block is how flash is given out, in bytes, and spare what is left free.
const (
	block = 512
	spare = 8 << 10
)

// count is a number of things.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// compare finds out what has to be done.
func (d *deployment) compare() error {
	d.log("comparing %s", count(len(d.o.Files), "file"))
	all, err := d.fs.Walk(files.Root)
	if err != nil {
		return err
	}
	p := &Plan{staged: map[string]bool{}, dirs: map[string]bool{}}
	d.plan = p
	have := map[string]files.Entry{}
	for _, e := range all {
		if e.Dir {
			p.dirs[strings.ToLower(e.Name)] = true
		}
		have[strings.ToLower(e.Name)] = e
	}
	if _, ok := have[recordName]; ok {
		if p.record, err = d.readRecord(); err != nil {
			return err
		}
	}
	room, freed := int64(0), int64(0) // for what is not uploaded yet; by what it replaces
	for _, f := range d.o.Files {
		e, ok := have[strings.ToLower(f.Path)]
		if ok && e.Dir {
			return fmt.Errorf("%s: there is a directory of that name on the module: remove it with skep fs rm -r", f.Path)
		}
		if ok {
			same, err := d.same(f, e)
			if err != nil {
				return err
			}
			if same {
				p.Unchanged = append(p.Unchanged, f)
				continue
			}
		}
		p.Upload = append(p.Upload, f)
		if ok {
			freed += blocks(e.Size)
		}
		name := d.staged(f)
		if e, ok := have[name]; ok && !e.Dir {
			if p.staged[name], err = d.same(File{name, f.Data, f.Secure}, e); err != nil {
				return err
			}
		}
		if p.staged[name] {
			p.Staged++
		} else {
			room += blocks(int64(len(f.Data)))
		}
	}
	p.Stale = d.stale(all)
	if p.Bundle, err = d.mustBundle(); err != nil {
		return err
	}
	if len(p.Upload) == 0 {
		return nil
	}
	info, err := d.fs.Info()
	if err != nil {
		return err
	}
	p.InPlace = info.Free < room+spare || !d.fs.Can("MV")
	if have := info.Free + freed; p.InPlace && have < room {
		return fmt.Errorf("%d bytes are to be uploaded and the module's flash has %d for them: leave files at home with [build] exclude, or make room with skep fs rm", room, have)
	}
	return nil
}

// blocks is what a file takes on the flash.
func blocks(size int64) int64 { return (size + block - 1) / block * block }

// same tells whether the module has a file as it should be.
func (d *deployment) same(f File, e files.Entry) (bool, error) {
	if e.Size != int64(len(f.Data)) || e.Secure != f.Secure {
		return false, nil
	}
	sum, err := d.fs.Hash(f.Path)
	return sum == sha256.Sum256(f.Data), err
}

// stale lists what the application does not have. docs/deploy.md has the rules.
func (d *deployment) stale(all []files.Entry) []Stale {
	mine := map[string]bool{}
	modules := map[string]string{}
	for _, f := range d.o.Files {
		low := strings.ToLower(f.Path)
		mine[low] = true
		if ext := path.Ext(low); ext == ".mpy" || ext == ".py" {
			modules[strings.TrimSuffix(low, ext)] = f.Path
		}
	}
	var list []Stale
	for _, e := range all {
		low := strings.ToLower(e.Name)
		if e.Dir || mine[low] || low == recordName || strings.HasPrefix(low, stage+"/") {
			continue
		}
		s := Stale{Path: e.Name, Size: e.Size, Remove: true}
		ext := path.Ext(low)
		other, beside := modules[strings.TrimSuffix(low, ext)]
		switch {
		case (ext == ".py" || ext == ".mpy") && beside:
			s.Why = "it is imported in place of " + other
			if ext == ".mpy" {
				s.Why = "it is what " + other + " was compiled to once"
			}
		case d.plan.record.files[low] != "":
			s.Why = "an earlier version of the application had it"
		case strings.HasPrefix(low, "cert/"):
			s.Remove, s.Why = false, "certificates and keys that were not deployed stay"
		case ext == ".py" || ext == ".mpy":
			s.Why = "it is a module that the application does not have"
		default:
			s.Remove, s.Why = false, "it was not deployed, so it is the program's data"
		}
		list = append(list, s)
	}
	return list
}
