package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/host/build"
	"github.com/skep-sim/skep/internal/sizing"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// buildCmd is skep build.
type buildCmd struct {
	profileFlags
	roomFlags
	Heap    int    `help:"Bytes of the raw heap region. Default: the firmware's: 32768, or 65536 from level x15 on." placeholder:"BYTES"`
	Options string `help:"Optional features and error wording of the interpreter: xbee, the module's own, or full or bare, as in two builds of upstream's." enum:"xbee,full,bare" default:"xbee"`
	Output  string `short:"o" help:"Directory for what is built. Default: build in the application's." placeholder:"OUT"`
	SVG     string `name:"svg" help:"Draw the budget into a file; - for standard output." placeholder:"FILE"`
	JSON    bool   `name:"json" help:"Print manifest and budget as JSON."`

	Dir string `arg:"" optional:"" default:"." help:"The application's directory. Default: this one."`
}

func (c *buildCmd) Help() string {
	return "Example:\n  skep build examples/tracker -o out\n\n" +
		"Every module but main.py is compiled, for the firmware's version of .mpy; out/flash is then\n" +
		"what belongs on the module, out/skep-manifest.json its list with hashes. What has not changed\n" +
		"is not compiled or written again, and the same application always gives the same bytes.\n" +
		"The exit status is 1 if the program does not fit the module; the output is there nevertheless.\n" +
		"docs/build.md describes it all, and skep.toml."
}

// built is what skep build --json prints.
type built struct {
	Output   string         `json:"output"`
	Manifest build.Manifest `json:"manifest"`
	Compiled []string       `json:"compiled"` // sources
	Reused   []string       `json:"reused"`
	Removed  []string       `json:"removed"`  // below the output
	Unlisted []string       `json:"unlisted"` // likewise, and left alone
	Bytes    int            `json:"bytes"`    // of all files
	Flash    int            `json:"flash"`    // room on the module's flash, in bytes
	Budget   *sizing.Report `json:"budget"`
	Fits     bool           `json:"fits"`
}

func (c *buildCmd) Run(k *kong.Kong) error {
	if err := checkHeap(c.Heap); err != nil {
		return err
	}
	a, err := app.Open(c.Dir)
	if err != nil {
		return err
	}
	a.Plain = false // without skep.toml it is built as with an empty one
	p, err := c.findFor(a)
	if err != nil {
		return err
	}
	room, piece, err := c.room(a)
	if err != nil {
		return err
	}
	out := c.Output
	if out == "" {
		out = filepath.Join(c.Dir, "build")
	}
	b, err := buildApp(a, p, out)
	if err != nil {
		return err
	}
	progress := newProgress(os.Stderr)
	b.Budget, err = measure(a, sizing.Config{
		Profile: p, Features: features(c.Options), HeapBytes: c.Heap, Room: room, Piece: piece, Progress: progress.show,
	})
	progress.end()
	if err != nil {
		return err
	}
	b.Budget.Files = &sizing.FilesUse{Used: b.Bytes, Limit: b.Flash}
	b.Fits = sound(b.Budget) && b.Bytes <= b.Flash
	return c.print(b, a.Name())
}

// features are the interpreter's, if they are not the module's own.
func features(options string) *vm.Options {
	f := deviceFlags{Options: options}
	return f.features()
}

// buildApp builds an application into a directory.
func buildApp(a *app.App, p profile.Profile, out string) (*built, error) {
	previous, err := build.Previous(out)
	if err != nil {
		return nil, err
	}
	l, err := build.Make(a, build.Options{MpyVersion: p.MpyVersion.Value, Previous: previous})
	if err != nil {
		return nil, err
	}
	b := &built{Output: out, Manifest: l.Manifest(), Compiled: []string{}, Reused: []string{}, Flash: flash.Blocks * flash.BlockSize}
	for i := range l.Files {
		f := &l.Files[i]
		b.Bytes += f.Size()
		switch {
		case f.Reused:
			b.Reused = append(b.Reused, f.Source)
		case f.Compiled():
			b.Compiled = append(b.Compiled, f.Source)
		}
	}
	w, err := l.Write(out)
	b.Removed, b.Unlisted = append([]string{}, w.Removed...), append([]string{}, w.Unlisted...)
	var file *fs.PathError
	if errors.As(err, &file) {
		err = fmt.Errorf("%w: name a directory where you can make files with -o", err)
	}
	return b, err
}

// measure measures an application.
func measure(a *app.App, c sizing.Config) (*sizing.Report, error) {
	files, err := a.Sources()
	if err != nil {
		return nil, err
	}
	return sizing.Measure(c, hostFiles(files))
}

// print writes what was asked for.
func (c *buildCmd) print(b *built, name string) error {
	if c.SVG == "-" {
		if _, err := os.Stdout.Write(b.Budget.Draw(name)); err != nil {
			return err
		}
	} else if c.SVG != "" {
		if err := writeFile(c.SVG, b.Budget.Draw(name)); err != nil {
			return fmt.Errorf("--svg %s: %w", filepath.Base(c.SVG), err)
		}
	}
	var err error
	switch {
	case c.JSON:
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		err = e.Encode(b)
	case c.SVG != "-":
		err = b.print(os.Stdout)
	}
	if err == nil && !b.Fits {
		err = exitStatus(1)
	}
	return err
}

// print writes what was built as text.
func (b *built) print(w io.Writer) error {
	var text bytes.Buffer
	width := len("file")
	for _, f := range b.Manifest.Files {
		width = max(width, len(f.Path))
	}
	fmt.Fprintf(&text, "%-*s  %8s  %-16s  from\n", width, "file", "bytes", "SHA-256")
	for _, f := range b.Manifest.Files {
		note := ""
		if f.Secure {
			note = ", secure"
		}
		fmt.Fprintf(&text, "%-*s  %8d  %-16s  %s%s\n", width, f.Path, f.Size, f.SHA256[:16], f.Source, note)
	}
	fmt.Fprintf(&text, "\n%s: %s, %s compiled, %s unchanged\n", b.Output, count(len(b.Manifest.Files), "file"), count(len(b.Compiled), "module"), count(len(b.Reused), "module"))
	if len(b.Removed) > 0 {
		fmt.Fprintf(&text, "Removed from it: %s\n", strings.Join(b.Removed, ", "))
	}
	if len(b.Unlisted) > 0 {
		fmt.Fprintf(&text, "Not of this build, and left alone: %s\n", strings.Join(b.Unlisted, ", "))
	}
	text.WriteByte('\n')
	printBudget(&text, b)
	text.WriteByte('\n')
	if _, err := w.Write(text.Bytes()); err != nil {
		return err
	}
	return printReport(w, b.Budget)
}

// count is a number of things.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// printBudget writes what is used of each limit of the module.
func printBudget(w io.Writer, b *built) {
	r, p := b.Budget, &b.Budget.Program
	fmt.Fprintf(w, "%-40s  %7s  %7s\n", "budget", "used", "limit")
	row := func(what string, used, limit int) {
		bar := strings.Repeat("#", min(20, max(0, (20*used+limit/2)/max(limit, 1))))
		note := ""
		if used > limit {
			note = "  too much"
		}
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-40s  %7d  %7d  %-20s%s", what, used, limit, bar, note), " "))
	}
	row("heap at the first prompt", r.Heap-r.FreeAtPrompt, r.Heap)
	load := func(what string, l *sizing.Load) {
		if l.Needs > 0 {
			row("heap at the peak of loading"+what, r.Heap-r.FreeAtPrompt+l.Needs, r.Heap)
		}
		if l.Loads {
			row("heap with the program loaded"+what, r.Heap-l.Free, r.Heap)
		}
	}
	load("", &p.Plain)
	if len(p.Whole.Bundled) > 0 {
		load(", bundled", &p.Whole)
	}
	bundle := "bundle of all modules"
	if len(p.Whole.Bundled) < len(p.Modules) {
		bundle = fmt.Sprintf("bundle of the %d of %d that fit", len(p.Whole.Bundled), len(p.Modules))
	}
	row(bundle+", bytes", p.Whole.Flash, r.Limits.Bytes)
	row(bundle+", names", p.Whole.Names, r.Limits.Names)
	row("files, bytes", b.Bytes, b.Flash)
}
