package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/policy"
	"github.com/skep-sim/skep/internal/awsiot/shadow"
	"github.com/skep-sim/skep/internal/awsiot/shadows"
)

// answer routes a request.
func (s *Server) answer(peer Peer, req *http.Request, body []byte) *response {
	id, allowed, err := peer.Authorize(req, body)
	if err != nil {
		return s.refuse(peer, req, 403, "ForbiddenException", "Forbidden", err.Error())
	}
	peer.CertID = id
	path := req.URL.EscapedPath()
	switch {
	case strings.HasPrefix(path, "/topics/"):
		return s.topics(peer, req, allowed, strings.TrimPrefix(path, "/topics/"), body)
	case strings.HasPrefix(path, "/api/things/shadow/ListNamedShadowsForThing/"):
		return s.list(peer, req, allowed, strings.TrimPrefix(path, "/api/things/shadow/ListNamedShadowsForThing/"))
	}
	if rest, ok := strings.CutPrefix(path, "/things/"); ok {
		if thing, ok := strings.CutSuffix(rest, "/shadow"); ok && !strings.Contains(thing, "/") {
			return s.shadow(peer, req, allowed, thing, body)
		}
	}
	return s.refuse(peer, req, 404, "ResourceNotFoundException", "Not Found",
		"no such path; there are /things/THING/shadow, /topics/TOPIC and /api/things/shadow/ListNamedShadowsForThing/THING")
}

// problem is the body of an error.
func (s *Server) problem(message string) []byte {
	text, err := json.Marshal(struct {
		Message string `json:"message"`
		TraceID string `json:"traceId"`
	}{message, s.id()})
	if err != nil {
		return nil // two strings
	}
	return text
}

// refuse makes an error answer and logs why, which the client is not told.
func (s *Server) refuse(peer Peer, req *http.Request, status int, kind, message, why string) *response {
	s.log(event.Refused, peer, fmt.Sprintf("%s %s: %d: %s", req.Method, req.URL.Path, status, why))
	return &response{status: status, kind: kind, body: s.problem(message)}
}

// permit asks the policy; a response means no.
func (s *Server) permit(peer Peer, req *http.Request, p *policy.Compiled, a policy.Action, name string) *response {
	if d := p.Check(a, name); !d.Allowed {
		return s.refuse(peer, req, 403, "ForbiddenException", "Forbidden", fmt.Sprintf("%s on %s: %s", a, a.Resource(name), d))
	}
	return nil
}

func (s *Server) methodNotAllowed(peer Peer, req *http.Request, allowed string) *response {
	return s.refuse(peer, req, 405, "MethodNotAllowedException", "Method not allowed", "this path takes "+allowed)
}

func (s *Server) invalid(peer Peer, req *http.Request, why string) *response {
	return s.refuse(peer, req, 400, "InvalidRequestException", why, why)
}

// exceptions name a shadow refusal for the SDKs.
var exceptions = map[int]string{
	400: "InvalidRequestException", 401: "UnauthorizedException", 403: "ForbiddenException", 404: "ResourceNotFoundException",
	409: "ConflictException", 413: "RequestEntityTooLargeException", 415: "UnsupportedDocumentEncodingException",
	429: "ThrottlingException", 500: "InternalFailureException",
}

func (s *Server) shadow(peer Peer, req *http.Request, p *policy.Compiled, rawThing string, body []byte) *response {
	thing, err := url.PathUnescape(rawThing)
	key := shadow.Key{Thing: thing, Name: req.URL.Query().Get("name")}
	if err != nil || !key.Valid() {
		return s.invalid(peer, req, "Invalid thing or shadow name")
	}
	name := thing
	if key.Name != "" {
		name += "/" + key.Name
	}
	var action policy.Action
	var do func(shadow.Key, []byte, func(shadows.Answer))
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		action, do, body = policy.GetThingShadow, s.cfg.Shadows.Get, nil
	case http.MethodPost:
		action, do = policy.UpdateThingShadow, s.cfg.Shadows.Update
	case http.MethodDelete:
		action, do, body = policy.DeleteThingShadow, s.cfg.Shadows.Delete, nil
	default:
		return s.methodNotAllowed(peer, req, "GET, POST and DELETE")
	}
	if no := s.permit(peer, req, p, action, name); no != nil {
		return no
	}
	result := make(chan shadows.Answer, 1)
	do(key, body, func(a shadows.Answer) { result <- a })
	a := <-result
	if a.Refused != nil {
		return &response{status: a.Refused.Code, kind: exceptions[a.Refused.Code], body: s.problem(a.Refused.Message)}
	}
	return &response{status: 200, body: a.Payload}
}

// topics publishes a message: POST /topics/TOPIC?qos=&retain=
func (s *Server) topics(peer Peer, req *http.Request, p *policy.Compiled, rawTopic string, body []byte) *response {
	if req.Method != http.MethodPost {
		return s.methodNotAllowed(peer, req, "POST")
	}
	topic, err := url.PathUnescape(rawTopic)
	if err != nil {
		return s.invalid(peer, req, "Invalid topic")
	}
	query := req.URL.Query()
	qos := query.Get("qos")
	if qos != "" && qos != "0" && qos != "1" {
		return s.invalid(peer, req, "Invalid qos: "+qos)
	}
	retain := query.Get("retain")
	if retain != "" && !strings.EqualFold(retain, "true") && !strings.EqualFold(retain, "false") {
		return s.invalid(peer, req, "Invalid retain: "+retain)
	}
	for _, k := range []string{"contentType", "messageExpiry", "responseTopic"} {
		if query.Has(k) {
			return s.invalid(peer, req, k+" is of MQTT 5, which is not served")
		}
	}
	keep := strings.EqualFold(retain, "true")
	if broken := s.cfg.PublishRule(topic, keep); broken != "" {
		return s.refuse(peer, req, 400, "InvalidRequestException", "Invalid topic", broken)
	}
	if no := s.permit(peer, req, p, policy.Publish, topic); no != nil {
		return no
	}
	if keep {
		if no := s.permit(peer, req, p, policy.RetainPublish, topic); no != nil {
			return no
		}
	}
	level := byte(0)
	if qos == "1" {
		level = 1
	}
	if err := s.cfg.Publish(topic, body, level, keep); err != nil {
		s.log(event.Trouble, peer, "publishing: "+err.Error())
		return &response{status: 500, kind: exceptions[500], body: s.problem("Internal service failure")}
	}
	return &response{status: 200, body: s.problem("OK")}
}

// maxPage is the largest and default page of ListNamedShadowsForThing.
const maxPage = 100

func (s *Server) list(peer Peer, req *http.Request, p *policy.Compiled, rawThing string) *response {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return s.methodNotAllowed(peer, req, "GET")
	}
	thing, err := url.PathUnescape(rawThing)
	if err != nil || !shadow.ValidThing(thing) {
		return s.invalid(peer, req, "Invalid thing name")
	}
	query := req.URL.Query()
	size := maxPage
	if v := query.Get("pageSize"); v != "" {
		if size, err = strconv.Atoi(v); err != nil || size < 1 || size > maxPage {
			return s.invalid(peer, req, "Invalid pageSize: it is 1 to 100")
		}
	}
	if no := s.permit(peer, req, p, policy.ListNamedShadowsForThing, thing); no != nil {
		return no
	}
	names, err := s.cfg.Shadows.Names(thing)
	if err != nil {
		s.log(event.Trouble, peer, "listing shadows: "+err.Error())
		return &response{status: 500, kind: exceptions[500], body: s.problem("Internal service failure")}
	}
	page := struct {
		Results   []string `json:"results"`
		NextToken string   `json:"nextToken,omitempty"`
		Timestamp int64    `json:"timestamp"`
	}{Results: []string{}, Timestamp: s.cfg.Clock.Now().Unix()}
	after := query.Get("nextToken") // the last name of the page before
	for _, n := range names {
		if after != "" && n <= after {
			continue
		}
		if len(page.Results) == size {
			page.NextToken = page.Results[size-1]
			break
		}
		page.Results = append(page.Results, n)
	}
	text, err := json.Marshal(page)
	if err != nil {
		return &response{status: 500, kind: exceptions[500], body: s.problem("Internal service failure")}
	}
	return &response{status: 200, body: text}
}
