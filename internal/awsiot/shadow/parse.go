package shadow

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

var errJSON = errors.New("not JSON")

// maxNesting bounds the parser's recursion; the engine's own limit is far below and gives the
// better message.
const maxNesting = 64

// parser reads strict JSON (RFC 8259) into values. It is our own because the values must keep
// the order of members and the text of numbers, and carry times.
type parser struct {
	s     string
	i     int
	depth int
}

// parse reads one JSON text. The last of several members of the same name counts.
func parse(text []byte) (*value, error) {
	p := parser{s: string(text)}
	p.space()
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	p.space()
	if p.i != len(p.s) {
		return nil, errJSON
	}
	return v, nil
}

func (p *parser) space() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

func (p *parser) take(c byte) bool {
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) value() (*value, error) {
	if p.i >= len(p.s) {
		return nil, errJSON
	}
	switch c := p.s[p.i]; c {
	case '{', '[':
		p.depth++
		defer func() { p.depth-- }()
		if p.depth > maxNesting {
			return nil, errTooDeep
		}
		if c == '{' {
			return p.object()
		}
		return p.array()
	case '"':
		s, err := p.str()
		return &value{kind: kindScalar, text: s}, err
	case 't':
		return p.word("true", kindScalar)
	case 'f':
		return p.word("false", kindScalar)
	case 'n':
		return p.word("null", kindNull)
	default:
		return p.number()
	}
}

func (p *parser) word(w string, k kind) (*value, error) {
	if !strings.HasPrefix(p.s[p.i:], w) {
		return nil, errJSON
	}
	p.i += len(w)
	v := &value{kind: k}
	if k == kindScalar {
		v.text = w
	}
	return v, nil
}

func (p *parser) object() (*value, error) {
	p.i++
	v := &value{kind: kindObject}
	p.space()
	if p.take('}') {
		return v, nil
	}
	for {
		p.space()
		if p.i >= len(p.s) || p.s[p.i] != '"' {
			return nil, errJSON
		}
		key, err := p.str()
		if err != nil {
			return nil, err
		}
		p.space()
		if !p.take(':') {
			return nil, errJSON
		}
		p.space()
		e, err := p.value()
		if err != nil {
			return nil, err
		}
		v.set(key, e)
		p.space()
		if p.take('}') {
			return v, nil
		}
		if !p.take(',') {
			return nil, errJSON
		}
	}
}

func (p *parser) array() (*value, error) {
	p.i++
	v := &value{kind: kindArray}
	p.space()
	if p.take(']') {
		return v, nil
	}
	for {
		p.space()
		e, err := p.value()
		if err != nil {
			return nil, err
		}
		v.elems = append(v.elems, e)
		p.space()
		if p.take(']') {
			return v, nil
		}
		if !p.take(',') {
			return nil, errJSON
		}
	}
}

// str reads a string and gives it back as JSON text in normal form: escapes that are not
// needed are undone, so that two spellings of a name are one name.
func (p *parser) str() (string, error) {
	start := p.i
	escaped := false
	for i := p.i + 1; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case c == '\\':
			escaped = true
			i++
		case c < 0x20:
			return "", errJSON
		case c == '"':
			p.i = i + 1
			raw := p.s[start:p.i]
			if !escaped {
				return raw, nil
			}
			return normalString(raw)
		}
	}
	return "", errJSON
}

func normalString(raw string) (string, error) {
	var s string
	if err := json.Unmarshal([]byte(raw), &s); err != nil {
		return "", errJSON
	}
	return quote(s), nil
}

// quote writes a string as JSON, escaping only what must be.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < 0x20:
			const hex = "0123456789abcdef"
			b.WriteString(`\u00`)
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// number reads -?int[.frac][exp] and keeps its text.
func (p *parser) number() (*value, error) {
	start := p.i
	p.take('-')
	if !p.take('0') && p.digits() == 0 {
		return nil, errJSON
	}
	if p.take('.') && p.digits() == 0 {
		return nil, errJSON
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		if p.digits() == 0 {
			return nil, errJSON
		}
	}
	return &value{kind: kindScalar, text: p.s[start:p.i]}, nil
}

func (p *parser) digits() int {
	n := 0
	for p.i < len(p.s) && '0' <= p.s[p.i] && p.s[p.i] <= '9' {
		p.i++
		n++
	}
	return n
}

// unquote gives the text of a JSON string value, false if v is not a string.
func (v *value) unquote() (string, bool) {
	if v == nil || v.kind != kindScalar || v.text == "" || v.text[0] != '"' {
		return "", false
	}
	if strings.IndexByte(v.text, '\\') < 0 {
		return v.text[1 : len(v.text)-1], true
	}
	var s string
	err := json.Unmarshal([]byte(v.text), &s)
	return s, err == nil
}

func validUTF8(b []byte) bool { return utf8.Valid(b) }
