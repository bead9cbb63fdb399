// Package ymodem sends and receives files by YMODEM over a serial line: blocks
// of 128 or 1024 bytes with CRC-16, names and sizes in block 0, several files
// in a batch (Chuck Forsberg's protocol reference of 1988; device-facts.md 10.5
// for what the module and its clients make of it).
//
// It knows neither what is at the other end nor where files are kept: it is
// handed a [Port], a [Sink], and readers. It measures no time of its own, it
// only says how long to wait for a byte. XMODEM without block 0, checksums in
// place of CRCs and the streaming variant (YMODEM-g) are not there.
package ymodem

import (
	"errors"
	"fmt"
	"time"
)

// The protocol's bytes.
const (
	soh = 0x01 // a block of 128 bytes follows
	stx = 0x02 // a block of 1024 bytes follows
	eot = 0x04 // end of a file
	ack = 0x06
	nak = 0x15
	can = 0x18 // two in a row cancel
	crc = 'C'  // the receiver is ready, and wants CRCs
	pad = 0x1A // fills up the last block
)

// NAK is the byte that the module sends behind the prompt of ATFS GET; Digi's
// Python library waits for it before it asks for the file.
const NAK = nak

const (
	shortBlock = 128
	longBlock  = 1024
)

// How long to wait, and how often to try again. Ten tries a block is what
// Digi's Python library does; the module's own figures are not known.
const (
	startTries = 60              // a minute for a person to start the other program
	startPause = time.Second     // between two requests to begin
	blockWait  = 3 * time.Second // for the first byte of an answer or a block
	byteWait   = time.Second     // for the next byte of a block
	askWait    = 2 * time.Second // for the C behind the ACK of block 0
	tries      = 10
	quiet      = 200 * time.Millisecond // this long without a byte: the line is quiet
	finishWait = time.Second            // for the ACK of the block that ends it all
	linger     = 100 * time.Millisecond // for what follows the last ACK at once, and for the other side to end
	drainMax   = 1 << 20                // bytes: a line that is never quiet
)

// Port is one end of a serial line.
type Port interface {
	// Byte waits for a byte, at most as long as d; with 0 it takes one that is
	// there already. It reports false if none came, or none can come any more.
	Byte(d time.Duration) (b byte, ok bool)
	// Write sends p.
	Write(p []byte)
}

// Unreader is a [Port] that takes a byte back, to be the next one read. With
// others, a byte that comes right behind a transfer may be lost.
type Unreader interface{ Unread(b byte) }

// Header is what block 0 says of a file.
type Header struct {
	Name string
	Size int64 // bytes; -1 if the sender does not say
	// ModTime is in seconds since 1970; 0 if the sender does not say.
	ModTime int64
}

// Sink takes the files of a transfer. An error of any method cancels the
// transfer and is what [Receive] returns.
type Sink interface {
	// Begin is called before a file's first byte.
	Begin(h Header) error
	// Write takes the next part of the file, without padding if the size is
	// known.
	Write(p []byte) (int, error)
	// End is called when the file is whole. The sender is told so afterwards.
	End() error
}

// What a transfer can fail with, beside an error of the sink or the reader.
var (
	ErrCancelled = errors.New("the other side cancelled the transfer")
	ErrTimeout   = errors.New("the other side does not answer")
	ErrGarbled   = errors.New("the line garbles what is sent")
)

// SequenceError says that a block came which is neither the next one nor the
// one before: the two sides cannot find together again.
type SequenceError struct{ Got, Want byte }

func (e *SequenceError) Error() string {
	if e.Want == 0 && e.Got == 1 {
		return "the sender began with block 1: it speaks XMODEM, tell it to use YMODEM"
	}
	return fmt.Sprintf("block %d came instead of block %d", e.Got, e.Want)
}

// ShortError says that a file ended too early.
type ShortError struct{ Got, Want int64 }

func (e *ShortError) Error() string {
	return fmt.Sprintf("the file ended after %d of %d bytes", e.Got, e.Want)
}

// checksum is CRC-16 with the polynomial 0x1021, from 0.
func checksum(p []byte) uint16 {
	var c uint16
	for _, b := range p {
		c ^= uint16(b) << 8
		for range 8 {
			if c&0x8000 != 0 {
				c = c<<1 ^ 0x1021
			} else {
				c <<= 1
			}
		}
	}
	return c
}

// line is what sender and receiver have in common.
type line struct{ Port }

func (l line) send(p ...byte) { l.Write(p) }

// drain reads until the line is quiet for as long as d.
func (l line) drain(d time.Duration) {
	for range drainMax {
		if _, ok := l.Byte(d); !ok {
			return
		}
	}
}

// settle lets the other side end: it may throw away what is under way to it when
// it does, sb and rb do, and what the caller says next is to come later. An ACK too
// many is taken out, the rest is the caller's.
func (l line) settle() {
	for range tries {
		b, ok := l.Byte(linger)
		if !ok {
			return
		}
		if b != ack {
			if u, ok := l.Port.(Unreader); ok {
				u.Unread(b)
			}
			return
		}
	}
}

// abort tells the other side that it is over, unless that side said so.
func (l line) abort(err error) error {
	if !errors.Is(err, ErrCancelled) {
		l.send(can, can)
	}
	l.drain(quiet) // what was under way must not be taken for commands
	return err
}

// cancelled is called after a CAN: a second one makes it count, a single one is
// noise.
func (l line) cancelled() bool {
	b, ok := l.Byte(byteWait)
	return ok && b == can
}
