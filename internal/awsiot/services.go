package awsiot

import (
	"errors"
	"path/filepath"

	"github.com/skep-sim/skep/internal/awsiot/broker"
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
