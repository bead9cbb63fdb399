package rules

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/sql"
)

// httpAction posts the result to a web server.
type httpAction struct {
	url     *sql.Template
	confirm string // the destination's URL, a prefix of url
	headers []header
	typed   bool // there is a content-type among headers
}

type header struct {
	key   string
	value *sql.Template
}

func (e *Engine) newHTTP(raw json.RawMessage) (action, error) {
	var spec struct {
		URL     string `json:"url"`
		Confirm string `json:"confirmationUrl"`
		Headers []struct {
			Key   string `json:"key"`
			Value string `json:"value"`
		} `json:"headers"`
		Auth json.RawMessage `json:"auth"`
	}
	if err := strict(raw, &spec); err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	if spec.Auth != nil {
		return nil, errors.New("http: auth (signed requests) is not available locally: leave it out, or send a header")
	}
	a := &httpAction{confirm: spec.Confirm}
	var err error
	if a.url, err = sql.ParseTemplate(spec.URL); err != nil {
		return nil, fmt.Errorf("http: url: %w", err)
	}
	if a.confirm == "" {
		if !a.url.Fixed() {
			return nil, errors.New("http: a url with ${...} in it needs a confirmationUrl that it begins with")
		}
		a.confirm = spec.URL
	}
	if strings.Contains(a.confirm, "${") {
		return nil, errors.New("http: a confirmationUrl with ${...} in it is not available locally")
	}
	if err := checkURL(a.confirm); err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	if !strings.HasPrefix(spec.URL, a.confirm) {
		return nil, fmt.Errorf("http: url %q does not begin with confirmationUrl %q", spec.URL, a.confirm)
	}
	for _, h := range spec.Headers {
		if !headerName(h.Key) || slices.Contains([]string{"host", "content-length", "transfer-encoding", "connection"}, strings.ToLower(h.Key)) {
			return nil, fmt.Errorf("http: %q is not a header that a rule may set", h.Key)
		}
		value, err := sql.ParseTemplate(h.Value)
		if err != nil {
			return nil, fmt.Errorf("http: header %s: %w", h.Key, err)
		}
		a.headers = append(a.headers, header{h.Key, value})
		a.typed = a.typed || strings.EqualFold(h.Key, "content-type")
	}
	return a, nil
}

func headerName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("()<>@,;:\\\"/[]?={}$", r)
	})
}

// checkURL wants an address of HTTP. AWS takes HTTPS alone; a server on this machine seldom
// has it.
func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fmt.Errorf("url %q: it begins with https:// or http:// and a host", s)
	}
	return nil
}

func (*httpAction) name() string { return "HttpAction" }
func (*httpAction) slow() bool   { return true }

func (a *httpAction) do(e *Engine, x *execution) (string, error) {
	target, err := a.url.Expand(x.in)
	if err != nil {
		return "", err
	}
	if err := checkURL(target); err != nil {
		return target, err
	}
	// What a message puts into a URL must not lead to another host.
	if from, err := url.Parse(a.confirm); err != nil || !sameHost(from, target) {
		return target, fmt.Errorf("the url leads to another host than %s", a.confirm)
	}
	if !e.enabled(a.confirm) {
		return target, fmt.Errorf("the destination %s is not confirmed: use `skep cloud rule confirm` with the token it was sent, or make the rule with --confirmed", a.confirm)
	}
	h := http.Header{}
	if !a.typed {
		h.Set("content-type", "application/octet-stream")
		if x.out.JSON {
			h.Set("content-type", "application/json")
		}
	}
	for _, kv := range a.headers {
		v, err := kv.value.Expand(x.in)
		if err != nil {
			return target, err
		}
		if strings.ContainsAny(v, "\r\n\x00") {
			return target, fmt.Errorf("the value of header %s has a line break", kv.key)
		}
		h.Add(kv.key, v)
	}
	return target, e.web.post(target, h, x.out.Payload)
}

func sameHost(a *url.URL, target string) bool {
	b, err := url.Parse(target)
	return err == nil && a.Scheme == b.Scheme && a.Host == b.Host
}

// web makes the requests to web servers, some at a time.
type web struct {
	e   *Engine
	ctx context.Context

	mu      sync.Mutex
	jobs    []func()
	workers int
	wg      sync.WaitGroup
}

func (w *web) start(ctx context.Context, e *Engine) { w.e, w.ctx = e, ctx }

// add has job done soon; false when too many wait.
func (w *web) add(job func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.jobs) >= w.e.cfg.Limits.HTTPQueue || w.ctx.Err() != nil {
		return false
	}
	w.jobs = append(w.jobs, job)
	if w.workers < w.e.cfg.Limits.HTTPWorkers {
		w.workers++
		w.wg.Go(w.run)
	}
	return true
}

// run does jobs until there are none.
func (w *web) run() {
	for {
		w.mu.Lock()
		if len(w.jobs) == 0 || w.ctx.Err() != nil {
			w.workers--
			w.mu.Unlock()
			return
		}
		job := w.jobs[0]
		w.jobs = w.jobs[1:]
		w.mu.Unlock()
		job()
	}
}

// wait waits for the workers; the context has been cancelled.
func (w *web) wait() {
	w.mu.Lock() // whoever is adding has added
	w.jobs = nil
	w.mu.Unlock()
	w.wg.Wait()
}

// post sends a message under AWS's rules of trying again: on 429 and 500 to 599, while there is
// time, unless the answer was long or the server closed the connection.
func (w *web) post(target string, h http.Header, body []byte) error {
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	limits := &w.e.cfg.Limits
	t := w.e.cfg.Clock.AfterFunc(limits.HTTPTime, cancel)
	defer t.Stop()
	var last error
	for try := 1; try <= limits.HTTPTries; try++ {
		again, err := w.once(ctx, target, h, body)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil && w.ctx.Err() != nil:
			return errors.New("the service is closing")
		case ctx.Err() != nil:
			return fmt.Errorf("no answer within %v, on try %d", limits.HTTPTime, try)
		}
		last = fmt.Errorf("%w, on try %d", err, try)
		if !again {
			break
		}
	}
	return last
}

func (w *web) once(ctx context.Context, target string, h http.Header, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header = h.Clone()
	resp, err := w.e.cfg.HTTP.RoundTrip(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	limit := int64(w.e.cfg.Limits.HTTPResponse)
	n, err := io.Copy(io.Discard, io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return false, err
	}
	if resp.StatusCode/100 == 2 {
		return false, nil
	}
	again = (resp.StatusCode == 429 || resp.StatusCode/100 == 5) && n <= limit && !resp.Close
	return again, fmt.Errorf("the server answered %s", resp.Status)
}

// destination is a place that rules may post to, once it has confirmed that it wants that.
type destination struct {
	Token   string `json:"confirmationToken"`
	Enabled bool   `json:"enabled"`
	Created int64  `json:"createdAt"` // seconds since 1970
}

// Destination is a destination as it is shown.
type Destination struct {
	URL     string `json:"confirmationUrl"`
	Status  string `json:"status"` // ENABLED or IN_PROGRESS
	Created int64  `json:"createdAt"`
}

func (e *Engine) enabled(url string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	d := e.destinations[url]
	return d != nil && d.Enabled
}

// want makes a destination if there is none, and asks it to confirm. e.mu is held.
func (e *Engine) want(url string, confirmed bool) error {
	d := e.destinations[url]
	if d != nil && (d.Enabled || !confirmed) {
		return nil
	}
	if d == nil {
		var token [32]byte
		if _, err := io.ReadFull(e.cfg.Rand, token[:]); err != nil {
			return fmt.Errorf("no entropy for a token: %w", err)
		}
		d = &destination{Token: hex.EncodeToString(token[:]), Created: e.cfg.Clock.Now().Unix()}
	}
	next := *d
	next.Enabled = confirmed
	if err := e.keepDestination(url, &next); err != nil {
		return err
	}
	if !confirmed {
		e.web.add(func() { e.askToConfirm(url, next.Token) })
	}
	return nil
}

func (e *Engine) keepDestination(url string, d *destination) error {
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	if err := e.put(keyDestination+url, text); err != nil {
		return fmt.Errorf("storing destination %s: %w", url, err)
	}
	e.destinations[url] = d
	return nil
}

// askToConfirm sends AWS's confirmation message. It has no enableUrl: the token goes to
// ConfirmDestination.
func (e *Engine) askToConfirm(url, token string) {
	text, err := json.Marshal(map[string]string{
		"arn":               fmt.Sprintf("arn:aws:iot:us-east-1:%s:ruledestination/http/%s", e.cfg.Account, token[:16]),
		"confirmationToken": token, "messageType": "DestinationConfirmation",
	})
	if err != nil {
		return // three strings
	}
	h := http.Header{}
	h.Set("content-type", "application/json")
	h.Set("x-amz-rules-engine-message-type", "DestinationConfirmation")
	if err := e.web.post(url, h, text); err != nil {
		e.log(event.Trouble, nil, fmt.Sprintf("asking destination %s to confirm: %v", url, err))
	}
}

// ConfirmDestination switches on the destination that a token was sent to, and names it.
func (e *Engine) ConfirmDestination(token string) (url string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for url, d := range e.destinations {
		if d.Token == token {
			next := *d
			next.Enabled = true
			return url, e.keepDestination(url, &next)
		}
	}
	return "", errors.New("no destination was sent this token")
}

// Destinations shows all destinations in order of their URLs.
func (e *Engine) Destinations() []Destination {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := []Destination{}
	for url, d := range e.destinations {
		status := "IN_PROGRESS"
		if d.Enabled {
			status = "ENABLED"
		}
		out = append(out, Destination{url, status, d.Created})
	}
	slices.SortFunc(out, func(a, b Destination) int { return strings.Compare(a.URL, b.URL) })
	return out
}
