package sql

import (
	"fmt"
	"slices"
	"strings"
)

// maxNesting is how deep expressions may be nested.
const maxNesting = 60

// parser reads an expression or a statement with one token of look-ahead.
type parser struct {
	s     string
	tok   token
	last  int // where the token before ended
	depth int
}

func (p *parser) next() error {
	p.last = p.tok.end
	t, err := scan(p.s, p.tok.end)
	if err != nil {
		return err
	}
	p.tok = t
	return nil
}

func (p *parser) fail(format string, args ...any) error {
	return &Error{p.tok.at, fmt.Sprintf(format, args...)}
}

// accept takes the token if it is the word.
func (p *parser) accept(word string) (bool, error) {
	if !p.tok.is(word) {
		return false, nil
	}
	return true, p.next()
}

func (p *parser) expect(word string) error {
	if !p.tok.is(word) {
		return p.fail("%s is expected here, not %s", word, p.tok)
	}
	return p.next()
}

// keywords are no names of members.
var keywords = []string{"select", "value", "from", "where", "as", "and", "or", "not", "case", "when", "then", "else", "end", "null", "true", "false", "set", "in", "exists"}

func (t token) keyword() bool {
	return t.kind == tokenName && slices.Contains(keywords, strings.ToLower(t.text))
}

// levels are the binary operators, the loosest first.
var levels = [][]string{{"or"}, {"and"}, {"=", "<>", "<", "<=", ">", ">="}, {"+", "-"}, {"*", "/", "%"}}

// notLevel is the level that NOT binds looser than.
const notLevel = 2

// strangers are signs of other languages and what to write instead.
var strangers = map[string]string{
	"!=": "<> is how AWS IoT SQL writes it", "==": "= is how AWS IoT SQL writes it", "||": "write OR, or concat() for strings", "&&": "write AND",
	"[": "an element is reached with get(array, index)", ";": "a statement ends without ;", "!": "write NOT", "`": "names are written without `",
	"@": "variables (SET) are not there", "in": "IN is not there", "exists": "EXISTS is not there",
}

func (p *parser) expression() (node, error) { return p.level(0) }

func (p *parser) level(n int) (node, error) {
	if n == len(levels) {
		return p.unary()
	}
	if n == notLevel && p.tok.is("not") {
		if err := p.enter(); err != nil {
			return nil, err
		}
		defer p.leave()
		if err := p.next(); err != nil {
			return nil, err
		}
		x, err := p.level(n)
		return &notNode{x}, err
	}
	left, err := p.level(n + 1)
	for err == nil {
		op := slices.IndexFunc(levels[n], p.tok.is)
		if op < 0 {
			return left, nil
		}
		if err = p.next(); err != nil {
			break
		}
		var right node
		right, err = p.level(n + 1)
		left = newBinary(levels[n][op], left, right)
	}
	return nil, err
}

func (p *parser) enter() error {
	if p.depth++; p.depth > maxNesting {
		return p.fail("more than %d levels of nesting", maxNesting)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

func (p *parser) unary() (node, error) {
	if !p.tok.is("-") && !p.tok.is("+") {
		return p.postfix()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	minus := p.tok.is("-")
	if err := p.next(); err != nil {
		return nil, err
	}
	x, err := p.unary()
	if err != nil || !minus {
		return x, err
	}
	return newNegative(x), nil
}

func (p *parser) postfix() (node, error) {
	x, err := p.primary()
	for err == nil {
		if !p.tok.is(".") {
			if why := strangers[strings.ToLower(p.tok.text)]; why != "" && p.tok.kind != tokenString {
				return nil, p.fail("%s: %s", p.tok, why)
			}
			return x, nil
		}
		if err = p.next(); err != nil {
			break
		}
		if p.tok.kind != tokenName {
			return nil, p.fail("a name is expected after the point, not %s; other names are reached with get(value, \"name\")", p.tok)
		}
		x = &memberNode{x, p.tok.text}
		err = p.next()
	}
	return nil, err
}

func (p *parser) primary() (node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	t := p.tok
	switch {
	case t.kind == tokenString:
		return literal{str(t.text)}, p.next()
	case t.kind == tokenNumber:
		v := literalNumber(t.text)
		if v.kind == kindUndefined {
			return nil, p.fail("the number %s is out of range: 34 digits and exponents to 999 are there", t.text)
		}
		return literal{v}, p.next()
	case t.is("("):
		return p.group()
	case t.is("["):
		return p.arrayLiteral()
	case t.is("{"):
		return p.objectLiteral()
	case t.is("*"):
		return nil, p.fail("* stands by itself after SELECT, or in encode(*, 'base64')")
	case t.is("case"):
		return p.caseOf()
	case t.is("null"):
		return literal{null()}, p.next()
	case t.is("true"), t.is("false"):
		return literal{boolean(t.is("true"))}, p.next()
	case t.is("select"):
		return nil, p.fail("a SELECT inside an expression stands in parentheses")
	case t.kind == tokenName && !t.keyword():
		if err := p.next(); err != nil {
			return nil, err
		}
		if p.tok.is("(") {
			return p.call(t)
		}
		return &nameNode{t.text}, nil
	}
	if why := strangers[strings.ToLower(t.text)]; why != "" && t.kind != tokenString {
		return nil, p.fail("%s: %s", t, why)
	}
	return nil, p.fail("an expression is expected here, not %s", t)
}

func literalNumber(text string) value {
	if strings.HasPrefix(text, ".") {
		text = "0" + text
	}
	text = strings.TrimSuffix(text, ".")
	d := parseDec(text)
	switch {
	case d == nil:
		return undefined
	case d.whole():
		return intOf(d)
	}
	return decimal(d)
}

func (p *parser) group() (node, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	var x node
	var err error
	if p.tok.is("select") {
		x, err = p.subquery()
	} else {
		x, err = p.expression()
	}
	if err != nil {
		return nil, err
	}
	return x, p.expect(")")
}

func (p *parser) arrayLiteral() (node, error) {
	elems, err := p.listUntil("[", "]", p.expression)
	return &arrayNode{elems}, err
}

// listUntil reads open item, item ... close.
func (p *parser) listUntil(open, end string, item func() (node, error)) ([]node, error) {
	if err := p.expect(open); err != nil {
		return nil, err
	}
	var items []node
	if done, err := p.accept(end); done || err != nil {
		return nil, err
	}
	for {
		x, err := item()
		if err != nil {
			return nil, err
		}
		items = append(items, x)
		if done, err := p.accept(end); done || err != nil {
			return items, err
		}
		if !p.tok.is(",") {
			return nil, p.fail("a comma or %s is expected here, not %s", end, p.tok)
		}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
}

func (p *parser) objectLiteral() (node, error) {
	o := &objectNode{}
	var err error
	o.elems, err = p.listUntil("{", "}", func() (node, error) {
		if p.tok.kind != tokenString {
			return nil, p.fail("a member's name in quotes is expected here, not %s", p.tok)
		}
		o.keys = append(o.keys, p.tok.text)
		if err := p.next(); err != nil {
			return nil, err
		}
		if err := p.expect(":"); err != nil {
			return nil, err
		}
		return p.expression()
	})
	return o, err
}

func (p *parser) caseOf() (node, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.tok.is("when") {
		return nil, p.fail("CASE needs a value before WHEN: CASE value WHEN ... THEN ... END")
	}
	c := &caseNode{}
	var err error
	if c.of, err = p.expression(); err != nil {
		return nil, err
	}
	for p.tok.is("when") {
		var arm [2]node
		for i, word := range []string{"when", "then"} {
			if err = p.expect(word); err != nil {
				return nil, err
			}
			if arm[i], err = p.expression(); err != nil {
				return nil, err
			}
		}
		c.arms = append(c.arms, arm)
	}
	if len(c.arms) == 0 {
		return nil, p.fail("CASE needs a WHEN, not %s", p.tok)
	}
	if yes, err := p.accept("else"); err != nil {
		return nil, err
	} else if yes {
		if c.otherwise, err = p.expression(); err != nil {
			return nil, err
		}
	}
	return c, p.expect("end")
}

// call reads a function's arguments; the name has been read.
func (p *parser) call(name token) (node, error) {
	lower := strings.ToLower(name.text)
	if lower == "cast" {
		return p.cast()
	}
	if why := elsewhere[lower]; why != "" {
		return nil, &Error{name.at, fmt.Sprintf("%s() is not available locally: %s", lower, why)}
	}
	f := functions[lower]
	if f == nil {
		return nil, &Error{name.at, fmt.Sprintf("there is no function %s() in AWS IoT SQL", name.text)}
	}
	args, err := p.listUntil("(", ")", func() (node, error) {
		if p.tok.is("*") && f.wholePayload {
			return star{}, p.next()
		}
		return p.expression()
	})
	if err != nil {
		return nil, err
	}
	if len(args) < f.least || len(args) > f.most {
		return nil, &Error{name.at, fmt.Sprintf("%s() takes %s", lower, f.takes())}
	}
	c := &callNode{f: f, args: args}
	if f.prepare != nil {
		if c.ready, err = f.prepare(args); err != nil {
			return nil, &Error{name.at, fmt.Sprintf("%s(): %s", lower, err)}
		}
	}
	return c, nil
}

func (p *parser) cast() (node, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	x, err := p.expression()
	if err != nil {
		return nil, err
	}
	if err := p.expect("as"); err != nil {
		return nil, err
	}
	to, ok := castTypes[strings.ToLower(p.tok.text)]
	if !ok || p.tok.kind != tokenName {
		return nil, p.fail("cast() goes to String, Int, Decimal, Double or Boolean, not to %s", p.tok)
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	return &castNode{x, to}, p.expect(")")
}
