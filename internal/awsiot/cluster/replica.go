package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/skep-sim/skep/internal/awsiot/store"
)

// Headers of the state stream.
const (
	headerNode = "Skep-Node" // who has written it
	headerGone = "Skep-Gone" // the key is deleted
)

// goneFor is how long the note that a key was deleted is kept for nodes that are away. A node
// that was away for longer compares all keys when it comes back, so it is not needed for them.
const goneFor = time.Hour

// ackTime is how long JetStream may take to confirm a write: as long as electing a leader takes
// (5 to 8 s were measured).
const ackTime = 8 * time.Second

// ErrConflict is the outcome of a write of a shadow that another node has changed meanwhile.
var ErrConflict = errors.New("another node has changed it meanwhile")

// replica carries the writes of a store through the state stream; it is a store.Replica.
type replica struct {
	c     *Cluster
	js    jetstream.JetStream
	state *store.Store

	mu      sync.Mutex
	moved   sync.Cond
	queue   []*write
	applied uint64            // what the stream has brought is applied up to here
	known   map[string]uint64 // the last message of each shadow's subject
	pending map[string]int    // writes of shadows on their way
	serial  uint64            // of those
	synced  bool
	failed  error // what ended the following of the stream
	closed  bool
	wg      sync.WaitGroup
}

// write is one on its way; without a message it is a barrier.
type write struct {
	msg    *nats.Msg
	opts   []jetstream.PublishOpt
	future jetstream.PubAckFuture // nil while it waits for the one before it
	begun  time.Time              // when it was published first
	ended  bool                   // then there is no future any more, but
	seq    uint64                 // its place in the stream
	err    error                  // or why it has none
	expect *uint64                // the last message of its subject must be this; nil: any
	away   bool                   // it does not come back
	done   func(error)
}

func newReplica(c *Cluster, js jetstream.JetStream, st *store.Store) *replica {
	r := &replica{c: c, js: js, state: st, known: map[string]uint64{}, pending: map[string]int{}}
	r.moved.L = &r.mu
	return r
}

// Put implements store.Replica.
func (r *replica) Put(bucket, key string, value []byte, done func(error)) {
	w := &write{msg: r.c.stateMessage(bucket, key, value), done: done}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		go done(store.ErrClosed)
		return
	}
	r.queue = append(r.queue, w)
	if bucket == string(store.Shadows) {
		r.serial++
		w.msg.Header.Set(jetstream.MsgIDHeader, fmt.Sprintf("%s.%d", r.c.self, r.serial))
		r.pending[w.msg.Subject]++
		if r.pending[w.msg.Subject] == 1 {
			r.sendExpecting(w)
		}
	} else {
		var opts []jetstream.PublishOpt
		if value == nil {
			opts = append(opts, jetstream.WithMsgTTL(goneFor))
		}
		r.send(w, opts...)
	}
	r.moved.Broadcast()
}

// send publishes a write. r.mu is held, so that writes go out in the order of the queue. The library would
// try again by itself while JetStream elects a leader, but past later writes of the same key.
func (r *replica) send(w *write, opts ...jetstream.PublishOpt) {
	if w.begun.IsZero() {
		w.begun = r.c.cfg.Clock.Now()
	}
	w.opts = opts
	w.future, w.err = r.js.PublishMsgAsync(w.msg, append([]jetstream.PublishOpt{jetstream.WithRetryAttempts(0)}, opts...)...)
	w.ended = w.err != nil
}

// outcome waits until a write is confirmed or refused. While no server takes it, because one is about to be
// elected, it is published again, for as long as a write may take; unless a later one of the same key goes
// in its place.
func (r *replica) outcome(w *write) (uint64, error) {
	for {
		if !w.ended {
			select {
			case ack := <-w.future.Ok():
				w.seq, w.err = ack.Sequence, nil
			case w.err = <-w.future.Err():
			}
			w.ended = true
		}
		if w.expect != nil || !errors.Is(w.err, jetstream.ErrNoStreamResponse) || r.c.cfg.Clock.Now().Sub(w.begun) > ackTime {
			return w.seq, w.err
		}
		select {
		case <-r.c.after(retryEvery):
		case <-r.c.ctx.Done():
			return 0, w.err
		}
		r.mu.Lock()
		later := r.later(w)
		if later == nil {
			r.send(w, w.opts...)
		}
		r.mu.Unlock()
		if later != nil {
			w.seq, w.err = r.outcome(later)
			return w.seq, w.err
		}
	}
}

// retryEvery is how long a write that no server took waits until it is published again.
const retryEvery = 200 * time.Millisecond

// later is the last write of the same key behind w, if there is one: what w wrote counts no more. r.mu is held.
func (r *replica) later(w *write) (found *write) {
	if w.away {
		return nil // a message, of which each counts
	}
	for _, x := range r.queue {
		if x == w {
			found = nil
		} else if x.msg != nil && !x.away && x.msg.Subject == w.msg.Subject {
			found = x
		}
	}
	return found
}

// sendExpecting publishes the write of a shadow, in place of the version that is known here. r.mu is held.
func (r *replica) sendExpecting(w *write) {
	expect := r.known[w.msg.Subject]
	w.expect = &expect
	r.send(w, jetstream.WithExpectLastSequencePerSubject(expect))
}

// again publishes the write of a shadow once more, after a connection was lost: with its id and the version it
// replaces it cannot be stored twice, nor over a later one.
func (r *replica) again(w *write) (seq uint64, err error) {
	ctx, cancel := context.WithTimeout(r.c.ctx, forwardTime)
	defer cancel()
	var refused error
	err = r.c.persist(ctx, func(ctx context.Context) error {
		ack, err := r.js.PublishMsg(ctx, w.msg, jetstream.WithExpectLastSequencePerSubject(*w.expect))
		if isConflict(err) {
			refused = err
			return nil
		}
		if err == nil {
			seq = ack.Sequence
		}
		return err
	})
	return seq, errors.Join(err, refused)
}

func isConflict(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence
}

// Barrier implements store.Replica.
func (r *replica) Barrier(done func(error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		go done(store.ErrClosed)
		return
	}
	r.queue = append(r.queue, &write{done: done})
	r.moved.Broadcast()
}

// settle ends the writes, one after another.
func (r *replica) settle() {
	defer r.wg.Done()
	for {
		r.mu.Lock()
		for len(r.queue) == 0 && !r.closed {
			r.moved.Wait()
		}
		if len(r.queue) == 0 {
			r.mu.Unlock()
			return
		}
		w := r.queue[0]
		r.queue = r.queue[1:]
		if w.msg != nil && w.future == nil && w.err == nil { // a shadow's, behind another of it
			r.sendExpecting(w)
		}
		r.mu.Unlock()
		w.done(r.await(w))
	}
}

// await waits until a write is confirmed, and has come back.
func (r *replica) await(w *write) error {
	if w.msg == nil {
		return nil
	}
	seq, err := r.outcome(w)
	if err != nil && w.expect != nil && !isConflict(err) {
		seq, err = r.again(w)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for err == nil && !w.away && r.applied < seq {
		if r.closed {
			err = store.ErrClosed
			break
		}
		r.moved.Wait()
	}
	if n := r.pending[w.msg.Subject] - 1; n > 0 {
		r.pending[w.msg.Subject] = n
	} else {
		delete(r.pending, w.msg.Subject)
	}
	if isConflict(err) {
		return ErrConflict
	}
	if err != nil {
		return fmt.Errorf("JetStream has not confirmed a write: %w", err)
	}
	return nil
}

// follow applies what the stream has, from the beginning, and goes on. It returns when the store
// is as the stream was at the call.
func (r *replica) follow(ctx context.Context, stream jetstream.Stream) error {
	keys := map[string]bool{}
	err := r.c.follow(ctx, "state", stream, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{r.c.subject("state.>")}, DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy,
	}, func(m jetstream.Msg) { r.take(m, keys) })
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		r.mu.Lock()
		r.moved.Broadcast()
		r.mu.Unlock()
	})
	defer stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.synced && r.failed == nil && ctx.Err() == nil {
		r.moved.Wait()
	}
	if r.failed != nil {
		return r.failed
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("reading the cluster's state takes too long: %w", err)
	}
	if !keys[authorityName] {
		return fmt.Errorf("the cluster's state has no authority: remove the stream %s from JetStream and start again", r.c.streamName("STATE"))
	}
	return r.dropOthers(keys)
}

// authorityName is the one thing that every cluster has.
const authorityName = "meta\x00authority"

// take applies one message. keys notes which there are until the stream has been read once.
func (r *replica) take(m jetstream.Msg, keys map[string]bool) {
	meta, err := m.Metadata()
	if err != nil {
		return
	}
	seq := meta.Sequence.Stream
	bucket, key, ok := r.c.stateKey(m.Subject())
	if !ok {
		r.state.Applied(func(err error) { r.arrived(seq, meta.NumPending == 0, err) })
		return
	}
	var value []byte
	if m.Headers().Get(headerGone) == "" {
		value = append([]byte{}, m.Data()...)
	}
	r.mu.Lock()
	if bucket == string(store.Shadows) {
		r.known[m.Subject()] = seq
	}
	if !r.synced && value != nil {
		keys[bucket+"\x00"+key] = true
	}
	r.mu.Unlock()
	foreign := m.Headers().Get(headerNode) != r.c.self
	r.state.Apply(bucket, key, value, func(err error) {
		if err == nil && foreign {
			r.c.foreign(bucket, key, value)
		}
		r.arrived(seq, meta.NumPending == 0, err)
	})
}

func (r *replica) arrived(seq uint64, last bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.applied = max(r.applied, seq)
	r.synced = r.synced || last
	if err != nil && r.failed == nil {
		r.failed = err
		r.c.note("applying the cluster's state: " + err.Error())
	}
	r.moved.Broadcast()
}

// dropOthers takes away what this node has kept and the cluster has deleted meanwhile.
// r.mu is held.
func (r *replica) dropOthers(keys map[string]bool) error {
	var gone [][2]string
	err := r.state.EachShared(func(bucket, key string, _ []byte) error {
		if !keys[bucket+"\x00"+key] {
			gone = append(gone, [2]string{bucket, key})
		}
		return nil
	})
	for _, k := range gone {
		r.state.Apply(k[0], k[1], nil, func(error) {})
	}
	return err
}

// close ends the replica; what waits fails.
func (r *replica) close() {
	r.mu.Lock()
	r.closed = true
	r.moved.Broadcast()
	r.mu.Unlock()
	r.wg.Wait()
}

// stateMessage is the message that writes a key.
func (c *Cluster) stateMessage(bucket, key string, value []byte) *nats.Msg {
	m := nats.NewMsg(c.subject("state." + token(bucket) + "." + token(key)))
	m.Header.Set(headerNode, c.self)
	m.Data = value
	if value == nil {
		m.Header.Set(headerGone, "1")
	}
	return m
}

// stateKey is the opposite: whose key a subject is.
func (c *Cluster) stateKey(subject string) (bucket, key string, ok bool) {
	rest, ok := strings.CutPrefix(subject, c.subject("state."))
	if !ok {
		return "", "", false
	}
	b, k, ok := strings.Cut(rest, ".")
	if !ok {
		return "", "", false
	}
	bucket, err1 := untoken(b)
	key, err2 := untoken(k)
	return bucket, key, err1 == nil && err2 == nil
}
