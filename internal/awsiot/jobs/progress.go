package jobs

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/skep-sim/skep/internal/awsiot/event"
)

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
		if j.Minute > now {
			s.watch(j.Minute)
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
			j.Minute = now + 60
			s.keepJob(j)
			s.watch(j.Minute)
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
