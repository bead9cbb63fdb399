package syntax

import "strings"

// lexer splits a source text into tokens, one of lookahead: tok is the current
// one. It mirrors the reference lexer, which reads a byte at a time; here the
// text lies in one string, so that most tokens are slices of it.
type lexer struct {
	charge

	// src is the text with line ends as "\n", closed by one, and padding.
	src string
	end int // where the padding begins
	pos int

	line      uint32
	lineStart int // where the line of pos begins, if only blanks lie between

	tok     Token
	tokLine uint32
	tokPos  int    // where it begins in src
	text    string // the text of a name, a number, a string or bytes

	emitDent int // dedents (<0) or indents (>0) that are still to come
	nesting  int // open brackets; negative after too many closing ones
	indents  []uint16
	indAlloc int // entries the device has room for

	buf    []byte // for texts that are no slice of src
	vAlloc int    // bytes the device's text buffer has room for

	// The device's structures.
	reader, self, indRef, vRef Ref

	name      string
	unicode   bool
	debug     Token // what __debug__ stands for
	matMul    bool  // "@=" is a token
	underline bool  // numbers may hold "_"
}

// What the lexer allocates on the device, in bytes.
const (
	lexerBytes   = 84
	indentInit   = 10 // entries of 2 bytes
	indentGrow   = 8
	textInit     = 32
	tabSize      = 8
	srcPadding   = "\x00\x00\x00"
	endOfSource  = ^uint32(0)
	maxCodePoint = 0x10ffff
)

// start makes the lexer ready and reads the first token.
func (l *lexer) start(src []byte, name string, o *Options) {
	l.name = name
	l.budget = o.Budget
	l.unicode = o.Unicode
	l.matMul = o.Version >= V112
	l.underline = o.Version >= V110
	l.debug = TokKwTrue
	if o.OptLevel > 0 {
		l.debug = TokKwFalse
	}
	l.src = normalize(src)
	l.end = len(l.src) - len(srcPadding)
	l.line = 1

	if o.ReaderBytes > 0 {
		l.reader = l.alloc(o.ReaderBytes)
	}
	if l.err == nil && o.Names != nil {
		l.err = o.Names.Intern(name)
	}
	l.self = l.alloc(lexerBytes)
	l.indAlloc = indentInit
	l.indRef = l.alloc(2 * indentInit)
	l.vAlloc = textInit
	l.vRef = l.alloc(textInit)
	l.indents = append(make([]uint16, 0, indentInit), 0)

	newline := l.skipBlanks(false)
	first := column(l.src[l.lineStart:l.pos])
	l.scan(newline)
	if first != 1 {
		// The parser shall refuse a text that begins indented.
		l.tok = TokIndent
	}
}

// free gives back what the device's lexer holds.
func (l *lexer) free() {
	l.drop(l.reader)
	l.drop(l.vRef)
	l.drop(l.indRef)
	l.drop(l.self)
}

// normalize makes every line end a "\n" and sees to it that one is last.
func normalize(src []byte) string {
	var b strings.Builder
	b.Grow(len(src) + 1 + len(srcPadding))
	last := byte(0)
	for i := 0; i < len(src); {
		j := i
		for j < len(src) && src[j] != '\r' {
			j++
		}
		if j > i {
			b.Write(src[i:j])
			last = src[j-1]
		}
		if j < len(src) {
			b.WriteByte('\n')
			last = '\n'
			j++
			if j < len(src) && src[j] == '\n' {
				j++
			}
		}
		i = j
	}
	if last != '\n' {
		b.WriteByte('\n')
	}
	b.WriteString(srcPadding)
	return b.String()
}

// column gives the column after the text s at the start of a line.
func column(s string) int {
	col := 1
	for i := 0; i < len(s); i++ {
		if s[i] == '\t' {
			col = (col-1+tabSize)/tabSize*tabSize + 1
		} else {
			col++
		}
	}
	return col
}

// skipBlanks skips white space and comments, and newlines too unless stop says
// that one outside brackets ends it. It tells whether there was a newline that
// no backslash hid.
func (l *lexer) skipBlanks(stop bool) bool {
	newline := false
	src, i := l.src, l.pos
	for {
		switch c := src[i]; {
		case c == ' ':
			i++
			continue
		case c == '\n':
			if stop && l.nesting == 0 {
				l.pos = i
				return newline
			}
			newline = true
			i++
			l.line++
			l.lineStart = i
			continue
		case c == '#':
			i += strings.IndexByte(src[i:], '\n')
			continue
		case c == '\\' && src[i+1] == '\n':
			i += 2
			l.line++
			l.lineStart = i
			continue
		case isSpace(c):
			i++
			continue
		}
		break
	}
	l.pos = i
	return newline
}

// next reads the next token.
func (l *lexer) next() { l.scan(l.skipBlanks(false)) }

// scan reads the token that begins here; newline tells whether a line ended
// before it.
func (l *lexer) scan(newline bool) {
	l.tokLine = l.line
	l.tokPos = l.pos

	if l.emitDent < 0 {
		l.tok = TokDedent
		l.emitDent++
		return
	}
	if l.emitDent > 0 {
		l.tok = TokIndent
		l.emitDent--
		return
	}
	if newline && l.nesting == 0 {
		l.newline()
		return
	}
	if l.pos >= l.end {
		l.tok = TokEnd
		return
	}
	c := l.src[l.pos]
	switch class[c] & clMask {
	case clLetter:
		if l.atString() {
			l.str()
		} else {
			l.identifier()
		}
	case clQuote:
		l.str()
	case clDigit:
		l.number()
	default:
		if c == '.' && isDigit(l.src[l.pos+1]) {
			l.number()
		} else {
			l.operator(c)
		}
	}
}

// newline is the token at the start of a line: it compares the indentation.
func (l *lexer) newline() {
	l.tok = TokNewline
	spaces := column(l.src[l.lineStart:l.pos]) - 1
	top := func() int { return int(l.indents[len(l.indents)-1]) }
	switch {
	case spaces > top():
		if len(l.indents) >= l.indAlloc {
			l.indAlloc += indentGrow
			l.indRef = l.resize(l.indRef, 2*l.indAlloc)
		}
		// The device keeps 16 bits.
		l.indents = append(l.indents, uint16(spaces))
		l.emitDent++
	case spaces < top():
		for spaces < top() {
			l.indents = l.indents[:len(l.indents)-1]
			l.emitDent--
		}
		if spaces != top() {
			l.tok = TokDedentMismatch
		}
	}
}

func (l *lexer) identifier() {
	src, i := l.src, l.pos+1
	for class[src[i]]&clWord != 0 {
		i++
	}
	l.text = src[l.pos:i]
	l.pos = i
	l.textGrow(len(l.text))
	if len(l.text) == l.vAlloc {
		// The device wants a zero byte behind the name.
		l.vAlloc++
		l.vRef = l.resize(l.vRef, l.vAlloc)
	}
	l.tok = keyword(l.text)
	if l.tok == TokKwDebug {
		l.tok = l.debug
	}
}

// number reads digits, letters and points: whether they make a number is for
// the parser to find out.
func (l *lexer) number() {
	src, i := l.src, l.pos
	l.tok = TokInteger
	based := false
	if src[i] == '.' {
		l.tok = TokFloatOrImag
	} else if src[i] == '0' {
		switch src[i+1] | 0x20 {
		case 'b', 'o', 'x':
			based = true
		}
	}
	plain := true // the token is what stands in the text
	i++
scan:
	for i < l.end {
		switch c := src[i]; {
		case !based && (c == 'e' || c == 'E'):
			l.tok = TokFloatOrImag
			plain = plain && c == 'e'
			i++
			if src[i] == '+' || src[i] == '-' {
				i++
			}
		case isDigit(c) || isLetter(c) || c == '.':
			if c == '.' || c == 'j' || c == 'J' {
				l.tok = TokFloatOrImag
			}
			i++
		case c == '_' && l.underline:
			plain = false
			i++
		default:
			break scan
		}
	}
	l.text = src[l.pos:i]
	l.pos = i
	if !plain {
		l.buf = l.buf[:0]
		for j := 0; j < len(l.text); j++ {
			switch c := l.text[j]; {
			case c == '_':
			case c == 'E' && !based:
				l.buf = append(l.buf, 'e')
			default:
				l.buf = append(l.buf, c)
			}
		}
		l.text = string(l.buf)
	}
	l.textGrow(len(l.text))
}
