package cluster

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/skep-sim/skep/internal/awsiot/broker"
)

// headerID tells copies of one message apart from others: a node with overlapping filters gets
// one for each.
const headerID = "Skep-Id"

// headerSerial counts what a node publishes into the QoS 1 stream.
const headerSerial = "Skep-Serial"

// durableFor is how long the QoS 1 stream keeps a message: as long as AWS tries to deliver it.
const durableFor = time.Hour

// links are what connects this node's broker with the others: messages over core NATS, and the QoS 1 stream.
type links struct {
	in      chan *nats.Msg // what the plain subscriptions bring, in NATS's order
	mu      sync.Mutex
	serial  uint64
	recent  map[string]struct{} // the ids of the last messages
	ring    []string
	next    int
	durable durable
}

// durable is how far the QoS 1 stream was taken.
type durable struct {
	running []taken // in order of the stream
	safe    uint64  // all up to here is in stored queues
	saved   uint64
	begun   uint64 // the last that was taken
	passed  uint64 // the last that is in the queues
	serial  uint64 // of the last that was published here

	arrivals map[string]*arrival // by client
	newest   uint64              // serial of the last arrival
}

type taken struct {
	seq  uint64
	done bool
}

const (
	inBuffer = 1 << 16
	recents  = 4096 // more than can be between two copies of one message
)

// Publish implements broker.Backbone.
func (c *Cluster) Publish(m *broker.Message, done func(error)) (waits bool) {
	kind := "msg."
	if c.cfg.DurableQoS1 && m.QoS > 0 {
		kind = "qos1."
	}
	out := nats.NewMsg(c.subject(kind + topicSubject(m.Topic)))
	out.Data = broker.AppendMessage(nil, m)
	out.Header.Set(headerNode, c.self)
	if kind == "qos1." {
		out.Header.Set(headerSerial, strconv.FormatUint(c.links.nextSerial(), 10))
		c.rep.publish(out, done)
		return true
	}
	c.links.mu.Lock()
	c.links.serial++
	out.Header.Set(headerID, c.self+"."+strconv.FormatUint(c.links.serial, 36))
	c.links.mu.Unlock()
	if err := c.nc.PublishMsg(out); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		c.note("publishing to other nodes: " + err.Error())
	}
	return false
}

// publish sends a message that has to be confirmed but does not come back.
func (r *replica) publish(m *nats.Msg, done func(error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		go done(nats.ErrConnectionClosed)
		return
	}
	w := &write{msg: m, done: done, away: true}
	r.send(w)
	r.queue = append(r.queue, w)
	r.moved.Broadcast()
}

// receive takes what the plain subscriptions bring to the broker.
func (c *Cluster) receive() {
	defer c.wg.Done()
	for {
		select {
		case m := <-c.links.in:
			if !c.links.fresh(m.Header.Get(headerID)) {
				continue
			}
			if msg, err := broker.ParseMessage(m.Data); err == nil {
				c.broker.Deliver(msg, nil)
			}
		case <-c.ctx.Done():
			return
		}
	}
}

// fresh says that no copy of a message has come lately.
func (l *links) fresh(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.recent[id]; ok {
		return false
	}
	if l.ring[l.next] != "" {
		delete(l.recent, l.ring[l.next])
	}
	l.ring[l.next] = id
	l.next = (l.next + 1) % len(l.ring)
	l.recent[id] = struct{}{}
	return true
}

// followQoS1 takes the QoS 1 stream to the broker, from where this node had come.
func (c *Cluster) followQoS1() error {
	stream, err := c.qos1(c.ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.ctx, joinTime)
	defer cancel()
	var safe uint64
	err = c.persist(ctx, func(ctx context.Context) error {
		info, err := stream.Info(ctx)
		if err == nil {
			safe = info.State.LastSeq
		}
		return err
	})
	if err != nil {
		return err
	}
	noted, err := c.cfg.State.Noted("qos1")
	if err != nil {
		return err
	}
	if seq, err := strconv.ParseUint(noted, 10, 64); err == nil {
		safe = min(safe, seq)
	}
	c.links.mu.Lock()
	d := &c.links.durable
	d.safe, d.begun, d.passed = safe, safe, safe
	c.links.mu.Unlock()
	return c.follow(ctx, "messages", stream, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{c.subject("qos1.>")}, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: safe + 1,
	}, c.takeQoS1)
}

func (c *Cluster) qos1(ctx context.Context) (jetstream.Stream, error) {
	return c.stream(ctx, jetstream.StreamConfig{
		Name: c.streamName("QOS1"), Subjects: []string{c.subject("qos1.>")}, MaxAge: durableFor, Storage: jetstream.FileStorage,
	})
}

func (c *Cluster) takeQoS1(m jetstream.Msg) {
	meta, err := m.Metadata()
	if err != nil {
		return
	}
	seq := meta.Sequence.Stream
	c.links.begin(seq)
	defer c.links.pass(seq)
	self := m.Headers().Get(headerNode)
	msg, err := broker.ParseMessage(m.Data())
	switch {
	case err != nil:
		c.links.end(seq)
		return
	case nodeOf(self) == c.node:
		serial := uint64(0) // of an earlier life: before all that is here now
		if self == c.self {
			serial, _ = strconv.ParseUint(m.Headers().Get(headerSerial), 10, 64)
		}
		c.own(seq, serial, msg)
		return
	}
	c.broker.Deliver(msg, func(err error) {
		if err == nil {
			c.links.end(seq)
		}
	})
}

func (l *links) begin(seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.durable.begun = seq
	l.durable.running = append(l.durable.running, taken{seq: seq})
}

func (l *links) end(seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := &l.durable
	for i := range d.running {
		if d.running[i].seq == seq {
			d.running[i].done = true
			break
		}
	}
	for len(d.running) > 0 && d.running[0].done {
		d.safe = d.running[0].seq
		d.running = d.running[1:]
	}
}

// progress is how far the QoS 1 stream is safe.
func (l *links) progress() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	safe := l.durable.safe
	for _, a := range l.durable.arrivals {
		if !a.caught {
			safe = min(safe, a.after)
		}
	}
	return safe
}

// save notes the progress for the next life of this node.
func (l *links) save(c *Cluster) {
	l.mu.Lock()
	safe := l.durable.safe
	if safe == l.durable.saved {
		l.mu.Unlock()
		return
	}
	l.durable.saved = safe
	l.mu.Unlock()
	if err := c.cfg.State.Note("qos1", strconv.FormatUint(safe, 10)); err != nil {
		c.note("noting how far the messages were taken: " + err.Error())
	}
}
