package mpy

// A block is a handler that is set up: an entry of the exception stack.
type block struct {
	parent *block
	count  int // blocks including this one
	except bool
	with   bool
	// loose: the handler is the end of an async with statement, which shuffles
	// what it was entered with among values.
	loose bool
	// base is the depth of the stack that the handler is entered on.
	base int
	// handler is the offset of the handler's first instruction.
	handler int
	// slack is that of the code that set the block up.
	slack int
}

// maxSlack3 bounds slack in version 3: more finally handlers than that, one
// inside the other, no compiler sets up.
const maxSlack3 = 16

func (b *block) size() int {
	if b == nil {
		return 0
	}
	return b.count
}

// A state is what is known before an instruction.
type state struct {
	reached bool
	queued  bool
	depth   int32 // of the value stack
	// slack is how many slots there may be besides: a finally handler starts
	// with one slot above the stack if an exception brought it there, with
	// two if a return, break or continue did. Depth counts the first case.
	slack   int32
	block   *block
	regions *region
}

// follow runs the code on depths alone, along all paths, until nothing new
// comes up.
func (a *analysis) follow() error {
	a.flow = make([]state, len(a.instrs))
	a.blocks = make(map[int]*block)
	if a.mod.Version == 3 {
		a.nest()
	} else {
		a.regions = make(map[region]*region)
	}
	if err := a.reach(0, a.CodeOffset, a.CodeOffset, state{}); err != nil {
		return err
	}
	for len(a.work) > 0 {
		i := a.work[len(a.work)-1]
		a.work = a.work[:len(a.work)-1]
		a.flow[i].queued = false
		if err := a.step(i); err != nil {
			return err
		}
	}
	a.depth = make([]int32, len(a.code))
	for i := range a.depth {
		a.depth[i] = -1
	}
	for i := range a.flow {
		if a.flow[i].reached {
			a.depth[a.instrs[i].at] = a.flow[i].depth
		}
	}
	return nil
}

// nest works out the handlers set up before each instruction of version 3. Its
// POP_BLOCK and POP_EXCEPT take handlers off the exception stack on some ways
// to an instruction and not on others, so what is followed instead is how the
// code is nested: from each handler's set-up to its END_FINALLY.
func (a *analysis) nest() {
	a.nesting = make([]*block, len(a.instrs))
	var top *block
	for i := range a.instrs {
		a.nesting[i] = top
		switch in := &a.instrs[i]; in.Op {
		case OpSetupWith, OpSetupExcept, OpSetupFinally:
			top = &block{parent: top, count: top.size() + 1}
			a.blocks[in.at] = top
		case OpEndFinally:
			if top != nil {
				top = top.parent
			}
		}
	}
}

// reach notes that the instruction at an offset can be come to in a state,
// from the instruction at another.
func (a *analysis) reach(depth, from, to int, s state) error {
	if to < a.CodeOffset || to > len(a.code) {
		return a.fail(from, "it jumps out of the function")
	}
	if to == len(a.code) {
		return a.fail(from, "the code does not end with a return")
	}
	i := int(a.index[to]) - 1
	if i < 0 {
		return a.fail(from, "it jumps into the middle of an instruction")
	}
	s.depth = int32(depth)
	if b := s.block; a.regions != nil && b != nil && to == b.handler && !b.loose && s.regions.end() != depth {
		// It goes on into the handler, which a compiler makes it do with None.
		if prev := &a.instrs[i-1]; b.except || depth != b.base+1 || i == 0 || prev.at != from || prev.Op != OpLoadConstNone {
			return a.fail(from, "it comes to a handler without what that needs")
		}
		a.mark(&s, regionCause, b.base, 1)
	}
	if a.nesting != nil {
		// There the way back from a handler need not be its end, so that slack
		// is not always taken back.
		s.block, s.slack = a.nesting[i], min(s.slack, maxSlack3)
	}
	if err := a.fits(from, depth); err != nil {
		return err
	}
	old := &a.flow[i]
	if !old.reached {
		s.reached, s.queued = true, true
		*old = s
		a.work = append(a.work, i)
		return nil
	}
	if old.depth != s.depth {
		return a.fail(from, "it comes to offset %d with %d values on the stack, another way with %d", to, s.depth, old.depth)
	}
	if old.block != s.block {
		return a.fail(from, "it comes to offset %d with other handlers set up than another way", to)
	}
	if old.regions != s.regions {
		return a.fail(from, "it comes to offset %d with other things on the stack than another way", to)
	}
	if s.slack > old.slack {
		old.slack = s.slack
		if !old.queued {
			old.queued = true
			a.work = append(a.work, i)
		}
	}
	return nil
}

// fits checks that so many values have room on the stack.
func (a *analysis) fits(at, depth int) error {
	if depth > a.limit {
		return a.fail(at, "the stack holds %d values, the frame has room for %d", depth, a.limit)
	}
	a.MaxDepth = max(a.MaxDepth, depth)
	return nil
}

// step follows one instruction to all that can come next.
func (a *analysis) step(i int) error {
	in, s := &a.instrs[i], a.flow[i]
	s.queued, s.reached = false, false
	depth := int(s.depth)
	pop, push := in.Effect()
	if pop > depth+int(s.slack) {
		return a.fail(in.at, "%v takes %d values off a stack of %d", in.Op, pop, depth)
	}
	after := depth - pop + push
	to, _ := in.target(in.next)
	below, err := a.stack(in, &s, depth, pop)
	if err != nil {
		return err
	}

	switch in.Op {
	case OpReturnValue, OpRaiseVarargs, OpRaiseLast, OpRaiseObj, OpRaiseFrom:
		return nil
	case OpJump:
		return a.reach(depth, in.at, to, s)
	case OpPopJumpIfTrue, OpPopJumpIfFalse:
		if err := a.reach(after, in.at, to, s); err != nil {
			return err
		}
	case OpJumpIfTrueOrPop, OpJumpIfFalseOrPop:
		if err := a.reach(depth, in.at, to, s); err != nil {
			return err
		}
	case OpForIter:
		end := s
		if a.regions != nil {
			end.regions = below
		}
		if err := a.reach(depth-IterSlots, in.at, to, end); err != nil {
			return err
		}
	case OpSetupWith, OpSetupExcept, OpSetupFinally:
		return a.setup(in, s, after, to)
	case OpPopExceptJump:
		if s.block == nil {
			return a.fail(in.at, "no handler is set up")
		}
		s.block, s.slack = s.block.parent, int32(s.block.slack)
		return a.reach(depth, in.at, to, s)
	case OpWithCleanup:
		// It calls __exit__ with three arguments.
		if err := a.fits(in.at, depth+2); err != nil {
			return err
		}
	case OpEndFinally:
		return a.endFinally(in, s, after)
	case OpUnwindJump:
		return a.unwind(in, s, to)
	case OpStoreComp:
		if in.Arg>>2 >= depth {
			return a.fail(in.at, "the comprehension's result would be %d deep in a stack of %d", in.Arg>>2, depth)
		}
	}
	return a.reach(after, in.at, in.next, s)
}

// stack keeps account of the regions that an instruction takes away and makes;
// for FOR_ITER it gives the list when the loop has ended.
func (a *analysis) stack(in *placed, s *state, depth, pop int) (below *region, err error) {
	if a.regions == nil {
		return nil, nil
	}
	switch in.Op {
	case OpForIter:
		below, ok := s.iterator(depth)
		if !ok {
			return nil, a.fail(in.at, "FOR_ITER without an iterator")
		}
		return below, nil
	case OpEndFinally:
		if b := s.block; b != nil && b.loose {
			return nil, a.touch(in, s, depth-pop)
		}
		if err := a.cause(in, s); err != nil {
			return nil, err
		}
		s.regions = s.regions.below
		return nil, nil
	case OpWithCleanup:
		if err := a.cause(in, s); err != nil {
			return nil, err
		}
		b := s.block
		s.regions = s.regions.below
		if !b.with || depth != b.base+1 || s.regions.end() > b.base-2 {
			return nil, a.fail(in.at, "WITH_CLEANUP in no with statement")
		}
		a.mark(s, regionCause, b.base-2, 1)
		return nil, nil
	case OpUnwindJump:
		return nil, nil
	}
	if err := a.touch(in, s, depth-pop); err != nil {
		return nil, err
	}
	switch in.Op {
	case OpGetIterStack:
		a.mark(s, regionIter, depth-1, IterSlots)
	case OpLoadNull:
		a.mark(s, regionNull, depth, 1)
	case OpStoreComp:
		if s.inRegion(depth - 1 - in.Arg>>2) {
			return nil, a.fail(in.at, "the comprehension's result is no value")
		}
	}
	return nil, nil
}

// indexOf gives the instruction at an offset, or -1.
func (a *analysis) indexOf(offset int) int {
	if offset < a.CodeOffset || offset >= len(a.code) {
		return -1
	}
	return int(a.index[offset]) - 1
}

// setup follows an instruction that sets up a handler: into what it protects
// and into the handler.
func (a *analysis) setup(in *placed, s state, after, handler int) error {
	base := after
	if in.Op == OpSetupWith {
		// __enter__ is looked up above __exit__ and the context manager; its
		// result is not there yet when the handler is noted.
		if err := a.fits(in.at, after+1); err != nil {
			return err
		}
		base--
	}
	except := in.Op == OpSetupExcept
	if s.block.size()+1 > a.NExcStack {
		return a.fail(in.at, "it sets up %d handlers, the frame has room for %d", s.block.size()+1, a.NExcStack)
	}
	b := a.blocks[in.at]
	if b == nil {
		b = &block{parent: s.block, count: s.block.size() + 1}
		a.blocks[in.at] = b
	}
	b.except, b.handler, b.slack = except, handler, max(b.slack, int(s.slack))
	b.with, b.base = in.Op == OpSetupWith, base
	if i := a.indexOf(handler); i >= 0 {
		b.loose = in.Op == OpSetupFinally && a.instrs[i].Op == OpDupTop
	}

	entry := s
	entry.block = b
	if !except {
		entry.slack++
		// Room for what a return puts there.
		if err := a.fits(in.at, base+2); err != nil {
			return err
		}
	}
	if a.regions != nil && !b.loose {
		kind := regionCause
		if except {
			kind = regionExc
		}
		a.mark(&entry, kind, base, 1)
	}
	if err := a.reach(base+1, in.at, handler, entry); err != nil {
		return err
	}
	s.block = b
	return a.reach(after, in.at, in.next, s)
}

// endFinally follows the end of a handler to what comes after it.
func (a *analysis) endFinally(in *placed, s state, after int) error {
	if s.block == nil {
		return a.fail(in.at, "no handler is set up")
	}
	s.block, s.slack = s.block.parent, int32(s.block.slack)
	return a.reach(after, in.at, in.next, s)
}

// unwind follows a jump that leaves handlers behind and runs those that are
// for finally and with.
func (a *analysis) unwind(in *placed, s state, to int) error {
	depth := int(s.depth)
	// The destination and the count are pushed.
	if err := a.fits(in.at, depth+2); err != nil {
		return err
	}
	for n := int(in.Extra & 0x7f); n > 0; n-- {
		b := s.block
		if b == nil {
			return a.fail(in.at, "it leaves %d handlers more than are set up", n)
		}
		if !b.except {
			if b.handler <= in.at {
				// The handler is running. What made it run stays in v1.10 and v1.11.
				a.LeavesFinally = true
				depth--
				if a.regions != nil {
					depth = b.base
				}
			} else if a.regions != nil && depth != b.base {
				return a.fail(in.at, "it leaves more on the stack than a handler expects")
			} else if b.loose {
				depth--
			} else if i := a.index[b.handler]; i > 0 && a.instrs[i-1].Op == OpWithCleanup {
				depth -= 2
			}
		}
		s.drop(depth)
		s.block, s.slack = b.parent, int32(b.slack)
	}
	if in.Extra&0x80 != 0 {
		below, ok := s.iterator(depth)
		if a.regions != nil && !ok {
			return a.fail(in.at, "it leaves a for loop without an iterator")
		}
		depth -= IterSlots
		s.regions = below
	}
	if depth < 0 {
		return a.fail(in.at, "it takes more off the stack than there is")
	}
	return a.reach(depth, in.at, to, s)
}
