package debug

import (
	"errors"
	"fmt"
	"sync"
)

// Config is what a session is made of.
type Config struct {
	Target  Target
	Sources *Sources
	Events  Events
	// Recorded: the target repeats a run. Then the session stops at the end, from where
	// it can go back, instead of ending.
	Recorded bool
	// StopOnEntry stops before the first line.
	StopOnEntry bool
}

// Session is a program that is debugged. Its methods may be called from any
// goroutine, though only one at a time of those that look at a stopped program.
type Session struct {
	conf    Config
	sources *Sources

	mu     sync.Mutex
	table  table
	first  *run // the program itself; all other runs repeat it
	cur    *run // that runs, or is stopped and looked at
	stop   *Stop
	snap   *snapshot // of the stop; nil until somebody looks
	busy   bool      // the program runs, or is looked for in the past
	ended  bool
	closed bool
	shown  map[*run]int // bytes of output seen
	seen   int          // of the longest run
	said   Moment       // of the latest that the debugger has said, and the run that it was in
	saidBy *run
	edits  []edit
	wait   sync.WaitGroup
}

// ErrRunning is the answer to a question that only a stopped program can answer.
var ErrRunning = errors.New("the program is running: pause it first")

// New makes a session; nothing runs yet.
func New(c Config) *Session {
	s := &Session{conf: c, sources: c.Sources, shown: map[*run]int{}}
	return s
}

// Start runs the program.
func (s *Session) Start() {
	s.mu.Lock()
	r := s.newRun(s.conf.Target)
	r.last = s.conf.Recorded
	s.first, s.cur, s.busy = r, r, true
	if s.conf.StopOnEntry {
		r.goal = goal{kind: goalStep, depth: -1}
		r.d.Each, r.entry = true, true
	}
	s.mu.Unlock()
	s.launch(r)
}

// newRun makes a run of a target.
func (s *Session) newRun(t Target) *run {
	r := &run{s: s, target: t, resume: make(chan struct{}), hits: map[int]int{}, done: make(chan struct{})}
	r.d.Stop, r.d.Raised, r.d.Waits, r.d.Decoded = r.trap, r.raised, r.waits, r.setBreaks
	r.watching = map[*watch]uint64{}
	return r
}

// launch starts a run.
func (s *Session) launch(r *run) {
	s.wait.Add(1)
	go func() {
		defer s.wait.Done()
		r.status = r.target.Run(&r.d, r.output)
		close(r.done)
		s.over(r)
	}()
}

// over is called when a run has come to its end.
func (s *Session) over(r *run) {
	s.mu.Lock()
	ours := r == s.cur && !r.killed
	if r == s.first {
		s.ended = true
	}
	closed := s.closed
	s.mu.Unlock()
	switch {
	case closed || !ours:
	case r.last && r.d.Passed > 0:
		s.note("the recording has ended; this is its last line\n")
		s.travel(Moment{Passed: r.d.Passed}, Stop{Reason: ReasonGoto, Description: "the end of the recording"}, r)
	case r == s.first:
		s.conf.Events.Ended(r.status)
	default:
		s.note("the program could not be brought back to where it was: repeated, it has ended earlier\n")
		s.conf.Events.Ended(r.status)
	}
}

// note has the debugger say something.
func (s *Session) note(text string) { s.conf.Events.Output(text, true, nil) }

// Close ends the program, and waits until it has ended.
func (s *Session) Close() {
	s.mu.Lock()
	s.closed = true
	runs := []*run{s.first, s.cur}
	s.mu.Unlock()
	for _, r := range runs {
		if r != nil {
			r.kill()
		}
	}
	s.wait.Wait()
}

// Release lets the program run on without a debugger, until it ends.
func (s *Session) Release() {
	s.SetExceptions(false, false)
	s.mu.Lock()
	clear(s.table.lines)
	s.table.functions, s.table.watches = nil, nil
	s.tableChanged()
	s.mu.Unlock()
	s.toPresent()
	s.Continue()
	s.wait.Wait()
}

// toPresent leaves the past.
func (s *Session) toPresent() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cur != s.first && !s.busy && !s.ended {
		s.cur.kill()
		s.cur, s.snap = s.first, nil
		s.stop = s.first.stop
	}
}

// Continue runs on.
func (s *Session) Continue() error { return s.run(func(r *run) { r.goal = goal{} }) }

// Next runs to the next line of the function that is stopped, or of its caller.
func (s *Session) Next() error { return s.step(goalNext) }

// StepIn runs to the next line, wherever it is.
func (s *Session) StepIn() error { return s.step(goalStep) }

// StepOut runs until the function has returned.
func (s *Session) StepOut() error { return s.step(goalOut) }

func (s *Session) step(kind goalKind) error {
	return s.run(func(r *run) { r.goal = r.goalFrom(kind) })
}

// run lets the stopped run go on.
func (s *Session) run(prepare func(r *run)) error {
	s.mu.Lock()
	if s.busy || s.cur == nil || s.stop == nil {
		s.mu.Unlock()
		return ErrRunning
	}
	r := s.cur
	if r == s.first && s.ended {
		s.mu.Unlock()
		return errors.New("the program has ended")
	}
	if r.last && r.atMost != (Moment{}) && r.moment() == r.atMost {
		s.mu.Unlock()
		return errors.New("this is the end of the recording: only the way back is open")
	}
	prepare(r)
	if r != s.first {
		r.until, r.arrive = s.first.stop.Moment, *s.first.stop
	}
	s.stop, s.snap, s.busy = nil, nil, true
	s.mu.Unlock()
	r.proceed()
	return nil
}

// Pause stops the program at the next line that it comes to.
func (s *Session) Pause() {
	s.mu.Lock()
	var t Target
	if s.cur != nil && s.busy {
		s.cur.pause.Store(true)
		s.cur.d.Look.Store(true)
		t = s.cur.target
	}
	s.mu.Unlock()
	if t != nil {
		t.Poke()
	}
}

// Stopped is the present stop; ok is false while the program runs.
func (s *Session) Stopped() (stop Stop, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop == nil {
		return stop, false
	}
	return *s.stop, true
}

// Type types into the module's serial port.
func (s *Session) Type(text string) error {
	s.mu.Lock()
	past := s.cur != s.first
	s.mu.Unlock()
	if past || s.conf.Recorded {
		return errors.New("what was typed is recorded: the past cannot be changed")
	}
	s.conf.Target.Type([]byte(text))
	return nil
}

// stopped makes a run the one that is looked at, and tells of it.
func (s *Session) stopped(r *run, stop Stop) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		r.kill()
		return
	}
	stop.Past = r != s.first
	s.cur, s.stop, s.snap, s.busy = r, &stop, nil, false
	r.stop = &stop
	s.mu.Unlock()
	s.conf.Events.Stopped(stop)
}

// output has what a run prints, as far as no run has printed it before.
func (r *run) output(b []byte) {
	s := r.s
	s.mu.Lock()
	from := s.shown[r]
	s.shown[r] = from + len(b)
	fresh := b[min(len(b), max(0, s.seen-from)):]
	s.seen = max(s.seen, from+len(b))
	closed := s.closed
	s.mu.Unlock()
	if len(fresh) > 0 && !closed {
		s.conf.Events.Output(string(fresh), false, nil)
	}
}

// say has the debugger say something on behalf of a run; once, if it is repeated.
func (r *run) say(text string, at *Location) {
	m := r.moment()
	s := r.s
	s.mu.Lock()
	again := m.Before(s.said) || m == s.said && r != s.saidBy || r.search != nil || r.travels
	if !again {
		s.said, s.saidBy = m, r
	}
	s.mu.Unlock()
	if !again {
		s.conf.Events.Output(text, true, at)
	}
}

// explain makes one error of what a target says of itself.
func explain(err error) error {
	return fmt.Errorf("the program cannot be run again: %w", err)
}
