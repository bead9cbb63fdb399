package profile

import (
	"fmt"
	"reflect"
	"regexp"
)

// Keys lists the keys of the facts, in the order of [Profile].
func Keys() []string {
	var keys []string
	t := reflect.TypeFor[Profile]()
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("key"); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// Stated is one fact as text, for people.
type Stated struct {
	Key        string     `json:"key"`
	Value      string     `json:"value"`
	Confidence Confidence `json:"confidence"`
	Source     string     `json:"source"`
	Profile    string     `json:"profile"` // whose file states it
}

// Facts lists what a profile states, in the order of [Keys].
func (p Profile) Facts() []Stated {
	var all []Stated
	v := reflect.ValueOf(p)
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("key")
		if key == "" {
			continue
		}
		f := v.Field(i)
		all = append(all, Stated{
			Key: key, Value: textOf(f.FieldByName("Value")),
			Confidence: Confidence(f.FieldByName("Confidence").String()),
			Source:     f.FieldByName("Source").String(), Profile: f.FieldByName("Profile").String(),
		})
	}
	return all
}

// textOf is a value as a file has it, without quotes.
func textOf(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case Version:
		return fmt.Sprintf("%d.%d.%d", x[0], x[1], x[2])
	case uint32:
		return fmt.Sprintf("0x%X", x)
	default:
		return fmt.Sprint(x)
	}
}

// A limit is what the value of a fact must be.
type limit struct {
	holds func(v reflect.Value) bool
	want  string
}

// between limits a whole number.
func between(low, high int64) limit {
	return limit{
		func(v reflect.Value) bool { return low <= v.Int() && v.Int() <= high },
		fmt.Sprintf("give a number from %d to %d", low, high),
	}
}

// oneOf limits a string.
func oneOf[T ~string](values ...T) limit {
	var words []string
	for _, s := range values {
		words = append(words, fmt.Sprintf("%q", string(s)))
	}
	return limit{
		func(v reflect.Value) bool {
			for _, s := range values {
				if v.String() == string(s) {
					return true
				}
			}
			return false
		},
		"use " + list(words),
	}
}

var languageVersion = regexp.MustCompile(`^\d{1,3}\.\d{1,3}\.\d{1,3}$`)

var errnos = between(7001, 7999)

// limits are what Skep can simulate.
var limits = map[string]limit{
	"micropython": {
		func(v reflect.Value) bool {
			x := v.Interface().(Version)
			return x[0] == 1 && (x[1] == 11 || x[1] == 12)
		},
		"Skep has the rules of MicroPython 1.11 and 1.12: write [1, 11, 0] or [1, 12, 0]",
	},
	"error_messages": oneOf(Terse, Normal, Detailed),
	"mpy_version":    between(4, 5),
	"sys_version": {
		func(v reflect.Value) bool { return languageVersion.MatchString(v.String()) },
		`write the version of Python as three numbers, such as "3.4.0"`,
	},
	"small_int_bits":  {func(v reflect.Value) bool { return v.Int() == 31 }, "a module with 32-bit words has 31, and Skep has no other"},
	"unicode":         {func(v reflect.Value) bool { return !v.Bool() }, "Skep's interpreter has strings of bytes, as the module has: write false"},
	"qstr_hash_bytes": between(1, 2),
	"heap_bytes":      between(1<<10, 1<<26),
	"stack_limit":     between(512, 1<<20),
	"import_blocks":   between(-1, 64),
	"bundle_bytes":    between(1<<10, 1<<24),
	"bundle_qstrs":    between(1, 1<<16-1),
	"tls_errno":       errnos,
	"refused_errno":   errnos,
	"no_host_errno":   errnos,
	"ats":             oneOf(ATSRequired, ATSRefused, ATSFree),
	"server_name_max": between(0, 255),
	"sockets":         between(1, 64),
	"tcp_sockets":     between(0, 64),
	"udp_sockets":     between(0, 64),
	"tls_sockets":     between(0, 64),
	"dial_seconds":    between(1, 3600),
	"usb_power_fails": oneOf(USBBreaksTLS, USBBreaksSerial, USBBreaksNothing),
}

// check wants the facts to agree with each other.
func (r *reader) check(p Profile) error {
	if want := p.MicroPython.Value[1] - 7; p.MpyVersion.Value != want {
		return r.errorf(max(r.lines["mpy_version"], r.lines["micropython"]),
			"mpy_version is %d, and MicroPython 1.%d loads .mpy files of version %d: state both", p.MpyVersion.Value, p.MicroPython.Value[1], want)
	}
	return nil
}

// example is a line of a file.
func example(key string) string {
	switch key {
	case keyModel:
		return `model = "ltem"`
	case keyFirmware:
		return `firmware = "11413"`
	}
	return key + ` = { value = ..., confidence = "observed", source = "..." }`
}

// closest suggests the known key that a mistyped one is nearest to.
func closest(key string, known []string) string {
	best, distance := "", len(key)/2+1
	for _, k := range known {
		if d := editDistance(key, k); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ": see the keys with skep profile show " + defaults[0]
	}
	return fmt.Sprintf(": do you mean %q?", best)
}

// editDistance is how many characters have to be put in, left out or changed to
// get from a to b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
