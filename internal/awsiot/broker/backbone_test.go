package broker

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// wire joins brokers in one process, as a Backbone over a network would.
type wire struct {
	mu    sync.Mutex
	nodes []*plug
}

// plug is one broker's end of a wire.
type plug struct {
	w       *wire
	b       *Broker
	filters map[string]bool
	hold    chan struct{} // closed: what is published is safe elsewhere
	err     error
}

func (w *wire) plug() *plug {
	p := &plug{w: w, filters: map[string]bool{}, hold: make(chan struct{})}
	close(p.hold)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes = append(w.nodes, p)
	return p
}

func (p *plug) Start(b *Broker) error { p.b = b; return nil }

func (p *plug) Interest(filter string, on bool) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if p.filters[filter] == on {
		panic(fmt.Sprintf("interest in %s is %v twice", filter, on))
	}
	p.filters[filter] = on
}

func (p *plug) AwaitInterest() {}

// wants says whether a node has interest in a topic; groups gives its shared filters that fit.
func (p *plug) wants(topic string) (plain bool, groups []string) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	for f, on := range p.filters {
		group, rest := splitShare(f)
		if !on || !plainMatch(rest, topic) {
			continue
		}
		if group != "" {
			groups = append(groups, f)
		} else {
			plain = true
		}
	}
	return plain, groups
}

func (p *plug) Publish(m *Message, done func(error)) bool {
	p.w.mu.Lock()
	nodes := p.w.nodes
	p.w.mu.Unlock()
	hold, fails := p.hold, p.err
	go func() {
		served := map[string]bool{}
		for _, n := range nodes {
			plain, groups := n.wants(m.Topic)
			safe := make(chan error, 1)
			if plain && n != p {
				again, err := ParseMessage(AppendMessage(nil, m))
				if err != nil {
					panic(err)
				}
				n.b.Deliver(again, func(err error) { safe <- err })
				<-safe
			}
			for _, f := range groups {
				if !served[f] && n.b.DeliverShared(f, m, nil) {
					served[f] = true
				}
			}
		}
		<-hold
		done(fails)
	}()
	return true
}

func (p *plug) Claim(clientID string, clean bool) (*SessionState, error) {
	var st *SessionState
	for _, n := range p.w.nodes {
		if n != p {
			if s := n.b.TakeOver(clientID, "another node", clean); s != nil {
				st = s
			}
		}
	}
	return st, p.err
}

func (p *plug) Retain(topic string, value []byte) error {
	for _, n := range p.w.nodes {
		if n != p {
			if err := n.b.LearnRetained(topic, value); err != nil {
				return err
			}
		}
	}
	return p.err
}

func join(t *testing.T, n int) (nodes []*rig, plugs []*plug) {
	w := &wire{}
	for range n {
		p := w.plug()
		nodes = append(nodes, newRig(t, func(c *Config) { c.Backbone, c.Limits.ReplayRate = p, 0 }))
		plugs = append(plugs, p)
	}
	return nodes, plugs
}

// TestBackbone: two brokers are one endpoint.
func TestBackbone(t *testing.T) {
	nodes, plugs := join(t, 2)
	a, b := nodes[0], nodes[1]
	pub, sub := a.dial5("pub", nil), b.dial5("sub", nil)
	sub.subscribe(filter("t/+", 1), filter("t/#", 0), filter("t/x", 1)) // one copy, for all that
	here := a.dial5("here", v3)
	here.subscribe(filter("t/x", 0))
	pub.publish("t/x", "1", 1, props(func(p *packets.Properties) { p.ContentType = "c" }))
	if m := sub.expect("t/x 1"); m.Properties.ContentType != "c" {
		t.Errorf("%+v", m.Properties)
	}
	here.expect("t/x 1")
	sub.publish("t/y", "2", 0, nil) // its own: nothing comes back round
	sub.expect("t/y 2")
	sub.silent()
	here.silent()

	// Retained messages are everybody's.
	pub.publish("r", "kept", 1, func(pk *packets.Packet) { pk.FixedHeader.Retain = true })
	sub.subscribe(filter("r", 1))
	sub.expect("r kept")
	pub.publish("r", "", 1, func(pk *packets.Packet) { pk.FixedHeader.Retain = true })
	sub.expect("r ")
	if len(b.RetainedTopics()) != 0 {
		t.Error("a deleted retained message is still there")
	}

	// The acknowledgement waits until the other node has it.
	hold := make(chan struct{})
	plugs[0].hold = hold
	pub.send(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, TopicName: "t/x", PacketID: 5, Payload: []byte("3")})
	sub.expect("t/x 3")
	here.expect("t/x 3")
	pub.silent()
	close(hold)
	pub.next(packets.Puback)
	for _, p := range plugs {
		p.w.mu.Lock()
		p.err = errors.New("the wire is cut")
		p.w.mu.Unlock()
	}
	pub.send(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, TopicName: "u", PacketID: 6})
	if code := pub.ends(); code != 0x80 {
		t.Errorf("DISCONNECT %#x", code)
	}
	a.said("a message could not be made safe: the wire is cut")
	if got := a.try5("late", nil).ack.ReasonCode; got != 0x80 {
		t.Errorf("CONNACK %#x", got)
	}
}

// TestBackboneSessions: a client takes its session along, and the old connection ends.
func TestBackboneSessions(t *testing.T) {
	nodes, _ := join(t, 2)
	a, b := nodes[0], nodes[1]
	first := a.dial5("x", persistent(600))
	first.subscribe(filter("t", 1))
	pub := b.dial5("pub", nil)
	pub.publish("t", "1", 1, nil)
	unacked := first.next(packets.Publish)
	second := b.dial5("x", persistent(600))
	if code := first.ends(); code != 0x8e || !second.ack.SessionPresent {
		t.Errorf("DISCONNECT %#x, session present %v", code, second.ack.SessionPresent)
	}
	if m := second.expect("t 1"); m.PacketID != unacked.PacketID {
		t.Errorf("identifier %d became %d", unacked.PacketID, m.PacketID)
	}
	second.nc.Close()
	b.until("x to leave", func() bool { return !connected(b, "x") })
	a.dial5("pub2", nil).publish("t", "2", 1, nil)
	b.until("the message to wait on the other node", func() bool { c, _ := b.Connection("x"); return c.Queued == 1 })
	third := a.dial5("x", persistent(600))
	third.expect("t 2")
	if _, there := b.Connection("x"); there {
		t.Error("the session is on both nodes")
	}
	if fourth := b.dial5("x", nil); fourth.ack.SessionPresent { // a clean start
		t.Error("session present")
	}
	third.ends()
}

// TestBackboneWill: a will with a delay is prevented by coming back in time, also to another node, and sent when the
// session ends there.
func TestBackboneWill(t *testing.T) {
	nodes, _ := join(t, 2)
	a, b := nodes[0], nodes[1]
	w, err := a.Watch("will/+")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, tt := range []struct {
		id    string
		leave bool // before it connects to the other node
		back  func(*packets.Packet)
		sent  bool
	}{
		{"back", true, persistent(60), false},
		{"moves", false, persistent(60), false},
		{"back anew", true, nil, true},
		{"moves anew", false, nil, true},
	} {
		f := a.dial5(tt.id, delayedWill(tt.id, 20, 60))
		if tt.leave {
			f.nc.Close()
			a.until("the end", func() bool { return a.count() == 0 })
		} else {
			go f.drain()
		}
		b.dial5(tt.id, tt.back)
		a.clock.Advance(25 * time.Second)
		if sent := len(w.C()) == 1 && (<-w.C()).Topic == "will/"+tt.id; sent != tt.sent {
			t.Errorf("%s: the will was sent: %v", tt.id, sent)
		}
	}
}

// TestBackboneShared: one member of a group on all nodes gets a message.
func TestBackboneShared(t *testing.T) {
	nodes, _ := join(t, 3)
	w := make([]*Watcher, 3)
	for i, n := range nodes {
		var err error
		if w[i], err = n.Watch("$share/g/t"); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(nodes[1].Filters(), " "); got != "$share/g/t" {
		t.Errorf("filters are %q", got)
	}
	pub := nodes[2].dial5("pub", nil)
	for i := range 20 {
		pub.publish("t", fmt.Sprint(i), 1, nil)
	}
	if n := len(w[0].C()) + len(w[1].C()) + len(w[2].C()); n != 20 {
		t.Errorf("%d of 20 messages came", n)
	}
	for i := range w {
		w[i].Close()
	}
	pub.publish("t", "nobody", 1, nil)
	if got := strings.Join(nodes[0].Filters(), " "); got != "" {
		t.Errorf("filters %q are left", got)
	}
}

// TestAdopt: a node takes over what a dead one has left.
func TestAdopt(t *testing.T) {
	r := newRig(t, nil)
	f := r.dial5("x", persistent(600))
	f.subscribe(filter("t", 1))
	f.nc.Close()
	r.until("the end", func() bool { return r.count() == 0 })
	if err := r.Publish(Message{Topic: "t", Payload: []byte("1"), QoS: 1}); err != nil {
		t.Fatal(err)
	}
	left := r.Sessions()
	if len(left) != 1 || len(left[0].Queue) != 1 {
		t.Fatalf("%+v", left)
	}
	other := newRig(t, nil)
	for _, want := range []bool{true, false} {
		if err := other.Adopt(left[0]); (err == nil) != want {
			t.Errorf("adopt: %v", err)
		}
	}
	if err := other.Publish(Message{Topic: "t", Payload: []byte("2"), QoS: 1}); err != nil {
		t.Fatal(err)
	}
	f = other.dial5("x", persistent(600))
	f.expect("t 1")
	f.expectPaced("t 2")
	if err := other.Adopt(&SessionState{}); err == nil {
		t.Error("a session without a client is adopted")
	}
}
