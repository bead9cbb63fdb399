package sizing

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/bundle"
)

// This file looks for the smallest bundle with which the program fits: that which
// takes the fewest bytes of the area, since what is there is there until the next
// call of os.bundle(), and every module in it must be bundled again with it.

const (
	// exhaustive is up to how many modules all bundles are considered.
	exhaustive = 14
	// maxTrials bounds how many of them are tried out.
	maxTrials = 300
	// slack is by how many bytes the gains of single modules may be off in a sum:
	// names that two modules share are paid for once.
	slack = 640
)

// candidate is a module that can be bundled.
type candidate struct {
	name  string
	bytes int      // of the area, without names
	ids   []string // names that it needs
	gain  int      // of the heap
}

// search fills in the loads of the program.
func (b *bench) search(r *Report) {
	p := &r.Program
	p.Plain = b.load(r, nil)
	cs := b.candidates(r)
	var all []string
	for _, name := range p.Modules {
		if m := b.byName[name]; m.code != nil && m.bundleName() != "" {
			all = append(all, name)
		}
	}
	whole := b.sizeIn(vast(), all)
	p.AllFlash, p.AllNames = whole.bytes, whole.names
	p.Whole = b.load(r, b.whole(cs))
	switch {
	case p.fits(&p.Plain):
		p.Best, p.Fits, p.Proven = p.Plain, true, true
	case len(cs) <= exhaustive:
		b.searchAll(r, cs)
	default:
		b.searchSome(r, cs)
	}
	if !p.Fits {
		p.Best = p.Whole
	}
	for _, l := range []*Load{&p.Plain, &p.Best, &p.Whole} {
		b.loadNeeds(r, l)
	}
	b.bundling(r)
}

// candidates are the modules of the program that can be bundled and are not broken.
func (b *bench) candidates(r *Report) (cs []candidate) {
	for _, m := range r.Modules {
		if m.Bundle == nil || !slices.Contains(r.Program.Modules, m.Name) {
			continue
		}
		c := candidate{name: m.Name, gain: m.Own - m.OwnBundled}
		builder := bundle.NewBuilder(b.fw.Python(), b.area(), 0)
		mod, err := builder.Add(m.Name, b.byName[m.Name].code)
		if err != nil {
			continue
		}
		c.bytes = mod.Parts.Total()
		for _, n := range builder.Image().Names {
			c.ids = append(c.ids, n.Text)
		}
		cs = append(cs, c)
	}
	return cs
}

// whole is a bundle of everything, in order of what it gains, as far as it fits.
func (b *bench) whole(cs []candidate) (names []string) {
	sorted := slices.Clone(cs)
	slices.SortStableFunc(sorted, func(x, y candidate) int { return cmp.Compare(y.gain, x.gain) })
	for _, c := range sorted {
		if b.bundleSize(append(slices.Clone(names), c.name)).full == nil {
			names = append(names, c.name)
		}
	}
	slices.Sort(names)
	return names
}

// choice is a set of candidates, a bit each.
type choice struct {
	set   uint32
	bytes int
}

// searchAll tries the bundles that may be enough, the smallest first.
func (b *bench) searchAll(r *Report, cs []candidate) {
	p := &r.Program
	free, known := p.Plain.Free, p.Plain.Loads
	var choices []choice
	for set := uint32(1); set < 1<<len(cs); set++ {
		gain, c := 0, choice{set: set}
		ids := map[string]bool{}
		for i, m := range cs {
			if set>>i&1 == 0 {
				continue
			}
			gain += m.gain
			c.bytes += m.bytes
			for _, id := range m.ids {
				if !ids[id] {
					ids[id] = true
					c.bytes += len(id) + 4
				}
			}
		}
		limits := b.conf.Profile
		if c.bytes > limits.BundleBytes.Value || len(ids) > limits.BundleQstrs.Value || known && free+gain+slack < p.Room {
			continue
		}
		choices = append(choices, c)
	}
	slices.SortFunc(choices, func(x, y choice) int {
		return cmp.Or(cmp.Compare(x.bytes, y.bytes), cmp.Compare(bits.OnesCount32(x.set), bits.OnesCount32(y.set)), cmp.Compare(x.set, y.set))
	})
	if len(choices) > maxTrials {
		b.searchSome(r, cs)
		return
	}
	for _, c := range choices {
		var names []string
		for i, m := range cs {
			if c.set>>i&1 != 0 {
				names = append(names, m.name)
			}
		}
		if l := b.load(r, names); p.fits(&l) {
			p.Best, p.Fits, p.Proven = l, true, true
			return
		}
	}
	p.Proven = true
}

// searchSome takes the bundle of everything and leaves out, the largest first, what
// is not needed: no module of what remains can be left out.
func (b *bench) searchSome(r *Report, cs []candidate) {
	p := &r.Program
	if !p.fits(&p.Whole) {
		return
	}
	p.Best, p.Fits = p.Whole, true
	sorted := slices.Clone(cs)
	slices.SortStableFunc(sorted, func(x, y candidate) int { return cmp.Compare(y.bytes, x.bytes) })
	for _, c := range sorted {
		at := slices.Index(p.Best.Bundled, c.name)
		if at < 0 {
			continue
		}
		rest := slices.Delete(slices.Clone(p.Best.Bundled), at, at+1)
		if l := b.load(r, rest); p.fits(&l) {
			p.Best = l
		}
	}
}

// callBundle is the step that calls os.bundle().
func callBundle(files []string) step {
	return step{"os.bundle", func(v *vm.VM) vm.Value {
		f := v.LoadAttr(v.Import("uos"), v.Intern("bundle"))
		args := make([]vm.Value, len(files))
		for i, file := range files {
			args[i] = v.NewString(file)
		}
		return v.Call(f, args, nil)
	}}
}
