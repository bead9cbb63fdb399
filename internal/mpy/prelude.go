package mpy

import (
	"errors"
	"fmt"
)

// A Prelude is what stands before the first instruction of a function's code:
// the sizes of its frame, its signature, its name and its line numbers.
// Offsets count from the start of RawCode.Code.
type Prelude struct {
	// NState is the number of slots for locals and the value stack together.
	NState int
	// NExcStack is the number of nested exception handlers.
	NExcStack int
	// ScopeFlags are the Scope... bits; NumPos and NumKwOnly count the
	// arguments, NumDefPos those of the positional ones with a default.
	ScopeFlags                   byte
	NumPos, NumKwOnly, NumDefPos int

	// InfoOffset is where the code info starts: in versions 3 and 4 at its
	// size, in version 5 at the names.
	InfoOffset int
	// NameOffset is where the function's name and, two bytes on, the source
	// file's stand.
	NameOffset int
	// LineOffset is where the line number table starts.
	LineOffset int
	// CellOffset and NumCells tell the list of the locals, one byte each, that
	// become cells when the function starts.
	CellOffset, NumCells int
	// CodeOffset is where the first instruction stands.
	CodeOffset int
	// LineBase is the offset that line numbers count from: the cell list in
	// versions 3 and 4, the first instruction in version 5.
	LineBase int
}

var (
	errPreludeShort = errors.New("prelude is cut off")
	errPreludeSize  = errors.New("code info is too small for its names")
)

// Prelude decodes the start of rc.Code, whose bytecode is of the given .mpy
// version.
func (rc *RawCode) Prelude(version int) (Prelude, error) {
	return ParsePrelude(rc.Code, version)
}

// LineOf gives the source line of the instruction at an offset of rc.Code, as
// a traceback would. It is 1 where the code has no line numbers.
func (rc *RawCode) LineOf(version, offset int) (int, error) {
	p, err := rc.Prelude(version)
	if err != nil {
		return 0, err
	}
	return p.LineOf(rc.Code, offset), nil
}

// ParsePrelude decodes the start of a code block of the given .mpy version.
func ParsePrelude(code []byte, version int) (Prelude, error) {
	switch version {
	case 3, 4:
		return parsePrelude4(code)
	case 5:
		return parsePrelude5(code)
	}
	return Prelude{}, fmt.Errorf("no .mpy version %d", version)
}

func parsePrelude4(code []byte) (p Prelude, err error) {
	at := 0
	if p.NState, at, err = decodeUint(code, at); err != nil {
		return p, err
	}
	if p.NExcStack, at, err = decodeUint(code, at); err != nil {
		return p, err
	}
	if at+4 > len(code) {
		return p, errPreludeShort
	}
	p.ScopeFlags = code[at]
	p.NumPos, p.NumKwOnly, p.NumDefPos = int(code[at+1]), int(code[at+2]), int(code[at+3])
	p.InfoOffset = at + 4
	size, at, err := decodeUint(code, p.InfoOffset)
	if err != nil {
		return p, err
	}
	p.NameOffset, p.LineOffset = at, at+4
	p.CellOffset = p.InfoOffset + size
	if p.LineOffset > p.CellOffset {
		return p, errPreludeSize
	}
	p.LineBase = p.CellOffset
	for at = p.CellOffset; ; at++ {
		if at >= len(code) {
			return p, errPreludeShort
		}
		if code[at] == cellsEnd {
			break
		}
	}
	p.NumCells = at - p.CellOffset
	p.CodeOffset = at + 1
	return p, nil
}

// cellsEnd ends the cell list in versions 3 and 4.
const cellsEnd = 0xff

// maxInterleave bounds how many bytes a version 5 signature or pair of sizes
// may take: more than any compiler needs, few enough for no overflow to matter.
const maxInterleave = 10

func parsePrelude5(code []byte) (p Prelude, err error) {
	if len(code) == 0 {
		return p, errPreludeShort
	}
	// xSSSSEAA, then xFSSKAED as often as x says.
	z, at := int(code[0]), 1
	state, exc, flags := z>>3&0xf, z>>2&1, 0
	p.NumPos = z & 3
	for n := 0; z&0x80 != 0; n++ {
		if at >= len(code) || n >= maxInterleave {
			return p, errPreludeShort
		}
		z = int(code[at])
		at++
		state |= z & 0x30 << (2 * n)
		exc |= z & 0x02 << n
		flags |= z & 0x40 >> 6 << n
		p.NumPos |= z & 0x04 << n
		p.NumKwOnly |= z & 0x08 >> 3 << n
		p.NumDefPos |= z & 0x01 << n
	}
	p.NState, p.NExcStack, p.ScopeFlags = state+1, exc, swapScope(byte(flags))

	// xIIIIIIC as often as x says.
	info := 0
	for n := 0; ; n++ {
		if at >= len(code) || n >= maxInterleave {
			return p, errPreludeShort
		}
		z = int(code[at])
		at++
		p.NumCells |= z & 1 << n
		info |= z & 0x7e >> 1 << (6 * n)
		if z&0x80 == 0 {
			break
		}
	}
	p.InfoOffset, p.NameOffset, p.LineOffset = at, at, at+4
	p.CellOffset = at + info
	p.CodeOffset = p.CellOffset + p.NumCells
	p.LineBase = p.CodeOffset
	if p.LineOffset > p.CellOffset {
		return p, errPreludeSize
	}
	if p.CodeOffset < p.CellOffset || p.CodeOffset > len(code) {
		return p, errPreludeShort
	}
	return p, nil
}

// swapScope exchanges the two scope flags whose bits v1.12 exchanged.
func swapScope(flags byte) byte {
	return flags&^(ScopeVarArgs|ScopeGenerator) | flags&ScopeVarArgs<<2 | flags&ScopeGenerator>>2
}

// Name gives the function's name: its index in Module.Names, or the device's
// id once the code is loaded.
func (p *Prelude) Name(code []byte) Name { return nameAt(code, p.NameOffset) }

// SourceFile gives the name of the source file, like Name.
func (p *Prelude) SourceFile(code []byte) Name { return nameAt(code, p.NameOffset+2) }

// Cells lists the locals that become cells, one byte each.
func (p *Prelude) Cells(code []byte) []byte {
	return code[p.CellOffset : p.CellOffset+p.NumCells]
}

func nameAt(code []byte, at int) Name {
	return Name(code[at]) | Name(code[at+1])<<8
}

// LineOf gives the source line of the instruction at an offset of code, as
// py/vm.c works it out for a traceback: 1 and what the table adds up to there.
func (p *Prelude) LineOf(code []byte, offset int) int {
	line := 1
	rest := offset - p.LineBase
	for at := p.LineOffset; at < p.CellOffset; {
		skip, lines, next := lineEntry(code, at)
		if next == at || rest < skip {
			break
		}
		rest -= skip
		line += lines
		at = next
	}
	return line
}

// Lines gives the lines of the table, in its order: 1, unless the code begins
// further on, and each one where a new line begins.
func (p *Prelude) Lines(code []byte) (list []int) {
	line, moved := 1, true
	for at := p.LineOffset; at < p.CellOffset; {
		skip, lines, next := lineEntry(code, at)
		if next == at {
			break
		}
		if skip > 0 && moved {
			list, moved = append(list, line), false
		}
		line += lines
		moved = moved || lines > 0
		at = next
	}
	if moved {
		list = append(list, line)
	}
	return list
}

// lineEntry decodes one entry of a line number table: how many bytes of code
// to skip and how many lines. next is at where the table ends.
func lineEntry(code []byte, at int) (skip, lines, next int) {
	c := int(code[at])
	switch {
	case c == 0:
		return 0, 0, at
	case c&0x80 == 0: // 0LLBBBBB
		return c & 0x1f, c >> 5, at + 1
	case at+1 >= len(code):
		return 0, 0, at
	}
	return c & 0x0f, c<<4&0x700 | int(code[at+1]), at + 2 // 1LLLBBBB LLLLLLLL
}

// AppendLine adds one entry to a line number table, or as many as it takes:
// after bytes of code, the source is lines further on.
func AppendLine(dst []byte, bytes, lines int) []byte {
	for bytes > 0 || lines > 0 {
		var b, l int
		if lines <= 6 || bytes > 0xf {
			b = min(bytes, 0x1f)
			if b == bytes {
				l = min(lines, 3)
			}
			dst = append(dst, byte(b|l<<5))
		} else {
			b, l = min(bytes, 0xf), min(lines, 0x7ff)
			dst = append(dst, byte(0x80|b|l>>4&0x70), byte(l))
		}
		bytes -= b
		lines -= l
	}
	return dst
}

// AppendSignature encodes what comes before the code info: the frame's sizes
// and the signature. In versions 3 and 4 a uint with the code info's size
// follows, which counts its own bytes too (upstream's compiler keeps two for
// it, and leaves a zero at the end of the line numbers where one does); in
// version 5 AppendSizes follows.
func (p *Prelude) AppendSignature(dst []byte, version int) []byte {
	if version >= 5 {
		return p.appendSignature5(dst)
	}
	dst = AppendUint(dst, uint(p.NState))
	dst = AppendUint(dst, uint(p.NExcStack))
	return append(dst, p.ScopeFlags, byte(p.NumPos), byte(p.NumKwOnly), byte(p.NumDefPos))
}

func (p *Prelude) appendSignature5(dst []byte) []byte {
	s, e, f := p.NState-1, p.NExcStack, int(swapScope(p.ScopeFlags&0x0f))
	a, k, d := p.NumPos, p.NumKwOnly, p.NumDefPos
	z := byte(s&0xf<<3 | e&1<<2 | a&3)
	s, e, a = s>>4, e>>1, a>>2
	for s|e|f|a|k|d != 0 {
		dst = append(dst, 0x80|z)
		z = byte(f&1<<6 | s&3<<4 | k&1<<3 | a&1<<2 | e&1<<1 | d&1)
		s, e, f, a, k, d = s>>2, e>>1, f>>1, a>>1, k>>1, d>>1
	}
	return append(dst, z)
}

// AppendSizes encodes version 5's sizes of the code info and the cell list.
func AppendSizes(dst []byte, info, cells int) []byte {
	for {
		z := byte(info&0x3f<<1 | cells&1)
		info, cells = info>>6, cells>>1
		if info|cells == 0 {
			return append(dst, z)
		}
		dst = append(dst, 0x80|z)
	}
}
