package rules

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/sql"
)

// execution is one rule's work on one message.
type execution struct {
	rule     *rule
	task     task
	m        *sql.Message
	in       *sql.Input
	out      sql.Output
	failures []failure
}

// action is what a rule does with a result.
type action interface {
	// name is what error messages call it.
	name() string
	// slow says that it waits for others, and is done on another goroutine.
	slow() bool
	// do acts, and says on what.
	do(e *Engine, x *execution) (resource string, err error)
}

// failure is an action that failed, as AWS's error actions get it.
type failure struct {
	Action   string `json:"failedAction"`
	Resource string `json:"failedResource"`
	Message  string `json:"errorMessage"`
}

// act does what can be done at once, and leaves the rest to others.
func (e *Engine) act(x *execution) {
	var slow []action
	for _, a := range x.rule.actions {
		if a.slow() {
			slow = append(slow, a)
		} else {
			e.try(a, x)
		}
	}
	if slow == nil {
		e.finish(x)
		return
	}
	// The message's templates are expanded on another goroutine then.
	x.in = sql.NewInput(&e.env, x.m)
	if e.web.add(func() {
		for _, a := range slow {
			e.try(a, x)
		}
		e.finish(x)
	}) {
		return
	}
	for _, a := range slow {
		e.fail(a, x, "", fmt.Errorf("%d messages wait for web servers already: this one is dropped", e.cfg.Limits.HTTPQueue))
	}
	e.finish(x)
}

func (e *Engine) try(a action, x *execution) {
	resource, err := a.do(e, x)
	if err != nil {
		e.fail(a, x, resource, err)
		return
	}
	x.rule.counters.actions.Add(1)
}

func (e *Engine) fail(a action, x *execution, resource string, err error) {
	x.rule.counters.actionFailures.Add(1)
	x.failures = append(x.failures, failure{a.name(), resource, err.Error()})
	on := ""
	if resource != "" {
		on = " to " + strconv.Quote(resource)
	}
	e.log(event.Trouble, x.task.m, fmt.Sprintf("rule %s on %q: %s%s: %v", x.rule.name, x.task.m.Topic, a.name(), on, err))
}

// finish hands the failures, if there are any, to the rule's error action: one message for
// all (AWS: "Error handling").
func (e *Engine) finish(x *execution) {
	if len(x.failures) == 0 || x.rule.errorAction == nil {
		return
	}
	client := x.m.ClientID
	if client == "" {
		client = "n/a"
	}
	trace := x.m.TraceID
	if trace == "" {
		trace = e.uuid()
	}
	text, err := json.Marshal(struct {
		Rule     string    `json:"ruleName"`
		Topic    string    `json:"topic"`
		Trace    string    `json:"cloudwatchTraceId"`
		Client   string    `json:"clientId"`
		Payload  string    `json:"base64OriginalPayload"`
		Failures []failure `json:"failures"`
	}{x.rule.name, x.m.Topic, trace, client, base64.StdEncoding.EncodeToString(x.m.Payload), x.failures})
	if err != nil {
		return // strings alone
	}
	report := &execution{rule: x.rule, task: x.task, m: x.m, in: sql.NewInput(&e.errorEnv, x.m), out: sql.Output{Payload: text, JSON: true}}
	if a := x.rule.errorAction; !a.slow() {
		e.try(a, report)
	} else if !e.web.add(func() { e.try(a, report) }) {
		e.fail(a, report, "", errors.New("too many messages wait for web servers: the error action is dropped"))
	}
}

// republish publishes the result on another topic.
type republish struct {
	topic   *sql.Template
	qos     byte
	headers *headers
}

// headers are the MQTT 5 properties of a republished message.
type headers struct {
	format                                          *bool
	contentType, responseTopic, correlation, expiry *sql.Template
	user                                            [][2]*sql.Template
}

func (e *Engine) newRepublish(raw json.RawMessage) (action, error) {
	var spec struct {
		Role    string `json:"roleArn"` // needed at AWS; here a rule is AWS IoT itself
		Topic   string `json:"topic"`
		QoS     int    `json:"qos"`
		Headers *struct {
			Format        string `json:"payloadFormatIndicator"`
			ContentType   string `json:"contentType"`
			ResponseTopic string `json:"responseTopic"`
			Correlation   string `json:"correlationData"`
			Expiry        string `json:"messageExpiry"`
			User          []struct {
				Key   string `json:"key"`
				Value string `json:"value"`
			} `json:"userProperties"`
		} `json:"headers"`
	}
	if err := strict(raw, &spec); err != nil {
		return nil, fmt.Errorf("republish: %w", err)
	}
	if spec.Topic == "" || spec.QoS < 0 || spec.QoS > 1 {
		return nil, errors.New(`republish: "topic" must be there, and "qos" 0 or 1`)
	}
	r := &republish{qos: byte(spec.QoS)}
	var err error
	if r.topic, err = sql.ParseTemplate(spec.Topic); err != nil {
		return nil, fmt.Errorf("republish: topic: %w", err)
	}
	if p := r.topic.Prefix(); strings.HasPrefix(p, "$") && !strings.HasPrefix(p, "$$") {
		return nil, fmt.Errorf("republish: topic %q: a reserved topic is written with $$ in front: $%s", spec.Topic, spec.Topic)
	}
	if r.topic.Fixed() {
		if err := e.checkTopic(spec.Topic); err != nil {
			return nil, fmt.Errorf("republish: %w", err)
		}
	}
	h := spec.Headers
	if h == nil {
		return r, nil
	}
	r.headers = &headers{}
	switch h.Format {
	case "":
	case "UTF8_DATA", "UNSPECIFIED_BYTES":
		text := h.Format == "UTF8_DATA"
		r.headers.format = &text
	default:
		return nil, fmt.Errorf("republish: payloadFormatIndicator %q is UTF8_DATA or UNSPECIFIED_BYTES", h.Format)
	}
	for _, t := range []struct {
		name, text string
		into       **sql.Template
	}{
		{"contentType", h.ContentType, &r.headers.contentType}, {"responseTopic", h.ResponseTopic, &r.headers.responseTopic},
		{"correlationData", h.Correlation, &r.headers.correlation}, {"messageExpiry", h.Expiry, &r.headers.expiry},
	} {
		if *t.into, err = sql.ParseTemplate(t.text); err != nil {
			return nil, fmt.Errorf("republish: %s: %w", t.name, err)
		}
	}
	for _, u := range h.User {
		var pair [2]*sql.Template
		for i, text := range []string{u.Key, u.Value} {
			if pair[i], err = sql.ParseTemplate(text); err != nil {
				return nil, fmt.Errorf("republish: userProperties: %w", err)
			}
		}
		r.headers.user = append(r.headers.user, pair)
	}
	return r, nil
}

func (e *Engine) checkTopic(topic string) error {
	topic = strings.TrimPrefix(topic, "$")
	if rest, ok := strings.CutPrefix(topic, "$aws/things/"); ok {
		if _, rest, _ = strings.Cut(rest, "/"); strings.HasPrefix(rest, "jobs/") {
			return fmt.Errorf("topic %q: rules cannot publish to the topics of jobs", topic)
		}
	}
	if strings.HasPrefix(topic, "$aws/rules/") {
		return fmt.Errorf("topic %q: rules cannot publish to Basic Ingest", topic)
	}
	if broken := e.cfg.PublishRule(topic, false); broken != "" {
		return errors.New(broken)
	}
	return nil
}

func (*republish) name() string { return "RepublishAction" }
func (*republish) slow() bool   { return false }

func (r *republish) do(e *Engine, x *execution) (string, error) {
	topic, err := r.topic.Expand(x.in)
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(topic, "$$") && strings.HasPrefix(topic, "$") {
		return topic, errors.New("a reserved topic is written with $$ in front")
	}
	if err := e.checkTopic(topic); err != nil {
		return topic, err
	}
	if strings.HasPrefix(topic, "$$") {
		topic = topic[1:]
	}
	if x.task.depth+1 >= len(e.senders) {
		return topic, fmt.Errorf("the message has come through %d rules: this looks like a loop", x.task.depth)
	}
	m := broker.Message{Topic: topic, Payload: x.out.Payload, QoS: r.qos, From: e.senders[x.task.depth+1]}
	if r.headers != nil {
		if m.Properties, err = r.headers.expand(x.in); err != nil {
			return topic, err
		}
	}
	return topic, e.cfg.Publish(m)
}

func (h *headers) expand(in *sql.Input) (*broker.Properties, error) {
	p := &broker.Properties{}
	if h.format != nil {
		p.HasFormat = true
		if *h.format {
			p.Format = 1
		}
	}
	var correlation, expiry string
	for _, t := range []struct {
		from *sql.Template
		into *string
	}{{h.contentType, &p.ContentType}, {h.responseTopic, &p.ResponseTopic}, {h.correlation, &correlation}, {h.expiry, &expiry}} {
		var err error
		if *t.into, err = t.from.Expand(in); err != nil {
			return nil, err
		}
	}
	if correlation != "" {
		var err error
		if p.Correlation, err = base64.StdEncoding.DecodeString(correlation); err != nil {
			return nil, errors.New("correlationData is not base64")
		}
	}
	if expiry != "" {
		n, err := strconv.ParseUint(expiry, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("messageExpiry %q is not a number of seconds", expiry)
		}
		p.HasExpiry, p.Expiry = true, uint32(n)
	}
	for _, u := range h.user {
		k, err1 := u[0].Expand(in)
		v, err2 := u[1].Expand(in)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		p.User = append(p.User, broker.UserProperty{Key: k, Value: v})
	}
	return p, nil
}
