package jobs

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// Options are what a Service is made of. All but Log must be there.
type Options struct {
	State   *store.Store
	Clock   clock.Clock
	Rand    io.Reader // for identifiers of events; safe for use by many goroutines
	Log     func(event.Event)
	Account string // in ARNs; "" stands for 123456789012
	Region  string
	// Off says why there are no jobs here; "" is that there are. What is stored stays.
	Off string
	// Publish sends a message as AWS IoT itself, to whoever subscribed. It must not block.
	Publish func(topic string, payload []byte)
}

// Service keeps jobs. Make one with New.
type Service struct {
	o Options

	mu     sync.Mutex
	jobs   map[string]*job
	things map[string]map[string]*execution // by thing, by job
	seq    int64
	tasks  []save // what the change under way has to store
	out    []message
	timer  clock.Timer
	due    int64 // when timer fires; 0: there is none
	closed bool
}

// save is a record to be stored, nil to be deleted.
type save struct {
	key  string
	text []byte
}

type message struct {
	topic string
	text  []byte
}

const (
	keyJob       = "job/"
	keyExecution = "execution/"
)

func executionKey(thing, id string) string { return keyExecution + thing + "/" + id }

// New loads the jobs of a state directory and goes on with them.
func New(o Options) (*Service, error) {
	if o.Account == "" {
		o.Account = "123456789012"
	}
	s := &Service{o: o}
	if o.Off != "" {
		return s, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("reading the jobs: %w", err)
	}
	s.resume()
	s.proceed()
	return s, s.wait(s.commit())
}

// Close ends the timers.
func (s *Service) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
}

// load reads everything. s.mu is held.
func (s *Service) load() error {
	s.jobs, s.things, s.seq = map[string]*job{}, map[string]map[string]*execution{}, 0
	s.tasks, s.out = nil, nil
	var read []*execution
	err := s.o.State.Each(store.Jobs, "", func(key string, text []byte) error {
		if strings.HasPrefix(key, keyJob) {
			j := &job{}
			s.jobs[strings.TrimPrefix(key, keyJob)] = j
			return json.Unmarshal(text, j)
		}
		x := &execution{}
		if err := json.Unmarshal(text, x); err != nil {
			return err
		}
		read = append(read, x)
		s.seq = max(s.seq, x.Seq)
		return nil
	})
	for _, x := range read {
		s.put(x)
	}
	for _, j := range s.jobs {
		if j.Status != InProgress {
			continue
		}
		for _, t := range s.targets(j) {
			if s.things[t][j.ID] != nil {
				j.told++
			} else {
				j.waiting = append(j.waiting, t)
			}
		}
	}
	return err
}

// targets are a job's things.
func (s *Service) targets(j *job) []string {
	if !j.All || j.Selection == "SNAPSHOT" {
		return j.Targets
	}
	return s.allThings()
}

func (s *Service) allThings() []string {
	var out []string
	for _, t := range s.o.State.Things() {
		out = append(out, t.Name)
	}
	return out
}

// put shows an execution, in place of the one before, and counts it. s.mu is held.
func (s *Service) put(x *execution) {
	if s.things[x.Thing] == nil {
		s.things[x.Thing] = map[string]*execution{}
	}
	s.drop(x.Thing, x.Job)
	s.things[x.Thing][x.Job] = x
	s.tally(x, 1)
}

// drop takes an execution away. s.mu is held.
func (s *Service) drop(thing, id string) {
	if x := s.things[thing][id]; x != nil {
		s.tally(x, -1)
		delete(s.things[thing], id)
	}
}

func (s *Service) tally(x *execution, n int) {
	j := s.jobs[x.Job]
	if j == nil {
		return
	}
	if j.counts == nil {
		j.counts = map[Status]int{}
	}
	j.counts[x.Status] += n
}

// keepJob and keep have a record stored with the change under way. s.mu is held.
func (s *Service) keepJob(j *job) {
	text, err := json.Marshal(j)
	if err == nil {
		s.tasks = append(s.tasks, save{keyJob + j.ID, text})
	}
}

func (s *Service) keep(x *execution) {
	text, err := json.Marshal(x)
	if err == nil {
		s.tasks = append(s.tasks, save{executionKey(x.Thing, x.Job), text})
	}
	s.watch(x.due())
}

// say has a message published when the change under way is safe. s.mu is held.
func (s *Service) say(topic string, v any) {
	if text, err := json.Marshal(v); err == nil {
		s.out = append(s.out, message{topic, text})
	}
}

// commit ends a change: what it says is published, and the channel gets the outcome, when it
// is safe. s.mu is held.
func (s *Service) commit() <-chan error {
	result := make(chan error, 1)
	s.commitThen(func(err error) { result <- err })
	return result
}

// commitThen is commit with a call in place of a channel. It comes after all that was committed
// before, on another goroutine, and must not block.
func (s *Service) commitThen(done func(error)) {
	tasks, out := s.tasks, s.out
	s.tasks, s.out = nil, nil
	last := map[string]int{} // a record that changed twice is stored once
	for i, t := range tasks {
		last[t.key] = i
	}
	var trouble atomic.Pointer[error]
	note := func(err error) {
		if err != nil {
			trouble.CompareAndSwap(nil, &err)
		}
	}
	for i, t := range tasks {
		if last[t.key] == i {
			s.o.State.Put(store.Jobs, t.key, t.text, note)
		}
	}
	s.o.State.Barrier(func(err error) {
		note(err)
		if p := trouble.Load(); p != nil {
			s.failed(*p)
			done(*p)
			return
		}
		for _, m := range out {
			s.o.Publish(m.topic, m.text)
		}
		done(nil)
	})
}

// wait is for callers that are not the store's goroutine. It lets go of s.mu meanwhile.
func (s *Service) wait(result <-chan error) error {
	s.mu.Unlock()
	defer s.mu.Lock()
	return <-result
}

// failed goes back to what is on disk.
func (s *Service) failed(err error) {
	s.log(event.Trouble, "jobs cannot be stored: "+err.Error())
	if err == store.ErrClosed {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(); err != nil {
		s.log(event.Trouble, "jobs cannot be read back: "+err.Error())
	}
}

func (s *Service) log(kind event.Kind, text string) {
	if s.o.Log != nil {
		s.o.Log(event.Event{Time: s.o.Clock.Now(), Kind: kind, Text: text})
	}
}

func (s *Service) now() int64 { return s.o.Clock.Now().Unix() }

// watch sees to it that something is looked at when its time comes; 0 is never. s.mu is held.
func (s *Service) watch(due int64) {
	if due == 0 || s.closed || s.due != 0 && s.due <= due {
		return
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	s.due = due
	wait := max(due-s.now(), 0)
	s.timer = s.o.Clock.AfterFunc(time.Duration(wait)*time.Second, s.tick)
}

// tick does what is due.
func (s *Service) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.due, s.timer = 0, nil
	s.proceed()
	s.commitThen(func(error) {})
}
