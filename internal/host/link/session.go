package link

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Session is a module with which command mode was reached. Its methods are for
// one goroutine; the context handed to Open ends what they wait for.
type Session struct {
	line *Line
	opt  Options

	// Baud is the rate that was found; 0 where the port has none.
	Baud int
	// Printing: something came from the module before anything was sent. Looping:
	// it looked as an interpreter that restarts again and again.
	Printing, Looping bool
	// Mode is the value of ATAP that was found.
	Mode uint64

	guard   time.Duration
	patient time.Duration // for an answer, beyond what the module needs
	timeout time.Duration // ATCT
	command bool          // in command mode, as far as is known
	heard   time.Duration // when it last said something there
	changed []setting     // what Set has changed and Restore puts back, the first first
}

// can is the byte that, twice, cancels a transfer.
const can = 0x18

// setting is a command and its value.
type setting struct{ name, value string }

// Open opens a port and finds the module at it.
func Open(ctx context.Context, name string, o Options) (*Session, error) {
	p, err := OpenPort(name)
	if err != nil {
		return nil, err
	}
	return Attach(ctx, p, o)
}

// Attach finds the module at a port that is open; the session closes it.
func Attach(ctx context.Context, p Port, o Options) (*Session, error) {
	s := &Session{line: newLine(ctx, p, o.Clock, o.Transcript), opt: o, guard: guardTime, patient: patience, timeout: commandTime}
	if err := s.find(); err != nil {
		p.Close()
		return nil, err
	}
	return s, nil
}

func (s *Session) log(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.opt.Transcript.Note(text)
	if s.opt.Log != nil {
		s.opt.Log(text)
	}
}

// find finds the baud rate, and enters command mode.
func (s *Session) find() error {
	rates := bauds[:]
	if s.opt.Baud != 0 {
		rates = []int{s.opt.Baud}
	}
	bauder, _ := s.line.port.(Bauder)
	if bauder == nil {
		rates = []int{0}
	}
	first := s.opt.Guard
	if first == 0 {
		first = guardTime
	}
	rounds := []time.Duration{first, longGuard}
	if s.opt.Break { // whoever asks for it has tried the others
		rates, rounds = rates[:min(len(rates), 2)], rounds[:1]
	}
	if len(rates) > 1 {
		s.patient = time.Second // most of them are wrong
	}
	defer func() { s.patient = patience }()
	for round, guard := range rounds {
		s.guard = guard
		for _, rate := range rates {
			if bauder != nil {
				if err := bauder.SetBaud(rate); err != nil {
					return err
				}
				s.line.baud = rate
				if round == 0 && len(rates) > 1 && rate != rates[0] {
					s.log("no answer yet: trying %d baud", rate)
				}
			}
			if err := s.enter(); err == nil {
				s.Baud = rate
				return s.learn()
			} else if !errors.Is(err, ErrNoAnswer) {
				return err
			}
		}
		if round+1 < len(rounds) {
			s.log("no answer yet: trying longer pauses around +++")
		}
	}
	if s.opt.Break {
		return s.force(bauder)
	}
	return s.silent()
}

// silent is the error of a port at which nothing answers.
func (s *Session) silent() error {
	name := s.line.port.String()
	var why []string
	if p, ok := s.line.port.(interface{ CTS() bool }); ok && !p.CTS() {
		why = append(why, "its CTS line says that it must not be sent anything: it is asleep (ATSM; hold SLEEP_RQ low) or without power")
	}
	if s.Printing {
		why = append(why, "something comes from it that is no answer: another baud rate (--baud), or no XBee")
	}
	if len(why) == 0 {
		why = append(why, "check its power, and the wiring (its DOUT to your RX, its DIN to your TX); if its settings are not known (ATBD, ATNB, ATGT, ATCC), try --break, which holds the line in break for six seconds")
	}
	return fmt.Errorf("%s: %w: %s", name, ErrNoAnswer, strings.Join(why, "; "))
}

// force enters command mode by a break; the module then listens at 9600 baud
// whatever is set (device-facts.md 10.1).
func (s *Session) force(b Bauder) error {
	if !s.line.canBreak() {
		return fmt.Errorf("%w; %s cannot send a break either", s.silent(), s.line.port)
	}
	s.log("sending a break of %v", breakTime)
	if b != nil {
		if err := b.SetBaud(bauds[0]); err != nil {
			return err
		}
		s.line.baud = bauds[0]
	}
	if err := s.line.sendBreak(breakTime); err != nil {
		return fmt.Errorf("%s: sending a break: %w", s.line.port, err)
	}
	s.line.drain(settleTime, 2*time.Second)
	if !s.answersAT() {
		return s.silent()
	}
	s.entered()
	s.Baud = bauds[0]
	return s.learn()
}

// enter enters command mode: silence, +++, silence.
func (s *Session) enter() error {
	s.command = false
	before := s.line.silence(s.guard)
	before = append(before, s.line.drain(0, time.Second)...) // what has come and was not read
	if len(before) > 0 {
		s.Printing = true
		s.Looping = s.Looping || bytes.Count(before, []byte("soft reboot")) > 1
	}
	s.line.Write([]byte("+++"))
	got := s.awaitOK(s.guard + s.patient)
	if err := s.line.Err(); err != nil {
		return fmt.Errorf("%s: %w", s.line.port, err)
	}
	if got && s.answersAT() {
		s.entered()
		return nil
	}
	// It may be in command mode already, where the plus signs are a line's
	// beginning, or in the middle of a transfer that somebody has left. Elsewhere
	// these keys are as harmless as the plus signs were.
	s.line.Write([]byte{can, can})
	s.line.drain(quietTime, 2*time.Second)
	s.line.Write([]byte("\r"))
	s.line.drain(quietTime, time.Second)
	if s.answersAT() {
		s.entered()
		return nil
	}
	if err := s.line.Err(); err != nil {
		return fmt.Errorf("%s: %w", s.line.port, err)
	}
	return ErrNoAnswer
}

func (s *Session) entered() {
	s.command = true
	s.heard = s.line.now()
}

// awaitOK waits for a line that is OK, behind whatever a program prints.
func (s *Session) awaitOK(d time.Duration) bool {
	var tail []byte
	for end := s.line.now() + d; ; {
		b, ok := s.line.Byte(end - s.line.now())
		if !ok {
			return false
		}
		if tail = append(tail, b); len(tail) > 3 {
			tail = tail[len(tail)-3:]
		}
		if string(tail) == "OK\r" {
			return true
		}
	}
}

// answersAT tells whether a bare AT is answered as in command mode, where nothing
// is echoed.
func (s *Session) answersAT() bool {
	s.line.drain(settleTime, 5*time.Second)
	s.line.Write([]byte("AT\r"))
	first, ok := s.line.Byte(s.patient)
	if !ok {
		return false
	}
	return string(append([]byte{first}, s.line.drain(settleTime, time.Second)...)) == "OK\r"
}

// learn asks for what the link needs to know.
func (s *Session) learn() error {
	mode, err := s.Number("AP")
	if err != nil {
		return err
	}
	s.Mode = mode
	if n, err := s.Number("CT"); err == nil && n > 0 {
		s.timeout = time.Duration(n) * 100 * time.Millisecond
	}
	if n, err := s.Number("GT"); err == nil {
		s.guard = time.Duration(n)*time.Millisecond + guardTime/10
	}
	return s.line.Err()
}

// ensure is in command mode, or enters it. What was not heard of for most of the
// timeout may have left by itself, and would take a command for something else.
func (s *Session) ensure() error {
	if s.command && s.line.now()-s.heard < s.timeout*3/4 {
		return nil
	}
	var err error
	for range attempts {
		if err = s.enter(); err == nil || s.line.Err() != nil {
			return s.lost(err)
		}
	}
	return s.lost(err)
}

func (s *Session) lost(err error) error {
	if errors.Is(err, ErrNoAnswer) {
		return fmt.Errorf("%s: %w", s.line.port, ErrLost)
	}
	return err
}

// Command carries out an AT command, whose AT is left out, and returns its answer,
// lines separated by LF. A module that says ERROR, or an ATFS error, is a
// [*CommandError].
func (s *Session) Command(command string) (string, error) {
	return s.ask(command, func(lines []string) bool { return false })
}

// Query carries out a command whose answer is one line.
func (s *Session) Query(command string) (string, error) {
	return s.ask(command, func(lines []string) bool { return true })
}

// ask carries out a command; whole tells whether lines are the whole answer. Until
// then it ends when nothing more comes.
func (s *Session) ask(command string, whole func(lines []string) bool) (answer string, err error) {
	refused := 0
	for range attempts {
		if err = s.ensure(); err != nil {
			return "", err
		}
		s.line.drain(0, time.Second)
		s.line.Write([]byte("AT" + command + "\r"))
		text, ok := s.answer(command, whole)
		if err := s.line.Err(); err != nil {
			return "", fmt.Errorf("%s: %w", s.line.port, err)
		}
		switch {
		case !ok:
			err = fmt.Errorf("%s: AT%s: %w", s.line.port, command, ErrLost)
			s.resync()
			continue
		case text == "AT"+command || strings.HasPrefix(text, "AT"+command+"\n"): // an echo: this is not command mode
			err = fmt.Errorf("%s: AT%s: %w", s.line.port, command, ErrLost)
			s.command = false
			continue
		case text == "ERROR" || isFileError(command, text):
			s.heard = s.line.now()
			err = &CommandError{command, text}
			if refused++; refused < 2 { // the line may have garbled it
				continue
			}
			return text, err
		}
		s.heard = s.line.now()
		return text, nil
	}
	return "", err
}

// resync ends whatever line is half said, and finds out whether this is command
// mode still.
func (s *Session) resync() {
	s.line.Write([]byte("\r"))
	s.line.drain(quietTime, 2*time.Second)
	if s.answersAT() {
		s.entered()
	} else {
		s.command = false
	}
}

// isFileError tells ATFS's errors: a word that begins with a capital E, then its
// description (device-facts.md 10.5).
func isFileError(command, text string) bool {
	if len(command) < 2 || !strings.EqualFold(command[:2], "FS") || len(text) < 2 || text[0] != 'E' {
		return false
	}
	word, _, _ := strings.Cut(text, " ")
	return strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// answer reads an answer; false is none.
func (s *Session) answer(command string, whole func([]string) bool) (string, bool) {
	wait := answerTime
	if d, ok := slow[strings.ToUpper(command[:min(2, len(command))])]; ok {
		wait = d
	}
	var lines []string
	var b []byte
	for {
		c, ok := s.line.Byte(wait)
		if !ok {
			if len(b) > 0 {
				lines = append(lines, string(b))
			}
			return strings.TrimSuffix(strings.Join(lines, "\n"), "\n"), len(lines) > 0
		}
		wait = quietTime
		switch c {
		case '\r':
			lines = append(lines, string(b))
			b = b[:0]
			if whole(lines) {
				return strings.Join(lines, "\n"), true
			}
		case '\n':
		default:
			b = append(b, c)
		}
	}
}

// Number asks for a setting that is a number.
func (s *Session) Number(name string) (uint64, error) {
	var err error
	for range attempts {
		var text string
		if text, err = s.Query(name); err != nil {
			return 0, err
		}
		var n uint64
		if n, err = strconv.ParseUint(text, 16, 64); err == nil {
			return n, nil
		}
		err = fmt.Errorf("AT%s: the module answers %q, which is no number", name, text)
	}
	return 0, err
}

// Do carries out a command that answers OK.
func (s *Session) Do(command string) error {
	var err error
	for range attempts {
		var text string
		if text, err = s.Query(command); err != nil {
			return err
		}
		if text == "OK" {
			return nil
		}
		err = &CommandError{command, text}
	}
	return err
}

// Set sets a numeric setting, has it count at once, and makes sure that it does.
// [Session.Restore] puts back what it was.
func (s *Session) Set(name string, value uint64) error {
	old, err := s.Number(name)
	if err != nil || old == value {
		return err
	}
	for range attempts {
		if err = s.Do(fmt.Sprintf("%s%X", name, value)); err != nil {
			return err
		}
		var now uint64
		if now, err = s.Number(name); err != nil {
			return err
		}
		if now == value {
			s.remember(name, old)
			return s.Do("AC")
		}
		err = fmt.Errorf("AT%s stays %X: the module takes the value %X and does not keep it", name, now, value)
	}
	return err
}

func (s *Session) remember(name string, old uint64) {
	for _, c := range s.changed {
		if c.name == name {
			return
		}
	}
	s.changed = append(s.changed, setting{name, strconv.FormatUint(old, 16)})
}

// Keep makes Restore leave a setting as it is now.
func (s *Session) Keep(name string) {
	for i, c := range s.changed {
		if c.name == name {
			s.changed = append(s.changed[:i:i], s.changed[i+1:]...)
			return
		}
	}
}

// Restore puts back what Set has changed and stays in command mode.
func (s *Session) Restore() error {
	for len(s.changed) > 0 {
		c := s.changed[len(s.changed)-1]
		n, err := strconv.ParseUint(c.value, 16, 64)
		if err == nil {
			err = s.Set(c.name, n)
		}
		if err != nil {
			return fmt.Errorf("putting AT%s back to %s: %w", c.name, c.value, err)
		}
		s.Keep(c.name)
	}
	return nil
}

// Leave leaves command mode.
func (s *Session) Leave() error {
	if !s.command {
		return nil
	}
	err := s.Do("CN")
	s.command = false
	return err
}

// Close puts the settings back, leaves command mode and closes the port. It may be
// called when the context is over, and does not try for ever then.
func (s *Session) Close() error {
	interrupted := s.line.ctx.Err() != nil
	s.line.ctx = context.WithoutCancel(s.line.ctx)
	var err error
	if s.line.Err() == nil {
		if interrupted {
			s.line.Write([]byte{can, can}) // a transfer that was under way
			s.line.drain(quietTime, 2*time.Second)
			s.resync()
		}
		if len(s.changed) > 0 || s.command {
			if err = s.Restore(); err == nil {
				err = s.Leave()
			}
		}
	}
	return errors.Join(err, s.line.port.Close())
}

// Abandon closes the port, whatever state the module is in.
func (s *Session) Abandon() error { return s.line.port.Close() }

// Line is the line itself, for a transfer in between.
func (s *Session) Line() *Line { return s.line }

// Port is the port's name.
func (s *Session) Port() string { return s.line.port.String() }

// Bytes is how many bytes were sent and received so far.
func (s *Session) Bytes() (sent, received int64) { return s.line.sent, s.line.got }

// List carries out ATFS LS, whose answer ends with an empty line.
func (s *Session) List(command string) (string, error) {
	return s.ask(command, func(lines []string) bool {
		return lines[len(lines)-1] == "" || len(lines) == 1 && (lines[0] == "ERROR" || isFileError(command, lines[0]))
	})
}

// PutBack is Restore for one setting.
func (s *Session) PutBack(name string) error {
	for _, c := range s.changed {
		if c.name != name {
			continue
		}
		n, err := strconv.ParseUint(c.value, 16, 64)
		if err == nil {
			err = s.Set(name, n)
		}
		if err != nil {
			return fmt.Errorf("putting AT%s back to %s: %w", c.name, c.value, err)
		}
		s.Keep(name)
	}
	return nil
}

// resetTime is how long a module has to come back from a reset.
const resetTime = 10 * time.Second

// ResetModule resets the whole module and returns when it has begun. What was set
// and not saved is gone.
func (s *Session) ResetModule() error {
	if err := s.Do("FR"); err != nil {
		return err
	}
	s.command, s.changed = false, nil
	return nil
}
