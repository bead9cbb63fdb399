package jobs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
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

// proceed times out, rolls out, and looks at the clock for what comes next. s.mu is held.
func (s *Service) proceed() {
	now := s.now()
	var late []*execution
	for _, byJob := range s.things {
		for _, x := range byJob {
			if due := x.due(); due != 0 && due <= now {
				late = append(late, x)
			} else {
				s.watch(due)
			}
		}
	}
	slices.SortFunc(late, func(a, b *execution) int { return cmp.Compare(a.Seq, b.Seq) })
	for _, x := range late {
		s.change(x, TimedOut, nil)
	}
	for _, j := range s.ordered() {
		s.rollOut(j)
	}
}

// resume ends what a crash cut short: cancellations and deletions. s.mu is held.
func (s *Service) resume() {
	for _, j := range s.ordered() {
		switch j.Status {
		case Canceled:
			s.cancelExecutions(j)
		case Deleting:
			s.remove(j)
		}
	}
}

// ordered are the jobs in order of creation.
func (s *Service) ordered() []*job {
	var out []*job
	for _, j := range s.jobs {
		out = append(out, j)
	}
	slices.SortFunc(out, func(a, b *job) int {
		return cmp.Or(cmp.Compare(a.Created, b.Created), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// rollOut tells things of a job, as many as its rate allows now. s.mu is held.
func (s *Service) rollOut(j *job) {
	if j.Status != InProgress {
		return
	}
	if len(j.waiting) > 0 {
		now := s.now()
		if j.minute > now {
			s.watch(j.minute)
			return
		}
		n := min(j.rate(j.counts[Succeeded]), len(j.waiting))
		batch := j.waiting[:n]
		j.waiting = j.waiting[n:]
		j.told += n
		for _, t := range batch {
			s.queue(j, t, 1, nil)
		}
		if len(j.waiting) > 0 {
			j.minute = now + 60
			s.watch(j.minute)
			return
		}
	}
	s.settle(j)
}

// queue makes a thing's execution. s.mu is held.
func (s *Service) queue(j *job, thing string, number int64, retried map[string]int) {
	s.seq++
	now := s.now()
	before := s.next(thing)
	x := &execution{Thing: thing, Job: j.ID, Status: Queued, Queued: now, Updated: now, Version: 1, Number: number, Retried: retried, Seq: s.seq}
	s.put(x)
	s.keep(x)
	s.notify(thing, before, true)
}

// pending are a thing's executions that have not ended, those in progress first.
func (s *Service) pending(thing string) []*execution {
	var out []*execution
	for _, x := range s.things[thing] {
		if !x.Status.terminal() {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b *execution) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.Queued, b.Queued), cmp.Compare(a.Seq, b.Seq))
	})
	return out
}

// next is the first of the pending ones, nil if there are none.
func (s *Service) next(thing string) *execution {
	if p := s.pending(thing); len(p) > 0 {
		return p[0]
	}
	return nil
}

// notify tells a thing what has changed: listed if its list has another member or lacks one,
// and its next execution if that is another than before. s.mu is held.
func (s *Service) notify(thing string, before *execution, listed bool) {
	now := s.now()
	list := s.pending(thing)
	if listed {
		by := map[Status][]summary{}
		for i, x := range list {
			if i < maxListed {
				by[x.Status] = append(by[x.Status], x.summary())
			}
		}
		s.say("$aws/things/"+thing+"/jobs/notify", struct {
			Timestamp int64                `json:"timestamp"`
			Jobs      map[Status][]summary `json:"jobs"`
		}{now, by})
	}
	var next *execution
	if len(list) > 0 {
		next = list[0]
	}
	if next == before {
		return
	}
	var x *full
	if next != nil {
		x = s.full(next, true)
		x.Thing = ""
	}
	s.say("$aws/things/"+thing+"/jobs/notify-next", struct {
		Timestamp int64 `json:"timestamp"`
		Execution *full `json:"execution,omitempty"`
	}{now, x})
}

// full is what a device is told of an execution. s.mu is held.
func (s *Service) full(x *execution, document bool) *full {
	f := &full{Job: x.Job, Thing: x.Thing, Status: x.Status, Details: x.Details, Queued: x.Queued, Started: x.Started, Updated: x.Updated, Version: x.Version, Number: x.Number}
	if due := x.due(); due != 0 {
		left := max(due-s.now(), 0)
		f.Left = &left
	}
	if j := s.jobs[x.Job]; document && j != nil {
		f.Document = j.Document
	}
	return f
}

// change brings an execution into a state, with all that follows. s.mu is held.
func (s *Service) change(x *execution, to Status, details map[string]string) {
	j, from, now := s.jobs[x.Job], x.Status, s.now()
	before := s.next(x.Thing)
	s.tally(x, -1)
	x.Status, x.Updated = to, now
	s.tally(x, 1)
	x.Version++
	if details != nil {
		x.Details = details
	}
	if to == InProgress && from == Queued {
		x.Started = now
		if j.Timeout != nil {
			x.Limit = now + int64(j.Timeout.Minutes)*60
		}
	}
	s.keep(x)
	s.notify(x.Thing, before, to.terminal() && !from.terminal())
	if !to.terminal() {
		return
	}
	s.executionEvent(x)
	if s.retry(j, x) {
		return
	}
	s.abort(j)
	s.settle(j)
}

// retry queues a failed execution again if the job says so. s.mu is held.
func (s *Service) retry(j *job, x *execution) bool {
	if j.Retry == nil || j.Status != InProgress || x.Status != Failed && x.Status != TimedOut {
		return false
	}
	for _, c := range j.Retry.Criteria {
		if (c.Failure == string(x.Status) || c.Failure == "ALL") && x.Retried[c.Failure] < c.Times {
			retried := map[string]int{c.Failure: 1}
			for k, n := range x.Retried {
				retried[k] += n
			}
			s.queue(j, x.Thing, x.Number+1, retried)
			return true
		}
	}
	return false
}

// abort cancels a job of which too much has gone wrong: what is queued, not what is in
// progress. s.mu is held.
func (s *Service) abort(j *job) {
	if j.Abort == nil || j.Status != InProgress {
		return
	}
	n := j.counts
	ended := n[Succeeded] + n[Failed] + n[TimedOut] + n[Rejected]
	for _, c := range j.Abort.Criteria {
		bad := n[Status(c.Failure)]
		if c.Failure == "ALL" {
			bad = n[Failed] + n[TimedOut] + n[Rejected]
		}
		if ended < c.Least || float64(bad)*100 < c.Threshold*float64(ended) {
			continue
		}
		s.log(event.Note, fmt.Sprintf("job %s is canceled: %d of %d executions ended %s, the threshold is %v %%", j.ID, bad, ended, c.Failure, c.Threshold))
		s.cancel(j, false, "ABORTED", fmt.Sprintf("%d of %d executions ended %s", bad, ended, c.Failure))
		return
	}
}

// settle completes a snapshot job that everybody has ended. s.mu is held.
func (s *Service) settle(j *job) {
	if j.Status != InProgress || j.Selection != "SNAPSHOT" || len(j.waiting) > 0 {
		return
	}
	if j.counts[Queued]+j.counts[InProgress] > 0 {
		return
	}
	j.Status, j.CompleteT, j.Updated = Completed, s.now(), s.now()
	s.keepJob(j)
	s.jobEvent(j, "completed", Completed)
}
