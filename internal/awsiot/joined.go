package awsiot

import (
	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// joined gives where persistent sessions are kept, and what joins the broker with others.
func (s *Server) joined() (broker.SessionStore, broker.Backbone, error) {
	st := s.cfg.State
	if c := s.cfg.Cluster; c != nil {
		s.shadows.Route = c.Route
		return c.Sessions(), c, nil
	}
	if st.Dir() == "" {
		return nil, nil, nil
	}
	// A state that was in a cluster has its sessions under its node's name.
	node, err := st.Noted("node")
	if err != nil || node != "" {
		return st.SessionsOf(node), nil, err
	}
	return st.SessionStore(), nil, nil
}

// begin has the server take part in its cluster.
func (s *Server) begin() error {
	c := s.cfg.Cluster
	if c == nil {
		return nil
	}
	c.Foreign(func(bucket, _ string, _ []byte) {
		if bucket != string(store.Rules) {
			return
		}
		if err := s.rules.Reload(); err != nil {
			s.log(event.Event{Time: s.cfg.Clock.Now(), Kind: event.Trouble, Text: "the rules that another node has changed: " + err.Error()})
		}
	})
	return c.Begin(s.shadows)
}
