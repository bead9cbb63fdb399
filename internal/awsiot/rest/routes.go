package rest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
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
	for _, r := range routes {
		rest, ok := strings.CutPrefix(path, r.prefix)
		if !ok {
			continue
		}
		raw, ok := strings.CutSuffix(rest, r.suffix)
		if !ok || raw == "" != r.nameless || r.segment && strings.Contains(raw, "/") {
			continue
		}
		name, err := url.PathUnescape(raw)
		if err != nil {
			return s.invalid(peer, req, "Invalid path")
		}
		method := req.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		serve := r.methods[method]
		if serve == nil {
			return s.methodNotAllowed(peer, req, strings.Join(slices.Sorted(maps.Keys(r.methods)), ", "))
		}
		return serve(s, &request{peer: peer, http: req, query: req.URL.Query(), may: allowed, name: name, body: body})
	}
	return s.refuse(peer, req, 404, "ResourceNotFoundException", "Not Found", "there is no such path")
}

// request is what a handler is given.
type request struct {
	peer  Peer
	http  *http.Request
	query url.Values
	may   *policy.Compiled
	name  string // what the path names: a thing, a topic or a client
	body  []byte
}

type handler func(*Server, *request) *response

// routes are the paths, PREFIX NAME SUFFIX, the first that fits.
var routes = []struct {
	prefix, suffix string
	segment        bool // the name has no slash that is not encoded
	nameless       bool
	methods        map[string]handler
}{
	{"/things/", "/shadow", true, false, map[string]handler{"GET": (*Server).getShadow, "POST": (*Server).updateShadow, "DELETE": (*Server).deleteShadow}},
	{"/api/things/shadow/ListNamedShadowsForThing/", "", true, false, map[string]handler{"GET": (*Server).listShadows}},
	{"/things/", "/jobs", true, false, map[string]handler{"GET": (*Server).pendingJobs}},
	{"/things/", "", false, false, map[string]handler{"GET": (*Server).describeJob, "PUT": (*Server).startNextJob, "POST": (*Server).updateJob}},
	{"/topics/", "", false, false, map[string]handler{"POST": (*Server).publish}},
	{"/retainedMessage", "", false, true, map[string]handler{"GET": (*Server).listRetained}},
	{"/retainedMessage/", "", false, true, map[string]handler{"GET": (*Server).listRetained}},
	{"/retainedMessage/", "", false, false, map[string]handler{"GET": (*Server).getRetained}},
	{"/connections/", "/subscriptions", true, false, map[string]handler{"GET": (*Server).listSubscriptions}},
	{"/connections/", "/messages", true, false, map[string]handler{"POST": (*Server).sendDirect}},
	{"/connections/", "", true, false, map[string]handler{"GET": (*Server).getConnection, "DELETE": (*Server).deleteConnection}},
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
func (s *Server) permit(r *request, a policy.Action, name string) *response {
	if d := r.may.Check(a, name); !d.Allowed {
		return s.refuse(r.peer, r.http, 403, "ForbiddenException", "Forbidden", fmt.Sprintf("%s on %s: %s", a, a.Resource(name), d))
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

func (s *Server) getShadow(r *request) *response {
	r.body = nil
	return s.shadow(r, policy.GetThingShadow, s.cfg.Shadows.Get)
}

func (s *Server) updateShadow(r *request) *response {
	return s.shadow(r, policy.UpdateThingShadow, s.cfg.Shadows.Update)
}

func (s *Server) deleteShadow(r *request) *response {
	r.body = nil
	return s.shadow(r, policy.DeleteThingShadow, s.cfg.Shadows.Delete)
}

func (s *Server) shadow(r *request, a policy.Action, do func(shadow.Key, []byte, func(shadows.Answer))) *response {
	key := shadow.Key{Thing: r.name, Name: r.query.Get("name")}
	if !key.Valid() {
		return s.invalid(r.peer, r.http, "Invalid thing or shadow name")
	}
	resource := key.Thing
	if key.Name != "" {
		resource += "/" + key.Name
	}
	if no := s.permit(r, a, resource); no != nil {
		return no
	}
	result := make(chan shadows.Answer, 1)
	do(key, r.body, func(a shadows.Answer) { result <- a })
	answer := <-result
	if answer.Refused != nil {
		return &response{status: answer.Refused.Code, kind: exceptions[answer.Refused.Code], body: s.problem(answer.Refused.Message)}
	}
	return &response{status: 200, body: answer.Payload}
}

func (s *Server) listShadows(r *request) *response {
	if !shadow.ValidThing(r.name) {
		return s.invalid(r.peer, r.http, "Invalid thing name")
	}
	if no := s.permit(r, policy.ListNamedShadowsForThing, r.name); no != nil {
		return no
	}
	names, err := s.cfg.Shadows.Names(r.name)
	if err != nil {
		return s.trouble(r, "listing shadows", err)
	}
	names, next, wrong := page(names, r.query, "pageSize", 100, 100)
	if wrong != "" {
		return s.invalid(r.peer, r.http, wrong)
	}
	return s.json(r, struct {
		Results   []string `json:"results"`
		NextToken string   `json:"nextToken,omitempty"`
		Timestamp int64    `json:"timestamp"`
	}{names, next, s.cfg.Clock.Now().Unix()})
}

// page cuts a page out of names, which are in order. The token for the next one is the last
// name of the one before.
func page(names []string, query url.Values, sizeName string, usual, most int) (out []string, next, wrong string) {
	size := usual
	if v := query.Get(sizeName); v != "" {
		var err error
		if size, err = strconv.Atoi(v); err != nil || size < 1 || size > most {
			return nil, "", fmt.Sprintf("Invalid %s: it is 1 to %d", sizeName, most)
		}
	}
	after, err := base64.RawURLEncoding.DecodeString(query.Get("nextToken"))
	if err != nil {
		return nil, "", "Invalid nextToken"
	}
	from := 0
	if len(after) > 0 {
		at, found := slices.BinarySearch(names, string(after))
		if from = at; found {
			from++
		}
	}
	out = append([]string{}, names[from:min(from+size, len(names))]...)
	if from+size < len(names) {
		next = base64.RawURLEncoding.EncodeToString([]byte(out[size-1]))
	}
	return out, next, ""
}

// json answers with a document.
func (s *Server) json(r *request, v any) *response {
	text, err := json.Marshal(v)
	if err != nil {
		return s.trouble(r, "writing the answer", err)
	}
	return &response{status: 200, body: text}
}

// trouble answers that the service itself has failed, and logs why.
func (s *Server) trouble(r *request, what string, err error) *response {
	s.log(event.Trouble, r.peer, what+": "+err.Error())
	return &response{status: 500, kind: exceptions[500], body: s.problem("Internal service failure")}
}
