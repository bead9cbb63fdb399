package cluster

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/skep-sim/skep/internal/awsiot/clock"
)

// leaderless is a JetStream that takes nothing until it has a leader. It keeps what it has taken.
type leaderless struct {
	jetstream.JetStream
	mu     sync.Mutex
	leader bool
	tries  int
	log    []string // SUBJECT=VALUE
}

func (j *leaderless) PublishMsgAsync(m *nats.Msg, _ ...jetstream.PublishOpt) (jetstream.PubAckFuture, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tries++
	f := future{ok: make(chan *jetstream.PubAck, 1), err: make(chan error, 1)}
	if !j.leader {
		f.err <- jetstream.ErrNoStreamResponse
		return f, nil
	}
	j.log = append(j.log, m.Subject+"="+string(m.Data))
	f.ok <- &jetstream.PubAck{Sequence: uint64(len(j.log))}
	return f, nil
}

func (j *leaderless) elect() {
	j.mu.Lock()
	j.leader = true
	j.mu.Unlock()
}

type future struct {
	ok  chan *jetstream.PubAck
	err chan error
}

func (f future) Ok() <-chan *jetstream.PubAck { return f.ok }
func (f future) Err() <-chan error            { return f.err }
func (f future) Msg() *nats.Msg               { return nil }

// paced is a clock on which waiting takes no time: it goes on by what is waited for. steps are taken at the
// waits of their numbers.
type paced struct {
	mu    sync.Mutex
	now   time.Time
	waits int
	steps map[int]func()
}

func (p *paced) Now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *paced) AfterFunc(d time.Duration, f func()) clock.Timer {
	p.mu.Lock()
	p.now = p.now.Add(d)
	p.waits++
	step := p.steps[p.waits]
	p.mu.Unlock()
	if step != nil {
		step()
	}
	f()
	return over{}
}

type over struct{}

func (over) Stop() bool { return false }

// newElection makes a replica whose writes come back at once.
func newElection(t *testing.T, steps map[int]func()) (*leaderless, *replica) {
	c := &Cluster{cfg: Config{Name: "t", Clock: &paced{now: time.Unix(1700000000, 0), steps: steps}}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	j := &leaderless{}
	r := newReplica(c, j, nil)
	r.applied = 1 << 60
	t.Cleanup(func() {
		c.cancel()
		r.close()
	})
	return j, r
}

func settle(r *replica) {
	r.wg.Add(1)
	go r.settle()
}

// outcomes collects what becomes of writes.
type outcomes struct {
	mu  sync.Mutex
	got []string
}

func (o *outcomes) of(name string) func(error) {
	return func(err error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.got = append(o.got, fmt.Sprint(name, " ", err))
	}
}

// TestElection: writes that come while JetStream has no leader are stored once it has one, and of each key
// the last one counts, as if nothing had happened.
func TestElection(t *testing.T) {
	var o outcomes
	var j *leaderless
	var r *replica
	all := make(chan struct{})
	message := func(text string) {
		m := nats.NewMsg("message")
		m.Data = []byte(text)
		r.publish(m, o.of(text))
	}
	j, r = newElection(t, map[int]func(){
		3: func() {
			r.Put("b", "k", []byte("2"), o.of("k2"))
			message("B")
		},
		5: func() {
			j.elect()
			r.Put("b", "k", []byte("3"), o.of("k3"))
			r.Barrier(func(error) { close(all) })
		},
	})
	r.Put("b", "k", []byte("1"), o.of("k1"))
	r.Put("b", "other", []byte("x"), o.of("other"))
	message("A")
	settle(r)
	<-all
	if want := "[k1 <nil> other <nil> A <nil> k2 <nil> B <nil> k3 <nil>]"; fmt.Sprint(o.got) != want {
		t.Errorf("%v, want %s", o.got, want)
	}
	last := map[string]string{}
	messages := 0
	for _, text := range j.log {
		subject, value, _ := strings.Cut(text, "=")
		last[subject] = value
		if subject == "message" {
			messages++
		}
	}
	if last[r.c.stateMessage("b", "k", nil).Subject] != "3" || last[r.c.stateMessage("b", "other", nil).Subject] != "x" || messages != 2 {
		t.Errorf("JetStream has %v", j.log)
	}
}

// TestNoElection: a write that no server takes fails after a while, and others behind it do not wait anew.
func TestNoElection(t *testing.T) {
	var o outcomes
	all := make(chan struct{})
	j, r := newElection(t, nil)
	for i := range 100 {
		r.Put("b", fmt.Sprint("k", i), []byte("1"), o.of("k"))
	}
	r.Barrier(func(error) { close(all) })
	settle(r)
	<-all
	for _, text := range o.got {
		if !strings.Contains(text, jetstream.ErrNoStreamResponse.Error()) {
			t.Error(text)
		}
	}
	if most := 100 + int(ackTime/retryEvery) + 1; len(o.got) != 100 || j.tries < 120 || j.tries > most {
		t.Errorf("%d outcomes, %d tries, want 120 to %d", len(o.got), j.tries, most)
	}
}
