// Package dap lets an editor debug a program on a virtual module: it speaks the
// Debug Adapter Protocol with one client over one byte stream, and turns it into
// calls of package debug.
//
// It starts no module: what is to be launched, and what the launch configuration
// says about it, is its caller's matter (Launch). It is no debugger: what a step, a
// breakpoint or a variable is, package debug knows.
package dap
