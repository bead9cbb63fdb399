package bundle

import (
	"encoding/binary"

	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/vm"
)

// A writer lays out one module. It goes through it twice: the first time it
// only takes room, so that a module that does not fit leaves no trace.
type writer struct {
	b       Builder
	ids     []vm.Qstr
	version int
	write   bool
	over    int // bytes that found no room
	parts   Parts
}

// words takes n bytes, a multiple of 4, at the lower end.
func (w *writer) words(n int) uint32 {
	if !w.room(n) {
		return w.b.low
	}
	at := w.b.low
	w.b.low += uint32(n)
	return at
}

// bytes takes n bytes at the upper end.
func (w *writer) bytes(n int) uint32 {
	if !w.room(n) {
		return w.b.high
	}
	w.b.high -= uint32(n)
	return w.b.high
}

func (w *writer) room(n int) bool {
	if w.over > 0 || n > int(w.b.high-w.b.low) {
		w.over += n
		if w.over == n {
			w.over -= int(w.b.high - w.b.low)
		}
		return false
	}
	return true
}

func (w *writer) put16(at uint32, v uint16) {
	if w.write {
		binary.LittleEndian.PutUint16(w.b.region[at:], v)
	}
}

func (w *writer) put32(at, v uint32) {
	if w.write {
		binary.LittleEndian.PutUint32(w.b.region[at:], v)
	}
}

func (w *writer) putWords(at uint32, words []vm.Value) {
	for i, v := range words {
		w.put32(at+4*uint32(i), uint32(v))
	}
}

// putName writes an interned string: hash, length, text, NUL.
func (w *writer) putName(at uint32, s string) {
	if !w.write {
		return
	}
	n := w.b.fw.Options.HashBytes
	h := w.b.fw.HashBytes([]byte(s))
	for i := range n {
		w.b.region[at+uint32(i)] = byte(h >> (8 * i))
	}
	w.b.region[at+uint32(n)] = byte(len(s))
	copy(w.b.region[at+uint32(n)+1:], s)
}

// rawCode lays out a function and what it contains, and returns where its raw
// code object lies.
func (w *writer) rawCode(rc *mpy.RawCode) uint32 {
	w.parts.Functions++
	size := 4 * len(w.b.fw.RawCode(rc, 0, 0))
	raw := w.words(size)
	w.parts.RawCode += size

	code := w.bytes(len(rc.Code))
	w.parts.Bytecode += len(rc.Code)
	if w.write {
		dst := w.b.region[code : code+uint32(len(rc.Code))]
		copy(dst, rc.Code)
		vm.PatchNames(dst, w.version, func(n mpy.Name) vm.Qstr { return w.ids[n] })
	}

	n := len(rc.ArgNames) + len(rc.Objs) + len(rc.Children)
	table := w.words(4 * n)
	w.parts.Tables += 4 * n
	at := table
	for _, name := range rc.ArgNames {
		w.put32(at, uint32(w.ids[name].Value()))
		at += 4
	}
	for i := range rc.Objs {
		w.put32(at, uint32(w.constant(&rc.Objs[i])))
		at += 4
	}
	for _, c := range rc.Children {
		w.put32(at, w.b.base+w.rawCode(c))
		at += 4
	}
	tableAddr := uint32(0)
	if n > 0 {
		tableAddr = w.b.base + table
	}
	w.putWords(raw, w.b.fw.RawCode(rc, w.b.base+code, tableAddr))
	return raw
}

// constant lays out a constant object and returns it.
func (w *writer) constant(o *mpy.Obj) vm.Value {
	v, words, data := w.b.fw.FlashConst(o, 0, 0)
	if words == nil {
		return v
	}
	head := w.words(4 * len(words))
	w.parts.Objects += 4 * len(words)
	if o.Kind == mpy.ObjInt { // the digits are read as limbs of 8 bytes
		pad := int(w.b.base+w.b.high) & 7
		w.bytes(pad)
		w.parts.Data += pad
	}
	at := w.bytes(len(data))
	w.parts.Data += len(data)
	v, words, data = w.b.fw.FlashConst(o, w.b.base+head, w.b.base+at)
	w.putWords(head, words)
	if w.write {
		copy(w.b.region[at:], data)
	}
	return v
}
