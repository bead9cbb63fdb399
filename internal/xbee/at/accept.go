package at

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// accept checks a value for a setting and gives it the setting's kind. Python
// may give a number as an int, as big-endian bytes or as text of hexadecimal
// digits; text as str or bytes; bytes as either. The rest is ErrValue.
func (reg *Register) accept(v Value) (Value, error) {
	switch {
	case v.kind == reg.Kind:
	case reg.Kind == Number && v.kind == Text:
		n, ok := parseHex(v.bytes)
		if !ok {
			return Value{}, reg.bad(v)
		}
		v = Int(n)
	case reg.Kind == Number && v.kind == Bytes:
		n, ok := decode(v.bytes)
		if !ok {
			return Value{}, reg.bad(v)
		}
		v = Int(n)
	case reg.Kind == Text && v.kind == Bytes:
		v = Str(v.bytes)
	case reg.Kind == Bytes && v.kind == Text:
		v = Raw([]byte(v.bytes))
	default:
		return Value{}, reg.bad(v)
	}
	switch n := uint64(len(v.bytes)); reg.Kind {
	case Number:
		listed := reg.Allowed == nil || slices.Contains(reg.Allowed, v.num) || reg.Beyond > 0 && v.num >= reg.Beyond
		if v.num < reg.Min || v.num > reg.Max || !listed {
			return Value{}, reg.bad(v)
		}
	case Text:
		if n > reg.Max || strings.IndexFunc(v.bytes, func(c rune) bool { return c < ' ' || c > '~' }) >= 0 {
			return Value{}, reg.bad(v)
		}
	case Bytes:
		if n != reg.Max {
			return Value{}, reg.bad(v)
		}
	}
	return v, nil
}

// argument gives what an order is given the kind that the order takes. Without an
// argument it is the zero Value.
func (reg *Register) argument(v Value) (Value, error) {
	wrong := fmt.Errorf("%s: %w %q: ", reg.Name, ErrValue, v.String())
	switch {
	case v.kind == None, v.kind == reg.Arg:
		return v, nil
	case reg.Arg == None:
		return Value{}, fmt.Errorf("%wit takes none", wrong)
	case reg.Arg == Number && v.kind == Text:
		if n, ok := parseHex(v.bytes); ok {
			return Int(n), nil
		}
	case reg.Arg == Number && v.kind == Bytes:
		if n, ok := decode(v.bytes); ok {
			return Int(n), nil
		}
	case reg.Arg == Text && v.kind == Bytes:
		return Str(v.bytes), nil
	}
	if reg.Arg == Number {
		return Value{}, fmt.Errorf("%wit takes a number in hexadecimal digits", wrong)
	}
	return Value{}, fmt.Errorf("%wit takes text", wrong)
}

func (reg *Register) bad(v Value) error {
	return fmt.Errorf("%s: %w %q: it takes %s", reg.Name, ErrValue, v.String(), reg.wanted())
}

// wanted says what a setting takes.
func (reg *Register) wanted() string {
	switch {
	case reg.Allowed != nil:
		list := make([]string, len(reg.Allowed))
		for i, n := range reg.Allowed {
			list[i] = Int(n).String()
		}
		want := "one of " + strings.Join(list, " ")
		if reg.Beyond > 0 {
			want += fmt.Sprintf(", or a number from %X to %X", reg.Beyond, reg.Max)
		}
		return want
	case reg.Kind == Number:
		return fmt.Sprintf("a number from %X to %X", reg.Min, reg.Max)
	case reg.Kind == Text:
		return fmt.Sprintf("text of up to %d printable characters", reg.Max)
	}
	return fmt.Sprintf("%d bytes", reg.Max)
}

// parse reads the parameter of a setting in command mode.
func (reg *Register) parse(param string) (Value, error) {
	if reg.Kind != Bytes {
		return Str(param), nil // accept makes a number of it
	}
	param = strings.TrimSpace(param)
	if len(param) > 2 && strings.EqualFold(param[:2], "0x") {
		param = param[2:]
	}
	// Leading zeros may be left out.
	if n := int(2 * reg.Max); len(param) < n {
		param = strings.Repeat("0", n-len(param)) + param
	}
	b, err := hex.DecodeString(param)
	if err != nil {
		return Value{}, reg.bad(Str(param))
	}
	return Raw(b), nil
}

// savedHead begins what WR saves; the number changes with the form.
const savedHead = "AT settings 1\n"

// marshal is what WR saves: a line for each setting that is not at its
// default.
func (r *Registers) marshal() []byte {
	b := []byte(savedHead)
	for i, reg := range r.table {
		if v := r.get(r.set, i); reg.Access.isSetting() && v != reg.Default {
			b = append(b, reg.Name...)
			b = append(b, ' ')
			if reg.Kind == Number {
				b = strconv.AppendUint(b, v.num, 16)
			} else {
				b = strconv.AppendQuoteToASCII(b, v.bytes)
			}
			b = append(b, '\n')
		}
	}
	return b
}

// load takes saved settings over. What this profile does not have or would not
// accept keeps its default: the image may have been saved under other
// firmware.
func (r *Registers) load(saved []byte) {
	body, ok := strings.CutPrefix(string(saved), savedHead)
	if !ok {
		return
	}
	for line := range strings.Lines(body) {
		name, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		i, err := r.find(name)
		if err != nil || !r.table[i].Access.isSetting() {
			continue
		}
		v := Str(rest)
		if reg := &r.table[i]; reg.Kind != Number {
			s, err := strconv.Unquote(rest)
			if err != nil {
				continue
			}
			v = Str(s)
		}
		if v, err := r.table[i].accept(v); err == nil {
			r.put(r.set, i, v)
		}
	}
}

// Serial makes the serial number of a cellular module from its IMEI, the two
// halves that ATSH and ATSL show: the IMEI's fifteen digits, two to a byte
// after a zero (xmp samples/demos/end_to_end_tank reads the IMEI back this
// way). It fails unless imei has fifteen digits of which the last is right.
func Serial(imei string) (high, low [4]byte, err error) {
	sum := 0
	for i := 0; i < len(imei); i++ {
		n := int(imei[i] - '0')
		if i%2 == 1 {
			n = n*2/10 + n*2%10
		}
		sum += n
	}
	b, err := hex.DecodeString("0" + imei)
	if err != nil || len(imei) != 15 || strings.Trim(imei, "0123456789") != "" || sum%10 != 0 {
		return high, low, fmt.Errorf("%q is no IMEI: it has fifteen digits, the last of which makes the Luhn sum a multiple of ten", imei)
	}
	return [4]byte(b[:4]), [4]byte(b[4:]), nil
}
