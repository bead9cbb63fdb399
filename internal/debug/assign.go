package debug

import (
	"errors"
	"fmt"
	"math"

	"github.com/skep-sim/skep/internal/vm"
)

// This file is the one thing that a debugger does to a program: to give a variable
// another value, because the user says so. What is kept of it is how to do it, so
// that it is done again when the program is run again.

// edit is a change that a user has made.
type edit struct {
	at    Moment
	where where
	value recipe
}

// recipe is a value: a word, if the program has it, or how to make it.
type recipe struct {
	word  vm.Value
	kind  vm.Value // type of what is to be made, or vm.Null
	text  []byte
	float float32
	items []recipe // for a dict: key, value, key, value ...
}

// maxDepth is how deep a new value may be nested.
const maxDepth = 16

// recipeOf tells how to make a value of a copy in the program.
func (p *snapshot) recipeOf(v *vm.VM, value vm.Value, depth int) (r recipe, err error) {
	if depth > maxDepth {
		return r, errors.New("the value is nested too deeply")
	}
	if value.IsQstr() {
		return recipe{kind: vm.TypeStr, text: []byte(v.Str(value))}, nil
	}
	if !value.IsObj() || p.has(v, value) {
		return recipe{word: value}, nil
	}
	r.kind = v.TypeOf(value)
	switch r.kind {
	case vm.TypeStr, vm.TypeBytes:
		r.text = append(r.text, v.StrBytes(value)...)
	case vm.TypeByteArray:
		r.text = append(r.text, v.Buffer(value, false)...)
	case vm.TypeFloat:
		r.float = v.Float(value)
	case vm.TypeInt:
		text, _ := v.Repr(value, vm.PrintRepr, resultText, true)
		r.text = []byte(text)
	case vm.TypeList, vm.TypeTuple:
		for _, item := range v.Array(value) {
			sub, err := p.recipeOf(v, item, depth+1)
			if err != nil {
				return r, err
			}
			r.items = append(r.items, sub)
		}
	case vm.TypeDict:
		for pos := 0; ; {
			k, item, ok := v.DictNext(value, &pos)
			if !ok {
				break
			}
			for _, x := range []vm.Value{k, item} {
				sub, err := p.recipeOf(v, x, depth+1)
				if err != nil {
					return r, err
				}
				r.items = append(r.items, sub)
			}
		}
	default:
		return r, fmt.Errorf("a new %s cannot be put into the program: numbers, texts, lists, tuples and dicts can, and what the program has already",
			v.QstrString(v.TypeName(r.kind)))
	}
	return r, nil
}

// make makes the value in the program. It may raise MemoryError.
func (r *recipe) make(v *vm.VM) vm.Value {
	items := func() []vm.Value {
		list := make([]vm.Value, len(r.items))
		for i := range r.items {
			list[i] = r.items[i].make(v)
			v.Keep(list[i])
		}
		return list
	}
	switch r.kind {
	case vm.TypeStr:
		if q := v.FindQstr(r.text); q != 0 {
			return q.Value()
		}
		return v.NewStr(r.text)
	case vm.TypeBytes:
		return v.NewBytes(r.text)
	case vm.TypeByteArray:
		return v.NewByteArray(r.text)
	case vm.TypeFloat:
		return v.NewFloat(r.float)
	case vm.TypeInt:
		return v.ParseInt(r.text, 10)
	case vm.TypeList:
		return v.NewList(items()...)
	case vm.TypeTuple:
		return v.NewTuple(items()...)
	case vm.TypeDict:
		list := items()
		d := v.NewDict(len(list) / 2)
		v.Keep(d)
		for i := 0; i+1 < len(list); i += 2 {
			v.DictStore(d, list[i], list[i+1])
		}
		return d
	}
	return r.word
}

// Assign gives a variable another value: a part of what ref opens to, or with ref 0
// what an expression in a frame names. It is possible in the present only.
func (s *Session) Assign(ref, frame int, target, expr string) (x Variable, err error) {
	var e edit
	err = s.look(func(p *snapshot) error {
		if p.stop.Past || s.conf.Recorded {
			return errors.New("this is the past, which cannot be changed")
		}
		w, err := p.whereIs(ref, frame, target)
		if err != nil && ref == 0 && isName(target) { // a new name
			f, ferr := p.frame(max(frame, 0))
			if ferr != nil || len(p.locals(max(frame, 0), false)) > 0 {
				return err
			}
			w, err = where{kind: dictPlace, owner: f.Globals(), key: target}, nil
		}
		if err == nil && ref != 0 && w.value(p.v) == vm.Null {
			err = fmt.Errorf("there is no variable %s here", target)
		}
		if err != nil {
			return err
		}
		v, value, _, err := p.evaluate(expr, frame, false)
		if err != nil {
			return err
		}
		e = edit{at: p.stop.Moment, where: w}
		e.value, err = p.recipeOf(v, value, 0)
		return err
	})
	if err != nil {
		return x, err
	}
	s.mu.Lock()
	r := s.cur
	s.mu.Unlock()
	if err := e.apply(r.v); err != nil {
		return x, err
	}
	s.mu.Lock()
	s.edits = append(s.edits, e)
	s.snap.renew(r.v)
	for _, w := range s.table.watches {
		r.watching[w] = w.print(r.v)
	}
	s.mu.Unlock()
	err = s.look(func(p *snapshot) error {
		x = p.variable(target, target, e.where.value(p.v), p.v)
		return nil
	})
	return x, err
}

func isName(s string) bool {
	for i, c := range s {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// apply makes the change in the program.
func (e *edit) apply(v *vm.VM) error {
	return guard(func() error {
		exc := v.Try(func() { e.where.set(v, e.value.make(v)) })
		if exc != vm.Null {
			return raised(v, exc)
		}
		return nil
	})
}

// set gives the variable a value; no code of the program is run.
func (w *where) set(v *vm.VM, value vm.Value) {
	v.Keep(value)
	switch w.kind {
	case localPlace:
		for _, f := range v.Frames() {
			if w.gen != vm.Null && f.Generator() == w.gen || w.gen == vm.Null && f.Generator() == vm.Null && f.Serial() == w.serial {
				f.SetLocal(w.index, value)
				return
			}
		}
	case dictPlace:
		v.DictStore(w.owner, v.Intern(w.key).Value(), value)
	case memberPlace:
		v.SetMember(w.owner, v.Intern(w.key), value)
	case keyPlace:
		v.DictStore(w.owner, vm.Value(uint32(w.index)&math.MaxUint32), value)
	case itemPlace:
		v.Subscr(w.owner, vm.SmallInt(w.index), value)
	}
}

// redo makes the changes that the user made at the present trap or exception, in a
// run that repeats the program.
func (r *run) redo(v *vm.VM) {
	s := r.s
	s.mu.Lock()
	edits := s.edits
	again := r != s.first
	s.mu.Unlock()
	for ; again && r.nedits < len(edits) && edits[r.nedits].at == r.moment(); r.nedits++ {
		if err := edits[r.nedits].apply(v); err != nil {
			s.note("a change could not be made again: " + err.Error() + "\n")
		}
		if r.nedits+1 == len(edits) {
			defer r.prepare()
		}
	}
}
