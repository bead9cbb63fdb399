package broker

import "time"

// remember is how long AWS knows a client that has left, for GetConnection.
const remember = 30 * time.Minute

// departure is a client's end of connection, which outlives a clean session.
type departure struct {
	at     time.Time
	reason string
	peer   Peer
}

// departed notes that a client has left. One whose place another connection took has not.
func (b *Broker) departed(c *conn) {
	if c.reason == reasonDuplicate {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.departures[c.sess.id] = departure{b.cfg.Clock.Now(), c.reason, c.peer}
}

// departure finds a client that left not long ago.
func (b *Broker) departure(clientID string) (departure, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, ok := b.departures[clientID]
	return d, ok && b.cfg.Clock.Now().Sub(d.at) < remember
}

// forgetDepartures drops what has been known for long enough. b.mu is held.
func (b *Broker) forgetDepartures(now time.Time) {
	for id, d := range b.departures {
		if now.Sub(d.at) >= remember {
			delete(b.departures, id)
		}
	}
}
