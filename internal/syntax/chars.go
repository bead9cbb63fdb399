package syntax

// Character classes, as the reference lexer sees bytes: any byte above 127
// belongs to an identifier.
const (
	clLetter = 1 // letters, "_" and bytes above 127
	clDigit  = 2
	clQuote  = 3
	clSpace  = 4
	clMask   = 7
	clWord   = 8 // may go on an identifier
)

var class = makeClass()

func makeClass() (t [256]uint8) {
	for c := range t {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z' && c < 0x80 || c == '_' || c >= 0x80:
			t[c] = clLetter | clWord
		case '0' <= c && c <= '9':
			t[c] = clDigit | clWord
		case c == '\'' || c == '"':
			t[c] = clQuote
		case c == ' ' || 9 <= c && c <= 13:
			t[c] = clSpace
		}
	}
	return t
}

func isSpace(c byte) bool  { return class[c] == clSpace }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// hexValue gives the value of a hexadecimal digit, or false.
func hexValue(c byte) (uint32, bool) {
	switch {
	case '0' <= c && c <= '9':
		return uint32(c - '0'), true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return uint32(c|0x20-'a') + 10, true
	}
	return 0, false
}

// appendChar appends the UTF-8 form of c, surrogates included, as the
// reference does.
func appendChar(b []byte, c uint32) []byte {
	switch {
	case c < 0x80:
		return append(b, byte(c))
	case c < 0x800:
		return append(b, byte(c>>6)|0xc0, byte(c&0x3f)|0x80)
	case c < 0x10000:
		return append(b, byte(c>>12)|0xe0, byte(c>>6&0x3f)|0x80, byte(c&0x3f)|0x80)
	}
	return append(b, byte(c>>18)|0xf0, byte(c>>12&0x3f)|0x80, byte(c>>6&0x3f)|0x80, byte(c&0x3f)|0x80)
}

// keyword gives the token of a keyword, else TokName.
func keyword(s string) Token {
	if len(s) < 2 || len(s) > 9 {
		return TokName
	}
	switch s {
	case "False":
		return TokKwFalse
	case "None":
		return TokKwNone
	case "True":
		return TokKwTrue
	case "__debug__":
		return TokKwDebug
	case "and":
		return TokKwAnd
	case "as":
		return TokKwAs
	case "assert":
		return TokKwAssert
	case "async":
		return TokKwAsync
	case "await":
		return TokKwAwait
	case "break":
		return TokKwBreak
	case "class":
		return TokKwClass
	case "continue":
		return TokKwContinue
	case "def":
		return TokKwDef
	case "del":
		return TokKwDel
	case "elif":
		return TokKwElif
	case "else":
		return TokKwElse
	case "except":
		return TokKwExcept
	case "finally":
		return TokKwFinally
	case "for":
		return TokKwFor
	case "from":
		return TokKwFrom
	case "global":
		return TokKwGlobal
	case "if":
		return TokKwIf
	case "import":
		return TokKwImport
	case "in":
		return TokKwIn
	case "is":
		return TokKwIs
	case "lambda":
		return TokKwLambda
	case "nonlocal":
		return TokKwNonlocal
	case "not":
		return TokKwNot
	case "or":
		return TokKwOr
	case "pass":
		return TokKwPass
	case "raise":
		return TokKwRaise
	case "return":
		return TokKwReturn
	case "try":
		return TokKwTry
	case "while":
		return TokKwWhile
	case "with":
		return TokKwWith
	case "yield":
		return TokKwYield
	}
	return TokName
}
