// Package settings reads all settings of a module into a TOML file, and sets a
// module as such a file has it.
//
// What the settings mean is in docs/at-commands.md; only what cannot be read, or
// is no setting, has no place here. It knows settings, not files or programs.
package settings

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/skep-sim/skep/internal/host/link"
)

// kind is what a setting's value is.
type kind byte

const (
	number kind = iota
	text
)

// setting is one that can be read and set.
type setting struct {
	name, meaning string
	kind          kind
}

// group is a heading in the file.
type group struct {
	title    string
	settings []setting
}

// groups are the settings of cellular modules (device-facts.md 10.2), in the order
// of the file. A module that does not have one is not asked to: 10.2 says which
// came when. Passwords (ATCU, ATCW, ATPN) cannot be read.
var groups = []group{
	{"serial port, command mode, Python", []setting{
		{"AP", "operating mode: 0 transparent, 1 API, 2 API escaped, 4 MicroPython, 5 bypass", number},
		{"PS", "start main.py or main.mpy at power-on", number},
		{"BD", "baud rate: 3 is 9600, 7 is 115200", number},
		{"NB", "parity", number}, {"SB", "stop bits", number}, {"GT", "guard time, ms", number},
		{"CT", "command mode timeout, 100 ms", number}, {"CC", "command character", number},
		{"RO", "packetisation timeout, characters", number}, {"FT", "flow control threshold, bytes", number},
		{"AO", "API options", number}, {"TD", "text delimiter", number},
	}},
	{"names", []setting{
		{"NI", "name of this node", text}, {"KP", "description", text}, {"KC", "contact", text}, {"KL", "location", text}, {"DD", "device type", number},
	}},
	{"modem", []setting{
		{"AN", "APN", text}, {"CP", "carrier profile", number}, {"N#", "network technology", number}, {"BM", "band mask", number}, {"AM", "airplane mode", number},
	}},
	{"connections", []setting{
		{"IP", "transport: 0 UDP, 1 TCP, 2 SMS, 4 TLS", number}, {"DL", "destination", text}, {"DE", "destination port", number}, {"C0", "source port", number},
		{"P#", "destination phone number", text}, {"TM", "idle timeout, 100 ms", number}, {"N1", "first DNS server", text}, {"N2", "second DNS server", text},
		{"NS", "DNS server", text}, {"TL", "TLS version", number}, {"$0", "TLS profile 0: ca;cert;key", text}, {"$1", "TLS profile 1", text}, {"$2", "TLS profile 2", text},
	}},
	{"Remote Manager", []setting{
		{"DO", "options", number}, {"MO", "stay connected, TLS", number}, {"DF", "poll interval, minutes", number}, {"K1", "server keep-alive, s", number},
		{"K2", "device keep-alive, s", number}, {"EQ", "host", text}, {"$D", "CA file", text},
	}},
	{"sleep and pins", []setting{
		{"SM", "sleep mode", number}, {"SP", "sleep period, 10 ms", number}, {"ST", "wake time, ms", number}, {"SO", "sleep options", number},
		{"IR", "sample interval, ms", number}, {"PR", "pull resistors", number}, {"PD", "their direction", number},
		{"D0", "", number}, {"D1", "", number}, {"D2", "", number}, {"D3", "", number}, {"D4", "", number}, {"D5", "", number}, {"D6", "", number},
		{"D7", "", number}, {"D8", "", number}, {"D9", "", number}, {"P0", "", number}, {"P1", "", number}, {"P2", "", number}, {"P3", "", number}, {"P4", "", number},
	}},
	{"Bluetooth", []setting{{"BT", "Bluetooth on", number}, {"BI", "its name", text}}},
}

// Export reads every setting that the module has, as the text of a file.
func Export(s *link.Session, progress func(done, total int)) ([]byte, error) {
	var b strings.Builder
	firmware, err := s.Query("VR")
	if err != nil {
		return nil, err
	}
	hardware, err := s.Query("HV")
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&b, "# Settings of an XBee, read by skep at --export. Numbers are as the module has them,\n# hexadecimal. The user, password and PIN of the SIM (ATCU, ATCW, ATPN) cannot be read.\n\n")
	fmt.Fprintf(&b, "[module]\nfirmware = %q\nhardware = %q\n\n[settings]\n", firmware, hardware)
	total, n := 0, 0
	for _, g := range groups {
		total += len(g.settings)
	}
	for _, g := range groups {
		fmt.Fprintf(&b, "\n# %s\n", g.title)
		for _, c := range g.settings {
			n++
			if progress != nil {
				progress(n, total)
			}
			value, err := s.Query(c.name)
			var refused *link.CommandError
			if errors.As(err, &refused) {
				continue // this firmware has none
			}
			if err != nil {
				return nil, err
			}
			b.WriteString(entry(c, value))
		}
	}
	return []byte(b.String()), nil
}

// entry is a setting's line.
func entry(c setting, value string) string {
	key := c.name
	if strings.ContainsAny(key, "#$") {
		key = strconv.Quote(key)
	}
	shown := strconv.Quote(value)
	if n, err := strconv.ParseUint(value, 16, 64); c.kind == number && err == nil && n <= math.MaxInt64 {
		shown = fmt.Sprintf("0x%X", n)
	}
	line := key + " = " + shown
	if c.meaning != "" {
		line += " # " + c.meaning
	}
	return line + "\n"
}

// File is what Export writes.
type File struct {
	Module struct {
		Firmware string `toml:"firmware"`
		Hardware string `toml:"hardware"`
	} `toml:"module"`
	Settings map[string]any `toml:"settings"`
}

// Change is a setting that differs.
type Change struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`

	kind kind
}

// Read reads a file's text.
func Read(name string, data []byte) (*File, error) {
	var f File
	d := toml.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		var de *toml.DecodeError
		var unknown *toml.StrictMissingError
		if !errors.As(err, &unknown) && errors.As(err, &de) {
			line, column := de.Position()
			return nil, fmt.Errorf("%s:%d:%d: %s", name, line, column, strings.TrimPrefix(de.Error(), "toml: "))
		}
		return nil, fmt.Errorf("%s: only [module] (firmware, hardware) and [settings] belong there, as skep at --export writes them", name)
	}
	for key, value := range f.Settings {
		c, ok := find(key)
		if !ok {
			return nil, fmt.Errorf("%s: %s is no setting that skep knows: remove it, or set it with skep at %s=VALUE", name, key, key)
		}
		if _, err := wanted(c, value); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return &f, nil
}

func find(name string) (setting, bool) {
	for _, g := range groups {
		for _, c := range g.settings {
			if strings.EqualFold(c.name, name) {
				return c, true
			}
		}
	}
	return setting{}, false
}

// wanted is a value as it is typed in command mode.
func wanted(c setting, value any) (string, error) {
	switch v := value.(type) {
	case int64:
		if c.kind == number && v >= 0 {
			return strconv.FormatInt(v, 16), nil
		}
	case string:
		if c.kind == number {
			n, err := strconv.ParseUint(v, 16, 64)
			if err == nil {
				return strconv.FormatUint(n, 16), nil
			}
			break
		}
		if strings.ContainsAny(v, ",\r\n") {
			return "", fmt.Errorf("%s = %q: command mode cannot be told a comma or the end of a line", c.name, v)
		}
		return v, nil
	}
	what := "a number, 0x1F say"
	if c.kind == text {
		what = "a text in quotes"
	}
	return "", fmt.Errorf("%s = %v: this setting is %s", c.name, value, what)
}

// Compare lists what a module has otherwise than the file, in the file's order of
// groups.
func Compare(s *link.Session, f *File) ([]Change, error) {
	var list []Change
	for _, g := range groups {
		for _, c := range g.settings {
			value, ok := f.Settings[c.name]
			if !ok {
				continue
			}
			want, err := wanted(c, value)
			if err != nil {
				return nil, err
			}
			have, err := s.Query(c.name)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			if !same(c, have, want) {
				list = append(list, Change{c.name, have, strings.ToUpper(want), c.kind})
				if c.kind == text {
					list[len(list)-1].New = want
				}
			}
		}
	}
	return list, nil
}

func same(c setting, have, want string) bool {
	if c.kind == text {
		return have == want
	}
	a, err1 := strconv.ParseUint(have, 16, 64)
	b, err2 := strconv.ParseUint(want, 16, 64)
	return err1 == nil && err2 == nil && a == b
}

// last are the settings that change how the module is spoken to: they are set when
// everything else is.
var last = []string{"CC", "GT", "CT", "NB", "SB", "BD", "AP"}

// Apply sets what differs, and makes sure of it. It counts when command mode is
// left; save keeps it for ever.
func Apply(s *link.Session, changes []Change, save bool) error {
	changes = slices.Clone(changes)
	slices.SortStableFunc(changes, func(a, b Change) int { return slices.Index(last, a.Name) - slices.Index(last, b.Name) })
	var blank []string
	for _, c := range changes {
		if strings.TrimSpace(c.New) == "" { // ATNI and a space reads the name
			blank = append(blank, c.Name)
			continue
		}
		if err := s.Do(c.Name + c.New); err != nil {
			return err
		}
		now, err := s.Query(c.Name)
		if err != nil {
			return err
		}
		if !same(setting{name: c.Name, kind: c.kind}, now, c.New) {
			return fmt.Errorf("AT%s stays %q: the module takes %q and does not keep it", c.Name, now, c.New)
		}
	}
	if save {
		if err := s.Do("WR"); err != nil {
			return err
		}
	}
	if len(blank) > 0 {
		return fmt.Errorf("%s cannot be emptied in command mode, and stays as it is; everything else is set. ATRE puts every setting back to what a module comes with", strings.Join(blank, ", "))
	}
	return nil
}
