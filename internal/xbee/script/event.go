package script

import (
	"strings"

	"github.com/skep-sim/skep/internal/xbee/board"
)

// EventKind is something that a script can wait for.
type EventKind uint8

// The events.
const (
	Booted       EventKind = iota // the module started: power-on or reset
	Connected                     // it has reached the Internet
	Disconnected                  // and no longer does
	FellAsleep
	WokeUp
	SentSerial // Text is what the module sent on its serial port
	SentUART   // on its secondary one
	SentSMS    // Text is the message's
	PinChanged // the module drives Pin, High or low
)

// Event is something that happened in the module, or, in a script, what it waits
// for.
type Event struct {
	Kind EventKind
	Text string
	Pin  board.Pin
	High bool
}

// streams are the events whose text comes in pieces.
func (k EventKind) isStream() bool { return k == SentSerial || k == SentUART }

// matches reports whether e is what want waits for, apart from streams.
func (want Event) matches(e Event) bool {
	if want.Kind != e.Kind {
		return false
	}
	switch e.Kind {
	case SentSMS:
		return strings.Contains(e.Text, want.Text)
	case PinChanged:
		return want.Pin == e.Pin && want.High == e.High
	}
	return true
}

// tail finds texts in a stream that comes in pieces: it keeps as much as a text
// may have begun with.
type tail struct{ kept string }

// count is how often text occurs in what has come, the new piece included, that
// did not occur in what had come before.
func (t *tail) count(text, piece string) int {
	all := t.kept + piece
	n := 0
	for {
		i := strings.Index(all, text)
		if i < 0 {
			break
		}
		n++
		all = all[i+len(text):]
	}
	t.kept = all[max(0, len(all)-len(text)+1):]
	return n
}
