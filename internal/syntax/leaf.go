package syntax

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
)

// pushToken makes a leaf of the current token.
func (p *parser) pushToken(rule Rule) {
	var n *Node
	switch p.tok {
	case TokName:
		if err := p.names.intern(p.text); err != nil {
			p.err = err
			return
		}
		if c, ok := p.consts[p.text]; ok && rule == RuleAtom {
			n = p.intNode(c, p.tokLine)
		} else {
			n = p.arena.leaf(KindID, p.text)
		}
	case TokInteger:
		v, ok := p.integer(p.text)
		if !ok {
			return
		}
		n = p.intNode(v, p.tokLine)
	case TokFloatOrImag:
		n = p.decimal(p.text)
	case TokString, TokBytes:
		n = p.strNode()
	default:
		n = p.arena.token(p.tok)
	}
	if p.err == nil {
		if p.opts.Leaf != nil {
			p.opts.Leaf(n, p.tokLine, uint32(p.tokPos-strings.LastIndexByte(p.src[:p.tokPos], '\n')))
		}
		p.push(n)
	}
}

// strNode makes a leaf of a string that is a qstr, which every short one
// becomes, or else an object.
func (p *parser) strNode() *Node {
	leaf, object := KindStr, ConstStr
	if p.tok == TokBytes {
		leaf, object = KindBytes, ConstBytes
	}
	if len(p.text) <= internMax {
		if err := p.names.intern(p.text); err != nil {
			p.err = err
			return nil
		}
		return p.arena.leaf(leaf, p.text)
	}
	if p.names.has(p.text) {
		return p.arena.leaf(leaf, p.text)
	}
	return p.object(&Const{Kind: object, Text: p.text}, p.tokLine)
}

// object makes c on the device, and a node for it.
func (p *parser) object(c *Const, line uint32) *Node {
	if p.budget != nil && p.err == nil {
		c.Ref, p.err = p.budget.Object(c)
	}
	return p.constNode(c, line)
}

// constNode makes a node for a constant that exists.
func (p *parser) constNode(c *Const, line uint32) *Node {
	p.node(nodeHeader + nodeWord)
	n := p.arena.node()
	n.Kind = KindConstObject
	n.Rule = RuleConstObject
	n.Line = line
	n.Const = c
	return n
}

// intNode makes a node for an integer.
func (p *parser) intNode(v number, line uint32) *Node {
	if v.big != nil {
		return p.constNode(v.big, line)
	}
	return p.arena.smallInt(v.small)
}

// tokenError is an error in the current token; format is what msg was made
// from, if it was.
func (p *parser) tokenError(msg, format string) {
	if p.err == nil {
		p.err = &Error{Kind: SyntaxError, Msg: msg, Format: format, Name: p.name, Line: p.tokLine}
	}
}

// integer reads an integer literal.
func (p *parser) integer(s string) (number, bool) {
	base, digits := 10, s
	if len(s) > 1 && s[0] == '0' {
		switch s[1] | 0x20 {
		case 'x':
			base, digits = 16, s[2:]
		case 'o':
			base, digits = 8, s[2:]
		case 'b':
			base, digits = 2, s[2:]
		}
	}
	limit := int64(1) << (p.opts.SmallIntBits - 1)
	val := int64(0)
	n := 0 // digits that belong to the number
	for n < len(digits) {
		d, ok := digitValue(digits[n])
		if !ok || d >= base {
			break
		}
		if val > (limit-1)/int64(base) || val*int64(base)+int64(d) >= limit {
			return p.bigInteger(digits, base)
		}
		val = val*int64(base) + int64(d)
		n++
	}
	if n == 0 || n < len(digits) {
		p.badInteger(digits, base)
		return number{}, false
	}
	return number{small: val}, true
}

// bigInteger reads an integer literal that is no small int.
func (p *parser) bigInteger(digits string, base int) (number, bool) {
	// The device reserves a byte for each digit.
	c := p.newBig()
	p.digits(c, len(digits)*8/digitBits+1)
	n := 0
	for n < len(digits) {
		if d, ok := digitValue(digits[n]); !ok || d >= base {
			break
		}
		n++
	}
	if n < len(digits) {
		p.badInteger(digits, base)
		return number{}, false
	}
	c.Int, _ = new(big.Int).SetString(digits, base)
	p.fill(c)
	return number{big: c}, p.err == nil
}

// badInteger is the error for an integer literal, without its prefix.
func (p *parser) badInteger(digits string, base int) {
	switch p.opts.Detail {
	case DetailTerse:
		p.tokenError("invalid syntax for integer", "")
	case DetailFull:
		const format = "invalid syntax for integer with base %d: "
		p.tokenError(strings.Replace(format, "%d", strconv.Itoa(base), 1)+quoted(digits), format)
		var e *Error
		if errors.As(p.err, &e) {
			e.Quoted = quoted(digits)
		}
	default:
		const format = "invalid syntax for integer with base %d"
		p.tokenError(strings.Replace(format, "%d", strconv.Itoa(base), 1), format)
	}
}

// quoted is the representation of a literal's text, which has only letters,
// digits and points.
func quoted(s string) string { return "'" + s + "'" }

func digitValue(c byte) (int, bool) {
	switch {
	case isDigit(c):
		return int(c - '0'), true
	case isLetter(c):
		return int(c|0x20-'a') + 10, true
	}
	return 0, false
}

// decimal makes a node of a literal with a point, an exponent or a j.
func (p *parser) decimal(s string) *Node {
	if p.opts.NoFloat {
		p.tokenError("decimal numbers not supported", "")
		return nil
	}
	end, imag := decimalEnd(s)
	switch {
	case end < len(s) || end < 0:
		p.tokenError("invalid syntax for number", "")
		return nil
	case imag && p.opts.NoComplex:
		p.tokenError("complex values not supported", "")
		return nil
	}
	c := &Const{Kind: ConstFloat, Text: s}
	if imag {
		c.Kind = ConstComplex
	}
	return p.object(c, p.tokLine)
}

// decimalEnd tells how much of s is a decimal number, or -1 where the
// exponent has nothing in it, and whether it ends in j.
func decimalEnd(s string) (end int, imag bool) {
	frac, exp := false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isDigit(c):
		case c == '.' && !frac && !exp:
			frac = true
		case c|0x20 == 'e' && !exp:
			exp = true
			if i+1 < len(s) && (s[i+1] == '+' || s[i+1] == '-') {
				i++
			}
			if i+1 == len(s) {
				return -1, false
			}
		case c|0x20 == 'j':
			return i + 1, true
		default:
			return i, false
		}
	}
	return len(s), false
}
