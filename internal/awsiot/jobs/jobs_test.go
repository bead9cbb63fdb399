package jobs

import (
	"encoding/json"
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
		{"start", r.StartNext("T", nil), `200 {"execution":{"jobId":"j","thingName":"T","status":"IN_PROGRESS","queuedAt":1000,"startedAt":1000,"lastUpdatedAt":1000,"versionNumber":2,"executionNumber":1,"jobDocument":"{\"operation\":\"test\"}"}}`},
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
