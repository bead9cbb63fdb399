package policy

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A resolved pattern is a string in which these two bytes are the wildcards. Neither occurs in
// UTF-8, so text that came from a client can never turn into a wildcard.
const (
	anyRun  = 0xff // `*`: any run of characters, also none
	anyChar = 0xfe // `?`: one character
)

// template is a pattern whose variables are not filled in yet.
type template []segment

// segment is a piece of resolved pattern followed by a variable ("" for none).
type segment struct {
	text     string
	variable string
}

// parseTemplate reads a pattern. With variables, `${name}` is a variable and `${*}`, `${?}`,
// `${$}` stand for the characters themselves; with wildcards, `*` and `?` are wildcards.
func parseTemplate(s string, variables, wildcards bool) (template, error) {
	if !utf8.ValidString(s) {
		return nil, errors.New("is not UTF-8")
	}
	var out template
	var text strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case variables && c == '$' && strings.HasPrefix(s[i:], "${"):
			end := strings.IndexByte(s[i:], '}')
			if end < 0 {
				return nil, errors.New("a ${ has no }")
			}
			name := s[i+2 : i+end]
			i += end
			if name == "*" || name == "?" || name == "$" {
				text.WriteString(name)
				continue
			}
			if !knownVariable(name) {
				return nil, fmt.Errorf("policy variable ${%s} is not one AWS IoT knows", name)
			}
			out = append(out, segment{text.String(), name})
			text.Reset()
		case wildcards && c == '*':
			text.WriteByte(anyRun)
		case wildcards && c == '?':
			text.WriteByte(anyChar)
		default:
			text.WriteByte(c)
		}
	}
	return append(out, segment{text: text.String()}), nil
}

// resolve fills the variables in; false says that one of them has no value here.
func (t template) resolve(a Action, v *Vars) (string, bool) {
	if len(t) == 1 {
		return t[0].text, true
	}
	var b strings.Builder
	for _, s := range t {
		b.WriteString(s.text)
		if s.variable == "" {
			continue
		}
		values := v.lookup(a, s.variable)
		// Text that is not UTF-8 could hold the bytes that stand for wildcards.
		if len(values) != 1 || !utf8.ValidString(values[0]) {
			return "", false
		}
		b.WriteString(values[0])
	}
	return b.String(), true
}

// match says whether the whole of name fits the resolved pattern. It backtracks to the last
// `*` only, so it takes len(pattern)*len(name) steps at most.
func match(pattern, name string) bool {
	p, n := 0, 0
	starP, starN := -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == anyRun:
			starP, starN = p, n
			p++
		case p < len(pattern) && pattern[p] == anyChar:
			p++
			n += runeLen(name[n:])
		case p < len(pattern) && pattern[p] == name[n]:
			p++
			n++
		case starP >= 0:
			starN++
			p, n = starP+1, starN
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == anyRun {
		p++
	}
	return p == len(pattern)
}

func runeLen(s string) int {
	if s[0] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(s)
	return n
}

// residuals are what is left of pattern after it has matched prefix: name fits one of them
// exactly if prefix+name fits pattern. This is what makes a check cheap: region, account and
// kind of resource are the same for every check of a connection and are matched once.
func residuals(pattern, prefix string) []string {
	for len(prefix) > 0 && (pattern == "" || pattern[0] != anyRun) {
		n := runeLen(prefix)
		switch {
		case pattern == "":
			return nil
		case pattern[0] == anyChar:
			pattern = pattern[1:]
		case strings.HasPrefix(pattern, prefix[:n]):
			pattern = pattern[n:]
		default:
			return nil
		}
		prefix = prefix[n:]
	}
	if prefix == "" || len(pattern) == 1 {
		return []string{pattern} // matched to the end, or a `*` alone
	}
	return openResiduals(pattern, prefix)
}

// openResiduals is residuals for a pattern that begins with `*`: what the `*` swallows is open,
// so several positions are followed at once.
func openResiduals(pattern, prefix string) []string {
	at := map[int]bool{0: true}
	step := func(from map[int]bool) []int { // positions, `*` also skipped
		var out []int
		for i := 0; i <= len(pattern); i++ {
			if from[i] {
				out = append(out, i)
				if i < len(pattern) && pattern[i] == anyRun {
					from[i+1] = true
				}
			}
		}
		return out
	}
	for len(prefix) > 0 {
		n := runeLen(prefix)
		next := map[int]bool{}
		for _, i := range step(at) {
			switch {
			case i == len(pattern):
			case pattern[i] == anyRun:
				next[i] = true
			case pattern[i] == anyChar:
				next[i+1] = true
			case strings.HasPrefix(pattern[i:], prefix[:n]):
				next[i+n] = true
			}
		}
		at, prefix = next, prefix[n:]
	}
	var out []string
	for _, i := range step(at) {
		// The position behind a `*` is covered by the `*` itself.
		if i > 0 && at[i-1] && pattern[i-1] == anyRun {
			continue
		}
		out = append(out, pattern[i:])
	}
	return out
}

// matcher is a residual made quick: most are exact, a prefix, or everything.
type matcher struct {
	text string
	kind matcherKind
}

type matcherKind uint8

const (
	matchExact matcherKind = iota
	matchPrefix
	matchGeneral
)

func newMatcher(pattern string) matcher {
	wild := -1
	for i := range len(pattern) {
		if pattern[i] == anyRun || pattern[i] == anyChar {
			wild = i
			break
		}
	}
	switch {
	case wild < 0:
		return matcher{pattern, matchExact}
	case wild == len(pattern)-1 && pattern[wild] == anyRun:
		return matcher{pattern[:wild], matchPrefix}
	default:
		return matcher{pattern, matchGeneral}
	}
}

func (m matcher) match(name string) bool {
	switch m.kind {
	case matchExact:
		return m.text == name
	case matchPrefix:
		return strings.HasPrefix(name, m.text)
	default:
		return match(m.text, name)
	}
}
