package rules

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// rig is an engine whose publications come back to it, as the broker's do.
type rig struct {
	*Engine
	t     *testing.T
	state *store.Store
	clock *clock.Manual
	dir   string

	mu   sync.Mutex
	sent []string
	log  []string
}

// start makes an engine on a state; change may be nil.
func start(t *testing.T, state *store.Store, change func(*Config)) *rig {
	t.Helper()
	if state == nil {
		var err error
		if state, err = store.Open("", store.Options{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { state.Close() })
	}
	r := &rig{t: t, state: state, clock: clock.NewManual(time.Unix(1500000000, 0)), dir: t.TempDir()}
	cfg := Config{
		State: state, Clock: r.clock, Rand: rand.NewChaCha8([32]byte{}), Limits: DefaultLimits(), Files: r.dir,
		Log: func(e event.Event) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.log = append(r.log, e.String())
		},
		Publish: func(m broker.Message) error {
			if m.Topic == "fails" {
				return errors.New("the disk is full")
			}
			r.mu.Lock()
			r.sent = append(r.sent, fmt.Sprintf("%s %s %d", m.Topic, m.Payload, m.QoS))
			r.mu.Unlock()
			r.Message(&m)
			return nil
		},
		PublishRule: func(topic string, retain bool) string {
			if strings.ContainsAny(topic, "+#") || topic == "" || strings.HasPrefix(topic, "$SYS") {
				return fmt.Sprintf("topic %q is not to be published to", topic)
			}
			return ""
		},
		Shadow: func(thing, name string) ([]byte, error) { return []byte(`{"state":{"reported":{"on":true}}}`), nil },
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if r.Engine, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func (r *rig) put(name, text string) {
	r.t.Helper()
	if _, err := r.Put(name, []byte(text), true); err != nil {
		r.t.Fatal(err)
	}
}

// rulePayload is a rule with the SQL and the actions given.
func rulePayload(sql, actions string) string {
	text, _ := json.Marshal(sql)
	return `{"sql":` + string(text) + `,"awsIotSqlVersion":"2016-03-23","actions":[` + actions + `]}`
}

func (r *rig) publish(topic, payload string) {
	r.Message(&broker.Message{Topic: topic, Payload: []byte(payload), From: &broker.Sender{ClientID: "dev1", CertID: "abc", IP: netip.MustParseAddr("10.0.0.7")}})
}

// until waits for a condition, however slow the host.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for !holds() {
		if ctx.Err() != nil {
			t.Fatalf("waited for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// said waits for a line of the log with all of the parts.
func (r *rig) said(parts ...string) {
	r.t.Helper()
	until(r.t, strings.Join(parts, " ... "), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, line := range r.log {
			all := true
			for _, p := range parts {
				all = all && strings.Contains(line, p)
			}
			if all {
				return true
			}
		}
		return false
	})
}

func (r *rig) expect(want ...string) {
	r.t.Helper()
	until(r.t, strings.Join(want, "\n"), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return strings.Join(r.sent, "\n") == strings.Join(want, "\n")
	})
}

func TestRepublish(t *testing.T) {
	r := start(t, nil, nil)
	r.put("hot", rulePayload(`SELECT *, topic(2) AS thing, clientid() AS c, principal() AS p, sourceip() AS ip FROM 'dt/+/t' WHERE temp > 40`, `{"republish":{"topic":"alarm/${topic(2)}","qos":1,"roleArn":"x"}}`))
	r.publish("dt/a/t", `{"temp":39}`)
	r.publish("dt/a/b/t", `{"temp":99}`)
	r.publish("dt/a/t", `{"temp":41}`)
	r.publish("$aws/things/x/t", `{"temp":41}`)
	r.expect(`alarm/a {"temp":41,"thing":"a","c":"dev1","p":"abc","ip":"10.0.0.7"} 1`)
	if c := r.List()[0].Counters; c != (Counters{Matched: 2, Passed: 1, Actions: 1}) {
		t.Fatalf("%+v", c)
	}
	// To the shadow, and from a shadow.
	r.put("s", rulePayload(`SELECT get_thing_shadow('x','role').state AS state FROM 'to/shadow'`, `{"republish":{"topic":"$$aws/things/${clientid()}/shadow/update"}}`))
	r.publish("to/shadow", ``)
	r.expect(`alarm/a {"temp":41,"thing":"a","c":"dev1","p":"abc","ip":"10.0.0.7"} 1`, `$aws/things/dev1/shadow/update {"state":{"reported":{"on":true}}} 0`)
	// A topic that the payload spoils.
	r.put("bad", rulePayload(`SELECT * FROM 'bad'`, `{"republish":{"topic":"${t}"}}`))
	r.publish("bad", `{"t":"a/#"}`)
	r.said("rule bad on \"bad\": RepublishAction to \"a/#\"", "not to be published to")
	r.publish("bad", `{"t":"$aws/rules/x/y"}`)
	r.said("$aws/rules/x/y", "a reserved topic is written with $$")
	r.publish("bad", `{"t":"$$aws/things/x/jobs/get"}`)
	r.said("cannot publish to the topics of jobs")
	r.publish("bad", `{"t":"fails"}`)
	r.said("RepublishAction to \"fails\": the disk is full")
}

// TestLoop: rules that feed each other end after some turns, with a line.
func TestLoop(t *testing.T) {
	r := start(t, nil, nil)
	r.put("ping", rulePayload(`SELECT n + 1 AS n FROM 'ping'`, `{"republish":{"topic":"pong"}}`))
	r.put("pong", rulePayload(`SELECT n + 1 AS n FROM 'pong'`, `{"republish":{"topic":"ping"}}`))
	r.publish("ping", `{"n":0}`)
	r.said("the message has come through 8 rules: this looks like a loop")
	if n := len(r.sent); n != 8 {
		t.Fatalf("%d messages: %v", n, r.sent)
	}
}

func TestBasicIngest(t *testing.T) {
	r := start(t, nil, nil)
	r.put("in", rulePayload(`SELECT topic() AS t, topic(1) AS first`, `{"republish":{"topic":"out"}}`))
	m := &broker.Message{Topic: "$aws/rules/in/Buildings/5", Payload: nil}
	r.Ingest("in", "Buildings/5", m)
	r.expect(`out {"t":"Buildings/5","first":"Buildings"} 0`)
	r.Ingest("none", "x", m)
	r.said(`there is no rule "none"`)
	if err := r.Enable("in", false); err != nil {
		t.Fatal(err)
	}
	r.Ingest("in", "x", m)
	r.said("rule in is disabled")
}

func TestManage(t *testing.T) {
	dir := t.TempDir()
	state, err := store.Open(dir, store.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, state, nil)
	r.put("a", rulePayload(`SELECT 1 AS v FROM 't'`, `{"republish":{"topic":"out"}}`))
	r.put("b", `{"ruleName":"b","topicRulePayload":`+rulePayload(`SELECT 2 AS v FROM 't'`, `{"republish":{"topic":"out"}}`)+`}`)
	r.publish("t", "")
	r.expect(`out {"v":1} 0`, `out {"v":2} 0`)
	r.put("a", rulePayload(`SELECT 3 AS v FROM 't'`, `{"republish":{"topic":"out"}}`))
	if err := r.Enable("b", false); err != nil {
		t.Fatal(err)
	}
	r.publish("t", "")
	r.expect(`out {"v":1} 0`, `out {"v":2} 0`, `out {"v":3} 0`)
	r.Close()
	state.Close()

	state, err = store.Open(dir, store.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	r = start(t, state, nil)
	list := r.List()
	if len(list) != 2 || list[0].Disabled || !list[1].Disabled || list[0].Filter != "t" {
		t.Fatalf("%+v", list)
	}
	if err := r.Enable("b", true); err != nil {
		t.Fatal(err)
	}
	r.publish("t", "")
	r.expect(`out {"v":3} 0`, `out {"v":2} 0`)
	if err := errors.Join(r.Delete("a"), r.Delete("b")); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{r.Delete("a"), r.Enable("a", true), func() error { _, err := r.Get("a"); return err }()} {
		if !errors.Is(err, errNoRule) {
			t.Error(err)
		}
	}
	if len(r.List()) != 0 {
		t.Error(r.List())
	}
}

func TestRefused(t *testing.T) {
	r := start(t, nil, func(c *Config) { c.Files = "" })
	ok := `{"republish":{"topic":"out"}}`
	for _, tt := range []struct{ name, text, want string }{
		{"a-b", rulePayload("SELECT * FROM 't'", ok), "use 1 to 128 characters"},
		{"r", ``, "there is no JSON"},
		{"r", `{`, "unexpected EOF"},
		{"r", `{"sql":"SELECT * FROM 't'","actions":[]}`, "AWS then takes 2015-10-08"},
		{"r", `{"sql":"SELECT * FROM 't'","actions":[],"awsIotSqlVersion":"2015-10-08"}`, "not available locally"},
		{"r", `{"sql":"SELECT * FROM 't'","awsIotSqlVersion":"2016-03-23"}`, `"actions" is missing`},
		{"r", `{"sql":"SELECT * FROM 't'","awsIotSqlVersion":"2016-03-23","action":[]}`, `unknown field "action"`},
		{"r", `{"ruleName":"q","topicRulePayload":{}}`, `the file is of rule "q"`},
		{"r", rulePayload("SELECT FROM 't'", ok), "SQL, character 8"},
		{"r", rulePayload("SELECT aws_lambda('x',*) FROM 't'", ok), "not available locally"},
		{"r", rulePayload("SELECT * FROM 'a#'", ok), "# for all at the end"},
		{"r", rulePayload("SELECT * FROM '$aws/rules/r/x'", ok), "Basic Ingest"},
		{"r", rulePayload("SELECT * FROM 't'", `{"lambda":{"functionArn":"x"}}`), `"lambda" is not available locally`},
		{"r", rulePayload("SELECT * FROM 't'", `{"s3":{}}`), `"s3" is not available locally`},
		{"r", rulePayload("SELECT * FROM 't'", `{"mail":{}}`), `"mail" is no action`},
		{"r", rulePayload("SELECT * FROM 't'", `{}`), "one member"},
		{"r", rulePayload("SELECT * FROM 't'", strings.TrimSuffix(strings.Repeat(ok+",", 11), ",")), "there are 11 actions"},
		{"r", rulePayload("SELECT * FROM 't'", `{"republish":{"topic":"$aws/things/x/shadow/update"}}`), "written with $$"},
		{"r", rulePayload("SELECT * FROM 't'", `{"republish":{"topic":"a/+"}}`), "not to be published to"},
		{"r", rulePayload("SELECT * FROM 't'", `{"republish":{"topic":"a","qos":2}}`), `"qos" 0 or 1`},
		{"r", rulePayload("SELECT * FROM 't'", `{"republish":{"topic":"${nosuch()}"}}`), "there is no function"},
		{"r", rulePayload("SELECT * FROM 't'", `{"republish":{"topic":"$$aws/things/x/jobs/start-next"}}`), "topics of jobs"},
		{"r", rulePayload("SELECT * FROM 't'", `{"file":{"path":"x"}}`), "the state is in memory"},
		{"r", rulePayload("SELECT * FROM 't'", `{"file":{"path":"/tmp/${topic()}"}}`), "must not choose where"},
		{"r", rulePayload("SELECT * FROM 't'", `{"http":{"url":"ftp://x"}}`), "https:// or http://"},
		{"r", rulePayload("SELECT * FROM 't'", `{"http":{"url":"https://x/${a}"}}`), "needs a confirmationUrl"},
		{"r", rulePayload("SELECT * FROM 't'", `{"http":{"url":"https://x/a","confirmationUrl":"https://y"}}`), "does not begin with"},
		{"r", rulePayload("SELECT * FROM 't'", `{"http":{"url":"https://x","auth":{"sigv4":{}}}}`), "auth"},
		{"r", rulePayload("SELECT * FROM 't'", `{"http":{"url":"https://x","headers":[{"key":"Host","value":"y"}]}}`), "not a header"},
		{"r", `{"sql":"SELECT * FROM 't'","awsIotSqlVersion":"2016-03-23","actions":[],"errorAction":{"sqs":{}}}`, "errorAction"},
	} {
		if _, err := r.Put(tt.name, []byte(tt.text), false); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.text, err, tt.want)
		}
	}
	if len(r.List()) != 0 {
		t.Error("a refused rule was kept")
	}
}

func TestFile(t *testing.T) {
	r := start(t, nil, nil)
	r.put("f", rulePayload(`SELECT * FROM 'f/+'`, `{"file":{"path":"${topic(2)}/${name}.jsonl"}}`))
	r.publish("f/a", "{\n \"name\": \"x\"}")
	r.publish("f/b", `{"name":"y"}`)
	r.publish("f/a", "\xff\x00")
	r.publish("f/a", `{"name":"x","n":2}`)
	r.publish("f/a", `{"name":"../../x"}`)
	r.said("FileAction to \"a/../../x.jsonl\"")
	for name, want := range map[string]string{"a/x.jsonl": "{\"name\":\"x\"}\n{\"name\":\"x\",\"n\":2}\n", "b/y.jsonl": "{\"name\":\"y\"}\n", "a/.jsonl": "{\"base64\":\"/wA=\"}\n"} {
		if got, err := os.ReadFile(filepath.Join(r.dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	// A file that was taken away is made anew.
	must(t, os.Remove(filepath.Join(r.dir, "a/x.jsonl")))
	r.publish("f/a", `{"name":"x","n":3}`)
	until(t, "the file", func() bool {
		got, _ := os.ReadFile(filepath.Join(r.dir, "a/x.jsonl"))
		return string(got) == "{\"name\":\"x\",\"n\":3}\n"
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestErrorAction: one message for all failures, in AWS's form.
func TestErrorAction(t *testing.T) {
	r := start(t, nil, nil)
	text := rulePayload(`SELECT * FROM 'e'`, `{"republish":{"topic":"fails"}},{"republish":{"topic":"works"}},{"republish":{"topic":"${x}"}}`)
	r.put("e", strings.TrimSuffix(text, "}")+`,"errorAction":{"republish":{"topic":"errors/${topic()}"}}}`)
	r.publish("e", `hi`)
	until(t, "the error action", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.sent) == 2
	})
	var got struct {
		RuleName, Topic, CloudwatchTraceID, ClientID, Base64OriginalPayload string
		Failures                                                            []failure
	}
	must(t, json.Unmarshal([]byte(strings.TrimSuffix(strings.TrimPrefix(r.sent[1], "errors/e "), " 0")), &got))
	if got.RuleName != "e" || got.Topic != "e" || got.ClientID != "dev1" || got.Base64OriginalPayload != "aGk=" || len(got.Failures) != 2 || len(got.CloudwatchTraceID) != 36 ||
		got.Failures[0] != (failure{"RepublishAction", "fails", "the disk is full"}) {
		t.Fatalf("%+v", got)
	}
}

// server counts requests and answers as it is told.
type server struct {
	*httptest.Server
	mu   sync.Mutex
	got  []string
	code []int
}

func newServer(t *testing.T) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got = append(s.got, fmt.Sprintf("%s %s %s %s %s", req.Method, req.URL.Path, req.Header.Get("content-type"), req.Header.Get("x-key"), body))
		code := 200
		if len(s.code) > 0 {
			code, s.code = s.code[0], s.code[1:]
		}
		w.WriteHeader(code)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) answers(codes ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got, s.code = nil, codes
}

func (s *server) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.got...)
}

func TestHTTP(t *testing.T) {
	s := newServer(t)
	r := start(t, nil, nil)
	text := rulePayload(`SELECT * FROM 'h/+'`, `{"http":{"url":"`+s.URL+`/in/${topic(2)}","confirmationUrl":"`+s.URL+`/","headers":[{"key":"X-Key","value":"k-${n}"}]}}`)
	if _, err := r.Put("h", []byte(text), false); err != nil {
		t.Fatal(err)
	}
	// The destination is asked, and gets nothing else before it has confirmed.
	until(t, "the confirmation message", func() bool { return len(s.requests()) == 1 })
	r.publish("h/a", `{"n":1}`)
	r.said("the destination", "is not confirmed")
	var ask struct{ ConfirmationToken, MessageType string }
	body := s.requests()[0]
	must(t, json.Unmarshal([]byte(body[strings.Index(body, "{"):]), &ask))
	if !strings.HasPrefix(body, "POST / application/json") || ask.MessageType != "DestinationConfirmation" {
		t.Fatal(body)
	}
	if _, err := r.ConfirmDestination("wrong"); err == nil {
		t.Fatal("confirmed by a wrong token")
	}
	if url, err := r.ConfirmDestination(ask.ConfirmationToken); err != nil || url != s.URL+"/" {
		t.Fatal(url, err)
	}
	if d := r.Destinations(); len(d) != 1 || d[0].Status != "ENABLED" {
		t.Fatal(d)
	}
	for _, tt := range []struct {
		codes []int
		tries int
		says  string
	}{
		{nil, 1, ""}, {[]int{500, 429, 200}, 3, ""}, {[]int{503, 503, 503, 200}, 3, "503 Service Unavailable, on try 3"}, {[]int{404, 200}, 1, "404 Not Found, on try 1"}, {[]int{302}, 1, "302 Found"},
	} {
		s.answers(tt.codes...)
		before, err := r.Get("h")
		must(t, err)
		r.publish("h/b", `{"n":2}`)
		until(t, "the action", func() bool {
			now, err := r.Get("h")
			return err == nil && now.Counters.Actions+now.Counters.ActionFailures == before.Counters.Actions+before.Counters.ActionFailures+1
		})
		got := s.requests()
		if len(got) != tt.tries || got[0] != `POST /in/b application/json k-2 {"n":2}` {
			t.Errorf("%v: %q", tt.codes, got)
		}
		if tt.says != "" {
			r.said("rule h", "HttpAction", tt.says)
		}
	}
	s.answers()
	r.publish("h/raw", "\xff")
	until(t, "raw bytes", func() bool {
		got := s.requests()
		return len(got) == 1 && got[0] == "POST /in/raw application/octet-stream k- \xff"
	})
}

// hanging is a network whose servers never answer.
type hanging struct{ asked chan struct{} }

func (h hanging) RoundTrip(req *http.Request) (*http.Response, error) {
	h.asked <- struct{}{}
	<-req.Context().Done()
	return nil, req.Context().Err()
}

// TestSlowServer: servers that do not answer hold up nothing but themselves.
func TestSlowServer(t *testing.T) {
	net := hanging{make(chan struct{}, 100)}
	r := start(t, nil, func(c *Config) {
		c.HTTP = net
		c.Limits.HTTPWorkers, c.Limits.HTTPQueue = 2, 3
	})
	r.put("slow", rulePayload(`SELECT * FROM 'x'`, `{"http":{"url":"http://slow.example/"}}`))
	r.put("quick", rulePayload(`SELECT * FROM 'x'`, `{"republish":{"topic":"y"}}`))
	for range 2 {
		r.publish("x", "1")
		<-net.asked
	}
	for range 4 {
		r.publish("x", "1")
	}
	r.expect("y 1 0", "y 1 0", "y 1 0", "y 1 0", "y 1 0", "y 1 0")
	r.said("HttpAction", "3 messages wait for web servers already")
	// Their time passes: the clock moves until all five have failed.
	until(t, "all to time out", func() bool {
		r.clock.Advance(DefaultLimits().HTTPTime)
		got, err := r.Get("slow")
		return err == nil && got.Counters.ActionFailures == 6
	})
	r.said("no answer within 3s, on try 1")
}

// TestFlood: more than fits is dropped and counted, and the caller never waits.
func TestFlood(t *testing.T) {
	gate := make(chan struct{})
	r := start(t, nil, func(c *Config) {
		c.Limits.Queue, c.Limits.QueueBytes, c.Limits.Evaluations = 10, 100, 5
		publish := c.Publish
		c.Publish = func(m broker.Message) error { <-gate; return publish(m) }
	})
	r.put("r", rulePayload(`SELECT * FROM 'x'`, `{"republish":{"topic":"y"}}`))
	for range 50 {
		r.publish("x", "1")
	}
	r.publish("x", strings.Repeat("x", 200)) // more than all the room there is
	r.said("is lost to its rules")
	close(gate)
	until(t, "what was taken", func() bool {
		c := r.List()[0].Counters
		return c.Matched+40 >= 50 && c.Passed+c.Dropped == 51
	})
	r.said("more than 5 evaluations in a second")
	if c := r.List()[0].Counters; c.Passed != 5 {
		t.Fatalf("%+v", c)
	}
	r.clock.Advance(time.Second)
	r.publish("x", "2")
	r.expect("y 1 0", "y 1 0", "y 1 0", "y 1 0", "y 1 0", "y 2 0")
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		filter, topic string
		want          bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"a", "a/b", false}, {"a/b", "a", false}, {"a/+", "a/b", true}, {"a/+", "a", false}, {"a/+", "a/", true}, {"+", "a", true}, {"+/b", "a/b", true},
		{"a/#", "a/b", true}, {"a/#", "a/b/c", true}, {"a/#", "a", false}, {"#", "a/b", true}, {"#", "$aws/x", false}, {"+/x", "$aws/x", false}, {"$aws/#", "$aws/x", true}, {"a/+/c", "a/b/c", true}, {"a/+/c", "a/b/d", false}, {"a//c", "a//c", true},
	} {
		if got := matches(strings.Split(tt.filter, "/"), tt.topic); got != tt.want {
			t.Errorf("%s on %s: %v", tt.filter, tt.topic, got)
		}
	}
}

func FuzzRule(f *testing.F) {
	f.Add(rulePayload(`SELECT * FROM 't/#' WHERE a > 1`, `{"republish":{"topic":"a/${topic(1)}","headers":{"contentType":"x","userProperties":[{"key":"k","value":"v"}]}}},{"file":{"path":"x"}}`), `{"a":2}`)
	f.Add(rulePayload(`SELECT VALUE a FROM 't/#'`, `{"file":{"path":"${a}"}}`), `{"a":"../x"}`)
	state, err := store.Open("", store.Options{})
	must2(f, err)
	e, err := New(Config{
		State: state, Clock: clock.NewManual(time.Unix(1, 0)), Rand: rand.NewChaCha8([32]byte{}), Limits: DefaultLimits(), Files: f.TempDir(),
		Publish: func(broker.Message) error { return nil }, PublishRule: func(string, bool) string { return "" }, HTTP: hanging{},
	})
	must2(f, err)
	defer e.Close()
	f.Fuzz(func(t *testing.T, text, payload string) {
		r, err := e.parse("fuzz", []byte(text))
		if err != nil {
			return
		}
		for _, a := range r.actions {
			if f, ok := a.(*fileAction); a.slow() || ok && filepath.IsAbs(f.path.String()) {
				return // this would leave the test
			}
		}
		e.evaluate(task{[]*rule{r}, &broker.Message{Topic: "t/x", Payload: []byte(payload)}, "t/x", 0})
	})
}

func must2(f *testing.F, err error) {
	if err != nil {
		f.Fatal(err)
	}
}

// BenchmarkMessage is a message for one rule of a hundred, from the broker to its republication.
func BenchmarkMessage(b *testing.B) {
	state, err := store.Open("", store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	limits := DefaultLimits()
	limits.Evaluations = 0
	e, err := New(Config{
		State: state, Clock: clock.NewManual(time.Unix(1, 0)), Rand: rand.NewChaCha8([32]byte{}), Limits: limits,
		Publish: func(broker.Message) error { return nil }, PublishRule: func(string, bool) string { return "" },
	})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	for i := range 100 {
		if _, err := e.Put(fmt.Sprintf("r%d", i), []byte(rulePayload(fmt.Sprintf(`SELECT temp, topic(2) AS t FROM 'dt/%d/+' WHERE temp > 40`, i), `{"republish":{"topic":"out/${topic(3)}"}}`)), false); err != nil {
			b.Fatal(err)
		}
	}
	m := &broker.Message{Topic: "dt/50/x", Payload: []byte(`{"temp":41.5,"humidity":32.43,"name":"tracker"}`), From: &broker.Sender{ClientID: "c", CertID: "x"}}
	miss := &broker.Message{Topic: "other/50/x", Payload: m.Payload}
	b.Run("hit", func(b *testing.B) {
		b.ReportAllocs()
		r := e.index.Load().byName["r50"]
		for b.Loop() {
			e.evaluate(task{[]*rule{r}, m, m.Topic, 0})
		}
	})
	b.Run("miss", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			e.Message(miss)
		}
	})
}
