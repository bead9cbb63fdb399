package cluster

import (
	"context"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/broker"
)

// arrival is a session that has come here from another node. Each node takes the QoS 1 stream at a pace of its
// own, so there are messages which that node had not taken yet when the session left, and this one had already
// when it came. They are read from the stream again; and what was published here just before, and is on its way
// into the stream, gets to the client when it comes back from there.
type arrival struct {
	after  uint64 // the place up to which the session had got the stream
	begun  uint64 // how far this node had taken the stream
	serial uint64 // of the last message published here
	until  time.Time
	caught bool // what was between the two places is here
}

// arrived is called when the session of a client is here, which had got the stream up to a place.
func (c *Cluster) arrived(client string, after uint64) {
	if !c.cfg.DurableQoS1 {
		return
	}
	a := c.links.arrive(client, after, c.cfg.Clock.Now())
	if a.caught {
		return
	}
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		if err := c.bring([]string{client}, []*arrival{a}); err != nil {
			c.note("bringing the session of " + client + " up to date: " + err.Error())
		}
	}()
}

// bring catches up with what clients have missed that have arrived together.
func (c *Cluster) bring(clients []string, arrivals []*arrival) error {
	ctx, cancel := context.WithTimeout(c.ctx, joinTime)
	defer cancel()
	after, begun := arrivals[0].after, uint64(0)
	for _, a := range arrivals {
		begun = max(begun, a.begun)
	}
	err := c.catchUp(ctx, clients, after, begun)
	c.links.mu.Lock()
	defer c.links.mu.Unlock()
	for _, a := range arrivals {
		a.caught = true
	}
	if c.ctx.Err() != nil {
		return nil
	}
	return err
}

// arrive notes an arrival.
func (l *links) arrive(client string, after uint64, now time.Time) *arrival {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := &l.durable
	a := &arrival{after: after, begun: d.begun, serial: d.serial, until: now.Add(2 * ackTime), caught: d.begun <= after}
	d.arrivals[client] = a
	d.newest = d.serial
	return a
}

// arrivedAfter are the clients that were not here yet when a message of this node was published, which is now
// back from the stream.
func (l *links) arrivedAfter(seq, serial uint64, now time.Time) (clients []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if serial > l.durable.newest { // as nearly always
		return nil
	}
	for client, a := range l.durable.arrivals {
		if seq > a.begun && serial <= a.serial && !a.over(now) {
			clients = append(clients, client)
		}
	}
	return clients
}

// over says that nothing that was published before the arrival is on its way any more.
func (a *arrival) over(now time.Time) bool { return a.caught && now.After(a.until) }

// forgetArrivals forgets those that are over.
func (l *links) forgetArrivals(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for client, a := range l.durable.arrivals {
		if a.over(now) {
			delete(l.durable.arrivals, client)
		}
	}
}

// nextSerial numbers the messages that are published here.
func (l *links) nextSerial() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.durable.serial++
	return l.durable.serial
}

// taken is how far a client that is here has got the stream, in its queue, stored or not.
func (l *links) taken(client string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.durable.arrivals[client]; a != nil && !a.caught {
		return min(a.after, l.durable.passed)
	}
	return l.durable.passed
}

func (l *links) pass(seq uint64) {
	l.mu.Lock()
	l.durable.passed = seq
	l.mu.Unlock()
}

// own takes a message that was published here and is back from the stream: all who were here then have had it.
func (c *Cluster) own(seq, serial uint64, msg *broker.Message) {
	late := c.links.arrivedAfter(seq, serial, c.cfg.Clock.Now())
	for _, client := range late {
		c.broker.DeliverTo(client, msg)
	}
	if len(late) == 0 {
		c.links.end(seq)
		return
	}
	c.Sessions().Barrier(func(err error) {
		if err == nil {
			c.links.end(seq)
		}
	})
}
