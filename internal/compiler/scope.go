package compiler

import (
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// idKind tells where the value of an identifier lives.
type idKind uint8

const (
	idUndecided idKind = iota
	idGlobalImplicit
	idGlobalExplicit
	idLocal // written and used by one function only
	idCell  // shared with inner functions
	idFree  // belongs to an outer function
)

// Flags of an ident.
const (
	idIsParam     = 0x01
	idIsStarParam = 0x02
	idIsDblStar   = 0x04
)

// An ident is what a scope knows about one identifier.
type ident struct {
	name  name
	kind  idKind
	flags uint8
	local int // number of the local or of the closed-over variable
}

// scopeKind tells what a scope was made for. Those from scopeLambda on have
// local variables.
type scopeKind uint8

const (
	scopeModule scopeKind = iota
	scopeClass
	scopeLambda
	scopeListComp
	scopeDictComp
	scopeSetComp
	scopeGenExpr
	scopeFunction
)

var scopeNames = [...]name{
	scopeModule:   nameModuleScope,
	scopeLambda:   nameLambdaScope,
	scopeListComp: nameListCompScope,
	scopeDictComp: nameDictCompScope,
	scopeSetComp:  nameSetCompScope,
	scopeGenExpr:  nameGenExprScope,
}

func (k scopeKind) funcLike() bool { return k >= scopeLambda }

// Scope flags beyond those of package mpy, for compilers with a native emitter.
const (
	scopeRefGlobals = 0x10
	scopeHasConsts  = 0x20
)

// A scope is a block of code with identifiers of its own.
type scope struct {
	kind   scopeKind
	parent *scope
	node   *syntax.Node
	raw    *mpy.RawCode
	name   name
	flags  byte // mpy.Scope... and the two above

	numPos, numKwOnly, numDefPos int
	numLocals                    int
	stackSize, excStackSize      int

	ids []ident

	selfRef, idsRef syntax.Ref
	idsAlloc        int
}

// Sizes of the device's structures with 32-bit words (memory-model: scope_t,
// id_info_t, emit_t) and of its arrays' steps.
const (
	scopeBytes   = 48
	identBytes   = 8
	identsInit   = 4
	identsMore   = 6
	emitterBytes = 64
)

// emitterBytesV12 is the emitter's size from v1.12 on.
const emitterBytesV12 = 72

// find gives the identifier q of s, or nil. It stays valid until one is added.
func (s *scope) find(q name) *ident {
	for i := range s.ids {
		if s.ids[i].name == q {
			return &s.ids[i]
		}
	}
	return nil
}

// findOrAdd gives the identifier q of s, which it adds with the kind if need be.
func (c *compiler) findOrAdd(s *scope, q name, kind idKind) *ident {
	if id := s.find(q); id != nil {
		return id
	}
	if len(s.ids) >= s.idsAlloc {
		s.idsAlloc += identsMore
		s.idsRef = c.resize(s.idsRef, identBytes*s.idsAlloc)
	}
	s.ids = append(s.ids, ident{name: q, kind: kind})
	return &s.ids[len(s.ids)-1]
}

// findGlobal gives the identifier q of the module, or nil.
func (s *scope) findGlobal(q name) *ident {
	for s.parent != nil {
		s = s.parent
	}
	return s.find(q)
}

// newScope makes a scope inside the current one and queues it.
func (c *compiler) newScope(kind scopeKind, n *syntax.Node) *scope {
	s := &scope{kind: kind, node: n, parent: c.cur, raw: new(mpy.RawCode), idsAlloc: identsInit}
	s.selfRef = c.alloc(scopeBytes)
	if kind == scopeFunction || kind == scopeClass {
		s.name = c.names.leaf(n.Sub[0])
	} else {
		s.name = scopeNames[kind]
	}
	s.raw.SelfRef = uint32(c.alloc(c.opts.RawCodeBytes))
	s.idsRef = c.alloc(identBytes * identsInit)
	c.scopes = append(c.scopes, s)
	return s
}

// closeOverInParents marks q, which the scope s takes from outside, in the
// scopes around it up to the one that owns it.
func (c *compiler) closeOverInParents(s *scope, q name) {
	for s = s.parent; s != nil && s.parent != nil; s = s.parent {
		id := c.findOrAdd(s, q, idUndecided)
		if id.kind == idUndecided {
			id.kind = idFree
			continue
		}
		if id.kind == idLocal {
			id.kind = idCell
		}
		return
	}
}

// checkToCloseOver makes id free if a function around s has it as a variable.
func (c *compiler) checkToCloseOver(s *scope, id *ident) {
	if s.parent == nil {
		return
	}
	for p := s.parent; p.parent != nil; p = p.parent {
		outer := p.find(id.name)
		if outer == nil {
			continue
		}
		if outer.kind == idLocal || outer.kind == idCell || outer.kind == idFree {
			id.kind = idFree
			c.closeOverInParents(s, id.name)
		}
		return
	}
}

// layOut numbers the locals of s: first those that come from outside, then
// parameters and locals, then cells.
func (s *scope) layOut(nativeFlags bool) {
	if s.flags&mpy.ScopeVarArgs != 0 {
		s.moveStarParam()
	}
	s.numLocals = 0
	for i := range s.ids {
		id := &s.ids[i]
		if s.kind == scopeClass && id.name == nameClassCell {
			// __class__ is no local; if it is used it is a cell.
			continue
		}
		if s.kind.funcLike() && id.kind == idGlobalImplicit {
			id.kind = idGlobalExplicit
		}
		if nativeFlags && id.kind == idGlobalExplicit {
			s.flags |= scopeRefGlobals
		}
		if id.kind == idLocal || id.flags&idIsParam != 0 {
			id.local = s.numLocals
			s.numLocals++
		}
	}
	for i := range s.ids {
		id := &s.ids[i]
		if id.kind == idCell && id.flags&idIsParam == 0 {
			id.local = s.numLocals
			s.numLocals++
		}
	}
	if s.parent != nil {
		s.layOutFree()
	}
}

// moveStarParam puts *x behind all other parameters but **y.
func (s *scope) moveStarParam() {
	last := -1
	for i := len(s.ids) - 1; i >= 0; i-- {
		id := &s.ids[i]
		if id.flags&idIsStarParam != 0 {
			if last >= 0 {
				s.ids[last], s.ids[i] = s.ids[i], s.ids[last]
			}
			return
		}
		if last < 0 && id.flags == idIsParam {
			last = i
		}
	}
}

// layOutFree puts the variables from outside first, in the order of the scope
// around: they are passed in like parameters.
func (s *scope) layOutFree() {
	numFree := 0
	for i := range s.parent.ids {
		outer := &s.parent.ids[i]
		if outer.kind != idCell && outer.kind != idFree {
			continue
		}
		if id := s.find(outer.name); id != nil && id.kind == idFree {
			id.local = numFree
			numFree++
		}
	}
	if numFree == 0 {
		return
	}
	for i := range s.ids {
		if id := &s.ids[i]; id.kind != idFree || id.flags&idIsParam != 0 {
			id.local += numFree
		}
	}
	s.numPos += numFree
	s.numLocals += numFree
}
