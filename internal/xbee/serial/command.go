package serial

import (
	"bytes"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/xbee/uart"
)

// This file is command mode (device-facts.md 10.1).

// maxLine is the longest line, in bytes; the rest of a longer one is lost and
// the answer is ERROR. A choice: long enough for every command.
const maxLine = 512

// timeout is the silence that ends command mode.
func (p *Port) timeout() time.Duration {
	return time.Duration(p.conf.Registers.Active("CT").Int()) * 100 * time.Millisecond
}

// enterCommand enters command mode. forced is by a break: with the settings a
// module comes with, since nobody may know any more what was set.
func (p *Port) enterCommand(forced bool) {
	p.release(p.escape.reset())
	p.tell(false)
	if forced {
		p.forced = true
		p.conf.UART.Configure(uart.Factory())
	}
	p.command, p.line = true, p.line[:0]
	p.answer("OK")
	p.touch()
}

// leaveCommand leaves it; what was set counts from then on.
func (p *Port) leaveCommand() {
	p.command, p.forced = false, false
	p.conf.Registers.Apply()
	p.apply()
	p.tell(true)
	p.touch()
}

// touch begins the silence anew, for a command may have taken a while.
func (p *Port) touch() {
	p.heard = p.now()
	p.escape.last = p.heard
}

func (p *Port) answer(text string) { p.conf.UART.Send([]byte(text + "\r")) }

// edit takes what has arrived up to the end of a line, which it carries out.
func (p *Port) edit() {
	i := bytes.IndexByte(p.input, '\r')
	end := i >= 0
	if !end {
		i = len(p.input)
	}
	for _, c := range p.input[:i] {
		if c == '\n' && len(p.line) == 0 { // of hosts that end lines with CR LF
			continue
		}
		if len(p.line) <= maxLine {
			p.line = append(p.line, c)
		}
	}
	if !end {
		p.input = nil
		return
	}
	p.input = p.input[i+1:]
	line := string(p.line)
	p.line = p.line[:0]
	p.execute(line)
	p.touch()
}

// execute carries out one line: AT, then commands separated by commas, each of
// which is answered.
func (p *Port) execute(line string) {
	if line == "" {
		return
	}
	if len(line) > maxLine || len(line) < 2 || !strings.EqualFold(line[:2], "AT") {
		p.note("command mode: " + clip(line) + ": a line begins with AT and has at most 512 characters")
		p.answer("ERROR")
		return
	}
	rest := line[2:]
	if rest == "" {
		p.answer("OK")
		return
	}
	if len(rest) >= 2 && strings.EqualFold(rest[:2], "FS") { // its names may hold commas
		p.answer(p.conf.Files(rest[2:], p))
		return
	}
	leave := false
	for command := range strings.SplitSeq(rest, ",") {
		if strings.EqualFold(command, "CN") {
			leave = true
			p.answer("OK")
			continue
		}
		text, err := p.conf.Registers.Command(command)
		if err != nil {
			p.note("command mode: " + err.Error())
			text = "ERROR"
		}
		p.answer(text)
	}
	if leave {
		p.leaveCommand()
	}
}

// Byte waits for a byte, at most as long as d; false is none. It is for commands
// that take the port for themselves; with Write it makes p a ymodem.Port.
func (p *Port) Byte(d time.Duration) (byte, bool) {
	end := p.now() + d
	for !p.fill() {
		left := end - p.now()
		if left <= 0 || p.conf.UART.Ended() {
			return 0, false
		}
		p.conf.UART.Wait(left)
	}
	b := p.input[0]
	p.input = p.input[1:]
	return b, true
}

// Unread takes a byte back, which is then the next.
func (p *Port) Unread(b byte) { p.input = append([]byte{b}, p.input...) }

// Write sends b.
func (p *Port) Write(b []byte) { p.conf.UART.Send(b) }

func (p *Port) note(text string) {
	if p.conf.Note != nil {
		p.conf.Note(text)
	}
}

// clip is the beginning of a line that may be anything.
func clip(line string) string {
	if len(line) > 40 {
		line = line[:40] + "..."
	}
	return strings.ToValidUTF8(strings.Map(printable, line), "?")
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7F {
		return '?'
	}
	return r
}
