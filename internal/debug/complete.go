package debug

import (
	"fmt"
	"slices"
	"strings"

	"github.com/skep-sim/skep/internal/vm"
)

// Assignment cuts "target = value" in two.
func Assignment(text string) (target, value string, ok bool) { return assignment(text) }

// Complete gives the names that may stand where a text ends, and where the part of
// the text begins that they replace.
func (s *Session) Complete(text string, frame int) (names []string, start int, err error) {
	start = len(text)
	for start > 0 && (isName(text[start-1:]) || isName("_"+text[start-1:])) {
		start--
	}
	prefix := text[start:]
	err = s.look(func(p *snapshot) error {
		f, err := p.frame(frame)
		if err != nil {
			return nil
		}
		if start > 0 && text[start-1] == '.' {
			base := start - 1
			for base > 0 && strings.IndexByte(" ([{,=+-*/%<>!&|^~:", text[base-1]) < 0 {
				base--
			}
			v, value, _, err := p.evaluate(text[base:start-1], frame, false)
			if err != nil {
				return nil
			}
			for _, c := range v.Attributes(value) {
				names = append(names, c.Name)
			}
			if class := v.TypeOf(value); class != vm.TypeType {
				for _, c := range v.Attributes(class) {
					names = append(names, c.Name)
				}
			}
		} else {
			for _, l := range append(p.locals(frame, false), p.locals(frame, true)...) {
				names = append(names, l.name)
			}
			for pos := 0; ; {
				k, _, ok := p.v.DictNext(f.Globals(), &pos)
				if !ok {
					break
				}
				names = append(names, p.v.Str(k))
			}
		}
		return nil
	})
	names = slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, prefix) || !isName(n) })
	slices.Sort(names)
	return slices.Compact(names), start, err
}

// Memory is the stopped program's memory, as micropython.mem_info would show it.
func (s *Session) Memory() (text string, err error) {
	err = s.look(func(p *snapshot) error {
		for _, v := range p.memory() {
			text += fmt.Sprintf("%s: %s\n", v.Name, v.Value)
		}
		p.v.DumpHeap(p.v.NewPrinter(func(b []byte) { text += string(b) }))
		return nil
	})
	return text, err
}
