// Package link is the host's end of a module's serial port, real or virtual: it
// opens the port, finds the baud rate and the mode that the module is in, enters
// command mode with its guard times, carries out AT commands with timeouts and
// retries, goes to the MicroPython prompt and back, and leaves the module's
// settings as it found them. A [Transcript] writes down what went over the line.
//
// It only ever sees a byte stream, so a module on a pseudo-terminal or a TCP port
// of skep serve and one on a USB adapter are the same to it. What the commands
// mean is not its matter: files are package files', settings package settings',
// deploying package deploy's.
package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// Port is an open serial port. Read waits for at least one byte, and ends with an
// error when the port is closed or has gone.
type Port interface {
	io.ReadWriteCloser
	// String is the port's name as the user gave it.
	String() string
}

// Bauder is a [Port] that has a baud rate. Pseudo-terminals and plain TCP have
// none that matters.
type Bauder interface{ SetBaud(baud int) error }

// Breaker is a [Port] that can hold the line in the break condition.
type Breaker interface{ Break(d time.Duration) error }

// Options say how to talk to a module.
type Options struct {
	Clock world.Clock
	// Baud is the baud rate; 0 finds it.
	Baud int
	// Guard is the silence around +++ to begin with; 0 is what a module comes with.
	Guard time.Duration
	// Break forces command mode by a break of six seconds if nothing else works,
	// which a module with unknown settings needs.
	Break bool
	// Transcript writes down what goes over the line (nil: nobody does).
	Transcript *Transcript
	// Log takes remarks for the person who waits (nil: nobody does).
	Log func(text string)
}

// What a link can fail with, beside an error of the port.
var (
	// ErrNoAnswer: nothing that answers as a module is at the port.
	ErrNoAnswer = errors.New("no module answers")
	// ErrLost: the module answered before, and does not any more.
	ErrLost = errors.New("the module does not answer any more")
	// ErrBusy: somebody else has the port.
	ErrBusy = errors.New("the port is in use")
)

// CommandError is a command that the module refused.
type CommandError struct {
	Command string // without AT
	Answer  string // what it said
}

func (e *CommandError) Error() string {
	if e.Answer == "ERROR" {
		return fmt.Sprintf("AT%s: the module answers ERROR: it does not know the command, or not this value", e.Command)
	}
	return fmt.Sprintf("AT%s: the module answers %q", e.Command, e.Answer)
}

// bauds are the baud rates to try, the likeliest first: what a module comes with,
// what Digi's tutorials use, then the others of ATBD (device-facts.md 10.2).
var bauds = [...]int{9600, 115200, 57600, 230400, 38400, 19200, 460800, 921600, 4800, 2400}

// The times of the line. Those of command mode are what a module comes with
// (ATGT, ATCT; device-facts.md 10.1); the others are choices.
const (
	guardTime   = 1100 * time.Millisecond // ATGT is 1000 at first; a little more, for the clocks differ
	longGuard   = 1600 * time.Millisecond // more than the longest that ATGT takes
	commandTime = 10 * time.Second        // ATCT: command mode ends after that much silence
	answerTime  = 3 * time.Second         // for the first byte of an answer
	patience    = 3 * time.Second         // where a module is, or must be: the host or a network may be slow
	quietTime   = 300 * time.Millisecond  // an answer of unknown length has ended
	settleTime  = 100 * time.Millisecond  // what was under way has arrived
	breakTime   = 6500 * time.Millisecond // leads to command mode: six seconds, and a little more
	attempts    = 3                       // at one exchange
)

// slow are the commands that take longer to answer than the others.
var slow = map[string]time.Duration{
	"LA": 70 * time.Second, "PG": 70 * time.Second, "SD": 130 * time.Second, "NR": 30 * time.Second,
	"FS": 20 * time.Second, "WR": 10 * time.Second, "RE": 10 * time.Second, "PY": 10 * time.Second, "AS": 70 * time.Second,
}

// done reports whether ctx is over, with the reason.
func done(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
