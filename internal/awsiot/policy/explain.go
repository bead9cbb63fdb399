package policy

import (
	"fmt"
	"strings"
)

// Explanation says how a question was decided.
type Explanation struct {
	Decision
	Action   Action
	Resource string // as a policy would name it, without region and account
	// Lines has one line for each statement: whether it applied and, if not, what did not fit.
	Lines []string
}

// String is the whole explanation, one line a statement.
func (e Explanation) String() string {
	verdict := "denied"
	if e.Allowed {
		verdict = "allowed"
	}
	head := fmt.Sprintf("%s on %s: %s: %s", e.Action, e.Resource, verdict, e.Decision)
	return strings.Join(append([]string{head}, e.Lines...), "\n  ")
}

// Explain answers as Check does and tells about every statement.
func (c *Compiled) Explain(a Action, name string) Explanation {
	e := Explanation{Decision: c.Check(a, name), Action: a, Resource: a.Resource(name)}
	if len(c.docs) == 0 {
		e.Lines = append(e.Lines, "no policy is attached to the certificate")
	}
	for _, doc := range c.docs {
		for i := range doc.Statements {
			s := &doc.Statements[i]
			effect := "denies"
			if s.Allow {
				effect = "allows"
			}
			if why := s.miss(a, name, c.vars); why != "" {
				effect = "does not apply: " + why
			} else {
				effect += s.because(a, name, c.vars)
			}
			e.Lines = append(e.Lines, s.Where()+" "+effect)
		}
	}
	return e
}

// miss says why a statement does not apply, "" if it does.
func (s *Statement) miss(a Action, name string, v *Vars) string {
	if !s.fitsAction(a) {
		if s.NotAction {
			return fmt.Sprintf("its NotAction %s excepts %s", strings.Join(s.Actions, ", "), a)
		}
		return fmt.Sprintf("its actions %s do not cover %s", strings.Join(s.Actions, ", "), a)
	}
	for i := range s.Conditions {
		c := &s.Conditions[i]
		if !c.holds(a, v) {
			return fmt.Sprintf("condition %s %s %q does not hold (%s)", c.Operator, c.Key, c.Values, c.compared(a, v))
		}
	}
	patterns, known := s.patterns(v)
	r, ok := s.reduce(a, v, patterns, known)
	if a == ListRetainedMessages {
		name = "*"
	}
	if ok && r.fits(name) {
		return ""
	}
	if missing := s.unresolved(a, v); missing != "" {
		return fmt.Sprintf("policy variable ${%s} has no value for this connection", missing)
	}
	if s.NotResource {
		return fmt.Sprintf("its NotResource %s excepts %s", s.shown(v), a.Resource(name))
	}
	return fmt.Sprintf("its resources %s do not cover %s", s.shown(v), a.Resource(name))
}

// compared says what a condition's key has, and what its variables stand for.
func (c *Condition) compared(a Action, v *Vars) string {
	said := c.Key + " has " + valueOf(v.lookup(a, c.Key))
	told := map[string]bool{}
	for _, t := range c.values {
		for _, seg := range t {
			if seg.variable != "" && !told[seg.variable] {
				told[seg.variable] = true
				said += fmt.Sprintf(", ${%s} is %s", seg.variable, valueOf(v.lookup(a, seg.variable)))
			}
		}
	}
	return said
}

func valueOf(list []string) string {
	if len(list) == 0 {
		return "no value"
	}
	return fmt.Sprintf("%q", list)
}

// because says what made a statement that applies apply.
func (s *Statement) because(a Action, name string, v *Vars) string {
	var why []string
	if !s.NotResource {
		if a == ListRetainedMessages {
			name = "*"
		}
		for i, t := range s.resources {
			pattern, ok := t.resolve(a, v)
			if !ok {
				continue
			}
			for _, rest := range residuals(freeARN(pattern, v), arnPrefix(a, v)) {
				if m := newMatcher(rest); m.match(name) {
					why = append(why, "resource "+s.Resources[i])
					break
				}
			}
			if len(why) > 0 {
				break
			}
		}
	}
	for i := range s.Conditions {
		c := &s.Conditions[i]
		why = append(why, fmt.Sprintf("condition %s %s %q holds (%s)", c.Operator, c.Key, c.Values, c.compared(a, v)))
	}
	if len(why) == 0 {
		return ""
	}
	return ": " + strings.Join(why, "; ")
}

// shown are the statement's resources, with what they are for this connection.
func (s *Statement) shown(v *Vars) string {
	out := make([]string, len(s.Resources))
	for i, t := range s.resources {
		out[i] = s.Resources[i]
		if pattern, ok := t.resolve(Connect, v); ok && t.variable() {
			out[i] += " (here " + strings.NewReplacer(string([]byte{anyRun}), "*", string([]byte{anyChar}), "?").Replace(pattern) + ")"
		}
	}
	return strings.Join(out, ", ")
}

func (t template) variable() bool {
	for _, seg := range t {
		if seg.variable != "" {
			return true
		}
	}
	return false
}

// unresolved names a variable of the resources that has no value.
func (s *Statement) unresolved(a Action, v *Vars) string {
	for _, t := range s.resources {
		for _, seg := range t {
			if seg.variable != "" && len(v.lookup(a, seg.variable)) != 1 {
				return seg.variable
			}
		}
	}
	return ""
}
