package sizing

import (
	"fmt"

	"github.com/skep-sim/skep/internal/xbee"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// Fact is something the figures rest on that is not known of the device for sure.
type Fact struct {
	Name       string             `json:"name"`
	Value      string             `json:"value"`
	Confidence profile.Confidence `json:"confidence"`
	Source     string             `json:"source"`
	// Instead is what was put in its place to see what rests on it; "" if nothing
	// was. The differences are what the figures then become, less what they are.
	Instead      string `json:"instead,omitempty"`
	FreeAtPrompt int    `json:"freeAtPrompt"` // difference
	FreeLoaded   int    `json:"freeLoaded"`   // difference, with the best bundle
	BundleBytes  int    `json:"bundleBytes"`  // difference, of the best bundle
	Fails        bool   `json:"fails,omitempty"`
}

// question is a fact and what else it might be.
type question struct {
	name    string
	instead string
	fact    func(p *profile.Profile) (value any, c profile.Confidence, source string)
	change  func(p *profile.Profile)
}

// of reads a fact.
func of[T any](get func(p *profile.Profile) *profile.Fact[T]) func(*profile.Profile) (any, profile.Confidence, string) {
	return func(p *profile.Profile) (any, profile.Confidence, string) {
		f := get(p)
		return f.Value, f.Confidence, f.Source
	}
}

// toggle is a question about a switch.
func toggle(name string, get func(p *profile.Profile) *profile.Fact[bool]) question {
	return question{name, "the opposite", of(get), func(p *profile.Profile) { get(p).Value = !get(p).Value }}
}

// number is a question about a number.
func number(name string, instead int, get func(p *profile.Profile) *profile.Fact[int]) question {
	return question{name, fmt.Sprint(instead), of(get), func(p *profile.Profile) { get(p).Value = instead }}
}

func questions() []question {
	return []question{
		number("HeapBytes", 65536, func(p *profile.Profile) *profile.Fact[int] { return &p.HeapBytes }),
		toggle("PersistentCodeSave", func(p *profile.Profile) *profile.Fact[bool] { return &p.PersistentCodeSave }),
		toggle("NoAlloca", func(p *profile.Profile) *profile.Fact[bool] { return &p.NoAlloca }),
		toggle("REPLEventDriven", func(p *profile.Profile) *profile.Fact[bool] { return &p.REPLEventDriven }),
		toggle("CanOverrideBuiltins", func(p *profile.Profile) *profile.Fact[bool] { return &p.CanOverrideBuiltins }),
		number("ImportBlocks", 0, func(p *profile.Profile) *profile.Fact[int] { return &p.ImportBlocks }),
		number("QstrHashBytes", 1, func(p *profile.Profile) *profile.Fact[int] { return &p.QstrHashBytes }),
		{"BundleBytes", "", of(func(p *profile.Profile) *profile.Fact[int] { return &p.BundleBytes }), nil},
		{"BundleQstrs", "", of(func(p *profile.Profile) *profile.Fact[int] { return &p.BundleQstrs }), nil},
	}
}

// explain asks what becomes of the figures if a fact is otherwise.
func (b *bench) explain(r *Report) {
	for _, q := range questions() {
		p := b.conf.Profile
		value, confidence, source := q.fact(&p)
		f := Fact{Name: q.name, Value: fmt.Sprint(value), Confidence: confidence, Source: source, Instead: q.instead}
		if q.change != nil {
			b.progress("what rests on " + q.name)
			q.change(&p)
			other := *b
			other.conf.Profile, other.fw = p, xbee.NewFirmware(p, b.conf.Features)
			if b.conf.HeapBytes == 0 {
				other.heap = p.HeapBytes.Value
			}
			boot := other.trial(other.layout(shipped, nil), other.heap, nil)
			f.FreeAtPrompt = boot.total - boot.base - r.FreeAtPrompt
			l := other.load(r, r.Program.Best.Bundled)
			f.BundleBytes = l.Flash - r.Program.Best.Flash
			if f.Fails = !l.Loads; l.Loads && r.Program.Best.Loads {
				f.FreeLoaded = l.Free - r.Program.Best.Free
			}
		}
		r.Facts = append(r.Facts, f)
	}
}
