package repl

import "github.com/skep-sim/skep/internal/vm"

// This file is what Digi's firmware adds to the prompt: Ctrl-F keeps code on the
// module, Ctrl-R runs it (the guide of December 2018, as quoted by
// bokunimowakaru/xbee3_micropython; header and question are a choice, see
// device-facts.md 2.2).

// Flash is where code is kept. What goes wrong its methods raise in Python.
type Flash interface {
	// Store compiles text as a file and keeps it, in place of what was kept.
	Store(text []byte)
	// Autostart decides whether it is run whenever the module starts.
	Autostart(on bool)
	// Run runs it.
	Run()
}

// upload is Ctrl-F: like paste mode, but the text is compiled and kept. It
// returns false at the end of input.
func (r *REPL) upload() bool {
	done, ok := r.collect("flash compile mode", "^^^ ")
	if !done {
		return ok
	}
	text := append([]byte(nil), r.line.Bytes()...)
	if !r.run(func() { r.conf.Flash.Store(text) }) {
		return true
	}
	r.print("Automatically run this code at startup [Y/N]?")
	for {
		c, ok := r.term.Key()
		switch {
		case !ok:
			return false
		case c == ctrlC:
		case c == 'y', c == 'Y', c == 'n', c == 'N':
			r.term.Write([]byte{c})
			r.run(func() { r.conf.Flash.Autostart(c == 'y' || c == 'Y') })
		default:
			continue
		}
		r.print("\r\n")
		return true
	}
}

// run calls f with Ctrl-C to interrupt it, and reports whether it raised
// nothing. What it raises is shown.
func (r *REPL) run(f func()) bool {
	v := r.vm
	r.term.SetInterrupt(ctrlC)
	exc := v.Try(f)
	r.term.SetInterrupt(-1)
	if exc != vm.Null && !v.IsSubclass(v.TypeOf(exc), vm.TypeSystemExit) {
		r.printException(exc)
	}
	v.UnlockHeap()
	v.Release(0)
	return exc == vm.Null
}
