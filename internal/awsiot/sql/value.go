package sql

import (
	"math/big"
	"strconv"
	"strings"
)

// kind is the type of a value (AWS: "Data types").
type kind uint8

const (
	kindUndefined kind = iota
	kindNull
	kindBool
	kindInt
	kindDecimal
	kindString
	kindArray
	kindObject
)

// value is what an expression gives. It is not changed after it has been made.
type value struct {
	kind kind
	yes  bool
	text string // a string; a number's JSON text, where it has one already
	num  *dec   // a number; nil while only its text is known
	list *list
}

// list is an array's elements, or an object's members in their order.
type list struct {
	keys  []string // of an object
	elems []value
	index map[string]int // of a large object; nil: look through keys
}

// indexFrom is how many members make looking through them slow.
const indexFrom = 16

var undefined = value{}

func null() value                { return value{kind: kindNull} }
func boolean(yes bool) value     { return value{kind: kindBool, yes: yes} }
func str(s string) value         { return value{kind: kindString, text: s} }
func integer(n int64) value      { return value{kind: kindInt, text: strconv.FormatInt(n, 10)} }
func array(e []value) value      { return value{kind: kindArray, list: &list{elems: e}} }
func object(members *list) value { return value{kind: kindObject, list: members} }

// intOf is an Int from a decimal without fraction; Undefined from nil.
func intOf(d *dec) value {
	if d == nil {
		return undefined
	}
	if d.exp == 0 {
		return value{kind: kindInt, num: d}
	}
	n := newDec(d.integer(), 0)
	if n == nil {
		return undefined
	}
	return value{kind: kindInt, num: n}
}

func bigInt(n *big.Int) value { return intOf(newDec(n, 0)) }

// decimal is a Decimal; Undefined from nil.
func decimal(d *dec) value {
	if d == nil {
		return undefined
	}
	return value{kind: kindDecimal, num: d}
}

// number makes a value of a JSON number. Version 2016-03-23 takes whole numbers as Int in
// whatever notation they come, 10.0 too. A number out of a Decimal's range keeps its text and
// can only be passed on.
func number(text string) value {
	if !strings.ContainsAny(text, ".eE") {
		return value{kind: kindInt, text: text}
	}
	d := parseDec(text)
	if d != nil && d.whole() {
		return intOf(d)
	}
	return value{kind: kindDecimal, text: text, num: d}
}

// dec is a number's value; nil when it is none or out of range.
func (v value) dec() *dec {
	if v.kind != kindInt && v.kind != kindDecimal {
		return nil
	}
	if v.num != nil {
		return v.num
	}
	return parseDec(v.text)
}

// numText is a number in JSON.
func (v value) numText() string {
	switch {
	case v.text != "":
		return v.text
	case v.kind == kindInt && v.num.exp != 0:
		return v.num.integer().String()
	}
	return v.num.text()
}

func (l *list) find(key string) (int, bool) {
	if l.index != nil {
		i, ok := l.index[key]
		return i, ok
	}
	for i, k := range l.keys {
		if k == key {
			return i, true
		}
	}
	return 0, false
}

// member is an object's member; Undefined when there is none.
func (v value) member(key string) value {
	if v.kind != kindObject {
		return undefined
	}
	if i, ok := v.list.find(key); ok {
		return v.list.elems[i]
	}
	return undefined
}

// set adds a member to an object that is being made, or replaces it. Undefined is no value.
func (l *list) set(key string, v value) {
	if v.kind == kindUndefined {
		return
	}
	if i, ok := l.find(key); ok {
		l.elems[i] = v
		return
	}
	l.keys = append(l.keys, key)
	l.elems = append(l.elems, v)
	if l.index != nil {
		l.index[key] = len(l.keys) - 1
	} else if len(l.keys) > indexFrom {
		l.index = make(map[string]int, 2*len(l.keys))
		for i, k := range l.keys {
			l.index[k] = i
		}
	}
}

// clone copies an object that is to get more members.
func (l *list) clone(more int) *list {
	c := &list{keys: make([]string, 0, len(l.keys)+more), elems: make([]value, 0, len(l.elems)+more)}
	for i, k := range l.keys {
		c.set(k, l.elems[i])
	}
	return c
}

// equal compares two values other than Undefined (AWS: "= operator"). Int and Decimal compare
// by value, types otherwise have to be the same.
func equal(a, b value) bool {
	if x, y := a.dec(), b.dec(); x != nil && y != nil {
		return x.cmp(y) == 0
	}
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case kindNull:
		return true
	case kindBool:
		return a.yes == b.yes
	case kindArray:
		if len(a.list.elems) != len(b.list.elems) {
			return false
		}
		for i, e := range a.list.elems {
			if !equal(e, b.list.elems[i]) {
				return false
			}
		}
		return true
	case kindObject:
		if len(a.list.keys) != len(b.list.keys) {
			return false
		}
		for i, k := range a.list.keys {
			j, ok := b.list.find(k)
			if !ok || !equal(a.list.elems[i], b.list.elems[j]) {
				return false
			}
		}
		return true
	}
	return a.text == b.text
}

// toDec converts to Decimal (AWS: "To decimal"). nil is Undefined; Null, which the table keeps
// Null, is no number either.
func (v value) toDec() *dec {
	if v.kind == kindString {
		if strings.Contains(v.text, "+") { // of JSON's notations only this is not AWS's
			return nil
		}
		return parseDec(v.text)
	}
	return v.dec()
}

// toInt converts to Int, rounding down: the examples of substring do, though the table "To
// int" speaks of the nearest.
func (v value) toInt() *dec {
	d := v.toDec()
	if d == nil {
		return nil
	}
	return d.places(0, floor)
}

// toIndex is toInt for a place in something; far outside stays outside.
func (v value) toIndex() (int, bool) {
	d := v.toInt()
	if d == nil {
		return 0, false
	}
	n := d.integer()
	if n.IsInt64() && n.Int64() > -1<<31 && n.Int64() < 1<<31 {
		return int(n.Int64()), true
	}
	return n.Sign() << 31, true
}

// toBool converts to Boolean (AWS: "To Boolean").
func (v value) toBool() (yes, ok bool) {
	switch {
	case v.kind == kindBool:
		return v.yes, true
	case v.kind != kindString:
	case strings.EqualFold(v.text, "true"):
		return true, true
	case strings.EqualFold(v.text, "false"):
		return false, true
	}
	return false, false
}

// toString converts to String (AWS: "To string").
func (v value) toString() (s string, ok bool) {
	switch v.kind {
	case kindUndefined, kindNull:
		return "", false
	case kindString:
		return v.text, true
	case kindInt, kindDecimal:
		return v.numText(), true
	}
	return string(v.appendJSON(nil)), true
}
