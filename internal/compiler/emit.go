package compiler

import (
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// A label is a place in the code of one scope.
type label int

const noLabel label = -1

// A fixup is a jump whose two bytes at pos want the place of target.
type fixup struct {
	pos    int32
	target label
	excess bool // the distance is stored in excess of 0x8000
}

// An emitter writes the code of one scope after the other. While it is quiet
// it writes nothing: that is the pass which only finds out what scopes and
// identifiers there are.
//
// The device's compiler goes through a scope four times, because it must know
// every size before it writes. Here jumps are filled in at the end, so two
// passes do: the quiet one and the one that writes.
type emitter struct {
	gen      *mpy.Generation
	names    *nameTable
	feat     Features
	optLevel int
	quiet    bool

	scope      *scope
	lastReturn bool // the last instruction returned
	stack      int
	lastLine   uint32
	lastOffset int

	code   []byte // cells (up to version 4) and instructions
	lines  []byte // the table of line numbers
	places []int32
	fixups []fixup

	objs     []mpy.Obj
	children []*mpy.RawCode
	// childBase is where children start in the const table; as long as that
	// is unknown their places in the code are kept in childAt.
	childBase int
	childAt   []int32

	// later are what the device allocates while it writes a scope.
	later []charge
	block []byte // scratch for the finished block
}

// A charge is an allocation that waits for the block it comes after: that of
// obj, or of bytes bytes where obj is negative.
type charge struct {
	obj   int
	bytes int
}

// start begins to write s.
func (e *emitter) start(s *scope, childBase int) {
	e.scope = s
	e.lastReturn = false
	e.stack = 0
	e.lastLine = 1
	e.lastOffset = 0
	e.code = e.code[:0]
	e.lines = e.lines[:0]
	e.places = e.places[:0]
	e.fixups = e.fixups[:0]
	e.objs = nil
	e.children = nil
	e.childBase = childBase
	e.childAt = e.childAt[:0]
	e.later = e.later[:0]
	if e.gen.Version() < 5 {
		e.code = append(appendCells(e.code, s), 255)
	}
}

// appendCells adds the numbers of the locals that are cells.
func appendCells(dst []byte, s *scope) []byte {
	for i := range s.ids {
		if s.ids[i].kind == idCell {
			dst = append(dst, byte(s.ids[i].local))
		}
	}
	return dst
}

// adjust says that the code changes the stack's depth by delta. Like on the
// device it also forgets that the last instruction returned.
func (e *emitter) adjust(delta int) {
	if e.quiet {
		return
	}
	e.stack += delta
	if e.stack > e.scope.stackSize {
		e.scope.stackSize = e.stack
	}
	e.lastReturn = false
}

// line says that what follows comes from the source line n.
func (e *emitter) line(n uint32) {
	if e.quiet || n <= e.lastLine || e.optLevel >= 3 || e.feat.NoSourceLine {
		return
	}
	e.lines = mpy.AppendLine(e.lines, len(e.code)-e.lastOffset, int(n-e.lastLine))
	e.lastOffset = len(e.code)
	e.lastLine = n
}

// assign puts l here.
func (e *emitter) assign(l label) {
	e.adjust(0)
	if e.quiet {
		return
	}
	for int(l) >= len(e.places) {
		e.places = append(e.places, -1)
	}
	e.places[l] = int32(len(e.code))
}

// op writes an instruction without operand.
func (e *emitter) op(delta int, op mpy.Op) {
	if e.quiet {
		return
	}
	e.adjust(delta)
	e.code = append(e.code, e.gen.Code(op))
}

// opPlus writes an instruction of a range of codes.
func (e *emitter) opPlus(delta int, op mpy.Op, n int) {
	if e.quiet {
		return
	}
	e.adjust(delta)
	e.code = append(e.code, e.gen.Code(op)+byte(n))
}

// opUint writes an instruction with a number.
func (e *emitter) opUint(delta int, op mpy.Op, n uint) {
	if e.quiet {
		return
	}
	e.op(delta, op)
	e.code = mpy.AppendUint(e.code, n)
}

// opName writes an instruction with a name.
func (e *emitter) opName(delta int, op mpy.Op, q name) {
	if e.quiet {
		return
	}
	ref := e.names.ref(q)
	e.adjust(delta)
	e.code = append(e.code, e.gen.Code(op), byte(ref), byte(ref>>8))
}

// opObj writes an instruction with a constant object.
func (e *emitter) opObj(op mpy.Op, o mpy.Obj) {
	if e.quiet {
		return
	}
	e.opUint(1, op, uint(e.scope.numPos+e.scope.numKwOnly+len(e.objs)))
	e.objs = append(e.objs, o)
}

// opChild writes an instruction with an inner scope's code.
func (e *emitter) opChild(delta int, op mpy.Op, raw *mpy.RawCode) {
	if e.quiet {
		return
	}
	e.op(delta, op)
	if e.childBase >= 0 {
		e.code = mpy.AppendUint(e.code, uint(e.childBase+len(e.children)))
	} else {
		e.childAt = append(e.childAt, int32(len(e.code)))
		e.code = append(e.code, 0)
	}
	e.children = append(e.children, raw)
}

// opJump writes a jump: with a distance in excess of 0x8000 where excess is
// set, forwards only where it is not.
func (e *emitter) opJump(delta int, op mpy.Op, to label, excess bool) {
	if e.quiet {
		return
	}
	e.op(delta, op)
	e.fixups = append(e.fixups, fixup{int32(len(e.code)), to, excess})
	e.code = append(e.code, 0, 0)
}

// raw writes a byte that belongs to the instruction before.
func (e *emitter) raw(b byte) {
	if !e.quiet {
		e.code = append(e.code, b)
	}
}

// cache writes the byte of the run time's cache, where there is one.
func (e *emitter) cache() {
	if e.feat.MapCache {
		e.raw(0)
	}
}

// link fills in the jumps, and the places of inner scopes in the const table.
// It is false where a place wants more than the byte that was left for it:
// then the scope must be written again with the base that link has found.
func (e *emitter) link() bool {
	base := e.scope.numPos + e.scope.numKwOnly + len(e.objs)
	if e.childBase < 0 {
		e.childBase = base
		if len(e.childAt) > 0 && base+len(e.children) > 0x80 {
			return false
		}
		for i, at := range e.childAt {
			e.code[at] = byte(base + i)
		}
	}
	for _, f := range e.fixups {
		// A distance of more than 16 bits loses its upper part on the device,
		// too.
		d := int(e.places[f.target]) - int(f.pos) - 2
		if f.excess {
			d += 0x8000
		}
		e.code[f.pos] = byte(d)
		e.code[f.pos+1] = byte(d >> 8)
	}
	return true
}

// finish makes the scope's block: prelude, code info, cells and code. It
// fails where the device's compiler would have made a block that its own run
// time takes for another.
func (e *emitter) finish() *syntax.Error {
	s := e.scope
	old := e.gen.Version() < 5
	if old && (s.numPos > 255 || s.numKwOnly > 255 || s.numDefPos > 255) {
		return &syntax.Error{Msg: "too many arguments"}
	}
	maxCell := 255
	if old {
		maxCell = 254 // 255 ends the list
	}
	for i := range s.ids {
		if s.ids[i].kind == idCell && s.ids[i].local > maxCell {
			return &syntax.Error{Msg: "too many local variables"}
		}
	}
	if !e.prelude() {
		return &syntax.Error{Msg: "function has too many lines"}
	}
	e.block = append(e.block, e.code...)
	s.raw.Code = append(make([]byte, 0, len(e.block)), e.block...)
	s.raw.Objs = e.objs
	s.raw.Children = e.children
	s.raw.ArgNames = e.argNames()
	s.raw.ScopeFlags = s.flags
	s.raw.NumPos, s.raw.NumKwOnly, s.raw.NumDefPos = s.numPos, s.numKwOnly, s.numDefPos
	return nil
}

// numState is how many slots a frame of s has. One at least, as an exception
// leaves in the highest.
func (s *scope) numState() int { return max(s.numLocals+s.stackSize, 1) }

// prelude writes what comes before the code. Up to version 4 the device
// leaves two bytes for the size of the code info before it knows it; if one is
// enough, a zero byte ends up behind the info. It is false where two are too
// few.
func (e *emitter) prelude() bool {
	s, version := e.scope, e.gen.Version()
	p := mpy.Prelude{
		NState:     s.numState(),
		NExcStack:  s.excStackSize,
		ScopeFlags: s.flags,
		NumPos:     s.numPos,
		NumKwOnly:  s.numKwOnly,
		NumDefPos:  s.numDefPos,
	}
	b := p.AppendSignature(e.block[:0], version)
	if version >= 5 {
		cells := 0
		for i := range s.ids {
			if s.ids[i].kind == idCell {
				cells++
			}
		}
		b = mpy.AppendSizes(b, e.infoSize(), cells)
		e.block = appendCells(e.appendInfo(b), s)
		return true
	}
	size := 2 + e.infoSize()
	if size >= 1<<14 {
		return false
	}
	end := len(b) + size
	b = e.appendInfo(mpy.AppendUint(b, uint(size)))
	for len(b) < end {
		b = append(b, 0)
	}
	e.block = b
	return true
}

// infoSize is how many bytes appendInfo adds.
func (e *emitter) infoSize() int { return 4 + len(e.lines) + 1 }

// appendInfo adds the names of scope and source, and the line numbers.
func (e *emitter) appendInfo(b []byte) []byte {
	simple, source := e.names.ref(e.scope.name), e.names.ref(e.names.source)
	b = append(b, byte(simple), byte(simple>>8), byte(source), byte(source>>8))
	b = append(b, e.lines...)
	return append(b, 0)
}

// argNames are the names that arguments can be passed by; "*" for a variable
// from an outer scope, which has none.
func (e *emitter) argNames() []mpy.Name {
	s := e.scope
	n := s.numPos + s.numKwOnly
	if n == 0 {
		return nil
	}
	args := make([]mpy.Name, n)
	for i := range args {
		q := nameStar
		for j := range s.ids {
			if id := &s.ids[j]; id.flags&idIsParam != 0 && id.local == i {
				q = id.name
				break
			}
		}
		args[i] = e.names.ref(q)
	}
	return args
}
