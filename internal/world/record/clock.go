package record

import (
	"encoding/binary"
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// How a wait that came to nothing ends.
const nothing = -1

// clock is what both clocks have in common. raw is the host's; nil when replaying.
type clock struct {
	*seam
	raw     world.Clock
	advance func(d time.Duration) // of a virtual clock, when replaying
}

// pass is Sleep or Wait of raw.
func (c *clock) pass(d time.Duration, events []<-chan struct{}, raw func(d time.Duration, events ...<-chan struct{}) int) int {
	c.Admit()
	if i := ready(events); i >= 0 {
		return i
	}
	if d == 0 {
		return nothing
	}
	c.step()
	if c.play != nil {
		i := nothing
		if e, ok := c.take(KindWait); ok {
			i = int(e.uint())
			c.done(&e)
			if i >= len(events) {
				c.diverge("the recording ends a wait by an event that the device does not wait for")
			}
		}
		if i < 0 && c.advance != nil {
			c.advance(d)
		}
		return i
	}
	outside := make([]<-chan struct{}, len(events))
	for i, e := range events {
		outside[i] = c.outside(e)
	}
	i := raw(d, outside...)
	if i >= 0 {
		c.put(KindWait, binary.AppendUvarint(nil, uint64(i)))
	}
	return i
}

// outside is what brings an event that is had from a gate.
func (s *seam) outside(seen <-chan struct{}) <-chan struct{} {
	for _, g := range s.gates {
		if g != nil && g.seen == seen {
			return g.raw
		}
	}
	return seen
}

// ready takes the lowest event that is there already.
func ready(events []<-chan struct{}) int {
	for i, e := range events {
		select {
		case <-e:
			return i
		default:
		}
	}
	return nothing
}

// Past implements world.Gate.
func (c *clock) Past(t time.Duration) bool {
	c.step()
	if c.play != nil {
		_, past := c.take(KindPast)
		return past
	}
	past := world.Uptime(c.raw) >= t
	if past {
		c.put(KindPast, nil)
	}
	return past
}

// hostClock is a clock that runs by itself: each reading is recorded.
type hostClock struct {
	clock
	calendar time.Time // as last read
}

// Uptime is world.Uptime. What a device sees of it is whole microseconds.
func (c *hostClock) Uptime() time.Duration {
	c.step()
	if c.play != nil {
		d, ok := c.take(KindTime)
		if ok {
			c.at += time.Duration(d.uint()) * time.Microsecond
			c.done(&d)
		}
		return c.at
	}
	now := world.Uptime(c.raw).Truncate(time.Microsecond)
	if now > c.at {
		c.put(KindTime, binary.AppendUvarint(nil, uint64((now-c.at)/time.Microsecond)))
		c.at = now
	}
	return c.at
}

// Ticks implements world.Clock.
func (c *hostClock) Ticks() int64 { return c.Uptime().Microseconds() }

// Now implements world.Clock.
func (c *hostClock) Now() time.Time {
	c.step()
	if c.play != nil {
		if d, ok := c.take(KindNow); ok {
			c.calendar = c.calendar.Add(time.Duration(d.int()))
			c.done(&d)
		}
		return c.calendar
	}
	now := c.raw.Now()
	if d := now.Sub(c.calendar); d != 0 {
		c.put(KindNow, binary.AppendVarint(nil, int64(d)))
	}
	c.calendar = now
	return now
}

// Sleep implements world.Clock.
func (c *hostClock) Sleep(d time.Duration, events ...<-chan struct{}) int {
	if c.raw == nil {
		return c.pass(d, events, nil)
	}
	return c.pass(d, events, c.raw.Sleep)
}

// Wait implements world.Clock.
func (c *hostClock) Wait(d time.Duration, events ...<-chan struct{}) int {
	if c.raw == nil {
		return c.pass(d, events, nil)
	}
	return c.pass(d, events, c.raw.Wait)
}

// movedClock is a virtual clock: only how waits end is recorded, for the time
// follows from that.
type movedClock struct {
	clock
	virtual moved
}

// Uptime is world.Uptime.
func (c *movedClock) Uptime() time.Duration { return c.virtual.Uptime() }

// Ticks implements world.Clock.
func (c *movedClock) Ticks() int64 { return c.virtual.Ticks() }

// Now implements world.Clock.
func (c *movedClock) Now() time.Time { return c.virtual.Now() }

// Advance moves the clock.
func (c *movedClock) Advance(d time.Duration) { c.virtual.Advance(d) }

// Sleep implements world.Clock.
func (c *movedClock) Sleep(d time.Duration, events ...<-chan struct{}) int {
	return c.pass(d, events, c.virtual.Sleep)
}

// Wait implements world.Clock.
func (c *movedClock) Wait(d time.Duration, events ...<-chan struct{}) int {
	return c.pass(d, events, c.virtual.Wait)
}
