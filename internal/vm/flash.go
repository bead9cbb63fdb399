package vm

import (
	"math"
	"math/big"

	"github.com/skep-sim/skep/internal/mpy"
)

// This file is code in bundle flash: read-only memory behind RAM, at addresses
// that the interpreter reads like any other. What lies there costs no heap.
// Package bundle decides where things go; this file knows their shapes.

// A FlashName is a qstr whose text lies in bundle flash.
type FlashName struct {
	Text string
	Addr uint32 // of the text, behind its hash and length
}

// FlashNames hands out the numbers of the names that code in flash uses.
type FlashNames struct {
	fw    *Firmware
	ids   map[string]Qstr
	order []string
	fresh Qstr
}

// FlashNames starts with no name but the firmware's.
func (fw *Firmware) FlashNames() *FlashNames {
	return &FlashNames{fw: fw, ids: make(map[string]Qstr), fresh: Qstr(len(fw.names))}
}

// Number returns the number that a name has once MapFlash was given New.
func (t *FlashNames) Number(s string) Qstr {
	q, known := t.fw.index[s]
	if known && !t.fw.notInROM[q] {
		return q
	}
	if id, ok := t.ids[s]; ok {
		return id
	}
	if !known {
		q = t.fresh
		t.fresh++
	}
	t.ids[s] = q
	t.order = append(t.order, s)
	return q
}

// New returns the names so far that are not in ROM, in the order of Number's
// calls.
func (t *FlashNames) New() []string { return t.order }

// Clone returns a copy that can be added to independently.
func (t *FlashNames) Clone() *FlashNames {
	c := &FlashNames{fw: t.fw, ids: make(map[string]Qstr, len(t.ids)), fresh: t.fresh}
	for s, q := range t.ids {
		c.ids[s] = q
	}
	c.order = append([]string(nil), t.order...)
	return c
}

// HashBytes hashes a string's bytes as the firmware's qstrs do.
func (fw *Firmware) HashBytes(b []byte) uint32 { return uint32(hashBytes(b, fw.Options.HashBytes)) }

// RawCode returns the words of a raw code object.
func (fw *Firmware) RawCode(rc *mpy.RawCode, code, table uint32) []Value {
	w := make([]Value, fw.Options.rawCodeBytes()/4)
	w[0], w[1], w[2] = rawFlags(rc), Value(code), Value(table)
	return w
}

// PatchNames replaces every name operand of verified bytecode by the number
// that id gives.
func PatchNames(code []byte, version int, id func(mpy.Name) Qstr) {
	patchNames(code, version, func(n mpy.Name) uint16 { return uint16(id(n)) })
}

// FlashConst gives the shape in flash of a constant object: the words of its
// head, which is to lie at the address head, and the bytes behind it, at data.
// How many there are does not depend on the addresses. Without a head the
// value needs no memory. A str is an object even where there is a qstr with
// its text.
func (fw *Firmware) FlashConst(o *mpy.Obj, head, data uint32) (v Value, words []Value, bytes []byte) {
	text := []byte(o.Text)
	switch o.Kind {
	case mpy.ObjEllipsis:
		return Ellipsis, nil, nil
	case mpy.ObjStr, mpy.ObjBytes:
		typ := TypeStr
		if o.Kind == mpy.ObjBytes {
			typ = TypeBytes
		}
		switch {
		case len(text) > 0:
		case typ == TypeStr:
			return EmptyStr, nil, nil
		default:
			return EmptyBytes, nil, nil
		}
		return Value(head), []Value{typ, hashWord(fw.HashBytes(text)), Value(len(text)), Value(data)}, append(text, 0)
	case mpy.ObjInt:
		return flashInt(o.Text, head, data)
	}
	return fw.flashFloat(text, head)
}

// flashInt is a small int, or an int object with its digits of 16 bits, in
// whole limbs as bigint.go reads them.
func flashInt(text string, head, data uint32) (Value, []Value, []byte) {
	i, ok := new(big.Int).SetString(text, 10)
	if !ok {
		panic("vm: an int constant was not verified: " + text)
	}
	if i.IsInt64() && FitsSmallInt(i.Int64()) {
		return SmallInt(int(i.Int64())), nil, nil
	}
	le := i.Bytes() // big-endian so far
	for a, b := 0, len(le)-1; a < b; a, b = a+1, b-1 {
		le[a], le[b] = le[b], le[a]
	}
	n := (len(le) + 1) / 2
	le = append(le, make([]byte, 8*int(limbsFor(uint32(n)))-len(le))...)
	flags := Value(bigFixed | n<<bigRoom)
	if i.Sign() < 0 {
		flags |= bigNeg
	}
	return Value(head), []Value{TypeInt, flags, Value(n), Value(data)}, le
}

func (fw *Firmware) flashFloat(text []byte, head uint32) (Value, []Value, []byte) {
	neg := len(text) > 0 && text[0] == '-'
	if neg || len(text) > 0 && text[0] == '+' {
		text = text[1:]
	}
	f, _, imag, _ := parseReal(text, true, fw.Options.FloatDigits)
	if neg {
		f = -f
	}
	bits := Value(math.Float32bits(f))
	if imag {
		return Value(head), []Value{TypeComplex, 0, bits}, nil
	}
	return Value(head), []Value{TypeFloat, bits}, nil
}

// beyondRAM says that an address is none of RAM's but of bundle flash, or of ROM.
func (vm *VM) beyondRAM(addr uint32) bool {
	start, _ := vm.heap.Flash()
	return addr >= start
}

// MapFlash puts an image at the start of the flash region and makes its names
// known; they cost no heap. It is called after New or Reset, before any program
// runs.
func (vm *VM) MapFlash(image []byte, names []FlashName) {
	t := &vm.qstrs
	if len(t.made) > 0 {
		panic("vm: MapFlash was called after names were made")
	}
	start, end := vm.heap.Flash()
	if uint32(len(image)) > end-start { // most devices have less than a full region
		vm.heap.SetFlash(len(image))
		vm.mapArena()
		start, end = vm.heap.Flash()
	}
	clear(vm.Bytes[start+uint32(copy(vm.Bytes[start:end], image)) : end])
	t.used = make(map[Qstr]uint32)
	for _, n := range names {
		q, known := vm.fw.index[n.Text]
		if known {
			t.used[q] = n.Addr
		} else {
			q = t.first + Qstr(len(t.data))
			t.data = append(t.data, qstrText{n.Addr, uint32(len(n.Text)), hashBytes([]byte(n.Text), vm.opt.HashBytes)})
			t.names[n.Text] = q
		}
		t.made = append(t.made, q)
	}
}
