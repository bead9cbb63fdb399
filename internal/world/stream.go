package world

import (
	"io"
	"time"
)

// Stream is a two-way flow of bytes with the outside, as polled by the
// device's goroutine. No method but Close waits.
//
// On a datagram connection each Recv and each Send moves one whole datagram;
// what does not fit into p is lost.
type Stream interface {
	// Recv moves bytes that have arrived into p. It returns 0 and no error
	// when there are none yet, io.EOF when the other side has finished, and a
	// *Failure when the connection broke.
	Recv(p []byte) (int, error)
	// Send hands over as much of p as the outside takes now and returns how
	// much that was; 0 and no error means that nothing fits at present.
	Send(p []byte) (int, error)
	// Changed receives when a Recv or a Send that had returned 0 may do better
	// now. One value may stand for several changes.
	Changed() <-chan struct{}
	// Close ends the stream both ways after what was sent has left, which it
	// gives up waiting for after two seconds.
	Close() error
}

// Limit is how long a call may wait: until Timeout has passed on the device's
// clock (0 means [Forever]) or Interrupt receives or is closed.
type Limit struct {
	Timeout   time.Duration
	Interrupt <-chan struct{}
	// Clock, if not nil, is what a [Network] waits on instead of its own: a
	// device that does several things at once has a clock that lets the others
	// run meanwhile.
	Clock Clock
}

// SendWait sends all of p, waiting for room as often as needed. It returns how
// much was taken, with a *Failure of kind FailTimeout or FailInterrupted when l
// ends the wait before that is all.
func SendWait(c Clock, s Stream, p []byte, l Limit) (int, error) {
	sent := 0
	for sent < len(p) {
		n, err := pollWait(c, s, l, func() (int, error) { return s.Send(p[sent:]) })
		sent += n
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

func pollWait(c Clock, s Stream, l Limit, poll func() (int, error)) (int, error) {
	d := l.Timeout
	if d == 0 {
		d = Forever
	}
	begin := c.Ticks()
	for {
		n, err := poll()
		if n > 0 || err != nil {
			return n, err
		}
		left := d
		if d > 0 {
			left = max(0, d-time.Duration(c.Ticks()-begin)*time.Microsecond)
		}
		switch c.Wait(left, s.Changed(), l.Interrupt) {
		case -1:
			return 0, &Failure{Kind: FailTimeout}
		case 1:
			return 0, &Failure{Kind: FailInterrupted}
		}
	}
}

// NoSerial is a wire with nobody at its end: nothing arrives, and what is sent
// is lost.
func NoSerial() Stream { return silence{} }

type silence struct{}

func (silence) Recv([]byte) (int, error)   { return 0, nil }
func (silence) Send(p []byte) (int, error) { return len(p), nil }
func (silence) Changed() <-chan struct{}   { return nil }
func (silence) Close() error               { return nil }

// Console is the stream whose incoming bytes are read from r, in the
// background, and whose outgoing bytes are written to w before Send returns,
// so that nothing is lost when the process ends. Closing it closes neither.
func Console(r io.Reader, w io.Writer) Stream {
	p := newPump(r, nil, nil, 0)
	return &console{pump: p, w: w}
}

type console struct {
	*pump
	w io.Writer
}

func (c *console) Send(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err != nil {
		return n, &Failure{Kind: FailClosed, Err: err}
	}
	return n, nil
}

// Close gives up reading. A Read that is under way in r ends when r does.
func (c *console) Close() error {
	c.pump.abandon()
	return nil
}

// nudge leaves a value in a channel of one place.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Line is a stream that is a serial line and knows what its other end does
// besides sending bytes. Changed receives when that changes, too.
type Line interface {
	Stream
	// Break reports whether the other end holds the line in the break
	// condition.
	Break() bool
	// Settings are those of the other end; false if they are not known.
	Settings() (LineSettings, bool)
}

// LineSettings are how one end of a serial line sends and listens.
type LineSettings struct {
	Baud     int  // bits a second
	Parity   byte // 'N', 'E' or 'O'
	StopBits int
}
