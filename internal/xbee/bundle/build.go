package bundle

import (
	"encoding/binary"
	"fmt"

	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/vm"
)

// FullError tells that a module does not fit into what is left of the area.
type FullError struct {
	Module string
	What   string // "bytes" or "names"
	Need   int    // with this module
	Limit  int
}

// Error says what is too much and what to do.
func (e *FullError) Error() string {
	return fmt.Sprintf("the bundle does not fit with %s in it: %d %s of %d; leave a module out or make one smaller", e.Module, e.Need, e.What, e.Limit)
}

// Parts are the bytes that one module takes, by what they hold.
type Parts struct {
	Functions int // number of raw codes
	Bytecode  int // prelude included
	Tables    int // const tables
	RawCode   int // raw code objects
	Objects   int // heads of constant objects
	Data      int // their characters, digits included, with NULs
	Header    int // ModuleHeader
}

// Total is what os.bundle() calls bytes of raw code.
func (p Parts) Total() int {
	return p.Bytecode + p.Tables + p.RawCode + p.Objects + p.Data + p.Header
}

// Module is one module of an image.
type Module struct {
	Name  string
	Root  uint32 // address of its raw code
	Parts Parts
}

// Image is a built region.
type Image struct {
	Base    uint32 // address of its first byte
	Bytes   []byte // the area's RegionBytes of them
	Names   []vm.FlashName
	Modules []Module
	Used    int // bytes of the payload
}

// Builder puts modules into an image, one after the other.
type Builder struct {
	fw     *vm.Firmware
	area   Area
	base   uint32
	region []byte
	low    uint32 // next free word, from the start of the region
	high   uint32 // last byte in use
	names  *vm.FlashNames
	addrs  []vm.FlashName
	mods   []Module
}

// NewBuilder starts an empty image whose first byte will have the address base,
// for devices with the firmware fw.
func NewBuilder(fw *vm.Firmware, area Area, base uint32) *Builder {
	return &Builder{
		fw: fw, area: area, base: base, region: make([]byte, area.RegionBytes()),
		low: uint32(area.payloadOffset()), high: uint32(area.RegionBytes()), names: fw.FlashNames(),
	}
}

// Qstrs is how many interned strings the modules so far need.
func (b *Builder) Qstrs() int { return len(b.addrs) }

// Used is how many bytes of the payload the modules so far take.
func (b *Builder) Used() int { return b.area.PayloadBytes - int(b.high-b.low) }

// Add puts in a module that mpy.Verify has accepted. If it does not fit, the
// error is a *FullError and the builder is as before.
func (b *Builder) Add(name string, m *mpy.Module) (Module, error) {
	names := b.names.Clone()
	ids := make([]vm.Qstr, len(m.Names))
	for i, s := range m.Names {
		ids[i] = names.Number(s)
	}
	self := names.Number(name)
	fresh := names.New()
	if len(fresh) > b.area.Qstrs {
		return Module{}, &FullError{name, "names", len(fresh), b.area.Qstrs}
	}
	w := writer{b: *b, ids: ids, version: m.Version}
	p := &w.parts
	p.Header = ModuleHeader
	head := w.words(ModuleHeader)
	w.rawCode(m.Root)
	header := b.fw.Options.HashBytes + 1
	for _, s := range fresh[len(b.addrs):] {
		if len(s) > 255 {
			return Module{}, fmt.Errorf("the name %.20q... in %s is longer than 255 characters", s, name)
		}
		at := w.bytes(header + len(s) + 1)
		w.b.addrs = append(w.b.addrs, vm.FlashName{Text: s, Addr: b.base + at + uint32(header)})
	}
	if w.over > 0 {
		return Module{}, &FullError{name, "bytes", b.area.PayloadBytes + w.over, b.area.PayloadBytes}
	}
	// From here on everything fits; write it.
	w.write = true
	w.b.low, w.b.high = b.low, b.high
	w.parts = Parts{Header: ModuleHeader}
	w.words(ModuleHeader)
	root := w.rawCode(m.Root)
	w.put16(head, uint16(self))
	w.put16(head+2, uint16((w.b.low-head)/4))
	for i, n := range w.b.addrs[len(b.addrs):] {
		at := w.bytes(header + len(n.Text) + 1)
		w.putName(at, n.Text)
		w.put32(uint32(headerBytes+4*(len(b.addrs)+i)), b.base+at)
	}
	w.b.names = names
	mod := Module{Name: name, Root: b.base + root, Parts: w.parts}
	w.b.mods = append(w.b.mods, mod)
	*b = w.b
	return mod, nil
}

// Image finishes the region.
func (b *Builder) Image() *Image {
	for i, v := range [...]uint32{magic, b.base, uint32(len(b.mods)), uint32(len(b.addrs)), b.low, b.high} {
		binary.LittleEndian.PutUint32(b.region[4*i:], v)
	}
	return &Image{Base: b.base, Bytes: b.region, Names: b.addrs, Modules: b.mods, Used: b.Used()}
}

// magic begins the header: "SKB" and the number of the layout.
const magic = 'S' | 'K'<<8 | 'B'<<16 | 1<<24

// Hash is the 32-bit hash that ATPYB shows, over all of the region: djb2 with
// XOR, as MicroPython hashes strings. Which one the device uses, and over what,
// is not known (device-facts.md 5.3); that it covers more than the modules' code is.
func (m *Image) Hash() uint32 {
	h := uint32(5381)
	for _, c := range m.Bytes {
		h = h*33 ^ uint32(c)
	}
	return h
}

// Find returns the address of a module's raw code, or 0.
func (m *Image) Find(name string) uint32 {
	for i := range m.Modules {
		if m.Modules[i].Name == name {
			return m.Modules[i].Root
		}
	}
	return 0
}
