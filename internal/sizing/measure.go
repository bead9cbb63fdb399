package sizing

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/skep-sim/skep/internal/xbee/bundle"
)

// roomy is a heap in which everything that any module could load has room, in bytes.
const roomy = 1 << 20

// bundleSize is what some modules take of the bundle area.
type bundleSize struct {
	bytes, names int
	full         *bundle.FullError // it does not fit
}

// area is how much room there is for the bundle.
func (b *bench) area() bundle.Area {
	p := &b.conf.Profile
	return bundle.Area{PayloadBytes: p.BundleBytes.Value, Qstrs: p.BundleQstrs.Value}
}

// bundleSize lays a bundle out.
func (b *bench) bundleSize(names []string) bundleSize { return b.sizeIn(b.area(), names) }

// vast is an area in which everything has room.
func vast() bundle.Area { return bundle.Area{PayloadBytes: 1 << 24, Qstrs: 1 << 16} }

func (b *bench) sizeIn(area bundle.Area, names []string) (s bundleSize) {
	builder := bundle.NewBuilder(b.fw.Python(), area, 0)
	for _, name := range names {
		if _, err := builder.Add(name, b.byName[name].code); err != nil {
			errors.As(err, &s.full)
			return s
		}
	}
	s.bytes, s.names = builder.Used(), builder.Qstrs()
	return s
}

// module measures one module.
func (b *bench) module(m *module) Module {
	out := Module{Name: m.name, Path: m.path, MpyBytes: len(m.mpy), Notes: m.notes}
	if m.err != nil {
		out.Error = m.err.Error()
		return out
	}
	first := b.trial(b.layout(shipped, nil), roomy, []step{load(m.name)})
	if len(first.steps) > 0 && first.steps[0].builtin {
		out.Notes = append(out.Notes, "it is never imported: the firmware has a module of this name, which comes first")
		return out
	}
	if first.output != "" {
		out.Notes = append(out.Notes, "it prints when it is imported: "+clip(first.output))
	}
	for _, name := range first.loaded {
		if other := b.byName[name]; other != nil && name != m.name {
			out.Brings = append(out.Brings, name)
		}
	}
	slices.Sort(out.Brings)
	if m.source != nil {
		out.Source = b.cost(m, asSource, nil)
	}
	out.Mpy = b.cost(m, asMpy, nil)
	b.bundled(m, &out)
	return out
}

// bundled measures a module in the bundle, with what it brings.
func (b *bench) bundled(m *module, out *Module) {
	if m.bundleName() == "" {
		out.Notes = append(out.Notes, "it cannot be bundled: os.bundle() drops the name of the package")
		return
	}
	size := b.bundleSize([]string{m.name})
	if size.full != nil {
		out.NoBundle = size.full.Error()
		out.Notes = append(out.Notes, out.NoBundle)
		return
	}
	out.Flash, out.Names = size.bytes, size.names
	all := []string{m.name}
	for _, name := range out.Brings {
		if b.byName[name].bundleName() != "" {
			all = append(all, name)
		}
	}
	if b.bundleSize(all).full != nil {
		out.Notes = append(out.Notes, "what it imports does not fit into the bundle with it, and is not in it here")
		all = all[:1]
	}
	out.Bundle = b.cost(m, asMpy, all)
}

// cost measures the import of a module on a device that has just booted.
func (b *bench) cost(m *module, f form, bundled []string) *Cost {
	l := b.layout(f, bundled)
	steps := []step{load(m.name)}
	at := b.trial(l, b.heap, steps)
	fits := at.noMemory() < 0
	best := at
	if !fits {
		best = b.trial(l, roomy, steps)
	}
	if best.ended != nil {
		return &Cost{Error: best.ended.Error(), Never: true}
	}
	c := &Cost{Fits: fits, Peak: best.steps[0].peak, Left: best.left - best.base, Keeps: best.kept - best.base, Error: best.steps[0].err}
	if best.noMemory() < 0 {
		c.Needs = b.needs(best, func(heap int) bool {
			r := b.trial(l, heap, steps)
			return r.ended == nil && r.noMemory() < 0 && r.steps[0].err == best.steps[0].err
		})
	}
	return c
}

// needs is the free heap, in bytes, of the smallest device on which works reports
// true, given one on which it does.
func (b *bench) needs(ok result, works func(heap int) bool) int {
	const unit = 64 // bytes of pool that a byte of the allocation table stands for
	lo, hi := ok.base/unit, (ok.base+ok.steps[0].peak)/unit+2
	for !works(heapFor(hi)) { // what the collector leaves in pieces counts, too
		lo, hi = hi, hi+hi/8+1
		if hi*unit > 2*roomy {
			return 0
		}
	}
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; works(heapFor(mid)) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi*unit - ok.base
}

// heapFor is the raw region whose pool has so many bytes of allocation table: each
// stands for 64 bytes of pool and half a byte of finaliser table.
func heapFor(table int) int { return (table*524 + 7) / 8 }

// clip is the beginning of what a program printed, in one line.
func clip(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 60 {
		s = s[:57] + "..."
	}
	return s
}

// depsFirst sorts modules so that each comes behind those that it brings.
func depsFirst(names []string, modules []Module) []string {
	brings := map[string]int{}
	for _, m := range modules {
		brings[m.Name] = len(m.Brings)
	}
	sorted := slices.Clone(names)
	slices.SortStableFunc(sorted, func(a, c string) int { return cmp.Compare(brings[a], brings[c]) })
	return sorted
}
