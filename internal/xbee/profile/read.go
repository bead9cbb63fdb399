package profile

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Error is a mistake in a profile's file. It says where it is and what to do.
type Error struct {
	File string
	Line int // from 1; 0 if it is about the file as a whole
	Text string
}

// Error is the file, the line and the text.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Text
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
}

// Read makes a profile of a file's content. Its name is the file's, without
// directories and .toml. A file that names a base inherits every fact it does not
// state; base looks such a profile up, and is nil where there are none.
//
// Reading is strict: an unknown key, a fact without confidence or source, a
// value of the wrong type or outside its range, or (without a base) a missing
// fact is an error. All mistakes in this file are found, each an *Error, and
// joined in the order of their lines.
func Read(file string, text []byte, base func(name string) (Profile, error)) (Profile, error) {
	r := reader{file: file, keys: map[string]any{}, lines: map[string]int{}}
	if err := toml.Unmarshal(text, &r.keys); err != nil {
		var de *toml.DecodeError
		if errors.As(err, &de) {
			line, _ := de.Position()
			return Profile{}, r.errorf(line, "%s", strings.TrimPrefix(de.Error(), "toml: "))
		}
		return Profile{}, r.errorf(0, "%v", err)
	}
	r.findLines(text)
	return r.profile(nameOf(file), base)
}

// A reader goes through one file.
type reader struct {
	file  string
	keys  map[string]any
	lines map[string]int // of "key" and "key.source"
}

func (r *reader) errorf(line int, format string, args ...any) error {
	return &Error{r.file, line, fmt.Sprintf(format, args...)}
}

// findLines notes where each key is.
func (r *reader) findLines(text []byte) {
	var p unstable.Parser
	p.Reset(text)
	var note func(prefix string, n *unstable.Node)
	note = func(prefix string, n *unstable.Node) {
		path := prefix
		for it := n.Key(); it.Next(); {
			k := it.Node()
			path += "." + string(k.Data)
			if r.lines[path[1:]] == 0 {
				r.lines[path[1:]] = p.Shape(k.Raw).Start.Line
			}
		}
		if v := n.Value(); v.Kind == unstable.InlineTable {
			for it := v.Children(); it.Next(); {
				note(path, it.Node())
			}
		}
	}
	table := ""
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = ""
			for it := e.Key(); it.Next(); {
				table += "." + string(it.Node().Data)
				r.lines[table[1:]] = p.Shape(it.Node().Raw).Start.Line
			}
		case unstable.KeyValue:
			note(table, e)
		}
	}
}

// The keys that are no facts.
const (
	keyBase     = "base"
	keyModel    = "model"
	keyFirmware = "firmware"
)

func (r *reader) profile(name string, base func(string) (Profile, error)) (p Profile, err error) {
	inherits := r.keys[keyBase] != nil
	if inherits {
		if p, err = r.inherit(name, base); err != nil {
			return Profile{}, err
		}
	}
	p.Name = name
	var missing []string
	mistakes := append(r.unknownKeys(), r.identity(&p, inherits)...)
	v := reflect.ValueOf(&p).Elem()
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("key")
		switch stated, ok := r.keys[key]; {
		case key == "":
		case ok:
			if err := r.fact(name, key, stated, v.Field(i)); err != nil {
				mistakes = append(mistakes, err)
			}
		case !inherits:
			missing = append(missing, key)
		}
	}
	if mistakes == nil && missing == nil {
		if err := r.check(p); err != nil {
			return Profile{}, err
		}
		return p, nil
	}
	slices.SortStableFunc(mistakes, func(a, b error) int { return a.(*Error).Line - b.(*Error).Line })
	if missing != nil {
		mistakes = append(mistakes, r.errorf(0, "not stated: %s; add lines such as %s, or name a profile to inherit from, such as base = %q",
			strings.Join(missing, ", "), example(missing[0]), defaults[0]))
	}
	return Profile{}, errors.Join(mistakes...)
}

// unknownKeys finds keys that mean nothing.
func (r *reader) unknownKeys() (mistakes []error) {
	known := append([]string{keyBase, keyModel, keyFirmware}, Keys()...)
	for _, key := range slices.Sorted(maps.Keys(r.keys)) {
		if !slices.Contains(known, key) {
			mistakes = append(mistakes, r.errorf(r.lines[key], "unknown key %q%s", key, closest(key, known)))
		}
	}
	return mistakes
}

// inherit starts with the facts of the base.
func (r *reader) inherit(name string, find func(string) (Profile, error)) (Profile, error) {
	s, ok := r.keys[keyBase].(string)
	if !ok || s == "" {
		return Profile{}, r.errorf(r.lines[keyBase], "base: write the name of a profile, such as %q", defaults[0])
	}
	if s == name {
		return Profile{}, r.errorf(r.lines[keyBase], "the base %q is this profile itself: name another, such as %q", s, defaults[0])
	}
	if find == nil {
		return Profile{}, r.errorf(r.lines[keyBase], "there is no profile %q to inherit from", s)
	}
	p, err := find(s)
	if err != nil {
		return p, r.errorf(r.lines[keyBase], "base: %v", err)
	}
	return p, nil
}

// identity reads what a profile is of. What is not stated is the base's.
func (r *reader) identity(p *Profile, inherits bool) (mistakes []error) {
	mistake := func(line int, format string, args ...any) {
		mistakes = append(mistakes, r.errorf(line, format, args...))
	}
	for _, key := range []string{keyModel, keyFirmware} {
		stated, ok := r.keys[key]
		if !ok {
			if !inherits {
				mistake(1, "there is no %s: add a line such as %s", key, example(key))
			}
			continue
		}
		s, ok := stated.(string)
		if !ok {
			mistake(r.lines[key], "%s is %s: write a string, as in %s", key, kindOf(stated), example(key))
			continue
		}
		if key == keyModel {
			if p.Model = Model(s); p.Model != LTEM && p.Model != Cat1 {
				mistake(r.lines[key], "unknown model %q: use %q or %q", s, LTEM, Cat1)
			}
			continue
		}
		n, err := parseFirmware(s)
		if err != nil {
			mistake(r.lines[key], "%v", err)
			continue
		}
		p.Firmware = n
	}
	return mistakes
}

// fact reads one fact into the field f of a profile.
func (r *reader) fact(name, key string, stated any, f reflect.Value) error {
	parts, ok := stated.(map[string]any)
	if !ok {
		return r.errorf(r.lines[key], "%s is %s: state it with its source, as %s", key, kindOf(stated), example(key))
	}
	for part := range parts {
		if part != "value" && part != "confidence" && part != "source" {
			return r.errorf(r.lines[key+"."+part], "%s has the unknown key %q: a fact has value, confidence and source", key, part)
		}
	}
	for _, part := range []string{"value", "confidence", "source"} {
		if parts[part] == nil {
			return r.errorf(r.lines[key], "%s has no %s: %s", key, part, wanted[part])
		}
	}
	value := f.FieldByName("Value")
	if err := assign(value, parts["value"]); err != nil {
		return r.errorf(r.lines[key+".value"], "%s: %v", key, err)
	}
	if c, ok := limits[key]; ok && !c.holds(value) {
		return r.errorf(r.lines[key+".value"], "%s = %v: %s", key, textOf(value), c.want)
	}
	confidence, ok := parts["confidence"].(string)
	if !ok || !slices.Contains(grades[:], Confidence(confidence)) {
		return r.errorf(r.lines[key+".confidence"], "%s: confidence %v: %s", key, quoted(parts["confidence"]), wanted["confidence"])
	}
	source, ok := parts["source"].(string)
	if !ok || strings.TrimSpace(source) == "" {
		return r.errorf(r.lines[key+".source"], "%s: source %v: %s", key, quoted(parts["source"]), wanted["source"])
	}
	f.FieldByName("Confidence").SetString(confidence)
	f.FieldByName("Source").SetString(source)
	f.FieldByName("Profile").SetString(name)
	return nil
}

var grades = [...]Confidence{Documented, Observed, Inferred, Calibrated, Chosen}

// wanted says what each part of a fact is to be.
var wanted = map[string]string{
	"value":      "every fact states one",
	"confidence": `write how sure it is: "documented", "observed", "inferred", "calibrated" or "chosen"`,
	"source":     "write where it is known from, or why it was chosen",
}

// assign puts a value of a file into a field.
func assign(field reflect.Value, stated any) error {
	wrong := func(want string) error { return fmt.Errorf("the value is %s: write %s", kindOf(stated), want) }
	switch field.Interface().(type) {
	case Version:
		list, ok := stated.([]any)
		if !ok || len(list) != 3 {
			return wrong("a release of MicroPython as three numbers, such as [1, 11, 0]")
		}
		for i, n := range list {
			n, ok := n.(int64)
			if !ok || n < 0 || n > 999 {
				return wrong("a release of MicroPython as three numbers, such as [1, 11, 0]")
			}
			field.Index(i).SetInt(n)
		}
		return nil
	}
	switch field.Kind() {
	case reflect.String:
		s, ok := stated.(string)
		if !ok {
			return wrong("a string")
		}
		if strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' }) {
			return fmt.Errorf("the value %q has characters other than printable ASCII: write it without", s)
		}
		field.SetString(s)
	case reflect.Bool:
		b, ok := stated.(bool)
		if !ok {
			return wrong("true or false")
		}
		field.SetBool(b)
	case reflect.Uint32:
		n, ok := stated.(int64)
		if !ok || n < 0 || n > math.MaxUint32 {
			return wrong("a number from 0 to 0xFFFFFFFF")
		}
		field.SetUint(uint64(n))
	default:
		n, ok := stated.(int64)
		if !ok || n < math.MinInt32 || n > math.MaxInt32 {
			return wrong("a whole number from -2147483648 to 2147483647")
		}
		field.SetInt(n)
	}
	return nil
}

// kindOf names what a file has in a place.
func kindOf(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("the string %q", v)
	case bool:
		return fmt.Sprint(v)
	case int64, float64:
		return fmt.Sprint("the number ", v)
	case []any:
		return fmt.Sprintf("an array of %d", len(v))
	case map[string]any:
		return "a table"
	}
	return fmt.Sprint(v)
}

func quoted(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return kindOf(v)
}
