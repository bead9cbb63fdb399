package sizing

import (
	"bytes"
	"fmt"
	"html"
	"slices"
	"strings"
)

// This file draws a report: the heap block by block, what each import takes, and
// what the bundle has room for.

// Measures in pixels, and colours for a picture that brings its own background.
const (
	drawWidth  = 960
	drawMargin = 28
	inner      = drawWidth - 2*drawMargin

	mapColumns = 125
	cellHeight = 9

	barHeight = 11
	barLeft   = 190 // where the bars of modules begin
	barRight  = 250 // what is left for figures behind them

	colourPage  = "#1d2127"
	colourEmpty = "#2b3038"
	colourText  = "#d5dae1"
	colourFaint = "#8b95a3"
	colourTitle = "#ffffff"
	colourLimit = "#ec6a5e"
)

// ownerColours are those of the interpreter and of main, then of modules, which share
// colours when there are many.
var ownerColours = [...]string{
	"#8b95a3", "#f2c374", "#6fb1ff", "#8fd694", "#ec8f84", "#c59bf0", "#5fd0c5", "#f59fcb", "#d3d46a", "#b8977a",
}

func ownerColour(owner int) string {
	if owner > 2 {
		owner = 3 + (owner-3)%(len(ownerColours)-2)
	}
	return ownerColours[owner-1]
}

// drawing is a picture that grows downwards.
type drawing struct {
	b bytes.Buffer
	y float64
}

func (d *drawing) rect(x, y, w, h float64, attrs string) {
	fmt.Fprintf(&d.b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" %s/>`+"\n", x, y, w, h, attrs)
}

func (d *drawing) fill(x, y, w, h float64, colour string) {
	d.rect(x, y, w, h, `fill="`+colour+`"`)
}

func (d *drawing) text(x, y float64, size int, colour, anchor, s string) {
	fmt.Fprintf(&d.b, `<text x="%.1f" y="%.1f" font-size="%d" fill="%s" text-anchor="%s">%s</text>`+"\n", x, y, size, colour, anchor, escape(s))
}

// heading begins a section.
func (d *drawing) heading(s string) {
	d.y += 40
	d.text(drawMargin, d.y, 16, colourTitle, "start", s)
}

// Draw draws the report as an SVG picture; name is the application's.
func (r *Report) Draw(name string) []byte {
	d := &drawing{y: 42}
	title := fmt.Sprintf("%s: memory on an %s, firmware %s", name, r.Product, r.Firmware)
	d.text(drawMargin, d.y, 20, colourTitle, "start", title)
	p := &r.Program
	if len(p.Modules) > 0 || p.Main != "" {
		d.heading(fmt.Sprintf("The heap with the program loaded: %d blocks of 16 bytes", r.Heap/16))
		d.heap(r, &p.Plain, "without a bundle")
		if other := p.shownBundle(); other != nil {
			d.heap(r, other, "with "+strings.Join(other.Bundled, ", ")+" bundled")
		}
		d.legend(r)
	}
	if len(r.Modules) > 0 {
		d.heading("What importing a module takes of the heap, with all that it imports")
		d.imports(r)
	}
	d.heading("What the bundle has room for")
	d.bundle(r)
	d.y += 24
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%.0f" viewBox="0 0 %d %.0f" role="img" aria-label="%s" font-family="system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif">`+"\n",
		drawWidth, d.y, drawWidth, d.y, escape(title))
	fmt.Fprintf(&out, `<rect width="%d" height="%.0f" rx="10" fill="%s"/>`+"\n", drawWidth, d.y, colourPage)
	out.Write(d.b.Bytes())
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// shownBundle is the bundle that is drawn: the best, or the whole one if the best is
// none. nil: nothing can be bundled.
func (p *Program) shownBundle() *Load {
	switch {
	case len(p.Best.Bundled) > 0:
		return &p.Best
	case len(p.Whole.Bundled) > 0:
		return &p.Whole
	}
	return nil
}

// heap draws the map of a heap, an allocation a rectangle.
func (d *drawing) heap(r *Report, l *Load, what string) {
	d.y += 26
	d.text(drawMargin, d.y, 13, colourText, "start", what)
	state, colour := fmt.Sprintf("%d bytes free, %d in one piece", l.Free, l.Largest), colourFaint
	if !l.Loads {
		state, colour = "no memory at "+l.FailedIn, colourLimit
	}
	d.text(drawWidth-drawMargin, d.y, 13, colour, "end", state)
	d.y += 8
	const w = float64(inner) / mapColumns
	rows := (len(l.Map) + mapColumns - 1) / mapColumns
	d.fill(drawMargin, d.y, inner, float64(rows*cellHeight), colourEmpty)
	for at := 0; at < len(l.Map); {
		owner := int(l.Map[at])
		end := at + 1
		for end < len(l.Map) && int(l.Map[end]) == -max(owner, -owner) && owner != 0 && end%mapColumns != 0 {
			end++
		}
		if owner != 0 {
			gap := 1.2 // in front of an allocation, so that each can be seen
			if owner < 0 {
				gap = 0
			}
			x := drawMargin + float64(at%mapColumns)*w
			d.fill(x+gap, d.y+float64(at/mapColumns*cellHeight)+0.6, float64(end-at)*w-gap, cellHeight-1.2, ownerColour(max(owner, -owner)))
		}
		at = end
	}
	d.y += float64(rows * cellHeight)
}

// legend names the colours.
func (d *drawing) legend(r *Report) {
	d.y += 24
	x := float64(drawMargin)
	entry := func(owner int, s string) {
		if x > drawWidth-drawMargin-40-7*float64(len(s)) {
			x = drawMargin
			d.y += 20
		}
		d.fill(x, d.y-10, 11, 11, ownerColour(owner))
		d.text(x+16, d.y, 12, colourText, "start", s)
		x += 34 + 7*float64(len(s))
	}
	entry(1, "interpreter")
	if r.Program.Main != "" && r.Program.Error == "" {
		entry(2, r.Program.Main)
	}
	for i, name := range r.Program.Modules {
		entry(i+3, name)
	}
}

// owner is the number under which a map has a module.
func (r *Report) owner(name string) int {
	if i := slices.Index(r.Program.Modules, name); i >= 0 {
		return i + 3
	}
	return 1
}

// imports draws a bar for each way of importing each module: what must be free, and
// in it what stays.
func (d *drawing) imports(r *Report) {
	most := r.FreeAtPrompt
	for _, m := range r.Modules {
		for _, c := range [...]*Cost{m.Source, m.Mpy, m.Bundle} {
			if c != nil {
				most = max(most, c.Needs)
			}
		}
	}
	most = min(most, 2*r.FreeAtPrompt) // one giant must not make dwarfs of the others
	scale := float64(inner-barLeft-barRight) / float64(most)
	left := float64(drawMargin + barLeft)
	limit := left + float64(r.FreeAtPrompt)*scale
	d.y += 10
	top := d.y
	for _, m := range r.Modules {
		d.y += 8
		d.text(drawMargin, d.y+barHeight, 13, colourText, "start", m.Name)
		if m.Mpy == nil {
			why := "the firmware has a module of this name"
			if m.Error != "" {
				why = "cannot be compiled"
			}
			d.text(left, d.y+barHeight, 12, colourLimit, "start", why)
			d.y += barHeight + 5
			continue
		}
		for _, way := range [...]struct {
			name string
			cost *Cost
		}{{"source", m.Source}, {".mpy", m.Mpy}, {"bundled", m.Bundle}} {
			if way.cost == nil {
				continue
			}
			d.cost(way.cost, way.name, ownerColour(r.owner(m.Name)), left, scale)
			d.y += barHeight + 5
		}
	}
	d.y += 4
	fmt.Fprintf(&d.b, `<path d="M%.1f %.1fV%.1f" stroke="%s" stroke-dasharray="3 3"/>`+"\n", limit, top, d.y, colourLimit)
	d.y += 14
	d.text(limit, d.y, 12, colourFaint, "end", fmt.Sprintf("free at the first prompt: %d bytes", r.FreeAtPrompt))
}

func (d *drawing) cost(c *Cost, name, colour string, left, scale float64) {
	base := d.y + barHeight - 1
	d.text(left-8, base, 12, colourFaint, "end", name)
	length := func(n int) float64 { return min(max(float64(n)*scale, 1), inner-barLeft-barRight) }
	d.rect(left, d.y, length(c.Needs), barHeight, fmt.Sprintf(`fill="%s" fill-opacity="0.35"`, colour))
	d.fill(left, d.y, length(c.Keeps), barHeight, colour)
	text := fmt.Sprintf("needs %d, keeps %d", c.Needs, c.Keeps)
	ink := colourFaint
	if c.Never {
		text, ink = "never returns: "+c.Error, colourLimit
	} else if !c.Fits {
		text, ink = "does not fit: "+text, colourLimit
	} else if c.Error != "" {
		text, ink = "fails: "+firstWords(c.Error), colourLimit
	}
	d.text(drawWidth-drawMargin, base, 12, ink, "end", text)
}

// firstWords is the beginning of an exception's text, as much as there is room for.
func firstWords(s string) string {
	if len(s) > 32 {
		s = s[:30] + "..."
	}
	return s
}

// bundle draws the budgets of the bundle area.
func (d *drawing) bundle(r *Report) {
	l := r.Program.shownBundle()
	if l == nil {
		l = &Load{}
	}
	own := func(f func(m *Module) int) (parts []int) {
		for _, name := range l.Bundled {
			for i := range r.Modules {
				if r.Modules[i].Name == name {
					parts = append(parts, f(&r.Modules[i]))
				}
			}
		}
		return parts
	}
	d.budget(r, "flash", "bytes", l, own(func(m *Module) int { return m.Flash }), l.Flash, r.Limits.Bytes)
	d.budget(r, "names", "names", l, own(func(m *Module) int { return m.Names }), l.Names, r.Limits.Names)
	if f := r.Files; f != nil {
		d.budget(r, "files", "bytes", &Load{}, nil, f.Used, f.Limit)
		d.fill(drawMargin+60, d.y-20, max(float64(inner-60-barRight)*min(1, float64(f.Used)/float64(f.Limit)), 0.5), 18, colourFaint)
	}
	what := "bundled: " + strings.Join(l.Bundled, ", ")
	if len(l.Bundled) == 0 {
		what = "nothing is bundled"
	} else if len(r.Program.Best.Bundled) == 0 && r.Program.Fits {
		what += "; it would fit without, too"
	}
	d.y += 24
	d.text(drawMargin, d.y, 12, colourFaint, "start", what)
}

// budget draws one bar with the parts of modules; what they share is taken off each
// in proportion.
func (d *drawing) budget(r *Report, name, unit string, l *Load, parts []int, used, limit int) {
	d.y += 14
	d.text(drawMargin, d.y+13, 13, colourText, "start", name)
	left, width := float64(drawMargin+60), float64(inner-60-barRight)
	d.fill(left, d.y, width, 18, colourEmpty)
	sum := 0
	for _, n := range parts {
		sum += n
	}
	x := left
	for i, n := range parts {
		w := width * float64(used) / float64(limit) * float64(n) / float64(max(sum, 1))
		d.fill(x, d.y, max(w-1, 0.5), 18, ownerColour(r.owner(l.Bundled[i])))
		x += w
	}
	d.text(drawWidth-drawMargin, d.y+13, 12, colourFaint, "end", fmt.Sprintf("%d of %d %s", used, limit, unit))
	d.y += 20
}

// escape makes text fit for XML.
func escape(s string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0xfffe || r == 0xffff || r == 0xfffd {
			return '?'
		}
		return r
	}, s))
}
