// Package deploy brings an application onto a module through its serial port, as
// one transaction: stop what runs, upload what changed beside what is there, check
// it, put it in its place by renaming, bundle, start it, and wait for its first
// words.
//
// The application on the module is the old one until every new file is there and
// whole; then, for as long as the renaming takes, nothing starts by itself; then
// it is the new one. Cut off at any byte, the same deployment can be run again and
// goes on where it was. main.py is never there in part.
//
// It only sees files and a link; what an application's files are, it is told.
package deploy

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/host/files"
	"github.com/skep-sim/skep/internal/host/link"
	"github.com/skep-sim/skep/internal/world"
)

// File is one file of the application.
type File struct {
	Path   string // below /flash: lib/umqtt.mpy
	Data   []byte
	Secure bool // stored so that nobody can read it back
}

// Bundling says what becomes of the module's bundle.
type Bundling int

const (
	// KeepBundle leaves it as it is: the application sees to it, or has none.
	KeepBundle Bundling = iota
	// NoBundle erases it.
	NoBundle
	// MakeBundle bundles Options.Bundle.
	MakeBundle
)

// Restart is how the application is started.
type Restart int

const (
	// Soft restarts the interpreter; the modem stays registered.
	Soft Restart = iota
	// Reset shuts the modem down cleanly, if the firmware can, and resets the module.
	Reset
	// Stay does not start it.
	Stay
)

// Options are what a deployment is to do.
type Options struct {
	Files    []File
	Bundling Bundling
	Bundle   []string // paths of .mpy files, in the order they are bundled
	// Prune decides whether files that the application does not have are removed;
	// nil leaves them.
	Prune func(stale []Stale) (bool, error)
	// KeepAutostart leaves ATPS as it was; else it is 1 afterwards.
	KeepAutostart bool
	Restart       Restart
	Wait          time.Duration // for the program's first line
	// Clock is the link's.
	Clock world.Clock
	// Log takes what is being done, in words; Progress how far an upload is. Both
	// may be nil.
	Log      func(text string)
	Progress func(path string, done, total int64)
}

// Result is what a deployment has done.
type Result struct {
	Uploaded  []string `json:"uploaded"`
	Unchanged int      `json:"unchanged"`
	Removed   []string `json:"removed"`
	Left      []Stale  `json:"left"`            // on the module, and not of the application
	Bytes     int64    `json:"bytes"`           // of files that were uploaded
	Seconds   float64  `json:"seconds"`         // that the uploads took
	Bundled   []string `json:"bundled"`         // nil: it was left as it was
	Output    []string `json:"output"`          // the program's first lines
	Total     float64  `json:"totalSeconds"`    // from beginning to end
	Resumed   int      `json:"resumed"`         // files that an interrupted deployment had uploaded
	Reset     bool     `json:"reset,omitempty"` // the program could be stopped by a reset only
}

// Plan is what would be done.
type Plan struct {
	Upload    []File  `json:"-"`
	Unchanged []File  `json:"-"`
	Stale     []Stale `json:"stale"`
	Staged    int     `json:"staged"` // of Upload, those that are on the module already
	// Bundle tells whether the bundle has to be made.
	Bundle bool `json:"bundle"`
	// InPlace: there is no room for old and new files side by side, or the firmware
	// cannot rename, so the old ones are replaced one by one.
	InPlace bool `json:"inPlace"`

	staged map[string]bool
	dirs   map[string]bool // that are there, in lower case
	record record
}

// StartError is a program that ended with an exception when it was started, or
// restarts for ever. Everything of the deployment itself is done.
type StartError struct{ Output []string }

func (e *StartError) Error() string {
	return "the application was deployed and does not run; it says:\n    " + strings.Join(e.Output, "\n    ")
}

// BundleError is a bundle that the module did not make as asked.
type BundleError struct {
	Want, Got []string
	Output    string // the module's own words
}

func (e *BundleError) Error() string {
	return fmt.Sprintf("the module has bundled [%s] and not [%s]; an empty name is a module that failed. The bundle is erased again and autostart is off. The module says:\n    %s\nLeave a module out with --bundle, or make one smaller: skep mem shows what fits",
		list(e.Got), list(e.Want), strings.ReplaceAll(strings.TrimSpace(e.Output), "\n", "\n    "))
}

func list(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = "'" + n + "'"
	}
	return strings.Join(quoted, ", ")
}

// deployment is one that is under way.
type deployment struct {
	s    *link.Session
	fs   *files.FS
	o    Options
	plan *Plan
	ps   uint64  // ATPS as it was found
	gone []Stale // is to be removed
	r    Result
}

// stage is where files wait until all of them are there.
const stage = "skep-stage"

// Make makes the plan of a deployment, and changes nothing on the module.
func Make(s *link.Session, o Options) (*Plan, error) {
	d, err := begin(s, o)
	if err != nil {
		return nil, err
	}
	if err := d.compare(); err != nil {
		return nil, err
	}
	return d.plan, nil
}

func begin(s *link.Session, o Options) (*deployment, error) {
	d := &deployment{s: s, o: o, r: Result{Uploaded: []string{}, Removed: []string{}, Left: []Stale{}, Output: []string{}}}
	seen := map[string]bool{}
	for _, f := range o.Files {
		if err := files.Check(f.Path); err != nil {
			return nil, err
		}
		if low := strings.ToLower(f.Path); seen[low] {
			return nil, fmt.Errorf("%s: the application has two files of that name; the module takes no notice of case", f.Path)
		} else if low == stage || strings.HasPrefix(low, stage+"/") || low == recordName {
			return nil, fmt.Errorf("%s: deploying itself uses this name on the module: rename the file", f.Path)
		} else {
			seen[low] = true
		}
	}
	var err error
	d.fs, err = files.Open(s)
	return d, err
}

// Run deploys. An error says what state the module is in, and what to do.
func Run(s *link.Session, o Options) (*Result, error) {
	began := world.Uptime(o.Clock)
	d, err := begin(s, o)
	if err != nil {
		return nil, err
	}
	if d.ps, err = s.Number("PS"); err != nil {
		return nil, err
	}
	for _, step := range []func() error{d.stop, d.compare, d.pruning, d.upload} {
		if err := step(); err != nil {
			after := "which starts with the next reset"
			if d.r.Reset {
				after = "with autostart off (ATPS), since it could not be stopped otherwise"
			}
			return &d.r, fmt.Errorf("%w\nThe module has its old application still, %s; run this again", err, after)
		}
	}
	for _, step := range []func() error{d.commit, d.bundle, d.finish} {
		if err := step(); err != nil {
			var b *BundleError
			if errors.As(err, &b) {
				return &d.r, err
			}
			return &d.r, fmt.Errorf("%w\nSome files are new already, so nothing starts by itself: run this again", err)
		}
	}
	if err = d.note(); err == nil {
		err = d.start()
	}
	d.r.Total = (world.Uptime(o.Clock) - began).Seconds()
	var failed *StartError
	if err != nil && !errors.As(err, &failed) {
		err = fmt.Errorf("the application is deployed; starting it: %w", err)
	}
	return &d.r, err
}

func (d *deployment) log(format string, args ...any) {
	if d.o.Log != nil {
		d.o.Log(fmt.Sprintf(format, args...))
	}
}

// stop stops what runs, for now: a module that loses its power comes back with its
// old program.
func (d *deployment) stop() error {
	d.log("stopping the program")
	if err := d.s.Set("PS", 0); err != nil {
		return err
	}
	var refused *link.CommandError
	if err := d.s.Do("PY^"); err != nil && !errors.As(err, &refused) {
		return err
	}
	err := d.fresh()
	if !errors.Is(err, link.ErrStubborn) {
		return err
	}
	d.log("it cannot be interrupted: switching autostart off and resetting the module")
	d.r.Reset = true
	if err := d.savePS(0); err != nil {
		return err
	}
	if err := d.s.ResetModule(); err != nil {
		return err
	}
	return d.fresh()
}

// fresh goes to the prompt, and restarts the interpreter there, so that its heap
// is empty and files and sockets are closed.
func (d *deployment) fresh() error {
	if err := d.s.Prompt(); err != nil {
		return err
	}
	if err := d.s.SoftReset(); err != nil {
		return err
	}
	return d.s.PutBack("AP")
}

// saveTries is how often a setting is saved that a reset has undone in between.
const saveTries = 3

// savePS makes autostart what it is to be after a reset, too. Everything else is
// as it was found when the settings are saved.
func (d *deployment) savePS(value uint64) error {
	for range saveTries {
		if err := d.s.Set("PS", value); err != nil {
			return err
		}
		d.s.Keep("PS")
		if err := d.s.Restore(); err != nil {
			return err
		}
		if err := d.s.Do("WR"); err != nil {
			return err
		}
		if now, err := d.s.Number("PS"); err != nil || now == value {
			return err
		}
	}
	return errors.New("the module resets again and again: check its power supply")
}

// stageName is where a file waits. Its name is its content's, so that a later
// deployment finds it.
func stageName(f File) string {
	sum := sha256.Sum256(f.Data)
	name := fmt.Sprintf("%x", sum[:16])
	if f.Secure {
		name += "s"
	}
	return stage + "/" + name
}

// upload puts what changed into the stage.
func (d *deployment) upload() error {
	if d.plan.InPlace || len(d.plan.Upload) == 0 {
		return nil
	}
	if !d.plan.dirs[stage] {
		if err := d.fs.Mkdir(stage); err != nil {
			return err
		}
		d.plan.dirs[stage] = true
	}
	there := map[string]bool{}
	for _, f := range d.plan.Upload {
		name := stageName(f)
		if there[name] { // two files with the same content
			name = name + path.Base(f.Path)
		}
		there[name] = true
		if d.plan.staged[name] {
			d.r.Resumed++
			d.r.Uploaded = append(d.r.Uploaded, f.Path)
			continue
		}
		if err := d.put(name, f); err != nil {
			return err
		}
	}
	return nil
}

func (d *deployment) put(name string, f File) error {
	began := world.Uptime(d.o.Clock)
	var progress files.Progress
	if d.o.Progress != nil {
		progress = func(done, total int64) { d.o.Progress(f.Path, done, total) }
	}
	if err := d.fs.Put(name, f.Data, f.Secure, progress); err != nil {
		return fmt.Errorf("uploading %s: %w", f.Path, err)
	}
	d.r.Seconds += (world.Uptime(d.o.Clock) - began).Seconds()
	d.r.Bytes += int64(len(f.Data))
	d.r.Uploaded = append(d.r.Uploaded, f.Path)
	return nil
}
