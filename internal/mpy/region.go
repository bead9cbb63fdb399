package mpy

// A region is slots of the value stack that hold no ordinary values: code that
// took them for such, or made such look like them, could have the interpreter
// follow addresses that are none. Regions of one state are a list, the topmost
// first; equal ones are the same pointer.
type region struct {
	kind    regionKind
	base, n int32 // slots base to base+n-1
	below   *region
}

type regionKind uint8

const (
	regionIter  regionKind = iota // the iterator of a for loop
	regionNull                    // no value at all, from LOAD_NULL
	regionExc                     // the exception that an except handler was entered with
	regionCause                   // what a finally handler was entered with
)

func (r *region) end() int {
	if r == nil {
		return 0
	}
	return int(r.base + r.n)
}

// mark puts a region on top of a state's list.
func (a *analysis) mark(s *state, kind regionKind, base, n int) {
	r := region{kind, int32(base), int32(n), s.regions}
	p := a.regions[r]
	if p == nil {
		p = &r
		a.regions[r] = p
	}
	s.regions = p
}

// drop forgets the regions that a stack of so many values does not hold.
func (s *state) drop(depth int) {
	for s.regions.end() > depth {
		s.regions = s.regions.below
	}
}

// touch checks what an instruction does to the slots from low to depth-1, and
// forgets regions that it takes away.
func (a *analysis) touch(in *placed, s *state, low int) error {
	depth := int(s.depth)
	if b := s.block; b != nil && low < b.floor() && depth > low {
		return a.fail(in.at, "%v takes what lay on the stack before its handler was set up", in.Op)
	}
	if r := s.regions; r != nil && (in.Op == OpRotTwo || in.Op == OpRotThree) && r.end() == depth && r.kind == regionNull && r.below.end() <= low {
		s.regions = r.below
		a.mark(s, regionNull, low, 1)
		return nil
	}
	for r := s.regions; r != nil && r.end() > low; r = s.regions {
		onTop := r.end() == depth
		switch {
		case in.Op == OpPopTop && onTop && r.kind != regionCause:
			s.regions = r.below
			if r.n > 1 {
				a.mark(s, r.kind, int(r.base), int(r.n)-1)
			}
			return nil
		case in.Op == OpDupTop && onTop && r.kind == regionExc:
			return nil
		case r.kind == regionExc, r.kind == regionNull && takesNull(in.Op):
			s.regions = r.below
		default:
			return a.fail(in.at, "%v takes what is no value", in.Op)
		}
	}
	return nil
}

// floor is how far down the stack belongs to a block and its handler.
func (b *block) floor() int {
	if b.loose {
		return b.base - 2 // the context manager, and what a return or jump puts besides
	}
	return b.base
}

func takesNull(op Op) bool {
	switch op {
	case OpMakeFunctionDefargs, OpMakeClosureDefargs, OpCallFunctionVarKw, OpCallMethodVarKw,
		OpStoreAttr, OpStoreSubscr: // these two delete
		return true
	}
	return false
}

// iterator gives the list below the iterator on top of the stack: one that
// GET_ITER_STACK made, or NULL, an iterator, NULL, NULL.
func (s *state) iterator(depth int) (below *region, ok bool) {
	r := s.regions
	if r.end() != depth || depth < IterSlots {
		return nil, false
	}
	if r.kind == regionIter {
		return r.below, r.n == IterSlots
	}
	for _, back := range [...]int{1, 2, IterSlots} {
		if r == nil || r.kind != regionNull || int(r.base) != depth-back {
			return nil, false
		}
		r = r.below
	}
	return r, true
}

// inRegion reports whether a slot is part of a region.
func (s *state) inRegion(slot int) bool {
	for r := s.regions; r != nil; r = r.below {
		if slot >= int(r.base) && slot < r.end() {
			return true
		}
	}
	return false
}

// cause checks that what the innermost handler was entered with is on top.
func (a *analysis) cause(in *placed, s *state) error {
	r, b := s.regions, s.block
	if b == nil {
		return a.fail(in.at, "no handler is set up")
	}
	if r.end() != int(s.depth) || r.kind != regionExc && r.kind != regionCause || int(r.base) != b.base && !(b.with && int(r.base) == b.base-2) {
		return a.fail(in.at, "%v without what its handler was entered with", in.Op)
	}
	return nil
}
