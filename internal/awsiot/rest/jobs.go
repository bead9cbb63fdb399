package rest

import (
	"net/url"
	"strings"

	"github.com/skep-sim/skep/internal/awsiot/jobs"
	"github.com/skep-sim/skep/internal/awsiot/policy"
	"github.com/skep-sim/skep/internal/awsiot/shadow"
)

// Jobs is the part of the job service that HTTPS needs; jobs.Service is it.
type Jobs interface {
	Pending(thing string) jobs.Answer
	StartNext(thing string, body []byte) jobs.Answer
	DescribeExecution(thing, id string, query url.Values) jobs.Answer
	UpdateExecution(thing, id string, body []byte) jobs.Answer
}

// next stands for the job that is next, in a path.
const next = "$next"

func (s *Server) pendingJobs(r *request) *response {
	return s.job(r, policy.GetPendingJobExecutions, r.name, func() jobs.Answer { return s.cfg.Jobs.Pending(r.name) })
}

// jobOf takes the name of /things/THING/jobs/JOB apart; a response means it is another path.
func (s *Server) jobOf(r *request) (thing, id string, no *response) {
	thing, id, ok := strings.Cut(r.name, "/jobs/")
	if !ok || id == "" || strings.Contains(id, "/") {
		return "", "", s.refuse(r.peer, r.http, 404, "ResourceNotFoundException", "Not Found", "there is no such path")
	}
	return thing, id, nil
}

func (s *Server) startNextJob(r *request) *response {
	thing, id, no := s.jobOf(r)
	switch {
	case no != nil:
		return no
	case id != next:
		return s.methodNotAllowed(r.peer, r.http, "GET, POST")
	}
	return s.job(r, policy.StartNextPendingJobExecution, thing, func() jobs.Answer { return s.cfg.Jobs.StartNext(thing, r.body) })
}

func (s *Server) describeJob(r *request) *response {
	thing, id, no := s.jobOf(r)
	if no != nil {
		return no
	}
	return s.job(r, policy.DescribeJobExecution, thing, func() jobs.Answer { return s.cfg.Jobs.DescribeExecution(thing, id, r.query) })
}

func (s *Server) updateJob(r *request) *response {
	thing, id, no := s.jobOf(r)
	switch {
	case no != nil:
		return no
	case id == next:
		return s.methodNotAllowed(r.peer, r.http, "GET, PUT")
	}
	return s.job(r, policy.UpdateJobExecution, thing, func() jobs.Answer { return s.cfg.Jobs.UpdateExecution(thing, id, r.body) })
}

func (s *Server) job(r *request, a policy.Action, thing string, ask func() jobs.Answer) *response {
	if !shadow.ValidThing(thing) {
		return s.invalid(r.peer, r.http, "Invalid thing name")
	}
	if no := s.permit(r, a, thing); no != nil {
		return no
	}
	answer := ask()
	if answer.Exception != "" {
		return &response{status: answer.Status, kind: answer.Exception, body: s.problem(answer.Message)}
	}
	return &response{status: answer.Status, body: answer.Body}
}
