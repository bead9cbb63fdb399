package deploy_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skep-sim/skep"
	"github.com/skep-sim/skep/internal/host/deploy"
)

// drain reads until the module has been silent for some seconds.
func drain(p *port) string {
	time.Sleep(20 * time.Second) // of the bubble's time
	synctest.Wait()
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	return string(p.in)
}

// has checks that the module's files are the application's.
func (b *bench) has(files []deploy.File) error {
	for _, f := range files {
		got, err := b.m.ReadFile(f.Path)
		if err != nil {
			return err
		}
		if string(got) != string(f.Data) {
			return fmt.Errorf("%s: %d bytes, not as deployed", f.Path, len(got))
		}
	}
	return nil
}

func TestDeploy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, skep.Options{Files: laid(app("old"))})
		b.autostart()
		began := time.Now()
		r, err := b.deploy(bundled(app("new")))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v in %v of the module's time, %d bytes on the line", r, time.Since(began), b.carried())
		if err := b.has(app("new")); err != nil {
			t.Error(err)
		}
		if out := b.restart(); !strings.Contains(out, "app new new new") {
			t.Errorf("after a power cycle: %q", out)
		}
		r, err = b.deploy(bundled(app("new")))
		if err != nil || len(r.Uploaded) != 0 || r.Unchanged != 4 {
			t.Errorf("again: %+v, %v", r, err)
		}
	})
}

// faults are what happens at a byte: it is lost, a bit of it flips, the cable is
// pulled, the module is reset, or loses its power.
var faults = []string{"lost", "flipped", "cut", "reset", "power"}

// TestFaults deploys with a fault at every k-th byte that goes over the line, and
// wants the module to start the old application or the new one, or, in the short
// time between, none; and the next deployment to succeed. SKEP_FAULTS=1 tries
// every byte.
func TestFaults(t *testing.T) {
	clean := 0
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, skep.Options{Files: laid(app("old"))})
		b.autostart()
		b.bundle("one.mpy")
		b.begin(nil)
		if _, err := b.deploy(bundled(app("new"))); err != nil {
			t.Fatal(err)
		}
		clean = b.carried()
	})
	step := clean / 20
	if n := os.Getenv("SKEP_FAULTS"); n != "" {
		if _, err := fmt.Sscan(n, &step); err != nil || step < 1 {
			t.Fatalf("SKEP_FAULTS=%s: give the distance in bytes between two faults", n)
		}
	}
	counts := map[string]int{}
	for n, kind := range faults {
		for at := 1 + n*step/len(faults); at <= clean; at += step {
			synctest.Test(t, func(t *testing.T) { counts[broken(t, fault{kind, at})]++ })
		}
	}
	t.Logf("%d bytes without a fault; one at every %d, of %d kinds: %v", clean, step, len(faults), counts)
}

// broken deploys with a fault, and says what state that has left.
func broken(t *testing.T, f fault) string {
	b := newBench(t, skep.Options{Files: laid(app("old"))})
	b.autostart()
	b.bundle("one.mpy")
	b.begin(&f)
	_, err := b.deploy(bundled(app("new")))
	b.begin(nil)
	name := fmt.Sprintf("%s at byte %d", f.kind, f.at)
	state := "deployed all the same"
	if err == nil {
		if err := b.has(app("new")); err != nil {
			t.Errorf("%s: deployed without an error: %v", name, err)
		}
	}
	main, merr := b.m.ReadFile("main.py")
	if merr == nil && string(main) != string(app("old")[0].Data) && string(main) != string(app("new")[0].Data) {
		t.Errorf("%s: main.py is neither the old nor the new: %q", name, main)
	}
	out := b.restart()
	switch {
	case strings.Contains(out, "app new new new"):
		if err != nil {
			state = "new, reported as failed"
		}
	case err == nil:
		t.Errorf("%s: deployed without an error, and then: %q", name, out)
	case strings.Contains(out, "app old old old"):
		state = "old"
	case !strings.Contains(out, "Running bytecode") && strings.HasSuffix(out, ">>> "):
		state = "none starts"
	default:
		t.Errorf("%s: %v; then the module says %q", name, err, out)
	}
	if _, err := b.deploy(bundled(app("new"))); err != nil {
		t.Errorf("%s: deployed again: %v", name, err)
	}
	if err := b.has(app("new")); err != nil {
		t.Errorf("%s: deployed again: %v", name, err)
	}
	if out := b.restart(); !strings.Contains(out, "app new new new") {
		t.Errorf("%s: deployed again, and then: %q", name, out)
	}
	return state
}
