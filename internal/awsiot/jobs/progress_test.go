package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// TestTimers: the in-progress timer and the step timer as in AWS's picture of twenty minutes.
func TestTimers(t *testing.T) {
	r := start(t, open(t, ""), "T", "U")
	r.create(Config{ID: "j", All: true, Timeout: &Timeout{Minutes: 20}})
	status := func(thing string) Status { return r.status("j", thing) }
	r.ask("T/jobs/start-next", `{}`)
	r.ask("U/jobs/start-next", `{}`)
	step := func(minutes int) {
		t.Helper()
		if got := r.ask("T/jobs/j/update", fmt.Sprintf(`{"status":"IN_PROGRESS","stepTimeoutInMinutes":%d}`, minutes)); !strings.HasPrefix(got, "accepted") {
			t.Fatal(got)
		}
	}
	r.clock.Advance(5 * time.Minute) // 12:05
	step(7)
	r.clock.Advance(5 * time.Minute) // 12:10
	step(5)
	r.clock.Advance(3 * time.Minute) // 12:13
	step(9)
	r.clock.Advance(6*time.Minute + 59*time.Second)
	if status("T") != InProgress {
		t.Fatal("too early")
	}
	if got := r.ask("T/jobs/j/get", `{"includeJobDocument":false}`); !strings.Contains(got, `"approximateSecondsBeforeTimedOut":1,`) {
		t.Error(got)
	}
	r.clock.Advance(time.Second) // 12:20
	if status("T") != TimedOut || status("U") != TimedOut {
		t.Fatal(status("T"), status("U"))
	}
	r.check("events", r.events(), "jobExecution/j/timed_out jobExecution/j/timed_out job/j/completed")
	// A step timer by itself, and taken back.
	r.create(Config{ID: "k", Targets: []string{"T"}})
	r.ask("T/jobs/start-next", `{"stepTimeoutInMinutes":1}`)
	r.ask("T/jobs/k/update", `{"status":"IN_PROGRESS","stepTimeoutInMinutes":-1}`)
	r.clock.Advance(time.Hour)
	if got := r.status("k", "T"); got != InProgress {
		t.Fatal(got)
	}
	r.ask("T/jobs/start-next", `{"stepTimeoutInMinutes":1}`)
	r.clock.Advance(time.Minute)
	if got := r.status("k", "T"); got != TimedOut {
		t.Fatal(got)
	}
}

func (r *rig) status(id, thing string) Status {
	r.settle()
	list, err := r.Executions(id)
	must(r.t, err)
	for _, x := range list {
		if x.Thing == thing {
			return x.Status
		}
	}
	return ""
}

func fleet(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("t%03d", i))
	}
	return out
}

func TestRollout(t *testing.T) {
	r := start(t, open(t, ""), fleet(100)...)
	told := func(id string) int {
		list, err := r.Executions(id)
		must(t, err)
		return len(list)
	}
	r.create(Config{ID: "steady", All: true, Rollout: &Rollout{MaximumPerMinute: 30}})
	x := Exponential{Base: 10, Factor: 2}
	x.Criteria.Notified = 20
	r.create(Config{ID: "rising", All: true, Rollout: &Rollout{Exponential: &x, MaximumPerMinute: 50}})
	want := [][2]int{{30, 10}, {60, 20}, {90, 40}, {100, 80}, {100, 100}}
	for minute, w := range want {
		if got := [2]int{told("steady"), told("rising")}; got != w {
			t.Errorf("minute %d: %v, want %v", minute, got, w)
		}
		r.clock.Advance(time.Minute)
	}
}

func TestAbortAndRetry(t *testing.T) {
	r := start(t, open(t, ""), fleet(10)...)
	r.create(Config{
		ID: "j", All: true,
		Abort: &Abort{[]AbortCriterion{{"FAILED", "CANCEL", 50, 4}}},
		Retry: &Retry{[]RetryCriterion{{"FAILED", 1}}},
	})
	do := func(thing, status string) {
		t.Helper()
		if got := r.ask(thing+"/jobs/j/update", `{"status":"`+status+`"}`); !strings.HasPrefix(got, "accepted") {
			t.Fatal(got)
		}
	}
	do("t000", "FAILED")
	if got := r.ask("t000/jobs/j/get", `{"includeJobDocument":false}`); !strings.Contains(got, `"status":"QUEUED"`) || !strings.Contains(got, `"executionNumber":2`) || !strings.Contains(got, `"versionNumber":1`) {
		t.Fatal(got)
	}
	do("t000", "FAILED") // twice is enough
	do("t001", "SUCCEEDED")
	do("t002", "SUCCEEDED")
	do("t009", "IN_PROGRESS")
	do("t003", "FAILED")
	do("t003", "FAILED")
	j, err := r.Describe("j")
	must(t, err)
	if j.Status != Canceled || j.Counts[Canceled] != 5 || j.Counts[InProgress] != 1 || j.Counts[Failed] != 2 || j.Reason != "ABORTED" {
		t.Fatalf("%+v", j)
	}
	do("t009", "SUCCEEDED") // what is in progress may end
}

func TestCancel(t *testing.T) {
	r := start(t, open(t, ""), fleet(3)...)
	r.create(Config{ID: "j", All: true})
	r.ask("t000/jobs/start-next", ``)
	if _, err := r.CancelExecution("j", "t000", false); err == nil {
		t.Error("in progress, and canceled without force")
	}
	_, err := r.CancelExecution("j", "t001", false)
	must(t, err)
	j, err := r.Cancel("j", false, "R", "comment")
	must(t, err)
	if j.Status != Canceled || j.Counts[Canceled] != 2 || j.Counts[InProgress] != 1 {
		t.Fatalf("%+v", j)
	}
	if err := r.Delete("j", false); err == nil {
		t.Error("deleted while in progress")
	}
	j, err = r.Cancel("j", true, "", "")
	must(t, err)
	if j.Counts[Canceled] != 3 {
		t.Fatalf("%+v", j)
	}
	must(t, r.Delete("j", false))
	if _, err := r.Describe("j"); !errors.Is(err, ErrNoJob) {
		t.Error(err)
	}
	for _, err := range []error{r.Delete("j", false), func() error { _, err := r.Cancel("j", false, "", ""); return err }()} {
		if !errors.Is(err, ErrNoJob) {
			t.Error(err)
		}
	}
}

func TestContinuous(t *testing.T) {
	r := start(t, open(t, ""), "a")
	r.create(Config{ID: "c", All: true, Selection: "CONTINUOUS"})
	r.create(Config{ID: "s", All: true})
	r.ask("a/jobs/c/update", `{"status":"SUCCEEDED"}`)
	must(t, r.state.PutThing(store.Thing{Name: "b"}))
	r.ThingsChanged()
	if r.status("c", "b") != Queued || r.status("s", "b") != "" {
		t.Fatal(r.status("c", "b"), r.status("s", "b"))
	}
	if j, err := r.Describe("c"); err != nil || j.Status != InProgress {
		t.Fatal(j, err)
	}
}

func TestRefusedJobs(t *testing.T) {
	r := start(t, open(t, ""), "a")
	doc := json.RawMessage(`{}`)
	x := &Exponential{Base: 10, Factor: 9}
	r.create(Config{ID: "there", All: true})
	for _, tt := range []struct {
		c    Config
		want string
	}{
		{Config{ID: "a b", Document: doc, All: true}, "1 to 64 characters"},
		{Config{ID: "j", Document: json.RawMessage(`{`), All: true}, "not JSON"},
		{Config{ID: "j", Document: json.RawMessage(`"` + strings.Repeat("x", 32<<10) + `"`), All: true}, "the limit is 32768"},
		{Config{ID: "j", Document: doc}, "no targets"},
		{Config{ID: "j", Document: doc, All: true, Targets: []string{"a"}}, "targets already"},
		{Config{ID: "j", Document: doc, Targets: []string{"z"}}, `no thing "z"`},
		{Config{ID: "j", Document: doc, All: true, Selection: "SOME"}, "SNAPSHOT or CONTINUOUS"},
		{Config{ID: "j", Document: doc, Targets: []string{"a"}, Selection: "CONTINUOUS"}, "for groups"},
		{Config{ID: "j", Document: doc, All: true, Timeout: &Timeout{}}, "inProgressTimeoutInMinutes"},
		{Config{ID: "j", Document: doc, All: true, Rollout: &Rollout{MaximumPerMinute: 2000}}, "maximumPerMinute"},
		{Config{ID: "j", Document: doc, All: true, Rollout: &Rollout{Exponential: x}}, "incrementFactor"},
		{Config{ID: "j", Document: doc, All: true, Abort: &Abort{[]AbortCriterion{{"FAILED", "STOP", 5, 1}}}}, "abortConfig"},
		{Config{ID: "j", Document: doc, All: true, Retry: &Retry{[]RetryCriterion{{"ALL", 11}}}}, "at most 10"},
		{Config{ID: "there", Document: doc, All: true}, "there is one already"},
	} {
		if _, err := r.Create(tt.c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %s", tt.c, err, tt.want)
		}
	}
}

// TestRestart: a restart after any number of stored records leaves a state that goes on.
func TestRestart(t *testing.T) {
	// The records of a whole life, in the order they were stored.
	var records []save
	source := open(t, "")
	r := start(t, source, fleet(4)...)
	step := func(f func()) {
		f()
		r.settle()
		seen := map[string]string{}
		must(t, source.Each(store.Jobs, "", func(key string, text []byte) error {
			seen[key] = string(text)
			return nil
		}))
		last := map[string]string{}
		for _, s := range records {
			last[s.key] = string(s.text)
		}
		for _, key := range []string{"job/j", "execution/t000/j", "execution/t001/j", "execution/t002/j", "execution/t003/j"} {
			if seen[key] != last[key] {
				var text []byte
				if s, ok := seen[key]; ok {
					text = []byte(s)
				}
				records = append(records, save{key, text})
			}
		}
	}
	step(func() { r.create(Config{ID: "j", All: true, Timeout: &Timeout{Minutes: 5}}) })
	step(func() { r.ask("t000/jobs/start-next", ``) })
	step(func() { r.ask("t000/jobs/j/update", `{"status":"SUCCEEDED"}`) })
	step(func() { r.ask("t001/jobs/start-next", ``) })
	step(func() { _, err := r.Cancel("j", true, "", ""); must(t, err) })
	step(func() { must(t, r.Delete("j", false)) })
	for n := range len(records) + 1 {
		st := open(t, "")
		for _, s := range records[:n] {
			st.Put(store.Jobs, s.key, s.text, func(error) {})
		}
		again := start(t, st, fleet(4)...)
		if n == 0 {
			continue
		}
		again.clock.Advance(time.Hour) // what is in progress times out
		j, err := again.Describe("j")
		if errors.Is(err, ErrNoJob) {
			continue
		}
		must(t, err)
		if open := j.Counts[Queued] + j.Counts[InProgress]; j.Status == Canceled && open > 0 {
			t.Errorf("%d records: canceled, but %v", n, j.Counts)
		}
		for _, thing := range fleet(4) {
			for again.ask(thing+"/jobs/start-next", ``) != `accepted {"timestamp":4600}` {
				if got := again.ask(thing+"/jobs/j/update", `{"status":"SUCCEEDED"}`); !strings.HasPrefix(got, "accepted") {
					t.Fatal(got)
				}
			}
		}
		if j, err := again.Describe("j"); err != nil || j.Status == InProgress {
			t.Errorf("%d records: %v %+v", n, err, j)
		}
	}
}

// TestOnDisk: what was answered is there after the store is opened again.
func TestOnDisk(t *testing.T) {
	dir := t.TempDir()
	st := open(t, dir)
	r := start(t, st, "a", "b")
	r.create(Config{ID: "j", All: true, Description: "first"})
	r.ask("a/jobs/start-next", `{"statusDetails":{"k":"v"}}`)
	r.Close()
	must(t, st.Close())
	r = start(t, open(t, dir))
	if got := r.ask("a/jobs/$next/get", ``); !strings.Contains(got, `"status":"IN_PROGRESS","statusDetails":{"k":"v"}`) || !strings.Contains(got, `{"operation":"test"}`) {
		t.Fatal(got)
	}
}

func TestStoreFails(t *testing.T) {
	st := open(t, t.TempDir())
	r := start(t, st, "a")
	r.create(Config{ID: "j", All: true})
	r.said()
	must(t, st.Close())
	answers := make(chan string, 1)
	r.Handle(&broker.Request{Topic: "$aws/things/a/jobs/start-next", Done: func() {}, Reply: func(_ string, text []byte) { answers <- string(text) }})
	if got := <-answers; !strings.Contains(got, "InternalError") {
		t.Fatal(got)
	}
}
