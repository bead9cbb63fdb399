package jobs

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"unicode"
	"unicode/utf8"
)

// Status is the state of a job or of one thing's execution of it.
type Status string

// The states. Completed and Deleting are of jobs only; Completed, Canceled and InProgress are
// of both.
const (
	Queued     Status = "QUEUED"
	InProgress Status = "IN_PROGRESS"
	Succeeded  Status = "SUCCEEDED"
	Failed     Status = "FAILED"
	TimedOut   Status = "TIMED_OUT"
	Rejected   Status = "REJECTED"
	Removed    Status = "REMOVED"
	Canceled   Status = "CANCELED"
	Completed  Status = "COMPLETED"
	Deleting   Status = "DELETION_IN_PROGRESS"
)

func (s Status) terminal() bool { return s != Queued && s != InProgress }

// Quotas of AWS ("AWS IoT Device Management job limits and quotas").
const (
	maxDocument    = 32 << 10
	maxDescription = 2028
	maxActive      = 500
	maxMinutes     = 7 * 24 * 60
	maxRetries     = 10
	maxListed      = 10 // executions in a notification
)

var (
	jobID     = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	detailKey = regexp.MustCompile(`^[a-zA-Z0-9:_-]{1,128}$`)
)

// Config is what a job is made of, with the names of AWS's CreateJob.
type Config struct {
	ID          string          `json:"jobId"`
	Document    json.RawMessage `json:"document"`
	Description string          `json:"description,omitempty"`
	Targets     []string        `json:"targets,omitempty"` // names of things
	All         bool            `json:"all,omitempty"`     // every thing there is, in place of a group of all
	// Selection is SNAPSHOT or CONTINUOUS: the latter, of All, goes on with things that come
	// later and never completes.
	Selection string   `json:"targetSelection,omitempty"`
	Rollout   *Rollout `json:"jobExecutionsRolloutConfig,omitempty"`
	Abort     *Abort   `json:"abortConfig,omitempty"`
	Timeout   *Timeout `json:"timeoutConfig,omitempty"`
	Retry     *Retry   `json:"jobExecutionsRetryConfig,omitempty"`
}

// Rollout says how many things are told a minute.
type Rollout struct {
	MaximumPerMinute int          `json:"maximumPerMinute,omitempty"`
	Exponential      *Exponential `json:"exponentialRate,omitempty"`
}

// Exponential raises the rate as the rollout goes on.
type Exponential struct {
	Base     int     `json:"baseRatePerMinute"`
	Factor   float64 `json:"incrementFactor"`
	Criteria struct {
		Notified  int `json:"numberOfNotifiedThings,omitempty"`
		Succeeded int `json:"numberOfSucceededThings,omitempty"`
	} `json:"rateIncreaseCriteria"`
}

// Abort cancels a job that goes wrong.
type Abort struct {
	Criteria []AbortCriterion `json:"criteriaList"`
}

// AbortCriterion is a share of executions that ended in a way.
type AbortCriterion struct {
	Failure   string  `json:"failureType"` // FAILED, REJECTED, TIMED_OUT or ALL
	Action    string  `json:"action"`      // CANCEL
	Threshold float64 `json:"thresholdPercentage"`
	Least     int     `json:"minNumberOfExecutedThings"`
}

// Timeout bounds how long an execution may be in progress.
type Timeout struct {
	Minutes int `json:"inProgressTimeoutInMinutes"`
}

// Retry queues failed executions again.
type Retry struct {
	Criteria []RetryCriterion `json:"criteriaList"`
}

// RetryCriterion is how often for which outcome.
type RetryCriterion struct {
	Failure string `json:"failureType"` // FAILED, TIMED_OUT or ALL
	Times   int    `json:"numberOfRetries"`
}

// check applies AWS's rules to a new job.
func (c *Config) check() error {
	switch {
	case !jobID.MatchString(c.ID):
		return fmt.Errorf("job id %q: use 1 to 64 characters of A-Z a-z 0-9 _ -", c.ID)
	case len(c.Document) == 0 || !json.Valid(c.Document):
		return fmt.Errorf("job %s: the document is not JSON", c.ID)
	case len(c.Document) > maxDocument:
		return fmt.Errorf("job %s: the document has %d bytes, the limit is %d", c.ID, len(c.Document), maxDocument)
	case len(c.Description) > maxDescription || !printable(c.Description):
		return fmt.Errorf("job %s: the description has control characters or more than %d bytes", c.ID, maxDescription)
	case !c.All && len(c.Targets) == 0:
		return fmt.Errorf("job %s: it has no targets: name things, or take all", c.ID)
	case c.All && len(c.Targets) > 0:
		return fmt.Errorf("job %s: all things are targets already", c.ID)
	}
	switch c.Selection {
	case "", "SNAPSHOT":
		c.Selection = "SNAPSHOT"
	case "CONTINUOUS":
		if !c.All {
			return fmt.Errorf("job %s: a continuous job is for groups: here only all things are one", c.ID)
		}
	default:
		return fmt.Errorf("job %s: targetSelection is SNAPSHOT or CONTINUOUS, not %q", c.ID, c.Selection)
	}
	if err := c.checkRates(); err != nil {
		return fmt.Errorf("job %s: %w", c.ID, err)
	}
	return nil
}

func (c *Config) checkRates() error {
	if r := c.Rollout; r != nil {
		x := r.Exponential
		switch {
		case r.MaximumPerMinute < 0 || r.MaximumPerMinute > 1000:
			return fmt.Errorf("maximumPerMinute is 1 to 1000")
		case x != nil && r.MaximumPerMinute != 0 && r.MaximumPerMinute < x.Base:
			return fmt.Errorf("maximumPerMinute is at least baseRatePerMinute")
		case x != nil && (x.Base < 1 || x.Base > 1000 || !(x.Factor >= 1.1 && x.Factor <= 5)):
			return fmt.Errorf("baseRatePerMinute is 1 to 1000 and incrementFactor 1.1 to 5")
		case x != nil && (x.Criteria.Notified < 1) == (x.Criteria.Succeeded < 1):
			return fmt.Errorf("rateIncreaseCriteria has numberOfNotifiedThings or numberOfSucceededThings")
		}
	}
	if t := c.Timeout; t != nil && (t.Minutes < 1 || t.Minutes > maxMinutes) {
		return fmt.Errorf("inProgressTimeoutInMinutes is 1 to %d (7 days)", maxMinutes)
	}
	if c.Abort != nil {
		for _, a := range c.Abort.Criteria {
			if !slices.Contains([]string{"FAILED", "REJECTED", "TIMED_OUT", "ALL"}, a.Failure) || a.Action != "CANCEL" || !(a.Threshold > 0 && a.Threshold <= 100) || a.Least < 1 {
				return fmt.Errorf("a criterion of abortConfig has failureType FAILED, REJECTED, TIMED_OUT or ALL, action CANCEL, thresholdPercentage above 0 up to 100, minNumberOfExecutedThings from 1")
			}
		}
	}
	if c.Retry != nil {
		sum := 0
		for _, r := range c.Retry.Criteria {
			sum += r.Times
			if !slices.Contains([]string{"FAILED", "TIMED_OUT", "ALL"}, r.Failure) || r.Times < 0 || sum > maxRetries {
				return fmt.Errorf("a criterion of jobExecutionsRetryConfig has failureType FAILED, TIMED_OUT or ALL and numberOfRetries, of which there are at most %d", maxRetries)
			}
		}
	}
	return nil
}

func printable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.Is(unicode.C, r) {
			return false
		}
	}
	return true
}

// job is a job as it is kept.
type job struct {
	Config
	Status    Status `json:"status"`
	Created   int64  `json:"createdAt"` // seconds since 1970, as all times here
	Updated   int64  `json:"lastUpdatedAt"`
	CompleteT int64  `json:"completedAt,omitempty"`
	Comment   string `json:"comment,omitempty"`
	Reason    string `json:"reasonCode,omitempty"`
	Forced    bool   `json:"forceCanceled,omitempty"`
	Minute    int64  `json:"rolloutMinute,omitempty"` // when the next things may be told; 0 now

	waiting []string // targets that have not been told yet
	told    int      // targets that have
	counts  map[Status]int
}

// rate is how many things may be told this minute; all when there is no limit.
func (j *job) rate(succeeded int) int {
	r := j.Rollout
	switch {
	case r == nil || r.MaximumPerMinute == 0 && r.Exponential == nil:
		return math.MaxInt
	case r.Exponential == nil:
		return r.MaximumPerMinute
	}
	x, steps := r.Exponential, 0
	if x.Criteria.Notified > 0 {
		steps = j.told / x.Criteria.Notified
	} else {
		steps = succeeded / x.Criteria.Succeeded
	}
	most := 1000
	if r.MaximumPerMinute > 0 {
		most = r.MaximumPerMinute
	}
	return int(min(float64(x.Base)*math.Pow(x.Factor, float64(steps)), float64(most)))
}

// execution is one thing's part in a job. A retry is a new one in its place.
type execution struct {
	Thing   string            `json:"thingName"`
	Job     string            `json:"jobId"`
	Status  Status            `json:"status"`
	Details map[string]string `json:"statusDetails,omitempty"`
	Forced  bool              `json:"forceCanceled,omitempty"`
	Queued  int64             `json:"queuedAt"`
	Started int64             `json:"startedAt,omitempty"`
	Updated int64             `json:"lastUpdatedAt"`
	Version int64             `json:"versionNumber"`
	Number  int64             `json:"executionNumber"`
	Step    int64             `json:"stepDeadline,omitempty"` // 0: none
	Limit   int64             `json:"deadline,omitempty"`     // of the job's timeout; 0: none
	Retried map[string]int    `json:"retried,omitempty"`      // by failure type
	Seq     int64             `json:"seq"`                    // order of queueing
}

// due is when the execution times out; 0 never.
func (x *execution) due() int64 {
	switch {
	case x.Status != InProgress:
		return 0
	case x.Step == 0 || x.Limit != 0 && x.Limit < x.Step:
		return x.Limit
	}
	return x.Step
}

// checkDetails applies AWS's rules to statusDetails.
func checkDetails(d map[string]string) error {
	size := 0
	for k, v := range d {
		size += len(k) + len(v)
		if !detailKey.MatchString(k) {
			return fmt.Errorf("statusDetails has the key %.130q: use 1 to 128 characters of A-Z a-z 0-9 : _ -", k)
		}
		if v == "" || len(v) > 1024 || !printable(v) {
			return fmt.Errorf("statusDetails %q is not 1 to 1024 characters that can be printed", k)
		}
	}
	if size > maxDocument {
		return fmt.Errorf("statusDetails has %d bytes, the limit is %d", size, maxDocument)
	}
	return nil
}

// summary is AWS's JobExecutionSummary.
type summary struct {
	Job     string `json:"jobId"`
	Queued  int64  `json:"queuedAt"`
	Updated int64  `json:"lastUpdatedAt"`
	Started int64  `json:"startedAt,omitempty"`
	Number  int64  `json:"executionNumber"`
	Version int64  `json:"versionNumber"`
}

func (x *execution) summary() summary {
	return summary{x.Job, x.Queued, x.Updated, x.Started, x.Number, x.Version}
}

// full is AWS's JobExecution.
type full struct {
	Job      string            `json:"jobId"`
	Thing    string            `json:"thingName,omitempty"`
	Status   Status            `json:"status"`
	Details  map[string]string `json:"statusDetails,omitempty"`
	Queued   int64             `json:"queuedAt"`
	Started  int64             `json:"startedAt,omitempty"`
	Updated  int64             `json:"lastUpdatedAt"`
	Left     *int64            `json:"approximateSecondsBeforeTimedOut,omitempty"`
	Version  int64             `json:"versionNumber"`
	Number   int64             `json:"executionNumber"`
	Document json.RawMessage   `json:"jobDocument,omitempty"`
}

// state is AWS's JobExecutionState.
type state struct {
	Status  Status            `json:"status"`
	Details map[string]string `json:"statusDetails,omitempty"`
	Version int64             `json:"versionNumber"`
}

func (x *execution) state() *state { return &state{x.Status, x.Details, x.Version} }
