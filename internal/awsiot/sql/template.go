package sql

import "strings"

// Template is a text with substitution templates, ${expression}, in it. It may be expanded by
// many goroutines.
type Template struct {
	text  string
	parts []part
}

// part is a piece of text, or with x an expression.
type part struct {
	text string
	x    node
}

// ParseTemplate reads a text of an action. Its error is an *Error.
func ParseTemplate(text string) (*Template, error) {
	t := &Template{text: text}
	for at := 0; at < len(text); {
		i := strings.Index(text[at:], "${")
		if i < 0 {
			t.parts = append(t.parts, part{text: text[at:]})
			break
		}
		if i > 0 {
			t.parts = append(t.parts, part{text: text[at : at+i]})
		}
		p := &parser{s: text, tok: token{end: at + i + 2}}
		if err := p.next(); err != nil {
			return nil, err
		}
		x, err := p.expression()
		if err != nil {
			return nil, err
		}
		if !p.tok.is("}") {
			return nil, p.fail("} is expected after the expression, not %s", p.tok)
		}
		t.parts = append(t.parts, part{x: x})
		at = p.tok.end
	}
	return t, nil
}

// String is the template as it was written.
func (t *Template) String() string { return t.text }

// Fixed says whether there is nothing to substitute, so that what can be checked of the text
// can be checked now.
func (t *Template) Fixed() bool {
	for _, p := range t.parts {
		if p.x != nil {
			return false
		}
	}
	return true
}

// Prefix is the text before the first expression.
func (t *Template) Prefix() string {
	if len(t.parts) == 0 || t.parts[0].x != nil {
		return ""
	}
	return t.parts[0].text
}

// Expand substitutes. Expressions see the message, not what the statement has selected (AWS:
// "Substitution templates"); Undefined and Null become nothing.
func (t *Template) Expand(in *Input) (string, error) {
	if len(t.parts) == 1 && t.parts[0].x == nil {
		return t.parts[0].text, nil
	}
	r := in.run()
	var b strings.Builder
	for _, p := range t.parts {
		if p.x == nil {
			b.WriteString(p.text)
			continue
		}
		s, _ := p.x.eval(r).toString()
		if r.err != nil || !r.text(b.Len()+len(s)) {
			return "", r.err
		}
		b.WriteString(s)
	}
	return b.String(), nil
}
