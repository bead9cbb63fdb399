package jobs

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/shadow"
)

// topic is a topic of jobs, taken apart.
type topic struct {
	thing, job string
	op         operation
	what       string // the operation's name in a log
}

// parseTopic reads $aws/things/THING/jobs/...; ok is false for other topics. op is nil when the
// topic is of jobs but no operation.
func parseTopic(s string) (t topic, ok bool) {
	rest, ok := strings.CutPrefix(s, "$aws/things/")
	if !ok {
		return t, false
	}
	thing, rest, ok := strings.Cut(rest, "/jobs/")
	if !ok || !shadow.ValidThing(thing) {
		return t, false
	}
	t.thing = thing
	switch rest {
	case "get":
		t.op, t.what = getPending, "get"
		return t, true
	case "start-next":
		t.op, t.what = startNext, "start-next"
		return t, true
	}
	id, what, ok := strings.Cut(rest, "/")
	if ok && (jobID.MatchString(id) || id == "$next") {
		switch what {
		case "get":
			t.job, t.op, t.what = id, describe, "describe"
		case "update":
			t.job, t.op, t.what = id, update, "update"
		}
	}
	return t, true
}

// Owns says whether a topic is one of jobs.
func Owns(name string) bool {
	_, ok := parseTopic(name)
	return ok
}

// Accepts says which rule forbids clients to publish to a topic of jobs, "" for none. A topic
// that is no operation is answered InvalidTopic; AWS IoT's own are for nobody else.
func (s *Service) Accepts(name string) string {
	last := name[strings.LastIndexByte(name, '/')+1:]
	if t, ok := parseTopic(name); ok && t.op == nil {
		switch last {
		case "accepted", "rejected", "notify", "notify-next":
			return fmt.Sprintf("topic %q: only AWS IoT itself publishes it; clients publish to .../jobs/get, start-next, JOB/get and JOB/update", name)
		}
	}
	return ""
}

// Handle answers a request. The answer goes to the requester alone, whether it has subscribed or
// not (AWS: "Jobs device MQTT API").
func (s *Service) Handle(r *broker.Request) {
	t, ok := parseTopic(r.Topic)
	if !ok {
		r.Done()
		return
	}
	if t.op == nil {
		t.what = "request"
		t.op = func(*Service, string, string, *request) (*answer, *Error) {
			return nil, refuse(codeTopic, "The topic does not map to any operation of jobs")
		}
	}
	s.do(t.op, t.what, t.thing, t.job, r.Payload, func(q *request, a *answer, e *Error) {
		defer r.Done()
		if e != nil {
			r.Reply(r.Topic+"/rejected", s.rejected(q.Token, e))
			return
		}
		a.Timestamp, a.Token = s.now(), q.Token
		if text, err := json.Marshal(a); err == nil {
			r.Reply(r.Topic+"/accepted", text)
		}
	})
}

// Overload refuses a request of a client that has too many under way.
func (s *Service) Overload(r *broker.Request) {
	q, _ := parse(r.Payload)
	r.Reply(r.Topic+"/rejected", s.rejected(q.Token, refuse(codeThrottled, "The request was throttled")))
}

func (s *Service) rejected(token string, e *Error) []byte {
	text, err := json.Marshal(struct {
		Token     string `json:"clientToken,omitempty"`
		Timestamp int64  `json:"timestamp"`
		Code      string `json:"code"`
		Message   string `json:"message"`
		State     *state `json:"executionState,omitempty"`
	}{token, s.now(), e.Code, e.Message, e.State})
	if err != nil {
		return nil // strings and numbers
	}
	return text
}
