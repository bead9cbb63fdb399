package drm

import (
	"testing"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/task"
)

// TestEverybodyHears: a program and a frame of the host wait for answers of their
// own; news is for both.
func TestEverybodyHears(t *testing.T) {
	tasks := task.New(world.NewVirtualClock(world.VirtualStart))
	c := New(Config{Clock: tasks.Clock(), Off: true})
	heard := 0
	for range 2 {
		tasks.Go("waits", func() {
			for {
				tasks.Background().Wait(world.Forever, c.Changed())
				heard++
			}
		})
	}
	for n := range 3 {
		tasks.Clock().Sleep(0)
		if heard != 2*n {
			t.Fatalf("heard %d times of %d news, want two each", heard, n)
		}
		c.nudge()
	}
	tasks.Stop()
}
