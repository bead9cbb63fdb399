package deploy

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/host/link"
)

// bundleTime is how long bundling may take: a minute was never seen.
const bundleTime = 3 * time.Minute

// moduleName is the name that a bundled file has.
func moduleName(p string) string { return strings.TrimSuffix(path.Base(p), path.Ext(p)) }

// mustBundle tells whether the bundle is another one than it should be. Its hash
// cannot be computed here; the record has what it was when these files were
// bundled.
func (d *deployment) mustBundle() (bool, error) {
	if d.o.Bundling == KeepBundle {
		return false, nil
	}
	hash, err := d.bundleHash()
	if err != nil {
		return false, err
	}
	if d.o.Bundling == NoBundle {
		return hash != "", nil
	}
	what, err := d.bundled()
	if err != nil {
		return false, err
	}
	r := d.plan.record
	return hash == "" || r.bundleHash != hash || !slices.Equal(r.bundled, what), nil
}

// bundled are the files of the bundle with the hashes of their content, as the
// record has them.
func (d *deployment) bundled() ([]string, error) {
	var what []string
	for _, name := range d.o.Bundle {
		i := slices.IndexFunc(d.o.Files, func(f File) bool { return strings.EqualFold(f.Path, name) })
		if i < 0 {
			return nil, fmt.Errorf("%s is to be bundled and is no file of the application", name)
		}
		what = append(what, fmt.Sprintf("%s:%x", name, sha256.Sum256(d.o.Files[i].Data)))
	}
	return what, nil
}

// bundleHash is what ATPYB says of the bundle; "" is none.
func (d *deployment) bundleHash() (string, error) {
	text, err := d.s.Command("PYB")
	var refused *link.CommandError
	if errors.As(err, &refused) {
		return "unknown", nil // its firmware does not tell: bundle again
	}
	if err != nil {
		return "", err
	}
	_, rest, ok := strings.Cut(text, "bytecode: ")
	size, rest, _ := strings.Cut(rest, " ")
	_, hash, found := strings.Cut(rest, "hash=")
	hash, _, _ = strings.Cut(hash, ")")
	switch {
	case !ok || !found:
		return "unknown", nil
	case size == "0":
		return "", nil
	}
	return hash, nil
}

// bundleTries is how often bundling is tried that a reset has cut short.
const bundleTries = 3

// bundle makes the bundle, or erases it, and looks what came of it.
func (d *deployment) bundle() error {
	if !d.plan.Bundle {
		return nil
	}
	if err := d.savePS(0); err != nil { // it restarts the interpreter
		return err
	}
	want := []string{}
	if d.o.Bundling == MakeBundle {
		for _, p := range d.o.Bundle {
			want = append(want, moduleName(p))
		}
		d.log("bundling %s", count(len(want), "module"))
	}
	failed := &BundleError{Want: want}
	for range bundleTries {
		if err := d.fresh(); err != nil {
			return err
		}
		if err := d.s.Prompt(); err != nil {
			return err
		}
		erased, err := d.erase(failed)
		if err != nil {
			return err
		}
		if erased && len(want) > 0 {
			if failed.Output, err = d.s.ExecLong(bundleCall(d.o.Bundle), bundleTime); err != nil {
				return err
			}
			if failed.Got, err = d.bundleList(); err != nil {
				return err
			}
		}
		if erased && slices.Equal(failed.Got, want) {
			d.r.Bundled = want
			return d.s.PutBack("AP")
		}
		if len(failed.Got) > 0 && erased { // tried and failed, not cut short
			break
		}
	}
	if _, err := d.s.Exec("uos.bundle(None)"); err != nil {
		return err
	}
	return failed
}

// bundleCall is what is typed.
func bundleCall(paths []string) string {
	args := make([]string, len(paths))
	for i, p := range paths {
		args[i] = "'/flash/" + p + "'"
	}
	return "uos.bundle(" + strings.Join(args, ",") + ")"
}

// erase erases the bundle and makes sure that nothing is left: what is there
// afterwards is then of the files that were bundled, and no others.
func (d *deployment) erase(failed *BundleError) (bool, error) {
	for _, line := range []string{"import uos", "uos.bundle(None)"} {
		out, err := d.s.Exec(line)
		if err != nil {
			return false, err
		}
		failed.Output = out
	}
	var err error
	failed.Got, err = d.bundleList()
	return len(failed.Got) == 0, err
}

// bundleList asks for what is bundled.
func (d *deployment) bundleList() ([]string, error) {
	if _, err := d.s.Exec("import uos"); err != nil {
		return nil, err
	}
	out, err := d.s.Exec("uos.bundle()")
	if err != nil {
		return nil, err
	}
	inside, ok := strings.CutPrefix(strings.TrimSpace(out), "[")
	inside, closed := strings.CutSuffix(inside, "]")
	if !ok || !closed {
		return nil, fmt.Errorf("the module's answer to uos.bundle() is %q, and no list", out)
	}
	var names []string
	for item := range strings.SplitSeq(inside, ", ") {
		if item != "" {
			names = append(names, strings.Trim(item, "'\""))
		}
	}
	return names, nil
}
