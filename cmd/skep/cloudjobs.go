package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/skep-sim/skep/internal/awsiot/jobs"
)

// jobOps are the operations on jobs.
func jobOps() map[string]cloudOp {
	return map[string]cloudOp{
		"job create": op(func(c *localCloud, q jobs.Config) (jobs.Job, error) { return c.server.Jobs().Create(q) }),
		"job list":   op(func(c *localCloud, _ none) ([]jobs.Job, error) { return c.server.Jobs().List(), nil }),
		"job show":   op(showJob),
		"job cancel": op(cancelJob),
		"job delete": op(func(c *localCloud, q jobEnd) (none, error) { return none{}, c.server.Jobs().Delete(q.ID, q.Force) }),
	}
}

// jobView is a job with the executions of it.
type jobView struct {
	jobs.Job
	Executions []jobs.Execution `json:"executions"`
}

func showJob(c *localCloud, q byName) (jobView, error) {
	j, err := c.server.Jobs().Describe(q.Name)
	if err != nil {
		return jobView{}, err
	}
	x, err := c.server.Jobs().Executions(q.Name)
	return jobView{j, x}, err
}

// jobEnd asks for the end of a job, or of one thing's part in it.
type jobEnd struct {
	ID, Thing       string
	Force           bool
	Reason, Comment string
}

func cancelJob(c *localCloud, q jobEnd) (none, error) {
	var err error
	if q.Thing != "" {
		_, err = c.server.Jobs().CancelExecution(q.ID, q.Thing, q.Force)
	} else {
		_, err = c.server.Jobs().Cancel(q.ID, q.Force, q.Reason, q.Comment)
	}
	return none{}, err
}

// cloudJobCmd is skep cloud job.
type cloudJobCmd struct {
	Create cloudJobCreateCmd `cmd:"" help:"Make a job for things."`
	List   cloudJobListCmd   `cmd:"" help:"List the jobs."`
	Show   cloudJobShowCmd   `cmd:"" help:"Show a job and how far each thing is."`
	Cancel cloudJobCancelCmd `cmd:"" help:"Cancel a job, or one thing's part in it."`
	Delete cloudJobDeleteCmd `cmd:"" help:"Delete a job that has ended."`
}

func (c *cloudJobCmd) Help() string {
	return "Example:\n  skep cloud job create update-7 --document update.json --all\n  skep cloud job show update-7"
}

// cloudJobCreateCmd is skep cloud job create.
type cloudJobCreateCmd struct {
	controlFlags
	ID          string   `arg:"" help:"Name of the job."`
	Document    string   `help:"The job document, JSON that devices get; - reads it from stdin." required:"" placeholder:"FILE.json"`
	Target      []string `help:"A thing that takes part; may be repeated." placeholder:"THING" sep:"none"`
	All         bool     `help:"All things there are take part."`
	Continuous  bool     `help:"With --all: things made later take part, too."`
	Description string   `help:"What the job is for." placeholder:"TEXT"`
	Rate        int      `help:"How many things are told in a minute. Default: all at once." placeholder:"N"`
	Timeout     int      `help:"Minutes after which a job in progress has timed out." placeholder:"MINUTES"`
	Retries     int      `help:"How often a failed or timed out execution is queued again." placeholder:"N"`
	AbortAt     float64  `name:"abort-at" help:"Percentage of failed executions at which the job is canceled." placeholder:"PERCENT"`
	AbortLeast  int      `name:"abort-least" help:"How many executions must have ended before --abort-at counts." default:"1" placeholder:"N"`
	Config      string   `help:"AWS's names for the rest: a file with jobExecutionsRolloutConfig, abortConfig, timeoutConfig, jobExecutionsRetryConfig." placeholder:"FILE.json"`
}

func (c *cloudJobCreateCmd) Help() string {
	return "Example:\n  skep cloud job create update-7 --document update.json --target tracker-1 --target tracker-2 --timeout 30"
}

func (c *cloudJobCreateCmd) Run() error {
	conf, err := c.config()
	if err != nil {
		return err
	}
	j, err := askControl[jobs.Job](&c.controlFlags, "job create", conf)
	if err != nil {
		return err
	}
	told := 0
	for _, n := range j.Counts {
		told += n
	}
	return c.done(j, "job %s: %d told, %d waiting", j.ID, told, j.Waiting)
}

func (c *cloudJobCreateCmd) config() (jobs.Config, error) {
	conf := jobs.Config{}
	if !c.All && len(c.Target) == 0 {
		return conf, fmt.Errorf("job %s has no targets: name things with --target THING, or take all of them with --all", c.ID)
	}
	if c.Config != "" {
		text, err := readFileOrStdin(c.Config)
		if err != nil {
			return conf, err
		}
		d := json.NewDecoder(strings.NewReader(string(text)))
		d.DisallowUnknownFields()
		if err := d.Decode(&conf); err != nil {
			return conf, fmt.Errorf("%s: %w", c.Config, err)
		}
	}
	document, err := readFileOrStdin(c.Document)
	if err != nil {
		return conf, err
	}
	if !json.Valid(document) {
		return conf, fmt.Errorf("%s is not JSON", nameOrStdin(c.Document))
	}
	conf.ID, conf.Document, conf.Targets, conf.All, conf.Description = c.ID, document, c.Target, c.All, c.Description
	if c.Continuous {
		conf.Selection = "CONTINUOUS"
	}
	if c.Rate < 0 || c.Timeout < 0 || c.Retries < 0 || c.AbortAt < 0 {
		return conf, errors.New("--rate, --timeout, --retries and --abort-at are above 0")
	}
	if c.Rate > 0 {
		conf.Rollout = &jobs.Rollout{MaximumPerMinute: c.Rate}
	}
	if c.Timeout > 0 {
		conf.Timeout = &jobs.Timeout{Minutes: c.Timeout}
	}
	if c.Retries > 0 {
		conf.Retry = &jobs.Retry{Criteria: []jobs.RetryCriterion{{Failure: "ALL", Times: c.Retries}}}
	}
	if c.AbortAt > 0 {
		conf.Abort = &jobs.Abort{Criteria: []jobs.AbortCriterion{{Failure: "ALL", Action: "CANCEL", Threshold: c.AbortAt, Least: c.AbortLeast}}}
	}
	return conf, nil
}

type cloudJobListCmd struct{ controlFlags }

func (c *cloudJobListCmd) Help() string { return "Example:\n  skep cloud job list" }

func (c *cloudJobListCmd) Run() error {
	list, err := askControl[[]jobs.Job](&c.controlFlags, "job list", none{})
	if err != nil {
		return err
	}
	return c.show(list, func(w io.Writer) {
		if len(list) == 0 {
			fmt.Fprintln(w, "no jobs")
			return
		}
		fmt.Fprintln(w, "JOB\tSTATUS\tTHINGS")
		for _, j := range list {
			fmt.Fprintf(w, "%s\t%s\t%s\n", j.ID, j.Status, jobCounts(j))
		}
	})
}

// jobCounts says how many executions are in which state.
func jobCounts(j jobs.Job) string {
	var parts []string
	for _, s := range slices.Sorted(maps.Keys(j.Counts)) {
		if n := j.Counts[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	if j.Waiting > 0 {
		parts = append(parts, fmt.Sprintf("%d not told yet", j.Waiting))
	}
	return strings.Join(parts, ", ")
}

type cloudJobShowCmd struct {
	controlFlags
	ID string `arg:"" help:"Name of the job."`
}

func (c *cloudJobShowCmd) Help() string { return "Example:\n  skep cloud job show update-7 --json" }

func (c *cloudJobShowCmd) Run() error {
	j, err := askControl[jobView](&c.controlFlags, "job show", byName{c.ID})
	if err != nil {
		return err
	}
	return c.show(j, func(w io.Writer) {
		fmt.Fprintf(w, "job %s: %s; %s\n", j.ID, j.Status, jobCounts(j.Job))
		if j.Reason != "" || j.Comment != "" {
			fmt.Fprintf(w, "%s\n", strings.TrimSpace(j.Reason+" "+j.Comment))
		}
		fmt.Fprintf(w, "document %s\n", j.Document)
		if len(j.Executions) > 0 {
			fmt.Fprintln(w, "\nTHING\tSTATUS\tTRY\tDETAILS")
		}
		for _, x := range j.Executions {
			details, err := json.Marshal(x.Details)
			if err != nil || x.Details == nil {
				details = nil
			}
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", x.Thing, x.Status, x.Number, details)
		}
	})
}

type cloudJobCancelCmd struct {
	controlFlags
	ID      string `arg:"" help:"Name of the job."`
	Thing   string `help:"Cancel this thing's part only." placeholder:"THING"`
	Force   bool   `help:"Also what is in progress."`
	Reason  string `help:"A code for the reason." placeholder:"CODE"`
	Comment string `help:"Why." placeholder:"TEXT"`
}

func (c *cloudJobCancelCmd) Help() string {
	return "Example:\n  skep cloud job cancel update-7 --force --comment 'bad image'"
}

func (c *cloudJobCancelCmd) Run() error {
	if _, err := askControl[none](&c.controlFlags, "job cancel", jobEnd{c.ID, c.Thing, c.Force, c.Reason, c.Comment}); err != nil {
		return err
	}
	return c.done(byName{c.ID}, "job %s canceled", strings.TrimSpace(c.ID+" "+c.Thing))
}

type cloudJobDeleteCmd struct {
	controlFlags
	ID    string `arg:"" help:"Name of the job."`
	Force bool   `help:"Even when it is in progress."`
}

func (c *cloudJobDeleteCmd) Help() string { return "Example:\n  skep cloud job delete update-7" }

func (c *cloudJobDeleteCmd) Run() error {
	if _, err := askControl[none](&c.controlFlags, "job delete", jobEnd{ID: c.ID, Force: c.Force}); err != nil {
		return err
	}
	return c.done(byName{c.ID}, "job %s deleted", c.ID)
}
