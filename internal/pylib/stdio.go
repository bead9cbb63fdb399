package pylib

import "github.com/skep-sim/skep/internal/vm"

// This file is sys.stdin, sys.stdout and sys.stderr. They are objects in ROM,
// so they cost a program nothing.

// eperm is the error of a stream used the wrong way.
const eperm vm.Errno = 1

// The file descriptors.
const (
	fdIn = iota
	fdOut
	fdErr
)

// stdFiles adds the standard files to module sys; text is the class of a PC's,
// nil for a host that is none.
func stdFiles(fw *vm.Firmware, m *vm.ModuleDef, text func(fw *vm.Firmware) *vm.Type) {
	var t *vm.Type
	switch {
	case fw.Options.StdFiles == vm.NoStdFiles:
		return
	case fw.Options.StdFiles == vm.HostFiles && text != nil:
		t = text(fw)
	default:
		t = consoleFileType(fw)
	}
	out := fw.Object(t, fdOut)
	stderr := out
	if fw.Options.StdFiles != vm.DigiFiles { // Digi's guide: sys.stderr is an alias of sys.stdout
		stderr = fw.Object(t, fdErr)
	}
	m.Add("stdin", fw.Object(t, fdIn)).Add("stdout", out).Add("stderr", stderr)
	fw.SetStdout(out)
}

// fdOf returns the descriptor of a standard file, or -1 for any other object, on
// which a program may call these methods too.
func fdOf(v *vm.VM, self vm.Value) int {
	if fd, ok := v.ROMRef(self).(int); ok {
		return fd
	}
	return -1
}

func printFile(name string) func(*vm.VM, *vm.Printer, vm.Value, vm.PrintKind) {
	return func(v *vm.VM, p *vm.Printer, self vm.Value, kind vm.PrintKind) {
		p.Printf("<io."+name+" %d>", fdOf(v, self))
	}
}

// consoleFileType is class FileIO of ports without an operating system: all
// three on the console, where CR is read as LF.
func consoleFileType(fw *vm.Firmware) *vm.Type {
	digi := fw.Options.StdFiles == vm.DigiFiles
	t := fw.NewType("FileIO", &vm.Type{
		Flags: vm.FlagOwnIter, Print: printFile("FileIO"),
		Stream: &vm.Stream{
			Read: func(v *vm.VM, self vm.Value, b []byte) (int, vm.Errno) {
				if fdOf(v, self) != fdIn {
					return 0, eperm
				}
				n := readFully(v, b)
				textLines(b[:n])
				return n, 0
			},
			Write: func(v *vm.VM, self vm.Value, b []byte) (int, vm.Errno) {
				if fd := fdOf(v, self); fd != fdOut && fd != fdErr {
					return 0, eperm
				}
				v.WriteConsole(b)
				return len(b), 0
			},
			Text: func(*vm.VM, vm.Value) bool { return true },
		},
	})
	buffer := &vm.Type{
		Flags: vm.FlagOwnIter, Print: printFile("FileIO"),
		Stream: &vm.Stream{
			Read: func(v *vm.VM, self vm.Value, b []byte) (int, vm.Errno) { return readFully(v, b), 0 },
			Write: func(v *vm.VM, self vm.Value, b []byte) (int, vm.Errno) {
				v.WriteConsoleRaw(b)
				return len(b), 0
			},
		},
	}
	types := []*vm.Type{t}
	if digi {
		// one object for all three, whose number is not used
		fw.Method(t, "buffer", fw.Object(fw.NewType("FileIO", buffer), fdIn))
		types = append(types, buffer)
	}
	same := fw.Func1("close", func(v *vm.VM, self vm.Value) vm.Value { return self })
	exit := fw.FuncV("__exit__", 4, 4, func(*vm.VM, []vm.Value) vm.Value { return vm.None })
	for _, t := range types {
		fw.AddStreamMethods(t, "read", "readinto", "readline", "readlines", "write")
		if digi {
			fw.Method(t, "read", readNow(fw, t == buffer))
		}
		fw.Method(t, "close", same)
		fw.Method(t, "__del__", same)
		fw.Method(t, "__enter__", same)
		fw.Method(t, "__exit__", exit)
	}
	return t
}

// readFully waits until b is full or the input ends.
func readFully(v *vm.VM, b []byte) int {
	done := 0
	for done < len(b) {
		n := v.ReadConsole(b[done:], true)
		if n == 0 {
			break
		}
		done += n
	}
	return done
}

// textLines makes LF of CR, as typed by the Enter key.
func textLines(b []byte) {
	for i, c := range b {
		if c == '\r' {
			b[i] = '\n'
		}
	}
}

// readNow is Digi's read([n]): without n, or with a negative one, it does not
// wait but returns what is there, or None.
func readNow(fw *vm.Firmware, binary bool) vm.Value {
	typ := vm.TypeStr
	if binary {
		typ = vm.TypeBytes
	}
	read := fw.StreamMethod("read")
	return fw.FuncV("read", 1, 2, func(v *vm.VM, args []vm.Value) vm.Value {
		if len(args) > 1 && v.Int(args[1]) >= 0 {
			return v.Call(read, args, nil)
		}
		if fdOf(v, args[0]) != fdIn {
			v.RaiseOS(eperm)
		}
		var chunk [64]byte
		text := v.NewVstr(16)
		for {
			n := v.ReadConsole(chunk[:], false)
			if n == 0 {
				break
			}
			if !binary {
				textLines(chunk[:n])
			}
			text.Write(chunk[:n])
		}
		if text.Len() == 0 {
			text.Free()
			return vm.None
		}
		return text.Object(typ)
	})
}
