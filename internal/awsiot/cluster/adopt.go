package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/skep-sim/skep/internal/awsiot/broker"
)

// fromDead gives the session of a client whose node does not answer, as that has stored it.
func (c *Cluster) fromDead(client string, clean bool, silent []string) (*broker.SessionState, error) {
	var found *broker.SessionState
	for _, node := range append(silent, c.orphans()...) {
		part := c.cfg.State.SessionsOf(node)
		states, keys, err := clientsOf(part, client)
		if err != nil {
			return nil, err
		}
		for _, st := range states {
			if found == nil && !clean {
				found = st
				found.Adopted = func() { c.arrived(client, c.safeOf(node)) }
			}
		}
		if len(keys) > 0 {
			c.dropLater(node, keys)
		}
	}
	return found, nil
}

// safeOf is how far a node had taken the QoS 1 stream when it was last heard of.
func (c *Cluster) safeOf(node string) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.members[node]; m != nil {
		return m.safe
	}
	return c.departed[node]
}

// orphans are the nodes that are not there and have sessions.
func (c *Cluster) orphans() []string {
	var list []string
	for _, node := range c.cfg.State.SessionNodes() {
		if !c.isLive(node) {
			list = append(list, node)
		}
	}
	return list
}

// dropLater deletes what a node has stored once all that was written up to now is safe, and
// what is about to be: the new copy.
func (c *Cluster) dropLater(node string, keys []string) {
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		select {
		case <-c.after(answerTime):
		case <-c.ctx.Done():
			return
		}
		part := c.cfg.State.SessionsOf(node)
		part.Barrier(func(err error) {
			if err != nil {
				return
			}
			go func() {
				for _, key := range keys {
					part.Put(key, nil, func(error) {})
				}
			}()
		})
	}()
}

// went has one of the nodes take over the sessions of one that is not there any more.
func (c *Cluster) went(node, self string, safe uint64) {
	if c.broker == nil || c.live()[0] != c.node {
		return
	}
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		if err := c.adopt(node, self, safe); err != nil && c.ctx.Err() == nil {
			c.note("taking over the sessions of node " + node + ": " + err.Error())
		}
	}()
}

// adopt takes over the sessions of a dead node, and what it had not yet taken from the QoS 1
// stream for them.
func (c *Cluster) adopt(node, self string, safe uint64) error {
	ctx, cancel := context.WithTimeout(c.ctx, joinTime)
	defer cancel()
	if mine, err := c.reserve(ctx, self); err != nil || !mine {
		return err
	}
	part := c.cfg.State.SessionsOf(node)
	states, keys, err := clientsOf(part, "")
	if err != nil {
		return err
	}
	var adopted []string
	var arrivals []*arrival
	for _, st := range states {
		if c.claimedLately(st.ClientID, node) {
			continue // it is connected elsewhere, with what that node has read
		}
		if err := c.broker.Adopt(st); err != nil {
			c.note(err.Error())
			continue
		}
		adopted = append(adopted, st.ClientID)
		arrivals = append(arrivals, c.links.arrive(st.ClientID, safe, c.cfg.Clock.Now()))
	}
	if len(states) > 0 {
		c.note(fmt.Sprintf("took over %d sessions of node %s", len(adopted), node))
	}
	if c.cfg.DurableQoS1 && len(adopted) > 0 {
		if err := c.bring(adopted, arrivals); err != nil {
			c.note("bringing the sessions of node " + node + " up to date: " + err.Error())
		}
	}
	c.dropLater(node, keys)
	return nil
}

// reserve says that this node, and no other, adopts the sessions of a life of a node.
func (c *Cluster) reserve(ctx context.Context, self string) (bool, error) {
	m := nats.NewMsg(c.subject("state.adopt." + self))
	m.Data = []byte(c.node)
	_, err := c.js.PublishMsg(ctx, m, jetstream.WithExpectLastSequencePerSubject(0), jetstream.WithMsgTTL(goneFor))
	if isConflict(err) {
		return false, nil
	}
	return err == nil, err
}

// catchUp brings messages of the QoS 1 stream, those behind one place and up to another, to some clients. It asks
// for one after another: a consumer could be given to the very NATS server that has just died.
func (c *Cluster) catchUp(ctx context.Context, clients []string, safe, last uint64) error {
	stream, err := c.qos1(ctx)
	if err != nil {
		return err
	}
	for seq := safe + 1; seq <= last; seq++ {
		var m *jetstream.RawStreamMsg
		err := c.persist(ctx, func(ctx context.Context) (err error) {
			m, err = stream.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(c.subject("qos1.>")))
			return err
		})
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if seq = m.Sequence; seq > last {
			return nil
		}
		if msg, err := broker.ParseMessage(m.Data); err == nil {
			for _, client := range clients {
				c.broker.DeliverTo(client, msg)
			}
		}
	}
	return nil
}

// tryTime is how long the first attempt may take of what is tried again. A later one has
// longer: servers on a busy machine are slow, not gone.
const (
	tryTime    = 2 * time.Second
	tryTimeMax = 15 * time.Second
)

// persist tries until JetStream answers: while it elects a leader it does not.
func (c *Cluster) persist(ctx context.Context, f func(context.Context) error) error {
	for limit := tryTime; ; limit = min(2*limit, tryTimeMax) {
		try, cancel := context.WithTimeout(ctx, limit)
		err := f(try)
		cancel()
		if err == nil || errors.Is(err, jetstream.ErrMsgNotFound) || ctx.Err() != nil {
			return err
		}
		select {
		case <-c.after(200 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

// claimedLately says that another node has claimed a client since about when the one that died was
// last heard of.
func (c *Cluster) claimedLately(client, dead string) bool {
	c.claims.mu.Lock()
	defer c.claims.mu.Unlock()
	x, ok := c.claims.seen[client]
	return ok && nodeOf(x.Self) != dead && c.cfg.Clock.Now().UnixNano()-x.At < int64(2*c.cfg.DeadAfter)
}

// adoptOrphans takes over what nodes have left that were gone before this one came.
func (c *Cluster) adoptOrphans() {
	defer c.wg.Done()
	select {
	case <-c.after(c.cfg.DeadAfter + helloEvery):
	case <-c.ctx.Done():
		return
	}
	if c.live()[0] != c.node {
		return
	}
	for _, node := range c.orphans() {
		if err := c.adopt(node, node+"."+c.self[len(c.node)+1:], 0); err != nil && c.ctx.Err() == nil {
			c.note("taking over the sessions of node " + node + ": " + err.Error())
		}
	}
}
