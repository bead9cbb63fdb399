// Package mpy holds compiled MicroPython code: the opcode table of the three
// bytecode generations a device may run, the .mpy file format that carries
// them (read, write), a verifier and a disassembler.
//
// It does not compile (internal/compiler makes Modules) and it does not run
// anything (internal/vm loads a Module into a device's memory).
package mpy

// A Module is one compiled source file: the root raw code and the names its
// bytecode refers to.
type Module struct {
	// Version is the .mpy version whose bytecode this is: 3 (MicroPython
	// v1.9.3 to v1.10), 4 (v1.11) or 5 (v1.12).
	Version int
	// Names are the qstrs the module uses. Inside Code a name operand is the
	// two-byte little-endian index of its name in this list, as the device's
	// two-byte qstr ids are; loading a module patches the ids in.
	Names []string
	Root  *RawCode

	// SmallIntBits is the width of the small ints the module was compiled
	// for; 0 stands for 31.
	SmallIntBits int
	// Unicode is whether it was compiled for unicode strings.
	Unicode bool
	// CompilerIDs are the numbers that the cross-compiler which made the file
	// had for the Names, in the same order. A file carries them where a loader
	// puts the device's own: in version 3 all but those that are only names of
	// arguments, in version 4 those of functions and source files, in version
	// 5 none. They mean nothing to a device, but a file is not the same bytes
	// without them. 0 is for a name whose number is not known.
	CompilerIDs []uint16
}

// Name is an index into Module.Names.
type Name uint16

// RawCode is one compiled scope: what the device keeps in an mp_raw_code_t.
type RawCode struct {
	// Code is the whole bytecode block as it lies in the device's memory:
	// prelude, code info, closed-over cell list, then the opcodes.
	Code []byte
	// ArgNames are the first entries of the const table: the names of the
	// positional and then the keyword-only arguments.
	ArgNames []Name
	// Objs follow in the const table.
	Objs []Obj
	// Children follow last.
	Children []*RawCode

	// NameReads lists, for a module read from a file, the names of this raw
	// code in the order the file gives them: those of Code and its prelude
	// (in version 4 the prelude's last, otherwise first), then ArgNames.
	NameReads []NameRead

	// ScopeFlags, NumPos, NumKwOnly and NumDefPos repeat what the prelude
	// says, for those who make function objects; ScopeFlags in the bits below,
	// whatever the version.
	ScopeFlags byte
	NumPos     int
	NumKwOnly  int
	NumDefPos  int

	// SelfRef, CodeRef and TableRef are the heap blocks that the device's
	// compiler has already allocated for the raw code, its bytecode and its
	// const table (0 when cross-compiled or read from a file, or where the
	// part is empty).
	SelfRef, CodeRef, TableRef uint32
}

// A NameRead tells how a file gives a name: spelled out with its length, or as
// a reference to a built-in name or to one spelled out shortly before. A
// loader interns the spelled ones.
type NameRead struct {
	Name    Name
	Spelled bool
}

// ScopeFlags bits, in the numbering of v1.11 (v1.12 preludes number the first
// three otherwise; RawCode.ScopeFlags does not).
const (
	ScopeVarArgs     = 0x01 // has *args
	ScopeVarKeywords = 0x02 // has **kwargs
	ScopeGenerator   = 0x04 // is a generator
	ScopeDefKwArgs   = 0x08 // keyword-only arguments have defaults

	// mpy-cross, which can make machine code, also notes in versions 3 and 4
	// whether a function uses globals (or makes functions) and whether it has
	// constant objects (or makes functions). Bytecode takes no notice.

	ScopeRefGlobals = 0x10
	ScopeHasConsts  = 0x20
)

// ObjKind tells what an Obj holds. The values are the letters of the .mpy format.
type ObjKind byte

// The kinds of constant object in a .mpy file.
const (
	ObjStr      ObjKind = 's'
	ObjBytes    ObjKind = 'b'
	ObjInt      ObjKind = 'i'
	ObjFloat    ObjKind = 'f'
	ObjComplex  ObjKind = 'c'
	ObjEllipsis ObjKind = 'e'
)

// Obj is a constant object of a raw code. Text is the string's or the bytes'
// content, or the decimal text of a number, as the file spells it.
type Obj struct {
	Kind ObjKind
	Text string
	// Ref is the object on the device's heap if the device's parser has made
	// it already, else 0.
	Ref uint32
}
