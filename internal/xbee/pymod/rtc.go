package pymod

import "time"

// epoch is where the module's time begins to count.
var epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// RTC returns the module's time in seconds since 2000-01-01 UTC. Until the
// network has told the time it counts from there since power-on
// (device-facts.md 14 no. 20).
func (b *Board) RTC() int64 {
	if !b.timeKnown && (b.Registered == nil || b.Registered()) {
		b.timeKnown = true
	}
	if !b.timeKnown {
		return b.uptime() / 1e6
	}
	now := b.World.Clock().Now()
	if b.NetworkTime != nil {
		now = now.Add(b.NetworkTime())
	}
	return int64(now.Sub(epoch) / time.Second)
}

// uptime is microseconds since power-on.
func (b *Board) uptime() int64 { return b.World.Clock().Ticks() - b.PoweredOn }
