package awsiot

import (
	"errors"
	"path/filepath"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/jobs"
	"github.com/skep-sim/skep/internal/awsiot/rules"
	"github.com/skep-sim/skep/internal/awsiot/shadow"
)

// startRules makes the rules engine, which sees what is published from now on.
func (s *Server) startRules() error {
	files := s.cfg.RuleFiles
	if files == "" && s.cfg.State.Dir() != "" {
		files = filepath.Join(s.cfg.State.Dir(), "files")
	}
	var err error
	s.rules, err = rules.New(rules.Config{
		State: s.cfg.State, Clock: s.cfg.Clock, Rand: s.cfg.Rand, Log: s.log,
		Limits: orDefault(s.cfg.RuleLimits, rules.DefaultLimits), Account: s.cfg.Account, Files: files,
		Publish: s.broker.PublishFor, PublishRule: s.broker.PublishRule, Shadow: s.shadowForRules,
	})
	if err != nil {
		return err
	}
	s.broker.Tap(s.rules.Message)
	return nil
}

// startJobs makes the job service. What it has to say before there is a broker, nobody could hear.
func (s *Server) startJobs() error {
	off := ""
	if s.cfg.Cluster != nil {
		off = noJobs
	}
	var err error
	s.jobs, err = jobs.New(jobs.Options{
		Off:   off,
		State: s.cfg.State, Clock: s.cfg.Clock, Rand: s.cfg.Rand, Log: s.log, Account: s.cfg.Account, Region: s.cfg.Region,
		Publish: func(topic string, payload []byte) {
			if b := s.published.Load(); b != nil {
				_ = b.Publish(broker.Message{Topic: topic, Payload: payload, QoS: 1}) // not retained, so it cannot fail
			}
		},
	})
	return err
}

// noJobs is why a cluster has none: their timers and rollouts want one that decides.
const noJobs = "jobs are not served by a cluster of nodes (--nats): a skep cloud by itself serves them"

// Jobs is the job service: jobs can be made, watched and cancelled while it runs.
func (s *Server) Jobs() *jobs.Service { return s.jobs }

// services are what answers requests on reserved topics.
type services struct{ s *Server }

func (x services) Accepts(topic string) string {
	if jobs.Owns(topic) {
		if x.s.cfg.Cluster != nil {
			return noJobs
		}
		return x.s.jobs.Accepts(topic)
	}
	return x.s.shadows.Accepts(topic)
}

func (x services) Handle(r *broker.Request) {
	if jobs.Owns(r.Topic) {
		x.s.jobs.Handle(r)
		return
	}
	x.s.shadows.Handle(r)
}

func (x services) Overload(r *broker.Request) {
	if jobs.Owns(r.Topic) {
		x.s.jobs.Overload(r)
		return
	}
	x.s.shadows.Overload(r)
}

// ingest takes a message of Basic Ingest from the broker.
func (s *Server) ingest(rule, topic string, m *broker.Message) { s.rules.Ingest(rule, topic, m) }

// shadowForRules is get_thing_shadow: nil when there is none.
func (s *Server) shadowForRules(thing, name string) ([]byte, error) {
	key := shadow.Key{Thing: thing, Name: name}
	if !key.Valid() {
		return nil, nil
	}
	text, err := s.askKey(key, nil, s.shadows.Get)
	var refused *shadow.Error
	if errors.As(err, &refused) && refused.Code == 404 {
		return nil, nil
	}
	return text, err
}

// Rules is the rules engine: what it runs can be listed and changed while it runs.
func (s *Server) Rules() *rules.Engine { return s.rules }
