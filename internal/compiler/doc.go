// Package compiler turns a parse tree into bytecode exactly as MicroPython's
// own compiler does: the bytes of every code block, and so of a .mpy file,
// are those of mpy-cross or of the device itself, for v1.10 (.mpy version 3),
// v1.11 (4) and v1.12 (5). Where the device has room for a choice, such as an
// optional optimisation, Options holds it.
//
// While it works it charges a syntax.Budget with everything the device would
// allocate, at the same moment and of the same size, so that compiling on the
// device fills and fragments its heap as it does there.
//
// It is no optimiser and no checker: what the device compiles without a word,
// it compiles as well. It makes no native code. It does not write .mpy files;
// package mpy does.
package compiler
