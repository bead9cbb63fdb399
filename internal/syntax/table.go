package syntax

import "sync"

// tokenSet is a set of tokens.
type tokenSet [2]uint64

func (s *tokenSet) has(t Token) bool { return s[t>>6]>>(t&63)&1 != 0 }
func (s *tokenSet) add(t Token)      { s[t>>6] |= 1 << (t & 63) }

// step is a rule and the part of it that comes next.
type step struct {
	rule Rule
	i    uint8
}

// descent is what the reference parser's rule stack holds once it has gone
// from a rule down to the one that takes the next token.
type descent struct {
	first, last uint32 // steps[first:last] are on the stack
	at          step   // takes the token
	peak        uint8  // how deep the stack was on the way
}

// tables are a grammar prepared for parsing. The reference parser tries every
// alternative and comes back when it does not fit; since one token decides,
// the outcome is known beforehand. What remains visible is how deep its stack
// becomes, for that is memory on the device.
type tables struct {
	rules [numRules]production
	// first are the tokens that a rule may begin with.
	first [numRules]tokenSet
	// miss is how deep the stack becomes when a rule does not fit a token.
	miss [numRules][numTokens]uint8
	// down is the way from a rule to a token of its first set.
	down  [numRules][numTokens]descent
	steps []step
	// stop are the tokens for which a rule has more to do when its first
	// part has been read; for all others it just hands that part on.
	stop [numRules]tokenSet
	// pass is how deep the stack becomes while a rule finds out that it has
	// nothing more to do; passNull tells that it stores an absent child.
	pass     [numRules][numTokens]uint8
	passNull [numRules]bool
}

var (
	tablesV111 = sync.OnceValue(func() *tables { return newTables(false) })
	tablesV112 = sync.OnceValue(func() *tables { return newTables(true) })
)

func newTables(matMul bool) *tables {
	tb := &tables{rules: grammar(matMul)}
	for rule := RuleConstObject + 1; rule < numRules; rule++ {
		tb.first[rule] = tb.firstOf(rule)
	}
	for tok := Token(0); tok < numTokens; tok++ {
		for rule := RuleConstObject + 1; rule < numRules; rule++ {
			if tb.first[rule].has(tok) {
				tb.down[rule][tok] = tb.descend(rule, tok)
			} else {
				tb.missDepth(rule, tok)
			}
		}
	}
	for rule := RuleConstObject + 1; rule < numRules; rule++ {
		tb.passing(rule)
	}
	return tb
}

func (tb *tables) firstOf(rule Rule) (s tokenSet) {
	if s = tb.first[rule]; s != (tokenSet{}) {
		return s
	}
	p := &tb.rules[rule]
	if rule == RuleFileInput {
		// The only rule that may be empty.
		return tokenSet{^uint64(0), ^uint64(0)}
	}
	parts := p.args[:1]
	if p.act == actOr {
		parts = p.args
	}
	for _, a := range parts {
		if a.isTok() {
			s.add(a.tok())
			continue
		}
		f := tb.firstOf(a.rule())
		s[0] |= f[0]
		s[1] |= f[1]
	}
	return s
}

// missDepth gives how many entries the stack gains at most while rule turns
// out not to fit tok, and notes it.
func (tb *tables) missDepth(rule Rule, tok Token) int {
	if d := tb.miss[rule][tok]; d != 0 {
		return int(d)
	}
	p := &tb.rules[rule]
	depth := 1
	for i, a := range p.args {
		if !a.isTok() {
			self := 1
			if p.act == actOr && i+1 == len(p.args) {
				self = 0
			}
			depth = max(depth, self+tb.missDepth(a.rule(), tok))
		}
		if p.act != actOr {
			break
		}
	}
	tb.miss[rule][tok] = uint8(depth)
	return depth
}

// descend follows the reference parser from rule to the rule that takes tok.
func (tb *tables) descend(rule Rule, tok Token) descent {
	d := descent{first: uint32(len(tb.steps))}
	depth := 0 // entries below rule
	peak := 1
	for {
		p := &tb.rules[rule]
		if p.act != actOr {
			if p.args[0].isTok() || p.args[0].isOpt() {
				d.at = step{rule, 0}
				break
			}
			tb.steps = append(tb.steps, step{rule, 1})
			depth++
			peak = max(peak, depth+1)
			rule = p.args[0].rule()
			continue
		}
		i := 0
		for ; ; i++ {
			a := p.args[i]
			self := 1
			if i+1 == len(p.args) {
				self = 0
			}
			if a.isTok() {
				if a.tok() == tok {
					break
				}
			} else if tb.first[a.rule()].has(tok) {
				if self == 1 {
					tb.steps = append(tb.steps, step{rule, uint8(i + 1)})
					depth++
				}
				peak = max(peak, depth+1)
				break
			} else {
				peak = max(peak, depth+self+tb.missDepth(a.rule(), tok))
			}
		}
		if p.args[i].isTok() {
			d.at = step{rule, uint8(i)}
			break
		}
		rule = p.args[i].rule()
	}
	d.last = uint32(len(tb.steps))
	d.peak = uint8(peak)
	return d
}

// passing finds out when rule hands its first part on.
func (tb *tables) passing(rule Rule) {
	p := &tb.rules[rule]
	all := tokenSet{^uint64(0), ^uint64(0)}
	var next arg // what follows the first part
	switch {
	case p.act == actOr:
		return
	case p.act == actList && p.sep:
		next = p.args[1]
	case p.act == actList:
		next = p.args[0]
	case p.fold && len(p.args) == 2 && !p.args[0].isTok() && p.args[1].isOpt():
		next = p.args[1]
		tb.passNull[rule] = true
	default:
		tb.stop[rule] = all
		return
	}
	if next.isTok() {
		tb.stop[rule].add(next.tok())
		return
	}
	tb.stop[rule] = tb.first[next.rule()]
	for tok := Token(0); tok < numTokens; tok++ {
		tb.pass[rule][tok] = 1 + tb.miss[next.rule()][tok]
	}
}
