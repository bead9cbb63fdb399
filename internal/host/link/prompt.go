package link

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"
)

// This file is the MicroPython prompt at the other end of the line
// (device-facts.md 2).

// Keys of the prompt.
const (
	ctrlB = 0x02 // leaves raw mode
	ctrlC = 0x03 // interrupts the program, leaves paste mode
	ctrlD = 0x04 // on an empty line: soft reset
)

const modeREPL = 4

const (
	primary    = ">>> "
	promptWait = 2 * time.Second
	// programTries is how often a program is interrupted before it counts as one
	// that cannot be.
	programTries = 8
)

// ErrStubborn: a program cannot be interrupted.
var ErrStubborn = errors.New("the program cannot be stopped by Ctrl-C")

// Prompt leaves command mode and goes to the prompt, whatever is there: a program
// is interrupted, raw mode and paste mode are left. [Session.Command] comes back.
func (s *Session) Prompt() error {
	if err := s.Set("AP", modeREPL); err != nil {
		return err
	}
	if err := s.Leave(); err != nil {
		return err
	}
	s.line.drain(settleTime, time.Second)
	for n := range programTries {
		s.line.Write([]byte{'\r', ctrlC})
		if n > 0 { // raw mode, perhaps: Ctrl-C alone stays there
			s.line.Write([]byte{ctrlB})
		}
		var out []byte
		if first, ok := s.line.Byte(promptWait); ok { // a prompt answers every time
			out = append([]byte{first}, s.line.drain(quietTime, promptWait)...)
		}
		if err := s.line.Err(); err != nil {
			return fmt.Errorf("%s: %w", s.line.port, err)
		}
		// A stray keystroke may have made the prompt indent, or continue a line.
		if bytes.HasSuffix(out, []byte(primary)) && s.proven() {
			return nil
		}
	}
	return fmt.Errorf("%s: %w", s.line.port, ErrStubborn)
}

// proven makes sure that it is the prompt, by an expression that a program is
// unlikely to print.
func (s *Session) proven() bool {
	out, err := s.Exec("'sk'+'ep'")
	return err == nil && strings.TrimSpace(out) == "'skep'"
}

// Exec types a line of Python at the prompt, which [Session.Prompt] has reached,
// and returns what it prints. An exception is in there.
func (s *Session) Exec(line string) (string, error) { return s.exec(line, answerTime*5) }

func (s *Session) exec(line string, limit time.Duration) (string, error) {
	if err := s.typeLine(line); err != nil {
		return "", err
	}
	return s.untilPrompt(limit)
}

// typeLine types a line and Enter; not before the module has echoed the line as it
// was meant, for a line may garble it.
func (s *Session) typeLine(line string) error {
	for range attempts {
		s.line.drain(0, time.Second)
		s.line.Write([]byte(line))
		echo := s.echo(len(line))
		if err := s.line.Err(); err != nil {
			return fmt.Errorf("%s: %w", s.line.port, err)
		}
		if string(echo) == line {
			s.line.Write([]byte("\r"))
			return nil
		}
		s.line.Write([]byte{ctrlC})
		s.line.drain(quietTime, promptWait)
	}
	return fmt.Errorf("%s: what is typed at the prompt comes back garbled: lower the baud rate (ATBD), or use a shorter cable", s.line.port)
}

func (s *Session) echo(n int) []byte {
	var b []byte
	for len(b) < n {
		c, ok := s.line.Byte(answerTime)
		if !ok {
			break
		}
		b = append(b, c)
	}
	return append(b, s.line.drain(settleTime/2, time.Second)...)
}

// untilPrompt reads up to the next prompt, and returns what came before it.
func (s *Session) untilPrompt(limit time.Duration) (string, error) {
	var out []byte
	for end := s.line.now() + limit; ; {
		c, ok := s.line.Byte(end - s.line.now())
		if !ok {
			if err := s.line.Err(); err != nil {
				return "", fmt.Errorf("%s: %w", s.line.port, err)
			}
			return text(out), fmt.Errorf("%s: the prompt does not come back: %w", s.line.port, ErrLost)
		}
		if out = append(out, c); !bytes.HasSuffix(out, []byte(primary)) {
			continue
		}
		if len(out) > len(primary) && out[len(out)-len(primary)-1] != '\n' {
			continue
		}
		rest := s.line.drain(settleTime, time.Second)
		if len(rest) == 0 {
			return text(bytes.TrimSuffix(out, []byte(primary))), nil
		}
		out = append(out, rest...) // it went on: something printed what looks like a prompt
		if bytes.HasSuffix(out, []byte("\n"+primary)) {
			return text(bytes.TrimSuffix(out, []byte(primary))), nil
		}
	}
}

// text is what a terminal would show, with LF at the end of lines.
func text(b []byte) string {
	return strings.TrimPrefix(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n")
}

// Reboot soft-resets the interpreter from the prompt. What comes then is read from
// the line.
func (s *Session) Reboot() { s.line.Write([]byte{ctrlD}) }

// ReadLine reads a line of output, without its end; false when none came for as
// long as d. A part of a line is returned when nothing follows it.
func (s *Session) ReadLine(d time.Duration) (string, bool) {
	var b []byte
	for end := s.line.now() + d; ; {
		wait := end - s.line.now()
		if len(b) > 0 {
			wait = quietTime
		}
		c, ok := s.line.Byte(wait)
		switch {
		case !ok:
			return string(b), len(b) > 0
		case c == '\n':
			return string(bytes.TrimRight(b, "\r")), true
		default:
			b = append(b, c)
		}
	}
}

// ExecLong is Exec for what takes long, or restarts the interpreter.
func (s *Session) ExecLong(line string, limit time.Duration) (string, error) {
	return s.exec(line, limit)
}

// SoftReset restarts the interpreter from the prompt, and comes back to the
// prompt. It is [ErrStubborn] when a program is started instead.
func (s *Session) SoftReset() error {
	s.Reboot()
	if _, err := s.untilPrompt(resetTime); err != nil {
		if s.line.Err() != nil {
			return err
		}
		return fmt.Errorf("%s: %w", s.line.port, ErrStubborn)
	}
	return nil
}
