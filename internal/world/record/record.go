package record

import (
	"io"
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// Recorder records the world of one device.
type Recorder struct {
	*seam
	world world.World
	head  Head
	clock recordedClock
}

// recordedClock is the gate with its clock.
type recordedClock interface {
	world.Clock
	Past(t time.Duration) bool
}

// New records w for one device. setup and image are handed to who replays it. The
// recording goes to sink as it is made, in chunks that are each written at once;
// with a nil sink it stays in memory.
func New(w world.World, sinkTo io.Writer, setup, image []byte) (*Recorder, error) {
	r := &Recorder{seam: &seam{sink: &sink{}}, head: Head{Setup: setup, Image: image}}
	raw := w.Clock()
	if v, ok := raw.(moved); ok {
		r.seam.clock = v
		elapsed := v.Uptime()
		r.head.Virtual, r.head.Start, r.head.Elapsed = true, v.Now().Add(-elapsed), elapsed
		r.at = elapsed
	}
	if sinkTo != nil {
		f, err := newFile(sinkTo)
		if err == nil {
			err = f.chunk(r.head.append(nil))
		}
		if err != nil {
			return nil, err
		}
		r.sink.file = f
	}
	r.world = r.seam.wrap(w, func(s *seam) clock { return clock{seam: s, raw: raw} })
	r.clock = r.world.Clock().(recordedClock)
	r.world = r.world.WithGate(r)
	return r, nil
}

// wrap puts the seam around a world.
func (s *seam) wrap(w world.World, base func(s *seam) clock) world.World {
	c := base(s)
	var k world.Clock = &hostClock{clock: c, calendar: time.Unix(0, 0).UTC()}
	if s.clock != nil {
		k = &movedClock{clock: c, virtual: s.clock}
	}
	wire := &line{stream: s.newStream(w.Serial(), "the serial port")}
	wire.raw, _ = w.Serial().(world.Line)
	return w.WithClock(k).WithEntropy(&entropy{s, w.Entropy()}).WithNetwork(&network{s, w.Network(), k}).
		WithSerial(wire).WithPower(&power{seam: s, raw: w.Power()})
}

// World is the world for the device.
func (r *Recorder) World() world.World { return r.world }

// Past implements world.Gate.
func (r *Recorder) Past(t time.Duration) bool { return r.clock.Past(t) }

// Position is the number of the last call. It is the device's goroutine's.
func (r *Recorder) Position() uint64 { return r.n }

// Log is what a recording in memory holds so far: all up to [Recorder.Position]. It
// is the device's goroutine's, or for while that stands still; but not from within a
// call, as a Writer at the end of the serial line is, whose answer is yet to come.
func (r *Recorder) Log() *Log {
	l := &Log{Head: r.head, entries: r.sink.content()}
	l.measure()
	l.reach = max(l.reach, r.n)
	return l
}

// Flush writes what has been recorded so far. Any goroutine may call it.
func (r *Recorder) Flush() error {
	r.sink.flush()
	r.sink.mu.Lock()
	defer r.sink.mu.Unlock()
	return r.sink.err
}

// entropy is the random number generator. raw is nil when replaying.
type entropy struct {
	*seam
	raw io.Reader
}

// Read implements io.Reader.
func (e *entropy) Read(p []byte) (int, error) {
	e.step()
	if e.play == nil {
		n, err := io.ReadFull(e.raw, p)
		e.put(KindEntropy, p[:n])
		return n, err
	}
	d := e.must(KindEntropy)
	if !e.over && len(d.b) != len(p) {
		e.diverge("the device asks for another number of random bytes")
	}
	clear(p)
	copy(p, d.b)
	return len(p), nil
}

// Player replays a recording to one device.
type Player struct {
	*seam
	world world.World
	clock recordedClock
}

// Play replays l from its beginning. output, if not nil, sees what the device sends
// on its serial line.
//
// A device that does something else than was recorded panics with a *Divergence,
// and one that comes to the end of a recording that was cut with an *End.
func Play(l *Log, output func(b []byte)) *Player {
	s := &seam{play: l, rest: l.entries}
	var advance func(time.Duration)
	if l.Virtual {
		v := world.NewVirtualClock(l.Start)
		v.Advance(l.Elapsed)
		s.clock, s.at, s.nextAt, advance = v, l.Elapsed, l.Elapsed, v.Advance
	}
	s.forward()
	p := &Player{seam: s}
	var k world.Clock
	base := clock{seam: s, advance: advance}
	if s.clock != nil {
		k = &movedClock{clock: base, virtual: s.clock}
	} else {
		k = &hostClock{clock: base, calendar: time.Unix(0, 0).UTC()}
	}
	serial := line{stream: s.newStream(nil, "the serial port")}
	serial.out = output
	p.clock = k.(recordedClock)
	p.world = world.Virtual(0).WithClock(k).WithEntropy(&entropy{seam: s}).WithNetwork(&network{s, nil, k}).
		WithSerial(&serial).WithPower(&power{seam: s}).WithGate(p)
	return p
}

// World is the recorded world.
func (p *Player) World() world.World { return p.world }

// Past implements world.Gate.
func (p *Player) Past(t time.Duration) bool { return p.clock.Past(t) }

// Position is the number of the last call. It is the device's goroutine's.
func (p *Player) Position() uint64 { return p.n }

// Until has the replay end, with an *End, when the device has been there for so
// long.
func (p *Player) Until(t time.Duration) { p.until = t }

// Lenient has the figures of the device's memory not compared: a debugger's code has
// other numbers in the words that are no addresses.
func (p *Player) Lenient() { p.lenient = true }

// Time is how long the device has been there. It is the device's goroutine's.
func (p *Player) Time() time.Duration { return p.time() }

// Ended reports whether the replay came to the end of the recorded run.
func (p *Player) Ended() bool { return p.over && p.stopped == nil }

// Stopped is why the replay ended before that: a *Divergence or an *End; nil while
// it goes on.
func (p *Player) Stopped() error {
	err, _ := p.stopped.(error)
	return err
}
