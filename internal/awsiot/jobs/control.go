package jobs

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Job is a job as an operator sees it.
type Job struct {
	Config
	Status    Status         `json:"status"`
	Created   int64          `json:"createdAt"` // seconds since 1970
	Updated   int64          `json:"lastUpdatedAt"`
	Completed int64          `json:"completedAt,omitempty"`
	Comment   string         `json:"comment,omitempty"`
	Reason    string         `json:"reasonCode,omitempty"`
	Forced    bool           `json:"forceCanceled,omitempty"`
	Waiting   int            `json:"numberOfWaitingThings"` // not told yet
	Counts    map[Status]int `json:"jobProcessDetails"`     // executions by state
}

// Execution is one thing's part in a job as an operator sees it.
type Execution struct {
	Thing   string            `json:"thingName"`
	Job     string            `json:"jobId"`
	Status  Status            `json:"status"`
	Details map[string]string `json:"statusDetails,omitempty"`
	Queued  int64             `json:"queuedAt"` // seconds since 1970
	Started int64             `json:"startedAt,omitempty"`
	Updated int64             `json:"lastUpdatedAt"`
	Version int64             `json:"versionNumber"`
	Number  int64             `json:"executionNumber"`
}

func (s *Service) show(j *job) Job {
	return Job{
		Config: j.Config, Status: j.Status, Created: j.Created, Updated: j.Updated, Completed: j.CompleteT, Comment: j.Comment, Reason: j.Reason,
		Forced: j.Forced, Waiting: len(j.waiting), Counts: maps.Clone(j.counts),
	}
}

func showExecution(x *execution) Execution {
	return Execution{x.Thing, x.Job, x.Status, maps.Clone(x.Details), x.Queued, x.Started, x.Updated, x.Version, x.Number}
}

// ErrNoJob says that there is no job of a name.
var ErrNoJob = errors.New("there is no such job")

func noJob(id string) error {
	return fmt.Errorf("job %q: %w; `skep cloud job list` shows all", id, ErrNoJob)
}

// Create makes a job and begins to tell its targets.
func (s *Service) Create(c Config) (Job, error) {
	if s.o.Off != "" {
		return Job{}, errors.New(s.o.Off)
	}
	if err := c.check(); err != nil {
		return Job{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.jobs[c.ID] != nil {
		return Job{}, fmt.Errorf("job %s: there is one already; a job cannot be changed, take another id", c.ID)
	}
	if active := len(slices.DeleteFunc(s.ordered(), func(j *job) bool { return j.Status != InProgress })); active >= maxActive {
		return Job{}, fmt.Errorf("job %s: %d jobs are in progress, the limit is %d", c.ID, active, maxActive)
	}
	for _, t := range c.Targets {
		if s.o.State.Thing(t) == nil {
			return Job{}, fmt.Errorf("job %s: there is no thing %q; `skep cloud thing list` shows all", c.ID, t)
		}
	}
	slices.Sort(c.Targets)
	c.Targets = slices.Compact(c.Targets)
	now := s.now()
	j := &job{Config: c, Status: InProgress, Created: now, Updated: now}
	if c.All {
		j.waiting = s.allThings()
		if c.Selection == "SNAPSHOT" {
			j.Targets = slices.Clone(j.waiting)
		}
		if len(j.waiting) == 0 && c.Selection == "SNAPSHOT" {
			return Job{}, fmt.Errorf("job %s: there are no things", c.ID)
		}
	} else {
		j.waiting = slices.Clone(c.Targets)
	}
	s.jobs[c.ID] = j
	s.keepJob(j)
	s.rollOut(j)
	err := s.wait(s.commit())
	return s.show(j), err
}

// Describe shows a job.
func (s *Service) Describe(id string) (Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[id]
	if j == nil {
		return Job{}, noJob(id)
	}
	return s.show(j), nil
}

// List shows all jobs in order of creation.
func (s *Service) List() []Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Job{}
	for _, j := range s.ordered() {
		out = append(out, s.show(j))
	}
	return out
}

// Executions shows a job's executions in order of their things.
func (s *Service) Executions(id string) ([]Execution, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.jobs[id] == nil {
		return nil, noJob(id)
	}
	out := []Execution{}
	for _, x := range s.executions(id) {
		out = append(out, showExecution(x))
	}
	return out, nil
}

func (s *Service) executions(id string) []*execution {
	var out []*execution
	for _, thing := range slices.Sorted(maps.Keys(s.things)) {
		if x := s.things[thing][id]; x != nil {
			out = append(out, x)
		}
	}
	return out
}

// Cancel cancels a job: what is queued, with force also what is in progress.
func (s *Service) Cancel(id string, force bool, reason, comment string) (Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[id]
	switch {
	case j == nil:
		return Job{}, noJob(id)
	case j.Status == Canceled && force && !j.Forced:
		// AWS takes a second, forced, cancellation.
	case j.Status != InProgress:
		return Job{}, fmt.Errorf("job %s is %s: only one that is IN_PROGRESS can be canceled", id, j.Status)
	}
	s.cancel(j, force, reason, comment)
	err := s.wait(s.commit())
	return s.show(j), err
}

// cancel does it. s.mu is held.
func (s *Service) cancel(j *job, force bool, reason, comment string) {
	j.Forced, j.Reason, j.Comment = force, reason, comment
	j.waiting = nil
	j.Status, j.Updated = Canceled, s.now()
	s.keepJob(j)
	s.jobEvent(j, "cancellation_in_progress", "CANCELLATION_IN_PROGRESS")
	s.cancelExecutions(j)
	s.jobEvent(j, "canceled", Canceled)
}

func (s *Service) cancelExecutions(j *job) {
	for _, x := range s.executions(j.ID) {
		if x.Status == Queued || j.Forced && x.Status == InProgress {
			x.Forced = x.Status == InProgress
			s.change(x, Canceled, nil)
		}
	}
}

// CancelExecution cancels one thing's execution.
func (s *Service) CancelExecution(id, thing string, force bool) (Execution, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.things[thing][id]
	switch {
	case s.jobs[id] == nil:
		return Execution{}, noJob(id)
	case x == nil:
		return Execution{}, fmt.Errorf("job %s has no execution for %q", id, thing)
	case x.Status.terminal():
		return Execution{}, fmt.Errorf("job %s of %s is %s already", id, thing, x.Status)
	case x.Status == InProgress && !force:
		return Execution{}, fmt.Errorf("job %s of %s is IN_PROGRESS: that is canceled with --force only; the device should be able to recover", id, thing)
	}
	x.Forced = x.Status == InProgress
	s.change(x, Canceled, nil)
	err := s.wait(s.commit())
	return showExecution(x), err
}

// Delete deletes a job and its executions; one that is in progress with force only.
func (s *Service) Delete(id string, force bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[id]
	if j == nil {
		return noJob(id)
	}
	if !force && (j.Status == InProgress || j.counts[InProgress] > 0) {
		return fmt.Errorf("job %s is in progress: cancel it first, or delete it with --force", id)
	}
	j.Status, j.Updated, j.waiting = Deleting, s.now(), nil
	s.keepJob(j)
	s.jobEvent(j, "deletion_in_progress", Deleting)
	if err := s.wait(s.commit()); err != nil {
		return err
	}
	s.remove(j)
	return s.wait(s.commit())
}

// remove takes a job that is marked as deleted away. s.mu is held.
func (s *Service) remove(j *job) {
	for _, x := range s.executions(j.ID) {
		before, open := s.next(x.Thing), !x.Status.terminal()
		s.drop(x.Thing, x.Job)
		s.tasks = append(s.tasks, save{executionKey(x.Thing, x.Job), nil})
		s.notify(x.Thing, before, open)
	}
	delete(s.jobs, j.ID)
	s.tasks = append(s.tasks, save{keyJob + j.ID, nil})
	s.jobEvent(j, "deleted", "DELETED")
}

// ThingsChanged tells of things made or deleted: continuous jobs go on with new ones, and what
// a deleted one had to do is REMOVED.
func (s *Service) ThingsChanged() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.jobs) == 0 {
		return
	}
	for _, j := range s.ordered() {
		if j.Status != InProgress || j.Selection != "CONTINUOUS" {
			continue
		}
		for _, t := range s.allThings() {
			if s.things[t][j.ID] == nil && !slices.Contains(j.waiting, t) {
				j.waiting = append(j.waiting, t)
			}
		}
		s.rollOut(j)
	}
	for _, thing := range slices.Sorted(maps.Keys(s.things)) {
		if s.o.State.Thing(thing) != nil {
			continue
		}
		for _, x := range s.pending(thing) {
			s.change(x, Removed, nil)
		}
	}
	s.commitThen(func(error) {})
}

// event is AWS's event about a job; members that a kind of event lacks are left out.
type jobEvent struct {
	Type        string         `json:"eventType"`
	ID          string         `json:"eventId"`
	Timestamp   int64          `json:"timestamp"`
	Operation   string         `json:"operation"`
	Job         string         `json:"jobId"`
	Status      Status         `json:"status"`
	Selection   string         `json:"targetSelection"`
	Targets     []string       `json:"targets"`
	Description string         `json:"description,omitempty"`
	Completed   int64          `json:"completedAt,omitempty"` // milliseconds, as the two below
	Created     int64          `json:"createdAt"`
	Updated     int64          `json:"lastUpdatedAt"`
	Comment     string         `json:"comment,omitempty"`
	Details     map[string]int `json:"jobProcessDetails,omitempty"`
}

// jobEvent publishes that a job has come to a state. s.mu is held.
func (s *Service) jobEvent(j *job, operation string, status Status) {
	e := jobEvent{
		Type: "JOB", ID: s.uuid(), Timestamp: s.now(), Operation: operation, Job: j.ID, Status: status, Selection: j.Selection, Targets: []string{},
		Description: j.Description, Completed: j.CompleteT * 1000, Created: j.Created * 1000, Updated: j.Updated * 1000, Comment: j.Comment,
	}
	for _, t := range j.Targets {
		e.Targets = append(e.Targets, s.arn("thing", t))
	}
	if operation == "completed" {
		e.Details = map[string]int{
			"numberOfCanceledThings": j.counts[Canceled], "numberOfRejectedThings": j.counts[Rejected], "numberOfFailedThings": j.counts[Failed],
			"numberOfRemovedThings": j.counts[Removed], "numberOfSucceededThings": j.counts[Succeeded], "numberOfTimedOutThings": j.counts[TimedOut],
		}
	}
	s.say("$aws/events/job/"+j.ID+"/"+operation, e)
}

// executionEvent publishes that an execution has ended. s.mu is held.
func (s *Service) executionEvent(x *execution) {
	operation := strings.ToLower(string(x.Status))
	s.say("$aws/events/jobExecution/"+x.Job+"/"+operation, struct {
		Type      string            `json:"eventType"`
		ID        string            `json:"eventId"`
		Timestamp int64             `json:"timestamp"`
		Operation string            `json:"operation"`
		Job       string            `json:"jobId"`
		ThingARN  string            `json:"thingArn"`
		Status    Status            `json:"status"`
		Details   map[string]string `json:"statusDetails,omitempty"`
	}{"JOB_EXECUTION", s.uuid(), s.now(), operation, x.Job, s.arn("thing", x.Thing), x.Status, x.Details})
}

func (s *Service) arn(kind, name string) string {
	return fmt.Sprintf("arn:aws:iot:%s:%s:%s/%s", s.o.Region, s.o.Account, kind, name)
}

func (s *Service) uuid() string {
	var b [16]byte
	if _, err := io.ReadFull(s.o.Rand, b[:]); err != nil {
		return ""
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
