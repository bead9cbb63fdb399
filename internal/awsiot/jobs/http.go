package jobs

import (
	"encoding/json"
	"net/http"
	"net/url"
)

// Answer is an answer over HTTPS: a body, or a refusal with its status and AWS's exception.
type Answer struct {
	Status    int
	Exception string // "" for success
	Message   string // of a refusal
	Body      []byte
}

// exceptions are the HTTPS names of refusals.
var exceptions = map[string]struct {
	status int
	name   string
}{
	codeTopic: {400, "InvalidRequestException"}, codeJSON: {400, "InvalidRequestException"}, codeRequest: {400, "InvalidRequestException"},
	codeTransition: {409, "InvalidStateTransitionException"}, codeVersion: {409, "InvalidStateTransitionException"}, // AWS names none for the latter
	codeNotFound: {404, "ResourceNotFoundException"}, codeTerminal: {410, "TerminalStateException"},
	codeThrottled: {429, "ThrottlingException"}, codeInternal: {503, "ServiceUnavailableException"},
}

// Pending answers GET /things/THING/jobs.
func (s *Service) Pending(thing string) Answer { return s.ask(getPending, "get", thing, "", nil) }

// StartNext answers PUT /things/THING/jobs/$next.
func (s *Service) StartNext(thing string, body []byte) Answer {
	return s.ask(startNext, "start-next", thing, "", body)
}

// DescribeExecution answers GET /things/THING/jobs/JOB, with executionNumber and
// includeJobDocument in query.
func (s *Service) DescribeExecution(thing, id string, query url.Values) Answer {
	q := map[string]json.RawMessage{}
	for _, k := range []string{"executionNumber", "includeJobDocument"} {
		if query.Has(k) {
			q[k] = json.RawMessage(query.Get(k))
		}
	}
	body, err := json.Marshal(q)
	if err != nil {
		return refusal(refuse(codeRequest, "executionNumber is a number, includeJobDocument true or false"))
	}
	return s.ask(describe, "describe", thing, id, body)
}

// UpdateExecution answers POST /things/THING/jobs/JOB.
func (s *Service) UpdateExecution(thing, id string, body []byte) Answer {
	return s.ask(update, "update", thing, id, body)
}

func (s *Service) ask(op operation, what, thing, id string, body []byte) Answer {
	if id != "" && id != "$next" && !jobID.MatchString(id) {
		return refusal(refuse(codeRequest, "%.70q is no job id", id))
	}
	result := make(chan Answer, 1)
	s.do(op, what, thing, id, body, func(_ *request, a *answer, e *Error) {
		if e != nil {
			result <- refusal(e)
			return
		}
		// Over HTTPS a document is a string that holds JSON (AWS: API_iot-jobs-data_JobExecution).
		a.Document = asText(a.Document)
		if a.Execution != nil {
			a.Execution.Document = asText(a.Execution.Document)
		}
		text, err := json.Marshal(a)
		if err != nil {
			result <- refusal(refuse(codeInternal, "The answer could not be written"))
			return
		}
		result <- Answer{Status: http.StatusOK, Body: text}
	})
	return <-result
}

func refusal(e *Error) Answer {
	x := exceptions[e.Code]
	return Answer{Status: x.status, Exception: x.name, Message: e.Message}
}

// asText is JSON as the JSON string that holds it; nothing stays nothing.
func asText(document json.RawMessage) json.RawMessage {
	if document == nil {
		return nil
	}
	text, err := json.Marshal(string(document))
	if err != nil {
		return nil // a string
	}
	return text
}
