package serial

import "time"

// escape looks for the sequence that leads to command mode: three command
// characters with nothing around them for the guard time. It holds characters
// back until it is clear that they are none, so that what merely looks like the
// beginning of the sequence is input, late but whole.
type escape struct {
	held [3]byte
	n    int           // how many are held
	last time.Duration // when the last byte arrived; at first, when the port was opened
}

// holds reports whether characters are held back.
func (e *escape) holds() bool { return e.n > 0 }

// reset returns what is held back, and forgets it.
func (e *escape) reset() []byte {
	b := e.held[:e.n]
	e.n = 0
	return b
}

// feed takes bytes that arrived at a moment. It returns those held back before
// that turned out to be input, then as many of b as are input too, and the rest
// of b, which is to be fed again.
func (e *escape) feed(b []byte, now, guard time.Duration, cc byte) (held, pass, rest []byte) {
	quiet := now - e.last
	e.last = now
	if e.n == 0 {
		if quiet >= guard && b[0] == cc {
			e.held[0], e.n = cc, 1
			return nil, nil, b[1:]
		}
		return nil, b, nil // no silence within b: it came at once
	}
	// Within the sequence the characters may not be as far apart as the guard
	// time: it would have ended before.
	if b[0] == cc && e.n < len(e.held) {
		e.held[e.n] = cc
		e.n++
		return nil, nil, b[1:]
	}
	return e.reset(), b, nil
}
