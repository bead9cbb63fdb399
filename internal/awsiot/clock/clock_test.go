package clock

import (
	"fmt"
	"testing"
	"time"
)

func TestManual(t *testing.T) {
	start := time.Unix(1700000000, 0)
	m := NewManual(start)
	var got []string
	note := func(name string) func() {
		return func() { got = append(got, fmt.Sprint(name, m.Now().Sub(start))) }
	}
	m.AfterFunc(2*time.Second, note("b"))
	m.AfterFunc(time.Second, func() {
		note("a")()
		m.AfterFunc(500*time.Millisecond, note("c")) // asked for on the way
	})
	stopped := m.AfterFunc(time.Second, note("x"))
	if !stopped.Stop() || stopped.Stop() {
		t.Fatal("Stop does not say what it did")
	}
	m.AfterFunc(time.Hour, note("late"))
	m.Advance(3 * time.Second)
	if s := fmt.Sprint(got); s != "[a1s c1.5s b2s]" {
		t.Fatal(s)
	}
	if m.Now() != start.Add(3*time.Second) {
		t.Fatal(m.Now())
	}
}
