package record

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// seam is one end of the seam between a device and its world, which records what
// crosses it, or replays what did. All but its sink is the device's goroutine's.
type seam struct {
	n    uint64 // calls so far
	over bool   // the run has ended, or cannot go on: nothing counts any more

	// sink is where entries go when recording; nil when replaying.
	sink *sink
	last uint64 // the call of the last entry

	// play is the recording when replaying: the entry that comes next, and the rest.
	play    *Log
	next    entry
	more    bool
	rest    []byte
	until   time.Duration // the replay ends there; 0: with the recording
	stopped any           // the Go panic that stopped the replay

	clock   moved         // nil for a clock that runs by itself
	at      time.Duration // Uptime at the last entry
	nextAt  time.Duration // and, on a virtual clock, at the one that comes next
	gates   []*gate
	streams uint64
	checks  uint64
	lenient bool // what is checked is not compared
}

// moved is a virtual clock.
type moved interface {
	world.Clock
	Advance(d time.Duration)
	Uptime() time.Duration
}

// recording reports whether what the world gives is to be written down; after the
// end of a run it simply passes.
func (s *seam) recording() bool { return s.sink != nil && !s.over }

// step counts a call.
func (s *seam) step() {
	if s.over {
		return
	}
	s.n++
	if s.play == nil {
		return
	}
	if s.more && s.next.n < s.n {
		s.diverge(fmt.Sprintf("the recording has %s here, and the device went on without", s.next.kind))
	}
	if s.n > s.play.reach {
		s.stop(&End{Call: s.n, Cut: s.play.Cut})
	}
	if s.until > 0 && s.time() >= s.until {
		s.stop(&End{Call: s.n, Reached: s.until})
	}
}

// put records the answer to the call that is being made.
func (s *seam) put(k Kind, data []byte) {
	if !s.recording() {
		return
	}
	if s.clock != nil {
		if now := s.clock.Uptime(); now != s.at {
			s.write(KindAt, binary.AppendVarint(nil, int64(now-s.at)))
			s.at = now
		}
	}
	s.write(k, data)
}

func (s *seam) write(k Kind, data []byte) {
	s.sink.put(k, s.n-s.last, data)
	s.last = s.n
}

// take returns what was recorded for the call that is being made; false if it had
// the usual answer.
func (s *seam) take(k Kind) (d decoder, ok bool) {
	if s.over || !s.more || s.next.n != s.n {
		return d, false
	}
	if s.next.kind != k {
		s.diverge(fmt.Sprintf("the recording has %s here, and the device came to %s", s.next.kind, k))
	}
	d = decoder{b: s.next.data}
	if s.clock != nil {
		s.at = s.nextAt
	}
	s.forward()
	return d, true
}

// must is take of what is always recorded.
func (s *seam) must(k Kind) decoder {
	d, ok := s.take(k)
	if !ok && !s.over {
		s.diverge(fmt.Sprintf("the device came to %s, which the recording does not have", k))
	}
	return d
}

// time is that of the device's clock, as far as is known.
func (s *seam) time() time.Duration {
	if s.clock != nil {
		return s.clock.Uptime()
	}
	return s.at
}

// done is called when an entry was read.
func (s *seam) done(d *decoder) {
	if d.err != nil || len(d.b) > 0 {
		s.diverge("the recording's entry cannot be read: the file is damaged, or of another version")
	}
}

// forward goes to the next entry. The time of a virtual clock is checked on the
// way.
func (s *seam) forward() {
	for {
		last := s.next.n
		s.next, s.rest, s.more = cutEntry(s.rest, last)
		if !s.more || s.next.kind != KindAt {
			return
		}
		d := decoder{b: s.next.data}
		s.nextAt += time.Duration(d.int())
		if s.clock == nil || d.err != nil {
			s.diverge("the recording's entry cannot be read: the file is damaged, or of another version")
		}
	}
}

// onTime checks the time of a virtual clock at an entry that has come.
func (s *seam) onTime() {
	if s.clock != nil && !s.over && s.clock.Uptime() != s.at {
		s.diverge(fmt.Sprintf("the recording says that it is %v since the device was made, and it is %v", s.at, s.clock.Uptime()))
	}
}

// End is the Go panic by which a replay ends where its recording does, although
// the run did not.
type End struct {
	Call uint64
	Cut  error // why the recording ends there; may be nil
	// Reached is the time at which it was to end by [Player.Until]; else 0.
	Reached time.Duration
}

// Error says where it ended.
func (e *End) Error() string {
	if e.Reached > 0 {
		return fmt.Sprintf("the replay was to end at %v: call %d", e.Reached, e.Call-1)
	}
	if e.Cut != nil {
		return fmt.Sprintf("the recording ends at call %d: %v", e.Call-1, e.Cut)
	}
	return fmt.Sprintf("the recording ends at call %d", e.Call-1)
}

// Divergence is the Go panic by which a replay ends that does not do what was
// recorded.
type Divergence struct {
	Call uint64        // the number of the call at which it was seen
	Time time.Duration // since the device was made, as the recording has it
	Text string
}

// Error says what differs, and where.
func (e *Divergence) Error() string {
	return fmt.Sprintf("the replay differs from the recording at call %d, %v into the run: %s", e.Call, e.Time.Round(time.Microsecond), e.Text)
}

func (s *seam) diverge(text string) {
	if !s.over {
		s.stop(&Divergence{Call: s.n, Time: s.time(), Text: text})
	}
}

func (s *seam) stop(v error) {
	s.over, s.stopped = true, v
	panic(v)
}

// Event implements world.Gate.
func (s *seam) Event(raw <-chan struct{}) <-chan struct{} {
	g := s.newGate()
	g.raw = raw
	return g.seen
}

// gate is an event that is seen only where the device asks.
type gate struct {
	raw    <-chan struct{} // nil when it will not come any more, and when replaying
	seen   chan struct{}
	number int
}

func (s *seam) newGate() *gate {
	g := &gate{seen: make(chan struct{}, 1)}
	for i, o := range s.gates {
		if o == nil {
			g.number, s.gates[i] = i, g
			return g
		}
	}
	g.number = len(s.gates)
	s.gates = append(s.gates, g)
	return g
}

// drop forgets a gate.
func (s *seam) drop(g *gate) {
	if g.number < len(s.gates) && s.gates[g.number] == g {
		s.gates[g.number] = nil
	}
}

func (g *gate) nudge() {
	select {
	case g.seen <- struct{}{}:
	default:
	}
}

// look takes what has come.
func (g *gate) look() bool {
	if g == nil || g.raw == nil {
		return false
	}
	select {
	case _, open := <-g.raw:
		if !open {
			g.raw = nil
		}
		return true
	default:
		return false
	}
}

// Admit implements world.Gate.
func (s *seam) Admit() {
	s.step()
	if s.play != nil {
		if d, ok := s.take(KindAdmit); ok {
			for len(d.b) > 0 {
				if i := d.uint(); i < uint64(len(s.gates)) && s.gates[i] != nil {
					s.gates[i].nudge()
				} else if d.err == nil {
					s.diverge("the recording lets in an event that the device does not wait for")
				}
			}
			s.done(&d)
		}
		return
	}
	var came []byte
	for i, g := range s.gates {
		if g.look() {
			g.nudge()
			came = binary.AppendUvarint(came, uint64(i))
		}
	}
	if came != nil {
		s.put(KindAdmit, came)
	}
}

// Replays implements world.Gate.
func (s *seam) Replays() bool { return s.play != nil && !s.over }

// Ask implements world.Gate.
func (s *seam) Ask(what string, live func() []byte) []byte {
	s.step()
	if s.play != nil {
		d, ok := s.take(KindAsk)
		if !ok {
			return nil
		}
		if asked := d.text(); asked != what {
			s.diverge(fmt.Sprintf("the recording answers %q here, and the device asks %q", asked, what))
		}
		return append([]byte{}, d.rest()...)
	}
	answer := live()
	if answer != nil {
		s.put(KindAsk, append(appendText(nil, what), answer...))
	}
	return answer
}

// Mark implements world.Gate.
func (s *seam) Mark(what, text string) {
	s.step()
	if s.play == nil {
		s.put(KindMark, appendText(appendText(nil, what), text))
		return
	}
	d := s.must(KindMark)
	if s.over {
		return
	}
	s.onTime()
	if w, t := d.text(), d.text(); w != what || t != text {
		s.diverge(fmt.Sprintf("recorded: %s %s; now: %s %s", w, t, what, text))
	}
	s.done(&d)
}

// checkEvery is how many checks are asked for to one that is made.
const checkEvery = 256

// Check implements world.Gate.
func (s *seam) Check(what string, must bool, figure func() uint64) {
	if s.over {
		return
	}
	s.step()
	if s.checks++; !must && s.checks%checkEvery != 0 {
		return
	}
	if s.lenient {
		d := s.must(KindCheck)
		s.onTime()
		s.done(&d)
		return
	}
	now := figure()
	if s.play == nil {
		s.put(KindCheck, binary.AppendUvarint(appendText(nil, what), now))
		return
	}
	d := s.must(KindCheck)
	if w, n := d.text(), d.uint(); w != what || n != now {
		s.diverge(fmt.Sprintf("recorded: %s %016x; now: %s %016x", w, n, what, now))
	}
	s.onTime()
	s.done(&d)
}

// End implements world.Gate.
func (s *seam) End() {
	if s.over {
		return
	}
	s.step()
	if s.play == nil {
		s.put(KindEnd, nil)
		s.over = true
		s.sink.flush()
		return
	}
	s.must(KindEnd)
	s.onTime()
	s.over = true
}

// sink gathers the entries of a recording.
type sink struct {
	mu      sync.Mutex
	entries []byte // all of them, or with a file those that are not written yet
	file    *file  // nil: it stays in memory
	timer   *time.Timer
	err     error
}

// What makes a recording be written to its file: so much, or so long after it.
const (
	flushBytes = 64 << 10
	flushAfter = 500 * time.Millisecond
)

func (s *sink) put(k Kind, delta uint64, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = appendEntry(s.entries, k, delta, data)
	switch {
	case s.file == nil:
	case len(s.entries) >= flushBytes:
		s.write()
	case s.timer == nil:
		s.timer = time.AfterFunc(flushAfter, s.flush)
	}
}

func (s *sink) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.write()
}

// write writes what there is. The lock is held.
func (s *sink) write() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	if s.file == nil || len(s.entries) == 0 {
		return
	}
	if s.err == nil {
		s.err = s.file.chunk(s.entries)
	}
	s.entries = s.entries[:0]
}

// content is what has been recorded so far, in memory.
func (s *sink) content() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.entries)
}
