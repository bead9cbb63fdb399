package vm

import (
	"strings"
)

// This file is the import statement.

// FileKind tells what lies at a path.
type FileKind uint8

// The kinds of file.
const (
	NoFile FileKind = iota
	RegularFile
	Directory
)

// Files is where modules are imported from.
type Files interface {
	// Stat tells what lies at a path.
	Stat(path string) FileKind
	// ReadFile returns the content of a file, or an errno.
	ReadFile(path string) ([]byte, Errno)
	// Bundled returns the raw code of a module in bundle flash, or 0.
	Bundled(module string) uint32
}

// importName runs the import function, which a program may have replaced: v1.11
// does not look.
func (vm *VM) importName(name Qstr, fromlist, level Value) Value {
	f := vm.fw.importFun
	if vm.opt.V12 && vm.overrides != Null {
		if v := vm.DictGet(vm.overrides, QImport.Value()); v != Null {
			f = v
		}
	}
	args, back := vm.pass(5)
	args[0], args[1], args[2], args[3], args[4] = name.Value(), None, None, fromlist, level
	v := vm.Call(f, args, nil)
	vm.nscratch = back
	return v
}

// importFrom is "from mod import name".
func (vm *VM) importFrom(mod Value, name Qstr) Value {
	var d [2]Value
	vm.LoadMethodMaybe(mod, name, &d)
	if d[1] != Null {
		vm.Raisef(TypeImportError, "cannot import name %q", name)
	}
	if d[0] != Null {
		return d[0]
	}
	var path [2]Value
	vm.LoadMethodMaybe(mod, QPath, &path)
	if path[0] == Null {
		vm.Raisef(TypeImportError, "cannot import name %q", name)
	}
	vm.LoadMethodMaybe(mod, QName, &d)
	full := string(vm.StrArg(d[0])) + "." + vm.QstrString(name)
	if vm.opt.NoAlloca {
		vm.Alloc(uint32(len(full))) // left to the collector
	}
	return vm.importName(vm.Intern(full), True, SmallInt(0))
}

// importAll is "from mod import *".
func (vm *VM) importAll(mod Value) {
	public := func(k Value) bool {
		b := vm.StrBytes(k)
		return len(b) > 0 && b[0] != '_'
	}
	if vm.TypeOf(mod) != TypeModule { // sys.modules may hold anything; C takes it for a module
		vm.RaiseMsg(TypeImportError, "not a module")
	}
	if mod >= romBase {
		d := vm.fw.rom[(mod-romBase)/4].mod.dict
		for i := 0; i < d.Len(); i++ {
			if q, v := d.At(i); public(q.Value()) {
				vm.DictStore(vm.locals, q.Value(), v)
			}
		}
		return
	}
	for pos := 0; ; {
		k, v, ok := vm.DictNext(vm.Mem[mod/4+1], &pos)
		if !ok {
			return
		}
		if public(k) {
			vm.DictStore(vm.locals, k, v)
		}
	}
}

// loadedModule returns a module that is loaded or built in, or Null.
func (vm *VM) loadedModule(q Qstr) Value {
	if v := vm.DictGet(vm.SysModules(), q.Value()); v != Null {
		return v
	}
	if q == QMain {
		return Value(vm.static + staticMainModule)
	}
	if m := vm.fw.modIndex[q]; m != nil && !m.weak {
		return m.value
	}
	return Null
}

// newModule makes an empty module and enters it into sys.modules.
func (vm *VM) newModule(q Qstr) Value {
	slot := vm.mapFind(DictMap(vm.SysModules()), q.Value(), mapAdd)
	if v := vm.Mem[slot+1]; v != Null {
		return v
	}
	o := vm.Alloc(8)
	vm.Mem[o/4] = TypeModule
	d := vm.NewDict(1)
	vm.Mem[o/4+1] = d
	vm.DictStore(d, QName.Value(), q.Value())
	vm.Mem[slot+1] = Value(o)
	return Value(o)
}

// builtinImport is __import__(name, globals, locals, fromlist, level).
func builtinImport(vm *VM, args []Value) Value {
	from, level := None, 0
	if len(args) >= 4 {
		from = args[3]
		if len(args) >= 5 {
			if level = args[4].SmallInt(); level < 0 {
				vm.Raise(vm.NewException(TypeValueError))
			}
		}
	}
	name := string(vm.StrArg(args[0]))
	if level != 0 {
		name = vm.relativeName(name, level)
	}
	if name == "" && vm.opt.V12 {
		vm.Raise(vm.NewException(TypeValueError))
	}
	q := vm.Intern(name)
	if m := vm.loadedModule(q); m != Null {
		dot := strings.IndexByte(name, '.')
		if dot < 0 || from != None {
			return m
		}
		return vm.loadedModule(vm.Intern(name[:dot]))
	}
	im := importer{vm: vm}
	return im.load(name, from)
}

// relativeName resolves the name of a relative import against the importing
// module's __name__ and __path__.
func (vm *VM) relativeName(name string, level int) string {
	global := func(key Qstr) Value { return dictSubscr(vm, vm.globals, key.Value(), Sentinel) }
	own := global(QName)
	if vm.opt.CPythonCompat && own == QMain.Value() {
		own = global(QMain) // where a host that runs a module as the program leaves its name
	}
	this := string(vm.StrArg(own))
	chop := func(s string) string {
		if i := strings.LastIndexByte(s, '.'); i >= 0 {
			return s[:i]
		}
		return ""
	}
	base := this
	if vm.DictGet(vm.globals, QPath.Value()) == Null {
		base = chop(base)
	}
	for ; level > 1; level-- {
		base = chop(base)
	}
	if base == "" {
		vm.RaiseMsg(TypeValueError, "cannot perform relative import")
	}
	full := base
	if name != "" {
		full += "." + name
	}
	if vm.opt.NoAlloca {
		vm.Alloc(uint32(len(full)))
	}
	vm.Intern(full)
	return full
}

// importer is one import of a dotted name that is not loaded yet.
type importer struct {
	vm   *VM
	path string // of the module found last, without extension if a directory
	raw  uint32 // or its code in bundle flash
}

func (im *importer) load(name string, from Value) Value {
	vm := im.vm
	var mod, top, outer Value
	last := 0
	for i := 1; i <= len(name); i++ {
		if i != len(name) && name[i] != '.' {
			continue
		}
		q := vm.Intern(name[:i])
		im.raw = 0
		var kind FileKind
		if im.path == "" {
			kind = im.findTop(name[:i])
		} else {
			im.path += "/" + name[last:i]
			kind = im.statDirOrFile()
		}
		mod = Null
		if kind == NoFile {
			if m := vm.fw.weakModule(name); i == len(name) && m != nil {
				mod = m.value
			} else {
				if vm.terse() {
					vm.RaiseMsg(TypeImportError, "module not found")
				}
				vm.Raisef(TypeImportError, "no module named '%q'", q)
			}
		} else {
			mod = vm.loadedModule(q)
		}
		if mod == Null {
			mod = vm.newModule(q)
			if kind == Directory {
				im.loadPackage(mod)
			} else {
				im.loadFile(mod, im.path)
			}
		}
		if outer != Null {
			vm.StoreAttr(outer, vm.Intern(name[last:i]), mod)
		}
		outer = mod
		if top == Null {
			top = mod
		}
		last = i + 1
	}
	if from != None {
		return mod
	}
	return top
}

// findTop looks for a top-level module: in the bundle, then along sys.path.
func (im *importer) findTop(name string) FileKind {
	vm := im.vm
	if vm.hook.Files == nil {
		return NoFile
	}
	if name != "main" {
		if im.raw = vm.hook.Files.Bundled(name); im.raw != 0 {
			im.path = name
			return RegularFile
		}
	}
	items := vm.ListItems(vm.SysPath())
	if len(items) == 0 {
		im.path = name
		return im.statDirOrFile()
	}
	for _, dir := range items {
		im.path = name
		if d := vm.Str(dir); d != "" {
			im.path = d + "/" + name
		}
		if kind := im.statDirOrFile(); kind != NoFile {
			return kind
		}
	}
	im.path = ""
	return NoFile
}

// statDirOrFile tries path as a directory, then with .py and .mpy.
func (im *importer) statDirOrFile() FileKind {
	if im.vm.hook.Files == nil {
		return NoFile
	}
	if im.vm.hook.Files.Stat(im.path) == Directory {
		return Directory
	}
	path := im.path
	for _, ext := range [...]string{".py", ".mpy"} {
		im.path = path + ext
		if im.vm.hook.Files.Stat(im.path) == RegularFile {
			return RegularFile
		}
	}
	return NoFile
}

func (im *importer) loadPackage(mod Value) {
	vm := im.vm
	vm.StoreAttr(mod, QPath, vm.NewString(im.path))
	for _, init := range [...]string{"/__init__.py", "/__init__.mpy"} {
		if vm.hook.Files.Stat(im.path+init) == RegularFile {
			im.loadFile(mod, im.path+init)
			return
		}
	}
}

func (im *importer) loadFile(mod Value, path string) {
	vm := im.vm
	globals := vm.Mem[mod/4+1]
	if im.raw != 0 {
		im.setFile(globals, path+".py") // as upstream's modules in ROM have it
		vm.RunRaw(im.raw, globals, globals)
		return
	}
	text, errno := vm.hook.Files.ReadFile(path)
	if errno != 0 {
		vm.RaiseOS(errno)
	}
	if strings.HasSuffix(path, ".mpy") {
		raw := vm.LoadMpyFile(path, text)
		im.setFile(globals, path)
		vm.runMpy(raw, globals)
		return
	}
	vm.ExecFile(text, path, globals)
}

// setFile sets __file__ of a module that is compiled already, as v1.12 does.
func (im *importer) setFile(globals Value, name string) {
	vm := im.vm
	if vm.opt.V12 && vm.opt.FileAttr {
		vm.DictStore(globals, QFile.Value(), vm.Intern(name).Value())
	}
}

// LoadMpyFile loads a .mpy file; its reader is on the heap meanwhile.
func (vm *VM) LoadMpyFile(path string, data []byte) uint32 {
	mark := vm.Mark()
	reader := vm.Alloc(uint32(vm.fileReader()))
	m := vm.ReadMpy(path, data)
	raw := vm.Load(m)
	vm.Free(reader)
	vm.Release(mark, Value(raw))
	return raw
}

func moduleAttr(vm *VM, self Value, attr Qstr, dst *[2]Value) {
	if self >= romBase {
		m := vm.fw.rom[(self-romBase)/4].mod
		if dst[0] == Null {
			dst[0] = m.get(vm, attr)
			return
		}
		if m.setattr != nil && m.setattr(vm, attr, dst[1]) {
			dst[0] = Null
			return
		}
		if m.name == QBuiltins && vm.opt.OverrideBuiltins {
			if vm.overrides == Null {
				vm.overrides = vm.NewDict(1)
			}
			if dst[1] == Null {
				vm.Subscr(vm.overrides, attr.Value(), Null)
			} else {
				vm.DictStore(vm.overrides, attr.Value(), dst[1])
			}
			vm.dictGen++
			dst[0] = Null
		}
		return
	}
	globals := vm.Mem[self/4+1]
	if dst[0] == Null {
		dst[0] = vm.DictGet(globals, attr.Value())
		if dst[0] == Null && vm.opt.ModuleGetattr && attr != QGetattr {
			if f := vm.DictGet(globals, QGetattr.Value()); f != Null {
				dst[0] = vm.Call1(f, attr.Value())
			}
		}
		return
	}
	if dst[1] == Null {
		vm.Subscr(globals, attr.Value(), Null)
	} else {
		vm.DictStore(globals, attr.Value(), dst[1])
	}
	dst[0] = Null
}

// get finds a name of a built-in module.
func (m *ModuleDef) get(vm *VM, attr Qstr) Value {
	if m.getattr != nil {
		if v := m.getattr(vm, attr); v != Null {
			return v
		}
	}
	if m.name == QBuiltins {
		return vm.fw.builtins.Get(attr)
	}
	return m.dict.Get(attr)
}

func modulePrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	var name, file [2]Value
	vm.LoadMethodMaybe(self, QName, &name)
	p.String("<module '")
	if name[0] != Null {
		p.Value(name[0], PrintStr)
	}
	if vm.opt.FileAttr {
		vm.LoadMethodMaybe(self, QFile, &file)
		if file[0] != Null {
			p.String("' from '")
			p.Value(file[0], PrintStr)
		}
	}
	p.String("'>")
}

func (fw *Firmware) initModules() {
	fw.define(TypeModule, &Type{Name: fw.Q("module"), Print: modulePrint, Attr: moduleAttr})
	fw.importFun = fw.FuncV("__import__", 1, 5, builtinImport)
	fw.Builtin("__import__", fw.importFun)
	fw.Module("builtins")
	fw.Module("__main__")
}
