package sql

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the zones are the same on every host
)

var timeFunctions = map[string]*function{
	"parse_time":    {least: 2, most: 3, do: parseTime},
	"time_to_epoch": {least: 2, most: 2, do: timeToEpoch},
}

// field is a piece of a date pattern: a letter repeated, or with no letter a text.
type field struct {
	letter byte
	n      int
	text   string
}

// fields takes a pattern of Joda-Time or java.time apart: both quote text with '.
func fields(pattern string) ([]field, bool) {
	var out []field
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			n := 1
			for i+n < len(pattern) && pattern[i+n] == c {
				n++
			}
			out = append(out, field{letter: c, n: n})
			i += n
		case c == '\'':
			end := strings.IndexByte(pattern[i+1:], '\'')
			if end < 0 {
				return nil, false
			}
			text := pattern[i+1 : i+1+end]
			if text == "" {
				text = "'"
			}
			out = append(out, field{text: text})
			i += end + 2
		default:
			out = append(out, field{text: pattern[i : i+1]})
			i++
		}
	}
	return out, true
}

// parseTime formats milliseconds with a pattern of Joda-Time, despite its name.
func parseTime(r *run, a []value, _ any) value {
	zone := "UTC"
	if len(a) == 3 {
		if a[2].kind != kindString {
			return undefined
		}
		zone = a[2].text
	}
	ms := a[1].toInt()
	if a[0].kind != kindString || ms == nil || !ms.integer().IsInt64() {
		return undefined
	}
	loc, ok := location(zone)
	parts, ok2 := fields(a[0].text)
	if !ok || !ok2 {
		return undefined
	}
	t := time.UnixMilli(ms.integer().Int64()).In(loc)
	if t.Year() < 1 || t.Year() > 9999 {
		return undefined
	}
	var b strings.Builder
	for _, f := range parts {
		if f.letter == 0 {
			b.WriteString(f.text)
			continue
		}
		text, ok := joda(f, t)
		if !ok {
			return r.fail("parse_time(): %q is not available locally in a pattern", strings.Repeat(string(f.letter), f.n))
		}
		if b.WriteString(text); !r.text(b.Len()) {
			return undefined
		}
	}
	return str(b.String())
}

// joda formats one field as Joda-Time's DateTimeFormat does.
func joda(f field, t time.Time) (string, bool) {
	number := func(n int) (string, bool) {
		if f.n > 32 {
			return "", false
		}
		return fmt.Sprintf("%0*d", f.n, n), true
	}
	year, week := t.ISOWeek()
	half := t.Hour() % 12
	switch f.letter {
	case 'G':
		return "AD", true
	case 'C':
		return number(t.Year() / 100)
	case 'y', 'Y', 'x':
		if f.letter != 'x' {
			year = t.Year()
		}
		if f.n == 2 {
			return fmt.Sprintf("%02d", year%100), true
		}
		return number(year)
	case 'w':
		return number(week)
	case 'e':
		return number((int(t.Weekday())+6)%7 + 1)
	case 'D':
		return number(t.YearDay())
	case 'd':
		return number(t.Day())
	case 'K':
		return number(half)
	case 'h':
		return number((half+11)%12 + 1)
	case 'H':
		return number(t.Hour())
	case 'k':
		return number((t.Hour()+23)%24 + 1)
	case 'm':
		return number(t.Minute())
	case 's':
		return number(t.Second())
	case 'S':
		nine := fmt.Sprintf("%09d", t.Nanosecond())
		return (nine + strings.Repeat("0", max(f.n-9, 0)))[:min(f.n, 32)], true
	case 'a':
		return t.Format("PM"), true
	case 'E', 'M', 'z', 'Z':
		return jodaText(f, t)
	}
	return "", false
}

func jodaText(f field, t time.Time) (string, bool) {
	switch {
	case f.letter == 'E' && f.n >= 4:
		return t.Format("Monday"), true
	case f.letter == 'E':
		return t.Format("Mon"), true
	case f.letter == 'M' && f.n >= 4:
		return t.Format("January"), true
	case f.letter == 'M' && f.n == 3:
		return t.Format("Jan"), true
	case f.letter == 'M':
		return fmt.Sprintf("%0*d", f.n, int(t.Month())), true
	case f.letter == 'z' && f.n < 4:
		return t.Format("MST"), true
	case f.letter == 'Z' && f.n == 1:
		return t.Format("-0700"), true
	case f.letter == 'Z' && f.n == 2:
		return t.Format("-07:00"), true
	case f.letter == 'Z':
		return t.Location().String(), true
	}
	return "", false
}

// location finds a zone by name, by offset, or by both.
func location(name string) (*time.Location, bool) {
	rest := name
	for _, base := range []string{"UTC", "GMT", "UT"} {
		if after, ok := strings.CutPrefix(name, base); ok {
			if rest = after; rest == "" {
				return time.UTC, true
			}
			break
		}
	}
	if rest == "Z" {
		return time.UTC, true
	}
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		seconds, n, ok := offset(rest)
		if !ok || n != len(rest) {
			return nil, false
		}
		return time.FixedZone(name, seconds), true
	}
	if name == "" || name == "Local" || len(name) > 64 {
		return nil, false
	}
	loc, err := time.LoadLocation(name)
	return loc, err == nil
}

// offset reads +h, +hh, +hhmm or +hh:mm at the beginning of s, and how long it is.
func offset(s string) (seconds, n int, ok bool) {
	for n = 1; n < len(s) && n < 3 && digit(s[n]); n++ {
	}
	if n == 1 {
		return 0, 0, false
	}
	h, err := strconv.Atoi(s[1:n])
	if err != nil || h > 18 {
		return 0, 0, false
	}
	at := n
	if at < len(s) && s[at] == ':' {
		at++
	}
	m := 0
	if at+2 <= len(s) && digit(s[at]) && digit(s[at+1]) {
		if m, err = strconv.Atoi(s[at : at+2]); err != nil || m > 59 {
			return 0, 0, false
		}
		n = at + 2
	}
	seconds = h*3600 + m*60
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, n, true
}

// timeToEpoch reads a time with a pattern of java.time.
func timeToEpoch(r *run, a []value, _ any) value {
	if a[0].kind != kindString || a[1].kind != kindString {
		return undefined
	}
	parts, ok := fields(a[1].text)
	if !ok {
		return undefined
	}
	p := timeParser{rest: a[0].text, month: 1, day: 1, loc: time.UTC}
	for i, f := range parts {
		switch {
		case f.letter == 0 && (f.text == "[" || f.text == "]" || f.text == "{" || f.text == "}" || f.text == "#"):
			return r.fail("time_to_epoch(): %q is not available locally in a pattern", f.text)
		case f.letter == 0:
			rest, found := strings.CutPrefix(p.rest, f.text)
			if !found {
				return undefined
			}
			p.rest = rest
		case !strings.ContainsRune("uyMLdHhKkmsSaEVzxXZO", rune(f.letter)):
			return r.fail("time_to_epoch(): %q is not available locally in a pattern", strings.Repeat(string(f.letter), f.n))
		default:
			// A number that another follows at once has as many digits as letters.
			tight := i+1 < len(parts) && parts[i+1].letter != 0
			if !p.field(f, tight) {
				return undefined
			}
		}
	}
	if p.rest != "" {
		return undefined
	}
	return p.result()
}

type timeParser struct {
	rest                                 string
	year, month, day, hour, min, sec, ns int
	half                                 int // 1: the hour is of AM, 2: of PM
	clock12                              bool
	loc                                  *time.Location
}

func (p *timeParser) result() value {
	if p.clock12 {
		if p.hour %= 12; p.half == 2 {
			p.hour += 12
		}
	}
	t := time.Date(p.year, time.Month(p.month), p.day, p.hour, p.min, p.sec, p.ns, p.loc)
	if p.month < 1 || p.month > 12 || p.day < 1 || p.hour > 23 || p.min > 59 || p.sec > 59 || p.year > 9999 {
		return undefined
	}
	if last := time.Date(p.year, time.Month(p.month)+1, 0, 0, 0, 0, 0, time.UTC).Day(); p.day > last {
		return undefined
	}
	return integer(t.UnixMilli())
}

// number reads least to most digits.
func (p *timeParser) number(least, most int) (int, bool) {
	n := 0
	for n < len(p.rest) && n < most && digit(p.rest[n]) {
		n++
	}
	if n < least {
		return 0, false
	}
	x, err := strconv.Atoi(p.rest[:n])
	p.rest = p.rest[n:]
	return x, err == nil
}

// word takes one of the words, in full or as its first three letters.
func (p *timeParser) word(words []string, full bool) (int, bool) {
	for i, w := range words {
		if !full {
			w = w[:3]
		}
		if len(p.rest) >= len(w) && strings.EqualFold(p.rest[:len(w)], w) {
			p.rest = p.rest[len(w):]
			return i, true
		}
	}
	return 0, false
}

func monthNames() []string {
	var out []string
	for m := time.January; m <= time.December; m++ {
		out = append(out, m.String())
	}
	return out
}

func dayNames() []string {
	var out []string
	for d := time.Sunday; d <= time.Saturday; d++ {
		out = append(out, d.String())
	}
	return out
}

func (p *timeParser) field(f field, tight bool) (ok bool) {
	most := 2
	if tight || f.n == 2 {
		most = f.n
	}
	into := func(n *int) bool {
		*n, ok = p.number(f.n, max(most, f.n))
		return ok
	}
	switch f.letter {
	case 'u', 'y':
		if f.n == 2 {
			ok = into(&p.year)
			p.year += 2000
			return ok
		}
		p.year, ok = p.number(f.n, max(f.n, 4))
		return ok
	case 'M', 'L':
		if f.n < 3 {
			return into(&p.month)
		}
		i, ok := p.word(monthNames(), f.n == 4)
		p.month = i + 1
		return ok
	case 'd':
		return into(&p.day)
	case 'H', 'k':
		ok = into(&p.hour)
		if f.letter == 'k' {
			p.hour %= 24
		}
		return ok
	case 'h', 'K':
		p.clock12 = true
		return into(&p.hour)
	case 'm':
		return into(&p.min)
	case 's':
		return into(&p.sec)
	case 'S':
		if f.n > 9 {
			return false
		}
		p.ns, ok = p.number(f.n, f.n)
		for range 9 - f.n {
			p.ns *= 10
		}
		return ok
	case 'a':
		if len(p.rest) < 2 {
			return false
		}
		switch strings.ToUpper(p.rest[:2]) {
		case "AM":
			p.half = 1
		case "PM":
			p.half = 2
		}
		p.rest = p.rest[2:]
		return p.half > 0
	case 'E':
		_, ok = p.word(dayNames(), f.n == 4)
		return ok
	}
	return p.zone(f)
}

// zone reads a zone's name or offset, up to the next space.
func (p *timeParser) zone(f field) bool {
	end := strings.IndexAny(p.rest, " ]")
	if end < 0 {
		end = len(p.rest)
	}
	name := p.rest[:end]
	if f.letter == 'x' || f.letter == 'X' || f.letter == 'Z' {
		if f.letter == 'X' && strings.HasPrefix(name, "Z") {
			p.rest = p.rest[1:]
			return true
		}
		if name == "" || name[0] != '+' && name[0] != '-' {
			return false
		}
		seconds, n, ok := offset(name)
		p.loc, p.rest = time.FixedZone("", seconds), p.rest[n:]
		return ok
	}
	loc, ok := location(name)
	p.loc, p.rest = loc, p.rest[end:]
	return ok
}
