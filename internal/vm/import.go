package vm

// This file is the import statement.

// Source is what a Finder found.
type Source struct {
	// Package: a directory; the module gets __path__ and its __init__ is run.
	Package bool
	// Path is the module's file, or the package's directory.
	Path string
	// Text is Python source, Mpy the content of a .mpy file; both nil for a package
	// directory without an __init__.
	Text, Mpy []byte
	// Frozen runs the module from code that is loaded already: the address of its
	// raw code in bundle flash, or 0.
	Frozen uint32
}

// Finder looks for module files. name is the module's full name with dots;
// path is the directory of the package it lies in, or "" for the top level.
// It reports false if there is no such module. It may raise.
type Finder func(vm *VM, name, path string) (Source, bool)

func (vm *VM) importName(name Qstr, fromlist, level Value) Value { panic("stub") }
func (vm *VM) importFrom(mod Value, name Qstr) Value             { panic("stub") }
func (vm *VM) importAll(mod Value)                               { panic("stub") }
