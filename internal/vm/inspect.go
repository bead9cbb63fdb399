package vm

import (
	"slices"
	"strconv"
)

// This file lets a debugger read what a program has: its frames and its objects. It
// allocates nothing on the device's heap and runs no code of the program. What a
// program has damaged may make it panic.

// Frame is a function that runs, or waits for one that it has called.
type Frame struct {
	vm *VM
	f  *frame
}

// Frames are all of them, the innermost first.
func (vm *VM) Frames() (list []Frame) {
	for f := vm.frame; f != &vm.base; f = f.prev {
		list = append(list, Frame{vm, f})
	}
	return list
}

// Top is the innermost of them; there must be one.
func (vm *VM) Top() Frame { return Frame{vm, vm.frame} }

// Depth is how many frames there are.
func (vm *VM) Depth() (n int) {
	for f := vm.frame; f != &vm.base; f = f.prev {
		n++
	}
	return n
}

// Code is the function's code.
func (f Frame) Code() *Code { return f.f.code }

// Line is the line that the function is at: that of the last trap before the
// instruction it is at.
func (f Frame) Line() int {
	c := f.f.code
	at := min(max(f.f.pc, 0), len(c.raw)-1)
	for i := at; i >= 0; i-- {
		if op := &c.raw[i]; op.op == iTrap {
			return int(op.a)
		}
	}
	return c.prelude.LineOf(f.vm.Bytes[c.addr:], int(c.offs[at])+c.prelude.LineBase)
}

// Globals is the dict of its module.
func (f Frame) Globals() Value { return f.vm.Mem[f.f.fun/4+funGlobals] }

// Function is the function object.
func (f Frame) Function() Value { return f.f.fun }

// Generator is the generator that it is the frame of, or Null.
func (f Frame) Generator() Value { return f.f.gen }

// Serial tells frames apart: the trap at which the function began. For a generator
// it says nothing; its object does.
func (f Frame) Serial() uint64 { return f.f.serial }

// Foreign: built-in code has called it, not the frame below.
func (f Frame) Foreign() bool { return f.f.kind == kindEntry }

// NumLocals is how many local variables there can be; the stack is among them.
func (f Frame) NumLocals() int { return int(f.f.code.nState) }

// slot is the word of a local variable, behind its cell if it has one.
func (f Frame) slot(i int) uint32 {
	at := f.f.base + f.f.code.nState - 1 - uint32(i)
	if v := f.vm.Mem[at]; v.inRAM() && v != Null && f.vm.Mem[v/4] == TypeCell {
		return uint32(v)/4 + 1
	}
	return at
}

// Local is the value of a local variable by its number; Null: it has none.
func (f Frame) Local(i int) Value { return f.vm.Mem[f.slot(i)] }

// SetLocal changes a local variable.
func (f Frame) SetLocal(i int, v Value) { f.vm.Mem[f.slot(i)] = v }

// Awaits: a generator waits at "yield from" or "await" for another one.
func (vm *VM) Awaits(gen Value) bool {
	if vm.TypeOf(gen) != TypeGenInstance {
		return false
	}
	head := (*[genHeader]Value)(vm.Mem[gen/4:])
	if head[genPC] == Null {
		return false
	}
	c, pc := vm.funCode(head[genFun]), int(untagIndex(head[genPC]))
	return pc < len(c.raw) && c.raw[pc].op == iYieldFrom
}

// Ended: a generator has returned.
func (vm *VM) Ended(gen Value) bool { return vm.Mem[gen/4+genPC] == Null }

// Locals is the dict that names of the running code live in, if it is that of a
// class body. Else it is Null.
func (vm *VM) Locals() Value {
	if vm.TypeOf(vm.locals) != TypeDict || vm.locals == vm.MainDict() {
		return Null
	}
	for f := vm.frame; f != &vm.base; f = f.prev {
		if vm.locals == (Frame{vm, f}).Globals() {
			return Null
		}
	}
	return vm.locals
}

// CodeOf is the code of a function of the program, if it is one.
func (vm *VM) CodeOf(fun Value) (*Code, bool) {
	switch vm.TypeOf(fun) {
	case TypeClosure:
		return vm.CodeOf(vm.Mem[fun/4+1])
	case TypeFunBC, TypeGenWrap:
		return vm.funCode(fun), true
	}
	return nil, false
}

// Name is the function's name, File that of its source as the code has it.
func (vm *VM) Name(c *Code) string {
	return vm.QstrString(Qstr(c.prelude.Name(vm.Bytes[c.addr:])))
}

// File is the name of the source that the code has.
func (vm *VM) File(c *Code) string {
	return vm.QstrString(Qstr(c.prelude.SourceFile(vm.Bytes[c.addr:])))
}

// LineTable are the lines that the code has, in the order of its line table.
func (vm *VM) LineTable(c *Code) []int { return c.prelude.Lines(vm.Bytes[c.addr:]) }

// Args is how many parameters the function has, closed-over variables included.
func (c *Code) Args() (n int) { return c.nPos + c.nKwOnly }

// Bundled: it lies in bundle flash.
func (vm *VM) Bundled(c *Code) bool { return vm.beyondRAM(c.addr) }

// Child is a part of an object.
type Child struct {
	// Name as an expression would have it: an attribute's, an index, a key.
	Name  string
	Value Value
	// Key is the key of an item of a dict.
	Key Value
}

// NumItems is how many items an object holds that come by number: of a list, a
// tuple, a dict, a set, an array. ok: it is such an object.
func (vm *VM) NumItems(v Value) (n int, ok bool) {
	if b, native := vm.builtinPart(v); native {
		v = b
	}
	switch t := vm.TypeOf(v); t {
	case TypeList, TypeTuple, TypeAttrTuple:
		return len(vm.Array(v)), true
	case TypeDict, TypeOrderedDict:
		return vm.DictLen(v), true
	case TypeSet, TypeFrozenSet:
		for pos := uint32(0); vm.setItem(v, &pos) != Null; {
			n++
		}
		return n, true
	case TypeByteArray, TypeBytes, TypeMemoryView, TypeArray:
		b, code, is := vm.BufferMaybe(v, false)
		if !is {
			return 0, false
		}
		return len(b) / max(vm.itemSize(code), 1), true
	case TypeDeque:
		return vm.LenMaybe(v).SmallInt(), true
	default:
		if v.inRAM() && t.inRAM() && vm.isNative(t) && vm.isTupleLike(v) {
			return len(vm.Array(v)), true
		}
	}
	return 0, false
}

// builtinPart is the object of the built-in base of an instance.
func (vm *VM) builtinPart(v Value) (Value, bool) {
	if !vm.isInstance(v) {
		return Null, false
	}
	if n, _ := vm.nativeBases(vm.TypeOf(v)); n != 1 {
		return Null, false
	}
	b := vm.Mem[v/4+4]
	return b, b != Null && b != TypeNone
}

// Items are up to n of them, from one on. Bytes and numbers of arrays are small
// ints, or Null where they are none.
func (vm *VM) Items(v Value, from, n int) (list []Child) {
	if _, ok := vm.NumItems(v); !ok {
		return nil
	}
	if b, native := vm.builtinPart(v); native {
		v = b
	}
	add := func(i int, item Value) { list = append(list, Child{Name: "[" + strconv.Itoa(i) + "]", Value: item}) }
	switch vm.TypeOf(v) {
	case TypeDict, TypeOrderedDict:
		i := 0
		for pos := 0; i < from+n; i++ {
			k, item, ok := vm.DictNext(v, &pos)
			if !ok {
				break
			}
			if i >= from {
				list = append(list, Child{Value: item, Key: k})
			}
		}
	case TypeSet, TypeFrozenSet:
		pos := uint32(0)
		for i := 0; i < from+n; i++ {
			item := vm.setItem(v, &pos)
			if item == Null {
				break
			}
			if i >= from {
				add(i, item)
			}
		}
	case TypeByteArray, TypeBytes, TypeMemoryView, TypeArray:
		b, code, _ := vm.BufferMaybe(v, false)
		size := max(vm.itemSize(code), 1)
		for i := from; i < min(from+n, len(b)/size); i++ {
			add(i, arrayItem(code, b[i*size:(i+1)*size]))
		}
	case TypeDeque:
		m := vm.Mem[v/4:]
		slots := m[dequeAlloc]
		have, _ := vm.NumItems(v)
		for i := from; i < min(from+n, have); i++ {
			add(i, vm.Mem[m[dequeItems]/4+(m[dequeGet]+Value(i))%slots])
		}
	default:
		items := vm.Array(v)
		for i := from; i < min(from+n, len(items)); i++ {
			add(i, items[i])
		}
	}
	return list
}

// arrayItem is an item of an array as far as it is a small int.
func arrayItem(code byte, b []byte) Value {
	var u uint64
	for i := len(b) - 1; i >= 0; i-- {
		u = u<<8 | uint64(b[i])
	}
	signed := int64(u<<(64-8*len(b))) >> (64 - 8*len(b))
	switch {
	case code == 'f' || code == 'd' || code == 'O':
		return Null
	case code >= 'a' && FitsSmallInt(signed):
		return SmallInt(int(signed))
	case code < 'a' && FitsSmallInt(int64(u)):
		return SmallInt(int(u))
	}
	return Null
}

// Attributes are those of an object that can be listed without running anything: an
// instance's members, a module's or class's names, what functions, bound methods,
// generators and exceptions hold.
func (vm *VM) Attributes(v Value) (list []Child) {
	add := func(name string, value Value) {
		if value != Null {
			list = append(list, Child{Name: name, Value: value})
		}
	}
	names := func(d Value) {
		for pos := 0; ; {
			k, item, ok := vm.DictNext(d, &pos)
			if !ok {
				return
			}
			add(vm.Str(k), item)
		}
	}
	if vm.isInstance(v) {
		// The members are a map at the same place as a dict's.
		names(v)
		add("__class__", vm.TypeOf(v))
		if b, ok := vm.builtinPart(v); ok && vm.IsExceptionInstance(b) {
			add("args", vm.ExceptionArgs(b))
		}
		return list
	}
	switch t := vm.TypeOf(v); t {
	case TypeModule:
		if v.inRAM() {
			names(vm.Mem[v/4+1])
			break
		}
		d := vm.fw.rom[(v-romBase)/4].mod.dict
		for i := range d.Len() {
			q, item := d.At(i)
			add(vm.QstrString(q), item)
		}
	case TypeType:
		if v.inRAM() && !vm.isNative(v) {
			names(vm.classLocals(v))
			add("__bases__", vm.classParent(v))
		}
	case TypeClosure:
		for i, cell := range vm.closureCells(v) {
			add("cell "+strconv.Itoa(i), vm.Mem[cell/4+1])
		}
	case TypeBoundMeth:
		add("__func__", vm.Mem[v/4+1])
		add("__self__", vm.Mem[v/4+2])
	case TypeRange:
		start, stop, step := vm.rangeObj(v)
		add("start", SmallInt(int(start)))
		add("stop", SmallInt(int(stop)))
		add("step", SmallInt(int(step)))
	default:
		if vm.IsExceptionInstance(v) {
			add("args", vm.ExceptionArgs(v))
		}
		if v.inRAM() && t.inRAM() && vm.isNative(t) {
			for i, q := range vm.namedNames(t) {
				if items := vm.Array(v); i < len(items) {
					add(vm.Str(q), items[i])
				}
			}
		}
	}
	return list
}

// GeneratorFrame is the suspended frame of a generator; ok is false if it runs or
// has ended.
func (vm *VM) GeneratorFrame(gen Value) (f Frame, ok bool) {
	if vm.TypeOf(gen) != TypeGenInstance || vm.Ended(gen) {
		return f, false
	}
	head := (*[genHeader]Value)(vm.Mem[gen/4:])
	if head[genGlobals] == Null {
		return f, false
	}
	return Frame{vm, &frame{
		code: vm.funCode(head[genFun]), pc: int(untagIndex(head[genPC])), base: uint32(gen)/4 + genHeader,
		fun: head[genFun], gen: gen,
	}}, true
}

// SortedAttributes are Attributes by name, those with two underscores last.
func (vm *VM) SortedAttributes(v Value) []Child {
	list := vm.Attributes(v)
	special := func(name string) int {
		if len(name) > 1 && name[:2] == "__" {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b Child) int {
		if d := special(a.Name) - special(b.Name); d != 0 {
			return d
		}
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return list
}

// cut is the Go panic that ends a Repr at its limit.
type cut struct{}

// Repr prints a value into at most limit bytes. quiet: as it is without the methods
// that the program has for it.
func (vm *VM) Repr(v Value, kind PrintKind, limit int, quiet bool) (text string, whole bool) {
	var out []byte
	whole = true
	was, cstack, scratch, temps, frame := vm.quiet, vm.cstack, vm.nscratch, vm.ntemps, vm.frame
	defer func() {
		vm.quiet, vm.cstack, vm.nscratch, vm.ntemps, vm.frame = was, cstack, scratch, temps, frame
		if r := recover(); r != nil {
			if r != any(cut{}) {
				panic(r)
			}
			text, whole = string(out[:limit]), false
		}
	}()
	vm.quiet, vm.cstack = quiet, min(vm.cstack, vm.cfloor) // of the look, not of the program
	p := vm.NewPrinter(func(b []byte) {
		if out = append(out, b...); len(out) > limit {
			panic(cut{})
		}
	})
	p.Value(v, kind)
	return string(out), true
}

// Words is what an object consists of, as far as a change of it can be told by
// comparing: for containers, their items. visit is called with each word.
func (vm *VM) Words(v Value, visit func(Value)) {
	visit(v)
	if !v.inRAM() || v == Null {
		return
	}
	if vm.isInstance(v) {
		vm.mapWords(uint32(v)/4+1, visit)
		return
	}
	switch vm.TypeOf(v) {
	case TypeDict, TypeOrderedDict:
		vm.mapWords(DictMap(v), visit)
	case TypeByteArray, TypeArray:
		b, _, _ := vm.BufferMaybe(v, false)
		visit(Value(len(b)))
		for len(b) >= 4 {
			visit(Value(b[0]) | Value(b[1])<<8 | Value(b[2])<<16 | Value(b[3])<<24)
			b = b[4:]
		}
		for _, c := range b {
			visit(Value(c))
		}
	case TypeList, TypeTuple:
		for _, item := range vm.Array(v) {
			visit(item)
		}
	case TypeSet, TypeFrozenSet:
		for pos := uint32(0); ; {
			item := vm.setItem(v, &pos)
			if item == Null {
				return
			}
			visit(item)
		}
	}
}

func (vm *VM) mapWords(m uint32, visit func(Value)) {
	t := uint32(vm.Mem[m+2]) / 4
	for i := range uint32(vm.Mem[m+1]) {
		if k := vm.Mem[t+2*i]; k != Null && k != Sentinel {
			visit(k)
			visit(vm.Mem[t+2*i+1])
		}
	}
}

// quietPrint prints an instance as one without methods for that.
func quietPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	b, ok := vm.builtinPart(self)
	switch {
	case ok && vm.IsExceptionInstance(b):
		p.Qstr(vm.TypeNameOf(self))
		vm.printException(p, b, kind, true)
	case ok:
		p.Qstr(vm.TypeNameOf(self))
		p.Byte('(')
		p.Value(b, PrintRepr)
		p.Byte(')')
	default:
		p.Printf("<%s object at %p>", vm.TypeNameOf(self), self)
	}
}

// ArgName is the name of a parameter, which code has only for these; "" for others.
func (f Frame) ArgName(i int) string {
	c := f.f.code
	if i >= c.nPos+c.nKwOnly {
		return ""
	}
	v := f.vm.Mem[uint32(f.vm.Mem[f.f.fun/4+funTable])/4+uint32(i)]
	if !v.IsQstr() {
		return ""
	}
	return f.vm.Str(v)
}

// IsWritable: an object lies in RAM.
func (vm *VM) IsWritable(v Value) bool { return v.inRAM() && v != Null && !vm.beyondRAM(uint32(v)) }

// SetMember gives an attribute of an instance, a class or a module a value as a
// debugger does: without the methods that a class may have for that.
func (vm *VM) SetMember(o Value, q Qstr, v Value) {
	if vm.isInstance(o) {
		vm.everMember.add(q)
		vm.Mem[vm.mapFind(uint32(o)/4+1, q.Value(), mapAdd)+1] = v
		return
	}
	switch vm.TypeOf(o) {
	case TypeModule:
		vm.DictStore(vm.Mem[o/4+1], q.Value(), v)
	case TypeType:
		vm.DictStore(vm.classLocals(o), q.Value(), v)
	default:
		vm.RaiseMsg(TypeAttributeError, "this attribute cannot be set")
	}
}
