package sql

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Error says where a statement or template breaks the rules of AWS IoT SQL.
type Error struct {
	Offset int // bytes from the start
	Text   string
}

func (e *Error) Error() string { return fmt.Sprintf("SQL, character %d: %s", e.Offset+1, e.Text) }

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenString
	tokenNumber
	tokenSign
)

type token struct {
	kind tokenKind
	text string // a name or sign as written, a string without quotes, a number
	at   int
	end  int
}

// is says whether the token is a keyword or sign; keywords are written in any case.
func (t token) is(word string) bool {
	switch t.kind {
	case tokenName:
		return strings.EqualFold(t.text, word)
	case tokenSign:
		return t.text == word
	}
	return false
}

func (t token) String() string {
	switch t.kind {
	case tokenEnd:
		return "the end"
	case tokenString:
		return strconv.Quote(t.text)
	}
	return t.text
}

func nameStart(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= utf8.RuneSelf }
func digit(c byte) bool     { return c >= '0' && c <= '9' }

// scan reads the token that begins at or after byte i.
func scan(s string, i int) (token, error) {
	for i < len(s) && strings.IndexByte(" \t\r\n", s[i]) >= 0 {
		i++
	}
	if i == len(s) {
		return token{at: i, end: i}, nil
	}
	c, start := s[i], i
	switch {
	case nameStart(c):
		for i < len(s) && (nameStart(s[i]) || digit(s[i])) {
			i++
		}
		return token{tokenName, s[start:i], start, i}, nil
	case digit(c) || c == '.' && i+1 < len(s) && digit(s[i+1]):
		return scanNumber(s, start)
	case c == '\'' || c == '"':
		return scanString(s, start)
	}
	for _, sign := range []string{"<>", "<=", ">=", "!=", "==", "||", "&&"} {
		if strings.HasPrefix(s[i:], sign) {
			return token{tokenSign, sign, start, start + 2}, nil
		}
	}
	if strings.IndexByte("+-*/%=<>(),.[]{}:;!`@$^&|", c) >= 0 {
		return token{tokenSign, s[i : i+1], start, start + 1}, nil
	}
	return token{}, &Error{i, fmt.Sprintf("the character %q is none of the language", c)}
}

func scanNumber(s string, i int) (token, error) {
	start := i
	for i < len(s) && digit(s[i]) {
		i++
	}
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && digit(s[i]); i++ {
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		j := i + 1
		if j < len(s) && (s[j] == '-' || s[j] == '+') {
			j++
		}
		if j < len(s) && digit(s[j]) {
			for i = j; i < len(s) && digit(s[i]); i++ {
			}
		}
	}
	if i < len(s) && nameStart(s[i]) {
		return token{}, &Error{start, fmt.Sprintf("%q is neither a number nor a name: a member whose name begins with a digit is reached with get(value, %q)", s[start:i+1], s[start:i+1])}
	}
	return token{tokenNumber, s[start:i], start, i}, nil
}

// scanString reads a literal in single or double quotes. A quote is doubled or has a backslash
// before it; a backslash before anything that is no escape of JSON stays, so that regular
// expressions can be written as they are. AWS does not say.
func scanString(s string, i int) (token, error) {
	start, quote := i, s[i]
	var b []byte
	for i++; i < len(s); i++ {
		c := s[i]
		switch {
		case c == quote && i+1 < len(s) && s[i+1] == quote:
			b = append(b, quote)
			i++
		case c == quote:
			return token{tokenString, string(b), start, i + 1}, nil
		case c == '\\' && i+1 < len(s):
			n := unescape(s[i:])
			b = append(b, n.text...)
			i += n.used - 1
		default:
			b = append(b, c)
		}
	}
	return token{}, &Error{start, "a string that is not closed"}
}

type unescaped struct {
	text string
	used int
}

func unescape(s string) unescaped {
	switch s[1] {
	case '\\', '\'', '"', '/':
		return unescaped{s[1:2], 2}
	case 'n':
		return unescaped{"\n", 2}
	case 'r':
		return unescaped{"\r", 2}
	case 't':
		return unescaped{"\t", 2}
	case 'u':
		if len(s) >= 6 {
			if n, err := strconv.ParseUint(s[2:6], 16, 16); err == nil {
				return unescaped{string(rune(n)), 6}
			}
		}
	}
	return unescaped{s[:1], 1}
}
