package syntax

// parser builds the parse tree. It works as the reference does, with a stack
// of rules and a stack of results, because both are memory on the device.
type parser struct {
	ruleLine uint32 // where what is being folded begins
	lexer
	opts   *Options
	tables *tables
	mode   Mode

	stack   []frame
	results []*Node
	consts  map[string]number // names that const() has defined

	// What the device has allocated, in entries.
	stackAlloc, resultAlloc, constAlloc int
	stackRef, resultRef, constRef       Ref
	chunks                              chunks

	arena arena
	names nameSet
}

// frame is an entry of the rule stack: a rule that goes on at its part i once
// what lies above has been read. In a list, i counts items and separators.
type frame struct {
	line uint32
	rule Rule
	i    uint32
}

// What the parser allocates on the device: entries and their sizes in bytes.
const (
	stackInit, stackGrow, stackBytes    = 64, 16, 8
	resultInit, resultGrow, resultBytes = 32, 16, 4
	constBytes                          = 8
	nodeHeader, nodeWord                = 8, 4
)

func (p *parser) parse(src []byte, name string, mode Mode) (*Tree, error) {
	p.mode = mode
	p.tables = tablesV111()
	if p.opts.Version >= V112 {
		p.tables = tablesV112()
	}
	p.names.known = p.opts.Names
	p.names.seen(name)
	p.start(src, name, p.opts)
	if p.err == nil && p.opts.Opened != nil {
		p.err = p.opts.Opened()
	}

	p.stackAlloc = stackInit
	p.stackRef = p.alloc(stackInit * stackBytes)
	p.resultAlloc = resultInit
	p.resultRef = p.alloc(resultInit * resultBytes)
	p.stack = make([]frame, 0, 2*stackInit)
	p.results = make([]*Node, 0, resultInit)

	top := RuleFileInput
	switch mode {
	case Single:
		top = RuleSingleInput
	case Eval:
		top = RuleEvalInput
	}
	if p.err == nil {
		p.run(top)
	}
	if p.err == nil {
		p.drop(p.constRef)
		p.chunks.trim(&p.charge)
		if p.tok != TokEnd || len(p.results) == 0 {
			p.fail()
		}
	}
	if p.err != nil {
		return nil, p.err
	}
	p.drop(p.stackRef)
	p.drop(p.resultRef)
	p.free()
	return &Tree{Root: p.results[0], Name: name, budget: p.budget, chunks: p.chunks.refs}, p.err
}

// fail makes the error for a token that does not fit.
func (p *parser) fail() {
	if p.err != nil {
		return
	}
	e := &Error{Kind: SyntaxError, Msg: "invalid syntax", Name: p.name, Line: p.tokLine}
	switch p.tok {
	case TokIndent:
		e.Kind, e.Msg = IndentationError, "unexpected indent"
	case TokDedentMismatch:
		e.Kind, e.Msg = IndentationError, "unindent doesn't match any outer indent level"
		if p.opts.Version < V110 {
			e.Msg = "unindent does not match any outer indentation level"
		}
	}
	p.err = e
}

// run reads the text as the rule top.
func (p *parser) run(top Rule) {
	f, ok := p.enter(top)
	for ok && p.err == nil {
		prod := &p.tables.rules[f.rule]
		var child bool
		switch prod.act {
		case actOr:
			p.pushToken(f.rule)
			p.next()
		case actAnd:
			f, child = p.and(f, prod)
		case actList:
			f, child = p.list(f, prod)
		}
		if !child && p.err == nil {
			f, ok = p.pop()
		}
	}
}

// enter goes down from rule to the rule that takes the current token. It
// tells whether the token fits.
func (p *parser) enter(rule Rule) (frame, bool) {
	tb := p.tables
	if !tb.first[rule].has(p.tok) {
		p.reach(len(p.stack) + int(tb.miss[rule][p.tok]))
		return frame{}, false
	}
	d := &tb.down[rule][p.tok]
	p.reach(len(p.stack) + int(d.peak))
	for _, s := range tb.steps[d.first:d.last] {
		p.stack = append(p.stack, frame{p.tokLine, s.rule, uint32(s.i)})
	}
	return frame{p.tokLine, d.at.rule, uint32(d.at.i)}, true
}

// pop takes the next rule off the stack that has something to do, or tells
// that there is none.
func (p *parser) pop() (frame, bool) {
	tb, tok := p.tables, p.tok
	n := len(p.stack)
	for n > 0 {
		n--
		f := &p.stack[n]
		if tb.rules[f.rule].act == actOr {
			continue
		}
		if f.i == 1 && !tb.stop[f.rule].has(tok) && p.results[len(p.results)-1] != nil {
			if p.budget != nil {
				p.reach(n + int(tb.pass[f.rule][tok]))
				if tb.passNull[f.rule] {
					p.reachResult(len(p.results) + 1)
				}
			}
			continue
		}
		p.stack = p.stack[:n]
		return *f, true
	}
	p.stack = p.stack[:0]
	return frame{}, false
}

// and goes on with a rule whose parts must all be there. It gives the frame to
// go on with, and true if that is not yet the rule itself.
func (p *parser) and(f frame, prod *production) (frame, bool) {
	n := uint32(len(prod.args))
	for ; f.i < n; f.i++ {
		a := prod.args[f.i]
		if a.isTok() {
			if a.tok() != p.tok {
				p.fail()
				return f, false
			}
			if p.tok == TokName {
				p.pushToken(f.rule)
			}
			p.next()
			if p.err != nil {
				return f, false
			}
			continue
		}
		p.stack = append(p.stack, frame{f.line, f.rule, f.i + 1})
		if g, ok := p.enter(a.rule()); ok {
			return g, true
		}
		p.stack = p.stack[:len(p.stack)-1]
		if !a.isOpt() {
			p.fail()
			return f, false
		}
		p.push(nil)
	}
	p.finish(f, prod)
	return f, false
}

// list goes on with a rule that has items, as and does.
func (p *parser) list(f frame, prod *production) (frame, bool) {
	for {
		isSep := prod.sep && f.i&1 == 1
		a := prod.args[0]
		if isSep {
			a = prod.args[1]
		}
		if a.isTok() {
			f.i++
			if a.tok() != p.tok {
				break
			}
			if !isSep {
				p.pushToken(f.rule)
			}
			p.next()
			if p.err != nil {
				return f, false
			}
			continue
		}
		f.i++
		p.stack = append(p.stack, f)
		if g, ok := p.enter(a.rule()); ok {
			return g, true
		}
		p.stack = p.stack[:len(p.stack)-1]
		break
	}
	// Part f.i-1 is missing: an item after a separator, or just the end.
	trailing := prod.sep && f.i&1 == 1
	if trailing && !prod.end {
		p.fail()
		return f, false
	}
	n := int(f.i) - 1
	if prod.sep && prod.args[1].isTok() {
		n = (n + 1) / 2
	}
	if n != 1 || trailing {
		p.pushRule(f.line, f.rule, n)
	}
	return f, false
}

// finish makes the node of a rule whose parts have all been read.
func (p *parser) finish(f frame, prod *production) {
	if f.rule == RuleExprStmt && p.mode != Single && p.dropLonely(f.line) {
		return
	}
	n, present := 0, 0
	for _, a := range prod.args {
		if !a.isTok() || a.tok() == TokName {
			n++
		}
	}
	top := len(p.results)
	var only *Node
	for _, r := range p.results[top-n:] {
		if r != nil {
			present++
			only = r
		}
	}
	if present == 1 && prod.fold {
		p.results = p.results[:top-n]
		p.push(only)
		return
	}
	if prod.blank {
		p.push(nil)
		n++
	}
	p.pushRule(f.line, f.rule, n)
}

// dropLonely turns a statement that is nothing but a constant, such as a doc
// string, into pass.
func (p *parser) dropLonely(line uint32) bool {
	top := len(p.results)
	if p.results[top-1] != nil {
		return false
	}
	n := p.results[top-2]
	if n == nil || n.Kind == KindRule || n.Kind == KindID {
		return false
	}
	p.results = p.results[:top-2]
	p.pushRule(line, RulePassStmt, 0)
	return true
}

// push puts a node on the stack of results.
func (p *parser) push(n *Node) {
	p.results = append(p.results, n)
	p.reachResult(len(p.results))
}

// pushRule makes a node of the n topmost results.
func (p *parser) pushRule(line uint32, rule Rule, n int) {
	if rule == RuleAtomParen {
		// Parentheses around a single expression are that expression.
		if sub := p.results[len(p.results)-1]; sub != nil && !sub.IsRule(RuleTestlistComp) {
			return
		}
	}
	p.ruleLine = line
	if p.foldLogical(rule, &n) || p.foldConst(rule, n) {
		return
	}
	p.node(nodeHeader + nodeWord*n)
	top := len(p.results) - n
	node := p.arena.node()
	node.Kind = KindRule
	node.Rule = rule
	node.Line = line
	node.Sub = p.arena.list(p.results[top:])
	p.results = p.results[:top]
	p.push(node)
}

// reach charges for a rule stack of n entries.
func (p *parser) reach(n int) {
	for n > p.stackAlloc {
		p.stackAlloc += stackGrow
		p.stackRef = p.resize(p.stackRef, p.stackAlloc*stackBytes)
	}
}

// reachResult charges for a stack of n results.
func (p *parser) reachResult(n int) {
	for n > p.resultAlloc {
		p.resultAlloc += resultGrow
		p.resultRef = p.resize(p.resultRef, p.resultAlloc*resultBytes)
	}
}

// node charges for a node of n bytes.
func (p *parser) node(n int) { p.chunks.take(&p.charge, n) }
