// Package debug follows a program on a virtual module line by line: breakpoints,
// steps, frames, values, and back in time.
//
// What it looks at it looks at in a copy: when a program stops, its VM is forked
// (design law 1 makes that a copy of one array), and frames, variables and
// expressions are read there. So a program that is debugged has the memory of one
// that is not. The exception is what a user changes on purpose.
//
// Backwards it goes by running the program again. A place in a run is a number, how
// many lines it had passed ([Moment]), and a [Target] that can be played again comes
// to the same place with the same memory; so a step back is another run that stops
// earlier.
//
// It knows no protocol (package dap speaks one) and no module: a Target is handed in.
package debug
