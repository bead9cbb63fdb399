package awsiot

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/skep-sim/skep/internal/awsiot/store"
)

// openState opens a state directory with the tests' authority.
func openState(t testing.TB, dir string, fresh bool) *store.Store {
	t.Helper()
	st, err := store.Open(dir, store.Options{})
	must(t, err)
	t.Cleanup(func() { st.Close() })
	if fresh {
		a, err := testAuthority()
		must(t, err)
		must(t, st.SetAuthority(a))
	}
	return st
}

// TestSessionsSurvive: what was acknowledged to its publisher is on disk at that moment, for a
// client that is away and for one that is there: a copy of the directory, taken then, is what a
// machine finds that has lost its power.
func TestSessionsSurvive(t *testing.T) {
	dir, after := stateDir(t), stateDir(t)
	c := newCloud(t, func(c *Config) { c.State = openState(t, dir, true) })
	away, _ := c.connect(0, "away", options{persistent: true})
	away.subscribe(1, "t/+")
	away.disconnect()
	c.said("disconnected", `"away"`)
	here, _ := c.connect(0, "here", options{persistent: true})
	here.subscribe(1, "t/#")
	pub, _ := c.connect(0, "pub", options{})
	for i := range 5 {
		pub.publish("t/a", fmt.Sprint(i), 1, false)
	}
	for range 5 {
		here.unacked()
	}
	must(t, os.MkdirAll(after, 0o700))
	db, err := os.ReadFile(filepath.Join(dir, "cloud.db"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(after, "cloud.db"), db, 0o600))

	again := newCloud(t, func(c *Config) { c.State = openState(t, after, false) })
	for _, id := range []string{"away", "here"} {
		x, present := again.connect(0, id, options{persistent: true})
		if !present {
			t.Fatalf("the session of %s is gone", id)
		}
		for i := range 5 {
			x.expect(fmt.Sprint("t/a ", i))
		}
		x.silent()
		x.disconnect()
	}
}
