package modem

import (
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// EventKind is what has happened to the modem.
type EventKind uint8

// The events.
const (
	Registered   EventKind = iota // with the network; frame 8A reports 02
	Unregistered                  // from it, of its own or the network's will; 03
	Online                        // there is an IP address
	Offline                       // there is none any more
	SMSArrived
	SMSSent
	LowPower // the modem has gone dormant (PSM)
)

// Event is something that has happened.
type Event struct {
	Kind EventKind
	SMS  SMS // of SMSArrived and SMSSent
}

// maxEvents is how many events wait for a subscriber who does not come; then
// the oldest is lost.
const maxEvents = 64

// Subscription receives the modem's events from when it was made.
type Subscription struct {
	m       *Modem
	queue   []Event
	changed chan struct{}
}

// Subscribe makes a subscription.
func (m *Modem) Subscribe() *Subscription {
	s := &Subscription{m: m, changed: make(chan struct{}, 1)}
	m.advance()
	m.subscriptions = append(m.subscriptions, s)
	return s
}

// Next takes the oldest event; false if there is none.
func (s *Subscription) Next() (Event, bool) {
	s.m.advance()
	if len(s.queue) == 0 {
		return Event{}, false
	}
	e := s.queue[0]
	s.queue = s.queue[1:]
	return e, true
}

// Changed receives when Next may have an event; one value may stand for
// several. Events that only time brings (registration) come while somebody
// runs [Modem.Watch].
func (s *Subscription) Changed() <-chan struct{} { return s.changed }

// Cancel ends the subscription.
func (s *Subscription) Cancel() {
	for i, o := range s.m.subscriptions {
		if o == s {
			s.m.subscriptions = append(s.m.subscriptions[:i:i], s.m.subscriptions[i+1:]...)
			return
		}
	}
}

func (m *Modem) emit(e Event) {
	for _, s := range m.subscriptions {
		if len(s.queue) == maxEvents {
			s.queue = s.queue[1:]
		}
		s.queue = append(s.queue, e)
		nudge(s.changed)
	}
}

// nudge leaves a value in a channel of one place.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Watch makes what only time brings happen when its time has come: the end of
// registration, the carrier's patience with an idle connection. It returns when
// stop receives or is closed, and is to be a job of its own on clock. Without
// it such things are noticed when the modem is next asked for anything.
func (m *Modem) Watch(clock world.Clock, stop <-chan struct{}) {
	for {
		left, again := m.Step()
		if clock.Wait(left, stop, again) == 0 {
			return
		}
	}
}

// Step is one turn of Watch, for a job that does other things besides: it is to
// be called again when left has passed or again receives.
func (m *Modem) Step() (left time.Duration, again <-chan struct{}) {
	m.advance()
	return m.untilNext(), m.kicked
}

// now is the device's time in microseconds. Reading it costs a virtual clock
// nothing.
func (m *Modem) now() int64 { return world.Uptime(m.clock).Microseconds() }

// never is the time of what does not come by itself.
const never = int64(1)<<62 - 1

// untilNext is how long it is until something happens by itself.
func (m *Modem) untilNext() time.Duration {
	at := m.nextAfter(m.seen)
	if at == never {
		return world.Forever
	}
	return max(0, time.Duration(at-m.now())*time.Microsecond)
}

// nextAfter is when the next thing happens by itself, after a moment.
func (m *Modem) nextAfter(t int64) int64 {
	at := m.registration.next(t)
	if m.outageEnd > t {
		at = min(at, m.outageEnd)
	}
	if d := m.dormantAt(); d > t {
		at = min(at, d)
	}
	if m.shutDownAt > t {
		at = min(at, m.shutDownAt)
	}
	for _, s := range m.sockets {
		at = min(at, s.nextAfter(t))
	}
	return at
}

// advance catches up with the time: what has happened since it was last called
// takes effect in the order of its happening.
func (m *Modem) advance() {
	if m.advancing {
		return
	}
	m.advancing = true
	defer func() { m.advancing = false }()
	now := m.now()
	for {
		at := m.nextAfter(m.seen)
		if at > now {
			break
		}
		m.seen = at
		m.happen()
	}
	m.seen = now
	m.notice()
}

// happen does what is due at m.seen.
func (m *Modem) happen() {
	if m.outageEnd != 0 && m.seen >= m.outageEnd {
		m.outageEnd = 0
		m.abandonConnections(ContextLost)
	}
	if m.shutDownAt != 0 && m.seen >= m.shutDownAt {
		m.ShutDown()
	}
	if d := m.dormantAt(); d != 0 && m.seen >= d {
		m.dormant = true
		m.abandonConnections(ContextLost)
	}
	for _, s := range m.sockets {
		s.happen(m.seen)
	}
	m.notice()
}

// notice tells the subscribers, and the meter, of a state that differs from the
// one they know.
func (m *Modem) notice() {
	s := m.registration.state(m.seen)
	if s == Connected && m.dormant {
		s = Dormant
	}
	was := m.state
	if s == was {
		return
	}
	m.state = s
	if m.meter != nil {
		m.meter.Radio(radioIn(s, m.asleep), time.Duration(m.seen)*time.Microsecond)
	}
	if s.registered() != was.registered() {
		if s.registered() {
			m.emit(Event{Kind: Registered})
			m.deliverHeld()
		} else {
			m.emit(Event{Kind: Unregistered})
		}
	}
	if s.online() != was.online() {
		if s.online() {
			m.lastTraffic = m.seen
			m.emit(Event{Kind: Online})
		} else {
			m.emit(Event{Kind: Offline})
		}
	}
	switch {
	case s == Dormant:
		m.emit(Event{Kind: LowPower})
	case was == Dormant && s.registered(): // it can be reached again
		m.deliverHeld()
	}
	// Everybody who waits looks again.
	close(m.moved)
	m.moved = make(chan struct{})
	for _, s := range m.sockets {
		s.wake()
	}
}

// changed is to be called after a change of what the state depends on.
func (m *Modem) changed() {
	m.advance()
	nudge(m.kicked)
}
