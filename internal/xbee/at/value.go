// Package at is the module's register table: what the AT commands read, set,
// apply and save (device-facts.md 10.1, 10.2), as Python's xbee.atcmd sees it,
// as command mode spells it, and as API frames carry it.
//
// The table is data. What is not a setting but a state of the module (signal,
// address, temperature) or an order to it (reset, shut down) is asked of the
// [Module] the registers belong to.
//
// It is not the serial port: guard times, the leading AT of a line and the
// commas in it, API frames around a value, and the file commands of ATFS are
// somebody else's.
package at

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Value is what a register holds, what a command is given, or what it answers.
// Its zero value is nothing at all, Python's None.
type Value struct {
	kind  Kind
	num   uint64
	bytes string
	frame string // how API frames have it, if that is another form
}

// Kind is what kind of value a register has.
type Kind uint8

// The kinds. The first is that of no value.
const (
	None   Kind = iota
	Number      // an int in Python, hexadecimal digits in command mode
	Text        // a str in Python, itself in command mode
	Bytes       // a bytes object in Python, hexadecimal digits in command mode
)

// Int is a number as a value.
func Int(n uint64) Value { return Value{kind: Number, num: n} }

// Str is text as a value.
func Str(s string) Value { return Value{kind: Text, bytes: s} }

// Raw is a string of bytes as a value.
func Raw(b []byte) Value { return Value{kind: Bytes, bytes: string(b)} }

// WithFrame is v with another form for API frames, such as the four bytes of an
// address of which command mode prints the dotted text.
func (v Value) WithFrame(b []byte) Value { v.frame = string(b); return v }

// Kind tells which of the accessors to use.
func (v Value) Kind() Kind { return v.kind }

// Int is the number; 0 if v is none.
func (v Value) Int() uint64 { return v.num }

// Text is the text, or the bytes; "" if v is neither.
func (v Value) Text() string { return v.bytes }

// String is v as command mode prints it: numbers in upper-case hexadecimal
// digits without a prefix and without leading zeros.
func (v Value) String() string {
	switch v.kind {
	case Number:
		return strings.ToUpper(strconv.FormatUint(v.num, 16))
	case Text:
		return v.bytes
	case Bytes:
		if d := strings.TrimLeft(fmt.Sprintf("%X", v.bytes), "0"); d != "" {
			return d
		}
		return "0"
	}
	return ""
}

// encode is v as API frames carry it: text without a terminator, a number
// big-endian in width bytes, or in as many as it needs if they are more.
func (v Value) encode(width int) []byte {
	switch {
	case v.frame != "":
		return []byte(v.frame)
	case v.kind == Number:
		for width < 8 && v.num>>(8*width) != 0 {
			width++
		}
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], v.num)
		return b[8-width:]
	}
	return []byte(v.bytes)
}

// decode reads a number, big-endian in up to eight bytes.
func decode(b string) (uint64, bool) {
	var n uint64
	for i := 0; i < len(b); i++ {
		n = n<<8 | uint64(b[i])
	}
	return n, len(b) > 0 && len(b) <= 8
}

// parseHex reads the digits of a number in command mode; 0x may come first.
func parseHex(s string) (uint64, bool) {
	s = strings.TrimSpace(s)
	if len(s) > 2 && (s[:2] == "0x" || s[:2] == "0X") {
		s = s[2:]
	}
	for i := 0; i < len(s); i++ { // ParseUint would take signs and underscores
		if !strings.ContainsRune("0123456789abcdefABCDEF", rune(s[i])) {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(s, 16, 64)
	return n, err == nil
}
