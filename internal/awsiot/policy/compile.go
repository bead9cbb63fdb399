package policy

import "strings"

// Compiled is a set of documents made ready for one connection. It does not change and may be
// used from many goroutines.
type Compiled struct {
	rules [numActions][]rule
	docs  []*Document
	vars  *Vars
}

// rule is a statement reduced to one action of one connection.
type rule struct {
	statement *Statement
	names     []matcher
	not       bool
	// timed are the conditions that ask for the time and so must be asked at each check;
	// all others have been decided while compiling.
	timed []*Condition
}

// Decision is the answer to a check.
type Decision struct {
	Allowed bool
	// Statement decided: the one that allows, or the one that explicitly denies. It is nil
	// when nothing allows.
	Statement *Statement
}

// String is for a log line.
func (d Decision) String() string {
	switch {
	case d.Statement == nil:
		return "no statement allows it"
	case d.Allowed:
		return "allowed by " + d.Statement.Where()
	default:
		return "explicitly denied by " + d.Statement.Where()
	}
}

// Compile fills vars into docs. The result keeps both.
func Compile(docs []*Document, vars *Vars) *Compiled {
	c := &Compiled{docs: docs, vars: vars}
	// Explicit denials first: then the first rule that fits decides.
	for _, allow := range []bool{false, true} {
		for _, doc := range docs {
			for i := range doc.Statements {
				s := &doc.Statements[i]
				if s.Allow != allow {
					continue
				}
				patterns, known := s.patterns(vars)
				for a := range numActions {
					if r, ok := s.reduce(a, vars, patterns, known); ok {
						c.rules[a] = append(c.rules[a], r)
					}
				}
			}
		}
	}
	return c
}

// patterns are the statement's resources with the variables filled in; those with a variable
// that has no value are left out, and then known is false.
func (s *Statement) patterns(v *Vars) (patterns []string, known bool) {
	known = true
	for _, t := range s.resources {
		if pattern, ok := t.resolve(Connect, v); ok {
			patterns = append(patterns, freeARN(pattern, v))
		} else {
			known = false
		}
	}
	return patterns, known
}

// reduce makes the rule a statement is for an action; false says it can never apply.
func (s *Statement) reduce(a Action, v *Vars, patterns []string, known bool) (rule, bool) {
	r := rule{statement: s, not: s.NotResource}
	// What an unknown name would have excepted is not known, so nothing is allowed.
	if !s.fitsAction(a) || !known && s.NotResource && s.Allow {
		return r, false
	}
	for i := range s.Conditions {
		c := &s.Conditions[i]
		if c.timed() {
			r.timed = append(r.timed, c)
		} else if !c.holds(a, v) {
			return r, false
		}
	}
	prefix := arnPrefix(a, v)
	for _, pattern := range patterns {
		for _, rest := range residuals(pattern, prefix) {
			r.names = append(r.names, newMatcher(rest))
		}
	}
	return r, s.NotResource || len(r.names) > 0
}

// fitsAction says whether the statement speaks of the action.
func (s *Statement) fitsAction(a Action) bool {
	name := actionLower[a]
	for _, t := range s.actions {
		if match(t[0].text, name) {
			return !s.NotAction
		}
	}
	return s.NotAction
}

// timed says that the condition must be asked again at each check.
func (c *Condition) timed() bool {
	if timeKey(c.Key) {
		return true
	}
	for _, t := range c.values {
		for _, s := range t {
			if timeKey(s.variable) {
				return true
			}
		}
	}
	return false
}

// arnPrefix is what stands before the name in the ARN of an action's resource.
func arnPrefix(a Action, v *Vars) string {
	if a == ListRetainedMessages {
		return "" // the resource is "*" itself
	}
	return "arn:aws:iot:" + v.Region + ":" + v.Account + ":" + actionInfo[a].kind
}

// freeARN takes region and account out of a resource pattern when the connection does not say
// which they must be, so that they are not compared. A part that is not plainly a region or an
// account (a `*` before it may have moved the colons) stays as it is.
func freeARN(pattern string, v *Vars) string {
	if v.Region != "" && v.Account != "" || len(pattern) == 1 {
		return pattern
	}
	parts := strings.SplitN(pattern, ":", 6)
	if len(parts) > 3 && v.Region == "" {
		parts[3] = freePart(parts[3], len(parts) > 4, "abcdefghijklmnopqrstuvwxyz0123456789-")
	}
	if len(parts) > 4 && v.Account == "" {
		parts[4] = freePart(parts[4], len(parts) > 5, "0123456789")
	}
	return strings.Join(parts, ":")
}

// freePart empties a complete part made of the given characters, and leaves only the `*` of
// one that has it.
func freePart(part string, complete bool, of string) string {
	run := false
	for i := range len(part) {
		switch {
		case part[i] == anyRun:
			run = true
		case part[i] != anyChar && strings.IndexByte(of, part[i]) < 0:
			return part
		}
	}
	switch {
	case run:
		return string([]byte{anyRun})
	case complete:
		return ""
	default:
		return part
	}
}

// Check decides whether the connection may do a to name: a client id for Connect, a topic for
// Publish, Receive and RetainPublish, a filter for Subscribe, THING or THING/SHADOW for the
// shadow actions. It does not allocate.
func (c *Compiled) Check(a Action, name string) Decision {
	if a == ListRetainedMessages {
		name = "*"
	}
	for i := range c.rules[a] {
		r := &c.rules[a][i]
		if r.fits(name) && c.onTime(a, r) {
			return Decision{Allowed: r.statement.Allow, Statement: r.statement}
		}
	}
	return Decision{}
}

func (r *rule) fits(name string) bool {
	for i := range r.names {
		if r.names[i].match(name) {
			return !r.not
		}
	}
	return r.not
}

func (c *Compiled) onTime(a Action, r *rule) bool {
	for _, cond := range r.timed {
		if !cond.holds(a, c.vars) {
			return false
		}
	}
	return true
}
