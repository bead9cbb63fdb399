package apptest

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/memory"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee"
)

// meter is what of the heap is in use.
type meter struct{ before, peak, left, total int }

// session runs the tests that are left, on a module that has just been started.
func (r *runner) session(v *vm.VM) {
	var module vm.Value
	quiet := r.out.Len()
	lift := r.device.Limit(r.conf.Timeout)
	exc := v.Try(func() {
		module = v.Import(r.file.Name())
		r.optional(v, module, "setup_module")
	})
	late := lift()
	if exc != vm.Null {
		res := Result{Name: loading, Outcome: Failed, Output: r.printed(quiet)}
		res.Reason, res.Trace = r.explain(v, exc)
		if late {
			res.Reason = r.late()
		}
		r.report.Tests = append(r.report.Tests, res)
		for _, t := range r.tests {
			t.done = true
		}
		r.recover(v)
		return
	}
	for t := r.next(); t != nil; t = r.next() {
		r.one(v, module, t)
	}
	lift = r.device.Limit(r.conf.Timeout)
	defer lift()
	quiet = r.out.Len()
	if exc := v.Try(func() { r.optional(v, module, "teardown_module") }); exc != vm.Null {
		res := Result{Name: "teardown_module", Outcome: Failed, Output: r.printed(quiet)}
		res.Reason, res.Trace = r.explain(v, exc)
		r.report.Tests = append(r.report.Tests, res)
	}
}

// recover makes the interpreter ready again after an exception.
func (r *runner) recover(v *vm.VM) {
	v.UnlockHeap()
	v.Release(0)
}

// optional calls a function of the module if it has it.
func (r *runner) optional(v *vm.VM, module vm.Value, name string) {
	var m [2]vm.Value
	v.LoadMethodMaybe(module, v.Intern(name), &m)
	if m[0] != vm.Null {
		v.Call(m[0], nil, nil)
	}
}

// one runs a test.
func (r *runner) one(v *vm.VM, module vm.Value, t *test) {
	if t.skips {
		t.done = true
		r.report.Tests = append(r.report.Tests, Result{Name: t.name, Line: t.line, Outcome: Skipped, Reason: t.skip})
		return
	}
	h := v.Heap()
	v.Collect()
	r.heap = meter{before: int(h.MemAlloc())}
	r.heap.peak, r.heap.total = r.heap.before, r.heap.before+int(h.MemFree())
	h.Trace = func(op byte, addr, n, old uint32) {
		if op == memory.OpAlloc || op == memory.OpRealloc {
			r.heap.peak = max(r.heap.peak, int(h.MemAlloc()))
		}
	}
	r.out.Reset()
	r.stage, r.began = t, r.now()
	lift := r.device.Limit(r.conf.Timeout)
	if t.script != nil {
		r.device.PlayNow(t.script)
	}
	exc := v.Try(func() {
		r.optional(v, module, "setup")
		v.Call(v.LoadAttr(module, v.Intern(t.name)), nil, nil)
	})
	res := r.result(v, t, exc)
	if after := v.Try(func() { r.optional(v, module, "teardown") }); after != vm.Null && res.Outcome == Passed {
		res.Outcome = Failed
		res.Reason, res.Trace = r.explain(v, after)
		res.Reason = "teardown: " + res.Reason
	}
	if lift() {
		res.Outcome, res.Reason = Failed, r.late()
	}
	h.Trace = nil
	r.recover(v)
	v.Collect()
	r.heap.left = int(h.MemAlloc()) - r.heap.before
	r.finish(res)
}

// late is why a test fails that takes too long.
func (r *runner) late() string {
	return fmt.Sprintf("it takes longer than %v on the module's clock: does it hang? (--timeout)", r.conf.Timeout)
}

func (r *runner) now() time.Duration { return world.Uptime(r.world.Clock()) }

// finish adds the result of the test that runs.
func (r *runner) finish(res Result) {
	res.Output = r.printed(0)
	res.Time = (r.now() - r.began).Seconds()
	res.Before, res.Peak, res.Left, res.Heap = r.heap.before, r.heap.peak, r.heap.left, r.heap.total
	r.report.Tests = append(r.report.Tests, res)
	r.stage.done, r.stage = true, nil
}

// printed is what the module has sent since.
func (r *runner) printed(from int) string {
	return strings.ReplaceAll(string(r.out.Bytes()[min(from, r.out.Len()):]), "\r\n", "\n")
}

// result is what a test has come to that ended by itself or by an exception.
func (r *runner) result(v *vm.VM, t *test, exc vm.Value) Result {
	res := Result{Name: t.name, Line: t.line, Outcome: Passed}
	switch {
	case exc == vm.Null && t.expect != "":
		res.Outcome, res.Reason = Failed, fmt.Sprintf("it ended well, and was to end with %s", t.expect)
	case exc == vm.Null:
	case t.expect != "" && v.IsExceptionInstance(exc) && t.expect == v.QstrString(v.TypeNameOf(exc)):
	default:
		res.Outcome = Failed
		res.Reason, res.Trace = r.explain(v, exc)
		if t.expect != "" {
			res.Reason += fmt.Sprintf(" (it was to end with %s)", t.expect)
		}
	}
	return res
}

// expectReset is what a test says that is to reset the module.
const expectReset = "reset"

// ended is what has become of the session when something else than an exception ended
// it.
func (r *runner) ended(err error) {
	reason := "it did not come to its end: " + err.Error()
	switch {
	case errors.Is(err, xbee.ErrTime):
		reason = r.late() + " It could not be interrupted."
	case errors.Is(err, xbee.ErrInput):
		reason = "it waits for input, and nobody types: a script can (# world: at 1s serial \"text\")"
	case errors.Is(err, xbee.ErrReset):
		reason = "it restarts the module (a test that is to do that says # expect: reset)"
	case errors.Is(err, xbee.ErrOff), errors.Is(err, xbee.ErrPower):
		reason = "it ends with the module: " + err.Error()
	}
	if r.stage == nil {
		res := Result{Name: loading, Outcome: Failed, Reason: reason, Output: r.printed(0)}
		r.report.Tests = append(r.report.Tests, res)
		for _, t := range r.tests {
			t.done = true
		}
		return
	}
	res := Result{Name: r.stage.name, Line: r.stage.line, Outcome: Failed, Reason: reason}
	if errors.Is(err, xbee.ErrReset) && r.stage.expect == expectReset {
		res.Outcome, res.Reason = Passed, ""
	}
	r.finish(res)
}

// explain is an exception in a line, and its traceback.
func (r *runner) explain(v *vm.VM, exc vm.Value) (text string, trace []Frame) {
	var b bytes.Buffer
	v.NewPrinter(func(p []byte) { b.Write(p) }).ReportException(exc)
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	last := 0
	for i, line := range lines { // the text may have lines of its own
		if strings.HasPrefix(line, "  File \"") {
			last = i + 1
		}
	}
	text = strings.TrimRight(strings.Join(lines[min(last, len(lines)-1):], "\n"), " :")
	if !v.IsExceptionInstance(exc) {
		return text, nil
	}
	tb := v.Traceback(exc)
	for i := len(tb) - 1; i >= 0; i-- {
		in := ""
		if tb[i].Block != 0 {
			in = v.QstrString(tb[i].Block)
		}
		trace = append(trace, r.frame(v.QstrString(tb[i].File), tb[i].Line, in))
	}
	return text, trace
}

// frame finds the source of a line of a traceback.
func (r *runner) frame(file string, line int, in string) Frame {
	f := Frame{File: file, Line: line, In: in}
	src, ok := r.conf.Sources[file]
	if file == path.Base(r.file.Path) {
		src, ok = Source{r.file.Path, r.file.Text}, true
	}
	if !ok {
		return f
	}
	f.File = src.Path
	if lines := strings.Split(string(src.Text), "\n"); line >= 1 && line <= len(lines) {
		f.Text = strings.TrimSpace(lines[line-1])
	}
	return f
}
