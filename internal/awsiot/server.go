package awsiot

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/cluster"
	"github.com/skep-sim/skep/internal/awsiot/control"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/identity"
	"github.com/skep-sim/skep/internal/awsiot/jobs"
	"github.com/skep-sim/skep/internal/awsiot/rest"
	"github.com/skep-sim/skep/internal/awsiot/rules"
	"github.com/skep-sim/skep/internal/awsiot/shadow"
	"github.com/skep-sim/skep/internal/awsiot/shadows"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// DefaultRegion is used where nothing says which region is meant.
const DefaultRegion = "us-east-1"

// Config is what a Server is made of. State, Clock and Rand must be there; every other zero
// value is a default.
type Config struct {
	State *store.Store
	Clock clock.Clock
	Rand  io.Reader // for session and request identifiers
	Log   func(event.Event)

	// Region is the one a client without an endpoint name reaches. Account and PolicyRegion
	// are what the ARNs in policies must name; empty ones are not compared, so that a policy
	// written for a real account works.
	Region       string
	PolicyRegion string
	Account      string

	// LegacyOff refuses the endpoint names without -ats, as AWS does today; the default is the
	// time of the 2019 firmware, when both were there.
	LegacyOff bool
	// ByAddress and NoSNI choose the endpoint for TLS hellos that name none, see identity.Choice.
	ByAddress map[netip.Addr]identity.Kind
	NoSNI     identity.NoSNI

	// RefuseSubscribe answers SUBSCRIBE that the policy forbids with 0x80 instead of closing.
	RefuseSubscribe bool
	// RelaxedQoS1 acknowledges QoS 1 messages to persistent sessions before they are on disk.
	RelaxedQoS1 bool
	// ThrottleClose closes connections that publish faster than they may, instead of holding
	// them back.
	ThrottleClose bool
	// Cluster joins this server with others into one endpoint; nil: there are no others. State
	// must be the one it has joined with.
	Cluster *cluster.Cluster
	// RetainOff closes on RETAIN, as AWS did before August 2021.
	RetainOff bool
	// MQTT5Off refuses MQTT 5, as AWS did before November 2022.
	MQTT5Off bool

	Limits       *broker.Limits // nil: broker.DefaultLimits
	AcceptLimits *AcceptLimits  // nil: DefaultAcceptLimits
	ShadowLimits *shadow.Limits // nil: shadow.DefaultLimits
	RESTLimits   *rest.Limits   // nil: rest.DefaultLimits
	RuleLimits   *rules.Limits  // nil: rules.DefaultLimits
	// RuleFiles is where the relative paths of rules' file actions lie; "" is files in the
	// state directory.
	RuleFiles string
}

// Server is a running local AWS IoT. Make one with New, give it listeners, Close it.
type Server struct {
	cfg       Config
	authority *identity.Authority
	control   *control.Control
	broker    *broker.Broker
	shadows   *shadows.Service
	rest      *rest.Server
	rules     *rules.Engine
	jobs      *jobs.Service
	published atomic.Pointer[broker.Broker] // the broker, once it is there
	limits    broker.Limits
	gate      gate

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	closed    bool
	stop      chan struct{}
	wg        sync.WaitGroup
}

// New makes a Server on a state directory. The directory stays the caller's to close, after the
// Server.
func New(cfg Config) (*Server, error) {
	if cfg.State == nil || cfg.Clock == nil || cfg.Rand == nil {
		return nil, errors.New("awsiot: Config needs State, Clock and Rand")
	}
	cfg.Rand = &lockedReader{r: cfg.Rand}
	if cfg.Region == "" {
		cfg.Region = DefaultRegion
	}
	s := &Server{
		cfg: cfg, control: &control.Control{State: cfg.State, Clock: cfg.Clock}, limits: orDefault(cfg.Limits, broker.DefaultLimits),
		listeners: map[net.Listener]struct{}{}, stop: make(chan struct{}),
	}
	s.gate = gate{limits: orDefault(cfg.AcceptLimits, DefaultAcceptLimits), clock: cfg.Clock, log: s.log, open: map[net.Conn]struct{}{}}
	var err error
	if s.authority, err = cfg.State.Authority(); err != nil {
		return nil, err
	}
	retained := map[string][]byte{}
	err = cfg.State.Each(store.Retained, "", func(topic string, value []byte) error {
		retained[topic] = value
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading retained messages: %w", err)
	}
	s.shadows = shadows.New(cfg.State, cfg.Clock, orDefault(cfg.ShadowLimits, shadow.DefaultLimits), s.log,
		func(topic string, payload []byte) {
			// Only retained messages can fail, and answers are not retained.
			_ = s.broker.Publish(broker.Message{Topic: topic, Payload: payload, QoS: 1})
		})
	if err := s.startJobs(); err != nil {
		return nil, err
	}
	sessions, backbone, err := s.joined()
	if err != nil {
		return nil, err
	}
	s.broker, err = broker.New(broker.Config{
		Clock: cfg.Clock, Rand: cfg.Rand, Log: s.log,
		Limits:          s.limits,
		Authorize:       s.authorize,
		Service:         services{s},
		Ingest:          s.ingest,
		SaveRetained:    cfg.State.SaveRetained,
		Sessions:        sessions,
		RelaxedQoS1:     cfg.RelaxedQoS1,
		ThrottleClose:   cfg.ThrottleClose,
		Backbone:        backbone,
		RefuseSubscribe: cfg.RefuseSubscribe,
		RetainOff:       cfg.RetainOff,
		MQTT5Off:        cfg.MQTT5Off,
	}, retained)
	if err != nil {
		return nil, err
	}
	s.published.Store(s.broker)
	s.rest = rest.New(rest.Config{
		Clock: cfg.Clock, Rand: cfg.Rand, Log: s.log,
		Limits:  orDefault(cfg.RESTLimits, rest.DefaultLimits),
		Shadows: s.shadows,
		Jobs:    s.jobs,
		Broker:  s.broker,
		Thing:   s.thingOf,
	})
	if err := s.startRules(); err != nil {
		return nil, err
	}
	cfg.State.OnChange(s.changed)
	if err := s.begin(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// lockedReader lets many goroutines read from a source that may be meant for one, such as a
// recorded one.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

func orDefault[T any](v *T, def func() T) T {
	if v == nil {
		return def()
	}
	return *v
}

func (s *Server) log(e event.Event) {
	if s.cfg.Log != nil {
		s.cfg.Log(e)
	}
}

// changed makes a change of the registry count for clients that are connected. AWS takes some
// minutes for it; here it is at once.
func (s *Server) changed(certID string) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return
	}
	s.broker.Reauthorize(certID)
	if certID == "" {
		s.jobs.ThingsChanged()
	}
}

// Control is the control plane on the server's state.
func (s *Server) Control() *control.Control { return s.control }

// AWSCA is the root certificate for clients' aws.ca, PEM.
func (s *Server) AWSCA() []byte { return s.authority.AWSCA() }

// ListenMQTT serves MQTT with mutual TLS on l, from now until Close.
func (s *Server) ListenMQTT(l net.Listener, opts ...ListenOption) {
	cfg := s.tlsConfig(opts)
	s.listen(l, func(nc net.Conn) {
		tc := tls.Server(nc, cfg)
		s.broker.Serve(tc, func() (broker.Peer, error) { return s.shake(tc) })
	})
}

// ListenHTTPS serves the REST API with mutual TLS on l, from now until Close.
func (s *Server) ListenHTTPS(l net.Listener, opts ...ListenOption) {
	cfg := s.tlsConfig(opts)
	s.listen(l, func(nc net.Conn) {
		tc := tls.Server(nc, cfg)
		s.rest.Serve(tc, func() (rest.Peer, error) { return s.restPeer(tc) })
	})
}

// Close stops listening, ends all connections and waits for them.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.stop)
		for l := range s.listeners {
			l.Close()
		}
	}
	s.mu.Unlock()
	s.jobs.Close()
	s.broker.Tap(nil)
	s.rules.Close()
	s.broker.Close()
	s.rest.Close()
	s.gate.close()
	s.wg.Wait()
}
