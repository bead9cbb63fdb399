package task

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// diary is what the tasks of a test did, in order.
type diary struct{ lines []string }

func (d *diary) add(format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) expect(t *testing.T, want string) {
	t.Helper()
	if got := strings.Join(d.lines, " "); got != want {
		t.Errorf("happened\n%s\nwant\n%s", got, want)
	}
}

func virtual() (*Scheduler, world.Clock) {
	s := New(world.NewVirtualClock(world.VirtualStart))
	return s, s.Clock()
}

func TestTurns(t *testing.T) {
	s, c := virtual()
	var d diary
	for _, period := range []time.Duration{3, 2} {
		s.Go("job", func() {
			for {
				c.Sleep(period*time.Second, nil)
				d.add("%d@%v", period, world.Uptime(c))
			}
		})
	}
	for range 3 {
		c.Sleep(2*time.Second, nil)
		d.add("main@%v", world.Uptime(c))
	}
	// at the same moment the older job comes first, the main task last
	d.expect(t, "2@2s main@2s 3@3s 2@4s main@4s 3@6s 2@6s main@6s")
}

func TestEvents(t *testing.T) {
	for name, base := range map[string]world.Clock{"virtual": world.NewVirtualClock(world.VirtualStart), "real": world.RealClock()} {
		t.Run(name, func(t *testing.T) {
			s := New(base)
			c := s.Clock()
			ping, pong := make(chan struct{}, 1), make(chan struct{}, 1)
			never := make(chan struct{})
			n := 0
			s.Go("echo", func() {
				for {
					if i := c.Wait(world.Forever, never, ping); i != 1 {
						t.Errorf("the job's wait came to %d", i)
					}
					n++
					pong <- struct{}{}
				}
			})
			for range 3 {
				ping <- struct{}{}
				if i := c.Wait(10*time.Second, never, nil, never, never, pong); i != 4 {
					t.Fatalf("the wait came to %d", i)
				}
			}
			time.AfterFunc(time.Millisecond, func() { ping <- struct{}{} }) // from outside
			if i := c.Wait(10*time.Second, pong); i != 0 || n != 4 {
				t.Errorf("the wait came to %d, %d events", i, n)
			}
			if i := c.Wait(time.Millisecond, pong); i != -1 {
				t.Errorf("a wait in vain came to %d", i)
			}
			if c.Wait(0, pong) != -1 || c.Sleep(0) != -1 {
				t.Error("a wait of no time came to something")
			}
		})
	}
}

// TestPoll computes without waiting.
// TestSharedEvent: the oldest of the jobs that wait for an event has it, also when
// nobody had anything to do before it came.
func TestSharedEvent(t *testing.T) {
	s := New(world.RealClock())
	c := s.Clock()
	event, done := make(chan struct{}, 1), make(chan struct{}, 1)
	var d diary
	for _, name := range []string{"a", "b", "c"} {
		s.Go(name, func() {
			for {
				c.Wait(world.Forever, event)
				d.add("%s", name)
				done <- struct{}{}
			}
		})
	}
	const times = 50
	c.Sleep(0)
	for range times {
		time.AfterFunc(time.Millisecond, func() { event <- struct{}{} })
		c.Wait(world.Forever, done)
	}
	s.Stop()
	d.expect(t, strings.TrimSuffix(strings.Repeat("a ", times), " "))
}

func TestPoll(t *testing.T) {
	s, c := virtual()
	event := make(chan struct{}, 1)
	var d diary
	s.Go("event", func() {
		c.Wait(world.Forever, event)
		d.add("event")
	})
	s.Go("time", func() {
		c.Sleep(50 * time.Millisecond)
		d.add("time")
	})
	for i := range 10 {
		d.add("%d", i)
		s.Poll()
		if i == 2 {
			event <- struct{}{}
		}
	}
	d.expect(t, "0 1 2 3 event 4 5 time 6 7 8 9")
	if s.Poll(); len(s.jobs) != 0 {
		t.Errorf("%d jobs are left", len(s.jobs))
	}
}

func caught(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

func TestPanicsReachTheMainTask(t *testing.T) {
	type reset struct{ cause int }
	s, c := virtual()
	var d diary
	s.Go("panics", func() {
		defer d.add("deferred")
		c.Sleep(time.Second)
		panic(reset{3})
	})
	s.Go("asks", func() {
		c.Sleep(2 * time.Second)
		s.Raise(reset{4})
		d.add("goes on")
		c.Sleep(time.Second)
		d.add("still")
	})
	for _, want := range []any{reset{3}, reset{4}, nil} {
		if v := caught(func() { c.Sleep(5 * time.Second) }); v != want {
			t.Errorf("the main task panicked with %v, want %v", v, want)
		}
	}
	if v := caught(func() { s.Raise(reset{5}) }); v != any(reset{5}) {
		t.Errorf("panic %v", v)
	}
	d.expect(t, "deferred goes on still")
	s.Go("wrong", func() {
		var none []int
		c.Sleep(time.Second)
		none[3]++
	})
	crash, ok := caught(func() { c.Sleep(5 * time.Second) }).(*Crash)
	if !ok || crash.Job != "wrong" || !strings.Contains(crash.Error(), "index out of range") || !strings.Contains(crash.Error(), "task_test.go") {
		t.Errorf("panic %v", crash)
	}
}

func TestStop(t *testing.T) {
	s, c := virtual()
	var d diary
	s.Go("one", func() {
		defer d.add("one")
		c.Sleep(world.Forever)
	})
	var two *Job
	two = s.Go("two", func() {
		defer func() {
			c.Sleep(time.Hour) // too late for that
			two.Stop()
			d.add("two")
		}()
		for {
			c.Wait(world.Forever)
		}
	})
	s.Go("three", func() {
		defer d.add("three")
		c.Sleep(time.Second)
		two.Stop()
		d.add("and")
		s.current.Stop()
		t.Error("a stopped job runs")
	})
	s.Go("never", func() { t.Error("a job stopped before its turn runs") }).Stop()
	c.Sleep(time.Minute)
	d.expect(t, "two and three")
	if !two.Ended() || two.Name() != "two" {
		t.Error("job two has not ended")
	}
	s.Stop()
	s.Stop()
	d.expect(t, "two and three one")
	if got := world.Uptime(c); got != time.Minute {
		t.Errorf("it took %v", got)
	}
}

func TestMainOnly(t *testing.T) {
	s, c := virtual()
	key := make(chan struct{}, 1)
	s.MainOnly(key)
	s.Go("job", func() {
		if i := c.Wait(world.Forever, key, nil); i >= 0 {
			t.Errorf("the job had the main task's event, %d", i)
		}
	})
	key <- struct{}{}
	if i := c.Wait(time.Second, key); i != 0 {
		t.Errorf("the main task's wait came to %d", i)
	}
	s.Stop()
}

// TestHost checks when a virtual clock waits for the host: a listening job does
// not hold it back, one that expects an answer does.
func TestHost(t *testing.T) {
	s, c := virtual()
	outside := make(chan struct{}, 1)
	late := func() { time.AfterFunc(20*time.Millisecond, func() { outside <- struct{}{} }) }
	heard := -2
	s.Go("listens", func() { heard = s.Background().Wait(time.Hour, outside) })
	late()
	c.Sleep(2 * time.Hour)
	if heard != -1 {
		t.Errorf("listening came to %d: the clock did not jump", heard)
	}
	<-outside
	s.Go("expects", func() { heard = c.Wait(time.Hour, outside) })
	late()
	c.Sleep(2 * time.Hour)
	if heard != 0 {
		t.Errorf("expecting came to %d: the clock jumped", heard)
	}
	s.Go("sleeps", func() { c.Sleep(time.Hour) })
	late()
	if i := c.Wait(2*time.Hour, outside); i != 0 {
		t.Error("the clock jumped although the main task waits for the outside")
	}
	s.Stop()
}

// steps is a clock on which every wait is in vain, and which notes how long each
// was to be.
type steps struct {
	*world.VirtualClock
	waits []time.Duration
}

func (c *steps) Wait(d time.Duration, events ...<-chan struct{}) int {
	c.waits = append(c.waits, d)
	return c.Sleep(d, events...)
}

// TestIdle: time does not run away from somebody who sits at the prompt, although
// a job polls once a day.
func TestIdle(t *testing.T) {
	base := &steps{VirtualClock: world.NewVirtualClock(world.VirtualStart)}
	s := New(base)
	done := make(chan struct{}, 1)
	s.Go("polls", func() {
		s.Background().Sleep(time.Minute)
		done <- struct{}{}
	})
	s.Clock().Wait(world.Forever, done)
	if len(base.waits) != 12 || slices.Max(base.waits) != idleStep {
		t.Errorf("the clock went on by %v", base.waits)
	}
}

func BenchmarkPoll(b *testing.B) {
	s := New(world.RealClock())
	c := s.Clock()
	for range 3 {
		s.Go("idle", func() { c.Wait(world.Forever, make(chan struct{}), make(chan struct{})) })
	}
	for b.Loop() {
		s.Poll()
	}
	s.Stop()
}

func BenchmarkSwitch(b *testing.B) {
	s := New(world.NewVirtualClock(world.VirtualStart))
	c := s.Clock()
	s.Go("job", func() {
		for {
			c.Sleep(time.Second)
		}
	})
	for b.Loop() {
		c.Sleep(time.Second)
	}
	s.Stop()
}
