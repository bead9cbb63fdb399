package vm

import (
	"errors"

	"github.com/skep-sim/skep/internal/memory"
	"github.com/skep-sim/skep/internal/mpy"
)

// This file puts compiled code into the device's memory: from .mpy files, from
// the compiler's output, and into an image of bundle flash.
//
// A raw code object is: flags, address of the bytecode, address of the const
// table, and two more words on builds that can save code. A const table is the
// argument names, the constant objects, the child raw codes.

const (
	rawTag       = 1 << 0 // the word is no address
	rawGenerator = 1 << 1
	rawKwDefs    = 1 << 2 // it has defaults of keyword-only arguments
	rawDefs      = 8      // shift: how many defaults of positional arguments
	rawWords     = 3
	rawWordsSave = 5
)

func (o *Options) rawCodeBytes() uint32 {
	if o.SaveCode {
		return 4 * rawWordsSave
	}
	return 4 * rawWords
}

// MpyOptions returns what the firmware's loader accepts.
func (o *Options) MpyOptions() mpy.ReadOptions {
	r := mpy.XBee
	r.Version = o.MpyVersion
	return r
}

// ReadMpy reads and verifies the content of a .mpy file. What the device would
// refuse raises ValueError with the device's text; the reason is noted for the
// person at the host.
func (vm *VM) ReadMpy(name string, data []byte) *mpy.Module {
	m, err := mpy.Read(data, vm.opt.MpyOptions())
	if err == nil {
		err = mpy.Verify(m)
	}
	if err != nil {
		vm.Note(name + ": " + err.Error())
		text := "incompatible .mpy file"
		var fe *mpy.FormatError
		if errors.As(err, &fe) && fe.Device != "" {
			text = fe.Device
		}
		vm.RaiseMsg(TypeValueError, text)
	}
	return m
}

// Note tells the person at the host something that the device would not say.
func (vm *VM) Note(text string) {
	if vm.hook.Note != nil {
		vm.hook.Note(text)
	}
}

// Load puts a module's code on the heap, allocating in the order of the
// device's loader, and returns the address of the root raw code.
func (vm *VM) Load(m *mpy.Module) uint32 {
	l := loader{vm: vm, mod: m, ids: make([]Qstr, len(m.Names))}
	if m.Root.SelfRef != 0 {
		for i, n := range m.Names {
			l.ids[i] = vm.Intern(n)
		}
		return l.fill(m.Root)
	}
	return l.read(m.Root)
}

type loader struct {
	vm  *VM
	mod *mpy.Module
	ids []Qstr
}

// readName interns a name as the loader meets it; one that is spelled out in
// the file goes through a temporary buffer.
func (l *loader) readName(n mpy.NameRead) {
	s := l.mod.Names[n.Name]
	if n.Spelled {
		buf := l.vm.Alloc(uint32(len(s)))
		l.ids[n.Name] = l.vm.Intern(s)
		l.vm.Free(buf)
		return
	}
	l.ids[n.Name] = l.vm.Intern(s)
}

// read loads a raw code as read from a file.
func (l *loader) read(rc *mpy.RawCode) uint32 {
	vm := l.vm
	code := vm.Alloc(uint32(len(rc.Code)))
	reads := rc.NameReads
	split := len(reads) - len(rc.ArgNames)
	for _, n := range reads[:split] {
		l.readName(n)
	}
	l.copyCode(code, rc)
	n := uint32(len(rc.ArgNames) + len(rc.Objs) + len(rc.Children))
	table := uint32(0)
	if n > 0 {
		table = vm.Alloc(4 * n)
	}
	at := table / 4
	for i, name := range reads[split:] {
		l.readName(name)
		vm.Mem[at] = l.ids[rc.ArgNames[i]].Value()
		at++
	}
	for i := range rc.Objs {
		vm.Mem[at] = vm.constant(&rc.Objs[i])
		at++
	}
	for _, c := range rc.Children {
		vm.Mem[at] = Value(l.read(c))
		at++
	}
	raw := vm.Alloc(vm.opt.rawCodeBytes())
	vm.fillRaw(raw, rc, code, table)
	return raw
}

// fill writes a raw code that the compiler made into the blocks it allocated.
func (l *loader) fill(rc *mpy.RawCode) uint32 {
	vm := l.vm
	l.copyCode(rc.CodeRef, rc)
	at := rc.TableRef / 4
	for _, n := range rc.ArgNames {
		vm.Mem[at] = l.ids[n].Value()
		at++
	}
	for i := range rc.Objs {
		v := Value(rc.Objs[i].Ref)
		if v == Null {
			v = vm.constant(&rc.Objs[i])
		}
		vm.Mem[at] = v
		at++
	}
	for _, c := range rc.Children {
		vm.Mem[at] = Value(l.fill(c))
		at++
	}
	vm.fillRaw(rc.SelfRef, rc, rc.CodeRef, rc.TableRef)
	return rc.SelfRef
}

func (vm *VM) fillRaw(raw uint32, rc *mpy.RawCode, code, table uint32) {
	vm.Mem[raw/4], vm.Mem[raw/4+1], vm.Mem[raw/4+2] = rawFlags(rc), Value(code), Value(table)
}

// rawFlags is the first word of a raw code object.
func rawFlags(rc *mpy.RawCode) Value {
	flags := Value(rawTag | rc.NumDefPos<<rawDefs)
	if rc.ScopeFlags&mpy.ScopeGenerator != 0 {
		flags |= rawGenerator
	}
	if rc.ScopeFlags&mpy.ScopeDefKwArgs != 0 {
		flags |= rawKwDefs
	}
	return flags
}

// copyCode copies bytecode to its place with the numbers of the names put in.
func (l *loader) copyCode(at uint32, rc *mpy.RawCode) {
	dst := l.vm.Bytes[at : at+uint32(len(rc.Code))]
	copy(dst, rc.Code)
	patchNames(dst, l.mod.Version, func(n mpy.Name) uint16 { return uint16(l.ids[n]) })
}

// patchNames replaces every name operand of a code block.
func patchNames(code []byte, version int, id func(mpy.Name) uint16) {
	put := func(at int) {
		n := id(mpy.Name(uint16(code[at]) | uint16(code[at+1])<<8))
		code[at], code[at+1] = byte(n), byte(n>>8)
	}
	p, err := mpy.ParsePrelude(code, version)
	if err != nil {
		panic("vm: code was not verified: " + err.Error())
	}
	put(p.NameOffset)
	put(p.NameOffset + 2)
	gen := mpy.GenerationOf(version)
	for at := p.CodeOffset; at < len(code); {
		in, next, err := gen.Decode(code, at)
		if err != nil {
			panic("vm: code was not verified: " + err.Error())
		}
		if in.Op.Info().Operand == mpy.OperandName {
			put(at + 1)
		}
		at = next
	}
}

// constant makes a constant object of a .mpy file, as load_obj does.
func (vm *VM) constant(o *mpy.Obj) Value {
	if o.Kind == mpy.ObjEllipsis {
		return Ellipsis
	}
	v := vm.NewVstrLen(uint32(len(o.Text)))
	copy(v.Bytes(), o.Text)
	switch o.Kind {
	case mpy.ObjStr:
		return v.Object(TypeStr)
	case mpy.ObjBytes:
		return v.Object(TypeBytes)
	case mpy.ObjInt:
		return vm.ParseInt(v.Bytes(), 10)
	}
	return vm.ParseFloat(v.Bytes())
}

// RunRaw runs the code of a module in the given namespaces and returns the
// value of an eval, else None.
func (vm *VM) RunRaw(raw uint32, globals, locals Value) Value {
	_, v := vm.runRaw(raw, globals, locals)
	return v
}

// runRaw is RunRaw that also returns the function object it ran.
func (vm *VM) runRaw(raw uint32, globals, locals Value) (f, v Value) {
	oldGlobals, oldLocals := vm.globals, vm.locals
	vm.globals, vm.locals = globals, locals
	exc := vm.Try(func() {
		mark := vm.Mark()
		f = vm.newFunction(raw, Null, Null)
		vm.Release(mark, f)
		v = vm.Call(f, nil, nil)
	})
	vm.globals, vm.locals = oldGlobals, oldLocals
	if exc != Null {
		vm.Raise(exc)
	}
	return f, v
}

// runMpy runs the body of a module that came from a .mpy file, and then puts
// Options.ImportBlocks into effect.
func (vm *VM) runMpy(raw uint32, globals Value) {
	vm.mpyImports++
	f, _ := vm.runRaw(raw, globals, globals)
	n := vm.opt.ImportBlocks
	if n < 0 {
		vm.Free(uint32(f)) // nobody can call a module's body again
	}
	for ; n > 0; n-- {
		vm.Alloc(memory.BlockBytes)
	}
}
