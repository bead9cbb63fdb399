package debug

import (
	"sync/atomic"

	"github.com/skep-sim/skep/internal/vm"
)

// run is one run of the program, in a goroutine of its own. While it is stopped that
// goroutine waits for resume, and whoever looks at the run may do so.
type run struct {
	s      *Session
	target Target
	d      vm.Debugger
	resume chan struct{}
	done   chan struct{}
	status int

	v      *vm.VM // as of the last trap
	exc    vm.Value
	stop   *Stop
	entry  bool // the next stop is the first
	last   bool // it repeats a recording: at the end the session stops
	killed bool
	pause  atomic.Bool

	goal    goal
	until   Moment // to stop at, or zero
	arrive  Stop   // what to tell then
	atMost  Moment // of the end of a recording, once it is known
	travels bool   // until is where it is going, and nothing before counts
	search  *search
	changes int // of the table, as the code has it
	hits    map[int]int
	nedits  int

	watching map[*watch]uint64 // what they were

	sources    map[*vm.Code]*Source
	lastCode   *vm.Code
	lastSource *Source
}

// goal is how far a run is to go.
type goal struct {
	kind   goalKind
	depth  int
	serial uint64
	gen    vm.Value
}

type goalKind uint8

const (
	goalNone goalKind = iota // to the next breakpoint
	goalStep                 // to the next line
	goalNext                 // to the next line of this function, or of one that called it
	goalOut                  // to a line of one that called it
)

// moment is where the run is.
func (r *run) moment() Moment { return Moment{r.d.Passed, r.d.Raises * boolInt(r.exc != vm.Null)} }

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// goalFrom is a goal as seen from the frame that is stopped.
func (r *run) goalFrom(kind goalKind) goal {
	g := goal{kind: kind}
	frames := r.v.Frames()
	if len(frames) > 0 {
		g.depth, g.serial, g.gen = len(frames), frames[0].Serial(), frames[0].Generator()
	}
	return g
}

// same reports whether the running frame is the goal's.
func (g *goal) same(top vm.Frame) bool {
	if g.gen != vm.Null {
		return top.Generator() == g.gen
	}
	return top.Generator() == vm.Null && top.Serial() == g.serial
}

// awaited: the goal's function, a generator, waits for another one, and the line
// that it is at goes on when that is done.
func (g *goal) awaited(v *vm.VM) bool { return g.gen != vm.Null && v.Awaits(g.gen) }

// reached reports whether a line is one to stop at.
func (g *goal) reached(v *vm.VM) bool {
	switch g.kind {
	case goalNone:
		return false
	case goalStep:
		return true
	}
	if g.same(v.Top()) {
		return g.kind == goalNext
	}
	return v.Depth() < g.depth && !g.awaited(v)
}

// proceed lets a stopped run go on.
func (r *run) proceed() {
	r.prepare()
	r.resume <- struct{}{}
}

// prepare tells the VM at which traps it must call.
func (r *run) prepare() {
	r.s.mu.Lock()
	watched := len(r.s.table.watches) > 0 && !r.travels
	edits := r != r.s.first && r.nedits < len(r.s.edits)
	r.s.mu.Unlock()
	r.d.Each = r.goal.kind != goalNone || watched || edits
	r.d.Until = r.until.Passed
	if f := r.search; f != nil {
		r.d.Each = r.d.Each || f.lineByLine(r.s)
		if r.d.Passed < f.from {
			r.d.Each, r.d.Until = edits, f.from
		}
	}
}

// kill ends the run, stopped or not.
func (r *run) kill() {
	r.s.mu.Lock()
	was := r.killed
	r.killed = true
	r.s.mu.Unlock()
	if was {
		return
	}
	r.target.Kill()
	r.pause.Store(true)
	r.d.Look.Store(true)
	select {
	case r.resume <- struct{}{}:
	default:
		// It runs, and finds out; or it is about to wait.
		go func() {
			select {
			case r.resume <- struct{}{}:
			case <-r.done:
			}
		}()
	}
}

// wait is the stop itself.
func (r *run) wait(v *vm.VM, stop Stop) {
	r.d.Each = false
	stop.Moment = r.moment()
	r.goal, r.until = goal{}, Moment{}
	r.s.stopped(r, stop)
	<-r.resume
	r.exc = vm.Null
	if r.isKilled() {
		r.d.Each, r.d.Until = false, 0
	}
}

func (r *run) isKilled() bool {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.killed
}

// trap is called by the VM at the start of a line.
func (r *run) trap(v *vm.VM, t vm.Trap) {
	r.v, r.exc = v, vm.Null
	if r.d.Look.Swap(false) {
		r.refresh(v)
	}
	if r.isKilled() {
		return
	}
	r.redo(v)
	now := Moment{Passed: r.d.Passed}
	if f := r.search; f != nil && f.from > 0 {
		if now.Passed < f.from {
			if t.Break {
				r.hit(v, t) // it counts
			}
			return
		}
		if now.Passed == f.from {
			r.prepare()
		}
	}
	changed := r.changed(v)
	arrived := r.until == now
	if r.search != nil {
		r.searchAt(v, t, now, changed, arrived)
		return
	}
	if arrived {
		r.come(v)
		return
	}
	if r.travels {
		if t.Break {
			r.hit(v, t) // it counts
		}
		return
	}
	if r.pause.Swap(false) {
		r.wait(v, Stop{Reason: ReasonPause})
		return
	}
	r.consider(v, t, changed)
}

// waits is called by the VM when the user wants something and the program waits.
func (r *run) waits(v *vm.VM) {
	r.v, r.exc = v, vm.Null
	r.d.Look.Store(false)
	r.refresh(v)
	if !r.isKilled() && r.search == nil && !r.travels && r.pause.Swap(false) {
		r.wait(v, Stop{Reason: ReasonPause, Description: "Paused on its way"})
	}
}

// come is called where the run was to go.
func (r *run) come(v *vm.VM) {
	stop := r.arrive
	if r.travels {
		r.travels = false
		r.wait(v, stop)
		return
	}
	// This is the present: the program itself is here, and goes on from here.
	s := r.s
	s.mu.Lock()
	first, closed := s.first, s.closed
	stop = s.table.stillThere(stop)
	s.mu.Unlock()
	if !closed {
		s.stopped(first, stop)
	}
	r.kill()
	<-r.resume
	r.d.Each, r.d.Until = false, 0
}

// sourceOf is the source of code, remembered.
func (r *run) sourceOf(v *vm.VM, c *vm.Code) *Source {
	if c == r.lastCode {
		return r.lastSource
	}
	src, ok := r.sources[c]
	if !ok {
		if src = r.s.sources.of(v, c).source; r.sources == nil {
			r.sources = map[*vm.Code]*Source{}
		}
		r.sources[c] = src
	}
	r.lastCode, r.lastSource = c, src
	return src
}

// refresh takes over what the user has changed.
func (r *run) refresh(v *vm.VM) {
	r.s.mu.Lock()
	stale := r.changes != r.s.table.changes
	r.changes = r.s.table.changes
	r.s.mu.Unlock()
	if stale {
		v.Codes(func(c *vm.Code) { r.setBreaks(v, c) })
		r.prepare()
	}
}

// consider stops at a line if there is a reason to.
func (r *run) consider(v *vm.VM, t vm.Trap, changed []*watch) {
	if stop, ok := r.reason(v, t, changed); ok {
		r.wait(v, stop)
		return
	}
	if !t.Again && r.goal.reached(v) && (r.goal.kind != goalStep || r.sourceOf(v, t.Code) != nil) {
		reason := ReasonStep
		if r.entry {
			r.entry, reason = false, ReasonEntry
		}
		r.wait(v, Stop{Reason: reason})
	}
}

// reason gives the breakpoints that a line has.
func (r *run) reason(v *vm.VM, t vm.Trap, changed []*watch) (stop Stop, ok bool) {
	if len(changed) > 0 {
		stop.Reason, stop.Description = ReasonData, changed[0].Name+" has changed"
		for _, w := range changed {
			stop.Breakpoints = append(stop.Breakpoints, w.id)
		}
		return stop, true
	}
	if !t.Break {
		return stop, false
	}
	points := r.hit(v, t)
	for _, p := range points {
		stop.Breakpoints = append(stop.Breakpoints, p.id)
		if stop.Reason = ReasonBreak; p.source == nil {
			stop.Reason = ReasonFunction
		}
	}
	return stop, len(points) > 0
}

// raised is called by the VM when an exception was raised.
func (r *run) raised(v *vm.VM, exc vm.Value) {
	r.v, r.exc = v, exc
	if r.isKilled() {
		return
	}
	now := r.moment()
	arrived := r.until == now
	if r.search != nil {
		r.searchRaised(v, now, arrived)
		return
	}
	r.redo(v)
	switch {
	case arrived:
		r.arrive.Exception = exc
		r.come(v)
	case r.travels:
	default:
		if stop, ok := r.exception(v); ok {
			r.wait(v, stop)
		}
	}
	r.exc = vm.Null
}

// exception tells whether to stop at the exception that was raised now.
func (r *run) exception(v *vm.VM) (stop Stop, ok bool) {
	if v.IsSubclass(v.TypeOf(r.exc), vm.TypeGeneratorExit) {
		return stop, false
	}
	r.s.mu.Lock()
	raised, uncaught := r.s.table.raised, r.s.table.uncaught
	r.s.mu.Unlock()
	if !raised && !uncaught {
		return stop, false
	}
	none := !v.Handled(r.exc)
	if none && v.IsSubclass(v.TypeOf(r.exc), vm.TypeSystemExit) {
		none = false
	}
	stop = Stop{Reason: ReasonException, Exception: r.exc, Uncaught: none}
	return stop, raised || uncaught && none
}
