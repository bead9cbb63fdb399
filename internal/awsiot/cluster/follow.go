package cluster

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// follower reads a stream from some place on, for ever. The library's own ordered consumer goes on
// by itself when the server that serves it dies, but asks for the next under one name: if JetStream has given
// that to the dead server, as it may for a while, it waits until that is back.
type follower struct {
	c      *Cluster
	what   string
	stream jetstream.Stream
	conf   jetstream.OrderedConsumerConfig
	take   func(jetstream.Msg)

	taking sync.Mutex // of two consumers, while one takes the place of the other, one hands over at a time
	seen   uint64     // the last message handed over; taking guards it

	mu      sync.Mutex
	reading jetstream.ConsumeContext
	stopped bool

	// The watch's: where it has stopped while the stream had more, and when that was seen first; zero if it goes on.
	stuck   uint64
	stuckAt time.Time
}

// How often it is compared with the stream, and how long it may stand still before another consumer is made. What
// the library tells of errors is no sign: the last may come before the last message.
const (
	lookEvery  = time.Second
	stuckLimit = 3 * time.Second
)

// follow hands the messages of a stream to take, one after another, until the cluster is left.
func (c *Cluster) follow(ctx context.Context, what string, stream jetstream.Stream, conf jetstream.OrderedConsumerConfig, take func(jetstream.Msg)) error {
	f := &follower{c: c, what: what, stream: stream, conf: conf, take: take}
	if _, err := f.begin(ctx); err != nil {
		return err
	}
	c.stops = append(c.stops, f.stop)
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		f.watch()
	}()
	return nil
}

// begin makes a consumer, under a name of its own, and gives how many messages wait for it.
func (f *follower) begin(ctx context.Context) (waiting uint64, err error) {
	var consumer jetstream.Consumer
	err = f.c.persist(ctx, func(ctx context.Context) (err error) {
		consumer, err = f.stream.OrderedConsumer(ctx, f.conf)
		return err
	})
	if err != nil {
		return 0, err
	}
	waiting = consumer.CachedInfo().NumPending
	reading, err := consumer.Consume(f.handOver,
		jetstream.PullExpiry(5*time.Second), jetstream.PullHeartbeat(time.Second)) // the library's own take half a minute
	if err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reading = reading
	if f.stopped {
		reading.Stop()
	}
	return waiting, nil
}

func (f *follower) handOver(m jetstream.Msg) {
	meta, err := m.Metadata()
	if err != nil {
		return
	}
	f.taking.Lock()
	defer f.taking.Unlock()
	if seq := meta.Sequence.Stream; seq > f.seen {
		f.seen = seq
		f.take(m)
	}
}

func (f *follower) place() uint64 {
	f.taking.Lock()
	defer f.taking.Unlock()
	return f.seen
}

// watch sees to it that messages go on coming.
func (f *follower) watch() {
	for {
		select {
		case <-f.c.after(lookEvery):
			f.look()
		case <-f.c.ctx.Done():
			return
		}
	}
}

// look makes another consumer if nothing has come from this one for a while though the stream has more.
func (f *follower) look() {
	ctx, cancel := context.WithTimeout(f.c.ctx, tryTime)
	defer cancel()
	info, err := f.stream.Info(ctx)
	if err != nil {
		return // there is no leader to say what there is
	}
	now, last := f.c.cfg.Clock.Now(), info.State.LastSeq
	switch seen := f.place(); {
	case last <= seen:
		f.stuckAt = time.Time{}
	case f.stuckAt.IsZero() || seen > f.stuck:
		f.stuck, f.stuckAt = seen, now
	case now.Sub(f.stuckAt) > stuckLimit:
		f.stuckAt = time.Time{}
		f.again(last)
	}
}

// again goes on with another consumer. last is the stream's last message.
func (f *follower) again(last uint64) {
	f.mu.Lock()
	f.reading.Stop()
	f.mu.Unlock()
	f.conf.DeliverPolicy, f.conf.OptStartSeq = jetstream.DeliverByStartSequencePolicy, f.place()+1
	waiting, err := f.begin(f.c.ctx)
	if err != nil {
		if f.c.ctx.Err() == nil {
			f.c.note("following the cluster's " + f.what + ": " + err.Error())
		}
		return
	}
	if waiting == 0 { // what is missing has expired
		f.taking.Lock()
		f.seen = max(f.seen, last)
		f.taking.Unlock()
	}
}

func (f *follower) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
	f.reading.Stop()
}
