package pymod

import (
	"errors"
	"io"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/flash"
)

// A file object is four words: type, number of the open file, and two that are
// not used. What the device keeps there is not known; 16 bytes is the least
// that a file can cost, and what the figures of an import leave room for.
const (
	fileBytes  = 16
	fileHandle = 1
)

// IO declares the files of module uio: open, FileIO and TextIOWrapper, and the
// builtin open (device-facts.md 5.2).
func IO(fw *vm.Firmware) {
	spec := []vm.Arg{
		{Name: fw.Q("file"), Required: true},
		{Name: fw.Q("mode"), Obj: fw.Q("r").Value()},
		{Name: fw.Q("buffering"), Kind: vm.ArgInt, Int: -1},
		{Name: fw.Q("encoding"), Obj: vm.None},
	}
	var binary, text *vm.Type
	open := func(v *vm.VM, typ vm.Value, args, kw []vm.Value) vm.Value {
		var a [4]vm.ArgVal
		v.ParseArgs(args, kw, spec, a[:])
		name, mode := string(v.StrArg(a[0].Obj)), string(v.StrArg(a[1].Obj))
		for i := range len(mode) {
			switch mode[i] {
			case 'b':
				typ = binary.Value()
			case 't':
				typ = text.Value()
			}
		}
		return openFile(v, typ, name, mode)
	}
	class := func(name string, isText bool) *vm.Type {
		t := fw.NewType(name, &vm.Type{
			Flags: vm.FlagOwnIter | vm.FlagNeedsFinaliser,
			Print: func(v *vm.VM, p *vm.Printer, self vm.Value, kind vm.PrintKind) {
				p.Printf("<io.%q %p>", v.TypeNameOf(self), self)
			},
			New:    open,
			Stream: fileStream(isText),
		})
		fw.AddStreamMethods(t, "read", "readinto", "readline", "readlines", "write", "flush", "close",
			"seek", "tell", "__del__", "__enter__", "__exit__")
		return t
	}
	binary, text = class("FileIO", false), class("TextIOWrapper", true)
	f := fw.FuncKw("open", 1, func(v *vm.VM, args, kw []vm.Value) vm.Value { return open(v, text.Value(), args, kw) })
	m := fw.Module("uio")
	m.Add("open", f).Add("FileIO", binary.Value()).Add("TextIOWrapper", text.Value())
	fw.Alias("io", m, true)
	fw.Builtin("open", f)
}

// openFile makes a file object. The object is made first, so that a full heap
// leaves nothing open.
func openFile(v *vm.VM, typ vm.Value, name, mode string) vm.Value {
	b := board(v)
	m, err := flash.ParseMode(mode)
	b.raise(v, err)
	o := v.AllocFinal(fileBytes)
	v.Mem[o/4] = typ
	f, err := b.FS().Open(b.Cwd, name, m)
	if errors.Is(err, flash.ENFILE) {
		v.Collect() // files that nobody refers to any more are closed
		f, err = b.FS().Open(b.Cwd, name, m)
	}
	b.raise(v, err)
	// tagged so that the collector takes it for no address
	v.Mem[o/4+fileHandle] = vm.SmallInt(int(b.files.add(f)))
	return vm.Value(o)
}

// fileOf returns the open file behind an object.
func fileOf(v *vm.VM, self vm.Value) (*flash.File, bool) {
	h := v.Mem[self/4+fileHandle]
	return board(v).files.get(uint32(h) >> 1)
}

// fileStream is the stream protocol of files. A closed one is EBADF.
func fileStream(text bool) *vm.Stream {
	bad := vm.Errno(flash.EBADF)
	return &vm.Stream{
		Read: func(v *vm.VM, self vm.Value, p []byte) (int, vm.Errno) {
			f, ok := fileOf(v, self)
			if !ok {
				return 0, bad
			}
			n, err := f.Read(p)
			if err == io.EOF {
				err = nil
			}
			return n, board(v).errno(err)
		},
		Write: func(v *vm.VM, self vm.Value, p []byte) (int, vm.Errno) {
			f, ok := fileOf(v, self)
			if !ok {
				return 0, bad
			}
			n, err := f.Write(p)
			return n, board(v).errno(err)
		},
		Seek: func(v *vm.VM, self vm.Value, offset, whence int) (int, vm.Errno) {
			f, ok := fileOf(v, self)
			if !ok {
				return 0, bad
			}
			if offset == 0 && whence == io.SeekCurrent { // tell, which secure files allow
				at, err := f.Tell()
				return at, board(v).errno(err)
			}
			at, err := f.Seek(int64(offset), whence)
			return int(at), board(v).errno(err)
		},
		Flush: func(v *vm.VM, self vm.Value) vm.Errno {
			f, ok := fileOf(v, self)
			if !ok {
				return bad
			}
			return board(v).errno(f.Flush())
		},
		Close: func(v *vm.VM, self vm.Value) vm.Errno {
			f, ok := fileOf(v, self)
			if !ok {
				return 0
			}
			b := board(v)
			b.files.drop(uint32(v.Mem[self/4+fileHandle]) >> 1)
			v.Mem[self/4+fileHandle] = 0
			return b.errno(f.Close())
		},
		Text: func(v *vm.VM, self vm.Value) bool { return text },
	}
}
