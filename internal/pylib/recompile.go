package pylib

// This file compiles regular expressions to the byte code of re1.5, which module
// ure keeps in its objects. Jumps are relative bytes, so a long expression wraps
// around just as on the device.

// The instructions. Those below reAsserts take a byte of input.
const (
	reChar       = 1
	reAny        = 2
	reClass      = 3
	reClassNot   = 4
	reNamedClass = 5
	reAsserts    = 0x50
	reBol        = 0x50
	reEol        = 0x51
	reJmp        = 0x60
	reSplit      = 0x61
	reRSplit     = 0x62
	reSave       = 0x7e
	reMatch      = 0x7f
)

// searchPrefix is the code in front of an expression that makes it match
// anywhere; matching at the start begins behind it.
const searchPrefix = 5

// reProg is a compiled expression.
type reProg struct {
	code []byte
	len  int // number of instructions
	subs int // number of groups
	// escapes: a backslash in [...] makes what follows ordinary, as in v1.12
	escapes bool
}

// compileRegex compiles an expression. size is how many bytes the device sets
// aside for the code, or -1 where it finds the error before that.
func compileRegex(re []byte, escapes bool) (p reProg, size int, ok bool) {
	p.escapes = escapes
	p.code = []byte{reRSplit, 3, reAny, reJmp, 0xfb, reSave, 0}
	p.len = 4
	end, ok := p.compile(re, 0)
	if !ok {
		return p, -1, false
	}
	size = len(p.code) + 3
	if end < len(re) {
		return p, size, false
	}
	p.emit(reSave, 1, reMatch)
	p.len += 2
	return p, size, true
}

func (p *reProg) emit(b ...byte) { p.code = append(p.code, b...) }

// insert makes room for n bytes of code at a place.
func (p *reProg) insert(at, n int) {
	p.emit(make([]byte, n)...)
	copy(p.code[at+n:], p.code[at:])
}

// rel is the operand of a jump at a place to another.
func rel(at, to int) byte { return byte(to - at - 2) }

func cAt(re []byte, i int) byte {
	if i < len(re) {
		return re[i]
	}
	return 0
}

// compile compiles re[i:] up to its end or a closing parenthesis that is not
// opened in it, and returns where it stopped.
func (p *reProg) compile(re []byte, i int) (end int, ok bool) {
	start, term, alt := len(p.code), len(p.code), 0
	for ; i < len(re) && re[i] != ')'; i++ {
		pc := len(p.code)
		switch c := re[i]; c {
		case '.':
			term = pc
			p.emit(reAny)
			p.len++
		case '[':
			term = pc
			if i, ok = p.class(re, i+1); !ok {
				return i, false
			}
		case '(':
			term = pc
			if i, ok = p.group(re, i); !ok {
				return i, false
			}
		case '?', '*', '+':
			if pc == term {
				return i, false // nothing to repeat
			}
			lazy := cAt(re, i+1) == '?'
			p.repeat(c, term, lazy)
			if lazy {
				i++
			}
			term = len(p.code)
		case '|':
			if alt != 0 {
				p.code[alt] = rel(alt, pc) + 1
			}
			p.insert(start, 2)
			alt = len(p.code) + 1
			p.emit(reJmp, 0)
			p.code[start], p.code[start+1] = reSplit, rel(start, len(p.code))
			p.len += 2
			term = len(p.code)
		case '^', '$':
			op := byte(reBol)
			if c == '$' {
				op = reEol
			}
			p.emit(op)
			p.len++
			term = len(p.code)
		case '\\':
			if i++; i >= len(re) {
				return i, false
			}
			if l := re[i] | 0x20; l == 'd' || l == 's' || l == 'w' {
				term = pc
				p.emit(reNamedClass, re[i])
				p.len++
				break
			}
			fallthrough
		default:
			term = pc
			p.emit(reChar, re[i])
			p.len++
		}
	}
	if alt != 0 {
		p.code[alt] = rel(alt, len(p.code)) + 1
	}
	return i, true
}

// class compiles [...]; i is behind the bracket. It returns the index of the
// closing one.
func (p *reProg) class(re []byte, i int) (int, bool) {
	op := byte(reClass)
	if cAt(re, i) == '^' {
		op = reClassNot
		i++
	}
	count := len(p.code) + 1
	p.emit(op, 0)
	p.len++
	n := 0
	for ; cAt(re, i) != ']'; i++ {
		if p.escapes && cAt(re, i) == '\\' {
			i++
		}
		if cAt(re, i) == 0 {
			return i, false
		}
		p.emit(re[i])
		if cAt(re, i+1) == '-' && cAt(re, i+2) != ']' {
			i += 2
		}
		p.emit(cAt(re, i))
		n++
	}
	p.code[count] = byte(n)
	return i, true
}

// group compiles (...) or (?:...); i is at the parenthesis. It returns the index
// of the closing one.
func (p *reProg) group(re []byte, i int) (int, bool) {
	capture := cAt(re, i+1) != '?' || cAt(re, i+2) != ':'
	sub := 0
	if capture {
		p.subs++
		sub = p.subs
		p.emit(reSave, byte(2*sub))
		p.len++
	} else {
		i += 2
	}
	i, ok := p.compile(re, i+1)
	if !ok || i >= len(re) {
		return i, false
	}
	if capture {
		p.emit(reSave, byte(2*sub+1))
		p.len++
	}
	return i, true
}

// repeat applies ?, * or + to the code from term on.
func (p *reProg) repeat(c byte, term int, lazy bool) {
	op := byte(reSplit)
	if lazy != (c == '+') { // + tries the jump back first
		op = reRSplit
	}
	switch c {
	case '+':
		pc := len(p.code)
		p.emit(op, rel(pc, term))
		p.len++
		return
	case '*':
		p.insert(term, 2)
		pc := len(p.code)
		p.emit(reJmp, rel(pc, term))
		p.len++
	default:
		p.insert(term, 2)
	}
	p.code[term], p.code[term+1] = op, rel(term, len(p.code))
	p.len++
}
