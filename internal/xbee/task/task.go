// Package task lets one device do several things at once: the interpreter (the
// main task) and jobs such as the AT processor, the transparent mode's
// connection or a watchdog.
//
// The tasks take turns; only one of them runs at any moment, all on behalf of
// the goroutine that runs the device. So they share their data without locks,
// and the same events give the same run. A job gives way where it waits or
// sleeps on the scheduler's clock, and nowhere else; the main task gives way
// there too, and in [Scheduler.Poll], which the interpreter's loop calls now and
// then. Jobs that are ready run in the order in which they were started.
//
// It knows no device: what the tasks do is the caller's matter.
package task

import (
	"fmt"
	"iter"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// Scheduler runs the tasks of one device. It serves the goroutine that runs the
// device.
type Scheduler struct {
	base     world.Clock
	gate     gate
	jobs     []*Job // as they were started
	current  *Job   // the job that runs; nil is the main task
	mainOnly []<-chan struct{}
	raised   any
	polls    uint
	// events is where block gathers what everybody waits for.
	events []<-chan struct{}
}

// New makes a scheduler whose time is that of clock, real or virtual.
func New(clock world.Clock) *Scheduler {
	s := &Scheduler{base: clock}
	s.gate, _ = clock.(gate)
	return s
}

// gate is the part of world.Gate that the scheduler needs. The clock of a run that
// is recorded has it.
type gate interface {
	Admit()
	Past(t time.Duration) bool
}

// Job is a task other than the main one.
type Job struct {
	name string
	s    *Scheduler

	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool // nil before the job has begun

	waiting wait
	got     int // what its wait has come to
	ended   bool
	ending  bool // Stop was called
}

// wait is what a task waits for.
type wait struct {
	events   []<-chan struct{}
	deadline time.Duration // Uptime of the clock; world.Forever is never
	// holds: a virtual clock should give the host time for the events before it
	// jumps to the deadline.
	holds bool
}

// stopped is the Go panic that unwinds a job.
type stopped struct{}

// Crash is the Go panic with which a mistake in a job's own code, found by Go at
// run time, reaches the main task: a bug, as opposed to a panic of ours.
type Crash struct {
	Job   string
	Err   error
	Stack []byte // of the job
}

// Error tells where it happened.
func (c *Crash) Error() string { return fmt.Sprintf("%s: %v\n%s", c.Job, c.Err, c.Stack) }

// Unwrap returns Go's error.
func (c *Crash) Unwrap() error { return c.Err }

// Go starts a job, which runs as soon as the task that calls it gives way. A Go
// panic of f ends the job and goes on, as it is (but see [Crash]), in the main
// task.
func (s *Scheduler) Go(name string, f func()) *Job {
	j := &Job{name: name, s: s, waiting: wait{deadline: 0}}
	j.next, j.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			r := recover()
			if e, ok := r.(runtime.Error); ok {
				panic(&Crash{Job: name, Err: e, Stack: debug.Stack()})
			}
			if r != nil && r != any(stopped{}) {
				panic(r)
			}
		}()
		j.yield = yield
		f()
	})
	s.jobs = append(s.jobs, j)
	return j
}

// Name is what the job was called when it was started.
func (j *Job) Name() string { return j.name }

// Ended reports whether the job has returned, panicked or been stopped.
func (j *Job) Ended() bool { return j.ended }

// Stop ends the job, whose deferred functions run; in these, no wait waits any
// more. A job that stops itself does not come back from here. To stop what has
// ended does nothing.
func (j *Job) Stop() {
	switch {
	case j.ended, j.ending: // the latter by one of its own deferred functions
		return
	case j.s.current == j:
		j.ending = true
		panic(stopped{})
	}
	j.ending = true
	j.enter(func() bool { j.stop(); return false })
}

// resume lets the job run until it waits again.
func (j *Job) resume() {
	j.enter(func() bool { _, more := j.next(); return more })
}

// enter runs f, which lets the job run and tells whether there is more of it.
func (j *Job) enter(f func() (more bool)) {
	s := j.s
	caller := s.current
	s.current = j
	more := false
	defer func() {
		s.current = caller
		if !more {
			j.ended = true
			s.jobs = slices.DeleteFunc(s.jobs, func(o *Job) bool { return o == j })
		}
	}()
	more = f()
}

// Clock is the device's clock. On it waiting and sleeping let the other tasks
// run meanwhile.
//
// What an event is, when several tasks wait for it on one channel: it is had by
// one of them, the oldest job first, the main task last.
//
// With a virtual clock the time jumps to the earliest moment at which a task is
// to go on, when no task has anything to do now. It does so at once when the
// main task sleeps; but when the main task waits for an event of the outside,
// or a job does with a limit, the host is first given time for that event, as
// [world.VirtualClock] has it. While the main task waits for the outside without
// a limit, time passes about as fast as the host's.
func (s *Scheduler) Clock() world.Clock { return clock{s, true} }

// Background is the clock for jobs that listen all the time and whose limits
// (a keep-alive, a poll interval) should not slow a virtual clock down: waiting
// on it is like sleeping.
func (s *Scheduler) Background() world.Clock { return clock{s, false} }

// MainOnly makes an event one that jobs never see, even where a function they
// call waits for it: the key that interrupts the program.
func (s *Scheduler) MainOnly(event <-chan struct{}) { s.mainOnly = append(s.mainOnly, event) }

// InJob reports whether a job calls, rather than the main task.
func (s *Scheduler) InJob() bool { return s.current != nil }

// Raise makes the main task panic with v, when it next waits, sleeps or polls;
// at once if it is the main task that calls. The last of several counts.
func (s *Scheduler) Raise(v any) {
	s.raised = v
	if s.current == nil {
		s.raise()
	}
}

func (s *Scheduler) raise() {
	if v := s.raised; v != nil {
		s.raised = nil
		panic(v)
	}
}

// computing is the time that passes on a virtual clock between two calls of Poll,
// where a job waits for a moment to come: a program that only computes must not
// keep that moment away. The interpreter polls every few thousand steps, for
// which a module takes more than that (a choice).
const computing = 10 * time.Millisecond

// pollsPerLook is how many calls of Poll there are to a look at the host's clock,
// which costs more than all the rest of a call. It is some tenth of a millisecond.
const pollsPerLook = 8

// Poll lets the jobs run that have something to do. The main task calls it now
// and then while it computes.
func (s *Scheduler) Poll() {
	if s.current != nil || len(s.jobs) == 0 && s.raised == nil {
		return
	}
	if s.gate != nil {
		s.gate.Admit()
	}
	now := time.Duration(0)
	for _, j := range s.jobs {
		if j.waiting.deadline <= 0 {
			continue
		}
		if v, ok := s.base.(interface{ Advance(time.Duration) }); ok {
			v.Advance(computing)
			now = world.Uptime(s.base)
		} else if s.gate != nil {
			if s.gate.Past(s.earliest()) {
				now = world.Uptime(s.base)
			}
		} else if s.polls++; s.polls%pollsPerLook == 0 {
			now = world.Uptime(s.base)
		}
		break
	}
	s.round(now)
	s.raise()
}

// earliest is the first moment for which a job waits.
func (s *Scheduler) earliest() time.Duration {
	at := time.Duration(math.MaxInt64)
	for _, j := range s.jobs {
		if d := j.waiting.deadline; d > 0 {
			at = min(at, d)
		}
	}
	return at
}

// Stop ends all jobs, the newest first.
func (s *Scheduler) Stop() {
	for len(s.jobs) > 0 {
		s.jobs[len(s.jobs)-1].Stop()
	}
	s.raised = nil
}

// round lets each job that has something to do run once, and reports whether
// there was one.
func (s *Scheduler) round(now time.Duration) (ran bool) {
	for i := 0; i < len(s.jobs); i++ {
		j := s.jobs[i]
		if j == s.current || !j.ready(now) {
			continue
		}
		ran = true
		j.resume()
		if i < len(s.jobs) && s.jobs[i] != j {
			i-- // it has ended
		}
	}
	return ran
}

// ready reports whether the job can go on, and notes what its wait came to.
func (j *Job) ready(now time.Duration) bool {
	w := &j.waiting
	if j.got = first(w.events); j.got >= 0 {
		return true
	}
	return w.deadline >= 0 && now >= w.deadline
}

// first takes the lowest event that is there already; -1 is none.
func first(events []<-chan struct{}) int {
	for i, e := range events {
		select {
		case <-e:
			return i
		default:
		}
	}
	return -1
}
