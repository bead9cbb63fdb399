package compiler

import (
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// operations lists the instructions of raw and its children by name.
func operations(t *testing.T, version int, raw *mpy.RawCode) string {
	t.Helper()
	p, err := raw.Prelude(version)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for at := p.CodeOffset; at < len(raw.Code); {
		in, next, err := mpy.GenerationOf(version).Decode(raw.Code, at)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, in.Op.String())
		at = next
	}
	for _, child := range raw.Children {
		names = append(names, operations(t, version, child))
	}
	return strings.Join(names, " ")
}

func TestFeatures(t *testing.T) {
	tests := []struct {
		name     string
		src      string
		features Features
		with     string // an instruction, or some, that the feature makes
		without  string
	}{
		{"two targets", "a, b = c, d", Features{DoubleTupleAssign: true}, "ROT_TWO", "BUILD_TUPLE UNPACK_SEQUENCE"},
		{"three targets", "a, b, c = d, e, f", Features{DoubleTupleAssign: true, TripleTupleAssign: true}, "ROT_THREE ROT_TWO", "BUILD_TUPLE UNPACK_SEQUENCE"},
		{"return if", "def f(): return a if b else c", Features{ReturnIfExpr: true}, "RETURN_VALUE LOAD_GLOBAL RETURN_VALUE", "JUMP LOAD_GLOBAL RETURN_VALUE"},
		{"ordered dict", "OrderedDict({1: 2})", Features{OrderedDictLiteral: true}, "CALL_FUNCTION LOAD_CONST_SMALL_INT", "BUILD_MAP"},
		{"exception's type", "async def f():\n async with a: b", Features{NoCPythonCompat: true}, "LOAD_GLOBAL ROT_TWO CALL_FUNCTION", "LOAD_ATTR"},
	}
	for _, test := range tests {
		for _, on := range []bool{true, false} {
			opts := Options{}
			want := test.without
			if on {
				opts.Features, want = test.features, test.with
			}
			m, err := Compile([]byte(test.src+"\n"), "f.py", opts)
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
				continue
			}
			if got := operations(t, 4, m.Root); !strings.Contains(got, want) {
				t.Errorf("%s, %v: %s; want %s in it", test.name, on, got, want)
			}
		}
	}
}

func TestNoSourceLine(t *testing.T) {
	src := []byte("\n\n\nx\n")
	for _, test := range []struct {
		opts Options
		line int
	}{
		{Options{}, 4},
		{Options{OptLevel: 2}, 4},
		{Options{OptLevel: 3}, 1},
		{Options{Features: Features{NoSourceLine: true}}, 1},
	} {
		m, err := Compile(src, "l.py", test.opts)
		if err != nil {
			t.Fatal(err)
		}
		p, err := m.Root.Prelude(4)
		if err != nil {
			t.Fatal(err)
		}
		if line := p.LineOf(m.Root.Code, p.CodeOffset); line != test.line {
			t.Errorf("%+v: line %d, want %d", test.opts, line, test.line)
		}
	}
}

// A byte for the cache follows what looks names and attributes up.
func TestMapCache(t *testing.T) {
	for src, bytes := range map[string]int{"x": 1, "x = y": 1, "x.y": 2, "x.y = z": 3, "x.y()": 1, "del x.y": 2} {
		size := func(cache bool) int {
			m, err := Compile([]byte(src+"\n"), "c.py", Options{Features: Features{MapCache: cache}})
			if err != nil {
				t.Fatal(err)
			}
			return len(m.Root.Code)
		}
		if got := size(true) - size(false); got != bytes {
			t.Errorf("%s: %d bytes, want %d", src, got, bytes)
		}
	}
}

// At the prompt, expression statements of the module print their value. The
// sizes are those of the statements in the memory model's session.
func TestPrompt(t *testing.T) {
	for _, test := range []struct {
		src  string
		size int
		want string
	}{
		{"import gc", 24, "LOAD_CONST_SMALL_INT LOAD_CONST_NONE IMPORT_NAME STORE_NAME LOAD_CONST_NONE RETURN_VALUE"},
		{"gc.mem_free(), gc.mem_alloc()", 40, "LOAD_NAME LOAD_NAME LOAD_METHOD CALL_METHOD LOAD_NAME LOAD_METHOD CALL_METHOD " +
			"BUILD_TUPLE CALL_FUNCTION POP_TOP LOAD_CONST_NONE RETURN_VALUE"},
		{"", 16, "LOAD_CONST_NONE RETURN_VALUE"},
		{"for x in y: x", 0, "LOAD_NAME GET_ITER_STACK FOR_ITER STORE_NAME LOAD_NAME LOAD_NAME CALL_FUNCTION POP_TOP " +
			"JUMP LOAD_CONST_NONE RETURN_VALUE"},
		{"'text'", 0, "LOAD_NAME LOAD_CONST_STRING CALL_FUNCTION POP_TOP LOAD_CONST_NONE RETURN_VALUE"},
	} {
		m, err := Compile([]byte(test.src+"\n"), "<stdin>", Options{Mode: syntax.Single, IsREPL: true})
		if err != nil {
			t.Errorf("%q: %v", test.src, err)
			continue
		}
		if got := operations(t, 4, m.Root); got != test.want {
			t.Errorf("%q:\n got %s\nwant %s", test.src, got, test.want)
		}
		if test.size != 0 && len(m.Root.Code) != test.size {
			t.Errorf("%q: %d bytes, want %d", test.src, len(m.Root.Code), test.size)
		}
	}
}

// The native emitter's marks are in the prelude of version 4 only.
func TestNativeFlags(t *testing.T) {
	for version, want := range map[int]byte{3: 0, 4: scopeRefGlobals | scopeHasConsts, 5: 0} {
		opts := CrossOptions(version)
		opts.Features.NativeFlags = version >= 4
		m, err := Compile([]byte("def f(): pass\n"), "n.py", opts)
		if err != nil {
			t.Fatal(err)
		}
		if m.Root.ScopeFlags != want {
			t.Errorf("version %d: flags %#02x, want %#02x", version, m.Root.ScopeFlags, want)
		}
	}
}

// A device's table of names decides what is a name, and meets new ones.
type nameSet map[string]bool

func (s nameSet) Intern(text string) error  { s[text] = true; return nil }
func (s nameSet) Interned(text string) bool { return s[text] }

func TestNames(t *testing.T) {
	src := []byte("import package.module\nx = 'a string of some length', 'in the firmware'\n")
	names := nameSet{"in the firmware": true}
	m, err := Compile(src, "main.py", Options{Names: names})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"main.py", "package", "module", "package.module", "x"} {
		if !names[want] {
			t.Errorf("%q is not interned", want)
		}
	}
	if names["a string of some length"] {
		t.Error("a long string is interned")
	}
	if len(m.Root.Objs) != 1 || m.Root.Objs[0].Text != "a string of some length" {
		t.Errorf("constants %v, want the long string only", m.Root.Objs)
	}
}
