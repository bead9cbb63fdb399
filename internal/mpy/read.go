package mpy

import (
	"bytes"
	"fmt"
)

// ReadOptions say what a device accepts. The zero value accepts every file
// that this package can represent.
type ReadOptions struct {
	// Version is the only .mpy version accepted; 0 for 3, 4 and 5.
	Version int
	// SmallIntBits is the width of the device's small ints: 31 on a 32-bit
	// one. A file compiled for wider ones is refused; 0 for no limit.
	SmallIntBits int
	// NoUnicode is whether the device's strings are bytes; a file compiled
	// for unicode strings is refused then.
	NoUnicode bool
}

// XBee are the ReadOptions of an XBee 3 Cellular whose firmware has
// MicroPython v1.11: no unicode, 31-bit small ints.
var XBee = ReadOptions{Version: 4, SmallIntBits: 31, NoUnicode: true}

// Bounds on what a file may hold: none that a compiler's output comes near to.
const (
	maxNames = 1 << 16 // a name in the code is a 16-bit number
	maxDepth = 256     // functions inside functions
)

// Read makes a Module of a .mpy file's content. An error is a *FormatError.
// What Read accepts may still be damaged code: Verify finds that.
//
// A device allocates as it reads, and whoever loads the Module into a device's
// memory can do the same from what is in it, in this order, for the root and
// then inside it for each child: the code block (len(Code) bytes); the names
// in NameReads up to the arguments', where each spelled one takes a temporary
// buffer of its length, is interned, and frees the buffer; the const table (a
// word for each of ArgNames, Objs and Children); the arguments' names, the
// same way; the objects in order; the children in order; last the raw code.
// Source: load_raw_code in py/persistentcode.c of v1.10, v1.11, v1.12.
func Read(data []byte, opt ReadOptions) (*Module, error) {
	r := &reader{data: data, numbers: map[string]Name{}}
	r.header(opt)
	if r.err != nil {
		return nil, r.err
	}
	r.mod.Root = r.rawCode(0)
	if r.err != nil {
		return nil, r.err
	}
	return &r.mod, nil
}

// A reader goes through a file once. After the first error it reads zeros.
type reader struct {
	data    []byte
	pos     int
	err     error
	mod     Module
	gen     *Generation
	numbers map[string]Name // index in mod.Names
	window  nameWindow
}

func (r *reader) fail(device, format string, args ...any) {
	if r.err == nil {
		r.err = &FormatError{Device: device, Reason: fmt.Sprintf(format, args...), Offset: r.pos}
	}
}

func (r *reader) damaged(format string, args ...any) {
	r.fail(deviceFile, "damaged file: "+format, args...)
}

// header reads and judges the file's first bytes, in the device's order.
func (r *reader) header(opt ReadOptions) {
	if len(r.data) < 4 && bytes.HasPrefix(r.data, []byte("M")) {
		r.damaged("it ends within the first four bytes")
	}
	if len(r.data) < 4 || r.data[0] != 'M' {
		r.fail(deviceFile, "not a .mpy file: it does not start with M; compile the source with mpy-cross or skep compile")
		return
	}
	version, feature, bits := int(r.data[1]), r.data[2], int(r.data[3])
	r.pos = 1
	if r.gen = GenerationOf(version); r.gen == nil {
		r.fail(deviceFile, ".mpy version %d is not known here, only 3, 4 and 5; compile with mpy-cross of MicroPython v1.11", version)
		return
	}
	if opt.Version != 0 && version != opt.Version {
		r.fail(deviceFile, "compiled by MicroPython %s (.mpy version %d), but the device has %s (version %d): compile with that mpy-cross",
			releaseOf(version), version, releaseOf(opt.Version), opt.Version)
		return
	}
	r.pos = 2
	if feature&1 != 0 {
		r.fail(deviceFile, "compiled with room for lookup caches: pass -mno-cache-lookup-bc to mpy-cross")
		return
	}
	if feature&2 != 0 && opt.NoUnicode {
		r.fail(deviceFile, "compiled with unicode strings: pass -mno-unicode to mpy-cross")
		return
	}
	if version == 3 && feature>>2 != 0 {
		r.damaged("unknown feature flags %#02x", feature)
		return
	}
	r.pos = 3
	if opt.SmallIntBits != 0 && bits > opt.SmallIntBits {
		r.fail(deviceFile, "compiled for small ints of %d bits: pass -msmall-int-bits=%d to mpy-cross", bits, opt.SmallIntBits)
		return
	}
	r.pos = 4
	if version >= 4 {
		if n := r.uint("header"); n > windowSize {
			r.fail(deviceFile, "refers back to the last %d names, the device remembers %d: compile with mpy-cross of MicroPython %s", n, windowSize, releaseOf(version))
			return
		}
		if feature>>2 != 0 {
			r.pos = 2
			r.fail(deviceArch, "holds machine code: remove @micropython.native and @micropython.viper, the device runs bytecode only")
			return
		}
	}
	r.mod.Version, r.mod.SmallIntBits, r.mod.Unicode = version, bits, feature&2 != 0
}

func releaseOf(version int) string {
	switch version {
	case 3:
		return "v1.10"
	case 4:
		return "v1.11"
	case 5:
		return "v1.12"
	}
	return "of another release"
}

func (r *reader) left() int { return len(r.data) - r.pos }

func (r *reader) byte(what string) byte {
	if r.err != nil {
		return 0
	}
	if r.pos >= len(r.data) {
		r.damaged("it ends inside %s", what)
		return 0
	}
	r.pos++
	return r.data[r.pos-1]
}

// bytes gives the next n bytes of the file itself.
func (r *reader) bytes(n int, what string) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > r.left() {
		r.damaged("it ends inside %s", what)
		return nil
	}
	r.pos += n
	return r.data[r.pos-n : r.pos]
}

func (r *reader) uint(what string) int {
	if r.err != nil {
		return 0
	}
	n, next, err := decodeUint(r.data, r.pos)
	if err != nil {
		r.damaged("bad number in %s", what)
		return 0
	}
	r.pos = next
	return n
}

// rawCode reads one function and those inside it.
func (r *reader) rawCode(depth int) *RawCode {
	if depth > maxDepth {
		r.damaged("more than %d functions inside each other", maxDepth)
		return nil
	}
	size := r.uint("a function's size")
	if r.mod.Version >= 4 {
		if size&3 != 0 {
			r.fail(deviceFile, "holds machine code: remove @micropython.native and @micropython.viper, the device runs bytecode only")
			return nil
		}
		size >>= 2
	}
	// A name takes two bytes of code and at least one of the file.
	if size > 2*r.left() {
		r.damaged("a function of %d bytes does not fit in it", size)
		return nil
	}
	rc := &RawCode{}
	switch r.mod.Version {
	case 3:
		r.code3(rc, size)
	case 4:
		r.code4(rc, size)
	case 5:
		r.code5(rc, size)
	}
	if r.err != nil {
		return nil
	}
	r.constants(rc, depth)
	return rc
}

// code3 reads a version 3 code block: the whole of it, then its names.
func (r *reader) code3(rc *RawCode, size int) {
	rc.Code = append([]byte(nil), r.bytes(size, "code")...)
	p := r.prelude(rc)
	r.patchName(rc, p.NameOffset)
	r.patchName(rc, p.NameOffset+2)
	for at := p.CodeOffset; at < size && r.err == nil; {
		s := r.gen.shapes[rc.Code[at]]
		at++
		if s.name {
			r.patchName(rc, at)
			at += 2
		}
		if s.uint {
			for at < size && rc.Code[at]&0x80 != 0 {
				at++
			}
			at++
		}
		at += s.fixed
		if at > size {
			r.damaged("the last instruction of a function is cut off")
		}
	}
}

// code4 reads a version 4 code block: prelude, instructions with their names
// between them, the prelude's names.
func (r *reader) code4(rc *RawCode, size int) {
	rc.Code = make([]byte, 0, size)
	r.copyUint(rc, size)
	r.copyUint(rc, size)
	r.copy(rc, 4, size)
	start := len(rc.Code)
	r.copyUint(rc, size)
	if r.err != nil {
		return
	}
	info, _, err := decodeUint(rc.Code, start)
	if err != nil {
		r.damaged("code info: %v", err)
		return
	}
	r.copy(rc, info-(len(rc.Code)-start), size)
	for r.err == nil {
		r.copy(rc, 1, size)
		if r.err == nil && rc.Code[len(rc.Code)-1] == cellsEnd {
			break
		}
	}
	p := r.prelude(rc)
	r.instructions(rc, size)
	r.patchName(rc, p.NameOffset)
	r.patchName(rc, p.NameOffset+2)
}

// code5 reads a version 5 code block: all in its place.
func (r *reader) code5(rc *RawCode, size int) {
	rc.Code = make([]byte, 0, size)
	r.copyUint(rc, size)
	r.copyUint(rc, size)
	r.appendName(rc, size)
	r.appendName(rc, size)
	if r.err != nil {
		return
	}
	// What the sizes say is in the block is not there yet: ask the decoder
	// with room for it.
	p, err := parsePrelude5(append(rc.Code[:len(rc.Code):len(rc.Code)], make([]byte, size-len(rc.Code))...))
	if err != nil {
		r.damaged("prelude: %v", err)
		return
	}
	r.copy(rc, p.CodeOffset-len(rc.Code), size)
	r.instructions(rc, size)
}

// prelude decodes the prelude of a code block that holds at least all of it.
func (r *reader) prelude(rc *RawCode) (p Prelude) {
	if r.err != nil {
		return p
	}
	p, err := rc.Prelude(r.mod.Version)
	if err != nil {
		r.damaged("prelude: %v", err)
	}
	return p
}

// instructions reads the instructions that fill the rest of the code block.
func (r *reader) instructions(rc *RawCode, size int) {
	for r.err == nil && len(rc.Code) < size {
		b := r.byte("code")
		rc.Code = append(rc.Code, b)
		s := r.gen.shapes[b]
		if s.name {
			r.appendName(rc, size)
		}
		if s.uint {
			r.copyUint(rc, size)
		}
		r.copy(rc, s.fixed, size)
	}
}

// copy moves n bytes from the file to the code block.
func (r *reader) copy(rc *RawCode, n, size int) {
	if r.err == nil && (n < 0 || len(rc.Code)+n > size) {
		r.damaged("a function's code is longer than it says")
	}
	rc.Code = append(rc.Code, r.bytes(n, "code")...)
}

// copyUint moves a uint of any length, as the device does.
func (r *reader) copyUint(rc *RawCode, size int) {
	for r.err == nil {
		r.copy(rc, 1, size)
		if r.err == nil && rc.Code[len(rc.Code)-1]&0x80 == 0 {
			return
		}
	}
}

// appendName reads a name to the end of the code block.
func (r *reader) appendName(rc *RawCode, size int) {
	if r.err == nil && len(rc.Code)+2 > size {
		r.damaged("a function's code is longer than it says")
	}
	n := r.name(rc)
	if r.err == nil {
		rc.Code = append(rc.Code, byte(n), byte(n>>8))
	}
}

// patchName reads a name into its place in the code block.
func (r *reader) patchName(rc *RawCode, at int) {
	if r.err == nil && at+2 > len(rc.Code) {
		r.damaged("the last instruction of a function is cut off")
	}
	n := r.name(rc)
	if r.err != nil {
		return
	}
	r.mod.CompilerIDs[n] = uint16(nameAt(rc.Code, at))
	rc.Code[at], rc.Code[at+1] = byte(n), byte(n>>8)
}

// name reads a name and notes how the file gives it.
func (r *reader) name(rc *RawCode) Name {
	n := r.uint("a name")
	spelled := true
	var name Name
	switch {
	case r.err != nil:
		return 0
	case r.mod.Version == 3:
		name = r.intern(string(r.bytes(n, "a name")))
	case n == 0:
		spelled = false
		number := r.byte("a name")
		if r.err == nil && (number == 0 || int(number) > len(staticNames)) {
			r.damaged("there is no built-in name %d", number)
		}
		if r.err == nil {
			name = r.intern(staticNames[number-1])
		}
	case n&1 != 0:
		spelled = false
		entry := r.window.access(n >> 1)
		if entry == 0 {
			r.damaged("it refers back to a name that was not there")
			return 0
		}
		name = Name(entry - 1)
	default:
		name = r.intern(string(r.bytes(n>>1, "a name")))
		r.window.push(int32(name) + 1)
	}
	rc.NameReads = append(rc.NameReads, NameRead{Name: name, Spelled: spelled})
	return name
}

func (r *reader) intern(s string) Name {
	if r.err != nil {
		return 0
	}
	n, ok := r.numbers[s]
	if ok {
		return n
	}
	if len(r.mod.Names) >= maxNames {
		r.damaged("more than %d names", maxNames)
		return 0
	}
	n = Name(len(r.mod.Names))
	r.numbers[s] = n
	r.mod.Names = append(r.mod.Names, s)
	r.mod.CompilerIDs = append(r.mod.CompilerIDs, 0)
	return n
}

// constants reads the const table: arguments' names, objects, children.
func (r *reader) constants(rc *RawCode, depth int) {
	p := r.prelude(rc)
	rc.ScopeFlags, rc.NumPos, rc.NumKwOnly, rc.NumDefPos = p.ScopeFlags, p.NumPos, p.NumKwOnly, p.NumDefPos
	numObjs, numChildren := r.uint("a const table's size"), r.uint("a const table's size")
	if numObjs > r.left() || numChildren > r.left() || p.NumPos+p.NumKwOnly > r.left() {
		r.damaged("a const table of %d arguments, %d objects and %d functions does not fit in it",
			p.NumPos+p.NumKwOnly, numObjs, numChildren)
		return
	}
	for range p.NumPos + p.NumKwOnly {
		n := r.name(rc)
		if r.err != nil {
			return
		}
		rc.ArgNames = append(rc.ArgNames, n)
	}
	for range numObjs {
		o := r.object()
		if r.err != nil {
			return
		}
		rc.Objs = append(rc.Objs, o)
	}
	for range numChildren {
		child := r.rawCode(depth + 1)
		if r.err != nil {
			return
		}
		rc.Children = append(rc.Children, child)
	}
}

func (r *reader) object() Obj {
	kind := ObjKind(r.byte("a constant"))
	switch kind {
	case ObjEllipsis:
		return Obj{Kind: kind}
	case ObjStr, ObjBytes, ObjInt, ObjFloat, ObjComplex:
		n := r.uint("a constant")
		return Obj{Kind: kind, Text: string(r.bytes(n, "a constant"))}
	}
	r.damaged("unknown kind of constant %#02x", byte(kind))
	return Obj{}
}
