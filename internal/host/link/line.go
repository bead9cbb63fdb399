package link

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// inputLimit is how much of what nobody has read yet is kept, in bytes: a program
// that prints for ever must not fill the host's memory.
const inputLimit = 1 << 20

const (
	shortWrite  = 64 // bytes that are on their way soon enough
	bitsPerByte = 10 // with start and stop bit
)

// Line is an open port with a buffer behind it. It is a ymodem.Port. Its methods
// but Close are for one goroutine.
type Line struct {
	port       Port
	clock      world.Clock
	transcript *Transcript
	ctx        context.Context
	wrote      time.Duration // when something was sent last
	sent, got  int64
	baud       int // 0: bytes take no time that matters

	mu      sync.Mutex
	in      []byte
	ended   error // why nothing comes any more
	changed chan struct{}
}

// newLine begins to read a port.
func newLine(ctx context.Context, p Port, clock world.Clock, t *Transcript) *Line {
	l := &Line{port: p, clock: clock, transcript: t, ctx: ctx, changed: make(chan struct{}, 1)}
	l.wrote = l.now()
	go l.read()
	return l
}

func (l *Line) now() time.Duration { return world.Uptime(l.clock) }

func (l *Line) read() {
	buf := make([]byte, 4096)
	for {
		n, err := l.port.Read(buf)
		l.mu.Lock()
		l.in = append(l.in, buf[:n]...)
		if over := len(l.in) - inputLimit; over > 0 {
			l.in = append(l.in[:0], l.in[over:]...)
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("the other end has closed it")
			}
			l.ended = err
		}
		l.mu.Unlock()
		select {
		case l.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// take takes a byte that is there.
func (l *Line) take() (byte, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.in) == 0 {
		return 0, false, l.ended
	}
	b := l.in[0]
	l.in = l.in[1:]
	return b, true, nil
}

// Byte implements ymodem.Port.
func (l *Line) Byte(d time.Duration) (byte, bool) {
	end := l.now() + d
	for {
		b, ok, err := l.take()
		if ok {
			l.got++
			l.transcript.add(received, b)
			return b, true
		}
		left := end - l.now()
		if err != nil || left <= 0 || l.ctx.Err() != nil {
			return 0, false
		}
		l.clock.Wait(left, l.changed, l.ctx.Done())
	}
}

// Unread implements ymodem.Unreader.
func (l *Line) Unread(b byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got--
	l.transcript.unread()
	l.in = append([]byte{b}, l.in...)
}

// Write sends p, unless the port has gone or the time for it is over: who waits
// for an answer then finds out.
func (l *Line) Write(p []byte) {
	if l.ctx.Err() != nil || l.Err() != nil {
		return
	}
	l.transcript.add(sent, p...)
	n, err := l.port.Write(p)
	l.sent += int64(n)
	if l.baud > 0 && n > shortWrite {
		// The system takes a block at once and the line takes seconds for it:
		// who then waits for an answer must not begin to count too early.
		l.clock.Wait(time.Duration(n)*bitsPerByte*time.Second/time.Duration(l.baud), l.ctx.Done())
	}
	l.wrote = l.now()
	if err != nil {
		l.mu.Lock()
		l.ended = err
		l.mu.Unlock()
	}
}

// Err is why nothing can be said or heard any more; nil while that is possible.
func (l *Line) Err() error {
	if err := done(l.ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended != nil && len(l.in) == 0 {
		return l.ended
	}
	return nil
}

// drain reads until nothing has come for as long as quiet, at most as long as
// limit, and returns the last of it.
func (l *Line) drain(quiet, limit time.Duration) []byte {
	const kept = 16 << 10
	var all []byte
	for end := l.now() + limit; l.now() < end; {
		b, ok := l.Byte(quiet)
		if !ok {
			break
		}
		if all = append(all, b); len(all) > 2*kept {
			all = append(all[:0], all[len(all)-kept:]...)
		}
	}
	return all
}

// silence waits until nothing has been sent for as long as d, and returns what
// came meanwhile.
func (l *Line) silence(d time.Duration) []byte {
	var all []byte
	for {
		left := l.wrote + d - l.now()
		if left <= 0 || l.Err() != nil {
			return all
		}
		if b, ok := l.Byte(left); ok && len(all) < 16<<10 {
			all = append(all, b)
		}
	}
}

// OpenLine opens a port and no more: whatever the module at it does, it goes on
// with.
func OpenLine(ctx context.Context, name string, o Options) (*Line, error) {
	p, err := OpenPort(name)
	if err != nil {
		return nil, err
	}
	if b, ok := p.(Bauder); ok && o.Baud != 0 {
		if err := b.SetBaud(o.Baud); err != nil {
			p.Close()
			return nil, err
		}
	}
	return NewLine(ctx, p, o), nil
}

// NewLine begins to read a port that is open.
func NewLine(ctx context.Context, p Port, o Options) *Line {
	return newLine(ctx, p, o.Clock, o.Transcript)
}

// Take takes what has come, without waiting.
func (l *Line) Take() []byte {
	l.mu.Lock()
	p := l.in
	l.in = nil
	l.mu.Unlock()
	l.got += int64(len(p))
	l.transcript.add(received, p...)
	return p
}

// Changed receives when something has come, or nothing will come any more.
func (l *Line) Changed() <-chan struct{} { return l.changed }

// Name is the port's name.
func (l *Line) Name() string { return l.port.String() }

// Close closes the port.
func (l *Line) Close() error { return l.port.Close() }
