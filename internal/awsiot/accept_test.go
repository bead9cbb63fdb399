package awsiot

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
)

// counted is a connection that knows whether it is closed.
type counted struct {
	net.Conn
	closed bool
}

func (c *counted) Close() error { c.closed = true; return nil }

// TestGate: a burst of a second's worth is let in, then as many as the rate; what is too much
// is closed, and told of in one line a second.
func TestGate(t *testing.T) {
	m := clock.NewManual(time.Unix(1700000000, 0))
	var mu sync.Mutex
	var lines []string
	g := gate{limits: AcceptLimits{Rate: 500, Connections: 1000}, clock: m, open: map[net.Conn]struct{}{}, log: func(e event.Event) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, e.String())
	}}
	var in []*counted
	storm := func(n int) (admitted int) {
		for range n {
			c := &counted{}
			switch ok := g.admit(c); {
			case ok == c.closed:
				t.Fatalf("admitted %v, closed %v", ok, c.closed)
			case ok:
				in = append(in, c)
				admitted++
			}
		}
		return admitted
	}
	told := func(want string) {
		t.Helper()
		m.Advance(time.Second)
		if len(lines) != 1 || !strings.Contains(lines[0], want) {
			t.Errorf("log %q, want one line with %q", lines, want)
		}
		lines = nil
	}
	if n := storm(600); n != 500 {
		t.Errorf("%d of the first burst, not 500", n)
	}
	m.Advance(100 * time.Millisecond)
	if n := storm(100); n != 50 {
		t.Errorf("%d in a tenth of a second, not 50", n)
	}
	told("connections closed at once: 150; more than 500 came in a second")
	if n := storm(500); n != 450 {
		t.Errorf("%d of a thousand are 1000 connections, not 450", n)
	}
	told("connections closed at once: 50; 1000 are open")
	g.leave(in[0])
	if n := storm(2); n != 1 {
		t.Errorf("%d have room after one left", n)
	}
	told("connections closed at once: 1; 1000 are open")
	g.close()
	for i, c := range in[1:] {
		if !c.closed {
			t.Fatalf("connection %d is open after the gate", i)
		}
	}
	if storm(1) != 0 {
		t.Error("a closed gate admits")
	}
	unlimited := gate{clock: m, open: map[net.Conn]struct{}{}}
	for i := range 2000 {
		if !unlimited.admit(&counted{}) {
			t.Fatalf("no limit, and connection %d is refused", i)
		}
	}
}
