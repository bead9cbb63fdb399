// Package clock is the time seam of the local AWS IoT: everything that asks for the time or
// waits for it takes a Clock, so that a test or a deterministic run decides what time it is.
//
// It is not a clock itself: the program hands in a real or a virtual one. Manual, the only
// implementation here, moves when it is told to.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time and calls back later.
type Clock interface {
	// Now is the wall time.
	Now() time.Time
	// AfterFunc calls f in a goroutine of its own once d has passed. Stop on the returned
	// Timer prevents a call that has not begun.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is a call that has been asked for.
type Timer interface {
	// Stop cancels the call; false says that it has already begun or was stopped before.
	Stop() bool
}

// Manual is a Clock that stands still until Advance is called. The zero value is not usable;
// make one with NewManual.
type Manual struct {
	mu     sync.Mutex
	now    time.Time
	timers []*manualTimer
}

// NewManual returns a Manual that shows start.
func NewManual(start time.Time) *Manual { return &Manual{now: start} }

// Now is the time Advance has brought the clock to.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// AfterFunc registers f for the Advance that reaches d from now.
func (m *Manual) AfterFunc(d time.Duration, f func()) Timer {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := &manualTimer{clock: m, at: m.now.Add(d), f: f}
	m.timers = append(m.timers, t)
	return t
}

// Advance moves the clock by d and runs, in order of their times, the calls that fall due on
// the way. The calls run on the caller's goroutine, so they are done when Advance returns.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	end := m.now.Add(d)
	for {
		next := -1
		for i, t := range m.timers {
			if !t.at.After(end) && (next < 0 || t.at.Before(m.timers[next].at)) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		t := m.timers[next]
		m.timers = append(m.timers[:next], m.timers[next+1:]...)
		if t.at.After(m.now) {
			m.now = t.at
		}
		m.mu.Unlock()
		t.f()
		m.mu.Lock()
	}
	m.now = end
	m.mu.Unlock()
}

type manualTimer struct {
	clock *Manual
	at    time.Time
	f     func()
}

func (t *manualTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	for i, other := range t.clock.timers {
		if other == t {
			t.clock.timers = append(t.clock.timers[:i], t.clock.timers[i+1:]...)
			return true
		}
	}
	return false
}
