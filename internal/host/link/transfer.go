package link

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/ymodem"
)

// Transfer carries out an ATFS command that goes on with a YMODEM transfer, and
// returns what the module says when that is over. move is not called when it
// refuses the command.
func (s *Session) Transfer(command string, move func(p ymodem.Port) error) error {
	if err := s.ensure(); err != nil {
		return err
	}
	s.line.drain(0, time.Second)
	s.line.Write([]byte("AT" + command + "\r"))
	text, ok := s.answer(command, func([]string) bool { return true })
	if err := s.line.Err(); err != nil {
		return fmt.Errorf("%s: %w", s.line.port, err)
	}
	switch {
	case !ok:
		s.resync()
		return fmt.Errorf("%s: AT%s: %w", s.line.port, command, ErrLost)
	case !strings.Contains(text, "YMODEM"):
		if text != "ERROR" && !isFileError(command, text) {
			s.resync()
		}
		return &CommandError{command, text}
	}
	s.opt.Transcript.setTransfer(true)
	tail := &overheard{Line: s.line}
	moved := move(tail)
	s.opt.Transcript.setTransfer(false)
	if err := s.line.Err(); err != nil {
		return fmt.Errorf("%s: %w", s.line.port, err)
	}
	// Both ends may have given up at different times; what is between the
	// transfer and the answer is rest of it.
	s.heard = s.line.now()
	text = s.verdict(command)
	if text == "" && errors.Is(moved, ymodem.ErrCancelled) {
		text = tail.words() // the transfer's end took it for its own
	}
	switch {
	case moved != nil && isFileError("FS", text):
		return &CommandError{command, text}
	case moved != nil:
		if text != "OK" && text != "" {
			return fmt.Errorf("%w (the module says %q)", moved, text)
		}
		if text == "" {
			s.resync()
		}
		return moved
	case text == "":
		s.resync()
		return fmt.Errorf("AT%s: %w", command, ErrLost)
	case text != "OK":
		return &CommandError{command, text}
	}
	return nil
}

// verdict is what the module says after a transfer, without what may be left of
// that.
func (s *Session) verdict(command string) string {
	for range attempts {
		text, ok := s.answer(command, func([]string) bool { return true })
		if !ok {
			return ""
		}
		text = strings.TrimLeft(text, "C\x00\x01\x02\x04\x06\x15\x18\x1a")
		if text != "" {
			return text
		}
	}
	return ""
}

// overheard is a line that remembers the last of what came.
type overheard struct {
	*Line
	last []byte
}

// Byte implements ymodem.Port.
func (o *overheard) Byte(d time.Duration) (byte, bool) {
	b, ok := o.Line.Byte(d)
	if ok {
		if o.last = append(o.last, b); len(o.last) > 512 {
			o.last = append(o.last[:0], o.last[256:]...)
		}
	}
	return b, ok
}

// words is the line that followed the last byte that cancelled.
func (o *overheard) words() string {
	rest := o.last[bytes.LastIndexByte(o.last, can)+1:]
	line, _, _ := bytes.Cut(rest, []byte("\r"))
	return string(line)
}
