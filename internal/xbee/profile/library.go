package profile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Library is the profiles there are to choose from: those that come with Skep,
// which the zero Library has, and those that somebody added. They are read when
// they are asked for, so that a mistake in one stops nobody who uses another.
type Library struct {
	added map[string]added
}

type added struct {
	file string
	text []byte
}

// Add adds the content of a file, whose name without directories and .toml will
// be the profile's. It does not read it yet. The name of a profile that comes
// with Skep is refused.
func (l *Library) Add(file string, text []byte) error {
	name := nameOf(file)
	if slices.Contains(builtin(), name) {
		return fmt.Errorf("%s: %s is a profile that comes with Skep: give the file another name, and write base = %q into it", file, name, name)
	}
	if l.added == nil {
		l.added = map[string]added{}
	}
	l.added[name] = added{file, text}
	return nil
}

// nameOf is the name of the profile in a file.
func nameOf(file string) string {
	return strings.TrimSuffix(file[strings.LastIndexAny(file, `/\`)+1:], ".toml")
}

// builtin lists the profiles that come with Skep.
func builtin() []string {
	entries, _ := files.ReadDir(".") // of an embedded directory: there is no error
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = nameOf(e.Name())
	}
	return names
}

// Names lists the profiles: the default of each model, the others that come with
// Skep, those that were added.
func (l *Library) Names() []string {
	names := builtin()
	for name := range l.added {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(l.order(a), l.order(b)), cmp.Compare(a, b)) })
	return names
}

func (l *Library) order(name string) int {
	if i := slices.Index(defaults[:], name); i >= 0 {
		return i
	}
	if _, ok := l.added[name]; ok {
		return len(defaults) + 2
	}
	if strings.HasPrefix(name, string(LTEM)) {
		return len(defaults)
	}
	return len(defaults) + 1
}

// Get returns a profile by its name.
func (l *Library) Get(name string) (Profile, error) { return l.get(name, nil) }

// get is Get on the way from the profiles in via, each of which has the next as
// its base.
func (l *Library) get(name string, via []string) (Profile, error) {
	if slices.Contains(via, name) {
		return Profile{}, fmt.Errorf("the bases go round in a circle: %s", strings.Join(append(via, name), " -> "))
	}
	base := func(b string) (Profile, error) { return l.get(b, append(slices.Clone(via), name)) }
	if a, ok := l.added[name]; ok {
		return Read(a.file, a.text, base)
	}
	text, err := files.ReadFile(name + ".toml")
	if err != nil {
		return Profile{}, fmt.Errorf("there is no profile %q: use %s", name, list(l.Names()))
	}
	return Read(name+".toml", text, base)
}

// Read makes a profile of a file's content that is not in the library but may
// have a base there.
func (l *Library) Read(file string, text []byte) (Profile, error) {
	return Read(file, text, func(b string) (Profile, error) { return l.get(b, []string{nameOf(file)}) })
}

// Find returns the profile of a model ("" is ltem) with a firmware, in the digits
// that ATVR shows ("" is the model's default): of those that come with Skep, or
// else of those that were added. The error lists what there is.
func (l *Library) Find(model, firmware string) (Profile, error) {
	if model == "" {
		model = string(LTEM)
	}
	var of []string
	for _, name := range l.Names() {
		if _, ok := l.added[name]; ok {
			continue
		}
		m, digits, _ := strings.Cut(name, "-")
		if m != model {
			continue
		}
		if firmware == "" || strings.EqualFold(firmware, digits) {
			return l.Get(name)
		}
		of = append(of, digits)
	}
	if of == nil {
		return Profile{}, fmt.Errorf("unknown model %q: use %s or %s", model, LTEM, Cat1)
	}
	for _, name := range l.Names() {
		if _, ok := l.added[name]; !ok {
			continue
		}
		p, err := l.Get(name)
		if err != nil {
			return p, err // it may be the one that is meant
		}
		if string(p.Model) == model && strings.EqualFold(firmware, p.Digits()) {
			return p, nil
		}
		if string(p.Model) == model {
			of = append(of, p.Digits())
		}
	}
	return Profile{}, fmt.Errorf("unknown firmware %q for the model %s: use %s; skep profile --help says how to add one", firmware, model, list(of))
}

// All lists the profiles that come with Skep, the default of each model first. A
// mistake in one of their files is a mistake in the build, and a panic.
func All() []Profile {
	var l Library
	var all []Profile
	for _, name := range l.Names() {
		p, err := l.Get(name)
		if err != nil {
			panic(err)
		}
		all = append(all, p)
	}
	return all
}

// Find is Library.Find with the profiles that come with Skep.
func Find(model, firmware string) (Profile, error) {
	var l Library
	return l.Find(model, firmware)
}
