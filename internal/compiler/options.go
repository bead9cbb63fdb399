package compiler

import (
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// Options say which compiler is meant and what compiling costs there.
type Options struct {
	// Version is the .mpy version of the bytecode, and with it the release:
	// 3 (v1.10), 4 (v1.11; also for 0) or 5 (v1.12).
	Version int
	// OptLevel is what -O or micropython.opt_level gave: from 1 on there is
	// no assert, from 3 on there are no line numbers.
	OptLevel int
	// Mode is what sort of source text it is.
	Mode syntax.Mode
	// IsREPL makes expression statements of the module print their value.
	IsREPL bool

	// SmallIntBits is the width of a small int where the code will run; 0
	// means 31.
	SmallIntBits int
	// HostSmallIntBits is the width of a small int where the compiler runs:
	// 63 in a cross-compiler; 0 means the same as SmallIntBits. Between the
	// two lie the constants that only the emitter turns into objects.
	HostSmallIntBits int
	// Unicode is for strings that are UTF-8.
	Unicode bool
	// NoFloat and NoComplex are for firmware without these types.
	NoFloat, NoComplex bool
	// Detail is how much error messages say.
	Detail syntax.Detail
	// Features are the compiler's optional parts.
	Features Features

	// Budget is charged for what the compiler allocates; nil for none. With a
	// Budget numbers among the constants stay as written, because their
	// objects are on the heap already.
	Budget syntax.Budget
	// Names is the table of names; nil for a fresh one.
	Names syntax.Names
	// ReaderBytes is charged for the reader of the source text.
	ReaderBytes int
	// Opened, if not nil, is called when the text has been opened, before it is
	// parsed; its error ends the compilation.
	Opened func() error
	// Failed, if not nil, is told of a mistake that the compiler (not the parser)
	// finds, at once; Located of its place, at the end, before what the compiler
	// took is given back. Source: compile_syntax_error and the end of
	// mp_compile_to_raw_code in py/compile.c.
	Failed  func(*syntax.Error)
	Located func(*Error)
	// Locals, if not nil, is told of each function, once it is compiled, which local
	// variable has which name; code does not say. The first ones, free of them, belong
	// to functions around it.
	Locals func(code *mpy.RawCode, names map[int]string, free int)
	// RawCodeBytes is the size of a raw code: 12, or 20 on firmware that can
	// save code; 0 means 12.
	RawCodeBytes int
	// NoAlloca is firmware whose scratch buffers come from the heap and are
	// never given back (MICROPY_NO_ALLOCA).
	NoAlloca bool
}

// Features are the parts of the compiler that firmware may be built with, by
// upstream's names. The zero value has none of them.
type Features struct {
	// DoubleTupleAssign is MICROPY_COMP_DOUBLE_TUPLE_ASSIGN: a, b = c, d
	// makes no tuple. TripleTupleAssign is the same for three.
	DoubleTupleAssign, TripleTupleAssign bool
	// ReturnIfExpr is MICROPY_COMP_RETURN_IF_EXPR: "return a if c else b"
	// returns from two places.
	ReturnIfExpr bool
	// OrderedDictLiteral is MICROPY_COMP_CONST_LITERAL in firmware with
	// OrderedDict: OrderedDict({...}) keeps the order. From v1.11 on.
	OrderedDictLiteral bool
	// NoCPythonCompat is firmware without MICROPY_CPYTHON_COMPAT.
	NoCPythonCompat bool
	// NoSourceLine is firmware without MICROPY_ENABLE_SOURCE_LINE.
	NoSourceLine bool
	// MapCache is MICROPY_OPT_CACHE_MAP_LOOKUP_IN_BYTECODE: a byte for the
	// run time's cache follows some instructions.
	MapCache bool
	// NativeFlags is a compiler that has a native emitter, as mpy-cross has
	// from v1.11 on: in .mpy version 4 it marks in the prelude which scopes
	// use globals and constants.
	NativeFlags bool
}

// CrossOptions are those of mpy-cross -mno-unicode -msmall-int-bits=31 of the
// release with the .mpy version 3, 4 or 5. They serve for one compilation,
// because the table of names in them grows.
func CrossOptions(version int) Options {
	return Options{
		Version:          version,
		SmallIntBits:     31,
		HostSmallIntBits: 63,
		Detail:           syntax.DetailFull,
		Names:            mpy.NewCompilerNames(version),
		Features: Features{
			DoubleTupleAssign: true,
			TripleTupleAssign: true,
			ReturnIfExpr:      true,
			NativeFlags:       version >= 4,
		},
	}
}

// withDefaults fills in what 0 stands for.
func (o Options) withDefaults() Options {
	if o.Version == 0 {
		o.Version = 4
	}
	if o.SmallIntBits == 0 {
		o.SmallIntBits = 31
	}
	if o.HostSmallIntBits == 0 {
		o.HostSmallIntBits = o.SmallIntBits
	}
	if o.RawCodeBytes == 0 {
		o.RawCodeBytes = 12
	}
	if o.Version >= 5 {
		o.Features.NativeFlags = false // there is no room for them
	}
	return o
}

// parseOptions are the part that the parser needs.
func (o *Options) parseOptions() syntax.Options {
	release := map[int]syntax.Version{3: syntax.V110, 4: syntax.V111, 5: syntax.V112}
	return syntax.Options{
		Version:      release[o.Version],
		SmallIntBits: o.HostSmallIntBits,
		Unicode:      o.Unicode,
		OptLevel:     o.OptLevel,
		NoFloat:      o.NoFloat,
		NoComplex:    o.NoComplex,
		Detail:       o.Detail,
		Budget:       o.Budget,
		Names:        o.Names,
		ReaderBytes:  o.ReaderBytes,
		Opened:       o.Opened,
	}
}

// ParseOptions are the options for parsing a text whose tree is then handed to
// [CompileTree].
func (o *Options) ParseOptions() syntax.Options {
	c := o.withDefaults()
	return c.parseOptions()
}
