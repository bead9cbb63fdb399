package debug

import (
	"errors"

	"github.com/skep-sim/skep/internal/vm"
)

// This file goes back in time: it runs the program again, first to find the moment
// that is wanted, and then to there.

// search is what a run that goes over the past looks for: the last moment before its
// end that would do.
type search struct {
	end   Moment
	from  uint64 // what lies before this trap is not looked at; see window
	goal  goal   // of a step back, or none
	watch *watch // whose last change is looked for, or nil
	found Moment
	stop  Stop
	trail []visit // the latest trap of each frame on the stack, outermost first
	over  bool
	ended chan struct{} // closed when it is over
}

// StepBack goes to the line before, in this function or the one that called it.
func (s *Session) StepBack() error {
	return s.back(func(r *run) (*search, error) {
		return &search{goal: r.goalFrom(goalNext)}, nil
	})
}

// ReverseContinue goes to the last moment at which a breakpoint, an exception or a
// change of a watched variable would have stopped the program, or to its beginning.
func (s *Session) ReverseContinue() error {
	return s.back(func(*run) (*search, error) { return &search{}, nil })
}

// LastChange goes to the line that has last changed a variable.
func (s *Session) LastChange(ref, frame int, name string) error {
	var w where
	err := s.look(func(p *snapshot) (err error) {
		w, err = p.whereIs(ref, frame, name)
		return err
	})
	if err != nil {
		return err
	}
	return s.back(func(*run) (*search, error) { return &search{watch: &watch{Name: name, where: w}}, nil })
}

// back starts a search for a moment before the present one.
func (s *Session) back(what func(r *run) (*search, error)) error {
	s.mu.Lock()
	if s.busy || s.stop == nil {
		s.mu.Unlock()
		return ErrRunning
	}
	from := s.cur
	s.mu.Unlock()
	find, err := what(from)
	if err != nil {
		return err
	}
	find.end = from.stop.Moment
	if find.end.Passed <= 1 && find.end.Raise == 0 {
		return errors.New("this is the beginning of the program: there is nothing before it")
	}
	t, err := s.conf.Target.Again()
	if err != nil {
		return explain(err)
	}
	if find.lineByLine(s) && find.end.Passed > window {
		find.from = find.end.Passed - window
	}
	r := s.seek(t, find)
	if r == nil {
		return ErrRunning
	}
	if from != s.first || s.conf.Recorded {
		from.kill()
	}
	go func() {
		for {
			select {
			case <-find.ended:
			case <-r.done:
				return // over has told
			}
			r.kill()
			if find.from == 0 || find.found != (Moment{}) {
				break
			}
			find = &search{end: find.end, goal: find.goal, watch: find.watch}
			if t, err = s.conf.Target.Again(); err != nil {
				break
			}
			if r = s.seek(t, find); r == nil {
				return
			}
		}
		if find.found == (Moment{}) {
			find.found, find.stop = Moment{Passed: 1}, Stop{Reason: ReasonEntry, Description: "the beginning of the program"}
			if find.watch != nil {
				find.stop.Description = find.watch.Name + " has not changed since the program began"
			}
		}
		s.travel(find.found, find.stop, r)
	}()
	return nil
}

// window is how many lines before the present one are looked at first: what is
// wanted is mostly not long ago, and to look at each line takes many times as long as
// to run it.
const window = 1 << 17

// lineByLine reports whether a search must look at each line, and not just at those
// with breakpoints.
func (f *search) lineByLine(s *Session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f.watch != nil || f.goal.kind != goalNone || len(s.table.watches) > 0
}

// seek starts a run that searches; nil: the session is over.
func (s *Session) seek(t Target, find *search) *run {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.busy, s.stop, s.snap = true, nil, nil
	r := s.newRun(t)
	r.search, r.until = find, find.end
	find.ended = make(chan struct{})
	s.cur = r
	s.mu.Unlock()
	r.prepare()
	s.launch(r)
	return r
}

// travel runs the program again, to a moment, and stops there.
func (s *Session) travel(to Moment, stop Stop, from *run) {
	t, err := s.conf.Target.Again()
	if err != nil {
		s.note(explain(err).Error() + "\n")
		s.conf.Events.Ended(1)
		return
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	r := s.newRun(t)
	r.until, r.arrive, r.travels = to, stop, true
	if r.last = s.conf.Recorded; r.last {
		r.atMost = from.atMost
		if from.last && r.atMost == (Moment{}) && from.isDone() {
			r.atMost = Moment{Passed: from.d.Passed}
		}
	}
	if s.conf.Recorded {
		s.first, s.ended = r, false // any run is as good as another
	}
	s.cur, s.busy = r, true
	s.mu.Unlock()
	r.prepare()
	s.launch(r)
}

func (r *run) isDone() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// searchAt is trap for a run that searches.
func (r *run) searchAt(v *vm.VM, t vm.Trap, now Moment, changed []*watch, arrived bool) {
	f := r.search
	if f.over {
		return
	}
	switch {
	case r.pause.Swap(false):
		r.keep(now, Stop{Reason: ReasonPause})
		r.found()
		return
	case f.watch != nil:
		if len(changed) > 0 {
			r.keep(f.culprit(v, f.watch), Stop{Reason: ReasonData, Description: f.watch.Name + " is changed by this line"})
		}
	case f.goal.kind != goalNone:
		if !arrived && !t.Again && f.goal.back(v) && r.sourceOf(v, t.Code) != nil {
			r.keep(now, Stop{Reason: ReasonStep})
		}
	case len(changed) > 0:
		stop, _ := r.reason(v, t, changed)
		stop.Description = changed[0].Name + " is changed by this line"
		r.keep(f.culprit(v, changed[0]), stop)
	case !arrived:
		if stop, ok := r.reason(v, t, nil); ok {
			r.keep(now, stop)
		}
	}
	if r.d.Each {
		f.visit(v, visit{now, r.sourceOf(v, t.Code), t.Line})
	}
	if arrived {
		r.found()
	}
}

// searchRaised is raised for a run that searches.
func (r *run) searchRaised(v *vm.VM, now Moment, arrived bool) {
	f := r.search
	if f.over || now.Passed < f.from {
		return
	}
	if !arrived && f.watch == nil && f.goal.kind == goalNone {
		if stop, ok := r.exception(v); ok {
			stop.Exception = vm.Null
			r.keep(now, stop)
		}
	}
	if arrived {
		r.found()
	}
}

// keep notes a moment that would do.
func (r *run) keep(m Moment, stop Stop) {
	if m != (Moment{}) && m.Before(r.search.end) {
		r.search.found, r.search.stop = m, stop
	}
}

// found ends a search.
func (r *run) found() {
	r.search.over = true
	close(r.search.ended)
	<-r.resume
	r.d.Each, r.d.Until = false, 0
}

// back reports whether a line is one that a step back may come to.
func (g *goal) back(v *vm.VM) bool {
	if g.same(v.Top()) {
		return true
	}
	return v.Depth() < g.depth && !g.awaited(v)
}

// visit is a line that was run.
type visit struct {
	at     Moment
	source *Source
	line   int
}

// visit notes that a line is run.
func (f *search) visit(v *vm.VM, at visit) {
	depth := v.Depth()
	for len(f.trail) < depth {
		f.trail = append(f.trail, visit{})
	}
	f.trail = f.trail[:depth]
	f.trail[depth-1] = at
}

// culprit is the line that has changed a variable since the last trap. If functions
// have returned since, it may be the last line of any of them, or the one that
// called: the innermost that has the variable's name in it, or else the last one.
func (f *search) culprit(v *vm.VM, w *watch) Moment {
	if len(f.trail) == 0 {
		return Moment{}
	}
	depth := max(1, min(v.Depth(), len(f.trail)))
	name := w.lastName()
	for i := len(f.trail) - 1; i >= depth-1; i-- {
		if at := f.trail[i]; at.source != nil && at.source.mentions(at.line, name) {
			return at.at
		}
	}
	return f.trail[depth-1].at
}
