package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/sizing"
)

// roomFlags say what must stay free for the program to work with.
type roomFlags struct {
	Room  *int `help:"Bytes of heap that must stay free when the program is loaded: what it needs to work with. Default: room of [budget] in skep.toml, or 8192." placeholder:"BYTES"`
	Piece *int `help:"Bytes of it that must be free in one piece. Default: piece of [budget] in skep.toml, or 1024." placeholder:"BYTES"`
}

// room is what the flags say, or else the application.
func (f *roomFlags) room(a *app.App) (room, piece int, err error) {
	room, piece = cmp.Or(a.Config.Budget.Room, 8192), cmp.Or(a.Config.Budget.Piece, 1024)
	if f.Room != nil {
		room = *f.Room
	}
	if f.Piece != nil {
		piece = *f.Piece
	}
	if room < 0 || piece < 0 {
		err = fmt.Errorf("--room %d --piece %d: give numbers of bytes, 0 or more", room, piece)
	}
	return room, piece, err
}

// memCmd is skep mem.
type memCmd struct {
	profileFlags
	Heap    int    `help:"Bytes of the raw heap region. Default: the firmware's: 32768, or 65536 from level x15 on." placeholder:"BYTES"`
	Options string `help:"Optional features and error wording of the interpreter: xbee, the module's own, or full or bare, as in two builds of upstream's." enum:"xbee,full,bare" default:"xbee"`
	roomFlags
	Use     []string `help:"Modules that the program uses. Default: those that main.py imports, and what these import." placeholder:"MODULE"`
	SVG     string   `name:"svg" help:"Draw the heap, the bundle and what each import costs into a file; - for standard output." placeholder:"FILE"`
	JSON    bool     `name:"json" help:"Print the figures as JSON."`
	Explain bool     `help:"Say which figures rest on what is not known of the module for sure, and how much rests on it."`

	Dir string `arg:"" optional:"" default:"." help:"The application's directory, or any directory of files for /flash. Default: this one."`
}

func (m *memCmd) Help() string {
	return "Example:\n  skep mem examples/tracker --svg memory.svg\n\n" +
		"Every figure is measured on virtual modules that are powered on for it. Modules are\n" +
		"imported, without a network; main.py is compiled and not run. The exit status is 1 if a\n" +
		"module cannot be compiled, or the program does not fit whatever is bundled."
}

func (m *memCmd) Run(k *kong.Kong) error {
	if err := checkHeap(m.Heap); err != nil {
		return err
	}
	a, err := app.Open(m.Dir)
	if err != nil {
		return err
	}
	p, err := m.findFor(a)
	if err != nil {
		return err
	}
	room, piece, err := m.room(a)
	if err != nil {
		return err
	}
	files, err := a.Sources()
	if err != nil {
		return err
	}
	progress := newProgress(os.Stderr)
	r, err := sizing.Measure(sizing.Config{
		Profile: p, Features: features(m.Options), HeapBytes: m.Heap, Room: room, Piece: piece, Use: m.Use, AsSource: a.Plain, Explain: m.Explain,
		Progress: progress.show,
	}, hostFiles(files))
	progress.end()
	if err != nil {
		return err
	}
	if len(r.Modules) == 0 && r.Program.Main == "" {
		return fmt.Errorf("%s holds no module: give the directory of an application", m.Dir)
	}
	if m.SVG != "" {
		if err := m.draw(r, a.Name()); err != nil {
			return err
		}
	}
	switch {
	case m.JSON:
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		err = e.Encode(r)
	case m.SVG != "-":
		err = printReport(os.Stdout, r)
	}
	if err == nil && !sound(r) {
		err = exitStatus(1)
	}
	return err
}

func (m *memCmd) draw(r *sizing.Report, name string) error {
	svg := r.Draw(name)
	if m.SVG == "-" {
		_, err := os.Stdout.Write(svg)
		return err
	}
	if err := writeFile(m.SVG, svg); err != nil {
		return fmt.Errorf("--svg %s: %w", filepath.Base(m.SVG), err)
	}
	return nil
}

// sound reports whether all of it can be compiled and the program fits.
func sound(r *sizing.Report) bool {
	for _, m := range r.Modules {
		if m.Error != "" {
			return false
		}
	}
	return r.Program.Error == "" && r.Program.Fits
}

// progress shows on a terminal what is being done.
type progress struct {
	w io.Writer // nil: nobody looks
}

func newProgress(f *os.File) *progress {
	if !term.IsTerminal(int(f.Fd())) {
		return &progress{}
	}
	return &progress{f}
}

func (p *progress) show(what string) {
	if p.w != nil {
		fmt.Fprintf(p.w, "\r\x1b[Kmeasuring %s", what)
	}
}

func (p *progress) end() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
