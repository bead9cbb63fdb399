package script

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/skep-sim/skep/internal/xbee/board"
)

// Error is what is wrong with a line of a script.
type Error struct {
	Name string // of the file
	Line int
	Text string // what is wrong, and what to write
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Text) }

// maxLines bounds the size of a script.
const maxLines = 100_000

// Parse reads a script; name is its file's. The error is every line's that is
// wrong, each an *Error.
func Parse(name, text string) (*Script, error) {
	s := &Script{Name: name, Source: text}
	var wrong []error
	fail := func(line int, what string) {
		wrong = append(wrong, &Error{name, line, what})
	}
	if !utf8.ValidString(text) {
		return nil, &Error{name, 1, "the script is no UTF-8 text: save it as UTF-8"}
	}
	lines := strings.Split(strings.TrimPrefix(text, "\uFEFF"), "\n")
	if len(lines) > maxLines {
		return nil, &Error{name, maxLines, fmt.Sprintf("the script has more than %d lines: use every to repeat a step", maxLines)}
	}
	for i, line := range lines {
		words, err := split(strings.TrimSuffix(line, "\r"))
		if err != nil {
			fail(i+1, err.Error())
			continue
		}
		if len(words) == 0 {
			continue
		}
		p := &parser{words: words}
		step := Step{Line: i + 1, Text: p.rest()}
		if err := p.step(&step); err != nil {
			fail(i+1, err.Error())
			continue
		}
		s.Steps = append(s.Steps, step)
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return s, nil
}

// word is a word of a line, or a text in quotation marks.
type word struct {
	text   string
	raw    string
	quoted bool
}

// split takes a line apart, without its comment.
func split(line string) ([]word, error) {
	var words []word
	for rest := line; ; {
		rest = strings.TrimLeft(rest, " \t")
		switch {
		case rest == "" || rest[0] == '#':
			return words, nil
		case rest[0] == '"':
			raw, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, errors.New(`a text does not end, or has a wrong escape: write it as "text", with \" and \\ for " and \`)
			}
			text, err := strconv.Unquote(raw)
			if err != nil {
				return nil, errors.New(`a text has a wrong escape: \n, \r, \t, \xFF, \" and \\ are possible`)
			}
			words = append(words, word{text, raw, true})
			rest = rest[len(raw):]
			if rest != "" && !strings.ContainsRune(" \t#", rune(rest[0])) {
				return nil, fmt.Errorf("put a space after %s", raw)
			}
		default:
			n := strings.IndexAny(rest, " \t")
			if n < 0 {
				n = len(rest)
			}
			if q := strings.IndexByte(rest[:n], '"'); q >= 0 {
				return nil, fmt.Errorf("put a space before the quotation mark in %s", rest[:n])
			}
			words = append(words, word{rest[:n], rest[:n], false})
			rest = rest[n:]
		}
	}
}

// parser reads one line.
type parser struct {
	words []word
	at    int
}

func (p *parser) end() bool { return p.at >= len(p.words) }

// rest is what has not been read yet.
func (p *parser) rest() string {
	var raw []string
	for _, w := range p.words[p.at:] {
		raw = append(raw, w.raw)
	}
	return strings.Join(raw, " ")
}

// keyword takes the next word if it is one of some.
func (p *parser) keyword(words ...string) (string, bool) {
	if !p.end() && !p.words[p.at].quoted {
		for _, w := range words {
			if strings.EqualFold(p.words[p.at].text, w) {
				p.at++
				return w, true
			}
		}
	}
	return "", false
}

// need takes a word that must be there; what describes it.
func (p *parser) need(what string) (string, error) {
	if p.end() {
		return "", fmt.Errorf("%s is missing at the end of the line", what)
	}
	w := p.words[p.at]
	if w.quoted {
		return "", fmt.Errorf("%s is wanted in place of %s", what, w.raw)
	}
	p.at++
	return w.text, nil
}

func (p *parser) quoted(what string) (string, error) {
	if p.end() {
		return "", fmt.Errorf(`%s is missing at the end of the line: write it as "text"`, what)
	}
	w := p.words[p.at]
	if !w.quoted {
		return "", fmt.Errorf(`put %s in quotation marks: "%s"`, what, w.text)
	}
	p.at++
	return w.text, nil
}

// oneOf takes one of some words, which must be there.
func (p *parser) oneOf(what string, words ...string) (string, error) {
	if w, ok := p.keyword(words...); ok {
		return w, nil
	}
	list := strings.Join(words, ", ")
	if p.end() {
		return "", fmt.Errorf("%s is missing at the end of the line: write %s", what, list)
	}
	return "", fmt.Errorf("%s is wanted in place of %s: write %s", what, p.words[p.at].raw, list)
}

func (p *parser) duration(what string) (time.Duration, error) {
	w, err := p.need(what + ", such as 5s, 300ms, 2m or 1h30m,")
	if err != nil {
		return 0, err
	}
	d, err := time.ParseDuration(strings.ToLower(w))
	if err != nil {
		return 0, fmt.Errorf("%s %q: write it with a unit, such as 5s, 300ms, 2m or 1h30m", what, w)
	}
	if d < 0 {
		return 0, fmt.Errorf("%s %q must not be negative", what, w)
	}
	return d, nil
}

func (p *parser) pin() (board.Pin, error) {
	w, err := p.need("a pin, D0 to D12 or P0 to P2,")
	if err != nil {
		return 0, err
	}
	pin, ok := board.Find(w)
	if !ok || pin >= board.P3 {
		return 0, fmt.Errorf("there is no pin %q: use D0 to D12 or P0 to P2", w)
	}
	return pin, nil
}

// volts reads a voltage, as 1.2V or 1200mV, in millivolts.
func (p *parser) volts() (int, error) {
	const what = "a voltage, such as 1.2V or 800mV,"
	w, err := p.need(what)
	if err != nil {
		return 0, err
	}
	text, unit := strings.ToLower(w), 1.0
	if t, ok := strings.CutSuffix(text, "mv"); ok {
		text = t
	} else if t, ok := strings.CutSuffix(text, "v"); ok {
		text, unit = t, 1000
	} else {
		return 0, fmt.Errorf("%q has no unit: write a voltage as 1.2V or 800mV", w)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(math.Abs(v*unit) <= 5000) {
		return 0, fmt.Errorf("%q is no voltage between -5V and 5V", w)
	}
	return int(math.Round(v * unit)), nil
}

func (p *parser) number(what string, from, to float64) (float64, error) {
	w, err := p.need(what)
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(w, 64)
	if err != nil || !(v >= from && v <= to) {
		return 0, fmt.Errorf("%s: %q is no number from %g to %g", what, w, from, to)
	}
	return v, nil
}

// step reads a whole line.
func (p *parser) step(s *Step) error {
	if err := p.trigger(&s.trigger); err != nil {
		return err
	}
	if !p.end() && !p.words[p.at].quoted {
		s.types = strings.EqualFold(p.words[p.at].text, "serial")
	}
	do, err := p.action()
	if err != nil {
		return err
	}
	if !p.end() {
		return fmt.Errorf("nothing more is expected at %q", p.rest())
	}
	s.do = do
	return nil
}

func (p *parser) trigger(t *trigger) (err error) {
	k, ok := p.keyword("at", "every", "when", "whenever")
	if !ok {
		return nil // at once
	}
	switch k {
	case "at":
		t.delay, err = p.duration("a time")
		return err
	case "every":
		return p.everyTrigger(t)
	}
	if t.kind = once; k == "whenever" {
		t.kind = eachOne
	}
	if t.event, err = p.event(); err != nil {
		return err
	}
	if _, ok := p.keyword("after"); ok {
		t.delay, err = p.duration("a time")
	}
	return err
}

func (p *parser) everyTrigger(t *trigger) (err error) {
	t.kind = every
	if t.period, err = p.duration("a time"); err != nil {
		return err
	}
	if t.period < time.Millisecond {
		return errors.New("every: the shortest period is 1ms")
	}
	t.delay = t.period
	if _, ok := p.keyword("from"); ok {
		if t.delay, err = p.duration("the time of the first"); err != nil {
			return err
		}
	}
	if _, ok := p.keyword("until"); ok {
		if t.until, err = p.duration("the time of the last"); err != nil {
			return err
		}
		if t.until < t.delay {
			return errors.New("every: until lies before the first time")
		}
	}
	return nil
}

func (p *parser) event() (e Event, err error) {
	names := map[string]EventKind{
		"boot": Booted, "connected": Connected, "disconnected": Disconnected, "asleep": FellAsleep, "awake": WokeUp,
		"serial": SentSerial, "uart": SentUART, "sms": SentSMS, "pin": PinChanged,
	}
	w, err := p.oneOf("what to wait for", "boot", "connected", "disconnected", "asleep", "awake", "serial", "uart", "sms", "pin")
	if err != nil {
		return e, err
	}
	e.Kind = names[w]
	switch {
	case e.Kind.isStream():
		if e.Text, err = p.quoted("the text to wait for"); err == nil && e.Text == "" {
			err = errors.New("the text to wait for is empty")
		}
	case e.Kind == SentSMS && !p.end() && p.words[p.at].quoted:
		e.Text, err = p.quoted("the text to wait for")
	case e.Kind == PinChanged:
		if e.Pin, err = p.pin(); err != nil {
			return e, err
		}
		w, err = p.oneOf("the level to wait for", "low", "high")
		e.High = w == "high"
	}
	return e, err
}
