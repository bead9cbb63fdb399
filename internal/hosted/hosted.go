// Package hosted runs one program the way "micropython FILE.py" does on a PC:
// the interpreter of a device on a heap of a device's size, with the host's
// files to import from and the host's output.
//
// It is not a device: there is no flash, no prompt, no network, no serial port.
package hosted

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/skep-sim/skep/internal/pylib"
	"github.com/skep-sim/skep/internal/repl"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
)

// Config is what a program is run with.
type Config struct {
	Options   vm.Options
	HeapBytes int
	OptLevel  int
	// Path is sys.path behind the program's directory.
	Path  []string
	Stdin io.Reader // nil: empty
	// Terminal: somebody types at stdin, whose terminal shows what they type.
	Terminal bool
	Stdout   io.Writer
	Stderr   io.Writer
	// NoFiles keeps a program from the host's files, environment and shell.
	NoFiles bool
	// Clock is the time, nil: a virtual one.
	Clock world.Clock
	// Absolute: sys.path begins with the absolute path of the program's directory, and
	// not with the directory as it was given, which may be "".
	Absolute bool
	// Plain runs one instruction of the bytecode at a time; see vm.Config.
	Plain bool
	// Debug, if not nil, follows the program; see vm.Config.
	Debug *vm.Debugger
	// Interrupt, if not nil, makes the program raise KeyboardInterrupt, once for
	// everything that is received from it.
	Interrupt <-chan struct{}
	// StepLimit, if not 0, stops a program that runs too long.
	StepLimit uint64
	// OnVM, if not nil, sees the interpreter before the program starts.
	OnVM func(*vm.VM)
}

// NewFirmware makes a firmware with the modules that need no device.
func NewFirmware(o vm.Options) *vm.Firmware {
	fw := vm.NewFirmware(o)
	pylib.Standard(fw, pylib.SysConfig{Platform: "linux", Version: o.Release(), TextFiles: textFiles})
	if o.StdFiles == vm.HostFiles {
		hostOS(fw)
		hostTime(fw)
	}
	if o.Input {
		repl.DeclareInput(fw, func(v *vm.VM) repl.Terminal { return v.State(terminalKey, nil).(*terminal) })
	}
	if o.Help {
		pylib.Help(fw, pylib.HelpText)
	}
	return fw.Seal()
}

// hostFiles imports from the host's file system.
type hostFiles struct{}

// expand puts the user's directory for a "~" at the start, which sys.path keeps,
// so that a program takes the same memory for every user.
func expand(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return path
}

func (hostFiles) Stat(path string) vm.FileKind {
	st, err := os.Stat(expand(path))
	switch {
	case err != nil:
		return vm.NoFile
	case st.IsDir():
		return vm.Directory
	}
	return vm.RegularFile
}

func (hostFiles) ReadFile(path string) ([]byte, vm.Errno) {
	b, err := os.ReadFile(expand(path))
	if err != nil {
		return nil, 2
	}
	return b, 0
}

func (hostFiles) Bundled(string) uint32 { return 0 }

// Run runs a program and returns the exit status that a shell would see.
func Run(c Config, src []byte, name string, argv []string) int {
	return RunOn(NewFirmware(c.Options), c, src, name, argv)
}

// StatusSteps is the exit status of a program that was stopped at its StepLimit.
const StatusSteps = 124

// StatusFault is the exit status of a program that damaged the interpreter's
// memory: what a shell reports of a segmentation fault.
const StatusFault = 139

// RunOn is Run with a firmware made before.
func RunOn(fw *vm.Firmware, c Config, src []byte, name string, argv []string) (status int) {
	out := newBuffered(c.Stdout)
	defer out.flush()
	defer func() {
		if p := recover(); p == any(vm.ErrSteps) {
			out.flush()
			io.WriteString(c.Stderr, "skep: "+name+": stopped: it used up its steps\n")
			status = StatusSteps
		} else if f := vm.FaultOf(p); f != nil {
			out.flush()
			io.WriteString(c.Stderr, "skep: "+name+": "+f.Error()+"\n")
			status = StatusFault
		} else if p != nil {
			panic(p)
		}
	}()
	var v *vm.VM
	v = vm.New(vm.Config{
		Firmware:  fw,
		HeapBytes: uint32(c.HeapBytes),
		Plain:     c.Plain,
		Debug:     c.Debug,
		Hooks: vm.Hooks{
			Stdout: out.write,
			Stdin:  reader(c.Stdin, out),
			Stderr: func(b []byte) {
				out.flush()
				c.Stderr.Write(b)
			},
			Poll: func() {
				out.flush() // who prints seldom is to be seen, too
				select {
				case <-c.Interrupt:
					v.KeyboardInterrupt()
				default:
				}
			},
			Files: hostFiles{},
			Warn:  func(msg string) { io.WriteString(c.Stderr, "Warning: "+msg+"\n") },
			Note:  func(text string) { io.WriteString(c.Stderr, "skep: "+text+"\n") },
		},
	})
	h := hostOf(v)
	h.refuse, h.clock = c.NoFiles, c.Clock
	if h.clock == nil {
		h.clock = world.NewVirtualClock(world.VirtualStart)
	}
	h.flush, h.interrupt = out.flush, c.Interrupt
	defer h.close()
	v.StepLimit = c.StepLimit
	v.State(terminalKey, func() any { return &terminal{vm: v, silent: c.Terminal} })
	setSysLists(v, directory(v, name, c.Absolute), c.Path, append([]string{name}, argv...))
	v.SetOptLevel(c.OptLevel)
	if c.OnVM != nil {
		c.OnVM(v)
	}
	exc := v.Try(func() {
		if strings.HasSuffix(name, ".mpy") {
			v.RunRaw(v.LoadMpyFile(name, src), v.MainDict(), v.MainDict())
			return
		}
		if v.Options().StdFiles != vm.HostFiles { // that build is handed the text
			v.ExecSource(src, name, vm.MemoryReader, v.MainDict())
			return
		}
		v.ExecFile(src, name, v.MainDict())
	})
	if end := v.Try(func() { pylib.AtExit(v) }); exc == vm.Null {
		exc = end
	}
	switch {
	case exc == vm.Null:
		return 0
	case v.IsSubclass(v.TypeOf(exc), vm.TypeSystemExit):
		return exitStatus(v, exc)
	}
	out.flush()
	v.NewPrinter(func(b []byte) { c.Stderr.Write(b) }).ReportException(exc)
	return 1
}

// setSysLists fills sys.path and sys.argv.
func setSysLists(v *vm.VM, dir func() vm.Value, path, argv []string) {
	pathList, argvList := v.InitSysLists()
	v.ListAppend(pathList, dir())
	for _, p := range path {
		v.ListAppend(pathList, v.Intern(p).Value())
	}
	for _, a := range argv {
		v.ListAppend(argvList, v.Intern(a).Value())
	}
	v.Release(0)
}

// directory makes the first of sys.path. An absolute one costs no memory, so that a
// program takes the same wherever it lies.
func directory(v *vm.VM, name string, absolute bool) func() vm.Value {
	dir := filepath.Dir(name)
	if absolute {
		full, err := filepath.Abs(dir)
		if err == nil {
			full, err = filepath.EvalSymlinks(full)
		}
		if err == nil {
			return func() vm.Value { return v.StaticStr(full) }
		}
	}
	if dir == "." {
		dir = ""
	}
	return func() vm.Value { return v.Intern(dir).Value() }
}

// exitStatus is what a shell sees of a SystemExit.
func exitStatus(v *vm.VM, exc vm.Value) int {
	code := v.ExceptionValue(exc)
	n, ok := v.IntMaybe(code)
	switch {
	case code == vm.None:
		return 0
	case !ok:
		return 1
	}
	return n & 0xff
}

// reader is a program's input. What it printed is shown before it waits.
func reader(r io.Reader, out *buffered) func(b []byte, wait bool) (int, bool) {
	if r == nil {
		return nil
	}
	return func(b []byte, wait bool) (int, bool) {
		out.flush()
		for {
			n, err := r.Read(b)
			if n > 0 || err != nil {
				return n, n == 0
			}
		}
	}
}

// buffered gathers output, since programs print in small pieces.
type buffered struct {
	w   io.Writer
	buf []byte
}

func newBuffered(w io.Writer) *buffered { return &buffered{w: w, buf: make([]byte, 0, 4096)} }

func (b *buffered) write(p []byte) {
	if len(b.buf)+len(p) > cap(b.buf) {
		b.flush()
	}
	b.buf = append(b.buf, p...)
	if len(b.buf) >= 4096 {
		b.flush()
	}
}

func (b *buffered) flush() {
	if len(b.buf) > 0 {
		b.w.Write(b.buf)
		b.buf = b.buf[:0]
	}
}
