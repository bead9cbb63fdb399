package web

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/traffic"
)

// newPage makes a page on a broker of its own, running until the test's end.
func newPage(t *testing.T) (*Page, *broker.Broker, *httptest.Server) {
	t.Helper()
	c := clock.NewManual(time.Unix(1e9, 0))
	b, err := broker.New(broker.Config{Clock: c, Rand: strings.NewReader(""), Limits: broker.DefaultLimits()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	p := New(Config{
		Token:    "secret",
		Overview: func() any { return map[string]int{"things": 1} },
		Shadows: func(thing string) (map[string]json.RawMessage, error) {
			if thing != "t" {
				return nil, errors.New("no such thing")
			}
			return map[string]json.RawMessage{"": json.RawMessage(`{"version":1}`)}, nil
		},
		Traffic: traffic.Source{Clock: c, Watch: b.Watch, Events: func(ctx context.Context, begun func(), each func(event.Event) error) error {
			begun()
			<-ctx.Done()
			return nil
		}},
	})
	ctx, cancel := context.WithCancel(context.Background())
	begun, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		if err := p.Run(ctx, func() { close(begun) }); err != nil {
			t.Error(err)
		}
	}()
	<-begun
	srv := httptest.NewServer(p)
	t.Cleanup(func() {
		cancel()
		<-ended
		srv.Close()
	})
	return p, b, srv
}

// get asks for a path with a cookie value and a Host header; "" leaves them as they are.
func get(t *testing.T, srv *httptest.Server, method, path, cookie, host string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: "skep-" + u.Port(), Value: cookie})
	}
	if host != "" {
		r.Host = host
	}
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

// TestWho: who gets in, by which name, with what.
func TestWho(t *testing.T) {
	p, _, srv := newPage(t)
	port := strings.TrimPrefix(p.URL(srv.Listener.Addr()), "http://127.0.0.1:")
	port, _, _ = strings.Cut(port, "/")
	for _, tt := range []struct {
		method, path, cookie, host string
		want                       int
		says                       string
	}{
		{"GET", "/", "", "", 403, "open the address"},
		{"GET", "/api/overview", "", "", 403, ""},
		{"GET", "/api/traffic", "wrong", "", 403, ""},
		{"GET", "/?token=wrong", "", "", 403, "not the token"},
		{"GET", "/?token=secret", "", "", 303, ""},
		{"GET", "/?token=secret", "", "evil.example", 421, "not as evil.example"},
		{"GET", "/api/overview", "secret", "evil.example:" + port, 421, ""},
		{"GET", "/api/overview", "secret", "127.0.0.1.evil.example:" + port, 421, ""},
		{"POST", "/api/overview", "secret", "", 405, "nothing can be changed"},
		{"OPTIONS", "/", "secret", "", 405, ""},
		{"GET", "/api/overview", "secret", "", 200, `{"things":1}`},
		{"GET", "/api/overview", "secret", "localhost:" + port, 200, ""},
		{"GET", "/api/overview", "secret", "[::1]:" + port, 200, ""},
		{"GET", "/api/shadows?thing=t", "secret", "", 200, `{"":{"version":1}}`},
		{"GET", "/api/shadows?thing=u", "secret", "", 404, "no such thing"},
		{"GET", "/", "secret", "", 200, "<title>skep cloud</title>"},
		{"GET", "/app.js", "secret", "", 200, "EventSource"},
		{"GET", "/app.js", "", "", 403, ""},
		{"GET", "/style.css", "secret", "", 200, ""},
		{"GET", "/nothing", "secret", "", 404, ""},
		{"GET", "/../web.go", "secret", "", 404, ""},
	} {
		status, header, body := get(t, srv, tt.method, tt.path, tt.cookie, tt.host)
		if status != tt.want || !strings.Contains(body, tt.says) {
			t.Errorf("%s %s cookie %q host %q: %d %.200s", tt.method, tt.path, tt.cookie, tt.host, status, body)
		}
		if !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: policy %q", tt.path, header.Get("Content-Security-Policy"))
		}
		if set := header.Get("Set-Cookie"); status == 303 && (!strings.Contains(set, "HttpOnly") || !strings.Contains(set, "SameSite=Strict") || header.Get("Location") != "/") {
			t.Errorf("the cookie is %q, then to %q", set, header.Get("Location"))
		}
	}
}

// stream reads the items of a visit, until n have come.
func stream(t *testing.T, srv *httptest.Server, last string, n int, begun func()) (items []traffic.Item, lastID string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/api/traffic", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(srv.URL, "http://"), ":")
	r.AddCookie(&http.Cookie{Name: "skep-" + port, Value: "secret"})
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for len(items) < n && lines.Scan() {
		text := lines.Text()
		switch {
		case text == "event: begun":
			lines.Scan() // its data
			begun()
		case strings.HasPrefix(text, "id: "):
			lastID = text[4:]
		case strings.HasPrefix(text, "data: "):
			var i traffic.Item
			if err := json.Unmarshal([]byte(text[6:]), &i); err != nil {
				t.Fatal(err)
			}
			items = append(items, i)
		}
	}
	return items, lastID
}

// TestStream: a visitor gets what was, what comes, and after a break only what it missed.
func TestStream(t *testing.T) {
	_, b, srv := newPage(t)
	publish := func(topic string, size int) {
		t.Helper()
		if err := b.Publish(broker.Message{Topic: topic, Payload: make([]byte, size)}); err != nil {
			t.Fatal(err)
		}
	}
	publish("first", 1)
	items, last := stream(t, srv, "", 2, func() { publish("second", maxPayload+1) })
	if len(items) != 2 || items[0].Message.Topic != "first" || items[1].Message.Topic != "second" || !strings.Contains(*items[1].Message.Text, "too long") {
		t.Fatalf("%+v", items)
	}
	publish("third", 1)
	items, _ = stream(t, srv, last, 1, func() {})
	if len(items) != 1 || items[0].Message.Topic != "third" {
		t.Errorf("after a break %+v", items)
	}
	// An id of an earlier life gets everything.
	if items, _ = stream(t, srv, "999", 3, func() {}); len(items) != 3 {
		t.Errorf("%d items", len(items))
	}
}

// TestKeep: only so much is kept for those who come later, and the last of it.
func TestKeep(t *testing.T) {
	p := New(Config{})
	for range 3 * keep {
		p.add(traffic.Item{Event: &traffic.Event{}})
	}
	v, missed := p.join(-1)
	if len(missed) != keep || missed[keep-1].n != 3*keep-1 || len(p.past) > 2*keep {
		t.Errorf("%d kept, the last is %d, of %d", len(missed), missed[len(missed)-1].n, len(p.past))
	}
	// Who does not read is cut off.
	for range viewerRoom + 1 {
		p.add(traffic.Item{Event: &traffic.Event{}})
	}
	n := 0
	for range v {
		n++
	}
	if n != viewerRoom || len(p.viewers) != 0 {
		t.Errorf("%d items before the end", n)
	}
}
