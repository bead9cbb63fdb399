package task

import (
	"slices"
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// clock is the scheduler as a clock.
type clock struct {
	s     *Scheduler
	holds bool
}

// Now implements world.Clock.
func (c clock) Now() time.Time { return c.s.base.Now() }

// Ticks implements world.Clock.
func (c clock) Ticks() int64 { return c.s.base.Ticks() }

// Uptime is world.Uptime.
func (c clock) Uptime() time.Duration { return world.Uptime(c.s.base) }

// Sleep implements world.Clock. A job that sleeps for no time lets the others
// run.
func (c clock) Sleep(d time.Duration, events ...<-chan struct{}) int {
	return c.s.wait(wait{events: events, deadline: d}, false)
}

// Wait implements world.Clock.
func (c clock) Wait(d time.Duration, events ...<-chan struct{}) int {
	return c.s.wait(wait{events: events, deadline: d, holds: c.holds}, d == 0)
}

// wait waits in whichever task calls. The deadline of w is still from now. now:
// only what is there already counts.
func (s *Scheduler) wait(w wait, now bool) int {
	if w.deadline >= 0 {
		w.deadline += world.Uptime(s.base)
		if w.deadline < 0 { // beyond what the clock can tell
			w.deadline = world.Forever
		}
	}
	if s.current != nil {
		return s.current.wait(w, now)
	}
	return s.waitMain(w, now)
}

// wait gives way until something comes.
func (j *Job) wait(w wait, now bool) int {
	// The caller's list may lie on its stack, and is only lent.
	own := j.waiting.events[:0]
	for _, e := range w.events {
		if slices.Contains(j.s.mainOnly, e) {
			e = nil
		}
		own = append(own, e)
	}
	w.events = own
	j.waiting = w
	if i := first(own); i >= 0 || now || j.ending {
		return i
	}
	if !j.yield(struct{}{}) {
		panic(stopped{})
	}
	return j.got
}

// waitMain lets the jobs run until something comes for the main task.
func (s *Scheduler) waitMain(w wait, now bool) int {
	for {
		if s.gate != nil {
			s.gate.Admit()
		}
		ran := s.round(world.Uptime(s.base))
		s.raise()
		if i := first(w.events); i >= 0 || now {
			return i
		}
		if w.deadline >= 0 && world.Uptime(s.base) >= w.deadline {
			return -1
		}
		if !ran {
			if i := s.block(w); i >= 0 {
				return i
			}
		}
	}
}

// idleStep is how far a virtual clock jumps at a time while the main task waits
// for somebody outside without a limit and jobs have limits far away: about as
// far as the host's time goes meanwhile, or a poll interval of a day would pass
// while a person thinks.
const idleStep = 5 * time.Second

// block waits until anything comes for anybody. It returns the index of an event
// for the main task, or -1; what comes for a job lets that job run.
func (s *Scheduler) block(w wait) int {
	events := s.events[:0]
	deadline, holds := w.deadline, w.holds
	for _, j := range s.jobs {
		events = append(events, j.waiting.events...)
		d := j.waiting.deadline
		if d >= 0 && (deadline < 0 || d < deadline) {
			deadline = d
		}
		holds = holds || j.waiting.holds && d >= 0
	}
	events = append(events, w.events...)
	s.events = events
	if w.deadline < 0 && w.holds && deadline >= 0 {
		deadline = min(deadline, world.Uptime(s.base)+idleStep)
	}
	var i int
	switch left := max(0, deadline-world.Uptime(s.base)); {
	case deadline < 0:
		i = s.base.Wait(world.Forever, events...)
	case holds:
		i = s.base.Wait(left, events...)
	default:
		i = s.base.Sleep(left, events...)
	}
	if i < 0 {
		return -1
	}
	// Several may wait for the same event, of which the clock names any.
	i = slices.Index(events, events[i])
	for _, j := range s.jobs {
		if n := len(j.waiting.events); i >= n {
			i -= n
			continue
		}
		j.got = i
		j.resume()
		s.raise()
		return -1
	}
	return i
}
