package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/host/build"
	"github.com/skep-sim/skep/internal/host/deploy"
	"github.com/skep-sim/skep/internal/host/link"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// deployCmd is skep deploy.
type deployCmd struct {
	portFlags
	profileFlags
	Bundle      string        `help:"What to bundle: auto (every module, unless main.py does it, by uos.bundle() or boot.bundle()), all, none (erase the bundle), keep, or modules in order: umqtt,app." default:"auto" placeholder:"WHAT"`
	Prune       bool          `help:"Remove from the module what the application does not have, without asking. Data and certificates that were not deployed stay."`
	Restart     string        `help:"How to start it: soft restarts the interpreter, reset shuts the modem down and resets the module, none leaves it at the prompt." enum:"soft,reset,none" default:"soft"`
	NoAutostart bool          `name:"no-autostart" help:"Leave ATPS as it is, in place of having main.py start at power-on."`
	Wait        time.Duration `help:"How long to wait for the program's first line." default:"30s" placeholder:"TIME"`
	DryRun      bool          `name:"dry-run" help:"Only say what would be done: nothing is stopped or changed."`
	Watch       bool          `help:"Stay, and deploy again whenever a file of the application is saved."`
	JSON        bool          `name:"json" help:"Print what was done as JSON."`

	Dir string `arg:"" optional:"" default:"." help:"The application's directory, or the output of skep build. Default: this one."`
}

func (*deployCmd) Help() string {
	return "Example:\n  skep deploy --port /dev/ttyUSB0\n  skep deploy examples/tracker --port /tmp/xbee --dry-run\n\n" +
		"Builds the application, finds the module, stops what runs there, uploads what changed\n" +
		"beside what is there, checks every file by the module's own hash, puts the new files in\n" +
		"place, bundles, and starts the program. Interrupted at any moment, it can be run again:\n" +
		"main.py is the old one or the new one, never a part. docs/deploy.md has all of it."
}

// check looks at the flags by themselves.
func (d *deployCmd) check() error {
	switch {
	case d.Wait < 0:
		return fmt.Errorf("--wait %v: give a time that has not passed", d.Wait)
	case d.Watch && d.DryRun:
		return errors.New("--watch deploys and --dry-run does not: leave one away")
	}
	return nil
}

func (d *deployCmd) Run() error {
	if err := d.check(); err != nil {
		return err
	}
	if _, err := d.layout("", 0); err != nil { // before the module is bothered
		return err
	}
	if err := d.once(); err != nil || !d.Watch {
		var failed *deploy.StartError
		if !d.Watch || !errors.As(err, &failed) {
			return err
		}
		fmt.Fprintln(os.Stderr, "skep:", err)
	}
	return d.watch()
}

// layout builds the application for a module's firmware, or for the one that the
// flags or the application name.
func (d *deployCmd) layout(firmware string, hardware uint64) (*build.Layout, error) {
	if l, err := build.Open(d.Dir); err == nil {
		if want := mpyVersion(firmware, hardware, l.MpyVersion); firmware != "" && want != l.MpyVersion {
			return nil, fmt.Errorf("%s was built with .mpy version %d and the module's firmware %s reads %d: build it again with --firmware, or deploy the application's own directory", d.Dir, l.MpyVersion, firmware, want)
		}
		return l, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	a, err := app.Open(d.Dir)
	if err != nil {
		return nil, err
	}
	p, err := d.profileFlags.findFor(a)
	if err != nil {
		return nil, err
	}
	version := p.MpyVersion.Value
	if firmware != "" {
		reads := mpyVersion(firmware, hardware, version)
		if reads != version && (d.Profile != "" || d.Firmware != "") {
			return nil, fmt.Errorf("%s makes .mpy files of version %d, and the module's firmware %s reads %d: leave --firmware and --profile out", p.Name, version, firmware, reads)
		}
		version = reads
	}
	return build.Make(a, build.Options{MpyVersion: version})
}

// mpyVersion is what a module's firmware reads: as its profile says, or, if it has
// none, by its feature level, which all families share (device-facts.md 1.2).
func mpyVersion(firmware string, hardware uint64, otherwise int) int {
	model := "ltem"
	if high := hardware >> 8; high == 0x49 || high == 0x4D || high == 0x54 || high == 0x55 {
		model = "cat1"
	}
	if p, err := (&profile.Library{}).Find(model, firmware); err == nil {
		return p.MpyVersion.Value
	}
	var level int
	if n, err := fmt.Sscanf(firmware[max(0, len(firmware)-2):], "%x", &level); n != 1 || err != nil {
		return otherwise
	}
	if level >= 0x16 {
		return 5
	}
	return 4
}

// once deploys, or says what would be.
func (d *deployCmd) once() error {
	return d.with(func(c *connection, s *link.Session) error {
		firmware, err := s.Query("VR")
		if err != nil {
			return err
		}
		hardware, err := s.Number("HV")
		if err != nil {
			return err
		}
		l, err := d.layout(strings.ToUpper(firmware), hardware)
		if err != nil {
			return err
		}
		o, err := d.options(c, l)
		if err != nil {
			return err
		}
		if d.DryRun {
			plan, err := deploy.Make(s, o)
			if err != nil {
				return err
			}
			return d.printPlan(os.Stdout, plan, o)
		}
		bar := newTransferBar(c.clock)
		o.Progress = bar.show
		o.Log = func(text string) {
			bar.end()
			fmt.Fprintln(os.Stderr, "skep: "+text)
		}
		r, err := deploy.Run(s, o)
		bar.end()
		if r != nil && (err == nil || len(r.Uploaded) > 0) {
			if e := d.print(os.Stdout, r, o); err == nil {
				err = e
			}
		}
		return err
	})
}

// options are those of a deployment.
func (d *deployCmd) options(c *connection, l *build.Layout) (deploy.Options, error) {
	o := deploy.Options{Clock: c.clock, Wait: d.Wait, KeepAutostart: d.NoAutostart, Prune: d.prune}
	o.Restart = map[string]deploy.Restart{"soft": deploy.Soft, "reset": deploy.Reset, "none": deploy.Stay}[d.Restart]
	var modules []string
	own := false
	for i := range l.Files {
		f := &l.Files[i]
		o.Files = append(o.Files, deploy.File{Path: f.Local(), Data: f.Data, Secure: f.Secure})
		switch {
		case f.Local() == "main.py":
			own = bundlesItself.Match(f.Data)
		case strings.HasSuffix(f.Path, ".mpy") && f.Local() != "main.mpy":
			modules = append(modules, f.Local())
		}
	}
	switch d.Bundle {
	case "keep":
	case "none":
		o.Bundling = deploy.NoBundle
	case "auto", "all":
		switch {
		case d.Bundle == "auto" && own:
		case d.Bundle == "auto" && (l.Plain || len(modules) == 0):
			o.Bundling = deploy.NoBundle // an old one would be imported in place of new files
		default:
			o.Bundling, o.Bundle = deploy.MakeBundle, modules
		}
	default:
		o.Bundling = deploy.MakeBundle
		for name := range strings.SplitSeq(d.Bundle, ",") {
			p, ok := findModule(modules, strings.TrimSpace(name))
			if !ok {
				return o, fmt.Errorf("--bundle: the application has no module %q that is compiled; it has %s", name, strings.Join(modules, ", "))
			}
			o.Bundle = append(o.Bundle, p)
		}
	}
	return o, nil
}

// bundlesItself tells a main.py that sees to the bundle when it starts.
var bundlesItself = regexp.MustCompile(`(?m)^[^#\n]*\b(?:u?os\.bundle\s*\(\s*[^)\s]|boot\.bundle\s*\()`)

// findModule finds a module by its name or its path.
func findModule(modules []string, name string) (string, bool) {
	for _, m := range modules {
		base := strings.TrimSuffix(filepath.Base(m), ".mpy")
		if m == name || base == strings.TrimSuffix(name, ".mpy") {
			return m, true
		}
	}
	return "", false
}

// prune asks whether what the application does not have is to go.
func (d *deployCmd) prune(stale []deploy.Stale) (bool, error) {
	if d.Prune {
		return true, nil
	}
	fmt.Fprintln(os.Stderr, "skep: on the module, and not in the application:")
	for _, s := range stale {
		fmt.Fprintf(os.Stderr, "  %s (%d bytes): %s\n", s.Path, s.Size, s.Why)
	}
	yes, asked := confirm("Remove them?")
	if !asked {
		fmt.Fprintln(os.Stderr, "skep: they stay; --prune removes them")
	}
	return yes, nil
}

func (d *deployCmd) printPlan(w io.Writer, p *deploy.Plan, o deploy.Options) error {
	if d.JSON {
		type file struct {
			Path   string `json:"path"`
			Size   int    `json:"size"`
			Secure bool   `json:"secure"`
		}
		upload := []file{}
		for _, f := range p.Upload {
			upload = append(upload, file{f.Path, len(f.Data), f.Secure})
		}
		return json.NewEncoder(w).Encode(struct {
			Upload    []file `json:"upload"`
			Unchanged int    `json:"unchanged"`
			*deploy.Plan
		}{upload, len(p.Unchanged), p})
	}
	for _, f := range p.Upload {
		fmt.Fprintf(w, "upload %s (%d bytes%s)\n", f.Path, len(f.Data), map[bool]string{true: ", secure"}[f.Secure])
	}
	for _, s := range p.Stale {
		what := "leave"
		if s.Remove {
			what = "ask about"
			if d.Prune {
				what = "remove"
			}
		}
		fmt.Fprintf(w, "%s %s (%d bytes): %s\n", what, s.Path, s.Size, s.Why)
	}
	if p.Bundle {
		what := "erase the bundle"
		if o.Bundling == deploy.MakeBundle {
			what = "bundle " + strings.Join(o.Bundle, ", ")
		}
		fmt.Fprintln(w, what)
	}
	if p.InPlace && len(p.Upload) > 0 {
		fmt.Fprintln(w, "replace file by file: there is no room for old and new side by side, or the firmware cannot rename")
	}
	_, err := fmt.Fprintf(w, "as they should be: %d of %s\n", len(p.Unchanged), count(len(o.Files), "file"))
	return err
}

func (d *deployCmd) print(w io.Writer, r *deploy.Result, o deploy.Options) error {
	if d.JSON {
		return json.NewEncoder(w).Encode(r)
	}
	for _, p := range r.Uploaded {
		fmt.Fprintln(w, "uploaded", p)
	}
	for _, p := range r.Removed {
		fmt.Fprintln(w, "removed", p)
	}
	line := fmt.Sprintf("%s uploaded and checked, %d as they were", count(len(r.Uploaded), "file"), r.Unchanged)
	if r.Bytes > 0 {
		line += fmt.Sprintf("; %d bytes, %s", r.Bytes, rate(r.Bytes, time.Duration(r.Seconds*float64(time.Second))))
	}
	if r.Resumed > 0 {
		line += fmt.Sprintf("; %d had been uploaded before", r.Resumed)
	}
	fmt.Fprintln(w, line)
	switch {
	case len(r.Bundled) > 0:
		fmt.Fprintln(w, "bundled:", strings.Join(r.Bundled, ", "))
	case r.Bundled != nil:
		fmt.Fprintln(w, "the bundle is erased")
	}
	for _, l := range r.Output {
		if _, err := fmt.Fprintln(w, "> "+l); err != nil {
			return err
		}
	}
	return nil
}

// poll is how often --watch looks at the application's files.
const poll = 300 * time.Millisecond

// watch deploys again whenever something was saved, until an interrupt.
func (d *deployCmd) watch() error {
	seen, err := d.snapshot()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Fprintln(os.Stderr, "skep: waiting for a file to be saved; Ctrl-C ends")
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(poll):
		}
		now, err := d.snapshot()
		if err != nil || now == seen { // in the middle of being saved, perhaps
			continue
		}
		time.Sleep(poll) // an editor may write several
		if seen, err = d.snapshot(); err != nil {
			continue
		}
		if err := d.once(); err != nil {
			fmt.Fprintln(os.Stderr, "skep:", err)
			if errors.Is(err, errInterrupted) {
				return nil
			}
		}
		fmt.Fprintln(os.Stderr, "skep: waiting for a file to be saved; Ctrl-C ends")
	}
}

// snapshot changes when a file does.
func (d *deployCmd) snapshot() (string, error) {
	var b strings.Builder
	err := filepath.WalkDir(d.Dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || p == d.Dir {
			return err
		}
		if strings.HasPrefix(e.Name(), ".") || e.Name() == "__pycache__" {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		i, err := e.Info()
		if err == nil && !e.IsDir() {
			fmt.Fprintf(&b, "%s %d %d\n", p, i.Size(), i.ModTime().UnixNano())
		}
		return err
	})
	return b.String(), err
}
