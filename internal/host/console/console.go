// Package console connects a person's terminal with a module's serial port: what
// is typed goes to the module, Ctrl-C too, and what the module sends is shown. It
// waits for a port that goes away to come back, as one does whose cable is pulled
// or whose module is served anew.
//
// It neither puts the terminal into raw mode nor finds the module's baud rate:
// that is the caller's and package link's.
package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/skep-sim/skep/internal/host/link"
	"github.com/skep-sim/skep/internal/world"
)

// Escape is the key that leaves: Ctrl-].
const Escape = 0x1D

// retry is the pause between two attempts to open a port that has gone.
const retry = 300 * time.Millisecond

// lastWords is how long the module may be silent, after the input has ended, until
// it is over.
const lastWords = 2 * time.Second

// Options are what a console is made of.
type Options struct {
	In    io.Reader // what is typed
	Out   io.Writer // what the module says
	Log   io.Writer // a copy of that; nil: none
	Note  func(text string)
	Clock world.Clock
	// Open opens the port again when it has gone; nil ends the console then. Who
	// gives an Open gives the line away: Run closes it, too.
	Open func() (*link.Line, error)
	// Close ends it in place of closing the line, if the line is still there (may be nil).
	Close func() error
}

// typing hands on what is typed, piece by piece.
type typing struct {
	pieces chan []byte
	left   chan struct{} // closed by the escape key
	ended  chan struct{} // closed at the end of the input
}

func listen(ctx context.Context, in io.Reader) *typing {
	t := &typing{pieces: make(chan []byte), left: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		buf := make([]byte, 1024)
		for {
			n, err := in.Read(buf)
			for i, b := range buf[:n] {
				if b == Escape {
					t.give(ctx, buf[:i])
					close(t.left)
					return
				}
			}
			if !t.give(ctx, buf[:n]) {
				return
			}
			if err != nil {
				close(t.ended)
				return
			}
		}
	}()
	return t
}

func (t *typing) give(ctx context.Context, p []byte) bool {
	if len(p) == 0 {
		return true
	}
	select {
	case t.pieces <- append([]byte(nil), p...):
		return true
	case <-ctx.Done():
		return false
	}
}

// Run connects both until the escape key is typed, the input has ended and the
// module has nothing more to say, or ctx is over.
func Run(ctx context.Context, line *link.Line, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	keys := listen(ctx, o.In)
	for {
		err := connected(ctx, line, keys, o)
		if o.Open == nil {
			return err
		}
		if err == nil || errors.Is(err, errOutput) {
			if o.Close != nil {
				return errors.Join(err, o.Close())
			}
			return errors.Join(err, line.Close())
		}
		o.Note(fmt.Sprintf("%s: %v; waiting for it to come back (Ctrl-] leaves)", line.Name(), err))
		line.Close()
		if line = again(ctx, keys, o); line == nil {
			return nil
		}
		o.Note(line.Name() + " is back")
	}
}

// again opens the port anew; nil when somebody wants to leave.
func again(ctx context.Context, keys *typing, o Options) *link.Line {
	for {
		if line, err := o.Open(); err == nil {
			return line
		}
		stop := make(chan struct{})
		go func() { // what is typed meanwhile goes nowhere
			for {
				select {
				case <-keys.pieces:
				case <-stop:
					return
				}
			}
		}()
		event := o.Clock.Wait(retry, keys.left, ctx.Done(), keys.ended)
		close(stop)
		if event >= 0 {
			return nil
		}
	}
}

// errOutput is that nobody takes what the module says.
var errOutput = errors.New("writing what the module says")

// connected passes bytes both ways. nil is the end; an error is the port's, or
// errOutput.
func connected(ctx context.Context, line *link.Line, keys *typing, o Options) error {
	last := world.Uptime(o.Clock)
	ended := keys.ended
	for {
		if p := line.Take(); len(p) > 0 {
			last = world.Uptime(o.Clock)
			if _, err := o.Out.Write(p); err != nil {
				return fmt.Errorf("%w: %w", errOutput, err)
			}
			if o.Log != nil {
				if _, err := o.Log.Write(p); err != nil {
					return fmt.Errorf("%w to the log: %w", errOutput, err)
				}
			}
			continue
		}
		if err := line.Err(); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		var quiet <-chan time.Time
		var stop func()
		if ended == nil {
			left := last + lastWords - world.Uptime(o.Clock)
			if left <= 0 {
				return nil
			}
			quiet, stop = after(o.Clock, left)
		}
		select {
		case p := <-keys.pieces:
			line.Write(p)
		case <-line.Changed():
		case <-keys.left:
			return nil
		case <-ended:
			ended, last = nil, world.Uptime(o.Clock)
		case <-quiet:
		case <-ctx.Done():
			return nil
		}
		if stop != nil {
			stop()
		}
	}
}

// after is a channel that receives after d, and a way to give it up.
func after(c world.Clock, d time.Duration) (<-chan time.Time, func()) {
	ch := make(chan time.Time, 1)
	stop := make(chan struct{})
	go func() {
		if c.Wait(d, stop) < 0 {
			ch <- time.Time{}
		}
	}()
	return ch, func() { close(stop) }
}
