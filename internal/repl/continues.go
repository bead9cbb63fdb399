package repl

import "bytes"

// compound are the words that begin a block.
var compound = [...]string{"if", "while", "for", "try", "with", "def", "class", "async"}

// continues reports whether a block needs another line: an open bracket or
// triple quote, a backslash at the end, or a compound statement that no empty
// line has ended (mp_repl_continue_with_input).
func continues(in []byte) bool {
	if i := bytes.IndexByte(in, 0); i >= 0 {
		in = in[:i]
	}
	if len(in) == 0 {
		return false
	}
	block := in[0] == '@'
	for _, w := range compound {
		block = block || startsWithWord(in, w)
	}
	open, quote := scan(in)
	last := in[len(in)-1]
	switch {
	case quote == tripleSingle || quote == tripleDouble:
		return true
	case open && quote == noQuote:
		return true
	case last == '\\':
		return true
	}
	return block && last != '\n'
}

func startsWithWord(in []byte, w string) bool {
	if !bytes.HasPrefix(in, []byte(w)) {
		return false
	}
	return len(in) == len(w) || !isIdent(in[len(w)])
}

func isIdent(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// quoting is the kind of string that a place lies in.
type quoting uint8

const (
	noQuote quoting = iota
	single
	double
	tripleSingle
	tripleDouble
)

// scan follows quotes and brackets to the end of the text.
func scan(in []byte) (open bool, quote quoting) {
	at := func(i int) byte {
		if i < len(in) {
			return in[i]
		}
		return 0
	}
	toggle := func(q quoting) {
		if quote == q {
			quote = noQuote
		} else {
			quote = q
		}
	}
	var paren, bracket, brace int
	for i := 0; i < len(in); i++ {
		c := in[i]
		switch {
		case c == '\'' || c == '"':
			one, three := single, tripleSingle
			if c == '"' {
				one, three = double, tripleDouble
			}
			if (quote == noQuote || quote == three) && at(i+1) == c && at(i+2) == c {
				i += 2
				toggle(three)
			} else if quote == noQuote || quote == one {
				toggle(one)
			}
		case c == '\\' && (at(i+1) == '\'' || at(i+1) == '"' || at(i+1) == '\\'):
			if quote != noQuote {
				i++
			}
		case quote == noQuote:
			switch c {
			case '(':
				paren++
			case ')':
				paren--
			case '[':
				bracket++
			case ']':
				bracket--
			case '{':
				brace++
			case '}':
				brace--
			}
		}
	}
	return paren > 0 || bracket > 0 || brace > 0, quote
}
