package broker

import (
	"bufio"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
)

// Broker carries messages between clients. Make one with New.
type Broker struct {
	cfg        Config
	tree       tree
	retained   retainedSet
	buffers    sync.Pool // *[]byte for writers: an idle client holds none
	readers    sync.Pool // *bufio.Reader, likewise
	serial     atomic.Uint64
	tap        atomic.Pointer[func(*Message)]
	storeFails atomic.Bool // the last write of a session failed
	interest   sync.Mutex  // a change of the tree and what a backbone is told of it

	mu         sync.Mutex
	sessions   map[string]*session
	departures map[string]departure // by client id
	conns      map[*conn]struct{}
	connects   bucket
	connectsOf map[string]*bucket // by client id
	ticking    clock.Timer
	closed     bool
	wg         sync.WaitGroup
}

// New makes a Broker. retained are the stored messages SaveRetained was once given, by topic;
// persistent sessions come from Config.Sessions.
func New(cfg Config, retained map[string][]byte) (*Broker, error) {
	b := &Broker{cfg: cfg, sessions: map[string]*session{}, conns: map[*conn]struct{}{}, connectsOf: map[string]*bucket{}, departures: map[string]departure{}}
	b.buffers.New = func() any { return new([]byte) }
	b.readers.New = func() any { return bufio.NewReaderSize(nil, 4096) }
	if err := b.retained.load(retained); err != nil {
		return nil, err
	}
	if cfg.Backbone != nil {
		if err := cfg.Backbone.Start(b); err != nil {
			return nil, err
		}
	}
	if cfg.Sessions != nil {
		if err := b.loadSessions(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// recycle gives a writer's buffer back, unless it has grown too much.
func (b *Broker) recycle(buf *[]byte, used []byte) {
	if cap(used) <= 4*writeBatch {
		*buf = used
		b.buffers.Put(buf)
	}
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
	c := &conn{b: b, nc: nc, accepted: b.cfg.Clock.Now(), closed: make(chan struct{})}
	c.peer.Remote = nc.RemoteAddr().String()
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
		c.close(reasonAuth, 0, plain(err))
		return
	}
	c.peer = peer
	c.r = reader{from: nc, pool: &b.readers}
	defer c.r.drop()
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
	c.close(reasonLost, 0, "the connection ended")
	if c.connected.Load() {
		c.noWriter()
	}
	c.nc.Close()
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
	s.away.Store(true)
	if s.clean {
		b.forget(s)
		return true
	}
	now := b.cfg.Clock.Now()
	s.expires = now.Add(s.expiry)
	if delay := time.Duration(c.hello.willDelay) * time.Second; delay > 0 && c.will != nil && !c.preventWill.Load() {
		s.will, s.willAt, c.will = c.will, now.Add(delay), nil // the session has it now
	}
	// What is QoS 0 does not wait for the client's return.
	s.queue = slices.DeleteFunc(s.queue, func(o outgoing) bool {
		if o.qos == 0 {
			s.queueBytes -= len(o.m.Payload)
		}
		return o.qos == 0
	})
	s.save()
	return true
}

// forget drops a session. b.mu and s.mu are held.
func (b *Broker) forget(s *session) {
	for filter := range s.subs {
		b.unsubscribe(filter, s)
	}
	s.unsave()
	s.subs, s.queue, s.inflight, s.queueBytes, s.will = nil, nil, nil, 0, nil
	s.clean = true // whoever still holds it queues nothing more
	if b.sessions[s.id] == s {
		delete(b.sessions, s.id)
	}
}

// gone tells the world that a client has left: its will, the lifecycle event, the log.
func (b *Broker) gone(c *conn) {
	b.departed(c)
	b.log(event.Disconnected, c.peer, c.sess.id, c.reason+": "+c.why)
	if b.isClosed() {
		return
	}
	if c.will != nil && !c.preventWill.Load() {
		b.publishWill(c.will, c.sess)
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
	m.received(b.cfg.Clock.Now())
	if m.Retain {
		if err := b.retain(&m); err != nil {
			return err
		}
	}
	b.route(&m, nil)
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

// route hands a message published on this node to everyone who subscribed to its topic, on
// this node and on others. m must not change afterwards. It says whether the message is on its
// way to the store; done, unless it is nil, is called once the other nodes have the message.
func (b *Broker) route(m *Message, done func(error)) (storing bool) {
	if tap := b.tap.Load(); tap != nil {
		(*tap)(m)
	}
	if b.cfg.Backbone == nil {
		return b.local(m, true)
	}
	// The others first: what a session here has, and takes along to another node, they can know of.
	if done == nil {
		b.cfg.Backbone.Publish(m, func(error) {})
	} else if !b.cfg.Backbone.Publish(m, done) {
		done(nil)
	}
	return b.local(m, false)
}

// local hands m to the subscribers on this node, with groups to one member of each shared
// subscription too.
func (b *Broker) local(m *Message, groups bool) (storing bool) {
	var room [16]target
	for _, t := range b.tree.match(m.Topic, room[:0], groups) {
		if t.sub.deliver(m, t.opts) {
			storing = true
		}
	}
	return storing
}

// PublishFor sends a message for a client that is not connected by MQTT and has been
// authorised: a request on a reserved topic is answered as if it had come by MQTT.
func (b *Broker) PublishFor(m Message) error {
	if m.Properties != nil {
		if broken := m.Properties.Rule(); broken != "" {
			return errors.New(broken)
		}
	}
	if m.Topic != "" && b.ingest(&m) {
		return nil
	}
	if err := b.Publish(m); err != nil {
		return err
	}
	b.request(&m, nil)
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
				c.close(reasonForbidden, codeNotAuthorized, err.Error())
			}
			continue
		}
		s.mu.Lock()
		s.policy = p
		s.mu.Unlock()
	}
}

// Close ends all connections and waits for their goroutines. Persistent sessions are lost unless
// Config.Sessions keeps them.
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
			c.close(reasonServer, codeShuttingDown, "the service is closing")
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

// watch closes connections whose time is up and looks after sessions.
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
	wills := b.lookAtSessions(now)
	b.forgetConnects(now)
	b.forgetDepartures(now)
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
			c.close(end.reason, end.code, end.text)
		}()
	}
	b.mu.Unlock()
	for _, w := range wills {
		b.publishWill(w.m, w.s)
	}
}

// lookAtSessions forgets sessions that have expired, gives up messages nobody acknowledges, and
// gives the wills that are due. b.mu is held.
func (b *Broker) lookAtSessions(now time.Time) (due []dueWill) {
	for _, s := range b.sessions {
		s.mu.Lock()
		s.giveUp(now)
		expired := s.conn == nil && now.After(s.expires)
		if s.will != nil && s.conn == nil && (expired || now.After(s.willAt)) {
			due = append(due, dueWill{s.will, s})
			s.will = nil
		}
		if expired {
			b.log(event.Note, s.peer, s.id, "the persistent session expired")
			b.forget(s)
		}
		s.mu.Unlock()
	}
	return due
}
