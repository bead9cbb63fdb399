package cluster

import (
	"encoding/json"
	"hash/fnv"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
)

// hello is what a node tells the others each second.
type hello struct {
	Node string `json:"node"`
	Self string `json:"self"`          // with which of its lives it is
	Bye  bool   `json:"bye,omitempty"` // it leaves
	// Safe is how far it has taken the QoS 1 stream to the stored queues of its sessions.
	Safe uint64 `json:"safe,omitempty"`
}

// member is another node.
type member struct {
	self string
	seen time.Time
	safe uint64
}

const helloEvery = time.Second

// listenToMembers begins to hear of others. What there is becomes known in a second.
func (c *Cluster) listenToMembers() error {
	_, err := c.nc.Subscribe(c.subject("hello"), func(m *nats.Msg) {
		var h hello
		if json.Unmarshal(m.Data, &h) == nil && h.Node != "" && h.Node != c.node {
			c.heard(h)
		}
	})
	return err
}

func (c *Cluster) heard(h hello) {
	c.mu.Lock()
	m := c.members[h.Node]
	switch {
	case h.Bye:
		if m == nil || m.self != h.Self {
			c.mu.Unlock()
			return
		}
		delete(c.members, h.Node)
		c.departed[h.Node] = h.Safe
		c.mu.Unlock()
		c.note("node " + h.Node + " has left")
		c.went(h.Node, h.Self, h.Safe)
		return
	case m == nil:
		m = &member{}
		c.members[h.Node] = m
		defer c.note("node " + h.Node + " is there")
	}
	m.self, m.seen, m.safe = h.Self, c.cfg.Clock.Now(), h.Safe
	c.mu.Unlock()
}

// beat tells the others, and finds who is silent, each second.
func (c *Cluster) beat() {
	defer c.wg.Done()
	for {
		h := hello{Node: c.node, Self: c.self, Safe: c.links.progress()}
		if text, err := json.Marshal(h); err == nil {
			c.nc.Publish(c.subject("hello"), text)
		}
		c.links.save(c)
		c.findSilent()
		now := c.cfg.Clock.Now()
		c.claims.forgetOld(now.Add(-2 * c.cfg.DeadAfter).UnixNano())
		c.links.forgetArrivals(now)
		select {
		case <-c.after(helloEvery):
		case <-c.ctx.Done():
			return
		}
	}
}

// findSilent gives up nodes that are dead. While this node itself cannot reach NATS it hears
// nobody, which is no reason.
func (c *Cluster) findSilent() {
	now := c.cfg.Clock.Now()
	type gone struct {
		node string
		m    member
	}
	var dead []gone
	c.mu.Lock()
	connected := c.nc.IsConnected()
	for node, m := range c.members {
		switch {
		case !connected:
			m.seen = now
		case now.Sub(m.seen) > c.cfg.DeadAfter:
			delete(c.members, node)
			c.departed[node] = m.safe
			dead = append(dead, gone{node, *m})
		}
	}
	c.mu.Unlock()
	for _, d := range dead {
		c.note("node " + d.node + " is silent: it is taken for dead")
		c.went(d.node, d.m.self, d.m.safe)
	}
}

// live are the nodes that are there, this one included, in order.
func (c *Cluster) live() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := []string{c.node}
	for node := range c.members {
		all = append(all, node)
	}
	slices.Sort(all)
	return all
}

func (c *Cluster) isLive(node string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return node == c.node || c.members[node] != nil
}

// owner is the node that serves a thing: the one of the highest hash, so that when a node comes
// or goes only its own things move.
func (c *Cluster) owner(thing string) string {
	best, most := "", uint64(0)
	for _, node := range c.live() {
		h := fnv.New64a()
		h.Write([]byte(node + "\x00" + thing))
		// FNV's last bytes hardly reach its high bits: mix them.
		sum := h.Sum64()
		sum ^= sum >> 29
		sum *= 0xBF58476D1CE4E5B9
		sum ^= sum >> 32
		if best == "" || sum > most {
			best, most = node, sum
		}
	}
	return best
}
