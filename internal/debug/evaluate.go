package debug

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/skep-sim/skep/internal/syntax"
	"github.com/skep-sim/skep/internal/vm"
)

// This file evaluates expressions, each in a copy of the program that is thrown away
// afterwards: what an expression does, be it a call that changes something, does not
// happen in the program.

// patience is how often an expression may let the host in, every some thousand
// rounds of loops and calls, before it is taken to have no end. A choice: about a
// tenth of a second.
const patience = 1000

// tooLong is the Go panic that ends an expression.
type tooLong struct{}

// newPatience makes the poll of a copy of the program.
func newPatience() func() {
	left := patience
	return func() {
		if left--; left < 0 {
			panic(tooLong{})
		}
	}
}

// resultText is how long the text of a result is at most.
const resultText = 8000

// Result is what an expression comes to.
type Result struct {
	Variable
	// Output is what it has printed.
	Output string
}

// Evaluate evaluates an expression in a frame; -1 is the module of the innermost.
// statements: what is no expression is run as a statement, to no effect but its
// output.
func (s *Session) Evaluate(expr string, frame int, statements bool) (res Result, err error) {
	err = s.look(func(p *snapshot) error {
		v, value, out, err := p.evaluate(expr, frame, statements)
		res.Output = out
		if err != nil {
			return err
		}
		res.Variable = p.variable("", expr, value, v)
		return guardLook(func() error {
			text, whole := v.Repr(value, vm.PrintRepr, resultText, false)
			if !whole {
				text += "..."
			}
			res.Value = text
			return nil
		}, v)
	})
	return res, err
}

// evaluate gives the value of an expression and the copy of the program that it is
// in.
func (p *snapshot) evaluate(expr string, frame int, statements bool) (v *vm.VM, value vm.Value, out string, err error) {
	var printed []byte
	v = p.v.Fork(func(b []byte) {
		if len(printed) < resultText {
			printed = append(printed, b...)
		}
	}, newPatience())
	err = guardLook(func() (err error) {
		value, err = p.run(v, expr, frame, statements)
		return err
	}, v)
	return v, value, string(printed), err
}

// guardLook calls f and makes an error of every way in which code of a program can
// end.
func guardLook(f func() error, v *vm.VM) (err error) {
	defer func() {
		switch r := recover(); {
		case r == nil:
		case r == any(tooLong{}):
			err = errors.New("it takes too long: stopped")
		default:
			err = fmt.Errorf("it came to nothing, since the program's memory is damaged: %v", r)
		}
	}()
	exc := v.Try(func() { err = f() })
	if exc != vm.Null {
		return raised(v, exc)
	}
	return err
}

// raised is the text of an exception.
func raised(v *vm.VM, exc vm.Value) error {
	text, _ := v.Repr(exc, vm.PrintExc, resultText, true)
	return errors.New(text)
}

// littleMemory is how many free bytes an expression should have; with less, the copy
// is collected first.
const littleMemory = 4096

// run evaluates in a copy.
func (p *snapshot) run(v *vm.VM, expr string, frame int, statements bool) (vm.Value, error) {
	if v.Heap().MemFree() < littleMemory {
		v.Collect()
	}
	globals, err := p.namespace(v, frame)
	if err != nil {
		return vm.Null, err
	}
	v.UnlockHeap()
	value, exc := v.Look([]byte(expr), syntax.Eval, globals, globals)
	if exc != vm.Null && statements && v.IsSubclass(v.TypeOf(exc), vm.TypeSyntaxError) {
		value, exc = v.Look([]byte(expr+"\n"), syntax.File, globals, globals)
	}
	if exc != vm.Null {
		return vm.Null, raised(v, exc)
	}
	return value, nil
}

// namespace is a dict with the names that a frame sees.
func (p *snapshot) namespace(v *vm.VM, frame int) (vm.Value, error) {
	if len(p.frames) == 0 {
		return v.MainDict(), nil
	}
	f, err := p.frame(max(frame, 0))
	if err != nil {
		return vm.Null, err
	}
	var names []local
	if frame >= 0 {
		names = append(p.locals(frame, true), p.locals(frame, false)...)
	}
	class := p.class(frame)
	if len(names) == 0 && class == vm.Null {
		return f.Globals(), nil
	}
	d := v.NewDict(v.DictLen(f.Globals()) + len(names))
	v.Keep(d)
	copyNames(v, d, f.Globals())
	if class != vm.Null {
		copyNames(v, d, class)
	}
	for _, l := range names {
		if value := f.Local(l.index); value != vm.Null {
			v.DictStore(d, v.Intern(l.name).Value(), value)
		}
	}
	return d, nil
}

func copyNames(v *vm.VM, to, from vm.Value) {
	for pos := 0; ; {
		k, item, ok := v.DictNext(from, &pos)
		if !ok {
			return
		}
		v.DictStore(to, k, item)
	}
}

// existing evaluates an expression that must come to an object of the program.
func (p *snapshot) existing(frame int, expr string) (vm.Value, error) {
	v, value, _, err := p.evaluate(expr, frame, false)
	if err != nil {
		return vm.Null, err
	}
	if !p.has(v, value) {
		return vm.Null, fmt.Errorf("%s makes a new object, which is not the program's", expr)
	}
	return value, nil
}

// has reports whether a value of a copy is an object that the program has, too.
func (p *snapshot) has(v *vm.VM, value vm.Value) bool {
	if !value.IsObj() || vm.IsROM(value) || !p.v.IsWritable(value) {
		return true
	}
	return v.Heap().NumCollections() == p.v.Heap().NumCollections() && p.v.Heap().Live(uint32(value)) ||
		value < vm.Value(poolStart(p.v))
}

func poolStart(v *vm.VM) uint32 {
	start, _ := v.Heap().Pool()
	return start
}

// truth evaluates the condition of a breakpoint in a run.
func (r *run) truth(v *vm.VM, expr string) (yes bool, err error) {
	p := r.glance(v)
	err = guard(func() error {
		in, value, _, err := p.evaluate(expr, 0, false)
		if err != nil {
			return err
		}
		return guardLook(func() error {
			yes = in.IsTrue(value)
			return nil
		}, in)
	})
	return yes, err
}

// glance is a copy of a run that nobody keeps.
func (r *run) glance(v *vm.VM) *snapshot {
	p := &snapshot{s: r.s, v: v.Fork(func([]byte) {}, newPatience())}
	p.frames = p.v.Frames()
	for _, f := range p.frames {
		p.places = append(p.places, r.s.sources.of(p.v, f.Code()))
	}
	return p
}

// interpolate fills in the expressions of a log message.
func (r *run) interpolate(v *vm.VM, text string) string {
	var b strings.Builder
	p := r.glance(v)
	for text != "" {
		i := strings.IndexByte(text, '{')
		if i < 0 {
			b.WriteString(text)
			break
		}
		b.WriteString(text[:i])
		expr, rest, ok := closing(text[i+1:])
		if !ok {
			b.WriteString(text[i:])
			break
		}
		text = rest
		in, value, _, err := p.evaluate(expr, 0, false)
		if err == nil {
			err = guardLook(func() error {
				s, _ := in.Repr(value, vm.PrintStr, resultText, false)
				b.WriteString(s)
				return nil
			}, in)
		}
		if err != nil {
			b.WriteString("{" + expr + ": " + err.Error() + "}")
		}
	}
	return b.String()
}

// outside gives the bytes of an expression that are in no string literal, with their places.
func outside(expr string) iter.Seq2[int, byte] {
	return func(yield func(int, byte) bool) {
		quote := byte(0)
		for i := 0; i < len(expr); i++ {
			switch c := expr[i]; {
			case quote != 0 && c == '\\':
				i++
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case c == '\'' || c == '"':
				quote = c
			case !yield(i, c):
				return
			}
		}
	}
}

// closing cuts a text at the brace that closes it.
func closing(text string) (inside, rest string, ok bool) {
	depth := 0
	for i, c := range outside(text) {
		switch {
		case c == '{':
			depth++
		case c == '}' && depth > 0:
			depth--
		case c == '}':
			return text[:i], text[i+1:], true
		}
	}
	return "", "", false
}

// splitPath cuts the last attribute or item off an expression.
func splitPath(expr string) (base, last string, ok bool) {
	expr = strings.TrimSpace(expr)
	depth, cut := 0, -1
	for i, c := range outside(expr) {
		switch {
		case c == '[' || c == '(' || c == '{':
			if depth == 0 && c == '[' && i > 0 {
				cut = i
			}
			depth++
		case c == ']' || c == ')' || c == '}':
			depth--
		case c == '.' && depth == 0:
			cut = i
		case depth == 0 && strings.IndexByte(" +-*/%<>=!,:", c) >= 0:
			return "", "", false
		}
	}
	if cut <= 0 || cut == len(expr)-1 {
		return "", "", false
	}
	return expr[:cut], expr[cut:], true
}

// assignment cuts an assignment at its sign.
func assignment(text string) (target, value string, ok bool) {
	depth := 0
	for i, c := range outside(text) {
		switch {
		case c == '[' || c == '(' || c == '{':
			depth++
		case c == ']' || c == ')' || c == '}':
			depth--
		case c == '=' && depth == 0:
			if i+1 < len(text) && text[i+1] == '=' || i > 0 && strings.IndexByte("=!<>+-*/%&|^@:", text[i-1]) >= 0 {
				return "", "", false
			}
			return strings.TrimSpace(text[:i]), strings.TrimSpace(text[i+1:]), true
		}
	}
	return "", "", false
}
