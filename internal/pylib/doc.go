// Package pylib is the modules that any MicroPython has: gc, micropython, sys,
// and those of its standard library. Each function declares one of them in a
// firmware.
//
// It holds nothing that knows of an XBee, of files, sockets or the clock; what
// such modules need of the world comes from whoever declares them.
package pylib
