package syntax

import "strconv"

// Mode is what sort of source text is parsed.
type Mode uint8

// The modes.
const (
	File   Mode = iota // a module, or the argument of exec
	Single             // one statement typed at the prompt
	Eval               // the argument of eval
)

// Version is the MicroPython release whose language is meant.
type Version uint8

// The releases. The zero Version stands for V111.
const (
	V194 Version = iota + 1
	V110
	V111
	V112
)

// Detail is how much the device's error messages say.
type Detail uint8

// The levels of detail, as firmware is built with them.
const (
	DetailNormal Detail = iota
	DetailTerse
	DetailFull
)

// Options say which MicroPython reads the text and what it costs there.
type Options struct {
	Version Version
	// SmallIntBits is the width of a small int where the parser runs: 31 on
	// the device (and for 0), 63 in a cross-compiler on a PC.
	SmallIntBits int
	// Unicode makes escapes above 127 in strings UTF-8, as in firmware built
	// with unicode strings; else they are bytes.
	Unicode bool
	// OptLevel is what -O gives: __debug__ is False from 1 on.
	OptLevel int
	// NoFloat and NoComplex are for firmware without these types.
	NoFloat, NoComplex bool
	Detail             Detail

	// Budget is charged for everything the device allocates; nil for none.
	Budget Budget
	// Names decides which strings become names; nil for a table that knows
	// only what this text has interned.
	Names Names
	// ReaderBytes is charged for the reader of the source: 16 for text in
	// memory, 32 for a file; 0 for none.
	ReaderBytes int
	// Leaf, if not nil, is told where the leaf n begins: its line and its column, in
	// bytes, both from 1. A token that is a leaf, such as None, is the same node
	// everywhere.
	Leaf func(n *Node, line, column uint32)
	// Opened, if not nil, is called when the lexer stands at its first token and
	// before anything is parsed; its error ends the parse.
	Opened func() error
}

// Tree is a parsed source text.
type Tree struct {
	Root *Node
	// Name is the name of the source.
	Name string

	budget Budget
	chunks []Ref
}

// Release gives back what the tree costs on the device. The device's compiler
// does so when it has made all scopes' code.
func (t *Tree) Release() {
	for i := len(t.chunks) - 1; i >= 0; i-- {
		t.budget.Free(t.chunks[i])
	}
	t.chunks = nil
}

// Parse reads src as source text called name. Its error is an *Error, or
// what the Budget or the Names refused with. After an error nothing that was
// charged is given back: the device leaves it all to its collector.
func Parse(src []byte, name string, mode Mode, o Options) (*Tree, error) {
	if o.Version == 0 {
		o.Version = V111
	}
	if o.SmallIntBits == 0 {
		o.SmallIntBits = 31
	}
	p := parser{opts: &o}
	return p.parse(src, name, mode)
}

// ErrorKind is the Python exception that an Error is.
type ErrorKind uint8

// The kinds of error.
const (
	SyntaxError ErrorKind = iota
	IndentationError
	NotImplementedError
	OverflowError
)

var errorKindNames = [...]string{"SyntaxError", "IndentationError", "NotImplementedError", "OverflowError"}

// String gives the name of the exception.
func (k ErrorKind) String() string { return errorKindNames[k] }

// QuoteBuffer is the first size of the buffer for a message that quotes the text.
// Source: mp_parse_num_integer in py/parsenum.c.
const QuoteBuffer = 50

// Error is a text that the device refuses to compile.
type Error struct {
	Kind ErrorKind
	// Msg is the text of the exception.
	Msg string
	// Format is the format string that Msg was made from; empty if Msg is a
	// text in the firmware. It decides what the exception costs.
	Format string
	// Quoted is the end of Msg that was printed behind Format byte by byte, into a
	// buffer of QuoteBuffer bytes; empty if there is none.
	Quoted string
	// Name and Line are the traceback's only entry; Line 0 means that the
	// exception has no traceback.
	Name string
	Line uint32
	// At is the line for those who read Error where the exception has none.
	At uint32
}

// Error gives the place and the message on one line.
func (e *Error) Error() string {
	line := e.Line
	if line == 0 {
		line = e.At
	}
	if line == 0 {
		return e.Kind.String() + ": " + e.Msg
	}
	return e.Name + ":" + strconv.FormatUint(uint64(line), 10) + ": " + e.Kind.String() + ": " + e.Msg
}
