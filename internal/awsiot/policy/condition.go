package policy

import (
	"fmt"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// operator is a parsed condition operator.
type operator struct {
	quantifier quantifier
	base       string // lower case, without "not" and "ifexists"
	negated    bool
	ifExists   bool
}

type quantifier uint8

const (
	single quantifier = iota
	forAllValues
	forAnyValue
)

// baseOperators maps a lower-case operator name to its base and whether it is negated.
var baseOperators = map[string]operator{
	"stringequals":              {base: "stringequals"},
	"stringnotequals":           {base: "stringequals", negated: true},
	"stringequalsignorecase":    {base: "stringequalsignorecase"},
	"stringnotequalsignorecase": {base: "stringequalsignorecase", negated: true},
	"stringlike":                {base: "like"},
	"stringnotlike":             {base: "like", negated: true},
	"arnequals":                 {base: "like"},
	"arnlike":                   {base: "like"},
	"arnnotequals":              {base: "like", negated: true},
	"arnnotlike":                {base: "like", negated: true},
	"numericequals":             {base: "numeric="},
	"numericnotequals":          {base: "numeric=", negated: true},
	"numericlessthan":           {base: "numeric<"},
	"numericlessthanequals":     {base: "numeric<="},
	"numericgreaterthan":        {base: "numeric>"},
	"numericgreaterthanequals":  {base: "numeric>="},
	"dateequals":                {base: "date="},
	"datenotequals":             {base: "date=", negated: true},
	"datelessthan":              {base: "date<"},
	"datelessthanequals":        {base: "date<="},
	"dategreaterthan":           {base: "date>"},
	"dategreaterthanequals":     {base: "date>="},
	"bool":                      {base: "bool"},
	"ipaddress":                 {base: "ip"},
	"notipaddress":              {base: "ip", negated: true},
	"null":                      {base: "null"},
}

func parseOperator(name string) (operator, error) {
	low := strings.ToLower(name)
	q := single
	if rest, ok := strings.CutPrefix(low, "forallvalues:"); ok {
		q, low = forAllValues, rest
	} else if rest, ok := strings.CutPrefix(low, "foranyvalue:"); ok {
		q, low = forAnyValue, rest
	}
	rest, ifExists := strings.CutSuffix(low, "ifexists")
	op, ok := baseOperators[rest]
	if !ok || ifExists && op.base == "null" {
		return operator{}, fmt.Errorf("condition operator %q is not known", name)
	}
	op.quantifier, op.ifExists = q, ifExists
	return op, nil
}

// takesPatterns says that `*` and `?` are wildcards in the operator's values.
func (op operator) takesPatterns() bool { return op.base == "like" }

// checkValue refuses a value the operator could never understand.
func (op operator) checkValue(v string, variables bool) error {
	if variables && strings.Contains(v, "${") {
		return nil
	}
	ok := true
	switch {
	case strings.HasPrefix(op.base, "numeric"):
		_, ok = number(v)
	case strings.HasPrefix(op.base, "date"):
		_, ok = date(v)
	case op.base == "ip":
		_, ok = prefix(v)
	case op.base == "bool" || op.base == "null":
		ok = equalFold(v, "true") || equalFold(v, "false")
	}
	if !ok {
		return fmt.Errorf("value %q does not fit the operator", v)
	}
	return nil
}

// holds evaluates the condition for one action of one connection.
func (c *Condition) holds(a Action, v *Vars) bool {
	have := v.lookup(a, c.Key)
	if c.op.base == "null" {
		want, _ := c.values[0].resolve(a, v)
		return equalFold(want, "true") == (len(have) == 0)
	}
	if len(have) == 0 {
		switch {
		case c.op.ifExists, c.op.quantifier == forAllValues:
			return true
		case c.op.quantifier == forAnyValue:
			return false
		default:
			return c.op.negated
		}
	}
	var wants []string
	for _, t := range c.values {
		if w, ok := t.resolve(a, v); ok {
			wants = append(wants, w)
		}
	}
	// A negated operator compares with a variable that has no value: nothing is known, so
	// the condition can't be said to hold.
	if len(wants) < len(c.values) && c.op.negated {
		return false
	}
	one := func(got string) bool {
		for _, w := range wants {
			if c.op.compare(got, w) {
				return !c.op.negated
			}
		}
		return c.op.negated
	}
	if c.op.quantifier == forAnyValue {
		for _, got := range have {
			if one(got) {
				return true
			}
		}
		return false
	}
	for _, got := range have {
		if !one(got) {
			return false
		}
	}
	return true
}

// compare is the operator without its negation.
func (op operator) compare(got, want string) bool {
	switch op.base {
	case "stringequals":
		return got == want
	case "stringequalsignorecase":
		return strings.EqualFold(got, want)
	case "like":
		return match(want, got)
	case "bool":
		return equalFold(got, want)
	case "ip":
		addr, err := netip.ParseAddr(got)
		net, ok := prefix(want)
		return err == nil && ok && net.Contains(addr.Unmap())
	}
	if rest, ok := strings.CutPrefix(op.base, "numeric"); ok {
		g, ok1 := number(got)
		w, ok2 := number(want)
		return ok1 && ok2 && ordered(rest, g.Cmp(w))
	}
	rest := strings.TrimPrefix(op.base, "date")
	g, ok1 := date(got)
	w, ok2 := date(want)
	return ok1 && ok2 && ordered(rest, g.Compare(w))
}

func ordered(op string, cmp int) bool {
	switch op {
	case "=":
		return cmp == 0
	case "<":
		return cmp < 0
	case "<=":
		return cmp <= 0
	case ">":
		return cmp > 0
	default:
		return cmp >= 0
	}
}

func number(s string) (*big.Rat, bool) {
	// A huge exponent would make Rat allocate without bound.
	if len(s) > 64 || strings.ContainsAny(s, "/eEpPxX_") {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

func date(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z0700", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return time.Unix(n, 0), err == nil
}

func prefix(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, true
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(addr, addr.BitLen()), true
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
