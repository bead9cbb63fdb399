package ymodemtest

import (
	"testing"
	"time"
)

// TestTimes lets both ends wait for all mixes of times, in either order of
// arrival: each wait ends, the shorter one first.
func TestTimes(t *testing.T) {
	a, b := New()
	done := make(chan time.Duration)
	go func() {
		var total time.Duration
		for i := range 2000 {
			d := time.Duration(1+i%7) * time.Second
			if _, ok := a.Byte(d); !ok {
				total += d
			}
			if i%5 == 0 {
				a.Write([]byte{1})
			}
		}
		a.Finish()
		done <- total
	}()
	got := 0
	for i := range 6000 {
		if _, ok := b.Byte(time.Duration(1+i%4) * time.Second); ok {
			got++
		}
	}
	b.Finish()
	if total := <-done; got != 400 || total != 7995*time.Second {
		t.Errorf("%d bytes of 400, %v waited", got, total)
	}
}
