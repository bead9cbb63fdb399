package mpy

import (
	"strings"
	"testing"
)

// function makes a version 4 module of one function: a frame of 6 slots and
// 2 handlers, two arguments, one object (constant 2), one child (constant 3).
// Code is made of Instr, Op, and int for single bytes.
func function(code ...any) *Module {
	const flags = ScopeGenerator
	g := GenerationOf(4)
	p := Prelude{NState: 6, NExcStack: 2, ScopeFlags: flags, NumPos: 2}
	block := p.AppendSignature(nil, 4)
	block = append(block, 6, 0, 0, 1, 0, 0, 0xff)
	for _, c := range code {
		switch c := c.(type) {
		case Instr:
			block = g.Append(block, c)
		case Op:
			block = g.Append(block, Instr{Op: c})
		case int:
			block = append(block, byte(c))
		}
	}
	child := &RawCode{Code: []byte{1, 0, 0, 0, 0, 0, 6, 0, 0, 1, 0, 0, 0xff, byte(OpLoadConstNone), byte(OpReturnValue)}}
	return &Module{
		Version: 4,
		Names:   []string{"f", "t.py", "x"},
		Root: &RawCode{
			Code: block, ScopeFlags: flags, NumPos: 2, ArgNames: []Name{2, 2},
			Objs: []Obj{{Kind: ObjInt, Text: "-12345678901"}}, Children: []*RawCode{child},
		},
	}
}

// codeAt is the offset of such a function's first instruction.
const codeAt = 13

func arg(op Op, arg int) Instr { return Instr{Op: op, Arg: arg} }

func unwind(to int, handlers byte) Instr {
	return Instr{Op: OpUnwindJump, Arg: to, Extra: handlers}
}

const (
	none = OpLoadConstNone
	ret  = OpReturnValue
)

func TestVerifyAccepts(t *testing.T) {
	for _, c := range []struct {
		what   string
		m      *Module
		depth  int
		leaves bool
	}{
		{"return", function(none, ret), 1, false},
		{"all of the stack", function(none, none, none, none, ret), 4, false},
		{"constants", function(arg(OpLoadConstObj, 2), OpPopTop, arg(OpMakeFunction, 3), ret), 1, false},
		{"dead code", function(none, ret, OpPopTop, none, ret), 1, false},
		{"loop", function(none, arg(OpPopJumpIfTrue, -4), none, ret), 1, false},
		{"for", function(none, OpGetIterStack, OpPopTop, OpPopTop, OpPopTop, OpPopTop, none, ret), 4, false},
		{"yield", function(none, OpYieldValue, ret), 1, false},
		{"except", function(arg(OpSetupExcept, 3), arg(OpPopExceptJump, 1), OpEndFinally, none, ret), 1, false},
		{"finally", function(arg(OpSetupFinally, 1), none, OpEndFinally, none, ret), 2, false},
		{"break in finally", function(arg(OpSetupFinally, 1), none, unwind(2, 1), OpEndFinally, none, ret), 3, true},
		{"break in try", function(arg(OpSetupFinally, 5), unwind(3, 1), none, OpEndFinally, none, ret), 2, false},
	} {
		if err := Verify(c.m); err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		f, err := Analyze(c.m, c.m.Root)
		if err != nil || f.MaxDepth != c.depth || f.LeavesFinally != c.leaves {
			t.Errorf("%s: depth %d, leaves %v (%v), want %d, %v", c.what, f.MaxDepth, f.LeavesFinally, err, c.depth, c.leaves)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	for _, c := range []struct {
		what   string
		m      *Module
		reason string
		offset int
	}{
		{"no instructions", function(), "no instructions", codeAt},
		{"unknown", function(0x13), "unknown opcode", codeAt},
		{"cut", function(int(OpLoadName), 0), "cut off", codeAt},
		{"cut number", function(int(OpLoadDeref), 0x80), "cut off", codeAt},
		{"no return", function(none), "does not end with a return", codeAt},
		{"underflow", function(OpPopTop, none, ret), "takes 1 values off a stack of 0", codeAt},
		{"underflow of a call", function(none, arg(OpCallFunction, 0x101), ret), "takes 4 values off a stack of 1", codeAt + 1},
		{"overflow", function(none, none, none, none, none, ret), "holds 5 values, the frame has room for 4", codeAt + 4},
		{"overflow over a high local", function(arg(OpDeleteFast, 3), none, none, none, ret), "room for 2", codeAt + 4},
		{"local", function(arg(OpLoadFastN, 6), ret), "local 6 of a frame of 6", codeAt},
		{"name", function(arg(OpLoadName, 3), ret), "no name 3", codeAt},
		{"object that is an argument", function(arg(OpLoadConstObj, 1), ret), "no object", codeAt},
		{"object that is a function", function(arg(OpLoadConstObj, 3), ret), "no object", codeAt},
		{"function that is an object", function(arg(OpMakeFunction, 2), ret), "no function", codeAt},
		{"function past the end", function(arg(OpMakeFunction, 4), ret), "no function", codeAt},
		{"jump out", function(arg(OpJump, 100), none, ret), "out of the function", codeAt},
		{"jump back out", function(arg(OpJump, -4), none, ret), "out of the function", codeAt},
		{"iterator as value", function(none, OpGetIterStack, ret), "no value", codeAt + 2},
		{"FOR_ITER of values", function(none, OpDupTop, OpDupTop, OpDupTop, arg(OpForIter, 0), none, ret), "without an iterator", codeAt + 4},
		{"no value as value", function(OpLoadNull, ret), "no value", codeAt + 1},
		{"forged cause", function(arg(OpSetupFinally, 1), none, OpPopTop, none, OpEndFinally, none, ret), "no value", codeAt + 4},
		{"not None into a handler", function(arg(OpSetupFinally, 1), OpLoadConstTrue, OpEndFinally, none, ret), "what that needs", codeAt + 3},
		{"below a handler", function(none, arg(OpSetupFinally, 3), OpPopTop, none, none, OpEndFinally, none, ret), "before its handler", codeAt + 4},
		{"dead code goes on", function(none, ret, OpPopTop), "does not end", codeAt + 2},
		{"dead jump out", function(none, ret, arg(OpJump, 100), none, ret), "no instruction", codeAt + 2},
		{"jump into", function(arg(OpJump, -2), none, ret), "into the middle", codeAt},
		{"jump to the end", function(arg(OpJump, 2), none, ret), "does not end", codeAt},
		{"unequal", function(none, none, arg(OpPopJumpIfTrue, -5), ret), "another way with", codeAt + 2},
		{"small int", function(arg(OpLoadConstSmallInt, 1<<30), ret), "small int of 31 bits", codeAt},
		{"slice", function(none, none, arg(OpBuildSlice, 4), ret), "slice of 4", codeAt + 2},
		{"raise", function(none, none, none, arg(OpRaiseVarargs, 3)), "RAISE_VARARGS of 3", codeAt + 3},
		{"comprehension", function(none, none, arg(OpStoreComp, 2<<2), ret), "2 deep", codeAt + 2},
		{"for without iterator", function(none, arg(OpForIter, 0), ret), "takes 4 values", codeAt + 1},
		{"handlers", function(arg(OpSetupExcept, 6), arg(OpSetupExcept, 4), arg(OpSetupExcept, 0), ret, ret), "sets up 3 handlers", codeAt + 6},
		{"end without handler", function(none, OpEndFinally, none, ret), "no handler", codeAt + 1},
		{"leave without handler", function(arg(OpPopExceptJump, 0), none, ret), "no handler", codeAt},
		{"leave too many", function(unwind(1, 1), none, ret), "1 handlers more", codeAt},
		{"other handlers", function(arg(OpSetupFinally, 3), arg(OpJump, -6), OpEndFinally, none, ret), "other handlers", codeAt + 3},
		{"handler out", function(arg(OpSetupFinally, 90), none, OpEndFinally, none, ret), "out of the function", codeAt},
	} {
		err := Verify(c.m)
		f, ok := err.(*FormatError)
		if !ok {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if !strings.Contains(f.Reason, c.reason) || f.Offset != c.offset || !strings.Contains(f.Reason, "function f") {
			t.Errorf("%s: %v; want %q at %d", c.what, f, c.reason, c.offset)
		}
	}
}

func TestVerifyRefusesParts(t *testing.T) {
	for what, damage := range map[string]func(m *Module, rc *RawCode){
		"version":           func(m *Module, rc *RawCode) { m.Version = 2 },
		"no root":           func(m *Module, rc *RawCode) { m.Root = nil },
		"no child":          func(m *Module, rc *RawCode) { rc.Children[0] = nil },
		"inside itself":     func(m *Module, rc *RawCode) { rc.Children[0] = rc },
		"bad child":         func(m *Module, rc *RawCode) { rc.Children[0].Code[codeAt+1] = 0 },
		"argument names":    func(m *Module, rc *RawCode) { rc.ArgNames = rc.ArgNames[:1] },
		"argument name":     func(m *Module, rc *RawCode) { rc.ArgNames[1] = 3 },
		"function name":     func(m *Module, rc *RawCode) { rc.Code[7] = 3 },
		"another signature": func(m *Module, rc *RawCode) { rc.NumPos = 1 },
		"defaults":          func(m *Module, rc *RawCode) { rc.Code[5], rc.NumDefPos = 3, 3 },
		"frame":             func(m *Module, rc *RawCode) { rc.Code[0] = 1 },
		"room for **kwargs": func(m *Module, rc *RawCode) { rc.Code[0], rc.Code[2], rc.ScopeFlags = 2, 2, 2 },
		"generator":         func(m *Module, rc *RawCode) { rc.Code[2], rc.ScopeFlags = 0, 0 },
		"prelude":           func(m *Module, rc *RawCode) { rc.Code[6] = 0x7f },
		"integer":           func(m *Module, rc *RawCode) { rc.Objs[0].Text = "12x" },
		"empty integer":     func(m *Module, rc *RawCode) { rc.Objs[0].Text = "-" },
		"float":             func(m *Module, rc *RawCode) { rc.Objs[0] = Obj{Kind: ObjFloat, Text: "1.e5"} },
		"imaginary":         func(m *Module, rc *RawCode) { rc.Objs[0] = Obj{Kind: ObjComplex, Text: "1.5"} },
		"kind":              func(m *Module, rc *RawCode) { rc.Objs[0].Kind = 'z' },
	} {
		m := function(none, OpYieldValue, ret)
		if err := Verify(m); err != nil {
			t.Fatal(err)
		}
		damage(m, m.Root)
		if err := Verify(m); err == nil {
			t.Errorf("%s: damage is not noticed", what)
		}
	}
}

func TestFrameDepth(t *testing.T) {
	m := function(none, none, OpPopTop, ret, OpDupTop, ret)
	f, err := Analyze(m, m.Root)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{0, 1, 2, 1, -1} {
		if got := f.Depth(codeAt + i); got != want {
			t.Errorf("depth at %d: %d, want %d", codeAt+i, got, want)
		}
	}
	if f.Depth(-1) != -1 || f.Depth(1000) != -1 {
		t.Error("there is a depth outside the code")
	}
}

// A handler of version 3 that goes back to before it was set up, without end
// and with room for two thousand million handlers: following it must end.
func TestVerifyEnds(t *testing.T) {
	g := GenerationOf(3)
	p := Prelude{NState: 6, NExcStack: 1<<31 - 1}
	code := append(p.AppendSignature(nil, 3), 6, 0, 0, 1, 0, 0, 0xff)
	start := len(code)
	for _, in := range []Instr{arg(OpSetupFinally, 2), {Op: none}, {Op: ret}, {Op: OpPopTop}} {
		code = g.Append(code, in)
	}
	code = g.Append(code, arg(OpJump, start-(len(code)+3)))
	m := &Module{Version: 3, Names: []string{"f", "t.py"}, Root: &RawCode{Code: code}}
	if err := Verify(m); err != nil {
		t.Error(err)
	}
}
