package broker

import (
	"cmp"
	"slices"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/event"
)

// The calls of AWS's data plane API on connections: GET and DELETE /connections/CLIENTID,
// GET /connections/CLIENTID/subscriptions, POST /connections/CLIENTID/messages.

// Connection is what is known of a client, connected or away with a persistent session.
type Connection struct {
	ClientID  string
	Connected bool
	CertID    string
	Remote    string // address and port; of the last connection when away
	Local     string // address and port it connected to
	SessionID string // of the connection, as lifecycle events name it; "" when away
	Protocol  byte   // 4 is MQTT 3.1.1, 5 is MQTT 5, 0 when away

	KeepAlive  time.Duration // granted
	Persistent bool          // the session outlives the connection
	Expiry     time.Duration // how long it does
	Since      time.Time     // of the connection, or of being away
	Queued     int           // messages waiting
	InFlight   int           // sent with QoS 1 and not acknowledged
	Filters    int           // subscriptions
	Reason     string        // why it left, as lifecycle events name it; known for 30 minutes
}

// Subscription is one filter of a client.
type Subscription struct {
	Filter string
	QoS    byte
}

// Connections are all clients, connected or away, in order of their ids.
func (b *Broker) Connections() []Connection {
	b.mu.Lock()
	list := make([]*session, 0, len(b.sessions))
	for _, s := range b.sessions {
		list = append(list, s)
	}
	b.mu.Unlock()
	out := make([]Connection, len(list))
	for i, s := range list {
		out[i] = s.describe()
	}
	slices.SortFunc(out, func(x, y Connection) int { return cmp.Compare(x.ClientID, y.ClientID) })
	return out
}

// Connection describes one client; false says that there is neither a connection nor a session,
// nor has there been one for half an hour.
func (b *Broker) Connection(clientID string) (Connection, bool) {
	gone, known := b.departure(clientID)
	s := b.session(clientID)
	if s == nil {
		return Connection{ClientID: clientID, CertID: gone.peer.CertID, Remote: gone.peer.Remote, Local: gone.peer.Local, Since: gone.at, Reason: gone.reason}, known
	}
	c := s.describe()
	if !c.Connected && known {
		c.Since, c.Reason = gone.at, gone.reason
	}
	return c, true
}

func (b *Broker) session(clientID string) *session {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sessions[clientID]
}

func (s *session) describe() Connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := Connection{
		ClientID: s.id, CertID: s.peer.CertID, Remote: s.peer.Remote, Local: s.peer.Local, Persistent: !s.clean,
		Expiry: s.expiry, Queued: len(s.queue), InFlight: len(s.inflight), Filters: len(s.subs),
	}
	if c := s.conn; c != nil {
		d.Connected, d.SessionID, d.KeepAlive, d.Since, d.Protocol = true, c.sessionID, c.keepAlive, c.accepted, c.version
	} else {
		d.Since = s.expires.Add(-d.Expiry)
	}
	return d
}

// Subscriptions are a client's filters in order; false says that there is no such client.
func (b *Broker) Subscriptions(clientID string) ([]Subscription, bool) {
	s := b.session(clientID)
	if s == nil {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Subscription, 0, len(s.subs))
	for filter, o := range s.subs {
		out = append(out, Subscription{filter, o.qos()})
	}
	slices.SortFunc(out, func(x, y Subscription) int { return cmp.Compare(x.Filter, y.Filter) })
	return out, true
}

// Disconnect closes a client's connection for API_INITIATED_DISCONNECT. cleanSession ends its
// session too, connected or not; preventWill keeps its will from being sent. by says who asked,
// for the log. false says that the client is not connected.
func (b *Broker) Disconnect(clientID string, cleanSession, preventWill bool, by string) bool {
	s := b.session(clientID)
	if s == nil {
		return false
	}
	s.mu.Lock()
	c := s.conn
	if c != nil && c.closing.Load() {
		c = nil // it is leaving
	}
	if c != nil {
		if cleanSession {
			s.unsave()
			s.clean = true
		}
		if preventWill {
			c.preventWill.Store(true)
		}
	}
	s.mu.Unlock()
	if c == nil {
		return false
	}
	text := "disconnected through the API by " + by
	peer, id := c.who()
	b.log(event.Note, peer, id, text)
	c.close(reasonAPI, codeAdministrative, text)
	return true
}

// SendTo sends a message to one client alone, whether it subscribed or not, past the message
// broker and the policy's Receive. false says that the client is not connected.
func (b *Broker) SendTo(clientID string, m Message) bool {
	s := b.session(clientID)
	if s == nil {
		return false
	}
	m.received(b.cfg.Clock.Now())
	return s.reply(&m)
}
