package debug_test

import (
	"slices"
	"testing"

	"github.com/skep-sim/skep/internal/debug"
)

const past = `log = []
def work(n):
    x = n * 2
    log.append(x)
    return x
state = "idle"
for i in range(3):
    r = work(i)
    if i == 1:
        state = "busy"
print(state)
try:
    work(None)
except TypeError:
    pass
end = 1
`

func TestBack(t *testing.T) {
	k := open(t, past, nil)
	k.SetBreakpoints(k.src, []debug.Breakpoint{{Line: 16}})
	k.Start()
	here := k.at(16, debug.ReasonBreak)
	if here.Past {
		t.Error("the present is taken for the past")
	}
	k.do(k.StepBack)
	if s := k.at(15, debug.ReasonStep); !s.Past || !s.Moment.Before(here.Moment) {
		t.Errorf("%+v", s)
	}
	k.do(k.StepBack)
	k.at(13, debug.ReasonStep) // over the call
	k.do(k.StepIn)
	k.at(3, debug.ReasonStep)
	k.do(k.StepBack)
	k.at(13, debug.ReasonStep)
	// the last change of a variable, and the one before
	k.do(func() error { return k.LastChange(0, 0, "state") })
	k.at(10, debug.ReasonData)
	if got := k.value("(i, state)"); got != "(1, 'idle')" {
		t.Errorf("before the change: %s", got)
	}
	k.do(func() error { return k.LastChange(0, 0, "state") })
	k.at(6, debug.ReasonData)
	k.do(func() error { return k.LastChange(0, 0, "log") })
	k.at(1, debug.ReasonData)
	if err := k.StepBack(); err == nil {
		t.Error("stepped back from the first line")
	}
	// forwards again, to a breakpoint in the past and to the present
	k.SetBreakpoints(k.src, []debug.Breakpoint{{Line: 4, Condition: "n == 1"}})
	k.do(k.Continue)
	k.at(4, debug.ReasonBreak)
	k.do(k.Continue)
	if s := k.at(16, debug.ReasonPause); s.Past || s.Moment != here.Moment || s.Description != "back in the present" || len(s.Breakpoints) > 0 {
		t.Errorf("back in the present, where the breakpoint is no more: %+v, want %+v", s, here)
	}
	k.do(k.ReverseContinue)
	k.at(4, debug.ReasonBreak)
	if got := k.value("(n, x, len(log))"); got != "(1, 2, 1)" {
		t.Errorf("at the breakpoint: %s", got)
	}
	k.do(k.ReverseContinue)
	k.at(1, debug.ReasonEntry)
	k.SetBreakpoints(k.src, nil)
	k.SetExceptions(true, false)
	k.do(k.Continue)
	k.at(3, debug.ReasonException)
	k.do(k.Continue)
	k.at(16, debug.ReasonPause)
	k.do(k.ReverseContinue)
	k.at(3, debug.ReasonException)
	k.SetExceptions(false, false)
	k.do(k.Continue)
	k.at(16, debug.ReasonPause)
	k.do(k.Continue)
	if status := k.end(); status != 0 {
		t.Errorf("status %d", status)
	}
	if got := k.printed(); got != "busy\n" {
		t.Errorf("printed %q: what is repeated must not be printed again", got)
	}
}

// TestPresentWithoutBreakpoints comes back to the present, where breakpoints were taken
// away one by one.
func TestPresentWithoutBreakpoints(t *testing.T) {
	k := open(t, past, nil)
	line := k.SetBreakpoints(k.src, []debug.Breakpoint{{Line: 3, Condition: "n == 2"}})[0].ID
	function := k.SetFunctionBreakpoints([]debug.Breakpoint{{Function: "work", Condition: "n == 2"}})[0].ID
	again := func(reason, description string, ids ...int) {
		t.Helper()
		k.do(k.StepBack)
		k.at(8, debug.ReasonStep)
		k.do(k.Continue)
		if s := k.at(3, reason); s.Past || s.Description != description || !slices.Equal(s.Breakpoints, ids) {
			t.Errorf("back in the present: %+v, want %q and %v", s, description, ids)
		}
	}
	k.Start()
	reason := k.at(3, debug.ReasonFunction).Reason
	again(reason, "", line, function)
	k.SetBreakpoints(k.src, nil)
	again(reason, "", function)
	k.SetFunctionBreakpoints(nil)
	again(debug.ReasonPause, "back in the present")
	again(debug.ReasonPause, "back in the present")
	k.do(k.Continue)
	k.end()
}

// TestBackOverChanges goes back over a value that the user has changed.
func TestBackOverChanges(t *testing.T) {
	k := open(t, past, nil)
	k.SetBreakpoints(k.src, []debug.Breakpoint{{Line: 9}, {Line: 16}})
	k.Start()
	k.at(9, debug.ReasonBreak)
	if _, err := k.Assign(0, 0, "state", "'changed by hand ' * 2"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		k.do(k.Continue)
		k.at(9, debug.ReasonBreak)
	}
	k.SetBreakpoints(k.src, nil)
	k.do(k.StepBack)
	k.at(8, debug.ReasonStep)
	if got := k.value("state"); got != "'busy'" {
		t.Errorf("state is %s", got)
	}
	k.do(func() error { return k.LastChange(0, 0, "state") })
	k.at(10, debug.ReasonData)
	if got := k.value("state"); got != "'changed by hand changed by hand '" {
		t.Errorf("state is %s", got)
	}
	if _, err := k.Assign(0, 0, "state", "1"); err == nil {
		t.Error("the past was changed")
	}
}

// TestWatch stops when things change, forwards and backwards.
func TestWatch(t *testing.T) {
	k := open(t, past, nil)
	k.SetBreakpoints(k.src, []debug.Breakpoint{{Line: 7}})
	k.Start()
	k.at(7, debug.ReasonBreak)
	k.SetBreakpoints(k.src, nil)
	var ids, names []string
	for _, name := range []string{"log", "state"} {
		id, _, err := k.WatchPlace(0, 0, name)
		if err != nil {
			t.Fatal(err)
		}
		ids, names = append(ids, id), append(names, name)
	}
	if placed, err := k.SetWatches(ids, names); err != nil || !placed[0].Set || !placed[1].Set {
		t.Fatalf("%+v %v", placed, err)
	}
	for _, line := range []int{5, 5, 7, 5} { // behind what has changed
		k.do(k.Continue)
		k.at(line, debug.ReasonData)
	}
	for _, line := range []int{4, 10, 4, 4, 6} { // at what changes
		k.do(k.ReverseContinue)
		k.at(line, debug.ReasonData)
	}
	if _, _, err := k.WatchPlace(0, 0, "nothing"); err == nil {
		t.Error("there is a variable nothing")
	}
}

// TestWatchesThatCount: a condition and a hit count say which changes stop the program.
func TestWatchesThatCount(t *testing.T) {
	for _, tt := range []struct {
		when debug.Breakpoint
		line int
		bad  bool
	}{
		{when: debug.Breakpoint{}, line: 3},
		{when: debug.Breakpoint{Hits: "3"}, line: 7},
		{when: debug.Breakpoint{Condition: "n > 3"}, line: 7},
		{when: debug.Breakpoint{Condition: "n > 2", Hits: "2"}, line: 7},
		{when: debug.Breakpoint{Hits: "many"}, bad: true},
	} {
		k := open(t, "n = 1\nn = 2\nx = 1\nn = 3\nx = 1\nn = 4\nx = 1\n", nil)
		k.SetBreakpoints(k.src, []debug.Breakpoint{{Line: 2}})
		k.Start()
		k.at(2, debug.ReasonBreak)
		id, _, err := k.WatchPlace(0, 0, "n")
		if err != nil {
			t.Fatal(err)
		}
		placed, err := k.SetWatches([]string{id}, []string{"n"}, tt.when)
		if err != nil || placed[0].Set == tt.bad {
			t.Fatalf("%+v: %+v %v", tt.when, placed, err)
		}
		if tt.bad {
			continue
		}
		k.do(k.Continue)
		k.at(tt.line, debug.ReasonData)
	}
}

// TestRecorded debugs a run that is over: it stops at its end.
func TestRecorded(t *testing.T) {
	k := open(t, past, func(c *debug.Config) { c.Recorded = true })
	k.Start()
	k.at(16, debug.ReasonGoto)
	if err := k.Continue(); err == nil {
		t.Error("went on behind the end")
	}
	k.do(func() error { return k.LastChange(0, 0, "state") })
	k.at(10, debug.ReasonData)
	k.do(k.Continue)
	k.at(16, debug.ReasonGoto)
	k.do(k.StepBack)
	k.at(15, debug.ReasonStep)
	if _, err := k.Assign(0, 0, "state", "1"); err == nil {
		t.Error("a recording was changed")
	}
}

// TestFarBack goes back to what was long ago.
func TestFarBack(t *testing.T) {
	k := open(t, `early = 1
def f():
    t = 0
    for i in range(50000):
        t += i & 7
        t ^= 3
    return t
late = f()
end = late
`, nil)
	k.SetBreakpoints(k.src, []debug.Breakpoint{{Line: 4, Hits: "50000"}, {Line: 9}})
	k.Start()
	k.at(4, debug.ReasonBreak)
	if got := k.value("i"); got != "49999" {
		t.Errorf("i is %s at the pass with number 50000", got)
	}
	k.do(k.Continue)
	end := k.at(9, debug.ReasonBreak)
	if end.Moment.Passed < 1<<17 {
		t.Fatalf("only %d lines", end.Moment.Passed)
	}
	k.SetBreakpoints(k.src, nil)
	k.do(func() error { return k.LastChange(0, 0, "late") })
	k.at(8, debug.ReasonData)
	k.do(k.Continue)
	k.at(9, debug.ReasonPause)
	k.do(func() error { return k.LastChange(0, 0, "early") })
	if s := k.at(1, debug.ReasonData); s.Moment.Passed != 1 {
		t.Errorf("%+v", s)
	}
}
