// Package syntax turns MicroPython source text into tokens and tokens into
// the parse tree that MicroPython's own parser would build, to the last node,
// because the compiler's bytes depend on the tree's shape. While it works it
// charges a Budget with everything the device would allocate.
//
// It knows releases v1.9.4 to v1.12. It is not a Python 3 parser: it accepts
// and refuses exactly what the device does. It does not compile, and it does
// not keep names or objects: Names and Budget do.
package syntax
