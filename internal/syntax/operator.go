package syntax

// operator reads an operator or a delimiter that begins with c.
func (l *lexer) operator(c byte) {
	l.pos++
	d, e := l.src[l.pos], l.src[l.pos+1]
	// take ends the token, which is n bytes longer than c.
	take := func(t Token, n int) {
		l.tok = t
		l.pos += n
	}
	// augmented is the token t, or u if a "=" follows.
	augmented := func(t, u Token) {
		if d == '=' {
			take(u, 1)
		} else {
			take(t, 0)
		}
	}
	// doubled is for operators that may stand twice, and with "=".
	doubled := func(one, oneEqual, two, twoEqual Token) {
		switch {
		case d == '=':
			take(oneEqual, 1)
		case d == c && e == '=':
			take(twoEqual, 2)
		case d == c:
			take(two, 1)
		default:
			take(one, 0)
		}
	}
	switch c {
	case '(':
		l.nesting++
		take(TokDelParenOpen, 0)
	case ')':
		l.nesting--
		take(TokDelParenClose, 0)
	case '[':
		l.nesting++
		take(TokDelBracketOpen, 0)
	case ']':
		l.nesting--
		take(TokDelBracketClose, 0)
	case '{':
		l.nesting++
		take(TokDelBraceOpen, 0)
	case '}':
		l.nesting--
		take(TokDelBraceClose, 0)
	case ',':
		take(TokDelComma, 0)
	case ':':
		take(TokDelColon, 0)
	case ';':
		take(TokDelSemicolon, 0)
	case '~':
		take(TokOpTilde, 0)
	case '@':
		if l.matMul {
			augmented(TokOpAt, TokDelAtEqual)
		} else {
			take(TokOpAt, 0)
		}
	case '<':
		doubled(TokOpLess, TokOpLessEqual, TokOpDblLess, TokDelDblLessEqual)
	case '>':
		doubled(TokOpMore, TokOpMoreEqual, TokOpDblMore, TokDelDblMoreEqual)
	case '*':
		doubled(TokOpStar, TokDelStarEqual, TokOpDblStar, TokDelDblStarEqual)
	case '/':
		doubled(TokOpSlash, TokDelSlashEqual, TokOpDblSlash, TokDelDblSlashEqual)
	case '+':
		augmented(TokOpPlus, TokDelPlusEqual)
	case '-':
		if d == '>' {
			take(TokDelMinusMore, 1)
		} else {
			augmented(TokOpMinus, TokDelMinusEqual)
		}
	case '&':
		augmented(TokOpAmpersand, TokDelAmpersandEqual)
	case '|':
		augmented(TokOpPipe, TokDelPipeEqual)
	case '%':
		augmented(TokOpPercent, TokDelPercentEqual)
	case '^':
		augmented(TokOpCaret, TokDelCaretEqual)
	case '=':
		augmented(TokDelEqual, TokOpDblEqual)
	case '!':
		augmented(TokInvalid, TokOpNotEqual)
	case '.':
		if d == '.' && e == '.' {
			take(TokEllipsis, 2)
		} else {
			take(TokDelPeriod, 0)
		}
	default:
		l.tok = TokInvalid
	}
}
