package pylib

import (
	"fmt"

	"github.com/skep-sim/skep/internal/memory"
	"github.com/skep-sim/skep/internal/vm"
)

// SysConfig is what module sys says of the host.
type SysConfig struct {
	// Platform is sys.platform.
	Platform string
	// Version is the MicroPython release: 1, 11, 0.
	Version [3]int
	// Language is sys.version and sys.version_info, the version of Python that is
	// implemented, as three numbers with dots; "" is 3.4.0, as upstream has it.
	Language string
	// TextFiles makes the class of a PC's text files; the objects behind the three
	// standard ones are their numbers. Nil: there is only a console.
	TextFiles func(fw *vm.Firmware) *vm.Type
}

// sysObjects are what is made at every start and only read from then on.
type sysObjects struct{ info, impl, maxsize, version vm.Value }

// Fork implements vm.Forker.
func (s *sysObjects) Fork() any { return s }

// Sys declares module sys.
func Sys(fw *vm.Firmware, c SysConfig) {
	o := &fw.Options
	m := fw.Module("sys")
	path, argv := fw.Q("path"), fw.Q("argv")
	info, impl, maxsize, modules := fw.Q("version_info"), fw.Q("implementation"), fw.Q("maxsize"), fw.Q("modules")
	name, version := fw.Q("name"), fw.Q("version")
	micropython := fw.Q("micropython").Value()
	var mpy vm.Qstr
	if o.V12 {
		mpy = fw.Q("mpy")
	}
	// the objects that C keeps in ROM are made in static RAM at every start
	fw.OnBoot(func(v *vm.VM) {
		s := v.State("sys", func() any { return &sysObjects{} }).(*sysObjects)
		i := vm.SmallInt
		language := c.Language
		if language == "" {
			language = "3.4.0"
		}
		var major, minor, micro int
		fmt.Sscanf(language, "%d.%d.%d", &major, &minor, &micro)
		s.info = v.StaticTuple(i(major), i(minor), i(micro))
		fields := []vm.Qstr{name, version}
		items := []vm.Value{micropython, v.StaticTuple(i(c.Version[0]), i(c.Version[1]), i(c.Version[2]))}
		if o.V12 {
			// MPY_FILE_HEADER_INT: version, feature flags and architecture, of which there are none
			fields, items = append(fields, mpy), append(items, i(o.MpyVersion))
		}
		if o.AttrTuple {
			s.impl = v.StaticAttrTuple(fields, items...)
		} else {
			s.impl = v.StaticTuple(items...)
		}
		s.version = v.StaticStr(language)
		s.maxsize = v.StaticInt(0x7fffffff)
	})
	m.Getattr(func(v *vm.VM, q vm.Qstr) vm.Value {
		s := v.State("sys", nil).(*sysObjects)
		switch {
		case q == path:
			return v.SysPath()
		case q == argv:
			return v.SysArgv()
		case q == info:
			return s.info
		case q == version:
			return s.version
		case q == impl:
			return s.impl
		case q == maxsize && o.SysMaxsize:
			return s.maxsize
		case q == modules && o.SysModules:
			return v.SysModules()
		}
		return vm.Null
	})
	m.Add("platform", fw.Q(c.Platform).Value())
	m.Add("byteorder", fw.Q("little").Value())
	if o.SysExit {
		m.Add("exit", fw.FuncV("exit", 0, 1, func(v *vm.VM, args []vm.Value) vm.Value {
			v.Raise(v.NewException(vm.TypeSystemExit, args...))
			return vm.Null
		}))
	}
	if o.SysExcInfo {
		m.Add("exc_info", fw.Func0("exc_info", sysExcInfo))
	}
	if o.SysGetsizeof {
		m.Add("getsizeof", fw.Func1("getsizeof", func(v *vm.VM, a vm.Value) vm.Value {
			return v.UnaryOp(vm.UnarySizeof, a)
		}))
	}
	if o.SysAtexit {
		m.Add("atexit", fw.Func1("atexit", sysAtexit))
		fw.OnBoot(func(v *vm.VM) { exitHookOf(v).f = vm.None })
	}
	stdFiles(fw, m, c.TextFiles)
	m.Add("print_exception", fw.FuncV("print_exception", 1, 2, func(v *vm.VM, args []vm.Value) vm.Value {
		p := v.Stdout()
		if len(args) > 1 {
			p = v.StreamPrinter(args[1])
		}
		p.PrintException(args[0])
		return vm.None
	}))
}

func sysExcInfo(v *vm.VM) vm.Value {
	exc := v.CurrentException()
	if exc == vm.Null {
		return v.NewTuple(vm.None, vm.None, vm.None)
	}
	return v.NewTuple(v.TypeOf(exc), exc, vm.None)
}

// exitHook is what sys.atexit was given.
type exitHook struct{ f vm.Value }

func exitHookOf(v *vm.VM) *exitHook {
	return v.State("atexit", func() any {
		h := &exitHook{vm.None}
		v.AddRoots(func(m *memory.Marker) { m.Word(uint32(h.f)) })
		return h
	}).(*exitHook)
}

func sysAtexit(v *vm.VM, f vm.Value) vm.Value {
	h := exitHookOf(v)
	old := h.f
	h.f = f
	return old
}

// AtExit calls what the program has given to sys.atexit, as a host does when the
// program has ended.
func AtExit(v *vm.VM) {
	if !v.Options().SysAtexit {
		return
	}
	if f := exitHookOf(v).f; v.IsCallable(f) {
		v.Call(f, nil, nil)
	}
}
