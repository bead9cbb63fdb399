// Package hostport gives the serial port of a virtual module an end that programs
// on this machine or another can open: a pseudo-terminal, a TCP port, or a TCP
// port with RFC 2217, over which baud rate and break travel, too.
//
// Nobody needs to be there: what the module sends then is lost, as on a line
// with nothing plugged in, and whoever comes, goes and comes again finds the
// module running. It carries bytes and knows no XBee.
package hostport

import (
	"io"
	"sync"
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// queueLimit is how many bytes wait each way.
const queueLimit = 64 << 10

// Line is a serial line. The module's end is what it implements, [world.Line];
// the other ends are opened with its methods. Make one with [New].
type Line struct {
	mu       sync.Mutex
	room     sync.Cond // the module has taken something, or the line is closed
	changed  chan struct{}
	in       []byte
	ends     []*end // that somebody is at
	breaks   int    // ends that hold the line in break
	settings world.LineSettings
	known    bool
	closed   bool
	closers  []io.Closer
	working  sync.WaitGroup
}

// New is a line with nobody at its other end.
func New() *Line {
	l := &Line{changed: make(chan struct{}, 1)}
	l.room.L = &l.mu
	return l
}

// end is one place where a program on the host has the line open.
type end struct {
	l     *Line
	out   []byte
	some  sync.Cond // out has something, or the end is closed
	gone  bool
	frame func([]byte) []byte // how bytes are wrapped on their way, nil: not at all
	brk   bool
	busy  bool          // something of it is being written
	sent  chan struct{} // closed when nothing of it is sent any more
}

func (l *Line) nudge() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// Recv implements world.Stream.
func (l *Line) Recv(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, &world.Failure{Kind: world.FailClosed}
	}
	n := copy(p, l.in)
	if l.in = l.in[n:]; len(l.in) == 0 {
		l.in = nil
	}
	l.room.Broadcast()
	return n, nil
}

// Send implements world.Stream. With nobody there it takes everything.
func (l *Line) Send(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, &world.Failure{Kind: world.FailClosed}
	}
	n := len(p)
	for _, e := range l.ends {
		n = min(n, queueLimit-len(e.out))
	}
	n = max(n, 0)
	for _, e := range l.ends {
		e.push(p[:n])
	}
	return n, nil
}

// push queues bytes for an end, whose line's lock is held.
func (e *end) push(p []byte) {
	if e.frame != nil {
		p = e.frame(p)
	}
	e.out = append(e.out, p...)
	e.some.Signal()
}

// Changed implements world.Stream.
func (l *Line) Changed() <-chan struct{} { return l.changed }

// Break implements world.Line.
func (l *Line) Break() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.breaks > 0
}

// Settings implements world.Line: those of the end that last had any.
func (l *Line) Settings() (world.LineSettings, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.settings, l.known
}

// drainLimit is how long Close waits for what was sent to leave.
const drainLimit = time.Second

// drained reports whether everything has left.
func (l *Line) drained() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.ends {
		if len(e.out) > 0 || e.busy {
			return false
		}
	}
	return true
}

// Close closes every end, after what was sent to it has left, for which it waits
// a second at most.
func (l *Line) Close() error {
	for begin := time.Now(); !l.drained() && time.Since(begin) < drainLimit; {
		time.Sleep(time.Millisecond)
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.room.Broadcast()
	closers := l.closers
	l.mu.Unlock()
	var first error
	for _, c := range closers {
		if err := c.Close(); err != nil && first == nil {
			first = err
		}
	}
	l.working.Wait()
	return first
}

// onClose has c closed with the line; at once if that is closed already.
func (l *Line) onClose(c io.Closer) {
	l.mu.Lock()
	closed := l.closed
	l.closers = append(l.closers, c)
	l.mu.Unlock()
	if closed {
		c.Close()
	}
}

// attach plugs an end in, from which bytes go to w, until it is detached.
func (l *Line) attach(w io.Writer, frame func([]byte) []byte) *end {
	e := &end{l: l, frame: frame, sent: make(chan struct{})}
	e.some.L = &l.mu
	l.mu.Lock()
	l.ends = append(l.ends, e)
	l.mu.Unlock()
	l.working.Add(1)
	go func() {
		defer l.working.Done()
		defer close(e.sent)
		e.send(w)
	}()
	return e
}

// send moves what is queued to w.
func (e *end) send(w io.Writer) {
	for {
		e.l.mu.Lock()
		for len(e.out) == 0 && !e.gone {
			e.some.Wait()
		}
		if e.gone {
			e.l.mu.Unlock()
			return
		}
		p := e.out
		e.out, e.busy = nil, true
		e.l.nudge()
		e.l.mu.Unlock()
		_, err := w.Write(p)
		e.l.mu.Lock()
		e.busy = false
		e.l.mu.Unlock()
		if err != nil {
			return // who reads the same end sees it, too, and detaches
		}
	}
}

// detach unplugs an end; what is queued for it is lost.
func (e *end) detach() {
	l := e.l
	e.setBreak(false)
	l.mu.Lock()
	defer l.mu.Unlock()
	e.gone = true
	e.some.Signal()
	for i, o := range l.ends {
		if o == e {
			l.ends = append(l.ends[:i:i], l.ends[i+1:]...)
			break
		}
	}
	l.nudge() // there may be room now
}

// put hands bytes from an end to the module, waiting for room. It returns false
// when the line is closed.
func (e *end) put(p []byte) bool {
	l := e.l
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(p) > 0 {
		for len(l.in) >= queueLimit && !l.closed {
			l.room.Wait()
		}
		if l.closed {
			return false
		}
		n := min(len(p), queueLimit-len(l.in))
		l.in = append(l.in, p[:n]...)
		p = p[n:]
		l.nudge()
	}
	return true
}

// setBreak begins or ends a break.
func (e *end) setBreak(on bool) {
	l := e.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if on == e.brk {
		return
	}
	e.brk = on
	if on {
		l.breaks++
	} else {
		l.breaks--
	}
	l.nudge()
}

// adopt notes the settings of an end.
func (l *Line) adopt(s world.LineSettings) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settings, l.known = s, true
}
