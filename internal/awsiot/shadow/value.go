package shadow

import (
	"bytes"
	"maps"
	"strconv"
)

// kind is the type of a JSON value.
type kind uint8

const (
	kindNull kind = iota
	kindScalar
	kindArray
	kindObject
)

// value is a JSON value. Object members keep their order. A value is not changed after it has
// been made: an update builds new objects along the paths it touches and shares the rest.
type value struct {
	kind kind
	// text is a scalar's JSON text, exactly as it was received.
	text string
	// keys are an object's member names as JSON text, quotes included, in a normal form (see
	// parser.str), so that equal names have equal text.
	keys  []string
	elems []*value
	index map[string]int // of a large object: where a key is in keys
	// at is when a leaf was last written, seconds since 1970. Objects and arrays have none of
	// their own.
	at int64
}

// indexFrom is how many members make looking through them slow.
const indexFrom = 16

func (v *value) find(key string) (int, bool) {
	if v.index != nil {
		i, ok := v.index[key]
		return i, ok
	}
	for i, k := range v.keys {
		if k == key {
			return i, true
		}
	}
	return 0, false
}

func (v *value) get(key string) *value {
	if i, ok := v.find(key); ok {
		return v.elems[i]
	}
	return nil
}

// set gives an object with key replaced, added, or, with nil, removed. It changes v.
func (v *value) set(key string, e *value) {
	i, ok := v.find(key)
	switch {
	case ok && e != nil:
		v.elems[i] = e
	case ok:
		v.keys = append(v.keys[:i], v.keys[i+1:]...)
		v.elems = append(v.elems[:i], v.elems[i+1:]...)
		v.number()
	case e != nil:
		v.keys = append(v.keys, key)
		v.elems = append(v.elems, e)
		if v.index != nil {
			v.index[key] = len(v.keys) - 1
		} else if len(v.keys) > indexFrom {
			v.number()
		}
	}
}

// number makes the index of a large object anew.
func (v *value) number() {
	v.index = nil
	if len(v.keys) <= indexFrom {
		return
	}
	v.index = make(map[string]int, len(v.keys)+1)
	for i, k := range v.keys {
		v.index[k] = i
	}
}

// clone copies the object itself but shares its members.
func (v *value) clone() *value {
	c := *v
	c.keys = append([]string(nil), v.keys...)
	c.elems = append([]*value(nil), v.elems...)
	c.index = maps.Clone(v.index)
	return &c
}

// empty says that there is nothing to show: no value, or an object without members.
func (v *value) empty() bool { return v == nil || v.kind == kindObject && len(v.keys) == 0 }

// appendJSON writes the value's state.
func (v *value) appendJSON(b []byte) []byte {
	switch v.kind {
	case kindNull:
		return append(b, "null"...)
	case kindScalar:
		return append(b, v.text...)
	case kindArray:
		b = append(b, '[')
		for i, e := range v.elems {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.appendJSON(b)
		}
		return append(b, ']')
	default:
		b = append(b, '{')
		for i, e := range v.elems {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(b, v.keys[i]...), ':')
			b = e.appendJSON(b)
		}
		return append(b, '}')
	}
}

// measure gives the bytes that appendJSON writes and the number of leaves.
func (v *value) measure() (size, leaves int) {
	switch v.kind {
	case kindNull:
		return len("null"), 0
	case kindScalar:
		return len(v.text), 1
	}
	size = len("{}") + max(len(v.elems)-1, 0)
	for _, k := range v.keys {
		size += len(k) + len(":")
	}
	for _, e := range v.elems {
		n, l := e.measure()
		size, leaves = size+n, leaves+l
	}
	return size, leaves
}

// appendMeta writes the value's metadata: the same shape with {"timestamp":seconds} for each
// leaf. Members that are null (of a request) have none.
func (v *value) appendMeta(b []byte) []byte {
	switch v.kind {
	case kindArray:
		b = append(b, '[')
		for i, e := range v.elems {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.appendMeta(b)
		}
		return append(b, ']')
	case kindObject:
		b = append(b, '{')
		first := true
		for i, e := range v.elems {
			if e.kind == kindNull {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			first = false
			b = append(append(b, v.keys[i]...), ':')
			b = e.appendMeta(b)
		}
		return append(b, '}')
	default:
		b = append(b, `{"timestamp":`...)
		return append(strconv.AppendInt(b, v.at, 10), '}')
	}
}

// stamp sets the time of every leaf below and at v. Only for values nobody else holds yet.
func (v *value) stamp(at int64) {
	v.at = at
	for _, e := range v.elems {
		e.stamp(at)
	}
}

// equal compares states, not times. Members may stand in any order. Numbers are compared by
// value: a device that reports 20.0 for a desired 20 has done what was asked.
func equal(a, b *value) bool {
	if a.kind != b.kind || len(a.elems) != len(b.elems) {
		return false
	}
	switch a.kind {
	case kindScalar:
		return a.text == b.text || sameNumber(a.text, b.text)
	case kindArray:
		for i := range a.elems {
			if !equal(a.elems[i], b.elems[i]) {
				return false
			}
		}
	case kindObject:
		for i, k := range a.keys {
			other := b.get(k)
			if other == nil || !equal(a.elems[i], other) {
				return false
			}
		}
	}
	return true
}

// sameNumber compares two JSON number texts by value, exactly and at the cost of their length,
// whatever their exponents are.
func sameNumber(a, b string) bool {
	da, ea, na, ok := decimal(a)
	if !ok {
		return false
	}
	db, eb, nb, ok := decimal(b)
	return ok && na == nb && ea == eb && bytes.Equal(da, db)
}

// decimal takes a number text apart into significant digits without leading or trailing zeros,
// the exponent of the last of them, and the sign. Zero has no digits.
func decimal(s string) (digits []byte, exp int64, negative, ok bool) {
	if s == "" || s[0] != '-' && (s[0] < '0' || s[0] > '9') {
		return nil, 0, false, false
	}
	if s[0] == '-' {
		negative, s = true, s[1:]
	}
	fraction := false
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '.':
			fraction = true
		case c == 'e' || c == 'E':
			e, err := strconv.ParseInt(s[i+1:], 10, 32)
			if err != nil {
				return nil, 0, false, false
			}
			return trim(digits, exp+e, negative)
		default:
			digits = append(digits, c)
			if fraction {
				exp--
			}
		}
	}
	return trim(digits, exp, negative)
}

func trim(digits []byte, exp int64, negative bool) ([]byte, int64, bool, bool) {
	digits = bytes.TrimLeft(digits, "0")
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
		exp++
	}
	if len(digits) == 0 {
		return nil, 0, false, true
	}
	return digits, exp, negative, true
}

// depth is how many levels of names and array positions lie below v.
func (v *value) depth() int {
	d := 0
	for _, e := range v.elems {
		d = max(d, 1+e.depth())
	}
	return d
}
