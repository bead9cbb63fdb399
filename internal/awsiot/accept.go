package awsiot

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/identity"
)

// AcceptLimits are the bounds of all listeners of a Server together. Zero means no limit.
type AcceptLimits struct {
	Rate        int // connections a second
	Connections int // at a time
}

// DefaultAcceptLimits are the quotas of an account at AWS.
func DefaultAcceptLimits() AcceptLimits { return AcceptLimits{Rate: 500, Connections: 500_000} }

// gate counts connections and turns away what is too much before anything is read of it: a
// handshake costs milliseconds, this costs none.
type gate struct {
	limits AcceptLimits
	clock  clock.Clock
	log    func(event.Event)

	mu               sync.Mutex
	open             map[net.Conn]struct{}
	tokens           float64
	at               time.Time
	tooFast, tooMany int
	telling          clock.Timer
	closed           bool
}

// admit takes a connection in, or closes it and says false.
func (g *gate) admit(nc net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.Now()
	rate := float64(g.limits.Rate)
	if g.at.IsZero() {
		g.tokens = rate
	} else {
		g.tokens = min(rate, g.tokens+rate*now.Sub(g.at).Seconds())
	}
	g.at = now
	switch {
	case g.closed:
	case g.limits.Connections > 0 && len(g.open) >= g.limits.Connections:
		g.tooMany++
		g.tell()
	case rate > 0 && g.tokens < 1:
		g.tooFast++
		g.tell()
	default:
		g.tokens--
		g.open[nc] = struct{}{}
		return true
	}
	nc.Close()
	return false
}

func (g *gate) leave(nc net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.open, nc)
}

// tell logs, one line a second at most, what was turned away. g.mu is held.
func (g *gate) tell() {
	if g.telling == nil {
		g.telling = g.clock.AfterFunc(time.Second, g.told)
	}
}

func (g *gate) told() {
	g.mu.Lock()
	fast, many := g.tooFast, g.tooMany
	g.tooFast, g.tooMany, g.telling = 0, 0, nil
	g.mu.Unlock()
	if fast > 0 {
		g.log(event.Event{Time: g.clock.Now(), Kind: event.Refused, Text: fmt.Sprintf("connections closed at once: %d; more than %d came in a second, the limit of an account", fast, g.limits.Rate)})
	}
	if many > 0 {
		g.log(event.Event{Time: g.clock.Now(), Kind: event.Refused, Text: fmt.Sprintf("connections closed at once: %d; %d are open, the limit", many, g.limits.Connections)})
	}
}

// close ends all connections.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	if g.telling != nil {
		g.telling.Stop()
	}
	for nc := range g.open {
		nc.Close()
	}
}

// ListenOption changes how one listener serves.
type ListenOption func(*identity.Choice)

// WithoutSNI says, for one listener, which endpoint a TLS hello that names none has reached.
// It goes before Config.ByAddress and Config.NoSNI.
func WithoutSNI(n identity.NoSNI) ListenOption {
	return func(c *identity.Choice) { c.NoSNI, c.ByAddress = n, nil }
}

// acceptPause is how long to wait when a connection cannot be accepted, such as for want of
// descriptors: those come back.
const acceptPause = 100 * time.Millisecond

func (s *Server) listen(l net.Listener, serve func(net.Conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		l.Close()
		return
	}
	s.listeners[l] = struct{}{}
	s.wg.Go(func() {
		for {
			nc, err := l.Accept()
			if err == nil {
				if s.gate.admit(nc) {
					s.wg.Go(func() {
						defer s.gate.leave(nc)
						serve(nc)
					})
				}
				continue
			}
			if errors.Is(err, net.ErrClosed) {
				return
			}
			s.log(event.Event{Time: s.cfg.Clock.Now(), Kind: event.Trouble, Text: "accepting a connection: " + err.Error()})
			again := make(chan struct{})
			t := s.cfg.Clock.AfterFunc(acceptPause, func() { close(again) })
			select {
			case <-again:
			case <-s.stop:
				t.Stop()
				return
			}
		}
	})
}
