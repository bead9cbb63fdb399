package pymod

import (
	"io"
	"strings"

	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/flash"
)

// What ilistdir says of an entry.
const (
	typeDir  = 0x4000
	typeFile = 0x8000
)

// OS declares module uos (device-facts.md 5.1).
func OS(fw *vm.Firmware, level int) {
	m := fw.Module("uos")
	m.Add("sep", fw.Q("/").Value())
	dirIter := fw.NewType("iterator", &vm.Type{
		Flags: vm.FlagOwnIter, Next: dirNext,
		Iter: func(v *vm.VM, self vm.Value, buf uint32) vm.Value { return self },
	})
	one := func(name string, f func(v *vm.VM, b *Board, path string) error) {
		m.Add(name, fw.Func1(name, func(v *vm.VM, a vm.Value) vm.Value {
			b := board(v)
			b.raise(v, f(v, b, string(v.StrArg(a))))
			return vm.None
		}))
	}
	two := func(name string, f func(b *Board, from, to string) error) {
		m.Add(name, fw.Func2(name, func(v *vm.VM, from, to vm.Value) vm.Value {
			b := board(v)
			b.raise(v, f(b, string(v.StrArg(from)), string(v.StrArg(to))))
			return vm.None
		}))
	}
	one("chdir", func(v *vm.VM, b *Board, path string) error {
		cwd, err := b.FS().Chdir(b.Cwd, path)
		if err == nil {
			b.Cwd = cwd
		}
		return err
	})
	m.Add("getcwd", fw.Func0("getcwd", func(v *vm.VM) vm.Value { return v.NewString(board(v).Cwd) }))
	m.Add("listdir", fw.FuncV("listdir", 0, 1, listdir))
	m.Add("ilistdir", fw.FuncV("ilistdir", 0, 1, func(v *vm.VM, args []vm.Value) vm.Value {
		return ilistdir(v, dirIter, args)
	}))
	one("mkdir", func(v *vm.VM, b *Board, path string) error { return b.FS().Mkdir(b.Cwd, path) })
	for _, name := range []string{"remove", "unlink"} {
		one(name, func(v *vm.VM, b *Board, path string) error { return b.FS().Remove(b.Cwd, path) })
	}
	two("rename", func(b *Board, from, to string) error { return b.FS().Rename(b.Cwd, from, to) })
	two("replace", func(b *Board, from, to string) error { return b.FS().Replace(b.Cwd, from, to) })
	one("rmdir", func(v *vm.VM, b *Board, path string) error { return b.FS().Rmdir(b.Cwd, path) })
	m.Add("statvfs", fw.Func1("statvfs", statvfs))
	m.Add("sync", fw.Func0("sync", func(v *vm.VM) vm.Value {
		b := board(v)
		b.raise(v, b.FS().Sync())
		return vm.None
	}))
	m.Add("urandom", fw.Func1("urandom", urandom))
	m.Add("compile", fw.FuncV("compile", 1, 2, osCompile))
	m.Add("bundle", fw.FuncV("bundle", 0, -1, osBundle))
	m.Add("format", fw.Func0("format", func(v *vm.VM) vm.Value {
		b := board(v)
		b.raise(v, b.FS().Format())
		b.Cwd = flash.Root
		return vm.None
	}))
	sha256 := fw.Q("sha256").Value()
	m.Add("hash", fw.FuncV("hash", 0, 1, func(v *vm.VM, args []vm.Value) vm.Value {
		if len(args) == 0 {
			return sha256
		}
		b := board(v)
		sum, err := b.FS().Hash(b.Cwd, string(v.StrArg(args[0])))
		b.raise(v, err)
		return v.NewBytes(sum[:])
	}))
	if level >= 0x18 {
		m.Add("dupterm", fw.FuncV("dupterm", 1, 2, dupterm))
	}
	fw.Alias("os", m, true)
}

// dirArg is the path that a listing is asked of, "." if none, and the type its
// names are to have.
func dirArg(v *vm.VM, args []vm.Value) (path string, names vm.Value) {
	if len(args) == 0 {
		return ".", vm.TypeStr
	}
	return string(v.StrArg(args[0])), v.TypeOf(args[0])
}

func listdir(v *vm.VM, args []vm.Value) vm.Value {
	path, names := dirArg(v, args)
	b := board(v)
	infos, err := b.FS().List(b.Cwd, path)
	b.raise(v, err)
	list := v.NewList()
	for _, info := range infos {
		mark := v.Mark()
		v.ListAppend(list, v.NewStrOf(names, []byte(info.Name)))
		v.Release(mark)
	}
	return list
}

// The words of a directory iterator: type, full path, type of the names, how
// many entries it has given.
const (
	dirPath  = 1
	dirNames = 2
	dirPos   = 3
)

func ilistdir(v *vm.VM, typ *vm.Type, args []vm.Value) vm.Value {
	path, names := dirArg(v, args)
	b := board(v)
	full, err := b.FS().Chdir(b.Cwd, path)
	b.raise(v, err)
	o := v.Alloc(16)
	i := o / 4
	v.Mem[i], v.Mem[i+dirNames], v.Mem[i+dirPos] = typ.Value(), names, vm.SmallInt(0)
	v.Mem[i+dirPath] = v.NewString(full)
	return vm.Value(o)
}

func dirNext(v *vm.VM, self vm.Value) vm.Value {
	i := self / 4
	infos, err := board(v).FS().List("/", v.Str(v.Mem[i+dirPath]))
	at := v.Mem[i+dirPos].SmallInt()
	if err != nil || at >= len(infos) {
		return vm.Null
	}
	v.Mem[i+dirPos] = vm.SmallInt(at + 1)
	info := infos[at]
	typ := typeFile
	if info.Dir {
		typ = typeDir
	}
	name := v.NewStrOf(v.Mem[i+dirNames], []byte(info.Name))
	return v.NewTuple(name, vm.SmallInt(typ), vm.SmallInt(0), vm.SmallInt(info.Size))
}

func statvfs(v *vm.VM, path vm.Value) vm.Value {
	b := board(v)
	_, err := b.FS().Stat(b.Cwd, string(v.StrArg(path)))
	b.raise(v, err)
	u := b.FS().Usage()
	items := make([]vm.Value, 10)
	for i, n := range [10]int{flash.BlockSize, flash.BlockSize, u.Blocks, u.Free, u.Free, 0, 0, 0, 0, flash.NameMax} {
		items[i] = vm.SmallInt(n)
	}
	return v.NewTuple(items...)
}

func urandom(v *vm.VM, n vm.Value) vm.Value {
	size := v.Int(n)
	if size < 0 {
		v.RaiseMsg(vm.TypeValueError, "size must not be negative")
	}
	buf := v.NewVstrLen(uint32(size))
	readEntropy(v, buf.Bytes())
	return buf.Object(vm.TypeBytes)
}

func readEntropy(v *vm.VM, p []byte) {
	if _, err := io.ReadFull(board(v).World.Entropy(), p); err != nil {
		panic("pymod: the world's entropy failed: " + err.Error())
	}
}

// osCompile is compile(source_file, mpy_file=None). It writes the file with one
// operation, so that there never is half of it.
func osCompile(v *vm.VM, args []vm.Value) vm.Value {
	b := board(v)
	source := string(v.StrArg(args[0]))
	target := strings.TrimSuffix(source, ".py") + ".mpy"
	if len(args) > 1 && args[1] != vm.None {
		target = string(v.StrArg(args[1]))
	}
	text, err := b.FS().ReadSecure(b.Cwd, source)
	b.raise(v, err)
	data, err := mpy.Write(v.CompileModule(text, source))
	if err != nil {
		panic("pymod: compiled code cannot be written: " + err.Error())
	}
	info, err := b.FS().Stat(b.Cwd, source)
	secure := err == nil && info.Secure
	b.raise(v, b.FS().Store(b.Cwd, target, data, secure))
	return vm.None
}
