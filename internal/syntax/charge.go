package syntax

// charge is a Budget that remembers its first refusal: after it everything is
// free, and the parser stops at the next step.
type charge struct {
	budget Budget
	err    error
}

func (c *charge) alloc(n int) Ref {
	if c.budget == nil || c.err != nil {
		return 0
	}
	r, err := c.budget.Alloc(n)
	c.err = err
	return r
}

func (c *charge) resize(r Ref, n int) Ref {
	if c.budget == nil || c.err != nil {
		return r
	}
	s, err := c.budget.Resize(r, n)
	c.err = err
	return s
}

func (c *charge) drop(r Ref) {
	if c.budget != nil && c.err == nil && r != 0 {
		c.budget.Free(r)
	}
}

// textRoom is how big the device makes its text buffer when n bytes must fit.
func textRoom(n int) int { return (n+16)&^7 + 8 }

// textGrow charges for a text that grows a byte at a time to n bytes.
func (l *lexer) textGrow(n int) {
	for l.vAlloc < n {
		l.vAlloc = textRoom(l.vAlloc + 1)
		l.vRef = l.resize(l.vRef, l.vAlloc)
	}
}

// textAdd charges for n bytes added at once to a text of have bytes.
func (l *lexer) textAdd(have, n int) {
	if have+n > l.vAlloc {
		l.vAlloc = textRoom(have + n)
		l.vRef = l.resize(l.vRef, l.vAlloc)
	}
}
