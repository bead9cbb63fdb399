package broker

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/policy"
)

// session is a client's subscriptions and messages. A persistent one outlives its connections.
type session struct {
	b    *Broker
	id   string
	away atomic.Bool // there is no connection; set with conn, for those without the lock

	mu     sync.Mutex
	conn   *conn // nil while the client is away
	clean  bool  // it ends with its connection
	expiry time.Duration
	policy *policy.Compiled // kept while away: it decides what is queued
	peer   Peer
	subs   map[string]subOptions

	queue      []outgoing // waiting to be sent, in order
	queueBytes int
	full       bool       // a message was dropped and that was said
	inflight   []outgoing // sent with QoS 1, not acknowledged, in order
	seq        uint64     // of the last message with QoS 1
	backlog    int        // messages at the head of queue that are a replay, and paced
	nextReplay time.Time

	expires time.Time // while away
	will    *Message  // of the last connection, delayed
	willAt  time.Time
	denied  string // the topic whose Receive was refused last, to say it once
}

// outgoing is a message on its way to one client.
type outgoing struct {
	m      *Message
	seq    uint64 // with QoS 1: place in the order, which gives the packet identifier
	sent   int64  // UnixMilli
	qos    byte
	retain bool
	stored bool
}

// id is the packet identifier: it stays the same for a message that is sent again, also after
// a restart.
func (o *outgoing) id() uint16 { return uint16(o.seq%65535) + 1 }

// deliver queues a message for the client. It never blocks: what does not fit is dropped, and
// said.
func (s *session) deliver(m *Message, o subOptions) (storing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	qos := min(o.qos(), m.QoS)
	if s.conn == nil && (s.clean || qos == 0) {
		return false
	}
	if o&optNoLocal != 0 && m.From != nil && m.From.ClientID == s.id {
		return false
	}
	if d := s.policy.Check(policy.Receive, m.Topic); !d.Allowed {
		if s.denied != m.Topic {
			s.denied = m.Topic
			s.b.log(event.Refused, s.peer, s.id, fmt.Sprintf("iot:Receive on topic/%s: %s; the message is not delivered", m.Topic, d))
		}
		return false
	}
	return s.enqueue(m, qos, o&optRetained != 0 || o&optRetainAsPublished != 0 && m.Retain)
}

func (s *session) online() bool { return !s.away.Load() }

// enqueue puts a message at the end of the queue, if there is room. s.mu is held.
func (s *session) enqueue(m *Message, qos byte, retain bool) (storing bool) {
	if refused := s.noRoom(m); refused != "" {
		if !s.full {
			s.full = true
			s.b.log(event.Refused, s.peer, s.id, refused)
		}
		return false
	}
	if 2*len(s.queue) < s.b.cfg.Limits.QueueMessages && 2*s.queueBytes < s.b.cfg.Limits.QueueBytes {
		s.full = false // one place that is free for a moment is no news
	}
	o := outgoing{m: m, qos: qos, retain: retain}
	if qos > 0 {
		o.seq = s.nextSeq()
		if o.stored = !s.clean && s.b.cfg.Sessions != nil; o.stored {
			s.store(&o)
		}
	}
	s.queue = append(s.queue, o)
	s.queueBytes += len(m.Payload)
	if s.conn != nil {
		s.conn.wake()
	}
	return o.stored
}

// noRoom says why m cannot be queued, "" if it can.
func (s *session) noRoom(m *Message) string {
	l := &s.b.cfg.Limits
	if c := s.conn; c != nil && c.maxPacket > 0 && publishSize(m) > int(c.maxPacket) {
		return fmt.Sprintf("the client takes packets of %d bytes at most: a message on %s is dropped", c.maxPacket, m.Topic)
	}
	if len(s.queue) >= l.QueueMessages || s.queueBytes+len(m.Payload) > l.QueueBytes {
		return fmt.Sprintf("%d messages (%d bytes) wait for this client, which does not take them as fast as they come: further ones are dropped, the first on %s",
			len(s.queue), s.queueBytes, m.Topic)
	}
	return ""
}

// nextSeq gives the next message its place, such that no message in flight or in the queue has
// its packet identifier.
func (s *session) nextSeq() uint64 {
	for {
		s.seq++
		if len(s.inflight) == 0 || s.seq-s.inflight[0].seq < 65535 {
			return s.seq
		}
		taken := false
		for i := range s.inflight {
			taken = taken || s.inflight[i].seq%65535 == s.seq%65535
		}
		if !taken {
			return s.seq
		}
	}
}

// reply sends a message past subscriptions and the policy's Receive; false if the client is
// away.
func (s *session) reply(m *Message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return false
	}
	s.enqueue(m, m.QoS, false)
	return true
}

// acknowledged drops a message from the ones in flight. Any order of acknowledgements will do.
func (s *session) acknowledged(id uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.inflight {
		if s.inflight[i].id() != id {
			continue
		}
		if acked := s.inflight[i].m.Acked; acked != nil {
			acked()
		}
		s.unstore(&s.inflight[i])
		s.inflight = append(s.inflight[:i], s.inflight[i+1:]...)
		if len(s.inflight) == 0 {
			s.inflight = nil
		}
		if s.conn != nil && len(s.queue) > 0 {
			s.conn.wake()
		}
		return
	}
}

// giveUp drops messages in flight that the client has not acknowledged for too long. s.mu is
// held.
func (s *session) giveUp(now time.Time) {
	limit := s.b.cfg.Limits.RetryTime
	if limit <= 0 || len(s.inflight) == 0 || s.conn == nil {
		return
	}
	n := 0
	for n < len(s.inflight) && now.UnixMilli()-s.inflight[n].sent > limit.Milliseconds() {
		s.unstore(&s.inflight[n])
		n++
	}
	if n > 0 {
		s.b.log(event.Refused, s.peer, s.id, fmt.Sprintf("%d messages were not acknowledged within %v and are dropped, the first on %s", n, limit, s.inflight[0].m.Topic))
		s.inflight = append([]outgoing(nil), s.inflight[n:]...)
		s.conn.wake()
	}
}

// resume makes the session ready for a new connection: what was sent and not acknowledged is
// sent again, before what waited, paced.
func (s *session) resume(now time.Time) {
	if len(s.inflight) > 0 {
		for i := range s.inflight {
			s.queueBytes += len(s.inflight[i].m.Payload)
		}
		s.queue = append(s.inflight, s.queue...)
		s.inflight = nil
	}
	s.backlog = len(s.queue)
	s.nextReplay = now
}

// take appends packets to b until there is nothing to send now or b is long enough. It gives
// the time to wait for when only the replay's pace holds the next message back.
func (s *session) take(c *conn, b []byte, enough int, now time.Time) (out []byte, wait time.Duration) {
	l := &s.b.cfg.Limits
	for len(s.queue) > 0 && len(b) < enough {
		o := s.queue[0]
		if o.qos > 0 && len(s.inflight) >= c.receiveMax {
			break
		}
		if o.m.expired(now) {
			s.unstore(&o)
			s.shift()
			continue
		}
		if s.backlog > 0 && l.ReplayRate > 0 {
			if d := s.nextReplay.Sub(now); d > 0 {
				return b, d
			}
			s.nextReplay = now.Add(time.Second / time.Duration(l.ReplayRate))
		}
		s.shift()
		if o.qos > 0 {
			o.sent = now.UnixMilli()
			s.inflight = append(s.inflight, o)
		}
		b = c.appendMessage(b, &o, now)
	}
	if len(s.queue) == 0 {
		s.queue = nil
	}
	return b, 0
}

// shift takes the first message from the queue.
func (s *session) shift() {
	s.queueBytes -= len(s.queue[0].m.Payload)
	s.queue[0] = outgoing{}
	s.queue = s.queue[1:]
	s.backlog = max(0, s.backlog-1)
}
