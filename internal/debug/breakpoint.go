package debug

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/skep-sim/skep/internal/vm"
)

// Breakpoint is what a user wants of a line or a function.
type Breakpoint struct {
	Line     int    // of a source
	Function string // or the name of a function
	// Condition, if not "", is an expression that must be true.
	Condition string
	// Hits, if not "", says at which passes to stop: "5" the fifth and later ones,
	// ">5", ">=5", "<5", "<=5", "==5", and "%5" every fifth.
	Hits string
	// Log, if not "", is printed instead of stopping; {expressions} in it are
	// evaluated.
	Log string
}

// Placed is a breakpoint as it is set.
type Placed struct {
	ID      int
	Source  *Source // nil: of a function
	Line    int     // where it really is
	Set     bool
	Message string // why it is not set
}

// point is a breakpoint of a session.
type point struct {
	Breakpoint
	id     int
	source *Source
	line   int
	hits   func(n int) bool
}

// parseHits makes a test of a hit condition.
func parseHits(text string) (func(n int) bool, error) {
	s := strings.TrimSpace(text)
	if s == "" {
		return func(int) bool { return true }, nil
	}
	op := ">="
	for _, o := range []string{">=", "<=", "==", "=", ">", "<", "%"} {
		if rest, ok := strings.CutPrefix(s, o); ok {
			op, s = o, strings.TrimSpace(rest)
			break
		}
	}
	k, err := strconv.Atoi(s)
	if err != nil || k < 1 {
		return nil, fmt.Errorf("the hit condition %q is none: give a number from 1, or one behind >, >=, <, <=, == or %%", text)
	}
	return func(n int) bool {
		switch op {
		case ">":
			return n > k
		case "<":
			return n < k
		case "<=":
			return n <= k
		case "==", "=":
			return n == k
		case "%":
			return n%k == 0
		}
		return n >= k
	}, nil
}

// table is all that a program can be stopped by, guarded by the session's mutex.
type table struct {
	lines     map[*Source][]*point
	functions []*point
	watches   []*watch
	raised    bool // stop at every exception
	uncaught  bool // stop at those that nothing handles
	nextID    int
	changes   int // counts changes
}

// SetBreakpoints replaces the breakpoints of a source.
func (s *Session) SetBreakpoints(src *Source, list []Breakpoint) []Placed {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.table.lines[src]
	var points []*point
	placed := make([]Placed, len(list))
	for i, b := range list {
		p := &point{Breakpoint: b, source: src}
		line, ok := src.HasLine(b.Line)
		placed[i] = Placed{Source: src, Line: b.Line}
		var err error
		switch p.hits, err = parseHits(b.Hits); {
		case err != nil:
			placed[i].Message = err.Error()
		case src.failed != nil:
			placed[i].Message = "the file does not compile: " + src.failed.Error()
		case !ok:
			placed[i].Message = "there is no code on this line or behind it"
		default:
			p.line = line
			p.id = s.idFor(old, p)
			placed[i].ID, placed[i].Line, placed[i].Set = p.id, line, true
			points = append(points, p)
		}
	}
	if s.table.lines == nil {
		s.table.lines = map[*Source][]*point{}
	}
	s.table.lines[src] = points
	s.tableChanged()
	return placed
}

// SetFunctionBreakpoints replaces the breakpoints of functions.
func (s *Session) SetFunctionBreakpoints(list []Breakpoint) []Placed {
	known := map[string]bool{}
	for _, src := range s.sources.List() {
		for _, name := range src.Functions() {
			known[name] = true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.table.functions
	s.table.functions = nil
	placed := make([]Placed, len(list))
	for i, b := range list {
		p := &point{Breakpoint: b}
		var err error
		if p.hits, err = parseHits(b.Hits); err != nil {
			placed[i].Message = err.Error()
			continue
		}
		p.id = s.idFor(old, p)
		placed[i].ID, placed[i].Set = p.id, true
		if !known[b.Function] {
			placed[i].Set, placed[i].Message = false, "no source of the program has a function of this name"
		}
		s.table.functions = append(s.table.functions, p)
	}
	s.tableChanged()
	return placed
}

// SetExceptions says which exceptions stop the program: all that are raised, those
// that nothing handles.
func (s *Session) SetExceptions(raised, uncaught bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.table.raised, s.table.uncaught = raised, uncaught
	s.tableChanged()
}

// idFor keeps the number of a breakpoint that is set again, so that its hits go on
// being counted.
func (s *Session) idFor(old []*point, p *point) int {
	for _, o := range old {
		if o.Breakpoint == p.Breakpoint && o.line == p.line {
			return o.id
		}
	}
	s.table.nextID++
	return s.table.nextID
}

// tableChanged makes the running program take notice.
func (s *Session) tableChanged() {
	s.table.changes++
	if s.cur != nil {
		s.cur.d.Look.Store(true)
	}
}

// setBreaks puts the breakpoints into decoded code.
func (r *run) setBreaks(v *vm.VM, c *vm.Code) {
	at := r.s.sources.of(v, c)
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	points := r.s.table.lines[at.source]
	if at.source == nil {
		points = nil
	}
	name := v.Name(c)
	c.SetBreaks(
		func(line int) bool {
			return slices.ContainsFunc(points, func(p *point) bool { return p.line == line })
		},
		slices.ContainsFunc(r.s.table.functions, func(p *point) bool { return p.Function == name }),
	)
}

// stillThere is an earlier stop without the breakpoints that were taken away since.
// With none of them left it is only where the program is.
func (t *table) stillThere(stop Stop) Stop {
	if len(stop.Breakpoints) == 0 {
		return stop
	}
	set := map[int]bool{}
	for _, points := range t.lines {
		for _, p := range points {
			set[p.id] = true
		}
	}
	for _, p := range t.functions {
		set[p.id] = true
	}
	for _, w := range t.watches {
		set[w.id] = true
	}
	left := []int(nil) // of its own: the stop is shared
	for _, id := range stop.Breakpoints {
		if set[id] {
			left = append(left, id)
		}
	}
	if stop.Breakpoints = left; len(left) == 0 {
		stop.Reason, stop.Description = ReasonPause, "back in the present"
	}
	return stop
}

// hit gives the breakpoints at a trap that the program stops at, and prints those
// that only log.
func (r *run) hit(v *vm.VM, t vm.Trap) (stop []*point) {
	at := r.s.sources.of(v, t.Code)
	r.s.mu.Lock()
	var here []*point
	if !t.Again && at.source != nil {
		for _, p := range r.s.table.lines[at.source] {
			if p.line == t.Line {
				here = append(here, p)
			}
		}
	}
	if t.Entry {
		name := v.Name(t.Code)
		for _, p := range r.s.table.functions {
			if p.Function == name {
				here = append(here, p)
			}
		}
	}
	r.s.mu.Unlock()
	for _, p := range here {
		if !r.counts(v, p, fmt.Sprintf("the breakpoint on line %d", t.Line), &Location{at.source, t.Line}) {
			continue
		}
		if p.Log != "" {
			r.say(r.interpolate(v, p.Log)+"\n", &Location{at.source, t.Line})
			continue
		}
		stop = append(stop, p)
	}
	return stop
}

// counts reports whether the program is to stop at a point that it has come to, as its
// condition and hit count say. A condition that fails is told and counts.
func (r *run) counts(v *vm.VM, p *point, what string, at *Location) bool {
	if p.Condition != "" {
		yes, err := r.truth(v, p.Condition)
		if err != nil {
			r.say(fmt.Sprintf("the condition of %s: %v\n", what, err), at)
		} else if !yes {
			return false
		}
	}
	r.hits[p.id]++
	return p.hits(r.hits[p.id])
}
