package broker

import (
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/clock"
)

// TestDepartures: a client that has left is known for half an hour, and no longer.
func TestDepartures(t *testing.T) {
	m := clock.NewManual(time.Unix(1700000000, 0))
	b, err := New(Config{Clock: m, Limits: DefaultLimits()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := b.Connection("c"); ok {
		t.Error("a client that never was")
	}
	left := m.Now()
	b.departed(&conn{sess: &session{id: "c"}, reason: reasonLost, peer: Peer{CertID: "x"}})
	m.Advance(remember - time.Second)
	c, ok := b.Connection("c")
	if !ok || c.Connected || c.Persistent || c.Reason != reasonLost || !c.Since.Equal(left) || c.CertID != "x" {
		t.Errorf("%+v %v", c, ok)
	}
	m.Advance(time.Second)
	if _, ok := b.Connection("c"); ok {
		t.Error("known for longer than half an hour")
	}
	b.forgetDepartures(m.Now())
	if len(b.departures) != 0 {
		t.Errorf("%d departures are kept", len(b.departures))
	}
}
