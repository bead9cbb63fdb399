package broker

import (
	"fmt"
	"sync"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/policy"
)

// session is a client's subscriptions and messages. A persistent one outlives its connections.
type session struct {
	b  *Broker
	id string

	mu     sync.Mutex
	conn   *conn // nil while the client is away
	clean  bool
	policy *policy.Compiled // kept while away: it decides what is queued
	peer   Peer
	subs   map[string]byte // filter -> granted QoS

	queue      []outgoing // waiting to be sent, in order
	queueBytes int
	full       bool       // a message was dropped and that was said
	inflight   []outgoing // sent with QoS 1, not acknowledged, in order
	lastID     uint16
	backlog    int // messages at the head of queue that are a replay, and paced
	nextReplay time.Time

	expires time.Time // while away
	denied  string    // the topic whose Receive was refused last, to say it once
}

// outgoing is a message on its way to one client.
type outgoing struct {
	m      *Message
	qos    byte
	retain bool
	id     uint16 // given when first sent with QoS 1
}

// deliver queues a message for the client. It never blocks: what does not fit is dropped, and
// said.
func (s *session) deliver(m *Message, qos byte) {
	s.send(m, min(qos, m.QoS), false)
}

func (s *session) send(m *Message, qos byte, retain bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil && (s.clean || qos == 0) {
		return
	}
	if d := s.policy.Check(policy.Receive, m.Topic); !d.Allowed {
		if s.denied != m.Topic {
			s.denied = m.Topic
			s.b.log(event.Refused, s.peer, s.id, fmt.Sprintf("iot:Receive on topic/%s: %s; the message is not delivered", m.Topic, d))
		}
		return
	}
	s.enqueue(m, qos, retain)
}

// enqueue puts a message at the end of the queue, if there is room. s.mu is held.
func (s *session) enqueue(m *Message, qos byte, retain bool) {
	l := &s.b.cfg.Limits
	if len(s.queue) >= l.QueueMessages || s.queueBytes+len(m.Payload) > l.QueueBytes {
		if !s.full {
			s.full = true
			s.b.log(event.Refused, s.peer, s.id, fmt.Sprintf(
				"%d messages (%d bytes) wait for this client, which does not take them: further ones are dropped, the first on %s",
				len(s.queue), s.queueBytes, m.Topic))
		}
		return
	}
	s.full = false
	s.queue = append(s.queue, outgoing{m: m, qos: qos, retain: retain})
	s.queueBytes += len(m.Payload)
	if s.conn != nil {
		s.conn.wakeWriter()
	}
}

// reply sends an answer past subscriptions and the policy's Receive; false if the client is
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
		if s.inflight[i].id == id {
			if acked := s.inflight[i].m.Acked; acked != nil {
				acked()
			}
			s.inflight = append(s.inflight[:i], s.inflight[i+1:]...)
			if s.conn != nil && len(s.queue) > 0 {
				s.conn.wakeWriter()
			}
			return
		}
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
func (s *session) take(b []byte, enough int, now time.Time) (out []byte, wait time.Duration) {
	l := &s.b.cfg.Limits
	for len(s.queue) > 0 && len(b) < enough {
		o := s.queue[0]
		if o.qos > 0 && len(s.inflight) >= l.InFlight {
			break
		}
		if s.backlog > 0 && l.ReplayRate > 0 {
			if d := s.nextReplay.Sub(now); d > 0 {
				return b, d
			}
			s.nextReplay = now.Add(time.Second / time.Duration(l.ReplayRate))
		}
		s.backlog = max(0, s.backlog-1)
		s.queue[0] = outgoing{}
		s.queue = s.queue[1:]
		s.queueBytes -= len(o.m.Payload)
		if o.qos > 0 {
			if o.id == 0 {
				o.id = s.newID()
			}
			s.inflight = append(s.inflight, o)
		}
		b = appendPublish(b, o.m, o.qos, o.retain, o.id)
	}
	if len(s.queue) == 0 {
		s.queue = nil
	}
	return b, 0
}

// newID gives a packet identifier no message in flight or in the queue has.
func (s *session) newID() uint16 {
	for {
		s.lastID++
		if s.lastID != 0 && !idIn(s.inflight, s.lastID) && !idIn(s.queue[:s.backlog], s.lastID) {
			return s.lastID
		}
	}
}

func idIn(list []outgoing, id uint16) bool {
	for i := range list {
		if list[i].id == id {
			return true
		}
	}
	return false
}
