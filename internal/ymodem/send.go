package ymodem

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// File is something to send.
type File struct {
	Header
	// Content has Size bytes. If the size is not known, -1, it is sent to its
	// end and the receiver keeps the padding of the last block.
	Content io.Reader
}

// Send waits until the receiver asks, sends the files, and ends the batch.
//
// When it returns, with an error or without, the line is the caller's again.
func Send(p Port, files ...File) error {
	s := sender{line: line{p}}
	if err := s.await(startTries); err != nil {
		return s.abort(err)
	}
	for i := range files {
		if err := s.file(&files[i]); err != nil {
			return s.abort(err)
		}
		if err := s.await(tries); err != nil {
			return s.abort(err)
		}
	}
	return s.finish()
}

// finish sends the empty block 0, which says that there are no more files. A
// receiver that has it leaves at once, and its answer may get lost on the way: on
// a pseudo-terminal, rb's often does. So nobody waits long for that, and the block
// must arrive the first time: rb throws away what has come by the time it has sent
// its C, so the block is sent when the line has been quiet for a while.
//
// Digi's Python library answers with two ACKs, the second of which must not be
// taken for input, and throws away what it has received when it sends that one:
// hence the pause.
func (s *sender) finish() error {
	var empty [shortBlock]byte
	p := s.packet(0, empty[:])
	if err := s.pause(); err != nil {
		return s.abort(err)
	}
	for range tries {
		s.Write(p)
		b, ok := s.answer(finishWait)
		if ok && b == can && s.cancelled() {
			return s.abort(ErrCancelled)
		}
		if !ok || b == ack {
			break
		}
	}
	s.settle()
	return nil // every file was acknowledged
}

// pause waits until the line is quiet.
func (s *sender) pause() error {
	for range drainMax {
		b, ok := s.Byte(quiet)
		if !ok {
			return nil
		}
		if b == can && s.cancelled() {
			return ErrCancelled
		}
	}
	return ErrGarbled
}

// sender is the sending side of one transfer.
type sender struct {
	line
	asked bool // the C that await is to wait for has come already
	buf   [3 + longBlock + 2]byte
}

// await waits for the receiver's C, at most as many seconds as left says. Other
// bytes are passed over.
func (s *sender) await(left int) error {
	for n := 0; left > 0 && n < drainMax; n++ {
		if s.asked {
			s.asked = false
			return nil
		}
		b, ok := s.Byte(startPause)
		switch {
		case !ok:
			left--
		case b == crc:
			s.asked = true
		case b == can && s.cancelled():
			return ErrCancelled
		}
	}
	return ErrTimeout
}

// stale takes in what has come too late: a receiver that waited has asked more
// than once, and were its requests read as answers, every block would be sent
// twice.
func (s *sender) stale() error {
	for range drainMax {
		b, ok := s.Byte(0)
		if !ok {
			return nil
		}
		if b == can && s.cancelled() {
			return ErrCancelled
		}
	}
	return ErrGarbled
}

func (s *sender) file(f *File) error {
	first, err := s.announce(&f.Header)
	if err != nil {
		return err
	}
	left := f.Size
	number := first
	data := make([]byte, longBlock)
	for left != 0 {
		size := int64(longBlock)
		if left > 0 {
			size = min(size, left)
		}
		n, err := io.ReadFull(f.Content, data[:size])
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		if left > 0 {
			if int64(n) < size {
				return fmt.Errorf("%s: %w", f.Name, &ShortError{Got: f.Size - left + int64(n), Want: f.Size})
			}
			left -= int64(n)
		} else if n == 0 {
			break
		}
		whole := longBlock
		if n <= shortBlock {
			whole = shortBlock
		}
		for i := n; i < whole; i++ {
			data[i] = pad
		}
		if err := s.block(number, data[:whole]); err != nil {
			return err
		}
		number++
	}
	return s.end()
}

// announce sends block 0 and returns the number of the block that the receiver
// expects after it.
func (s *sender) announce(h *Header) (first byte, err error) {
	text := append([]byte(h.Name), 0)
	if h.Size >= 0 {
		text = strconv.AppendInt(text, h.Size, 10)
		if h.ModTime > 0 {
			text = append(text, ' ')
			text = strconv.AppendInt(text, h.ModTime, 8)
		}
	}
	size := shortBlock
	if len(text) >= shortBlock {
		size = longBlock
	}
	if h.Name == "" || len(text) >= size {
		return 0, fmt.Errorf("a file cannot be sent under a name of %d characters", len(h.Name))
	}
	block := make([]byte, size)
	copy(block, text)
	if err := s.block(0, block); err != nil {
		return 0, err
	}
	// The receiver asks for the data with a C of its own. Digi's Python library
	// (util/xmodem.py, _read_block_0) does not: it acknowledges block 0 twice,
	// counts it twice, and expects block 2 next. On a pseudo-terminal its second
	// ACK may wipe out the first.
	wait := askWait
	for range tries {
		b, ok := s.Byte(wait)
		switch {
		case !ok:
			return 2, nil
		case b == crc:
			return 1, nil
		case b == ack:
			wait = linger
		case b == can && s.cancelled():
			return 0, ErrCancelled
		}
	}
	return 1, nil
}

// block sends one block until it is acknowledged.
func (s *sender) block(number byte, data []byte) error {
	return s.acknowledged(s.packet(number, data), false)
}

// packet is a block as it is on the line.
func (s *sender) packet(number byte, data []byte) []byte {
	b := s.buf[:3+len(data)+2]
	b[0], b[1], b[2] = soh, number, ^number
	if len(data) == longBlock {
		b[0] = stx
	}
	copy(b[3:], data)
	sum := checksum(data)
	b[len(b)-2], b[len(b)-1] = byte(sum>>8), byte(sum)
	return b
}

// end sends EOT. A receiver may refuse the first, to be sure of it.
func (s *sender) end() error { return s.acknowledged([]byte{eot}, true) }

// acknowledged sends p until an ACK comes. After an EOT, a C says the same: its
// ACK was lost, and the receiver asks for the next file.
func (s *sender) acknowledged(p []byte, last bool) error {
	if err := s.stale(); err != nil {
		return err
	}
	refused := false
	for range tries {
		s.Write(p)
		b, ok := s.answer(blockWait)
		refused = ok
		switch {
		case !ok:
		case b == ack:
			return nil
		case b == crc && last:
			s.asked = true
			return nil
		case b == can && s.cancelled():
			return ErrCancelled
		}
	}
	if refused {
		return ErrGarbled
	}
	return ErrTimeout
}

// answer waits for a byte that is an answer.
func (s *sender) answer(d time.Duration) (byte, bool) {
	for range drainMax {
		b, ok := s.Byte(d)
		if !ok || b == ack || b == nak || b == crc || b == can {
			return b, ok
		}
	}
	return 0, false
}
