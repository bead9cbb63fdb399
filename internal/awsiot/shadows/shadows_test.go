package shadows

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/shadow"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

type rig struct {
	*Service
	store *store.Store
	mu    sync.Mutex
	sent  []string
	log   []string
}

func newRig(t *testing.T, dir string) *rig {
	t.Helper()
	st, err := store.Open(dir, store.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	r := &rig{store: st}
	r.Service = New(st, clock.NewManual(time.Unix(1500000000, 0)), shadow.DefaultLimits(), func(e event.Event) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.log = append(r.log, e.String())
	}, func(topic string, payload []byte) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.sent = append(r.sent, topic+" "+string(payload))
	})
	return r
}

// settle waits for all that is under way.
func (r *rig) settle() []string {
	done := make(chan struct{})
	r.store.Barrier(func(error) { close(done) })
	<-done
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.sent...)
}

var key = shadow.Key{Thing: "T"}

// TestConcurrent: many updates at once give every version once, in order of publishing.
func TestConcurrent(t *testing.T) {
	r := newRig(t, t.TempDir())
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 25 {
				r.Update(key, fmt.Appendf(nil, `{"state":{"reported":{"k%d":%d}}}`, i, n), func(a Answer) {
					if a.Refused != nil {
						t.Error(a.Refused)
					}
				})
			}
		})
	}
	wg.Wait()
	version := 0
	for _, line := range r.settle() {
		if strings.Contains(line, "update/accepted") {
			version++
			if !strings.Contains(line, fmt.Sprintf(`"version":%d,`, version)) {
				t.Fatalf("message %d is %s", version, line)
			}
		}
	}
	if version != 200 {
		t.Fatalf("%d versions", version)
	}
}

// TestGetAfterUpdate: a get sees the update sent before it, and is answered after it.
func TestGetAfterUpdate(t *testing.T) {
	r := newRig(t, t.TempDir())
	ask := func(op, payload string) {
		r.Handle(&broker.Request{Topic: "$aws/things/T/shadow/" + op, Payload: []byte(payload), Done: func() {}})
	}
	ask("update", `{"state":{"reported":{"a":1}}}`)
	ask("get", "")
	ask("delete", `{"clientToken":"d"}`)
	ask("get", `{"clientToken":"g"}`)
	got := strings.Join(r.settle(), "\n")
	want := `$aws/things/T/shadow/update/accepted {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1500000000}}},"version":1,"timestamp":1500000000}
$aws/things/T/shadow/update/documents {"previous":{"state":{},"metadata":{},"version":0},"current":{"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1500000000}}},"version":1},"timestamp":1500000000}
$aws/things/T/shadow/get/accepted {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1500000000}}},"version":1,"timestamp":1500000000}
$aws/things/T/shadow/delete/accepted {"version":1,"timestamp":1500000000,"clientToken":"d"}
$aws/things/T/shadow/get/rejected {"code":404,"message":"No shadow exists with name: 'T'","timestamp":1500000000,"clientToken":"g"}`
	if got != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
}

// TestStoreFails: what cannot be stored is answered 500 and not remembered.
func TestStoreFails(t *testing.T) {
	r := newRig(t, t.TempDir())
	answer := make(chan Answer, 1)
	update := func() Answer {
		r.Update(key, []byte(`{"state":{"reported":{"a":1}}}`), func(a Answer) { answer <- a })
		select {
		case a := <-answer:
			return a
		case <-time.After(3 * time.Second):
			t.Fatal("no answer")
			return Answer{}
		}
	}
	if a := update(); a.Refused != nil {
		t.Fatal(a.Refused)
	}
	sent := len(r.settle())
	r.store.Close()
	for range 2 { // with the shadow in memory, and without
		if a := update(); a.Refused == nil || a.Refused.Code != 500 {
			t.Fatalf("answer %+v", a)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.sent) != sent || len(r.docs) != 0 || !strings.Contains(strings.Join(r.log, ""), "trouble") {
		t.Fatalf("sent %v, kept %v, log %v", r.sent, r.docs, r.log)
	}
}

// TestDamaged: a shadow that cannot be read is trouble, not a new shadow.
func TestDamaged(t *testing.T) {
	r := newRig(t, "")
	r.store.Put(store.Shadows, storeKey(key), []byte("{"), func(error) {})
	r.settle()
	for _, op := range []string{"get", "update", "delete"} {
		r.Handle(&broker.Request{Topic: key.Topic(op), Payload: []byte(`{"state":{}}`), Done: func() {}})
	}
	for i, line := range r.settle() {
		if !strings.Contains(line, `/rejected {"code":500,"message":"Internal service failure"`) {
			t.Fatalf("message %d is %s", i, line)
		}
	}
	if _, err := r.Names("T"); err != nil {
		t.Fatal(err) // the classic shadow is not listed, so it is not read either
	}
}

func TestOverload(t *testing.T) {
	r := newRig(t, "")
	r.Overload(&broker.Request{Topic: "$aws/things/T/shadow/name/N/update", Payload: []byte(`{"clientToken":"x"}`)})
	want := `$aws/things/T/shadow/name/N/update/rejected {"code":429,"message":"Too many requests","timestamp":1500000000,"clientToken":"x"}`
	if got := strings.Join(r.settle(), "\n"); got != want {
		t.Fatalf("got %s", got)
	}
}
