package vm

import (
	"fmt"
	"runtime"
	"strings"
)

// Fault is the end of an interpreter whose memory the program damaged, as it can
// through a memoryview of a bytearray that has grown since: where a module's
// processor faults, and the module restarts.
type Fault struct {
	Cause string // what was tried
	Where string // in which function
}

// FaultOf returns the fault behind a recovered Go panic of a VM, or nil if it was
// something else. It must be called by the deferred function itself. The VM is
// unusable until Reset.
func FaultOf(recovered any) *Fault {
	var f Fault
	switch r := recovered.(type) {
	case runtime.Error:
		f.Cause = strings.TrimPrefix(r.Error(), "runtime error: ")
	case string:
		if !strings.HasPrefix(r, "memory: ") {
			return nil
		}
		f.Cause = r
	default:
		return nil
	}
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		fr, more := frames.Next()
		if _, name, ok := strings.Cut(fr.Function, "/internal/vm."); ok && !strings.Contains(name, ".func") {
			f.Where = fmt.Sprintf("%s:%d", name, fr.Line)
			break
		}
		if !more {
			break
		}
	}
	return &f
}

// Error says what happened and what to do.
func (f *Fault) Error() string {
	return fmt.Sprintf("the interpreter's memory is damaged, where a module would crash and restart (%s at %s): "+
		"a memoryview must be taken again after its bytearray has grown; if the program has none, please report this", f.Cause, f.Where)
}
