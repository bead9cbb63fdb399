package cluster

import (
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/skep-sim/skep/internal/awsiot/broker"
)

// claim is a request of a node for a client that has connected there.
type claim struct {
	Client string `json:"client"`
	Clean  bool   `json:"clean,omitempty"`
	Self   string `json:"self"`
	At     int64  `json:"at"` // UnixNano; the later of two wins
}

func (x claim) before(y claim) bool { return x.At < y.At || x.At == y.At && x.Self < y.Self }

// claims are those under way.
type claims struct {
	mu   sync.Mutex
	mine map[string]claim // by client
	lost map[string]bool  // of mine: another node's is later
	seen map[string]claim // whom others have claimed lately
}

// forgetOld forgets whom others had claimed before a time.
func (k *claims) forgetOld(before int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for client, x := range k.seen {
		if x.At < before {
			delete(k.seen, client)
		}
	}
}

// surrender answers a claim.
type surrender struct {
	Node  string               `json:"node"`
	State *broker.SessionState `json:"state,omitempty"`
	Taken uint64               `json:"taken,omitempty"` // how far it has got the QoS 1 stream
	// Kept says that the node has handed the session over before, to one that has not confirmed it.
	Kept bool `json:"kept,omitempty"`
}

var errLaterClaim = errors.New("the client has connected to another node meanwhile")

// Claim implements broker.Backbone: it asks all others to let go of a client.
func (c *Cluster) Claim(clientID string, clean bool) (*broker.SessionState, error) {
	x := claim{Client: clientID, Clean: clean, Self: c.self, At: c.cfg.Clock.Now().UnixNano()}
	k := &c.claims
	k.mu.Lock()
	k.mine[clientID] = x
	k.mu.Unlock()
	answers, silent, err := c.askForClient(x)
	k.mu.Lock()
	lost := k.lost[clientID]
	if k.mine[clientID] == x {
		delete(k.mine, clientID)
		delete(k.lost, clientID)
	}
	k.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if lost {
		return nil, errLaterClaim
	}
	_, here := c.broker.Connection(clientID)
	var last *surrender // a copy, if nobody has the session
	var state *broker.SessionState
	for _, a := range answers {
		switch {
		case a.State == nil:
		case a.Kept && !here && !clean:
			last = &a
		case here || clean || state != nil:
			c.confirm(clientID, a.Node)
		default:
			state = c.take(clientID, &a)
		}
	}
	if state == nil && !here {
		if state, err = c.fromDead(clientID, clean, silent); err != nil {
			return nil, err
		}
	}
	switch {
	case last != nil && state == nil:
		state = c.take(clientID, last)
	case last != nil:
		c.confirm(clientID, last.Node)
	}
	return state, nil
}

// take makes ready to have a session that another node has surrendered.
func (c *Cluster) take(client string, a *surrender) *broker.SessionState {
	a.State.Adopted = func() { c.arrived(client, a.Taken) }
	c.held.confirmTo(client, a.Node)
	return a.State
}

// askForClient sends a claim and gathers the answers of all nodes that are there; silent are those that have
// not answered. One that is slower gives its session up all the same, and what it had stored is read here.
func (c *Cluster) askForClient(x claim) (answers []surrender, silent []string, err error) {
	text, err := json.Marshal(x)
	if err != nil {
		return nil, nil, err
	}
	silent, err = c.askNodes(c.nc, "claim", text, func(m *nats.Msg, waiting map[string]bool) {
		var s surrender
		if json.Unmarshal(m.Data, &s) == nil && waiting[s.Node] {
			delete(waiting, s.Node)
			answers = append(answers, s)
		}
	})
	return answers, silent, err
}

// claimed answers the claim of another node.
func (c *Cluster) claimed(m *nats.Msg) {
	var x claim
	if json.Unmarshal(m.Data, &x) != nil || x.Self == c.self {
		return
	}
	node := nodeOf(x.Self)
	k := &c.claims
	k.mu.Lock()
	mine, both := k.mine[x.Client]
	if both && mine.before(x) {
		k.lost[x.Client] = true
	}
	k.seen[x.Client] = x
	k.mu.Unlock()
	s := surrender{Node: c.node, Taken: c.links.taken(x.Client)} // before it is taken over
	if !both || mine.before(x) {
		before, again := c.held.keeps(x.Client)
		if !again {
			c.held.begin(x.Client)
		}
		s.State = c.broker.TakeOver(x.Client, "node "+node, x.Clean)
		switch {
		case s.State == nil && again:
			s.State, s.Taken, s.Kept = before.s.State, before.s.Taken, true
			c.held.keep(x.Client, node, before.s)
		case s.State == nil:
			c.held.releaseTo(x.Client, c.cfg.State.SessionsOf(c.node))
		default:
			confirmed := c.held.begin(x.Client)
			c.held.keep(x.Client, node, s)
			c.wg.Add(1)
			go c.waitForConfirmation(x.Client, s, confirmed)
		}
	}
	if text, err := json.Marshal(s); err == nil {
		m.Respond(text)
	}
}

// confirmation is what the new node of a session says when it has stored it.
type confirmation struct {
	Client string `json:"client"`
	Node   string `json:"node"` // whom it is told
}

func (c *Cluster) confirm(client, node string) {
	if text, err := json.Marshal(confirmation{client, node}); err == nil {
		c.nc.Publish(c.subject("confirm"), text)
	}
}

// handOverTime is how long a session that was handed over is kept without a confirmation.
const handOverTime = 15 * time.Second

// waitForConfirmation keeps what is stored of a session until its new node has it, and takes the session
// back if that has died with it.
func (c *Cluster) waitForConfirmation(client string, s surrender, confirmed <-chan struct{}) {
	defer c.wg.Done()
	select {
	case <-confirmed:
	case <-c.after(handOverTime):
		k, ok := c.held.keeps(client)
		if !ok || k.s.State != s.State {
			return // it has been here again meanwhile
		}
		if c.isLive(k.node) {
			break
		}
		c.held.forget(client)
		if err := c.broker.Adopt(s.State); err != nil {
			c.note("taking back the session of " + client + ": " + err.Error())
			return
		}
		c.arrived(client, s.Taken)
		return
	case <-c.ctx.Done():
	}
	c.held.releaseTo(client, c.cfg.State.SessionsOf(c.node))
}
