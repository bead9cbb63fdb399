package repl

import "github.com/skep-sim/skep/internal/vm"

// DeclareInput adds the function input: a line typed at the terminal, edited as at
// the prompt, with a history of its own. open gives the terminal of a device.
func DeclareInput(fw *vm.Firmware, open func(*vm.VM) Terminal) {
	type lines struct{ *REPL }
	of := func(v *vm.VM) *lines { return v.State("input", func() any { return &lines{} }).(*lines) }
	fw.OnBoot(func(v *vm.VM) { // the heap that held the history is empty
		if l := of(v); l.REPL != nil {
			l.history, l.line = [historySize]uint32{}, nil
		}
	})
	fw.Builtin("input", fw.FuncV("input", 0, 1, func(v *vm.VM, args []vm.Value) vm.Value {
		r := of(v)
		if r.REPL == nil {
			r.REPL = New(v, open(v), Config{})
		}
		if len(args) == 1 {
			v.Stdout().Value(args[0], vm.PrintStr)
		}
		return r.input()
	}))
}

// input reads one line. Ctrl-C raises KeyboardInterrupt; Ctrl-D on an empty line,
// and the end of input, EOFError.
func (r *REPL) input() vm.Value {
	line := r.vm.NewVstr(16)
	r.line = line
	r.edit.newLine(r, "")
	ret := r.readLine()
	r.line = nil
	switch {
	case ret == ctrlC:
		r.vm.Raise(r.vm.NewException(vm.TypeKeyboardInterrupt))
	case line.Len() == 0 && (ret == ctrlD || ret == keyEnd):
		r.vm.Raise(r.vm.NewException(vm.TypeEOFError))
	}
	return line.Object(vm.TypeStr)
}
