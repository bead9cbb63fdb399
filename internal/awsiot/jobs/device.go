package jobs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/skep-sim/skep/internal/awsiot/event"
)

// Error is a refusal as a device gets it.
type Error struct {
	Code    string // of the MQTT answer, such as VersionMismatch
	Message string
	State   *state // of the execution, for VersionMismatch and InvalidStateTransition
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// The codes.
const (
	codeTopic      = "InvalidTopic"
	codeJSON       = "InvalidJson"
	codeRequest    = "InvalidRequest"
	codeTransition = "InvalidStateTransition"
	codeNotFound   = "ResourceNotFound"
	codeVersion    = "VersionMismatch"
	codeInternal   = "InternalError"
	codeThrottled  = "RequestThrottled"
	codeTerminal   = "TerminalStateReached"
)

func refuse(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// anyInt is a number that may come as a string, as in AWS's examples of expectedVersion.
type anyInt int64

func (n *anyInt) UnmarshalJSON(text []byte) error {
	v, err := strconv.ParseInt(strings.Trim(string(text), `"`), 10, 64)
	*n = anyInt(v)
	return err
}

// request is what devices send, all operations together.
type request struct {
	Token           string             `json:"clientToken"`
	Status          Status             `json:"status"`
	Details         map[string]*string `json:"statusDetails"`
	StepMinutes     *anyInt            `json:"stepTimeoutInMinutes"`
	Expected        *anyInt            `json:"expectedVersion"`
	Number          *anyInt            `json:"executionNumber"`
	IncludeDocument *bool              `json:"includeJobDocument"`
	IncludeState    *bool              `json:"includeJobExecutionState"`
}

// maxToken is the longest clientToken, of MQTT's limit for shadows; for jobs AWS names none.
const maxToken = 64

// parse reads a request; an empty one is {}.
func parse(payload []byte) (*request, *Error) {
	r := &request{}
	if len(bytes.TrimSpace(payload)) == 0 {
		return r, nil
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil || !utf8.Valid(payload) {
		return r, refuse(codeJSON, "The contents of the request could not be interpreted as valid UTF-8-encoded JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return r, refuse(codeJSON, "Something follows the JSON object")
	}
	if err := json.Unmarshal(raw, r); err != nil {
		var te *json.UnmarshalTypeError
		if errors.As(err, &te) && te.Field != "" {
			return r, refuse(codeRequest, "%s is not of the right type", te.Field)
		}
		return r, refuse(codeRequest, "The request is not a JSON object with the members of this operation")
	}
	if len(r.Token) > maxToken {
		r.Token = ""
		return r, refuse(codeRequest, "clientToken has more than %d bytes", maxToken)
	}
	return r, nil
}

// details are the request's statusDetails; nil when it has none.
func (r *request) details() (map[string]string, *Error) {
	if r.Details == nil {
		return nil, nil
	}
	d := map[string]string{}
	for k, v := range r.Details {
		if v == nil {
			return nil, refuse(codeRequest, "statusDetails: the values are strings")
		}
		d[k] = *v
	}
	if err := checkDetails(d); err != nil {
		return nil, refuse(codeRequest, "%v", err)
	}
	return d, nil
}

// step reads the step timer: whether it is named, and the deadline, 0 for none.
func (s *Service) step(r *request) (named bool, deadline int64, e *Error) {
	switch {
	case r.StepMinutes == nil:
		return false, 0, nil
	case *r.StepMinutes == -1:
		return true, 0, nil
	case *r.StepMinutes < 1 || *r.StepMinutes > maxMinutes:
		return false, 0, refuse(codeRequest, "stepTimeoutInMinutes is 1 to %d, or -1 for none", maxMinutes)
	}
	return true, s.now() + int64(*r.StepMinutes)*60, nil
}

// answer is AWS's answer to any of the operations; over HTTPS token and timestamp are left out.
type answer struct {
	InProgress *[]summary      `json:"inProgressJobs,omitempty"`
	Queued     *[]summary      `json:"queuedJobs,omitempty"`
	Execution  *full           `json:"execution,omitempty"`
	State      *state          `json:"executionState,omitempty"`
	Document   json.RawMessage `json:"jobDocument,omitempty"`
	Timestamp  int64           `json:"timestamp,omitempty"`
	Token      string          `json:"clientToken,omitempty"`
}

// operation is what a device asks for. s.mu is held while it runs.
type operation func(s *Service, thing, id string, r *request) (*answer, *Error)

// do carries out an operation. answered is called once, from another goroutine, when the answer
// is safe; it must not block.
func (s *Service) do(op operation, what, thing, id string, payload []byte, answered func(r *request, a *answer, e *Error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, e := parse(payload)
	var a *answer
	switch {
	case e != nil:
	case s.o.State.Thing(thing) == nil:
		e = refuse(codeNotFound, "There is no thing %s", thing)
	default:
		a, e = op(s, thing, id, r)
	}
	if e != nil {
		on := ""
		if id != "" {
			on = " " + id
		}
		s.log(event.Refused, fmt.Sprintf("job %s%s of %s: %v", what, on, thing, e))
	}
	s.commitThen(func(err error) {
		if err != nil && e == nil {
			a, e = nil, refuse(codeInternal, "The state could not be stored")
		}
		answered(r, a, e)
	})
}

func getPending(s *Service, thing, _ string, _ *request) (*answer, *Error) {
	lists := map[Status][]summary{InProgress: {}, Queued: {}}
	for _, x := range s.pending(thing) {
		lists[x.Status] = append(lists[x.Status], x.summary())
	}
	started, queued := lists[InProgress], lists[Queued]
	return &answer{InProgress: &started, Queued: &queued}, nil
}

func startNext(s *Service, thing, _ string, r *request) (*answer, *Error) {
	details, e := r.details()
	if e != nil {
		return nil, e
	}
	named, deadline, e := s.step(r)
	if e != nil {
		return nil, e
	}
	x := s.next(thing)
	if x == nil {
		return &answer{}, nil
	}
	if named {
		x.Step = deadline
	}
	switch {
	case x.Status == Queued:
		s.change(x, InProgress, details)
	case named:
		s.keep(x)
	}
	return &answer{Execution: s.full(x, true)}, nil
}

// find gives the execution that a request names; nil without an error for $next of none.
func (s *Service) find(thing, id string, r *request) (*execution, *Error) {
	if id == "$next" {
		return s.next(thing), nil
	}
	x := s.things[thing][id]
	if x == nil || r.Number != nil && int64(*r.Number) != x.Number {
		return nil, refuse(codeNotFound, "There is no execution of job %s for thing %s", id, thing)
	}
	return x, nil
}

func describe(s *Service, thing, id string, r *request) (*answer, *Error) {
	x, e := s.find(thing, id, r)
	switch {
	case e != nil:
		return nil, e
	case x == nil:
		return &answer{}, nil
	case x.Status.terminal():
		return nil, refuse(codeTerminal, "The execution of job %s is %s", id, x.Status)
	}
	return &answer{Execution: s.full(x, r.IncludeDocument == nil || *r.IncludeDocument)}, nil
}

func update(s *Service, thing, id string, r *request) (*answer, *Error) {
	switch r.Status {
	case InProgress, Succeeded, Failed, Rejected:
	case "":
		return nil, refuse(codeRequest, "status is missing")
	default:
		return nil, refuse(codeRequest, "status %.40q is not IN_PROGRESS, SUCCEEDED, FAILED or REJECTED", r.Status)
	}
	details, e := r.details()
	if e != nil {
		return nil, e
	}
	named, deadline, e := s.step(r)
	if e != nil {
		return nil, e
	}
	if id == "$next" {
		return nil, refuse(codeRequest, "$next cannot be updated: name the job")
	}
	x, e := s.find(thing, id, r)
	switch {
	case e != nil:
		return nil, e
	case r.Expected != nil && int64(*r.Expected) != x.Version:
		e = refuse(codeVersion, "The execution has version %d, not %d", x.Version, *r.Expected)
		e.State = x.state()
		return nil, e
	case x.Status.terminal():
		e = refuse(codeTransition, "An execution that is %s cannot become %s", x.Status, r.Status)
		e.State = x.state()
		return nil, e
	}
	if named {
		x.Step = deadline
	}
	s.change(x, r.Status, details)
	a := &answer{}
	if r.IncludeState != nil && *r.IncludeState {
		a.State = x.state()
	}
	if j := s.jobs[id]; r.IncludeDocument != nil && *r.IncludeDocument && j != nil {
		a.Document = j.Document
	}
	return a, nil
}
