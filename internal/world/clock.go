package world

import (
	"reflect"
	"sync"
	"time"
)

// Forever is the duration that never passes.
const Forever time.Duration = -1

// Clock is the time as a device sees it.
type Clock interface {
	// Now is the wall time in UTC.
	Now() time.Time
	// Ticks is the time since power-on in microseconds; it never goes back.
	Ticks() int64
	// Sleep passes d ([Forever]: no limit), or less when one of events receives
	// or is closed, whose index it returns; -1 when all of d has passed. Sleeping
	// is something the device does: a virtual clock jumps.
	Sleep(d time.Duration, events ...<-chan struct{}) int
	// Wait waits for something the outside does: for the first of events that
	// receives or is closed, or until d has passed ([Forever]: no limit). It
	// returns the index of the event, or -1 when d has passed. A nil event
	// never comes. With several ready the lowest index wins.
	Wait(d time.Duration, events ...<-chan struct{}) int
}

// Uptime is c's Ticks as a duration, without what reading them costs on a
// virtual clock: for the machinery of a device, as opposed to its program.
func Uptime(c Clock) time.Duration {
	if u, ok := c.(interface{ Uptime() time.Duration }); ok {
		return u.Uptime()
	}
	return time.Duration(c.Ticks()) * time.Microsecond
}

type realClock struct{ start time.Time }

// RealClock is the host's clock. Its Ticks count from this call.
func RealClock() Clock { return realClock{time.Now()} }

func (c realClock) Now() time.Time { return time.Now().UTC().Round(0) }

func (c realClock) Ticks() int64 { return time.Since(c.start).Microseconds() }

func (c realClock) Uptime() time.Duration { return time.Since(c.start) }

func (c realClock) Sleep(d time.Duration, events ...<-chan struct{}) int { return c.Wait(d, events...) }

func (c realClock) Wait(d time.Duration, events ...<-chan struct{}) int {
	if i := ready(events); i >= 0 || d == 0 {
		return i
	}
	return block(d, events)
}

// ready returns the lowest event that is there already, or -1.
func ready(events []<-chan struct{}) int {
	for i, e := range events {
		select {
		case <-e:
			return i
		default:
		}
	}
	return -1
}

// block waits in the host's time.
func block(d time.Duration, events []<-chan struct{}) int {
	var timeout <-chan time.Time
	if d >= 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timeout = t.C
	}
	var e [12]<-chan struct{} // as many as an idle device waits for
	if len(events) > len(e) {
		return blockMany(timeout, events)
	}
	copy(e[:], events)
	select {
	case <-e[0]:
		return 0
	case <-e[1]:
		return 1
	case <-e[2]:
		return 2
	case <-e[3]:
		return 3
	case <-e[4]:
		return 4
	case <-e[5]:
		return 5
	case <-e[6]:
		return 6
	case <-e[7]:
		return 7
	case <-e[8]:
		return 8
	case <-e[9]:
		return 9
	case <-e[10]:
		return 10
	case <-e[11]:
		return 11
	case <-timeout:
		return -1
	}
}

// blockMany is for those who wait for several streams at once, who are few.
func blockMany(timeout <-chan time.Time, events []<-chan struct{}) int {
	cases := []reflect.SelectCase{{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(timeout)}}
	for _, e := range events {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(e)})
	}
	i, _, _ := reflect.Select(cases)
	return i - 1
}

// VirtualStart is the wall time at which a virtual clock starts unless told
// otherwise: the day on which the behaviour of firmware 11413 was written down.
var VirtualStart = time.Date(2019, time.October, 24, 0, 0, 0, 0, time.UTC)

// What a virtual clock charges, and what it grants the host. All are in the
// doc comment of VirtualClock.
const (
	readCost = 10 * time.Microsecond
	grace    = 2 * time.Millisecond
	patience = 5 * time.Second
)

// VirtualClock is a clock that only moves when its device does something, so
// that a month of keep-alives takes seconds and every run reads the same
// times.
//
//   - Sleeping moves it by the whole time at once. While the device has a
//     connection to the host's network open, each sleep also grants the host
//     up to 2 ms of its own time, so that an answer can arrive.
//   - Waiting for an event costs nothing when the event comes, and the whole
//     time when it does not. The host is given up to 5 s of its own time for
//     the event to come.
//   - Reading Ticks costs 10 µs, so that a program which polls the time until
//     it has passed comes to an end.
//
// It may be used by several goroutines.
type VirtualClock struct {
	mu      sync.Mutex
	start   time.Time
	elapsed time.Duration
	conns   int
	patient time.Duration
}

// NewVirtualClock makes a virtual clock that starts at start.
func NewVirtualClock(start time.Time) *VirtualClock {
	return &VirtualClock{start: start.UTC().Round(0), patient: patience}
}

// SetPatience sets how much of its own time the host is given for an event to
// come, 5 s unless set, where it is known that the host is faster.
func (c *VirtualClock) SetPatience(d time.Duration) {
	c.mu.Lock()
	c.patient = d
	c.mu.Unlock()
}

// Advance moves the clock by d.
func (c *VirtualClock) Advance(d time.Duration) {
	c.mu.Lock()
	c.elapsed += max(d, 0)
	c.mu.Unlock()
}

// Now implements [Clock].
func (c *VirtualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.start.Add(c.elapsed)
}

// Ticks implements [Clock].
func (c *VirtualClock) Ticks() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.elapsed += readCost
	return c.elapsed.Microseconds()
}

// Uptime is [Uptime].
func (c *VirtualClock) Uptime() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.elapsed
}

// Sleep implements [Clock].
func (c *VirtualClock) Sleep(d time.Duration, events ...<-chan struct{}) int {
	if d < 0 {
		return c.Wait(d, events...)
	}
	if i := ready(events); i >= 0 {
		return i
	}
	c.mu.Lock()
	online := c.conns > 0
	c.mu.Unlock()
	if online && d > 0 {
		if i := block(min(d, grace), events); i >= 0 {
			return i
		}
	}
	c.Advance(d)
	return -1
}

// Wait implements [Clock].
func (c *VirtualClock) Wait(d time.Duration, events ...<-chan struct{}) int {
	if i := ready(events); i >= 0 || d == 0 {
		return i
	}
	limit := Forever
	if d >= 0 {
		c.mu.Lock()
		limit = min(d, c.patient)
		c.mu.Unlock()
	}
	i := block(limit, events)
	if i < 0 {
		c.Advance(d)
	}
	return i
}

// online notes that n connections more (or less) to the host are open.
func (c *VirtualClock) online(n int) {
	c.mu.Lock()
	c.conns += n
	c.mu.Unlock()
}
