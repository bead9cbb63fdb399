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
			}
			e.Lines = append(e.Lines, s.Where()+" "+effect)
		}
	}
	return e
}

// miss says why a statement does not apply, "" if it does.
func (s *Statement) miss(a Action, name string, v *Vars) string {
	if !s.fitsAction(a) {
		return fmt.Sprintf("its actions %s do not cover %s", strings.Join(s.Actions, ", "), a)
	}
	for i := range s.Conditions {
		c := &s.Conditions[i]
		if !c.holds(a, v) {
			have := "no value"
			if got := v.lookup(a, c.Key); len(got) > 0 {
				have = fmt.Sprintf("%q", got)
			}
			return fmt.Sprintf("condition %s %s %q does not hold (%s has %s)", c.Operator, c.Key, c.Values, c.Key, have)
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
		return fmt.Sprintf("its NotResource %s excepts %s", strings.Join(s.Resources, ", "), a.Resource(name))
	}
	return fmt.Sprintf("its resources %s do not cover %s", strings.Join(s.Resources, ", "), a.Resource(name))
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
