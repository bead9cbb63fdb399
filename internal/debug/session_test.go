package debug_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/debug"
)

const sample = `import gc
def square(n):
    m = n * n
    return m

class Meter:
    def __init__(self, name):
        self.name = name
        self.sum = 0
    def add(self, n):
        self.sum += n
        return self

total = 0
meter = Meter("a")
for i in range(3):
    total += square(i)
    meter.add(total)
n = 0
while n < 2:
    n += 1
print(total, meter.sum)
`

func TestSteps(t *testing.T) {
	k := open(t, sample, func(c *debug.Config) { c.StopOnEntry = true })
	k.Start()
	k.at(1, debug.ReasonEntry)
	for _, line := range []int{2, 6} {
		k.do(k.Next)
		k.at(line, debug.ReasonStep)
	}
	k.SetBreakpoints(k.src, []debug.Breakpoint{{Line: 17}})
	k.do(k.Continue)
	s := k.at(17, debug.ReasonBreak)
	if len(s.Breakpoints) != 1 || s.Breakpoints[0] != 1 {
		t.Errorf("breakpoints %v", s.Breakpoints)
	}
	k.do(k.StepIn)
	k.at(3, debug.ReasonStep)
	if got := k.value("n + 10"); got != "10" {
		t.Errorf("n + 10 is %s", got)
	}
	k.do(k.Next)
	k.at(4, debug.ReasonStep)
	k.do(k.Next) // returns, and adds
	k.at(18, debug.ReasonStep)
	k.do(k.StepIn)
	k.at(11, debug.ReasonStep)
	k.do(k.StepOut)
	k.at(16, debug.ReasonStep)
	k.do(k.Next)
	k.at(17, debug.ReasonBreak)
	k.SetBreakpoints(k.src, nil)
	k.do(k.Next)
	k.at(18, debug.ReasonStep)
	k.SetBreakpoints(k.src, []debug.Breakpoint{{Line: 20}})
	k.do(k.Continue)
	k.at(20, debug.ReasonBreak)
	for _, line := range []int{21, 20, 21, 20} {
		k.do(k.Next)
		reason := debug.ReasonStep
		if line == 20 {
			reason = debug.ReasonBreak
		}
		k.at(line, reason)
	}
	k.do(k.Next)
	k.at(22, debug.ReasonStep)
	k.do(k.Continue)
	if status := k.end(); status != 0 {
		t.Errorf("status %d", status)
	}
	if got := k.printed(); got != "5 6\n" {
		t.Errorf("printed %q", got)
	}
}

func TestBreakpoints(t *testing.T) {
	k := open(t, sample, nil)
	placed := k.SetBreakpoints(k.src, []debug.Breakpoint{
		{Line: 5}, {Line: 17, Condition: "i == 2"}, {Line: 3, Hits: "2"}, {Line: 11, Log: "sum {self.sum} of {self.name!r}, {'}'}"},
		{Line: 99}, {Line: 17, Hits: "x"},
	})
	if !placed[0].Set || placed[0].Line != 6 || placed[4].Set || placed[5].Set || !strings.Contains(placed[5].Message, "hit condition") {
		t.Errorf("placed: %+v", placed)
	}
	if f := k.SetFunctionBreakpoints([]debug.Breakpoint{{Function: "__init__"}, {Function: "nowhere"}}); !f[0].Set || f[1].Set {
		t.Errorf("functions: %+v", f)
	}
	k.Start()
	k.at(6, debug.ReasonBreak)
	k.do(k.Continue)
	k.at(8, debug.ReasonFunction)
	if got := k.value("(self, name)"); !strings.Contains(got, "'a'") {
		t.Errorf("self, name: %s", got)
	}
	k.do(k.Continue)
	k.at(3, debug.ReasonBreak) // the second pass
	if got := k.value("n"); got != "1" {
		t.Errorf("n is %s at the second pass", got)
	}
	k.do(k.Continue)
	k.at(17, debug.ReasonBreak)
	k.do(k.Continue)
	k.at(3, debug.ReasonBreak)
	k.do(k.Continue)
	k.end()
	if got := k.printed(); got != "sum 0 of {self.name!r: SyntaxError: invalid syntax}, }\nsum 0 of {self.name!r: SyntaxError: invalid syntax}, }\nsum 1 of {self.name!r: SyntaxError: invalid syntax}, }\n5 6\n" {
		t.Errorf("printed %q", got)
	}
}

func TestExceptions(t *testing.T) {
	const src = `def f():
    try:
        int("x")
    except (KeyError, ValueError) as e:
        pass
    try:
        return {}[3]
    except OSError:
        pass
f()
`
	k := open(t, src, nil)
	k.SetExceptions(false, true)
	k.Start()
	s := k.at(7, debug.ReasonException)
	text, class, details, uncaught, err := k.ExceptionText()
	if err != nil || text != "3" || class != "KeyError" || !uncaught || !s.Uncaught {
		t.Errorf("%q %q %v %v", text, class, uncaught, err)
	}
	if want := "Traceback (most recent call last):\n  File \"/flash/main.py\", line 10, in <module>\n  File \"/flash/main.py\", line 7, in f\nKeyError: 3"; details != want {
		t.Errorf("details:\n%s\nwant:\n%s", details, want)
	}
	k.do(k.Continue)
	if status := k.end(); status != 1 {
		t.Errorf("status %d", status)
	}

	k = open(t, src, nil)
	k.SetExceptions(true, false)
	k.Start()
	if s := k.at(3, debug.ReasonException); s.Uncaught {
		t.Error("a ValueError is handled")
	}
	k.do(k.Continue)
	k.at(7, debug.ReasonException)
	k.do(k.Continue)
	k.end()
}

func TestVariables(t *testing.T) {
	const src = `class A:
    kind = 1
    def __init__(self):
        self.x = [1, 2.5, "three", b"4", {"k": (1, 2)}]
        self.big = list(range(1000))
    def __repr__(self):
        raise ValueError("never asked")
def outer():
    shared = 1
    def inner(a, *rest, key=None, **more):
        local = shared
        gen = (j * 2 for j in range(3))
        next(gen)
        unset = 5 if a else None
        return local
    return inner
a = A()
outer()(7, 8, 9, key="v", other=None)
`
	k := open(t, src, nil)
	k.SetBreakpoints(k.src, []debug.Breakpoint{{Line: 15}})
	k.Start()
	k.at(15, debug.ReasonBreak)
	scopes, err := k.Scopes(0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	all := map[string]debug.Variable{}
	for _, s := range scopes[:3] {
		list, err := k.Variables(s.Ref, "", 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list {
			all[v.Name] = v
			names = append(names, s.Name+"."+v.Name)
		}
	}
	for _, want := range []string{"Locals.a", "Locals.rest", "Locals.key", "Locals.more", "Locals.local", "Locals.gen", "Locals.unset", "Closure.shared", "Globals.A", "Globals.outer"} {
		if !slices.Contains(names, want) {
			t.Errorf("no %s among %v", want, names)
		}
	}
	if v := all["rest"]; v.Value != "(8, 9)" || v.Type != "tuple" || v.Indexed != 2 {
		t.Errorf("rest: %+v", v)
	}
	globals, _ := k.Variables(scopes[2].Ref, "", 0, 0)
	i := slices.IndexFunc(globals, func(v debug.Variable) bool { return v.Name == "a" })
	if !strings.HasPrefix(globals[i].Value, "<A object at ") {
		t.Errorf("a: %+v", globals[i])
	}
	members, err := k.Variables(globals[i].Ref, "", 0, 0)
	if len(members) < 3 {
		t.Fatalf("members of %+v: %v, %v", globals[i], members, err)
	}
	if members[0].Name != "big" || members[1].Path != "a.x" || members[1].Value != "[1, 2.5, 'three', b'4', {'k': (1, 2)}]" {
		t.Errorf("members: %+v", members)
	}
	some, _ := k.Variables(members[0].Ref, "indexed", 500, 2)
	if len(some) != 2 || some[0].Name != "[500]" || some[1].Value != "501" || some[1].Path != "a.big[501]" {
		t.Errorf("big[500:502]: %+v", some)
	}
	gen, _ := k.Variables(all["gen"].Ref, "", 0, 0)
	if text := fmt.Sprint(gen); !strings.Contains(text, "/flash/main.py:12") || !strings.Contains(text, "(j)") {
		t.Errorf("gen: %+v", gen)
	}
	if r, err := k.Evaluate("repr(a)", 1, false); err == nil || err.Error() != "ValueError: never asked" {
		t.Errorf("repr(a): %v, %v", r, err)
	}
	if got := k.value("[q for q in rest if q > shared]"); got != "[8, 9]" {
		t.Errorf("a comprehension: %s", got)
	}
}

// TestEvaluateChangesNothing evaluates what would change the program, and compares
// its memory.
func TestEvaluateChangesNothing(t *testing.T) {
	const src = `import gc, micropython
values = [1, 2, 3]
def f():
    values.append(4)
    return len(values)
gc.collect()
x = 1
micropython.mem_info(1)
print(values, gc.mem_free(), id(values))
`
	run := func(look bool) string {
		k := open(t, src, nil)
		k.SetBreakpoints(k.src, []debug.Breakpoint{{Line: 7}, {Line: 8, Condition: "f() == 4 and len(values) == 4"}})
		k.Start()
		k.at(7, debug.ReasonBreak)
		if look {
			for expr, want := range map[string]string{
				"f()": "4", "values.pop()": "3", "bytearray(5000)[4999]": "0", "gc.collect()": "None",
				"1 // 0": "error: ZeroDivisionError: divide by zero", "nothing": "error: NameError: name 'nothing' isn't defined",
				"values[": "error: SyntaxError: invalid syntax", "bytearray(40000)": "error: MemoryError: memory allocation failed, allocating 40000 bytes",
				"(lambda q: q(q))(lambda q: q(q))": "error: RuntimeError: maximum recursion depth exceeded",
			} {
				if got := k.value(expr); got != want {
					t.Errorf("%s: %s, want %s", expr, got, want)
				}
			}
			if got := k.value("max(i for i in range(1000000000))"); !strings.Contains(got, "too long") {
				t.Errorf("without end: %s", got)
			}
			if r, err := k.Evaluate("while True: pass", 0, true); err == nil || !strings.Contains(err.Error(), "too long") {
				t.Errorf("while True: %v %v", r, err)
			}
			if r, err := k.Evaluate("print(len(values), 'seen')", 0, true); err != nil || r.Output != "3 seen\n" {
				t.Errorf("print: %v %v", r, err)
			}
		}
		k.do(k.Continue)
		k.at(8, debug.ReasonBreak)
		k.do(k.Continue)
		k.end()
		return k.printed()
	}
	plain, looked := run(false), run(true)
	if plain != looked || !strings.Contains(plain, "[1, 2, 3]") {
		t.Errorf("without evaluating:\n%s\nwith:\n%s", plain, looked)
	}
	if alone := open(t, src, nil); true {
		alone.Start()
		alone.end()
		if got := alone.printed(); got != plain {
			t.Errorf("without a stop:\n%s\nwith:\n%s", got, plain)
		}
	}
}

func TestGenerators(t *testing.T) {
	const src = `def numbers():
    yield 1
    yield 2
def both():
    yield from numbers()
    yield 3
for n in both():
    x = n
print(x)
`
	k := open(t, src, nil)
	k.SetBreakpoints(k.src, []debug.Breakpoint{{Line: 5}})
	k.Start()
	k.at(5, debug.ReasonBreak)
	k.SetBreakpoints(k.src, nil)
	k.do(k.Next) // over "yield from", past all that the loop does meanwhile
	k.at(6, debug.ReasonStep)
	if got := k.value("x"); got != "2" {
		t.Errorf("x is %s", got)
	}
	k.do(k.Next) // a yield goes to who has asked
	k.at(8, debug.ReasonStep)
	k.do(k.Next)
	k.at(7, debug.ReasonStep)
	k.do(k.StepIn)
	k.at(9, debug.ReasonStep)
	k.do(k.Continue)
	k.end()
}

func TestAssign(t *testing.T) {
	const src = `limit = 3
data = {"a": 1}
def f(n):
    m = n
    return m
class C:
    pass
c = C()
c.v = 1
r = f(5)
print(limit, data, r, c.v)
`
	k := open(t, src, nil)
	k.SetBreakpoints(k.src, []debug.Breakpoint{{Line: 5}, {Line: 11}})
	k.Start()
	k.at(5, debug.ReasonBreak)
	set := func(target, expr, want string) {
		t.Helper()
		v, err := k.Assign(0, 0, target, expr)
		if err != nil && err.Error() != want || err == nil && (v.Value != want && !(strings.HasPrefix(v.Value, want) && strings.HasSuffix(want, "object"))) {
			t.Errorf("%s = %s: %+v, %v; want %s", target, expr, v, err, want)
		}
	}
	set("m", "n * 2", "10")
	set("limit", "[1.5, 'new text', (b'x', None), 1 << 40]", "[1.5, 'new text', (b'x', None), 1099511627776]")
	set("data['a']", "c", "<C object")
	set("nothing", "1", "there is no variable nothing here")
	set("m", "lambda: 1", "a new function cannot be put into the program: numbers, texts, lists, tuples and dicts can, and what the program has already")
	k.do(k.Continue)
	k.at(11, debug.ReasonBreak)
	set("data['a']", "2", "2")
	set("c.v", "limit", "[1.5, 'new text', (b'x', None), 1099511627776]")
	set("limit[0]", "c", "<C object")
	set("c.w", "7", "it has no w")
	set("r", "r + 1", "11")
	set("fresh", "r", "11")
	k.do(k.Continue)
	k.end()
	got := k.printed()
	if !strings.HasPrefix(got, "[<C object at ") || !strings.Contains(got, "'new text', (b'x', None), 1099511627776] {'a': 2} 11 [<C object") {
		t.Errorf("printed %s", got)
	}
}
