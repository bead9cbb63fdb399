package mpy

import "fmt"

// Verify reports whether a module's code is fit to run: that every
// instruction is known and whole, that operands name what exists, that jumps
// land on instructions, and that the value stack and the exception stack stay
// inside the frame whichever way the code runs. The device itself looks at
// none of this. The error is a *FormatError. All code that mpy-cross writes
// passes.
//
// Verify follows depths, not types: what stands in a stack slot is only known
// when the code runs. Frame tells where even the depth is not certain.
func Verify(m *Module) error {
	if GenerationOf(m.Version) == nil {
		return &FormatError{Device: deviceFile, Reason: fmt.Sprintf("there is no .mpy version %d", m.Version)}
	}
	if len(m.Names) > maxNames {
		return &FormatError{Device: deviceFile, Reason: fmt.Sprintf("%d names, %d are possible", len(m.Names), maxNames)}
	}
	return verifyTree(m, m.Root, 0)
}

func verifyTree(m *Module, rc *RawCode, depth int) error {
	if rc == nil || depth > maxDepth {
		return &FormatError{Device: deviceFile, Reason: fmt.Sprintf("damaged code: a function is missing, or inside more than %d others", maxDepth)}
	}
	if _, err := Analyze(m, rc); err != nil {
		return err
	}
	for _, child := range rc.Children {
		if err := verifyTree(m, child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// A Frame is what Analyze finds out about one function.
type Frame struct {
	Prelude
	// MaxDepth is the deepest the value stack gets by the code's own account.
	// While a finally block or the end of a with statement runs because of a
	// return, break or continue, one slot more is in use than that; the
	// compiler does not allow for it, and neither NState nor this does, so
	// that the topmost local may be overwritten, as on the device. There are
	// never more such slots than NExcStack.
	MaxDepth int
	// LeavesFinally is whether the code jumps out of a finally block that is
	// being run. MicroPython v1.10 and v1.11 then leave the block's state on
	// the value stack, or drop a handler too many from the exception stack, so
	// both stacks can leave the frame: whoever runs such code must check there.
	LeavesFinally bool

	depth []int32
}

// Depth gives how many slots of the value stack are in use before the
// instruction at an offset of the code; -1 where no path leads to, or where no
// instruction starts.
func (f *Frame) Depth(offset int) int {
	if offset < 0 || offset >= len(f.depth) {
		return -1
	}
	return int(f.depth[offset])
}

// Analyze checks one function of m, not those inside it, and returns what it
// found out.
func Analyze(m *Module, rc *RawCode) (*Frame, error) {
	a := &analysis{mod: m, rc: rc, gen: GenerationOf(m.Version), code: rc.Code}
	var err error
	if a.gen == nil {
		return nil, a.fail(0, "there is no .mpy version %d", m.Version)
	}
	if a.Prelude, err = rc.Prelude(m.Version); err != nil {
		return nil, a.fail(0, "prelude: %v", err)
	}
	if err := a.checkSignature(); err != nil {
		return nil, err
	}
	if err := a.checkConstants(); err != nil {
		return nil, err
	}
	if err := a.sweep(); err != nil {
		return nil, err
	}
	if err := a.follow(); err != nil {
		return nil, err
	}
	if err := a.checkTargets(); err != nil {
		return nil, err
	}
	return &a.Frame, nil
}

// An analysis is the state of checking one function.
type analysis struct {
	Frame
	mod  *Module
	rc   *RawCode
	gen  *Generation
	code []byte

	instrs []placed       // in the order of the code
	index  []int32        // by offset: the instruction that starts there + 1
	limit  int            // slots of the frame that are not locals
	flow   []state        // by instruction: the state before it
	work   []int          // instructions to be followed
	blocks map[int]*block // by the offset that sets them up
	// regions holds one of each region; nil in version 3, whose handlers are
	// not followed that closely.
	regions map[region]*region
	// nesting is, in version 3, the innermost block by instruction.
	nesting []*block
}

// placed is an instruction and where it stands.
type placed struct {
	Instr
	at, next int
}

func (a *analysis) fail(at int, format string, args ...any) error {
	name := "?"
	if a.NameOffset > 0 && a.NameOffset+2 <= len(a.rc.Code) {
		if n := a.Name(a.rc.Code); int(n) < len(a.mod.Names) {
			name = a.mod.Names[n]
		}
	}
	return &FormatError{
		Device: deviceFile,
		Reason: fmt.Sprintf("damaged code in function %s: ", name) + fmt.Sprintf(format, args...),
		Offset: at,
	}
}

// checkSignature checks what the prelude says against the rest.
func (a *analysis) checkSignature() error {
	rc, p := a.rc, &a.Prelude
	if p.NumPos+p.NumKwOnly != len(rc.ArgNames) {
		return a.fail(0, "%d arguments but %d names for them", p.NumPos+p.NumKwOnly, len(rc.ArgNames))
	}
	if p.NumDefPos > p.NumPos {
		return a.fail(0, "%d defaults for %d positional arguments", p.NumDefPos, p.NumPos)
	}
	if rc.NumPos != p.NumPos || rc.NumKwOnly != p.NumKwOnly || rc.NumDefPos != p.NumDefPos || rc.ScopeFlags != p.ScopeFlags {
		return a.fail(0, "its raw code has another signature than its prelude")
	}
	locals := p.NumPos + p.NumKwOnly
	if p.ScopeFlags&ScopeVarArgs != 0 {
		locals++
	}
	if p.ScopeFlags&ScopeVarKeywords != 0 {
		locals++
	}
	for _, cell := range p.Cells(a.code) {
		locals = max(locals, int(cell)+1)
	}
	if locals > p.NState {
		return a.fail(0, "%d locals in a frame of %d slots", locals, p.NState)
	}
	if p.NState < 1 {
		return a.fail(0, "a frame without slots")
	}
	a.limit = p.NState - locals
	for _, n := range []Name{p.Name(a.code), p.SourceFile(a.code)} {
		if int(n) >= len(a.mod.Names) {
			return a.fail(p.NameOffset, "there is no name %d", n)
		}
	}
	for _, n := range rc.ArgNames {
		if int(n) >= len(a.mod.Names) {
			return a.fail(0, "there is no name %d", n)
		}
	}
	return nil
}

// checkConstants checks that numbers are spelled as a loader can parse them.
func (a *analysis) checkConstants() error {
	for i := range a.rc.Objs {
		switch o := &a.rc.Objs[i]; o.Kind {
		case ObjStr, ObjBytes, ObjEllipsis:
		case ObjInt:
			if !isDecimal(o.Text) {
				return a.fail(0, "constant %d is no integer: %.40q", i, o.Text)
			}
		case ObjFloat, ObjComplex:
			if !isFloat(o.Text, o.Kind == ObjComplex) {
				return a.fail(0, "constant %d is no number: %.40q", i, o.Text)
			}
		default:
			return a.fail(0, "constant %d is of unknown kind %#02x", i, byte(o.Kind))
		}
	}
	return nil
}

// sweep decodes the instructions one after the other and checks operands.
func (a *analysis) sweep() error {
	a.index = make([]int32, len(a.code))
	a.instrs = make([]placed, 0, (len(a.code)-a.CodeOffset)/2+1)
	for at := a.CodeOffset; at < len(a.code); {
		in, next, err := a.gen.Decode(a.code, at)
		if err != nil {
			return a.fail(at, "%v", err)
		}
		a.instrs = append(a.instrs, placed{in, at, next})
		a.index[at] = int32(len(a.instrs))
		if err := a.checkOperand(in, at, next); err != nil {
			return err
		}
		at = next
	}
	if len(a.instrs) == 0 {
		return a.fail(a.CodeOffset, "no instructions")
	}
	if a.limit < 0 {
		return a.fail(0, "more locals than the %d slots of the frame", a.NState)
	}
	return nil
}

// checkTargets checks of code that is never come to, too, that jumps land on an
// instruction and that the last one does not go on: who translates code reads it all.
func (a *analysis) checkTargets() error {
	for i := range a.instrs {
		in := &a.instrs[i]
		if to, ok := in.target(in.next); ok && (to < a.CodeOffset || to >= len(a.code) || a.index[to] == 0) {
			return a.fail(in.at, "it jumps to offset %d, where no instruction is", to)
		}
	}
	switch last := &a.instrs[len(a.instrs)-1]; last.Op {
	case OpJump, OpReturnValue, OpRaiseVarargs, OpRaiseLast, OpRaiseObj, OpRaiseFrom, OpUnwindJump, OpPopExceptJump:
		return nil
	default:
		return a.fail(last.at, "the code does not end with a return")
	}
}

func (a *analysis) checkOperand(in Instr, at, next int) error {
	numArgs, numObjs := len(a.rc.ArgNames), len(a.rc.Objs)
	switch in.Op.Info().Operand {
	case OperandName:
		if in.Arg >= len(a.mod.Names) {
			return a.fail(at, "there is no name %d", in.Arg)
		}
	case OperandLocal, OperandMultiLocal:
		if in.Arg >= a.NState {
			return a.fail(at, "local %d of a frame of %d slots", in.Arg, a.NState)
		}
		a.limit = min(a.limit, a.NState-1-in.Arg)
	case OperandObject:
		if in.Arg < numArgs || in.Arg >= numArgs+numObjs {
			return a.fail(at, "constant %d is no object", in.Arg)
		}
	case OperandChild, OperandChildByte:
		if first := numArgs + numObjs; in.Arg < first || in.Arg >= first+len(a.rc.Children) {
			return a.fail(at, "constant %d is no function", in.Arg)
		}
	case OperandInt:
		bits := a.mod.SmallIntBits
		if bits <= 0 || bits > 63 {
			bits = 31
		}
		if v := int64(in.Arg); v < -1<<(bits-1) || v > 1<<(bits-1)-1 {
			return a.fail(at, "%d does not fit in a small int of %d bits", in.Arg, bits)
		}
	}
	switch in.Op {
	case OpBuildSlice:
		if next != at+2 || in.Arg != 2 && in.Arg != 3 {
			return a.fail(at, "a slice of %d parts", in.Arg)
		}
	case OpRaiseVarargs:
		if in.Arg > 2 {
			return a.fail(at, "RAISE_VARARGS of %d", in.Arg)
		}
	case OpUnpackEx, OpCallFunction, OpCallFunctionVarKw, OpCallMethod, OpCallMethodVarKw:
		if in.Arg > 0xffff {
			return a.fail(at, "%v of %#x", in.Op, in.Arg)
		}
	case OpYieldValue, OpYieldFrom:
		if a.ScopeFlags&ScopeGenerator == 0 {
			return a.fail(at, "%v in a function that is no generator", in.Op)
		}
	}
	return nil
}
