package hosted

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"syscall"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
)

// host is what a running program has open.
type host struct {
	files  []*os.File // from firstFile on, nil where free
	dirs   []*listing // being gone through; nil where done
	errno  vm.Errno   // of the last operation that failed
	refuse bool
	clock  world.Clock
	flush  func() // shows what the program has printed

	interrupt <-chan struct{} // as in Config
}

const stateName = "hosted"

func hostOf(v *vm.VM) *host { return v.State(stateName, func() any { return &host{} }).(*host) }

// Numbers of the standard files.
const (
	fdIn = iota
	fdOut
	fdErr
	firstFile
)

// Error numbers as Linux has them.
const (
	eio    vm.Errno = 5
	ebadf  vm.Errno = 9
	einval vm.Errno = 22
	espipe vm.Errno = 29
)

var errnos = []struct {
	err error
	no  vm.Errno
}{{fs.ErrNotExist, 2}, {fs.ErrPermission, 13}, {fs.ErrExist, 17}, {fs.ErrInvalid, einval}, {fs.ErrClosed, ebadf}}

func errnoOf(err error) vm.Errno {
	if err == nil || err == io.EOF {
		return 0
	}
	var no syscall.Errno
	if runtime.GOOS == "linux" && errors.As(err, &no) {
		return vm.Errno(no)
	}
	for _, e := range errnos {
		if errors.Is(err, e.err) {
			return e.no
		}
	}
	return eio
}

// add gives an open file the lowest free number.
func (h *host) add(f *os.File) int {
	if i := slices.Index(h.files, nil); i >= 0 {
		h.files[i] = f
		return i + firstFile
	}
	h.files = append(h.files, f)
	return len(h.files) - 1 + firstFile
}

// file returns the open file of a number, or nil.
func (h *host) file(fd int) *os.File {
	if fd < firstFile || fd-firstFile >= len(h.files) {
		return nil
	}
	return h.files[fd-firstFile]
}

func (h *host) close() {
	for _, f := range h.files {
		if f != nil {
			f.Close()
		}
	}
}

// read reads from a file by number.
func (h *host) read(v *vm.VM, fd int, b []byte) (int, vm.Errno) {
	if fd == fdIn {
		return v.ReadConsole(b, true), 0
	}
	f := h.file(fd)
	if f == nil {
		return 0, ebadf
	}
	n, err := f.Read(b)
	return n, errnoOf(err)
}

func (h *host) write(v *vm.VM, fd int, b []byte) (int, vm.Errno) {
	switch f := h.file(fd); {
	case fd == fdOut:
		v.WriteConsole(b)
	case fd == fdErr:
		v.WriteStderr(b)
	case f == nil:
		return 0, ebadf
	default:
		n, err := f.Write(b)
		return n, errnoOf(err)
	}
	return len(b), 0
}

// A file object is two words: its type, and the file's number, tagged so that
// the collector takes it for no address; a closed one has -1.
const fileBytes = 8

// closed is the number of a closed file.
const closed = -1

// number returns the number of an open file, or raises ValueError.
func number(v *vm.VM, self vm.Value) int {
	if fd, ok := v.ROMRef(self).(int); ok {
		return fd
	}
	fd := v.Mem[self/4+1].SmallInt()
	if fd == closed {
		v.RaiseMsg(vm.TypeValueError, "I/O operation on closed file")
	}
	return fd
}

// stream is the protocol of the host's files.
func stream(text bool) *vm.Stream {
	return &vm.Stream{
		Read:  func(v *vm.VM, self vm.Value, b []byte) (int, vm.Errno) { return hostOf(v).read(v, number(v, self), b) },
		Write: func(v *vm.VM, self vm.Value, b []byte) (int, vm.Errno) { return hostOf(v).write(v, number(v, self), b) },
		Seek: func(v *vm.VM, self vm.Value, offset, whence int) (int, vm.Errno) {
			f := hostOf(v).file(number(v, self))
			if f == nil {
				return 0, espipe
			}
			at, err := f.Seek(int64(offset), whence)
			return int(at), errnoOf(err)
		},
		Flush: func(v *vm.VM, self vm.Value) vm.Errno {
			if fd := number(v, self); fd < firstFile {
				return einval // as fsync of a terminal or pipe
			} else if f := hostOf(v).file(fd); f != nil {
				return errnoOf(f.Sync())
			}
			return ebadf
		},
		Close: func(v *vm.VM, self vm.Value) vm.Errno {
			fd := number(v, self)
			h := hostOf(v)
			if f := h.file(fd); f != nil {
				f.Close()
				h.files[fd-firstFile] = nil
			}
			if v.ROMRef(self) == nil {
				v.Mem[self/4+1] = vm.SmallInt(closed)
			}
			return 0
		},
		Text: func(*vm.VM, vm.Value) bool { return text },
	}
}

// textFiles declares open(), uio.FileIO and uio.TextIOWrapper for the host's files
// and returns the last.
func textFiles(fw *vm.Firmware) *vm.Type {
	spec := []vm.Arg{
		{Name: fw.Q("file"), Required: true},
		{Name: fw.Q("mode"), Obj: fw.Q("r").Value()},
		{Name: fw.Q("buffering"), Obj: vm.None},
		{Name: fw.Q("encoding"), Obj: vm.None},
	}
	var binary, text *vm.Type
	open := func(v *vm.VM, typ vm.Value, args, kw []vm.Value) vm.Value {
		var a [4]vm.ArgVal
		v.ParseArgs(args, kw, spec, a[:])
		o := v.Alloc(fileBytes)
		flags := os.O_RDONLY
		extra := 0
		for _, c := range v.StrArg(a[1].Obj) {
			switch c {
			case 'r':
				flags = os.O_RDONLY
			case 'w':
				flags, extra = os.O_WRONLY, os.O_CREATE|os.O_TRUNC
			case 'a':
				flags, extra = os.O_WRONLY, os.O_CREATE|os.O_APPEND
			case '+':
				flags = os.O_RDWR
			case 'b':
				typ = binary.Value()
			case 't':
				typ = text.Value()
			}
		}
		fd := a[0].Obj.SmallInt()
		if !a[0].Obj.IsSmallInt() {
			fd = hostOf(v).open(v, string(v.StrArg(a[0].Obj)), flags|extra)
		}
		v.Mem[o/4], v.Mem[o/4+1] = typ, vm.SmallInt(fd)
		return vm.Value(o)
	}
	fileno := fw.Func1("fileno", func(v *vm.VM, self vm.Value) vm.Value { return vm.SmallInt(number(v, self)) })
	class := func(name string, isText bool) *vm.Type {
		t := fw.NewType(name, &vm.Type{
			Flags: vm.FlagOwnIter,
			Print: func(v *vm.VM, p *vm.Printer, self vm.Value, kind vm.PrintKind) {
				fd, std := v.ROMRef(self).(int)
				if !std {
					fd = v.Mem[self/4+1].SmallInt()
				}
				p.Printf("<io.%q %d>", v.TypeNameOf(self), fd)
			},
			New:    open,
			Stream: stream(isText),
		})
		fw.Method(t, "fileno", fileno)
		fw.AddStreamMethods(t, "read", "readinto", "readline", "readlines", "write", "seek", "tell",
			"flush", "close", "__enter__", "__exit__")
		return t
	}
	binary, text = class("FileIO", false), class("TextIOWrapper", true)
	f := fw.FuncKw("open", 1, func(v *vm.VM, args, kw []vm.Value) vm.Value { return open(v, text.Value(), args, kw) })
	fw.Module("uio").Add("open", f).Add("FileIO", binary.Value()).Add("TextIOWrapper", text.Value())
	fw.Builtin("open", f)
	return text
}

// open opens a file of the host and returns its number, or raises OSError.
func (h *host) open(v *vm.VM, name string, flags int) int {
	if h.refuse {
		v.RaiseOS(13)
	}
	f, err := os.OpenFile(name, flags, 0o644)
	if e := errnoOf(err); e != 0 {
		v.RaiseOS(e)
	}
	return h.add(f)
}
