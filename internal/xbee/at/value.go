// Package at is the module's register table: what the AT commands read, set,
// apply and save (device-facts.md 10.1, 10.2), as Python's xbee.atcmd sees it
// and as command mode spells it.
//
// The table is data. What is not a setting but a state of the module (signal,
// address, temperature) or an order to it (reset, shut down) is asked of the
// [Module] the registers belong to.
//
// It is not the serial port: guard times, the leading AT of a line, echo and
// the file commands of ATFS are somebody else's.
package at

import (
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
