// Package web is a page that shows what happens in a local AWS IoT: things, certificates, shadows
// with what desired and reported differ in, messages as they pass, connections and why they
// ended, refusals and why.
//
// It only shows: nothing can be changed through it, and it has no authority of its own. Its files
// are embedded, it needs no network beyond its own address, no framework and no build step.
//
// Who may see it: whoever has the token, which is in the address that Page.URL gives and goes into
// a cookie at the first visit. A request must name the server by address or as localhost (a name
// of somebody else's that leads here is refused: DNS rebinding), and nothing but GET is served.
package web

import (
	"context"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"github.com/skep-sim/skep/internal/awsiot/traffic"
)

//go:embed static
var static embed.FS

// Config is what a Page shows, and to whom.
type Config struct {
	// Traffic is what passes.
	Traffic traffic.Source
	// Overview gives all that is registered and connected; it goes as JSON.
	Overview func() any
	// Shadows gives a thing's shadows by name, "" for the classic one, each as a get request
	// answers it.
	Shadows func(thing string) (map[string]json.RawMessage, error)
	// Token is what a visitor must have.
	Token string
}

// Page is the page's server. Make one with New; Run keeps it informed.
type Page struct {
	cfg   Config
	files http.Handler

	mu      sync.Mutex
	past    []traffic.Item // the newest last
	next    int64          // number of the next item
	viewers map[chan numbered]struct{}
	ended   bool
}

// numbered is an item with its place in the order of all.
type numbered struct {
	n    int64
	item traffic.Item
}

const (
	keep       = 500     // items that a new visitor gets to see
	viewerRoom = 1000    // items that wait for a slow visitor before it is cut off
	maxPayload = 8 << 10 // bytes of a payload that are shown
)

// New makes a Page.
func New(c Config) *Page {
	sub, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the directory is embedded
	}
	return &Page{cfg: c, files: http.FileServerFS(sub), viewers: map[chan numbered]struct{}{}}
}

// Run takes in what passes until ctx is done. It calls begun when it has begun.
func (p *Page) Run(ctx context.Context, begun func()) error {
	defer p.end()
	return traffic.Follow(ctx, p.cfg.Traffic, traffic.All(), true, begun, func(i traffic.Item) error {
		p.add(i)
		return nil
	})
}

// end sends the visitors away.
func (p *Page) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	for v := range p.viewers {
		close(v)
	}
	clear(p.viewers)
}

func (p *Page) add(i traffic.Item) {
	if m := i.Message; m != nil && m.Size > maxPayload {
		short := *m
		short.JSON, short.Data = nil, nil
		text := "(too long to show here; skep cloud watch shows it)"
		short.Text = &text
		i.Message = &short
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	n := numbered{p.next, i}
	p.next++
	if p.past = append(p.past, i); len(p.past) > 2*keep {
		p.past = append(p.past[:0], p.past[len(p.past)-keep:]...)
	}
	for v := range p.viewers {
		select {
		case v <- n:
		default: // it comes again by itself, and gets what it missed
			close(v)
			delete(p.viewers, v)
		}
	}
}

// join makes a viewer and gives what it has missed since item after.
func (p *Page) join(after int64) (v chan numbered, missed []numbered) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v = make(chan numbered, viewerRoom)
	if p.ended {
		close(v)
		return v, nil
	}
	p.viewers[v] = struct{}{}
	past := p.past[max(0, len(p.past)-keep):]
	first := p.next - int64(len(past))
	for i, item := range past {
		if n := first + int64(i); n > after || after >= p.next { // a number of an earlier life counts for nothing
			missed = append(missed, numbered{n, item})
		}
	}
	return v, missed
}

func (p *Page) leave(v chan numbered) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.viewers, v)
}

// URL is the page's address for a visitor.
func (p *Page) URL(addr net.Addr) string { return "http://" + addr.String() + "/?token=" + p.cfg.Token }

// cookieName is the same for all visits to one port, and another for another.
func cookieName(r *http.Request) string {
	_, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		port = "80"
	}
	return "skep-" + port
}

// ServeHTTP answers a request.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if !plainHost(r.Host) {
		http.Error(w, "this page is reached by its address or as localhost, not as "+strings.ToValidUTF8(r.Host, "?"), http.StatusMisdirectedRequest)
		return
	}
	if r.Method != http.MethodGet {
		h.Set("Allow", "GET")
		http.Error(w, "nothing can be changed here", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path == "/" && r.URL.Query().Has("token") {
		p.enter(w, r)
		return
	}
	if c, err := r.Cookie(cookieName(r)); err != nil || !p.knows(c.Value) {
		http.Error(w, "open the address that skep cloud --web has written: it has the token", http.StatusForbidden)
		return
	}
	switch r.URL.Path {
	case "/api/overview":
		writeJSON(w, p.cfg.Overview())
	case "/api/shadows":
		p.shadows(w, r)
	case "/api/traffic":
		p.traffic(w, r)
	default:
		p.files.ServeHTTP(w, r)
	}
}

// plainHost says whether a Host header names this machine without anybody's DNS.
func plainHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	_, err = netip.ParseAddr(name)
	return err == nil || strings.EqualFold(name, "localhost")
}

func (p *Page) knows(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(p.cfg.Token)) == 1
}

// enter exchanges the token in the address for a cookie, and takes it out of the address.
func (p *Page) enter(w http.ResponseWriter, r *http.Request) {
	if !p.knows(r.URL.Query().Get("token")) {
		http.Error(w, "that is not the token of this page: open the address that skep cloud --web has written", http.StatusForbidden)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName(r), Value: p.cfg.Token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	// An error can only be the visitor's having left.
	_ = json.NewEncoder(w).Encode(v)
}

func (p *Page) shadows(w http.ResponseWriter, r *http.Request) {
	all, err := p.cfg.Shadows(r.URL.Query().Get("thing"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	writeJSON(w, all)
}
