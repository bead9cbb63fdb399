package awsiot

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/awsiot/broker"
)

// boundaryRule is a statement as this file's own evaluator has it: nothing of package policy is used to
// decide what ought to happen.
type boundaryRule struct {
	deny, notAction, notResource bool
	actions, resources           []string
	attachedOnly                 bool // Condition: Bool iot:Connection.Thing.IsAttached
}

const boundaryARN = "arn:aws:iot:us-east-1:123456789012:"

func (r boundaryRule) json() string {
	effect, action, resource, condition := "Allow", "Action", "Resource", ""
	if r.deny {
		effect = "Deny"
	}
	if r.notAction {
		action = "NotAction"
	}
	if r.notResource {
		resource = "NotResource"
	}
	if r.attachedOnly {
		condition = `,"Condition":{"Bool":{"iot:Connection.Thing.IsAttached":true}}`
	}
	list := func(s []string, before string) string {
		out := make([]string, len(s))
		for i := range s {
			out[i] = `"` + before + s[i] + `"`
		}
		return "[" + strings.Join(out, ",") + "]"
	}
	return fmt.Sprintf(`{"Effect":%q,%q:%s,%q:%s%s}`, effect, action, list(r.actions, "iot:"), resource, list(r.resources, boundaryARN), condition)
}

// globs is `*` and `?` over the whole of s, by trying.
func globs(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case pattern[0] == '*':
		return globs(pattern[1:], s) || s != "" && globs(pattern, s[1:])
	case s == "":
		return false
	default:
		return (pattern[0] == '?' || pattern[0] == s[0]) && globs(pattern[1:], s[1:])
	}
}

// boundaryAllows decides; clientID "" is HTTPS.
func boundaryAllows(rules []boundaryRule, clientID, action, resource string) bool {
	allowed := false
	for _, r := range rules {
		if r.attachedOnly && clientID == "" {
			continue
		}
		acts := false
		for _, a := range r.actions {
			acts = acts || globs(a, action)
		}
		hits, unknown := false, false
		for _, p := range r.resources {
			if strings.Contains(p, "${") && clientID == "" {
				unknown = true
				continue
			}
			hits = hits || globs(strings.ReplaceAll(p, "${iot:ClientId}", clientID), resource)
		}
		if acts == r.notAction || hits == r.notResource || r.notResource && unknown && !r.deny {
			continue
		}
		if r.deny {
			return false
		}
		allowed = true
	}
	return allowed
}

// boundary draws policies.
type boundary struct{ *rand.Rand }

func (b boundary) pick(s ...string) string { return s[b.IntN(len(s))] }

func (b boundary) rule() boundaryRule {
	r := boundaryRule{deny: b.IntN(4) == 0, notAction: b.IntN(10) == 0, notResource: b.IntN(8) == 0, attachedOnly: b.IntN(6) == 0}
	for range 1 + b.IntN(3) {
		r.actions = append(r.actions, b.pick("Publish", "Receive", "Subscribe", "RetainPublish", "*Publish", "*", "GetThingShadow", "*ThingShadow", "Connect"))
	}
	for range 1 + b.IntN(3) {
		r.resources = append(r.resources, b.pick("topic/", "topic/", "topicfilter/", "topic*/", "thing/", "*/")+b.pick("a", "b", "*", "a/*", "${iot:ClientId}/*", "?", "a/?", "*b", "+/b", "#"))
	}
	return r
}

func (b boundary) topic() string {
	return b.pick("a", "b", "a/a", "a/b", "b/b", "thing1/a", "thing1/b/b")
}

// boundaryRun is one client under one policy.
type boundaryRun struct {
	boundary
	t      *testing.T
	c      *cloud
	rules  []boundaryRule
	client *client
	seen   *Watcher
	asked  map[bool]int
}

const boundaryClient = "thing1"

func (r *boundaryRun) allows(action, resource string) bool {
	ok := boundaryAllows(r.rules, boundaryClient, action, resource)
	r.asked[ok]++
	return ok
}

// in makes sure that there is a connection; false says that the policy forbids it.
func (r *boundaryRun) in() bool {
	if r.client != nil {
		return true
	}
	if !r.allows("Connect", "client/"+boundaryClient) {
		x := r.c.dial(1)
		x.write(encode(connectPacket(boundaryClient, options{})))
		x.closed()
		return false
	}
	r.client, _ = r.c.connect(1, boundaryClient, options{})
	return true
}

// out notes that the server has to close the connection.
func (r *boundaryRun) out() {
	r.t.Helper()
	r.client.closed()
	r.client = nil
}

// passed says whether a message got through to the watcher before a sentinel that follows it.
func (r *boundaryRun) passed(topic string) bool {
	must(r.t, r.c.Publish(Message{Topic: "sentinel"}))
	found := false
	for m := range r.seen.C() {
		if m.Topic == "sentinel" {
			break
		}
		found = found || m.Topic == topic && m.From != nil
	}
	return found
}

func (r *boundaryRun) publish() {
	topic, retain := r.topic(), r.IntN(4) == 0
	want := r.allows("Publish", "topic/"+topic) && (!retain || r.allows("RetainPublish", "topic/"+topic))
	if want {
		r.client.publish(topic, "", 1, retain)
	} else {
		r.client.write(publishBytes(topic, "", 1, retain))
		r.out()
	}
	if got := r.passed(topic); got != want {
		r.t.Errorf("publish to %s, retain %v: passed %v, want %v", topic, retain, got, want)
	}
}

func (r *boundaryRun) subscribe() {
	filter := r.pick("a", "b", "#", "a/#", "+/b", "a/+", "thing1/#")
	if r.allows("Subscribe", "topicfilter/"+filter) {
		if code := r.client.subscribe(1, filter); code[0] != 1 {
			r.t.Errorf("SUBACK %x for %s", code, filter)
		}
		r.receive(filter)
		return
	}
	r.client.write(subscribeBytes(1, filter))
	r.out()
}

// receive sends a message that fits the filter, and looks whether it comes before one that may.
func (r *boundaryRun) receive(filter string) {
	topic := strings.NewReplacer("#", r.pick("a", "b"), "+", r.pick("a", "b")).Replace(filter)
	if !r.allows("Subscribe", "topicfilter/marker") || !r.allows("Receive", "topic/marker") {
		r.client.disconnect()
		r.client = nil
		return
	}
	r.client.subscribe(1, "marker")
	for _, topic := range []string{topic, "marker"} {
		must(r.t, r.c.Publish(Message{Topic: topic, Payload: []byte("x"), QoS: 1}))
	}
	var got bool
	for m := (broker.Message{}); m.Topic != "marker"; {
		m = r.client.message()
		got = got || m.Topic == topic
	}
	if want := r.allows("Receive", "topic/"+topic); got != want {
		r.t.Errorf("%s reached the client: %v, want %v", topic, got, want)
	}
	r.client.disconnect()
	r.client = nil
}

// https asks over HTTPS, which has no client id.
func (r *boundaryRun) https() {
	topic := r.topic()
	for _, q := range []struct{ line, action, resource, ok string }{
		{"POST /topics/" + strings.ReplaceAll(topic, "/", "%2F") + "?qos=1", "Publish", "topic/" + topic, "200"},
		{"GET /things/a/shadow", "GetThingShadow", "thing/a", "404"},
		{"DELETE /things/b/shadow", "DeleteThingShadow", "thing/b", "404"},
	} {
		want := "403"
		if boundaryAllows(r.rules, "", q.action, q.resource) {
			want = q.ok
		}
		r.asked[want != "403"]++
		answer := r.c.request(1, q.line+" HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
		if !strings.HasPrefix(answer, "HTTP/1.1 "+want) {
			r.t.Errorf("%s: %.60q, want %s", q.line, answer, want)
		}
	}
	if got, want := r.passed(topic), boundaryAllows(r.rules, "", "Publish", "topic/"+topic); got != want {
		r.t.Errorf("HTTPS publish to %s: passed %v, want %v", topic, got, want)
	}
}

// TestBoundary: under random policies a client can do over MQTT and HTTPS what an evaluator of
// this file allows, and nothing else.
func TestBoundary(t *testing.T) {
	const policies = 16 // 400 were run once
	c := newCloud(t, func(cfg *Config) { cfg.Limits.ConnectRate = 0 })
	must(t, c.store.PutPolicy("drawn", []byte(openPolicy)))
	c.addDevice(1, boundaryClient, "drawn")
	seen, err := c.Watch("#")
	must(t, err)
	defer seen.Close()
	draw := boundary{rand.New(rand.NewPCG(5, 6))}
	asked := map[bool]int{}
	var text string
	defer func() {
		if t.Failed() {
			t.Logf("under %s", text)
			c.mu.Lock()
			defer c.mu.Unlock()
			for _, e := range c.events[max(0, len(c.events)-8):] {
				t.Log(e)
			}
		}
	}()
	for range policies {
		rules := []boundaryRule{{actions: []string{"Subscribe", "Receive"}, resources: []string{"topic*/marker"}}}
		if draw.IntN(6) > 0 {
			rules = append(rules, boundaryRule{actions: []string{"Connect"}, resources: []string{"client/${iot:ClientId}"}})
		}
		for range 1 + draw.IntN(4) {
			rules = append(rules, draw.rule())
		}
		var texts []string
		for _, r := range rules {
			texts = append(texts, r.json())
		}
		text = `{"Version":"2012-10-17","Statement":[` + strings.Join(texts, ",") + `]}`
		must(t, c.store.PutPolicy("drawn", []byte(text)))
		run := &boundaryRun{boundary: draw, t: t, c: c, rules: rules, seen: seen, asked: asked}
		for range 4 {
			if !run.in() {
				break
			}
			if draw.IntN(2) == 0 {
				run.publish()
			} else {
				run.subscribe()
			}
		}
		run.https()
		if run.client != nil {
			run.client.disconnect()
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d policies; %d questions to allow, %d to deny", policies, asked[true], asked[false])
	if asked[true] < policies || asked[false] < policies {
		t.Error("the policies drawn decide nothing")
	}
}
