package xbee

import (
	"fmt"
	"strings"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// This file says which figures about memory rest on what is not known of the
// module for sure: calibrations, choices, and inferences.

// explain tells the person at the host about a figure that the program gets to see.
func (d *Device) explain(f vm.Figure) {
	if !d.conf.Explain {
		return
	}
	p := d.profile
	var on reliance
	what := ""
	switch f {
	case vm.HeapFigure:
		what = "what is used and free of the heap"
		d.heapFigure(&on)
	case vm.StackFigure:
		what = "the stack in use"
		on.add("the cost of a call", "estimated", "%d bytes for a Python function, %d inside built-in code: averages, no measurement", d.vm.Options().FrameCost, d.vm.Options().NativeCost)
		on.add("the firmware's own use", profile.Calibrated, "%d bytes, fitted to the 984 of the one report that was observed", stackFloor)
		rest(&on, "stack_limit", p.StackLimit, "the limit")
	case vm.BundleFigure:
		what = "the report of os.bundle()"
		on.add("bytes of raw code", profile.Calibrated, "the layout of the area is Skep's own, and 4 bytes a module are fitted to the one report that was observed")
		on.add("used, 1-blocks, 2-blocks", profile.Calibrated, "the working memory of bundling (11 blocks, 3 pairs of blocks, 4 bytes beside each constant) and 408 bytes of stack are fitted to the same report")
		on.add("QSTR entries", profile.Inferred, "which names the firmware holds in ROM is known in part")
		rest(&on, "bundle_bytes", p.BundleBytes, "the size of the area")
		rest(&on, "bundle_qstrs", p.BundleQstrs, "the number of names")
		rest(&on, "qstr_hash_bytes", p.QstrHashBytes, "bytes of each name's hash")
	}
	if on == nil {
		return
	}
	d.note(fmt.Sprintf("explain: %s:\n%s\n  skep profile show %s has the sources", what, strings.Join(on, "\n"), p.Name))
}

// heapFigure lists what the figures of the heap rest on, so far.
func (d *Device) heapFigure(on *reliance) {
	p, v := d.profile, d.vm
	if d.conf.HeapBytes == 0 {
		rest(on, "heap_bytes", p.HeapBytes, "the size of the heap")
	}
	effect := func(set bool, yes, no string) string {
		if set {
			return yes
		}
		return no
	}
	rest(on, "persistent_code_save", p.PersistentCodeSave, effect(p.PersistentCodeSave.Value,
		"16 bytes more for each function that was compiled or loaded", "nothing more for compiled functions"))
	rest(on, "no_alloca", p.NoAlloca, effect(p.NoAlloca.Value,
		"32 to 64 bytes for each call of a small function stay until a collection", "small functions are called without the heap"))
	rest(on, "repl_event_driven", p.REPLEventDriven, effect(p.REPLEventDriven.Value, "16 bytes for the prompt's line", "nothing for the prompt's line"))
	if v.HasLastResult() || !p.CanOverrideBuiltins.Value {
		rest(on, "can_override_builtins", p.CanOverrideBuiltins, effect(p.CanOverrideBuiltins.Value,
			"32 bytes, and the last result, for the name _ at the prompt", "the prompt keeps no last result"))
	}
	if n := v.MpyImports(); n > 0 && p.ImportBlocks.Value != 0 {
		rest(on, "import_blocks", p.ImportBlocks, "that many blocks of 16 bytes at each import of a .mpy file from the file system")
	}
	rest(on, "qstr_hash_bytes", p.QstrHashBytes, "bytes of each new name's hash")
	on.add("names in ROM", profile.Inferred, "known in part: a new name takes its length and %d bytes, and room in a table", p.QstrHashBytes.Value+2)
}

// reliance is a list of what a figure rests on, a line each.
type reliance []string

func (r *reliance) add(name string, c profile.Confidence, format string, args ...any) {
	*r = append(*r, fmt.Sprintf("  %s (%s): %s", name, c, fmt.Sprintf(format, args...)))
}

// rest adds a fact of the profile, if it is not known for sure.
func rest[T any](r *reliance, key string, f profile.Fact[T], effect string) {
	if f.Confidence != profile.Documented && f.Confidence != profile.Observed {
		r.add(fmt.Sprintf("%s = %v", key, f.Value), f.Confidence, "%s", effect)
	}
}
