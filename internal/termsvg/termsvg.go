// Package termsvg draws a terminal's transcript as an SVG picture, for the
// README: a window with the command and the lines that it printed.
//
// It is not a terminal emulator: it knows text and line ends, no escape
// sequences.
package termsvg

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Style is how a line is drawn.
type Style int

// The styles.
const (
	Plain   Style = iota
	Command       // typed by a person
	Faint         // of little interest
	Strong        // what the reader should see
	Remark        // from the host, not the module
)

// Line is one line of the picture.
type Line struct {
	Text  string
	Style Style
}

// Measures in pixels, and the colours, which are readable on a light page and a
// dark one, since the window brings its own background.
const (
	charWidth  = 8.4
	lineHeight = 19
	margin     = 18
	bar        = 34
	minColumns = 60
	background = "#1d2127"
	barColour  = "#2b3038"
)

var colours = [...]string{Plain: "#d5dae1", Command: "#ffffff", Faint: "#7f8997", Strong: "#8fd694", Remark: "#f2c374"}

// Draw draws lines in a window with a title. Lines longer than columns are
// wrapped.
func Draw(title string, lines []Line, columns int) []byte {
	var rows []Line
	for _, l := range lines {
		rows = append(rows, wrap(l, max(columns, minColumns))...)
	}
	width := 2*margin + float64(max(columns, minColumns))*charWidth
	height := bar + 2*margin + len(rows)*lineHeight
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" viewBox="0 0 %.0f %d" role="img" aria-label="%s">`+"\n",
		width, height, width, height, escape(title))
	fmt.Fprintf(&b, `<rect width="%.0f" height="%d" rx="8" fill="%s"/>`+"\n", width, height, background)
	fmt.Fprintf(&b, `<path d="M0 8a8 8 0 0 1 8-8h%.0fa8 8 0 0 1 8 8v%dH0z" fill="%s"/>`+"\n", width-16, bar-8, barColour)
	for i, c := range [...]string{"#ec6a5e", "#f4bf4f", "#61c554"} {
		fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="6" fill="%s"/>`+"\n", margin+2+i*20, bar/2, c)
	}
	fmt.Fprintf(&b, `<text x="%.0f" y="%d" text-anchor="middle" font-family="sans-serif" font-size="13" fill="%s">%s</text>`+"\n",
		width/2, bar/2+5, colours[Faint], escape(title))
	fmt.Fprintf(&b, `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" xml:space="preserve">`+"\n")
	for i, r := range rows {
		if r.Text == "" {
			continue
		}
		weight := ""
		if r.Style == Command {
			weight = ` font-weight="bold"`
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" fill="%s"%s textLength="%.1f" lengthAdjust="spacingAndGlyphs">%s</text>`+"\n", margin,
			bar+margin+(i+1)*lineHeight-5, colours[r.Style], weight, float64(utf8.RuneCountInString(r.Text))*charWidth, escape(r.Text))
	}
	b.WriteString("</g>\n</svg>\n")
	return b.Bytes()
}

// wrap cuts a line into rows, at a space where there is one near the end.
func wrap(l Line, columns int) []Line {
	text := []rune(strings.TrimRight(strings.ReplaceAll(l.Text, "\t", "    "), " \r\n"))
	var rows []Line
	for len(text) > columns {
		cut := columns
		for i := columns; i > columns*2/3; i-- {
			if text[i] == ' ' {
				cut = i
				break
			}
		}
		rows = append(rows, Line{string(text[:cut]), l.Style})
		text = append([]rune("  "), []rune(strings.TrimLeft(string(text[cut:]), " "))...)
	}
	return append(rows, Line{string(text), l.Style})
}

// escape makes text fit for XML; what XML does not allow becomes a question
// mark.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '"':
			b.WriteString("&quot;")
		case r < ' ' || r == utf8.RuneError || r == 0xfffe || r == 0xffff:
			b.WriteByte('?')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
