package main

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/skep-sim/skep/internal/sizing"
)

// printReport writes what was measured as text.
func printReport(w io.Writer, r *sizing.Report) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s, firmware %s: a heap of %d bytes, %d free at the first prompt\n", r.Product, r.Firmware, r.Heap, r.FreeAtPrompt)
	if len(r.Modules) > 0 {
		printModules(&b, r)
	}
	printProgram(&b, r)
	if r.Facts != nil {
		printFacts(&b, r)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// printModules writes a line for each module.
func printModules(b *bytes.Buffer, r *sizing.Report) {
	width := len("module")
	for _, m := range r.Modules {
		width = max(width, len(m.Name))
	}
	fmt.Fprint(b, "\nWhat importing a module takes, with all that it imports, right after a start (bytes)\n\n")
	fmt.Fprintf(b, "%-*s      from source       from .mpy file         bundled         in the bundle\n", width, "")
	fmt.Fprintf(b, "%-*s     needs    keeps     needs    keeps     needs    keeps     bytes  names\n", width, "module")
	misfit := false
	for _, m := range r.Modules {
		fmt.Fprintf(b, "%-*s", width, m.Name)
		for _, c := range [...]*sizing.Cost{m.Source, m.Mpy, m.Bundle} {
			needs, keeps := costText(c)
			fmt.Fprintf(b, "%10s%9s", needs, keeps)
			misfit = misfit || c != nil && !c.Fits
		}
		flash, names := "-", "-"
		if m.Flash > 0 {
			flash, names = strconv.Itoa(m.Flash), strconv.Itoa(m.Names)
		}
		fmt.Fprintf(b, "%10s%7s\n", flash, names)
	}
	fmt.Fprint(b, "\nneeds: what must be free for it, found by making the heap smaller; keeps: what is gone afterwards, garbage collected.\n")
	if misfit {
		fmt.Fprint(b, "!: it does not work on this module.\n")
	}
	for _, m := range r.Modules {
		printNotes(b, &m)
	}
}

func costText(c *sizing.Cost) (needs, keeps string) {
	switch {
	case c == nil:
		return "-", "-"
	case c.Never:
		return "!", "!"
	case c.Needs == 0:
		needs = "?"
	default:
		needs = strconv.Itoa(c.Needs)
	}
	if !c.Fits {
		needs = "!" + needs
	}
	return needs, strconv.Itoa(c.Keeps)
}

// printNotes writes what there is to say of a module besides its figures.
func printNotes(b *bytes.Buffer, m *sizing.Module) {
	if m.Error != "" {
		fmt.Fprintf(b, "%s: it cannot be compiled: %s\n", m.Name, m.Error)
	}
	said := ""
	for _, c := range [...]*sizing.Cost{m.Mpy, m.Source, m.Bundle} {
		if c != nil && c.Error != "" && said == "" {
			said = c.Error
			if c.Never {
				fmt.Fprintf(b, "%s: importing it never returns: %s\n", m.Name, said)
			} else {
				fmt.Fprintf(b, "%s: importing it ends with: %s; the figures are those up to there\n", m.Name, said)
			}
		}
	}
	for _, n := range m.Notes {
		fmt.Fprintf(b, "%s: %s\n", m.Name, n)
	}
}

func printProgram(b *bytes.Buffer, r *sizing.Report) {
	p := &r.Program
	b.WriteByte('\n')
	switch {
	case p.Main == "":
		fmt.Fprint(b, "There is no main.py.")
	case p.Error != "":
		fmt.Fprintf(b, "%s cannot be compiled: %s\n", p.Main, p.Error)
		return
	default:
		fmt.Fprintf(b, "%s: its code keeps %d bytes while it runs, and needs %d to be compiled.", p.Main, p.MainKeeps, p.MainNeeds)
	}
	uses := strings.Join(p.Modules, ", ")
	switch {
	case len(p.Modules) == 0:
		fmt.Fprint(b, " It uses no module of the application.\n")
	case p.Guessed:
		fmt.Fprintf(b, " Which modules it uses cannot be seen in it (--use says it): %s.\n", uses)
	default:
		fmt.Fprintf(b, " It uses %s.\n", uses)
	}
	for _, name := range p.LeftOut {
		fmt.Fprintf(b, "%s is left out, since importing it never returns.\n", name)
	}
	b.WriteByte('\n')
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "Loaded without a bundle\t%s\n", loadText(&p.Plain, r))
	if len(p.Whole.Bundled) > 0 {
		fmt.Fprintf(t, "With everything bundled\t%s\n", loadText(&p.Whole, r))
	}
	t.Flush()
	b.WriteByte('\n')
	printBest(b, r)
}

// printBest writes which modules are to be bundled.
func printBest(b *bytes.Buffer, r *sizing.Report) {
	p := &r.Program
	wanted := fmt.Sprintf("the %d bytes of --room, %d of them in one piece (--piece)", p.Room, p.Piece)
	switch {
	case !p.Fits && p.Best.Loads:
		fmt.Fprintf(b, "Best bundle: none is enough. Whatever is bundled, %s, do not stay free: make the program smaller, or ask for less.\n", wanted)
		return
	case !p.Fits:
		fmt.Fprintf(b, "Best bundle: none is enough. Whatever is bundled, there is no memory to load %s: %s.\n", p.Best.FailedIn, split(p.Best.FailedIn))
		return
	case len(p.Best.Bundled) == 0:
		fmt.Fprintf(b, "Best bundle: none. Without one %s, stay free.\n", wanted)
		return
	}
	fmt.Fprintf(b, "Best bundle: %s\n  %s\n", strings.Join(p.Best.Bundled, ", "), loadText(&p.Best, r))
	if p.Proven {
		fmt.Fprintf(b, "  There is no smaller one with which %s, stay free.\n", wanted)
	} else {
		fmt.Fprintf(b, "  No module can be left out of it, or %s, do not stay free.\n", wanted)
	}
	if p.BundlingFails {
		fmt.Fprintf(b, "  But os.bundle() of it fails on the module once main.py is loaded; it prints:\n%s", indent(p.Bundling))
	}
}

// split says what to do about what does not fit.
func split(name string) string {
	if name == "main" {
		return "move code of main.py into modules, which are compiled before they get onto the module"
	}
	return "make the program smaller, or split it"
}

func loadText(l *sizing.Load, r *sizing.Report) string {
	s := fmt.Sprintf("no memory at %s", l.FailedIn)
	if l.Loads {
		s = fmt.Sprintf("%d bytes stay free, %d in one piece", l.Free, l.Largest)
	}
	if len(l.Bundled) > 0 {
		s += fmt.Sprintf("; the bundle takes %d of %d bytes and %d of %d names", l.Flash, r.Limits.Bytes, l.Names, r.Limits.Names)
	}
	return s
}

func printFacts(b *bytes.Buffer, r *sizing.Report) {
	fmt.Fprint(b, "\nWhat these figures rest on that is not documented of the module, and what would change if it were otherwise\n")
	for _, f := range r.Facts {
		fmt.Fprintf(b, "\n%s = %s, %s: %s\n", f.Name, f.Value, f.Confidence, f.Source)
		switch {
		case f.Instead == "":
			fmt.Fprint(b, "  a limit only: no other figure rests on it\n")
		case f.Fails:
			fmt.Fprintf(b, "  with %s: free at the prompt %+d; the program does not load\n", f.Instead, f.FreeAtPrompt)
		default:
			fmt.Fprintf(b, "  with %s: free at the prompt %+d, free with the program loaded %+d, bytes of the bundle %+d\n",
				f.Instead, f.FreeAtPrompt, f.FreeLoaded, f.BundleBytes)
		}
	}
}

func indent(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString("    " + line)
	}
	return b.String()
}
