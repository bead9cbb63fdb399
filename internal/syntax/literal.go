package syntax

// atString tells whether a string or bytes literal begins at pos.
func (l *lexer) atString() bool {
	a, b, c := l.src[l.pos], l.src[l.pos+1], l.src[l.pos+2]
	quote := func(c byte) bool { return c == '\'' || c == '"' }
	switch a {
	case '\'', '"':
		return true
	case 'u':
		return quote(b)
	case 'r':
		return quote(b) || b == 'b' && quote(c)
	case 'b':
		return quote(b) || b == 'r' && quote(c)
	}
	return false
}

// str reads a string or bytes literal and those of the same kind that follow
// it: the reference joins them in the lexer, so that only the whole is stored.
func (l *lexer) str() {
	l.tok = TokEnd
	l.text = ""
	l.buf = l.buf[:0]
	copied := false // the text is in buf
	for {
		raw, kind, prefix := false, TokString, 0
		for isLetter(l.src[l.pos+prefix]) {
			switch l.src[l.pos+prefix] {
			case 'b':
				kind = TokBytes
			case 'r':
				raw = true
			}
			prefix++
		}
		if l.tok == TokEnd {
			l.tok = kind
		} else if l.tok != kind {
			break // what follows is the next token's trouble
		}
		l.pos += prefix
		copied = l.literal(raw, copied)
		if l.err != nil {
			return
		}
		l.skipBlanks(true)
		if !l.atString() {
			break
		}
		if !copied {
			l.buf = append(l.buf, l.text...)
			copied = true
		}
	}
	if copied {
		l.text = string(l.buf)
	}
}

// literal reads one literal, from its opening quote on. Unless copied is set
// it tries to make the text a slice of the source; it tells whether the text
// is in buf instead.
func (l *lexer) literal(raw, copied bool) bool {
	src, i := l.src, l.pos
	quote := src[i]
	quotes := 1
	i++
	if src[i] == quote && src[i+1] == quote {
		quotes = 3
		i += 2
	}
	first := i   // where the text begins that is not in buf yet
	closing := 0 // quotes seen in a row; the device counts them as text
	for i < l.end && closing < quotes {
		c := src[i]
		if c == quote {
			closing++
			i++
			continue
		}
		if c == '\n' {
			if quotes == 1 {
				break
			}
			l.line++
		}
		closing = 0
		i++
		if c == '\\' {
			l.flush(src[first : i-1])
			copied = true
			i = l.escape(i, raw)
			if l.err != nil {
				return copied
			}
			first = i
		}
	}
	l.pos = i
	if closing < quotes {
		l.tok = TokLonelyStringOpen
	}
	if copied {
		l.flush(src[first:i])
		l.buf = l.buf[:len(l.buf)-closing]
	} else {
		l.textGrow(i - first)
		l.text = src[first : i-closing]
	}
	return copied
}

// flush adds s to the text in buf.
func (l *lexer) flush(s string) {
	l.buf = append(l.buf, s...)
	l.textGrow(len(l.buf))
}

// escape reads what follows a backslash, from i on, and gives the place after it.
func (l *lexer) escape(i int, raw bool) int {
	src := l.src
	c := uint32(src[i])
	if c == '\n' {
		l.line++
	}
	if raw {
		l.put('\\')
		l.putChar(c)
		return i + 1
	}
	switch c {
	case '\n':
		return i + 1
	case '\\', '\'', '"':
	case 'a':
		c = 7
	case 'b':
		c = 8
	case 't':
		c = 9
	case 'n':
		c = 10
	case 'v':
		c = 11
	case 'f':
		c = 12
	case 'r':
		c = 13
	case 'x':
		c, i = l.hex(i, 2)
	case 'u', 'U':
		if l.tok == TokBytes {
			l.put('\\')
		} else if c == 'u' {
			c, i = l.hex(i, 4)
		} else {
			c, i = l.hex(i, 8)
		}
	case 'N':
		l.err = &Error{Kind: NotImplementedError, Msg: "unicode name escapes", Name: l.name, At: l.line}
		return i
	case '0', '1', '2', '3', '4', '5', '6', '7':
		c -= '0'
		for n := 1; n < 3 && '0' <= src[i+1] && src[i+1] <= '7'; n++ {
			i++
			c = c*8 + uint32(src[i]-'0')
		}
	default:
		l.put('\\')
	}
	l.putChar(c)
	return i + 1
}

// hex reads n digits behind src[i]. It gives their value and the place of the
// last one, or that of the first byte that is none: the reference takes that
// byte for part of the escape.
func (l *lexer) hex(i, n int) (uint32, int) {
	num := uint32(0)
	for ; n > 0; n-- {
		i++
		v, ok := hexValue(l.src[i])
		if !ok {
			l.tok = TokInvalid
			if l.src[i] == '\n' {
				l.line++
			}
			return 0, i
		}
		num = num<<4 + v
	}
	return num, i
}

// put adds a byte to the text.
func (l *lexer) put(c byte) {
	l.buf = append(l.buf, c)
	l.textGrow(len(l.buf))
}

// putChar adds the character of an escape to the text. What the text cannot
// hold makes the token invalid.
func (l *lexer) putChar(c uint32) {
	switch {
	case c == endOfSource:
		// The reference mistakes \Uffffffff for the end of the text.
	case l.unicode && c <= maxCodePoint && l.tok == TokString:
		have := len(l.buf)
		l.buf = appendChar(l.buf, c)
		l.textAdd(have, len(l.buf)-have)
	case c < 0x100 && (!l.unicode || l.tok == TokBytes):
		l.put(byte(c))
	default:
		l.tok = TokInvalid
	}
}
