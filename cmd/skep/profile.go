package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// profileFlags say which module it is.
type profileFlags struct {
	Model    string `help:"Module: ltem (XBee 3 Cellular LTE-M/NB-IoT) or cat1 (LTE Cat 1). Default: ltem." placeholder:"MODEL"`
	Firmware string `help:"Firmware, as ATVR shows it. Default: 11413 for ltem, 31011 for cat1; skep profile list has them all." placeholder:"NUMBER"`
	Profile  string `help:"Model and firmware in one: the name of a profile, or a file of your own (skep profile)." placeholder:"NAME|FILE.toml"`
}

// findFor returns the profile that the flags name, or else the application.
func (f *profileFlags) findFor(a *app.App) (profile.Profile, error) {
	if a == nil || f.Profile != "" || f.Model != "" || f.Firmware != "" {
		return f.find()
	}
	m := a.Config.Module
	p, err := (&profileFlags{Model: m.Model, Firmware: m.Firmware}).find()
	if err != nil {
		err = fmt.Errorf("%s, [module]: %w", filepath.Join(a.Dir, app.ConfigName), err)
	}
	return p, err
}

// find returns the profile that the flags name.
func (f *profileFlags) find() (profile.Profile, error) {
	if f.Profile == "" {
		l := &profile.Library{}
		p, err := l.Find(f.Model, f.Firmware)
		if err == nil {
			return p, nil
		}
		// only then is there a reason to look at the user's own
		if l, err = profiles(); err != nil {
			return p, err
		}
		return l.Find(f.Model, f.Firmware)
	}
	if f.Model != "" || f.Firmware != "" {
		return profile.Profile{}, errors.New("--profile says which model and firmware it is: leave --model and --firmware away")
	}
	l, err := profiles()
	if err != nil {
		return profile.Profile{}, err
	}
	return named(l, f.Profile)
}

// named is the profile of a name or in a file.
func named(l *profile.Library, name string) (profile.Profile, error) {
	if !strings.HasSuffix(name, ".toml") {
		return l.Get(name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return profile.Profile{}, fmt.Errorf("%w: give the path of a profile's file, or a name from skep profile list", err)
	}
	return l.Read(name, text)
}

// profileDir is where a user keeps profiles of their own.
func profileDir() (string, error) {
	if dir := os.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "skep", "profiles"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("%w: set HOME or XDG_CONFIG_HOME, where profiles of your own are looked for", err)
	}
	return filepath.Join(home, ".config", "skep", "profiles"), nil
}

// profiles are those that come with Skep and the user's own.
func profiles() (*profile.Library, error) {
	l := &profile.Library{}
	dir, err := profileDir()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	for _, e := range entries {
		if e.IsDir() || filepath.Ext(e.Name()) != ".toml" {
			continue
		}
		file := filepath.Join(dir, e.Name())
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := l.Add(file, text); err != nil {
			return nil, err
		}
	}
	return l, err
}

// profileCmd is skep profile.
type profileCmd struct {
	List  profileListCmd  `cmd:"" help:"List the modules that can be simulated."`
	Show  profileShowCmd  `cmd:"" help:"Show every fact of one, with its source."`
	Check profileCheckCmd `cmd:"" help:"Check a file of your own."`
}

func (*profileCmd) Help() string {
	return `Example:
  skep profile show ltem-11413

A profile is a TOML file that says what a module with one firmware is like; each value states its source. To make one of your own, write down what
differs from another, and put the file into $XDG_CONFIG_HOME/skep/profiles (usually ~/.config/skep/profiles), or name it with --profile:

  base = "ltem-11416"
  firmware = "11417"
  heap_bytes = { value = 65536, confidence = "observed", source = "mem_info() of my module" }

The confidence is documented, observed, inferred, calibrated (to a figure that was observed) or chosen.`
}

type profileListCmd struct {
	JSON bool `help:"Write JSON."`
}

func (*profileListCmd) Help() string { return "Example:\n  skep profile list" }

func (c *profileListCmd) Run() error {
	l, err := profiles()
	if err != nil {
		return err
	}
	var all []profile.Profile
	var mistakes []error
	for _, name := range l.Names() {
		p, err := l.Get(name)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		all = append(all, p)
	}
	if c.JSON {
		err = listJSON(os.Stdout, all)
	} else {
		err = listText(os.Stdout, all)
	}
	return errors.Join(append(mistakes, err)...)
}

// A listed profile, in JSON.
type listed struct {
	Name        string `json:"name"`
	Model       string `json:"model"`
	Firmware    string `json:"firmware"`
	Level       int    `json:"level"`
	Product     string `json:"product"`
	MicroPython string `json:"micropython"`
	Mpy         int    `json:"mpy"`
	Heap        int    `json:"heap_bytes"`
	Stack       int    `json:"stack_limit"`
}

func listedOf(p profile.Profile) listed {
	v := p.MicroPython.Value
	return listed{
		Name: p.Name, Model: string(p.Model), Firmware: p.Digits(), Level: p.Level(), Product: p.Product.Value,
		MicroPython: fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]), Mpy: p.MpyVersion.Value,
		Heap: p.HeapBytes.Value, Stack: p.StackLimit.Value,
	}
}

func listJSON(w io.Writer, all []profile.Profile) error {
	list := []listed{}
	for _, p := range all {
		list = append(list, listedOf(p))
	}
	return writeJSON(w, list)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func listText(w io.Writer, all []profile.Profile) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PROFILE\tPYTHON\t.MPY\tHEAP\tSTACK\tPRODUCT")
	for _, p := range all {
		l := listedOf(p)
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%s\n", l.Name, l.MicroPython, l.Mpy, l.Heap, l.Stack, l.Product)
	}
	return t.Flush()
}

type profileShowCmd struct {
	JSON bool   `help:"Write JSON."`
	Name string `arg:"" help:"Name of a profile, or a file that ends in .toml."`
}

func (*profileShowCmd) Help() string { return "Example:\n  skep profile show cat1-31011" }

func (c *profileShowCmd) Run() error {
	l, err := profiles()
	if err != nil {
		return err
	}
	p, err := named(l, c.Name)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(os.Stdout, struct {
			listed
			Facts []profile.Stated `json:"facts"`
		}{listedOf(p), p.Facts()})
	}
	fmt.Printf("%s: model %s, firmware %s, feature level x%02X\n", p.Name, p.Model, p.Digits(), p.Level())
	for _, f := range p.Facts() {
		from := ""
		if f.Profile != p.Name {
			from = ", from " + f.Profile
		}
		fmt.Printf("\n%s = %s\n  %s%s: %s\n", f.Key, f.Value, f.Confidence, from, f.Source)
	}
	return nil
}

type profileCheckCmd struct {
	Files []string `arg:"" name:"file" help:"Files that end in .toml."`
}

func (*profileCheckCmd) Help() string { return "Example:\n  skep profile check mine.toml" }

func (c *profileCheckCmd) Run() error {
	l, err := profiles()
	if err != nil {
		return err
	}
	var mistakes []error
	for _, file := range c.Files {
		text, err := os.ReadFile(file)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		p, err := l.Read(file, text)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		own := 0
		for _, f := range p.Facts() {
			if f.Profile == p.Name {
				own++
			}
		}
		fmt.Printf("%s: model %s, firmware %s; states %d facts, inherits %d\n", file, p.Model, p.Digits(), own, len(p.Facts())-own)
	}
	return errors.Join(mistakes...)
}
