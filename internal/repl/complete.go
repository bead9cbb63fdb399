package repl

import (
	"bytes"
	"strings"

	"github.com/skep-sim/skep/internal/vm"
)

// This file completes names (mp_repl_autocomplete): it tries every name that the
// interpreter knows on the object in front of the dot.

const (
	wordSlot = 16
	lineMax  = 4 * wordSlot
)

// complete handles Tab.
func (e *editor) complete(r *REPL, d *redraw) {
	text := string(r.line.Bytes()[e.orig:e.cursor])
	more, many := r.completion(text)
	switch {
	case many:
		r.print(e.prompt)
		r.term.Write(r.line.Bytes()[e.orig:e.cursor])
		d.rest = true
	case more != "":
		for i := 0; i < len(more); i++ {
			r.line.Insert(e.cursor+i, more[i])
		}
		d.rest, d.forward = true, len(more)
	}
}

// completion returns what can be added behind text; many tells that several
// names fit and have been listed.
func (r *REPL) completion(text string) (more string, many bool) {
	v := r.vm
	start := len(text)
	for start > 0 && (isIdent(text[start-1]) || text[start-1] == '.') {
		start--
	}
	words := strings.Split(text[start:], ".")
	obj := v.MainModule()
	for _, w := range words[:len(words)-1] {
		q := v.FindQstr([]byte(w))
		if q == 0 {
			return "", false
		}
		if obj = v.Probe(obj, q); obj == vm.Null {
			return "", false
		}
	}
	word := words[len(words)-1]
	names := r.matches(obj, word)
	if len(names) == 0 {
		if start == 0 && len(words) == 1 && strings.HasPrefix("import ", word) {
			return "import "[len(word):], false
		}
		return "", false
	}
	common := names[0]
	for _, n := range names[1:] {
		for !strings.HasPrefix(n, common) {
			common = common[:len(common)-1]
		}
	}
	if len(names) == 1 || len(common) > len(word) {
		return common[len(word):], false
	}
	r.list(names)
	return "", true
}

// matches returns the names that obj has and that begin with word.
func (r *REPL) matches(obj vm.Value, word string) []string {
	v := r.vm
	var names []string
	mark := v.Mark()
	v.EachName(func(q vm.Qstr) {
		if b := v.QstrBytes(q); bytes.HasPrefix(b, []byte(word)) && v.Probe(obj, q) != vm.Null {
			names = append(names, string(b))
		}
		v.Release(mark)
	})
	return names
}

// list prints names in columns.
func (r *REPL) list(names []string) {
	p := r.vm.Stdout()
	n := lineMax
	for _, name := range names {
		gap := (n+wordSlot-1)/wordSlot*wordSlot - n
		if gap < 2 {
			gap += wordSlot
		}
		if n+gap+len(name) <= lineMax {
			p.String(strings.Repeat(" ", gap))
			n += gap
		} else {
			p.String("\n")
			n = 0
		}
		p.String(name)
		n += len(name)
	}
	p.String("\n")
}
