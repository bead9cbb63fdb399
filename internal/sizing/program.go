package sizing

import (
	"slices"
	"strings"
)

// program loads the main program with its modules in several ways.
func (b *bench) program(r *Report) {
	p := &r.Program
	p.Room, p.Piece = b.conf.Room, b.conf.Piece
	if b.main != nil {
		p.Main = b.mainFile()[0].Path
		if b.main.err != nil {
			p.Error = b.main.err.Error()
		}
	}
	b.used(r)
	b.progress("the program")
	b.ownCosts(r)
	b.search(r)
}

// used finds the modules of the program.
func (b *bench) used(r *Report) {
	p := &r.Program
	loads := map[string]bool{}
	for _, m := range r.Modules {
		loads[m.Name] = m.Mpy != nil
		if m.Mpy != nil && m.Mpy.Never {
			p.LeftOut = append(p.LeftOut, m.Name)
		}
	}
	var found []string
	add := func(name string) {
		if loads[name] && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	for _, name := range b.conf.Use {
		add(name)
	}
	if len(found) == 0 && b.main != nil {
		names, dynamic := b.main.imports()
		for _, name := range names {
			add(name)
		}
		p.Guessed = dynamic
	}
	for i := 0; i < len(found); i++ { // found grows meanwhile
		names, _ := b.byName[found[i]].imports()
		for _, name := range names {
			add(name)
		}
	}
	if p.Guessed || b.main == nil && len(b.conf.Use) == 0 {
		p.Guessed = true
		for _, m := range b.modules {
			add(m.name)
		}
	}
	never := func(name string) bool { return slices.Contains(p.LeftOut, name) }
	p.LeftOut = slices.DeleteFunc(p.LeftOut, func(name string) bool { return !slices.Contains(found, name) })
	p.Modules = depsFirst(slices.DeleteFunc(found, never), r.Modules)
	if p.Modules == nil {
		p.Modules = []string{}
	}
}

// steps are those that load the program.
func (b *bench) steps(r *Report) (steps []step) {
	if b.main != nil && b.main.err == nil {
		steps = append(steps, b.compileMain())
	}
	for _, name := range r.Program.Modules {
		steps = append(steps, load(name))
	}
	return steps
}

// ownCosts measures what of the heap each part of the program keeps by itself.
func (b *bench) ownCosts(r *Report) {
	steps := b.steps(r)
	for i := range r.Modules {
		m := &r.Modules[i]
		at := slices.IndexFunc(steps, func(s step) bool { return s.name == m.Name })
		if at < 0 || b.main != nil && at == 0 && steps[0].name == mainModule {
			continue
		}
		own := func(bundled []string) int {
			l := b.layout(shipped, bundled)
			without, with := b.trial(l, roomy, steps[:at]), b.trial(l, roomy, steps[:at+1])
			if without.ended != nil || with.ended != nil {
				return 0
			}
			return with.kept - without.kept
		}
		m.Own = own(nil)
		if m.Bundle != nil {
			m.OwnBundled = own([]string{m.Name})
		}
	}
	if len(steps) == 0 || steps[0].name != mainModule {
		return
	}
	l := b.layout(shipped, nil)
	if main := b.trial(l, roomy, steps[:1]); main.ended == nil && main.steps[0].err == "" {
		r.Program.MainKeeps = main.kept - main.base
		r.Program.MainNeeds = b.needs(main, func(heap int) bool {
			t := b.trial(l, heap, steps[:1])
			return t.ended == nil && t.noMemory() < 0
		})
	}
}

// load loads the program with a bundle.
func (b *bench) load(r *Report, bundled []string) Load {
	size := b.bundleSize(bundled)
	out := Load{Bundled: bundled, Flash: size.bytes, Names: size.names}
	if bundled == nil {
		out.Bundled = []string{}
	}
	steps := b.steps(r)
	t := b.trial(b.layout(shipped, bundled), b.heap, steps)
	out.Map = t.heapMap
	if i := t.noMemory(); i >= 0 {
		out.FailedIn = steps[i].name
		return out
	}
	if t.ended != nil {
		if i := len(t.steps) - 1; i >= 0 {
			out.FailedIn = steps[i].name
		}
		return out
	}
	out.Loads, out.Free, out.Largest = true, t.total-t.kept, t.largest
	return out
}

// loadNeeds finds out how much heap the program must have to load with a bundle.
func (b *bench) loadNeeds(r *Report, l *Load) {
	steps := b.steps(r)
	if len(steps) == 0 {
		return
	}
	on := b.layout(shipped, l.Bundled)
	loads := func(t result) bool { return t.ended == nil && t.noMemory() < 0 }
	ok := b.trial(on, roomy, steps)
	if !loads(ok) {
		return
	}
	l.Needs = b.needs(ok, func(heap int) bool { return loads(b.trial(on, heap, steps)) })
}

// fits reports whether a load leaves the room that the program wants.
func (p *Program) fits(l *Load) bool {
	return l.Loads && l.Free >= p.Room && l.Largest >= p.Piece
}

// bundling has the module bundle, as a program would at its start.
func (b *bench) bundling(r *Report) {
	p := &r.Program
	if len(p.Best.Bundled) == 0 {
		return
	}
	var files []string
	for _, name := range p.Best.Bundled {
		files = append(files, b.byName[name].path+".mpy")
	}
	var steps []step
	if b.main != nil && b.main.err == nil {
		steps = append(steps, b.compileMain())
	}
	steps = append(steps, callBundle(files))
	t := b.trial(b.layout(asMpy, nil), b.heap, steps)
	p.Bundling = t.output
	p.BundlingFails = strings.Count(t.output, " bytes of raw code\n") != len(files)
}
