package debug

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/skep-sim/skep/internal/vm"
)

// watch is a variable that the program stops at when it changes. A list, dict, set or
// object counts as changed when its items or members do.
type watch struct {
	id   int
	Name string
	where
	when *point // its condition and hit count; nil: every change
}

// where is where a variable lives. It is the same in every run of a program, since
// memory is.
type where struct {
	kind   whereKind
	serial uint64   // of the frame, for a local variable
	gen    vm.Value // or its generator
	index  int      // the variable's number
	owner  vm.Value // a dict or an object
	key    string   // the name in it
}

type whereKind byte

const (
	localPlace  whereKind = 'l'
	dictPlace   whereKind = 'd' // of a module, a class
	memberPlace whereKind = 'm'
	itemPlace   whereKind = 'i'
	keyPlace    whereKind = 'k' // index is the key's word
)

// String is the form that a client keeps, for parseWhere.
func (w where) String() string {
	return fmt.Sprintf("%c,%d,%d,%d,%d,%s", w.kind, w.serial, w.gen, w.index, w.owner, w.key)
}

func parseWhere(text string) (w where, err error) {
	f := strings.SplitN(text, ",", 6)
	if len(f) != 6 || len(f[0]) != 1 || !strings.Contains("ldmik", f[0]) {
		return w, fmt.Errorf("%q is no variable of this session", text)
	}
	var n [4]uint64
	for i := range n {
		if n[i], err = strconv.ParseUint(f[i+1], 10, 64); err != nil {
			return w, fmt.Errorf("%q is no variable of this session", text)
		}
	}
	return where{whereKind(f[0][0]), n[0], vm.Value(n[1]), int(n[2]), vm.Value(n[3]), f[5]}, nil
}

// value finds the variable's present value; vm.Null if it has none now.
func (w *where) value(v *vm.VM) (got vm.Value) {
	defer func() {
		if recover() != nil {
			got = vm.Null // there is something else in that place now
		}
	}()
	switch w.kind {
	case localPlace:
		if w.gen != vm.Null {
			if f, ok := v.GeneratorFrame(w.gen); ok {
				return f.Local(w.index)
			}
		}
		for _, f := range v.Frames() {
			if w.gen != vm.Null && f.Generator() == w.gen || w.gen == vm.Null && f.Generator() == vm.Null && f.Serial() == w.serial {
				return f.Local(w.index)
			}
		}
	case dictPlace:
		if t := v.TypeOf(w.owner); t != vm.TypeDict && t != vm.TypeOrderedDict {
			return vm.Null
		}
		if q := v.FindQstr([]byte(w.key)); q != 0 {
			return v.DictGet(w.owner, q.Value())
		}
	case memberPlace:
		for _, c := range v.Attributes(w.owner) {
			if c.Name == w.key {
				return c.Value
			}
		}
	case keyPlace:
		if t := v.TypeOf(w.owner); t == vm.TypeDict || t == vm.TypeOrderedDict {
			for pos := 0; ; {
				k, item, ok := v.DictNext(w.owner, &pos)
				if !ok || k == vm.Value(w.index) {
					return item
				}
			}
		}
	case itemPlace:
		n, ok := v.NumItems(w.owner)
		if !ok || w.index >= n {
			return vm.Null
		}
		return v.Items(w.owner, w.index, 1)[0].Value
	}
	return vm.Null
}

// print tells values of the variable apart.
func (w *where) print(v *vm.VM) (sum uint64) {
	got := w.value(v)
	if got == vm.Null {
		return 0
	}
	defer func() {
		if recover() != nil {
			sum = uint64(got)
		}
	}()
	h := fnv.New64a()
	v.Words(got, func(word vm.Value) {
		h.Write([]byte{byte(word), byte(word >> 8), byte(word >> 16), byte(word >> 24)})
	})
	return h.Sum64()
}

// changed gives the watched variables that have changed since the last trap. One
// that has come to have a value has changed, one that is gone has not.
func (r *run) changed(v *vm.VM) (list []*watch) {
	r.s.mu.Lock()
	watches := r.s.table.watches
	r.s.mu.Unlock()
	if r.search != nil && r.search.watch != nil {
		watches = []*watch{r.search.watch}
	}
	for _, w := range watches {
		before, known := r.watching[w]
		now := w.print(v)
		r.watching[w] = now
		if now != before && now != 0 && (known || r.s.conf.Recorded && r == r.s.first && r.d.Passed == 1) &&
			(w.when == nil || r.counts(v, w.when, "the change of "+w.Name, nil)) {
			list = append(list, w)
		}
	}
	return list
}

// WatchPlace is where a variable of the stopped program lives, as a client keeps it.
func (s *Session) WatchPlace(ref int, frame int, name string) (id, description string, err error) {
	err = s.look(func(p *snapshot) error {
		w, err := p.whereIs(ref, frame, name)
		id, description = w.String(), name
		return err
	})
	return id, description, err
}

// SetWatches replaces the watched variables. Each id is from WatchPlace. The condition
// and the hit count of when, if there is one for a variable, say which changes count.
func (s *Session) SetWatches(ids, names []string, when ...Breakpoint) ([]Placed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*watch
	placed := make([]Placed, len(ids))
	for i, id := range ids {
		w, err := parseWhere(id)
		if err != nil {
			placed[i].Message = err.Error()
			continue
		}
		s.table.nextID++
		one := &watch{id: s.table.nextID, Name: names[i], where: w}
		if i < len(when) {
			one.when = &point{Breakpoint: when[i], id: one.id}
			if one.when.hits, err = parseHits(when[i].Hits); err != nil {
				placed[i].Message = err.Error()
				continue
			}
		}
		list = append(list, one)
		placed[i].ID, placed[i].Set = s.table.nextID, true
	}
	s.table.watches = list
	if s.cur != nil && s.stop != nil { // what they are now is no change
		for _, w := range list {
			s.cur.watching[w] = w.print(s.cur.v)
		}
	}
	s.tableChanged()
	return placed, nil
}

// lastName is the last name in what the variable is called: total of self.total[3].
func (w *watch) lastName() string {
	names := strings.FieldsFunc(w.Name, func(c rune) bool { return !isName("_" + string(c)) })
	for i := len(names) - 1; i >= 0; i-- {
		if isName(names[i]) {
			return names[i]
		}
	}
	return w.Name
}
