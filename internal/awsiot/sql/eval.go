package sql

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// Bounds of one evaluation. A statement is short, but a chain of replace() can make gigabytes
// of a payload.
const (
	maxSteps  = 1 << 20
	maxText   = 1 << 20 // bytes of a string made on the way
	maxOutput = 128 << 10
)

// Message is a message that a statement sees.
type Message struct {
	Topic   string // without the $aws/rules/RULE/ of Basic Ingest
	Payload []byte

	ClientID  string // "" when it did not come by MQTT
	Principal string // the certificate's id
	SourceIP  string
	TraceID   string // "" when it did not come by MQTT
	Property  Properties
}

// Properties are what an MQTT 5 message carries besides its payload.
type Properties struct {
	ContentType, ResponseTopic string
	CorrelationData            []byte
	UTF8                       *bool // the payload format indicator
	User                       [][2]string
}

// Env is what expressions can ask for besides the message.
type Env struct {
	Now     func() time.Time
	Rand    io.Reader // for newuuid() and rand()
	Account string    // accountid()
	// Shadow gives a shadow's document as a device gets it, nil when there is none; name ""
	// is the classic one. A nil Shadow makes get_thing_shadow() an error.
	Shadow func(thing, name string) ([]byte, error)
}

// Input is a message ready for evaluation: its payload is read once, whatever number of
// statements and templates look at it. It is for one goroutine.
type Input struct {
	env    *Env
	m      *Message
	root   value // Undefined when the payload is no JSON
	json   bool
	random *rand.Rand
}

// NewInput reads a message.
func NewInput(env *Env, m *Message) *Input {
	in := &Input{env: env, m: m}
	in.root, in.json = parseJSON(m.Payload)
	return in
}

func (in *Input) run() *run { return &run{in: in, scope: in.root, top: true, steps: maxSteps} }

// run is one evaluation.
type run struct {
	in    *Input
	scope value // where names are looked up
	top   bool  // the scope is the payload
	steps int
	err   error
}

// fail ends the evaluation: the first error stays.
func (r *run) fail(format string, args ...any) value {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	return undefined
}

var errTooLong = errors.New("the evaluation takes too long: nested selections or functions make too much of this payload")

// charge counts work; false when there has been too much.
func (r *run) charge(n int) bool {
	if r.steps -= n; r.steps < 0 && r.err == nil {
		r.err = errTooLong
	}
	return r.err == nil
}

// text bounds a string that is about to be made.
func (r *run) text(n int) bool {
	if n > maxText {
		r.fail("a string would have %d bytes, the limit is %d", n, maxText)
		return false
	}
	return r.charge(n/64 + 1)
}

// node is an expression.
type node interface{ eval(r *run) value }

type literal struct{ v value }

func (n literal) eval(*run) value { return n.v }

// star is the whole payload as an argument of encode.
type star struct{}

func (star) eval(r *run) value { return str(string(r.in.m.Payload)) }

type nameNode struct{ name string }

func (n *nameNode) eval(r *run) value { return r.scope.member(n.name) }

type memberNode struct {
	x    node
	name string
}

func (n *memberNode) eval(r *run) value { return n.x.eval(r).member(n.name) }

type arrayNode struct{ elems []node }

func (n *arrayNode) eval(r *run) value {
	out := make([]value, 0, len(n.elems))
	for _, e := range n.elems {
		if v := e.eval(r); v.kind != kindUndefined {
			out = append(out, v)
		}
	}
	return array(out)
}

type objectNode struct {
	keys  []string
	elems []node
}

func (n *objectNode) eval(r *run) value {
	out := &list{}
	for i, e := range n.elems {
		out.set(n.keys[i], e.eval(r))
	}
	return object(out)
}

// caseNode is CASE; AWS compares with =, so an Undefined WHEN never matches.
type caseNode struct {
	of        node
	arms      [][2]node
	otherwise node
}

func (n *caseNode) eval(r *run) value {
	of := n.of.eval(r)
	if of.kind == kindUndefined {
		return undefined
	}
	for _, arm := range n.arms {
		if t := arm[0].eval(r); t.kind != kindUndefined && equal(of, t) {
			return arm[1].eval(r)
		}
	}
	if n.otherwise == nil {
		return undefined
	}
	return n.otherwise.eval(r)
}

type notNode struct{ x node }

func (n *notNode) eval(r *run) value {
	yes, ok := n.x.eval(r).toBool()
	if !ok {
		return undefined
	}
	return boolean(!yes)
}

type negativeNode struct{ x node }

func newNegative(x node) node {
	if l, ok := x.(literal); ok {
		if v := negative(l.v); v.kind != kindUndefined {
			return literal{v}
		}
	}
	return &negativeNode{x}
}

func negative(v value) value {
	d := v.toDec()
	switch {
	case d == nil:
		return undefined
	case v.kind == kindInt:
		return intOf(d.neg())
	}
	return decimal(d.neg())
}

func (n *negativeNode) eval(r *run) value { return negative(n.x.eval(r)) }

type castNode struct {
	x  node
	to kind
}

// castTypes are the words after AS in cast().
var castTypes = map[string]kind{
	"string": kindString, "nvarchar": kindString, "text": kindString, "ntext": kindString, "varchar": kindString,
	"int": kindInt, "integer": kindInt, "double": kindDecimal, "decimal": kindDecimal, "bool": kindBool, "boolean": kindBool,
}

func (n *castNode) eval(r *run) value {
	v := n.x.eval(r)
	switch n.to {
	case kindString:
		return r.asString(v)
	case kindBool:
		if d := v.dec(); d != nil {
			return boolean(d.sign() != 0)
		}
		if yes, ok := v.toBool(); ok {
			return boolean(yes)
		}
		return undefined
	}
	if v.kind == kindBool {
		one := integer(1)
		if !v.yes {
			one = integer(0)
		}
		v = one
	}
	d := v.toDec()
	switch {
	case d == nil:
		return undefined
	case n.to == kindInt:
		return intOf(d.places(0, floor))
	case d.whole():
		return intOf(d) // as AWS warns, in this version of SQL
	}
	return decimal(d)
}

// asString converts, within bounds.
func (r *run) asString(v value) value {
	s, ok := v.toString()
	if !ok || !r.text(len(s)) {
		return undefined
	}
	return str(s)
}

type callNode struct {
	f     *function
	args  []node
	ready any // what prepare made of constant arguments
}

func (n *callNode) eval(r *run) value {
	if !r.charge(1) {
		return undefined
	}
	var room [4]value
	args := room[:0]
	for _, a := range n.args {
		args = append(args, a.eval(r))
	}
	if r.err != nil {
		return undefined
	}
	return n.f.do(r, args, n.ready)
}
