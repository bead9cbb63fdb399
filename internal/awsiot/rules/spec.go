package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/skep-sim/skep/internal/awsiot/sql"
)

// Quotas of AWS ("AWS IoT Core rules engine limits and quotas").
const (
	maxActions = 10
	maxSQL     = 256 << 10
	maxRules   = 1000
)

var ruleName = regexp.MustCompile(`^[a-zA-Z0-9_]{1,128}$`)

// payload is AWS's TopicRulePayload.
type payload struct {
	SQL         string            `json:"sql"`
	Description string            `json:"description,omitempty"`
	Version     string            `json:"awsIotSqlVersion"`
	Disabled    bool              `json:"ruleDisabled"`
	Actions     []json.RawMessage `json:"actions"`
	ErrorAction json.RawMessage   `json:"errorAction,omitempty"`
}

// rule is a rule ready to run. Only its counters change.
type rule struct {
	name    string
	payload payload
	created int64 // seconds since 1970

	statement   *sql.Statement
	levels      []string // of the topic filter; nil: only Basic Ingest
	actions     []action
	errorAction action // nil: none
	counters    *counters
}

// parse reads a rule. The text is AWS's TopicRulePayload, alone or inside
// {"ruleName": ..., "topicRulePayload": ...}.
func (e *Engine) parse(name string, text []byte) (*rule, error) {
	if !ruleName.MatchString(name) {
		return nil, fmt.Errorf("rule name %q: use 1 to 128 characters of A-Z a-z 0-9 _", name)
	}
	var outer struct {
		Name    string          `json:"ruleName"`
		ARN     string          `json:"ruleArn"`
		Payload json.RawMessage `json:"topicRulePayload"`
	}
	if json.Unmarshal(text, &outer) == nil && outer.Payload != nil {
		if outer.Name != "" && outer.Name != name {
			return nil, fmt.Errorf("the file is of rule %q, not %q", outer.Name, name)
		}
		text = outer.Payload
	}
	r := &rule{name: name, counters: &counters{}}
	if err := strict(text, &r.payload); err != nil {
		return nil, fmt.Errorf("rule %s: %w", name, err)
	}
	if err := e.compile(r); err != nil {
		return nil, fmt.Errorf("rule %s: %w", name, err)
	}
	return r, nil
}

// compile checks the rule's parts and makes them ready.
func (e *Engine) compile(r *rule) error {
	p := &r.payload
	switch {
	case p.Version == "":
		return errors.New(`"awsIotSqlVersion" is missing: AWS then takes 2015-10-08, which is not available locally; write "awsIotSqlVersion": "` + sql.Version + `"`)
	case p.Version != sql.Version:
		return fmt.Errorf(`"awsIotSqlVersion" %q is not available locally, %q is`, p.Version, sql.Version)
	case p.SQL == "":
		return errors.New(`"sql" is missing`)
	case len(p.SQL) > maxSQL:
		return fmt.Errorf("the SQL has %d bytes, the limit is %d", len(p.SQL), maxSQL)
	case len(p.Actions) > maxActions:
		return fmt.Errorf("there are %d actions, the limit is %d", len(p.Actions), maxActions)
	case p.Actions == nil:
		return errors.New(`"actions" is missing`)
	}
	var err error
	if r.statement, err = sql.Parse(p.SQL); err != nil {
		return err
	}
	if f := r.statement.Filter(); f != "" {
		if err := checkFilter(f); err != nil {
			return err
		}
		r.levels = strings.Split(f, "/")
	}
	for i, raw := range p.Actions {
		a, err := e.action(raw)
		if err != nil {
			return fmt.Errorf("action %d: %w", i+1, err)
		}
		r.actions = append(r.actions, a)
	}
	if p.ErrorAction != nil {
		if r.errorAction, err = e.action(p.ErrorAction); err != nil {
			return fmt.Errorf("errorAction: %w", err)
		}
	}
	return nil
}

// strict decodes JSON that may not have members we do not know.
func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("there is no JSON")
		}
		return fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}

// remote are AWS's actions that need services which are not here.
var remote = []string{"cloudwatchAlarm", "cloudwatchLogs", "cloudwatchMetric", "dynamoDB", "dynamoDBv2", "elasticsearch", "firehose", "iotAnalytics", "iotEvents",
	"iotSiteWise", "kafka", "kinesis", "lambda", "location", "openSearch", "s3", "salesforce", "sns", "sqs", "stepFunctions", "timestream"}

// action reads one action: an object with one member, named after its kind.
func (e *Engine) action(raw json.RawMessage) (action, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || len(members) != 1 {
		return nil, errors.New(`an action is an object with one member, such as {"republish": {"topic": "..."}}`)
	}
	for kind, spec := range members {
		switch {
		case kind == "republish":
			return e.newRepublish(spec)
		case kind == "http":
			return e.newHTTP(spec)
		case kind == "file":
			return e.newFile(spec)
		case slices.Contains(remote, kind):
			return nil, fmt.Errorf("%q is not available locally: republish, http and file are; a file or a web server of yours can stand for it", kind)
		default:
			return nil, fmt.Errorf("%q is no action: republish, http and file are", kind)
		}
	}
	return nil, errors.New("an action has no kind") // not reached: there is one member
}

// checkFilter applies the rules of topic filters (AWS: "Topic filters", quotas).
func checkFilter(f string) error {
	levels := strings.Split(f, "/")
	for i, l := range levels {
		if l != "+" && l != "#" && strings.ContainsAny(l, "+#") || l == "#" && i != len(levels)-1 {
			return fmt.Errorf("topic filter %q: + stands for a whole level, # for all at the end", f)
		}
	}
	switch {
	case strings.HasPrefix(f, "$aws/rules"):
		return fmt.Errorf("topic filter %q: a rule gets Basic Ingest by its name; the filter names what follows it", f)
	case len(f) > 256 || len(levels) > 8:
		return fmt.Errorf("topic filter %q is longer than 256 bytes or 8 levels", f)
	}
	return nil
}

// matches says whether a topic is among a filter's. Unlike in MQTT a/# does not match a, and a
// wildcard in front does not reach reserved topics.
func matches(filter []string, topic string) bool {
	if strings.HasPrefix(topic, "$") && (filter[0] == "+" || filter[0] == "#") {
		return false
	}
	for i, f := range filter {
		if f == "#" {
			return true
		}
		level, rest, more := strings.Cut(topic, "/")
		if f != "+" && f != level || more == (i == len(filter)-1) {
			return false
		}
		topic = rest
	}
	return true
}
