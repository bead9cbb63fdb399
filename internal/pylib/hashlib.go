package pylib

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding"
	"hash"

	"github.com/skep-sim/skep/internal/vm"
)

// Hashlib declares module uhashlib, if the options have any hash.
func Hashlib(fw *vm.Firmware) {
	o := &fw.Options
	if !o.HashSHA256 && !o.HashSHA1 && !o.HashMD5 {
		return
	}
	m := fw.Module("uhashlib")
	// sizes of the contexts: 108 in both crypto libraries of upstream; 92 and 88 in mbedtls
	if o.HashSHA256 {
		m.Add("sha256", hashType(fw, "sha256", sha256.New, 108).Value())
	}
	if o.HashSHA1 {
		m.Add("sha1", hashType(fw, "sha1", sha1.New, 92).Value())
	}
	if o.HashMD5 {
		m.Add("md5", hashType(fw, "md5", md5.New, 88).Value())
	}
	weakLink(fw, "hashlib", m)
}

// marshalled is what Go's hashes can do: their state has 4 bytes of magic, then
// what a context in C has, too.
type marshalled interface {
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

const hashMagic = 4

// hashType makes a type whose objects are [type, context]; the context is the
// state of Go's hash, kept in the device's memory.
func hashType(fw *vm.Firmware, name string, mk func() hash.Hash, context uint32) *vm.Type {
	var t *vm.Type
	empty, err := mk().(marshalled).MarshalBinary()
	if err != nil {
		panic("pylib: uhashlib: " + err.Error())
	}
	magic := string(empty[:hashMagic])
	state := func(v *vm.VM, o vm.Value) []byte {
		if v.TypeOf(o) != t.Value() {
			v.RaiseMsg(vm.TypeTypeError, "argument has wrong type")
		}
		return v.Bytes[uint32(o)+4 : uint32(o)+4+uint32(len(empty)-hashMagic)]
	}
	load := func(v *vm.VM, o vm.Value) hash.Hash {
		h := mk()
		if err := h.(marshalled).UnmarshalBinary(append([]byte(magic), state(v, o)...)); err != nil {
			panic("pylib: uhashlib: " + err.Error())
		}
		return h
	}
	update := func(v *vm.VM, o, data vm.Value) vm.Value {
		b := v.Buffer(data, false)
		h := load(v, o)
		h.Write(b)
		s, err := h.(marshalled).MarshalBinary()
		if err != nil {
			panic("pylib: uhashlib: " + err.Error())
		}
		copy(state(v, o), s[hashMagic:])
		return vm.None
	}
	t = fw.NewType(name, &vm.Type{New: func(v *vm.VM, typ vm.Value, args, kw []vm.Value) vm.Value {
		v.CheckArgs(args, kw, 0, 1)
		o := v.Alloc(4 + context)
		v.Mem[o/4] = typ
		copy(v.Bytes[o+4:o+4+context], empty[hashMagic:])
		if len(args) == 1 {
			update(v, vm.Value(o), args[0])
		}
		return vm.Value(o)
	}})
	fw.Method(t, "update", fw.Func2("update", update))
	fw.Method(t, "digest", fw.Func1("digest", func(v *vm.VM, o vm.Value) vm.Value {
		h := load(v, o)
		s := v.NewVstrLen(uint32(h.Size()))
		h.Sum(s.Bytes()[:0])
		return s.Object(vm.TypeBytes)
	}))
	return t
}
