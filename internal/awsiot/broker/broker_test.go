package broker

import (
	"bufio"
	"bytes"
	crand "crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/policy"
)

// The tests here are about time, queues and bytes, over connections in memory with a clock that
// is moved by hand. What the rules are over TLS is tested with the Server.

var openDocs = func() []*policy.Document {
	doc, err := policy.Parse("open", []byte(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`))
	if err != nil {
		panic(err)
	}
	return []*policy.Document{doc}
}()

// rig is a Broker with a manual clock and its log.
type rig struct {
	*Broker
	t     testing.TB
	clock *clock.Manual
	mu    sync.Mutex
	lines []string
}

func newRig(t testing.TB, change func(*Config)) *rig {
	r := &rig{t: t, clock: clock.NewManual(time.Unix(1700000000, 0))}
	l := DefaultLimits()
	l.PublishRate, l.ByteRate, l.ConnectRate = 0, 0, 0
	cfg := Config{
		Clock: r.clock, Rand: crand.Reader, Limits: l,
		Log: func(e event.Event) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.lines = append(r.lines, e.String())
		},
		Authorize: func(Peer, string, []string) (*policy.Compiled, error) {
			return policy.Compile(openDocs, &policy.Vars{}), nil
		},
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if r.Broker, err = New(cfg, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// until waits for a condition that other goroutines bring about.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.t.Fatalf("%s does not happen; the log:\n%s", what, strings.Join(r.lines, "\n"))
		}
	}
}

func (r *rig) said(words string) {
	r.t.Helper()
	r.until("the log line "+words, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return strings.Contains(strings.Join(r.lines, "\n"), words)
	})
}

// pipe connects a client in memory.
func (r *rig) pipe() net.Conn {
	client, server := net.Pipe()
	go r.Serve(server, func() (Peer, error) {
		return Peer{CertID: "cert", Remote: "pipe", IP: netip.MustParseAddr("10.0.0.1")}, nil
	})
	r.t.Cleanup(func() { client.Close() })
	client.SetDeadline(time.Now().Add(60 * time.Second))
	return client
}

func connectBytes(id string, clean bool, keepAlive byte) []byte {
	flags := byte(0)
	if clean {
		flags = 2
	}
	b := append([]byte{0x10, byte(12 + len(id)), 0, 4, 'M', 'Q', 'T', 'T', 4, flags, 0, keepAlive, 0, byte(len(id))}, id...)
	return b
}

func (r *rig) connect(id string, clean bool, keepAlive byte) net.Conn {
	r.t.Helper()
	c := r.pipe()
	r.write(c, connectBytes(id, clean, keepAlive))
	if got := r.read(c, 4); got[0] != 0x20 || got[3] != 0 {
		r.t.Fatalf("CONNACK % x", got)
	}
	return c
}

func (r *rig) write(c net.Conn, b []byte) {
	r.t.Helper()
	if _, err := c.Write(b); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) read(c net.Conn, n int) []byte {
	r.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(c, b); err != nil {
		r.t.Fatal(err)
	}
	return b
}

func (r *rig) subscribe(c net.Conn, filter string, qos byte) {
	r.t.Helper()
	r.write(c, append(append([]byte{0x82, byte(5 + len(filter)), 0, 1, 0, byte(len(filter))}, filter...), qos))
	if got := r.read(c, 5); got[4] != qos {
		r.t.Fatalf("SUBACK % x", got)
	}
}

func (r *rig) closed(c net.Conn) {
	r.t.Helper()
	if rest, err := io.ReadAll(c); len(rest) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		r.t.Fatalf("got % x, %v", rest, err)
	}
}

func TestHandshakeDeadline(t *testing.T) {
	r := newRig(t, nil)
	silent := r.pipe()
	half := r.pipe()
	r.write(half, []byte{0x10, 40, 0, 4, 'M'})
	r.until("both connections", func() bool { return r.count() == 2 })
	r.clock.Advance(9 * time.Second)
	in := r.connect("in-time", true, 60)
	r.clock.Advance(2 * time.Second)
	r.closed(silent)
	r.closed(half)
	r.said("no CONNECT within 10s")
	r.write(in, []byte{0xc0, 0})
	if got := r.read(in, 2); got[0] != 0xd0 {
		t.Fatalf("PINGRESP % x", got)
	}
}

func TestHandshakeBlocked(t *testing.T) {
	r := newRig(t, nil)
	client, server := net.Pipe()
	defer client.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Serve(server, func() (Peer, error) {
			_, err := server.Read(make([]byte, 1)) // a TLS handshake that never comes
			return Peer{}, err
		})
	}()
	r.until("the connection", func() bool { return r.count() == 1 })
	r.clock.Advance(11 * time.Second)
	<-done
}

// idle waits until no writer is in a write, so that moving the clock does not look like one
// that takes long.
func (r *rig) idle() {
	r.t.Helper()
	r.until("the end of writing", func() bool {
		r.Broker.mu.Lock()
		defer r.Broker.mu.Unlock()
		for c := range r.conns {
			if c.writing.Load() != 0 {
				return false
			}
		}
		return true
	})
}

func (r *rig) count() int {
	r.Broker.mu.Lock()
	defer r.Broker.mu.Unlock()
	return len(r.conns)
}

func TestKeepAlive(t *testing.T) {
	for _, tt := range []struct {
		asked  byte
		closes time.Duration
	}{
		{0, 1800 * time.Second},
		{5, 45 * time.Second}, // raised to 30 s
		{60, 90 * time.Second},
	} {
		r := newRig(t, nil)
		c := r.connect("c", true, tt.asked)
		for range 2 {
			r.idle()
			r.clock.Advance(tt.closes)
			r.write(c, []byte{0xc0, 0}) // still there, and heard
			r.read(c, 2)
		}
		r.idle()
		r.clock.Advance(tt.closes + 2*time.Second)
		r.closed(c)
		r.said("MQTT_KEEP_ALIVE_TIMEOUT")
	}
}

func TestSessionExpiry(t *testing.T) {
	r := newRig(t, nil)
	c := r.connect("c", false, 0)
	r.subscribe(c, "t", 1)
	c.Close()
	r.said("disconnected")
	r.clock.Advance(59 * time.Minute)
	c = r.pipe()
	r.write(c, connectBytes("c", false, 0))
	if got := r.read(c, 4); got[2] != 1 {
		t.Fatal("the session is gone before its time")
	}
	c.Close()
	r.until("the second disconnect", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return strings.Count(strings.Join(r.lines, "\n"), "disconnected") == 2
	})
	r.clock.Advance(61 * time.Minute)
	r.said("the persistent session expired")
	if got := r.tree.match("t", nil, true); len(got) != 0 {
		t.Fatal("its subscription is still there")
	}
	c = r.pipe()
	r.write(c, connectBytes("c", false, 0))
	if got := r.read(c, 4); got[2] != 0 {
		t.Fatal("the expired session is present")
	}
}

// TestPacedReplay: a resumed session gets what waited at ten messages a second, in order, and
// what comes meanwhile behind it.
func TestPacedReplay(t *testing.T) {
	r := newRig(t, nil)
	c := r.connect("c", false, 0)
	r.subscribe(c, "t", 1)
	c.Close()
	r.said("disconnected")
	send := func(n int) {
		if err := r.Publish(Message{Topic: "t", Payload: fmt.Appendf(nil, "%03d", n), QoS: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 30 {
		send(i)
	}
	c = r.connect("c", false, 0)
	next := 0
	var mu sync.Mutex
	go func() {
		br := bufio.NewReader(c)
		for {
			b := make([]byte, 10)
			if _, err := io.ReadFull(br, b); err != nil {
				return
			}
			mu.Lock()
			if want := fmt.Sprintf("%03d", next); string(b[7:]) != want || b[0] != 0x32 {
				t.Errorf("got %q, want %s", b, want)
			}
			next++
			mu.Unlock()
			c.Write([]byte{0x40, 2, b[5], b[6]})
		}
	}()
	got := func() int {
		mu.Lock()
		defer mu.Unlock()
		return next
	}
	r.until("the first message", func() bool { return got() == 1 })
	send(30)
	for want := 2; want <= 30; want++ {
		// The writer has to have asked the clock before it is moved.
		r.until(fmt.Sprintf("message %d", want), func() bool {
			if got() < want {
				r.clock.Advance(10 * time.Millisecond)
			}
			return got() >= want
		})
	}
	if passed := r.clock.Now().Sub(time.Unix(1700000000, 0)); passed < 2800*time.Millisecond {
		t.Fatalf("30 messages in %v", passed)
	}
	r.until("the live message", func() bool { r.clock.Advance(10 * time.Millisecond); return got() == 31 })
}

// TestSlowReader: a client that does not read loses messages, and the log says so; others are
// not held up, and in the end it is closed.
func TestSlowReader(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.QueueMessages = 50 })
	slow := r.connect("slow", true, 0)
	r.subscribe(slow, "t", 0)
	for i := range 200 {
		if err := r.Publish(Message{Topic: "t", Payload: make([]byte, 1000), QoS: byte(i % 2)}); err != nil {
			t.Fatal(err)
		}
	}
	r.said("wait for this client, which does not take them")
	r.until("the writer's write", func() bool {
		r.Broker.mu.Lock()
		defer r.Broker.mu.Unlock()
		for c := range r.conns {
			return c.writing.Load() != 0
		}
		return false
	})
	r.clock.Advance(32 * time.Second)
	r.said("the client has not read for 30s")
	r.until("the end", func() bool { return r.count() == 0 })
}

// TestAnswersWait: a client that sends PINGREQ and never reads is no longer read.
func TestAnswersWait(t *testing.T) {
	r := newRig(t, nil)
	c := r.connect("c", true, 0)
	c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
	sent := 0
	for range 1000 {
		n, err := c.Write(bytes.Repeat([]byte{0xc0, 0}, 100))
		sent += n
		if err != nil {
			break
		}
	}
	if sent > 4*maxControl {
		t.Fatalf("%d bytes of PINGREQ went in unread", sent)
	}
}

func TestThrottle(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.PublishRate, c.Limits.ByteRate = 100, 512<<10 })
	c := r.connect("c", true, 0)
	w, err := r.Watch("t")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for range 150 {
			if _, err := c.Write([]byte{0x30, 4, 0, 1, 't', 'x'}); err != nil {
				return
			}
		}
	}()
	got := 0
	take := func() {
		for {
			select {
			case <-w.C():
				got++
				continue
			case <-time.After(20 * time.Millisecond):
				return
			}
		}
	}
	r.until("the burst", func() bool { take(); return got >= 100 })
	take()
	if got > 101 {
		t.Fatalf("%d messages at once", got)
	}
	r.until("the rest", func() bool { r.clock.Advance(10 * time.Millisecond); take(); return got == 150 })
	if passed := r.clock.Now().Sub(time.Unix(1700000000, 0)); passed < 450*time.Millisecond {
		t.Fatalf("50 messages over the rate took %v", passed)
	}
}

// TestTakeoverStorm: whoever comes last holds the session; nobody is left over.
func TestTakeoverStorm(t *testing.T) {
	r := newRig(t, nil)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			c := r.pipe()
			c.Write(connectBytes("same", i%2 == 0, 0))
			buf := make([]byte, 4)
			io.ReadFull(c, buf)
			c.Write([]byte{0x82, 6, 0, 1, 0, 1, 't', 1})
			if i%3 == 0 {
				c.Close()
			}
		})
	}
	wg.Wait()
	r.until("one connection or none", func() bool { return r.count() <= 1 })
	last := r.connect("same", true, 0)
	r.until("one connection", func() bool { return r.count() == 1 })
	if got := r.tree.match("t", nil, true); len(got) != 0 {
		t.Fatalf("%d subscriptions of older sessions are left", len(got))
	}
	r.write(last, []byte{0xe0, 0})
	r.until("none", func() bool { return r.count() == 0 })
	r.Broker.mu.Lock()
	defer r.Broker.mu.Unlock()
	if len(r.sessions) != 0 {
		t.Fatalf("%d sessions are left", len(r.sessions))
	}
}

// TestOrder: messages of one publisher arrive in order, QoS 0 and 1 mixed, from many at once.
func TestOrder(t *testing.T) {
	r := newRig(t, nil)
	w, err := r.Watch("o/+")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for p := range 4 {
		c := r.connect(fmt.Sprint("p", p), true, 0)
		go io.Copy(io.Discard, c)
		wg.Go(func() {
			for i := range 200 {
				b := appendPublish(nil, &Message{Topic: fmt.Sprint("o/", p), Payload: []byte{byte(i)}}, byte(i%2), false, 1)
				if _, err := c.Write(b); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var next [4]int
	for range 800 {
		m := <-w.C()
		p := m.Topic[2] - '0'
		if int(m.Payload[0]) != next[p] {
			t.Fatalf("publisher %d: message %d, want %d", p, m.Payload[0], next[p])
		}
		next[p]++
	}
	wg.Wait()
	w.Close()
	if _, open := <-w.C(); open {
		t.Fatal("a closed Watcher gives messages")
	}
}

func TestWatcherLoses(t *testing.T) {
	r := newRig(t, nil)
	w, err := r.Watch("t")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for range watchRoom + 5 {
		if err := r.Publish(Message{Topic: "t"}); err != nil {
			t.Fatal(err)
		}
	}
	if w.Lost() != 5 {
		t.Fatalf("lost %d", w.Lost())
	}
	if _, err := r.Watch("a#"); err == nil {
		t.Fatal("a bad filter is watched")
	}
}

func TestClosedBroker(t *testing.T) {
	r := newRig(t, nil)
	c := r.connect("c", true, 0)
	r.Close()
	r.closed(c)
	client, server := net.Pipe()
	r.Serve(server, nil)
	r.closed(client)
}
