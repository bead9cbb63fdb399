// Package repl is the prompt: line editing with history and completion, blocks
// with automatic indent, paste mode and the raw mode that tools use, as
// MicroPython v1.11's readline.c and pyexec.c have them.
//
// It reads bytes and writes bytes; where they come from is the device's matter.
// The line being typed and the history lie on the device's heap.
package repl

import (
	"strconv"

	"github.com/skep-sim/skep/internal/memory"
	"github.com/skep-sim/skep/internal/syntax"
	"github.com/skep-sim/skep/internal/vm"
)

// The control characters.
const (
	ctrlA = 1
	ctrlB = 2
	ctrlC = 3
	ctrlD = 4
	ctrlE = 5
	ctrlF = 6
	ctrlR = 0x12
)

// Terminal is what the prompt is typed at.
type Terminal interface {
	// Key waits for the next byte; false is the end of input.
	Key() (byte, bool)
	// Write sends bytes as they are.
	Write(b []byte)
	// SetInterrupt sets the character that interrupts a program; -1 is none.
	SetInterrupt(c int)
}

// Config is what differs between firmware builds.
type Config struct {
	// Banner are the lines printed at the start, each with CR LF.
	Banner string
	// NumberedPaste: the prompt of paste mode counts the lines ("1=== ").
	NumberedPaste bool
	// Flash is where Ctrl-F keeps code and Ctrl-R has it from; nil: these keys do
	// nothing.
	Flash Flash
}

// Exit is why Run returned.
type Exit uint8

// The reasons.
const (
	SoftReset  Exit = iota // Ctrl-D on an empty line
	EndOfInput             // there is nobody at the terminal any more
)

// historySize is the number of lines kept.
const historySize = 8

// REPL is the prompt of one device. It outlives soft resets.
type REPL struct {
	vm   *vm.VM
	term Terminal
	conf Config

	line    *vm.Vstr
	object  uint32 // the vstr itself, where the build keeps it on the heap
	history [historySize]uint32
	raw     bool // raw mode, also after a soft reset
	edit    editor
}

// New makes the prompt of a device.
func New(v *vm.VM, t Terminal, c Config) *REPL {
	r := &REPL{vm: v, term: t, conf: c}
	v.AddRoots(func(m *memory.Marker) {
		m.Word(r.object)
		if r.line != nil {
			m.Word(r.line.Addr())
		}
		for _, h := range r.history {
			m.Word(h)
		}
	})
	return r
}

func (r *REPL) print(s string) { r.term.Write([]byte(s)) }

// Start allocates the line, after a reset of the interpreter, and prints the
// banner and the first prompt.
func (r *REPL) Start() {
	r.history = [historySize]uint32{}
	if r.vm.Options().EventREPL {
		r.object = r.vm.Alloc(16)
	}
	r.line = r.vm.NewVstr(32)
	r.vm.Release(0)
	if r.raw {
		r.enterRaw()
		return
	}
	r.banner()
	r.prompt(">>> ")
}

func (r *REPL) banner() { r.print(r.conf.Banner) }

// prompt begins a new line.
func (r *REPL) prompt(p string) {
	r.line.Truncate(0)
	r.edit = editor{hist: -1, prompt: p}
	r.print(p)
}

// Prompt prints a fresh prompt, after something else was printed.
func (r *REPL) Prompt() { r.prompt(">>> ") }

// Run serves the terminal until a soft reset or the end of input.
func (r *REPL) Run() Exit {
	for {
		var exit Exit
		var done bool
		if r.raw {
			exit, done = r.runRaw()
		} else {
			exit, done = r.runFriendly()
		}
		if done {
			return exit
		}
	}
}

// clear gives the line back, as before a reset.
func (r *REPL) clear() {
	if r.line != nil {
		r.line.Free()
	}
}

// runFriendly reads and runs what is typed at ">>> ".
func (r *REPL) runFriendly() (Exit, bool) {
	event := r.vm.Options().EventREPL
	for {
		switch ret := r.readLine(); ret {
		case keyEnd:
			return EndOfInput, true
		case ctrlA:
			r.raw = true
			r.print("\r\n")
			r.enterRaw()
			return 0, false
		case ctrlB:
			r.print("\r\n")
			r.banner()
			r.prompt(">>> ")
			continue
		case ctrlC:
			r.print("\r\n")
			r.prompt(">>> ")
			continue
		case ctrlD:
			r.print("\r\n")
			r.clear()
			return SoftReset, true
		case ctrlE, ctrlF, ctrlR:
			if !r.special(ret) {
				return EndOfInput, true
			}
			r.prompt(">>> ")
			continue
		}
		if r.line.Len() == 0 && !event {
			r.prompt(">>> ")
			continue
		}
		run, end := false, false
		if exc := r.vm.Try(func() { run, end = r.block() }); exc != vm.Null {
			r.printException(exc) // no memory for the line
			r.vm.Release(0)
			run = false
		}
		if end {
			return EndOfInput, true
		}
		if run {
			r.exec(syntax.Single, true, false)
		}
		r.prompt(">>> ")
	}
}

// block reads the further lines of a block, if the line begins one. run tells that it
// is complete, end that the input has ended before.
func (r *REPL) block() (run, end bool) {
	for r.line.Terminate(); continues(r.line.Bytes()); r.line.Terminate() {
		r.line.WriteByte('\n')
		r.edit.newLine(r, "... ")
		switch r.readLine() {
		case keyEnd:
			return false, true
		case ctrlC:
			r.print("\r\n")
			return false, false
		case ctrlD:
			return true, false
		}
	}
	return true, false
}

// special handles the keys that are commands of their own. It returns false at
// the end of input.
func (r *REPL) special(key int) bool {
	switch key {
	case ctrlF:
		return r.upload()
	case ctrlR:
		r.print("\r\n")
		r.run(r.conf.Flash.Run)
		return true
	}
	return r.paste()
}

// paste is Ctrl-E: everything up to Ctrl-D is run as a file. It returns false
// at the end of input.
func (r *REPL) paste() bool {
	done, ok := r.collect("paste mode", "=== ")
	if done {
		r.exec(syntax.File, true, false)
	}
	return ok
}

// collect takes text into the line up to Ctrl-D; done is false when Ctrl-C has
// cancelled it, and both are at the end of input. mark is what each line begins
// with, behind its number.
func (r *REPL) collect(mode, mark string) (done, ok bool) {
	n := 1
	next := func() string {
		if !r.conf.NumberedPaste {
			return mark
		}
		s := strconv.Itoa(n) + mark
		n++
		return s
	}
	r.print("\r\n" + mode + "; Ctrl-C to cancel, Ctrl-D to finish\r\n" + next())
	r.line.Truncate(0)
	for {
		c, ok := r.term.Key()
		switch {
		case !ok:
			return false, false
		case c == ctrlC:
			r.print("\r\n")
			return false, true
		case c == ctrlD:
			r.print("\r\n")
			return true, true
		}
		r.add(c)
		if c == '\r' {
			r.print("\r\n" + next())
		} else {
			r.term.Write([]byte{c})
		}
	}
}

// add appends a byte to the line. Without memory the byte is lost, and the
// MemoryError is shown, as C's would end the prompt.
func (r *REPL) add(c byte) {
	exc := r.vm.Try(func() { r.line.WriteByte(c) })
	if exc != vm.Null {
		r.printException(exc)
		r.line.Truncate(0)
	}
	r.vm.Release(0)
}

func (r *REPL) printException(exc vm.Value) {
	r.vm.Stdout().ReportException(exc)
}

// exec compiles and runs the line. eof: the raw mode's marks are printed.
func (r *REPL) exec(mode syntax.Mode, repl, eof bool) {
	v := r.vm
	src := append([]byte(nil), r.line.Bytes()...)
	exc := v.Try(func() {
		mark := v.Mark()
		f := v.NewFunction(v.Compile(src, "<stdin>", mode, repl, vm.MemoryReader))
		v.Release(mark, f) // the raw code is garbage now
		r.term.SetInterrupt(ctrlC)
		v.Call(f, nil, nil)
	})
	r.term.SetInterrupt(-1)
	if eof {
		r.print("\x04")
	}
	if exc != vm.Null && !v.IsSubclass(v.TypeOf(exc), vm.TypeSystemExit) {
		r.printException(exc)
	}
	if eof {
		r.print("\x04")
	}
	v.UnlockHeap()
	v.Release(0)
}

// enterRaw prints what raw mode starts with.
func (r *REPL) enterRaw() {
	r.print("raw REPL; CTRL-B to exit\r\n>")
	r.line.Truncate(0)
}

// runRaw serves the mode for tools: text, Ctrl-D, then "OK", output, Ctrl-D,
// traceback, Ctrl-D, ">".
func (r *REPL) runRaw() (Exit, bool) {
	for {
		c, ok := r.term.Key()
		switch {
		case !ok:
			return EndOfInput, true
		case c == ctrlA:
			r.enterRaw()
		case c == ctrlB:
			r.raw = false
			r.print("\r\n")
			r.banner()
			r.prompt(">>> ")
			return 0, false
		case c == ctrlC:
			r.line.Truncate(0)
		case c == ctrlD:
			r.print("OK")
			if r.line.Len() == 0 {
				r.print("\r\n")
				r.clear()
				return SoftReset, true
			}
			r.exec(syntax.File, false, true)
			r.line.Truncate(0)
			r.print(">")
		default:
			r.add(c)
		}
	}
}
