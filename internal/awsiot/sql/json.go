package sql

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep a payload may be nested; what is deeper is no JSON here. AWS does not
// say.
const maxDepth = 100

// parseJSON reads a JSON text; false when it is none.
func parseJSON(text []byte) (value, bool) {
	p := jsonParser{s: string(text)}
	if !utf8.ValidString(p.s) {
		return undefined, false
	}
	p.space()
	v, ok := p.value(0)
	p.space()
	return v, ok && p.i == len(p.s)
}

type jsonParser struct {
	s string
	i int
}

func (p *jsonParser) space() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\r', '\n':
			p.i++
		default:
			return
		}
	}
}

func (p *jsonParser) take(c byte) bool {
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *jsonParser) word(w string, v value) (value, bool) {
	if len(p.s)-p.i < len(w) || p.s[p.i:p.i+len(w)] != w {
		return undefined, false
	}
	p.i += len(w)
	return v, true
}

func (p *jsonParser) value(depth int) (value, bool) {
	if p.i == len(p.s) || depth > maxDepth {
		return undefined, false
	}
	switch c := p.s[p.i]; c {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	case '"':
		s, ok := p.str()
		return str(s), ok
	case 't':
		return p.word("true", boolean(true))
	case 'f':
		return p.word("false", boolean(false))
	case 'n':
		return p.word("null", null())
	default:
		return p.number()
	}
}

func (p *jsonParser) object(depth int) (value, bool) {
	p.i++
	l := &list{}
	p.space()
	if p.take('}') {
		return object(l), true
	}
	for {
		p.space()
		if p.i == len(p.s) || p.s[p.i] != '"' {
			return undefined, false
		}
		key, ok := p.str()
		if !ok {
			return undefined, false
		}
		p.space()
		if !p.take(':') {
			return undefined, false
		}
		p.space()
		v, ok := p.value(depth + 1)
		if !ok {
			return undefined, false
		}
		l.set(key, v)
		p.space()
		if p.take('}') {
			return object(l), true
		}
		if !p.take(',') {
			return undefined, false
		}
	}
}

func (p *jsonParser) array(depth int) (value, bool) {
	p.i++
	var elems []value
	p.space()
	if p.take(']') {
		return array(nil), true
	}
	for {
		p.space()
		v, ok := p.value(depth + 1)
		if !ok {
			return undefined, false
		}
		elems = append(elems, v)
		p.space()
		if p.take(']') {
			return array(elems), true
		}
		if !p.take(',') {
			return undefined, false
		}
	}
}

func (p *jsonParser) number() (value, bool) {
	start := p.i
	p.take('-')
	if !p.take('0') && p.digits() == 0 {
		return undefined, false
	}
	if p.take('.') && p.digits() == 0 {
		return undefined, false
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		if p.digits() == 0 {
			return undefined, false
		}
	}
	return number(p.s[start:p.i]), true
}

func (p *jsonParser) digits() int {
	start := p.i
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		p.i++
	}
	return p.i - start
}

// str reads a string; p is at its quote.
func (p *jsonParser) str() (string, bool) {
	p.i++
	start := p.i
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == '"':
			s := p.s[start:p.i]
			p.i++
			return s, true
		case c < 0x20:
			return "", false
		case c == '\\':
			return p.escaped(start)
		}
		p.i++
	}
	return "", false
}

// escaped reads the rest of a string from its first escape on.
func (p *jsonParser) escaped(start int) (string, bool) {
	b := []byte(p.s[start:p.i])
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == '"':
			p.i++
			return string(b), true
		case c < 0x20:
			return "", false
		case c != '\\':
			b = append(b, c)
			p.i++
		default:
			var ok bool
			if b, ok = p.escape(b); !ok {
				return "", false
			}
		}
	}
	return "", false
}

// escape reads one escape; p is at its backslash.
func (p *jsonParser) escape(b []byte) ([]byte, bool) {
	if p.i+1 >= len(p.s) {
		return b, false
	}
	c := p.s[p.i+1]
	p.i += 2
	switch c {
	case '"', '\\', '/':
		return append(b, c), true
	case 'b':
		return append(b, '\b'), true
	case 'f':
		return append(b, '\f'), true
	case 'n':
		return append(b, '\n'), true
	case 'r':
		return append(b, '\r'), true
	case 't':
		return append(b, '\t'), true
	case 'u':
		r, ok := p.hex4()
		if !ok {
			return b, false
		}
		if utf16.IsSurrogate(r) {
			r2 := rune(-1)
			if p.i+1 < len(p.s) && p.s[p.i] == '\\' && p.s[p.i+1] == 'u' {
				save := p.i
				p.i += 2
				if r2, ok = p.hex4(); !ok {
					return b, false
				}
				if r = utf16.DecodeRune(r, r2); r == utf8.RuneError {
					p.i = save
				}
			} else {
				r = utf8.RuneError
			}
		}
		return utf8.AppendRune(b, r), true
	}
	return b, false
}

func (p *jsonParser) hex4() (rune, bool) {
	if p.i+4 > len(p.s) {
		return 0, false
	}
	n, err := strconv.ParseUint(p.s[p.i:p.i+4], 16, 16)
	p.i += 4
	return rune(n), err == nil
}

// appendJSON writes a value; Undefined members and elements have been left out before.
func (v value) appendJSON(b []byte) []byte {
	switch v.kind {
	case kindBool:
		return strconv.AppendBool(b, v.yes)
	case kindInt, kindDecimal:
		return append(b, v.numText()...)
	case kindString:
		return appendString(b, v.text)
	case kindArray:
		b = append(b, '[')
		for i, e := range v.list.elems {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.appendJSON(b)
		}
		return append(b, ']')
	case kindObject:
		b = append(b, '{')
		for i, e := range v.list.elems {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, v.list.keys[i]), ':')
			b = e.appendJSON(b)
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

const hexDigits = "0123456789abcdef"

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(b, s[start:]...), '"')
}
