package syntax

// Token is the kind of a token.
type Token uint8

// The tokens. Keywords keep the order of the reference lexer's table.
const (
	TokEnd Token = iota
	TokInvalid
	TokDedentMismatch
	TokLonelyStringOpen
	TokNewline
	TokIndent
	TokDedent
	TokName
	TokInteger
	TokFloatOrImag
	TokString
	TokBytes
	TokEllipsis
	TokKwFalse
	TokKwNone
	TokKwTrue
	TokKwDebug
	TokKwAnd
	TokKwAs
	TokKwAssert
	TokKwAsync
	TokKwAwait
	TokKwBreak
	TokKwClass
	TokKwContinue
	TokKwDef
	TokKwDel
	TokKwElif
	TokKwElse
	TokKwExcept
	TokKwFinally
	TokKwFor
	TokKwFrom
	TokKwGlobal
	TokKwIf
	TokKwImport
	TokKwIn
	TokKwIs
	TokKwLambda
	TokKwNonlocal
	TokKwNot
	TokKwOr
	TokKwPass
	TokKwRaise
	TokKwReturn
	TokKwTry
	TokKwWhile
	TokKwWith
	TokKwYield
	TokOpTilde
	TokOpLess
	TokOpMore
	TokOpDblEqual
	TokOpLessEqual
	TokOpMoreEqual
	TokOpNotEqual
	TokOpPipe
	TokOpCaret
	TokOpAmpersand
	TokOpDblLess
	TokOpDblMore
	TokOpPlus
	TokOpMinus
	TokOpStar
	TokOpAt
	TokOpDblSlash
	TokOpSlash
	TokOpPercent
	TokOpDblStar
	TokDelPipeEqual
	TokDelCaretEqual
	TokDelAmpersandEqual
	TokDelDblLessEqual
	TokDelDblMoreEqual
	TokDelPlusEqual
	TokDelMinusEqual
	TokDelStarEqual
	TokDelAtEqual
	TokDelDblSlashEqual
	TokDelSlashEqual
	TokDelPercentEqual
	TokDelDblStarEqual
	TokDelParenOpen
	TokDelParenClose
	TokDelBracketOpen
	TokDelBracketClose
	TokDelBraceOpen
	TokDelBraceClose
	TokDelComma
	TokDelColon
	TokDelPeriod
	TokDelSemicolon
	TokDelEqual
	TokDelMinusMore
	numTokens
)

var tokenNames = [numTokens]string{
	TokEnd:               "end",
	TokInvalid:           "invalid",
	TokDedentMismatch:    "dedent_mismatch",
	TokLonelyStringOpen:  "lonely_string_open",
	TokNewline:           "newline",
	TokIndent:            "indent",
	TokDedent:            "dedent",
	TokName:              "name",
	TokInteger:           "integer",
	TokFloatOrImag:       "float_or_imag",
	TokString:            "string",
	TokBytes:             "bytes",
	TokEllipsis:          "ellipsis",
	TokKwFalse:           "False",
	TokKwNone:            "None",
	TokKwTrue:            "True",
	TokKwDebug:           "__debug__",
	TokKwAnd:             "and",
	TokKwAs:              "as",
	TokKwAssert:          "assert",
	TokKwAsync:           "async",
	TokKwAwait:           "await",
	TokKwBreak:           "break",
	TokKwClass:           "class",
	TokKwContinue:        "continue",
	TokKwDef:             "def",
	TokKwDel:             "del",
	TokKwElif:            "elif",
	TokKwElse:            "else",
	TokKwExcept:          "except",
	TokKwFinally:         "finally",
	TokKwFor:             "for",
	TokKwFrom:            "from",
	TokKwGlobal:          "global",
	TokKwIf:              "if",
	TokKwImport:          "import",
	TokKwIn:              "in",
	TokKwIs:              "is",
	TokKwLambda:          "lambda",
	TokKwNonlocal:        "nonlocal",
	TokKwNot:             "not",
	TokKwOr:              "or",
	TokKwPass:            "pass",
	TokKwRaise:           "raise",
	TokKwReturn:          "return",
	TokKwTry:             "try",
	TokKwWhile:           "while",
	TokKwWith:            "with",
	TokKwYield:           "yield",
	TokOpTilde:           "~",
	TokOpLess:            "<",
	TokOpMore:            ">",
	TokOpDblEqual:        "==",
	TokOpLessEqual:       "<=",
	TokOpMoreEqual:       ">=",
	TokOpNotEqual:        "!=",
	TokOpPipe:            "|",
	TokOpCaret:           "^",
	TokOpAmpersand:       "&",
	TokOpDblLess:         "<<",
	TokOpDblMore:         ">>",
	TokOpPlus:            "+",
	TokOpMinus:           "-",
	TokOpStar:            "*",
	TokOpAt:              "@",
	TokOpDblSlash:        "//",
	TokOpSlash:           "/",
	TokOpPercent:         "%",
	TokOpDblStar:         "**",
	TokDelPipeEqual:      "|=",
	TokDelCaretEqual:     "^=",
	TokDelAmpersandEqual: "&=",
	TokDelDblLessEqual:   "<<=",
	TokDelDblMoreEqual:   ">>=",
	TokDelPlusEqual:      "+=",
	TokDelMinusEqual:     "-=",
	TokDelStarEqual:      "*=",
	TokDelAtEqual:        "@=",
	TokDelDblSlashEqual:  "//=",
	TokDelSlashEqual:     "/=",
	TokDelPercentEqual:   "%=",
	TokDelDblStarEqual:   "**=",
	TokDelParenOpen:      "(",
	TokDelParenClose:     ")",
	TokDelBracketOpen:    "[",
	TokDelBracketClose:   "]",
	TokDelBraceOpen:      "{",
	TokDelBraceClose:     "}",
	TokDelComma:          ",",
	TokDelColon:          ":",
	TokDelPeriod:         ".",
	TokDelSemicolon:      ";",
	TokDelEqual:          "=",
	TokDelMinusMore:      "->",
}

// String gives the token as it is written, or what sort of token it is.
func (t Token) String() string {
	if t < numTokens {
		return tokenNames[t]
	}
	return "token?"
}
