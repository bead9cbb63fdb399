package hosted

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"syscall"

	"github.com/skep-sim/skep/internal/vm"
)

// This file is module uos of the hosted reference, upstream's for PCs. A module's own
// is another (package pymod).

const (
	eperm  vm.Errno      = 1
	eisdir syscall.Errno = 21

	modeDir  = 0x4000
	modeFile = 0x8000
)

// listing is a directory that is being gone through.
type listing struct {
	entries []fs.DirEntry
	at      int // "." and ".." come first
}

// raise raises the OSError of an operation, if it failed, and remembers its number.
func (h *host) raise(v *vm.VM, err error) {
	if e := errnoOf(err); e != 0 {
		h.errno = e
		v.RaiseOS(e)
	}
}

// allowed checks that the program may use the host, and returns it.
func allowed(v *vm.VM) *host {
	h := hostOf(v)
	if h.refuse {
		v.RaiseOS(eperm)
	}
	return h
}

// hostOS declares module uos. Of statvfs it has nothing: no portable library tells
// those figures.
func hostOS(fw *vm.Firmware) {
	m := fw.Module("uos")
	path1 := func(name string, f func(path string) error) {
		m.Add(name, fw.Func1(name, func(v *vm.VM, path vm.Value) vm.Value {
			p := string(v.StrArg(path))
			allowed(v).raise(v, f(p))
			return vm.None
		}))
	}
	m.Add("errno", fw.FuncV("errno", 0, 1, func(v *vm.VM, args []vm.Value) vm.Value {
		h := hostOf(v)
		if len(args) == 0 {
			return vm.SmallInt(int(h.errno))
		}
		h.errno = vm.Errno(v.Int(args[0]))
		return vm.None
	}))
	m.Add("stat", fw.Func1("stat", osStat))
	m.Add("system", fw.Func1("system", osSystem))
	path1("remove", removeFile)
	m.Add("getenv", fw.Func1("getenv", func(v *vm.VM, name vm.Value) vm.Value {
		key := string(v.StrArg(name))
		if s, ok := os.LookupEnv(key); ok && !hostOf(v).refuse {
			return v.NewString(s)
		}
		return vm.None
	}))
	path1("mkdir", func(p string) error { return os.Mkdir(p, 0o777) })
	iter := fw.NewType("iterator", &vm.Type{
		Flags: vm.FlagOwnIter,
		Iter:  func(v *vm.VM, self vm.Value, _ uint32) vm.Value { return self },
		Next:  nextEntry,
	})
	m.Add("ilistdir", fw.FuncV("ilistdir", 0, 1, func(v *vm.VM, args []vm.Value) vm.Value {
		path := "."
		if len(args) > 0 {
			path = string(v.StrArg(args[0]))
		}
		o := v.Alloc(12)
		h := allowed(v)
		v.Mem[o/4], v.Mem[o/4+1] = iter.Value(), vm.SmallInt(len(h.dirs))
		h.dirs = append(h.dirs, list(path))
		return vm.Value(o)
	}))
}

// list reads a directory; one that cannot be read has no entries, as upstream has it.
func list(path string) *listing {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	if entries, err := f.ReadDir(-1); err == nil {
		return &listing{entries: entries}
	}
	return nil
}

// nextEntry gives the next entry of a directory: name, kind, number of the inode,
// which is 0 here.
func nextEntry(v *vm.VM, self vm.Value) vm.Value {
	h := hostOf(v)
	n := v.Mem[self/4+1].SmallInt()
	d := h.dirs[n]
	if d == nil || d.at == 2+len(d.entries) {
		h.dirs[n] = nil
		return vm.Null
	}
	name, kind := "..", modeDir
	switch d.at {
	case 0:
		name = "."
	case 1:
	default:
		e := d.entries[d.at-2]
		name = e.Name()
		if !e.IsDir() {
			kind = modeFile
		}
	}
	d.at++
	return v.NewTuple(v.NewString(name), vm.SmallInt(kind), vm.SmallInt(0))
}

// removeFile removes a file, and no directory.
func removeFile(p string) error {
	if st, err := os.Lstat(p); err == nil && st.IsDir() {
		return eisdir
	}
	return os.Remove(p)
}

// osStat tells the kind and permissions, the size and the time of change; what not
// every system has is 0.
func osStat(v *vm.VM, path vm.Value) vm.Value {
	p := string(v.StrArg(path))
	h := allowed(v)
	st, err := os.Stat(p)
	h.raise(v, err)
	mode := modeFile
	if st.IsDir() {
		mode = modeDir
	}
	changed := vm.SmallInt(int(st.ModTime().Unix()))
	items := make([]vm.Value, 10)
	for i := range items {
		items[i] = vm.SmallInt(0)
	}
	items[0], items[3] = vm.SmallInt(mode|int(st.Mode().Perm())), vm.SmallInt(1)
	items[6], items[7], items[8], items[9] = v.NewUint(uint64(st.Size())), changed, changed, changed
	return v.NewTuple(items...)
}

// osSystem runs a command of the host's shell and returns its status as wait() gives
// it.
func osSystem(v *vm.VM, command vm.Value) vm.Value {
	line := string(v.StrArg(command))
	h := allowed(v)
	h.flush()
	c := exec.Command("sh", "-c", line)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := c.Run()
	var status *exec.ExitError
	if errors.As(err, &status) {
		return vm.SmallInt(status.ExitCode() << 8)
	}
	h.raise(v, err)
	return vm.SmallInt(0)
}
