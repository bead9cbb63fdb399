package broker

import (
	"strings"
	"testing"
	"time"
)

// TestFullSaidOnce: a queue that is full and has one place now and then is one line of the log, until it has been
// half empty.
func TestFullSaidOnce(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.QueueMessages = 10 })
	s := &session{b: r.Broker, id: "c", conn: &conn{running: true}, expiry: time.Hour}
	put := func(n int) {
		for range n {
			s.enqueue(&Message{Topic: "t"}, 0, false)
		}
	}
	said := func() (n int) {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, line := range r.lines {
			n += strings.Count(line, "wait for this client, which does not take them")
		}
		return n
	}
	put(11)
	for range 5 {
		s.shift()
		put(2)
	}
	if n := said(); n != 1 {
		t.Errorf("said %d times, want once", n)
	}
	for range 8 {
		s.shift()
	}
	put(20)
	if n := said(); n != 2 {
		t.Errorf("said %d times, want it once more", n)
	}
}
