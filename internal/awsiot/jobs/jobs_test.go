package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// rig is a Service with what it says.
type rig struct {
	*Service
	t     testing.TB
	state *store.Store
	clock *clock.Manual

	mu   sync.Mutex
	sent []string // without events, which events has
	ev   []string
	log  []string
}

func open(t testing.TB, dir string) *store.Store {
	t.Helper()
	st, err := store.Open(dir, store.Options{NoSync: true})
	must(t, err)
	t.Cleanup(func() { st.Close() })
	return st
}

func start(t testing.TB, st *store.Store, things ...string) *rig {
	t.Helper()
	r := &rig{t: t, state: st, clock: clock.NewManual(time.Unix(1000, 0))}
	for _, name := range things {
		must(t, st.PutThing(store.Thing{Name: name}))
	}
	var err error
	r.Service, err = New(Options{
		State: st, Clock: r.clock, Rand: rand.NewChaCha8([32]byte{}), Region: "us-east-1",
		Log: func(e event.Event) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.log = append(r.log, e.String())
		},
		Publish: func(topic string, payload []byte) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if rest, ok := strings.CutPrefix(topic, "$aws/events/"); ok {
				r.ev = append(r.ev, rest)
				if !json.Valid(payload) {
					t.Errorf("%s: %s", topic, payload)
				}
				return
			}
			r.sent = append(r.sent, strings.TrimPrefix(topic, "$aws/things/")+" "+string(payload))
		},
	})
	must(t, err)
	t.Cleanup(r.Close)
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// settle waits for all that is under way.
func (r *rig) settle() {
	done := make(chan struct{})
	r.state.Barrier(func(error) { close(done) })
	<-done
}

// said takes the messages since the last time.
func (r *rig) said() string {
	r.settle()
	r.mu.Lock()
	defer r.mu.Unlock()
	out := strings.Join(r.sent, "\n")
	r.sent = nil
	return out
}

func (r *rig) events() string {
	r.settle()
	r.mu.Lock()
	defer r.mu.Unlock()
	out := strings.Join(r.ev, " ")
	r.ev = nil
	return out
}

// ask sends a request on the topic after $aws/things/ and gives the answer.
func (r *rig) ask(topic, payload string) string {
	r.t.Helper()
	answers := make(chan string, 1)
	done := make(chan struct{})
	name := "$aws/things/" + topic
	if no := r.Accepts(name); no != "" {
		return "no: " + no
	}
	r.Handle(&broker.Request{Topic: name, Payload: []byte(payload), Done: func() { close(done) }, Reply: func(topic string, text []byte) {
		answers <- strings.TrimPrefix(topic, name+"/") + " " + string(text)
	}})
	<-done
	return <-answers
}

func (r *rig) create(c Config) {
	r.t.Helper()
	if c.Document == nil {
		c.Document = json.RawMessage(`{"operation":"test"}`)
	}
	_, err := r.Create(c)
	must(r.t, err)
}

func (r *rig) check(what, got, want string) {
	r.t.Helper()
	if got != want {
		r.t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// TestNotifications is the course of AWS's "Jobs notifications": three jobs for one thing.
func TestNotifications(t *testing.T) {
	r := start(t, open(t, ""), "T")
	const q = `"executionNumber":1,"versionNumber":1`
	r.create(Config{ID: "job1", Targets: []string{"T"}})
	r.check("job1 created", r.said(), `T/jobs/notify {"timestamp":1000,"jobs":{"QUEUED":[{"jobId":"job1","queuedAt":1000,"lastUpdatedAt":1000,`+q+`}]}}
T/jobs/notify-next {"timestamp":1000,"execution":{"jobId":"job1","status":"QUEUED","queuedAt":1000,"lastUpdatedAt":1000,"versionNumber":1,"executionNumber":1,"jobDocument":{"operation":"test"}}}`)
	r.clock.Advance(time.Second)
	r.create(Config{ID: "job2", Targets: []string{"T"}})
	r.check("job2 created", r.said(), `T/jobs/notify {"timestamp":1001,"jobs":{"QUEUED":[{"jobId":"job1","queuedAt":1000,"lastUpdatedAt":1000,`+q+`},{"jobId":"job2","queuedAt":1001,"lastUpdatedAt":1001,`+q+`}]}}`)
	r.check("start", r.ask("T/jobs/start-next", `{"clientToken":"x","statusDetails":{"step":"1"}}`),
		`accepted {"execution":{"jobId":"job1","thingName":"T","status":"IN_PROGRESS","statusDetails":{"step":"1"},"queuedAt":1000,"startedAt":1001,"lastUpdatedAt":1001,"versionNumber":2,"executionNumber":1,"jobDocument":{"operation":"test"}},"timestamp":1001,"clientToken":"x"}`)
	r.check("nothing is said of that", r.said(), "")
	r.create(Config{ID: "job3", Targets: []string{"T"}})
	r.said()
	r.check("succeeded", r.ask("T/jobs/job1/update", `{"status":"SUCCEEDED","expectedVersion":"2"}`), `accepted {"timestamp":1001}`)
	r.check("job1 gone", r.said(), `T/jobs/notify {"timestamp":1001,"jobs":{"QUEUED":[{"jobId":"job2","queuedAt":1001,"lastUpdatedAt":1001,`+q+`},{"jobId":"job3","queuedAt":1001,"lastUpdatedAt":1001,`+q+`}]}}
T/jobs/notify-next {"timestamp":1001,"execution":{"jobId":"job2","status":"QUEUED","queuedAt":1001,"lastUpdatedAt":1001,"versionNumber":1,"executionNumber":1,"jobDocument":{"operation":"test"}}}`)
	r.clock.Advance(time.Second)
	r.ask("T/jobs/job3/update", `{"status":"IN_PROGRESS"}`)
	r.check("job3 overtakes", r.said(), `T/jobs/notify-next {"timestamp":1002,"execution":{"jobId":"job3","status":"IN_PROGRESS","queuedAt":1001,"startedAt":1002,"lastUpdatedAt":1002,"versionNumber":2,"executionNumber":1,"jobDocument":{"operation":"test"}}}`)
	r.ask("T/jobs/job2/update", `{"status":"REJECTED"}`)
	r.check("job2 rejected", r.said(), `T/jobs/notify {"timestamp":1002,"jobs":{"IN_PROGRESS":[{"jobId":"job3","queuedAt":1001,"lastUpdatedAt":1002,"startedAt":1002,"executionNumber":1,"versionNumber":2}]}}`)
	must(t, r.Delete("job3", true))
	r.check("job3 deleted", r.said(), "T/jobs/notify {\"timestamp\":1002,\"jobs\":{}}\nT/jobs/notify-next {\"timestamp\":1002}")
	r.check("events", r.events(), "jobExecution/job1/succeeded job/job1/completed jobExecution/job2/rejected job/job2/completed job/job3/deletion_in_progress job/job3/deleted")
	if list := r.List(); len(list) != 2 || list[0].Status != Completed || list[1].Counts[Rejected] != 1 {
		t.Errorf("%+v", list)
	}
}

// TestRequests is every operation with what it refuses.
func TestRequests(t *testing.T) {
	r := start(t, open(t, ""), "T", "U")
	r.check("get, empty", r.ask("T/jobs/get", `{"clientToken":"c"}`), `accepted {"inProgressJobs":[],"queuedJobs":[],"timestamp":1000,"clientToken":"c"}`)
	r.check("start-next, empty", r.ask("T/jobs/start-next", ``), `accepted {"timestamp":1000}`)
	r.check("$next, empty", r.ask("T/jobs/$next/get", `{}`), `accepted {"timestamp":1000}`)
	r.create(Config{ID: "j", Targets: []string{"T", "T"}, Document: json.RawMessage(`{"a":1}`)})
	r.check("get", r.ask("T/jobs/get", ``), `accepted {"inProgressJobs":[],"queuedJobs":[{"jobId":"j","queuedAt":1000,"lastUpdatedAt":1000,"executionNumber":1,"versionNumber":1}],"timestamp":1000}`)
	const x = `"execution":{"jobId":"j","thingName":"T","status":"QUEUED","queuedAt":1000,"lastUpdatedAt":1000,"versionNumber":1,"executionNumber":1`
	r.check("describe", r.ask("T/jobs/j/get", `{}`), `accepted {`+x+`,"jobDocument":{"a":1}},"timestamp":1000}`)
	r.check("describe $next", r.ask("T/jobs/$next/get", `{"includeJobDocument":false}`), `accepted {`+x+`},"timestamp":1000}`)
	for _, tt := range []struct{ topic, payload, want string }{
		{"T/jobs/j/get", `{"executionNumber":2}`, `ResourceNotFound`},
		{"T/jobs/none/get", ``, `ResourceNotFound`},
		{"U/jobs/j/get", ``, `ResourceNotFound`},
		{"nobody/jobs/get", ``, `ResourceNotFound`},
		{"T/jobs/j/get", `{`, `InvalidJson`},
		{"T/jobs/j/get", `{} x`, `InvalidJson`},
		{"T/jobs/j/get", "{\"clientToken\":\"\xff\"}", `InvalidJson`},
		{"T/jobs/j/get", `[]`, `InvalidRequest`},
		{"T/jobs/j/get", `{"includeJobDocument":"x"}`, `InvalidRequest`},
		{"T/jobs/j/get", `{"clientToken":"` + strings.Repeat("x", 65) + `"}`, `InvalidRequest`},
		{"T/jobs/j/frobnicate", `{}`, `InvalidTopic`},
		{"T/jobs/j/k/get", `{}`, `InvalidTopic`},
		{"T/jobs/what", `{}`, `InvalidTopic`},
		{"T/jobs/j/update", `{}`, `InvalidRequest`},
		{"T/jobs/j/update", `{"status":"QUEUED"}`, `InvalidRequest`},
		{"T/jobs/j/update", `{"status":"DONE"}`, `InvalidRequest`},
		{"T/jobs/$next/update", `{"status":"FAILED"}`, `InvalidRequest`},
		{"T/jobs/j/update", `{"status":"IN_PROGRESS","statusDetails":{"a b":"x"}}`, `InvalidRequest`},
		{"T/jobs/j/update", `{"status":"IN_PROGRESS","statusDetails":{"a":1}}`, `InvalidRequest`},
		{"T/jobs/j/update", `{"status":"IN_PROGRESS","statusDetails":{"a":null}}`, `InvalidRequest`},
		{"T/jobs/j/update", `{"status":"IN_PROGRESS","statusDetails":{"a":"x\ny"}}`, `InvalidRequest`},
		{"T/jobs/j/update", `{"status":"IN_PROGRESS","stepTimeoutInMinutes":0}`, `InvalidRequest`},
		{"T/jobs/start-next", `{"stepTimeoutInMinutes":10081}`, `InvalidRequest`},
		{"T/jobs/j/update", `{"status":"IN_PROGRESS","expectedVersion":7,"clientToken":"v"}`, `VersionMismatch`},
		{"T/jobs/get/accepted", ``, "no: "},
		{"T/jobs/notify", ``, "no: "},
	} {
		got := r.ask(tt.topic, tt.payload)
		if want := `"code":"` + tt.want + `"`; !strings.Contains(got, want) && !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s %s: %s, want %s", tt.topic, tt.payload, got, tt.want)
		}
	}
	r.check("mismatch", r.ask("T/jobs/j/update", `{"status":"FAILED","expectedVersion":7,"clientToken":"v"}`),
		`rejected {"clientToken":"v","timestamp":1000,"code":"VersionMismatch","message":"The execution has version 1, not 7","executionState":{"status":"QUEUED","versionNumber":1}}`)
	r.check("update", r.ask("T/jobs/j/update", `{"status":"IN_PROGRESS","statusDetails":{"p":"50%"},"includeJobExecutionState":true,"includeJobDocument":true}`),
		`accepted {"executionState":{"status":"IN_PROGRESS","statusDetails":{"p":"50%"},"versionNumber":2},"jobDocument":{"a":1},"timestamp":1000}`)
	r.ask("T/jobs/j/update", `{"status":"FAILED"}`)
	r.check("after the end", r.ask("T/jobs/j/update", `{"status":"IN_PROGRESS"}`),
		`rejected {"timestamp":1000,"code":"InvalidStateTransition","message":"An execution that is FAILED cannot become IN_PROGRESS","executionState":{"status":"FAILED","statusDetails":{"p":"50%"},"versionNumber":3}}`)
	r.check("described after the end", r.ask("T/jobs/j/get", ``), `rejected {"timestamp":1000,"code":"TerminalStateReached","message":"The execution of job j is FAILED"}`)
	reply := make(chan string, 1)
	r.Overload(&broker.Request{Topic: "$aws/things/T/jobs/get", Payload: []byte(`{"clientToken":"t"}`), Reply: func(topic string, text []byte) { reply <- topic + string(text) }})
	r.check("overload", <-reply, `$aws/things/T/jobs/get/rejected{"clientToken":"t","timestamp":1000,"code":"RequestThrottled","message":"The request was throttled"}`)
}

func TestHTTPS(t *testing.T) {
	r := start(t, open(t, ""), "T")
	r.create(Config{ID: "j", Targets: []string{"T"}})
	for _, tt := range []struct {
		what string
		got  Answer
		want string
	}{
		{"get", r.Pending("T"), `200 {"inProgressJobs":[],"queuedJobs":[{"jobId":"j","queuedAt":1000,"lastUpdatedAt":1000,"executionNumber":1,"versionNumber":1}]}`},
		{"start", r.StartNext("T", nil), `200 {"execution":{"jobId":"j","thingName":"T","status":"IN_PROGRESS","queuedAt":1000,"startedAt":1000,"lastUpdatedAt":1000,"versionNumber":2,"executionNumber":1,"jobDocument":{"operation":"test"}}}`},
		{"describe", r.DescribeExecution("T", "j", url.Values{"includeJobDocument": {"false"}, "executionNumber": {"1"}}), `200 {"execution":{"jobId":"j","thingName":"T","status":"IN_PROGRESS","queuedAt":1000,"startedAt":1000,"lastUpdatedAt":1000,"versionNumber":2,"executionNumber":1}}`},
		{"describe badly", r.DescribeExecution("T", "j", url.Values{"executionNumber": {"x"}}), `400 InvalidRequestException`},
		{"describe no id", r.DescribeExecution("T", "a b", nil), `400 InvalidRequestException`},
		{"describe none", r.DescribeExecution("T", "k", nil), `404 ResourceNotFoundException`},
		{"update", r.UpdateExecution("T", "j", []byte(`{"status":"SUCCEEDED","includeJobExecutionState":true}`)), `200 {"executionState":{"status":"SUCCEEDED","versionNumber":3}}`},
		{"again", r.UpdateExecution("T", "j", []byte(`{"status":"SUCCEEDED"}`)), `409 InvalidStateTransitionException`},
		{"ended", r.DescribeExecution("T", "j", nil), `410 TerminalStateException`},
	} {
		if got := fmt.Sprintf("%d %s%s", tt.got.Status, tt.got.Exception, tt.got.Body); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.what, got, tt.want)
		}
	}
}

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

func FuzzRequest(f *testing.F) {
	f.Add("T/jobs/start-next", `{"statusDetails":{"a":"b"},"stepTimeoutInMinutes":5,"clientToken":"x"}`)
	f.Add("T/jobs/j/update", `{"status":"IN_PROGRESS","expectedVersion":"1","executionNumber":1,"includeJobExecutionState":true}`)
	f.Add("T/jobs/$next/get", `{"includeJobDocument":false}`)
	f.Fuzz(func(t *testing.T, topic, payload string) {
		name := "$aws/things/" + topic
		if !Owns(name) {
			return
		}
		r := start(t, open(t, ""), "T")
		r.create(Config{ID: "j", All: true})
		for range 2 {
			got := r.ask(topic, payload)
			if strings.HasPrefix(got, "no: ") {
				return
			}
			kind, text, _ := strings.Cut(got, " ")
			if kind != "accepted" && kind != "rejected" || !json.Valid([]byte(text)) {
				t.Fatal(got)
			}
		}
	})
}

// BenchmarkUpdate is an update of one execution in a fleet of 10000, with its answer.
func BenchmarkUpdate(b *testing.B) {
	st := open(b, "")
	var things []string
	for i := range 10000 {
		things = append(things, fmt.Sprintf("t%05d", i))
	}
	r := start(b, st, things...)
	r.create(Config{ID: "j", All: true})
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		done := make(chan struct{})
		r.Handle(&broker.Request{Topic: "$aws/things/" + things[i%len(things)] + "/jobs/j/update", Payload: []byte(`{"status":"IN_PROGRESS","statusDetails":{"p":"50"}}`),
			Reply: func(string, []byte) {}, Done: func() { close(done) }})
		<-done
		i++
	}
}
