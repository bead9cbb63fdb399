package broker

import "fmt"

// Backbone joins brokers, the nodes, into one endpoint. A client is connected to one node;
// what it publishes reaches subscribers on all, and its persistent session follows it. Without
// one (nil) the broker pays a comparison for each message.
//
// What an implementation has to know:
//
//   - Loops. The broker calls Publish for messages that were published on its own node only.
//     What arrives from elsewhere goes to Broker.Deliver, which never calls Publish.
//   - Copies. Interest is refcounted: one call when a filter gets its first subscriber here
//     and one when it loses the last. Filters overlap, so a transport that delivers once a
//     filter must take care that Deliver is called once a message.
//   - Shared subscriptions. With a Backbone the broker chooses no member of a group by itself,
//     not even for its own messages: the implementation gives each message to exactly one of
//     the nodes that have interest in "$share/GROUP/FILTER", this one included, with
//     DeliverShared.
//   - Acknowledgements. The PUBACK of a QoS 1 message waits for Publish's done if Publish says
//     so; an error closes the publisher's connection, and it will publish again.
//   - Retained messages and sessions: Retain returns when all nodes will know; LearnRetained
//     takes what others retained. Claim asks the node that has a client to let go of it
//     (Broker.TakeOver there) and brings its session.
//
// Interest, Publish and done must not block and must not call back into the broker before they
// return; Claim and Retain may wait for the network. Lifecycle events and the answers of the
// shadow service are messages like all others.
type Backbone interface {
	// Start gives the implementation the broker it works for, before anything else is called.
	Start(b *Broker) error
	// Interest says that a filter has subscribers here from now on, or none any more.
	Interest(filter string, on bool)
	// AwaitInterest returns when what is published at another node from now on reaches the filters
	// that Interest was told of before. A node that does not answer is not waited for long.
	AwaitInterest()
	// Publish sends a message to the other nodes. waits says that done will be called, with
	// nil once the message is safe there.
	Publish(m *Message, done func(error)) (waits bool)
	// Claim makes this node the one that has the client. clean asks for no session. The state
	// is nil if no other node has one.
	Claim(clientID string, clean bool) (*SessionState, error)
	// Retain tells the other nodes of a retained message; nil value removes it.
	Retain(topic string, value []byte) error
}

// Deliver takes a message from another node to the subscribers here, shared subscriptions
// aside. For a QoS 1 message safe, if it is not nil, is called when it is in the stored queues
// of the persistent sessions that get it.
func (b *Broker) Deliver(m *Message, safe func(error)) {
	m.received(b.cfg.Clock.Now())
	b.settle(b.local(m, false), safe)
}

// DeliverShared takes a message to one member of a shared subscription, "$share/GROUP/FILTER";
// false says that it has none here any more.
func (b *Broker) DeliverShared(filter string, m *Message, safe func(error)) bool {
	t, ok := b.tree.matchGroup(filter)
	if !ok {
		return false
	}
	m.received(b.cfg.Clock.Now())
	b.settle(t.sub.deliver(m, t.opts), safe)
	return true
}

// DeliverTo takes a message to one client's persistent session alone, if a subscription of it
// matches: what it has missed while its session had no node.
func (b *Broker) DeliverTo(clientID string, m *Message) {
	b.mu.Lock()
	s := b.sessions[clientID]
	b.mu.Unlock()
	if s == nil {
		return
	}
	m.received(b.cfg.Clock.Now())
	var room [16]target
	for _, t := range b.tree.match(m.Topic, room[:0], false) {
		if t.sub == subscriber(s) {
			t.sub.deliver(m, t.opts)
		}
	}
}

func (b *Broker) settle(storing bool, safe func(error)) {
	switch {
	case safe == nil:
	case storing:
		b.cfg.Sessions.Barrier(safe)
	default:
		safe(nil)
	}
}

// LearnRetained takes a retained message of another node, in the form Backbone.Retain got.
func (b *Broker) LearnRetained(topic string, value []byte) error {
	return b.retained.put(topic, value)
}

// TakeOver lets go of a client that has connected to another node: its connection is closed
// for DUPLICATE_CLIENTID and its persistent session, nil for none, ends here. remote is where
// it has connected from, and clean says that the session does not go on there: a will that waits
// is sent then, and else is prevented.
func (b *Broker) TakeOver(clientID, remote string, clean bool) *SessionState {
	b.mu.Lock()
	delete(b.departures, clientID) // it is elsewhere now
	s := b.sessions[clientID]
	if s == nil {
		b.mu.Unlock()
		return nil
	}
	s.mu.Lock()
	older := s.conn
	s.mu.Unlock()
	if older != nil {
		b.detach(older)
	}
	var st *SessionState
	var late *Message
	if b.sessions[clientID] == s {
		s.mu.Lock()
		if clean {
			late = s.will
		}
		st = s.handOver()
		b.forget(s)
		s.mu.Unlock()
	}
	b.mu.Unlock()
	if older != nil {
		older.close(reasonDuplicate, codeTakenOver, "another connection came with the same client id, on another node, from "+remote)
		b.gone(older)
	}
	if late != nil {
		b.publishWill(late, s)
	}
	return st
}

// handOver describes the session with all its messages. s.mu is held.
func (s *session) handOver() *SessionState {
	st := s.state()
	for _, list := range [...][]outgoing{s.inflight, s.queue} {
		for _, o := range list {
			if o.qos > 0 {
				st.Queue = append(st.Queue, StoredMessage{Seq: o.seq, Retain: o.retain, Data: AppendMessage(nil, o.m)})
			}
		}
	}
	return st
}

// Adopt takes over the persistent session of a client that is away, such as one whose node has
// died. It fails when the client has a session here.
func (b *Broker) Adopt(st *SessionState) error {
	if st.ClientID == "" || st.ended {
		return fmt.Errorf("client %q: what is kept is no session", st.ClientID)
	}
	return b.adopt(st, false)
}

// Sessions describes all persistent sessions here with their messages, for a node that leaves.
func (b *Broker) Sessions() []*SessionState {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []*SessionState
	for _, s := range b.sessions {
		s.mu.Lock()
		if !s.clean {
			out = append(out, s.handOver())
		}
		s.mu.Unlock()
	}
	return out
}
