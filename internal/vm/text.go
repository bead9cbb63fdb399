package vm

import "unsafe"

// This file makes and reads string and bytes objects and the growing buffers
// (vstr) they are built in. A str or bytes object is four words: type, hash,
// length, address of the data.

func unsafeBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// IsStr reports whether v is a str (not a subclass).
func (vm *VM) IsStr(v Value) bool {
	return v.IsQstr() || v.inRAM() && v != 0 && vm.Mem[v/4] == TypeStr
}

// IsStrOrBytes reports whether v is a str or bytes (not a subclass).
func (vm *VM) IsStrOrBytes(v Value) bool {
	t := vm.TypeOf(v)
	return t == TypeStr || t == TypeBytes
}

// StrBytes returns the content of a str or bytes object. The slice must not be
// changed, and is valid as long as the object lives.
func (vm *VM) StrBytes(v Value) []byte {
	if v.IsQstr() {
		return vm.QstrBytes(v.Qstr())
	}
	if v == EmptyBytes {
		return nil
	}
	w := vm.Mem[v/4 : v/4+4]
	return vm.dataBytes(uint32(w[3]), uint32(w[2]))
}

// dataBytes returns n bytes at an address in memory or of a ROM text.
func (vm *VM) dataBytes(addr, n uint32) []byte {
	if addr >= textBase {
		return unsafeBytes(vm.texts[addr-textBase])[:n]
	}
	return vm.Bytes[addr : addr+n : addr+n]
}

// Str returns the content of a str or bytes object as a Go string.
func (vm *VM) Str(v Value) string {
	if v.IsQstr() {
		return vm.QstrString(v.Qstr())
	}
	return string(vm.StrBytes(v))
}

// text returns the address of constant character data in ROM.
func (vm *VM) text(s string) uint32 {
	if i, ok := vm.textIdx[s]; ok {
		return textBase + i
	}
	i := uint32(len(vm.texts))
	vm.texts = append(vm.texts, s)
	vm.textIdx[s] = i
	return textBase + i
}

// NewStr makes a str with a copy of b: the qstr if there is one with that
// text, else an object of 16 bytes and its data.
func (vm *VM) NewStr(b []byte) Value {
	if q := vm.FindQstr(b); q != 0 {
		return q.Value()
	}
	return vm.newStrCopy(TypeStr, b)
}

// NewString is NewStr for a Go string.
func (vm *VM) NewString(s string) Value { return vm.NewStr(unsafeBytes(s)) }

// NewBytes makes a bytes object with a copy of b, also of an empty one.
func (vm *VM) NewBytes(b []byte) Value {
	return vm.newStrCopy(TypeBytes, b)
}

// NewStrOf makes a str or bytes object, as typ says, with a copy of b.
func (vm *VM) NewStrOf(typ Value, b []byte) Value {
	if typ == TypeStr {
		return vm.NewStr(b)
	}
	return vm.NewBytes(b)
}

// newStrCopy is mp_obj_new_str_copy: no qstr is looked for.
func (vm *VM) newStrCopy(typ Value, b []byte) Value {
	o := vm.Alloc(16)
	n := uint32(len(b))
	vm.Mem[o/4], vm.Mem[o/4+1], vm.Mem[o/4+2], vm.Mem[o/4+3] = typ, hashWord(vm.HashBytes(b)), Value(n), 0
	p := vm.Alloc(n + 1)
	vm.Mem[o/4+3] = Value(p)
	copy(vm.Bytes[p:], b)
	vm.Bytes[p+n] = 0
	return Value(o)
}

// hashWord is how a string object holds its hash: tagged, since the collector
// would take some hashes for addresses, which lie higher on the device.
func hashWord(h uint32) Value { return Value(h<<1 | 1) }

// strHash returns the hash of a str or bytes object.
func (vm *VM) strHash(v Value) uint32 {
	if v.IsQstr() {
		return vm.qstrHash(v.Qstr())
	}
	if v == EmptyBytes {
		return vm.HashBytes(nil)
	}
	if h := vm.Mem[v/4+1]; h != 0 {
		return uint32(h) >> 1
	}
	return vm.HashBytes(vm.StrBytes(v))
}

// InternValue returns the qstr of a str object, interning its text.
func (vm *VM) InternValue(v Value) Value {
	if v.IsQstr() {
		return v
	}
	if vm.TypeOf(v) != TypeStr {
		vm.badImplicit(v, QStrName)
	}
	return vm.Intern(vm.Str(v)).Value()
}

// A Vstr is a growing buffer of characters on the heap.
type Vstr struct {
	vm    *VM
	buf   uint32
	len   uint32
	alloc uint32
}

// NewVstr makes a buffer of alloc bytes (at least 1).
func (vm *VM) NewVstr(alloc uint32) *Vstr {
	v := vm.makeVstr(alloc)
	return &v
}

func (vm *VM) makeVstr(alloc uint32) Vstr {
	alloc = max(alloc, 1)
	return Vstr{vm: vm, alloc: alloc, buf: vm.Alloc(alloc)}
}

// NewVstrLen makes a buffer for a result of exactly n bytes, already n long; its
// content is to be filled in through Bytes.
func (vm *VM) NewVstrLen(n uint32) *Vstr {
	v := vm.makeVstr(n + 1)
	v.len = n
	return &v
}

// Grow makes room for n more bytes: to (len+n+16 rounded down to 8) + 8.
func (v *Vstr) Grow(n uint32) {
	if v.len+n > v.alloc {
		alloc := (v.len+n+16)&^7 + 8
		v.buf = v.vm.Realloc(v.buf, alloc)
		v.alloc = alloc
	}
}

// Write appends b.
func (v *Vstr) Write(b []byte) {
	v.Grow(uint32(len(b)))
	copy(v.vm.Bytes[v.buf+v.len:], b)
	v.len += uint32(len(b))
}

// WriteString appends s.
func (v *Vstr) WriteString(s string) { v.Write(unsafeBytes(s)) }

// WriteByte appends one byte.
func (v *Vstr) WriteByte(c byte) error {
	v.Grow(1)
	v.vm.Bytes[v.buf+v.len] = c
	v.len++
	return nil
}

// Bytes returns the content so far, for reading and writing in place.
func (v *Vstr) Bytes() []byte { return v.vm.Bytes[v.buf : v.buf+v.len] }

// Len returns the number of bytes so far.
func (v *Vstr) Len() int { return int(v.len) }

// Truncate cuts the content to n bytes.
func (v *Vstr) Truncate(n int) { v.len = uint32(n) }

// Keep protects the buffer after a Release.
func (v *Vstr) Keep() { v.vm.Keep(Value(v.buf)) }

// Free gives the buffer back.
func (v *Vstr) Free() {
	v.vm.Free(v.buf)
	v.buf, v.alloc, v.len = 0, 0, 0
}

// Object turns the buffer into a str or bytes object as
// mp_obj_new_str_from_vstr does: a str that is a qstr frees the buffer, else
// the buffer is cut to its length and a header of 16 bytes is made.
func (v *Vstr) Object(typ Value) Value {
	vm := v.vm
	if typ == TypeStr {
		if q := vm.FindQstr(v.Bytes()); q != 0 {
			v.Free()
			return q.Value()
		}
	}
	o := vm.Alloc(16)
	vm.Mem[o/4], vm.Mem[o/4+1], vm.Mem[o/4+2], vm.Mem[o/4+3] = typ, hashWord(vm.HashBytes(v.Bytes())), Value(v.len), Value(v.buf)
	if v.len+1 != v.alloc {
		v.buf = vm.Realloc(v.buf, v.len+1)
		vm.Mem[o/4+3] = Value(v.buf)
	}
	vm.Bytes[v.buf+v.len] = 0
	return Value(o)
}
