package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// Config is what a node is made of.
type Config struct {
	URL         string // of NATS servers, with commas between them; credentials may be in it
	Credentials string // a NATS credentials file, "" for none
	Name        string // of the cluster: processes of one name are one endpoint; "" is "skep"
	State       *store.Store
	Clock       clock.Clock
	Rand        io.Reader
	Log         func(event.Event)
	// DurableQoS1 has a publisher get its PUBACK only when JetStream has the message.
	DurableQoS1 bool
	// Replicas is how many NATS servers keep each thing; 0 is three, or one where NATS is one
	// server.
	Replicas int
	// DeadAfter is how long a node may be silent; 0 is five seconds.
	DeadAfter time.Duration
}

// Cluster is this process's place among the nodes. It is a broker.Backbone.
type Cluster struct {
	cfg    Config
	node   string // its name, which it keeps over restarts
	self   string // the name, and which of its lives this is
	nc     *nats.Conn
	shared *nats.Conn // for shared subscriptions: unlike nc it hears what this node publishes
	js     jetstream.JetStream
	rep    *replica
	broker *broker.Broker
	local  LocalShadows
	stops  []func()
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	changed chan struct{} // there are changes

	interest interest
	links    links
	claims   claims
	held     held

	mu       sync.Mutex
	members  map[string]*member // by node, without this one
	departed map[string]uint64  // how far nodes that are gone had taken the QoS 1 stream
	hooks    []func(bucket, key string, value []byte)
	changes  []change // of other nodes, not told yet
	closed   bool
}

type change struct {
	bucket, key string
	value       []byte
}

// joinTime is how long joining may take.
const joinTime = time.Minute

// Join connects to NATS and makes the state that of the cluster: what the cluster has, or, if
// this is its first node, what the state holds. It goes before anything else uses the state.
func Join(cfg Config) (*Cluster, error) {
	if cfg.Name == "" {
		cfg.Name = "skep"
	}
	if strings.ContainsAny(cfg.Name, ".*> \t%") {
		return nil, fmt.Errorf("the cluster's name %q: use letters, digits and hyphens", cfg.Name)
	}
	if cfg.DeadAfter == 0 {
		cfg.DeadAfter = 5 * time.Second
	}
	c := &Cluster{cfg: cfg, members: map[string]*member{}, departed: map[string]uint64{}, changed: make(chan struct{}, 1)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.claims = claims{mine: map[string]claim{}, lost: map[string]bool{}, seen: map[string]claim{}}
	c.held = held{deletes: map[string][]heldDelete{}, waiting: map[string]chan struct{}{}, to: map[string]string{}, kept: map[string]kept{}}
	c.interest = interest{subs: map[string]*nats.Subscription{}, fresh: map[*nats.Conn]bool{}}
	c.links = links{in: make(chan *nats.Msg, inBuffer), recent: map[string]struct{}{}, ring: make([]string, recents)}
	c.links.durable.arrivals = map[string]*arrival{}
	if err := c.join(); err != nil {
		c.abandon()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) join() error {
	if err := c.identify(); err != nil {
		return err
	}
	if err := c.connect(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.ctx, joinTime)
	defer cancel()
	stream, err := c.stream(ctx, jetstream.StreamConfig{
		Name: c.streamName("STATE"), Subjects: []string{c.subject("state.>")},
		MaxMsgsPerSubject: 1, AllowMsgTTL: true, Storage: jetstream.FileStorage, AllowDirect: true,
	})
	if err != nil {
		return err
	}
	if err := c.found(ctx, stream); err != nil {
		return err
	}
	c.rep = newReplica(c, c.js, c.cfg.State)
	if err := c.rep.follow(ctx, stream); err != nil {
		return err
	}
	c.rep.wg.Add(1)
	go c.rep.settle()
	c.cfg.State.Replicate(c.rep)
	if err := c.listenToMembers(); err != nil {
		return err
	}
	return nil
}

// identify finds this node's name, or gives it one.
func (c *Cluster) identify() (err error) {
	if c.node, err = c.cfg.State.Noted("node"); err != nil {
		return err
	}
	fresh, err := c.random()
	if err != nil {
		return err
	}
	if c.node == "" {
		c.node = fresh
		if err := c.cfg.State.Note("node", c.node); err != nil {
			return err
		}
		if fresh, err = c.random(); err != nil {
			return err
		}
	}
	c.self = c.node + "." + fresh
	return nil
}

// nodeOf is the node whose life self is.
func nodeOf(self string) string {
	node, _, _ := strings.Cut(self, ".")
	return node
}

func (c *Cluster) random() (string, error) {
	var b [6]byte
	if _, err := io.ReadFull(c.cfg.Rand, b[:]); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", b), nil
}

func (c *Cluster) connect() (err error) {
	dial := func(what string, opts ...nats.Option) (*nats.Conn, error) {
		opts = append(opts, nats.Name("skep "+c.node+what), nats.MaxReconnects(-1), nats.ReconnectWait(200*time.Millisecond), nats.Timeout(5*time.Second),
			nats.PingInterval(5*time.Second), nats.MaxPingsOutstanding(2), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { c.note("NATS: " + err.Error()) }),
			nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
				if err != nil {
					c.note("the connection to NATS is lost: " + err.Error() + "; trying again")
				}
			}),
			nats.ReconnectHandler(func(nc *nats.Conn) { c.note("connected to NATS again, at " + nc.ConnectedAddr()) }))
		if c.cfg.Credentials != "" {
			opts = append(opts, nats.UserCredentials(c.cfg.Credentials))
		}
		nc, err := nats.Connect(c.cfg.URL, opts...)
		if err != nil {
			return nil, fmt.Errorf("connecting to NATS at %s: %w: is a NATS server running there, with JetStream (nats-server -js)?", c.cfg.URL, err)
		}
		return nc, nil
	}
	if c.nc, err = dial("", nats.NoEcho()); err != nil {
		return err
	}
	if c.shared, err = dial(" shared subscriptions"); err != nil {
		return err
	}
	c.js, err = jetstream.New(c.nc, jetstream.WithPublishAsyncMaxPending(1<<17), jetstream.WithPublishAsyncTimeout(ackTime))
	return err
}

// stream finds a stream or makes it, with three copies if NATS has three servers.
func (c *Cluster) stream(ctx context.Context, conf jetstream.StreamConfig) (jetstream.Stream, error) {
	var found jetstream.Stream
	err := c.persist(ctx, func(ctx context.Context) error {
		s, err := c.js.Stream(ctx, conf.Name)
		if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrJetStreamNotEnabled) {
			return nil
		}
		found = s
		return err
	})
	if found != nil && err == nil {
		return found, nil
	}
	if err != nil {
		return nil, fmt.Errorf("JetStream at %s: %w: start nats-server with JetStream (-js)", c.cfg.URL, err)
	}
	if conf.Replicas = c.cfg.Replicas; conf.Replicas == 0 {
		conf.Replicas = 3
	}
	found, err = c.makeStream(ctx, conf)
	var api *jetstream.APIError
	if errors.As(err, &api) && conf.Replicas > 1 && c.cfg.Replicas == 0 {
		c.note(fmt.Sprintf("NATS cannot keep %d copies (%s): one is kept, and is gone with its server", conf.Replicas, api.Description))
		conf.Replicas = 1
		found, err = c.makeStream(ctx, conf)
	}
	if err != nil {
		return nil, fmt.Errorf("making the stream %s: %w", conf.Name, err)
	}
	return found, nil
}

// makeStream makes a stream, or finds the one that another node has made meanwhile. Servers of a cluster
// that do not know each other yet refuse several copies: they are given time to.
func (c *Cluster) makeStream(ctx context.Context, conf jetstream.StreamConfig) (made jetstream.Stream, err error) {
	begin := c.cfg.Clock.Now()
	var refused error
	err = c.persist(ctx, func(ctx context.Context) error {
		made, refused = c.js.CreateStream(ctx, conf)
		if errors.Is(refused, jetstream.ErrStreamNameAlreadyInUse) {
			made, refused = c.js.Stream(ctx, conf.Name)
		}
		var api *jetstream.APIError
		if errors.As(refused, &api) && (c.nc.ConnectedClusterName() == "" || c.cfg.Clock.Now().Sub(begin) > gatherTime) {
			return nil
		}
		return refused
	})
	if err == nil {
		err = refused
	}
	return made, err
}

// gatherTime is how long the servers of a NATS cluster may take to find together.
const gatherTime = 15 * time.Second

// found makes this state the cluster's if the cluster has none, and else checks that it may
// become the cluster's.
func (c *Cluster) found(ctx context.Context, stream jetstream.Stream) error {
	begin := nats.NewMsg(c.subject("state.founder"))
	begin.Data = []byte(c.node)
	founder := c.node
	err := c.persist(ctx, func(ctx context.Context) error {
		_, err := c.js.PublishMsg(ctx, begin, jetstream.WithExpectLastSequencePerSubject(0))
		if !isConflict(err) {
			return err
		}
		m, err := stream.GetLastMsgForSubject(ctx, begin.Subject)
		if err == nil {
			founder = string(m.Data) // perhaps this one, in an attempt before
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("writing to JetStream: %w", err)
	}
	if founder != c.node {
		return c.admit(ctx, stream)
	}
	if _, err := stream.GetLastMsgForSubject(ctx, c.subject("state.ready")); err == nil {
		return c.admit(ctx, stream) // it has founded it in an earlier life
	}
	if _, err := c.cfg.State.Authority(); err != nil { // made now if need be
		return err
	}
	err = c.cfg.State.EachShared(func(bucket, key string, value []byte) error {
		return c.persist(ctx, func(ctx context.Context) error {
			_, err := c.js.PublishMsg(ctx, c.stateMessage(bucket, key, value))
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("giving the cluster its state: %w", err)
	}
	err = c.persist(ctx, func(ctx context.Context) error {
		_, err := c.js.Publish(ctx, c.subject("state.ready"), []byte(c.node))
		return err
	})
	if err != nil {
		return fmt.Errorf("giving the cluster its state: %w", err)
	}
	return c.cfg.State.Note("cluster", c.cfg.Name)
}

// admit waits until the cluster has its state and checks this node's own.
func (c *Cluster) admit(ctx context.Context, stream jetstream.Stream) error {
	for {
		_, err := stream.GetLastMsgForSubject(ctx, c.subject("state.ready"))
		if err == nil {
			break
		}
		if !errors.Is(err, jetstream.ErrMsgNotFound) {
			return fmt.Errorf("reading from JetStream: %w", err)
		}
		select {
		case <-c.after(100 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("the node that began the cluster %q has not finished: if it is gone, remove the stream %s from JetStream and start again", c.cfg.Name, c.streamName("STATE"))
		}
	}
	theirs, err := stream.GetLastMsgForSubject(ctx, c.stateMessage("meta", "authority", nil).Subject)
	if err != nil {
		return fmt.Errorf("reading the cluster's authority: %w", err)
	}
	same, any, err := c.cfg.State.HasAuthority(theirs.Data)
	if err != nil {
		return err
	}
	if any && !same {
		return fmt.Errorf("the state in %s is that of another cloud, with an authority of its own, and cannot join the cluster %q: give this node an empty directory with --state", c.cfg.State.Dir(), c.cfg.Name)
	}
	return c.cfg.State.Note("cluster", c.cfg.Name)
}

// Foreign asks for every write of another node, also for those that came before Begin.
func (c *Cluster) Foreign(f func(bucket, key string, value []byte)) {
	c.mu.Lock()
	c.hooks = append(c.hooks, f)
	c.mu.Unlock()
}

// foreign notes a write of another node. It is told by a goroutine of its own: who is told may
// hold a lock while it waits for a write that comes behind this one.
func (c *Cluster) foreign(bucket, key string, value []byte) {
	c.mu.Lock()
	c.changes = append(c.changes, change{bucket, key, value})
	c.mu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// tell tells the hooks of the writes of other nodes, in their order.
func (c *Cluster) tell() {
	defer c.wg.Done()
	for {
		c.mu.Lock()
		changes, hooks := c.changes, c.hooks
		c.changes = nil
		c.mu.Unlock()
		for _, x := range changes {
			for _, f := range hooks {
				f(x.bucket, x.key, x.value)
			}
		}
		select {
		case <-c.changed:
		case <-c.ctx.Done():
			return
		}
	}
}

func (c *Cluster) subject(rest string) string { return "skep." + c.cfg.Name + "." + rest }

func (c *Cluster) streamName(what string) string {
	return "SKEP_" + strings.ToUpper(strings.ReplaceAll(c.cfg.Name, "-", "_")) + "_" + what
}

func (c *Cluster) note(text string) {
	if c.cfg.Log != nil {
		c.cfg.Log(event.Event{Time: c.cfg.Clock.Now(), Kind: event.Note, Text: "cluster: " + text})
	}
}

func (c *Cluster) after(d time.Duration) <-chan struct{} {
	ch := make(chan struct{})
	c.cfg.Clock.AfterFunc(d, func() { close(ch) })
	return ch
}

// Node is the name of this node.
func (c *Cluster) Node() string { return c.node }

// Close leaves the cluster: the others take this node's sessions over. It goes after the
// broker's Close and before the state's.
func (c *Cluster) Close() {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.closed = true
	c.mu.Unlock()
	done := make(chan struct{})
	c.cfg.State.Barrier(func(error) { close(done) })
	select {
	case <-done:
	case <-c.after(ackTime):
	}
	if bye, err := json.Marshal(hello{Node: c.node, Self: c.self, Bye: true, Safe: c.links.progress()}); err == nil {
		c.nc.Publish(c.subject("hello"), bye)
		c.nc.FlushTimeout(time.Second)
	}
	c.abandon()
}

func (c *Cluster) abandon() {
	c.cancel()
	for _, stop := range c.stops {
		stop()
	}
	if c.rep != nil {
		c.rep.close()
	}
	for _, nc := range [...]*nats.Conn{c.nc, c.shared} {
		if nc != nil {
			nc.Close()
		}
	}
	c.wg.Wait()
}
