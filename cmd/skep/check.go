package main

import (
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/host/check"
	"github.com/skep-sim/skep/internal/sizing"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// checkCmd is skep check.
type checkCmd struct {
	profileFlags
	roomFlags
	Explain string `help:"Explain a rule: what fails and why, wrong and right." placeholder:"ID"`
	List    bool   `help:"List the rules."`
	JSON    bool   `name:"json" help:"Print the findings, or the list, as JSON."`
	Strict  bool   `help:"Let warnings fail, too."`
	NoSizes bool   `help:"Measure nothing: leave out the rules about memory and the size of the bundle."`

	Dir string `arg:"" optional:"" default:"." help:"The application's directory, or any directory of files for /flash. Default: this one."`
}

func (c *checkCmd) Help() string {
	return "Example:\n  skep check examples/tracker --model cat1\n  skep check --explain wrap-not-secure\n\n" +
		"Each finding names the file, the line and the column, says what fails on the module, and what\n" +
		"to write instead. A comment takes one back: # skep: ignore=ID, in the line or alone in the line\n" +
		"before; # skep: ignore-file=ID takes back all of a file, and ignore = [\"ID\"] under [check] in\n" +
		"skep.toml all of the application. The exit status is 1 if there is an error, with --strict also\n" +
		"if there is a warning."
}

func (c *checkCmd) Run() error {
	switch {
	case c.List:
		return c.list(os.Stdout)
	case c.Explain != "":
		return c.explain(os.Stdout)
	}
	a, err := app.Open(c.Dir)
	if err != nil {
		return err
	}
	p, err := c.findFor(a)
	if err != nil {
		return err
	}
	if err := knownRules(a.Config.Check.Ignore); err != nil {
		return fmt.Errorf("%s, [check] ignore: %w", path.Join(a.Dir, app.ConfigName), err)
	}
	files, err := a.Sources()
	if err != nil {
		return err
	}
	if len(files) == 0 { // "no errors" would be true, and hide a wrong directory
		return fmt.Errorf("%s has nothing in it that goes onto a module: give the directory of an application", a.Dir)
	}
	fw, err := checkFirmware(p)
	if err != nil {
		return err
	}
	in := check.Input{App: a, Files: files, Firmware: fw, Now: time.Now()}
	if !c.NoSizes {
		if in.Measured, err = c.measure(a, p, files); err != nil {
			return err
		}
	}
	return c.print(os.Stdout, check.Run(in), fw)
}

// knownRules wants names of rules.
func knownRules(ids []string) error {
	for _, id := range ids {
		if _, err := ruleOf(id); err != nil {
			return err
		}
	}
	return nil
}

func ruleOf(id string) (check.Rule, error) {
	for _, r := range check.Rules() {
		if r.ID == id {
			return r, nil
		}
	}
	return check.Rule{}, fmt.Errorf("there is no rule %q: skep check --list has them all", id)
}

// checkFirmware says what there is on a module of a profile.
func checkFirmware(p profile.Profile) (check.Firmware, error) {
	n, err := sizing.ReadNames(p)
	if err != nil {
		return check.Firmware{}, err
	}
	ats := map[profile.ATSRule]check.ATS{profile.ATSRequired: check.ATSRequired, profile.ATSRefused: check.ATSRefused}[p.ATS.Value]
	return check.Firmware{
		Name: fmt.Sprintf("firmware %X", p.Firmware), Model: string(p.Model), Release: p.MicroPython.Value[1], ATS: ats,
		RootOnly: p.Model == profile.LTEM, Sockets: p.Sockets.Value, TLS: p.TLSSockets.Value,
		Modules: nameSets(n.Modules), Types: nameSets(n.Types), Builtins: nameSet(n.Builtins),
		Elsewhere: elsewhere(p),
	}, nil
}

func nameSets(lists map[string][]string) map[string]check.Names {
	sets := map[string]check.Names{}
	for name, list := range lists {
		sets[name] = nameSet(list)
	}
	return sets
}

func nameSet(list []string) check.Names {
	set := check.Names{}
	for _, n := range list {
		set[n] = true
	}
	return set
}

// elsewhere looks for a name in the later firmware of the same model. Each is asked
// once, and only if something is missing.
func elsewhere(p profile.Profile) func(module, attr string) string {
	l := &profile.Library{}
	asked := map[string]sizing.Names{}
	return func(module, attr string) string {
		for _, name := range l.Names() {
			other, err := l.Get(name)
			if err != nil || other.Model != p.Model || other.Firmware <= p.Firmware {
				continue
			}
			n, ok := asked[name]
			if !ok {
				if n, err = sizing.ReadNames(other); err != nil {
					continue
				}
				asked[name] = n
			}
			list, found := n.Modules[module]
			if !found {
				list, found = n.Types[module]
			}
			if found && (attr == "" || nameSet(list)[attr]) {
				return fmt.Sprintf("firmware %X", other.Firmware)
			}
		}
		return ""
	}
}

// measure says what of the application does not fit. What can't be measured, since it
// can't be compiled, is another rule's.
func (c *checkCmd) measure(a *app.App, p profile.Profile, files []app.File) (*check.Measured, error) {
	room, piece, err := c.room(a)
	if err != nil {
		return nil, err
	}
	var fit []app.File
	for _, f := range files {
		if strings.HasSuffix(f.Path, ".py") || strings.HasSuffix(f.Path, ".mpy") {
			fit = append(fit, f)
		}
	}
	progress := newProgress(os.Stderr)
	r, err := sizing.Measure(sizing.Config{Profile: p, Room: room, Piece: piece, AsSource: a.Plain, Progress: progress.show}, hostFiles(fit))
	progress.end()
	if err != nil {
		return nil, nil // names that a module's file system does not take have a rule
	}
	return sizesOf(r, room), nil
}

// sizesOf is what of a measurement the rules want to know.
func sizesOf(r *sizing.Report, room int) *check.Measured {
	m := &check.Measured{Bytes: r.Limits.Bytes, Names: r.Limits.Names}
	for _, mod := range r.Modules {
		x := check.MeasuredModule{Path: mod.Path, Total: r.FreeAtPrompt, NoBundle: mod.NoBundle}
		if mod.Source != nil && !mod.Source.Fits && !mod.Source.Never {
			x.NoSource, x.Needs = true, mod.Source.Needs
		}
		x.NoMpy = mod.Mpy != nil && !mod.Mpy.Fits && !mod.Mpy.Never
		if x.NoBundle != "" || x.NoSource || x.NoMpy {
			m.Modules = append(m.Modules, x)
		}
	}
	p := &r.Program
	m.WholeBytes, m.WholeNames = p.AllFlash, p.AllNames
	if p.Main != "" && p.Error == "" {
		if p.MainNeeds > r.FreeAtPrompt {
			m.MainFails = fmt.Sprintf("compiling %s needs %d bytes of heap, and %d are free", p.Main, p.MainNeeds, r.FreeAtPrompt)
		} else if !p.Fits {
			m.Program = fmt.Sprintf("whatever is bundled, the %d bytes that the program shall have to work with do not stay free", room)
		}
	}
	return m
}

func (c *checkCmd) list(w io.Writer) error {
	rules := check.Rules()
	if c.JSON {
		return writeJSON(w, rules)
	}
	for _, r := range rules {
		if _, err := fmt.Fprintf(w, "%-22s %-8s %s\n", r.ID, r.Severity, r.Title); err != nil {
			return err
		}
	}
	return nil
}

func (c *checkCmd) explain(w io.Writer) error {
	r, err := ruleOf(c.Explain)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, r.Page())
	return err
}

func (c *checkCmd) print(w io.Writer, r *check.Report, fw check.Firmware) error {
	counts := map[check.Severity]int{}
	for _, f := range r.Findings {
		counts[f.Severity]++
	}
	var err error
	if c.JSON {
		err = writeJSON(w, r)
	} else {
		err = printFindings(w, r, fw, counts)
	}
	if err == nil && (counts[check.Error] > 0 || c.Strict && counts[check.Warning] > 0) {
		err = exitStatus(1)
	}
	return err
}

func printFindings(w io.Writer, r *check.Report, fw check.Firmware, counts map[check.Severity]int) error {
	var b strings.Builder
	for _, f := range r.Findings {
		b.WriteString(f.File)
		if f.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
		}
		fmt.Fprintf(&b, ": %s: %s [%s]\n", f.Severity, f.Message, f.Rule)
		if f.Instead != "" {
			fmt.Fprintf(&b, "    instead: %s\n", f.Instead)
		}
	}
	fmt.Fprintf(&b, "%s for %s: %s, %s", count(r.Files, "source"), fw.Name, count(counts[check.Error], "error"), count(counts[check.Warning], "warning"))
	if n := counts[check.Note]; n > 0 {
		fmt.Fprintf(&b, ", %s", count(n, "note"))
	}
	if r.Ignored > 0 {
		fmt.Fprintf(&b, ", %d ignored", r.Ignored)
	}
	if len(r.Findings) > 0 {
		fmt.Fprintf(&b, "; skep check --explain %s says more", r.Findings[0].Rule)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}
