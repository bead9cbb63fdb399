package deploy

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/skep-sim/skep/internal/host/files"
)

// isMain tells the program from its modules; it goes last.
func isMain(p string) bool {
	return strings.EqualFold(p, "main.py") || strings.EqualFold(p, "main.mpy")
}

// commit puts what was uploaded in its place, and removes what is to go. Nothing
// starts by itself meanwhile, whatever happens.
func (d *deployment) commit() error {
	if len(d.plan.Upload) == 0 && len(d.gone) == 0 {
		d.log("every file is as it should be")
		d.r.Unchanged = len(d.plan.Unchanged)
		return d.clean()
	}
	if err := d.savePS(0); err != nil {
		return err
	}
	if d.plan.InPlace && d.plan.dirs[stage] { // the room is needed
		if err := d.clean(); err != nil {
			return err
		}
	}
	order := slices.Clone(d.plan.Upload)
	slices.SortStableFunc(order, func(a, b File) int {
		x, y := isMain(a.Path), isMain(b.Path)
		switch {
		case x == y:
			return cmp.Compare(a.Path, b.Path)
		case x:
			return 1
		}
		return -1
	})
	if err := d.remove(d.gone); err != nil {
		return err
	}
	for _, f := range order {
		if err := d.mkdirs(path.Dir(f.Path)); err != nil {
			return err
		}
		if err := d.place(f); err != nil {
			return err
		}
	}
	d.r.Unchanged = len(d.plan.Unchanged)
	return d.clean()
}

// mkdirs makes the directories above a file.
func (d *deployment) mkdirs(dir string) error {
	if dir == "." || d.plan.dirs[strings.ToLower(dir)] {
		return nil
	}
	if err := d.mkdirs(path.Dir(dir)); err != nil {
		return err
	}
	if err := d.fs.Mkdir(dir); err != nil {
		return err
	}
	d.plan.dirs[strings.ToLower(dir)] = true
	return nil
}

// placeTries is how often a file is put in its place; a garbled command may have
// done something else.
const placeTries = 3

// place puts a file in its place, where it is checked once more.
func (d *deployment) place(f File) error {
	if d.plan.InPlace {
		if err := d.fs.Remove(f.Path); err != nil {
			return err
		}
		return d.put(f.Path, f)
	}
	want := sha256.Sum256(f.Data)
	var err error
	for range placeTries {
		if err = d.fs.Remove(f.Path); err != nil {
			continue
		}
		moved := d.fs.Rename(d.staged(f), f.Path)
		var got [sha256.Size]byte
		if got, err = d.fs.Hash(f.Path); err == nil && got == want {
			return nil
		}
		switch {
		case files.Word(moved) == "ENOENT": // it is in the wrong place, or gone
			if err = d.put(d.staged(f), f); err != nil {
				return err
			}
			d.r.Uploaded = d.r.Uploaded[:len(d.r.Uploaded)-1]
		case moved != nil:
			err = moved
		case err == nil:
			err = fmt.Errorf("%s: the module's hash of it is not the file's", f.Path)
		}
	}
	return fmt.Errorf("putting %s in its place: %w", f.Path, err)
}

// staged is where a file waits. The first of several with the same content has the
// plain name.
func (d *deployment) staged(f File) string {
	name := stageName(f)
	for _, other := range d.plan.Upload {
		if stageName(other) == name {
			if other.Path != f.Path {
				name += path.Base(f.Path)
			}
			break
		}
	}
	return name
}

// pruning finds out what is to be removed.
func (d *deployment) pruning() error {
	var may []Stale
	for _, s := range d.plan.Stale {
		if s.Remove {
			may = append(may, s)
		}
	}
	yes := false
	if len(may) > 0 && d.o.Prune != nil {
		var err error
		if yes, err = d.o.Prune(may); err != nil {
			return err
		}
	}
	for _, s := range d.plan.Stale {
		if !yes || !s.Remove {
			d.r.Left = append(d.r.Left, s)
		}
	}
	if yes {
		d.gone = may
	}
	return nil
}

func (d *deployment) remove(list []Stale) error {
	dirs := map[string]bool{}
	for _, s := range list {
		d.log("removing %s: %s", s.Path, s.Why)
		if err := d.fs.Remove(s.Path); err != nil {
			return err
		}
		d.r.Removed = append(d.r.Removed, s.Path)
		for dir := path.Dir(s.Path); dir != "."; dir = path.Dir(dir) {
			dirs[dir] = true
		}
	}
	// Directories that this has emptied, the innermost first.
	for _, dir := range slices.Backward(slices.Sorted(maps.Keys(dirs))) {
		if dir == "lib" || dir == "cert" || d.needed(dir) {
			continue
		}
		if err := d.fs.Remove(dir); err == nil {
			delete(d.plan.dirs, strings.ToLower(dir))
		} else if files.Word(err) == "" { // not empty is no failure
			return err
		}
	}
	return nil
}

// needed tells whether the application has files in a directory.
func (d *deployment) needed(dir string) bool {
	return slices.ContainsFunc(d.o.Files, func(f File) bool { return strings.HasPrefix(strings.ToLower(f.Path), strings.ToLower(dir)+"/") })
}

// clean removes the stage with what an earlier deployment may have left there.
func (d *deployment) clean() error {
	if !d.plan.dirs[stage] {
		return nil
	}
	list, err := d.fs.List(stage)
	if files.Word(err) == "ENOENT" {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range list {
		if err := d.fs.Remove(stage + "/" + e.Name); err != nil {
			return err
		}
	}
	delete(d.plan.dirs, stage)
	return d.fs.Remove(stage)
}
