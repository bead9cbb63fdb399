package cluster

import (
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/skep-sim/skep/internal/awsiot/broker"
)

// interest is what this node has told NATS that it wants. NATS tells its other servers of it, but not when they
// know: a message that is published at one of them until then does not come here.
type interest struct {
	mu    sync.Mutex
	subs  map[string]*nats.Subscription // by filter
	fresh map[*nats.Conn]bool           // has subscriptions that the others were not asked about
	next  chan struct{}                 // closed when the next round is over; nil if nobody waits for one
	asks  bool                          // a round is under way
}

// Interest implements broker.Backbone.
func (c *Cluster) Interest(filter string, on bool) {
	i := &c.interest
	i.mu.Lock()
	defer i.mu.Unlock()
	if !on {
		if s := i.subs[filter]; s != nil {
			delete(i.subs, filter)
			s.Unsubscribe()
		}
		return
	}
	if i.subs[filter] != nil {
		return
	}
	s, nc, err := c.subscribe(filter)
	if err != nil {
		c.note("subscribing to " + filter + " at NATS: " + err.Error())
		return
	}
	i.subs[filter] = s
	i.fresh[nc] = true
}

func (c *Cluster) subscribe(filter string) (*nats.Subscription, *nats.Conn, error) {
	_, rest, ok := groupOf(filter)
	if !ok {
		s, err := c.nc.ChanSubscribe(c.subject("msg."+filterSubject(filter)), c.links.in)
		return s, c.nc, err
	}
	// NATS gives each message to one member of a queue: one node of those with subscribers.
	deliver := func(m *nats.Msg) {
		if msg, err := broker.ParseMessage(m.Data); err == nil {
			c.broker.DeliverShared(filter, msg, nil)
		}
	}
	s, err := c.shared.QueueSubscribe(c.subject("*."+filterSubject(rest)), token(filter), deliver)
	return s, c.shared, err
}

// AwaitInterest implements broker.Backbone. Those who call while a round is under way wait together for the next.
func (c *Cluster) AwaitInterest() {
	i := &c.interest
	i.mu.Lock()
	if !i.asks && len(i.fresh) == 0 {
		i.mu.Unlock()
		return
	}
	if i.next == nil {
		i.next = make(chan struct{})
	}
	over := i.next
	if !i.asks {
		i.asks = true
		c.wg.Add(1)
		go c.askRounds()
	}
	i.mu.Unlock()
	select {
	case <-over:
	case <-c.ctx.Done():
	}
}

// askRounds asks the others again and again, as long as somebody waits.
func (c *Cluster) askRounds() {
	defer c.wg.Done()
	i := &c.interest
	for {
		i.mu.Lock()
		over, fresh := i.next, i.fresh
		if i.asks = over != nil; !i.asks {
			i.mu.Unlock()
			return
		}
		i.next, i.fresh = nil, map[*nats.Conn]bool{}
		i.mu.Unlock()
		var both sync.WaitGroup
		for nc := range fresh {
			both.Go(func() { c.askAll(nc) })
		}
		both.Wait()
		close(over)
	}
}

// askAll has every node answer once. The question goes the way that the subscriptions have gone before it, and NATS
// keeps the order of what goes from one server to another: who answers has a server that knows them. One that does
// not answer in time is not there; an error means that this node is leaving.
func (c *Cluster) askAll(nc *nats.Conn) {
	c.askNodes(nc, "interest", nil, func(m *nats.Msg, waiting map[string]bool) { delete(waiting, string(m.Data)) })
}

// knows answers the question of a node whether this one's server knows what that has subscribed to: it does now.
func (c *Cluster) knows(m *nats.Msg) { m.Respond([]byte(c.node)) }
