package mpy

import (
	"fmt"
	"math"
)

// Write gives the .mpy file of a module, byte for byte the one that mpy-cross
// of its version writes for the same code. It fails on code it cannot step
// through; Verify tells more.
func Write(m *Module) ([]byte, error) {
	gen := GenerationOf(m.Version)
	if gen == nil {
		return nil, fmt.Errorf("mpy: cannot write version %d, only 3, 4 and 5", m.Version)
	}
	if m.Root == nil {
		return nil, fmt.Errorf("mpy: module has no code")
	}
	bits := m.SmallIntBits
	if bits == 0 {
		bits = 31
	}
	if bits < 0 || bits > math.MaxUint8 {
		return nil, fmt.Errorf("mpy: small ints of %d bits", bits)
	}
	feature := byte(0)
	if m.Unicode {
		feature = 2
	}
	w := &writer{mod: m, gen: gen, canonical: canonicalNames(m.Names)}
	w.out = append(w.out, 'M', byte(m.Version), feature, byte(bits))
	if m.Version >= 4 {
		w.uint(windowSize)
	}
	w.rawCode(m.Root, 0)
	if w.err != nil {
		return nil, w.err
	}
	return w.out, nil
}

// canonicalNames gives each name the index of its first occurrence, so that a
// list with repetitions is written like one without.
func canonicalNames(names []string) []int32 {
	first := make(map[string]int32, len(names))
	list := make([]int32, len(names))
	for i, s := range names {
		n, ok := first[s]
		if !ok {
			n = int32(i)
			first[s] = n
		}
		list[i] = n
	}
	return list
}

type writer struct {
	mod       *Module
	gen       *Generation
	canonical []int32
	window    nameWindow
	out       []byte
	err       error
}

func (w *writer) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("mpy: "+format, args...)
	}
}

func (w *writer) uint(n int) { w.out = AppendUint(w.out, uint(n)) }

// text writes a counted string.
func (w *writer) text(s string) {
	w.uint(len(s))
	w.out = append(w.out, s...)
}

func (w *writer) rawCode(rc *RawCode, depth int) {
	if depth > maxDepth {
		w.fail("more than %d functions inside each other", maxDepth)
		return
	}
	p, err := rc.Prelude(w.mod.Version)
	if err != nil {
		w.fail("prelude: %v", err)
		return
	}
	if n := p.NumPos + p.NumKwOnly; n != len(rc.ArgNames) {
		w.fail("function has %d arguments but %d names for them", n, len(rc.ArgNames))
		return
	}
	switch w.mod.Version {
	case 3:
		w.code3(rc, &p)
	case 4:
		w.uint(len(rc.Code) << 2)
		start := len(w.out)
		w.out = append(w.out, rc.Code[:p.CodeOffset]...)
		w.compilerID(start+p.NameOffset, p.Name(rc.Code))
		w.compilerID(start+p.NameOffset+2, p.SourceFile(rc.Code))
		w.instructions(rc, &p)
		w.name(p.Name(rc.Code))
		w.name(p.SourceFile(rc.Code))
	case 5:
		w.uint(len(rc.Code) << 2)
		w.out = append(w.out, rc.Code[:p.NameOffset]...)
		w.name(p.Name(rc.Code))
		w.name(p.SourceFile(rc.Code))
		w.out = append(w.out, rc.Code[p.LineOffset:p.CodeOffset]...)
		w.instructions(rc, &p)
	}
	w.uint(len(rc.Objs))
	w.uint(len(rc.Children))
	for _, n := range rc.ArgNames {
		w.name(n)
	}
	for i := range rc.Objs {
		w.object(&rc.Objs[i])
	}
	for _, child := range rc.Children {
		w.rawCode(child, depth+1)
	}
}

// code3 writes the whole code block, in it the compiler's numbers of the
// names, and then the names.
func (w *writer) code3(rc *RawCode, p *Prelude) {
	w.uint(len(rc.Code))
	start := len(w.out)
	w.out = append(w.out, rc.Code...)
	var names []Name
	number := func(at int) {
		name := nameAt(rc.Code, at)
		names = append(names, name)
		w.compilerID(start+at, name)
	}
	number(p.NameOffset)
	number(p.NameOffset + 2)
	for at := p.CodeOffset; at < len(rc.Code); {
		next, named := w.step(rc.Code, at)
		if w.err != nil {
			return
		}
		if named {
			number(at + 1)
		}
		at = next
	}
	for _, n := range names {
		w.name(n)
	}
}

// compilerID puts the compiler's number of a name at a place of the output.
func (w *writer) compilerID(at int, name Name) {
	id := uint16(0)
	if int(name) < len(w.mod.CompilerIDs) {
		id = w.mod.CompilerIDs[name]
	}
	w.out[at], w.out[at+1] = byte(id), byte(id>>8)
}

// instructions writes the instructions with the names between them.
func (w *writer) instructions(rc *RawCode, p *Prelude) {
	for at := p.CodeOffset; at < len(rc.Code); {
		next, named := w.step(rc.Code, at)
		if w.err != nil {
			return
		}
		if named {
			w.out = append(w.out, rc.Code[at])
			w.name(nameAt(rc.Code, at+1))
			at += 3
		}
		w.out = append(w.out, rc.Code[at:next]...)
		at = next
	}
}

// step finds the next instruction as the loader will, and whether a name
// follows this one's first byte.
func (w *writer) step(code []byte, at int) (next int, named bool) {
	s := w.gen.shapes[code[at]]
	next = at + 1
	if s.name {
		next += 2
	}
	if s.uint {
		for next < len(code) && code[next]&0x80 != 0 {
			next++
		}
		next++
	}
	next += s.fixed
	if next > len(code) {
		w.fail("the instruction at offset %d is cut off", at)
	}
	return next, s.name
}

func (w *writer) name(n Name) {
	if int(n) >= len(w.canonical) {
		w.fail("there is no name %d", n)
		return
	}
	s := w.mod.Names[n]
	if w.mod.Version == 3 {
		w.text(s)
		return
	}
	if number, ok := staticNumbers[s]; ok {
		w.out = append(w.out, 0, number)
		return
	}
	if back := w.window.insert(w.canonical[n] + 1); back < windowSize {
		w.uint(back<<1 | 1)
		return
	}
	w.uint(len(s) << 1)
	w.out = append(w.out, s...)
}

func (w *writer) object(o *Obj) {
	switch o.Kind {
	case ObjEllipsis:
		w.out = append(w.out, byte(o.Kind))
	case ObjStr, ObjBytes, ObjInt, ObjFloat, ObjComplex:
		w.out = append(w.out, byte(o.Kind))
		w.text(o.Text)
	default:
		w.fail("unknown kind of constant %#02x", byte(o.Kind))
	}
}
