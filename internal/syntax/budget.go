package syntax

// Ref names one allocation that a Budget has granted. It is the address of
// the block on the device's heap; 0 where there is no budget.
type Ref uint32

// Budget is the device's heap as the lexer, the parser and the compiler see
// it: every structure that MicroPython v1.11 allocates while it compiles is
// charged here at the size and in the order the device charges it, so that
// compiling fills and fragments the heap as it does there. Cross-compiling
// hands in a nil Budget and charges nothing.
//
// A method that fails returns an error that the compiler hands on unchanged;
// whoever made the Budget turns it back into a MemoryError.
type Budget interface {
	// Alloc charges n bytes.
	Alloc(n int) (Ref, error)
	// Resize makes the allocation r n bytes long; it may move it.
	Resize(r Ref, n int) (Ref, error)
	// ResizeInPlace is Resize where the device forbids a move; false means
	// that there was no room and nothing changed.
	ResizeInPlace(r Ref, n int) bool
	// Free gives r back.
	Free(r Ref)
	// Object makes the constant as an object of the language on the heap, as
	// the parser does for every literal that is not a small int or a qstr.
	// For a ConstInt the parser has already allocated what it takes, c.Ref
	// and c.DigitsRef, because when it does so depends on the operation that
	// computes it; Object only fills them in, and gives c.Ref back.
	Object(c *Const) (Ref, error)
}

// Names is the table of interned names (qstrs) that source text is read
// against: it decides which string literals become names.
type Names interface {
	// Intern makes s a qstr if it is none yet.
	Intern(s string) error
	// Interned reports whether s is a qstr already, without making it one.
	Interned(s string) bool
}

// ConstKind tells what a Const holds.
type ConstKind uint8

// The kinds of constant.
const (
	ConstInt      ConstKind = iota // Int: an integer outside the small int range
	ConstStr                       // Text: a string that is not a qstr
	ConstBytes                     // Text: bytes
	ConstFloat                     // Text: the literal as written, without underscores
	ConstComplex                   // Text: the literal as written, with its j
	ConstEllipsis                  // the object behind "..."
)
