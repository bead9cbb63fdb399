package ymodem

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"time"
)

// receiver is the receiving side of one transfer.
type receiver struct {
	line
	buf [2 + longBlock + 2]byte // number, its complement, data, CRC
}

// event is what comes from the sender.
type event int

const (
	gotBlock event = iota
	gotEOT
	gotCancel
	gotNothing
	gotGarbage
)

// Receive asks for files and hands them to s, until the sender says that there
// are no more. A sender that falls silent after a whole file has finished, too.
//
// When it returns, with an error or without, the line is the caller's again.
func Receive(p Port, s Sink) error {
	r := receiver{line: line{p}}
	for first := true; ; first = false {
		h, more, err := r.header(first)
		if err != nil {
			if !first && errors.Is(err, ErrTimeout) {
				return nil
			}
			return r.abort(err)
		}
		if !more {
			r.send(ack)
			r.settle()
			return nil
		}
		if err := r.file(h, s); err != nil {
			return r.abort(err)
		}
		r.send(ack)
	}
}

// header asks for the next block 0. It is false for the empty one that ends the
// batch, which the caller acknowledges.
func (r *receiver) header(first bool) (h Header, more bool, err error) {
	wait, left := blockWait, tries
	if first {
		wait, left = startPause, startTries
	}
	r.send(crc)
	for garbled := 0; left > 0 && garbled < tries; {
		ev, n, data := r.next(wait)
		switch {
		case ev == gotCancel:
			return h, false, ErrCancelled
		case ev == gotNothing:
			left--
			r.send(crc)
		case ev == gotEOT && !first: // our answer to the last one was lost
			garbled++
			r.send(ack, crc)
		case ev == gotBlock && n == 0:
			h, ok := parseHeader(data)
			return h, ok, nil
		case ev == gotBlock:
			return h, false, &SequenceError{Got: n, Want: 0}
		default:
			garbled++
			r.drain(quiet)
			r.send(nak)
		}
	}
	if left > 0 {
		return h, false, ErrGarbled
	}
	return h, false, ErrTimeout
}

// file receives one file after its block 0, up to its EOT, which the caller
// acknowledges.
func (r *receiver) file(h Header, s Sink) error {
	if err := s.Begin(h); err != nil {
		return err
	}
	r.send(ack, crc)
	var got int64
	want := byte(1)
	begun := false // a block has come, so the sender does not wait for a C
	early := 0
	var ev event
	for failures := 0; failures < tries; {
		var n byte
		var data []byte
		ev, n, data = r.next(blockWait)
		switch {
		case ev == gotCancel:
			return ErrCancelled
		case ev == gotEOT && got < h.Size:
			// An EOT is one byte without a check: it may be noise.
			if early++; early == 3 {
				return &ShortError{Got: got, Want: h.Size}
			}
			r.send(nak)
		case ev == gotEOT:
			return s.End()
		case ev == gotBlock && n == want:
			if h.Size >= 0 {
				data = data[:min(int64(len(data)), h.Size-got)]
			}
			if len(data) > 0 {
				if _, err := s.Write(data); err != nil {
					return err
				}
			}
			got += int64(len(data))
			want++
			begun, failures, early = true, 0, 0
			r.send(ack)
		case ev == gotBlock && n == want-1: // our answer to it was lost
			failures++
			if begun {
				r.send(ack)
			} else {
				r.send(ack, crc)
			}
		case ev == gotBlock:
			return &SequenceError{Got: n, Want: want}
		case ev == gotNothing && !begun:
			failures++
			r.send(crc)
		default:
			failures++
			r.drain(quiet)
			r.send(nak)
		}
	}
	if ev == gotNothing {
		return ErrTimeout
	}
	return ErrGarbled
}

// next waits for something from the sender. What cannot be the beginning of
// anything is passed over.
func (r *receiver) next(wait time.Duration) (ev event, number byte, data []byte) {
	for range drainMax {
		b, ok := r.Byte(wait)
		if !ok {
			return gotNothing, 0, nil
		}
		switch b {
		case soh:
			return r.block(shortBlock)
		case stx:
			return r.block(longBlock)
		case eot:
			return gotEOT, 0, nil
		case can:
			if r.cancelled() {
				return gotCancel, 0, nil
			}
			return gotGarbage, 0, nil
		}
	}
	return gotGarbage, 0, nil
}

func (r *receiver) block(size int) (event, byte, []byte) {
	b := r.buf[:2+size+2]
	for i := range b {
		c, ok := r.Byte(byteWait)
		if !ok {
			return gotGarbage, 0, nil
		}
		b[i] = c
	}
	data, sum := b[2:2+size], b[2+size:]
	if b[0] != ^b[1] || checksum(data) != uint16(sum[0])<<8|uint16(sum[1]) {
		return gotGarbage, 0, nil
	}
	return gotBlock, b[0], data
}

// parseHeader reads block 0: name, NUL, then size, modification time and more,
// in decimal, octal, octal, separated by spaces. It is false for an empty name.
// Fields that are missing or no numbers are as if the sender did not say.
func parseHeader(data []byte) (Header, bool) {
	name, rest, _ := bytes.Cut(data, []byte{0})
	if len(name) == 0 {
		return Header{}, false
	}
	rest, _, _ = bytes.Cut(rest, []byte{0})
	h := Header{Name: string(name), Size: -1}
	fields := strings.Fields(string(rest))
	if len(fields) > 0 {
		if n, err := strconv.ParseUint(fields[0], 10, 63); err == nil {
			h.Size = int64(n)
		}
	}
	if len(fields) > 1 {
		if n, err := strconv.ParseUint(fields[1], 8, 63); err == nil {
			h.ModTime = int64(n)
		}
	}
	return h, true
}
