package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/host/app"
)

// log is what links write to, from several goroutines.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newLink(t *testing.T, out *log) *cloudLink {
	t.Helper()
	l, err := newCloudLink("the test", out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.abandon)
	return l
}

func addrs(t *testing.T, l *cloudLink) cloudAddrs {
	t.Helper()
	a, err := l.addrs()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestLinks: the first link has the cloud, others use it; its end waits for them,
// or cuts them off, and then another takes over.
func TestLinks(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	var said log
	a, b, c := newLink(t, &said), newLink(t, &said), newLink(t, &said)
	at := addrs(t, a)
	if got := addrs(t, b); got != at {
		t.Fatalf("the second link is at %v, the first at %v", got, at)
	}
	files, err := b.prepare(app.Cloud{Thing: "one", Desired: map[string]any{"led": true}}, nil)
	if err != nil || len(files) != 3 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	if _, err := b.prepare(app.Cloud{Thing: "../one"}, nil); err == nil || !strings.Contains(err.Error(), "thing name") {
		t.Errorf("a bad name: %v", err)
	}
	a.own.events.tell(event.Event{Kind: event.Refused, Text: "by a rule"})

	done := make(chan struct{})
	go func() {
		a.close()
		close(done)
	}()
	select {
	case <-done:
		t.Error("the first link ended its cloud while the second used it")
	case <-time.After(100 * time.Millisecond):
	}
	b.close()
	<-done
	if !strings.Contains(said.String(), "cloud: refused: by a rule\n") {
		t.Errorf("a refusal was not passed on: %q", said.String())
	}

	// Now the third has the state, a fourth uses it, and the third leaves at once.
	addrs(t, c)
	d := newLink(t, &said)
	if got := addrs(t, d); got != addrs(t, c) {
		t.Fatal("the fourth link does not use the third's cloud")
	}
	c.abandon()
	for begin := time.Now(); !strings.Contains(said.String(), "has ended, and connections to it are lost"); time.Sleep(time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatalf("nobody said that the cloud has ended: %q", said.String())
		}
	}
	addrs(t, d)
	if d.own == nil {
		t.Error("nobody took over the cloud")
	}
}

// TestStaleShare: what a process that was killed leaves behind is no cloud.
func TestStaleShare(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_STATE_HOME", home)
	dir := filepath.Join(home, "skep", "cloud")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "{", `{"control":"127.0.0.1:1"}`, `{"control":"nonsense"}`} {
		if err := os.WriteFile(filepath.Join(dir, shareFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l := newLink(t, &log{})
		addrs(t, l)
		l.abandon()
	}
}

func TestEndpointKind(t *testing.T) {
	for host, want := range map[string]int{
		"abc-ats.iot.us-east-2.amazonaws.com": endpointATS, "ABC.IOT.eu-west-1.amazonaws.com.": endpointLegacy,
		"iot.us-east-2.amazonaws.com": -1, "a.b.iot.us-east-2.amazonaws.com": -1, "abc.iot.us-east-2.example.com": -1, "": -1, "....": -1,
	} {
		kind, ok := endpointKind(host)
		if !ok {
			kind = -1
		}
		if kind != want {
			t.Errorf("%q: kind %d, want %d", host, kind, want)
		}
	}
}
