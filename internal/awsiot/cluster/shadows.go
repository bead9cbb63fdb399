package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/shadow"
	"github.com/skep-sim/skep/internal/awsiot/shadows"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// LocalShadows is the shadow service of this node.
type LocalShadows interface {
	// Do carries out a request, "get", "update" or "delete", here.
	Do(op string, k shadow.Key, payload []byte, answered func(shadows.Answer))
	// Forget has the next request read the shadow anew.
	Forget(storeKey string)
}

// shadowRequest is one for the node that serves the thing.
type shadowRequest struct {
	Op      string     `json:"op"`
	Key     shadow.Key `json:"key"`
	Payload []byte     `json:"payload"`
}

// shadowReply answers it.
type shadowReply struct {
	Payload []byte        `json:"payload,omitempty"`
	Refused *shadow.Error `json:"refused,omitempty"`
}

// forwardTime is how long a request is tried before it is refused: longer than a dead node is
// taken for one that is there, shorter than an HTTPS client waits.
const forwardTime = 8 * time.Second

// Route has a request for a shadow carried out by the node that serves the thing; false says that
// this is the one.
func (c *Cluster) Route(op string, k shadow.Key, payload []byte, answered func(shadows.Answer)) bool {
	if c.owner(k.Thing) == c.node {
		return false
	}
	text, err := json.Marshal(shadowRequest{op, k, payload})
	if err != nil {
		return false
	}
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		answered(c.forward(op, k, payload, text))
	}()
	return true
}

func (c *Cluster) forward(op string, k shadow.Key, payload, text []byte) shadows.Answer {
	for end := c.cfg.Clock.Now().Add(forwardTime); ; {
		owner := c.owner(k.Thing)
		if owner == c.node {
			result := make(chan shadows.Answer, 1)
			c.local.Do(op, k, payload, func(a shadows.Answer) { result <- a })
			select {
			case a := <-result:
				return a
			case <-c.ctx.Done():
				return shadows.Answer{Refused: shadow.Internal()}
			}
		}
		m, err := c.request(owner, text)
		var r shadowReply
		if err == nil && json.Unmarshal(m.Data, &r) == nil {
			return shadows.Answer{Payload: r.Payload, Refused: r.Refused}
		}
		if c.cfg.Clock.Now().After(end) || errors.Is(err, nats.ErrConnectionClosed) {
			c.note("a request for the shadow of " + k.Thing + " did not reach node " + owner)
			return shadows.Answer{Refused: shadow.Internal()}
		}
		select {
		case <-c.after(200 * time.Millisecond):
		case <-c.ctx.Done():
		}
	}
}

// request asks the node that serves a thing, for as long as that is there: asking again while it
// waits for JetStream would update a shadow twice.
func (c *Cluster) request(owner string, text []byte) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(c.ctx, forwardTime)
	defer cancel()
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		for c.isLive(owner) {
			select {
			case <-c.after(helloEvery):
			case <-ctx.Done():
				return
			}
		}
		cancel()
	}()
	return c.nc.RequestWithContext(ctx, c.subject("shadow."+owner), text)
}

// serveShadow answers a request of another node.
func (c *Cluster) serveShadow(m *nats.Msg) {
	var q shadowRequest
	if json.Unmarshal(m.Data, &q) != nil {
		return
	}
	c.local.Do(q.Op, q.Key, q.Payload, func(a shadows.Answer) {
		if text, err := json.Marshal(shadowReply{a.Payload, a.Refused}); err == nil {
			m.Respond(text)
		}
	})
}

// Start implements broker.Backbone.
func (c *Cluster) Start(b *broker.Broker) error {
	c.broker = b
	return nil
}

// Begin has the node take part, now that its broker and its shadow service are there.
func (c *Cluster) Begin(local LocalShadows) error {
	c.local = local
	c.Foreign(func(bucket, key string, value []byte) {
		switch bucket {
		case string(store.Shadows):
			local.Forget(key)
		case string(store.Retained):
			if err := c.broker.LearnRetained(key, value); err != nil {
				c.note("a retained message of another node: " + err.Error())
			}
		}
	})
	subscriptions := map[string]nats.MsgHandler{
		"claim":            c.claimed,
		"interest":         c.knows,
		"shadow." + c.node: c.serveShadow,
		"confirm": func(m *nats.Msg) {
			var x confirmation
			if json.Unmarshal(m.Data, &x) == nil && x.Node == c.node {
				c.held.confirm(x.Client)
			}
		},
	}
	for subject, f := range subscriptions {
		if _, err := c.nc.Subscribe(c.subject(subject), f); err != nil {
			return err
		}
	}
	if c.cfg.DurableQoS1 {
		if err := c.followQoS1(); err != nil {
			return err
		}
	}
	c.wg.Add(4)
	go c.tell()
	go c.receive()
	go c.beat()
	go c.adoptOrphans()
	return nil
}

// Retain implements broker.Backbone. The state has the message by now, on all nodes.
func (c *Cluster) Retain(string, []byte) error { return nil }
