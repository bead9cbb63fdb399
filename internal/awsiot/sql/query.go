package sql

import (
	"fmt"
	"strings"
)

// query is a SELECT, of a statement or nested in an expression.
type query struct {
	whole bool   // SELECT *, alone or with items
	value bool   // SELECT VALUE, with one item
	items []item // what else is selected
	from  node   // of a nested one
	where node   // nil: always
}

// item is one selected expression and where it goes.
type item struct {
	x    node
	path []string // AS a.b; from the expression if there is no AS
}

// Statement is a parsed SQL statement. It may be evaluated by many goroutines.
type Statement struct {
	text   string
	filter string
	q      *query
}

// Parse reads a statement. Its error is an *Error.
func Parse(text string) (*Statement, error) {
	s := &Statement{text: text}
	p := &parser{s: text}
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.tok.is("set") {
		return nil, p.fail("SET is not available locally: write the expression where its variable is used")
	}
	var err error
	if s.q, err = p.selection(); err != nil {
		return nil, err
	}
	if yes, err := p.accept("from"); err != nil {
		return nil, err
	} else if yes {
		if p.tok.kind != tokenString {
			return nil, p.fail("a topic filter in quotes is expected after FROM, not %s", p.tok)
		}
		if s.filter = p.tok.text; s.filter == "" {
			return nil, p.fail("the topic filter is empty")
		}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	if err := p.where(s.q); err != nil {
		return nil, err
	}
	if p.tok.kind != tokenEnd {
		if why := strangers[p.tok.text]; why != "" {
			return nil, p.fail("%s: %s", p.tok, why)
		}
		return nil, p.fail("the statement should end here, not go on with %s", p.tok)
	}
	return s, nil
}

// Filter is the topic filter after FROM; "" when there is none: then only Basic Ingest reaches
// the rule.
func (s *Statement) Filter() string { return s.filter }

// String is the statement as it was written.
func (s *Statement) String() string { return s.text }

// selection reads SELECT and what is selected.
func (p *parser) selection() (*query, error) {
	q := &query{}
	if err := p.expect("select"); err != nil {
		return nil, err
	}
	var err error
	if q.value, err = p.accept("value"); err != nil {
		return nil, err
	}
	for {
		if p.tok.is("*") {
			if q.whole {
				return nil, p.fail("there is one * already")
			}
			q.whole = true
			if err := p.next(); err != nil {
				return nil, err
			}
			if p.tok.is("as") {
				return nil, p.fail("* has no other name: list the members, or write encode(*, 'base64') AS name")
			}
		} else if err := p.item(q); err != nil {
			return nil, err
		}
		more, err := p.accept(",")
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
	}
	n := len(q.items)
	if q.whole {
		n++
	}
	if q.value && n != 1 {
		return nil, p.fail("SELECT VALUE takes one expression")
	}
	return q, nil
}

func (p *parser) item(q *query) error {
	start := p.tok.at
	x, err := p.expression()
	if err != nil {
		return err
	}
	it := item{x: x, path: []string{nameOf(x, strings.TrimSpace(p.s[start:p.last]))}}
	if yes, err := p.accept("as"); err != nil {
		return err
	} else if yes {
		if q.value {
			return p.fail("SELECT VALUE has no name for its value")
		}
		if it.path, err = p.alias(); err != nil {
			return err
		}
	}
	q.items = append(q.items, it)
	return nil
}

// nameOf is an item's name without AS: a path's last part, else the expression as it is
// written.
func nameOf(x node, text string) string {
	switch x := x.(type) {
	case *nameNode:
		return x.name
	case *memberNode:
		return x.name
	}
	return text
}

// alias reads the name after AS; points in it nest.
func (p *parser) alias() ([]string, error) {
	var path []string
	for {
		if p.tok.kind != tokenName && p.tok.kind != tokenString {
			return nil, p.fail("a name is expected here, not %s", p.tok)
		}
		path = append(path, p.tok.text)
		if err := p.next(); err != nil {
			return nil, err
		}
		more, err := p.accept(".")
		if err != nil || !more {
			return path, err
		}
		if len(path) == maxNesting {
			return nil, p.fail("more than %d levels of nesting", maxNesting)
		}
	}
}

func (p *parser) where(q *query) error {
	yes, err := p.accept("where")
	if err != nil || !yes {
		return err
	}
	q.where, err = p.expression()
	return err
}

func (p *parser) subquery() (node, error) {
	q, err := p.selection()
	if err != nil {
		return nil, err
	}
	if err := p.expect("from"); err != nil {
		return nil, err
	}
	if q.from, err = p.expression(); err != nil {
		return nil, err
	}
	return &subqueryNode{q}, p.where(q)
}

// Output is what a statement makes of a message.
type Output struct {
	Payload []byte
	JSON    bool // false: raw bytes, as they came
}

// Select evaluates the statement. ok is false when WHERE does not hold or there is nothing to
// pass on (SELECT VALUE of Undefined). An error says what could not be evaluated; a value that
// has the wrong type is none, it is Undefined.
func (s *Statement) Select(in *Input) (out Output, ok bool, err error) {
	r := in.run()
	if !r.holds(s.q.where) {
		return out, false, r.err
	}
	if s.q.whole && len(s.q.items) == 0 {
		// Untouched: the reference speaks of a new object, but shows the same.
		return Output{Payload: in.m.Payload, JSON: in.json}, true, r.err
	}
	v := r.project(s.q)
	if r.err != nil || v.kind == kindUndefined {
		return out, false, r.err
	}
	out = Output{Payload: v.appendJSON(nil), JSON: true}
	if len(out.Payload) > maxOutput {
		return Output{}, false, fmt.Errorf("the result has %d bytes, the limit of a message is %d", len(out.Payload), maxOutput)
	}
	return out, true, nil
}

// holds evaluates a condition: only true is true.
func (r *run) holds(where node) bool {
	if where == nil {
		return true
	}
	yes, ok := where.eval(r).toBool()
	return ok && yes && r.err == nil
}

// project makes the selected value in the current scope.
func (r *run) project(q *query) value {
	if q.value {
		if q.whole {
			return r.scope
		}
		return q.items[0].x.eval(r)
	}
	members := &list{}
	if q.whole {
		switch {
		case r.scope.kind == kindObject:
			members = r.scope.list.clone(len(q.items))
			r.charge(len(members.keys))
		case r.top && len(r.in.m.Payload) == 0:
		default:
			return r.fail("the payload is not a JSON object: other members cannot be added to it with *; write encode(*, 'base64') AS data")
		}
	}
	for _, it := range q.items {
		v := it.x.eval(r)
		if v.kind == kindUndefined {
			continue
		}
		members.setPath(it.path, v)
	}
	return object(members)
}

// setPath sets a member of a member, making or replacing what is on the way.
func (l *list) setPath(path []string, v value) {
	if len(path) == 1 {
		l.set(path[0], v)
		return
	}
	inner := &list{}
	if i, ok := l.find(path[0]); ok && l.elems[i].kind == kindObject {
		inner = l.elems[i].list.clone(1)
	}
	inner.setPath(path[1:], v)
	l.set(path[0], object(inner))
}

// subqueryNode is a SELECT in parentheses.
type subqueryNode struct{ q *query }

// eval selects from each element of an array, or from one object. The members' names are those
// of the element alone.
func (n *subqueryNode) eval(r *run) value {
	from := n.q.from.eval(r)
	scope, top := r.scope, r.top
	r.top = false
	defer func() { r.scope, r.top = scope, top }()
	if from.kind != kindArray {
		if from.kind == kindUndefined {
			return undefined
		}
		r.scope = from
		if !r.holds(n.q.where) {
			return undefined
		}
		return r.project(n.q)
	}
	var out []value
	for _, e := range from.list.elems {
		if r.scope = e; !r.charge(1) {
			return undefined
		}
		if !r.holds(n.q.where) {
			continue
		}
		if v := r.project(n.q); v.kind != kindUndefined {
			out = append(out, v)
		}
	}
	return array(out)
}
