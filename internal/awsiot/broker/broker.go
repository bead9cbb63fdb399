package broker

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
)

// Broker carries messages between clients. Make one with New.
type Broker struct {
	cfg      Config
	tree     tree
	retained retainedSet
	buffers  sync.Pool // *[]byte for writers: an idle client holds none
	serial   atomic.Uint64
	tap      atomic.Pointer[func(*Message)]

	mu       sync.Mutex
	sessions map[string]*session
	conns    map[*conn]struct{}
	ticking  clock.Timer
	closed   bool
	wg       sync.WaitGroup
}

// New makes a Broker. retained are the stored messages SaveRetained was once given, by topic.
func New(cfg Config, retained map[string][]byte) (*Broker, error) {
	b := &Broker{cfg: cfg, sessions: map[string]*session{}, conns: map[*conn]struct{}{}}
	b.buffers.New = func() any { return new([]byte) }
	return b, b.retained.load(retained)
}

func (b *Broker) log(kind event.Kind, peer Peer, client, text string) {
	if b.cfg.Log == nil {
		return
	}
	b.cfg.Log(event.Event{
		Time: b.cfg.Clock.Now(), Kind: kind, Remote: peer.Remote, Client: client, CertID: peer.CertID, Text: text,
	})
}

// maxPacket is the longest remaining length worth reading: the largest PUBLISH, or a SUBSCRIBE
// of many long filters. What is a little too long is read, so that the rule can be named.
func (b *Broker) maxPacket() int {
	l := &b.cfg.Limits
	return max(l.Payload, l.Filters*(l.Topic+3)) + 64<<10
}

// Serve speaks MQTT on nc until the connection ends. The handshake runs under the same
// deadline as CONNECT.
func (b *Broker) Serve(nc net.Conn, shake Handshake) {
	c := &conn{b: b, nc: nc, accepted: b.cfg.Clock.Now(), wake: make(chan struct{}, 1), closed: make(chan struct{})}
	c.remote = nc.RemoteAddr().String()
	c.peer.Remote = c.remote
	if !b.admit(c) {
		nc.Close()
		return
	}
	defer b.wg.Done()
	defer b.dismiss(c)
	peer, err := shake()
	if err != nil {
		if !c.closing.Load() {
			b.log(event.Refused, c.peer, "", "TLS: "+plain(err))
		}
		c.close(reasonAuth, plain(err))
		return
	}
	c.peer = peer
	c.r = bufio.NewReaderSize(nc, 2048)
	if c.connect() {
		c.read()
	}
}

// admit counts a connection in; false when the broker is closed.
func (b *Broker) admit(c *conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.wg.Add(1)
	b.conns[c] = struct{}{}
	b.tick()
	return true
}

// dismiss ends what a connection held.
func (b *Broker) dismiss(c *conn) {
	c.close(reasonLost, "the connection ended")
	b.mu.Lock()
	delete(b.conns, c)
	mine := b.detach(c)
	b.mu.Unlock()
	if mine {
		b.gone(c)
	}
}

// detach takes a connection from its session; false if that has happened already. b.mu is held.
func (b *Broker) detach(c *conn) bool {
	s := c.sess
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != c {
		return false
	}
	s.conn = nil
	if s.clean {
		b.forget(s)
	} else {
		s.expires = b.cfg.Clock.Now().Add(b.cfg.Limits.SessionExpiry)
	}
	return true
}

// forget drops a session. b.mu and s.mu are held.
func (b *Broker) forget(s *session) {
	for filter := range s.subs {
		b.tree.remove(filter, s)
	}
	s.subs, s.queue, s.inflight, s.queueBytes = nil, nil, nil, 0
	s.clean = true // whoever still holds it queues nothing more
	if b.sessions[s.id] == s {
		delete(b.sessions, s.id)
	}
}

// gone tells the world that a client has left: its will, the lifecycle event, the log.
func (b *Broker) gone(c *conn) {
	b.log(event.Disconnected, c.peer, c.sess.id, c.reason+": "+c.why)
	if b.isClosed() {
		return
	}
	if c.will != nil && !c.preventWill.Load() && c.reason != reasonClient {
		b.publishWill(c)
	}
	b.presence(c, false)
}

func (b *Broker) isClosed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

// Publish sends a message as the service itself: no policy is asked. A retained one is kept.
func (b *Broker) Publish(m Message) error {
	if m.Retain {
		if err := b.retain(&m); err != nil {
			return err
		}
	}
	b.route(&m)
	return nil
}

// Tap shows f every message that is published, by a client or by AWS IoT itself, Basic Ingest
// aside; nil ends that. f runs on the publisher's goroutine, so it must not block, and it must
// not change the message. Without one a message costs a load and a comparison.
func (b *Broker) Tap(f func(m *Message)) {
	if f == nil {
		b.tap.Store(nil)
		return
	}
	b.tap.Store(&f)
}

// route hands m to everyone who subscribed to its topic. m must not change afterwards.
func (b *Broker) route(m *Message) {
	if tap := b.tap.Load(); tap != nil {
		(*tap)(m)
	}
	var room [16]target
	for _, t := range b.tree.match(m.Topic, room[:0]) {
		t.sub.deliver(m, t.qos)
	}
}

// PublishFor sends a message for a client that is not connected by MQTT and has been
// authorised: a request on a reserved topic is answered as if it had come by MQTT.
func (b *Broker) PublishFor(m Message) error {
	if m.Topic != "" && b.ingest(&m) {
		return nil
	}
	if err := b.Publish(m); err != nil {
		return err
	}
	if b.cfg.Service != nil && strings.HasPrefix(m.Topic, "$aws/things/") {
		r := &Request{Topic: m.Topic, Payload: m.Payload, Reply: func(string, []byte) {}, Done: func() {}}
		if m.From != nil {
			r.From = *m.From
		}
		b.cfg.Service.Handle(r)
	}
	return nil
}

// Reauthorize asks Config.Authorize again for every session of a certificate ("" for all) and
// closes those that may do nothing any more.
func (b *Broker) Reauthorize(certID string) {
	b.mu.Lock()
	var list []*session
	for _, s := range b.sessions {
		list = append(list, s)
	}
	b.mu.Unlock()
	for _, s := range list {
		s.mu.Lock()
		peer, c := s.peer, s.conn
		s.mu.Unlock()
		if certID != "" && peer.CertID != certID {
			continue
		}
		p, err := b.cfg.Authorize(peer, s.id, nil)
		if err != nil {
			if c != nil {
				b.log(event.Refused, peer, s.id, err.Error()+"; the connection is closed")
				c.close(reasonForbidden, err.Error())
			}
			continue
		}
		s.mu.Lock()
		s.policy = p
		s.mu.Unlock()
	}
}

// Close ends all connections and waits for their goroutines. Sessions are lost.
func (b *Broker) Close() {
	b.mu.Lock()
	b.closed = true
	if b.ticking != nil {
		b.ticking.Stop()
		b.ticking = nil
	}
	for c := range b.conns {
		// Closing may wait for a client that does not read.
		b.wg.Add(1)
		go func() {
			defer b.wg.Done()
			c.close(reasonServer, "the service is closing")
		}()
	}
	b.mu.Unlock()
	b.wg.Wait()
}

// tickEvery is how often deadlines are looked at: they are seconds and minutes.
const tickEvery = time.Second

// tick keeps the deadlines watched while there is anything to watch. b.mu is held. One timer
// for all instead of some for each: ten thousand idle clients then cost one glance a second.
func (b *Broker) tick() {
	if b.ticking != nil || b.closed || len(b.conns)+len(b.sessions) == 0 {
		return
	}
	b.ticking = b.cfg.Clock.AfterFunc(tickEvery, b.watch)
}

// watch closes connections whose time is up and forgets sessions that expired.
func (b *Broker) watch() {
	now := b.cfg.Clock.Now()
	var late []*conn
	b.mu.Lock()
	b.ticking = nil
	for c := range b.conns {
		if c.overdue(now) != nil {
			late = append(late, c)
		}
	}
	for _, s := range b.sessions {
		s.mu.Lock()
		if s.conn == nil && now.After(s.expires) {
			b.log(event.Note, s.peer, s.id, "the persistent session expired")
			b.forget(s)
		}
		s.mu.Unlock()
	}
	b.tick()
	for _, c := range late {
		end := c.overdue(now)
		if end == nil {
			continue
		}
		b.wg.Add(1)
		go func() {
			defer b.wg.Done()
			if !c.closing.Load() {
				peer, client := c.who()
				b.log(event.Refused, peer, client, end.text+"; the connection is closed")
			}
			c.close(end.reason, end.text)
		}()
	}
	b.mu.Unlock()
}
