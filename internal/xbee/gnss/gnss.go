// Package gnss is the satellite receiver of the models that have one: it plays a
// track of NMEA 0183 sentences, one group a second, as a receiver that moves
// along it would send them. Without a track it hears no satellite.
//
// It has no radio and no clock: the time is what the caller says. Python's
// digi.gnss is package pymod's.
package gnss

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Interval is how often a group of sentences comes, and FirstFix how long after
// it is asked for one the receiver knows where it is, if it can know (a choice:
// Digi says "nearly a minute" of a cold start).
const (
	Interval = time.Second
	FirstFix = 10 * time.Second
)

// Receiver is one receiver. It serves the goroutine that runs the device.
type Receiver struct {
	groups [][]string
	began  time.Duration
}

// Fix is a place.
type Fix struct {
	Latitude, Longitude float64 // degrees, north and east positive
	Altitude            float64 // metres above the sea
	Satellites          int
}

// SetTrack makes the receiver play a track from now, again and again: lines of
// NMEA sentences, of which those up to the next of the type that came first make
// one group. Empty lines and lines beginning with # do not count. An empty track
// is none.
func (r *Receiver) SetTrack(text string, now time.Duration) error {
	var groups [][]string
	var first string
	n := 0
	for line := range strings.Lines(text) {
		n++
		s := strings.TrimSpace(line)
		if s == "" || s[0] == '#' {
			continue
		}
		s, err := check(s)
		if err != nil {
			return fmt.Errorf("track, line %d: %w", n, err)
		}
		kind := s[3:6]
		if first == "" {
			first = kind
		}
		if kind == first {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], s)
	}
	r.groups, r.began = groups, now
	return nil
}

// check wants a sentence to be one, and adds the checksum if there is none.
func check(s string) (string, error) {
	body, sum, has := strings.Cut(strings.TrimPrefix(s, "$"), "*")
	if !strings.HasPrefix(s, "$") || len(body) < 6 || strings.IndexFunc(body, func(c rune) bool { return c < ' ' || c > '~' }) >= 0 {
		return "", fmt.Errorf("%q is no NMEA sentence: it begins with $ and the five letters of its type, such as $GPGGA", s)
	}
	want := checksum(body)
	if has && !strings.EqualFold(sum, want) {
		return "", fmt.Errorf("%q has the wrong checksum: it should end in *%s", s, want)
	}
	return "$" + body + "*" + want, nil
}

func checksum(body string) string {
	sum := byte(0)
	for i := range len(body) {
		sum ^= body[i]
	}
	return fmt.Sprintf("%02X", sum)
}

// silence is what a receiver says that hears nothing.
func silence() []string {
	var all []string
	for _, s := range []string{"$GNGGA,,,,,,0,00,99.99,,,,,,", "$GNRMC,,V,,,,,,,,,,N"} {
		line, err := check(s)
		if err != nil {
			panic("gnss: " + err.Error())
		}
		all = append(all, line)
	}
	return all
}

// At are the sentences of the moment, each without its line end.
func (r *Receiver) At(now time.Duration) []string {
	if len(r.groups) == 0 {
		return silence()
	}
	return r.groups[int(max(0, now-r.began)/Interval)%len(r.groups)]
}

// Fix is where the receiver is; false if it does not know.
func (r *Receiver) Fix(now time.Duration) (Fix, bool) {
	for _, s := range r.At(now) {
		if f, ok := parseGGA(s); ok {
			return f, true
		}
	}
	return Fix{}, false
}

// parseGGA reads the place of a GGA sentence that has one.
func parseGGA(s string) (f Fix, ok bool) {
	body, _, _ := strings.Cut(s, "*")
	p := strings.Split(body, ",")
	if len(p) < 10 || !strings.HasSuffix(p[0], "GGA") || p[6] == "" || p[6] == "0" {
		return f, false
	}
	var good [4]bool
	f.Latitude, good[0] = degrees(p[2], 2, p[3] == "S")
	f.Longitude, good[1] = degrees(p[4], 3, p[5] == "W")
	var err error
	f.Satellites, err = strconv.Atoi(p[7])
	good[2] = err == nil
	f.Altitude, err = strconv.ParseFloat(p[9], 64)
	good[3] = err == nil
	return f, good == [4]bool{true, true, true, true}
}

// degrees reads ddmm.mmmm, with n digits of degrees.
func degrees(s string, n int, negative bool) (float64, bool) {
	if len(s) <= n {
		return 0, false
	}
	d, err := strconv.ParseUint(s[:n], 10, 16)
	m, err2 := strconv.ParseFloat(s[n:], 64)
	v := float64(d) + m/60
	if negative {
		v = -v
	}
	return v, err == nil && err2 == nil && m >= 0 && m < 60
}
