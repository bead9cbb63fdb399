package script

import (
	"fmt"
	"slices"
	"time"
)

// Player plays a script. It serves one goroutine.
type Player struct {
	name    string
	steps   []Step
	state   []state
	waiting []due // in the order in which they are to happen
}

// state is what the player knows of a step.
type state struct {
	done bool // of one that happens once
	tail tail
}

// due is a step that is to happen.
type due struct {
	at   time.Duration
	step int
}

// Play begins a script at time zero.
func (s *Script) Play() *Player {
	p := &Player{name: s.Name, steps: s.Steps, state: make([]state, len(s.Steps))}
	for i := range p.steps {
		switch t := &p.steps[i].trigger; t.kind {
		case atTime, every:
			p.schedule(t.delay, i)
		}
	}
	return p
}

// schedule keeps the order of time, and of lines where the time is the same.
func (p *Player) schedule(at time.Duration, step int) {
	i, _ := slices.BinarySearchFunc(p.waiting, due{at, step}, func(a, b due) int {
		if a.at != b.at {
			return int(min(max(a.at-b.at, -1), 1))
		}
		return a.step - b.step
	})
	p.waiting = slices.Insert(p.waiting, i, due{at, step})
}

// Next is when the player wants to be run; false if only events can bring that
// about.
func (p *Player) Next() (at time.Duration, ok bool) {
	if len(p.waiting) == 0 {
		return 0, false
	}
	return p.waiting[0].at, true
}

// Run does what is due at a time. Each error names its line, and the rest is
// played all the same.
func (p *Player) Run(now time.Duration, c Control) (failed []error) {
	for len(p.waiting) > 0 && p.waiting[0].at <= now {
		d := p.waiting[0]
		p.waiting = p.waiting[1:]
		s := &p.steps[d.step]
		if t := s.trigger; t.kind == every {
			// what was missed, because the module could not be interrupted, is
			// not made up for
			next := d.at + t.period
			if next <= now {
				next = now - (now-d.at)%t.period + t.period
			}
			if t.until == 0 || next <= t.until {
				p.schedule(next, d.step)
			}
		}
		if err := s.do(c); err != nil {
			failed = append(failed, fmt.Errorf("%s:%d: %s: %w", p.name, s.Line, s.Text, err))
		}
	}
	return failed
}

// Event tells the player what happened in the module, and reports whether a step
// is due because of it.
func (p *Player) Event(now time.Duration, e Event) (any bool) {
	for i := range p.steps {
		t, s := &p.steps[i].trigger, &p.state[i]
		if t.kind != once && t.kind != eachOne || s.done || t.event.Kind != e.Kind {
			continue
		}
		n := 0
		switch {
		case e.Kind.isStream():
			n = s.tail.count(t.event.Text, e.Text)
		case t.event.matches(e):
			n = 1
		}
		if n > 0 && t.kind == once {
			n, s.done = 1, true
		}
		for range n {
			p.schedule(now+t.delay, i)
			any = true
		}
	}
	return any
}

// WillType reports whether the script may type something into the serial port
// yet.
func (p *Player) WillType() bool {
	for i, s := range p.steps {
		if waits := s.trigger.kind == once || s.trigger.kind == eachOne; s.types && waits && !p.state[i].done {
			return true
		}
	}
	return slices.ContainsFunc(p.waiting, func(d due) bool { return p.steps[d.step].types })
}

// Wants reports whether the script waits for events of a kind, which need not be
// told otherwise.
func (p *Player) Wants(k EventKind) bool {
	return slices.ContainsFunc(p.steps, func(s Step) bool {
		return (s.trigger.kind == once || s.trigger.kind == eachOne) && s.trigger.event.Kind == k
	})
}
