package syntax

// foldLogical shortens "and", "or" and "not" over constants. It tells whether
// nothing of the rule is left but one result; n is how many results the rule
// still has.
func (p *parser) foldLogical(rule Rule, n *int) bool {
	top := len(p.results)
	switch rule {
	case RuleOrTest, RuleAndTest:
		args := p.results[top-*n:]
		// Operands that cannot decide are dropped, those behind a deciding
		// one too; the last one always stays.
		kept := 0
		for i, a := range args {
			args[kept] = a
			if i == len(args)-1 {
				break
			}
			decides, neutral := a.IsConstTrue(), a.IsConstFalse()
			if rule == RuleAndTest {
				decides, neutral = neutral, decides
			}
			if decides {
				break
			}
			if !neutral {
				kept++
			}
		}
		*n = kept + 1
		p.results = p.results[:top-len(args)+*n]
		return *n == 1
	case RuleNotTest2:
		n := p.results[top-1]
		switch {
		case n.IsConstFalse():
			p.results[top-1] = p.arena.token(TokKwTrue)
		case n.IsConstTrue():
			p.results[top-1] = p.arena.token(TokKwFalse)
		default:
			return false
		}
		return true
	}
	return false
}

// foldConst computes an expression of integers and handles x = const(n). It
// tells whether a result stands for the rule.
func (p *parser) foldConst(rule Rule, n int) bool {
	var v number
	var ok bool
	args := p.results[len(p.results)-n:]
	switch rule {
	case RuleExpr, RuleXorExpr, RuleAndExpr:
		op := bitOperator(rule)
		if v, ok = intOf(args[0]); !ok {
			return false
		}
		for _, a := range args[1:] {
			w, ok := intOf(a)
			if !ok {
				return false
			}
			if v, ok = p.binary(op, v, w); !ok {
				return true
			}
		}
	case RuleShiftExpr, RuleArithExpr, RuleTerm:
		if v, ok = intOf(args[0]); !ok {
			return false
		}
		for i := 1; i < n; i += 2 {
			w, ok := intOf(args[i+1])
			if !ok {
				return false
			}
			op := args[i].Tok
			switch op {
			case TokOpDblLess, TokOpDblMore:
				if w.sign() < 0 {
					return false
				}
			case TokOpDblSlash, TokOpPercent:
				if w.sign() == 0 {
					return false
				}
			case TokOpSlash, TokOpAt:
				return false
			}
			if v, ok = p.binary(op, v, w); !ok {
				return true
			}
		}
	case RuleFactor2:
		if v, ok = intOf(args[1]); !ok {
			return false
		}
		v = p.unary(args[0].Tok, v)
	case RuleExprStmt:
		return p.foldAssign(args[0], args[1])
	default:
		return false
	}
	p.results = p.results[:len(p.results)-n]
	p.push(p.intNode(v, 0))
	return true
}

// bitOperator gives the operator of a rule that has only one.
func bitOperator(rule Rule) Token {
	switch rule {
	case RuleExpr:
		return TokOpPipe
	case RuleXorExpr:
		return TokOpCaret
	}
	return TokOpAmpersand
}

// intOf gives the value of a node that is a constant integer.
func intOf(n *Node) (number, bool) {
	switch {
	case n == nil:
	case n.Kind == KindSmallInt:
		return number{small: n.Int}, true
	case n.Kind == KindConstObject && n.Const.Kind == ConstInt:
		return number{big: n.Const}, true
	}
	return number{}, false
}

// foldAssign handles name = const(value): name stands for the value from here
// on, and if it begins with "_" it is not even stored.
func (p *parser) foldAssign(name, call *Node) bool {
	if !name.IsID() || !call.IsRule(RuleAtomExprNormal) ||
		!call.Sub[0].IsID() || call.Sub[0].Name != "const" || !call.Sub[1].IsRule(RuleTrailerParen) {
		return false
	}
	value := call.Sub[1].Sub[0]
	v, ok := intOf(value)
	if !ok {
		if p.err == nil {
			p.err = &Error{Kind: SyntaxError, Msg: "constant must be an integer", Name: p.name, Line: call.Line}
		}
		return true
	}
	p.define(name.Name, v)
	if name.Name != "" && name.Name[0] == '_' {
		p.results = p.results[:len(p.results)-2]
		p.pushRule(0, RulePassStmt, 0)
		return true
	}
	p.results = p.results[:len(p.results)-1]
	p.push(value)
	return false
}

// define adds a constant to the table of them.
func (p *parser) define(name string, v number) {
	if p.consts == nil {
		p.consts = make(map[string]number)
	}
	if _, ok := p.consts[name]; !ok && len(p.consts) == p.constAlloc {
		p.constAlloc = tableSize(p.constAlloc + 1)
		old := p.constRef
		p.constRef = p.alloc(p.constAlloc * constBytes)
		p.drop(old)
	}
	p.consts[name] = v
}

// tableSizes are the sizes of the device's hash tables.
var tableSizes = [...]int{
	0, 2, 4, 6, 8, 10, 12,
	17, 23, 29, 37, 47, 59, 73,
	97, 127, 167, 223, 293, 389, 521, 691, 919, 1223, 1627, 2161,
	3229, 4831, 7243, 10861, 16273, 24407, 36607, 54907,
}

// tableSize gives the size of a table for n entries.
func tableSize(n int) int {
	for _, s := range tableSizes {
		if s >= n {
			return s
		}
	}
	return (n + n/2) | 1
}
